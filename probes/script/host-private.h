/* SPDX-License-Identifier: ISC */
/*
 * The script host, inside: what one Lua state and its functions share.  state.c
 * makes it, safe.c replaces library functions that could hang or eat memory,
 * api-*.c are the functions of the table `sonde`.
 */
#pragma once

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <signal.h>

#include "lib/base/buf.h"
#include "lib/packet/packet.h"
#include "probes/ipc/frame-batch.h"
#include "probes/script/guardian-client.h"
#include "probes/script/small-blocks.h"
#include "probes/script/operands.h"
#include "probes/script/worker.h"

#define HOST_MEMORY_MAX (128u << 20)
#define HOST_HEADER_MEMORY_MAX (16u << 20)
#define HOST_SOURCE_MAX (64u << 10)
#define HOST_LOG_LINE_MAX 1024

/* Probes that the guardian has not said anything of, by when it got them. */
#define BACKLOG_SLICES 8
struct host_backlog {
	int64_t slice; /* the latest: number of slices since the clock's 0 */
	uint32_t total, counts[BACKLOG_SLICES];
};

/* emit.c: a block of Lua's that records in the making take pieces of. */
struct host_scratch {
	uint8_t *start, *at, *end; /* NULL: none yet */
};

/* A reply's packet. */
struct reply_view {
	struct packet packet;
	struct packet quoted; /* of an ICMP error, as far as it goes */
	bool has_quote;
};

struct host {
	lua_State *L;
	const struct worker_config *config; /* borrowed; NULL: header only */
	struct guardian_client client;
	struct frame_batch records; /* not yet written */
	struct host_operands operands;
	struct option_values *values; /* what the operands' words are of */
	size_t memory_bytes;
	struct small_blocks blocks; /* Lua's */
	struct monotime deadline;   /* real time; 0: none */
	bool sweeps;                /* a sweep is not done */
	/* result-events.c: results that the guardian or next() will name, by
	 * their places, which are used again; owned. */
	struct result_place *places;
	uint32_t place_count, free_place; /* from 1; 0: none */
	uint64_t cookies;                 /* given so far */
	/* What next() will give: a ring; owned. */
	struct ready_entry *ready;
	uint32_t ready_at, ready_count, ready_size;
	struct host_backlog backlog;
	struct host_scratch scratch;
	/* api-reply.c: how many there were, and the one whose packet a script
	 * asked for last: who asks for one field asks for others; 0: none. */
	uint64_t reply_count, viewed;
	struct reply_view view;
	uint64_t log_bytes;
	bool problem; /* reported by the script: exit code 1 */
};

static inline struct host *host_of(lua_State *L)
{
	return *(struct host **)lua_getextraspace(L);
}
