/* SPDX-License-Identifier: ISC */
/* Waits that grow exponentially, bounded; pure, time and randomness come in. */
#include "lib/base/backoff.h"

int64_t backoff_next_ns(struct backoff *backoff, uint64_t random)
{
	int64_t ceiling = backoff->least_ns;
	for (unsigned i = 0; i < backoff->failures; i++) {
		if (ceiling >= backoff->most_ns / 2) {
			ceiling = backoff->most_ns;
			break;
		}
		ceiling *= 2;
	}
	backoff->failures++;
	return (int64_t)(random % ((uint64_t)ceiling + 1));
}

void backoff_reset(struct backoff *backoff)
{
	backoff->failures = 0;
}

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
