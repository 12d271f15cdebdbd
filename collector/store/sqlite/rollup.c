/* SPDX-License-Identifier: ISC */
/*
 * What a record adds to the sums that pages read, in the transaction that
 * stores it: sightings and traces in files of their own, the rest here.
 * Heartbeats mark the bins in which a sensor watched, so that silence and
 * blindness differ.
 */
#include <stdlib.h>

#include "collector/store/sqlite/bins.h"
#include "collector/store/sqlite/provider.h"
#include "lib/base/xalloc.h"

/* Between two heartbeats of one process the sensor watched, up to this. */
#define WATCH_MAX_NS (900 * NS_PER_S)

static int mark_watch(
    struct rollup *rollup, int64_t from_ns, int64_t to_ns, struct errmsg *msg)
{
	const uint32_t *levels = rollup->store->levels;
	for (int i = 0; i < STORE_LEVELS_MAX && levels[i]; i++) {
		int64_t bin = rollup_bin(from_ns, levels[i]);
		for (; bin <= to_ns / NS_PER_S; bin += levels[i]) {
			int err = db_run(&rollup->store->db, msg,
			    "INSERT OR IGNORE INTO watch VALUES (?1, ?2, ?3)",
			    "iii", (int64_t)levels[i], bin,
			    rollup->batch->agent_row);
			if (err < 0)
				return err;
		}
	}
	return ERR_OK;
}

static int rollup_heartbeat(
    struct rollup *rollup, uint32_t index, struct errmsg *msg)
{
	struct db *db = &rollup->store->db;
	const struct prepared_record *record = &rollup->batch->records[index];
	const struct prepared_heartbeat *heartbeat = &record->heartbeat;
	int64_t now = rollup_sane_ns(rollup->batch->received, record->wall_ns),
		heard;
	int err = db_integer(db, &heard, 0,
	    "SELECT heard_ns FROM agents WHERE id = ?1", "i",
	    rollup->batch->agent_row);
	if (err < 0)
		return db_error(db, msg);
	err = db_run(db, msg,
	    "UPDATE agents SET heard_ns = ?2, heartbeat = ?3, version = ?4"
	    " WHERE id = ?1",
	    "iibt", rollup->batch->agent_row, now, record->body,
	    (size_t)record->body_len, heartbeat->version);
	if (err < 0 || !heartbeat->sensor)
		return err;
	int64_t from = now - WATCH_MAX_NS;
	if (heartbeat->uptime_ns < (uint64_t)WATCH_MAX_NS)
		from = now - (int64_t)heartbeat->uptime_ns;
	if (heard > from && heard <= now)
		from = heard;
	return mark_watch(rollup, from, now, msg);
}

static int rollup_payload(
    struct rollup *rollup, uint32_t index, struct errmsg *msg)
{
	const struct prepared_record *record = &rollup->batch->records[index];
	const Sonde__Payload *payload = record->record->payload;
	return db_run(&rollup->store->db, msg,
	    "INSERT OR IGNORE INTO payloads VALUES (?1, ?2, ?3, ?4)", "bbii",
	    payload->hash.data, payload->hash.len,
	    payload->octets.len ? (const void *)payload->octets.data : "",
	    payload->octets.len, (int64_t)payload->size_bytes,
	    rollup_sane_ns(rollup->batch->received, record->wall_ns));
}

static int rollup_loss(
    struct rollup *rollup, uint32_t index, struct errmsg *msg)
{
	const struct prepared_record *record = &rollup->batch->records[index];
	const Sonde__Loss *loss = record->record->loss;
	/* What was dropped before it had a number was produced, and is lost,
	 * though no gap in the numbers shows it. */
	if (loss->unnumbered > 0) {
		int err = db_run(&rollup->store->db, msg,
		    "UPDATE agents SET lost = lost + ?2 WHERE id = ?1", "ii",
		    rollup->batch->agent_row, (int64_t)loss->unnumbered);
		if (err < 0)
			return err;
	}
	/* The row names the first range; what else is lost is in the sum. */
	uint64_t more = record_loss_count(loss);
	if (loss->from_seq > 0)
		more -= loss->to_seq - loss->from_seq + 1;
	return db_run(&rollup->store->db, msg,
	    "INSERT INTO losses (agent, wall_ns, epoch, from_seq, to_seq,"
	    " unnumbered, reason) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	    "iiiiiit", rollup->batch->agent_row,
	    rollup_sane_ns(rollup->batch->received, record->wall_ns),
	    (int64_t)loss->epoch, (int64_t)loss->from_seq,
	    (int64_t)loss->to_seq, (int64_t)more, loss->reason);
}

static struct rollup *rollup_open(struct store *store,
    const struct prepared_batch *batch, struct store_outcome *outcome)
{
	struct rollup *rollup = xcalloc(1, sizeof(*rollup));
	rollup->store = store;
	rollup->batch = batch;
	rollup->outcome = outcome;
	return rollup;
}

static void rollup_close(struct rollup *rollup, bool failed)
{
	if (failed)
		known_forget(&rollup->store->known);
	sightings_fini(&rollup->sightings);
	traces_fini(&rollup->traces);
	free(rollup);
}

const struct rollup_ops sqlite_rollup = {
	.open = rollup_open,
	.close = rollup_close,
	.run = rollup_run,
	.trace = rollup_trace,
	.traces_finish = rollup_traces_finish,
	.sighting = rollup_sighting,
	.sightings_finish = rollup_sightings_finish,
	.heartbeat = rollup_heartbeat,
	.payload = rollup_payload,
	.loss = rollup_loss,
};
