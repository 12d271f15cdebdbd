/* SPDX-License-Identifier: ISC */
/*
 * The script host, inside: one Lua state and what its functions share.
 * state.c makes it, safe.c replaces library functions that could hang or eat
 * memory, api-*.c are the functions of the table `sonde`.
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
#include "probes/script/worker.h"

#define HOST_MEMORY_MAX (128u << 20)
#define HOST_HEADER_MEMORY_MAX (16u << 20)
#define HOST_SOURCE_MAX (64u << 10)
#define HOST_LOG_LINE_MAX 1024

struct host {
	lua_State *L;
	const struct worker_config *config; /* borrowed; NULL: header only */
	struct guardian_client client;
	struct frame_batch records; /* not yet written */
	size_t memory_bytes;
	struct monotime deadline;    /* real time; 0: none */
	uint64_t cookies;            /* of probes, given so far */
	int64_t ready_at, ready_end; /* what next() will give, as indices */
	uint64_t log_bytes;
	bool problem; /* the script said so: exit code 1 */
};

static inline struct host *host_of(lua_State *L)
{
	return *(struct host **)lua_getextraspace(L);
}

/* state.c */
/* A state with the allowed libraries and nothing else.  NULL: no memory. */
lua_State *host_state_new(struct host *host);
/* Loads text (never byte code) and runs it, leaving its one result.  On
 * failure msg says why. */
int host_run_chunk(struct host *host, const char *source, size_t len,
    const char *name, struct errmsg *msg);
/* Calls what is on the stack with `count` arguments, no results. */
int host_call(struct host *host, int count, struct errmsg *msg);

/* worker.c: /dev/null for 0 to 2, and nothing open but these. */
void worker_close_others(const int *fds, size_t count);
#ifdef __SANITIZE_ADDRESS__
#define WORKER_KEEPS_STDERR true /* for its reports */
#else
#define WORKER_KEEPS_STDERR false
#endif

/* watch.c: one per process.  Ends the process with one line on log_fd when
 * the deadline comes, or when a script computes for `stall_ns` without once
 * asking the network: from a signal handler, so that nothing in Lua can put it
 * off.  A soft stop (SIGINT, or shortly before the deadline) sets the flag. */
void watch_start(int log_fd, struct monotime deadline, int64_t stall_ns);
void watch_alive(void);               /* the script is talking to us */
void watch_waits(bool waits);         /* it waits: not its own time */
const volatile int *watch_stop(void); /* 0, or an enum watch_reason */
enum watch_reason { WATCH_RUNS, WATCH_INTERRUPTED, WATCH_DEADLINE };
/* Writes to descriptor fd, whatever signals come. */
int write_all(int fd, const void *bytes, size_t len);

/* safe.c: the parts of base, string and table that scripts may have. */
void safe_open(lua_State *L);

/* api-probe.c */
#define HOST_PROBE "probe"
struct host_probe {
	struct probe probe;
	uint8_t payload[]; /* probe.payload points here */
};
void api_probe_open(lua_State *L); /* into the table on top */
const struct host_probe *api_probe_check(lua_State *L, int at);
/* Pushes a name's number from the table that the metatable's __index has as
 * first upvalue; 0: no such field. */
int api_field_number(lua_State *L, int name_at);
/* A metatable for userdata called name: fields go to `index` as numbers
 * 1.. in order.  Leaves nothing. */
void api_type_new(lua_State *L, const char *name, const char *const *fields,
    lua_CFunction index);
void *api_check(lua_State *L, int at, const char *type);
void *api_test(lua_State *L, int at, const char *type);
/* The address that a string at a place is, or an argument error. */
struct addr api_check_address(lua_State *L, int at);
void api_push_address(lua_State *L, const struct addr *a);

/* api-reply.c */
#define HOST_REPLY "reply"
struct host_reply {
	struct net_stamp stamp;
	int64_t rtt_ns;
	struct packet packet; /* points into bytes */
	struct packet quoted; /* of an ICMP error, as far as it goes */
	bool has_quote, duplicate;
	uint32_t len;
	uint8_t bytes[];
};
void api_reply_open(lua_State *L);
struct host_reply *api_reply_push(
    lua_State *L, const struct wire_event *event, const uint8_t *bytes);

/* api-train.c */
#define HOST_RESULT "result"
struct host_result {
	uint64_t cookie;
	struct net_stamp tx;
	struct addr src;
	uint16_t probe_checksum, probe_ip_id; /* as sent */
	uint16_t payload_len;
	bool sent, settled;
	bool quiet;      /* a blocking call waits; not for next() */
	uint8_t verdict; /* enum policy_verdict; 0 unless denied */
	int err;
	uint32_t index, replies;
};
/* What a result refers to. */
enum { RESULT_PROBE = 1, RESULT_TAG, RESULT_REPLY, RESULT_MORE };
void api_train_open(lua_State *L);

/* api-record.c */
void api_record_open(lua_State *L);

/* emit.c */
/* Frames one record, or raises a Lua error.  mark: 0 or PRODUCER_PREVIEW. */
void record_frame(lua_State *L, Sonde__Record *record, uint32_t mark);
/* Writes what is gathered; the worker's last act too. */
int record_flush(struct host *host);
/* The frame_write_fn of a host's records. */
int record_write(void *host, const uint8_t *bytes, size_t len);
/* Memory for a record in the making: collected when the call has ended. */
void *record_scratch(lua_State *L, size_t size);

/* api-result.c: a row of a table that the header declares. */
int api_record_row(lua_State *L);
/* Announces the script's tables, before its run; nothing when it has none. */
int api_result_announce(lua_State *L);

/* arguments.c: pushes the table that run() gets. */
int host_push_arguments(struct host *host, struct errmsg *msg);

/* header.c */
/* In the child: the table on top of the stack as bytes. */
int header_write(lua_State *L, struct buf *to, struct errmsg *msg);
/* In the parent, from bytes that a script may have made up. */
int header_read(struct script *script, const uint8_t *bytes, size_t len,
    struct errmsg *msg);
