/* SPDX-License-Identifier: ISC */
/*
 * Agents that wait for work: GET /api/v1/work is answered when the campaigns
 * are no longer those of the revision that the agent has, or after 30 s.
 */
#pragma once

#include <stdint.h>

#include "web/http/http-private.h"

struct polls *polls_new(struct web *web);
/* Answers everybody, and from now on at once. */
void polls_stop(struct polls *polls);
void polls_free(struct polls *polls);

void polls_revision(struct polls *polls, uint64_t revision); /* any thread */
void polls_tick(struct polls *polls, struct monotime now);
uint64_t polls_waiting(struct polls *polls);
