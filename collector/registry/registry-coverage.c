/* SPDX-License-Identifier: ISC */
#include "collector/registry/registry-coverage.h"

#include "collector/registry/registry-private.h"

int registry_coverage_put(struct registry *registry,
    const struct registry_coverage *coverage, int64_t forget_ns,
    struct errmsg *msg)
{
	struct db *db = &registry->db;
	int err = db_run(db, msg,
	    "INSERT INTO coverage (agent, interface, state, why, since_ns,"
	    " last_ns, heard_ns, ring_bytes) VALUES"
	    " (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO UPDATE SET"
	    " state = ?3, why = ?4, since_ns = ?5, last_ns = ?6,"
	    " heard_ns = ?7, ring_bytes = ?8 WHERE last_ns <= ?6",
	    "itttiiii", coverage->agent_row, coverage->interface,
	    coverage->state, coverage->why, coverage->since_ns,
	    coverage->last_ns, coverage->heard_ns,
	    (int64_t)(coverage->ring_bytes & INT64_MAX));
	if (err < 0)
		return err;
	err = db_run(db, msg,
	    "DELETE FROM coverage WHERE agent = ?1 AND heard_ns < ?2", "ii",
	    coverage->agent_row, coverage->heard_ns - forget_ns);
	if (err < 0)
		return err;
	return db_run(db, msg,
	    "DELETE FROM coverage WHERE agent = ?1 AND interface NOT IN"
	    " (SELECT interface FROM coverage WHERE agent = ?1"
	    " ORDER BY heard_ns DESC, interface LIMIT ?2)",
	    "ii", coverage->agent_row, (int64_t)REGISTRY_INTERFACES_MOST);
}

int registry_coverage_remove(struct registry *registry, int64_t agent_row,
    const char *interface, struct errmsg *msg)
{
	return db_run(&registry->db, msg,
	    "DELETE FROM coverage WHERE agent = ?1 AND interface = ?2", "it",
	    agent_row, interface);
}

int registry_read_coverage(struct registry_reader *reader, int64_t agent_row,
    registry_coverage_fn *fn, void *ctx)
{
	sqlite3_stmt *row = db_query(&reader->db,
	    "SELECT agent, interface, state, why, since_ns, last_ns, heard_ns,"
	    " ring_bytes FROM coverage WHERE ?1 = 0 OR agent = ?1"
	    " ORDER BY agent, interface",
	    "i", agent_row);
	int err;
	while ((err = registry_next(reader, row)) == 1) {
		const struct registry_coverage coverage = {
			.agent_row = sqlite3_column_int64(row, 0),
			.interface = db_column_text(row, 1),
			.state = db_column_text(row, 2),
			.why = db_column_text(row, 3),
			.since_ns = sqlite3_column_int64(row, 4),
			.last_ns = sqlite3_column_int64(row, 5),
			.heard_ns = sqlite3_column_int64(row, 6),
			.ring_bytes = (uint64_t)sqlite3_column_int64(row, 7),
		};
		if ((err = fn(ctx, &coverage)) != 0)
			break;
	}
	db_reset(row);
	return err;
}
