/* SPDX-License-Identifier: ISC */
/*
 * The keeper: the only process that writes the spool.  Takes records from
 * producers, checks them, appends them, syncs them in groups, sends the
 * shipper how far it may go, and trims what the collector has committed.
 */
#pragma once

#include <signal.h>

#include "probes/agent/keeper/heartbeat.h"
#include "lib/spool/spool.h"
#include "probes/ipc/record-frame.h"

#define KEEPER_MAX_PRODUCERS 256
#define KEEPER_WINDOW_NS (50 * NS_PER_MS) /* one sync for all in it */
#define KEEPER_GROUP 1024                 /* or for so many records */

struct keeper_producer {
	int fd; /* SOCK_SEQPACKET */
	struct producer_grant grant;
};

struct keeper_config {
	struct spool_config spool;
	int64_t heartbeat_ns;
	struct monotime started; /* the agent, for its uptime */
	int control_fd;          /* new producers: a struct producer_grant
				    with a descriptor each; -1: none */
	int shipper_fd;          /* struct ship_mark, struct ship_order */
	const struct keeper_producer *producers;
	size_t producer_count;
	struct counters *own, *spool_page;
	const struct heartbeat_source *sources;
	size_t source_count;
	const struct heartbeat_host *host;
};

struct keeper;

/* Opens the spool and declares what a predecessor that died had taken from
 * producers but not yet stored.  Borrows what config points to, for life. */
int keeper_open(struct keeper **keeper, const struct keeper_config *config,
    struct errmsg *msg);
void keeper_close(struct keeper *keeper);

/* Takes the descriptor. */
void keeper_add(
    struct keeper *keeper, int fd, const struct producer_grant *grant);

/* Waits for work until `until` or a signal and does it; sigmask as ppoll has
 * it, or NULL. */
int keeper_step(struct keeper *keeper, struct monotime until,
    const sigset_t *sigmask, struct errmsg *msg);
/* Takes all that producers have sent so far and syncs it. */
int keeper_drain(struct keeper *keeper, struct errmsg *msg);

/* In the sandbox already: loops until SIGTERM, drains.  open_mask is what
 * process_signals gave. */
int keeper_main(const struct keeper_config *config, const sigset_t *open_mask,
    struct errmsg *msg);
