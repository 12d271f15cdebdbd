/* SPDX-License-Identifier: ISC */
/*
 * Distinct sources.  A bin's count of sources of a class grows when the bin's
 * first row of a source comes, for its agent and for the fleet.  So what is
 * written is joined with what the same hour and day hold already: both are
 * sorted, and the join only moves forward.  The counts are exact, whichever
 * agents saw the source and however late they report, as long as the bin's rows
 * are kept; where packets came without their source, they are lower bounds and
 * marked so.
 */
#include <stdlib.h>
#include <string.h>

#include "collector/store/sqlite/rollup/count.h"
#include "collector/store/sqlite/rollup/rollup-db.h"
#include "collector/store/sqlite/rollup/seen.h"
#include "collector/store/sqlite/rollup/bins.h"
#include "collector/store/sqlite/rollup/gather-private.h"
#include "lib/base/xalloc.h"

/* A bin of one source and class, seen by an agent. */
struct source_sight {
	int64_t bin;
	uint32_t agent;
	uint64_t packets;
};
struct sight_list {
	struct source_sight *items;
	size_t count, cap;
};

struct count_point {
	int64_t bin_s, class, agent, bin;
	uint64_t sources, packets;
	bool at_least;
};

struct counting {
	struct gather *g;
	struct errmsg *msg;
	struct count_point *points;
	size_t point_count, point_cap;
	struct index index;
	struct sight_list ours, theirs, level_ours, level_theirs;
	struct seen_key *seen;
	size_t seen_count, seen_cap;
	uint8_t *day_known; /* by row of the gather's table */
	bool unnamed;       /* packets without a source (family 0) */
};

#define KNOWN_ANY 1
#define KNOWN_AGENT 2

static void add_sight(
    struct sight_list *list, int64_t bin, uint32_t agent, uint64_t packets)
{
	if (list->count > 0) {
		struct source_sight *last = &list->items[list->count - 1];
		if (last->bin == bin && last->agent == agent) {
			last->packets += packets;
			return;
		}
	}
	if (list->count == list->cap) {
		list->cap = list->cap ? list->cap * 2 : 64;
		list->items =
		    xreallocarray(list->items, list->cap, sizeof(*list->items));
	}
	list->items[list->count++] =
	    (struct source_sight){ bin, agent, packets };
}

static int by_bin(const void *a, const void *b)
{
	const struct source_sight *x = a, *y = b;
	if (x->bin != y->bin)
		return x->bin < y->bin ? -1 : 1;
	return (x->agent > y->agent) - (x->agent < y->agent);
}

/* Sorted by bin and agent, each pair once. */
static void sort_sights(struct sight_list *list)
{
	size_t count = list->count;
	if (count < 2)
		return;
	qsort(list->items, count, sizeof(*list->items), by_bin);
	list->count = 0;
	for (size_t i = 0; i < count; i++)
		add_sight(list, list->items[i].bin, list->items[i].agent,
		    list->items[i].packets);
}

static void truncate_sights(
    const struct sight_list *from, uint32_t bin_s, struct sight_list *to)
{
	to->count = 0;
	for (size_t i = 0; i < from->count; i++) {
		const struct source_sight *s = &from->items[i];
		add_sight(to, s->bin - s->bin % bin_s, s->agent, s->packets);
	}
	sort_sights(to);
}

static void add_point(struct counting *c, const struct count_point *add)
{
	int64_t key[] = { add->bin_s, add->class, add->agent, add->bin };
	uint64_t hash = index_hash(key, sizeof(key));
	struct index_walk walk = index_walk(&c->index, hash);
	size_t i;
	while (index_next(&walk, &i)) {
		struct count_point *p = &c->points[i];
		if (memcmp(&p->bin_s, key, sizeof(key)) == 0) {
			p->sources += add->sources;
			p->packets += add->packets;
			p->at_least |= add->at_least;
			return;
		}
	}
	if (c->point_count == c->point_cap) {
		c->point_cap = c->point_cap ? c->point_cap * 2 : 256;
		c->points =
		    xreallocarray(c->points, c->point_cap, sizeof(*c->points));
	}
	index_put(&c->index, hash, c->point_count);
	c->points[c->point_count++] = *add;
}

