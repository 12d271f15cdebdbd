/* SPDX-License-Identifier: ISC */
#include "collector/registry/registry-agents.h"

#include <stdio.h>

#include "collector/registry/registry-private.h"

/* The row for a new agent: telemetry's, or above all that were ever used. */
static int choose_row(struct db *db, struct registry_agent *agent)
{
	int err = db_integer(db, &agent->row, 0,
	    "SELECT id FROM reserved WHERE agent = ?1", "b", agent->id,
	    sizeof(agent->id));
	if (err < 0 || agent->row > 0)
		return err;
	return db_integer(db, &agent->row, 1,
	    "SELECT 1 + max((SELECT ifnull(max(id), 0) FROM agents),"
	    " (SELECT ifnull(max(id), 0) FROM reserved))",
	    "");
}

int registry_agent_add(
    struct registry *registry, struct registry_agent *agent, struct errmsg *msg)
{
	struct db *db = &registry->db;
	if (choose_row(db, agent) < 0)
		return db_error(db, msg);
	int err = db_run(db, msg,
	    "INSERT INTO agents (id, agent, public_key, name, tags, version,"
	    " enrolled_ns) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	    "ibbttti", agent->row, agent->id, sizeof(agent->id), agent->key,
	    sizeof(agent->key), agent->name, agent->tags, agent->version,
	    agent->enrolled_ns);
	if (err < 0)
		return err;
	return db_run(
	    db, msg, "DELETE FROM reserved WHERE id = ?1", "i", agent->row);
}

int registry_agent_seen(
    struct registry *registry, int64_t row, int64_t seen_ns, struct errmsg *msg)
{
	return db_run(&registry->db, msg,
	    "UPDATE agents SET seen_ns = max(seen_ns, ?2) WHERE id = ?1", "ii",
	    row, seen_ns);
}

int registry_agent_reserve(struct registry *registry, int64_t row,
    const uint8_t id[16], struct errmsg *msg)
{
	struct db *db = &registry->db;
	int64_t same, others;
	if (db_integer(db, &same, 0,
		"SELECT count(*) FROM (SELECT id, agent FROM agents"
		" UNION ALL SELECT id, agent FROM reserved)"
		" WHERE id = ?1 AND agent = ?2",
		"ib", row, id, (size_t)16) < 0 ||
	    db_integer(db, &others, 0,
		"SELECT count(*) FROM (SELECT id, agent FROM agents"
		" UNION ALL SELECT id, agent FROM reserved)"
		" WHERE (id = ?1) <> (agent = ?2)",
		"ib", row, id, (size_t)16) < 0)
		return db_error(db, msg);
	if (others > 0)
		return err_set(msg, ERR_CORRUPT,
		    "registry.db and sonde.db give agent number %lld to "
		    "different agents: put both back from one backup",
		    (long long)row);
	return same > 0
	    ? ERR_OK
	    : db_run(db, msg, "INSERT INTO reserved VALUES (?1, ?2)", "ib", row,
		  id, (size_t)16);
}

int registry_agent_name(struct registry *registry, int64_t row, char *name,
    size_t len, struct errmsg *msg)
{
	sqlite3_stmt *found = db_query(
	    &registry->db, "SELECT name FROM agents WHERE id = ?1", "i", row);
	int err = db_step(&registry->db, found, msg);
	if (err == 1)
		snprintf(name, len, "%s", db_column_text(found, 0));
	db_reset(found);
	if (err == 0)
		return err_set(msg, ERR_NOT_FOUND, "agent: no such one");
	return err < 0 ? err : ERR_OK;
}

int registry_announced(struct registry *registry, int64_t row, uint64_t epoch,
    uint64_t *next, struct errmsg *msg)
{
	int64_t value;
	if (db_integer(&registry->db, &value, 0,
		"SELECT iif(announced_epoch > ?2, 9223372036854775807,"
		" announced_next) FROM agents"
		" WHERE id = ?1 AND announced_epoch >= ?2",
		"ii", row, (int64_t)epoch) < 0)
		return db_error(&registry->db, msg);
	*next = (uint64_t)value;
	return ERR_OK;
}

/* Of an older epoch nothing is kept: it brings no more. */
int registry_announce(struct registry *registry, int64_t row, uint64_t epoch,
    uint64_t next, struct errmsg *msg)
{
	return db_run(&registry->db, msg,
	    "UPDATE agents SET announced_epoch = ?2, announced_next = ?3"
	    " WHERE id = ?1 AND announced_epoch <= ?2",
	    "iii", row, (int64_t)epoch, (int64_t)next);
}

int registry_token_add(struct registry *registry,
    const struct registry_token *token, struct errmsg *msg)
{
	return db_run(&registry->db, msg,
	    "INSERT INTO tokens (hash, name, tags, made_ns, expires_ns)"
	    " VALUES (?1, ?2, ?3, ?4, ?5)",
	    "bttii", token->hash, sizeof(token->hash), token->name, token->tags,
	    token->made_ns, token->expires_ns);
}

int registry_token_get(struct registry *registry,
    const uint8_t hash[REGISTRY_TOKEN_HASH_LEN], struct registry_token *token,
    struct errmsg *msg)
{
	/* Not reset here: name and tags live in the row until the next call. */
	sqlite3_stmt *row = db_query(&registry->db,
	    "SELECT hash, name, tags, made_ns, expires_ns, used_ns, agent"
	    " FROM tokens WHERE hash = ?1",
	    "b", hash, (size_t)REGISTRY_TOKEN_HASH_LEN);
	int err = db_step(&registry->db, row, msg);
	if (err < 0)
		return err;
	if (err == 0)
		return err_set(msg, ERR_NOT_FOUND, "token: not known");
	db_column_copy(row, 0, token->hash, sizeof(token->hash));
	token->name = db_column_text(row, 1);
	token->tags = db_column_text(row, 2);
	token->made_ns = sqlite3_column_int64(row, 3);
	token->expires_ns = sqlite3_column_int64(row, 4);
	token->used_ns = sqlite3_column_int64(row, 5);
	token->agent_row = sqlite3_column_int64(row, 6);
	return ERR_OK;
}

int registry_token_use(struct registry *registry,
    const struct registry_token *token, struct errmsg *msg)
{
	return db_run(&registry->db, msg,
	    "UPDATE tokens SET used_ns = ?2, agent = ?3 WHERE hash = ?1", "bii",
	    token->hash, sizeof(token->hash), token->used_ns, token->agent_row);
}

int registry_read_agents(struct registry_reader *reader, int64_t agent_row,
    registry_agent_fn *fn, void *ctx)
{
	sqlite3_stmt *row = db_query(&reader->db,
	    "SELECT id, agent, public_key, name, tags, version, enrolled_ns,"
	    " seen_ns FROM agents WHERE ?1 = 0 OR id = ?1 ORDER BY id",
	    "i", agent_row);
	int err;
	while ((err = registry_next(reader, row)) == 1) {
		struct registry_agent agent = {
			.row = sqlite3_column_int64(row, 0),
			.name = db_column_text(row, 3),
			.tags = db_column_text(row, 4),
			.version = db_column_text(row, 5),
			.enrolled_ns = sqlite3_column_int64(row, 6),
			.seen_ns = sqlite3_column_int64(row, 7),
		};
		db_column_copy(row, 1, agent.id, sizeof(agent.id));
		db_column_copy(row, 2, agent.key, sizeof(agent.key));
		if ((err = fn(ctx, &agent)) != 0)
			break;
	}
	db_reset(row);
	return err;
}
