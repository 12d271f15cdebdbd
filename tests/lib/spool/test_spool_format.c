/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "lib/spool/spool-format.h"
#include "lib/base/xalloc.h"

enum { FRAMES = 8, PAYLOAD = 21, FRAME = SPOOL_FRAME_EXTRA + PAYLOAD };

static const uint8_t agent[16] = { 1, 2 };
static const struct spool_name segment = { { 77, 5 }, SPOOL_RESULTS };

/* Header and FRAMES frames, numbered 5, 6, ...; the payload is the number. */
static struct buf segment_make(void)
{
	struct buf b = { 0 };
	spool_header_put(&b, agent, &segment);
	for (uint64_t i = 0; i < FRAMES; i++) {
		uint8_t payload[PAYLOAD];
		memset(payload, (int)(5 + i), sizeof(payload));
		spool_frame_put(&b, spool_seed(agent, 77),
		    &(struct spool_frame){ SPOOL_RESULTS, 0, 5 + i, { 1 },
			{ 2 }, payload, sizeof(payload) });
	}
	return b;
}

/* Counts the frames that check; every one must be as it was written. */
static size_t scan(const uint8_t *bytes, size_t len)
{
	struct spool_scan s = spool_scan_init(
	    bytes, len, SPOOL_HEADER_LEN, spool_seed(agent, 77));
	struct spool_frame frame;
	size_t count = 0;
	for (; spool_scan_next(&s, &frame); count++) {
		assert_in_range(frame.seq, 5, 5 + FRAMES - 1);
		assert_int_equal(frame.class, SPOOL_RESULTS);
		assert_int_equal(frame.flags, 0);
		assert_int_equal(frame.mono.ns, 1);
		assert_int_equal(frame.wall.ns, 2);
		assert_int_equal(frame.len, PAYLOAD);
		for (size_t i = 0; i < PAYLOAD; i++)
			assert_int_equal(frame.payload[i], frame.seq);
	}
	return count;
}

static void names_say_place_and_class(void **state)
{
	(void)state;
	static const char *const bad[] = { "", "ack", "epoch",
		"000000000000004d.0000000000000005.1.seg.tmp",
		"000000000000004d.0000000000000005.1.seg.bad",
		"000000000000004d.0000000000000005.3.seg",
		"000000000000004D.0000000000000005.1.seg",
		"00000000000004d.0000000000000005.1.seg" };
	char text[SPOOL_NAME_LEN];
	struct spool_name got;
	spool_name_text(&segment, text);
	assert_string_equal(text, "000000000000004d.0000000000000005.1.seg");
	assert_true(spool_name_parse(&got, text));
	assert_int_equal(got.first.epoch, 77);
	assert_int_equal(got.first.seq, 5);
	assert_int_equal(got.class, SPOOL_RESULTS);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(spool_name_parse(&got, bad[i]));
}

static void any_flipped_bit_costs_one_record_at_most(void **state)
{
	(void)state;
	struct buf b = segment_make();
	assert_int_equal(scan(b.data, b.len), FRAMES);
	for (size_t bit = SPOOL_HEADER_LEN * 8; bit < b.len * 8; bit++) {
		b.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(scan(b.data, b.len), FRAMES - 1);
		b.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	buf_fini(&b);
}

static void any_flipped_bit_of_a_header_is_noticed(void **state)
{
	(void)state;
	struct buf b = segment_make();
	uint8_t got_agent[16];
	struct spool_name got;
	for (size_t bit = 0; bit < SPOOL_HEADER_LEN * 8; bit++) {
		b.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(
		    spool_header_read(b.data, b.len, got_agent, &got),
		    ERR_CORRUPT);
		b.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	assert_int_equal(spool_header_read(b.data, b.len, got_agent, &got), 0);
	assert_memory_equal(got_agent, agent, 16);
	buf_fini(&b);
}

static void a_cut_anywhere_keeps_the_whole_frames(void **state)
{
	(void)state;
	struct buf b = segment_make();
	for (size_t len = SPOOL_HEADER_LEN; len <= b.len; len++) {
		uint8_t *exact = xmemdup(b.data, len);
		assert_int_equal(
		    scan(exact, len), (len - SPOOL_HEADER_LEN) / FRAME);
		free(exact);
	}
	buf_fini(&b);
}

static void bytes_lost_or_added_between_cost_no_neighbour(void **state)
{
	(void)state;
	struct buf b = segment_make(), changed = { 0 };
	size_t third = SPOOL_HEADER_LEN + 2 * FRAME;
	for (size_t n = 1; n < FRAME; n++) {
		buf_clear(&changed);
		buf_bytes(&changed, b.data, third);
		buf_bytes(&changed, b.data + third + n, b.len - third - n);
		assert_int_equal(scan(changed.data, changed.len), FRAMES - 1);
		buf_clear(&changed);
		buf_bytes(&changed, b.data, third);
		memset(buf_extend(&changed, n), 0, n);
		buf_bytes(&changed, b.data + third, b.len - third);
		assert_int_equal(scan(changed.data, changed.len), FRAMES);
	}
	buf_fini(&changed);
	buf_fini(&b);
}

static void a_frame_inside_a_bad_payload_is_no_frame(void **state)
{
	(void)state;
	struct buf inner = { 0 }, b = { 0 };
	uint32_t seed = spool_seed(agent, 77);
	spool_frame_put(&inner, seed,
	    &(struct spool_frame){ SPOOL_ALERTS, 0, 6, { 1 }, { 2 },
		(const uint8_t *)"forged", 6 });
	spool_frame_put(&b, seed,
	    &(struct spool_frame){ SPOOL_RESULTS, 0, 5, { 1 }, { 2 },
		inner.data, (uint32_t)inner.len });
	b.data[b.len - 1] ^= 1;
	struct spool_scan s = spool_scan_init(b.data, b.len, 0, seed);
	struct spool_frame frame;
	assert_false(spool_scan_next(&s, &frame));
	buf_fini(&inner);
	buf_fini(&b);
}

static void frames_of_another_spool_do_not_check(void **state)
{
	(void)state;
	struct buf b = segment_make();
	struct spool_scan s = spool_scan_init(
	    b.data, b.len, SPOOL_HEADER_LEN, spool_seed(agent, 78));
	struct spool_frame frame;
	assert_false(spool_scan_next(&s, &frame));
	buf_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_say_place_and_class),
		cmocka_unit_test(any_flipped_bit_costs_one_record_at_most),
		cmocka_unit_test(any_flipped_bit_of_a_header_is_noticed),
		cmocka_unit_test(a_cut_anywhere_keeps_the_whole_frames),
		cmocka_unit_test(bytes_lost_or_added_between_cost_no_neighbour),
		cmocka_unit_test(a_frame_inside_a_bad_payload_is_no_frame),
		cmocka_unit_test(frames_of_another_spool_do_not_check),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
