/* SPDX-License-Identifier: ISC */
/*
 * A worker and the guardian, over one socket.  What arrives is copied first
 * and hostile throughout; the first thing that a worker of ours would not send
 * ends its session.
 */
#pragma once

#include "probes/guardian/guardian-private.h"

/* Reads what the worker sent, a bounded number of messages. */
void session_read(struct guardian *g, struct session *session);
/* Answers a worker that waits, if there is something to hand over. */
void session_answer(struct guardian *g, struct session *session);
void session_free(struct guardian *g, struct session *session);
