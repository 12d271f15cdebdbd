/* SPDX-License-Identifier: ISC */
/*
 * One source that sends many packets at once to one address.  A flood from many
 * shows in none of its sources: flood-watch.h.
 */
#include "probes/sensor/detect/detector.h"

#define FLOOD_LEAST_PACKETS 100
#define FLOOD_LEAST_PPS 10
#define FLOOD_PACKETS_PER_PORT 8

static bool is_fast(uint64_t packets, int64_t duration_ns)
{
	uint64_t seconds = (uint64_t)(duration_ns / INT64_C(1000000000));
	return packets >= FLOOD_LEAST_PACKETS &&
	    packets / (seconds ? seconds : 1) >= FLOOD_LEAST_PPS;
}

/* Many packets at once for one address, not one for each of its ports. */
static bool is_flood(const struct evidence *e)
{
	if (!e->one_target)
		return false;
	bool fast = is_fast(e->packets, e->duration_ns);
	if (e->several_targets)
		return fast && e->packets >= e->probes / 2;
	return (fast || is_fast(e->probes, e->probes_duration_ns)) &&
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
