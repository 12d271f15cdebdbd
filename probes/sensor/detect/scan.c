/* SPDX-License-Identifier: ISC */
/*
 * Scans, and what else a packet without a signature is.  One packet is read by
 * its content (message.h); who began and whether it was answered comes from the
 * contacts, and odds.c makes odds of that.  The order of the questions matters:
 * who answers is a victim or a server, never an attacker; whose address cannot
 * have sent it is nobody; only then do odds decide.
 *
 * The walk counts contacts, that is (address, port).  Four shapes of them are
 * known from innocent sources, and then a failed contact counts half:
 *
 *   one address        a former user's services are looked for again
 *   scattered          each contact another address and another port, as a
 *                      peer-to-peer program has them; when some were answered
 *                      the shape shows nothing at all
 *   asked again        each contact three datagrams and more that differ, as
 *                      who needs an answer asks, where a scanner goes on to
 *                      others; from nine attempts on it is half of a dialogue
 *
 * A source that was answered by nearly all of its addresses knows them: where
 * only one direction was captured its pings stay without an answer, but not its
 * connections.
 *
 * A source that speaks a protocol of peers to as many addresses has a list of
 * peers, of which most are gone: it is no sample of what an innocent source
 * asks, and shows nothing either.
 */
#include "probes/sensor/detect/detector.h"
#include "probes/sensor/detect/odds.h"

#define SCATTERED_LEAST 8
#define INSISTING_REPEATS 2
#define DIALOGUE_REPEATS 8
#define PEERS_LEAST 4
#define ADDRESSES_PER_PEER 3
#define PORTS_PER_PEER 3
#define AMPLIFIED_LEAST_PACKETS 10
#define AMPLIFIED_LEAST_REPEATS 3
/* A server whose questions were before the capture began has a few answers that
 * nobody asked for; a victim has little else. */
#define REPLIES_PER_UNASKED 4

static enum packet_class class_of(enum message_role role)
{
	switch (role) {
	case MESSAGE_QUESTION:
	case MESSAGE_EITHER: return CLASS_PROBE;
	case MESSAGE_ANSWER:
	case MESSAGE_ERROR: return CLASS_BACKSCATTER;
	case MESSAGE_STRAY: return CLASS_STRAY;
	case MESSAGE_LOCAL: return CLASS_LOCAL;
	case MESSAGE_NONE:
	case MESSAGE_ROLES: break;
	}
	return CLASS_OTHER;
}

/* A frame for all of a link is its own, wherever its packet goes. */
static bool read_scan(const struct packet *p, struct reading *r)
{
	if (p->link_cast == PACKET_CAST_BROADCAST ||
	    p->link_cast == PACKET_CAST_MULTICAST)
		r->message.role = MESSAGE_LOCAL;
	r->class = class_of(r->message.role);
	return true;
}

static uint32_t contacts_of(const struct evidence *e)
{
	return e->failed + e->answered + e->unknown;
}

static bool is_scattered(const struct evidence *e)
{
	uint32_t contacts = contacts_of(e);
	return contacts >= SCATTERED_LEAST && e->ports > contacts / 2 &&
	    e->destinations > contacts / 2;
}

/* What is asked by TCP or otherwise is about the same addresses. */
static bool is_peer(const struct evidence *e)
{
	return e->peers >= PEERS_LEAST &&
	    e->destinations <= e->peers * ADDRESSES_PER_PEER &&
	    e->ports <= e->peers * PORTS_PER_PEER;
}

/* It got answers from nearly all whom it asked, if not to each question. */
static bool is_acquainted(const struct evidence *e)
{
	return e->answered >= e->destinations - e->destinations / 4 &&
	    e->failed <= 2 * e->answered;
}

/* By the walk, less what the contacts' shape explains. */
static uint64_t scan_odds(const struct evidence *e)
{
	bool scattered = is_scattered(e);
	if (is_peer(e) || is_acquainted(e) || (scattered && e->answered > 0))
		return 0;
	uint32_t again = e->repeats / (contacts_of(e) ? contacts_of(e) : 1);
	if (again >= DIALOGUE_REPEATS)
		return 0;
	bool half = scattered || e->destinations <= 1 ||
	    (again >= INSISTING_REPEATS && e->proto == PACKET_UDP);
	return odds_of(half ? e->best / 2 : e->best);
}

