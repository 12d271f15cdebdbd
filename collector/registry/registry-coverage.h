/* SPDX-License-Identifier: ISC */
/* What each agent said last of each interface that its sensor watches. */
#pragma once

#include <stdint.h>

#include "lib/base/err.h"

#define REGISTRY_INTERFACES_MOST 16 /* of an agent */

struct registry;
struct registry_reader;

struct registry_coverage {
	int64_t agent_row;
	const char *interface, *state, *why; /* as in a Coverage record */
	int64_t since_ns, last_ns;           /* by the agent's clock */
	int64_t heard_ns;                    /* by ours */
	uint64_t ring_bytes;
};

/* Adds, or updates unless what is there is newer.  What the agent has not
 * spoken of for `forget_ns` while it spoke of others is forgotten: it is not in
 * its configuration any more. */
int registry_coverage_put(struct registry *registry,
    const struct registry_coverage *coverage, int64_t forget_ns,
    struct errmsg *msg);
/* An interface that is no more: a file that ended. */
int registry_coverage_remove(struct registry *registry, int64_t agent_row,
    const char *interface, struct errmsg *msg);

/* By agent and name; row 0: all. */
typedef int registry_coverage_fn(
    void *ctx, const struct registry_coverage *coverage);
int registry_read_coverage(struct registry_reader *reader, int64_t agent_row,
    registry_coverage_fn *fn, void *ctx);
