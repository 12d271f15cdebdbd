/* SPDX-License-Identifier: ISC */
/*
 * From the one file of schema 4: watermarks and digests first, then the
 * records in the order in which they came, a piece of contiguous numbers a
 * block, in partitions by the day of their arrival.  Each transaction records
 * how far it came (`migrated`), so what was interrupted goes on there.  The
 * sums are taken over as they stand, older bins than any record among them;
 * last, the file becomes a stub that an older program refuses.
 */
#include "collector/store/sqlite/migrate.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collector/store/block.h"
#include "collector/store/sqlite/schema.h"
#include "collector/store/sqlite/postings.h"
#include "collector/store/sqlite/roll-over.h"
#include "lib/base/log.h"
#include "lib/base/xalloc.h"
#include "lib/sqlite/db-schema.h"

#define STUB_VERSION 1000
#define PIECE_RECORDS 500
#define TRANSACTION_PIECES 64
#define DAY_NS (86400 * NS_PER_S)

static char *old_path(const char *dir)
{
	return xasprintf("%s/sonde.db", dir);
}

/* Its version; 0: none. */
static int old_version(const char *dir)
{
	char *path = old_path(dir);
	struct stat st;
	struct db db;
	int version = 0;
	if (stat(path, &st) == 0 && st.st_size > 0) {
		if (db_open(&db, path, true, NULL) == ERR_OK)
			db_version(&db, &version, NULL);
		db_close(&db);
	}
	free(path);
	return version;
}

bool store_has_old_file(const char *dir)
{
	int version = old_version(dir);
	return version > 0 && version < STUB_VERSION;
}

/* Under another name until it is whole. */
int store_write_stub(const char *dir, struct errmsg *msg)
{
	static const char *const suffixes[] = { "-wal", "-shm" };
	struct db db;
	char *path = old_path(dir), *fresh = xasprintf("%s.new", path);
	int err = ERR_OK;
	if (old_version(dir) == STUB_VERSION)
		goto out;
	unlink(fresh);
	err = db_open(&db, fresh, false, msg);
	if (err < 0)
		goto out;
	err = db_script(&db,
	    "CREATE TABLE moved (to_folder TEXT);"
	    "INSERT INTO moved VALUES ('telemetry');"
	    "PRAGMA user_version = 1000;",
	    msg);
	db_close(&db);
	if (err < 0)
		goto out;
	for (size_t i = 0; i < 2; i++) {
		char *name = xasprintf("%s%s", path, suffixes[i]);
		unlink(name);
		free(name);
	}
	if (rename(fresh, path) < 0)
		err = err_set(msg, -errno, "%.150s: %s", path, err_str(-errno));
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
out:
	free(fresh);
	free(path);
	return err;
}

struct migration {
	struct store *store;
	struct db old;
	struct block_writer *writer;
	int64_t done;    /* the last old id that is in a partition */
	int64_t next_ns; /* the day of the record behind it */
	/* the piece under way */
	uint64_t keys[PIECE_RECORDS * STORE_KEYS_A_RECORD];
	size_t key_count;
	struct block_head before;
	int64_t agent, epoch, first_seq, received_ns, min_ns, max_ns;
	uint64_t kinds;
	uint32_t count;
};

static int copy_watermarks(struct migration *m, struct errmsg *msg)
{
	struct db *to = &m->store->db;
	sqlite3_stmt *row = db_query(&m->old,
	    "SELECT w.agent, w.epoch, w.next, w.stored, w.lost, w.chain,"
	    " CASE WHEN w.epoch = a.epoch THEN a.lost - (SELECT sum(lost)"
	    "  FROM watermarks v WHERE v.agent = w.agent) ELSE 0 END"
	    " FROM watermarks w LEFT JOIN agents a ON a.id = w.agent",
	    "");
	int err;
	while ((err = db_step(&m->old, row, msg)) == 1) {
		int64_t unnumbered = sqlite3_column_int64(row, 6);
		err = db_run(to, msg,
		    "INSERT INTO watermarks VALUES (?1, ?2, ?3, ?4, ?5, ?6,"
		    " ?7)",
		    "iiiiiib", sqlite3_column_int64(row, 0),
		    sqlite3_column_int64(row, 1), sqlite3_column_int64(row, 2),
		    sqlite3_column_int64(row, 3), sqlite3_column_int64(row, 4),
		    unnumbered > 0 ? unnumbered : 0,
		    sqlite3_column_blob(row, 5),
		    (size_t)sqlite3_column_bytes(row, 5));
		if (err < 0)
			break;
	}
	db_reset(row);
	return err;
}

