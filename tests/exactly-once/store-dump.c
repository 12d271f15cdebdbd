/* SPDX-License-Identifier: ISC */
/*
 * Prints every record that a collector's folder holds, without a collector and
 * while one runs: a line each, "AGENT EPOCH SEQ BODY", the body in hex.  Ends
 * with an error at the first block that cannot be read.
 *
 * usage: store-dump STATE
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "collector/store/block.h"
#include "collector/store/sqlite/partition-set.h"
#include "lib/base/xalloc.h"

static int print_block(
    struct block *block, sqlite3_stmt *row, struct errmsg *msg)
{
	int err = block_open(block, sqlite3_column_blob(row, 3),
	    (size_t)sqlite3_column_bytes(row, 3), msg);
	for (uint32_t i = 0; err == ERR_OK && i < block_count(block); i++) {
		struct block_record record;
		err = block_read(block, i, &record, msg);
		if (err < 0)
			return err;
		printf("%lld %lld %lld ",
		    (long long)sqlite3_column_int64(row, 0),
		    (long long)sqlite3_column_int64(row, 1),
		    (long long)sqlite3_column_int64(row, 2) + i);
		for (size_t k = 0; k < record.len; k++)
			printf("%02x", record.body[k]);
		putchar('\n');
	}
	return err;
}

static int print_partition(const char *path, struct errmsg *msg)
{
	struct block *block = block_new();
	struct db db;
	int err = db_open(&db, path, true, msg);
	if (err == ERR_OK) {
		sqlite3_stmt *row = db_query(&db,
		    "SELECT agent, epoch, first_seq, body FROM blocks"
		    " JOIN bodies USING (id) ORDER BY id",
		    "");
		while ((err = db_step(&db, row, msg)) == 1) {
			err = print_block(block, row, msg);
			if (err < 0)
				break;
		}
	}
	db_close(&db);
	block_free(block);
	return err;
}

int main(int argc, char **argv)
{
	struct errmsg msg = { "" };
	char **names;
	size_t count;
	if (argc != 2) {
		fputs("usage: store-dump STATE\n", stderr);
		return 2;
	}
	char *dir = xasprintf("%s/telemetry", argv[1]);
	int err = partition_names(dir, &names, &count, &msg);
	for (size_t i = 0; err == ERR_OK && i < count; i++) {
		char *path = xasprintf("%s/%s", dir, names[i]);
		err = print_partition(path, &msg);
		free(path);
	}
	if (err < 0)
		fprintf(stderr, "store-dump: %s\n", msg.text);
	return err < 0;
}
