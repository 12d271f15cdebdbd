/* SPDX-License-Identifier: ISC */
/*
 * One batch into SQLite, exactly once.  The watermark (the next number that
 * an agent's epoch may bring) decides; the unique key of records stands
 * behind it as the second wall.
 *
 * A batch below the watermark is a repetition: the agent did not hear our
 * answer.  It must then say the same as before.  Whole batches are compared
 * by digest; when the borders moved, record by record, as far as the raw rows
 * are still held.
 */
#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "collector/store/sqlite/provider.h"

#define DIGESTS_KEPT 256 /* batches per agent and epoch */
#define CHAIN_LEN 32

struct watermark {
	int64_t agent, epoch;
	uint64_t next, stored, lost;
	uint8_t chain[CHAIN_LEN];
};

/* 1: there is one; 0: a new epoch, which starts at 1; ERR_FORKED: an epoch
 * that we never saw, though we know a later one. */
static int read_watermark(
    struct db *db, struct watermark *mark, struct errmsg *msg)
{
	sqlite3_stmt *row = db_query(db,
	    "SELECT next, stored, lost, chain FROM watermarks"
	    " WHERE agent = ?1 AND epoch = ?2",
	    "ii", mark->agent, mark->epoch);
	int err = db_step(db, row, msg);
	if (err == 1) {
		mark->next = (uint64_t)sqlite3_column_int64(row, 0);
		mark->stored = (uint64_t)sqlite3_column_int64(row, 1);
		mark->lost = (uint64_t)sqlite3_column_int64(row, 2);
		db_column_copy(row, 3, mark->chain, CHAIN_LEN);
	}
	db_reset(row);
	if (err != 0)
		return err;
	mark->next = 1;
	int64_t newest;
	err = db_integer(db, &newest, -1,
	    "SELECT max(epoch) FROM watermarks WHERE agent = ?1", "i",
	    mark->agent);
	if (err < 0)
		return db_error(db, msg);
	if (newest > mark->epoch)
		return err_set(msg, ERR_FORKED,
		    "epoch %" PRId64 ": never seen, but epoch %" PRId64 " was",
		    mark->epoch, newest);
	return 0;
}

static int save_watermark(struct db *db, struct watermark *mark,
    const struct batch_header *header, struct errmsg *msg)
{
	crypto_generichash_state state;
	crypto_generichash_init(&state, NULL, 0, CHAIN_LEN);
	crypto_generichash_update(&state, mark->chain, CHAIN_LEN);
	crypto_generichash_update(
	    &state, header->digest, sizeof(header->digest));
	crypto_generichash_final(&state, mark->chain, CHAIN_LEN);
	return db_run(db, msg,
	    "INSERT INTO watermarks VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
	    " ON CONFLICT DO UPDATE SET next = ?3, stored = ?4, lost = ?5,"
	    " chain = ?6",
	    "iiiiib", mark->agent, mark->epoch, (int64_t)mark->next,
	    (int64_t)mark->stored, (int64_t)mark->lost, mark->chain,
	    (size_t)CHAIN_LEN);
}

static int save_digest(
    struct db *db, const struct prepared_batch *batch, struct errmsg *msg)
{
	const struct batch_header *h = &batch->header;
	int err = db_run(db, msg,
	    "INSERT OR REPLACE INTO batches VALUES (?1, ?2, ?3, ?4, ?5)",
	    "iiiib", batch->agent_row, (int64_t)h->epoch, (int64_t)h->first_seq,
	    (int64_t)h->count, h->digest, sizeof(h->digest));
	if (err < 0)
		return err;
	return db_run(db, msg,
	    "DELETE FROM batches WHERE agent = ?1 AND epoch = ?2"
	    " AND first_seq <= (SELECT first_seq FROM batches"
	    "  WHERE agent = ?1 AND epoch = ?2"
	    "  ORDER BY first_seq DESC LIMIT 1 OFFSET ?3)",
	    "iii", batch->agent_row, (int64_t)h->epoch, (int64_t)DIGESTS_KEPT);
}

