/* SPDX-License-Identifier: ISC */
/* The one file that the store was up to schema 4. */
#pragma once

#include "lib/sqlite/db-schema.h"

extern const struct db_schema store_schema;
