/* SPDX-License-Identifier: ISC */
/*
 * Runs of campaigns, payloads, gaps and heartbeats: few rows, plain tables.  A
 * run has failed when its agent logged an error under its number; its other
 * log lines are no result and count for nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/store/sqlite/rollup/rollup-runs.h"
#include "collector/store/sqlite/rollup/bins.h"
#include "collector/store/sqlite/rollup/gather-private.h"
#include "lib/base/xalloc.h"

#define ERROR_MOST_LEN 300
#define DAY_NS (DAY_S * NS_PER_S)
/* A longer bin was watched if some of it was. */
#define EXACT_MOST_S 60
/* Between two heartbeats of one process the sensor watched, up to this. */
#define WATCH_MOST_NS (900 * NS_PER_S)

/* The error that this record reports of its run, or NULL; the caller frees. */
static char *error_of(const struct prepared_record *record)
{
	if (record->kind != SONDE__RECORD__BODY_LOG || !record->record)
		return NULL;
	const char *text = record->record->log->text;
	if (!*text)
		text = "failed";
	return xstrndup(text, strnlen(text, ERROR_MOST_LEN));
}

struct run_key {
	uint8_t campaign[16];
	uint64_t run;
	int64_t agent;
};

static struct gather_run *find_run(
    struct run_table *t, const struct run_key *key, uint64_t hash)
{
	struct index_walk walk = index_walk(&t->index, hash);
	size_t i;
	while (index_next(&walk, &i))
		if (t->rows[i].run == key->run &&
		    t->rows[i].agent == key->agent &&
		    memcmp(t->rows[i].campaign, key->campaign, 16) == 0)
			return &t->rows[i];
	return NULL;
}

static bool campaign_known(
    struct gather *g, int64_t agent, const uint8_t campaign[16], bool add)
{
	struct {
		uint8_t campaign[16];
		int64_t agent;
	} key = { .agent = agent };
	memcpy(key.campaign, campaign, 16);
	uint64_t hash = index_hash(&key, sizeof(key));
	struct index_walk walk = index_walk(&g->campaigns, hash);
	size_t i;
	if (index_next(&walk, &i))
		return true;
	if (add)
		index_put(&g->campaigns, hash, 0);
	return false;
}

static struct gather_run *add_run(
    struct run_table *t, const struct run_key *key, uint64_t hash)
{
	if (t->count == t->cap) {
		t->cap = t->cap ? t->cap * 2 : 64;
		t->rows = xreallocarray(t->rows, t->cap, sizeof(*t->rows));
	}
	index_put(&t->index, hash, t->count);
	struct gather_run *run = &t->rows[t->count++];
	*run = (struct gather_run){
		.run = key->run, .agent = key->agent, .first_ns = INT64_MAX
	};
	memcpy(run->campaign, key->campaign, sizeof(run->campaign));
	return run;
}

void runs_add(struct gather *g, struct gather_agent *agent,
    const struct prepared_record *record, int64_t at_ns)
{
	struct run_table *t = &g->now->runs;
	struct run_key key = { .run = record->run, .agent = agent->row };
	memcpy(key.campaign, record->campaign, sizeof(key.campaign));
	uint64_t hash = index_hash(&key, sizeof(key));
	struct gather_run *run = find_run(t, &key, hash);
	bool known = run ||
	    campaign_known(g, agent->row, record->campaign,
		agent->campaigns < AGENT_CAMPAIGNS_MOST);
	if (!known && agent->campaigns < AGENT_CAMPAIGNS_MOST) {
		agent->campaigns++;
		known = true;
	}
	if (!run && (!known || agent->runs_pending >= AGENT_RUNS_PENDING)) {
		/* Campaign and run zero stand for all that are too many. */
		g->bounded++;
		key = (struct run_key){ .agent = agent->row };
		hash = index_hash(&key, sizeof(key));
		run = find_run(t, &key, hash);
	}
	if (!run) {
		run = add_run(t, &key, hash);
		agent->runs_pending++;
	}
	run->records += record->kind != SONDE__RECORD__BODY_LOG;
	if (at_ns < run->first_ns)
		run->first_ns = at_ns;
	if (at_ns > run->last_ns)
		run->last_ns = at_ns;
	char *error = error_of(record);
	if (error) {
		free(run->error);
		run->error = error;
	}
}

