/* SPDX-License-Identifier: ISC */
/*
 * Small numbers for what rows would else repeat: classes, agents, paths.  All
 * are in memory, so that one look-up costs one hash whatever their number, and
 * each agent may make a bounded number of them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/store/sqlite/rollup/names.h"
#include "collector/store/sqlite/rollup/bins.h"
#include "collector/store/sqlite/rollup/gather-private.h"
#include "lib/base/xalloc.h"

#define DAY_NS (DAY_S * NS_PER_S)

static uint64_t class_hash(const char *verdict, const char *signature)
{
	char name[256];
	size_t a = strnlen(verdict, 100), b = strnlen(signature, 100);
	memcpy(name, verdict, a);
	name[a] = '\0';
	memcpy(name + a + 1, signature, b);
	return index_hash(name, a + 1 + b);
}

static struct class_name *find_class(
    struct gather *g, const char *verdict, const char *signature, uint64_t hash)
{
	struct index_walk walk = index_walk(&g->class_index, hash);
	size_t i;
	while (index_next(&walk, &i))
		if (strcmp(g->classes[i].verdict, verdict) == 0 &&
		    strcmp(g->classes[i].signature, signature) == 0)
			return &g->classes[i];
	return NULL;
}

static struct class_name *add_class(
    struct gather *g, const char *verdict, const char *signature, int64_t agent)
{
	g->classes =
	    xreallocarray(g->classes, g->class_count + 1, sizeof(*g->classes));
	index_put(
	    &g->class_index, class_hash(verdict, signature), g->class_count);
	struct class_name *made = &g->classes[g->class_count++];
	*made = (struct class_name){ .verdict = xstrdup(verdict),
		.signature = xstrdup(signature),
		.agent = agent,
		.first_ns = INT64_MAX,
		.changed = true };
	return made;
}

uint32_t names_class(struct gather *g, struct gather_agent *agent,
    const char *verdict, const char *signature)
{
	struct class_name *class =
	    find_class(g, verdict, signature, class_hash(verdict, signature));
	if (!class &&
	    (agent->classes >= AGENT_CLASSES_MOST ||
		g->class_count >= CLASSES_MOST)) {
		g->bounded++;
		verdict = MORE_VERDICT;
		signature = MORE;
		class = find_class(
		    g, verdict, signature, class_hash(verdict, signature));
	}
	if (!class) {
		class = add_class(g, verdict, signature, agent->row);
		agent->classes++;
	}
	return (uint32_t)(class - g->classes) + 1;
}

uint32_t names_import(
    struct gather *g, const struct class_name *like, uint64_t sources)
{
	const char *verdict = like->verdict, *signature = like->signature;
	if (g->class_count + 1 >= CLASSES_MOST) {
		verdict = MORE_VERDICT;
		signature = MORE;
	}
	struct class_name *class =
	    find_class(g, verdict, signature, class_hash(verdict, signature));
	if (!class)
		class = add_class(g, verdict, signature, STORE_FLEET);
	g->class_sources[class - g->classes] += sources;
	class->packets += like->packets;
	if (like->first_ns < class->first_ns)
		class->first_ns = like->first_ns;
	if (like->last_ns > class->last_ns)
		class->last_ns = like->last_ns;
	return (uint32_t)(class - g->classes) + 1;
}

static struct gather_agent *agent_slot(struct gather *g, int64_t row)
{
	/* By row; the registry gives small ones. */
	size_t low = 0, high = g->agent_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (g->agents[middle].row < row)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < g->agent_count && g->agents[low].row == row)
		return &g->agents[low];
	g->agents =
	    xreallocarray(g->agents, g->agent_count + 1, sizeof(*g->agents));
	memmove(&g->agents[low + 1], &g->agents[low],
	    (g->agent_count - low) * sizeof(*g->agents));
	g->agents[low] = (struct gather_agent){ .row = row };
	g->agent_count++;
	return &g->agents[low];
}

