/* SPDX-License-Identifier: ISC */
/* Results and schemas as JSON.  A row is an object by column names; a time has
 * a twin without _ns in RFC 3339; absent is null. */
#pragma once

#include "lib/record/result.h"

struct json_t;
struct json_t *result_row_json(
    const struct result_table *table, const Sonde__Result *row);
struct json_t *result_value_json(const Sonde__Value *value);
/* One line of "sonde-result/1": the record's wall time, campaign and run,
 * script, table, hash and row. */
struct json_t *result_to_json(
    const struct result_schema *schema, const Sonde__Record *record);
/* {"name", "help", "columns": [...]} */
struct json_t *result_table_json(const struct result_table *table);
/* {"hash", "script", "tables": [{"name", "help", "columns": [...]}]}; what it
 * makes record_from_json reads as the body of a result_schema record. */
struct json_t *result_schema_json(const struct result_schema *schema);
