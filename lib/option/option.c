/* SPDX-License-Identifier: ISC */
/*
 * The command line, read by getopt_long from a table; every value is checked
 * when it is read, so the getters cannot fail.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/option/option-value.h"
#include "lib/base/xalloc.h"

enum {
	CODE_HELP = 256, /* above every letter; row i is CODE_ROWS + i */
	CODE_ROWS
};

struct option_values {
	const struct option_row *rows; /* borrowed from the table */
	struct option_value *values;   /* one a row */
	const char **operands;         /* borrowed from argv */
	size_t operand_count;
	bool help;
};

/* What getopt_long needs, made from the rows. */
struct getopt_view {
	struct option *longs;
	char *shorts;
};

static struct getopt_view view_make(const struct option_table *table)
{
	size_t n = option_row_count(table->rows), s = 0;
	struct getopt_view view = { xcalloc(n + 2, sizeof(*view.longs)),
		xcalloc(n * 2 + 4, 1) };
	bool own_help = false, own_h = false;
	if (table->options_first)
		view.shorts[s++] = '+';
	view.shorts[s++] = ':';
	for (size_t i = 0; i < n; i++) {
		const struct option_row *row = &table->rows[i];
		bool flag = row->type == OPTION_FLAG;
		view.longs[i] = (struct option){ row->name,
			flag ? no_argument : required_argument, NULL,
			CODE_ROWS + (int)i };
		if (row->letter)
			view.shorts[s++] = row->letter;
		if (row->letter && !flag)
			view.shorts[s++] = ':';
		own_help = own_help || strcmp(row->name, "help") == 0;
		own_h = own_h || row->letter == 'h';
	}
	if (!own_help)
		view.longs[n] =
		    (struct option){ "help", no_argument, NULL, CODE_HELP };
	if (!own_h)
		view.shorts[s++] = 'h';
	return view;
}

static void view_fini(struct getopt_view *view)
{
	free(view->longs);
	free(view->shorts);
}

static int row_by_code(const struct option_table *table, int code)
{
	if (code >= CODE_ROWS)
		return code - CODE_ROWS;
	for (size_t i = 0; i < option_row_count(table->rows); i++)
		if (table->rows[i].letter == code)
			return (int)i;
	return -1;
}

/* word: as written, "--intervall=5" or "-x". */
static int unknown_option(
    const struct option_table *table, const char *word, struct errmsg *msg)
{
	size_t n = option_row_count(table->rows);
	const char **names = xcalloc(n + 1, sizeof(*names));
	for (size_t i = 0; i < n; i++)
		names[i] = table->rows[i].name;
	names[n] = "help";
	char *bare = xstrndup(word + 2, strcspn(word + 2, "="));
	size_t matches = 0;
	for (size_t i = 0; i < n; i++)
		matches += strncmp(names[i], bare, strlen(bare)) == 0;
	const char *near = option_nearest(bare, names, n + 1);
	int err;
	if (matches == 1) /* known, but a flag that was given a value */
		err = err_set(msg, ERR_USAGE, "--%.60s: takes no value", bare);
	else if (matches > 1)
		err = err_set(
		    msg, ERR_USAGE, "--%.60s: fits several options", bare);
	else if (near)
		err = err_set(msg, ERR_USAGE,
		    "--%.60s: unknown option, did "
		    "you mean --%s?",
		    bare, near);
	else
		err = err_set(msg, ERR_USAGE, "--%.60s: unknown option", bare);
	free(bare);
	free(names);
	return err;
}

static int option_take(struct option_values *values,
    const struct option_table *table, int code, const char *word,
    struct errmsg *msg)
{
	if (code == '?' && (!optopt || optopt >= CODE_HELP))
		return unknown_option(table, word, msg);
	if (code == '?')
		return err_set(
		    msg, ERR_USAGE, "-%c: unknown option", (char)optopt);
	int i = row_by_code(table, code == ':' ? optopt : code);
	if (i < 0) { /* -h or --help, which no row claims */
		values->help = true;
		return 0;
	}
	const struct option_row *row = &table->rows[i];
	if (code == ':')
		return err_set(msg, ERR_USAGE, "--%s: expected %s, got nothing",
		    row->name, row->argument ? row->argument : "a value");
	const char *text = row->type == OPTION_FLAG ? "true" : optarg;
	int err = option_value_set(&values->values[i], row, text, msg);
	if (err)
		err_prefix(msg, "--%s", row->name);
	return err;
}

