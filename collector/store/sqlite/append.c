/* SPDX-License-Identifier: ISC */
/*
 * Batches into the newest partition, exactly once.  The watermark (the next
 * number that an agent's epoch may bring) decides; watermark, block, body,
 * digest and the keys of a full run are one transaction of one file, so nothing
 * can tear, and the answer follows COMMIT.
 *
 * A batch below the watermark is a repetition: the agent did not hear our
 * answer.  It must then be the same as before.  Whole batches are compared
 * by digest; when the borders moved, record by record, as far as their blocks
 * are still held.
 */
#include "collector/store/sqlite/append.h"

#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "collector/store/block.h"
#include "collector/store/select.h"
#include "collector/store/sqlite/postings.h"
#include "collector/store/sqlite/roll-over.h"
#include "lib/base/xalloc.h"

#define DIGESTS_KEPT 256 /* batches per agent and epoch */
#define CHAIN_LEN 32

struct watermark {
	int64_t agent, epoch;
	uint64_t next, stored, lost, unnumbered;
	uint8_t chain[CHAIN_LEN];
};

/* 1: there is one; 0: a new epoch, which starts at 1; ERR_FORKED: an epoch
 * that we never saw, though we know a later one. */
static int read_watermark(
    struct db *db, struct watermark *mark, struct errmsg *msg)
{
	sqlite3_stmt *row = db_query(db,
	    "SELECT next, stored, lost, unnumbered, chain FROM watermarks"
	    " WHERE agent = ?1 AND epoch = ?2",
	    "ii", mark->agent, mark->epoch);
	int err = db_step(db, row, msg);
	if (err == 1) {
		mark->next = (uint64_t)sqlite3_column_int64(row, 0);
		mark->stored = (uint64_t)sqlite3_column_int64(row, 1);
		mark->lost = (uint64_t)sqlite3_column_int64(row, 2);
		mark->unnumbered = (uint64_t)sqlite3_column_int64(row, 3);
		db_column_copy(row, 4, mark->chain, CHAIN_LEN);
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
	    "INSERT INTO watermarks VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"
	    " ON CONFLICT DO UPDATE SET next = ?3, stored = ?4, lost = ?5,"
	    " unnumbered = ?6, chain = ?7",
	    "iiiiiib", mark->agent, mark->epoch, (int64_t)mark->next,
	    (int64_t)mark->stored, (int64_t)mark->lost,
	    (int64_t)mark->unnumbered, mark->chain, (size_t)CHAIN_LEN);
}

