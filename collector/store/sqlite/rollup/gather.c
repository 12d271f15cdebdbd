/* SPDX-License-Identifier: ISC */
/*
 * Records into memory.  Each adds to a row of its bin; the rows are written in
 * steps (flush.c), so that a source that sends a thousand times is written a
 * few times.  Readers see what is on the disk only: one that begins asks for a
 * flush first (gather_freshen).  What is gathered and cannot be written is
 * bounded: two sets (gather_make_room).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "collector/store/sqlite/rollup/flush.h"
#include "collector/store/sqlite/rollup/links.h"
#include "collector/store/sqlite/rollup/merge.h"
#include "collector/store/sqlite/rollup/names.h"
#include "collector/store/sqlite/rollup/paths.h"
#include "collector/store/sqlite/rollup/rollup-db.h"
#include "collector/store/sqlite/rollup/rollup-runs.h"
#include "collector/store/sqlite/rollup/rollup-unsent.h"
#include "collector/store/sqlite/rollup/seen.h"
#include "collector/store/sqlite/rollup/bins.h"
#include "collector/store/sqlite/rollup/gather-private.h"
#include "collector/store/sqlite/rollup/view.h"
#include "lib/base/xalloc.h"

#define FLUSH_EVERY_NS (1 * NS_PER_S)
#define FLUSH_SHARE 20 /* of the time at most a part of so many */
#define RETRY_NS NS_PER_S
#define WAL_MOST_BYTES (64u << 20)

static const char schema[] =
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;"
    "CREATE TABLE segments ("
    " id INTEGER PRIMARY KEY,"
    " tbl INTEGER NOT NULL, bin INTEGER NOT NULL, part INTEGER NOT NULL,"
    " first BLOB NOT NULL, last BLOB NOT NULL,"
    " rows INTEGER NOT NULL,"
    " body BLOB NOT NULL);"
    "CREATE INDEX segments_key ON segments"
    " (tbl, bin, part, last, id, first, rows);"
    "CREATE TABLE parts ("
    " tbl INTEGER, bin INTEGER, part INTEGER,"
    " rows INTEGER NOT NULL,"
    " upto INTEGER NOT NULL,"
    " fine INTEGER NOT NULL,"
    " made_ns INTEGER NOT NULL,"
    " PRIMARY KEY (tbl, bin, part)) WITHOUT ROWID;"
    /* The most packets of a group among a day's light ones. */
    "CREATE TABLE light ("
    " day INTEGER, class INTEGER, packets INTEGER NOT NULL,"
    " PRIMARY KEY (day, class)) WITHOUT ROWID;"
    /* Which groups a day's light ones may be (struct group_filter). */
    "CREATE TABLE light_groups ("
    " day INTEGER PRIMARY KEY, filter BLOB NOT NULL);"
    "CREATE TABLE derived ("
    " tbl INTEGER, bin INTEGER, upto INTEGER NOT NULL,"
    " PRIMARY KEY (tbl, bin)) WITHOUT ROWID;"
    "CREATE TABLE classes ("
    " id INTEGER PRIMARY KEY,"
    " verdict TEXT NOT NULL, signature TEXT NOT NULL,"
    " agent INTEGER NOT NULL,"
    " sources INTEGER NOT NULL, packets INTEGER NOT NULL,"
    " first_ns INTEGER NOT NULL, last_ns INTEGER NOT NULL);"
    "CREATE TABLE series (" /* agent 0: the fleet */
    " bin_s INTEGER, class INTEGER, agent INTEGER, bin INTEGER,"
    " sources INTEGER NOT NULL, packets INTEGER NOT NULL,"
    " PRIMARY KEY (bin_s, class, agent, bin)) WITHOUT ROWID;"
    "CREATE TABLE watch ("
    " bin_s INTEGER, bin INTEGER, agent INTEGER,"
    " PRIMARY KEY (bin_s, bin, agent)) WITHOUT ROWID;"
    "CREATE TABLE agent_state ("
    " agent INTEGER PRIMARY KEY, id BLOB NOT NULL,"
    " version TEXT NOT NULL, heard_ns INTEGER NOT NULL,"
    " heartbeat BLOB);"
    "CREATE TABLE paths ("
    " id INTEGER PRIMARY KEY,"
    " agent INTEGER NOT NULL, digest BLOB NOT NULL,"
    " src BLOB, dst BLOB, hops BLOB NOT NULL,"
    " last_day INTEGER NOT NULL,"
    " UNIQUE (agent, digest));"
    "CREATE TABLE path_hops ("
    " addr BLOB, path INTEGER,"
    " PRIMARY KEY (addr, path)) WITHOUT ROWID;"
    "CREATE TABLE runs ("
    " id INTEGER PRIMARY KEY,"
    " campaign BLOB NOT NULL, run INTEGER NOT NULL,"
    " agent INTEGER NOT NULL,"
    " first_ns INTEGER NOT NULL, last_ns INTEGER NOT NULL,"
    " records INTEGER NOT NULL,"
    " error TEXT,"
    " UNIQUE (campaign, agent, run));"
    "CREATE INDEX runs_agent ON runs (agent);"
    "CREATE INDEX runs_failed ON runs (campaign, last_ns)"
    " WHERE error IS NOT NULL;"
    "CREATE TABLE payloads ("
    " hash BLOB PRIMARY KEY, octets BLOB NOT NULL,"
    " size_bytes INTEGER NOT NULL, first_ns INTEGER NOT NULL,"
    " agent INTEGER NOT NULL, day INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX payloads_agent ON payloads (agent, day);"
    "CREATE TABLE gaps ("
    " id INTEGER PRIMARY KEY,"
    " agent INTEGER NOT NULL, wall_ns INTEGER NOT NULL,"
    " epoch INTEGER NOT NULL,"
    " from_seq INTEGER NOT NULL, to_seq INTEGER NOT NULL,"
    " unnumbered INTEGER NOT NULL, records INTEGER NOT NULL,"
    " reason TEXT NOT NULL);"
    "CREATE INDEX gaps_agent ON gaps (agent);";

