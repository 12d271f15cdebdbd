/* SPDX-License-Identifier: ISC */
/*
 * What the shipper asks the supervisor to run.  The shipper speaks to the
 * network, so the supervisor reads this as hostile: bounded, of a known
 * alphabet, naming a script by name and never by path.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "probes/agent/scheduler/worklist.h"
#include "probes/net/net.h"

#define RUN_REQUEST_MAX_BYTES 16384

struct run_request {
	uint8_t campaign[16];
	uint64_t run;
	int64_t deadline_ns;
	bool once; /* remembered, so that a restart does not repeat */
	char script[WORKLIST_SCRIPT_LEN];
	char **arguments; /* owned */
	size_t argument_count;
	struct net_choice choice; /* made of arguments; not packed */
};

#define RUN_DEADLINE_MAX_NS (3600 * NS_PER_S)

void run_request_pack(struct buf *to, const struct run_request *request);
/* ERR_MALFORMED, ERR_TRUNCATED or ERR_LIMIT; nothing to free then. */
int run_request_unpack(
    struct run_request *request, const void *bytes, size_t len);
void run_request_fini(struct run_request *request);
