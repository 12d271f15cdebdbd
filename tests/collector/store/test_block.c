/* SPDX-License-Identifier: ISC */
/* Blocks: every record comes back byte for byte, a search finds what a look at
 * each record finds, and damaged bytes are refused. */
#include "tests/collector/fixture.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/store/block.h"
#include "lib/base/crc32c.h"
#include "lib/base/xalloc.h"
#include "tests/lib/record/random-record.h"

#define MOST 6000

static struct {
	uint8_t *bytes;
	size_t len;
} records[MOST];
static uint32_t count;
static struct block_writer *writer;
static struct block *block;
static struct buf sealed;

static int setup(void **state)
{
	(void)state;
	writer = block_writer_new();
	block = block_new();
	count = 0;
	srandom(7);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < count; i++)
		free(records[i].bytes);
	buf_fini(&sealed);
	block_writer_free(writer);
	block_free(block);
	return 0;
}

static void add(const void *bytes, size_t len)
{
	assert_true(count < MOST);
	records[count].bytes = xmemdup(bytes, len);
	records[count++].len = len;
}

static void add_record(const Sonde__Record *record)
{
	struct buf packed = { 0 };
	struct errmsg msg;
	assert_int_equal(record_pack(record, &packed, &msg), 0);
	add(packed.data, packed.len);
	buf_fini(&packed);
}

static void seal(void)
{
	struct errmsg msg;
	buf_clear(&sealed);
	for (uint32_t i = 0; i < count; i++)
		block_add(writer, records[i].bytes, records[i].len);
	block_seal(writer, &sealed);
	if (block_open(block, sealed.data, sealed.len, &msg) < 0)
		fail_msg("%s", msg.text);
	assert_int_equal(block_count(block), count);
}

static void expect_record(uint32_t place)
{
	struct block_record got;
	struct block_head head;
	struct errmsg msg;
	if (block_read(block, place, &got, &msg) < 0)
		fail_msg("%u: %s", place, msg.text);
	assert_int_equal(got.len, records[place].len);
	assert_memory_equal(got.body, records[place].bytes, got.len);
	assert_int_equal(block_head(&head, got.body, got.len), 0);
	assert_int_equal(got.wall_ns, head.wall_ns);
	assert_int_equal(block_wall_ns(block, place), head.wall_ns);
	assert_int_equal(got.kind, head.kind);
}

static void expect_all(void)
{
	for (uint32_t i = 0; i < count; i++)
		expect_record(i);
	/* And with others passed over. */
	for (uint32_t step = 2; step < 200; step += 1 + step / 2) {
		block_rewind(block);
		for (uint32_t i = step % 3; i < count; i += step)
			expect_record(i);
	}
}

static ProtobufCBinaryData bytes_of(struct addr *addr)
{
	return (ProtobufCBinaryData){ addr_len(addr), addr->bytes };
}

static struct addr some_addr(void)
{
	static uint8_t six[16] = { 0x20, 0x01, 0x0d, 0xb8 };
	six[15] = (uint8_t)(random() % 5);
	return random() % 4 ? addr_v4(0x0a000000 + (uint32_t)random() % 9)
			    : addr_from_bytes(six, 16);
}

static void add_trace_at(Sonde__Record *record)
{
	Sonde__Trace trace = SONDE__TRACE__INIT;
	Sonde__Reply replies[12], *pointers[12];
	struct addr src = some_addr(), dst = some_addr(), from[12];
	trace.src = bytes_of(&src);
	if (random() % 8)
		trace.dst = bytes_of(&dst);
	trace.method = (char *)"udp";
	trace.n_replies = (size_t)random() % 12;
	trace.replies = pointers;
	for (size_t i = 0; i < trace.n_replies; i++) {
		Sonde__Reply *r = pointers[i] = &replies[i];
		sonde__reply__init(r);
		r->probe_ttl = (uint32_t)i + 1;
		r->tx_wall_ns = record->wall_ns - random() % 1000000;
		if (random() % 3 == 0)
			continue;
		from[i] = some_addr();
		r->from = bytes_of(&from[i]);
		r->rx_wall_ns = r->tx_wall_ns + random() % 1000000;
		REPLY_SET(r, RTT_NS, rtt_ns, (uint64_t)(r->rx_wall_ns - r->tx_wall_ns) + (uint64_t)(random() % 2));
		REPLY_SET(r, REPLY_IP_ID, reply_ip_id, (uint32_t)random() % 3);
	}
	record->body_case = SONDE__RECORD__BODY_TRACE;
	record->trace = &trace;
	add_record(record);
}

static void add_sighting_at(Sonde__Record *record)
{
	Sonde__Sighting s = SONDE__SIGHTING__INIT;
	struct addr src = some_addr();
	s.src = bytes_of(&src);
	s.verdict = (char *)"worm";
	s.signature = (char *)(random() % 2 ? "slammer" : "");
	s.first_wall_ns = record->wall_ns - random() % 1000;
	s.last_wall_ns = random() % 2 ? INT64_MIN : record->wall_ns;
	s.packets = (uint64_t)random() << 40;
	record->body_case = SONDE__RECORD__BODY_SIGHTING;
	record->sighting = &s;
	add_record(record);
}

