/* SPDX-License-Identifier: ISC */
/* Probes that never left their agent, summed by hour, reason and device. */
#pragma once

#include "collector/store/sqlite/rollup/gather-private.h"

int unsent_load(struct gather *gather, struct errmsg *msg);
void unsent_fini(struct gather *gather);
/* Of a trace or ping that has such (record->record). */
void unsent_add(struct gather *gather, struct gather_agent *agent,
    const struct prepared_record *record, int64_t at_ns);
int unsent_flush(struct gather *gather, struct errmsg *msg);
void unsent_clear(struct gathered *set);
