/* SPDX-License-Identifier: ISC */
/* What handlers share. */
#pragma once

#include "collector/query/query.h"
#include "web/http/request.h"

/* The answer for what a function of the collector returned. */
void answer_error(struct request *request, int err, const struct errmsg *msg);

/* Parses the body: one JSON object without duplicate names.  NULL and a
 * problem in the answer otherwise. */
json_t *request_json(struct request *request);

/* A parameter's text, for struct query_args; ctx is the request. */
const char *request_arg(void *ctx, const char *name);

/* Asks the query with the request's parameters, in its caller's name; answers
 * and ends the request. */
void answer_query(struct request *request, query_fn *query);
void answer_text_query(struct request *request, query_text_fn *query);
