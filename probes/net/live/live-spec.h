/* SPDX-License-Identifier: ISC */
/* What follows "live:" in --net and in agent.conf's net. */
#pragma once

#include "lib/base/err.h"
#include "probes/net/live/live-route.h"

struct live_spec {
	uint64_t ring_bytes; /* of the capture */
	struct live_wish wish;
};

/* "KEY=VALUE,...": buffer, interface, source (one a family), mark; NULL or ""
 * for none.  ERR_USAGE says which word is wrong. */
int live_spec_read(
    struct live_spec *spec, const char *text, struct errmsg *msg);
