/* SPDX-License-Identifier: ISC */
/*
 * Columns of a user's script are the fields of its first record, in its order.
 * A later record may leave some out, which gives empty cells; one that has
 * another field, or came from another script, is an error, because the row of
 * titles is already written.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/hex.h"
#include "lib/base/xalloc.h"
#include "lib/formats/csv-cell.h"
#include "lib/formats/csv-train.h"
#include "lib/formats/reply-text.h"

struct csv_train {
	char *script;
	size_t count;
	char **names;
};

static struct csv_train *columns_of(const Sonde__Train *train)
{
	struct csv_train *c = xcalloc(1, sizeof(*c));
	c->script = xstrdup(train->script);
	c->count = train->n_fields;
	c->names = xcalloc(c->count + 1, sizeof(*c->names));
	for (size_t i = 0; i < c->count; i++)
		c->names[i] = xstrdup(train->fields[i]->name);
	return c;
}

void csv_train_free(struct csv_train *columns)
{
	if (!columns)
		return;
	for (size_t i = 0; i < columns->count; i++)
		free(columns->names[i]);
	free(columns->names);
	free(columns->script);
	free(columns);
}

static bool has_column(const struct csv_train *c, const char *name)
{
	for (size_t i = 0; i < c->count; i++)
		if (strcmp(c->names[i], name) == 0)
			return true;
	return false;
}

static int check_fields(
    const struct csv_train *c, const Sonde__Train *train, struct errmsg *msg)
{
	if (strcmp(c->script, train->script) != 0)
		return err_set(msg, ERR_UNSUPPORTED,
		    "csv: the columns are those of %.60s, and this is a record "
		    "of %.60s; --json has both",
		    c->script, train->script);
	for (size_t i = 0; i < train->n_fields; i++)
		if (!has_column(c, train->fields[i]->name))
			return err_set(msg, ERR_UNSUPPORTED,
			    "csv: the first record, which decides the columns, "
			    "had no field '%.60s'; --json has it",
			    train->fields[i]->name);
	return 0;
}

static void value_cell(FILE *to, const Sonde__Field *field)
{
	char a[ADDR_TEXT_LEN];
	switch (field->value_case) {
	case SONDE__FIELD__VALUE_INTEGER:
		fprintf(to, "%" PRId64, field->integer);
		break;
	case SONDE__FIELD__VALUE_NUMBER:
		fprintf(to, "%.17g", field->number);
		break;
	case SONDE__FIELD__VALUE_BOOLEAN:
		fputs(field->boolean ? "true" : "false", to);
		break;
	case SONDE__FIELD__VALUE_TEXT: csv_cell(to, field->text); break;
	case SONDE__FIELD__VALUE_ADDRESS:
		fputs(reply_addr(&field->address, a), to);
		break;
	case SONDE__FIELD__VALUE_OCTETS:
		hex_print(to, field->octets.data, field->octets.len);
		break;
	case SONDE__FIELD__VALUE__NOT_SET:
	case _SONDE__FIELD__VALUE__CASE_IS_INT_SIZE: break;
	}
}

static void named_cell(FILE *to, const Sonde__Train *train, const char *name)
{
	putc(',', to);
	for (size_t i = 0; i < train->n_fields; i++)
		if (strcmp(train->fields[i]->name, name) == 0) {
			value_cell(to, train->fields[i]);
			return;
		}
}

static void title_row(FILE *to, const struct csv_train *c)
{
	fputs("script,wall_ns", to);
	for (size_t i = 0; i < c->count; i++) {
		putc(',', to);
		csv_cell(to, c->names[i]);
	}
	fputs(CSV_END, to);
}

int csv_train_row(struct csv_train **columns, FILE *to,
    const Sonde__Record *record, struct errmsg *msg)
{
	const Sonde__Train *train = record->train;
	if (!*columns) {
		*columns = columns_of(train);
		title_row(to, *columns);
	}
	const struct csv_train *c = *columns;
	int err = check_fields(c, train, msg);
	if (err)
		return err;
	csv_cell(to, train->script);
	fprintf(to, ",%" PRId64, record->wall_ns);
	for (size_t i = 0; i < c->count; i++)
		named_cell(to, train, c->names[i]);
	fputs(CSV_END, to);
	return 0;
}
