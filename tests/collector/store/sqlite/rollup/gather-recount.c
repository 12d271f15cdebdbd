/* SPDX-License-Identifier: ISC */
/* What rollups say of sightings, against what each says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/collector/store/sqlite/rollup/gather-recount.h"

#include "lib/base/xalloc.h"

/* --- counts --- */

int take_class(void *ctx, const struct store_row *row)
{
	struct class_names *names = ctx;
	int64_t i = row->class->row;
	assert_true(i < 8);
	names->verdict[i] = xstrdup(row->class->verdict);
	names->signature[i] = xstrdup(row->class->signature);
	names->sources[i] = row->class->sources;
	names->packets[i] = row->class->packets;
	names->rows = i;
	return 0;
}

void free_names(struct class_names *names)
{
	for (int i = 0; i < 8; i++) {
		free(names->verdict[i]);
		free(names->signature[i]);
	}
}

static bool is_class(
    const struct sent_sighting *s, const struct class_names *names, int64_t row)
{
	return strcmp(s->verdict, names->verdict[row]) == 0 &&
	    strcmp(s->signature, names->signature[row]) == 0;
}

/* Distinct sources of those that match; agent 0: of any. */
static uint64_t recount(const struct world *w, const struct class_names *names,
    int64_t class, int64_t agent, int64_t bin, uint32_t bin_s,
    uint64_t *packets)
{
	uint64_t sources = 0;
	*packets = 0;
	for (size_t i = 0; i < w->sighting_count; i++) {
		const struct sent_sighting *s = &w->sightings[i];
		if (!is_class(s, names, class) ||
		    (agent && s->agent != agent) ||
		    (bin_s && s->bin - s->bin % bin_s != bin))
			continue;
		*packets += s->packets;
		bool again = false;
		for (size_t k = 0; !again && k < i; k++) {
			const struct sent_sighting *o = &w->sightings[k];
			again = is_class(o, names, class) &&
			    (!agent || o->agent == agent) &&
			    (!bin_s || o->bin - o->bin % bin_s == bin) &&
			    addr_equal(&o->src, &s->src);
		}
		sources += !again;
	}
	return sources;
}

struct points_seen {
	const struct world *w;
	const struct class_names *names;
	uint32_t bin_s;
	uint64_t packets, rows;
};

static int check_point(void *ctx, const struct store_row *row)
{
	struct points_seen *seen = ctx;
	const struct store_point *p = row->point;
	uint64_t packets,
	    sources = recount(seen->w, seen->names, p->class_row, p->agent_row,
		p->bin, seen->bin_s, &packets);
	assert_int_equal(p->packets, packets);
	assert_int_equal(p->sources, sources);
	if (p->agent_row == STORE_FLEET)
		seen->packets += p->packets;
	seen->rows++;
	return 0;
}

void check_counts(
    struct world *w, struct rollup_view *view, struct class_names *names)
{
	struct errmsg msg = { "" };
	uint64_t total = 0, packets;
	for (int64_t c = 1; c <= names->rows; c++) {
		assert_int_equal(
		    names->sources[c], recount(w, names, c, 0, 0, 0, &packets));
		assert_int_equal(names->packets[c], packets);
		total += packets;
	}
	for (int l = 0; l < 4; l++) {
		struct points_seen seen = { w, names, w->config.levels[l], 0,
			0 };
		const struct store_plan plan = { .table = STORE_POINTS,
			.bin_s = seen.bin_s,
			.agent_row = -1 };
		world_check(
		    rollup_read(view, &plan, check_point, &seen, &msg), &msg);
		assert_int_equal(seen.packets, total);
	}
}

/* --- sources --- */
struct sum {
	const struct sent_sighting *like;
	uint64_t packets, targets;
	int64_t first_ns, last_ns;
	unsigned agents;
	bool given;
};

