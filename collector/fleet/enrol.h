/* SPDX-License-Identifier: ISC */
/*
 * Who may send and ask.  An administrator's bearer token makes one-time tokens;
 * a one-time token and a signature make an agent; an agent signs what it
 * sends.  Tokens are kept as hashes, agents as public keys: nothing at rest
 * here lets a thief pose as any of them, but for the admin token's own file.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <jansson.h>

#include "collector/core/admin-token.h"
#include "collector/core/agent-table.h"
#include "collector/core/principal.h"

#define ENROL_CLOCK_SKEW_S 300

/* POST /api/v1/tokens: {"name", "tags", "ttl_s"}, all optional; body may be
 * NULL.  The answer is {"token", "expires_at"}.  -EACCES: the principal
 * may not; ERR_USAGE: a field is wrong;
 * ERR_UNAVAILABLE: try later. */
int enrol_token_new(struct collector *collector,
    const struct principal *principal, const json_t *body, json_t **answer,
    struct errmsg *msg);

/* POST /api/v1/enrol.  ERR_USAGE: a field is missing or wrong (400);
 * ERR_DENIED: no such token, used or expired (403); ERR_SIGNATURE (401);
 * -EEXIST: the name or the key is taken (409); ERR_UNAVAILABLE (503).  The
 * same key with the token that enrolled it gets its first answer again: the
 * agent may not have seen it. */
int enrol_agent(struct collector *collector, const json_t *body,
    json_t **answer, struct errmsg *msg);

/* Checks a request that an agent signed (headers as in the API; target: path
 * and query as sent) and notes the contact.  ERR_UNKNOWN_AGENT,
 * ERR_SIGNATURE, or -ETIME when the time is not within ENROL_CLOCK_SKEW_S. */
struct enrol_request {
	const char *agent, *time, *signature; /* header texts; NULL: absent */
	const char *target;
};
int enrol_check_request(struct collector *collector,
    const struct enrol_request *request, uint8_t agent[AGENT_ID_LEN],
    struct errmsg *msg);
