/* SPDX-License-Identifier: ISC */
/*
 * The collector without its HTTP face: takes batches in exactly once, keeps
 * them, rolls them up, watches the series, hands out campaigns and answers
 * queries.  Every function of collector/ may be called from any thread unless
 * its comment says otherwise; nothing here prints, but for one line when the
 * database is gone (core/fault.h).
 *
 * What else there is: ingest/ingest.h (batches), fleet/enrol.h (keys and
 * tokens), fleet/campaign.h (work for agents), query/query.h (answers),
 * core/event-log.h (events), core/listener.h (callbacks on changes),
 * core/stats.h (numbers about ourselves), core/config.h (settings),
 * store/store.h (the seam to the database).
 */
#pragma once

#include "lib/base/err.h"

struct collector;
struct collector_config;

/* Opens or creates the state folder, migrates the database, starts the
 * writer and the alarm thread. */
int collector_open(struct collector **collector,
    const struct collector_config *config, struct errmsg *msg);
/* Refuses new work, commits and answers what is queued, stops the threads.
 * No other thread may be inside a call.  NULL is fine. */
void collector_close(struct collector *collector);
