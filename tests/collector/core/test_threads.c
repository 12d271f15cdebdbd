/* SPDX-License-Identifier: ISC */
/* Everybody at once: agents ship, browsers read, administrators write.  What
 * a reader sees is always one moment; under TSan, also that no two threads
 * touch the same thing unasked. */
#include "collector/detect/engine.h"
#include "tests/collector/fixture.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/fleet/campaign.h"
#include "collector/fleet/enrol.h"
#include "collector/core/event-log.h"
#include "collector/core/stats.h"
#include "collector/core/private.h"

#define SHIPPERS 3
#define BATCHES 30

static struct fixture *shared;
static _Atomic int shipping;

static void *ship(void *arg)
{
	struct synth *agent = arg;
	static const struct hop hops[] = { { "10.0.0.1", 1000, 1, 1 },
		{ "192.0.2.9", 2000, 1, 1 } };
	for (int i = 0; i < BATCHES; i++) {
		for (int k = 0; k < 10; k++) {
			char src[32];
			snprintf(src, sizeof(src), "10.1.%d.%d", i, k);
			add_sighting(agent, src, "slammer", DAY_START_NS, 1);
			add_trace(agent, "192.0.2.1", "192.0.2.9", DAY_START_NS,
			    hops, 2);
		}
		fixture_ship(shared, agent);
	}
	shipping--;
	return NULL;
}

/* No assertions off the main thread: cmocka's longjmp is not for those. */
static const char *no_arg(void *ctx, const char *name)
{
	(void)ctx;
	return strcmp(name, "from") == 0 ? "2026-11-21T00:00:00Z" : NULL;
}

static void *browse(void *arg)
{
	static query_fn *const queries[] = { query_overview, query_agents,
		fixture_topology, fixture_series, query_sightings,
		query_records, query_runs, query_campaigns, query_signatures,
		query_alarms };
	_Atomic int *failed = arg;
	struct query_args args = { no_arg, NULL };
	struct query_context context = { shared->c, &fixture_admin, &args, NULL,
		NULL };
	for (unsigned i = 0; shipping > 0 || i < 20; i++) {
		struct errmsg msg;
		json_t *answer = NULL;
		int err = query_run(queries[i % 10], &context, &answer, &msg);
		*failed += err < 0;
		json_decref(answer);
		struct collector_metrics metrics;
		collector_metrics(shared->c, &metrics);
		struct event events[8];
		int n = events_after(shared->c, i, events, 8, NULL);
		while (n > 0)
			event_fini(&events[--n]);
	}
	return NULL;
}

static void *administrate(void *arg)
{
	_Atomic int *failed = arg;
	for (int i = 0; i < 10; i++) {
		struct errmsg msg;
		json_t *answer = NULL;
		*failed += enrol_token_new(shared->c, &fixture_admin, NULL,
			       &answer, &msg) < 0;
		json_decref(answer);
		json_t *body = json_loads(
		    "{\"script\": \"ping\","
		    " \"targets\": [\"192.0.2.1\"], \"on\": [\"all\"]}",
		    0, NULL);
		*failed += campaign_create(shared->c, &fixture_admin, body,
			       &answer, &msg) < 0;
		json_decref(body);
		json_decref(answer);
		*failed += alarms_round(shared->c, &msg) < 0;
	}
	return NULL;
}

struct sums {
	uint64_t sources, traces;
};

static int add_sums(void *ctx, const struct store_row *row)
{
	struct sums *sums = ctx;
	if (row->table == STORE_POINTS)
		sums->sources += row->point->sources;
	else
		sums->traces += row->path->traces;
	return 0;
}

/* Of a day for the fleet; of minutes. */
static void read_sums(struct sums *sums)
{
	struct collector *c = shared->c;
	struct store_view *view;
	struct errmsg msg = { "" };
	struct store_plan plan = { .table = STORE_POINTS,
		.range = { 0, INT64_MAX / 2 },
		.bin_s = 86400 };
	assert_int_equal(c->ops->begin(c->store, &view, &msg), 0);
	assert_int_equal(c->ops->read(view, &plan, add_sums, sums, &msg), 0);
	plan.table = STORE_PATHS;
	plan.bin_s = 60;
	assert_int_equal(c->ops->read(view, &plan, add_sums, sums, &msg), 0);
	c->ops->end(view);
}

static void everybody_at_once(void **state)
{
	static struct synth agents[SHIPPERS];
	pthread_t threads[SHIPPERS + 3];
	_Atomic int failed = 0;
	shared = *state;
	shipping = SHIPPERS;
	for (int i = 0; i < SHIPPERS; i++) {
		char name[16];
		snprintf(name, sizeof(name), "agent-%c", 'a' + i);
		fixture_enrol(shared, &agents[i], name, NULL);
	}
	for (int i = 0; i < SHIPPERS; i++)
		pthread_create(&threads[i], NULL, ship, &agents[i]);
	pthread_create(&threads[SHIPPERS], NULL, browse, &failed);
	pthread_create(&threads[SHIPPERS + 1], NULL, browse, &failed);
	pthread_create(&threads[SHIPPERS + 2], NULL, administrate, &failed);
	for (int i = 0; i < SHIPPERS + 3; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(failed, 0);
	assert_int_equal(fixture_sql(shared, "SELECT count(*) FROM records"),
	    SHIPPERS * BATCHES * 20);
	/* Ten sources a batch, the same at every agent. */
	struct sums sums = { 0 };
	read_sums(&sums);
	assert_int_equal(sums.sources, BATCHES * 10);
	assert_int_equal(sums.traces, SHIPPERS * BATCHES * 10);
	for (int i = 0; i < SHIPPERS; i++)
		synth_fini(&agents[i]);
}

/* Records and rollups of a snapshot are of the same transaction. */
static void *compare(void *arg)
{
	_Atomic int *failed = arg;
	struct query_args args = { no_arg, NULL };
	struct query_context context = { shared->c, &fixture_admin, &args, NULL,
		NULL };
	while (shipping > 0) {
		struct errmsg msg;
		json_t *answer = NULL;
		if (query_run(query_signatures, &context, &answer, &msg) < 0) {
			(*failed)++;
			continue;
		}
		json_t *item =
		    json_array_get(json_object_get(answer, "items"), 0);
		/* One packet of each source, whole batches of ten. */
		json_int_t packets =
		    json_integer_value(json_object_get(item, "packets"));
		json_int_t sources =
		    json_integer_value(json_object_get(item, "sources"));
		*failed += packets % 10 != 0 || sources != packets;
		json_decref(answer);
	}
	return NULL;
}

static void a_reader_sees_whole_batches(void **state)
{
	static struct synth agent;
	pthread_t threads[2];
	_Atomic int failed = 0;
	shared = *state;
	shipping = 1;
	fixture_enrol(shared, &agent, "alpha", NULL);
	pthread_create(&threads[0], NULL, ship, &agent);
	pthread_create(&threads[1], NULL, compare, &failed);
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	assert_int_equal(failed, 0);
	synth_fini(&agent);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(everybody_at_once),
		TEST(a_reader_sees_whole_batches),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