/* One packet's 16 bits are chance where there are many packets. */
static uint64_t tool_odds(const struct evidence *e)
{
	return e->tool && e->tool_steps >= DETECT_TOOL_LEAST_STEPS
	    ? odds_of(e->tool_steps)
	    : 0;
}

static bool is_accused(const struct evidence *e, uint64_t odds)
{
	return odds > 0 && (double)odds >= e->accuse_at;
}

static bool is_initial_ttl(uint8_t ttl)
{
	return ttl == 32 || ttl == 64 || ttl == 128 || ttl == 255;
}

/* A source that no router forwards, and that was forwarded; a host on its own
 * link has the TTL that it began with, and gets answers. */
static bool is_unrouted(const struct evidence *e)
{
	return e->scope != SCOPE_PUBLIC && e->answered == 0 &&
	    e->replies == 0 &&
	    !(is_initial_ttl(e->ttl_min) || is_initial_ttl(e->ttl_max));
}

/* The same question again and again to the same servers has an answer that
 * somebody else gets. */
static bool is_amplified(const struct evidence *e)
{
	return e->amplifying_packets >= AMPLIFIED_LEAST_PACKETS &&
	    e->amplifying_packets / AMPLIFIED_LEAST_REPEATS >=
	    e->amplifying_contacts;
}

static enum verdict probe_verdict(const struct evidence *e)
{
	if (is_unrouted(e))
		return VERDICT_UNROUTED;
	if (e->is_own)
		return VERDICT_OTHER;
	if (is_amplified(e)) /* who gets answers asks for himself */
		return e->answered == 0 ? VERDICT_FLOOD : VERDICT_PROBE;
	if (e->tool && e->tool->maybe_forged)
		return VERDICT_PROBE;
	if (is_accused(e, tool_odds(e)))
		return VERDICT_SCAN;
	if (e->failed + e->unknown == 0)
		return VERDICT_OTHER;
	if (is_accused(e, scan_odds(e)))
		return VERDICT_SCAN;
	return e->answered > 0 && e->answered >= e->failed ? VERDICT_OTHER
							   : VERDICT_PROBE;
}

static bool is_victim(const struct evidence *e)
{
	return e->unasked > e->replies / REPLIES_PER_UNASKED;
}

static enum verdict judge_scan(const struct evidence *e)
{
	switch (e->class) {
	case CLASS_PROBE: return probe_verdict(e);
	case CLASS_BACKSCATTER:
		return is_victim(e) ? VERDICT_BACKSCATTER : VERDICT_OTHER;
	case CLASS_STRAY:
		return e->is_answered || e->is_own ? VERDICT_OTHER
						   : VERDICT_MISCONFIGURATION;
	case CLASS_WORM:
	case CLASS_REPLY:
	case CLASS_LOCAL:
	case CLASS_OTHER:
	case CLASSES: break;
	}
	return VERDICT_OTHER;
}

static void explain_scan(const struct evidence *e, struct judgement *j)
{
	switch (j->verdict) {
	case VERDICT_UNROUTED: j->rule = "unrouted-source"; return;
	case VERDICT_FLOOD:
		j->rule = "amplification";
		j->of_victim = true;
		return;
	case VERDICT_BACKSCATTER: j->rule = "unasked-answer"; return;
	case VERDICT_MISCONFIGURATION: j->rule = "stray-peer"; return;
	case VERDICT_SCAN:
	case VERDICT_PROBE:
		j->rule = "failed-contacts";
		j->odds = scan_odds(e);
		if (e->tool && tool_odds(e) >= j->odds) {
			j->rule = e->tool->name;
			j->odds = tool_odds(e);
		}
		return;
	case VERDICT_WORM:
	case VERDICT_OTHER:
	case VERDICTS: break;
	}
	j->rule = e->class == CLASS_PROBE ? "answered"
	    : e->class == CLASS_REPLY     ? "answer"
	    : e->class == CLASS_LOCAL     ? "local"
					  : "none";
}

const struct detector detector_scan = {
	.name = "scan",
	.packet = read_scan,
	.judge = judge_scan,
	.explain = explain_scan,
};