static bool payload_waits(const struct gathered *set, const uint8_t hash[16])
{
	for (size_t i = 0; i < set->payload_count; i++)
		if (memcmp(set->payloads[i].hash, hash, 16) == 0)
			return true;
	return false;
}

static bool payload_kept(struct gather *g, const uint8_t hash[16])
{
	int64_t kept = 0;
	db_integer(&g->look, &kept, 0, "SELECT 1 FROM payloads WHERE hash = ?1",
	    "b", hash, (size_t)16);
	return kept != 0;
}

/* Those of its day so far, once asked of the table. */
static uint32_t *payloads_of_day(
    struct gather *g, struct gather_agent *agent, int64_t day)
{
	int64_t count = 0;
	if (agent->payload_day != day) {
		db_integer(&g->look, &count, 0,
		    "SELECT count(*) FROM payloads WHERE agent = ?1"
		    " AND day = ?2",
		    "ii", agent->row, day);
		agent->payload_day = day;
		agent->payloads = (uint32_t)count;
	}
	return &agent->payloads;
}

void runs_add_payload(struct gather *g, struct gather_agent *agent,
    const struct prepared_record *record, int64_t at_ns)
{
	const Sonde__Payload *body = record->record->payload;
	int64_t day = g->now->received_ns / DAY_NS;
	uint32_t *count = payloads_of_day(g, agent, day);
	bool full = *count >= AGENT_PAYLOADS_DAY ||
	    g->payload_bytes + body->octets.len > PAYLOADS_MOST_BYTES;
	if (full) {
		g->bounded++;
		return;
	}
	/* One that is being written waits until its COMMIT is done. */
	if (payload_waits(g->now, body->hash.data) ||
	    payload_waits(g->frozen, body->hash.data) ||
	    payload_kept(g, body->hash.data))
		return;
	(*count)++;
	g->payload_bytes += body->octets.len;
	struct gathered *set = g->now;
	set->loose_bytes += body->octets.len + sizeof(*set->payloads);
	set->payloads = xreallocarray(
	    set->payloads, set->payload_count + 1, sizeof(*set->payloads));
	struct new_payload *p = &set->payloads[set->payload_count++];
	*p = (struct new_payload){ .size_bytes = body->size_bytes,
		.first_ns = at_ns,
		.agent = agent->row,
		.day = day };
	memcpy(p->hash, body->hash.data, sizeof(p->hash));
	buf_bytes(&p->octets, body->octets.data, body->octets.len);
}

static struct new_gap *add_gap(struct gathered *set)
{
	set->gaps =
	    xreallocarray(set->gaps, set->gap_count + 1, sizeof(*set->gaps));
	set->loose_bytes += sizeof(*set->gaps);
	return &set->gaps[set->gap_count++];
}

void runs_add_gap(struct gather *g, struct gather_agent *agent,
    const struct prepared_record *record, int64_t at_ns)
{
	const Sonde__Gap *declared = record->record->gap;
	uint64_t records = record_gap_count(declared);
	int64_t day = g->now->received_ns / DAY_NS;
	if (agent->gap_day != day) {
		agent->gap_day = day;
		agent->gaps = 0;
	}
	if (agent->gaps >= AGENT_GAPS_DAY) {
		g->bounded++;
		agent->gap_more +=
		    records < INT64_MAX - agent->gap_more ? records : 0;
		return;
	}
	agent->gaps++;
	struct new_gap *gap = add_gap(g->now);
	*gap = (struct new_gap){
		.agent = agent->row,
		.wall_ns = at_ns,
		.epoch = declared->epoch,
		.from_seq = declared->from_seq,
		.to_seq = declared->to_seq,
		.unnumbered = declared->unnumbered,
		.records = records > INT64_MAX ? INT64_MAX : records,
	};
	snprintf(gap->reason, sizeof(gap->reason), "%s", declared->reason);
}

