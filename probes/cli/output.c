/* SPDX-License-Identifier: ISC */
/* Tables, JSON lines and CSV from the same objects. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/base/xalloc.h"
#include "probes/cli/output.h"
#include "lib/formats/csv-cell.h"
#include "lib/formats/json-line.h"

int output_pick(const char **name, const struct option_values *values,
    const char *format, struct errmsg *msg)
{
	bool json = option_flag(values, "json");
	bool csv = option_flag(values, "csv");
	*name = json ? "json" : csv ? "csv" : format ? format : "text";
	if (json + csv + (format != NULL) < 2)
		return 0;
	return err_set(msg, ERR_USAGE, "%s and %s: give one of them",
	    json ? "--json" : "--csv", json && csv ? "--csv" : "--format");
}

int output_format(const struct format_ops **ops,
    const struct option_values *values, struct errmsg *msg)
{
	const char *name;
	int err =
	    output_pick(&name, values, option_text(values, "format"), msg);
	if (err)
		return err;
	*ops = format_find(name);
	if (!*ops)
		return err_set(msg, ERR_USAGE,
		    "--format: expected a format (`sonde help formats` "
		    "lists them), got '%.60s'",
		    name);
	return 0;
}

int output_init(struct output *output, const struct option_values *values,
    const char *schema, const struct output_column *columns, struct errmsg *msg)
{
	const char *name;
	int err = output_pick(&name, values, NULL, msg);
	*output = (struct output){ .schema = schema,
		.columns = columns,
		.to = stdout,
		.form = strcmp(name, "json") == 0 ? OUTPUT_JSON
		    : strcmp(name, "csv") == 0    ? OUTPUT_CSV
						  : OUTPUT_TEXT };
	return err;
}

/* --- JSON -------------------------------------------------------------- */

static int json_row(struct output *o, json_t *object, struct errmsg *msg)
{
	if (!o->schema)
		return json_line_write(o->to, json_incref(object), 0, msg);
	json_t *line = json_pack("{s:s}", "schema", o->schema);
	json_object_update(line, object);
	return json_line_write(o->to, line, JSON_REAL_PRECISION(15), msg);
}

/* --- CSV --------------------------------------------------------------- */

static void csv_titles(const struct output *o)
{
	const struct output_column *c = o->columns;
	for (; c->key; c++) {
		fputs(c == o->columns ? "" : ",", o->to);
		csv_cell(o->to, c->key);
	}
	fputs(CSV_END, o->to);
}

/* Texts with commas between them, in one cell; of what goes over the width
 * (0: nothing does), how many they are. */
static char *list_text(json_t *list, int width)
{
	struct buf b = { 0 };
	json_t *item = NULL;
	size_t i = 0, count = json_array_size(list);
	json_array_foreach(list, i, item)
	{
		const char *text = json_string_value(item);
		size_t with =
		    b.len + strlen(text ? text : "?") + sizeof(",+99");
		if (width && i && i + 1 < count && with > (size_t)width)
			break;
		buf_printf(&b, "%s%s", i ? "," : "", text ? text : "?");
	}
	if (i < count)
		buf_printf(&b, ",+%zu", count - i);
	buf_u8(&b, 0);
	return (char *)b.data;
}

static char *number_text(json_t *value)
{
	if (json_is_integer(value))
		return xasprintf("%lld", (long long)json_integer_value(value));
	return xasprintf("%.15g", json_real_value(value));
}

static void csv_value(FILE *to, json_t *value)
{
	char *text = NULL;
	if (json_is_string(value)) {
		csv_cell(to, json_string_value(value));
		return;
	}
	if (json_is_number(value)) { /* "-1" is no formula */
		text = number_text(value);
		fputs(text, to);
		free(text);
		return;
	}
	if (json_is_boolean(value))
		text = xstrdup(json_is_true(value) ? "true" : "false");
	else if (json_is_array(value))
		text = list_text(value, 0);
	else if (json_is_object(value))
		text = json_dumps(value, JSON_COMPACT);
	csv_cell(to, text);
	free(text);
}