static int operands_check(const struct option_values *values,
    const struct option_table *table, struct errmsg *msg)
{
	int n = (int)values->operand_count;
	if (n < table->operands_min)
		return err_set(msg, ERR_USAGE,
		    "expected %s%d operand%s, "
		    "got %d; usage: %.40s %.100s",
		    table->operands_max == table->operands_min ? ""
							       : "at least ",
		    table->operands_min, table->operands_min == 1 ? "" : "s", n,
		    table->program, table->synopsis ? table->synopsis : "");
	if (table->operands_max == 0 && n > 0)
		return err_set(msg, ERR_USAGE,
		    "expected no operand, got '%.60s'", values->operands[0]);
	if (table->operands_max >= 0 && n > table->operands_max)
		return err_set(msg, ERR_USAGE,
		    "expected at most %d operand%s, got '%.60s' besides; "
		    "usage: %.40s %.100s",
		    table->operands_max, table->operands_max == 1 ? "" : "s",
		    values->operands[table->operands_max], table->program,
		    table->synopsis ? table->synopsis : "");
	return 0;
}

static int parse_all(struct option_values *values,
    const struct option_table *table, int argc, char **argv, struct errmsg *msg)
{
	struct getopt_view view = view_make(table);
	int code, err = 0;
	optind = 0; /* glibc: start over, forget an earlier scan */
	opterr = 0;
	while (err == 0) {
		int at = optind ? optind : 1;
		code = getopt_long(argc, argv, view.shorts, view.longs, NULL);
		if (code == -1)
			break;
		/* Permutation moves words, but the one just read is before
		 * optind unless it is a letter in the middle of a cluster. */
		const char *word = optind > at ? argv[optind - 1] : argv[at];
		err = option_take(values, table, code, word, msg);
	}
	view_fini(&view);
	if (err)
		return err;
	values->operand_count = (size_t)(argc - optind);
	values->operands =
	    xcalloc(values->operand_count + 1, sizeof(*values->operands));
	for (size_t i = 0; i < values->operand_count; i++)
		values->operands[i] = argv[optind + (int)i];
	for (size_t i = 0; i < option_row_count(table->rows); i++) {
		err = option_value_default(
		    &values->values[i], &table->rows[i], msg);
		if (err) {
			err_prefix(msg, "--%s: default", table->rows[i].name);
			return err;
		}
	}
	return values->help ? 0 : operands_check(values, table, msg);
}

int option_parse(struct option_values **values,
    const struct option_table *table, int argc, char **argv, struct errmsg *msg)
{
	struct option_values *v = xcalloc(1, sizeof(*v));
	v->rows = table->rows;
	v->values = xcalloc(option_row_count(v->rows), sizeof(*v->values));
	int err = parse_all(v, table, argc, argv, msg);
	if (err) {
		option_free(v);
		v = NULL;
	}
	*values = v;
	return err;
}

void option_free(struct option_values *values)
{
	if (!values)
		return;
	for (size_t i = 0; i < option_row_count(values->rows); i++)
		option_value_fini(&values->values[i]);
	free(values->values);
	free(values->operands);
	free(values);
}

bool option_help_asked(const struct option_values *values)
{
	return values->help;
}

bool option_given(const struct option_values *values, const char *name)
{
	for (size_t i = 0; values->rows && values->rows[i].name; i++)
		if (strcmp(values->rows[i].name, name) == 0)
			return values->values[i].given;
	BUG("no option '%s' in the table", name);
}

static const struct option_value *find_value(
    const struct option_values *values, const char *name, enum option_type type)
{
	return option_value_of(values->values, values->rows, name, type);
}

bool option_flag(const struct option_values *values, const char *name)
{
	return find_value(values, name, OPTION_FLAG)->integer != 0;
}

int64_t option_integer(const struct option_values *values, const char *name)
{
	return find_value(values, name, OPTION_INTEGER)->integer;
}

int64_t option_tos(const struct option_values *values, const char *name)
{
	return find_value(values, name, OPTION_TOS)->integer;
}

double option_number(const struct option_values *values, const char *name)
{
	return find_value(values, name, OPTION_NUMBER)->number;
}

int64_t option_duration_ns(const struct option_values *values, const char *name)
{
	return find_value(values, name, OPTION_DURATION)->integer;
}

uint64_t option_size(const struct option_values *values, const char *name)
{
	return find_value(values, name, OPTION_SIZE)->size;
}

const char *option_text(const struct option_values *values, const char *name)
{
	return find_value(values, name, OPTION_TEXT)->text;
}

const char *option_written(const struct option_values *values, const char *name)
{
	for (size_t i = 0; values->rows && values->rows[i].name; i++)
		if (strcmp(values->rows[i].name, name) == 0)
			return values->values[i].text;
	BUG("no option '%s' in the table", name);
}

size_t option_list(const struct option_values *values, const char *name,
    const char *const **items)
{
	const struct option_value *v = find_value(values, name, OPTION_LIST);
	*items = (const char *const *)v->items;
	return v->item_count;
}

size_t option_operands(
    const struct option_values *values, const char *const **operands)
{
	*operands = values->operands;
	return values->operand_count;
}
