/* SPDX-License-Identifier: ISC */
/* Pings: stored, found by their ends; nothing is summed up. */
#include "collector/ingest/kinds/announce.h"
#include "collector/ingest/kinds/ingest-kind.h"
#include "collector/ingest/kinds/target-end.h"
#include "lib/record/outcome.h"

/* Late or in time, by the one rule; of replies that the record has not, the
 * counts. */
static bool ping_reached(const Sonde__Ping *ping)
{
	for (size_t i = 0; i < ping->n_replies; i++)
		if (reply_reached(ping->replies[i], &ping->dst, ping->method))
			return true;
	return ping->received > 0 || ping->late > 0;
}

static int prepare_ping(
    struct prepared_record *to, const Sonde__Record *record, struct errmsg *msg)
{
	const Sonde__Ping *ping = record->ping;
	(void)msg;
	to->src = addr_from_bytes(ping->src.data, ping->src.len);
	to->dst = addr_from_bytes(ping->dst.data, ping->dst.len);
	to->outcome = (uint8_t)target_end_of(record).outcome;
	to->reached = ping_reached(ping);
	to->unsent = target_has_unsent(record);
	return to->unsent;
}

static int announce_pings(const struct announcement *a, struct errmsg *msg)
{
	return announce_runs(
	    a, SONDE__RECORD__BODY_PING, announce_targets, msg);
}

const struct ingest_kind ingest_ping = {
	.prepare = prepare_ping,
	.announce = announce_pings,
};
