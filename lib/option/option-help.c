/* SPDX-License-Identifier: ISC */
/*
 * The table as text for people and for shells: --help with the examples
 * first, and completion scripts for bash, zsh and fish.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/option/option-value.h"
#include "lib/base/xalloc.h"

enum { HELP_WIDTH = 79, HELP_COLUMN = 26 };

static char *buf_text(struct buf *b)
{
	buf_u8(b, 0);
	return (char *)b->data;
}

/* Words of text from HELP_COLUMN on, broken before HELP_WIDTH. */
static void help_wrap(struct buf *to, const char *text)
{
	size_t column = HELP_COLUMN;
	while (*text) {
		size_t n = strcspn(text, " ");
		if (column > HELP_COLUMN && column + 1 + n > HELP_WIDTH) {
			buf_printf(to, "\n%*s", HELP_COLUMN, "");
			column = HELP_COLUMN;
		} else if (column > HELP_COLUMN) {
			buf_u8(to, ' ');
			column++;
		}
		buf_bytes(to, text, n);
		column += n;
		text += n + strspn(text + n, " ");
	}
	buf_u8(to, '\n');
}

static void help_line(struct buf *to, const char *left, const char *right)
{
	if (strlen(left) > HELP_COLUMN - 4)
		buf_printf(to, "  %s\n%*s", left, HELP_COLUMN, "");
	else
		buf_printf(to, "  %-*s", HELP_COLUMN - 2, left);
	help_wrap(to, right);
}

static const char *row_argument(const struct option_row *row)
{
	static const char *const names[] = {
		[OPTION_FLAG] = NULL,
		[OPTION_INTEGER] = "N",
		[OPTION_NUMBER] = "X",
		[OPTION_TEXT] = "TEXT",
		[OPTION_CHOICE] = NULL,
		[OPTION_DURATION] = "TIME",
		[OPTION_SIZE] = "SIZE",
		[OPTION_TOS] = "TOS",
		[OPTION_ADDRESS] = "ADDRESS",
		[OPTION_PREFIX] = "PREFIX",
		[OPTION_LIST] = "TEXT",
	};
	if (row->type == OPTION_FLAG)
		return NULL;
	if (row->argument)
		return row->argument;
	return row->type == OPTION_CHOICE ? row->choices : names[row->type];
}

static void help_row(struct buf *to, const struct option_row *row)
{
	struct buf left = { 0 }, right = { 0 };
	char range[96];
	const char *argument = row_argument(row);
	if (row->letter)
		buf_printf(&left, "-%c, ", row->letter);
	else
		buf_printf(&left, "    ");
	buf_printf(&left, "--%s", row->name);
	if (argument)
		buf_printf(&left, " %s", argument);
	buf_printf(&right, "%s", row->help ? row->help : "");
	option_range_text(row, range, sizeof(range));
	bool choices = row->type == OPTION_CHOICE && row->argument;
	if (choices)
		buf_printf(&right, " (%s)", row->choices);
	if (range[0])
		buf_printf(&right, " (%s)", range);
	if (row->fallback && row->type != OPTION_FLAG)
		buf_printf(&right, " [%s]", row->fallback);
	if (row->type == OPTION_LIST)
		buf_printf(&right, " (may be given again)");
	help_line(to, buf_text(&left), buf_text(&right));
	buf_fini(&left);
	buf_fini(&right);
}

char *option_help_text(const struct option_table *table)
{
	struct buf b = { 0 };
	buf_printf(&b, "%s: %s\n\n", table->program, table->summary);
	const char *line = table->examples;
	if (line && *line)
		buf_printf(&b, "Examples:\n");
	while (line && *line) {
		size_t n = strcspn(line, "\n");
		if (n)
			buf_printf(&b, "  %.*s\n", (int)n, line);
		line += n + (line[n] == '\n');
	}
	buf_printf(&b, "%sUsage: %s%s%s\n\nOptions:\n",
	    table->examples && *table->examples ? "\n" : "", table->program,
	    table->synopsis ? " " : "", table->synopsis ? table->synopsis : "");
	bool own_help = false, own_h = false;
	for (size_t i = 0; i < option_row_count(table->rows); i++) {
		help_row(&b, &table->rows[i]);
		own_help |= strcmp(table->rows[i].name, "help") == 0;
		own_h |= table->rows[i].letter == 'h';
	}
	if (!own_help)
		help_line(&b, own_h ? "    --help" : "-h, --help", "this text");
	return buf_text(&b);
}
