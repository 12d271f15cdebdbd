/* SPDX-License-Identifier: ISC */
#pragma once

#include <stdint.h>

#include "lib/base/clock.h"

/* A record's wall time, unless its clock ran ahead of its arrival: then the
 * arrival. */
int64_t rollup_sane_ns(struct walltime received, int64_t wall_ns);
/* The start, in seconds, of the bin that holds a time. */
int64_t rollup_bin(int64_t ns, uint32_t bin_s);