static void watch_add(
    struct gather *g, struct gather_agent *agent, struct watch_span span)
{
	struct watch_span *last =
	    agent->watch_count ? &agent->watch[agent->watch_count - 1] : NULL;
	if (last && span.from_ns <= last->to_ns &&
	    span.to_ns >= last->from_ns && span.exact == last->exact) {
		if (span.from_ns < last->from_ns)
			last->from_ns = span.from_ns;
		if (span.to_ns > last->to_ns)
			last->to_ns = span.to_ns;
		return;
	}
	if (agent->watch_count == AGENT_WATCH_MOST) {
		g->bounded++;
		return;
	}
	agent->watch = xreallocarray(
	    agent->watch, agent->watch_count + 1, sizeof(*agent->watch));
	agent->watch[agent->watch_count++] = span;
}

void runs_add_heartbeat(struct gather *g, struct gather_agent *agent,
    const struct prepared_record *record, int64_t at_ns)
{
	const struct prepared_heartbeat *heartbeat = &record->heartbeat;
	int64_t heard = agent->heard_ns;
	agent->heard_ns = at_ns;
	agent->changed = true;
	memcpy(agent->version, heartbeat->version, sizeof(agent->version));
	buf_clear(&agent->heartbeat);
	buf_bytes(&agent->heartbeat, record->body, record->body_len);
	if (!heartbeat->sensor)
		return;
	int64_t from = at_ns - WATCH_MOST_NS;
	if (heartbeat->uptime_ns < (uint64_t)WATCH_MOST_NS)
		from = at_ns - (int64_t)heartbeat->uptime_ns;
	if (heard > from && heard <= at_ns)
		from = heard;
	watch_add(g, agent, (struct watch_span){ from, at_ns, false });
}

/* Its end is the record's time, which is known to be sane. */
void runs_add_coverage(struct gather *g, struct gather_agent *agent,
    const Sonde__Coverage *span, int64_t at_ns)
{
	int64_t ns = span->last_wall_ns - span->first_wall_ns;
	if (strcmp(span->state, "up") != 0 || ns <= 0)
		return;
	if (ns > WATCH_MOST_NS)
		ns = WATCH_MOST_NS;
	watch_add(g, agent, (struct watch_span){ at_ns - ns, at_ns, true });
}

static int flush_runs(struct gather *g, struct errmsg *msg)
{
	for (size_t i = 0; i < g->frozen->runs.count; i++) {
		const struct gather_run *run = &g->frozen->runs.rows[i];
		int err = db_run(&g->db, msg,
		    "INSERT INTO runs (campaign, run, agent, first_ns,"
		    " last_ns, records, error) VALUES (?1, ?2, ?3, ?4, ?5, ?6,"
		    " ?7) ON CONFLICT DO UPDATE SET"
		    " first_ns = min(first_ns, ?4),"
		    " last_ns = max(last_ns, ?5), records = records + ?6,"
		    " error = coalesce(?7, error)",
		    "biiiiit", run->campaign, sizeof(run->campaign),
		    (int64_t)run->run, run->agent, run->first_ns, run->last_ns,
		    (int64_t)run->records, run->error);
		if (err < 0)
			return err;
	}
	return ERR_OK;
}

/* Of an agent that made many, the newest are kept. */
static int trim_runs(
    struct gather *g, const struct gather_agent *agent, struct errmsg *msg)
{
	if (agent->runs_unchecked + agent->runs_pending < RUNS_CHECK)
		return ERR_OK;
	return db_run(&g->db, msg,
	    "DELETE FROM runs WHERE agent = ?1 AND id <= (SELECT id FROM runs"
	    " WHERE agent = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
	    "ii", agent->row, (int64_t)AGENT_RUNS_KEPT);
}

static int flush_watch(
    struct gather *g, const struct gather_agent *agent, struct errmsg *msg)
{
	for (size_t s = 0; s < agent->watch_count; s++) {
		const struct watch_span *span = &agent->watch[s];
		for (int l = 0; l < STORE_LEVELS_MAX && g->levels[l]; l++) {
			int64_t bin = rollup_bin(span->from_ns, g->levels[l]);
			for (; bin <= span->to_ns / NS_PER_S;
			     bin += g->levels[l]) {
				int64_t middle_ns = bin * NS_PER_S +
				    g->levels[l] * NS_PER_S / 2;
				if (span->exact &&
				    g->levels[l] <= EXACT_MOST_S &&
				    (middle_ns < span->from_ns ||
					middle_ns > span->to_ns))
					continue;
				int err = db_run(&g->db, msg,
				    "INSERT OR IGNORE INTO watch VALUES"
				    " (?1, ?2, ?3)",
				    "iii", (int64_t)g->levels[l], bin,
				    agent->row);
				if (err < 0)
					return err;
			}
		}
	}
	return ERR_OK;
}

