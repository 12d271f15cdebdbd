/* SPDX-License-Identifier: ISC */
/*
 * The UDP ports that probes leave from, held by sockets that keep nothing: or
 * the kernel would answer a target's datagram with an ICMP error of its own.
 * Likewise the TCP ports of probes that ask for it, or the kernel would reset
 * the conversation at its first answer; a listening socket's filter comes
 * before its state, so what it drops is neither accepted nor reset.
 * A bound socket keeps its port, so each takes one of its own.  The first ones
 * are opened with the network; the process is soon where it can open none of
 * use, so further ones come from who opened it (live-feed.h).  When as many as
 * may be are bound, one whose port is long idle is closed for the next port;
 * where none comes or none is idle, the next port is not held.
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
#define LIVE_PORTS_FIRST 16 /* where further ones can be had */
#define LIVE_TCP_PORTS 8
#define LIVE_PORTS_IDLE_NS (10 * NS_PER_S) /* and then nothing comes to it */

struct live_port {
	int fd;
	uint16_t port;
	bool held;
	struct monotime used;
};

struct live_ports {
	int type;    /* SOCK_DGRAM or SOCK_STREAM */
	bool six;    /* they are IPv6's and hold a port for both families */
	size_t most; /* ports at a time */
	struct live_port *list; /* owned, as spare is */
	size_t count;           /* of the list */
	size_t missing;         /* of these are not held yet */
	size_t last;
	int *spare; /* sockets that have no port */
	size_t spare_count;
	int feed_fd;                /* borrowed; -1: no further ones come */
	struct live_ports *sibling; /* asks at the same feed; or NULL */
	bool asked;
	struct monotime opened, tried;
	struct monotime starved; /* the last wait that brought no socket */
	struct monotime idle;    /* no port of the list is before then */
};

/* Opens `first` sockets, for at most `most` ports at a time; the caller sets
 * feed_fd and sibling, which is of the other type. */
void live_ports_open(
    struct live_ports *ports, int type, size_t first, size_t most);
/* This IP packet, UDP for datagrams or TCP, is about to leave. */
void live_ports_hold(struct live_ports *ports, const uint8_t *packet,
    size_t len, struct monotime now);
/* Asks again for ports that another program had: called often. */
void live_ports_retry(struct live_ports *ports, struct monotime now);
void live_ports_close(struct live_ports *ports);
