/* SPDX-License-Identifier: ISC */
/* The rows that people and the alarm thread write: agents, tokens, campaigns,
 * alarms, events. */
#include "collector/store/sqlite/provider.h"

int sqlite_agent_add(
    struct store *store, struct store_agent *agent, struct errmsg *msg)
{
	int err = db_run(&store->db, msg,
	    "INSERT INTO agents (agent, public_key, name, tags, version,"
	    " enrolled_ns) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
	    "bbttti", agent->id, sizeof(agent->id), agent->key,
	    sizeof(agent->key), agent->name, agent->tags, agent->version,
	    agent->enrolled_ns);
	agent->row = sqlite3_last_insert_rowid(store->db.handle);
	return err;
}

int sqlite_agent_seen(
    struct store *store, int64_t row, int64_t seen_ns, struct errmsg *msg)
{
	return db_run(&store->db, msg,
	    "UPDATE agents SET seen_ns = max(seen_ns, ?2) WHERE id = ?1", "ii",
	    row, seen_ns);
}

int sqlite_token_add(
    struct store *store, const struct store_token *token, struct errmsg *msg)
{
	return db_run(&store->db, msg,
	    "INSERT INTO tokens (hash, name, tags, made_ns, expires_ns)"
	    " VALUES (?1, ?2, ?3, ?4, ?5)",
	    "bttii", token->hash, sizeof(token->hash), token->name, token->tags,
	    token->made_ns, token->expires_ns);
}

int sqlite_token_get(struct store *store,
    const uint8_t hash[STORE_TOKEN_HASH_LEN], struct store_token *token,
    struct errmsg *msg)
{
	/* Not reset here: name and tags live in the row until the next call. */
	sqlite3_stmt *row = db_query(&store->db,
	    "SELECT hash, name, tags, made_ns, expires_ns, used_ns, agent"
	    " FROM tokens WHERE hash = ?1",
	    "b", hash, (size_t)STORE_TOKEN_HASH_LEN);
	int err = db_step(&store->db, row, msg);
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

int sqlite_token_use(
    struct store *store, const struct store_token *token, struct errmsg *msg)
{
	return db_run(&store->db, msg,
	    "UPDATE tokens SET used_ns = ?2, agent = ?3 WHERE hash = ?1", "bii",
	    token->hash, sizeof(token->hash), token->used_ns, token->agent_row);
}

int sqlite_campaign_add(struct store *store,
    const struct store_campaign *campaign, struct errmsg *msg)
{
	return db_run(&store->db, msg,
	    "INSERT INTO campaigns (campaign, script, targets, options,"
	    " selectors, every_s, until_ns, created_ns)"
	    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	    "bttttiii", campaign->id, sizeof(campaign->id), campaign->script,
	    campaign->targets, campaign->options, campaign->on,
	    campaign->every_s, campaign->until_ns, campaign->created_ns);
}

int sqlite_campaign_stop(struct store *store, const uint8_t id[16],
    int64_t stopped_ns, struct errmsg *msg)
{
	int err = db_run(&store->db, msg,
	    "UPDATE campaigns SET stopped_ns ="
	    " iif(stopped_ns = 0, ?2, stopped_ns) WHERE campaign = ?1",
	    "bi", id, (size_t)16, stopped_ns);
	if (err == ERR_OK && db_changes(&store->db) == 0)
		err = err_set(msg, ERR_NOT_FOUND, "campaign: no such one");
	return err;
}

int sqlite_revise(struct store *store, uint64_t *revision, struct errmsg *msg)
{
	int64_t value = 0;
	int err = db_run(&store->db, msg,
	    "UPDATE meta SET value = value + 1 WHERE key = 'revision'", "");
	if (err == ERR_OK &&
	    db_integer(&store->db, &value, 0,
		"SELECT value FROM meta WHERE key = 'revision'", "") < 0)
		err = db_error(&store->db, msg);
	*revision = (uint64_t)value;
	return err;
}

int sqlite_alarm_put(
    struct store *store, struct store_alarm *alarm, struct errmsg *msg)
{
	if (alarm->row)
		return db_run(&store->db, msg,
		    "UPDATE alarms SET onset_ns = ?2, ended_ns = ?3,"
		    " observed = ?4, expected = ?5 WHERE id = ?1",
		    "iiidd", alarm->row, alarm->onset_ns, alarm->ended_ns,
		    alarm->observed, alarm->expected);
	int err = db_run(&store->db, msg,
	    "INSERT INTO alarms (bin_s, kind, agent, direction, onset_ns,"
	    " detected_ns, ended_ns, observed, expected, test, run_length)"
	    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
	    "iiiiiiiddtd", (int64_t)alarm->bin_s, alarm->kind_row,
	    alarm->agent_row, (int64_t)alarm->direction, alarm->onset_ns,
	    alarm->detected_ns, alarm->ended_ns, alarm->observed,
	    alarm->expected, alarm->test, alarm->run_length);
	alarm->row = sqlite3_last_insert_rowid(store->db.handle);
	return err;
}

int sqlite_event_add(
    struct store *store, struct store_event *event, struct errmsg *msg)
{
	int err = db_run(&store->db, msg,
	    "INSERT INTO events (at_ns, type, data) VALUES (?1, ?2, ?3)", "itt",
	    event->at_ns, event->type, event->data);
	event->id = sqlite3_last_insert_rowid(store->db.handle);
	return err;
}
