/* SPDX-License-Identifier: ISC */
/* Exponential, bounded, with a budget. */
#include "lib/base/restart.h"

bool restart_plan(struct restart *restart, struct monotime since,
    struct monotime now, struct monotime *at)
{
	if (monotime_diff(now, since) >= RESTART_CLEAN_NS)
		restart->crashes = 0;
	if (restart->crashes >= restart->budget) {
		restart->failed = true;
		return false;
	}
	int64_t wait = restart->least_ns;
	for (unsigned i = 0; i < restart->crashes && wait < RESTART_MOST_NS;
	     i++)
		wait *= 2;
	restart->crashes++;
	*at =
	    monotime_add(now, wait < RESTART_MOST_NS ? wait : RESTART_MOST_NS);
	return true;
}
