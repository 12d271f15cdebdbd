/* SPDX-License-Identifier: ISC */
/*
 * Sightings by minute, hour and day: a row per source in each bin of each
 * level.  When a source's first row of a bin comes, the bin's count of
 * distinct sources grows, for its agent and for the fleet.  So the counts are
 * exact, whichever agents saw the source and however late they tell, as long
 * as the bin's rows are kept.
 *
 * A batch is summed up in memory first, into the bins of the finest level;
 * once those are written they are joined into the bins of the next.
 */
#include <stdlib.h>
#include <string.h>

#include "collector/store/sqlite/bins.h"
#include "collector/store/sqlite/provider.h"
#include "lib/base/xalloc.h"

#define LOOK_MOST 16 /* rows of one source in one bin */

void sightings_fini(struct sightings *s)
{
	free(s->kinds);
	free(s->sources);
	free(s->points);
	index_fini(&s->source_index);
	index_fini(&s->point_index);
	*s = (struct sightings){ 0 };
}

/* The kind in this batch; there are few. */
static size_t kind_of(struct sightings *s, const Sonde__Sighting *body)
{
	for (size_t i = 0; i < s->kind_count; i++)
		if (strcmp(s->kinds[i].verdict, body->verdict) == 0 &&
		    strcmp(s->kinds[i].signature, body->signature) == 0)
			return i;
	s->kinds =
	    xreallocarray(s->kinds, s->kind_count + 1, sizeof(*s->kinds));
	s->kinds[s->kind_count] = (struct sighting_kind){
		.verdict = body->verdict,
		.signature = body->signature,
		.first_ns = INT64_MAX,
	};
	return s->kind_count++;
}

static struct sighting_source *source_slot(
    struct sightings *s, const struct sighting_key *key)
{
	uint64_t hash = index_hash(key, sizeof(*key));
	struct index_walk walk = index_walk(&s->source_index, hash);
	size_t i;
	while (index_next(&walk, &i))
		if (memcmp(&s->sources[i].key, key, sizeof(*key)) == 0)
			return &s->sources[i];
	if (s->source_count == s->source_cap) {
		s->source_cap = s->source_cap ? s->source_cap * 2 : 64;
		s->sources = xreallocarray(
		    s->sources, s->source_cap, sizeof(*s->sources));
	}
	index_put(&s->source_index, hash, s->source_count);
	struct sighting_source *made = &s->sources[s->source_count++];
	*made = (struct sighting_source){
		.key = *key, .first_ns = INT64_MAX, .spoofable = true
	};
	return made;
}

static void source_join(
    struct sighting_source *to, const struct sighting_source *from)
{
	if (to->packets == 0) {
		to->index = from->index;
		to->src = from->src;
	}
	to->packets += from->packets;
	if (from->targets > to->targets)
		to->targets = from->targets;
	if (from->first_ns < to->first_ns)
		to->first_ns = from->first_ns;
	if (from->last_ns > to->last_ns)
		to->last_ns = from->last_ns;
	if (!to->payload)
		to->payload = from->payload;
	to->spoofable &= from->spoofable;
}

int rollup_sighting(struct rollup *rollup, uint32_t index, struct errmsg *msg)
{
	(void)msg;
	struct sightings *s = &rollup->sightings;
	const struct prepared_record *record = &rollup->batch->records[index];
	const Sonde__Sighting *body = record->record->sighting;
	struct sighting_source one = {
		.src = record->src,
		.index = index,
		.packets = body->packets,
		.targets = body->targets,
		.first_ns = rollup_sane_ns(
		    rollup->batch->received, body->first_wall_ns),
		.last_ns =
		    rollup_sane_ns(rollup->batch->received, body->last_wall_ns),
		.payload =
		    body->payload_hash.len ? body->payload_hash.data : NULL,
		.spoofable = body->spoofable,
	};
	struct sighting_key key = {
		.kind = kind_of(s, body),
		.family = record->src.family,
		.proto = body->proto,
		.dport = body->dport,
		.bin = rollup_bin(one.first_ns, rollup->store->levels[0]),
	};
	memcpy(key.src, record->src.bytes, sizeof(key.src));
	source_join(source_slot(s, &key), &one);
	struct sighting_kind *kind = &s->kinds[key.kind];
	kind->packets += one.packets;
	if (one.first_ns < kind->first_ns)
		kind->first_ns = one.first_ns;
	if (one.last_ns > kind->last_ns)
		kind->last_ns = one.last_ns;
	return ERR_OK;
}

