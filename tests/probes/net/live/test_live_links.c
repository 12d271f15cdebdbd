/* SPDX-License-Identifier: ISC */
/* Devices come, change and go in any order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "probes/net/live/live-links.h"

static void devices_come_change_and_go(void **state)
{
	(void)state;
	struct live_links links = { 0 };
	bool there[40] = { false };
	uint32_t mtu[40] = { 0 };
	srand(5);
	for (uint32_t i = 0; i < 2000; i++) {
		struct netlink_link l = { .index = 1 + (uint32_t)rand() % 39,
			.mtu = i,
			.gone = rand() % 3 == 0 };
		snprintf(l.name, sizeof(l.name), "eth%u", l.index);
		live_links_keep(&links, &l);
		there[l.index] = !l.gone;
		mtu[l.index] = i;
		size_t count = 0;
		for (uint32_t k = 1; k < 40; k++) {
			char name[16];
			const struct netlink_link *f =
			    live_links_find(&links, k);
			snprintf(name, sizeof(name), "eth%u", k);
			assert_ptr_equal(f, live_links_named(&links, name));
			assert_int_equal(f != NULL, there[k]);
			if (f)
				assert_int_equal(f->mtu, mtu[k]);
			count += there[k];
		}
		assert_int_equal(links.count, count);
	}
	live_links_clear(&links);
	assert_null(live_links_find(&links, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(devices_come_change_and_go),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
