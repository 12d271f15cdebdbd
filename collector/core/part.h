/* SPDX-License-Identifier: ISC */
/*
 * A part of the collector: a const struct that ends its file, and one line in
 * collector.c, which opens the parts in the order of that list and closes
 * them in the other.  What a part keeps between calls hangs in struct
 * collector (core/private.h).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"

struct collector;

struct part {
	const char *name;
	/* NULL: nothing to open. */
	int (*open)(struct collector *collector, struct errmsg *msg);
	/* Also called after an open that failed or never came. */
	void (*close)(struct collector *collector);
	/* A chore, at most once a period; not while there is a fault
	 * (core/fault.h).  In the writer's thread between two transactions,
	 * where it must be short because batches wait for it; or beside it
	 * (core/upkeep.h), where it may not touch the registry. */
	int64_t period_ns;
	void (*run)(struct collector *collector);
	bool beside;
};
