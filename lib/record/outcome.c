/* SPDX-License-Identifier: ISC */
/*
 * The outcome of a probe.  ICMP types and codes: RFC 792, RFC 1122 section
 * 3.2.2 (what a host may send: codes 2, 3 and, for its own policy, 13), RFC
 * 4443, RFC 4861 section 4.5 (redirect).  RFC 6633 took source quench away; it
 * was never more than advice.
 */
#include <string.h>

#include "lib/packet/packet.h"
#include "lib/record/outcome.h"

/* ICMP types, by family. */
enum {
	UNREACHABLE_V4 = 3,
	QUENCH_V4 = 4,
	REDIRECT_V4 = 5,
	EXCEEDED_V4 = 11,
	ECHO_REPLY_V4 = 0,
	UNREACHABLE_V6 = 1,
	EXCEEDED_V6 = 3,
	ECHO_REPLY_V6 = 129,
	REDIRECT_V6 = 137
};
enum { PORT_V4 = 3, PORT_V6 = 4, IN_TRANSIT = 0 };

enum meaning { ANSWER, ADVICE, EXCEEDED, PORT, ERROR };

static enum meaning meaning_v4(const struct outcome_reply *r)
{
	switch (r->icmp_type) {
	case ECHO_REPLY_V4: return ANSWER;
	case QUENCH_V4:
	case REDIRECT_V4: return ADVICE;
	case EXCEEDED_V4: return r->icmp_code == IN_TRANSIT ? EXCEEDED : ERROR;
	case UNREACHABLE_V4: return r->icmp_code == PORT_V4 ? PORT : ERROR;
	default: return ERROR;
	}
}

static enum meaning meaning_v6(const struct outcome_reply *r)
{
	switch (r->icmp_type) {
	case ECHO_REPLY_V6: return ANSWER;
	case REDIRECT_V6: return ADVICE;
	case EXCEEDED_V6: return r->icmp_code == IN_TRANSIT ? EXCEEDED : ERROR;
	case UNREACHABLE_V6: return r->icmp_code == PORT_V6 ? PORT : ERROR;
	default: return ERROR;
	}
}

static enum meaning meaning_of(const struct outcome_reply *r)
{
	if (!r->icmp)
		return ANSWER;
	return r->target.family == 6 ? meaning_v6(r) : meaning_v4(r);
}

static struct outcome answer_of(const struct outcome_reply *r, bool by_target)
{
	if (!by_target)
		return (struct outcome){ SONDE__OUTCOME__OUTCOME_OTHER_ADDRESS,
			OUTCOME_RANK_OTHER_ADDRESS, .conclusive = false };
	return (struct outcome){ r->late ? SONDE__OUTCOME__OUTCOME_LATE
					 : SONDE__OUTCOME__OUTCOME_ANSWERED,
		r->receipt ? OUTCOME_RANK_RECEIPT : OUTCOME_RANK_ANSWER,
		.reached = true, .conclusive = !r->receipt };
}

struct outcome outcome_decide(const struct outcome_reply *r)
{
	bool by_target = addr_equal(&r->from, &r->target);
	enum meaning meaning = meaning_of(r);
	if (meaning == ADVICE)
		return (
		    struct outcome){ .outcome = SONDE__OUTCOME__OUTCOME_SILENT,
			.rank = OUTCOME_RANK_ADVICE };
	if (r->ambiguous)
		return (struct outcome){ .outcome =
					     SONDE__OUTCOME__OUTCOME_AMBIGUOUS,
			.rank = OUTCOME_RANK_AMBIGUOUS };
	if (meaning == ANSWER)
		return answer_of(r, by_target);
	/* To UDP a host answers that nobody listens; what refuses an echo or a
	 * connection so is a packet filter, if one of the host itself. */
	if (meaning == PORT && by_target && r->probe_proto == PACKET_UDP)
		return answer_of(r, true);
	if (meaning == EXCEEDED)
		return (struct outcome){ SONDE__OUTCOME__OUTCOME_HOP,
			OUTCOME_RANK_ERROR, .conclusive = true };
	return (struct outcome){ SONDE__OUTCOME__OUTCOME_REJECTED,
		by_target ? OUTCOME_RANK_TARGET_ERROR : OUTCOME_RANK_ERROR,
		.reached = by_target && meaning == PORT,
		.conclusive = by_target };
}

static uint8_t proto_of(const char *method)
{
	if (strcmp(method, "udp") == 0)
		return PACKET_UDP;
	return strcmp(method, "tcp") == 0 ? PACKET_TCP : PACKET_ICMP;
}

static struct addr address_of(const ProtobufCBinaryData *octets)
{
	return addr_from_bytes(octets->data, octets->len);
}

static struct outcome decide_again(const Sonde__Reply *reply,
    const ProtobufCBinaryData *dst, const char *method)
{
	const struct outcome_reply r = { .target = address_of(dst),
		.from = address_of(&reply->from),
		.probe_proto = proto_of(method),
		/* A type that is absent is no error of any kind: a UDP or TCP
		 * answer or, of agents that knew no absence, an echo reply. */
		.icmp = reply->icmp_type != 0,
		.icmp_type = (uint8_t)reply->icmp_type,
		.icmp_code = (uint8_t)reply->icmp_code,
		.late = reply->late };
	return outcome_decide(&r);
}

Sonde__Outcome reply_outcome(const Sonde__Reply *reply,
    const ProtobufCBinaryData *dst, const char *method)
{
	if (reply->outcome != SONDE__OUTCOME__OUTCOME_UNKNOWN)
		return reply->outcome;
	if (*reply->denied)
		return SONDE__OUTCOME__OUTCOME_DENIED;
	if (reply->from.len > 0)
		return decide_again(reply, dst, method).outcome;
	return reply->tx_wall_ns ? SONDE__OUTCOME__OUTCOME_SILENT
				 : SONDE__OUTCOME__OUTCOME_NOT_SENT;
}

bool reply_reached(const Sonde__Reply *reply, const ProtobufCBinaryData *dst,
    const char *method)
{
	Sonde__Outcome outcome = reply_outcome(reply, dst, method);
	if (outcome == SONDE__OUTCOME__OUTCOME_REJECTED)
		return decide_again(reply, dst, method).reached;
	return outcome == SONDE__OUTCOME__OUTCOME_ANSWERED ||
	    outcome == SONDE__OUTCOME__OUTCOME_LATE;
}

bool outcome_was_sent(Sonde__Outcome outcome)
{
	return outcome != SONDE__OUTCOME__OUTCOME_NOT_SENT &&
	    outcome != SONDE__OUTCOME__OUTCOME_DENIED;
}

const char *outcome_name(Sonde__Outcome outcome)
{
	static const char *const names[] = { "unknown", "answered", "hop",
		"rejected", "late", "other-address", "not-sent", "denied",
		"ambiguous", "silent" };
	return (unsigned)outcome < sizeof(names) / sizeof(*names)
	    ? names[outcome]
	    : names[0];
}
