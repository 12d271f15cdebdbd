/* SPDX-License-Identifier: ISC */
/* Exponential backoff with full jitter; pure, randomness comes in. */
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
