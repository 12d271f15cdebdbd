/* SPDX-License-Identifier: ISC */
/*
 * Event streams (SSE).  One ring of recent events for all subscribers, each of
 * whom is only a place in it: a thousand cost a thousand numbers.  Whoever is
 * further behind than the ring reads from the store; whoever does not read is
 * cut and may come back with Last-Event-ID.
 */
#pragma once

#include <stdint.h>

#include "web/http/http-private.h"

#define FEED_BACKLOG_BYTES (UINT64_C(256) * 1024)

struct feed *feed_new(struct web *web);
/* Ends every stream; the feed must live until they are closed. */
void feed_stop(struct feed *feed);
void feed_free(struct feed *feed);

void feed_notice(struct feed *feed); /* something was added; any thread */

struct feed_stats {
	uint64_t subscribers; /* now */
	uint64_t cut;         /* for not reading */
};
void feed_stats(struct feed *feed, struct feed_stats *stats);
