/* SPDX-License-Identifier: ISC */
/*
 * The schemas of results that agents brought, in memory: every row that comes
 * in is checked against one.  A schema is named by its hash and never changes,
 * so one that was found stays valid until the collector closes.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "collector/core/part.h"
#include "lib/record/result.h"

/* In the writer's thread, inside a transaction of the registry; an agent that
 * brings more than RESULT_SCHEMAS_MAX is counted
 * (sonde_result_schemas_refused), and its rows of those stay raw records. */
int result_schemas_add(struct collector *collector, int64_t agent_row,
    const Sonde__ResultSchema *from, struct errmsg *msg);
/* The same thread and transaction: forgets, for the next start, what no agent
 * announced for as long as its records are kept. */
int result_schemas_expire(
    struct collector *collector, int64_t now_ns, struct errmsg *msg);
/* NULL: not known.  Any thread. */
const struct result_schema *result_schemas_find(
    struct collector *collector, const void *hash, size_t hash_len);

struct result_schema_entry {
	struct result_schema *schema;
	int64_t agent_row, first_ns; /* who brought it first, and when */
};
/* A copy of the list, newest first; the caller frees.  Any thread. */
size_t result_schemas_list(
    struct collector *collector, struct result_schema_entry **list);

extern const struct part result_schemas_part;