/* One bin of a class: ours are the sights in it, theirs what is on disk. */
struct bin_sights {
	uint32_t bin_s;
	int64_t class;
	const struct source_sight *ours, *theirs;
	size_t count, their_count;
};

static void count_bin(struct counting *c, const struct bin_sights *b)
{
	struct count_point point = {
		.bin_s = b->bin_s,
		.class = b->class,
		.agent = STORE_FLEET,
		.bin = b->ours->bin,
		.sources = !c->unnamed && b->their_count == 0,
		.at_least = c->unnamed,
	};
	for (size_t i = 0; i < b->count; i++)
		point.packets += b->ours[i].packets;
	add_point(c, &point);
	for (size_t i = 0, k = 0; i < b->count; i++) {
		uint32_t agent = b->ours[i].agent;
		while (k < b->their_count && b->theirs[k].agent < agent)
			k++;
		point.agent = agent;
		point.sources = !c->unnamed &&
		    (k == b->their_count || b->theirs[k].agent != agent);
		point.packets = b->ours[i].packets;
		add_point(c, &point);
	}
}

static size_t end_of_bin(const struct sight_list *list, size_t from)
{
	size_t end = from;
	while (
	    end < list->count && list->items[end].bin == list->items[from].bin)
		end++;
	return end;
}

static void count_level(struct counting *c, uint32_t bin_s, int64_t class)
{
	struct sight_list *ours = &c->level_ours, *theirs = &c->level_theirs;
	truncate_sights(&c->ours, bin_s, ours);
	truncate_sights(&c->theirs, bin_s, theirs);
	for (size_t i = 0, k = 0; i < ours->count;) {
		size_t end = end_of_bin(ours, i);
		while (k < theirs->count &&
		    theirs->items[k].bin < ours->items[i].bin)
			k++;
		size_t known = k;
		while (known < theirs->count &&
		    theirs->items[known].bin == ours->items[i].bin)
			known++;
		const struct bin_sights bin = {
			.bin_s = bin_s,
			.class = class,
			.ours = &ours->items[i],
			.count = end - i,
			.theirs = theirs->count ? &theirs->items[k] : NULL,
			.their_count = known - k,
		};
		count_bin(c, &bin);
		i = end;
	}
}

/* What a stream holds of the source and class, into `theirs`. */
static int collect(struct counting *c, struct source_stream *stream,
    const struct source_key *of)
{
	struct source_key key = *of;
	key.proto = 0;
	key.dport = 0;
	int err = source_stream_seek(stream, &key, c->msg);
	while (err == 1 && stream->row.key.class == key.class &&
	    source_cmp_addr(&stream->row.key, &key) == 0) {
		add_sight(
		    &c->theirs, stream->row.key.bin, stream->row.key.agent, 0);
		err = source_stream_next(stream, c->msg);
	}
	return err < 0 ? err : ERR_OK;
}

static int collect_all(struct counting *c, struct source_merge *streams,
    const struct source_key *of)
{
	c->theirs.count = 0;
	for (size_t i = 0; i < streams->count; i++) {
		int err = collect(c, &streams->streams[i], of);
		if (err < 0)
			return err;
	}
	sort_sights(&c->theirs);
	return ERR_OK;
}

static size_t end_of_source(
    const struct source_row **rows, size_t from, size_t count)
{
	size_t end = from + 1;
	while (end < count && rows[end]->key.class == rows[from]->key.class &&
	    source_cmp_addr(&rows[end]->key, &rows[from]->key) == 0)
		end++;
	return end;
}

/* The finer levels of one hour. */
static int count_hour(struct counting *c, const struct source_row **rows,
    size_t count, struct source_merge *held)
{
	const uint32_t *levels = c->g->levels;
	for (size_t i = 0; i < count;) {
		size_t end = end_of_source(rows, i, count);
		int err = collect_all(c, held, &rows[i]->key);
		if (err < 0)
			return err;
		c->ours.count = 0;
		c->unnamed = rows[i]->key.family == 0;
		for (size_t k = i; k < end; k++)
			add_sight(&c->ours, rows[k]->key.bin,
			    rows[k]->key.agent, rows[k]->packets);
		for (int l = 0;
		     l < STORE_LEVELS_MAX && levels[l] && levels[l] < DAY_S;
		     l++)
			count_level(c, levels[l], rows[i]->key.class);
		i = end;
	}
	return ERR_OK;
}

