/* SPDX-License-Identifier: ISC */
/* The quick reader says the same as protobuf-c, or nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "lib/record/record-read.h"
#include "lib/record/record-schema.h"
#include "lib/sketch/varint.h"
#include "tests/lib/record/random-record.h"

static struct arena arena;

static int setup(void **state)
{
	(void)state;
	srandom(11);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_fini(&arena);
	return 0;
}

static void expect_same_message(
    const ProtobufCMessage *a, const ProtobufCMessage *b);

static void expect_same_value(
    const ProtobufCFieldDescriptor *field, const void *a, const void *b)
{
	const ProtobufCBinaryData *x = a, *y = b;
	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
		assert_string_equal(*(char *const *)a, *(char *const *)b);
		return;
	case PROTOBUF_C_TYPE_BYTES:
		assert_int_equal(x->len, y->len);
		if (x->len > 0)
			assert_memory_equal(x->data, y->data, x->len);
		return;
	case PROTOBUF_C_TYPE_MESSAGE:
		expect_same_message(*(ProtobufCMessage *const *)a,
		    *(ProtobufCMessage *const *)b);
		return;
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_ENUM:
	case PROTOBUF_C_TYPE_BOOL: assert_memory_equal(a, b, 4); return;
	default: assert_memory_equal(a, b, 8);
	}
}

static void expect_same_message(
    const ProtobufCMessage *a, const ProtobufCMessage *b)
{
	assert_ptr_equal(a->descriptor, b->descriptor);
	assert_int_equal(a->n_unknown_fields, b->n_unknown_fields);
	for (unsigned i = 0; i < a->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &a->descriptor->fields[i];
		size_t count = record_field_count(a, f);
		assert_int_equal(count, record_field_count(b, f));
		for (size_t k = 0; k < count; k++)
			expect_same_value(f, record_field_at(a, f, k),
			    record_field_at(b, f, k));
	}
}

/* Whether it was read quickly; then protobuf-c must read the same. */
static bool read_both(const uint8_t *bytes, size_t len)
{
	/* Of this size exactly, so that a look past the end is seen. */
	uint8_t *exact = xmemdup(bytes, len);
	struct arena_mark mark = arena_mark(&arena);
	struct errmsg msg = { "" };
	Sonde__Record *general;
	Sonde__Record *quick = record_read(&arena, exact, len);
	if (quick) {
		if (record_unpack(&general, bytes, len, &msg) < 0)
			fail_msg("read quickly, but: %s", msg.text);
		expect_same_message(&general->base, &quick->base);
		record_free(general);
	}
	arena_reset(&arena, mark);
	free(exact);
	return quick;
}

/* But those with a list of numbers or octets. */
static void what_record_pack_writes_is_read_quickly(void **state)
{
	(void)state;
	unsigned quick = 0, all = 5000;
	for (unsigned i = 0; i < all; i++) {
		struct buf bytes = { 0 };
		Sonde__Record__BodyCase body = random_body();
		random_record(&bytes, body, 0);
		bool read = read_both(bytes.data, bytes.len);
		if (body != SONDE__RECORD__BODY_GAP &&
		    body != SONDE__RECORD__BODY_HEARTBEAT)
			assert_true(read);
		quick += read;
		buf_fini(&bytes);
	}
	assert_in_range(quick, all * 3 / 4, all);
}

static void what_is_odd_is_read_like_protobuf_c_does(void **state)
{
	(void)state;
	unsigned quick = 0, all = 20000;
	for (unsigned i = 0; i < all; i++) {
		struct buf bytes = { 0 };
		random_record(&bytes, random_body(), 60);
		quick += read_both(bytes.data, bytes.len);
		buf_fini(&bytes);
	}
	assert_in_range(quick, all / 20, all * 3 / 4);
}

static void damaged_records_are_read_like_protobuf_c_does(void **state)
{
	(void)state;
	unsigned quick = 0;
	for (unsigned i = 0; i < 2000; i++) {
		struct buf bytes = { 0 };
		random_record(&bytes, random_body(), 0);
		for (unsigned k = 0; k < 20 && bytes.len > 0; k++) {
			size_t at = (size_t)random() % bytes.len;
			uint8_t was = bytes.data[at];
			bytes.data[at] = random() % 2
			    ? (uint8_t)random()
			    : was ^ (uint8_t)(1u << random() % 8);
			quick += read_both(bytes.data, bytes.len);
			bytes.data[at] = was;
			read_both(bytes.data, at);
		}
		buf_fini(&bytes);
	}
	assert_true(quick > 1000);
}

