/* SPDX-License-Identifier: ISC */
/*
 * The policy as text, sonde-policy(5).  The process that starts a guardian
 * reads it here, while there are files; the guardian itself knows only the
 * struct.
 */
#pragma once

#include "lib/base/err.h"
#include "probes/policy/policy.h"

/* The defaults; then policy_load replaces what the file
 * (lib/option/config-file.h) says. policy_fini frees the list and leaves an
 * empty struct. */
void policy_init(struct policy *policy);
int policy_load(struct policy *policy, const char *path, struct errmsg *msg);
void policy_fini(struct policy *policy);
