/* SPDX-License-Identifier: ISC */
/*
 * A collector in a folder of its own, with a clock that only moves when told,
 * and agents that exist as keys.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <jansson.h>
#include <stdatomic.h>

#include "collector/core/config.h"
#include "collector/collector.h"
#include "collector/ingest/ingest.h"
#include "collector/query/query.h"
#include "lib/record/record.h"
#include "tests/web/synth.h"

/* 2026-11-22T00:00:00Z, a whole day */
#define DAY_START_NS (INT64_C(1795305600) * NS_PER_S)

struct fixture {
	char dir[64];
	struct collector_config config;
	struct collector_clock clock;
	_Atomic int64_t now_ns;        /* both clocks */
	_Atomic int64_t wall_ahead_ns; /* of the other */
	struct collector *c;
};

/* For query_args: no parameter is given. */
const char *fixture_no_arg(void *ctx, const char *name);
extern const struct principal fixture_admin; /* may everything */

/* cmocka's setup and teardown; *state is a struct fixture. */
int fixture_setup(void **state);
int fixture_teardown(void **state);
void fixture_open(struct fixture *f);
void fixture_close(struct fixture *f);
void fixture_reopen(struct fixture *f);
void fixture_sleep(struct fixture *f, int64_t ns); /* moves the clock */

/* A new agent with these tags ("[\"a\"]", NULL: none). */
void fixture_enrol(
    struct fixture *f, struct synth *agent, const char *name, const char *tags);

/* Sends bytes and waits for the answer, and for the events. */
struct ingest_answer fixture_send(
    struct fixture *f, const void *body, size_t len);
/* The events of what was sent are in the log. */
void fixture_settle(struct fixture *f);
/* Waits for the answer alone. */
struct ingest_answer fixture_send_from(
    struct fixture *f, const struct addr *peer, const void *body, size_t len);
/* Seals what synth_add gathered, sends it, expects it stored. */
void fixture_ship(struct fixture *f, struct synth *agent);
/* Seals with a header of the test's own; raw is what was gathered. */
struct ingest_answer fixture_send_as(struct fixture *f,
    const struct synth *agent, const struct batch_header *header);

/* Asks; query is "name=value&name=value" without escapes.  The caller
 * decrefs. */
json_t *fixture_query(struct fixture *f, query_fn *query, const char *args);
int fixture_query_err(struct fixture *f, query_fn *query, const char *args);
/* query_topology and query_series, parsed. */
query_fn fixture_topology, fixture_series;

/* A number in the databases themselves: telemetry's newest partition with
 * `records` of all of them, `registry` and `rollup`. */
int64_t fixture_sql(struct fixture *f, const char *sql);

/* Records.  Texts are borrowed, addresses parsed. */
void add_log(struct synth *agent, const char *text);
void add_sighting(struct synth *agent, const char *src, const char *signature,
    int64_t at_ns, unsigned packets);
void add_sighting_of(struct synth *agent, const char *verdict, const char *src,
    const char *signature, int64_t at_ns, unsigned packets);
struct hop {
	const char *from; /* NULL: silent */
	int64_t rtt_us;
	unsigned probes, replies;
};
void add_trace(struct synth *agent, const char *src, const char *dst,
    int64_t at_ns, const struct hop *hops, size_t count);
void add_heartbeat(
    struct synth *agent, int64_t at_ns, int64_t uptime_ns, bool sensor);
