/* SPDX-License-Identifier: ISC */
/* Runs, payloads, gaps, heartbeats. */
#pragma once

#include "collector/store/sqlite/rollup/gather-private.h"

int runs_load(struct gather *gather, struct errmsg *msg);
void runs_fini(struct gather *gather);
void runs_add(struct gather *gather, struct gather_agent *agent,
    const struct prepared_record *record, int64_t at_ns);
void runs_add_payload(struct gather *gather, struct gather_agent *agent,
    const struct prepared_record *record, int64_t at_ns);
void runs_add_gap(struct gather *gather, struct gather_agent *agent,
    const struct prepared_record *record, int64_t at_ns);
void runs_add_coverage(struct gather *gather, struct gather_agent *agent,
    const Sonde__Coverage *span, int64_t at_ns);
void runs_add_heartbeat(struct gather *gather, struct gather_agent *agent,
    const struct prepared_record *record, int64_t at_ns);
int runs_flush(struct gather *gather, struct errmsg *msg);
void runs_clear(struct gathered *set);