/* Whether sources are at least so many: packets came without the address that
 * sent them.  Of rows before, it is known of those without any source. */
static const char schema_at_least[] =
    "ALTER TABLE series ADD COLUMN sources_at_least INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE classes ADD COLUMN"
    " sources_at_least INTEGER NOT NULL DEFAULT 0;"
    "UPDATE series SET sources_at_least = 1 WHERE sources = 0 AND packets > 0;"
    "UPDATE classes SET sources_at_least = 1 WHERE id IN"
    " (SELECT class FROM series WHERE sources_at_least = 1);";

/* Probes that did not leave their agent, by hour. */
static const char schema_unsent[] =
    "CREATE TABLE unsent ("
    " agent INTEGER, bin INTEGER, outcome INTEGER,"
    " reason TEXT, device TEXT,"
    " probes INTEGER NOT NULL,"
    " first_ns INTEGER NOT NULL, last_ns INTEGER NOT NULL,"
    " PRIMARY KEY (agent, bin, outcome, reason, device)) WITHOUT ROWID;";

static const char *const schema_steps[] = { schema, schema_at_least,
	schema_unsent };
static const struct db_schema rollup_schema = { schema_steps, 3 };

static int open_database(struct gather *g, struct errmsg *msg)
{
	int err = db_open(&g->db, g->path, false, msg);
	if (err < 0)
		return err;
	/* What a crash of the machine takes away, the mark takes with it. */
	err = db_script(&g->db,
	    "PRAGMA page_size = 2048;"
	    "PRAGMA journal_mode = WAL;"
	    "PRAGMA synchronous = NORMAL;"
	    "PRAGMA journal_size_limit = 67108864;"
	    "PRAGMA cache_size = -16384;"
	    "PRAGMA temp_store = MEMORY;",
	    msg);
	return err < 0 ? err : db_migrate(&g->db, &rollup_schema, 0, msg);
}

