/* SPDX-License-Identifier: ISC */
/* The filters of the roles from their lists of calls, for the build and for the
 * test of what was built. */
#pragma once

#include "probes/sandbox/layers.h"

/* Writes the filter of a role, in the kernel's form (struct sock_filter), to a
 * descriptor.  0 or a negative errno. */
int seccomp_rules_write(enum sandbox_role role, int fd);
/* How many system calls the role may make: kept small, and tested. */
unsigned seccomp_count(enum sandbox_role role);
