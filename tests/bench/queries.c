/* SPDX-License-Identifier: ISC */
/*
 * Read plans on a store that is full, one of each kind and filter: CPU and wall
 * of the third run of three, in ms, and the rows that came.  The store is what
 * `ingest-bench mixed` left in its folder.
 *
 * usage: queries FOLDER [WORD]   (WORD: only the questions with it in them)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "analysis/path.h"
#include "collector/ingest/kinds/ingest-kind.h"
#include "collector/query/query-params.h"
#include "collector/store/store.h"
#include "lib/record/record.pb-c.h"
#include "tests/bench/load.h"

#define DAYS 5
#define MOST (QUERY_LIMIT_MAX + 1) /* a page, and whether there is more */
#define DAY_NS (INT64_C(86400) * NS_PER_S)
#define HOUR_NS (INT64_C(3600) * NS_PER_S)

static struct store *store;
static int64_t first_ns, end_ns;
static const char *only; /* NULL: all */
static struct addr src, dst;
static char link_from[ADDR_TEXT_LEN], link_to[ADDR_TEXT_LEN];

static void die(const char *what, const char *why)
{
	fprintf(stderr, "queries: %s: %s\n", what, why);
	exit(1);
}

static double clock_ms(clockid_t id)
{
	struct timespec t;
	clock_gettime(id, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static int count_row(void *ctx, const struct store_row *row)
{
	(void)row;
	++*(long *)ctx;
	return 0;
}

static void read_plan(
    const struct store_plan *plan, store_row_fn *fn, void *ctx)
{
	struct errmsg msg = { "" };
	struct store_view *view;
	if (store_sqlite.begin(store, &view, &msg) < 0 ||
	    store_sqlite.read(view, plan, fn, ctx, &msg) < 0)
		die("read", msg.text);
	store_sqlite.end(view);
}

static void ask(const char *name, const struct store_plan *plan)
{
	double cpu = 0, wall = 0;
	long rows = 0;
	if (only && !strstr(name, only))
		return;
	for (int i = 0; i < 3; i++) {
		rows = 0;
		cpu = clock_ms(CLOCK_THREAD_CPUTIME_ID);
		wall = clock_ms(CLOCK_MONOTONIC);
		read_plan(plan, count_row, &rows);
		cpu = clock_ms(CLOCK_THREAD_CPUTIME_ID) - cpu;
		wall = clock_ms(CLOCK_MONOTONIC) - wall;
	}
	printf("%-44s %8.1f %8.1f %8ld\n", name, cpu, wall, rows);
	fflush(stdout);
}

/* --- what is asked for --- */
static int take_newest(void *ctx, const struct store_row *row)
{
	*(int64_t *)ctx = row->record->wall_ns;
	return 1;
}

static int take_source(void *ctx, const struct store_row *row)
{
	(void)ctx;
	src = row->source->src;
	return 1;
}

/* A link in the middle of everything: the third hop to the fourth. */
static int take_path(void *ctx, const struct store_row *row)
{
	const struct store_path *p = row->path;
	struct path path = { 0 };
	(void)ctx;
	if (path_read_hops(&path, p->hops.data, p->hops.len) < 0 ||
	    path.hop_count < 4)
		die("path", "shorter than four hops");
	addr_text(&path.hops[2].from, link_from);
	addr_text(&path.hops[3].from, link_to);
	dst = p->dst;
	path_fini(&path);
	return 1;
}

static void choose(void)
{
	struct store_plan plan = { .table = STORE_RECORDS, .limit = 1 };
	read_plan(&plan, take_newest, &end_ns);
	end_ns += DAY_NS - end_ns % DAY_NS;
	first_ns = end_ns - DAYS * DAY_NS;
	plan = (struct store_plan){ .table = STORE_SOURCES,
		.limit = 1,
		.range = { first_ns, end_ns } };
	read_plan(&plan, take_source, NULL);
	plan = (struct store_plan){ .table = STORE_PATHS,
		.bin_s = 86400,
		.range = { first_ns, end_ns } };
	read_plan(&plan, take_path, NULL);
}

/* --- the questions --- */
static void ask_records(void)
{
	const struct store_plan all = { .table = STORE_RECORDS,
		.range = { first_ns, end_ns },
		.limit = 101 };
	struct store_plan plan = all;
	ask("records, newest", &plan);
	plan.kinds[0] = SONDE__RECORD__BODY_TRACE;
	plan.kind_count = 1;
	ask("records of a kind", &plan);
	plan.kinds[0] = SONDE__RECORD__BODY_PAYLOAD;
	ask("records of a kind that is not there", &plan);
	plan = all;
	plan.agent_row = 2;
	ask("records of an agent", &plan);
	plan = all;
	plan.src = src;
	ask("records of a source", &plan);
	plan.src = addr_v4(0x01020304);
	ask("records of a source that is not there", &plan);
	plan = all;
	plan.dst = dst;
	ask("records to a destination", &plan);
	plan.limit = MOST;
	ask("records to a destination, 500", &plan);
	plan = all;
	plan.limit = MOST;
	ask("records, newest, 500", &plan);
	/* A cursor in the middle of all. */
	plan.cursor_ns = (first_ns + end_ns) / 2;
	plan.cursor_row = UINT64_MAX;
	ask("records, from the middle, 500", &plan);
	plan.agent_row = 3;
	plan.kinds[0] = SONDE__RECORD__BODY_SIGHTING;
	plan.kind_count = 1;
	ask("records of agent and kind, from the middle", &plan);
	plan = all;
	plan.campaign = (const uint8_t *)"campaign of all";
	ask("records of a campaign", &plan);
	plan.run = 1;
	ask("records of a campaign and run", &plan);
	plan.campaign = NULL;
	ask("records of a run", &plan);
	plan.run = UINT32_MAX;
	ask("records of a run that is not there", &plan);
	plan = all;
	plan.kinds[0] = SONDE__RECORD__BODY_RESULT;
	plan.kind_count = 1;
	plan.dst = dst;
	plan.limit = 20001;
	ask("results by an address, none", &plan);
	plan = all;
	plan.range.from_ns = end_ns - HOUR_NS;
	plan.limit = plan.at_once = 3000;
	ask("records read ahead of a download, 3000", &plan);
}

/* --- sources --- */
struct source_pages {
	struct store_source_cursor cursor;
	long rows;
};

static int take_page(void *ctx, const struct store_row *row)
{
	struct source_pages *pages = ctx;
	pages->cursor = row->source->cursor;
	pages->rows++;
	return 0;
}

/* The first page, and those behind the first 1000, 10,000 and 100,000, with the
 * dearest page on the way. */
static void ask_pages(const char *name, const struct store_plan *first)
{
	struct store_plan plan = *first;
	struct source_pages pages = { .rows = 0 };
	char title[96];
	double most = 0;
	if (only && !strstr(name, only))
		return;
	ask(name, first);
	plan.limit = QUERY_LIMIT_MAX;
	for (long at = 0;; at = pages.rows) {
		if (at == 1000 || at == 10000 || at == 100000) {
			plan.limit = first->limit;
			snprintf(
			    title, sizeof(title), "%s, behind %ld", name, at);
			ask(title, &plan);
			plan.limit = QUERY_LIMIT_MAX;
		}
		double wall = clock_ms(CLOCK_THREAD_CPUTIME_ID);
		read_plan(&plan, take_page, &pages);
		wall = clock_ms(CLOCK_THREAD_CPUTIME_ID) - wall;
		most = wall > most ? wall : most;
		plan.source_cursor = &pages.cursor;
		if (pages.rows < at + QUERY_LIMIT_MAX || pages.rows > 100000)
			break;
	}
	printf("  %-42s %8.1f\n", "dearest page of 500 up to there", most);
}

/* All filters that the API offers, in all combinations: bit 0 signature, 1
 * verdict, 2 agent, 3 source. */
static void ask_combinations(void)
{
	static const char *const words[] = { " signature", " verdict", " agent",
		" source" };
	for (unsigned bits = 0; bits < 16; bits++) {
		struct store_plan plan = { .table = STORE_SOURCES,
			.range = { first_ns, end_ns },
			.limit = 101 };
		char name[96] = "sources by";
		plan.signature = bits & 1 ? "slammer" : NULL;
		plan.verdict = bits & 2 ? "worm" : NULL;
		plan.agent_row = bits & 4 ? 2 : 0;
		if (bits & 8)
			plan.src = src;
		for (int i = 0; i < 4; i++)
			if (bits >> i & 1)
				strcat(name, words[i]);
		ask_pages(bits ? name : "sources of five days", &plan);
	}
}

static void ask_sources(void)
{
	const struct store_plan all = { .table = STORE_SOURCES,
		.range = { first_ns, end_ns },
		.limit = 101 };
	struct store_plan plan = all;
	plan.range.from_ns = end_ns - HOUR_NS;
	ask_pages("sources of an hour", &plan);
	plan.range.from_ns = end_ns - DAY_NS;
	ask_pages("sources of a day", &plan);
	plan.range.from_ns = end_ns - DAY_NS - 5 * HOUR_NS;
	plan.range.to_ns = end_ns - 7 * HOUR_NS;
	ask_pages("sources of parts of two days", &plan);
	plan = all;
	plan.limit = MOST;
	ask("sources of five days, 500", &plan);
	plan.limit = 101;
	plan.signature = "nothing";
	ask("sources of a signature that is not there", &plan);
	plan = all;
	plan.agent_row = LOAD_AGENTS + 1;
	ask("sources of an agent that saw none", &plan);
	plan.src = addr_v4(0x01020304);
	ask("sources of a source that is not there", &plan);
	ask_combinations();
	for (unsigned len = 8; len <= 24; len += 8) {
		struct prefix prefix = prefix_of(&src, len);
		char name[64];
		plan = all;
		plan.src_prefix = &prefix;
		snprintf(name, sizeof(name), "sources of a /%u", len);
		ask(name, &plan);
	}
}

static void ask_rest(void)
{
	struct store_plan plan = { .table = STORE_POINTS,
		.bin_s = 3600,
		.class_row = 1,
		.range = { first_ns, end_ns } };
	ask("points of a class, hours", &plan);
	plan.bin_s = 60;
	ask("points of a class, minutes", &plan);
	plan = (struct store_plan){ .table = STORE_LINKS,
		.link_from = link_from,
		.link_to = link_to,
		.range = { first_ns, end_ns } };
	ask("a link, hours", &plan);
	plan = (struct store_plan){ .table = STORE_PATHS, .bin_s = 60 };
	addr_parse(&plan.hop, link_to);
	plan.range = (struct store_range){ end_ns - HOUR_NS, end_ns };
	ask("paths through a router, an hour's minutes", &plan);
	plan.bin_s = 86400;
	plan.range.from_ns = first_ns;
	ask("paths through a router, days", &plan);
	plan.hop = (struct addr){ 0 };
	ask("all paths, days", &plan);
	plan.bin_s = 3600;
	plan.range.from_ns = end_ns - HOUR_NS;
	ask("all paths, an hour", &plan);
	plan = (struct store_plan){ .table = STORE_RUNS, .limit = 101 };
	ask("runs", &plan);
	plan.table = STORE_GAPS;
	ask("gaps", &plan);
	plan.table = STORE_CLASSES;
	ask("classes", &plan);
}

/* As the API's results look for rows of a key that is no address. */
static void ask_results(void)
{
	struct store_plan plan = { .table = STORE_RECORDS,
		.range = { first_ns, end_ns },
		.kinds = { SONDE__RECORD__BODY_TRACE },
		.kind_count = 1,
		.limit = 20001 };
	ask("records of a kind, 20,000 to look at", &plan);
}

/* What a collector does in moments without batches: merges and derives. */
static void rest(void)
{
	struct errmsg msg = { "" };
	struct monotime start = monotime_now();
	int more = 1;
	for (uint64_t n = 0; more == 1; n++) {
		/* Steps wait for a moment of rest after the last batch. */
		struct monotime now = monotime_add(start, NS_PER_S * 3600);
		more = store_sqlite.step(store, now, &msg);
	}
	if (more < 0)
		die("step", msg.text);
	printf("at rest after %.1f s\n",
	    (double)monotime_diff(monotime_now(), start) * 1e-9);
}

int main(int argc, char **argv)
{
	if (argc != 2 && argc != 3)
		die("usage", "queries FOLDER [WORD]");
	only = argv[2];
	struct errmsg msg = { "" };
	const struct store_config config = {
		.dir = argv[1],
		.levels = { 60, 3600, 86400 },
		.had_one = true,
		.prepare = ingest_prepare_record,
	};
	if (store_sqlite.open(&store, &config, &msg) < 0)
		die(argv[1], msg.text);
	rest();
	choose();
	printf("%-44s %8s %8s %8s\n", "", "CPU ms", "wall ms", "rows");
	ask_records();
	ask_results();
	ask_sources();
	ask_rest();
	store_sqlite.close(store);
	return 0;
}
