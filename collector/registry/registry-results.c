/* SPDX-License-Identifier: ISC */
#include "collector/registry/registry-results.h"

#include "collector/registry/registry-private.h"

static int count_rows(struct db *db, int64_t *all, int64_t *own, int64_t agent)
{
	int err =
	    db_integer(db, all, 0, "SELECT count(*) FROM result_schemas", "");
	if (err < 0)
		return err;
	return db_integer(db, own, 0,
	    "SELECT count(*) FROM result_schemas WHERE agent = ?1", "i", agent);
}

int registry_result_schema_add(struct registry *registry,
    const struct registry_result_schema *schema, int64_t agent_most,
    struct errmsg *msg)
{
	struct db *db = &registry->db;
	int64_t known, all, own;
	if (db_integer(db, &known, 0,
		"SELECT count(*) FROM result_schemas WHERE hash = ?1", "b",
		schema->hash, (size_t)16) < 0)
		return db_error(db, msg);
	if (known) {
		int err = db_run(db, msg,
		    "UPDATE result_schemas SET last_ns = max(last_ns, ?2)"
		    " WHERE hash = ?1",
		    "bi", schema->hash, (size_t)16, schema->first_ns);
		return err < 0 ? err : 1;
	}
	if (count_rows(db, &all, &own, schema->agent) < 0)
		return db_error(db, msg);
	if (own >= agent_most || all >= REGISTRY_SCHEMAS_MAX)
		return err_set(msg, ERR_LIMIT,
		    "result schemas: expected at most %lld of one agent and "
		    "%d of all",
		    (long long)agent_most, REGISTRY_SCHEMAS_MAX);
	return db_run(db, msg,
	    "INSERT INTO result_schemas (hash, script, agent, first_ns, body,"
	    " last_ns) VALUES (?1, ?2, ?3, ?4, ?5, ?4)",
	    "btiib", schema->hash, (size_t)16, schema->script, schema->agent,
	    schema->first_ns, schema->body, schema->body_len);
}

int registry_result_schemas_trim(
    struct registry *registry, int64_t horizon_ns, struct errmsg *msg)
{
	return db_run(&registry->db, msg,
	    "DELETE FROM result_schemas WHERE last_ns < ?1", "i", horizon_ns);
}

int registry_read_result_schemas(
    struct registry_reader *reader, registry_result_schema_fn *fn, void *ctx)
{
	sqlite3_stmt *row = db_query(&reader->db,
	    "SELECT hash, script, agent, first_ns, body FROM result_schemas"
	    " ORDER BY id",
	    "");
	int err;
	while ((err = registry_next(reader, row)) == 1) {
		uint8_t hash[16];
		db_column_copy(row, 0, hash, sizeof(hash));
		struct registry_result_schema schema = {
			.hash = hash,
			.script = db_column_text(row, 1),
			.agent = sqlite3_column_int64(row, 2),
			.first_ns = sqlite3_column_int64(row, 3),
			.body = sqlite3_column_blob(row, 4),
			.body_len = (size_t)sqlite3_column_bytes(row, 4),
		};
		if ((err = fn(ctx, &schema)) != 0)
			break;
	}
	db_reset(row);
	return err;
}