/* 1: the same batch; 0: not known with these borders; ERR_FORKED. */
static int compare_digest(
    struct db *db, const struct prepared_batch *batch, struct errmsg *msg)
{
	const struct batch_header *h = &batch->header;
	sqlite3_stmt *row = db_query(db,
	    "SELECT digest FROM batches WHERE agent = ?1 AND epoch = ?2"
	    " AND first_seq = ?3 AND count = ?4",
	    "iiii", batch->agent_row, (int64_t)h->epoch, (int64_t)h->first_seq,
	    (int64_t)h->count);
	int err = db_step(db, row, msg);
	if (err == 1) {
		uint8_t digest[sizeof(h->digest)];
		db_column_copy(row, 0, digest, sizeof(digest));
		if (memcmp(digest, h->digest, sizeof(digest)) != 0)
			err = err_set(msg, ERR_FORKED,
			    "batch at %" PRIu64 ": was sent before with "
			    "other bytes",
			    h->first_seq);
	}
	db_reset(row);
	return err;
}

/* The first `count` records against the rows that we still hold. */
static int compare_records(struct db *db, const struct prepared_batch *batch,
    uint32_t count, struct errmsg *msg)
{
	for (uint32_t i = 0; i < count; i++) {
		const struct prepared_record *record = &batch->records[i];
		uint64_t seq = batch->header.first_seq + i;
		sqlite3_stmt *row = db_query(db,
		    "SELECT body FROM records WHERE agent = ?1"
		    " AND epoch = ?2 AND seq = ?3",
		    "iii", batch->agent_row, (int64_t)batch->header.epoch,
		    (int64_t)seq);
		int err = db_step(db, row, msg);
		if (err == 1) {
			const void *body = sqlite3_column_blob(row, 0);
			size_t len = (size_t)sqlite3_column_bytes(row, 0);
			if (len != record->body_len ||
			    memcmp(body, record->body, len) != 0)
				err = err_set(msg, ERR_FORKED,
				    "record %" PRIu64 ": was sent before "
				    "with other bytes",
				    seq);
		}
		db_reset(row);
		if (err < 0)
			return err;
	}
	return ERR_OK;
}

static int insert_record(struct db *db, const struct prepared_batch *batch,
    uint32_t index, struct errmsg *msg)
{
	const struct prepared_record *r = &batch->records[index];
	return db_run(db, msg,
	    "INSERT INTO records (agent, epoch, seq, wall_ns, received_ns,"
	    " kind, campaign, run, src, dst, body) VALUES"
	    " (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
	    "iiiiiibiaab", batch->agent_row, (int64_t)batch->header.epoch,
	    (int64_t)(batch->header.first_seq + index), r->wall_ns,
	    batch->received.ns, (int64_t)r->kind,
	    r->in_campaign ? r->campaign : NULL, sizeof(r->campaign),
	    (int64_t)r->run, &r->src, &r->dst, r->body, (size_t)r->body_len);
}

static int insert_records(struct db *db, const struct prepared_batch *batch,
    uint32_t first_new, struct errmsg *msg)
{
	for (uint32_t i = first_new; i < batch->header.count; i++) {
		int err = insert_record(db, batch, i, msg);
		if (err < 0)
			return err;
	}
	return ERR_OK;
}

static int store_tail(struct store *store, const struct prepared_batch *batch,
    struct watermark *mark, struct store_outcome *outcome, struct errmsg *msg)
{
	const struct batch_header *h = &batch->header;
	int err = insert_records(&store->db, batch, outcome->first_new, msg);
	if (err < 0)
		return err;
	uint64_t added = h->count - outcome->first_new;
	uint64_t gone =
	    h->first_seq > mark->next ? h->first_seq - mark->next : 0;
	mark->next = h->first_seq + h->count;
	mark->stored += added;
	mark->lost += gone;
	err = save_watermark(&store->db, mark, h, msg);
	if (err == ERR_OK)
		err = save_digest(&store->db, batch, msg);
	if (err == ERR_OK)
		err = db_run(&store->db, msg,
		    "UPDATE agents SET stored = stored + ?2,"
		    " lost = lost + ?3, epoch = max(epoch, ?4)"
		    " WHERE id = ?1",
		    "iiii", batch->agent_row, (int64_t)added, (int64_t)gone,
		    (int64_t)h->epoch);
	outcome->result = APPEND_STORED;
	outcome->next = mark->next;
	return err;
}

