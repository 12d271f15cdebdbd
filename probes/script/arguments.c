/* SPDX-License-Identifier: ISC */
/*
 * What a script's run(args) gets: each option under its name with '_' for '-'
 * and its unit behind it ("wait" is a duration: args.wait_ns), and
 * args.operands.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "probes/script/state.h"

struct arguments {
	const struct script *script;
	const struct option_values *values;
};

static void push_list(lua_State *L, const struct arguments *a, const char *name)
{
	const char *const *items;
	size_t count = option_list(a->values, name, &items);
	lua_createtable(L, (int)count, 0);
	for (size_t i = 0; i < count; i++) {
		lua_pushstring(L, items[i]);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
}

static void push_text(lua_State *L, const char *text)
{
	if (text)
		lua_pushstring(L, text);
	else
		lua_pushnil(L);
}

/* Pushes the value, and says which unit its name ends in. */
static const char *push_value(
    lua_State *L, const struct arguments *a, const struct option_row *row)
{
	const struct option_values *v = a->values;
	bool there = row->fallback || option_given(v, row->name);
	switch (row->type) {
	case OPTION_FLAG:
		lua_pushboolean(L, option_flag(v, row->name));
		return "";
	case OPTION_LIST: push_list(L, a, row->name); return "";
	case OPTION_INTEGER:
		if (there)
			lua_pushinteger(L, option_integer(v, row->name));
		else
			lua_pushnil(L);
		return "";
	case OPTION_NUMBER:
		if (there)
			lua_pushnumber(L, option_number(v, row->name));
		else
			lua_pushnil(L);
		return "";
	case OPTION_DURATION:
		if (there)
			lua_pushinteger(L, option_duration_ns(v, row->name));
		else
			lua_pushnil(L);
		return "_ns";
	case OPTION_SIZE:
		if (there)
			lua_pushinteger(
			    L, (lua_Integer)option_size(v, row->name));
		else
			lua_pushnil(L);
		return "_bytes";
	case OPTION_TEXT:
	case OPTION_CHOICE:
	case OPTION_ADDRESS:
	case OPTION_PREFIX: break;
	}
	push_text(L, option_text(v, row->name));
	return "";
}

/* "192.0.2.1" or "192.0.2.1=www.example.net" */
static void push_host(lua_State *L, const char *operand)
{
	const char *name = strchr(operand, '=');
	size_t len = name ? (size_t)(name - operand) : strlen(operand);
	struct addr a;
	lua_createtable(L, 0, 2);
	lua_pushlstring(L, operand, len);
	if (addr_parse(&a, lua_tostring(L, -1)) != 0)
		luaL_error(L, "operand '%s': expected an address", operand);
	lua_setfield(L, -2, "address");
	lua_pushstring(L, name ? name + 1 : "");
	lua_setfield(L, -2, "name");
}

static int push_all(lua_State *L)
{
	const struct arguments *a = lua_touserdata(L, 1);
	const struct option_row *row = a->script->options.rows;
	const char *const *operands;
	char name[128];
	lua_newtable(L);
	for (; row && row->name; row++) {
		const char *unit = push_value(L, a, row);
		snprintf(name, sizeof(name), "%s%s", row->name, unit);
		for (char *c = name; *c; c++)
			if (*c == '-')
				*c = '_';
		lua_setfield(L, -2, name);
	}
	size_t count = option_operands(a->values, &operands);
	lua_createtable(L, (int)count, 0);
	for (size_t i = 0; i < count; i++) {
		if (a->script->operands_are_hosts)
			push_host(L, operands[i]);
		else
			lua_pushstring(L, operands[i]);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	lua_setfield(L, -2, "operands");
	return 1;
}

int host_push_arguments(struct host *host, struct errmsg *msg)
{
	const struct worker_config *config = host->config;
	size_t count = config->argument_count;
	char **argv = xcalloc(count + 2, sizeof(*argv));
	argv[0] = config->script->name;
	for (size_t i = 0; i < count; i++)
		argv[i + 1] = (char *)config->arguments[i];
	struct arguments a = { config->script, NULL };
	struct option_values *values = NULL;
	int err = option_parse(
	    &values, &config->script->options, (int)count + 1, argv, msg);
	a.values = values;
	if (!err) {
		lua_pushcfunction(host->L, push_all);
		lua_pushlightuserdata(host->L, &a);
		if (lua_pcall(host->L, 1, 1, 0) != LUA_OK)
			err = err_set(
			    msg, ERR_USAGE, "%s", lua_tostring(host->L, -1));
	}
	option_free(values);
	free(argv);
	return err;
}
