/* SPDX-License-Identifier: ISC */
/*
 * Fresh packet sockets for a sensor that has given up the right to open any:
 * an interface that goes and comes back needs one, and so does a ring that
 * has to grow.  They come from a process that keeps the right, over a pair of
 * SOCK_SEQPACKET sockets.  A socket is bound to nothing and hears nothing
 * until its taker binds it.
 */
#pragma once

#include <stdbool.h>

/* type: SOCK_RAW, frames with their link header, or SOCK_DGRAM, without.  A
 * descriptor or a negative errno. */
int packet_feed_open(int type);

/* The end that serves.  Answers one request, if there is one; false: the other
 * end has closed, or is none of ours.  What is asked is hostile. */
bool packet_feed_serve(int fd);

/* The end that asks: without waiting.  0 or a negative errno. */
int packet_feed_ask(int fd, int type);
/* An answer, if there is one: the socket, which the caller owns, or the
 * negative errno with which it could not be opened; *type is what was asked
 * for.  -EAGAIN: none has come, ERR_EOF: none will. */
int packet_feed_take(int fd, int *type);
