/* SPDX-License-Identifier: ISC */
/*
 * Campaigns: this script, these targets, these agents, this schedule.  Agents
 * fetch their list; every change of any campaign or of an agent's tags raises
 * one revision number, so a long poll asks only "is it above mine".
 */
#pragma once

#include <stdint.h>
#include <jansson.h>

#include "collector/core/agent-table.h"
#include "collector/core/listener.h"
#include "collector/core/principal.h"

#define CAMPAIGN_MAX_TARGETS 256 /* numeric addresses */

/* POST /api/v1/campaigns.  -EACCES: the principal may not; ERR_USAGE names
 * the field; ERR_UNAVAILABLE: try
 * later.  The answer is the campaign as query_campaign gives it, and a list
 * of "warnings": what is accepted and yet likely a slip. */
int campaign_create(struct collector *collector,
    const struct principal *principal, const json_t *body, json_t **answer,
    struct errmsg *msg);
/* DELETE: stops it, answers it.  Stopping again is fine.  -EACCES;
 * ERR_NOT_FOUND. */
int campaign_stop(struct collector *collector,
    const struct principal *principal, const char *id, json_t **answer,
    struct errmsg *msg);

/* The newest revision.  collector_listener.work_changed is called when it
 * grows. */
uint64_t campaign_revision(struct collector *collector);

/* GET /api/v1/work: {"revision", "campaigns": [...]}, the whole active list
 * of this agent.  Each has "last_run": the highest run number of it that we
 * hold from this agent (0: none), for an agent that lost count. */
int campaign_work(struct collector *collector,
    const uint8_t agent[AGENT_ID_LEN], json_t **answer, struct errmsg *msg);

extern const struct part campaigns_part;
