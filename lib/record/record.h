/* SPDX-License-Identifier: ISC */
/*
 * Records as bytes.  The structs are protobuf-c's (Sonde__Record and its
 * bodies, from lib/record/record.proto); this file is the one door between them
 * and bytes that came from outside, and it checks what the schema cannot say:
 * address lengths, counts, known enum values, text that is UTF-8.
 */
#pragma once

#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/err.h"
#include "lib/record/kinds.h"

#define RECORD_MAX_BYTES 65536 /* one packed record */
#define RECORD_MAX_REPLIES 4096

/* Sets a number that need not be there, and that it is:
 * REPLY_SET(reply, RTT_NS, rtt_ns, 1500000).  has_rtt_ns_case tells. */
#define REPLY_SET(reply, NAME, name, value)                              \
	((reply)->has_##name##_case = SONDE__REPLY__HAS_##NAME##_##NAME, \
	    (reply)->name = (value))
#define PING_SET(ping, NAME, name, value)                              \
	((ping)->has_##name##_case = SONDE__PING__HAS_##NAME##_##NAME, \
	    (ping)->name = (value))
#define SIGHTING_SET(sighting, NAME, name, value)                              \
	((sighting)->has_##name##_case = SONDE__SIGHTING__HAS_##NAME##_##NAME, \
	    (sighting)->name = (value))

#define INTERFACE_SET(info, NAME, name, value)              \
	((info)->has_##name##_case =                        \
		SONDE__INTERFACE_INFO__HAS_##NAME##_##NAME, \
	    (info)->name = (value))

/* Appends the packed record.  ERR_LIMIT when it is over RECORD_MAX_BYTES. */
int record_pack(
    const Sonde__Record *record, struct buf *to, struct errmsg *msg);

/* A checked record, or an error that says which field is wrong.  Free with
 * record_free. */
int record_unpack(Sonde__Record **record, const uint8_t *bytes, size_t len,
    struct errmsg *msg);
void record_free(Sonde__Record *record);
/* The same in the arena's memory, with which it ends; never record_free it.
 * Its octets may point into `bytes`, which must live as long.  After an error
 * the arena holds what was half made. */
struct arena;
int record_unpack_in(struct arena *arena, Sonde__Record **record,
    const uint8_t *bytes, size_t len, struct errmsg *msg);

/* How many records a gap declares: all its ranges, and what had no number
 * yet.  UINT64_MAX when that is past counting. */
uint64_t record_gap_count(const Sonde__Gap *gap);

/* Fills wall_ns and mono_ns with now, clock_state and clock_error_ns with what
 * the clock was within the last second. */
void record_stamp(Sonde__Record *record);

/* Appends one line of JSON without its end (versioned schema
 * "sonde-record/1"), addresses as text, times as RFC 3339 beside their _ns
 * fields. */
void record_put_json(struct buf *to, const Sonde__Record *record);
/* The same as a tree, which the caller owns. */
struct json_t;
struct json_t *record_to_json(const Sonde__Record *record);
/* The way back, for those who got it from the API.  Free with record_free. */
int record_from_json(
    Sonde__Record **record, const struct json_t *object, struct errmsg *msg);
