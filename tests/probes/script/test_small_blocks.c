/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "probes/script/small-blocks.h"

enum { COUNT = 2000 };
static struct {
	uint8_t *at;
	size_t size;
	uint8_t mark;
} blocks[COUNT];

static void check(size_t i)
{
	for (size_t k = 0; k < blocks[i].size; k++)
		assert_int_equal(blocks[i].at[k], blocks[i].mark);
}

/* Blocks of all sizes come, change and go; none touches another. */
static void blocks_keep_what_is_in_them(void **state)
{
	(void)state;
	struct small_blocks b = { 0 };
	srand(5);
	for (int turn = 0; turn < 200000; turn++) {
		size_t i = (size_t)rand() % COUNT, old = blocks[i].size;
		size_t size = rand() % 4 == 0 ? 0 : (size_t)rand() % 700;
		size_t kept = old < size ? old : size;
		blocks[i].at = small_block_resize(&b, blocks[i].at, old, size);
		blocks[i].size = size;
		if (size == 0) {
			assert_null(blocks[i].at);
			continue;
		}
		assert_int_equal((uintptr_t)blocks[i].at % 16, 0);
		for (size_t k = 0; k < kept; k++)
			assert_int_equal(blocks[i].at[k], blocks[i].mark);
		blocks[i].mark = (uint8_t)rand();
		memset(blocks[i].at, blocks[i].mark, size);
		check((size_t)rand() % COUNT);
	}
	for (size_t i = 0; i < COUNT; i++) {
		check(i);
		assert_null(
		    small_block_resize(&b, blocks[i].at, blocks[i].size, 0));
	}
	small_blocks_fini(&b);
}

/* A block that was given back is the next of its size. */
static void memory_is_used_again(void **state)
{
	(void)state;
	struct small_blocks b = { 0 };
	void *first = small_block_resize(&b, NULL, 0, 40);
	assert_null(small_block_resize(&b, first, 40, 0));
	assert_ptr_equal(small_block_resize(&b, NULL, 0, 33), first);
	assert_ptr_not_equal(small_block_resize(&b, NULL, 0, 33), first);
	small_blocks_fini(&b);
}

/* More than the region holds. */
static void a_full_region_is_no_end(void **state)
{
	(void)state;
	enum { MANY = 150000, SIZE = 512 };
	struct small_blocks b = { 0 };
	void **all = calloc(MANY, sizeof(*all));
	for (size_t i = 0; i < MANY; i++) {
		all[i] = small_block_resize(&b, NULL, 0, SIZE);
		assert_non_null(all[i]);
		memcpy(all[i], &i, sizeof(i));
	}
	for (size_t i = 0; i < MANY; i++) {
		assert_memory_equal(all[i], &i, sizeof(i));
		small_block_resize(&b, all[i], SIZE, 0);
	}
	free(all);
	small_blocks_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_keep_what_is_in_them),
		cmocka_unit_test(memory_is_used_again),
		cmocka_unit_test(a_full_region_is_no_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
