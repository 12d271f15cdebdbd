/* SPDX-License-Identifier: ISC */
/* Blocks as the batches that they were: for sums that a crash took, and for
 * the keys of the run under way. */
#include "collector/store/sqlite/replay.h"

#include <stdlib.h>
#include <string.h>

#include "collector/store/block.h"
#include "collector/store/sqlite/postings.h"
#include "lib/base/xalloc.h"

static int unpack_block(struct block *block, const void *body, size_t len,
    struct prepared_batch *batch, struct errmsg *msg)
{
	int err = block_open(block, body, len, msg);
	if (err < 0)
		return err;
	batch->header.count = block_count(block);
	for (uint32_t i = 0; i < batch->header.count; i++) {
		struct block_record record;
		err = block_read(block, i, &record, msg);
		if (err < 0)
			return err;
		buf_be32(&batch->raw, (uint32_t)record.len);
		buf_bytes(&batch->raw, record.body, record.len);
	}
	return ERR_OK;
}

typedef int replay_fn(struct store *store, struct prepared_batch *batch,
    uint64_t block, struct errmsg *msg);

static int replay_row(struct store *store, sqlite3_stmt *row,
    struct block *block, replay_fn *fn, struct errmsg *msg)
{
	struct prepared_batch *batch = xcalloc(1, sizeof(*batch));
	uint64_t id = (uint64_t)sqlite3_column_int64(row, 0);
	batch->agent_row = sqlite3_column_int64(row, 1);
	batch->header.epoch = (uint64_t)sqlite3_column_int64(row, 2);
	batch->header.first_seq = (uint64_t)sqlite3_column_int64(row, 3);
	batch->received.ns = sqlite3_column_int64(row, 4);
	db_column_copy(row, 6, batch->header.agent, 16);
	int err = unpack_block(block, sqlite3_column_blob(row, 5),
	    (size_t)sqlite3_column_bytes(row, 5), batch, msg);
	if (err < 0)
		goto damaged;
	err = prepared_batch_open(batch, store->config.prepare, msg);
	if (err < 0)
		goto damaged;
	err = fn(store, batch, id, msg);
	goto out;
damaged:
	err_prefix(msg, "block %llu", (unsigned long long)id);
out:
	prepared_batch_free(batch);
	return err;
}

static int replay_partition(struct store *store, struct partition *p,
    uint64_t after, struct block *block, replay_fn *fn, struct errmsg *msg)
{
	struct partition_reader *reader;
	int err = partition_reader_get(&store->partitions, p, &reader, msg);
	if (err < 0 || !reader)
		return err;
	sqlite3_stmt *row = db_query(&reader->db,
	    "SELECT b.id, b.agent, b.epoch, b.first_seq, b.received_ns,"
	    " body.body, a.id FROM blocks b JOIN bodies body ON body.id = b.id"
	    " LEFT JOIN agents a ON a.agent = b.agent"
	    " WHERE b.id > ?1 ORDER BY b.id",
	    "i", (int64_t)after);
	while ((err = db_step(&reader->db, row, msg)) == 1) {
		err = replay_row(store, row, block, fn, msg);
		if (err < 0)
			break;
	}
	db_reset(row);
	partition_reader_put(&store->partitions, reader);
	if (err < 0)
		err_prefix(msg, "%.120s", p->path);
	return err;
}

int store_replay(
    struct store *store, uint64_t after, replay_fn *fn, struct errmsg *msg)
{
	struct partition_set *set = &store->partitions;
	struct block *block = block_new();
	int err = ERR_OK;
	for (size_t i = 0; err == ERR_OK && i < set->count; i++)
		if (i + 1 == set->count || set->list[i]->last_block > after)
			err = replay_partition(
			    store, set->list[i], after, block, fn, msg);
	block_free(block);
	return err;
}

/* --- the run under way --- */
static int note_block(struct store *store, uint32_t salt, struct block *block,
    sqlite3_stmt *row, struct errmsg *msg)
{
	struct block_head before = { 0 }, head = { 0 };
	struct block_record record = { 0 };
	int err = block_open(block, sqlite3_column_blob(row, 6),
	    (size_t)sqlite3_column_bytes(row, 6), msg);
	uint32_t count = block_count(block);
	uint64_t *keys = xreallocarray(
	    NULL, count + 1, STORE_KEYS_A_RECORD * sizeof(uint64_t));
	size_t n = 0;
	if (err < 0)
		goto out;
	for (uint32_t i = 0; i < count; i++) {
		err = block_read(block, i, &record, msg);
		if (err < 0)
			goto out;
		err = block_head(&head, record.body, record.len);
		if (err < 0)
			goto out;
		n += store_record_keys(&head, &before, &keys[n]);
		if (head.in_campaign || head.run > 0)
			before = head;
	}
	run_add(&store->run, salt, (uint64_t)sqlite3_column_int64(row, 0),
	    sqlite3_column_int64(row, 1), keys, n);
	run_note(&store->run, sqlite3_column_int64(row, 3),
	    sqlite3_column_int64(row, 4),
	    (uint64_t)sqlite3_column_int64(row, 5), count);
out:
	free(keys);
	return err;
}

int store_remake_run(struct store *store, struct errmsg *msg)
{
	struct db *db = &store->db;
	struct partition_set *set = &store->partitions;
	const struct partition *p = set->list[set->count - 1];
	int64_t before = (int64_t)p->first_block - 1;
	int64_t last = 0, records = 0, block_last = 0;
	run_fini(&store->run);
	if (db_integer(db, &last, before, "SELECT max(last) FROM runs", "") <
		0 ||
	    db_integer(db, &block_last, before, "SELECT max(id) FROM blocks",
		"") < 0 ||
	    db_integer(db, &records, 0, "SELECT sum(records) FROM runs", "") <
		0)
		return db_error(db, msg);
	struct block *block = block_new();
	store->next_block = (uint64_t)block_last + 1;
	sqlite3_stmt *row = db_query(db,
	    "SELECT id, agent, count, min_ns, max_ns, kinds, body"
	    " FROM blocks JOIN bodies USING (id) WHERE id > ?1 ORDER BY id",
	    "i", last);
	int err;
	while ((err = db_step(db, row, msg)) == 1) {
		err = note_block(store, p->salt, block, row, msg);
		if (err < 0) {
			err_prefix(msg, "block %lld",
			    (long long)sqlite3_column_int64(row, 0));
			break;
		}
	}
	db_reset(row);
	block_free(block);
	store->newest_records = (uint64_t)records + store->run.records;
	if (err == 0 &&
	    db_integer(db, &store->newest_received_ns,
		set->count > 1 ? set->list[set->count - 2]->last_received_ns
			       : 0,
		"SELECT received_ns FROM blocks ORDER BY id DESC LIMIT 1",
		"") < 0)
		err = db_error(db, msg);
	return err;
}