struct gather_agent *names_agent(
    struct gather *g, const struct prepared_batch *batch)
{
	struct gather_agent *agent = agent_slot(g, batch->agent_row);
	if (memcmp(agent->id, batch->header.agent, sizeof(agent->id)) != 0) {
		memcpy(agent->id, batch->header.agent, sizeof(agent->id));
		agent->changed = true;
	}
	return agent;
}

/* What makes a path: agent and digest. */
static uint64_t path_hash(uint32_t agent, const uint8_t *digest)
{
	uint8_t key[PATH_DIGEST_LEN + sizeof(agent)];
	memcpy(key, digest, PATH_DIGEST_LEN);
	memcpy(key + PATH_DIGEST_LEN, &agent, sizeof(agent));
	return index_hash(key, sizeof(key));
}

static struct path_name *find_path_name(
    struct gather *g, uint32_t agent, const uint8_t *digest)
{
	struct index_walk walk =
	    index_walk(&g->path_index, path_hash(agent, digest));
	size_t i;
	while (index_next(&walk, &i))
		if (g->path_names[i].agent == agent &&
		    memcmp(g->path_names[i].digest, digest, PATH_DIGEST_LEN) ==
			0)
			return &g->path_names[i];
	return NULL;
}

static struct path_name *add_path_name(
    struct gather *g, uint32_t agent, const uint8_t *digest, uint32_t id)
{
	if (g->path_count == g->path_cap) {
		g->path_cap = g->path_cap ? g->path_cap * 2 : 256;
		g->path_names = xreallocarray(
		    g->path_names, g->path_cap, sizeof(*g->path_names));
	}
	index_put(&g->path_index, path_hash(agent, digest), g->path_count);
	struct path_name *made = &g->path_names[g->path_count++];
	*made = (struct path_name){ .agent = agent, .id = id };
	memcpy(made->digest, digest, PATH_DIGEST_LEN);
	return made;
}

static void add_identity(struct gathered *set, const struct path_name *name,
    const struct prepared_record *record)
{
	if (set->new_path_count == set->new_path_cap) {
		set->new_path_cap =
		    set->new_path_cap ? set->new_path_cap * 2 : 64;
		set->new_paths = xreallocarray(
		    set->new_paths, set->new_path_cap, sizeof(*set->new_paths));
	}
	struct path_identity *made = &set->new_paths[set->new_path_count++];
	*made = (struct path_identity){ .agent = name->agent,
		.id = name->id,
		.day = name->last_day,
		.src = record->path.src,
		.dst = record->path.dst };
	memcpy(made->digest, name->digest, sizeof(made->digest));
	path_write_hops(&record->path, &made->hops);
}

static void add_path_day(struct gathered *set, uint32_t id, uint32_t day)
{
	if (set->path_day_count == set->path_day_cap) {
		set->path_day_cap =
		    set->path_day_cap ? set->path_day_cap * 2 : 64;
		set->path_days = xreallocarray(
		    set->path_days, set->path_day_cap, sizeof(*set->path_days));
	}
	set->path_days[set->path_day_count++] = (struct path_day){ id, day };
}

uint32_t names_path(struct gather *g, struct gather_agent *agent,
    const struct prepared_record *record, int64_t at_ns)
{
	uint32_t day = (uint32_t)(at_ns / DAY_NS);
	struct path_name *name =
	    find_path_name(g, (uint32_t)agent->row, record->path_digest);
	if (!name) {
		if (agent->paths >= AGENT_PATHS_MOST ||
		    g->path_count >= PATHS_MOST) {
			g->bounded++;
			return 0;
		}
		agent->paths++;
		name = add_path_name(g, (uint32_t)agent->row,
		    record->path_digest, ++g->last_path);
		name->last_day = day;
		add_identity(g->now, name, record);
	}
	if (day > name->last_day) {
		name->last_day = day;
		add_path_day(g->now, name->id, day);
	}
	return name->id;
}

