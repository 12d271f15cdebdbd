/* SPDX-License-Identifier: ISC */
/*
 * How replies come in: a seam with two providers.  Raw sockets open and close
 * within microseconds and give what the host itself would get: behind its
 * firewall and its own address translation.  A packet ring takes the kernel
 * tens of milliseconds to close (it waits for RCU), costs less a packet on a
 * host that has other traffic and sees every device: it is for what runs long.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "probes/net/net.h"

struct live_receiver {
	/* buffer_bytes: for packets that wait.  Opens everything and lets
	 * nothing through. */
	int (*open)(void **ctx, uint64_t buffer_bytes, struct errmsg *msg);
	void (*close)(void *ctx);
	/* This IP packet is about to leave: lets through what may answer it.
	 * An error is tried again with the next. */
	int (*admit)(void *ctx, const uint8_t *packet, size_t len);
	/* No program listens any more. */
	void (*forget)(void *ctx);
	/* Gives NET_RECEIVED for what is there, in order of time. */
	void (*poll)(void *ctx, net_event_fn *fn, void *arg);
	/* Descriptors to wait for, at most size. */
	size_t (*fds)(void *ctx, int *fds, size_t size);
	uint64_t (*dropped)(void *ctx); /* for lack of buffers */
	void (*describe)(void *ctx, char *to, size_t size);
};

extern const struct live_receiver live_sockets, live_ring;

/* Networks that are opened from now on use this one; live_sockets before. */
void live_receive_by(const struct live_receiver *receiver);