static int copy_digests(struct migration *m, struct errmsg *msg)
{
	sqlite3_stmt *row = db_query(&m->old,
	    "SELECT agent, epoch, first_seq, count, digest FROM batches", "");
	int err;
	while ((err = db_step(&m->old, row, msg)) == 1) {
		err = db_run(&m->store->db, msg,
		    "INSERT INTO digests VALUES (?1, ?2, ?3, ?4, ?5)", "iiiib",
		    sqlite3_column_int64(row, 0), sqlite3_column_int64(row, 1),
		    sqlite3_column_int64(row, 2), sqlite3_column_int64(row, 3),
		    sqlite3_column_blob(row, 4),
		    (size_t)sqlite3_column_bytes(row, 4));
		if (err < 0)
			break;
	}
	db_reset(row);
	return err;
}

static int copy_agents(struct migration *m, struct errmsg *msg)
{
	sqlite3_stmt *row =
	    db_query(&m->old, "SELECT id, agent FROM agents", "");
	int err;
	while ((err = db_step(&m->old, row, msg)) == 1) {
		err = db_run(&m->store->db, msg,
		    "INSERT INTO agents VALUES (?1, ?2)", "ib",
		    sqlite3_column_int64(row, 0), sqlite3_column_blob(row, 1),
		    (size_t)sqlite3_column_bytes(row, 1));
		if (err < 0)
			break;
	}
	db_reset(row);
	return err;
}

static int try_commit(struct migration *m, struct errmsg *msg)
{
	struct db *db = &m->store->db;
	int err = db_run(db, msg,
	    "INSERT OR REPLACE INTO meta VALUES ('migrated', ?1)", "i",
	    m->done);
	db_reset_all(db);
	return err < 0 ? err : db_run(db, msg, "COMMIT", "");
}

/* Commits where there was no error before, else rolls back. */
static int commit_piece(struct migration *m, int before, struct errmsg *msg)
{
	struct db *db = &m->store->db;
	int err = before < 0 ? before : try_commit(m, msg);
	if (err == ERR_OK)
		return ERR_OK;
	db_reset_all(db);
	if (!sqlite3_get_autocommit(db->handle))
		db_run(db, NULL, "ROLLBACK", "");
	return err;
}

static int begin_piece(struct migration *m, struct errmsg *msg)
{
	return db_run(&m->store->db, msg, "BEGIN IMMEDIATE", "");
}

static int copy_tables(struct migration *m, struct errmsg *msg)
{
	int err = copy_watermarks(m, msg);
	if (err < 0)
		return err;
	err = copy_digests(m, msg);
	return err < 0 ? err : copy_agents(m, msg);
}

static int start_migration(struct migration *m, struct errmsg *msg)
{
	int err = begin_piece(m, msg);
	if (err < 0)
		return err;
	err = copy_tables(m, msg);
	m->done = 0;
	return commit_piece(m, err, msg);
}

/* How far it came, -1: it never began.  The mark is in the partition that was
 * written last. */
static int find_mark(struct migration *m, struct errmsg *msg)
{
	struct partition_set *set = &m->store->partitions;
	m->done = -1;
	for (size_t i = set->count; i-- > 0 && m->done < 0;) {
		struct db db;
		int err = db_open(&db, set->list[i]->path, true, msg);
		if (err < 0)
			return err;
		if (db_integer(&db, &m->done, -1,
			"SELECT value FROM meta WHERE key = 'migrated'",
			"") < 0)
			err = db_error(&db, msg);
		db_close(&db);
		if (err < 0)
			return err;
	}
	return ERR_OK;
}

