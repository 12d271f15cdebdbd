/* SPDX-License-Identifier: ISC */
/*
 * A script's description of itself.  It is a Lua table, so only a sandboxed
 * child looks at it and passes it on as bytes; the parent reads these as
 * hostile.
 *
 *   text: length be16, octets            number: as text, "" for none
 *   summary | examples | operand type | operand name | min | max |
 *   count be16 | options: name, letter, type, argument, choices, min, max,
 *   default given u8, default, help | count be16 | fields: name, type, help |
 *   count be16 | tables: name, help, count be16, columns: name, type, of,
 *   unit, help, low, high, probability, key u8
 */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/option/option-value.h"
#include "lib/base/reader.h"
#include "lib/base/vec.h"
#include "lib/base/xalloc.h"
#include "probes/script/header.h"

#define OPTIONS_MAX 64
#define FIELDS_MAX 128
#define TEXT_MAX 2000

static const struct {
	const char *name;
	enum option_type type;
} types[] = {
	{ "flag", OPTION_FLAG },
	{ "integer", OPTION_INTEGER },
	{ "number", OPTION_NUMBER },
	{ "text", OPTION_TEXT },
	{ "choice", OPTION_CHOICE },
	{ "duration", OPTION_DURATION },
	{ "size", OPTION_SIZE },
	{ "tos", OPTION_TOS },
	{ "address", OPTION_ADDRESS },
	{ "prefix", OPTION_PREFIX },
	{ "list", OPTION_LIST },
};

static const char *const field_types[] = { "integer", "number", "boolean",
	"text", "address", "octets" };

/* The writing half: errors are Lua errors. */

struct header_writer {
	lua_State *L;
	struct buf *to;
};

static void write_text(
    const struct header_writer *w, const char *text, size_t len)
{
	if (len > TEXT_MAX)
		luaL_error(
		    w->L, "header: a text is longer than %d octets", TEXT_MAX);
	buf_be16(w->to, (uint16_t)len);
	buf_bytes(w->to, text, len);
}

/* The field of the table on top as text; missing is "". */
static void write_field(const struct header_writer *w, const char *name)
{
	size_t len = 0;
	const char *text = "";
	int type = lua_getfield(w->L, -1, name);
	if (type == LUA_TSTRING || type == LUA_TNUMBER)
		text = lua_tolstring(w->L, -1, &len);
	else if (type != LUA_TNIL)
		luaL_error(w->L,
		    "header: %s: expected text or a number, got "
		    "%s",
		    name, lua_typename(w->L, type));
	write_text(w, text, len);
	lua_pop(w->L, 1);
}

/* A list of lines. */
static void write_lines(const struct header_writer *w, const char *name)
{
	luaL_Buffer b;
	int type = lua_getfield(w->L, -1, name);
	if (type != LUA_TTABLE && type != LUA_TNIL)
		luaL_error(w->L, "header: %s: expected a list", name);
	int list = lua_gettop(w->L);
	luaL_buffinit(w->L, &b);
	for (int i = 1; type == LUA_TTABLE && i <= 16; i++) {
		if (lua_rawgeti(w->L, list, i) != LUA_TSTRING) {
			lua_pop(w->L, 1);
			break;
		}
		luaL_addvalue(&b);
		luaL_addchar(&b, '\n');
	}
	luaL_pushresult(&b);
	size_t len;
	const char *text = lua_tolstring(w->L, -1, &len);
	write_text(w, text, len);
	lua_pop(w->L, 2);
}

static void write_option(const struct header_writer *w)
{
	static const char *const before[] = { "name", "letter", "type",
		"argument", "choices", "min", "max" };
	for (size_t i = 0; i < sizeof(before) / sizeof(*before); i++)
		write_field(w, before[i]);
	buf_u8(w->to, lua_getfield(w->L, -1, "default") != LUA_TNIL);
	lua_pop(w->L, 1);
	write_field(w, "default");
	write_field(w, "help");
}

static void write_result_field(const struct header_writer *w)
{
	write_field(w, "name");
	write_field(w, "type");
	write_field(w, "help");
}

static void write_column(const struct header_writer *w)
{
	static const char *const texts[] = { "name", "type", "of", "unit",
		"help", "low", "high", "probability" };
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		write_field(w, texts[i]);
	lua_getfield(w->L, -1, "key");
	buf_u8(w->to, lua_toboolean(w->L, -1) != 0);
	lua_pop(w->L, 1);
}

