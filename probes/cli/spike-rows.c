/* SPDX-License-Identifier: ISC */
/*
 * A row is a line.  The first line is a header when its first field is no time,
 * and says which column is what; without one, time and source are in front and
 * a signature may follow.  The delimiter is the one of , ; tab | that the first
 * line has most of.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/addr.h"
#include "lib/base/xalloc.h"
#include "probes/cli/spike-rows.h"
#include "probes/cli/spike-time.h"

enum { FIELDS_MOST = 64, TAKEN_MOST = 320 };

struct spike_rows {
	const struct spike_choice *choice;
	bool begun, has_header;
	char delimiter;
	size_t columns[SPIKE_COLUMNS]; /* of CSV */
	char *keys[SPIKE_COLUMNS];     /* of JSON; owned, NULL: none */
	char *header;                  /* as it was; owned */
	char taken[TAKEN_MOST];
	json_t *json;                    /* of the last row; owned */
	char numbers[SPIKE_COLUMNS][32]; /* of JSON, as text */
};

struct spike_rows *spike_rows_new(const struct spike_choice *choice)
{
	struct spike_rows *rows = xcalloc(1, sizeof(*rows));
	rows->choice = choice;
	for (int c = 0; c < SPIKE_COLUMNS; c++)
		rows->columns[c] = SPIKE_NO_COLUMN;
	return rows;
}

void spike_rows_free(struct spike_rows *rows)
{
	if (!rows)
		return;
	for (int c = 0; c < SPIKE_COLUMNS; c++)
		free(rows->keys[c]);
	free(rows->header);
	json_decref(rows->json);
	free(rows);
}

const char *spike_rows_taken(const struct spike_rows *rows)
{
	return *rows->taken ? rows->taken : NULL;
}

static char *trimmed(char *text)
{
	text += strspn(text, " \t");
	size_t len = strlen(text);
	while (len > 0 && strchr(" \t\r", text[len - 1]))
		text[--len] = '\0';
	return text;
}

static char find_delimiter(const char *line)
{
	static const char delimiters[] = ",;\t|";
	size_t counts[sizeof(delimiters)] = { 0 }, best = 0;
	bool quoted = false;
	for (; *line; line++) {
		quoted ^= *line == '"';
		const char *d = strchr(delimiters, *line);
		if (!quoted && d)
			counts[d - delimiters]++;
	}
	for (size_t i = 1; i < sizeof(delimiters) - 1; i++)
		if (counts[i] > counts[best])
			best = i;
	return delimiters[best];
}

/* Splits in place; quotes around a field go, "" inside them is a quote. */
static size_t fields_split(
    char *line, char delimiter, char *fields[FIELDS_MOST])
{
	size_t count = 0;
	char *from = line;
	for (;;) {
		char *to = from, *field = from;
		bool quoted = *from == '"';
		if (quoted)
			from++;
		while (*from && (quoted || *from != delimiter)) {
			if (quoted && *from == '"' && from[1] != '"') {
				quoted = false;
				from++;
				continue;
			}
			from += quoted && *from == '"';
			*to++ = *from++;
		}
		bool more = *from == delimiter;
		from++;
		*to = '\0';
		if (count < FIELDS_MOST)
			fields[count++] = trimmed(field);
		if (!more)
			return count;
	}
}

static void note_taken(
    struct spike_rows *rows, enum spike_column c, const char *name)
{
	size_t len = strlen(rows->taken);
	snprintf(rows->taken + len, sizeof(rows->taken) - len, "%s%s: '%.40s'",
	    len ? ", " : "", spike_column_name(c), name);
}

static int no_column(const char *const *names, size_t count, const char *what,
    struct errmsg *msg)
{
	char list[120] = "";
	for (size_t i = 0, len = 0; i < count && len < sizeof(list); i++)
		len += (size_t)snprintf(list + len, sizeof(list) - len,
		    "%s%.30s", i ? "," : "", names[i]);
	return err_set(msg, ERR_UNSUPPORTED,
	    "expected a column %s (--columns says which is), got %s", what,
	    list);
}