static int write_kind(
    struct rollup *rollup, struct sighting_kind *kind, struct errmsg *msg)
{
	struct db *db = &rollup->store->db;
	sqlite3_stmt *row = db_query(db,
	    "INSERT INTO kinds (verdict, signature, packets, first_ns,"
	    " last_ns) VALUES (?1, ?2, ?3, ?4, ?5)"
	    " ON CONFLICT DO UPDATE SET packets = packets + ?3,"
	    " first_ns = min(first_ns, ?4), last_ns = max(last_ns, ?5)"
	    " RETURNING id",
	    "ttiii", kind->verdict, kind->signature, (int64_t)kind->packets,
	    kind->first_ns, kind->last_ns);
	int err = db_step(db, row, msg);
	if (err == 1) {
		kind->row = sqlite3_column_int64(row, 0);
		err = db_step(db, row, msg);
	}
	db_reset(row);
	return err;
}

static void add_point(struct sightings *s, const struct sighting_point *add)
{
	int64_t key[] = { add->kind, add->agent, add->bin };
	uint64_t hash = index_hash(key, sizeof(key));
	struct index_walk walk = index_walk(&s->point_index, hash);
	size_t i;
	while (index_next(&walk, &i)) {
		struct sighting_point *point = &s->points[i];
		if (point->kind == add->kind && point->agent == add->agent &&
		    point->bin == add->bin) {
			point->sources += add->sources;
			point->packets += add->packets;
			return;
		}
	}
	s->points =
	    xreallocarray(s->points, s->point_count + 1, sizeof(*s->points));
	index_put(&s->point_index, hash, s->point_count);
	s->points[s->point_count++] = *add;
}

/* A source's row in one bin of one level, for the statements below. */
struct source_row {
	struct rollup *rollup;
	const struct sighting_source *source;
	int64_t bin_s, kind;
};

/* To what was there, if anything was. */
static int source_add(const struct source_row *r, struct errmsg *msg)
{
	const struct sighting_source *s = r->source;
	return db_run(&r->rollup->store->db, msg,
	    "INSERT INTO sources VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9,"
	    " ?10, ?11, ?12, ?13) ON CONFLICT DO UPDATE SET"
	    " packets = packets + ?8, targets = max(targets, ?9),"
	    " first_ns = min(first_ns, ?10), last_ns = max(last_ns, ?11),"
	    " payload = ifnull(payload, ?12), spoofable = min(spoofable, ?13)",
	    "iiiaiiiiiiibi", r->bin_s, s->key.bin, r->kind, &s->src,
	    r->rollup->batch->agent_row, s->key.proto, s->key.dport,
	    (int64_t)s->packets, (int64_t)s->targets, s->first_ns, s->last_ns,
	    s->payload, (size_t)16, (int64_t)s->spoofable);
}

/* Whatever was there.  The table has no other index, so replacing is one
 * descent, where adding in place would be two. */
static int source_put(const struct source_row *r,
    const struct sighting_source *s, struct errmsg *msg)
{
	return db_run(&r->rollup->store->db, msg,
	    "INSERT OR REPLACE INTO sources VALUES (?1, ?2, ?3, ?4, ?5, ?6,"
	    " ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
	    "iiiaiiiiiiibi", r->bin_s, s->key.bin, r->kind, &s->src,
	    r->rollup->batch->agent_row, s->key.proto, s->key.dport,
	    (int64_t)s->packets, (int64_t)s->targets, s->first_ns, s->last_ns,
	    s->payload, (size_t)16, (int64_t)s->spoofable);
}

/* What the bin holds of a source. */
struct source_held {
	int64_t known; /* 0 nothing; 1 from other agents; 2 from this one */
	bool row;      /* this very one: with the same port */
	bool too_many; /* there may be more than was looked at */
	struct sighting_source sum; /* of the row */
	uint8_t payload[16];
};

static void held_row(struct source_held *held, sqlite3_stmt *row)
{
	held->row = true;
	held->sum = (struct sighting_source){
		.packets = (uint64_t)sqlite3_column_int64(row, 3),
		.targets = (uint64_t)sqlite3_column_int64(row, 4),
		.first_ns = sqlite3_column_int64(row, 5),
		.last_ns = sqlite3_column_int64(row, 6),
		.spoofable = sqlite3_column_int64(row, 8) != 0,
	};
	if (sqlite3_column_type(row, 7) == SQLITE_NULL)
		return;
	db_column_copy(row, 7, held->payload, sizeof(held->payload));
	held->sum.payload = held->payload;
}

