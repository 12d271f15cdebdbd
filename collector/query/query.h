/* SPDX-License-Identifier: ISC */
/*
 * Questions and their answers in JSON, as the API document shapes them.  Each
 * query reads one consistent snapshot on a read-only connection (taken from a
 * pool) and never waits for the writer.
 */
#pragma once

#include <jansson.h>

#include "collector/core/principal.h"
#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/record/record.h"

struct collector;

/* The parameters, decoded; get returns NULL for one that is absent.  A path's
 * variable part is the parameter "id" (for payloads: "hash"). */
struct query_args {
	const char *(*get)(void *ctx, const char *name);
	void *ctx;
};

struct store_view;
struct registry_reader;

/* Everything that a query knows of its caller. */
struct query_context {
	struct collector *collector;
	const struct principal *principal; /* who asks */
	const struct query_args *args;
	/* The snapshots; query_run takes what is not there. */
	struct store_view *reader;
	struct registry_reader *registry;
};

/* 0 and a new reference in *answer; ERR_USAGE (400) names the parameter;
 * ERR_NOT_FOUND (404); any other error is the store's.  Called by query_run:
 * the context's readers are there. */
typedef int query_fn(
    const struct query_context *context, json_t **answer, struct errmsg *msg);

/* Checks that the principal may read, counts, calls query with a reader from
 * the pool (or the context's own) and gives it back.  -EACCES (403): it may
 * not; ERR_UNAVAILABLE (503): the store failed, msg has its words; else what
 * the query returns. */
int query_run(query_fn *query, const struct query_context *context,
    json_t **answer, struct errmsg *msg);

query_fn query_overview;
query_fn query_agents;
query_fn query_agent; /* id */
query_fn query_campaigns;
query_fn query_campaign; /* id */
query_fn query_runs;
query_fn query_records; /* NDJSON: ask page after page, limit 500 */
query_fn query_results; /* the schemas of scripts' tables */
/* script, table, key, agent, campaign, run, from, to; format=csv: each item is
 * a line, and `titles` the first one. */
query_fn query_result_rows;
query_fn query_link_series; /* id */
query_fn query_alarms;      /* from, to, signature, agent; newest first */
query_fn query_signatures;
query_fn query_gaps; /* from, to, agent; the newest arrival first */
query_fn query_sightings;
query_fn query_evidence; /* from, to, src, agent; the newest first */
query_fn query_payload;  /* hash */

/* Questions with too large an answer for a tree: appends it as JSON text (of
 * an error, there may be a part of it).  Does what query_run does itself. */
struct buf;
typedef int query_text_fn(
    const struct query_context *context, struct buf *text, struct errmsg *msg);
query_text_fn query_topology;
query_text_fn query_series;

/* What the answer of query_topology depends on: two calls with equal keys get
 * equal answers.  The revision grows when traces come in. */
struct query_topology_key {
	int64_t from_ns, to_ns, agent_row;
	uint64_t revision;
};
/* Reads the parameters and no data.  Errors are query_run's. */
int query_topology_key(const struct query_context *context,
    struct query_topology_key *key, struct errmsg *msg);

/* Records that were read together with those of a page, for the pages behind
 * it: where many blocks lie over each other in time, finding a few records
 * costs what finding thousands does.  Begins as zeros. */
struct query_ahead {
	struct buf records; /* packed, and what a page's end is made of */
	size_t at;          /* behind those that were given */
	bool more;          /* in the store, behind all of them */
};
void query_ahead_fini(struct query_ahead *ahead);

/* The records that query_records lists, unpacked, for formats.  take is
 * called with each, in the list's order, until it returns false or the limit
 * (a parameter) is reached.  ahead: NULL, or that of the page before, whose
 * cursor this page has; then it may end earlier.  *next: the cursor where the
 * list goes on; "" at its end.  Errors are query_run's. */
#define QUERY_CURSOR_LEN 48
typedef bool query_record_fn(void *ctx, const Sonde__Record *record);
int query_each_record(const struct query_context *context,
    query_record_fn *take, void *ctx, struct query_ahead *ahead,
    char next[static QUERY_CURSOR_LEN], struct errmsg *msg);
/* The schemas that results are read by, oldest first, as the records that
 * brought them. */
void query_each_schema(
    struct collector *collector, query_record_fn *take, void *ctx);