static int load_classes(struct gather *g, struct errmsg *msg)
{
	sqlite3_stmt *row = db_query(&g->db,
	    "SELECT verdict, signature, agent, sources, packets, first_ns,"
	    " last_ns, sources_at_least FROM classes ORDER BY id",
	    "");
	int err;
	while ((err = db_step(&g->db, row, msg)) == 1) {
		struct class_name *class = add_class(g, db_column_text(row, 0),
		    db_column_text(row, 1), sqlite3_column_int64(row, 2));
		g->class_sources[class - g->classes] =
		    (uint64_t)sqlite3_column_int64(row, 3);
		class->packets = (uint64_t)sqlite3_column_int64(row, 4);
		class->first_ns = sqlite3_column_int64(row, 5);
		class->last_ns = sqlite3_column_int64(row, 6);
		class->sources_at_least = sqlite3_column_int(row, 7) != 0;
		class->changed = false;
		agent_slot(g, class->agent)->classes++;
	}
	db_reset(row);
	return err;
}

static int load_agents(struct gather *g, struct errmsg *msg)
{
	sqlite3_stmt *row = db_query(&g->db,
	    "SELECT agent, id, version, heard_ns, heartbeat"
	    " FROM agent_state",
	    "");
	int err;
	while ((err = db_step(&g->db, row, msg)) == 1) {
		struct gather_agent *agent =
		    agent_slot(g, sqlite3_column_int64(row, 0));
		db_column_copy(row, 1, agent->id, sizeof(agent->id));
		snprintf(agent->version, sizeof(agent->version), "%s",
		    db_column_text(row, 2));
		agent->heard_ns = sqlite3_column_int64(row, 3);
		buf_bytes(&agent->heartbeat, sqlite3_column_blob(row, 4),
		    (size_t)sqlite3_column_bytes(row, 4));
	}
	db_reset(row);
	return err;
}

static int load_paths(struct gather *g, struct errmsg *msg)
{
	sqlite3_stmt *row = db_query(&g->db,
	    "SELECT id, agent, digest, last_day FROM paths ORDER BY id", "");
	int err;
	while ((err = db_step(&g->db, row, msg)) == 1) {
		uint8_t digest[PATH_DIGEST_LEN];
		int64_t agent = sqlite3_column_int64(row, 1);
		db_column_copy(row, 2, digest, sizeof(digest));
		struct path_name *name = add_path_name(g, (uint32_t)agent,
		    digest, (uint32_t)sqlite3_column_int64(row, 0));
		name->last_day = (uint32_t)sqlite3_column_int64(row, 3);
		agent_slot(g, agent)->paths++;
	}
	db_reset(row);
	int64_t last;
	if (err == 0 &&
	    db_integer(&g->db, &last, 0,
		"SELECT value FROM meta WHERE key = 'last_path'", "") < 0)
		return db_error(&g->db, msg);
	if (err == 0)
		g->last_path = (uint32_t)last;
	return err;
}

int names_load(struct gather *g, struct errmsg *msg)
{
	int err = load_classes(g, msg);
	if (err < 0)
		return err;
	err = load_agents(g, msg);
	return err < 0 ? err : load_paths(g, msg);
}

static void fini_agent(struct gather_agent *agent)
{
	buf_fini(&agent->heartbeat);
	free(agent->hours);
	free(agent->watch);
}

void names_fini(struct gather *g)
{
	for (size_t i = 0; i < g->class_count; i++) {
		free(g->classes[i].verdict);
		free(g->classes[i].signature);
	}
	for (size_t i = 0; i < g->agent_count; i++)
		fini_agent(&g->agents[i]);
	free(g->classes);
	free(g->agents);
	free(g->path_names);
	index_fini(&g->class_index);
	index_fini(&g->path_index);
	g->classes = NULL;
	g->agents = NULL;
	g->path_names = NULL;
	g->class_count = g->agent_count = 0;
	g->path_count = g->path_cap = 0;
	memset(g->class_sources, 0, sizeof(g->class_sources));
}