static void csv_row(const struct output *o, json_t *object)
{
	const struct output_column *c = o->columns;
	for (; c->key; c++) {
		fputs(c == o->columns ? "" : ",", o->to);
		csv_value(o->to, json_object_get(object, c->key));
	}
	fputs(CSV_END, o->to);
}

/* --- a table ----------------------------------------------------------- */

static void cell(FILE *to, int width, const char *text)
{
	int n = 0;
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		putc(c < 0x20 || c == 0x7f ? '?' : c, to);
		n += (c & 0xc0) != 0x80; /* one UTF-8 character */
	}
	putc(width ? ' ' : '\n', to);
	for (n++; n < width + 1; n++)
		putc(' ', to);
}

static void text_titles(const struct output *o)
{
	for (const struct output_column *c = o->columns; c->key; c++)
		if (c->title)
			cell(o->to, c->width, c->title);
}

/* To the second: "2026-11-22T01:59:05Z".  People who want more ask for it. */
static char *short_time(const char *text)
{
	size_t len = strlen(text);
	bool time = len > 21 && text[10] == 'T' && text[19] == '.' &&
	    text[len - 1] == 'Z';
	return time ? xasprintf("%.19sZ", text) : xstrdup(text);
}

/* The caller frees. */
static char *value_text(const struct output_column *column, json_t *value)
{
	char *text = NULL;
	if (json_is_string(value))
		text = short_time(json_string_value(value));
	else if (json_is_number(value))
		text = number_text(value);
	else if (json_is_boolean(value))
		text = xstrdup(json_is_true(value) ? "yes" : "no");
	else if (json_is_array(value))
		text = list_text(value, column->width);
	if (text && *text && json_is_number(value) && column->unit) {
		char *bare = text;
		text = xasprintf("%s%s", bare, column->unit);
		free(bare);
	}
	if (text && *text)
		return text;
	free(text);
	return xstrdup(column->none ? column->none : "-");
}

static void text_row(const struct output *o, json_t *object)
{
	for (const struct output_column *c = o->columns; c->key; c++) {
		if (!c->title)
			continue;
		char *text = value_text(c, json_object_get(object, c->key));
		cell(o->to, c->width, text);
		free(text);
	}
}

/* --- all --------------------------------------------------------------- */

/* Titles wait for the first row: there are none before a failure. */
static void titles(struct output *o)
{
	if (o->titled)
		return;
	o->titled = true;
	if (o->form == OUTPUT_CSV)
		csv_titles(o);
	else if (o->form == OUTPUT_TEXT)
		text_titles(o);
}

int output_row(struct output *output, json_t *object, struct errmsg *msg)
{
	titles(output);
	if (output->form == OUTPUT_JSON)
		return json_row(output, object, msg);
	errno = 0;
	if (output->form == OUTPUT_CSV)
		csv_row(output, object);
	else
		text_row(output, object);
	if (!ferror(output->to))
		return 0;
	int err = errno ? -errno : -EIO;
	return err_set(msg, err, "output: %s", strerror(-err));
}

void output_end(struct output *output)
{
	titles(output);
}

static const char *text_or_null(const char *text)
{
	return text && *text ? text : NULL;
}

json_t *output_options_json(const struct option_row *rows)
{
	json_t *list = json_array();
	for (const struct option_row *r = rows; r && r->name; r++) {
		char letter[] = { r->letter, '\0' };
		json_array_append_new(list,
		    json_pack("{s:s, s:s?, s:s?, s:s?, s:s?, s:s}", "name",
			r->name, "letter", r->letter ? letter : NULL,
			"argument", text_or_null(r->argument), "choices",
			text_or_null(r->choices), "default",
			text_or_null(r->fallback), "help", r->help));
	}
	return list;
}
