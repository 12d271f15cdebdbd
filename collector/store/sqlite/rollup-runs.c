/* SPDX-License-Identifier: ISC */
/*
 * Runs of campaigns: what a record adds to its run, and what is asked of
 * them.  A run has failed when its agent logged an error under its number;
 * other talk of a script is no result and counts for nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "collector/store/sqlite/bins.h"
#include "collector/store/sqlite/provider.h"
#include "lib/base/xalloc.h"

#define ERROR_MOST_LEN 300

/* The error that this record tells of its run, or NULL; the caller frees. */
static char *error_of(const struct prepared_record *record)
{
	if (record->kind != SONDE__RECORD__BODY_LOG || !record->record)
		return NULL;
	const char *text = record->record->log->text;
	return xstrndup(*text ? text : "failed",
	    strnlen(*text ? text : "failed", ERROR_MOST_LEN));
}

int rollup_run(struct rollup *rollup, uint32_t index, struct errmsg *msg)
{
	const struct prepared_record *record = &rollup->batch->records[index];
	int64_t now = rollup_sane_ns(rollup->batch->received, record->wall_ns);
	bool is_talk = record->kind == SONDE__RECORD__BODY_LOG;
	char *error = error_of(record);
	int err = db_run(&rollup->store->db, msg,
	    "INSERT INTO runs (campaign, run, agent, first_ns, last_ns,"
	    " records, error) VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?6)"
	    " ON CONFLICT DO UPDATE SET first_ns = min(first_ns, ?4),"
	    " last_ns = max(last_ns, ?4), records = records + ?5,"
	    " error = coalesce(?6, error)",
	    "biiiit", record->campaign, sizeof(record->campaign),
	    (int64_t)record->run, rollup->batch->agent_row, now,
	    (int64_t)!is_talk, error);
	free(error);
	return err;
}

int sqlite_read_runs(struct store_reader *reader,
    const struct store_filter *filter, store_run_fn *fn, void *ctx)
{
	sqlite3_stmt *row = db_query(&reader->db,
	    "SELECT r.id, r.campaign, a.agent, r.run, r.first_ns,"
	    " r.last_ns, r.records, r.error FROM runs r"
	    " JOIN agents a ON a.id = r.agent"
	    " WHERE (?1 IS NULL OR r.campaign = ?1)"
	    " AND (?2 = 0 OR r.agent = ?2) AND (?3 = 0 OR r.id < ?3)"
	    " ORDER BY r.id DESC LIMIT ?4",
	    "biii", filter->campaign, (size_t)16, filter->agent_row,
	    filter->cursor_row,
	    filter->limit ? (int64_t)filter->limit : INT64_MAX);
	int err;
	while ((err = db_step(&reader->db, row, &reader->msg)) == 1) {
		struct store_run run = {
			.row = sqlite3_column_int64(row, 0),
			.run = (uint64_t)sqlite3_column_int64(row, 3),
			.first_ns = sqlite3_column_int64(row, 4),
			.last_ns = sqlite3_column_int64(row, 5),
			.records = (uint64_t)sqlite3_column_int64(row, 6),
			.error = db_column_text(row, 7),
		};
		db_column_copy(row, 1, run.campaign, sizeof(run.campaign));
		db_column_copy(row, 2, run.agent, sizeof(run.agent));
		if ((err = fn(ctx, &run)) != 0)
			break;
	}
	db_reset(row);
	return err;
}

int sqlite_last_run(struct store_reader *reader, const uint8_t campaign[16],
    int64_t agent_row, uint64_t *run)
{
	int64_t value;
	int err = db_integer(&reader->db, &value, 0,
	    "SELECT max(run) FROM runs WHERE campaign = ?1 AND agent = ?2",
	    "bi", campaign, (size_t)16, agent_row);
	*run = (uint64_t)value;
	return err;
}

int sqlite_run_failures(struct store_reader *reader, const uint8_t campaign[16],
    uint64_t *failed, char **last_error)
{
	sqlite3_stmt *row = db_query(&reader->db,
	    "SELECT count(*), (SELECT error FROM runs WHERE campaign = ?1"
	    "  AND error IS NOT NULL ORDER BY last_ns DESC LIMIT 1)"
	    " FROM runs WHERE campaign = ?1 AND error IS NOT NULL",
	    "b", campaign, (size_t)16);
	int err = db_step(&reader->db, row, &reader->msg);
	*failed = 0;
	*last_error = NULL;
	if (err == 1) {
		*failed = (uint64_t)sqlite3_column_int64(row, 0);
		if (*failed > 0)
			*last_error = xstrdup(db_column_text(row, 1));
	}
	db_reset(row);
	return err < 0 ? err : ERR_OK;
}
