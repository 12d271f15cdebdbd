/* SPDX-License-Identifier: ISC */
/*
 * A series' state as bytes.  Packing and unpacking are one walk over the
 * fields, so neither can forget one that the other has.
 */
#include <stdlib.h>
#include <string.h>

#include "analysis/spike-private.h"
#include "lib/base/reader.h"
#include "lib/base/vec.h"
#include "lib/base/xalloc.h"

#define FORMAT 1
#define FORMAT_SEASON 2 /* of series that have one */

struct pack_walk {
	struct buf *to;     /* packing */
	struct reader from; /* unpacking */
};

static void walk_u64(struct pack_walk *w, uint64_t *value)
{
	if (w->to)
		buf_be64(w->to, *value);
	else
		*value = reader_be64(&w->from);
}

static void walk_size(struct pack_walk *w, size_t *value)
{
	uint64_t wide = *value;
	walk_u64(w, &wide);
	*value = (size_t)wide;
}

static uint64_t double_bits(double value)
{
	uint64_t bits;
	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

static void walk_double(struct pack_walk *w, double *value)
{
	uint64_t bits = double_bits(*value);
	walk_u64(w, &bits);
	memcpy(value, &bits, sizeof(bits));
}

static void walk_totals(struct pack_walk *w, struct totals *t)
{
	walk_double(w, &t->bins);
	walk_double(w, &t->seen);
	walk_double(w, &t->expected);
}

static void walk_observed(struct pack_walk *w, struct observed *o, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		walk_u64(w, &o[i].bin);
		walk_double(w, &o[i].count);
	}
}

/* A count that is at most so many; more is malformed. */
static void walk_count(struct pack_walk *w, size_t *count, size_t most)
{
	walk_size(w, count);
	if (*count > most) {
		w->from.err = ERR_MALFORMED;
		*count = 0;
	}
}

static void walk_cusum(struct pack_walk *w, struct cusum *c)
{
	walk_double(w, &c->sum);
	walk_u64(w, &c->start);
	walk_totals(w, &c->before);
	walk_count(w, &c->first_count, CALM_BINS);
	walk_observed(w, c->first, c->first_count);
}

static void walk_baseline(struct pack_walk *w, struct baseline *b)
{
	walk_double(w, &b->sum);
	walk_double(w, &b->bins);
	walk_double(w, &b->excess);
	walk_double(w, &b->weight);
	size_t rhythm = b->rhythm;
	if (b->season_bins > 0)
		walk_count(w, &rhythm, 1);
	b->rhythm = rhythm;
	for (size_t i = 0; i < b->season_bins; i++) {
		walk_double(w, &b->season[i].seen);
		walk_double(w, &b->season[i].expected);
	}
}

static void walk_alarm(struct pack_walk *w, struct spike_state *s)
{
	size_t direction = s->alarm.direction;
	walk_count(w, &direction, SPIKE_FALL);
	s->alarm.direction = (enum spike_direction)direction;
	walk_u64(w, &s->alarm.onset);
	walk_u64(w, &s->alarm.detected);
	walk_totals(w, &s->before);
	walk_count(w, &s->first_count, CALM_BINS);
	walk_observed(w, s->first, s->first_count);
	walk_size(w, &s->calm);
	walk_size(w, &s->lasted);
	walk_double(w, &s->seen_sum);
	s->alarm.test = spike_test_name(s->alarm.direction);
	s->alarm.run_length = s->config.run_length;
}

static void walk_state(struct pack_walk *w, struct spike_state *s)
{
	size_t alarmed = s->alarmed;
	walk_baseline(w, &s->base);
	walk_cusum(w, &s->way[SPIKE_RISE]);
	walk_cusum(w, &s->way[SPIKE_FALL]);
	walk_size(w, &s->watched);
	walk_totals(w, &s->totals);
	walk_count(w, &s->pending_count, PENDING_MOST);
	for (size_t i = 0; !w->to && i < s->pending_count; i++)
		VEC_ROOM(s->pending, i);
	walk_observed(w, s->pending, s->pending_count);
	walk_size(w, &s->recent_count);
	walk_observed(w, s->recent, s->ring);
	walk_count(w, &alarmed, 1);
	s->alarmed = alarmed;
	if (s->alarmed)
		walk_alarm(w, s);
}

/* What the state was made for; another configuration begins afresh. */
static bool walk_head(struct pack_walk *w, const struct spike_config *config)
{
	struct spike_config own = *config;
	const uint64_t known = config->season_bins ? FORMAT_SEASON : FORMAT;
	uint64_t format = known;
	walk_u64(w, &format);
	walk_size(w, &own.warmup_bins);
	walk_size(w, &own.season_bins);
	walk_double(w, &own.run_length);
	return format == known && own.warmup_bins == config->warmup_bins &&
	    own.season_bins == config->season_bins &&
	    double_bits(own.run_length) == double_bits(config->run_length);
}

void spike_state_pack(const struct spike_state *state, struct buf *to)
{
	struct pack_walk w = { .to = to };
	/* The walk only reads what it packs. */
	struct spike_state *s = (struct spike_state *)state;
	walk_head(&w, &s->config);
	walk_state(&w, s);
}

struct spike_state *spike_state_unpack(
    const struct spike_config *config, const void *bytes, size_t len)
{
	struct pack_walk w = { .from = reader_init(bytes, len) };
	if (!walk_head(&w, config))
		return NULL;
	struct spike_state *s = spike_state_new(config);
	walk_state(&w, s);
	if (w.from.err == ERR_OK && reader_left(&w.from) == 0)
		return s;
	spike_state_free(s);
	return NULL;
}
