/* SPDX-License-Identifier: ISC */
/*
 * The UDP ports that probes leave from, held by sockets that keep nothing: or
 * the kernel would answer a target's datagram with an ICMP error of its own.
 * Likewise the TCP ports of probes that ask for it, or the kernel would reset
 * the conversation at its first answer; a listening socket's filter comes
 * before its state, so what it drops is neither accepted nor reset.
 * The sockets are opened before the process gives up opening any, and a bound
 * one keeps its port: the ports that come when all are bound are not held.
 *
 * A port that another program has is that program's to answer for.  It may be
 * an earlier guardian that is about to end, so one that begins waits some
 * milliseconds for that, and asks again for a while.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/clock.h"

#define LIVE_PORTS 96       /* of one run */
#define LIVE_PORTS_LONG 768 /* of a guardian that runs long */
#define LIVE_TCP_PORTS 8

struct live_port {
	int fd;
	uint16_t port;
	bool held;
	struct monotime used;
};

struct live_ports {
	int type; /* SOCK_DGRAM or SOCK_STREAM */
	bool six; /* they are IPv6's and hold a port for both families */
	struct live_port list[LIVE_PORTS_LONG];
	size_t open;    /* sockets */
	size_t count;   /* of them have a port to hold */
	size_t missing; /* of these do not yet */
	size_t last;
	struct monotime opened, tried;
};

void live_ports_open(struct live_ports *ports, int type, size_t count);
/* This IP packet, UDP for datagrams or TCP, is about to leave. */
void live_ports_hold(struct live_ports *ports, const uint8_t *packet,
    size_t len, struct monotime now);
/* Asks again for ports that another program had: called often. */
void live_ports_retry(struct live_ports *ports, struct monotime now);
void live_ports_close(struct live_ports *ports);
