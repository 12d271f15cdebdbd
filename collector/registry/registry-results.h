/* SPDX-License-Identifier: ISC */
/* The tables that scripts record (lib/record/result.h), each schema once, by
 * its hash. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

struct registry;
struct registry_reader;

#define REGISTRY_SCHEMAS_MAX 4096

struct registry_result_schema {
	const uint8_t *hash; /* 16 bytes */
	const char *script;
	int64_t agent;       /* the first that brought it, its row */
	int64_t first_ns;    /* when it came first; of an add: now */
	const uint8_t *body; /* a packed ResultSchema */
	size_t body_len;
};
/* 0: added; 1: known before; ERR_LIMIT: the agent brought `agent_most`
 * already, or all together REGISTRY_SCHEMAS_MAX. */
int registry_result_schema_add(struct registry *registry,
    const struct registry_result_schema *schema, int64_t agent_most,
    struct errmsg *msg);

/* Those that no agent announced since horizon_ns. */
int registry_result_schemas_trim(
    struct registry *registry, int64_t horizon_ns, struct errmsg *msg);

/* In the order in which they came. */
typedef int registry_result_schema_fn(
    void *ctx, const struct registry_result_schema *schema);
int registry_read_result_schemas(
    struct registry_reader *reader, registry_result_schema_fn *fn, void *ctx);
