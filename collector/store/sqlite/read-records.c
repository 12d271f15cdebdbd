/* SPDX-License-Identifier: ISC */
/* Reading what came and what was asked for: agents, campaigns, records,
 * events, payloads. */
#include <stdlib.h>
#include <string.h>

#include "collector/store/sqlite/provider.h"
#include "lib/base/xalloc.h"

/* The database's failure becomes the answer; a callback's stays its own. */
static int ended(struct store_reader *reader, sqlite3_stmt *row, int err)
{
	(void)reader;
	db_reset(row);
	return err;
}

static int next(struct store_reader *reader, sqlite3_stmt *row)
{
	return db_step(&reader->db, row, &reader->msg);
}

static struct store_bytes column_bytes(sqlite3_stmt *row, int column)
{
	const uint8_t *data = sqlite3_column_blob(row, column);
	return (struct store_bytes){ data,
		data ? (size_t)sqlite3_column_bytes(row, column) : 0 };
}

int sqlite_read_agents(struct store_reader *reader,
    const struct store_filter *filter, store_agent_fn *fn, void *ctx)
{
	sqlite3_stmt *row = db_query(&reader->db,
	    "SELECT id, agent, version, epoch, stored, lost, heartbeat"
	    " FROM agents WHERE ?1 = 0 OR id = ?1 ORDER BY id",
	    "i", filter->agent_row);
	int err;
	while ((err = next(reader, row)) == 1) {
		struct store_agent agent = {
			.row = sqlite3_column_int64(row, 0),
			.version = db_column_text(row, 2),
			.epoch = (uint64_t)sqlite3_column_int64(row, 3),
			.stored = (uint64_t)sqlite3_column_int64(row, 4),
			.lost = (uint64_t)sqlite3_column_int64(row, 5),
			.heartbeat = column_bytes(row, 6),
		};
		db_column_copy(row, 1, agent.id, sizeof(agent.id));
		if ((err = fn(ctx, &agent)) != 0)
			break;
	}
	return ended(reader, row, err);
}

int sqlite_read_gaps(struct store_reader *reader,
    const struct store_filter *filter, store_gap_fn *fn, void *ctx)
{
	sqlite3_stmt *row = db_query(&reader->db,
	    "SELECT id, agent, wall_ns, epoch, from_seq, to_seq, unnumbered,"
	    " reason FROM losses WHERE wall_ns >= ?1 AND wall_ns < ?2"
	    " AND (?3 = 0 OR agent = ?3) AND (?4 = 0 OR id < ?4)"
	    " ORDER BY id DESC LIMIT ?5",
	    "iiiii", filter->range.from_ns, filter->range.to_ns,
	    filter->agent_row, filter->cursor_row,
	    filter->limit ? (int64_t)filter->limit : INT64_MAX);
	int err;
	while ((err = next(reader, row)) == 1) {
		struct store_gap gap = {
			.row = sqlite3_column_int64(row, 0),
			.agent_row = sqlite3_column_int64(row, 1),
			.wall_ns = sqlite3_column_int64(row, 2),
			.epoch = (uint64_t)sqlite3_column_int64(row, 3),
			.from_seq = (uint64_t)sqlite3_column_int64(row, 4),
			.to_seq = (uint64_t)sqlite3_column_int64(row, 5),
			.records = (uint64_t)sqlite3_column_int64(row, 6),
			.reason = db_column_text(row, 7),
		};
		if (gap.from_seq > 0)
			gap.records += gap.to_seq - gap.from_seq + 1;
		if ((err = fn(ctx, &gap)) != 0)
			break;
	}
	return ended(reader, row, err);
}

/* " AND r.kind IN (16,17)", or nothing; the caller frees. */
static char *kinds_sql(const struct store_filter *f)
{
	char *sql = xstrdup(f->kind_count ? " AND r.kind IN (" : "");
	for (size_t i = 0; i < f->kind_count; i++) {
		char *longer = xasprintf("%s%u%s", sql, f->kinds[i],
		    i + 1 < f->kind_count ? "," : ")");
		free(sql);
		sql = longer;
	}
	return sql;
}

/* Only the conditions that are asked for, so that the planner sees which
 * index serves.  The values go by number, asked for or not. */
