/* SPDX-License-Identifier: ISC */
/* Known values, which recorded simulations depend on, and avalanche. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/base/hash.h"

/* Of draft-eastlake-fnv, section 9. */
static void fnv_has_its_published_values(void **state)
{
	(void)state;
	assert_true(
	    hash_fnv(HASH_FNV_START, "", 0) == UINT64_C(0xcbf29ce484222325));
	assert_true(
	    hash_fnv(HASH_FNV_START, "a", 1) == UINT64_C(0xaf63dc4c8601ec8c));
	assert_true(hash_fnv_text(HASH_FNV_START, "foobar") ==
	    UINT64_C(0x85944171f73967e8));
}

typedef uint64_t one_fn(uint64_t x);

static uint64_t mix_low(uint64_t x)
{
	return hash_mix(x, 7);
}
static uint64_t mix_high(uint64_t x)
{
	return hash_mix(7, x);
}

/* On average a bit of the input changes half of the output's, give or take
 * what chance does in 64 * 64 * 200 trials (20 standard deviations). */
static void every_bit_spreads(void **state)
{
	static one_fn *const fns[] = { hash_finish, mix_low, mix_high };
	(void)state;
	for (size_t f = 0; f < sizeof(fns) / sizeof(*fns); f++) {
		uint64_t flips = 0, x = 1;
		for (int i = 0; i < 200; i++) {
			x = x * 6364136223846793005u + 1442695040888963407u;
			for (int bit = 0; bit < 64; bit++)
				flips += (uint64_t)__builtin_popcountll(
				    fns[f](x) ^ fns[f](x ^ UINT64_C(1) << bit));
		}
		double share = (double)flips / (64.0 * 64 * 200);
		assert_true(share > 0.49 && share < 0.51);
	}
}

static void fold_depends_on_both(void **state)
{
	(void)state;
	assert_true(hash_fold(3, 5) == 15);
	assert_true(
	    hash_fold(UINT64_MAX, UINT64_MAX) == (1 ^ (UINT64_MAX - 1)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fnv_has_its_published_values),
		cmocka_unit_test(every_bit_spreads),
		cmocka_unit_test(fold_depends_on_both),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
