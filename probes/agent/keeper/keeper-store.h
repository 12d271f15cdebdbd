/* SPDX-License-Identifier: ISC */
/* Into the spool, and who hears of it; the keeper's own. */
#pragma once

#include "probes/agent/keeper/keeper-state.h"

/* A record that `received` counts already. */
void keeper_append(struct keeper *k, enum spool_class class,
    const uint8_t *record, size_t len);
/* A record of the keeper's own. */
void keeper_append_own(
    struct keeper *k, enum spool_class class, const struct buf *record);
void keeper_append_gap(struct keeper *k, const Sonde__Gap *gap);
void keeper_append_log(
    struct keeper *k, uint32_t level, const char *process, const char *text);
/* about: the run that it is of, or NULL. */
void keeper_append_run_log(struct keeper *k, uint32_t level,
    const char *process, const char *text, const struct producer_grant *about);
/* What could not be appended, as one gap. */
void keeper_declare_unnumbered(struct keeper *k, const char *reason);
void keeper_count_spool(struct keeper *k);
/* A record that has no place: counted as dropped, declared as lost. */
void keeper_drop_record(struct keeper *k);
/* Sends the shipper how far it may go. */
void keeper_send_mark(struct keeper *k);
/* All that was appended is stored, or the error is logged and it is tried
 * again later. */
int keeper_sync(struct keeper *k, struct errmsg *msg);
