/* SPDX-License-Identifier: ISC */
/* A handle finds its item, and nobody else's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/base/handles.h"

static void a_late_handle_finds_nothing(void **state)
{
	struct handles h;
	int a, b;
	(void)state;
	handles_init(&h, 4);
	uint32_t first = handles_add(&h, &a);
	assert_ptr_equal(handles_find(&h, first), &a);
	handles_remove(&h, first);
	assert_null(handles_find(&h, first));
	uint32_t second = handles_add(&h, &b);
	assert_int_equal(second & 15, first & 15); /* the same place */
	assert_int_not_equal(second, first);
	assert_ptr_equal(handles_find(&h, second), &b);
	assert_null(handles_find(&h, first));
	handles_fini(&h);
}

static void every_place_is_used_and_used_again(void **state)
{
	struct handles h;
	uint32_t handles[16];
	int items[16];
	(void)state;
	handles_init(&h, 4);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 16; i++) {
			assert_int_equal(handles_room(&h), 16 - i);
			handles[i] = handles_add(&h, &items[i]);
		}
		assert_int_equal(handles_room(&h), 0);
		for (int i = 0; i < 16; i++)
			assert_ptr_equal(
			    handles_find(&h, handles[i]), &items[i]);
		for (int i = 0; i < 16; i++)
			handles_remove(&h, handles[(i * 7) % 16]);
		assert_int_equal(h.count, 0);
	}
	handles_fini(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_late_handle_finds_nothing),
		cmocka_unit_test(every_place_is_used_and_used_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
