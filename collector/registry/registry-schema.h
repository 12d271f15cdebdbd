/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/sqlite/db-schema.h"

/* Events of an older program -> their type of this one. */
#define REGISTRY_RENAME_EVENTS                                             \
	"UPDATE events SET type = 'gap', data = json_set(data, '$.type', " \
	"'gap')"                                                           \
	" WHERE type = 'loss';"

extern const struct db_schema registry_schema;