static int end_piece(struct migration *m, struct errmsg *msg)
{
	struct store *store = m->store;
	struct partition_set *set = &store->partitions;
	struct buf body = { 0 };
	int64_t id = (int64_t)store->next_block;
	if (m->count == 0)
		return ERR_OK;
	int err = db_run(&store->db, msg,
	    "INSERT INTO blocks VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
	    "iiiiiiiii", id, m->agent, m->epoch, m->first_seq,
	    (int64_t)m->count, m->min_ns, m->max_ns, m->received_ns,
	    (int64_t)m->kinds);
	if (err < 0)
		return err;
	block_seal(m->writer, &body);
	err = db_run(&store->db, msg, "INSERT INTO bodies VALUES (?1, ?2)",
	    "ib", id, body.data, body.len);
	buf_fini(&body);
	if (err < 0)
		return err;
	run_add(&store->run, set->list[set->count - 1]->salt, store->next_block,
	    m->agent, m->keys, m->key_count);
	run_note(&store->run, m->min_ns, m->max_ns, m->kinds, m->count);
	store->newest_records += m->count;
	store->newest_received_ns = m->received_ns;
	store->next_block++;
	m->count = 0;
	m->key_count = 0;
	m->before = (struct block_head){ 0 };
	return store->run.blocks == RUN_BLOCKS
	    ? run_write(&store->run, &store->db, msg)
	    : ERR_OK;
}

static bool goes_on(const struct migration *m, sqlite3_stmt *row)
{
	return m->count > 0 && m->count < PIECE_RECORDS &&
	    m->agent == sqlite3_column_int64(row, 1) &&
	    m->epoch == sqlite3_column_int64(row, 2) &&
	    m->first_seq + m->count == sqlite3_column_int64(row, 3) &&
	    m->received_ns == sqlite3_column_int64(row, 4);
}

static int add_row(struct migration *m, sqlite3_stmt *row, struct errmsg *msg)
{
	struct block_head head;
	const uint8_t *body = sqlite3_column_blob(row, 5);
	size_t len = (size_t)sqlite3_column_bytes(row, 5);
	int err = block_head(&head, body, len);
	if (err < 0)
		return err_set(msg, ERR_CORRUPT,
		    "record %" PRId64 ": cannot be read",
		    (int64_t)sqlite3_column_int64(row, 0));
	if (m->count == 0) {
		m->agent = sqlite3_column_int64(row, 1);
		m->epoch = sqlite3_column_int64(row, 2);
		m->first_seq = sqlite3_column_int64(row, 3);
		m->received_ns = sqlite3_column_int64(row, 4);
		m->min_ns = INT64_MAX;
		m->max_ns = INT64_MIN;
		m->kinds = 0;
	}
	block_add(m->writer, body, len);
	m->key_count +=
	    store_record_keys(&head, &m->before, &m->keys[m->key_count]);
	if (head.in_campaign || head.run > 0)
		m->before = head;
	if (head.wall_ns < m->min_ns)
		m->min_ns = head.wall_ns;
	if (head.wall_ns > m->max_ns)
		m->max_ns = head.wall_ns;
	m->kinds |= UINT64_C(1) << (head.kind & 63);
	m->count++;
	return ERR_OK;
}

/* 1: a transaction's worth; 2: the next record is of another day; 0: no more
 * records. */
static int move_some(struct migration *m, struct errmsg *msg)
{
	struct store *store = m->store;
	const struct partition *p =
	    store->partitions.list[store->partitions.count - 1];
	unsigned pieces = 0;
	int err, result = 0;
	sqlite3_stmt *row = db_query(&m->old,
	    "SELECT id, agent, epoch, seq, received_ns, body FROM records"
	    " WHERE id > ?1 ORDER BY id",
	    "i", m->done);
	while ((err = db_step(&m->old, row, msg)) == 1) {
		int64_t day = sqlite3_column_int64(row, 4) / DAY_NS;
		if (!goes_on(m, row)) {
			err = end_piece(m, msg);
			if (err < 0)
				break;
			bool used = store->next_block > p->first_block;
			if (used && store->newest_received_ns / DAY_NS != day) {
				m->next_ns = day * DAY_NS;
				result = 2;
				break;
			}
			if (++pieces > TRANSACTION_PIECES) {
				result = 1;
				break;
			}
		}
		err = add_row(m, row, msg);
		if (err < 0)
			break;
		m->done = sqlite3_column_int64(row, 0);
	}
	db_reset(row);
	if (err == 0)
		err = end_piece(m, msg);
	return err < 0 ? err : result;
}

