/* SPDX-License-Identifier: ISC */
/*
 * One source that sends many packets at once to one address.  A flood from many
 * shows in none of its sources: flood-watch.h.
 */
#include "probes/sensor/detect/detector.h"

#define FLOOD_LEAST_PACKETS 100
#define FLOOD_LEAST_PPS 10
/* Calls, films and transfers of which one direction was captured have tens to
 * hundreds of datagrams a second. */
#define FLOOD_LEAST_DATAGRAMS_PPS 1000
#define FLOOD_PACKETS_PER_PORT 8

static bool is_fast(
    const struct evidence *e, uint64_t packets, int64_t duration_ns)
{
	uint64_t seconds = (uint64_t)(duration_ns / INT64_C(1000000000));
	uint64_t least = e->proto == PACKET_UDP ? FLOOD_LEAST_DATAGRAMS_PPS
						: FLOOD_LEAST_PPS;
	return packets >= FLOOD_LEAST_PACKETS &&
	    packets / (seconds ? seconds : 1) >= least;
}

/* Segments without a SYN are a conversation's, and so are datagrams between two
 * of which one has answered the other at some port. */
static bool is_conversation(const struct evidence *e)
{
	if (e->proto == PACKET_TCP)
		return !e->asks;
	return e->proto == PACKET_UDP && !e->several_targets &&
	    e->answered + e->unasked > 0;
}

/* Many packets at once for one address, not one for each of its ports. */
static bool is_flood(const struct evidence *e)
{
	bool is_tool = e->tool && e->tool_steps >= DETECT_TOOL_LEAST_STEPS;
	if (!e->one_target || is_tool || is_conversation(e))
		return false;
	bool fast = is_fast(e, e->packets, e->duration_ns);
	if (e->several_targets)
		return fast && e->packets >= e->probes / 2;
	bool together =
	    e->answered == 0 && is_fast(e, e->probes, e->probes_duration_ns);
	return (fast || together) &&
	    e->probes / (e->ports ? e->ports : 1) >= FLOOD_PACKETS_PER_PORT;
}

static enum verdict judge_flood(const struct evidence *e)
{
	/* A call is answered, and so is every other conversation. */
	return e->class == CLASS_PROBE && !e->is_answered && is_flood(e)
	    ? VERDICT_FLOOD
	    : VERDICTS;
}

const struct detector detector_flood = {
	.name = "flood",
	.judge = judge_flood,
};
