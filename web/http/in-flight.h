/* SPDX-License-Identifier: ISC */
/*
 * What a stop has to wait for: connections that are suspended until they
 * are resumed (libmicrohttpd may not be stopped before), and requests whose
 * answer has not gone out.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct in_flight {
	pthread_mutex_t lock; /* for what follows */
	pthread_cond_t changed;
	bool stopping;
	size_t held;    /* connections that will be resumed */
	size_t running; /* requests between handler and answer's end */
};

void in_flight_init(struct in_flight *flight);
void in_flight_fini(struct in_flight *flight);

/* A connection is about to be suspended: false when the server stops, and it
 * must not be.  in_flight_release when it was resumed. */
bool in_flight_hold(struct in_flight *flight);
void in_flight_release(struct in_flight *flight);

/* Around a request's handling, until its answer has gone out. */
void in_flight_enter(struct in_flight *flight);
void in_flight_leave(struct in_flight *flight);

/* From here on nothing is held. */
void in_flight_stop(struct in_flight *flight);
/* Sleeps for a second at most; false when the server stops. */
bool in_flight_sleep(struct in_flight *flight);
/* Until nothing is held, and then up to grace_s for the answers to go out. */
void in_flight_wait(struct in_flight *flight, int64_t grace_s);
