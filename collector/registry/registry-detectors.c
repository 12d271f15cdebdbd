/* SPDX-License-Identifier: ISC */
#include "collector/registry/registry-detectors.h"

#include "collector/registry/registry-private.h"

int registry_detector_clear(
    struct registry *registry, uint32_t bin_s, struct errmsg *msg)
{
	return db_run(&registry->db, msg,
	    "DELETE FROM detector_states WHERE bin_s = ?1", "i",
	    (int64_t)bin_s);
}

int registry_detector_add(struct registry *registry, uint32_t bin_s,
    const struct registry_detector_state *state, struct errmsg *msg)
{
	return db_run(&registry->db, msg,
	    "INSERT INTO detector_states (bin_s, detector, verdict, signature,"
	    " agent, next_s, last_s, state)"
	    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	    "itttiiib", (int64_t)bin_s, state->detector, state->verdict,
	    state->signature, state->agent_row, state->next_s, state->last_s,
	    state->bytes, state->len);
}

int registry_read_detectors(struct registry_reader *reader, uint32_t bin_s,
    registry_detector_fn *fn, void *ctx)
{
	sqlite3_stmt *row = db_query(&reader->db,
	    "SELECT detector, verdict, signature, agent, next_s, last_s, state"
	    " FROM detector_states WHERE bin_s = ?1",
	    "i", (int64_t)bin_s);
	int err;
	while ((err = registry_next(reader, row)) == 1) {
		struct registry_detector_state state = {
			.detector = db_column_text(row, 0),
			.verdict = db_column_text(row, 1),
			.signature = db_column_text(row, 2),
			.agent_row = sqlite3_column_int64(row, 3),
			.next_s = sqlite3_column_int64(row, 4),
			.last_s = sqlite3_column_int64(row, 5),
			.bytes = sqlite3_column_blob(row, 6),
			.len = (size_t)sqlite3_column_bytes(row, 6),
		};
		if ((err = fn(ctx, &state)) != 0)
			break;
	}
	db_reset(row);
	return err;
}