/* Which of the names are the columns; 0, or ERR_UNSUPPORTED. */
static int choose_columns(struct spike_rows *rows, const char *const *names,
    size_t count, size_t columns[SPIKE_COLUMNS], struct errmsg *msg)
{
	bool chosen = spike_choice_is_made(rows->choice), own = true;
	for (int c = 0; c < SPIKE_COLUMNS; c++) {
		const char *name = rows->choice->columns[c];
		columns[c] = SPIKE_NO_COLUMN;
		if (!chosen)
			columns[c] = spike_column_find(
			    (enum spike_column)c, names, count);
		for (size_t i = 0; name && i < count; i++)
			if (strcasecmp(name, names[i]) == 0)
				columns[c] = i;
		size_t number = name ? strtoul(name, NULL, 10) : 0;
		if (name && columns[c] == SPIKE_NO_COLUMN && number >= 1 &&
		    number <= count)
			columns[c] = number - 1;
		if (name && columns[c] == SPIKE_NO_COLUMN)
			return no_column(names, count, name, msg);
	}
	if (columns[SPIKE_TIME] == SPIKE_NO_COLUMN)
		return no_column(names, count, "time", msg);
	if (columns[SPIKE_SOURCE] != SPIKE_NO_COLUMN)
		columns[SPIKE_COUNT] = SPIKE_NO_COLUMN;
	else if (columns[SPIKE_COUNT] == SPIKE_NO_COLUMN)
		return no_column(names, count, "source or count", msg);
	for (int c = 0; c < SPIKE_COLUMNS; c++)
		if (columns[c] != SPIKE_NO_COLUMN)
			own &= spike_column_is_own(
			    (enum spike_column)c, names[columns[c]]);
	for (int c = 0; c < SPIKE_COLUMNS && !own && !chosen; c++)
		if (columns[c] != SPIKE_NO_COLUMN)
			note_taken(
			    rows, (enum spike_column)c, names[columns[c]]);
	return 0;
}

/* A table without a header; --columns has numbers then. */
static int choose_places(
    struct spike_rows *rows, size_t count, struct errmsg *msg)
{
	if (!spike_choice_is_made(rows->choice)) {
		rows->columns[SPIKE_TIME] = 0;
		rows->columns[SPIKE_SOURCE] = 1;
		rows->columns[SPIKE_SIGNATURE] = 2;
		return 0;
	}
	for (int c = 0; c < SPIKE_COLUMNS; c++) {
		const char *text = rows->choice->columns[c];
		size_t number = text ? strtoul(text, NULL, 10) : 0;
		if (text && (number < 1 || number > count))
			return err_set(msg, ERR_UNSUPPORTED,
			    "--columns: '%.40s': the table has no header, "
			    "expected a number from 1 to %zu",
			    text, count);
		if (text)
			rows->columns[c] = number - 1;
	}
	return 0;
}

static int parse_port(
    struct spike_row *row, const char *text, struct errmsg *msg)
{
	size_t len = strspn(text, "0123456789");
	unsigned long port = strtoul(text, NULL, 10);
	row->port = SPIKE_NO_PORT;
	if (!*text || strcmp(text, "-") == 0)
		return 0;
	if (len == 0 || len > 5 || port > 65535 ||
	    (text[len] && text[len] != '/'))
		return err_set(msg, ERR_MALFORMED,
		    "expected a port from 0 to 65535, got '%.40s'", text);
	row->port = (int)port;
	return 0;
}

static int parse_count(
    struct spike_row *row, const char *text, struct errmsg *msg)
{
	char *end;
	row->count = strtod(text, &end);
	if (end == text || *end || !(row->count >= 0 && row->count <= 1e15))
		return err_set(
		    msg, ERR_MALFORMED, "expected a count, got '%.40s'", text);
	return 0;
}

/* values: by column, NULL: the row has none. */
static int take_values(struct spike_row *row,
    const char *const values[SPIKE_COLUMNS], struct errmsg *msg)
{
	*row = (struct spike_row){ .port = SPIKE_NO_PORT };
	const char *time = values[SPIKE_TIME];
	if (!time || spike_time_parse(&row->when, &row->is_day, time) != 0)
		return err_set(msg, ERR_MALFORMED,
		    "expected a time such as 2011-01-01 00:01:43, got '%.60s'",
		    time ? time : "");
	if (values[SPIKE_COUNT]) {
		int err = parse_count(row, values[SPIKE_COUNT], msg);
		if (err)
			return err;
	} else if (!values[SPIKE_SOURCE] ||
	    !values[SPIKE_SOURCE][strspn(values[SPIKE_SOURCE], " \t")]) {
		return err_set(msg, ERR_MALFORMED, "expected a source");
	}
	row->source = values[SPIKE_SOURCE];
	const char *signature = values[SPIKE_SIGNATURE];
	row->signature = signature && *signature ? signature : NULL;
	return values[SPIKE_PORT] ? parse_port(row, values[SPIKE_PORT], msg)
				  : 0;
}

static bool is_time(const char *text)
{
	struct walltime when;
	bool is_day;
	return spike_time_parse(&when, &is_day, text) == 0;
}

/* The first line: 0 when it is a row, ERR_NOT_FOUND when it is a header. */
static int begin_csv(struct spike_rows *rows, char *const *fields, size_t count,
    struct errmsg *msg)
{
	size_t place = rows->choice->columns[SPIKE_TIME]
	    ? strtoul(rows->choice->columns[SPIKE_TIME], NULL, 10)
	    : 1;
	if (place >= 1 && place <= count && is_time(fields[place - 1]))
		return choose_places(rows, count, msg);
	rows->has_header = true;
	int err = choose_columns(
	    rows, (const char *const *)fields, count, rows->columns, msg);
	return err ? err : ERR_NOT_FOUND;
}

