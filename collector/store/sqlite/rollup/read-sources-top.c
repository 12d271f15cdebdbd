/* SPDX-License-Identifier: ISC */
/*
 * The top of a sum of days by thresholds (after Fagin's: Fagin, Lotem, Naor
 * 2003): the heavy groups of all days are summed, which gives each group a
 * lower bound and, with the most that the light groups of the days in which it
 * is not heavy can add, an upper one.  Only those whose upper bound reaches the
 * last place are looked up among the light groups.  When a group that is heavy
 * nowhere could reach it, everything must be read.
 */
#include <stdlib.h>

#include "collector/store/sqlite/rollup/read-sources.h"
#include "lib/base/xalloc.h"

#define CANDIDATES_KEPT 65536
/* Behind a cursor, more candidates than both are not looked up: each costs some
 * 60 us. */
#define CANDIDATES_LEAST 600
#define CANDIDATES_FOR(places) ((places) + (places) / 4)

struct source_candidate {
	struct source_key key;
	uint64_t known, most; /* packets */
	uint64_t days;        /* in which it is heavy: bits of the first 64 */
	uint64_t maybe;       /* may be light: the same */
};
struct threshold {
	uint64_t *places; /* a heap, the least first */
	size_t count, most;
	struct source_candidate *items;
	size_t item_count, item_cap;
	struct source_candidate now; /* under way; key.class 0: none */
	bool under_way;
	bool too_many; /* candidates behind a cursor */
};

static void place_known(struct threshold *t, uint64_t known)
{
	size_t i;
	if (t->count < t->most) {
		for (i = t->count++; i > 0 && t->places[(i - 1) / 2] > known;
		     i = (i - 1) / 2)
			t->places[i] = t->places[(i - 1) / 2];
		t->places[i] = known;
		return;
	}
	if (known <= t->places[0])
		return;
	for (i = 0;;) {
		size_t least = 2 * i + 1;
		if (least + 1 < t->count &&
		    t->places[least + 1] < t->places[least])
			least++;
		if (least >= t->count || t->places[least] >= known)
			break;
		t->places[i] = t->places[least];
		i = least;
	}
	t->places[i] = known;
}

/* What the last place has at least. */
static uint64_t last_place(const struct threshold *t)
{
	return t->count < t->most ? 0 : t->places[0];
}

static void drop_hopeless(struct threshold *t)
{
	size_t kept = 0;
	uint64_t least = last_place(t);
	for (size_t i = 0; i < t->item_count; i++)
		if (t->items[i].most >= least)
			t->items[kept++] = t->items[i];
	t->item_count = kept;
}

static void end_candidate(const struct source_read *r, struct threshold *t)
{
	if (!t->under_way)
		return;
	t->under_way = false;
	/* One that may be before the cursor is a candidate, but no place. */
	if (!source_read_ranks_behind(r, &t->now.key, t->now.known))
		return;
	if (source_read_ranks_behind(r, &t->now.key, t->now.most))
		place_known(t, t->now.known);
	if (t->now.most < last_place(t))
		return;
	if (t->item_count == t->item_cap) {
		if (t->item_count >= CANDIDATES_KEPT)
			drop_hopeless(t);
		t->too_many |= r->has_after && t->item_count >= CANDIDATES_KEPT;
		if (t->too_many)
			return;
		if (t->item_count * 2 >= t->item_cap) {
			t->item_cap = t->item_cap ? t->item_cap * 2 : 1024;
			t->items = xreallocarray(
			    t->items, t->item_cap, sizeof(*t->items));
		}
	}
	t->items[t->item_count++] = t->now;
}

static void begin_candidate(const struct source_read *r, struct threshold *t,
    const struct source_key *key)
{
	t->under_way = true;
	t->now = (struct source_candidate){ .key = *key };
	for (size_t d = 0; d < r->day_count; d++)
		t->now.most += source_read_light(r, d, key->class);
}

static void add_known(const struct source_read *r, struct threshold *t,
    const struct source_row *row, int tag)
{
	uint64_t bit = tag >= 0 && tag < 64 ? UINT64_C(1) << tag : 0;
	if (t->under_way && !source_same_group(&t->now.key, &row->key))
		end_candidate(r, t);
	if (!t->under_way)
		begin_candidate(r, t, &row->key);
	t->now.known += row->packets;
	t->now.most += row->packets;
	if (bit && !(t->now.days & bit)) {
		t->now.days |= bit;
		t->now.most -=
		    source_read_light(r, (size_t)tag, row->key.class);
	}
}

/* The most packets of a group that is heavy in no day. */
static uint64_t unseen_most(const struct source_read *r)
{
	uint64_t most = 0;
	for (uint32_t c = 0; c < r->class_count; c++) {
		uint64_t sum = 0;
		if (!r->classes[c].wanted)
			continue;
		for (size_t d = 0; d < r->day_count; d++)
			sum += source_read_light(r, d, c);
		most = sum > most ? sum : most;
	}
	return most;
}

/* The groups of one class in a merge that stands before or in it. */
static int sum_class(struct source_read *r, struct threshold *t,
    struct source_merge *merge, uint32_t class)
{
	const struct source_key from = { .class = class };
	int err = source_merge_start(merge, &from, r->msg);
	for (; err == 1 && merge->row->key.class == class && !t->too_many;
	     err = source_merge_next(merge, r->msg)) {
		const struct source_row *row = merge->row;
		if (source_read_matches(r, &row->key) &&
		    source_read_in_time(r, merge->tag, row))
			add_known(r, t, row, merge->tag);
	}
	return err < 0 ? err : ERR_OK;
}