static void add_heartbeat_at(Sonde__Record *record)
{
	Sonde__Heartbeat beat = SONDE__HEARTBEAT__INIT;
	Sonde__Counter counters[3], *pointers[3];
	for (size_t i = 0; i < 3; i++) {
		pointers[i] = &counters[i];
		sonde__counter__init(pointers[i]);
		counters[i].name = (char *)(i ? "sensor.captured" : "");
		counters[i].value = (uint64_t)random() % 200;
	}
	beat.counters = pointers;
	beat.n_counters = (size_t)random() % 4;
	record->body_case = SONDE__RECORD__BODY_HEARTBEAT;
	record->heartbeat = &beat;
	add_record(record);
}

static void add_row_at(Sonde__Record *record)
{
	Sonde__Result row = SONDE__RESULT__INIT;
	Sonde__Cell cell = SONDE__CELL__INIT, *cells = &cell;
	Sonde__Value value = SONDE__VALUE__INIT, *values = &value;
	struct addr addr = some_addr();
	value.value_case = random() % 4 ? SONDE__VALUE__VALUE_ADDRESS
					: SONDE__VALUE__VALUE_NUMBER;
	if (value.value_case == SONDE__VALUE__VALUE_ADDRESS)
		value.address = bytes_of(&addr);
	else
		value.number = (double)random() / 3;
	cell.values = &values;
	cell.n_values = 1;
	row.row = &cells;
	row.n_row = 1;
	record->body_case = SONDE__RECORD__BODY_RESULT;
	record->result = &row;
	add_record(record);
}

static void add_some(unsigned n)
{
	static uint8_t campaign[16];
	int64_t at = DAY_START_NS;
	for (unsigned i = 0; i < n; i++) {
		Sonde__Record record = SONDE__RECORD__INIT;
		at += random() % 1000000 - 300000;
		record.wall_ns = random() % 50 ? at : -at;
		record.mono_ns = random() % 3 ? at - 123456789 : 0;
		if (random() % 3 == 0) {
			campaign[0] = (uint8_t)(random() % 3);
			record.campaign = (ProtobufCBinaryData){ 16, campaign };
			record.run = (uint64_t)random() % 4;
		}
		switch (random() % 5) {
		case 0: add_heartbeat_at(&record); break;
		case 1: add_row_at(&record); break;
		case 2: add_sighting_at(&record); break;
		default: add_trace_at(&record);
		}
	}
}

static void records_come_back_byte_for_byte(void **state)
{
	(void)state;
	static const unsigned sizes[] = { 1, 2, 11, 12, 13, 100, 500 };
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		add_some(sizes[i]);
		seal();
		expect_all();
		while (count > 0)
			free(records[--count].bytes);
	}
}

static void so_do_those_that_the_schema_does_not_describe(void **state)
{
	(void)state;
	static const char *const odd[] = {
		"\x09\1\0\0\0\0\0\0\0\xf8\x3f\1", /* field 1023 */
		"\x10\2\x09\1\0\0\0\0\0\0\0",     /* not in order */
		"\x18\x81\0",                     /* a long one */
		"\x18\1\x18\2",                   /* twice */
		"\xc2\1\0\xba\1\0",               /* two bodies */
		"\x09\1\0\0\0\0\0\0\0\xc2\1\2\x08\1",
		"",
	};
	static const size_t lens[] = { 12, 11, 3, 4, 6, 14, 0 };
	add_some(40);
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
		add(odd[i], lens[i]);
	add_some(40);
	seal();
	expect_all();
}

/* Of every kind, and whatever record_unpack takes. */
static void random_records_come_back(void **state)
{
	(void)state;
	static const unsigned one_odd[] = { 0, 400, 60 };
	for (unsigned round = 0; round < 12; round++) {
		while (count < 500) {
			struct buf bytes = { 0 };
			Sonde__Record *record;
			random_record(
			    &bytes, random_body(), one_odd[round % 3]);
			if (record_unpack(
				&record, bytes.data, bytes.len, NULL) == 0) {
				add(bytes.data, bytes.len);
				record_free(record);
			}
			buf_fini(&bytes);
		}
		seal();
		expect_all();
		while (count > 0)
			free(records[--count].bytes);
	}
}

/* More than a block tells apart: the others stay as they came. */
static void records_of_many_forms_come_back(void **state)
{
	(void)state;
	struct buf bytes = { 0 }, counters = { 0 };
	for (unsigned form = 0; form < 6000; form++) {
		buf_clear(&bytes);
		buf_clear(&counters);
		/* A counter with its value, or without. */
		for (unsigned bit = 0; bit < 13; bit++)
			if (form >> bit & 1)
				buf_bytes(&counters, "\x0a\2\x10\1", 4);
			else
				buf_bytes(&counters, "\x0a\0", 2);
		buf_bytes(&bytes, "\x09\1\0\0\0\0\0\0\0\xb2\1", 11);
		buf_u8(&bytes, (uint8_t)counters.len);
		buf_bytes(&bytes, counters.data, counters.len);
		add(bytes.data, bytes.len);
	}
	buf_fini(&counters);
	buf_fini(&bytes);
	seal();
	for (uint32_t i = 0; i < count; i++)
		expect_record(i);
}

