/* SPDX-License-Identifier: ISC */
/* A handle finds its item, and nobody else's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "lib/base/handles.h"

static void a_late_handle_finds_nothing(void **state)
{
	struct handles h;
	uint32_t kept, first, second;
	(void)state;
	handles_init(&h, 4, sizeof(int));
	void *item = handles_add(&h, &kept);
	handles_add(&h, &first);
	handles_remove(&h, first);
	assert_null(handles_find(&h, first));
	void *again = handles_add(&h, &second);
	assert_int_equal(second & 15, first & 15); /* the same place */
	assert_int_not_equal(second, first);
	assert_ptr_equal(handles_find(&h, second), again);
	assert_null(handles_find(&h, first));
	assert_ptr_equal(handles_find(&h, kept), item);
	handles_fini(&h);
}

/* Also where its memory was another's before, and when that was given back
 * because there was none left. */
static void an_item_begins_with_zeros(void **state)
{
	static const uint8_t zeros[100];
	struct handles h;
	uint32_t handle, other;
	(void)state;
	handles_init(&h, 7, sizeof(zeros));
	for (int round = 0; round < 4; round++) {
		uint8_t *item = handles_add(&h, &handle);
		assert_memory_equal(item, zeros, sizeof(zeros));
		memset(item, 0xff, sizeof(zeros));
		if (round % 2 == 0)
			handles_add(&h, &other);
		handles_remove(&h, handle);
		if (round % 2 == 1)
			handles_remove(&h, other);
	}
	assert_int_equal(h.count, 0);
	handles_fini(&h);
}

/* More than lie in one slab, whose memory is given back after each round. */
static void every_place_is_used_and_used_again(void **state)
{
	enum { COUNT = 128 };
	static const uint8_t zeros[24];
	struct handles h;
	uint32_t handles[COUNT];
	uint8_t *items[COUNT];
	(void)state;
	handles_init(&h, 7, sizeof(zeros));
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < COUNT; i++) {
			assert_int_equal(handles_room(&h), COUNT - i);
			items[i] = handles_add(&h, &handles[i]);
			assert_memory_equal(items[i], zeros, sizeof(zeros));
			memset(items[i], i, sizeof(zeros));
		}
		assert_int_equal(handles_room(&h), 0);
		for (int i = 0; i < COUNT; i++) {
			assert_ptr_equal(
			    handles_find(&h, handles[i]), items[i]);
			assert_int_equal(items[i][0], i);
			assert_int_equal(items[i][sizeof(zeros) - 1], i);
		}
		for (int i = 0; i < COUNT; i++)
			handles_remove(&h, handles[(i * 7) % COUNT]);
		assert_int_equal(h.count, 0);
		for (int i = 0; i < COUNT; i++)
			assert_null(handles_find(&h, handles[i]));
	}
	handles_fini(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_late_handle_finds_nothing),
		cmocka_unit_test(an_item_begins_with_zeros),
		cmocka_unit_test(every_place_is_used_and_used_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
