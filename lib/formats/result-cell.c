/* SPDX-License-Identifier: ISC */
#include "lib/record/result-row.h"
#include <inttypes.h>
#include <string.h>

#include "lib/base/addr.h"
#include "lib/base/clock.h"
#include "lib/formats/csv-cell.h"
#include "lib/formats/result-cell.h"

static void put_duration(struct buf *to, int64_t ns)
{
	double size = ns < 0 ? -(double)ns : (double)ns;
	if (size < 1e3)
		buf_printf(to, "%" PRId64 " ns", ns);
	else if (size < 1e6)
		buf_printf(to, "%.3f us", (double)ns / 1e3);
	else if (size < 1e9)
		buf_printf(to, "%.3f ms", (double)ns / 1e6);
	else
		buf_printf(to, "%.3f s", (double)ns / 1e9);
}

static void put_prefix(struct buf *to, const ProtobufCBinaryData *octets)
{
	char text[PREFIX_TEXT_LEN];
	struct prefix p = { addr_from_bytes(octets->data, octets->len - 1),
		octets->data[octets->len - 1] };
	buf_printf(to, "%s", prefix_text(&p, text));
}

/* What text and CSV have in common. */
static void put_plain(struct buf *to, const Sonde__Value *value)
{
	char text[WALLTIME_TEXT_LEN > ADDR_TEXT_LEN ? WALLTIME_TEXT_LEN
						    : ADDR_TEXT_LEN];
	struct addr a;
	switch (value->value_case) {
	case SONDE__VALUE__VALUE_INTEGER:
		buf_printf(to, "%" PRId64, value->integer);
		break;
	case SONDE__VALUE__VALUE_BOOLEAN:
		buf_printf(to, "%s", value->boolean ? "true" : "false");
		break;
	case SONDE__VALUE__VALUE_TEXT: buf_printf(to, "%s", value->text); break;
	case SONDE__VALUE__VALUE_ADDRESS:
		a = addr_from_bytes(value->address.data, value->address.len);
		buf_printf(to, "%s", addr_text(&a, text));
		break;
	case SONDE__VALUE__VALUE_PREFIX: put_prefix(to, &value->prefix); break;
	case SONDE__VALUE__VALUE_OCTETS:
		for (size_t i = 0; i < value->octets.len; i++)
			buf_printf(to, "%02x", value->octets.data[i]);
		break;
	case SONDE__VALUE__VALUE_NUMBER:
	case SONDE__VALUE__VALUE_TIME_NS:
	case SONDE__VALUE__VALUE_DURATION_NS:
	case SONDE__VALUE__VALUE_RATE:
	case SONDE__VALUE__VALUE__NOT_SET:
	case _SONDE__VALUE__VALUE__CASE_IS_INT_SIZE: break;
	}
}

static void put_value(struct buf *to, const Sonde__Value *value)
{
	char text[WALLTIME_TEXT_LEN];
	switch ((int)value->value_case) {
	case SONDE__VALUE__VALUE_NUMBER:
		buf_printf(to, "%g", value->number);
		break;
	case SONDE__VALUE__VALUE_RATE: buf_printf(to, "%g", value->rate); break;
	case SONDE__VALUE__VALUE_TIME_NS:
		walltime_text((struct walltime){ value->time_ns }, text);
		buf_printf(to, "%s", text);
		break;
	case SONDE__VALUE__VALUE_DURATION_NS:
		put_duration(to, value->duration_ns);
		break;
	default: put_plain(to, value);
	}
}

void result_cell_text(struct buf *to, const struct result_table *table,
    size_t column, const Sonde__Result *row)
{
	const struct result_column *c = &table->columns[column];
	const Sonde__Cell *cell = row->row[column];
	struct result_interval interval = result_interval_of(c, row);
	if (cell->n_values == 0)
		buf_u8(to, '-');
	for (size_t i = 0; i < cell->n_values; i++) {
		if (i > 0)
			buf_bytes(to, ", ", 2);
		put_value(to, cell->values[i]);
	}
	if (interval.low && interval.high) {
		buf_bytes(to, " [", 2);
		put_value(to, interval.low);
		buf_bytes(to, ", ", 2);
		put_value(to, interval.high);
		buf_u8(to, ']');
	}
	if (interval.probability)
		buf_printf(to, " %.4g%%", interval.probability->number * 100);
}

void result_title_text(struct buf *to, const struct result_column *column)
{
	bool in_ns = column->type == SONDE__COLUMN_TYPE__COLUMN_TIME ||
	    column->type == SONDE__COLUMN_TYPE__COLUMN_DURATION ||
	    column->element == SONDE__COLUMN_TYPE__COLUMN_DURATION;
	bool rate = column->type == SONDE__COLUMN_TYPE__COLUMN_RATE ||
	    column->element == SONDE__COLUMN_TYPE__COLUMN_RATE;
	size_t len = strlen(column->name);
	buf_bytes(to, column->name, in_ns ? len - 3 : len);
	if (*column->unit || rate)
		buf_printf(to, " (%s%s)", column->unit, rate ? "/s" : "");
}

bool result_column_is_numeric(const struct result_column *column)
{
	return column->type == SONDE__COLUMN_TYPE__COLUMN_INTEGER ||
	    column->type == SONDE__COLUMN_TYPE__COLUMN_NUMBER ||
	    column->type == SONDE__COLUMN_TYPE__COLUMN_DURATION ||
	    column->type == SONDE__COLUMN_TYPE__COLUMN_RATE;
}

/* Without rounding, without units: for programs. */
static void put_exact(struct buf *to, const Sonde__Value *value)
{
	switch ((int)value->value_case) {
	case SONDE__VALUE__VALUE_NUMBER:
		buf_printf(to, "%.17g", value->number);
		break;
	case SONDE__VALUE__VALUE_RATE:
		buf_printf(to, "%.17g", value->rate);
		break;
	case SONDE__VALUE__VALUE_TIME_NS:
		buf_printf(to, "%" PRId64, value->time_ns);
		break;
	case SONDE__VALUE__VALUE_DURATION_NS:
		buf_printf(to, "%" PRId64, value->duration_ns);
		break;
	default: put_plain(to, value);
	}
}

void result_cell_exact(struct buf *to, const Sonde__Cell *cell)
{
	for (size_t i = 0; i < cell->n_values; i++) {
		if (i > 0)
			buf_u8(to, ';');
		put_exact(to, cell->values[i]);
	}
}

void result_cell_csv(
    FILE *to, const struct result_column *column, const Sonde__Cell *cell)
{
	struct buf text = { 0 };
	result_cell_exact(&text, cell);
	buf_u8(&text, '\0');
	if (result_column_is_numeric(column)) /* "-1" is no formula */
		fputs((const char *)text.data, to);
	else
		csv_cell(to, (const char *)text.data);
	buf_fini(&text);
}
