/* SPDX-License-Identifier: ISC */
/*
 * Sightings by minute, hour and day: a row per source in each bin of each
 * level.  When a source's first row of a bin comes, the bin's count of
 * distinct sources grows, for its agent and for the fleet.  So the counts are
 * exact, whichever agents saw the source and however late they tell, as long
 * as the bin's rows are kept.  The counts are summed up over a batch and
 * written once.
 */
#include <stdlib.h>

#include "collector/store-sqlite.h"
#include "lib/xalloc.h"

struct rollup_series {
	uint32_t bin_s; /* 0: an empty slot */
	int64_t kind, agent, bin;
	uint64_t sources, packets;
};

void rollup_fini(struct rollup *rollup)
{
	free(rollup->series);
	rollup->series = NULL;
}

/* The slot of a sum; there is always a free one. */
static struct rollup_series *series_slot(
    struct rollup *rollup, const struct rollup_series *key)
{
	uint64_t hash = ((uint64_t)key->bin * 31 + (uint64_t)key->kind) * 31 +
	    (uint64_t)key->agent * 7 + key->bin_s;
	hash *= UINT64_C(0x9e3779b97f4a7c15);
	size_t mask = rollup->series_cap - 1;
	for (size_t i = hash >> 32 & mask;; i = (i + 1) & mask) {
		struct rollup_series *slot = &rollup->series[i];
		if (slot->bin_s == 0 ||
		    (slot->bin_s == key->bin_s && slot->bin == key->bin &&
		    slot->kind == key->kind && slot->agent == key->agent))
			return slot;
	}
}

static void series_grow(struct rollup *rollup)
{
	struct rollup_series *old = rollup->series;
	size_t old_cap = rollup->series_cap;
	rollup->series_cap = old_cap ? old_cap * 2 : 64;
	rollup->series = xcalloc(rollup->series_cap, sizeof(*old));
	for (size_t i = 0; i < old_cap; i++)
		if (old[i].bin_s)
			*series_slot(rollup, &old[i]) = old[i];
	free(old);
}

static void series_add(struct rollup *rollup, const struct rollup_series *sum)
{
	if (rollup->series_count * 2 >= rollup->series_cap)
		series_grow(rollup);
	struct rollup_series *slot = series_slot(rollup, sum);
	if (slot->bin_s == 0) {
		*slot = *sum;
		rollup->series_count++;
		return;
	}
	slot->sources += sum->sources;
	slot->packets += sum->packets;
}

int rollup_finish(struct rollup *rollup, struct errmsg *msg)
{
	for (size_t i = 0; i < rollup->series_cap; i++) {
		const struct rollup_series *sum = &rollup->series[i];
		if (sum->bin_s == 0)
			continue;
		int err = db_run(&rollup->store->db, msg,
		    "INSERT INTO series VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
		    " ON CONFLICT DO UPDATE SET sources = sources + ?5,"
		    " packets = packets + ?6",
		    "iiiiii", (int64_t)sum->bin_s, sum->kind, sum->agent,
		    sum->bin, (int64_t)sum->sources, (int64_t)sum->packets);
		if (err < 0)
			return err;
	}
	return ERR_OK;
}

struct sighting {
	const Sonde__Sighting *body;
	const struct addr *src;
	int64_t kind, first_ns, last_ns;
};

/* The kind's row, made if it is the first of its kind; adds the packets. */
static int kind_row(
    struct rollup *rollup, struct sighting *s, struct errmsg *msg)
{
	struct db *db = &rollup->store->db;
	sqlite3_stmt *row = db_query(db,
	    "INSERT INTO kinds (verdict, signature, packets, first_ns,"
	    " last_ns) VALUES (?1, ?2, ?3, ?4, ?5)"
	    " ON CONFLICT DO UPDATE SET packets = packets + ?3,"
	    " first_ns = min(first_ns, ?4), last_ns = max(last_ns, ?5)"
	    " RETURNING id",
	    "ttiii", s->body->verdict, s->body->signature,
	    (int64_t)s->body->packets, s->first_ns, s->last_ns);
	int err = db_step(db, row, msg);
	if (err == 1) {
		s->kind = sqlite3_column_int64(row, 0);
		err = db_step(db, row, msg);
	}
	db_reset(row);
	return err;
}

static void note_new_source(struct rollup *rollup, uint32_t index)
{
	struct store_outcome *outcome = rollup->outcome;
	if (!outcome->new_sources)
		outcome->new_sources = xcalloc(rollup->intake->header.count,
		    sizeof(*outcome->new_sources));
	outcome->new_sources[outcome->new_source_count++] = index;
}

/* Whether this source was ever seen with this kind. */
static int source_ever(struct rollup *rollup, const struct sighting *s,
    uint32_t index, struct errmsg *msg)
{
	struct db *db = &rollup->store->db;
	int err = db_run(db, msg,
	    "UPDATE seen SET last_ns = max(last_ns, ?3)"
	    " WHERE kind = ?1 AND src = ?2",
	    "iai", s->kind, s->src, s->last_ns);
	if (err < 0 || db_changes(db) > 0)
		return err;
	note_new_source(rollup, index);
	err = db_run(db, msg, "INSERT INTO seen VALUES (?1, ?2, ?3)", "iai",
	    s->kind, s->src, s->last_ns);
	if (err < 0)
		return err;
	return db_run(db, msg,
	    "UPDATE kinds SET sources = sources + 1 WHERE id = ?1", "i",
	    s->kind);
}

