/* SPDX-License-Identifier: ISC */
/* The newest partition: opened, bounded, followed by the next. */
#pragma once

#include "collector/store/sqlite/store-private.h"

struct partition *store_newest(const struct store *store);
uint64_t store_newest_bytes(struct store *store);
/* What config->max_bytes leaves for the newest one. */
int store_bound_size(struct store *store, struct errmsg *msg);
int store_open_writer(struct store *store, struct errmsg *msg);
void store_close_writer(struct store *store);
/* Rolls over to a new partition now; or when it is time for what arrives. */
int store_roll(struct store *store, struct errmsg *msg);
void store_roll_when_due(struct store *store, int64_t received_ns);
