/* SPDX-License-Identifier: ISC */
/*
 * The shipper: the only process that connects to the collector.  Posts what the
 * keeper has synced, takes the work list, and asks the supervisor for a run
 * when one is due.
 */
#pragma once

#include "lib/base/clock.h"
#include "probes/agent/shipper/shipper-start.h"

/* The process: until SIGTERM, then ships what is left for at most
 * SHIPPER_DRAIN_NS; gives an exit code.  Its folder holds the spool. */
#define SHIPPER_DRAIN_NS (5 * NS_PER_S)
int shipper_main(const struct shipper_start *start);

/* spool_dir: NULL, or the folder that may be read. */
int shipper_enter_sandbox(const struct shipper_start *start,
    const char *spool_dir, struct errmsg *msg);