static int csv_parse(struct spike_rows *rows, char *line, struct spike_row *row,
    struct errmsg *msg)
{
	bool first = !rows->header; /* of CSV, if not of the file */
	char *fields[FIELDS_MOST];
	const char *values[SPIKE_COLUMNS] = { NULL };
	if (first) {
		rows->delimiter = find_delimiter(line);
		rows->header = xstrdup(line);
	} else if (rows->has_header && strcmp(line, rows->header) == 0) {
		return ERR_NOT_FOUND; /* of a table that was appended */
	}
	size_t count = fields_split(line, rows->delimiter, fields);
	if (first) {
		int err = begin_csv(rows, fields, count, msg);
		if (err)
			return err;
	}
	for (int c = 0; c < SPIKE_COLUMNS; c++) {
		size_t at = rows->columns[c];
		if (at == SPIKE_NO_COLUMN)
			continue;
		if (at < count)
			values[c] = fields[at];
		else if (c == SPIKE_TIME || c == SPIKE_SOURCE ||
		    c == SPIKE_COUNT)
			return err_set(msg, ERR_MALFORMED,
			    "expected at least %zu fields for its %s, got %zu",
			    at + 1, spike_column_name((enum spike_column)c),
			    count);
	}
	return take_values(row, values, msg);
}

static int begin_json(struct spike_rows *rows, struct errmsg *msg)
{
	const char *names[FIELDS_MOST], *name;
	size_t columns[SPIKE_COLUMNS], count = 0;
	json_t *value;
	json_object_foreach(rows->json, name, value) if (count < FIELDS_MOST)
	    names[count++] = name;
	int err = choose_columns(rows, names, count, columns, msg);
	for (int c = 0; c < SPIKE_COLUMNS && !err; c++)
		if (columns[c] != SPIKE_NO_COLUMN)
			rows->keys[c] = xstrdup(names[columns[c]]);
	return err;
}

/* Numbers become text and are read as in CSV. */
static const char *value_text(
    struct spike_rows *rows, const char *key, char number[static 32])
{
	const json_t *value = key ? json_object_get(rows->json, key) : NULL;
	if (json_is_integer(value))
		snprintf(number, 32, "%" JSON_INTEGER_FORMAT,
		    json_integer_value(value));
	else if (json_is_real(value))
		snprintf(number, 32, "%.9f", json_real_value(value));
	else
		return json_string_value(value);
	return number;
}

static int json_parse(struct spike_rows *rows, const char *line,
    struct spike_row *row, struct errmsg *msg)
{
	const char *values[SPIKE_COLUMNS];
	json_error_t error;
	json_decref(rows->json);
	rows->json = json_loads(line, 0, &error);
	if (!rows->json)
		return err_set(msg, ERR_MALFORMED, "JSON: %s", error.text);
	if (json_object_get(rows->json, "summary"))
		return ERR_NOT_FOUND;
	if (!rows->keys[SPIKE_TIME]) {
		int err = begin_json(rows, msg);
		if (err) /* another line may be of another kind */
			return ERR_MALFORMED;
	}
	for (int c = 0; c < SPIKE_COLUMNS; c++)
		values[c] = value_text(rows, rows->keys[c], rows->numbers[c]);
	return take_values(row, values, msg);
}

/* UTF-8's mark at the beginning of a file goes; UTF-16 is another language. */
static int skip_mark(char **line, struct errmsg *msg)
{
	const unsigned char *p = (const unsigned char *)*line;
	if ((p[0] == 0xff && p[1] == 0xfe) || (p[0] == 0xfe && p[1] == 0xff))
		return err_set(
		    msg, ERR_UNSUPPORTED, "expected UTF-8, got UTF-16");
	if (p[0] == 0xef && p[1] == 0xbb && p[2] == 0xbf)
		*line += 3;
	return 0;
}

int spike_rows_parse(struct spike_rows *rows, char *line, struct spike_row *row,
    struct errmsg *msg)
{
	bool first = !rows->begun;
	if (first) {
		int err = skip_mark(&line, msg);
		if (err)
			return err;
	}
	line[strcspn(line, "\r\n")] = '\0';
	size_t blanks = strspn(line, " ");
	if (!line[blanks + strspn(line + blanks, "\t")])
		return ERR_NOT_FOUND;
	line += blanks;
	rows->begun = true;
	if (*line == '{')
		return json_parse(rows, line, row, msg);
	return csv_parse(rows, line, row, msg);
}
