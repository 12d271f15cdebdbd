/* SPDX-License-Identifier: ISC */
/* Takes over one file of schema 4; nothing to do when there is none. */
#pragma once

#include "collector/store/sqlite/store-private.h"

int store_migrate(struct store *store, struct errmsg *msg);
int store_write_stub(const char *dir, struct errmsg *msg);
bool store_has_old_file(const char *dir);
