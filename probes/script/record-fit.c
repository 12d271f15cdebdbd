/* SPDX-License-Identifier: ISC */
#include <stdbool.h>
#include <stdlib.h>

#include "lib/base/xalloc.h"
#include "lib/record/record.h"
#include "probes/script/record-fit.h"

enum {
	ENVELOPE = 256, /* the record's own fields, the tag and the count */
	FEW = 8         /* replies which fit, whatever is in them */
};
#define ROOM (RECORD_MAX_BYTES - ENVELOPE)

/* With tag and length, in a list whose number is below 16. */
static size_t reply_bytes(const Sonde__Reply *reply)
{
	size_t len = sonde__reply__get_packed_size(reply);
	return len + (len < 128 ? 2 : 3);
}

/* Remarks leave half of the room to outcomes.  How many have to go: the last.
 */
static size_t excess_remarks(Sonde__Reply *const *remarks, size_t count)
{
	size_t size = 0, kept = 0;
	for (; kept < count; kept++) {
		size += reply_bytes(remarks[kept]) + 1; /* a longer tag */
		if (size > ROOM / 2)
			break;
	}
	return count - kept;
}

void record_fit_ping(Sonde__Ping *ping)
{
	if (ping->n_replies + ping->n_remarks <= FEW)
		return;
	size_t size = sonde__ping__get_packed_size(ping);
	if (size <= ROOM)
		return;
	size_t excess = excess_remarks(ping->remarks, ping->n_remarks);
	ping->n_remarks -= excess;
	ping->replies_left_out += (uint32_t)excess;
	size = sonde__ping__get_packed_size(ping);
	while (size > ROOM && ping->n_replies > 0) {
		size -= reply_bytes(ping->replies[--ping->n_replies]);
		ping->replies_left_out++;
	}
}

void record_leave_out(Sonde__Trace *trace, size_t count)
{
	trace->has_replies_left_out_case =
	    SONDE__TRACE__HAS_REPLIES_LEFT_OUT_REPLIES_LEFT_OUT;
	trace->replies_left_out += (uint32_t)count;
}

/* What a reply says of its hop; 0: most. */
static int weight_of(const Sonde__Reply *reply)
{
	enum {
		TARGET,
		SOMEBODY,
		NOBODY,
		AGAIN,
	};
	if (reply->duplicate)
		return AGAIN;
	if (reply->outcome == SONDE__OUTCOME__OUTCOME_ANSWERED)
		return TARGET;
	return reply->from.len > 0 ? SOMEBODY : NOBODY;
}

/* Gives each of a hop's replies its place in the order in which they stay. */
static void rank_hop(
    Sonde__Reply *const *replies, size_t count, uint32_t *ranks)
{
	uint32_t next = 0;
	for (int weight = 0; next < count; weight++)
		for (size_t i = 0; i < count; i++)
			if (weight_of(replies[i]) == weight)
				ranks[i] = next++;
}

static void rank_all(const Sonde__Trace *trace, uint32_t *ranks)
{
	for (size_t at = 0, count; at < trace->n_replies; at += count) {
		Sonde__Reply *const *hop = trace->replies + at;
		for (count = 1; at + count < trace->n_replies &&
		     hop[count]->probe_ttl == hop[0]->probe_ttl;)
			count++;
		rank_hop(hop, count, ranks + at);
	}
}

/* What stays, as far as there is room beside `size` octets. */
static void choose_replies(
    const Sonde__Trace *trace, size_t size, const uint32_t *ranks, bool *stays)
{
	size_t left = trace->n_replies;
	/* So few fit that this ends after few rounds. */
	for (uint32_t rank = 0; left > 0; rank++)
		for (size_t i = 0; i < trace->n_replies; i++) {
			if (ranks[i] != rank)
				continue;
			size += reply_bytes(trace->replies[i]);
			if (size > ROOM)
				return;
			stays[i] = true;
			left--;
		}
}

static void fit_replies(Sonde__Trace *trace)
{
	size_t count = trace->n_replies, kept = 0;
	size_t size = sonde__trace__get_packed_size(trace);
	uint32_t *ranks = xcalloc(count, sizeof(*ranks));
	bool *stays = xcalloc(count, sizeof(*stays));
	rank_all(trace, ranks);
	for (size_t i = 0; i < count; i++)
		size -= reply_bytes(trace->replies[i]);
	choose_replies(trace, size, ranks, stays);
	for (size_t i = 0; i < count; i++)
		if (stays[i])
			trace->replies[kept++] = trace->replies[i];
	trace->n_replies = kept;
	record_leave_out(trace, count - kept);
	free(ranks);
	free(stays);
}

void record_fit_trace(Sonde__Trace *trace)
{
	if (trace->n_replies + trace->n_remarks <= FEW ||
	    sonde__trace__get_packed_size(trace) <= ROOM)
		return;
	size_t excess = excess_remarks(trace->remarks, trace->n_remarks);
	trace->n_remarks -= excess;
	record_leave_out(trace, excess);
	if (trace->n_replies > 0)
		fit_replies(trace);
}
