/* SPDX-License-Identifier: ISC */
/* What an agent could not send in its day. */
#pragma once

#include "collector/query/query-args.h"

#define UNSENT_DAY_HOURS 24
#define UNSENT_BACK_HOURS (31 * 24) /* that "since" looks back */
#define UNSENT_SHOWN 16             /* reasons of an agent */

/* Traces' and pings' probes of this hour and the 23 before that did not leave,
 * by outcome, reason and device, the most first: a new list.  An error is the
 * store's. */
int agent_unsent_json(
    const struct query *query, int64_t agent_row, json_t **list);