static int save_digest(
    struct db *db, const struct prepared_batch *batch, struct errmsg *msg)
{
	const struct batch_header *h = &batch->header;
	int err = db_run(db, msg,
	    "INSERT OR REPLACE INTO digests VALUES (?1, ?2, ?3, ?4, ?5)",
	    "iiiib", batch->agent_row, (int64_t)h->epoch, (int64_t)h->first_seq,
	    (int64_t)h->count, h->digest, sizeof(h->digest));
	if (err < 0)
		return err;
	return db_run(db, msg,
	    "DELETE FROM digests WHERE agent = ?1 AND epoch = ?2"
	    " AND first_seq <= (SELECT first_seq FROM digests"
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
	    "SELECT digest FROM digests WHERE agent = ?1 AND epoch = ?2"
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

/* The records of one block against those of the batch with their numbers. */
static int compare_block(struct block *block, uint64_t first_seq,
    const struct prepared_batch *batch, uint32_t known, struct errmsg *msg)
{
	uint64_t from = batch->header.first_seq;
	for (uint32_t i = 0; i < block_count(block); i++) {
		struct block_record held;
		uint64_t seq = first_seq + i;
		if (seq < from || seq >= from + known)
			continue;
		int err = block_read(block, i, &held, msg);
		if (err < 0)
			return err;
		const struct prepared_record *sent =
		    &batch->records[seq - from];
		if (held.len != sent->body_len ||
		    memcmp(held.body, sent->body, held.len) != 0)
			return err_set(msg, ERR_FORKED,
			    "record %" PRIu64 ": was sent before with other "
			    "bytes",
			    seq);
	}
	return ERR_OK;
}

static int compare_partition(struct db *db, struct block *block,
    const struct prepared_batch *batch, uint32_t known, struct errmsg *msg)
{
	const struct batch_header *h = &batch->header;
	sqlite3_stmt *row = db_query(db,
	    "SELECT first_seq, body FROM blocks JOIN bodies USING (id)"
	    " WHERE agent = ?1 AND epoch = ?2 AND first_seq < ?3"
	    " AND first_seq + count > ?4",
	    "iiii", batch->agent_row, (int64_t)h->epoch,
	    (int64_t)(h->first_seq + known), (int64_t)h->first_seq);
	int err;
	while ((err = db_step(db, row, msg)) == 1) {
		err = block_open(block, sqlite3_column_blob(row, 1),
		    (size_t)sqlite3_column_bytes(row, 1), msg);
		if (err < 0)
			break;
		err = compare_block(block,
		    (uint64_t)sqlite3_column_int64(row, 0), batch, known, msg);
		if (err < 0)
			break;
	}
	db_reset(row);
	return err;
}

/* In the newest two partitions: what is older, no agent has to repeat. */
static int compare_records(struct store *store,
    const struct prepared_batch *batch, uint32_t known, struct errmsg *msg)
{
	struct partition_set *set = &store->partitions;
	struct partition_reader *reader;
	struct block *block = block_new();
	int err = compare_partition(&store->db, block, batch, known, msg);
	if (err < 0 || set->count < 2)
		goto out;
	err =
	    partition_reader_get(set, set->list[set->count - 2], &reader, msg);
	if (err < 0 || !reader)
		goto out;
	err = compare_partition(&reader->db, block, batch, known, msg);
	partition_reader_put(set, reader);
out:
	block_free(block);
	return err;
}

static uint64_t count_unnumbered(
    const struct prepared_batch *batch, uint32_t first)
{
	uint64_t sum = 0;
	for (uint32_t i = first; i < batch->header.count; i++) {
		const struct prepared_record *r = &batch->records[i];
		if (r->kind == SONDE__RECORD__BODY_GAP && r->record)
			sum += r->record->gap->unnumbered;
	}
	return sum;
}

static int insert_block(struct store *store, const struct prepared_batch *batch,
    uint32_t first, struct errmsg *msg)
{
	const struct batch_header *h = &batch->header;
	struct db *db = &store->db;
	int64_t id = (int64_t)store->next_block;
	int err = db_run(db, msg,
	    "INSERT INTO blocks VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
	    "iiiiiiiii", id, batch->agent_row, (int64_t)h->epoch,
	    (int64_t)(h->first_seq + first), (int64_t)(h->count - first),
	    batch->min_ns, batch->max_ns, batch->received.ns,
	    (int64_t)batch->kinds);
	if (err < 0)
		return err;
	return db_run(db, msg, "INSERT INTO bodies VALUES (?1, ?2)", "ib", id,
	    batch->block.data, batch->block.len);
}

static int add_to_run(struct store *store, const struct prepared_batch *batch,
    uint32_t first, struct errmsg *msg)
{
	struct partition_set *set = &store->partitions;
	run_add(&store->run, set->list[set->count - 1]->salt, store->next_block,
	    batch->agent_row, batch->keys, batch->key_count);
	run_note(&store->run, batch->min_ns, batch->max_ns, batch->kinds,
	    batch->header.count - first);
	return store->run.blocks == RUN_BLOCKS
	    ? run_write(&store->run, &store->db, msg)
	    : ERR_OK;
}

/* What is known of the agent with its records up to the mark. */
static int save_agent(struct store *store, const struct prepared_batch *batch,
    struct watermark *mark, struct errmsg *msg)
{
	const struct batch_header *h = &batch->header;
	int err = save_watermark(&store->db, mark, h, msg);
	if (err < 0)
		return err;
	err = save_digest(&store->db, batch, msg);
	if (err < 0)
		return err;
	return db_run(&store->db, msg,
	    "INSERT OR IGNORE INTO agents VALUES (?1, ?2)", "ib",
	    batch->agent_row, h->agent, sizeof(h->agent));
}

static int store_batch(struct store *store, struct prepared_batch *batch,
    struct watermark *mark, struct store_outcome *outcome, struct errmsg *msg)
{
	const struct batch_header *h = &batch->header;
	uint32_t first = outcome->first_new;
	if (first > 0)
		prepared_batch_seal(batch, first);
	int err = insert_block(store, batch, first, msg);
	if (err < 0)
		return err;
	mark->stored += h->count - first;
	mark->lost += h->first_seq > mark->next ? h->first_seq - mark->next : 0;
	mark->unnumbered += count_unnumbered(batch, first);
	mark->next = h->first_seq + h->count;
	err = save_agent(store, batch, mark, msg);
	if (err < 0)
		return err;
	err = add_to_run(store, batch, first, msg);
	if (err < 0)
		return err;
	store->next_block++;
	outcome->result = APPEND_STORED;
	outcome->next = mark->next;
	return ERR_OK;
}

/* 0: with so many more numbers the agent would have produced more than it can
 * have; 1: not. */
static int check_produced(struct db *db, const struct prepared_batch *batch,
    uint64_t more, struct errmsg *msg)
{
	int64_t before;
	if (db_integer(db, &before, 0,
		"SELECT sum(stored + lost + unnumbered) FROM watermarks"
		" WHERE agent = ?1",
		"i", batch->agent_row) < 0)
		return db_error(db, msg);
	uint64_t most = batch->produced_most;
	return (uint64_t)before <= most && batch->unnumbered <= most &&
	    more <= most - (uint64_t)before &&
	    batch->unnumbered <= most - (uint64_t)before - more;
}

static int judge_produced(struct store *store,
    const struct prepared_batch *batch, const struct watermark *mark,
    struct store_outcome *outcome, struct errmsg *msg)
{
	const struct batch_header *h = &batch->header;
	int well = check_produced(
	    &store->db, batch, h->first_seq + h->count - mark->next, msg);
	if (well != 0)
		return well;
	outcome->result = APPEND_IMPLAUSIBLE;
	err_set(&outcome->why, -ERANGE,
	    "batch: the agent would have produced more than %" PRIu64
	    " records, which it cannot have",
	    batch->produced_most);
	return 0;
}

static int judge_batch(struct store *store, struct prepared_batch *batch,
    struct watermark *mark, struct store_outcome *outcome, struct errmsg *msg)
{
	const struct batch_header *h = &batch->header;
	int err = read_watermark(&store->db, mark, msg);
	if (err < 0)
		return err;
	outcome->next = mark->next;
	if (h->first_seq > mark->next && h->gap_from != mark->next) {
		outcome->result = APPEND_GAP;
		err_set(&outcome->why, ERR_GAP,
		    "batch: expected number %" PRIu64 ", got %" PRIu64,
		    mark->next, h->first_seq);
		return 0;
	}
	uint64_t end = h->first_seq + h->count;
	uint64_t known = h->first_seq >= mark->next
	    ? 0
	    : (end < mark->next ? end : mark->next) - h->first_seq;
	outcome->first_new = (uint32_t)known;
	if (known == 0)
		return judge_produced(store, batch, mark, outcome, msg);
	err = compare_digest(&store->db, batch, msg);
	if (err == 0)
		err = compare_records(store, batch, (uint32_t)known, msg);
	if (err < 0)
		return err;
	outcome->result = APPEND_DUPLICATE;
	return end > mark->next
	    ? judge_produced(store, batch, mark, outcome, msg)
	    : 0;
}

static int append_one(struct store *store, struct prepared_batch *batch,
    struct store_outcome *outcome, struct errmsg *msg)
{
	struct watermark mark = { .agent = batch->agent_row,
		.epoch = (int64_t)batch->header.epoch };
	int err = judge_batch(store, batch, &mark, outcome, msg);
	if (err == ERR_FORKED) {
		outcome->result = APPEND_FORKED;
		outcome->next = 0;
		outcome->why = *msg;
		return ERR_OK;
	}
	return err == 1 ? store_batch(store, batch, &mark, outcome, msg) : err;
}

int store_sum_watermarks(struct store *store, struct errmsg *msg)
{
	int64_t stored, lost;
	if (db_integer(&store->db, &stored, 0,
		"SELECT sum(stored) FROM watermarks", "") < 0 ||
	    db_integer(&store->db, &lost, 0,
		"SELECT sum(lost + unnumbered) FROM watermarks", "") < 0)
		return db_error(&store->db, msg);
	store->stored = (uint64_t)stored;
	store->lost = (uint64_t)lost;
	return ERR_OK;
}

static int append_each(struct store *store,
    struct prepared_batch *const *batches, size_t count,
    struct store_outcome *outcomes, struct errmsg *msg)
{
	int err = db_run(&store->db, msg, "BEGIN IMMEDIATE", "");
	if (err < 0)
		return err;
	for (size_t i = 0; i < count; i++) {
		outcomes[i] = (struct store_outcome){ 0 };
		err = append_one(store, batches[i], &outcomes[i], msg);
		if (err < 0)
			return err;
	}
	db_reset_all(&store->db);
	return db_run(&store->db, msg, "COMMIT", "");
}

static int append_all(struct store *store,
    struct prepared_batch *const *batches, size_t count,
    struct store_outcome *outcomes, struct errmsg *msg)
{
	int err = append_each(store, batches, count, outcomes, msg);
	if (err == ERR_OK)
		return ERR_OK;
	db_reset_all(&store->db);
	/* A full disk may have ended the transaction already. */
	if (!sqlite3_get_autocommit(store->db.handle))
		db_run(&store->db, NULL, "ROLLBACK", "");
	return err;
}

/* The run as it stands, to go back to. */
static void save_run(struct open_run *to, const struct open_run *run)
{
	*to = *run;
	to->keys = run->count
	    ? xmemdup(run->keys, run->count * sizeof(*run->keys))
	    : NULL;
	to->cap = run->count;
}

static int append_locked(struct store *store,
    struct prepared_batch *const *batches, size_t count,
    struct store_outcome *outcomes, struct errmsg *msg)
{
	/* Where it cannot roll over, it goes on in the one that it has. */
	store_roll_when_due(store, batches[0]->received.ns);
	uint64_t block = store->next_block;
	/* Only a run that fills up in this transaction loses its keys. */
	bool fills = store->run.blocks + count >= RUN_BLOCKS;
	struct open_run before = store->run, copy = { 0 };
	if (fills)
		save_run(&copy, &store->run);
	int err = append_all(store, batches, count, outcomes, msg);
	if (err < 0) {
		uint64_t *keys = store->run.keys;
		size_t cap = store->run.cap;
		if (fills) {
			free(keys);
			store->run = copy;
		} else {
			store->run = before;
			store->run.keys = keys;
			store->run.cap = cap;
		}
		store->next_block = block;
		store->corrupt |= store->db.corrupt || err == ERR_CORRUPT;
		return store->corrupt ? err : ERR_UNAVAILABLE;
	}
	run_fini(&copy);
	for (size_t i = 0; i < count; i++) {
		if (outcomes[i].result != APPEND_STORED)
			continue;
		gather_batch(store->gather, batches[i], outcomes[i].first_new,
		    block++, &outcomes[i]);
		store->newest_received_ns = batches[i]->received.ns;
		store->newest_records +=
		    batches[i]->header.count - outcomes[i].first_new;
	}
	return store_sum_watermarks(store, msg);
}

int store_append(struct store *store, struct prepared_batch *const *batches,
    size_t count, struct store_outcome *outcomes, struct errmsg *msg)
{
	if (count == 0) {
		gather_settle(store->gather);
		return ERR_OK;
	}
	int err = gather_make_room(store->gather, msg);
	if (err < 0)
		return err;
	pthread_mutex_lock(&store->lock);
	err = append_locked(store, batches, count, outcomes, msg);
	pthread_mutex_unlock(&store->lock);
	return err;
}