static void write_list(const struct header_writer *w, const char *name,
    size_t max, void (*write)(const struct header_writer *w))
{
	int type = lua_getfield(w->L, -1, name);
	if (type != LUA_TTABLE && type != LUA_TNIL)
		luaL_error(w->L, "header: %s: expected a list", name);
	size_t count = type == LUA_TTABLE ? lua_rawlen(w->L, -1) : 0;
	if (count > max)
		luaL_error(w->L, "header: %s: more than %d", name, (int)max);
	buf_be16(w->to, (uint16_t)count);
	for (size_t i = 1; i <= count; i++) {
		if (lua_rawgeti(w->L, -1, (lua_Integer)i) != LUA_TTABLE)
			luaL_error(w->L, "header: %s: %d: expected a table",
			    name, (int)i);
		write(w);
		lua_pop(w->L, 1);
	}
	lua_pop(w->L, 1);
}

static void write_table(const struct header_writer *w)
{
	write_field(w, "name");
	write_field(w, "help");
	write_list(w, "columns", RESULT_COLUMNS_MAX, write_column);
}

static int write_all_fields(lua_State *L)
{
	struct header_writer w = { L, lua_touserdata(L, 2) };
	lua_settop(L, 1);
	if (!lua_istable(L, 1))
		return luaL_error(L,
		    "expected a script that returns a table, "
		    "got %s",
		    luaL_typename(L, 1));
	if (lua_getfield(L, 1, "run") != LUA_TFUNCTION)
		return luaL_error(L, "header: run: expected a function");
	lua_pop(L, 1);
	write_field(&w, "summary");
	write_lines(&w, "examples");
	if (lua_getfield(L, 1, "operands") != LUA_TTABLE) {
		lua_pop(L, 1);
		lua_newtable(L);
		lua_pushinteger(L, 0);
		lua_setfield(L, -2, "max");
	}
	write_field(&w, "type");
	write_field(&w, "name");
	write_field(&w, "min");
	write_field(&w, "max");
	lua_pop(L, 1);
	write_list(&w, "options", OPTIONS_MAX, write_option);
	write_list(&w, "fields", FIELDS_MAX, write_result_field);
	write_list(&w, "tables", RESULT_TABLES_MAX, write_table);
	return 0;
}

int header_write(lua_State *L, struct buf *to, struct errmsg *msg)
{
	lua_pushcfunction(L, write_all_fields);
	lua_insert(L, -2);
	lua_pushlightuserdata(L, to);
	if (lua_pcall(L, 2, 0, 0) == LUA_OK)
		return 0;
	return err_set(msg, ERR_MALFORMED, "%s", lua_tostring(L, -1));
}

/* The reading half. */

struct heading {
	struct script *script;
	struct reader r;
	struct errmsg *msg;
};

static int bad(struct heading *h, const char *what)
{
	return err_set(h->msg, ERR_MALFORMED, "header: %s", what);
}

static char *keep_string(struct script *s, char *text)
{
	VEC_ROOM(s->strings, s->string_count);
	return s->strings[s->string_count++] = text;
}

/* One text without control characters (a newline where lines are meant). */
static char *read_text(struct heading *h, bool lines)
{
	size_t len = reader_be16(&h->r);
	if (len > TEXT_MAX)
		reader_fail(&h->r, ERR_LIMIT);
	const uint8_t *bytes = reader_bytes(&h->r, len);
	char *text = keep_string(h->script,
	    bytes ? xstrndup((const char *)bytes, len) : xstrdup(""));
	for (char *c = text; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			if (*c != '\n' || !lines)
				*c = ' ';
	return text;
}

static bool read_number(struct heading *h, double *to, double fallback)
{
	char *end, *text = read_text(h, false);
	*to = *text ? strtod(text, &end) : fallback;
	return !*text || (*end == '\0' && isfinite(*to));
}

static bool is_name(const char *name)
{
	if (!islower((unsigned char)*name) || strlen(name) > 32)
		return false;
	for (; *name; name++)
		if (!islower((unsigned char)*name) &&
		    !isdigit((unsigned char)*name) && *name != '-' &&
		    *name != '_')
			return false;
	return true;
}

static bool is_taken(
    const struct option_row *rows, size_t count, const struct option_row *row)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(rows[i].name, row->name) == 0 ||
		    (row->letter && rows[i].letter == row->letter))
			return true;
	return strcmp(row->name, "help") == 0 || row->letter == 'h';
}