static bool in_plan(const struct store_plan *plan, bool days, uint32_t fine_s,
    const struct sent_sighting *s)
{
	int64_t from = plan->range.from_ns, to = plan->range.to_ns;
	int64_t first = s->first_ns, last = s->last_ns;
	uint32_t bin_s = days ? 86400 : fine_s;
	int64_t bin = s->bin - s->bin % bin_s;
	(void)first;
	(void)last;
	return (!plan->agent_row || plan->agent_row == s->agent) &&
	    (!plan->src.family || addr_equal(&plan->src, &s->src)) &&
	    (!plan->src_prefix || prefix_has(plan->src_prefix, &s->src)) &&
	    (!plan->verdict || strcmp(plan->verdict, s->verdict) == 0) &&
	    (!plan->signature || strcmp(plan->signature, s->signature) == 0) &&
	    (bin + bin_s) * NS_PER_S > from && bin * NS_PER_S < to;
}

static int by_rank(const void *a, const void *b)
{
	const struct sum *x = a, *y = b;
	if (x->packets != y->packets)
		return x->packets > y->packets ? -1 : 1;
	return addr_cmp(&x->like->src, &y->like->src);
}

static size_t sum_naively(const struct world *w, const struct store_plan *plan,
    bool days, struct sum *sums)
{
	size_t count = 0;
	for (size_t i = 0; i < w->sighting_count; i++) {
		const struct sent_sighting *s = &w->sightings[i];
		if (!in_plan(plan, days, w->config.levels[0], s))
			continue;
		size_t k = 0;
		while (k < count &&
		    !(addr_equal(&sums[k].like->src, &s->src) &&
			sums[k].like->verdict == s->verdict &&
			sums[k].like->signature == s->signature &&
			sums[k].like->proto == s->proto &&
			sums[k].like->dport == s->dport))
			k++;
		struct sum *sum = &sums[k];
		if (k == count) {
			*sum = (struct sum){ .like = s, .first_ns = INT64_MAX };
			count++;
		}
		sum->packets += s->packets;
		sum->targets =
		    s->targets > sum->targets ? s->targets : sum->targets;
		if (s->first_ns < sum->first_ns)
			sum->first_ns = s->first_ns;
		if (s->last_ns > sum->last_ns)
			sum->last_ns = s->last_ns;
		sum->agents |= 1u << s->agent;
	}
	qsort(sums, count, sizeof(*sums), by_rank);
	return count;
}

struct sources_seen {
	struct sum *sums;
	size_t count, at;
	bool days;
	struct store_source_cursor cursor; /* of the last one */
};

static int check_source(void *ctx, const struct store_row *row)
{
	struct sources_seen *seen = ctx;
	const struct store_source *s = row->source;
	assert_true(seen->at < seen->count);
	/* Of equal packets any may come first; the packets are the order, until
	 * the rest comes by group. */
	if (!s->cursor.by_group)
		assert_int_equal(s->packets, seen->sums[seen->at].packets);
	seen->at++;
	seen->cursor = s->cursor;
	struct sum *sum = NULL;
	for (size_t i = 0; i < seen->count; i++)
		if (addr_equal(&seen->sums[i].like->src, &s->src) &&
		    strcmp(seen->sums[i].like->verdict, s->verdict) == 0 &&
		    strcmp(seen->sums[i].like->signature, s->signature) == 0 &&
		    seen->sums[i].like->proto == s->proto &&
		    seen->sums[i].like->dport == s->dport)
			sum = &seen->sums[i];
	assert_non_null(sum);
	assert_false(sum->given);
	sum->given = true;
	assert_int_equal(s->packets, sum->packets);
	assert_int_equal(s->targets, sum->targets);
	unsigned agents = 0;
	for (size_t i = 0; i < s->agent_count; i++)
		agents |= 1u << s->agents[i];
	assert_int_equal(agents, sum->agents);
	int64_t unit = seen->days ? NS_PER_S : 1;
	assert_int_equal(s->first_ns / unit, sum->first_ns / unit);
	assert_int_equal(s->last_ns / unit, sum->last_ns / unit);
	return 0;
}