static void freeze_classes(struct gather *g, struct gathered *set)
{
	for (size_t i = 0; i < g->class_count; i++) {
		if (!g->classes[i].changed)
			continue;
		g->classes[i].changed = false;
		size_t n = set->class_count++;
		set->classes =
		    xreallocarray(set->classes, n + 1, sizeof(*set->classes));
		set->class_ids = xreallocarray(
		    set->class_ids, n + 1, sizeof(*set->class_ids));
		set->classes[n] = g->classes[i];
		set->class_ids[n] = (uint32_t)i + 1;
	}
}

/* Moves what waits with an agent; its numbers stay. */
static void freeze_agent(struct gather_agent *agent, struct gathered *set)
{
	agent->hour_count = 0;
	if (!agent->changed && agent->watch_count == 0 &&
	    agent->gap_more == 0 && agent->runs_pending == 0)
		return;
	set->agents = xreallocarray(
	    set->agents, set->agent_count + 1, sizeof(*set->agents));
	struct gather_agent *frozen = &set->agents[set->agent_count++];
	*frozen = *agent;
	frozen->hours = NULL;
	frozen->heartbeat = (struct buf){ 0 };
	if (agent->changed)
		buf_bytes(&frozen->heartbeat, agent->heartbeat.data,
		    agent->heartbeat.len);
	agent->changed = false;
	agent->watch = NULL;
	agent->watch_count = 0;
	agent->gap_more = 0;
	agent->runs_unchecked += agent->runs_pending;
	if (agent->runs_unchecked >= RUNS_CHECK)
		agent->runs_unchecked = 0;
	agent->runs_pending = 0;
}

void names_freeze(struct gather *g, struct gathered *set)
{
	freeze_classes(g, set);
	for (size_t i = 0; i < g->agent_count; i++)
		freeze_agent(&g->agents[i], set);
	set->last_path = g->last_path;
	set->bounded = g->bounded;
}

void names_clear(struct gathered *set)
{
	for (size_t i = 0; i < set->agent_count; i++)
		fini_agent(&set->agents[i]);
	for (size_t i = 0; i < set->new_path_count; i++)
		buf_fini(&set->new_paths[i].hops);
	set->class_count = set->agent_count = 0;
	set->new_path_count = set->path_day_count = 0;
	set->paths_go = false;
}

static int flush_classes(struct gather *g, struct errmsg *msg)
{
	const struct gathered *set = g->frozen;
	for (size_t i = 0; i < set->class_count; i++) {
		const struct class_name *c = &set->classes[i];
		uint32_t id = set->class_ids[i];
		uint64_t sources =
		    g->class_sources[id - 1] + g->class_found[id - 1];
		int err = db_run(&g->db, msg,
		    "INSERT INTO classes VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7,"
		    " ?8, ?9) ON CONFLICT DO UPDATE SET sources = ?5,"
		    " packets = ?6, first_ns = ?7, last_ns = ?8,"
		    " sources_at_least = ?9",
		    "ittiiiiii", (int64_t)id, c->verdict, c->signature,
		    c->agent, (int64_t)sources, (int64_t)c->packets,
		    c->first_ns, c->last_ns, (int64_t)c->sources_at_least);
		if (err < 0)
			return err;
	}
	return ERR_OK;
}

static int flush_agents(struct gather *g, struct errmsg *msg)
{
	for (size_t i = 0; i < g->frozen->agent_count; i++) {
		const struct gather_agent *a = &g->frozen->agents[i];
		if (!a->changed)
			continue;
		int err = db_run(&g->db, msg,
		    "INSERT OR REPLACE INTO agent_state VALUES"
		    " (?1, ?2, ?3, ?4, ?5)",
		    "ibtib", a->row, a->id, sizeof(a->id), a->version,
		    a->heard_ns, a->heartbeat.data, a->heartbeat.len);
		if (err < 0)
			return err;
	}
	return ERR_OK;
}