static int read_type(struct heading *h, struct option_row *row)
{
	const char *type = read_text(h, false);
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (strcmp(types[i].name, type) == 0) {
			row->type = types[i].type;
			return 0;
		}
	return bad(h,
	    "options: type: expected flag, integer, number, text, "
	    "choice, duration, size, tos, address, prefix or list");
}

static int read_option(struct heading *h, struct option_row *row)
{
	row->name = read_text(h, false);
	const char *letter = read_text(h, false);
	row->letter = *letter;
	int err = read_type(h, row);
	/* Whoever writes a script, --tos EF means the same. */
	if (row->type == OPTION_INTEGER && strcmp(row->name, "tos") == 0)
		row->type = OPTION_TOS;
	row->argument = read_text(h, false);
	row->choices = read_text(h, false);
	bool numbers = read_number(h, &row->min, 0);
	numbers = read_number(h, &row->max, 0) && numbers;
	bool given = reader_u8(&h->r);
	row->fallback = read_text(h, false);
	if (!given)
		row->fallback = NULL;
	row->help = read_text(h, false);
	if (h->r.err)
		return err_set(h->msg, h->r.err, "header: options");
	if (err)
		return err;
	if (!*row->argument)
		row->argument = NULL;
	if (!is_name(row->name) || strchr(row->name, '_'))
		return bad(h,
		    "options: name: expected lower-case letters, "
		    "digits and '-'");
	if (*letter && (letter[1] || !isalnum((unsigned char)*letter)))
		return bad(h, "options: letter: expected one letter");
	if (!numbers)
		return bad(h, "options: min, max: expected numbers");
	if (row->type == OPTION_CHOICE && !*row->choices)
		return bad(h, "options: a choice needs choices, \"a|b\"");
	struct option_value value = { 0 };
	err = option_value_default(&value, row, h->msg);
	if (err)
		err_prefix(h->msg, "header: --%s: default", row->name);
	option_value_fini(&value);
	return err;
}

static int read_options(struct heading *h)
{
	size_t count = reader_be16(&h->r);
	if (count > OPTIONS_MAX)
		return bad(h, "too many options");
	struct option_row *rows = xcalloc(count + 1, sizeof(*rows));
	h->script->options.rows = rows;
	for (size_t i = 0; i < count; i++) {
		struct option_row row = { 0 };
		int err = read_option(h, &row);
		if (!err && is_taken(rows, i, &row))
			err = bad(h,
			    "options: a name or letter is there "
			    "twice");
		if (err)
			return err;
		rows[i] = row;
	}
	return 0;
}

static int read_fields(struct heading *h)
{
	size_t count = reader_be16(&h->r);
	if (count > FIELDS_MAX)
		return bad(h, "too many fields");
	struct script *s = h->script;
	s->fields = xcalloc(count + 1, sizeof(*s->fields));
	for (size_t i = 0; i < count; i++) {
		struct script_field *f = &s->fields[i];
		f->name = read_text(h, false);
		f->type = read_text(h, false);
		f->help = read_text(h, false);
		bool known = false;
		for (size_t k = 0; k < 6; k++)
			known = known || !strcmp(f->type, field_types[k]);
		if (!known || !is_name(f->name))
			return bad(h,
			    "fields: expected a name of lower-case "
			    "letters, digits and '_', and a type: "
			    "integer, number, boolean, text, "
			    "address or octets");
	}
	s->field_count = count;
	return 0;
}

static int read_column_type(
    struct heading *h, column_type *type, const char *text)
{
	if (!*text || column_type_find(type, text))
		return 0;
	return err_set(h->msg, ERR_MALFORMED,
	    "header: tables: type: expected integer, number, boolean, text, "
	    "address, prefix, octets, time, duration, rate or list, got "
	    "'%.40s'",
	    text);
}