#define TRACE "\x82\x01"
#define SIGHTING "\xa2\x01"
static const struct {
	const char *bytes;
	size_t len;
	int result; /* of record_unpack */
} others[] = {
	{ "", 0, ERR_UNSUPPORTED },
	{ "\x18\x01", 2, ERR_UNSUPPORTED },                /* no body */
	{ SIGHTING "\x00" TRACE "\x00", 6, ERR_OK },       /* two bodies */
	{ SIGHTING "\x00\x18\x01", 5, ERR_OK },            /* not in order */
	{ "\x18\x01\x18\x01" TRACE "\x00", 7, ERR_OK },    /* twice */
	{ "\x18\x81\x00" TRACE "\x00", 6, ERR_OK },        /* a long number */
	{ "\x98\x00\x01" TRACE "\x00", 6, ERR_OK },        /* a long tag */
	{ TRACE "\x80\x00", 4, ERR_OK },                   /* a long length */
	{ "\x78\x01" TRACE "\x00", 5, ERR_OK },            /* field 15 */
	{ TRACE "\x00\xf8\x3f\x01", 6, ERR_OK },           /* field 1023 */
	{ SIGHTING "\x02\x20\x01\x01", 6, ERR_MALFORMED }, /* field 0 */
	{ "\x18\x09" TRACE "\x00", 5, ERR_MALFORMED },     /* enum */
	{ TRACE "\x05\x0a\x03\x01\x02\x03", 8, ERR_MALFORMED }, /* address */
	{ "\x2a\x01\x01" TRACE "\x00", 6, ERR_MALFORMED },      /* id */
	{ SIGHTING "\x03\x12\x01\xff", 6, ERR_MALFORMED },      /* UTF-8 */
	{ SIGHTING "\x04\x12\x02\xc3\xa9", 7, ERR_OK },
	{ SIGHTING "\x04\x12\x02\x61\x00", 7, ERR_MALFORMED }, /* NUL */
	{ TRACE "\x02\x62", 4, ERR_MALFORMED },         /* it ends too early */
	{ TRACE "\x02\x62\x01", 5, ERR_MALFORMED },
	{ "\x1d\x01\x00\x00\x00" TRACE "\x00", 8, ERR_MALFORMED },
	/* A number of 32 bits that has more. */
	{ SIGHTING "\x06\x20\xff\xff\xff\xff\x1f", 9, ERR_OK },
};

static void what_record_pack_does_not_write_is_left_to_protobuf_c(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		Sonde__Record *record;
		const uint8_t *bytes = (const uint8_t *)others[i].bytes;
		if (read_both(bytes, others[i].len))
			fail_msg("row %zu is read quickly", i);
		int err = record_unpack(&record, bytes, others[i].len, NULL);
		if (err != others[i].result)
			fail_msg("row %zu: got %s", i, err_str(err));
		record_free(record);
	}
}

/* Empty replies, two octets each. */
static bool read_replies(unsigned count)
{
	struct buf bytes = { 0 };
	buf_bytes(&bytes, "\x82\x01", 2);
	varint_put(&bytes, 2 * count);
	for (unsigned i = 0; i < count; i++)
		buf_bytes(&bytes, "\x62", 2);
	bool quick = read_both(bytes.data, bytes.len);
	buf_fini(&bytes);
	return quick;
}

static void a_list_has_a_bound(void **state)
{
	(void)state;
	assert_true(read_replies(RECORD_MAX_REPLIES));
	assert_false(read_replies(RECORD_MAX_REPLIES + 1));
}

static void what_is_not_read_leaves_nothing_behind(void **state)
{
	(void)state;
	struct arena_mark start = arena_mark(&arena);
	/* Not read: nothing of it is left. */
	assert_null(record_read(&arena, (const uint8_t *)"\x18\x01", 2));
	assert_int_equal(arena.bytes, start.bytes);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_record_pack_writes_is_read_quickly),
		TEST(what_is_odd_is_read_like_protobuf_c_does),
		TEST(damaged_records_are_read_like_protobuf_c_does),
		TEST(what_record_pack_does_not_write_is_left_to_protobuf_c),
		TEST(a_list_has_a_bound),
		TEST(what_is_not_read_leaves_nothing_behind),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
