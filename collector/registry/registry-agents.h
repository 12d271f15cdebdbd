/* SPDX-License-Identifier: ISC */
/* Who the agents are, and the one-time tokens that let them in. */
#pragma once

#include <stdint.h>

#include "lib/base/err.h"

#define REGISTRY_TOKEN_HASH_LEN 32

struct registry;
struct registry_reader;

struct registry_agent {
	int64_t row; /* its number in registry and telemetry */
	uint8_t id[16], key[32];
	const char *name, *tags, *version; /* tags: JSON array */
	int64_t enrolled_ns, seen_ns;
};
struct registry_token {
	uint8_t hash[REGISTRY_TOKEN_HASH_LEN];
	const char *name, *tags; /* name NULL: the agent chooses */
	int64_t made_ns, expires_ns, used_ns;
	int64_t agent_row; /* who used it */
};

/* -EEXIST: the name or the key is taken.  Sets agent->row: the one that
 * telemetry has for this id, else one that was never given. */
int registry_agent_add(struct registry *registry, struct registry_agent *agent,
    struct errmsg *msg);
int registry_agent_seen(struct registry *registry, int64_t row, int64_t seen_ns,
    struct errmsg *msg);
/* Telemetry has this row for this agent: no other gets it.  ERR_CORRUPT:
 * another has it. */
int registry_agent_reserve(struct registry *registry, int64_t row,
    const uint8_t id[16], struct errmsg *msg);

/* The name of an agent, for who has no table of them; ERR_NOT_FOUND. */
int registry_agent_name(struct registry *registry, int64_t row, char *name,
    size_t len, struct errmsg *msg);

/* Up to which number of an epoch an agent's records have been turned into
 * events; 0: none of it; all of it when a later epoch has some.  Set in the
 * transaction of the events. */
int registry_announced(struct registry *registry, int64_t row, uint64_t epoch,
    uint64_t *next, struct errmsg *msg);
int registry_announce(struct registry *registry, int64_t row, uint64_t epoch,
    uint64_t next, struct errmsg *msg);

int registry_token_add(struct registry *registry,
    const struct registry_token *token, struct errmsg *msg);
/* ERR_NOT_FOUND.  Texts are valid until the next call. */
int registry_token_get(struct registry *registry,
    const uint8_t hash[REGISTRY_TOKEN_HASH_LEN], struct registry_token *token,
    struct errmsg *msg);
int registry_token_use(struct registry *registry,
    const struct registry_token *token, struct errmsg *msg);

/* By row; row 0: all.  A non-zero return of fn ends the reading and is what
 * the read returns, here and in the other reads of the registry. */
typedef int registry_agent_fn(void *ctx, const struct registry_agent *agent);
int registry_read_agents(struct registry_reader *reader, int64_t row,
    registry_agent_fn *fn, void *ctx);