/* The rows of one source in one bin lie side by side and are few: one for
 * each agent and port. */
static int source_look(
    const struct source_row *r, struct source_held *held, struct errmsg *msg)
{
	const struct sighting_source *s = r->source;
	struct db *db = &r->rollup->store->db;
	int64_t mine = r->rollup->batch->agent_row;
	sqlite3_stmt *row = db_query(db,
	    "SELECT agent, proto, dport, packets, targets, first_ns, last_ns,"
	    " payload, spoofable FROM sources WHERE bin_s = ?1 AND bin = ?2"
	    " AND kind = ?3 AND src = ?4",
	    "iiia", r->bin_s, s->key.bin, r->kind, &s->src);
	int err, looked = 0;
	while ((err = db_step(db, row, msg)) == 1 && looked++ < LOOK_MOST) {
		bool own = sqlite3_column_int64(row, 0) == mine;
		if (own || held->known == 0)
			held->known = own ? 2 : 1;
		if (own && sqlite3_column_int64(row, 1) == s->key.proto &&
		    sqlite3_column_int64(row, 2) == s->key.dport) {
			held_row(held, row);
			break;
		}
	}
	held->too_many = looked > LOOK_MOST;
	db_reset(row);
	return err < 0 ? err : ERR_OK;
}

/* Whether the bin holds the source already: 0 no, 1 for another agent, 2 for
 * this one (then with another port, or this very row). */
static int source_known(const struct source_row *r, int64_t *known)
{
	const struct sighting_source *s = r->source;
	return db_integer(&r->rollup->store->db, known, 0,
	    "SELECT EXISTS (SELECT 1 FROM sources WHERE bin_s = ?1"
	    "  AND bin = ?2 AND kind = ?3 AND src = ?4)"
	    " + EXISTS (SELECT 1 FROM sources WHERE bin_s = ?1 AND bin = ?2"
	    "  AND kind = ?3 AND src = ?4 AND agent = ?5)",
	    "iiiai", r->bin_s, s->key.bin, r->kind, &s->src,
	    r->rollup->batch->agent_row);
}

static void note_new_source(struct rollup *rollup, uint32_t index)
{
	struct store_outcome *outcome = rollup->outcome;
	if (!outcome->new_sources)
		outcome->new_sources = xcalloc(
		    rollup->batch->header.count, sizeof(*outcome->new_sources));
	outcome->new_sources[outcome->new_source_count++] = index;
}

/* Whether this source was ever seen with this kind; asked once a day. */
static int source_ever(const struct source_row *r, struct errmsg *msg)
{
	const struct sighting_source *s = r->source;
	struct db *db = &r->rollup->store->db;
	int err = db_run(db, msg,
	    "UPDATE seen SET last_ns = max(last_ns, ?3)"
	    " WHERE kind = ?1 AND src = ?2",
	    "iai", r->kind, &s->src, s->last_ns);
	if (err < 0 || db_changes(db) > 0)
		return err;
	note_new_source(r->rollup, s->index);
	err = db_run(db, msg, "INSERT INTO seen VALUES (?1, ?2, ?3)", "iai",
	    r->kind, &s->src, s->last_ns);
	if (err < 0)
		return err;
	return db_run(db, msg,
	    "UPDATE kinds SET sources = sources + 1 WHERE id = ?1", "i",
	    r->kind);
}

/* The bin's place in what is remembered, asked for once. */
static int bin_known(const struct source_row *r, struct known_bin **bin)
{
	struct store *store = r->rollup->store;
	int64_t at = r->source->key.bin, filled;
	*bin = known_bin_find(&store->known, r->bin_s, at);
	if (*bin)
		return ERR_OK;
	int err = db_integer(&store->db, &filled, 1,
	    "SELECT EXISTS (SELECT 1 FROM sources WHERE bin_s = ?1"
	    " AND bin = ?2)",
	    "ii", r->bin_s, at);
	*bin = known_bin_add(&store->known, r->bin_s, at, !filled);
	return err;
}

/* Without the memory: a look at the rows, or where a source has very many of
 * them a descent for each question. */