/* Which rows' sources the day holds, for any agent or for theirs. */
static int mark_day(struct counting *c, const struct source_row **rows,
    size_t count, struct source_merge *held)
{
	for (size_t i = 0; i < count;) {
		size_t end = end_of_source(rows, i, count);
		int err = collect_all(c, held, &rows[i]->key);
		if (err < 0)
			return err;
		truncate_sights(&c->theirs, DAY_S, &c->level_theirs);
		const struct sight_list *theirs = &c->level_theirs;
		for (size_t k = i; k < end && theirs->count > 0; k++) {
			uint8_t *known =
			    &c->day_known[rows[k] - c->g->frozen->sources.rows];
			*known |= KNOWN_ANY;
			struct source_sight like = { theirs->items[0].bin,
				rows[k]->key.agent, 0 };
			if (bsearch(&like, theirs->items, theirs->count,
				sizeof(like), by_bin))
				*known |= KNOWN_AGENT;
		}
		i = end;
	}
	return ERR_OK;
}

static int add_parts(struct counting *c, struct source_merge *to,
    enum rollup_table table, int64_t from, int64_t end, int64_t above)
{
	struct part_list list = { 0 };
	int err = part_list_read(&c->g->db, table, from, end, &list, c->msg);
	for (size_t i = 0; err == 0 && i < list.count; i++)
		if (list.items[i].id.part > above)
			source_merge_add(to, &c->g->db, c->g->codec,
			    &list.items[i].id, false, 0);
	part_list_fini(&list);
	return err;
}

/* Rows of one hour. */
static int count_at_hour(struct counting *c, const struct source_row **rows,
    size_t count, int64_t hour)
{
	int64_t day = hour - hour % DAY_S, upto;
	struct source_merge own = { 0 }, delta = { 0 };
	int err = add_parts(c, &own, ROLLUP_SOURCES, hour, hour + HOUR_S, -1);
	if (err < 0)
		goto out;
	err = count_hour(c, rows, count, &own);
	if (err < 0)
		goto out;
	err = derived_upto(&c->g->db, ROLLUP_HEAVY, day, &upto, c->msg);
	if (err < 0)
		goto out;
	err = add_parts(c, &delta, ROLLUP_SOURCES, day, day + DAY_S, upto);
	if (err < 0 || delta.count == 0)
		goto out;
	err = mark_day(c, rows, count, &delta);
out:
	source_merge_fini(&own);
	source_merge_fini(&delta);
	return err;
}

static int count_hours(
    struct counting *c, const struct source_row **rows, size_t count)
{
	int err = ERR_OK;
	for (size_t i = 0; err == ERR_OK && i < count;) {
		int64_t hour = rows[i]->key.bin / HOUR_S * HOUR_S;
		size_t end = i + 1;
		while (end < count && rows[end]->key.bin < hour + HOUR_S)
			end++;
		err = count_at_hour(c, rows + i, end - i, hour);
		i = end;
	}
	return err;
}

static int by_day(const void *a, const void *b)
{
	const struct source_row *x = *(const struct source_row *const *)a;
	const struct source_row *y = *(const struct source_row *const *)b;
	int64_t i = x->key.bin / DAY_S, k = y->key.bin / DAY_S;
	if (i != k)
		return i < k ? -1 : 1;
	return source_cmp(&x->key, &y->key, true);
}

static void note_seen(
    struct counting *c, const struct source_row *row, int64_t day)
{
	if (c->seen_count == c->seen_cap) {
		c->seen_cap = c->seen_cap ? c->seen_cap * 2 : 256;
		c->seen = xreallocarray(c->seen, c->seen_cap, sizeof(*c->seen));
	}
	struct seen_key *to = &c->seen[c->seen_count++];
	*to = (struct seen_key){ .day = day / DAY_S };
	to->key.hi = row->key.hi;
	to->key.lo = row->key.lo;
	to->key.family = row->key.family;
	to->key.class = row->key.class;
}

