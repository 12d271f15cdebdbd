/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/base/xalloc.h"
#include "probes/sensor/payload-store.h"

static void note(struct payloads *p, const char *text, uint8_t *hash)
{
	/* An exact copy, so that reading past the end is seen. */
	uint8_t *copy = xmemdup(text, strlen(text));
	payloads_note(p, copy, strlen(text), strlen(text) + 1, hash);
	free(copy);
}

static void the_hash_is_blake2b_128(void **state)
{
	(void)state;
	/* b2sum -l 128 of "abc" */
	static const uint8_t want[] = { 0xcf, 0x4a, 0xb7, 0x91, 0xc6, 0x2b,
		0x8d, 0x2b, 0x21, 0x09, 0xc9, 0x02, 0x75, 0x28, 0x78, 0x16 };
	uint8_t hash[PAYLOAD_HASH_LEN];
	struct payloads *p = payloads_new(4, 1000, 1);
	note(p, "abc", hash);
	assert_memory_equal(hash, want, sizeof(want));
	memset(hash, 0, sizeof(hash));
	note(p, "abc", hash); /* the one that is known */
	assert_memory_equal(hash, want, sizeof(want));
	payloads_free(p);
}

static void each_is_kept_and_given_once(void **state)
{
	(void)state;
	uint8_t hash[PAYLOAD_HASH_LEN];
	struct payloads *p = payloads_new(4, 1000, 7);
	note(p, "one", hash);
	note(p, "two", hash);
	note(p, "one", hash);
	const struct payload *got = payloads_next_new(p);
	assert_int_equal(got->len, 3);
	assert_int_equal(got->wire_len, 4);
	assert_memory_equal(got->octets, "one", 3);
	got = payloads_next_new(p);
	assert_memory_equal(got->octets, "two", 3);
	assert_null(payloads_next_new(p));
	note(p, "two", hash);
	assert_null(payloads_next_new(p));
	note(p, "three", hash);
	assert_non_null(payloads_next_new(p));
	assert_int_equal(payloads_stats(p).count, 3);
	payloads_free(p);
}

static void number_and_octets_are_bounded_and_the_loss_is_counted(void **state)
{
	(void)state;
	uint8_t hash[PAYLOAD_HASH_LEN];
	char text[16];
	struct payloads *p = payloads_new(8, 20, 7);
	for (int i = 0; i < 1000; i++) {
		snprintf(text, sizeof(text), "%05d", i);
		note(p, text, hash);
		assert_in_range(payloads_stats(p).count, 1, 8);
		assert_in_range(payloads_stats(p).bytes, 5, 20);
	}
	assert_int_equal(payloads_stats(p).distinct, 1000);
	assert_int_equal(payloads_stats(p).unreported, 996);
	int given = 0;
	while (payloads_next_new(p))
		given++;
	assert_int_equal(given, 4);
	note(p, "longer than all octets that may be kept", hash);
	assert_int_equal(payloads_stats(p).unreported, 997);
	assert_null(payloads_next_new(p));
	payloads_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_hash_is_blake2b_128),
		cmocka_unit_test(each_is_kept_and_given_once),
		cmocka_unit_test(
		    number_and_octets_are_bounded_and_the_loss_is_counted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
