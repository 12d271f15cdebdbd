/* SPDX-License-Identifier: ISC */
/* The parameters of queries, each once: what the routes document and the
 * server checks is what the queries read. */
#pragma once

#include "lib/option/param.h"

#define QUERY_LIMIT_DEFAULT 100
#define QUERY_LIMIT_MAX 500

extern const struct param query_param_limit, query_param_cursor;
extern const struct param query_param_source_cursor; /* of sightings */
extern const struct param query_param_from, query_param_to;
extern const struct param query_param_from_day; /* a day back by default */
extern const struct param query_param_agent, query_param_bin;
extern const struct param query_param_campaign, query_param_run;
extern const struct param query_param_kind;
extern const struct param query_param_signature, query_param_verdict;
extern const struct param query_param_script, query_param_table;
extern const struct param query_param_key, query_param_row_format;
extern const struct param query_param_src, query_param_dst;