/* The history of these sums: taken when there is none yet. */
static int check_history(
    struct gather *g, const uint8_t history[16], struct errmsg *msg)
{
	static const uint8_t none[16];
	uint8_t held[16] = { 0 };
	if (memcmp(history, none, sizeof(none)) == 0)
		return ERR_OK;
	sqlite3_stmt *row = db_query(
	    &g->db, "SELECT value FROM meta WHERE key = 'history'", "");
	int err = db_step(&g->db, row, msg);
	if (err == 1)
		db_column_copy(row, 0, held, sizeof(held));
	db_reset(row);
	if (err < 0)
		return err;
	if (err == 0)
		return db_run(&g->db, msg,
		    "INSERT INTO meta VALUES ('history', ?1)", "b", history,
		    sizeof(held));
	if (memcmp(history, held, sizeof(held)) != 0)
		return err_set(msg, -ESTALE,
		    "rollup.db: it is of another history; "
		    "--rebuild-rollups makes it again");
	return ERR_OK;
}

static int load_marks(struct gather *g, struct errmsg *msg)
{
	int64_t applied, part, bounded;
	if (db_integer(&g->db, &applied, 0,
		"SELECT value FROM meta WHERE key = 'applied'", "") < 0 ||
	    db_integer(&g->db, &part, 1,
		"SELECT value FROM meta WHERE key = 'next_part'", "") < 0 ||
	    db_integer(&g->db, &bounded, 0,
		"SELECT value FROM meta WHERE key = 'bounded'", "") < 0)
		return db_error(&g->db, msg);
	g->applied = g->settled = (uint64_t)applied;
	g->now->block = g->applied;
	g->next_part = part;
	g->bounded = (uint64_t)bounded;
	return ERR_OK;
}

static int load_all(
    struct gather *g, const struct store_config *config, struct errmsg *msg)
{
	int err = open_database(g, msg);
	if (err < 0)
		return err;
	err = check_history(g, config->history, msg);
	if (err < 0)
		return err;
	err = load_marks(g, msg);
	if (err < 0)
		return err;
	err = names_load(g, msg);
	if (err < 0)
		return err;
	err = runs_load(g, msg);
	if (err < 0)
		return err;
	err = unsent_load(g, msg);
	return err < 0 ? err : seen_load(g, msg);
}

/* What rollup.db takes, for gather_stats, which shall not wait for the disk. */
static int measure(struct gather *g, struct errmsg *msg)
{
	int64_t pages, free_pages, page_bytes;
	if (db_integer(&g->db, &pages, 0, "PRAGMA page_count", "") < 0 ||
	    db_integer(&g->db, &free_pages, 0, "PRAGMA freelist_count", "") <
		0 ||
	    db_integer(&g->db, &page_bytes, 0, "PRAGMA page_size", "") < 0)
		return db_error(&g->db, msg);
	pthread_mutex_lock(&g->lock);
	g->bytes = (uint64_t)(pages * page_bytes);
	g->free_bytes = (uint64_t)(free_pages * page_bytes);
	pthread_mutex_unlock(&g->lock);
	return ERR_OK;
}

int gather_open(struct gather **gather, const struct store_config *config,
    const char *path, uint64_t *applied, struct errmsg *msg)
{
	struct gather *g = xcalloc(1, sizeof(*g));
	pthread_mutex_init(&g->lock, NULL);
	pthread_cond_init(&g->written, NULL);
	pthread_mutex_init(&g->disk.lock, NULL);
	pthread_cond_init(&g->disk.turn, NULL);
	g->path = xstrdup(path);
	g->codec = segment_codec_new();
	g->now = gathered_new();
	g->frozen = gathered_new();
	g->work = true;
	g->held = config->replayed != NULL;
	memcpy(g->levels, config->levels, sizeof(g->levels));
	int err = load_all(g, config, msg);
	if (err < 0)
		goto out;
	err = db_open(&g->look, path, true, msg);
	if (err < 0)
		goto out;
	err = measure(g, msg);
	if (err < 0)
		goto out;
	db_files_remember(&g->files, path);
	*applied = g->applied;
	*gather = g;
	return ERR_OK;
out:
	err_prefix(msg, "%s", path);
	gather_close(g);
	return err;
}

