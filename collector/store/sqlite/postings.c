/* SPDX-License-Identifier: ISC */
/*
 * Which blocks have an address, a campaign or a run: 32-bit hashes of them,
 * gathered for RUN_BLOCKS blocks and written sorted, at most about 512 a row,
 * each as its difference to the one before and the block's place in the run.
 * Equal keys never lie in two rows, so a look-up is one row of a run.  A
 * false one costs unpacking two columns of one block.
 */
#include "collector/store/sqlite/postings.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "lib/sketch/varint.h"

#define ROW_KEYS 512

uint32_t run_key(uint64_t key, uint32_t salt)
{
	key = (key ^ salt) * UINT64_C(0xd6e8feb86659fd93);
	return (uint32_t)(key >> 32);
}

void run_add(struct open_run *run, uint32_t salt, uint64_t block,
    int64_t agent_row, const uint64_t *keys, size_t key_count)
{
	if (run->blocks == 0) {
		run->first = block;
		run->min_ns = INT64_MAX;
		run->max_ns = INT64_MIN;
	}
	if (run->count + key_count > run->cap) {
		run->cap = 2 * (run->count + key_count);
		run->keys =
		    xreallocarray(run->keys, run->cap, sizeof(*run->keys));
	}
	for (size_t i = 0; i < key_count; i++)
		run->keys[run->count++] = (uint64_t)run_key(keys[i], salt)
			<< 8 |
		    (block - run->first);
	run->blocks++;
	run->agents |= UINT64_C(1) << (agent_row & 63);
}

void run_note(struct open_run *run, int64_t min_ns, int64_t max_ns,
    uint64_t kinds, uint64_t records)
{
	if (min_ns < run->min_ns)
		run->min_ns = min_ns;
	if (max_ns > run->max_ns)
		run->max_ns = max_ns;
	run->kinds |= kinds;
	run->records += records;
}

void run_fini(struct open_run *run)
{
	free(run->keys);
	*run = (struct open_run){ 0 };
}

/* By 40 bits, the lowest byte first; the space is as large again. */
static void sort_keys(uint64_t *keys, size_t count)
{
	uint64_t *from = keys, *space = xreallocarray(NULL, count, 8),
		 *to = space;
	for (int shift = 0; shift < 40; shift += 8) {
		size_t at[257] = { 0 };
		for (size_t i = 0; i < count; i++)
			at[(from[i] >> shift & 255) + 1]++;
		for (int i = 1; i < 256; i++)
			at[i] += at[i - 1];
		for (size_t i = 0; i < count; i++)
			to[at[from[i] >> shift & 255]++] = from[i];
		uint64_t *t = from;
		from = to;
		to = t;
	}
	/* An odd number of passes ends in the space. */
	memcpy(keys, space, count * 8);
	free(space);
}

static size_t drop_equal(uint64_t *keys, size_t count)
{
	size_t kept = 0;
	for (size_t i = 0; i < count; i++)
		if (kept == 0 || keys[kept - 1] != keys[i])
			keys[kept++] = keys[i];
	return kept;
}

static int write_row(struct db *db, uint64_t run, const uint64_t *keys,
    size_t count, struct buf *body, struct errmsg *msg)
{
	uint64_t last = keys[0] >> 8;
	buf_clear(body);
	for (size_t i = 0; i < count; i++) {
		varint_put(body, (keys[i] >> 8) - last);
		buf_u8(body, (uint8_t)keys[i]);
		last = keys[i] >> 8;
	}
	return db_run(db, msg, "INSERT INTO keys VALUES (?1, ?2, ?3)", "iib",
	    (int64_t)run, (int64_t)(keys[0] >> 8), body->data, body->len);
}

static int write_keys(struct open_run *run, struct db *db, struct errmsg *msg)
{
	struct buf body = { 0 };
	int err = ERR_OK;
	if (run->count > 0)
		sort_keys(run->keys, run->count);
	size_t count = drop_equal(run->keys, run->count);
	for (size_t i = 0; err == ERR_OK && i < count;) {
		size_t n = count - i < ROW_KEYS ? count - i : ROW_KEYS;
		while (i + n < count &&
		    run->keys[i + n] >> 8 == run->keys[i + n - 1] >> 8)
			n++;
		err = write_row(db, run->first, &run->keys[i], n, &body, msg);
		i += n;
	}
	buf_fini(&body);
	return err;
}

int run_write(struct open_run *run, struct db *db, struct errmsg *msg)
{
	if (run->blocks == 0)
		return ERR_OK;
	int err = write_keys(run, db, msg);
	if (err < 0)
		return err;
	err = db_run(db, msg,
	    "INSERT INTO runs VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)", "iiiiiii",
	    (int64_t)run->first, (int64_t)(run->first + run->blocks - 1),
	    run->min_ns, run->max_ns, (int64_t)run->kinds, (int64_t)run->agents,
	    (int64_t)run->records);
	if (err < 0)
		return err;
	run->blocks = 0;
	run->count = 0;
	run->kinds = run->agents = run->records = 0;
	return ERR_OK;
}

int run_look_up(struct db *db, uint64_t run_first, uint32_t key,
    uint64_t bits[RUN_BLOCKS / 64], struct errmsg *msg)
{
	sqlite3_stmt *row = db_query(db,
	    "SELECT first, body FROM keys WHERE run = ?1 AND first <= ?2"
	    " ORDER BY first DESC LIMIT 1",
	    "ii", (int64_t)run_first, (int64_t)key);
	int err = db_step(db, row, msg);
	if (err == 1) {
		uint64_t at = (uint64_t)sqlite3_column_int64(row, 0);
		struct reader r = reader_init(sqlite3_column_blob(row, 1),
		    (size_t)sqlite3_column_bytes(row, 1));
		while (reader_left(&r) > 0 && at <= key) {
			at += varint_get(&r);
			uint8_t block = reader_u8(&r);
			if (at == key && r.err == ERR_OK)
				bits[block / 64] |= UINT64_C(1) << block % 64;
		}
		if (r.err != ERR_OK)
			err = err_set(msg, ERR_CORRUPT,
			    "keys of run %llu: cannot be read",
			    (unsigned long long)run_first);
	}
	db_reset(row);
	return err < 0 ? err : ERR_OK;
}
