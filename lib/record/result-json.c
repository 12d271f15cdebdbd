/* SPDX-License-Identifier: ISC */
/*
 * Rows of results as JSON.  Names and types come from the schema: integers,
 * times and durations are JSON integers (nanoseconds), numbers and rates
 * reals, addresses and prefixes texts, octets hex, lists arrays.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/addr.h"
#include "lib/base/clock.h"
#include "lib/base/xalloc.h"
#include "lib/record/result-json.h"
#include "lib/record/result-row.h"
#include "lib/record/result.h"

static json_t *octets_json(const ProtobufCBinaryData *octets)
{
	char *text = xmalloc(2 * octets->len + 1);
	text[0] = '\0';
	for (size_t i = 0; i < octets->len; i++)
		snprintf(text + 2 * i, 3, "%02x", octets->data[i]);
	json_t *json = json_string(text);
	free(text);
	return json;
}

static json_t *address_json(const ProtobufCBinaryData *octets)
{
	char text[ADDR_TEXT_LEN];
	struct addr a = addr_from_bytes(octets->data, octets->len);
	return a.family ? json_string(addr_text(&a, text)) : json_null();
}

static json_t *prefix_json(const ProtobufCBinaryData *octets)
{
	char text[PREFIX_TEXT_LEN];
	if (octets->len < 1)
		return json_null();
	struct prefix p = { addr_from_bytes(octets->data, octets->len - 1),
		octets->data[octets->len - 1] };
	return p.addr.family ? json_string(prefix_text(&p, text)) : json_null();
}

static json_t *or_null(json_t *json)
{
	return json ? json : json_null();
}

json_t *result_value_json(const Sonde__Value *value)
{
	if (!value)
		return json_null();
	switch (value->value_case) {
	case SONDE__VALUE__VALUE_INTEGER: return json_integer(value->integer);
	case SONDE__VALUE__VALUE_NUMBER:
		return or_null(json_real(value->number));
	case SONDE__VALUE__VALUE_BOOLEAN: return json_boolean(value->boolean);
	case SONDE__VALUE__VALUE_TEXT: return or_null(json_string(value->text));
	case SONDE__VALUE__VALUE_ADDRESS: return address_json(&value->address);
	case SONDE__VALUE__VALUE_PREFIX: return prefix_json(&value->prefix);
	case SONDE__VALUE__VALUE_OCTETS: return octets_json(&value->octets);
	case SONDE__VALUE__VALUE_TIME_NS: return json_integer(value->time_ns);
	case SONDE__VALUE__VALUE_DURATION_NS:
		return json_integer(value->duration_ns);
	case SONDE__VALUE__VALUE_RATE: return or_null(json_real(value->rate));
	case SONDE__VALUE__VALUE__NOT_SET:
	case _SONDE__VALUE__VALUE__CASE_IS_INT_SIZE: break;
	}
	return json_null();
}

static void set_time_text(
    json_t *object, const char *name, const Sonde__Value *value)
{
	char key[RESULT_NAME_MAX + 1], text[WALLTIME_TEXT_LEN];
	snprintf(key, sizeof(key), "%.*s", (int)strlen(name) - 3, name);
	json_object_set_new(object, key,
	    value ? json_string(walltime_text(
			(struct walltime){ value->time_ns }, text))
		  : json_null());
}

static json_t *cell_json(
    const struct result_column *column, const Sonde__Cell *cell)
{
	if (column->type != SONDE__COLUMN_TYPE__COLUMN_LIST)
		return result_value_json(
		    cell->n_values ? cell->values[0] : NULL);
	json_t *list = json_array();
	for (size_t i = 0; i < cell->n_values; i++)
		json_array_append_new(list, result_value_json(cell->values[i]));
	return list;
}

json_t *result_row_json(
    const struct result_table *table, const Sonde__Result *row)
{
	json_t *object = json_object();
	for (size_t i = 0; i < table->column_count; i++) {
		const struct result_column *column = &table->columns[i];
		json_object_set_new(
		    object, column->name, cell_json(column, row->row[i]));
		if (column->type == SONDE__COLUMN_TYPE__COLUMN_TIME)
			set_time_text(
			    object, column->name, result_value(row, i));
	}
	return object;
}

static json_t *hex_json(const uint8_t *bytes, size_t len)
{
	ProtobufCBinaryData octets = { len, (uint8_t *)bytes };
	return len ? octets_json(&octets) : json_null();
}

json_t *result_to_json(
    const struct result_schema *schema, const Sonde__Record *record)
{
	char wall[WALLTIME_TEXT_LEN];
	const struct result_table *table =
	    &schema->tables[record->result->table];
	walltime_text((struct walltime){ record->wall_ns }, wall);
	return json_pack("{s:s, s:s, s:s, s:o, s:I, s:s, s:o, s:I, s:o}",
	    "schema", "sonde-result/1", "script", schema->script, "table",
	    table->name, "hash", hex_json(schema->hash, sizeof(schema->hash)),
	    "wall_ns", (json_int_t)record->wall_ns, "wall", wall, "campaign",
	    hex_json(record->campaign.data, record->campaign.len), "run",
	    (json_int_t)record->run, "row",
	    result_row_json(table, record->result));
}

static json_t *name_or_null(const struct result_table *table, int at)
{
	return at < 0 ? json_null() : json_string(table->columns[at].name);
}

struct json_t *result_table_json(const struct result_table *table)
{
	json_t *columns = json_array();
	for (size_t i = 0; i < table->column_count; i++) {
		const struct result_column *c = &table->columns[i];
		const char *element = column_type_name(c->element);
		json_array_append_new(columns,
		    json_pack("{s:s, s:s, s:o, s:s, s:s, s:b, s:o, s:o, s:o}",
			"name", c->name, "type", column_type_name(c->type),
			"element", element ? json_string(element) : json_null(),
			"unit", c->unit, "help", c->help, "key", c->key, "low",
			name_or_null(table, c->low), "high",
			name_or_null(table, c->high), "probability",
			name_or_null(table, c->probability)));
	}
	return json_pack("{s:s, s:s, s:o}", "name", table->name, "help",
	    table->help, "columns", columns);
}

json_t *result_schema_json(const struct result_schema *schema)
{
	json_t *tables = json_array();
	for (size_t i = 0; i < schema->table_count; i++)
		json_array_append_new(
		    tables, result_table_json(&schema->tables[i]));
	return json_pack("{s:o, s:s, s:o}", "hash",
	    hex_json(schema->hash, sizeof(schema->hash)), "script",
	    schema->script, "tables", tables);
}
