/* SPDX-License-Identifier: ISC */
/* Numbers of agents, classes and paths. */
#pragma once

#include "collector/store/sqlite/rollup/gather-private.h"

int names_load(struct gather *gather, struct errmsg *msg);
void names_fini(struct gather *gather);
struct gather_agent *names_agent(
    struct gather *gather, const struct prepared_batch *batch);
/* The class's id. */
uint32_t names_class(struct gather *gather, struct gather_agent *agent,
    const char *verdict, const char *signature);
/* Of another database: the id of the class that its numbers were added to. */
uint32_t names_import(
    struct gather *gather, const struct class_name *like, uint64_t sources);
/* The path's id; 0: the agent has too many. */
uint32_t names_path(struct gather *gather, struct gather_agent *agent,
    const struct prepared_record *record, int64_t at_ns);
/* What changed since the last time, into the set; under both locks or alone. */
void names_freeze(struct gather *gather, struct gathered *set);
int names_flush(struct gather *gather, struct errmsg *msg);
void names_flushed(struct gather *gather);
/* Forgets paths whose last day is before `day`; the next flush deletes them. */
void names_expire(struct gather *gather, int64_t day);
void names_clear(struct gathered *set);
