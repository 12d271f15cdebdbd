/* SPDX-License-Identifier: ISC */
#pragma once

#include "collector/collector.h"

/* True when a database of this folder has been answered from. */
bool collector_has_past(const struct collector *collector);

/* Tells whether the database is the one that we last answered from: one that
 * is older, or from another place, gets a new generation.  Before the writer
 * starts. */
int collector_check_generation(struct collector *collector, struct errmsg *msg);
