/* SPDX-License-Identifier: ISC */
/*
 * The UDP ports that probes leave from, held by sockets that hear nothing: or
 * the kernel would answer a target's datagram with an ICMP error of its own.
 * Likewise the TCP ports of probes that ask for it, or the kernel would reset
 * the conversation at its first answer; a listening socket's filter comes
 * before its state, so what it drops is neither accepted nor reset.
 * The sockets are opened before the process gives up opening any, and a bound
 * one keeps its port: the ports that come when all are bound are not held.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LIVE_PORTS 96
#define LIVE_TCP_PORTS 8

struct live_ports {
	int type; /* SOCK_DGRAM or SOCK_STREAM */
	bool six; /* they are IPv6's and hold a port for both families */
	int fds[LIVE_PORTS];
	uint16_t ports[LIVE_PORTS]; /* of the first `held` sockets */
	size_t open, held;
};

void live_ports_open(struct live_ports *ports, int type, size_t count);
/* This IP packet, UDP for datagrams or TCP, is about to leave.  A port that
 * another program has is that program's to answer for. */
void live_ports_hold(
    struct live_ports *ports, const uint8_t *packet, size_t len);
void live_ports_close(struct live_ports *ports);
