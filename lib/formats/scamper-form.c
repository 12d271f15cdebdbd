/* SPDX-License-Identifier: ISC */
/* Which replies scamper's forms have, and what they say of the whole. */
#include <string.h>

#include "lib/base/clock.h"
#include "lib/formats/scamper-form.h"

bool scamper_has_hop(const Sonde__Trace *trace, const Sonde__Reply *reply)
{
	return reply->from.len > 0 && !reply_not_sent(reply) &&
	    reply_outcome(reply, &trace->dst, trace->method) !=
	    SONDE__OUTCOME__OUTCOME_AMBIGUOUS;
}

bool scamper_has_reply(const Sonde__Ping *ping, const Sonde__Reply *reply)
{
	return reply->from.len > 0 && !reply_not_sent(reply) && !reply->late &&
	    reply_outcome(reply, &ping->dst, ping->method) !=
	    SONDE__OUTCOME__OUTCOME_AMBIGUOUS;
}

bool scamper_is_answer(const Sonde__Ping *ping, const Sonde__Reply *reply)
{
	Sonde__Outcome outcome = reply_outcome(reply, &ping->dst, ping->method);
	return scamper_has_reply(ping, reply) && !reply->duplicate &&
	    reply->has_rtt_ns_case &&
	    (outcome == SONDE__OUTCOME__OUTCOME_ANSWERED ||
		outcome == SONDE__OUTCOME__OUTCOME_OTHER_ADDRESS);
}

struct scamper_times scamper_times_of(
    int64_t record_wall_ns, Sonde__Reply *const *replies, size_t count)
{
	struct scamper_times times = { 0, 0 };
	for (size_t i = 0; i < count; i++) {
		int64_t tx = replies[i]->tx_wall_ns;
		int64_t end =
		    replies[i]->rx_wall_ns > tx ? replies[i]->rx_wall_ns : tx;
		if (tx && (!times.start_ns || tx < times.start_ns))
			times.start_ns = tx;
		if (end > times.end_ns)
			times.end_ns = end;
	}
	if (!times.start_ns)
		times.start_ns = times.end_ns = record_wall_ns;
	return times;
}

struct scamper_times scamper_record_times(const Sonde__Record *r)
{
	if (r->body_case == SONDE__RECORD__BODY_TRACE)
		return scamper_times_of(
		    r->wall_ns, r->trace->replies, r->trace->n_replies);
	if (r->body_case == SONDE__RECORD__BODY_PING)
		return scamper_times_of(
		    r->wall_ns, r->ping->replies, r->ping->n_replies);
	return (struct scamper_times){ 0, 0 };
}

uint8_t scamper_seconds(uint64_t ns)
{
	uint64_t s = ns / NS_PER_S + (ns % NS_PER_S != 0);
	return s < 255 ? (uint8_t)s : 255;
}

struct scamper_stop scamper_stop_of(const char *stop_reason)
{
	static const struct {
		const char *reason;
		struct scamper_stop stop;
	} stops[] = {
		{ "completed", { 1, "COMPLETED" } },
		{ "unreachable", { 2, "UNREACH" } },
		{ "loop", { 4, "LOOP" } },
		{ "gaplimit", { 5, "GAPLIMIT" } },
		{ "echo-only", { 5, "GAPLIMIT" } },
		{ "limited", { 5, "GAPLIMIT" } },
		{ "denied", { 6, "ERROR" } },
		{ "unsent", { 6, "ERROR" } },
		{ "maxttl", { 7, "HOPLIMIT" } },
		{ "deadline", { 9, "HALTED" } },
	};
	for (size_t i = 0; i < sizeof(stops) / sizeof(*stops); i++)
		if (strcmp(stops[i].reason, stop_reason) == 0)
			return stops[i].stop;
	return (struct scamper_stop){ 0, "NONE" };
}

uint8_t scamper_stop_data(const Sonde__Trace *trace)
{
	if (strcmp(trace->stop_reason, "unreachable") != 0)
		return 0;
	for (size_t i = 0; i < trace->n_replies; i++) {
		const Sonde__Reply *r = trace->replies[i];
		if (reply_outcome(r, &trace->dst, trace->method) ==
		    SONDE__OUTCOME__OUTCOME_REJECTED)
			return (uint8_t)r->icmp_code;
	}
	return 0;
}