/* Whether the bin holds the source already: for any agent, for this one. */
static int source_known(struct rollup *rollup, const struct sighting *s,
    const struct rollup_series *key, bool known[2])
{
	struct db *db = &rollup->store->db;
	int64_t found;
	int err = db_integer(db, &found, 0,
	    "SELECT EXISTS (SELECT 1 FROM sources WHERE bin_s = ?1"
	    "  AND bin = ?2 AND kind = ?3 AND src = ?4)"
	    " + EXISTS (SELECT 1 FROM sources WHERE bin_s = ?1 AND bin = ?2"
	    "  AND kind = ?3 AND src = ?4 AND agent = ?5)",
	    "iiiai", (int64_t)key->bin_s, key->bin, s->kind, s->src,
	    rollup->intake->agent_row);
	known[0] = found >= 1;
	known[1] = found == 2;
	return err;
}

static int source_insert(struct rollup *rollup, const struct sighting *s,
    const struct rollup_series *key, struct errmsg *msg)
{
	const Sonde__Sighting *b = s->body;
	return db_run(&rollup->store->db, msg,
	    "INSERT INTO sources VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9,"
	    " ?10, ?11, ?12, ?13)",
	    "iiiaiiiiiiibi", (int64_t)key->bin_s, key->bin, s->kind, s->src,
	    rollup->intake->agent_row, (int64_t)b->proto, (int64_t)b->dport,
	    (int64_t)b->packets, (int64_t)b->targets, s->first_ns, s->last_ns,
	    b->payload_hash.len ? b->payload_hash.data : NULL,
	    b->payload_hash.len, (int64_t)b->spoofable);
}

/* 1: the row was there and has been added to. */
static int source_update(struct rollup *rollup, const struct sighting *s,
    const struct rollup_series *key, struct errmsg *msg)
{
	const Sonde__Sighting *b = s->body;
	int err = db_run(&rollup->store->db, msg,
	    "UPDATE sources SET packets = packets + ?8,"
	    " targets = max(targets, ?9), first_ns = min(first_ns, ?10),"
	    " last_ns = max(last_ns, ?11), payload = ifnull(payload, ?12),"
	    " spoofable = min(spoofable, ?13)"
	    " WHERE bin_s = ?1 AND bin = ?2 AND kind = ?3 AND src = ?4"
	    " AND agent = ?5 AND proto = ?6 AND dport = ?7",
	    "iiiaiiiiiiibi", (int64_t)key->bin_s, key->bin, s->kind, s->src,
	    rollup->intake->agent_row, (int64_t)b->proto, (int64_t)b->dport,
	    (int64_t)b->packets, (int64_t)b->targets, s->first_ns, s->last_ns,
	    b->payload_hash.len ? b->payload_hash.data : NULL,
	    b->payload_hash.len, (int64_t)b->spoofable);
	return err < 0 ? err : db_changes(&rollup->store->db) > 0;
}

static int add_to_level(struct rollup *rollup, const struct sighting *s,
    uint32_t bin_s, struct errmsg *msg)
{
	struct rollup_series sum = {
	    .bin_s = bin_s,
	    .kind = s->kind,
	    .agent = STORE_FLEET,
	    .bin = rollup_bin(s->first_ns, bin_s),
	    .packets = s->body->packets,
	};
	bool known[2] = {true, true};
	int err = source_update(rollup, s, &sum, msg);
	if (err == 0) {
		err = source_known(rollup, s, &sum, known);
		if (err < 0)
			return db_error(&rollup->store->db, msg);
		err = source_insert(rollup, s, &sum, msg);
	}
	if (err < 0)
		return err;
	sum.sources = !known[0];
	series_add(rollup, &sum);
	sum.agent = rollup->intake->agent_row;
	sum.sources = !known[1];
	series_add(rollup, &sum);
	return ERR_OK;
}

int rollup_sighting(
    struct rollup *rollup, uint32_t index, struct errmsg *msg)
{
	const struct intake_record *record = &rollup->intake->records[index];
	struct sighting s = {
	    .body = record->record->sighting, .src = &record->src};
	s.first_ns = rollup_sane_ns(rollup, s.body->first_wall_ns);
	s.last_ns = rollup_sane_ns(rollup, s.body->last_wall_ns);
	int err = kind_row(rollup, &s, msg);
	if (err == ERR_OK)
		err = source_ever(rollup, &s, index, msg);
	const uint32_t *levels = rollup->store->levels;
	for (int i = 0; err == ERR_OK && i < STORE_LEVELS_MAX && levels[i];
	    i++)
		err = add_to_level(rollup, &s, levels[i], msg);
	return err;
}