static int flush_payloads(struct gather *g, struct errmsg *msg)
{
	for (size_t i = 0; i < g->frozen->payload_count; i++) {
		const struct new_payload *p = &g->frozen->payloads[i];
		int err = db_run(&g->db, msg,
		    "INSERT OR IGNORE INTO payloads VALUES"
		    " (?1, ?2, ?3, ?4, ?5, ?6)",
		    "bbiiii", p->hash, sizeof(p->hash),
		    p->octets.len ? (const void *)p->octets.data : "",
		    p->octets.len, (int64_t)p->size_bytes, p->first_ns,
		    p->agent, p->day);
		if (err < 0)
			return err;
	}
	return ERR_OK;
}

static int insert_gap(
    struct gather *g, const struct new_gap *gap, struct errmsg *msg)
{
	return db_run(&g->db, msg,
	    "INSERT INTO gaps (agent, wall_ns, epoch, from_seq, to_seq,"
	    " unnumbered, records, reason) VALUES"
	    " (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	    "iiiiiiit", gap->agent, gap->wall_ns, (int64_t)gap->epoch,
	    (int64_t)gap->from_seq, (int64_t)gap->to_seq,
	    (int64_t)gap->unnumbered, (int64_t)gap->records, gap->reason);
}

static int flush_gaps(struct gather *g, struct errmsg *msg)
{
	const struct gathered *set = g->frozen;
	for (size_t i = 0; i < set->gap_count; i++) {
		int err = insert_gap(g, &set->gaps[i], msg);
		if (err < 0)
			return err;
	}
	for (size_t i = 0; i < set->agent_count; i++) {
		const struct gather_agent *agent = &set->agents[i];
		const struct new_gap more = { .agent = agent->row,
			.wall_ns = set->received_ns,
			.records = agent->gap_more,
			.reason = MORE };
		int err = agent->gap_more ? insert_gap(g, &more, msg) : ERR_OK;
		if (err < 0)
			return err;
	}
	return ERR_OK;
}

int runs_flush(struct gather *g, struct errmsg *msg)
{
	int err = flush_runs(g, msg);
	if (err < 0)
		return err;
	for (size_t i = 0; i < g->frozen->agent_count; i++) {
		const struct gather_agent *agent = &g->frozen->agents[i];
		err = trim_runs(g, agent, msg);
		if (err < 0)
			return err;
		err = flush_watch(g, agent, msg);
		if (err < 0)
			return err;
	}
	err = flush_payloads(g, msg);
	return err < 0 ? err : flush_gaps(g, msg);
}

void runs_clear(struct gathered *set)
{
	for (size_t i = 0; i < set->runs.count; i++)
		free(set->runs.rows[i].error);
	set->runs.count = 0;
	index_clear(&set->runs.index);
	for (size_t i = 0; i < set->payload_count; i++)
		buf_fini(&set->payloads[i].octets);
	set->payload_count = set->gap_count = 0;
	set->loose_bytes = 0;
}

int runs_load(struct gather *g, struct errmsg *msg)
{
	sqlite3_stmt *row =
	    db_query(&g->db, "SELECT DISTINCT agent, campaign FROM runs", "");
	int err;
	while ((err = db_step(&g->db, row, msg)) == 1) {
		uint8_t campaign[16];
		int64_t agent = sqlite3_column_int64(row, 0);
		db_column_copy(row, 1, campaign, sizeof(campaign));
		campaign_known(g, agent, campaign, true);
		for (size_t i = 0; i < g->agent_count; i++)
			if (g->agents[i].row == agent)
				g->agents[i].campaigns++;
	}
	db_reset(row);
	int64_t bytes;
	if (err == 0 &&
	    db_integer(&g->db, &bytes, 0,
		"SELECT sum(length(octets)) FROM payloads", "") < 0)
		return db_error(&g->db, msg);
	if (err == 0)
		g->payload_bytes = (uint64_t)bytes;
	return err;
}

void runs_fini(struct gather *g)
{
	index_fini(&g->campaigns);
}
