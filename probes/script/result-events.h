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
/* The result on top of the stack becomes ready, and stays there. */
void ready_add(lua_State *L, enum ready why);
/* Pushes the result that is ready first and why: there is one. */
void ready_take(lua_State *L, struct host *host);

/* The result on top of the stack gets its cookie, is in flight from now on, and
 * stays there. */
void flight_keep(lua_State *L, struct host_result *result);

/* Sends what is queued and takes events until some came or until `until`; a Lua
 * error when the guardian is gone. */
void events_wait(lua_State *L, struct monotime until);

void events_open(lua_State *L);
