/* SPDX-License-Identifier: ISC */
/* Retention. */
#pragma once

#include "collector/store/sqlite/store-private.h"

int store_expire(struct store *store, const struct store_keep *keep,
    struct store_expired *expired, struct errmsg *msg);