/* Rows of one source and class on one day. */
static void count_day_source(struct counting *c, const struct source_row **rows,
    size_t count, int64_t day)
{
	bool known = false;
	c->ours.count = c->theirs.count = 0;
	for (size_t k = 0; k < count; k++) {
		uint8_t flags =
		    c->day_known[rows[k] - c->g->frozen->sources.rows];
		known |= flags & KNOWN_ANY;
		add_sight(&c->ours, day, rows[k]->key.agent, rows[k]->packets);
		if (flags & KNOWN_AGENT)
			add_sight(&c->theirs, day, rows[k]->key.agent, 0);
	}
	/* Some agent that has no row here. */
	if (known && c->theirs.count == 0)
		add_sight(&c->theirs, day, STORE_FLEET, 0);
	sort_sights(&c->ours);
	sort_sights(&c->theirs);
	c->unnamed = rows[0]->key.family == 0;
	count_level(c, DAY_S, rows[0]->key.class);
	if (!known && !c->unnamed)
		note_seen(c, rows[0], day);
}

static int mark_derived(struct counting *c, const struct source_row **rows,
    size_t count, int64_t day)
{
	struct source_merge held = { 0 };
	int err = add_parts(c, &held, ROLLUP_HEAVY, day, day + 1, -1);
	if (err < 0)
		goto out;
	err = add_parts(c, &held, ROLLUP_LIGHT, day, day + 1, -1);
	if (err < 0 || held.count == 0)
		goto out;
	err = mark_day(c, rows, count, &held);
out:
	source_merge_fini(&held);
	return err;
}

static int count_days(
    struct counting *c, const struct source_row **rows, size_t count)
{
	for (size_t i = 0; i < count;) {
		int64_t day = rows[i]->key.bin / DAY_S * DAY_S;
		size_t end = i + 1;
		while (end < count && rows[end]->key.bin < day + DAY_S)
			end++;
		int err = mark_derived(c, rows + i, end - i, day);
		if (err < 0)
			return err;
		while (i < end) {
			size_t next = end_of_source(rows, i, end);
			count_day_source(c, rows + i, next - i, day);
			i = next;
		}
	}
	return ERR_OK;
}

static int write_points(struct counting *c)
{
	for (size_t i = 0; i < c->point_count; i++) {
		const struct count_point *p = &c->points[i];
		int err = db_run(&c->g->db, c->msg,
		    "INSERT INTO series VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"
		    " ON CONFLICT DO UPDATE SET sources = sources + ?5,"
		    " packets = packets + ?6,"
		    " sources_at_least = sources_at_least | ?7",
		    "iiiiiii", p->bin_s, p->class, p->agent, p->bin,
		    (int64_t)p->sources, (int64_t)p->packets,
		    (int64_t)p->at_least);
		if (err < 0)
			return err;
	}
	return ERR_OK;
}

static int count_sources(
    struct counting *c, const struct source_row **rows, size_t count)
{
	int err = count_hours(c, rows, count);
	if (err < 0)
		return err;
	qsort(rows, count, sizeof(void *), by_day);
	err = count_days(c, rows, count);
	if (err < 0)
		return err;
	err = seen_flush(c->g, c->seen, c->seen_count, c->msg);
	if (err < 0)
		return err;
	return write_points(c);
}

int count_flush(struct gather *g, const struct source_row **by_hour,
    size_t count, struct errmsg *msg)
{
	struct counting c = { .g = g, .msg = msg };
	c.day_known = xcalloc(count, 1);
	const struct source_row **rows =
	    xmemdup(by_hour, count * sizeof(void *));
	int err = count_sources(&c, rows, count);
	free(rows);
	free(c.day_known);
	free(c.points);
	free(c.seen);
	free(c.ours.items);
	free(c.theirs.items);
	free(c.level_ours.items);
	free(c.level_theirs.items);
	index_fini(&c.index);
	return err;
}