static int sum_heavy(struct source_read *r, struct threshold *t)
{
	struct source_merge merge = { 0 };
	int err = ERR_OK;
	for (size_t d = 0; d < r->day_count; d++)
		source_read_add_day(r, &merge, d, true, false, false);
	if (r->count > 0)
		source_merge_add_array(&merge, r->sorted, r->count, -1);
	for (uint32_t c = 0; err == ERR_OK && c < r->class_count; c++)
		if (r->classes[c].wanted)
			err = sum_class(r, t, &merge, c);
	end_candidate(r, t);
	source_merge_fini(&merge);
	return err;
}

static int look_up(struct source_read *r, struct source_stream *stream,
    const struct source_candidate *c)
{
	int err = source_stream_seek(stream, &c->key, r->msg);
	while (err == 1 && source_same_group(&stream->row.key, &c->key)) {
		err = source_stream_detail(stream, r->msg);
		if (err < 0)
			break;
		if (source_read_matches(r, &stream->row.key) &&
		    source_read_in_range(r, &stream->row))
			source_read_add(r, &stream->row);
		err = source_stream_next(stream, r->msg);
	}
	return err < 0 ? err : ERR_OK;
}

/* Which candidates a day may hold among its light groups. */
static int filter_light(struct source_read *r, struct threshold *t, size_t d)
{
	uint64_t bit = UINT64_C(1) << d;
	sqlite3_stmt *row = db_query(&r->view->db,
	    "SELECT filter FROM light_groups WHERE day = ?1", "i",
	    r->days[d].day);
	int err = db_step(&r->view->db, row, r->msg);
	size_t len = err == 1 ? (size_t)sqlite3_column_bytes(row, 0) : 0;
	struct group_filter filter = { NULL, len / 64 };
	if (len >= 64)
		filter.lines = xmemdup(sqlite3_column_blob(row, 0), len);
	db_reset(row);
	for (size_t i = 0; err >= 0 && i < t->item_count; i++) {
		struct source_candidate *c = &t->items[i];
		if (c->days & bit)
			continue;
		if (r->days[d].has_light &&
		    (!filter.lines || group_filter_has(&filter, &c->key)))
			c->maybe |= bit;
		else
			c->most -= source_read_light(r, d, c->key.class);
	}
	free(filter.lines);
	return err < 0 ? err : ERR_OK;
}

/* With what the days' filters say, the bounds are nearer to each other. */
static int narrow(struct source_read *r, struct threshold *t)
{
	for (size_t d = 0; d < r->day_count && d < 64; d++) {
		int err = filter_light(r, t, d);
		if (err < 0)
			return err;
	}
	t->count = 0;
	for (size_t i = 0; i < t->item_count; i++)
		if (source_read_ranks_behind(
			r, &t->items[i].key, t->items[i].most))
			place_known(t, t->items[i].known);
	drop_hopeless(t);
	return ERR_OK;
}

/* Rows on days of `days`, one bit each. */
static int look_up_days(struct source_read *r, struct source_merge *merge,
    const struct source_candidate *c, uint64_t days)
{
	for (size_t s = 0; s < merge->count; s++) {
		int d = merge->streams[s].tag;
		if (d < 64 && !(days >> d & 1))
			continue;
		int err = look_up(r, &merge->streams[s], c);
		if (err < 0)
			return err;
	}
	return ERR_OK;
}

/* The candidates' rows, wherever they are. */
static int place_candidates(struct source_read *r, struct threshold *t)
{
	struct source_merge heavy = { 0 }, light = { 0 }, delta = { 0 };
	int err = ERR_OK;
	for (size_t d = 0; d < r->day_count; d++) {
		source_read_add_day(r, &heavy, d, true, false, false);
		source_read_add_day(r, &light, d, false, true, false);
	}
	if (r->count > 0)
		source_merge_add_array(&delta, r->sorted, r->count, -1);
	for (size_t i = 0; err == ERR_OK && i < t->item_count; i++) {
		const struct source_candidate *c = &t->items[i];
		err = look_up_days(r, &heavy, c, c->days);
		if (err < 0)
			break;
		err = look_up_days(r, &light, c, c->maybe);
		if (err < 0)
			break;
		if (delta.count > 0)
			err = look_up(r, &delta.streams[0], c);
	}
	source_read_end_group(r);
	source_merge_fini(&heavy);
	source_merge_fini(&light);
	source_merge_fini(&delta);
	return err;
}

int source_read_top(struct source_read *r)
{
	struct threshold t = { .most = r->places };
	uint64_t unseen = unseen_most(r);
	t.places = xcalloc(r->places + 1, sizeof(*t.places));
	int err = sum_heavy(r, &t);
	if (err < 0)
		goto out;
	err = 0;
	if (t.too_many || (last_place(&t) <= unseen && unseen > 0))
		goto out;
	drop_hopeless(&t);
	err = narrow(r, &t);
	if (err < 0)
		goto out;
	if (r->has_after && t.item_count > CANDIDATES_LEAST &&
	    t.item_count > CANDIDATES_FOR(r->places))
		goto out;
	err = place_candidates(r, &t);
	if (err == ERR_OK)
		err = 1;
out:
	free(t.places);
	free(t.items);
	return err;
}
