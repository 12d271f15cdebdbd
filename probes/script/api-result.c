/* SPDX-License-Identifier: ISC */
/*
 * sonde.record("table", {column = value, ...}) for a script that declares
 * tables.  Types are strict, because a column that is a number in one row and
 * a text in the next is of no use to who reads a million of them: the error
 * says where in the script, which table and column, what was expected and
 * what came.
 */
#include "lib/record/result-row.h"
#include <math.h>
#include <string.h>

#include "probes/script/script-api.h"
#include "probes/script/emit.h"

struct row_place {
	lua_State *L;
	const struct result_table *table;
	const struct result_column *column;
};

/* "a text 'abc'", for messages; leaves nothing. */
static const char *value_words(lua_State *L, int at, char *to, size_t len)
{
	switch (lua_type(L, at)) {
	case LUA_TSTRING:
		snprintf(to, len, "text '%.40s'", lua_tostring(L, at));
		break;
	case LUA_TNUMBER:
		if (lua_isinteger(L, at))
			snprintf(to, len, "integer %lld",
			    (long long)lua_tointeger(L, at));
		else
			snprintf(to, len, "number %g", lua_tonumber(L, at));
		break;
	case LUA_TBOOLEAN: snprintf(to, len, "boolean"); break;
	case LUA_TTABLE: snprintf(to, len, "a table"); break;
	case LUA_TNONE:
	case LUA_TNIL: snprintf(to, len, "nothing"); break;
	default: snprintf(to, len, "%s", luaL_typename(L, at));
	}
	for (char *c = to; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
	return to;
}

/* at: the value that came. */
static void wrong_cell(const struct row_place *p, const char *expected, int at)
{
	char got[80];
	luaL_error(p->L, "record: table '%s': column '%s': expected %s, got %s",
	    p->table->name, p->column->name, expected,
	    value_words(p->L, at, got, sizeof(got)));
}

static ProtobufCBinaryData copy_octets(
    lua_State *L, const void *data, size_t len)
{
	uint8_t *copy = record_scratch(L, len);
	memcpy(copy, data, len);
	return (ProtobufCBinaryData){ len, copy };
}

/* Text at `at` as an address (*len stays 0) or a prefix. */
static void fill_place(
    const struct row_place *p, Sonde__Value *to, column_type type, int at)
{
	lua_State *L = p->L;
	struct prefix prefix = { .len = 0 };
	const char *text =
	    lua_type(L, at) == LUA_TSTRING ? lua_tostring(L, at) : "";
	if (type == SONDE__COLUMN_TYPE__COLUMN_ADDRESS) {
		if (addr_parse(&prefix.addr, text) != 0)
			wrong_cell(p, "an address", at);
		to->value_case = SONDE__VALUE__VALUE_ADDRESS;
		to->address =
		    copy_octets(L, prefix.addr.bytes, addr_len(&prefix.addr));
		return;
	}
	if (prefix_parse(&prefix, text, NULL) != 0)
		wrong_cell(p, "a prefix without host bits", at);
	uint8_t octets[17];
	size_t len = addr_len(&prefix.addr);
	memcpy(octets, prefix.addr.bytes, len);
	octets[len] = prefix.len;
	to->value_case = SONDE__VALUE__VALUE_PREFIX;
	to->prefix = copy_octets(L, octets, len + 1);
}

static lua_Integer integer_at(
    const struct row_place *p, const char *expected, int at)
{
	if (!lua_isinteger(p->L, at))
		wrong_cell(p, expected, at);
	return lua_tointeger(p->L, at);
}

static double number_at(const struct row_place *p, const char *expected, int at)
{
	if (lua_type(p->L, at) != LUA_TNUMBER ||
	    !isfinite(lua_tonumber(p->L, at)))
		wrong_cell(p, expected, at);
	return lua_tonumber(p->L, at);
}

static const char *string_at(
    const struct row_place *p, const char *expected, int at, size_t *len)
{
	if (lua_type(p->L, at) != LUA_TSTRING)
		wrong_cell(p, expected, at);
	return lua_tolstring(p->L, at, len);
}

static void fill_value(
    const struct row_place *p, Sonde__Value *to, column_type type, int at)
{
	size_t len;
	const char *text;
	switch (type) {
	case SONDE__COLUMN_TYPE__COLUMN_INTEGER:
		to->value_case = SONDE__VALUE__VALUE_INTEGER;
		to->integer = integer_at(p, "integer", at);
		break;
	case SONDE__COLUMN_TYPE__COLUMN_TIME:
		to->value_case = SONDE__VALUE__VALUE_TIME_NS;
		to->time_ns = integer_at(p, "time (integer of ns)", at);
		break;
	case SONDE__COLUMN_TYPE__COLUMN_DURATION:
		to->value_case = SONDE__VALUE__VALUE_DURATION_NS;
		to->duration_ns = integer_at(p, "duration (integer of ns)", at);
		break;
	case SONDE__COLUMN_TYPE__COLUMN_NUMBER:
		to->value_case = SONDE__VALUE__VALUE_NUMBER;
		to->number = number_at(p, "a finite number", at);
		break;
	case SONDE__COLUMN_TYPE__COLUMN_RATE:
		to->value_case = SONDE__VALUE__VALUE_RATE;
		to->rate = number_at(p, "a rate (number per second)", at);
		break;
	case SONDE__COLUMN_TYPE__COLUMN_BOOLEAN:
		if (!lua_isboolean(p->L, at))
			wrong_cell(p, "boolean", at);
		to->value_case = SONDE__VALUE__VALUE_BOOLEAN;
		to->boolean = lua_toboolean(p->L, at);
		break;
	case SONDE__COLUMN_TYPE__COLUMN_TEXT:
		text = string_at(p, "text", at, &len);
		if (strlen(text) != len)
			wrong_cell(p, "text without a zero octet", at);
		to->value_case = SONDE__VALUE__VALUE_TEXT;
		to->text = (char *)text;
		break;
	case SONDE__COLUMN_TYPE__COLUMN_OCTETS:
		text = string_at(p, "octets", at, &len);
		to->value_case = SONDE__VALUE__VALUE_OCTETS;
		to->octets = (ProtobufCBinaryData){ len, (uint8_t *)text };
		break;
	case SONDE__COLUMN_TYPE__COLUMN_ADDRESS:
	case SONDE__COLUMN_TYPE__COLUMN_PREFIX:
		fill_place(p, to, type, at);
		break;
	default: BUG("column type %d", (int)type);
	}
}

static Sonde__Value *new_value(lua_State *L, Sonde__Cell *cell)
{
	Sonde__Value *value = record_scratch(L, sizeof(*value));
	sonde__value__init(value);
	cell->values[cell->n_values++] = value;
	return value;
}

/* Texts of the list stay referenced: each lies on the stack until the end. */
static void fill_list(const struct row_place *p, Sonde__Cell *cell, int at)
{
	lua_State *L = p->L;
	if (!lua_istable(L, at))
		wrong_cell(p, "a list", at);
	size_t count = lua_rawlen(L, at);
	if (count > RESULT_LIST_MAX)
		luaL_error(L,
		    "record: table '%s': column '%s': expected at most %d "
		    "values, got %d",
		    p->table->name, p->column->name, RESULT_LIST_MAX,
		    (int)count);
	cell->values = record_scratch(L, (count + 1) * sizeof(Sonde__Value *));
	for (size_t i = 1; i <= count; i++) {
		luaL_checkstack(L, 8, NULL);
		Sonde__Value *to = new_value(L, cell);
		lua_rawgeti(L, at, (lua_Integer)i);
		fill_value(p, to, p->column->element, lua_gettop(L));
	}
}

static void fill_cell(const struct row_place *p, Sonde__Cell *cell)
{
	lua_State *L = p->L;
	luaL_checkstack(L, 16, NULL);
	int type = lua_getfield(L, 2, p->column->name);
	int at = lua_gettop(L);
	if (type == LUA_TNIL) {
		if (p->column->key)
			wrong_cell(p, column_type_name(p->column->type), at);
		return;
	}
	if (p->column->type == SONDE__COLUMN_TYPE__COLUMN_LIST) {
		fill_list(p, cell, at);
		return;
	}
	cell->values = record_scratch(L, sizeof(Sonde__Value *));
	fill_value(p, new_value(L, cell), p->column->type, at);
}

/* A column that is given but not declared is a mistake to hear about. */
static void check_columns_known(lua_State *L, const struct result_table *table)
{
	char got[80];
	lua_pushnil(L);
	while (lua_next(L, 2)) {
		if (lua_type(L, -2) != LUA_TSTRING)
			luaL_error(L,
			    "record: table '%s': expected columns by name, "
			    "got %s",
			    table->name, value_words(L, -2, got, sizeof(got)));
		const char *name = lua_tostring(L, -2);
		if (result_column_find(table, name) < 0)
			luaL_error(L,
			    "record: table '%s': column '%s' is not declared "
			    "in the script's header",
			    table->name, name);
		lua_pop(L, 1);
	}
}

/* Leaves the row at index 2, the table's name (if it was given) at 1. */
static size_t table_argument(lua_State *L, const struct result_schema *schema)
{
	char got[80];
	if (lua_istable(L, 1) && lua_isnoneornil(L, 2) &&
	    schema->table_count == 1) {
		lua_settop(L, 1);
		lua_pushnil(L);
		lua_insert(L, 1);
		return 0;
	}
	if (lua_type(L, 1) != LUA_TSTRING)
		luaL_error(L, "record: expected the name of a table, got %s",
		    value_words(L, 1, got, sizeof(got)));
	int found = result_table_find(schema, lua_tostring(L, 1));
	if (found < 0)
		luaL_error(L,
		    "record: table '%s' is not declared in the script's "
		    "header",
		    lua_tostring(L, 1));
	if (!lua_istable(L, 2))
		luaL_error(L,
		    "record: table '%s': expected a table of columns, got %s",
		    lua_tostring(L, 1), value_words(L, 2, got, sizeof(got)));
	lua_settop(L, 2);
	return (size_t)found;
}

int api_record_row(lua_State *L)
{
	const struct result_schema *schema =
	    host_of(L)->config->script->results;
	size_t at = table_argument(L, schema);
	struct row_place p = { L, &schema->tables[at], NULL };
	check_columns_known(L, p.table);
	size_t count = p.table->column_count;
	Sonde__Cell *cells = record_scratch(L, count * sizeof(*cells));
	Sonde__Cell **list = record_scratch(L, count * sizeof(Sonde__Cell *));
	Sonde__Result result = SONDE__RESULT__INIT;
	Sonde__Record record = SONDE__RECORD__INIT;
	struct errmsg msg;
	for (size_t i = 0; i < count; i++) {
		sonde__cell__init(&cells[i]);
		list[i] = &cells[i];
		p.column = &p.table->columns[i];
		fill_cell(&p, &cells[i]);
	}
	result.hash = (ProtobufCBinaryData){ sizeof(schema->hash),
		(uint8_t *)schema->hash };
	result.table = (uint32_t)at;
	result.n_row = count;
	result.row = list;
	if (result_check(schema, &result, &msg) != 0)
		return luaL_error(L, "record: %s", msg.text);
	record.body_case = SONDE__RECORD__BODY_RESULT;
	record.result = &result;
	record_frame(L, &record, 0);
	return 0;
}

int api_result_announce(lua_State *L)
{
	const struct result_schema *schema =
	    host_of(L)->config->script->results;
	Sonde__Record record = SONDE__RECORD__INIT;
	struct arena arena = { 0 };
	if (!schema)
		return 0;
	record.body_case = SONDE__RECORD__BODY_RESULT_SCHEMA;
	record.result_schema = result_schema_message(schema, &arena);
	record_frame(L, &record, 0);
	arena_fini(&arena);
	return 0;
}
