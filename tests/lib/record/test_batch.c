/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "lib/record/batch.h"

enum { HEADER = 156, SIGNED = 92 };

static uint8_t public_key[32], secret_key[64];
static struct buf raw, sealed;
static struct batch_header header;

static int setup(void **state)
{
	(void)state;
	uint8_t seed[32] = {1};
	assert_true(sodium_init() >= 0);
	crypto_sign_seed_keypair(public_key, secret_key, seed);
	buf_clear(&raw);
	buf_clear(&sealed);
	for (uint32_t i = 0; i < 3; i++) {
		buf_be32(&raw, 5);
		buf_bytes(&raw, "hello", 5);
	}
	header = (struct batch_header){.agent = {7}, .epoch = 2,
	    .gap_from = 90, .first_seq = 100, .count = 3};
	return batch_seal(
	    &sealed, &header, raw.data, raw.len, secret_key, NULL);
}

static int teardown(void **state)
{
	(void)state;
	buf_fini(&raw);
	buf_fini(&sealed);
	return 0;
}

/* Signs the header again after a change, as a lying agent could. */
static void resign(void)
{
	crypto_sign_detached(
	    sealed.data + SIGNED, NULL, sealed.data, SIGNED, secret_key);
}

static int reopen(struct buf *out, struct errmsg *msg)
{
	struct batch_header h;
	int err = batch_header_read(&h, sealed.data, sealed.len, msg);
	if (err)
		return err;
	return batch_open(
	    &h, sealed.data, sealed.len, public_key, out, msg);
}

static void a_batch_opens_to_what_was_sealed(void **state)
{
	(void)state;
	struct batch_header h;
	struct buf out = {0};
	assert_int_equal(
	    batch_header_read(&h, sealed.data, sealed.len, NULL), 0);
	assert_int_equal(h.agent[0], 7);
	assert_int_equal(h.epoch, 2);
	assert_int_equal(h.gap_from, 90);
	assert_int_equal(h.first_seq, 100);
	assert_int_equal(h.count, 3);
	assert_int_equal(h.raw_len, raw.len);
	assert_int_equal(batch_open(
	    &h, sealed.data, sealed.len, public_key, &out, NULL), 0);
	assert_int_equal(out.len, raw.len);
	assert_memory_equal(out.data, raw.data, raw.len);
	buf_fini(&out);
}

static void the_header_lies_where_the_contract_says(void **state)
{
	(void)state;
	static const uint8_t start[] = {
	    'S', 'N', 'D', 'B', 1, 1, 0, 0,
	    7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	    0, 0, 0, 0, 0, 0, 0, 2,
	    0, 0, 0, 0, 0, 0, 0, 100,
	    0, 0, 0, 0, 0, 0, 0, 90,
	    0, 0, 0, 3,
	    0, 0, 0, 27,
	};
	assert_memory_equal(sealed.data, start, sizeof(start));
}

/* zstd has bits that it does not read: those may change if what comes out is
 * what was sealed. */
static void any_flipped_bit_is_noticed_or_changes_nothing(void **state)
{
	(void)state;
	struct buf out = {0};
	for (size_t bit = 0; bit < sealed.len * 8; bit++) {
		sealed.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		int err = reopen(&out, NULL);
		assert_true(err != 0 || bit >= HEADER * 8);
		assert_int_equal(out.len, err ? 0 : raw.len);
		if (!err)
			assert_memory_equal(out.data, raw.data, raw.len);
		buf_clear(&out);
		sealed.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	assert_int_equal(reopen(&out, NULL), 0);
	buf_fini(&out);
}

static void any_truncation_is_noticed(void **state)
{
	(void)state;
	struct batch_header h;
	for (size_t len = 0; len < sealed.len; len++)
		assert_int_equal(
		    batch_header_read(&h, sealed.data, len, NULL),
		    ERR_TRUNCATED);
	buf_u8(&sealed, 0);
	assert_int_equal(batch_header_read(&h, sealed.data, sealed.len, NULL),
	    ERR_MALFORMED);
}

static void another_key_does_not_open_it(void **state)
{
	(void)state;
	uint8_t other[32], secret[64], seed[32] = {2};
	struct batch_header h;
	struct buf out = {0};
	crypto_sign_seed_keypair(other, secret, seed);
	assert_int_equal(
	    batch_header_read(&h, sealed.data, sealed.len, NULL), 0);
	assert_int_equal(batch_open(
	    &h, sealed.data, sealed.len, other, &out, NULL), ERR_SIGNATURE);
	buf_fini(&out);
}

static void a_bomb_is_a_limit(void **state)
{
	(void)state;
	struct buf out = {0}, zeros = {0}, packed = {0};
	memset(buf_extend(&zeros, 4 << 20), 0, 4 << 20);
	size_t bound = ZSTD_compressBound(zeros.len);
	size_t n = ZSTD_compress(
	    buf_extend(&packed, bound), bound, zeros.data, zeros.len, 3);
	/* Swap the small payload for a frame that grows to 4 MiB. */
	sealed.len = HEADER;
	buf_bytes(&sealed, packed.data, n);
	for (int i = 0; i < 4; i++)
		sealed.data[56 + i] = (uint8_t)(n >> (24 - 8 * i));
	resign();
	assert_int_equal(reopen(&out, NULL), ERR_LIMIT);
	buf_fini(&packed);
	buf_fini(&zeros);
	buf_fini(&out);
}

static void a_count_that_does_not_fit_is_malformed(void **state)
{
	(void)state;
	struct buf out = {0};
	struct errmsg msg;
	for (uint8_t count = 2; count <= 4; count += 2) {
		sealed.data[51] = count;
		resign();
		assert_int_equal(reopen(&out, &msg), ERR_MALFORMED);
	}
	header.count = 4;
	assert_int_equal(batch_seal(&sealed, &header, raw.data, raw.len,
	    secret_key, &msg), ERR_MALFORMED);
	buf_fini(&out);
}

static void impossible_numbers_are_refused(void **state)
{
	(void)state;
	struct batch_header h = header;
	h.gap_from = 101;
	assert_int_equal(batch_seal(&sealed, &h, raw.data, raw.len,
	    secret_key, NULL), ERR_MALFORMED);
	h = header;
	h.gap_from = 0;
	assert_int_equal(batch_seal(&sealed, &h, raw.data, raw.len,
	    secret_key, NULL), ERR_MALFORMED);
	h = header;
	h.count = 0;
	assert_int_equal(
	    batch_seal(&sealed, &h, NULL, 0, secret_key, NULL), ERR_MALFORMED);
	h = header;
	h.first_seq = UINT64_MAX;
	assert_int_equal(batch_seal(&sealed, &h, raw.data, raw.len,
	    secret_key, NULL), ERR_MALFORMED);
}

#define with_batch(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    with_batch(a_batch_opens_to_what_was_sealed),
	    with_batch(the_header_lies_where_the_contract_says),
	    with_batch(any_flipped_bit_is_noticed_or_changes_nothing),
	    with_batch(any_truncation_is_noticed),
	    with_batch(another_key_does_not_open_it),
	    with_batch(a_bomb_is_a_limit),
	    with_batch(a_count_that_does_not_fit_is_malformed),
	    with_batch(impossible_numbers_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
