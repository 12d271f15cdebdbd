/* SPDX-License-Identifier: ISC */
/* Rows of sources through their segments, and segments without the columns that
 * came later. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "collector/store/sqlite/rollup/sources.h"
#include "lib/base/clock.h"

#define ROWS 600
#define BIN INT64_C(1795312800)

static struct db db;
static struct segment_codec *codec;
static char folder[] = "/tmp/sonde-test-XXXXXX";
static char path[64];

static int setup(void **state)
{
	struct errmsg msg;
	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/rollup.db", folder);
	assert_int_equal(db_open(&db, path, false, &msg), 0);
	codec = segment_codec_new();
	return db_script(&db,
	    "CREATE TABLE segments (id INTEGER PRIMARY KEY, tbl, bin, part,"
	    " first BLOB, last BLOB, rows, body BLOB);"
	    "CREATE TABLE parts (tbl, bin, part, rows, upto, fine, made_ns,"
	    " PRIMARY KEY (tbl, bin, part));",
	    &msg);
}

static int teardown(void **state)
{
	(void)state;
	segment_codec_free(codec);
	db_close(&db);
	unlink(path);
	return rmdir(folder);
}

static struct source_row row_of(uint32_t n)
{
	struct source_row row = {
		.key = { .lo = 0xcb007100 + n,
		    .bin = BIN,
		    .class = 1 + n / 300,
		    .agent = 7,
		    .dport = 23,
		    .family = 4,
		    .proto = 6 },
		.packets = 1000000 + n,
		.targets = n,
		.first_ns = (BIN + 1) * NS_PER_S,
		.last_ns = (BIN + 2) * NS_PER_S,
		.spoofable = n % 2,
		.ports = n % 3,
		.ports_at_least = n % 3 == 2,
		.addresses = n % 5 ? 0 : n,
		.odds = n % 4 ? 0 : UINT64_C(1) << n % 60,
	};
	if (n % 7 == 1)
		row.victim = addr_v4(0xc0000200 + n);
	if (n % 7 == 2)
		row.victim = addr_from_bytes(
		    (const uint8_t[16]){ 0x20, 1, [15] = 9 }, 16);
	for (uint32_t i = 0; i < n % 60; i++)
		census_add(&row.census, (uint32_t)((i + 1) * 0x9e3779b1u * n));
	return row;
}

static void expect_row(const struct source_row *got, uint32_t n)
{
	struct source_row row = row_of(n);
	assert_memory_equal(&got->key, &row.key, sizeof(row.key));
	assert_int_equal(got->packets, row.packets);
	assert_int_equal(got->ports, row.ports);
	assert_int_equal(got->ports_at_least, row.ports_at_least);
	assert_int_equal(got->addresses, row.addresses);
	assert_true(got->odds == row.odds);
	assert_true(addr_equal(&got->victim, &row.victim));
	assert_memory_equal(&got->census, &row.census, sizeof(row.census));
}

static void rows_come_back_from_every_table(void **state)
{
	static const enum rollup_table tables[] = { ROLLUP_SOURCES,
		ROLLUP_HEAVY, ROLLUP_LIGHT };
	struct errmsg msg;
	(void)state;
	for (size_t t = 0; t < 3; t++) {
		struct source_writer writer;
		struct part_info info = { .id = { tables[t], BIN, 1 },
			.fine = true };
		source_part_begin(&writer, &db, codec, &info, ROWS, &msg);
		for (uint32_t n = 0; n < ROWS; n++) {
			struct source_row row = row_of(n);
			source_part_row(&writer, &row);
		}
		assert_int_equal(source_part_end(&writer), 0);
		struct source_stream stream;
		source_stream_init(&stream, &db, codec, &info.id, true);
		for (uint32_t n = 0; n < ROWS; n++) {
			assert_int_equal(source_stream_next(&stream, &msg), 1);
			expect_row(&stream.row, n);
		}
		assert_int_equal(source_stream_next(&stream, &msg), 0);
		source_stream_fini(&stream);
	}
}

/* Sixteen columns: family, address (2), class, protocol, port, agent, packets,
 * targets, first, span, extra, minute, second, two rests. */
static void an_earlier_segment_says_nothing_of_what_it_lacks(void **state)
{
	static const uint8_t flags[16] = { 0 };
	const struct part_shape shape = { 16, flags, 64, 17 };
	const struct part_info info = { .id = { ROLLUP_SOURCES, BIN, 2 },
		.fine = true };
	const uint64_t values[16] = { 4, 0, 0xcb007109, 1, 17, 1434, 7, 31, 12,
		5, 1000, 1, 0, 0, 0, 0 };
	struct source_row row = row_of(0);
	struct part_writer writer;
	uint8_t key[PART_KEY_MOST];
	struct errmsg msg;
	(void)state;
	row.key.lo = values[2];
	source_key_bytes(ROLLUP_SOURCES, &row.key, key);
	part_begin(&writer, &db, codec, &info, &shape, &msg);
	assert_int_equal(part_row(&writer, key), 0);
	for (size_t c = 0; c < 16; c++)
		writer.segment.values[c][0] = values[c];
	assert_int_equal(part_end(&writer), 0);
	struct source_stream stream;
	source_stream_init(&stream, &db, codec, &info.id, true);
	assert_int_equal(source_stream_next(&stream, &msg), 1);
	const struct source_row *got = &stream.row;
	assert_int_equal(got->packets, 31);
	assert_int_equal(got->targets, 12);
	assert_true(got->spoofable);
	assert_int_equal(got->ports, 0);
	assert_int_equal(got->victim.family, 0);
	assert_int_equal(census_len(&got->census), 0);
	bool estimated;
	assert_int_equal(source_targets(got, &estimated), 12);
	assert_false(estimated);
	source_stream_fini(&stream);
}

/* In whichever order. */
static void adding_rows_joins_targets_and_takes_the_most(void **state)
{
	struct source_row a = row_of(1), b = row_of(2), ab, ba;
	bool estimated;
	(void)state;
	a.census = b.census = (struct census){ { 0 } };
	for (uint32_t i = 0; i < 6; i++)
		census_add(i < 4 ? &a.census : &b.census, i << 20);
	census_add(&b.census, 3 << 20);
	a.targets = 4;
	b.targets = 3;
	ab = a;
	ba = b;
	source_add(&ab, &b);
	source_add(&ba, &a);
	assert_int_equal(source_targets(&ab, &estimated), 6);
	assert_false(estimated);
	assert_memory_equal(&ab.census, &ba.census, sizeof(ab.census));
	assert_int_equal(ab.ports, 2);
	assert_true(ab.ports_at_least && ba.ports_at_least);
	assert_true(addr_equal(&ab.victim, &ba.victim));
	assert_int_equal(ab.victim.family, 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_come_back_from_every_table),
		cmocka_unit_test(
		    an_earlier_segment_says_nothing_of_what_it_lacks),
		cmocka_unit_test(adding_rows_joins_targets_and_takes_the_most),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
