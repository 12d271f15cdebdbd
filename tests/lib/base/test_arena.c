/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "lib/base/arena.h"

static void what_is_given_is_aligned_and_apart(void **state)
{
	(void)state;
	enum { COUNT = 4000 };
	static uint8_t *given[COUNT];
	struct arena arena = { 0 };
	for (size_t i = 0; i < COUNT; i++) {
		given[i] = arena_alloc(&arena, i % 97);
		assert_int_equal((uintptr_t)given[i] % sizeof(long double), 0);
		memset(given[i], (int)(i % 251), i % 97);
	}
	for (size_t i = 0; i < COUNT; i++)
		for (size_t k = 0; k < i % 97; k++)
			assert_int_equal(given[i][k], i % 251);
	assert_true(arena.bytes >= COUNT * 48 - 97 * 48);
	arena_fini(&arena);
	assert_int_equal(arena.bytes, 0);
}

static void a_large_piece_has_a_chunk_of_its_own(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	char *small = arena_alloc(&arena, 10);
	memset(arena_alloc(&arena, 1 << 20), 1, 1 << 20);
	memset(small, 2, 10);
	arena_fini(&arena);
}

static void a_reset_takes_back_what_came_after_the_mark(void **state)
{
	(void)state;
	static const size_t sizes[] = { 0, 100, 70000, 300000 };
	struct arena arena = { 0 };
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		char *kept = NULL;
		if (sizes[i])
			kept =
			    memset(arena_alloc(&arena, sizes[i]), 7, sizes[i]);
		struct arena_mark mark = arena_mark(&arena);
		void *first = arena_alloc(&arena, 50);
		for (int k = 0; k < 100; k++)
			memset(arena_alloc(&arena, 5000), 9, 5000);
		arena_reset(&arena, mark);
		assert_int_equal(arena.bytes, mark.bytes);
		assert_true(!sizes[i] || kept[sizes[i] - 1] == 7);
		if (sizes[i] == 100)
			assert_ptr_equal(arena_alloc(&arena, 50), first);
	}
	arena_fini(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_given_is_aligned_and_apart),
		cmocka_unit_test(a_large_piece_has_a_chunk_of_its_own),
		cmocka_unit_test(a_reset_takes_back_what_came_after_the_mark),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
