/* SPDX-License-Identifier: ISC */
/* Heartbeats: the agent's newest state, and that its sensor watched. */
#include <stdio.h>
#include <string.h>

#include "collector/ingest/kinds/ingest-kind.h"

static int prepare_heartbeat(
    struct prepared_record *to, const Sonde__Record *record, struct errmsg *msg)
{
	const Sonde__Heartbeat *heartbeat = record->heartbeat;
	struct prepared_heartbeat *h = &to->heartbeat;
	(void)msg;
	h->uptime_ns = heartbeat->uptime_ns;
	snprintf(h->version, sizeof(h->version), "%s", heartbeat->version);
	for (char *c = h->version; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	/* A sensor that reports its coverage says itself when it watched. */
	bool covers = false;
	for (size_t i = 0; i < heartbeat->n_counters; i++) {
		const char *name = heartbeat->counters[i]->name;
		h->sensor |= strncmp(name, "sensor.", 7) == 0;
		covers |= strcmp(name, "sensor.watching") == 0;
	}
	h->sensor &= !covers;
	return 0;
}

const struct ingest_kind ingest_heartbeat = {
	.prepare = prepare_heartbeat,
};
