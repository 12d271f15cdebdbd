/* SPDX-License-Identifier: ISC */
/* What rollups say of paths, links, gaps and runs, against each record. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "analysis/path-set.h"
#include "tests/collector/store/sqlite/rollup/gather-recount.h"

#include "lib/base/xalloc.h"

/* --- paths and links --- */

int check_path(void *ctx, const struct store_row *row)
{
	struct paths_seen *seen = ctx;
	const struct store_path *p = row->path;
	struct path got = { 0 }, sum = { 0 };
	struct buf bytes = { 0 }, expected = { 0 };
	assert_true(p->bin >= seen->last_bin);
	seen->last_bin = p->bin;
	seen->rows++;
	world_check(path_read(&got, p->hops.data, p->hops.len, p->sums.data,
			p->sums.len),
	    &(struct errmsg){ "sums" });
	got.src = p->src;
	got.dst = p->dst;
	uint8_t digest[PATH_DIGEST_LEN];
	path_digest(&got, digest);
	for (size_t i = 0; i < seen->w->trace_count; i++) {
		const struct sent_trace *t = &seen->w->traces[i];
		int64_t s = t->at_ns / NS_PER_S;
		if (t->agent != p->agent_row || s - s % seen->bin_s != p->bin ||
		    memcmp(t->digest, digest, sizeof(digest)) != 0)
			continue;
		if (sum.hop_count == 0)
			path_copy(&sum, &t->path);
		else
			path_merge(&sum, &t->path);
	}
	assert_int_equal(p->traces, sum.traces);
	assert_int_equal(p->reached, sum.reached);
	assert_int_equal(p->first_ns, sum.first_ns);
	assert_int_equal(p->last_ns, sum.last_ns);
	path_write_sums(&got, &bytes);
	path_write_sums(&sum, &expected);
	assert_int_equal(bytes.len, expected.len);
	assert_memory_equal(bytes.data, expected.data, bytes.len);
	seen->traces += p->traces;
	buf_fini(&bytes);
	buf_fini(&expected);
	path_fini(&got);
	path_fini(&sum);
	return 0;
}

static int refuse_path(void *ctx, const struct store_row *row)
{
	(void)ctx;
	(void)row;
	fail_msg("a row of too many");
	return 0;
}

static int count_path(void *ctx, const struct store_row *row)
{
	(void)row;
	++*(uint64_t *)ctx;
	return 0;
}

/* The rows that were seen are not too many, one less is. */
static void check_most_rows(struct rollup_view *view,
    const struct store_plan *plan, const struct paths_seen *seen)
{
	struct errmsg msg = { "" };
	struct store_plan most = *plan;
	uint64_t rows = 0;
	if (plan->bin_s >= 86400)
		return;
	most.most_rows = (uint32_t)seen->rows;
	assert_int_equal(rollup_read(view, &most, count_path, &rows, &msg), 0);
	assert_int_equal(rows, seen->rows);
	most.most_rows--;
	assert_int_equal(rollup_read(view, &most, refuse_path, NULL, &msg), 1);
}

void check_paths(struct world *w, struct rollup_view *view)
{
	static const uint32_t widths[] = { 60, 3600, 86400 };
	struct errmsg msg = { "" };
	for (int i = 0; i < 3; i++) {
		struct paths_seen seen = { .w = w, .bin_s = widths[i] };
		struct store_plan plan = { .table = STORE_PATHS,
			.bin_s = widths[i] };
		world_check(
		    rollup_read(view, &plan, check_path, &seen, &msg), &msg);
		assert_int_equal(seen.traces, w->trace_count);
		check_most_rows(view, &plan, &seen);
		/* Through one router, of one agent. */
		struct addr hop = addr_v4(0xc0000200 + 8);
		uint64_t expected = 0;
		plan.hop = hop;
		plan.agent_row = 2;
		for (size_t k = 0; k < w->trace_count; k++) {
			const struct path *path = &w->traces[k].path;
			bool through = false;
			for (size_t h = 0; h < path->hop_count; h++)
				through |=
				    addr_equal(&path->hops[h].from, &hop);
			expected += through && w->traces[k].agent == 2;
		}
		seen.traces = seen.rows = 0;
		seen.last_bin = 0;
		world_check(
		    rollup_read(view, &plan, check_path, &seen, &msg), &msg);
		assert_int_equal(seen.traces, expected);
		if (seen.rows > 1)
			check_most_rows(view, &plan, &seen);
	}
}

/* However few rows a reader may hold. */
void check_paths_in_pieces(struct world *w, struct rollup_view *view)
{
	static const uint32_t sizes[] = { 1, 2, 7, 40 };
	uint32_t held = gather_sizes.path_rows;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		gather_sizes.path_rows = sizes[i];
		check_paths(w, view);
	}
	gather_sizes.path_rows = held;
}

struct link_expected {
	struct rollup_view *view;
	int64_t hour;
	size_t links;
};

struct link_got {
	const struct path_link *link;
	size_t rows;
};

