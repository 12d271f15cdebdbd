/* SPDX-License-Identifier: ISC */
/* The Lua state of a script, with what scripts may have and nothing else. */
#pragma once

#include "probes/script/host-private.h"

/* A state with the allowed libraries and nothing else.  NULL: no memory. */
lua_State *host_state_new(struct host *host);
/* Loads text (never byte code) and runs it, leaving its one result.  On
 * failure msg says why. */
int host_run_chunk(struct host *host, const char *source, size_t len,
    const char *name, struct errmsg *msg);
/* The same of a script that is known; its code where it has some that this Lua
 * takes. */
int host_run_script(
    struct host *host, const struct script *script, struct errmsg *msg);
/* Calls what is on the stack with `count` arguments, no results. */
int host_call(struct host *host, int count, struct errmsg *msg);

/* safe.c: the parts of base, string and table that scripts may have. */
void safe_open(lua_State *L);

/* arguments.c: pushes the table that run() gets. */
int host_push_arguments(struct host *host, struct errmsg *msg);
