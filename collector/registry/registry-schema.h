/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/sqlite/db-schema.h"

extern const struct db_schema registry_schema;
