/* SPDX-License-Identifier: ISC */
/* What follows "live:" in --net and in agent.conf's net. */
#pragma once

#include "lib/base/err.h"
#include "probes/net/live/live-route.h"

struct live_spec {
	uint64_t ring_bytes;                   /* of the capture */
	struct net_choice wish;                /* of every packet */
	uint32_t run_marks[NET_RUN_MARKS_MAX]; /* that runs may choose */
	size_t run_mark_count;
};

/* "KEY=VALUE,...": buffer, interface, source (one a family), mark, run-mark
 * (several); NULL or "" for none.  ERR_USAGE says which word is wrong. */
int live_spec_read(
    struct live_spec *spec, const char *text, struct errmsg *msg);
