/* SPDX-License-Identifier: ISC */
/*
 * Rows come from processes that may have been taken over by what they read, so
 * a row is checked before anything is read by its schema.
 */
#include "lib/record/result-row.h"

#include <math.h>
#include <string.h>

#include "lib/base/addr.h"

static int wrong_value(struct errmsg *msg, const char *expected)
{
	return err_set(msg, ERR_MALFORMED, "expected %s", expected);
}

static int check_prefix(const ProtobufCBinaryData *octets, struct errmsg *msg)
{
	struct addr addr =
	    addr_from_bytes(octets->data, octets->len ? octets->len - 1 : 0);
	uint8_t len = octets->len ? octets->data[octets->len - 1] : 0;
	if (!addr.family || len > addr_bits(&addr))
		return wrong_value(msg, "a prefix of 5 or 17 octets");
	struct prefix prefix = prefix_of(&addr, len);
	if (!addr_equal(&prefix.addr, &addr))
		return wrong_value(msg, "a prefix without host bits");
	return 0;
}

static int check_value(
    column_type type, const Sonde__Value *value, struct errmsg *msg)
{
	if (value->value_case != column_type_case(type))
		return err_set(msg, ERR_MALFORMED, "expected %s, got %s",
		    column_type_name(type), value_case_name(value->value_case));
	switch (value->value_case) {
	case SONDE__VALUE__VALUE_NUMBER:
		return isfinite(value->number)
		    ? 0
		    : wrong_value(msg, "a finite number");
	case SONDE__VALUE__VALUE_RATE:
		return isfinite(value->rate) && value->rate >= 0
		    ? 0
		    : wrong_value(msg, "a finite rate of 0 or more");
	case SONDE__VALUE__VALUE_ADDRESS:
		return value->address.len == 4 || value->address.len == 16
		    ? 0
		    : wrong_value(msg, "an address of 4 or 16 octets");
	case SONDE__VALUE__VALUE_PREFIX:
		return check_prefix(&value->prefix, msg);
	case SONDE__VALUE__VALUE_TEXT:
		return strlen(value->text) <= RESULT_TEXT_MAX
		    ? 0
		    : wrong_value(msg, "a text of at most 4096 octets");
	case SONDE__VALUE__VALUE_OCTETS:
		return value->octets.len <= RESULT_TEXT_MAX
		    ? 0
		    : wrong_value(msg, "at most 4096 octets");
	case SONDE__VALUE__VALUE_INTEGER:
	case SONDE__VALUE__VALUE_BOOLEAN:
	case SONDE__VALUE__VALUE_TIME_NS:
	case SONDE__VALUE__VALUE_DURATION_NS:
	case SONDE__VALUE__VALUE__NOT_SET:
	case _SONDE__VALUE__VALUE__CASE_IS_INT_SIZE: break;
	}
	return 0;
}

static int check_cell(const struct result_column *column,
    const Sonde__Cell *cell, struct errmsg *msg)
{
	bool list = column->type == SONDE__COLUMN_TYPE__COLUMN_LIST;
	size_t most = list ? RESULT_LIST_MAX : 1;
	if (cell->n_values > most)
		return err_set(msg, ERR_LIMIT,
		    "expected at most %zu value%s, got %zu", most,
		    most == 1 ? "" : "s", cell->n_values);
	if (column->key && cell->n_values == 0)
		return err_set(msg, ERR_MALFORMED,
		    "a key: expected %s, got nothing",
		    column_type_name(column->type));
	for (size_t i = 0; i < cell->n_values; i++) {
		int err = check_value(list ? column->element : column->type,
		    cell->values[i], msg);
		if (err < 0)
			return err;
	}
	return 0;
}

const Sonde__Value *result_value(const Sonde__Result *row, size_t column)
{
	const Sonde__Cell *cell = row->row[column];
	return cell->n_values ? cell->values[0] : NULL;
}

struct result_interval result_interval_of(
    const struct result_column *column, const Sonde__Result *row)
{
	struct result_interval i = { NULL, NULL, NULL };
	if (column->low >= 0)
		i.low = result_value(row, (size_t)column->low);
	if (column->high >= 0)
		i.high = result_value(row, (size_t)column->high);
	if (column->probability >= 0)
		i.probability = result_value(row, (size_t)column->probability);
	return i;
}

static double measure_of(const Sonde__Value *value)
{
	switch (value->value_case) {
	case SONDE__VALUE__VALUE_INTEGER: return (double)value->integer;
	case SONDE__VALUE__VALUE_NUMBER: return value->number;
	case SONDE__VALUE__VALUE_DURATION_NS: return (double)value->duration_ns;
	case SONDE__VALUE__VALUE_RATE: return value->rate;
	case SONDE__VALUE__VALUE_BOOLEAN:
	case SONDE__VALUE__VALUE_TEXT:
	case SONDE__VALUE__VALUE_ADDRESS:
	case SONDE__VALUE__VALUE_PREFIX:
	case SONDE__VALUE__VALUE_OCTETS:
	case SONDE__VALUE__VALUE_TIME_NS:
	case SONDE__VALUE__VALUE__NOT_SET:
	case _SONDE__VALUE__VALUE__CASE_IS_INT_SIZE: break;
	}
	return NAN;
}

static int check_interval(const struct result_column *column,
    const Sonde__Result *row, struct errmsg *msg)
{
	struct result_interval i = result_interval_of(column, row);
	if (i.low && i.high && measure_of(i.low) > measure_of(i.high))
		return err_set(msg, ERR_MALFORMED,
		    "interval: expected low to be at most high, got %g and %g",
		    measure_of(i.low), measure_of(i.high));
	if (i.probability &&
	    (i.probability->number < 0 || i.probability->number > 1))
		return err_set(msg, ERR_MALFORMED,
		    "probability: expected 0 to 1, got %g",
		    i.probability->number);
	return 0;
}

int result_check(const struct result_schema *schema, const Sonde__Result *row,
    struct errmsg *msg)
{
	if (row->table >= schema->table_count)
		return err_set(msg, ERR_MALFORMED,
		    "result of %s: expected one of %zu tables, got number %u",
		    schema->script, schema->table_count, row->table);
	const struct result_table *table = &schema->tables[row->table];
	if (row->n_row != table->column_count)
		return err_set(msg, ERR_MALFORMED,
		    "result of %s: table %s: expected %zu columns, got %zu",
		    schema->script, table->name, table->column_count,
		    row->n_row);
	int err = 0;
	size_t at = 0;
	for (; at < table->column_count && err == 0; at++)
		err = check_cell(&table->columns[at], row->row[at], msg);
	for (size_t i = 0; i < table->column_count && err == 0; i++) {
		err = check_interval(&table->columns[i], row, msg);
		at = i + 1;
	}
	if (err < 0)
		err_prefix(msg, "result of %s: table %s: column %s",
		    schema->script, table->name, table->columns[at - 1].name);
	return err;
}