void gather_close(struct gather *g)
{
	if (!g)
		return;
	views_close(g);
	gathered_free(g->now);
	gathered_free(g->frozen);
	runs_fini(g);
	unsent_fini(g);
	names_fini(g);
	free(g->seen);
	segment_codec_free(g->codec);
	db_close(&g->look);
	db_close(&g->db);
	db_files_fini(&g->files);
	free(g->path);
	pthread_cond_destroy(&g->disk.turn);
	pthread_mutex_destroy(&g->disk.lock);
	pthread_cond_destroy(&g->written);
	pthread_mutex_destroy(&g->lock);
	free(g);
}

/* Where the row of this hour belongs: an agent whose records are of very many
 * hours at a time has the others counted when they came. */
static int64_t bounded_time(
    struct gather *g, struct gather_agent *agent, int64_t at_ns)
{
	int64_t hour = rollup_bin(at_ns, HOUR_S);
	for (size_t i = agent->hour_count; i-- > 0;)
		if (agent->hours[i] == hour)
			return at_ns;
	if (agent->hour_count == AGENT_HOURS_MOST) {
		g->bounded++;
		return g->now->received_ns;
	}
	if (!agent->hours)
		agent->hours = xcalloc(AGENT_HOURS_MOST, sizeof(*agent->hours));
	agent->hours[agent->hour_count++] = hour;
	return at_ns;
}

static struct source_row *find_source(
    const struct source_table *t, const struct source_key *key, uint64_t hash)
{
	struct index_walk walk = index_walk(&t->index, hash);
	size_t i;
	while (index_next(&walk, &i))
		if (memcmp(&t->rows[i].key, key, sizeof(*key)) == 0)
			return &t->rows[i];
	return NULL;
}

static void add_source(struct source_table *t, const struct source_row *row)
{
	uint64_t hash = index_hash(&row->key, sizeof(row->key));
	struct source_row *held = find_source(t, &row->key, hash);
	if (held) {
		source_add(held, row);
		return;
	}
	if (t->count == t->cap) {
		t->cap = t->cap ? t->cap * 2 : 1024;
		t->rows = xreallocarray(t->rows, t->cap, sizeof(*t->rows));
	}
	index_put(&t->index, hash, t->count);
	t->rows[t->count++] = *row;
}

static void note_class(
    struct gather *g, uint32_t class, const struct source_row *row)
{
	struct class_name *name = &g->classes[class - 1];
	name->packets += row->packets;
	name->sources_at_least |= row->key.family == 0;
	if (row->first_ns < name->first_ns)
		name->first_ns = row->first_ns;
	if (row->last_ns > name->last_ns)
		name->last_ns = row->last_ns;
	name->changed = true;
}

/* Whether the source is new with its class, as far as the filter knows. */
static bool gather_sighting(struct gather *g, struct gather_agent *agent,
    const struct prepared_batch *batch, const struct prepared_record *record)
{
	const Sonde__Sighting *body = record->record->sighting;
	struct source_row row = {
		.key = { .agent = (uint32_t)agent->row,
		    .dport = (uint16_t)body->dport,
		    .proto = (uint8_t)body->proto },
		.packets = body->packets,
		.targets = body->targets,
		.first_ns =
		    rollup_sane_ns(batch->received, body->first_wall_ns),
		.last_ns = rollup_sane_ns(batch->received, body->last_wall_ns),
		.has_payload = body->payload_hash.len == sizeof(row.payload),
		.spoofable = body->spoofable,
		.ports = body->has_ports_case ? body->ports : 0,
		.ports_at_least = body->ports_at_least,
		.addresses = body->has_addresses_case ? body->addresses : 0,
		.odds = body->has_odds_case ? body->odds : 0,
		.victim = addr_from_bytes(body->victim.data, body->victim.len),
	};
	census_read(&row.census, body->census.data, body->census.len);
	int64_t at_ns = bounded_time(g, agent, row.first_ns);
	if (at_ns != row.first_ns)
		row.first_ns = row.last_ns = at_ns;
	if (row.has_payload)
		memcpy(
		    row.payload, body->payload_hash.data, sizeof(row.payload));
	row.key.bin = rollup_bin(at_ns, g->levels[0]);
	row.key.class = names_class(g, agent, body->verdict, body->signature);
	source_key_set_addr(&row.key, &record->src);
	add_source(&g->now->sources, &row);
	note_class(g, row.key.class, &row);
	return row.key.family != 0 && !seen_before(g, &row.key);
}

