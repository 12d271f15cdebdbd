/* SPDX-License-Identifier: ISC */
/*
 * The shipper: the only process that talks to the collector.  Posts what the
 * keeper has synced, takes the work list, and asks the supervisor for a run
 * when one is due.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "probes/agent/counters.h"

struct shipper_config {
	const char *url, *ca_file, *spool_dir;
	uint8_t agent[16], secret_key[64];
	int keeper_fd;     /* struct ship_mark in, struct ship_order out */
	int supervisor_fd; /* run requests out */
	int64_t retry_least_ns, retry_most_ns;
	struct counters *own;
	uint32_t uid, gid; /* 0: nobody */
	bool allow_weak_sandbox;
};

/* The process: until SIGTERM, then ships what is left for at most
 * SHIPPER_DRAIN_NS; gives an exit code. */
#define SHIPPER_DRAIN_NS (5 * NS_PER_S)
int shipper_main(const struct shipper_config *config);
