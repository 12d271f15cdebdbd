/* SPDX-License-Identifier: ISC */
/* Appends keep what is there, and seldom move it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <malloc.h>
#include <stdlib.h>

#include "lib/base/vec.h"

static void items_stay_as_it_grows(void **state)
{
	uint32_t *items = NULL;
	size_t count = 0;
	(void)state;
	for (uint32_t i = 0; i < 10000; i++) {
		VEC_ROOM(items, count);
		assert_true(
		    malloc_usable_size(items) >= (count + 1) * sizeof(*items));
		items[count++] = i;
	}
	for (uint32_t i = 0; i < 10000; i++)
		assert_int_equal(items[i], i);
	free(items);
}

static void there_is_room_after_the_count_fell(void **state)
{
	uint64_t *items = NULL;
	size_t count = 0;
	(void)state;
	for (unsigned step = 0; step < 2000; step++) {
		if (step % 7 == 6) {
			count -= count / 3;
			continue;
		}
		VEC_ROOM(items, count);
		assert_true(
		    malloc_usable_size(items) >= (count + 1) * sizeof(*items));
		items[count] = count;
		count++;
		for (size_t i = 0; i < count; i += 1 + count / 8)
			assert_int_equal(items[i], i);
	}
	free(items);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(items_stay_as_it_grows),
		cmocka_unit_test(there_is_room_after_the_count_fell),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