static void note_new_source(struct store_outcome *outcome, uint32_t index,
    const struct prepared_batch *batch)
{
	if (!outcome->new_sources)
		outcome->new_sources =
		    xcalloc(batch->header.count, sizeof(*outcome->new_sources));
	outcome->new_sources[outcome->new_source_count++] = index;
}

static void gather_record(struct gather *g, struct gather_agent *agent,
    const struct prepared_batch *batch, uint32_t index,
    struct store_outcome *outcome)
{
	const struct prepared_record *record = &batch->records[index];
	int64_t at_ns = rollup_sane_ns(batch->received, record->wall_ns);
	if (record->in_campaign)
		runs_add(g, agent, record, at_ns);
	if (record->unsent && record->record)
		unsent_add(g, agent, record, bounded_time(g, agent, at_ns));
	switch (record->kind) {
	case SONDE__RECORD__BODY_SIGHTING:
		if (record->record &&
		    gather_sighting(g, agent, batch, record) && outcome)
			note_new_source(outcome, index, batch);
		break;
	case SONDE__RECORD__BODY_TRACE:
		if (record->path.hop_count > 0) {
			at_ns = bounded_time(g, agent, at_ns);
			uint32_t path = names_path(g, agent, record, at_ns);
			if (path)
				paths_add(g, path, record, at_ns);
		}
		break;
	case SONDE__RECORD__BODY_HEARTBEAT:
		runs_add_heartbeat(g, agent, record, at_ns);
		break;
	case SONDE__RECORD__BODY_COVERAGE:
		if (record->record)
			runs_add_coverage(
			    g, agent, record->record->coverage, at_ns);
		break;
	case SONDE__RECORD__BODY_PAYLOAD:
		if (record->record)
			runs_add_payload(g, agent, record, at_ns);
		break;
	case SONDE__RECORD__BODY_GAP:
		if (record->record)
			runs_add_gap(g, agent, record, at_ns);
		break;
	default: break;
	}
}

void note_waiting(struct gathered *set)
{
	if (!set->waiting)
		set->since = monotime_now();
	set->waiting = true;
}

void gather_batch(struct gather *g, const struct prepared_batch *batch,
    uint32_t first_new, uint64_t block, struct store_outcome *outcome)
{
	pthread_mutex_lock(&g->lock);
	struct gather_agent *agent = names_agent(g, batch);
	g->now->received_ns = batch->received.ns;
	for (uint32_t i = first_new; i < batch->header.count; i++)
		gather_record(g, agent, batch, i, outcome);
	g->now->block = block;
	note_waiting(g->now);
	pthread_mutex_unlock(&g->lock);
}

static bool is_over(const struct gathered *set, uint32_t rows)
{
	return set->sources.count >= rows || set->paths.count >= rows ||
	    set->runs.count >= rows || set->unsent.count >= rows ||
	    set->paths.bytes.len + set->loose_bytes >= GATHER_BYTES_MOST;
}

/* Under lock, which it lets go: the frozen set is written by the thread
 * that has begun, or here, which is tried once a second. */
