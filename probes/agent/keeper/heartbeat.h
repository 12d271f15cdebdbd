/* SPDX-License-Identifier: ISC */
/*
 * The heartbeat: every process's counters, as one record.  Names that others
 * rely on: guardian.sent, guardian.denied.REASON, sensor.captured,
 * sensor.dropped, keeper.received, keeper.stored, keeper.refused,
 * spool.bytes, spool.max_bytes, spool.next_seq, spool.acked_seq,
 * spool.dropped, spool.lost, shipper.batches, shipper.failures,
 * supervisor.runs, supervisor.restarts.PROCESS, supervisor.failed.PROCESS.
 */
#pragma once

#include "lib/base/addr.h"
#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "probes/ipc/counters.h"

#define HEARTBEAT_MAX_ADDRESSES 64

/* What the supervisor gives the keeper about this machine: one shared page,
 * written by the one, read by the other. */
struct heartbeat_host {
	uint32_t count;
	struct addr addresses[HEARTBEAT_MAX_ADDRESSES];
};

struct heartbeat_source {
	const char *process;             /* the prefix of its counters */
	const struct counters *counters; /* borrowed */
};

/* Appends the packed record.  A name that does not start with its process's
 * gets that in front. */
int heartbeat_pack(struct buf *to, const struct heartbeat_source *sources,
    size_t count, const struct heartbeat_host *host, int64_t uptime_ns,
    struct errmsg *msg);
