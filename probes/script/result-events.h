/* SPDX-License-Identifier: ISC */
/* Results in flight, and those that are ready for next(). */
#pragma once

#include "probes/script/script-api.h"

/* Why next() gives a result. */
enum ready {
	READY_DONE,
	READY_REPLY,
	READY_BETTER,
	READY_DUPLICATE,
	READY_ADVICE,
	READY_TIMEOUT,
	READY_SWEPT
};
/* The result becomes ready; it has a place. */
void ready_add(lua_State *L, const struct host_result *result, enum ready why);
/* Pushes the result that is ready first and why: there is one. */
void ready_take(lua_State *L, struct host *host);

/* The result on top of the stack, which stays there, gets a place and a cookie:
 * it is held until it is settled and nothing of it is ready. */
void place_take(lua_State *L, struct host_result *result);

/* A script is faster than the guardian: without a bound the probes that wait to
 * leave are all that it starts, and everything that belongs to them is out of
 * the cache when their replies come.  So many at once are enough to keep the
 * guardian busy. */
#define BACKLOG_MOST 128
#define BACKLOG_SLICE_NS (25 * NS_PER_MS)
/* The result's probe is to leave now. */
void backlog_add(
    struct host *host, struct host_result *result, struct monotime now);
/* Has the guardian enough to do?  Those of the last BACKLOG_SLICES count of
 * which it has not said anything. */
bool backlog_is_full(struct host *host);

/* Sends what is queued and takes events until some came or until `until`; a Lua
 * error when the guardian is gone. */
void events_wait(lua_State *L, struct monotime until);

void events_open(lua_State *L);
