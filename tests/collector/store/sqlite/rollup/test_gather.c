/* SPDX-License-Identifier: ISC */
/*
 * Rollups equal a recount: every table is compared with what the records of a
 * random world say one by one, also where minutes, hours or days are let go.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/collector/store/sqlite/rollup/gather-recount.h"

#define SEEDS 20

static void test_recount(void **state)
{
	(void)state;
	size_t links = 0;
	for (unsigned seed = 1; seed <= SEEDS; seed++) {
		struct world w;
		struct rollup_view *view;
		struct errmsg msg = { "" };
		struct class_names names = { 0 };
		print_message("# seed %u\n", seed);
		gather_sizes.heavy_groups = 1 + seed % 7;
		world_run(&w, seed);
		world_check(gather_flush(w.gather, &msg), &msg);
		if (seed % 2)
			world_work(&w);
		world_check(rollup_begin(w.gather, &view, &msg), &msg);
		world_check(rollup_read(view,
				&(struct store_plan){ .table = STORE_CLASSES },
				take_class, &names, &msg),
		    &msg);
		check_counts(&w, view, &names);
		for (int i = 0; i < 40; i++)
			check_sources(&w, view, i % 2);
		for (int64_t h = START_S; h < START_S + SPAN_S; h += 3600)
			for (int64_t agent = 1; agent <= AGENTS; agent++)
				check_agent_alone(&w, view, agent, h);
		check_paths(&w, view);
		if (seed % 8 == 1)
			check_paths_in_pieces(&w, view);
		for (int64_t h = START_S; h < START_S + SPAN_S; h += 3600)
			links += check_links(view, h);
		check_rest(&w, view);
		free_names(&names);
		rollup_end(view);
		world_end(&w);
	}
	assert_true(links > 1000);
	assert_true(pages_behind > 100);
	assert_true(pages_by_group > 100);
	assert_true(agents_alone > 20);
}

/* --- letting go --- */
static void let_go(struct world *w, const struct store_keep *keep)
{
	struct errmsg msg = { "" };
	bool more = true;
	world_check(gather_flush(w->gather, &msg), &msg);
	for (int i = 0; more && i < 1000; i++)
		world_check(gather_expire(w->gather, keep, &more, &msg), &msg);
	assert_false(more);
}

struct least {
	int64_t bin;
	uint64_t traces;
};

static int note_least(void *ctx, const struct store_row *row)
{
	struct least *least = ctx;
	if (row->path->bin < least->bin)
		least->bin = row->path->bin;
	least->traces += row->path->traces;
	return 0;
}

static uint64_t traces_from(const struct world *w, int64_t from_s)
{
	uint64_t traces = 0;
	for (size_t i = 0; i < w->trace_count; i++)
		traces += w->traces[i].at_ns / NS_PER_S >= from_s;
	return traces;
}

/* Of each level what is kept equals a recount, and nothing else is there. */
static void check_kept(
    struct world *w, uint32_t bin_s, int64_t from_s, bool all)
{
	struct errmsg msg = { "" };
	struct rollup_view *view;
	struct least least = { INT64_MAX, 0 };
	struct paths_seen seen = { .w = w, .bin_s = bin_s };
	const struct store_plan plan = { .table = STORE_PATHS, .bin_s = bin_s };
	world_check(rollup_begin(w->gather, &view, &msg), &msg);
	world_check(rollup_read(view, &plan, note_least, &least, &msg), &msg);
	assert_true(least.bin >= from_s);
	assert_int_equal(least.traces, traces_from(w, from_s));
	if (all)
		world_check(
		    rollup_read(view, &plan, check_path, &seen, &msg), &msg);
	rollup_end(view);
}

/* A range that begins where only days are kept is answered by them. */
static void check_days_stand_in(struct world *w)
{
	struct errmsg msg = { "" };
	struct rollup_view *view;
	struct source_sum got = { 0 }, expected = { 0 };
	struct store_plan plan = { .table = STORE_SOURCES,
		.range = { START_S * NS_PER_S, (START_S + 7200) * NS_PER_S } };
	world_check(rollup_begin(w->gather, &view, &msg), &msg);
	world_check(rollup_read(view, &plan, add_source, &got, &msg), &msg);
	plan.bin_s = 86400;
	world_check(
	    rollup_read(view, &plan, add_source, &expected, &msg), &msg);
	rollup_end(view);
	assert_true(expected.packets > 0);
	assert_int_equal(got.packets, expected.packets);
}

static void test_expire(void **state)
{
	(void)state;
	for (unsigned seed = 101; seed <= 106; seed++) {
		struct world w;
		struct errmsg msg = { "" };
		struct rollup_view *view;
		struct class_names names = { 0 };
		world_run(&w, seed);
		const int64_t end_s = START_S + SPAN_S;
		struct store_keep keep = { .now = { end_s * NS_PER_S },
			.mono = { NS_PER_S },
			.minutes_ns = 25 * 3600 * NS_PER_S };
		let_go(&w, &keep);
		check_kept(&w, 60, end_s - 26 * 3600, true);
		check_kept(&w, 3600, START_S, true);
		/* Hours that became one row still sum up to sources. */
		world_check(rollup_begin(w.gather, &view, &msg), &msg);
		world_check(rollup_read(view,
				&(struct store_plan){ .table = STORE_CLASSES },
				take_class, &names, &msg),
		    &msg);
		for (int i = 0; i < 30; i++)
			check_sources(&w, view, i % 2);
		rollup_end(view);
		keep.hours_ns = 49 * 3600 * NS_PER_S;
		keep.mono.ns += 7200 * NS_PER_S;
		let_go(&w, &keep);
		check_kept(&w, 3600, end_s - 50 * 3600, true);
		check_kept(&w, 86400, START_S, true);
		check_days_stand_in(&w);
		world_check(rollup_begin(w.gather, &view, &msg), &msg);
		for (int i = 0; i < 30; i++)
			check_sources(&w, view, true);
		rollup_end(view);
		keep.days_ns = keep.hours_ns = 86400 * NS_PER_S;
		keep.mono.ns += 7200 * NS_PER_S;
		let_go(&w, &keep);
		check_kept(&w, 86400, end_s - 2 * 86400, true);
		keep.now.ns += 20 * 86400 * NS_PER_S;
		keep.mono.ns += 7200 * NS_PER_S;
		let_go(&w, &keep);
		check_kept(&w, 86400, INT64_MAX - 1, false);
		free_names(&names);
		world_end(&w);
	}
}

int main(void)
{
	gather_sizes.parts_crowded = 3;
	gather_sizes.delta_rows = 40;
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recount),
		cmocka_unit_test(test_expire),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
