/* SPDX-License-Identifier: ISC */
/*
 * One slot per key hash.  Another key in a slot that is in use wears its
 * count down first (majority vote), so only the busier of two stays.
 */
#include <stdlib.h>

#include "lib/base/xalloc.h"
#include "probes/sensor/detect/flood.h"

#define SLOTS 1024

struct slot {
	uint32_t key;
	uint32_t count;
	int64_t window;
	int64_t flooded_from, flooded_to; /* windows; from > to: never */
};

struct meter {
	struct slot slots[SLOTS];
};

struct meter *meter_new(void)
{
	struct meter *m = xcalloc(1, sizeof(*m));
	for (size_t i = 0; i < SLOTS; i++)
		m->slots[i].flooded_to = -2;
	return m;
}

void meter_free(struct meter *meter)
{
	free(meter);
}

uint32_t meter_key(uint32_t target, uint8_t proto, uint16_t port)
{
	uint32_t key = target ^ ((uint32_t)port << 8 | proto) * 0x9e3779b1u;
	return key ^ key >> 15;
}

static void take_slot(struct slot *s, uint32_t key, int64_t window)
{
	bool in_use = s->count > 0 && s->window == window;
	if (in_use || s->flooded_to >= window - 1) {
		s->count -= in_use;
		return;
	}
	*s = (struct slot){ key, 1, window, 0, -2 };
}

void meter_note(struct meter *meter, uint32_t key, int64_t at_ns)
{
	struct slot *s = &meter->slots[key % SLOTS];
	int64_t window = at_ns / METER_WINDOW_NS;
	if (s->key != key) {
		take_slot(s, key, window);
		return;
	}
	if (s->window != window) {
		s->window = window;
		s->count = 0;
	}
	if (++s->count < METER_FLOOD_SOURCES)
		return;
	if (s->flooded_to < window - 1 || s->flooded_from > s->flooded_to)
		s->flooded_from = window;
	s->flooded_to = window;
}

bool meter_is_flooded(const struct meter *meter, uint32_t key, int64_t at_ns)
{
	const struct slot *s = &meter->slots[key % SLOTS];
	int64_t window = at_ns / METER_WINDOW_NS;
	return s->key == key && s->flooded_from <= s->flooded_to &&
	    window >= s->flooded_from - 1 && window <= s->flooded_to + 1;
}
