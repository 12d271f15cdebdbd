/* SPDX-License-Identifier: ISC */
/* A query under way: its snapshot, and its parameters, parsed and checked. */
#pragma once

#include <jansson.h>

#include "collector/core/private.h"
#include "collector/query/query-params.h"
#include "collector/query/query.h"

struct query {
	struct collector *c;
	struct store_view *reader;
	struct registry_reader *registry;
	const struct query_args *args;
	struct errmsg *msg;
	int64_t now_ns;
};

/* What query_run does around a query, for one whose answer is not JSON. */
typedef int query_body(
    const struct query_context *context, void *arg, struct errmsg *msg);
int query_run_body(query_body *body, const struct query_context *context,
    void *arg, struct errmsg *msg);

void query_begin(struct query *query, const struct query_context *context,
    struct errmsg *msg);
/* err: how it went; consumes json, which becomes the answer or is freed.
 * Returns err. */
int query_end(int err, json_t *json, json_t **answer);

/* NULL when absent or empty. */
const char *query_text(const struct query *query, const char *name);
/* from and to; to defaults to now, from to param_from's distance before it. */
int query_range(struct query *query, const struct param *param_from,
    struct store_range *range);
int query_limit(struct query *query, uint32_t *limit);
int query_cursor(struct query *query, struct store_plan *filter);
json_t *query_next(int64_t ns, int64_t row);
/* These leave the value as it is when the parameter is absent. */
int query_integer(
    struct query *query, const struct param *param, int64_t *value);
int query_addr(
    struct query *query, const struct param *param, struct addr *addr);
/* *given: whether it was there. */
int query_id(struct query *query, const struct param *param, uint8_t id[16],
    bool *given);
/* By id or name.  row stays as it is when absent. */
int query_agent_row(struct query *query, int64_t *row);
/* The kept level nearest to what `bin` asks for, else the one that gives
 * about `bins` over the range. */
int query_bin(struct query *query, const struct store_range *range,
    unsigned bins, uint32_t *bin_s);
