/* SPDX-License-Identifier: ISC */
/*
 * What no retry fixes: the database's files were taken away under us, or
 * their content is damaged.  The first such finding is logged and kept until
 * the process ends; from then on nothing is written and nothing is read, for
 * an answer would be acknowledged into a file that no one can open again.
 */
#pragma once

#include <stdbool.h>

#include "lib/base/err.h"

struct collector;

/* True when there is a fault; *msg (may be NULL) names it.  Cheap. */
bool collector_fault(struct collector *collector, struct errmsg *msg);

/* Keeps this as the fault unless there is one already. */
void fault_note(struct collector *collector, const struct errmsg *msg);

/* In the writer's thread: looks at the store's files and at what it met.
 * ERR_UNAVAILABLE when there is a fault. */
int fault_check(struct collector *collector, struct errmsg *msg);