static void the_corpus_of_records_comes_back(void **state)
{
	(void)state;
	glob_t found;
	assert_int_equal(glob("tests/corpus/record/*", 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		char bytes[8192];
		FILE *file = fopen(found.gl_pathv[i], "r");
		size_t len = fread(bytes, 1, sizeof(bytes), file);
		struct block_head head;
		fclose(file);
		if (block_head(&head, (uint8_t *)bytes, len) == 0)
			add(bytes, len);
	}
	assert_true(count > 0);
	globfree(&found);
	add_some(20);
	seal();
	expect_all();
}

/* Half of the conditions, each of a value that some records have. */
static struct block_want some_want(uint32_t *kind, uint8_t campaign[16])
{
	static const uint32_t kinds[] = { SONDE__RECORD__BODY_TRACE,
		SONDE__RECORD__BODY_SIGHTING, SONDE__RECORD__BODY_RESULT,
		SONDE__RECORD__BODY_HEARTBEAT };
	struct block_want want = { .from_ns = INT64_MIN };
	if (random() % 2) {
		want.from_ns = DAY_START_NS + random() % 10000000;
		want.to_ns = want.from_ns + random() % 100000000;
	}
	if (random() % 3 == 0) {
		*kind = kinds[random() % 4];
		want.kinds = kind;
		want.kind_count = 1;
	}
	if (random() % 4 == 0) {
		memset(campaign, 0, 16);
		campaign[0] = (uint8_t)(random() % 4);
		want.campaign = campaign;
	}
	if (random() % 4 == 0)
		want.run = (uint64_t)random() % 4;
	if (random() % 3 == 0)
		want.src = some_addr();
	if (random() % 3 == 0)
		want.dst = some_addr();
	return want;
}

static void a_search_finds_what_a_look_at_each_finds(void **state)
{
	(void)state;
	size_t found_ever = 0;
	add_some(600);
	seal();
	for (int round = 0; round < 400; round++) {
		uint32_t kind;
		uint8_t campaign[16];
		struct block_want want = some_want(&kind, campaign);
		const uint32_t *places;
		size_t n, at = 0;
		struct errmsg msg;
		if (block_find(block, &want, &places, &n, &msg) < 0)
			fail_msg("%s", msg.text);
		for (uint32_t i = 0; i < count; i++) {
			struct block_head head;
			block_head(&head, records[i].bytes, records[i].len);
			bool found = at < n && places[at] == i;
			if (found != block_wants_head(&want, &head))
				fail_msg("round %d, record %u", round, i);
			at += found;
		}
		assert_int_equal(at, n);
		found_ever += n;
		/* Reading goes on from anywhere after a search. */
		block_rewind(block);
		for (size_t i = 0; i < n; i += 1 + n / 10)
			expect_record(places[i]);
	}
	assert_true(found_ever > 5000);
}

static void damaged_bytes_are_refused(void **state)
{
	(void)state;
	struct errmsg msg;
	add_some(60);
	seal();
	struct buf whole = { 0 };
	buf_bytes(&whole, sealed.data, sealed.len);
	for (size_t i = 0; i < whole.len; i++) {
		whole.data[i] ^= 0x40;
		assert_int_equal(block_open(block, whole.data, whole.len, &msg),
		    ERR_CORRUPT);
		whole.data[i] ^= 0x40;
		assert_int_equal(
		    block_open(block, whole.data, i, &msg), ERR_CORRUPT);
	}
	/* With a sum that is right: refused, or read as something. */
	for (size_t i = 0; i + 4 < whole.len; i++) {
		uint8_t was = whole.data[i];
		struct buf odd = { 0 };
		whole.data[i] = (uint8_t)random();
		buf_bytes(&odd, whole.data, whole.len - 4);
		buf_be32(&odd, crc32c(0, odd.data, odd.len));
		whole.data[i] = was;
		bool well = block_open(block, odd.data, odd.len, &msg) == 0;
		for (uint32_t k = 0; well && k < block_count(block); k++) {
			struct block_record record;
			well = block_read(block, k, &record, &msg) == 0;
		}
		buf_fini(&odd);
	}
	buf_fini(&whole);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(records_come_back_byte_for_byte),
		TEST(so_do_those_that_the_schema_does_not_describe),
		TEST(random_records_come_back),
		TEST(records_of_many_forms_come_back),
		TEST(the_corpus_of_records_comes_back),
		TEST(a_search_finds_what_a_look_at_each_finds),
		TEST(damaged_bytes_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
