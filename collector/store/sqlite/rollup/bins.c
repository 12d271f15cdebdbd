/* SPDX-License-Identifier: ISC */
/* Where in time a record belongs. */
#include "collector/store/sqlite/rollup/bins.h"

/* A clock that runs ahead may not write into the future. */
#define AHEAD_MAX_NS (600 * NS_PER_S)

int64_t rollup_sane_ns(struct walltime received, int64_t wall_ns)
{
	return wall_ns < 0 || wall_ns > received.ns + AHEAD_MAX_NS ? received.ns
								   : wall_ns;
}

int64_t rollup_bin(int64_t ns, uint32_t bin_s)
{
	int64_t s = ns / NS_PER_S;
	return s - s % bin_s;
}
