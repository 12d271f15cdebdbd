/* SPDX-License-Identifier: ISC */
/*
 * The hosts of the monitored network.  What they send is not held against them,
 * and what others send in answer to it is no backscatter.  A local host that a
 * worm has taken is for other sensors to see; here its packets are only
 * counted.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/addr.h"

struct local_hosts;
/* prefixes are copied; count may be 0. */
struct local_hosts *local_hosts_new(
    const struct prefix *prefixes, size_t count);
void local_hosts_free(struct local_hosts *local);
bool local_hosts_has(const struct local_hosts *local, const struct addr *a);
