/* SPDX-License-Identifier: ISC */
/*
 * Shell completion from the same tables.  A table whose program is "sonde
 * trace" completes the options of the subcommand `trace` of `sonde`; one
 * without a second word completes the program's own.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/option/option-value.h"
#include "lib/base/xalloc.h"

struct completion_tables {
	const struct option_table *const *all;
	size_t count;
};

static const char *subcommand(const struct option_table *table)
{
	const char *space = strchr(table->program, ' ');
	return space ? space + 1 : NULL;
}

static size_t program_len(const struct option_table *table)
{
	return strcspn(table->program, " ");
}

static bool same_program(
    const struct option_table *a, const struct option_table *b)
{
	size_t n = program_len(a);
	return n == program_len(b) && memcmp(a->program, b->program, n) == 0;
}

/* Does the program of table i come up there first? */
static bool is_first(const struct completion_tables *t, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (same_program(t->all[i], t->all[j]))
			return false;
	return true;
}

/* Text inside single quotes; also drops what _arguments gives a meaning. */
static void quoted(struct buf *to, const char *text)
{
	for (; text && *text; text++)
		if (*text == '\'')
			buf_printf(to, "'\\''");
		else if (!strchr("[]:\\\n", *text))
			buf_u8(to, (uint8_t)*text);
		else
			buf_u8(to, ' ');
}

static bool takes_path(const struct option_row *row)
{
	return row->argument &&
	    (strstr(row->argument, "FILE") || strstr(row->argument, "DIR") ||
		strstr(row->argument, "PATH"));
}

static void words_of_choices(struct buf *to, const char *choices)
{
	for (; choices && *choices; choices++)
		buf_u8(to, *choices == '|' ? ' ' : (uint8_t)*choices);
}

static void identifier(struct buf *to, const struct option_table *table)
{
	buf_u8(to, '_');
	for (size_t i = 0; i < program_len(table); i++)
		buf_u8(to,
		    table->program[i] == '-' ? '_'
					     : (uint8_t)table->program[i]);
}

static void bash_words(struct buf *to, const struct option_table *table)
{
	for (const struct option_row *row = table->rows; row && row->name;
	     row++)
		buf_printf(to, "--%s ", row->name);
	buf_printf(to, "--help");
}

static void bash_values(
    struct buf *to, const struct option_table *table, const char *sub)
{
	for (const struct option_row *row = table->rows; row && row->name;
	     row++) {
		if (row->type == OPTION_FLAG)
			continue;
		buf_printf(to, "\t'%s --%s'", sub, row->name);
		if (row->letter)
			buf_printf(to, "|'%s -%c'", sub, row->letter);
		buf_printf(to, ") words='");
		words_of_choices(to, row->choices);
		buf_printf(to, "'; [ -n \"$words\" ] || return ;;\n");
	}
}

static void bash_program(struct buf *to, const struct completion_tables *t,
    const struct option_table *first)
{
	struct buf name = { 0 }, subs = { 0 }, cases = { 0 }, values = { 0 };
	identifier(&name, first);
	buf_u8(&name, 0);
	for (size_t i = 0; i < t->count; i++) {
		const struct option_table *table = t->all[i];
		const char *sub = subcommand(table);
		if (!same_program(table, first))
			continue;
		bash_values(&values, table, sub ? sub : "");
		if (sub)
			buf_printf(&subs, "%s ", sub);
		if (sub)
			buf_printf(&cases, "\t%s) words='", sub);
		else
			buf_printf(&cases, "\t'') words=\"$words ");
		bash_words(&cases, table);
		buf_printf(&cases, sub ? "' ;;\n" : "\" ;;\n");
	}
	buf_u8(&subs, 0);
	buf_u8(&cases, 0);
	buf_u8(&values, 0);
	buf_printf(to,
	    "%s() {\n"
	    "\tlocal cur=${COMP_WORDS[COMP_CWORD]} sub='' words='%s'\n"
	    "\tlocal prev=${COMP_WORDS[COMP_CWORD-1]}\n"
	    "\tCOMPREPLY=()\n"
	    "\tif [ \"$COMP_CWORD\" -gt 1 ]; then\n"
	    "\t\tcase \" $words \" in\n"
	    "\t\t*\" ${COMP_WORDS[1]} \"*) sub=${COMP_WORDS[1]} ;;\n"
	    "\t\tesac\n"
	    "\tfi\n"
	    "\tcase \"$sub $prev\" in\n%s"
	    "\t*)\n\tcase \"$sub\" in\n%s\tesac ;;\n\tesac\n"
	    "\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
	    "}\ncomplete -o default -F %s %.*s\n",
	    (char *)name.data, (char *)subs.data, (char *)values.data,
	    (char *)cases.data, (char *)name.data, (int)program_len(first),
	    first->program);
	buf_fini(&name);
	buf_fini(&subs);
	buf_fini(&cases);
	buf_fini(&values);
}

