/* SPDX-License-Identifier: ISC */
/*
 * Floods: many packets at once for one address.  One source shows that by its
 * rate.  A flood from many (forged) sources shows in none of them: each sends a
 * packet or two.  So the sources that are new are counted per target, protocol
 * and port in windows of ten seconds, in a small table where the busiest
 * targets stay: one slot per key hash, and another key in a slot that is in
 * use wears its count down first (majority vote; Boyer and Moore, 1981), so
 * only the busier of two stays.
 */
#include <stdlib.h>

#include "lib/base/hash.h"
#include "lib/base/xalloc.h"
#include "probes/sensor/detect/detector.h"

#define METER_SLOTS 1024
#define METER_WINDOW_NS INT64_C(10000000000)
#define METER_FLOOD_SOURCES 1000 /* new ones in one window */
#define FLOOD_LEAST_PACKETS 100
#define FLOOD_LEAST_PPS 10
#define FLOOD_PACKETS_PER_PORT 8

struct meter_slot {
	uint32_t key;
	uint32_t count;
	int64_t window;
	int64_t flooded_from, flooded_to; /* windows; from > to: never */
};

struct meter {
	struct meter_slot slots[METER_SLOTS];
};

static void *meter_open(void)
{
	struct meter *m = xcalloc(1, sizeof(*m));
	for (size_t i = 0; i < METER_SLOTS; i++)
		m->slots[i].flooded_to = -2;
	return m;
}

static uint32_t meter_key(const struct sight *sight)
{
	uint32_t key = sight->target ^
	    ((uint32_t)sight->port << 8 | sight->proto) * HASH_GOLDEN_32;
	return key ^ key >> 15;
}

static void take_slot(struct meter_slot *s, uint32_t key, int64_t window)
{
	bool in_use = s->count > 0 && s->window == window;
	if (in_use || s->flooded_to >= window - 1) {
		s->count -= in_use;
		return;
	}
	*s = (struct meter_slot){ key, 1, window, 0, -2 };
}

static void meter_count(void *state, const struct sight *sight)
{
	struct meter *meter = state;
	uint32_t key = meter_key(sight);
	struct meter_slot *s = &meter->slots[key % METER_SLOTS];
	int64_t window = sight->at_ns / METER_WINDOW_NS;
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

static bool is_target_flooded(
    const struct meter *meter, const struct sight *sight)
{
	uint32_t key = meter_key(sight);
	const struct meter_slot *s = &meter->slots[key % METER_SLOTS];
	int64_t window = sight->at_ns / METER_WINDOW_NS;
	return s->key == key && s->flooded_from <= s->flooded_to &&
	    window >= s->flooded_from - 1 && window <= s->flooded_to + 1;
}

static bool is_fast(uint64_t packets, int64_t duration_ns)
{
	uint64_t seconds = (uint64_t)(duration_ns / INT64_C(1000000000));
	return packets >= FLOOD_LEAST_PACKETS &&
	    packets / (seconds ? seconds : 1) >= FLOOD_LEAST_PPS;
}

/* Many packets at once for one address, not one for each of its ports. */
static bool is_flood(const struct meter *meter, const struct evidence *e)
{
	if (!e->one_target)
		return false;
	bool fast = is_fast(e->packets, e->duration_ns);
	if (e->several_targets)
		return fast && e->packets >= e->probes / 2;
	if (is_target_flooded(meter, &e->first))
		return true;
	return (fast || is_fast(e->probes, e->probes_duration_ns)) &&
	    e->probes / (e->ports ? e->ports : 1) >= FLOOD_PACKETS_PER_PORT;
}

static enum verdict judge_flood(const void *state, const struct evidence *e)
{
	/* A call is answered, and so is every other conversation. */
	return e->class == CLASS_PROBE && !e->is_answered && is_flood(state, e)
	    ? VERDICT_FLOOD
	    : VERDICTS;
}

const struct detector detector_flood = {
	.name = "flood",
	.open = meter_open,
	.close = free,
	.source = meter_count,
	.judge = judge_flood,
};
