/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#include "lib/base/timer.h"

/* The heap against a plain search. */
static void timers_go_off_in_order(void **state)
{
	(void)state;
	enum { COUNT = 400 };
	struct timers timers = { 0 };
	static struct timer all[COUNT];
	srand(5);
	for (int step = 0; step < 20000; step++) {
		struct timer *t = &all[rand() % COUNT];
		int what = rand() % 3;
		if (what < 2)
			timer_set(
			    &timers, t, (struct monotime){ rand() % 1000 });
		else
			timer_clear(&timers, t);
		const struct timer *least = NULL;
		for (int i = 0; i < COUNT; i++)
			if (all[i].place &&
			    (!least || all[i].at.ns < least->at.ns ||
				(all[i].at.ns == least->at.ns &&
				    all[i].order < least->order)))
				least = &all[i];
		assert_ptr_equal(timer_first(&timers), least);
	}
	timers_fini(&timers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(timers_go_off_in_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