static int check_link_row(void *ctx, const struct store_row *row)
{
	struct link_got *got = ctx;
	const struct store_link *l = row->link;
	const struct path_link *x = got->link;
	assert_int_equal(l->samples, x->samples);
	assert_int_equal(l->delay_median_ns, x->delay_median_ns);
	assert_int_equal(l->delay_min_ns, x->delay_min_ns);
	assert_int_equal(l->delay_max_ns, x->delay_max_ns);
	assert_true(l->loss == x->loss);
	got->rows++;
	return 0;
}

static void check_link(void *ctx, const struct path_link *link)
{
	struct link_expected *e = ctx;
	struct errmsg msg = { "" };
	struct link_got got = { link, 0 };
	const struct store_plan plan = { .table = STORE_LINKS,
		.link_from = link->from,
		.link_to = link->to,
		.range = { e->hour * NS_PER_S, (e->hour + 3600) * NS_PER_S } };
	world_check(
	    rollup_read(e->view, &plan, check_link_row, &got, &msg), &msg);
	e->links += got.rows;
}

static int add_to_set(void *ctx, const struct store_row *row)
{
	const struct store_path *p = row->path;
	struct path path = { .src = p->src,
		.dst = p->dst,
		.traces = p->traces,
		.reached = p->reached,
		.first_ns = p->first_ns,
		.last_ns = p->last_ns };
	world_check(path_read(&path, p->hops.data, p->hops.len, p->sums.data,
			p->sums.len),
	    &(struct errmsg){ "sums" });
	path_set_add(ctx, p->row, p->agent_row, &path);
	return 0;
}

/* Every link of the last hour but one; what is there must be right. */
size_t check_links(struct rollup_view *view, int64_t hour)
{
	struct errmsg msg = { "" };
	struct path_set set = { 0 };
	struct link_expected e = { view, hour, 0 };
	const struct store_plan plan = { .table = STORE_PATHS,
		.bin_s = 3600,
		.range = { hour * NS_PER_S, (hour + 3600) * NS_PER_S } };
	world_check(rollup_read(view, &plan, add_to_set, &set, &msg), &msg);
	path_set_finish(&set);
	path_set_links(&set, NULL, NULL, check_link, &e);
	path_set_fini(&set);
	return e.links;
}

/* --- the rest --- */
static int sum_gap(void *ctx, const struct store_row *row)
{
	*(uint64_t *)ctx += row->gap->records;
	return 0;
}

static int check_run(void *ctx, const struct store_row *row)
{
	const struct world *w = ctx;
	const struct store_run *run = row->run;
	assert_int_equal(
	    run->records, w->run_records[run->agent_row][run->run]);
	return 0;
}

struct unsent_seen {
	const struct world *w;
	uint64_t probes[WORLD_UNSENT];
	int64_t last_bin;
};

static int sum_unsent(void *ctx, const struct store_row *row)
{
	const struct store_unsent *u = row->unsent;
	struct unsent_seen *seen = ctx;
	assert_true(u->bin <= seen->last_bin); /* the newest first */
	seen->last_bin = u->bin;
	assert_int_equal(u->bin % 3600, 0);
	assert_true(u->first_ns / NS_PER_S >= u->bin);
	assert_true(u->last_ns / NS_PER_S < u->bin + 3600);
	for (int i = 0; i < WORLD_UNSENT; i++) {
		const struct world_unsent *why = &world_unsent[i];
		if (u->outcome != (uint32_t)why->outcome ||
		    strcmp(u->reason, why->reason) != 0 ||
		    strcmp(u->device, why->device) != 0)
			continue;
		seen->probes[i] += u->probes;
		return 0;
	}
	fail_msg("%s, %s", u->reason, u->device);
	return 0;
}

static void check_unsent(struct world *w, struct rollup_view *view)
{
	struct errmsg msg = { "" };
	for (int64_t agent = 1; agent <= AGENTS; agent++) {
		struct unsent_seen seen = { .w = w, .last_bin = INT64_MAX };
		const struct store_plan plan = { .table = STORE_UNSENT,
			.agent_row = agent };
		world_check(
		    rollup_read(view, &plan, sum_unsent, &seen, &msg), &msg);
		for (int i = 0; i < WORLD_UNSENT; i++)
			assert_int_equal(seen.probes[i], w->unsent[agent][i]);
	}
}

void check_rest(struct world *w, struct rollup_view *view)
{
	struct errmsg msg = { "" };
	uint64_t records = 0;
	uint8_t campaign[16] = { 7, 0 };
	world_check(
	    rollup_read(view, &(struct store_plan){ .table = STORE_GAPS },
		sum_gap, &records, &msg),
	    &msg);
	assert_int_equal(records, w->gap_records);
	world_check(rollup_read(view,
			&(struct store_plan){
			    .table = STORE_RUNS, .campaign = campaign },
			check_run, w, &msg),
	    &msg);
	check_unsent(w, view);
}