static void zsh_row(struct buf *to, const struct option_row *row)
{
	buf_printf(to, " \\\n\t\t'%s--%s[", row->type == OPTION_LIST ? "*" : "",
	    row->name);
	quoted(to, row->help);
	buf_u8(to, ']');
	if (row->type != OPTION_FLAG) {
		buf_u8(to, ':');
		quoted(to, row->argument ? row->argument : row->name);
		buf_u8(to, ':');
		if (row->choices) {
			buf_u8(to, '(');
			words_of_choices(to, row->choices);
			buf_u8(to, ')');
		} else if (takes_path(row)) {
			buf_printf(to, "_files");
		} else {
			buf_u8(to, ' ');
		}
	}
	buf_u8(to, '\'');
}

static void zsh_arguments(struct buf *to, const struct option_table *table)
{
	buf_printf(to, "_arguments");
	for (const struct option_row *row = table->rows; row && row->name;
	     row++)
		zsh_row(to, row);
	buf_printf(to, " \\\n\t\t'--help[this text]' '*:operand:_files'");
}

static void zsh_program(struct buf *to, const struct completion_tables *t,
    const struct option_table *first)
{
	struct buf cases = { 0 }, subs = { 0 }, own = { 0 };
	for (size_t i = 0; i < t->count; i++) {
		const struct option_table *table = t->all[i];
		const char *sub = subcommand(table);
		if (!same_program(table, first))
			continue;
		if (!sub) {
			zsh_arguments(&own, table);
			continue;
		}
		buf_printf(&subs, "\t\t'%s:", sub);
		quoted(&subs, table->summary);
		buf_printf(&subs, "'\n");
		buf_printf(
		    &cases, "\t%s) shift words; (( CURRENT-- ))\n\t\t", sub);
		zsh_arguments(&cases, table);
		buf_printf(&cases, " ;;\n");
	}
	buf_u8(&subs, 0);
	buf_u8(&cases, 0);
	buf_u8(&own, 0);
	buf_printf(
	    to, "#compdef %.*s\n", (int)program_len(first), first->program);
	identifier(to, first);
	buf_printf(to,
	    "() {\n"
	    "\tlocal -a commands\n"
	    "\tcommands=(\n%s\t)\n"
	    "\tif (( CURRENT == 2 && $#commands )); then\n"
	    "\t\t_describe command commands\n"
	    "\t\treturn\n"
	    "\tfi\n"
	    "\tcase $words[2] in\n%s"
	    "\t*) %s ;;\n"
	    "\tesac\n"
	    "}\ncompdef ",
	    (char *)subs.data, (char *)cases.data,
	    own.len > 1 ? (char *)own.data : "_files");
	identifier(to, first);
	buf_printf(to, " %.*s\n", (int)program_len(first), first->program);
	buf_fini(&cases);
	buf_fini(&subs);
	buf_fini(&own);
}

static void fish_rows(struct buf *to, const struct option_table *table)
{
	int n = (int)program_len(table);
	const char *sub = subcommand(table);
	for (const struct option_row *row = table->rows; row && row->name;
	     row++) {
		buf_printf(to, "complete -c %.*s", n, table->program);
		if (sub)
			buf_printf(
			    to, " -n '__fish_seen_subcommand_from %s'", sub);
		buf_printf(to, " -l %s", row->name);
		if (row->letter)
			buf_printf(to, " -s %c", row->letter);
		if (row->type != OPTION_FLAG)
			buf_printf(to, takes_path(row) ? " -r" : " -x");
		if (row->choices) {
			buf_printf(to, " -a '");
			words_of_choices(to, row->choices);
			buf_u8(to, '\'');
		}
		buf_printf(to, " -d '");
		quoted(to, row->help);
		buf_printf(to, "'\n");
	}
}

static void fish_table(struct buf *to, const struct option_table *table)
{
	const char *sub = subcommand(table);
	if (sub) {
		buf_printf(to,
		    "complete -c %.*s -n __fish_use_subcommand "
		    "-a %s -d '",
		    (int)program_len(table), table->program, sub);
		quoted(to, table->summary);
		buf_printf(to, "'\n");
	}
	fish_rows(to, table);
}

char *option_completion(
    const struct option_table *const *tables, size_t count, const char *shell)
{
	struct completion_tables t = { tables, count };
	struct buf b = { 0 };
	bool bash = strcmp(shell, "bash") == 0, zsh = strcmp(shell, "zsh") == 0;
	if (!bash && !zsh && strcmp(shell, "fish") != 0)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		if (!bash && !zsh)
			fish_table(&b, tables[i]);
		else if (is_first(&t, i) && bash)
			bash_program(&b, &t, tables[i]);
		else if (is_first(&t, i))
			zsh_program(&b, &t, tables[i]);
	}
	buf_u8(&b, 0);
	return (char *)b.data;
}