static int source_write_unknown(
    const struct source_row *r, int64_t *known, struct errmsg *msg)
{
	struct source_held held = { 0 };
	int err = source_look(r, &held, msg);
	if (err < 0)
		return err;
	*known = held.known;
	if (held.too_many) {
		if (source_known(r, known) < 0)
			return db_error(&r->rollup->store->db, msg);
		return source_add(r, msg);
	}
	if (!held.row)
		return source_put(r, r->source, msg);
	held.sum.key = r->source->key;
	held.sum.src = r->source->src;
	source_join(&held.sum, r->source);
	return source_put(r, &held.sum, msg);
}

static int source_write(
    const struct source_row *r, int64_t *known, struct errmsg *msg)
{
	const struct sighting_source *s = r->source;
	struct store *store = r->rollup->store;
	struct known_bin *bin;
	struct known_key key = { .kind = r->kind, .family = s->key.family };
	memcpy(key.src, s->key.src, sizeof(key.src));
	if (bin_known(r, &bin) < 0)
		return db_error(&store->db, msg);
	switch (
	    known_note(&store->known, bin, &key, r->rollup->batch->agent_row)) {
	case KNOWN_NOBODY: *known = 0; return source_put(r, s, msg);
	case KNOWN_OTHERS: *known = 1; return source_put(r, s, msg);
	case KNOWN_AGENT: *known = 2; return source_add(r, msg);
	case KNOWN_UNKNOWN: break;
	}
	return source_write_unknown(r, known, msg);
}

static int write_source(struct rollup *rollup,
    const struct sighting_source *source, uint32_t bin_s, struct errmsg *msg)
{
	struct sightings *s = &rollup->sightings;
	struct source_row row = { rollup, source, bin_s,
		s->kinds[source->key.kind].row };
	/* Without a name it is no source, only packets. */
	bool named = source->key.family != 0;
	int64_t known = 2;
	int err = named ? source_write(&row, &known, msg) : ERR_OK;
	if (err == ERR_OK && known == 0 && bin_s == 86400)
		err = source_ever(&row, msg);
	if (err < 0)
		return err;
	struct sighting_point point = {
		.kind = row.kind,
		.agent = STORE_FLEET,
		.bin = source->key.bin,
		.sources = known == 0,
		.packets = source->packets,
	};
	add_point(s, &point);
	point.agent = rollup->batch->agent_row;
	point.sources = known < 2;
	add_point(s, &point);
	return ERR_OK;
}

static int write_points(
    struct rollup *rollup, uint32_t bin_s, struct errmsg *msg)
{
	struct sightings *s = &rollup->sightings;
	int err = ERR_OK;
	for (size_t i = 0; err == ERR_OK && i < s->point_count; i++) {
		const struct sighting_point *p = &s->points[i];
		err = db_run(&rollup->store->db, msg,
		    "INSERT INTO series VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
		    " ON CONFLICT DO UPDATE SET sources = sources + ?5,"
		    " packets = packets + ?6",
		    "iiiiii", (int64_t)bin_s, p->kind, p->agent, p->bin,
		    (int64_t)p->sources, (int64_t)p->packets);
	}
	s->point_count = 0;
	index_clear(&s->point_index);
	return err;
}

/* The bins of one level become those of the next. */
static void join_level(struct sightings *s, uint32_t bin_s)
{
	struct sighting_source *old = s->sources;
	size_t count = s->source_count;
	s->sources = NULL;
	s->source_count = s->source_cap = 0;
	index_clear(&s->source_index);
	for (size_t i = 0; i < count; i++) {
		struct sighting_key key = old[i].key;
		key.bin -= key.bin % bin_s;
		source_join(source_slot(s, &key), &old[i]);
	}
	free(old);
}

int rollup_sightings_finish(struct rollup *rollup, struct errmsg *msg)
{
	struct sightings *s = &rollup->sightings;
	const uint32_t *levels = rollup->store->levels;
	int err = ERR_OK;
	for (size_t i = 0; err == ERR_OK && i < s->kind_count; i++)
		err = write_kind(rollup, &s->kinds[i], msg);
	for (int l = 0; l < STORE_LEVELS_MAX && levels[l]; l++) {
		if (l > 0)
			join_level(s, levels[l]);
		for (size_t i = 0; err == ERR_OK && i < s->source_count; i++)
			err = write_source(
			    rollup, &s->sources[i], levels[l], msg);
		if (err == ERR_OK)
			err = write_points(rollup, levels[l], msg);
	}
	return err;
}