static int write_first(struct gather *g, struct errmsg *msg)
{
	struct errmsg why = { "" };
	while (g->flushing)
		pthread_cond_wait(&g->written, &g->lock);
	if (!g->frozen->waiting)
		return ERR_OK;
	if (!monotime_before(monotime_now(), g->retry)) {
		pthread_mutex_unlock(&g->lock);
		int err = gather_flush(g, &why);
		pthread_mutex_lock(&g->lock);
		if (err == ERR_OK)
			return ERR_OK;
		g->retry_why = why;
		g->retry = monotime_add(monotime_now(), RETRY_NS);
	}
	return err_set(msg, ERR_UNAVAILABLE,
	    "rollup.db: too much waits to be written: %.150s",
	    g->retry_why.text);
}

int gather_make_room(struct gather *g, struct errmsg *msg)
{
	int err = ERR_OK;
	pthread_mutex_lock(&g->lock);
	if (is_over(g->now, gather_sizes.held_rows) && !gather_freeze(g)) {
		err = write_first(g, msg);
		if (err == ERR_OK)
			gather_freeze(g);
	}
	pthread_mutex_unlock(&g->lock);
	return err;
}

bool gather_due(struct gather *g, struct monotime now)
{
	pthread_mutex_lock(&g->lock);
	int64_t wait = g->flush_ns * FLUSH_SHARE;
	if (wait < FLUSH_EVERY_NS)
		wait = FLUSH_EVERY_NS;
	const struct gathered *set = g->now;
	bool due = g->frozen->waiting ||
	    (set->waiting &&
		(is_over(set, gather_sizes.held_rows) ||
		    monotime_diff(now, set->since) >= wait));
	pthread_mutex_unlock(&g->lock);
	return due;
}

static int sync_log(struct gather *g, struct errmsg *msg)
{
	/* FULL makes the checkpoint sync the log, then the file. */
	db_reset_all(&g->db);
	int err = db_script(&g->db, "PRAGMA synchronous = FULL;", msg);
	if (err == ERR_OK &&
	    sqlite3_wal_checkpoint_v2(g->db.handle, NULL,
		SQLITE_CHECKPOINT_FULL, NULL, NULL) != SQLITE_OK)
		err = db_error(&g->db, msg);
	int again = db_script(&g->db, "PRAGMA synchronous = NORMAL;", NULL);
	return err < 0 ? err : again;
}

int gather_applied(
    struct gather *g, bool sync, uint64_t *applied, struct errmsg *msg)
{
	disk_lock(g);
	*applied = g->applied;
	int err = sync ? sync_log(g, msg) : ERR_OK;
	disk_unlock(g);
	return err;
}

void gather_stats(struct gather *g, struct store_stats *stats)
{
	pthread_mutex_lock(&g->lock);
	stats->database_bytes += g->bytes;
	stats->free_bytes += g->free_bytes;
	stats->wal_bytes += db_files_log_bytes(g->path);
	stats->bounded += g->bounded;
	pthread_mutex_unlock(&g->lock);
}

int gather_fault(struct gather *g, struct errmsg *msg)
{
	if (g->corrupt)
		return err_set(msg, ERR_CORRUPT,
		    "rollup.db: it is damaged; --rebuild-rollups makes it "
		    "again");
	pthread_mutex_lock(&g->lock);
	int err = db_files_check(&g->files, msg);
	pthread_mutex_unlock(&g->lock);
	return err;
}

int gather_step(struct gather *g, struct errmsg *msg)
{
	int err = 0;
	disk_lock(g);
	if (db_files_log_bytes(g->path) > WAL_MOST_BYTES) {
		db_reset_all(&g->db);
		sqlite3_wal_checkpoint_v2(
		    g->db.handle, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	}
	struct monotime now = monotime_now();
	if (!g->work && monotime_diff(now, g->idle_since) < 60 * NS_PER_S)
		goto out;
	err = merge_step(g, msg);
	if (err == 0)
		err = links_step(g, msg);
	g->work = err != 0;
	g->idle_since = now;
	if (err >= 0 && measure(g, msg) < 0)
		err = ERR_UNAVAILABLE;
out:
	disk_unlock(g);
	return err;
}