unsigned pages_behind, pages_by_group;

void check_sources(struct world *w, struct rollup_view *view, bool days)
{
	struct errmsg msg = { "" };
	struct prefix prefix;
	struct sum *sums = xcalloc(w->sighting_count + 1, sizeof(*sums));
	struct store_plan plan = { .table = STORE_SOURCES,
		.bin_s = days ? 86400 : 0,
		.limit = 1 + world_pick(60) };
	/* Whole bins, so that no row is cut in two. */
	int64_t unit = days ? 86400 : 3600;
	int64_t from = (int64_t)world_pick((unsigned)(SPAN_S / unit));
	int64_t to =
	    from + 1 + (int64_t)world_pick((unsigned)(SPAN_S / unit - from));
	plan.range.from_ns = (START_S + from * unit) * NS_PER_S;
	plan.range.to_ns = (START_S + to * unit) * NS_PER_S;
	plan.agent_row = world_pick(2) ? 0 : 1 + world_pick(AGENTS);
	if (world_pick(3) == 0)
		plan.signature = world_signatures[world_pick(3)];
	if (world_pick(4) == 0)
		plan.verdict = world_verdicts[world_pick(3)];
	if (world_pick(4) == 0)
		plan.src = world_source(world_pick(SOURCES));
	else if (world_pick(4) == 0) {
		world_check(
		    prefix_parse(&prefix,
			world_pick(2) ? "198.51.1.0/24" : "2001:db8::/32",
			&msg),
		    &msg);
		plan.src_prefix = &prefix;
	}
	struct sources_seen seen = { .sums = sums, .days = days };
	seen.count = sum_naively(w, &plan, days, sums);
	/* Page by page to the end: each source once. */
	for (size_t end = 0; end < seen.count; end = seen.at) {
		world_check(
		    rollup_read(view, &plan, check_source, &seen, &msg), &msg);
		size_t left = seen.count - end;
		assert_int_equal(
		    seen.at - end, left < plan.limit ? left : plan.limit);
		pages_behind += plan.source_cursor && !seen.cursor.by_group;
		pages_by_group += seen.cursor.by_group;
		plan.source_cursor = &seen.cursor;
	}
	world_check(rollup_read(view, &plan, check_source, &seen, &msg), &msg);
	assert_int_equal(seen.at, seen.count);
	free(sums);
}

int add_source(void *ctx, const struct store_row *row)
{
	struct source_sum *sum = ctx;
	sum->packets += row->source->packets;
	sum->first_ns ^= row->source->first_ns;
	return 0;
}

unsigned agents_alone;

/* Of an agent that has few of many rows, the finest are read, not days. */
void check_agent_alone(
    struct world *w, struct rollup_view *view, int64_t agent, int64_t hour_s)
{
	struct errmsg msg = { "" };
	struct source_sum all = { 0 }, alone = { 0 };
	const struct store_plan plan = { .table = STORE_SOURCES,
		.range = { hour_s * NS_PER_S, (hour_s + 3600) * NS_PER_S },
		.limit = 10000,
		.agent_row = agent };
	uint32_t most = gather_sizes.fine_rows;
	uint64_t rows = 0, packets = 0;
	for (size_t i = 0; i < w->sighting_count; i++) {
		const struct sent_sighting *s = &w->sightings[i];
		if (s->bin < hour_s || s->bin >= hour_s + 3600)
			continue;
		rows++;
		packets += s->agent == agent ? s->packets : 0;
	}
	if (packets == 0 || packets > 4 * (rows / 2))
		return;
	world_check(rollup_read(view, &plan, add_source, &all, &msg), &msg);
	gather_sizes.fine_rows = (uint32_t)rows / 2;
	world_check(rollup_read(view, &plan, add_source, &alone, &msg), &msg);
	gather_sizes.fine_rows = most;
	assert_int_equal(alone.packets, all.packets);
	assert_int_equal(alone.first_ns, all.first_ns);
	agents_alone++;
}
