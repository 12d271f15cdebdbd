/* SPDX-License-Identifier: ISC */
/*
 * The functions of the table `sonde`, each group in a file api-NAME.c of its
 * own, and the objects that they give to scripts.
 */
#pragma once

#include "probes/script/host-private.h"

/* Every value of ours that scripts get hold of begins with its type. */
enum host_type { HOST_PROBE = 1, HOST_RESULT, HOST_REPLY, HOST_TYPES };
struct host_object {
	enum host_type type;
};
/* Pushes one of `size` octets, all zeros but its type, with room for so many
 * values that it refers to. */
void *api_object_new(
    lua_State *L, enum host_type type, size_t size, int values);
/* What is at a place, or NULL; api_check: or an argument error. */
void *api_test(lua_State *L, int at, enum host_type type);
void *api_check(lua_State *L, int at, enum host_type type);
/* The metatable of a type: fields go to `index` as numbers 1.. in order. Leaves
 * nothing. */
void api_type_new(lua_State *L, enum host_type type, const char *const *fields,
    lua_CFunction index);

/* api-probe.c */
struct host_probe {
	struct host_object object;
	struct probe probe;
	uint8_t payload[]; /* probe.payload points here */
};
void api_probe_open(lua_State *L); /* into the table on top */
const struct host_probe *api_probe_check(lua_State *L, int at);
/* Pushes a name's number from the table that the metatable's __index has as
 * first upvalue; 0: no such field. */
int api_field_number(lua_State *L, int name_at);
/* The address that a string at a place is, or an argument error. */
struct addr api_check_address(lua_State *L, int at);
void api_push_address(lua_State *L, const struct addr *a);

/* api-reply.c */
struct host_reply {
	struct host_object object;
	uint32_t len;
	struct net_stamp stamp;
	int64_t rtt_ns;
	uint64_t number;        /* that no other reply of the run has */
	struct outcome outcome; /* of this reply */
	bool late;
	/* It is not the one that counts, because: */
	bool duplicate, advice, superseded;
	uint8_t bytes[];
};
void api_reply_open(lua_State *L);
/* What its octets say, which is read of them only when it is asked for; it
 * points into them. */
void api_reply_read(const struct host_reply *reply, struct reply_view *view);
struct host_reply *api_reply_push(
    lua_State *L, const struct wire_event *event, const uint8_t *bytes);

/* result-fields.c */
struct host_result {
	struct host_object object;
	uint64_t cookie;
	struct net_stamp tx;
	struct addr src, next_hop;
	char device[NET_DEVICE_LEN]; /* ends with a zero */
	uint32_t mtu;                /* that did not allow it; 0: not known */
	uint16_t probe_checksum, probe_ip_id; /* as sent */
	uint16_t payload_len;
	bool sent, settled;
	bool timed_out;  /* the wait is over */
	bool quiet;      /* a blocking call waits; not for next() */
	int64_t behind;  /* its slice of the backlog, from 1; 0: none */
	uint8_t verdict; /* enum policy_verdict; 0 unless denied */
	int err;
	uint32_t index;
	bool is_sweep;              /* its probe is a sweep's template */
	struct sweep_counts counts; /* of a sweep that is done */
	uint32_t more;              /* replies that do not count */
	struct outcome outcome;     /* of the one that does; rank 0: none */
};
/* What a result refers to: the reply that counts, and a list of others. */
enum { RESULT_PROBE = 1, RESULT_TAG, RESULT_REPLY, RESULT_MORE };
/* UNKNOWN while it may still change. */
Sonde__Outcome result_outcome(const struct host_result *result);
/* Why the probe was not sent, in words, into `to`, which is returned. */
#define RESULT_ERROR_LEN 96
const char *result_error_text(const struct host_result *result,
    const struct addr *dst, char to[static RESULT_ERROR_LEN]);
/* Pushes a result for the probe on top of the stack, which it takes; tag_at:
 * where the tag is, or 0. */
struct host_result *result_push(lua_State *L, int tag_at);
void api_result_open(lua_State *L);

/* api-next.c */
void api_next_open(lua_State *L);
/* The header is read without a network: a Lua error then. */
struct guardian_client *network_check(lua_State *L);

/* api-train.c, api-sweep.c */
void api_train_open(lua_State *L);
void api_sweep_open(lua_State *L);

/* api-use.c */
void api_use_open(lua_State *L);

/* api-record.c */
void api_record_open(lua_State *L);

/* api-result.c: a row of a table that the header declares. */
int api_record_row(lua_State *L);
/* Announces the script's tables, before its run; nothing when it has none. */
int api_result_announce(lua_State *L);
