/* SPDX-License-Identifier: ISC */
/*
 * A trace or ping says of each probe that did not leave why (its error, or
 * policy's reason) and by which device it would have.  A ping may have left
 * replies out of its record: what its sums have more is counted under the
 * reason that it gives for the first.  Errors end in details of one probe (an
 * address, a size), which are cut off: a reason is what comes before.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "collector/store/sqlite/rollup/bins.h"
#include "collector/store/sqlite/rollup/gather-private.h"
#include "collector/store/sqlite/rollup/rollup-unsent.h"
#include "lib/base/xalloc.h"
#include "lib/record/outcome.h"

static struct unsent_row *find_row(
    struct unsent_table *t, const struct unsent_key *key, uint64_t hash)
{
	struct index_walk walk = index_walk(&t->index, hash);
	size_t i;
	while (index_next(&walk, &i))
		if (memcmp(&t->rows[i].key, key, sizeof(*key)) == 0)
			return &t->rows[i];
	return NULL;
}

static struct unsent_row *add_row(
    struct unsent_table *t, const struct unsent_key *key, uint64_t hash)
{
	if (t->count == t->cap) {
		t->cap = t->cap ? t->cap * 2 : 64;
		t->rows = xreallocarray(t->rows, t->cap, sizeof(*t->rows));
	}
	index_put(&t->index, hash, t->count);
	t->rows[t->count] =
	    (struct unsent_row){ .key = *key, .first_ns = INT64_MAX };
	return &t->rows[t->count++];
}

/* A reason of this agent, at any hour; false: it has too many already. */
static bool know_reason(
    struct gather *g, struct gather_agent *agent, const struct unsent_key *key)
{
	struct unsent_key any = *key;
	any.bin = 0;
	uint64_t hash = index_hash(&any, sizeof(any));
	struct index_walk walk = index_walk(&g->reasons, hash);
	size_t i;
	if (index_next(&walk, &i))
		return true;
	if (agent->reasons >= AGENT_REASONS_MOST)
		return false;
	agent->reasons++;
	index_put(&g->reasons, hash, 0);
	return true;
}

/* Printable, up to where the details of this probe begin. */
static void read_reason(const char *text, char to[static UNSENT_REASON_LEN])
{
	const char *behind = strstr(text, " for ");
	size_t len = strcspn(text, ":");
	if (behind && (size_t)(behind - text) < len)
		len = (size_t)(behind - text);
	if (len == 0) {
		text = "unknown";
		len = strlen(text);
	}
	if (len >= UNSENT_REASON_LEN)
		len = UNSENT_REASON_LEN - 1;
	for (size_t i = 0; i < len; i++)
		to[i] = isprint((unsigned char)text[i]) ? text[i] : '?';
}

/* What of one record is counted. */
struct unsent_count {
	struct gather *g;
	struct gather_agent *agent;
	const char *device; /* of the record */
	int64_t at_ns;
	uint64_t counted[2]; /* not sent, denied */
	const char *reason[2];
};

static void count_probes(struct unsent_count *c, Sonde__Outcome outcome,
    const char *text, uint64_t probes)
{
	struct unsent_table *t = &c->g->now->unsent;
	struct unsent_key key = { .agent = c->agent->row,
		.bin = rollup_bin(c->at_ns, HOUR_S),
		.outcome = (uint32_t)outcome };
	read_reason(text, key.reason);
	/* What policy denied went by no device. */
	if (outcome == SONDE__OUTCOME__OUTCOME_NOT_SENT)
		memcpy(key.device, c->device,
		    strnlen(c->device, sizeof(key.device) - 1));
	if (!know_reason(c->g, c->agent, &key)) {
		c->g->bounded++;
		memset(key.reason, 0, sizeof(key.reason));
		memset(key.device, 0, sizeof(key.device));
		memcpy(key.reason, MORE, sizeof(MORE));
	}
	uint64_t hash = index_hash(&key, sizeof(key));
	struct unsent_row *row = find_row(t, &key, hash);
	if (!row)
		row = add_row(t, &key, hash);
	row->probes += probes;
	if (c->at_ns < row->first_ns)
		row->first_ns = c->at_ns;
	if (c->at_ns > row->last_ns)
		row->last_ns = c->at_ns;
}