static Sonde__ResultColumn *read_column(
    struct heading *h, struct arena *arena, int *err)
{
	Sonde__ResultColumn *column = arena_alloc(arena, sizeof(*column));
	sonde__result_column__init(column);
	column->name = read_text(h, false);
	const char *type = read_text(h, false), *of = read_text(h, false);
	column->unit = read_text(h, false);
	column->help = read_text(h, false);
	column->low = read_text(h, false);
	column->high = read_text(h, false);
	column->probability = read_text(h, false);
	column->key = reader_u8(&h->r) != 0;
	if (!*err)
		*err = read_column_type(h, &column->type, type);
	if (!*err)
		*err = read_column_type(h, &column->element, of);
	return column;
}

static Sonde__ResultTable *read_table(
    struct heading *h, struct arena *arena, int *err)
{
	Sonde__ResultTable *table = arena_alloc(arena, sizeof(*table));
	sonde__result_table__init(table);
	table->name = read_text(h, false);
	table->help = read_text(h, false);
	size_t count = reader_be16(&h->r);
	if (count > RESULT_COLUMNS_MAX) {
		*err = bad(h, "too many columns");
		return table;
	}
	table->columns =
	    arena_alloc(arena, (count + 1) * sizeof(Sonde__ResultColumn *));
	while (table->n_columns < count && !h->r.err)
		table->columns[table->n_columns++] = read_column(h, arena, err);
	return table;
}

/* Tables, and their columns, are checked as those of any schema are. */
static int read_tables(struct heading *h)
{
	size_t count = reader_be16(&h->r);
	struct arena arena = { 0 };
	Sonde__ResultSchema schema = SONDE__RESULT_SCHEMA__INIT;
	Sonde__ResultTable *tables[RESULT_TABLES_MAX];
	int err = 0;
	if (count > RESULT_TABLES_MAX)
		return bad(h, "too many tables");
	if (count == 0 || h->r.err)
		return 0;
	schema.script = h->script->name;
	schema.tables = tables;
	while (schema.n_tables < count && !err && !h->r.err)
		tables[schema.n_tables++] = read_table(h, &arena, &err);
	if (!err && !h->r.err) {
		err = result_schema_new(&h->script->results, &schema, h->msg);
		if (err)
			err_prefix(h->msg, "header");
	}
	arena_fini(&arena);
	return err;
}

static char *synopsis(struct script *s, const char *name)
{
	const struct option_table *t = &s->options;
	if (t->operands_max == 0)
		return keep_string(s, xstrdup("[OPTION...]"));
	return keep_string(s,
	    xasprintf("[OPTION...] %s%s%s%s", t->operands_min == 0 ? "[" : "",
		name, t->operands_max != 1 ? "..." : "",
		t->operands_min == 0 ? "]" : ""));
}

static int read_operands(struct heading *h)
{
	struct option_table *t = &h->script->options;
	const char *type = read_text(h, false);
	const char *name = read_text(h, false);
	double min, max;
	bool numbers = read_number(h, &min, 0);
	numbers = read_number(h, &max, -1) && numbers;
	if (!numbers || min < 0 || min > 1e6 || max > 1e6 ||
	    (max >= 0 && max < min))
		return bad(h, "operands: min, max: expected counts");
	if (*type && strcmp(type, "host") != 0 && strcmp(type, "text") != 0)
		return bad(h, "operands: type: expected host or text");
	t->operands_min = (int)min;
	t->operands_max = max < 0 ? -1 : (int)max;
	h->script->operands_are_hosts = strcmp(type, "host") == 0;
	t->synopsis = synopsis(h->script,
	    *name                               ? name
		: h->script->operands_are_hosts ? "HOST"
						: "WORD");
	return 0;
}

int header_read(
    struct script *script, const uint8_t *bytes, size_t len, struct errmsg *msg)
{
	struct heading h = { script, reader_init(bytes, len), msg };
	script->options.summary = read_text(&h, false);
	script->options.examples = read_text(&h, true);
	int err = read_operands(&h);
	if (err < 0)
		return err;
	err = read_options(&h);
	if (err < 0)
		return err;
	err = read_fields(&h);
	if (err < 0)
		return err;
	err = read_tables(&h);
	if (err < 0)
		return err;
	if (script->results && script->field_count)
		err = bad(&h, "fields and tables: give one of them");
	if (err < 0)
		return err;
	if (h.r.err)
		return err_set(msg, h.r.err, "header: %s", err_str(h.r.err));
	return 0;
}
