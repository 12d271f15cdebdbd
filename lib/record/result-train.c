/* SPDX-License-Identifier: ISC */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lib/record/result-train.h"

/* COLUMN_UNKNOWN: a field without a value, or one that no cell can show. */
static column_type type_of_field(const Sonde__Field *field)
{
	switch (field->value_case) {
	case SONDE__FIELD__VALUE_INTEGER:
		return SONDE__COLUMN_TYPE__COLUMN_INTEGER;
	case SONDE__FIELD__VALUE_NUMBER:
		return isfinite(field->number)
		    ? SONDE__COLUMN_TYPE__COLUMN_NUMBER
		    : SONDE__COLUMN_TYPE__COLUMN_UNKNOWN;
	case SONDE__FIELD__VALUE_BOOLEAN:
		return SONDE__COLUMN_TYPE__COLUMN_BOOLEAN;
	case SONDE__FIELD__VALUE_TEXT:
		return strlen(field->text) <= RESULT_TEXT_MAX
		    ? SONDE__COLUMN_TYPE__COLUMN_TEXT
		    : SONDE__COLUMN_TYPE__COLUMN_UNKNOWN;
	case SONDE__FIELD__VALUE_ADDRESS:
		return field->address.len ? SONDE__COLUMN_TYPE__COLUMN_ADDRESS
					  : SONDE__COLUMN_TYPE__COLUMN_UNKNOWN;
	case SONDE__FIELD__VALUE_OCTETS:
		return field->octets.len <= RESULT_TEXT_MAX
		    ? SONDE__COLUMN_TYPE__COLUMN_OCTETS
		    : SONDE__COLUMN_TYPE__COLUMN_UNKNOWN;
	case SONDE__FIELD__VALUE__NOT_SET:
	case _SONDE__FIELD__VALUE__CASE_IS_INT_SIZE: break;
	}
	return SONDE__COLUMN_TYPE__COLUMN_UNKNOWN;
}

/* Field names are a-z, 0-9, '_' and '-'. */
static bool column_name_of(
    const Sonde__Field *field, char name[RESULT_NAME_MAX + 1])
{
	size_t len = strlen(field->name);
	if (len == 0 || len > RESULT_NAME_MAX || field->name[0] < 'a' ||
	    field->name[0] > 'z' ||
	    strspn(field->name, "abcdefghijklmnopqrstuvwxyz0123456789_-") !=
		len)
		return false;
	memcpy(name, field->name, len + 1);
	for (char *c = name; *c; c++)
		if (*c == '-')
			*c = '_';
	return true;
}

void train_columns_add(struct train_columns *columns, const Sonde__Train *train)
{
	for (size_t f = 0; f < train->n_fields; f++) {
		char name[RESULT_NAME_MAX + 1];
		column_type type = type_of_field(train->fields[f]);
		size_t i = 0;
		if (type == SONDE__COLUMN_TYPE__COLUMN_UNKNOWN ||
		    !column_name_of(train->fields[f], name))
			continue;
		while (i < columns->count &&
		    strcmp(columns->columns[i].name, name) != 0)
			i++;
		if (i < columns->count || i == RESULT_COLUMNS_MAX)
			continue;
		memcpy(columns->columns[i].name, name, sizeof(name));
		columns->columns[i].type = type;
		columns->count++;
	}
}

int train_columns_schema(const struct train_columns *columns,
    const char *script, struct result_schema **schema, struct errmsg *msg)
{
	Sonde__ResultColumn made[RESULT_COLUMNS_MAX];
	Sonde__ResultColumn *list[RESULT_COLUMNS_MAX];
	Sonde__ResultTable table = SONDE__RESULT_TABLE__INIT;
	Sonde__ResultTable *tables = &table;
	Sonde__ResultSchema from = SONDE__RESULT_SCHEMA__INIT;
	for (size_t i = 0; i < columns->count; i++) {
		sonde__result_column__init(&made[i]);
		made[i].name = (char *)columns->columns[i].name;
		made[i].type = columns->columns[i].type;
		list[i] = &made[i];
	}
	table.name = (char *)RESULT_TRAIN_TABLE;
	table.n_columns = columns->count;
	table.columns = list;
	from.script = (char *)script;
	from.n_tables = 1;
	from.tables = &tables;
	return result_schema_new(schema, &from, msg);
}

static void fill_from_field(Sonde__Value *to, const Sonde__Field *field)
{
	switch (field->value_case) {
	case SONDE__FIELD__VALUE_INTEGER:
		to->value_case = SONDE__VALUE__VALUE_INTEGER;
		to->integer = field->integer;
		break;
	case SONDE__FIELD__VALUE_NUMBER:
		to->value_case = SONDE__VALUE__VALUE_NUMBER;
		to->number = field->number;
		break;
	case SONDE__FIELD__VALUE_BOOLEAN:
		to->value_case = SONDE__VALUE__VALUE_BOOLEAN;
		to->boolean = field->boolean;
		break;
	case SONDE__FIELD__VALUE_TEXT:
		to->value_case = SONDE__VALUE__VALUE_TEXT;
		to->text = field->text;
		break;
	case SONDE__FIELD__VALUE_ADDRESS:
		to->value_case = SONDE__VALUE__VALUE_ADDRESS;
		to->address = field->address;
		break;
	case SONDE__FIELD__VALUE_OCTETS:
		to->value_case = SONDE__VALUE__VALUE_OCTETS;
		to->octets = field->octets;
		break;
	case SONDE__FIELD__VALUE__NOT_SET:
	case _SONDE__FIELD__VALUE__CASE_IS_INT_SIZE: break;
	}
}

void train_row_fill(const struct result_schema *schema,
    const Sonde__Train *train, struct train_row *row)
{
	const struct result_table *table = &schema->tables[0];
	sonde__result__init(&row->result);
	row->result.hash =
	    (ProtobufCBinaryData){ RESULT_HASH_LEN, (uint8_t *)schema->hash };
	row->result.n_row = table->column_count;
	row->result.row = row->cell_list;
	for (size_t i = 0; i < table->column_count; i++) {
		sonde__cell__init(&row->cells[i]);
		sonde__value__init(&row->values[i]);
		row->value_list[i] = &row->values[i];
		row->cells[i].values = &row->value_list[i];
		row->cell_list[i] = &row->cells[i];
	}
	for (size_t f = 0; f < train->n_fields; f++) {
		char name[RESULT_NAME_MAX + 1];
		const Sonde__Field *field = train->fields[f];
		int at = column_name_of(field, name)
		    ? result_column_find(table, name)
		    : -1;
		if (at < 0 || table->columns[at].type != type_of_field(field))
			continue;
		row->cells[at].n_values = 1;
		fill_from_field(&row->values[at], field);
	}
}