static int move_records(struct migration *m, struct errmsg *msg)
{
	for (;;) {
		int err = begin_piece(m, msg);
		if (err < 0)
			return err;
		int result = move_some(m, msg);
		err = commit_piece(m, result < 0 ? result : ERR_OK, msg);
		if (err < 0)
			return err;
		if (result == 0)
			return ERR_OK;
		if (result != 2)
			continue;
		m->store->arriving_ns = m->next_ns;
		err = store_roll(m->store, msg);
		if (err < 0)
			return err;
	}
}

/* What was there is there. */
static int compare_counts(struct migration *m, struct errmsg *msg)
{
	int64_t before, after = 0, count;
	struct partition_set *set = &m->store->partitions;
	if (db_integer(
		&m->old, &before, 0, "SELECT count(*) FROM records", "") < 0)
		return db_error(&m->old, msg);
	for (size_t i = 0; i < set->count; i++) {
		struct partition_reader *reader;
		int err = partition_reader_get(set, set->list[i], &reader, msg);
		if (err < 0)
			return err;
		err = db_integer(&reader->db, &count, 0,
		    "SELECT sum(count) FROM blocks", "");
		partition_reader_put(set, reader);
		if (err < 0)
			return err_set(msg, err, "%s: cannot be counted",
			    set->list[i]->path);
		after += count;
	}
	return before == after
	    ? ERR_OK
	    : err_set(msg, ERR_CORRUPT,
		  "migration: %" PRId64 " records became %" PRId64, before,
		  after);
}

static int take_sums(struct migration *m, struct errmsg *msg)
{
	struct store *store = m->store;
	static const char *const suffixes[] = { "", "-wal", "-shm" };
	char *path = xasprintf("%s/rollup.db", store->dir);
	uint64_t applied;
	/* Half of an earlier try. */
	for (size_t i = 0; i < 3; i++) {
		char *name = xasprintf("%s%s", path, suffixes[i]);
		unlink(name);
		free(name);
	}
	int err =
	    gather_open(&store->gather, &store->config, path, &applied, msg);
	free(path);
	return err < 0
	    ? err
	    : gather_import(store->gather, &m->old, store->next_block - 1, msg);
}

/* m->old is open. */
static int take_over(struct migration *m, struct errmsg *msg)
{
	int err = db_migrate(&m->old, &store_schema, 0, msg);
	if (err < 0)
		return err;
	err = find_mark(m, msg);
	if (err < 0)
		return err;
	if (m->done < 0 && m->store->next_block > 1)
		return err_set(msg, -EEXIST,
		    "a database of an older version beside the one that is in "
		    "use: move it away");
	log_info("database: taking over the records of an older version");
	err = m->done < 0 ? start_migration(m, msg) : ERR_OK;
	if (err < 0)
		return err;
	err = move_records(m, msg);
	if (err < 0)
		return err;
	err = compare_counts(m, msg);
	return err < 0 ? err : take_sums(m, msg);
}

int store_migrate(struct store *store, struct errmsg *msg)
{
	const char *dir = store->config.dir;
	int version = old_version(dir);
	if (version == 0 || version == STUB_VERSION)
		return ERR_OK;
	if (version > store_schema.count)
		return err_set(msg, ERR_UNSUPPORTED,
		    "%.120s/sonde.db: made by a newer version (schema %d, we "
		    "know %d)",
		    dir, version, store_schema.count);
	struct migration *m = xcalloc(1, sizeof(*m));
	char *path = old_path(dir);
	m->store = store;
	m->writer = block_writer_new();
	int err = db_open(&m->old, path, false, msg);
	if (err < 0)
		goto out;
	err = take_over(m, msg);
	db_close(&m->old);
	if (err < 0)
		err_prefix(msg, "%s", path);
out:
	block_writer_free(m->writer);
	free(path);
	free(m);
	return err;
}