static void count_replies(struct unsent_count *c, Sonde__Reply *const *replies,
    size_t count, const ProtobufCBinaryData *dst, const char *method)
{
	for (size_t i = 0; i < count; i++) {
		Sonde__Outcome outcome = reply_outcome(replies[i], dst, method);
		bool denied = outcome == SONDE__OUTCOME__OUTCOME_DENIED;
		if (!denied && outcome != SONDE__OUTCOME__OUTCOME_NOT_SENT)
			continue;
		c->counted[denied]++;
		c->reason[denied] =
		    denied ? replies[i]->denied : replies[i]->error;
		count_probes(c, outcome, c->reason[denied], 1);
	}
}

static void count_ping(struct unsent_count *c, const Sonde__Ping *ping)
{
	c->reason[0] = ping->error;
	count_replies(
	    c, ping->replies, ping->n_replies, &ping->dst, ping->method);
	if (ping->not_sent > c->counted[0])
		count_probes(c, SONDE__OUTCOME__OUTCOME_NOT_SENT, c->reason[0],
		    ping->not_sent - c->counted[0]);
	if (ping->denied > c->counted[1])
		count_probes(c, SONDE__OUTCOME__OUTCOME_DENIED, c->reason[1],
		    ping->denied - c->counted[1]);
}

void unsent_add(struct gather *g, struct gather_agent *agent,
    const struct prepared_record *record, int64_t at_ns)
{
	struct unsent_count c = {
		.g = g, .agent = agent, .at_ns = at_ns, .reason = { "", "" }
	};
	if (record->kind == SONDE__RECORD__BODY_PING) {
		c.device = record->record->ping->device;
		count_ping(&c, record->record->ping);
	} else {
		const Sonde__Trace *trace = record->record->trace;
		c.device = trace->device;
		count_replies(&c, trace->replies, trace->n_replies, &trace->dst,
		    trace->method);
	}
}

int unsent_flush(struct gather *g, struct errmsg *msg)
{
	for (size_t i = 0; i < g->frozen->unsent.count; i++) {
		const struct unsent_row *row = &g->frozen->unsent.rows[i];
		int err = db_run(&g->db, msg,
		    "INSERT INTO unsent VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
		    " ON CONFLICT DO UPDATE SET probes = probes + ?6,"
		    " first_ns = min(first_ns, ?7), last_ns = max(last_ns, ?8)",
		    "iiittiii", row->key.agent, row->key.bin,
		    (int64_t)row->key.outcome, row->key.reason, row->key.device,
		    (int64_t)row->probes, row->first_ns, row->last_ns);
		if (err < 0)
			return err;
	}
	return ERR_OK;
}

void unsent_clear(struct gathered *set)
{
	set->unsent.count = 0;
	index_clear(&set->unsent.index);
}

int unsent_load(struct gather *g, struct errmsg *msg)
{
	sqlite3_stmt *row = db_query(&g->db,
	    "SELECT DISTINCT agent, outcome, reason, device FROM unsent"
	    " WHERE reason <> ?1",
	    "t", MORE);
	int err;
	while ((err = db_step(&g->db, row, msg)) == 1) {
		struct unsent_key key = { .agent = sqlite3_column_int64(row, 0),
			.outcome = (uint32_t)sqlite3_column_int64(row, 1) };
		strncpy(
		    key.reason, db_column_text(row, 2), sizeof(key.reason) - 1);
		strncpy(
		    key.device, db_column_text(row, 3), sizeof(key.device) - 1);
		for (size_t i = 0; i < g->agent_count; i++)
			if (g->agents[i].row == key.agent)
				know_reason(g, &g->agents[i], &key);
	}
	db_reset(row);
	return err;
}

void unsent_fini(struct gather *g)
{
	index_fini(&g->reasons);
}