static int insert_hop(struct gather *g, const struct addr *addr, uint64_t path,
    struct errmsg *msg)
{
	if (!addr->family)
		return ERR_OK;
	return db_run(&g->db, msg,
	    "INSERT OR IGNORE INTO path_hops VALUES (?1, ?2)", "ai", addr,
	    (int64_t)path);
}

static int insert_identity(
    struct gather *g, const struct path_identity *path, struct errmsg *msg)
{
	int err = db_run(&g->db, msg,
	    "INSERT OR REPLACE INTO paths VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	    "iibaabi", (int64_t)path->id, (int64_t)path->agent, path->digest,
	    sizeof(path->digest), &path->src, &path->dst, path->hops.data,
	    path->hops.len, (int64_t)path->day);
	if (err < 0)
		return err;
	struct path hops = { 0 };
	err = path_read_hops(&hops, path->hops.data, path->hops.len);
	if (err < 0)
		goto out;
	for (size_t i = 0; i < hops.hop_count; i++) {
		err = insert_hop(g, &hops.hops[i].from, path->id, msg);
		if (err < 0)
			goto out;
	}
	err = insert_hop(g, &path->src, path->id, msg);
out:
	path_fini(&hops);
	return err;
}

/* Those that go leave before a path of the same hops comes under another
 * number; last days are of paths that are there by then. */
static int delete_paths(struct gather *g, struct errmsg *msg)
{
	int err = db_run(&g->db, msg,
	    "DELETE FROM path_hops WHERE path IN"
	    " (SELECT id FROM paths WHERE last_day = 0)",
	    "");
	return err < 0
	    ? err
	    : db_run(&g->db, msg, "DELETE FROM paths WHERE last_day = 0", "");
}

static int update_days(struct gather *g, bool gone_only, struct errmsg *msg)
{
	for (size_t i = 0; i < g->frozen->path_day_count; i++) {
		const struct path_day *path = &g->frozen->path_days[i];
		if (gone_only && path->day != 0)
			continue;
		int err = db_run(&g->db, msg,
		    "UPDATE paths SET last_day = ?2 WHERE id = ?1", "ii",
		    (int64_t)path->id, (int64_t)path->day);
		if (err < 0)
			return err;
	}
	return ERR_OK;
}

static int flush_paths(struct gather *g, struct errmsg *msg)
{
	const struct gathered *set = g->frozen;
	int err;
	if (set->paths_go) {
		err = update_days(g, true, msg);
		if (err < 0)
			return err;
		err = delete_paths(g, msg);
		if (err < 0)
			return err;
	}
	for (size_t i = 0; i < set->new_path_count; i++) {
		err = insert_identity(g, &set->new_paths[i], msg);
		if (err < 0)
			return err;
	}
	err = update_days(g, false, msg);
	if (err < 0)
		return err;
	return db_run(&g->db, msg,
	    "INSERT OR REPLACE INTO meta VALUES ('last_path', ?1)", "i",
	    (int64_t)set->last_path);
}

int names_flush(struct gather *g, struct errmsg *msg)
{
	int err = flush_classes(g, msg);
	if (err < 0)
		return err;
	err = flush_agents(g, msg);
	return err < 0 ? err : flush_paths(g, msg);
}

void names_flushed(struct gather *g)
{
	for (size_t i = 0; i <= CLASSES_MOST; i++) {
		g->class_sources[i] += g->class_found[i];
		g->class_found[i] = 0;
	}
}

void names_expire(struct gather *g, int64_t day)
{
	size_t kept = 0;
	index_clear(&g->path_index);
	for (size_t i = 0; i < g->path_count; i++) {
		struct path_name *name = &g->path_names[i];
		if (name->last_day < day) {
			agent_slot(g, name->agent)->paths--;
			add_path_day(g->now, name->id, 0);
			g->now->paths_go = true;
			continue;
		}
		g->path_names[kept] = *name;
		index_put(&g->path_index, path_hash(name->agent, name->digest),
		    kept++);
	}
	g->path_count = kept;
}
