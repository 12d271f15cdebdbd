/* SPDX-License-Identifier: ISC */
#include "collector/registry/registry-events.h"

#include "collector/registry/registry-private.h"

int registry_event_add(
    struct registry *registry, struct registry_event *event, struct errmsg *msg)
{
	int err = db_run(&registry->db, msg,
	    "INSERT INTO events (at_ns, type, data) VALUES (?1, ?2, ?3)", "itt",
	    event->at_ns, event->type, event->data);
	event->id = sqlite3_last_insert_rowid(registry->db.handle);
	return err;
}

int registry_read_events(struct registry_reader *reader, int64_t after,
    uint32_t limit, registry_event_fn *fn, void *ctx)
{
	sqlite3_stmt *row = db_query(&reader->db,
	    "SELECT id, at_ns, type, data FROM events WHERE id > ?1"
	    " ORDER BY id LIMIT ?2",
	    "ii", after, (int64_t)limit);
	int err;
	while ((err = registry_next(reader, row)) == 1) {
		struct registry_event event = {
			.id = sqlite3_column_int64(row, 0),
			.at_ns = sqlite3_column_int64(row, 1),
			.type = db_column_text(row, 2),
			.data = db_column_text(row, 3),
		};
		if ((err = fn(ctx, &event)) != 0)
			break;
	}
	db_reset(row);
	return err;
}

int registry_event_range(
    struct registry_reader *reader, int64_t *oldest, int64_t *newest)
{
	if (db_integer(
		&reader->db, oldest, 0, "SELECT min(id) FROM events", "") < 0)
		return db_error(&reader->db, &reader->msg);
	/* The newest ever made: the counter outlives the rows. */
	if (db_integer(&reader->db, newest, 0,
		"SELECT seq FROM sqlite_sequence WHERE name = 'events'",
		"") < 0)
		return db_error(&reader->db, &reader->msg);
	return ERR_OK;
}