static char *records_sql(const struct store_filter *f)
{
	char *kinds = kinds_sql(f);
	char *sql = xasprintf(
	    "SELECT r.id, a.agent, r.epoch, r.seq, r.wall_ns, r.received_ns,"
	    " r.body FROM records r JOIN agents a ON a.id = r.agent"
	    " WHERE r.wall_ns >= ?1 AND r.wall_ns < ?2%s%s%s%s%s%s%s%s"
	    " ORDER BY r.wall_ns DESC, r.id DESC LIMIT ?10",
	    f->agent_row ? " AND r.agent = ?3" : "",
	    f->campaign ? " AND r.campaign = ?4" : "",
	    f->run ? " AND r.run = ?5" : "",
	    f->src.family ? " AND r.src = ?6" : "",
	    f->dst.family ? " AND r.dst = ?7" : "",
	    f->src.family && f->kind_count == 1 &&
		    f->kinds[0] == SONDE__RECORD__BODY_SIGHTING
		? " AND r.dst IS NULL"
		: "",
	    kinds, f->cursor_row ? " AND (r.wall_ns, r.id) < (?8, ?9)" : "");
	free(kinds);
	return sql;
}

static void records_bind(sqlite3_stmt *row, const struct store_filter *f)
{
	sqlite3_bind_int64(row, 1, f->range.from_ns);
	sqlite3_bind_int64(row, 2, f->range.to_ns);
	sqlite3_bind_int64(row, 3, f->agent_row);
	sqlite3_bind_blob(row, 4, f->campaign, 16, SQLITE_STATIC);
	sqlite3_bind_int64(row, 5, (int64_t)f->run);
	sqlite3_bind_blob(
	    row, 6, f->src.bytes, (int)addr_len(&f->src), SQLITE_STATIC);
	sqlite3_bind_blob(
	    row, 7, f->dst.bytes, (int)addr_len(&f->dst), SQLITE_STATIC);
	sqlite3_bind_int64(row, 8, f->cursor_ns);
	sqlite3_bind_int64(row, 9, f->cursor_row);
	sqlite3_bind_int64(row, 10, f->limit ? f->limit : INT64_MAX);
}

int sqlite_read_records(struct store_reader *reader,
    const struct store_filter *filter, store_record_fn *fn, void *ctx)
{
	char *sql = records_sql(filter);
	sqlite3_stmt *row;
	int code = sqlite3_prepare_v2(reader->db.handle, sql, -1, &row, NULL);
	free(sql);
	if (code != SQLITE_OK)
		return db_error(&reader->db, &reader->msg);
	records_bind(row, filter);
	int err;
	while ((err = next(reader, row)) == 1) {
		struct store_record record = {
			.row = sqlite3_column_int64(row, 0),
			.epoch = (uint64_t)sqlite3_column_int64(row, 2),
			.seq = (uint64_t)sqlite3_column_int64(row, 3),
			.wall_ns = sqlite3_column_int64(row, 4),
			.received_ns = sqlite3_column_int64(row, 5),
			.body = column_bytes(row, 6),
		};
		db_column_copy(row, 1, record.agent, sizeof(record.agent));
		if ((err = fn(ctx, &record)) != 0)
			break;
	}
	sqlite3_finalize(row);
	return err;
}

int sqlite_read_payload(struct store_reader *reader, const uint8_t hash[16],
    uint64_t *size_bytes, struct buf *octets)
{
	sqlite3_stmt *row = db_query(&reader->db,
	    "SELECT size_bytes, octets FROM payloads WHERE hash = ?1", "b",
	    hash, (size_t)16);
	int err = next(reader, row);
	if (err == 1) {
		struct store_bytes bytes = column_bytes(row, 1);
		*size_bytes = (uint64_t)sqlite3_column_int64(row, 0);
		buf_bytes(octets, bytes.data, bytes.len);
	}
	db_reset(row);
	return err == 1 ? ERR_OK : err == 0 ? ERR_NOT_FOUND : err;
}

int sqlite_totals(struct store_reader *reader, uint64_t *stored, uint64_t *lost)
{
	int64_t sums[2];
	int err = db_integer(
	    &reader->db, &sums[0], 0, "SELECT sum(stored) FROM agents", "");
	if (err == ERR_OK)
		err = db_integer(&reader->db, &sums[1], 0,
		    "SELECT sum(lost) FROM agents", "");
	if (err == ERR_OK) {
		*stored = (uint64_t)sums[0];
		*lost = (uint64_t)sums[1];
	}
	return err;
}
