/* SPDX-License-Identifier: ISC */
/*
 * Fresh sockets for live_ports, from the process that opened the network and
 * stays in it: the guardian is in an empty one, where it could open none that
 * is of use.  The two ends are a pair of SOCK_SEQPACKET sockets.  One that is
 * new costs little, a hundred that are never bound cost more than a trace.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define LIVE_FEED_SOCKETS 32 /* at most, of one answer */

/* Sockets without a port, of one type, for one family. */
struct live_feed_answer {
	int type; /* SOCK_DGRAM or SOCK_STREAM */
	bool six; /* they are IPv6's and hold a port for both families */
	size_t count;
	int fds[LIVE_FEED_SOCKETS]; /* the taker's */
};

/* Opens one as the answers have them; -1: errno says why not.  Of IPv6 while
 * *six holds, which a host without IPv6 makes false. */
int live_feed_open(bool *six, int type);

/* The end that serves.  Answers one request, if there is one; false: the other
 * end has closed, or is none of ours.  What is asked is hostile. */
bool live_feed_serve(int fd);

/* The end that asks: without waiting.  0 or a negative errno. */
int live_feed_ask(int fd, int type);
/* Waits for an answer, at most so long; false: there is none. */
bool live_feed_take(int fd, int wait_ms, struct live_feed_answer *answer);

/* The end that the next network opened in this process asks at, and owns. */
void live_feed_by(int fd);
