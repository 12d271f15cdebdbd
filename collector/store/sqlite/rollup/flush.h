/* SPDX-License-Identifier: ISC */
/* Sets of what is gathered, and their way to the disk. */
#pragma once

#include "collector/store/sqlite/rollup/gather-private.h"

struct gathered *gathered_new(void);
void gathered_free(struct gathered *set);
/* Under lock: the set may be written, none is being written, so it is frozen
 * and another begun. */
bool gather_freeze(struct gather *gather);
/* When a reader wants to see the newest. */
int gather_freshen(struct gather *gather, struct errmsg *msg);
