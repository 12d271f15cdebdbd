/* SPDX-License-Identifier: ISC */
/* How probes are given to the guardian, for trains and sweeps. */
#pragma once

#include "probes/script/script-api.h"

/* When a train's probes go, and how each is listened for. */
struct train_timing {
	int64_t delay_ns; /* after `from` */
	struct monotime from;
	int64_t wait_ns, late_ns;
	bool listen_all;
	struct sweep_range range; /* of a sweep */
};

/* wait_ns, or {wait_ns = N, late_ns = N, listen = "first" or "all"}, at a place
 * on the stack; a Lua error for what is neither. */
struct train_timing train_check_timing(lua_State *L, int at);

/* The result on top of the stack, with its probe, leaves for the guardian;
 * where there is no room for it, it waits. */
void train_launch(lua_State *L, struct host_result *result,
    const struct probe *probe, const struct train_timing *timing);
