/* SPDX-License-Identifier: ISC */
/*
 * The options that every measurement has, joined with a script's own: one
 * table for parsing, help and completion.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/option/option-value.h"
#include "lib/base/xalloc.h"
#include "probes/cli/measure.h"

const struct option_row measure_rows[] = {
	{ .name = "json",
	    .type = OPTION_FLAG,
	    .help = "one JSON object a line, schema sonde-record/1" },
	{ .name = "csv",
	    .type = OPTION_FLAG,
	    .help = "rows for a spreadsheet" },
	{ .name = "table",
	    .type = OPTION_TEXT,
	    .argument = "NAME",
	    .help = "of a script with tables, only this one" },
	{ .name = "format",
	    .type = OPTION_TEXT,
	    .argument = "NAME",
	    .help = "another format: `sonde help formats` lists them" },
	{ .name = "file",
	    .letter = 'f',
	    .type = OPTION_TEXT,
	    .argument = "FILE",
	    .help = "read hosts from FILE too ('-': standard input)" },
	{ .name = "ipv4",
	    .letter = '4',
	    .type = OPTION_FLAG,
	    .help = "only IPv4 addresses of names" },
	{ .name = "ipv6",
	    .letter = '6',
	    .type = OPTION_FLAG,
	    .help = "only IPv6 addresses of names" },
	{ .name = "both",
	    .type = OPTION_FLAG,
	    .help = "of each name an IPv4 and an IPv6 address" },
	{ .name = "all",
	    .type = OPTION_FLAG,
	    .help = "all addresses of each name" },
	{ .name = "net",
	    .type = OPTION_TEXT,
	    .argument = "NAME[:SPEC]",
	    .fallback = "live",
	    .help =
		"the network: live, or sim:FILE[@VANTAGE,...] (sonde-sim(5))" },
	{ .name = "interface",
	    .type = OPTION_TEXT,
	    .argument = "NAME",
	    .help = "the device that probes leave by; the route's" },
	{ .name = "source",
	    .type = OPTION_LIST,
	    .argument = "ADDRESS",
	    .help = "the address of this host that they leave from" },
	{ .name = "mark",
	    .type = OPTION_TEXT,
	    .argument = "N",
	    .help = "the mark that rules of routing see on them" },
	{ .name = "policy",
	    .type = OPTION_TEXT,
	    .argument = "FILE",
	    .help = "what may be sent (sonde-policy(5))" },
	{ .name = "deadline",
	    .type = OPTION_DURATION,
	    .argument = "TIME",
	    .min = NS_PER_S / 10.0,
	    .max = 86400.0 * NS_PER_S,
	    .fallback = "1h",
	    .help = "stop the script then" },
	{ .name = "allow-weak-sandbox",
	    .type = OPTION_FLAG,
	    .help = "run although a layer of the sandbox is missing" },
	{ .name = "verbose",
	    .letter = 'v',
	    .type = OPTION_FLAG,
	    .help = "print what is opened, resolved, denied, and which clocks "
		    "are used" },
	{ .name = NULL },
};

static bool is_common(const char *name)
{
	for (const struct option_row *r = measure_rows; r->name; r++)
		if (strcmp(r->name, name) == 0)
			return true;
	return false;
}

bool measure_row_is_common(const struct script *script, const char *name)
{
	const struct option_row *r = script->options.rows;
	for (; r && r->name; r++)
		if (strcmp(r->name, name) == 0)
			return false;
	return is_common(name);
}

static void table_add(
    struct option_row *rows, size_t *count, const struct option_row *row)
{
	struct option_row copy = *row;
	for (size_t i = 0; i < *count; i++) {
		if (strcmp(rows[i].name, row->name) == 0)
			return;
		if (rows[i].letter == row->letter)
			copy.letter = 0;
	}
	rows[(*count)++] = copy;
}

struct option_table *measure_table(const struct script *script)
{
	size_t own = option_row_count(script->options.rows), count = 0;
	struct option_row *rows =
	    xcalloc(own + option_row_count(measure_rows) + 1, sizeof(*rows));
	for (size_t i = 0; i < own; i++)
		table_add(rows, &count, &script->options.rows[i]);
	for (const struct option_row *r = measure_rows; r->name; r++)
		if (script->operands_are_hosts ||
		    (strcmp(r->name, "file") != 0 &&
			strcmp(r->name, "both") != 0 &&
			strcmp(r->name, "all") != 0 &&
			strncmp(r->name, "ipv", 3) != 0))
			table_add(rows, &count, r);
	struct option_table *t = xmemdup(&script->options, sizeof(*t));
	t->rows = rows;
	return t;
}

void measure_table_free(struct option_table *table)
{
	if (table)
		free((void *)table->rows);
	free(table);
}

/* Does this word, an option, take the next word as its value? */
static bool takes_value(const char *word)
{
	for (const struct option_row *r = measure_rows; r->name; r++)
		if (r->type != OPTION_FLAG &&
		    ((word[1] == '-' && strcmp(word + 2, r->name) == 0) ||
			(r->letter && word[1] == r->letter && !word[2])))
			return true;
	return false;
}

bool measure_option_is_common(const char *word)
{
	const struct option_row *r = measure_rows;
	size_t len = strcspn(word, "=");
	for (; r->name; r++)
		if ((strlen(r->name) + 2 == len &&
			strncmp(word, "--", 2) == 0 &&
			strncmp(word + 2, r->name, len - 2) == 0) ||
		    (r->letter && word[0] == '-' && word[1] == r->letter))
			return true;
	return false;
}

int measure_reorder(int argc, char **argv)
{
	int at = 1;
	while (at < argc && argv[at][0] == '-' && argv[at][1] &&
	    (argv[at][1] != '-' || is_common(argv[at] + 2) ||
		strchr(argv[at], '=')))
		at += takes_value(argv[at]) ? 2 : 1;
	if (at >= argc)
		return argc;
	char *word = argv[at];
	memmove(&argv[2], &argv[1], (size_t)(at - 1) * sizeof(*argv));
	argv[1] = word;
	return 1;
}