static int refuse(
    struct store_outcome *outcome, enum append_result result, uint64_t next)
{
	outcome->result = result;
	outcome->next = next;
	return ERR_OK;
}

/* -ERANGE: with so many more numbers the agent would have produced more than
 * it can have. */
static int check_produced(struct db *db, const struct prepared_batch *batch,
    uint64_t more, struct errmsg *msg)
{
	int64_t before;
	if (db_integer(db, &before, 0,
		"SELECT stored + lost FROM agents WHERE id = ?1", "i",
		batch->agent_row) < 0)
		return db_error(db, msg);
	uint64_t most = batch->produced_most;
	if ((uint64_t)before > most || batch->unnumbered > most ||
	    more > most - (uint64_t)before ||
	    batch->unnumbered > most - (uint64_t)before - more)
		return err_set(msg, -ERANGE,
		    "batch: the agent would have produced more than %" PRIu64
		    " records, which it cannot have",
		    most);
	return ERR_OK;
}

/* Telemetry keeps the row's id beside what it sums up of it: a row that comes
 * with another id is another registry's. */
static int know_agent(
    struct db *db, const struct prepared_batch *batch, struct errmsg *msg)
{
	uint8_t id[sizeof(batch->header.agent)];
	int err = db_run(db, msg,
	    "INSERT OR IGNORE INTO agents (id, agent) VALUES (?1, ?2)", "ib",
	    batch->agent_row, batch->header.agent, sizeof(id));
	if (err < 0)
		return err;
	sqlite3_stmt *row = db_query(db,
	    "SELECT agent FROM agents WHERE id = ?1", "i", batch->agent_row);
	err = db_step(db, row, msg);
	if (err == 1)
		db_column_copy(row, 0, id, sizeof(id));
	db_reset(row);
	if (err < 0)
		return err;
	if (err == 0 || memcmp(id, batch->header.agent, sizeof(id)) != 0)
		return err_set(msg, ERR_CORRUPT,
		    "agent %" PRId64 ": is another one here", batch->agent_row);
	return ERR_OK;
}

int sqlite_ingest(struct store *store, const struct prepared_batch *batch,
    struct store_outcome *outcome, struct errmsg *msg)
{
	const struct batch_header *h = &batch->header;
	struct watermark mark = { .agent = batch->agent_row,
		.epoch = (int64_t)h->epoch };
	int err = read_watermark(&store->db, &mark, msg);
	if (err == ERR_FORKED)
		return refuse(outcome, APPEND_FORKED, 0);
	if (err < 0)
		return err;
	if (h->first_seq > mark.next && h->gap_from != mark.next) {
		err_set(msg, ERR_GAP,
		    "batch: expected number %" PRIu64 ", got %" PRIu64,
		    mark.next, h->first_seq);
		return refuse(outcome, APPEND_GAP, mark.next);
	}
	uint64_t end = h->first_seq + h->count;
	uint64_t known = h->first_seq >= mark.next
	    ? 0
	    : (end < mark.next ? end : mark.next) - h->first_seq;
	if (known > 0) {
		err = compare_digest(&store->db, batch, msg);
		if (err == 0)
			err = compare_records(
			    &store->db, batch, (uint32_t)known, msg);
		if (err == ERR_FORKED)
			return refuse(outcome, APPEND_FORKED, 0);
		if (err < 0)
			return err;
		if (end <= mark.next)
			return refuse(outcome, APPEND_DUPLICATE, mark.next);
	}
	err = check_produced(&store->db, batch, end - mark.next, msg);
	if (err == -ERANGE)
		return refuse(outcome, APPEND_IMPLAUSIBLE, mark.next);
	if (err < 0)
		return err;
	err = know_agent(&store->db, batch, msg);
	if (err < 0)
		return err;
	outcome->first_new = (uint32_t)known;
	return store_tail(store, batch, &mark, outcome, msg);
}
