/* SPDX-License-Identifier: ISC */
/*
 * What a script's run(args) gets: each option under its name with '_' for '-'
 * and its unit behind it ("wait" is a duration: args.wait_ns), and
 * args.operands with args.operand_count.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "probes/script/state.h"

struct arguments {
	const struct script *script;
	const struct option_values *values;
	size_t count; /* of operands, if it is known */
	bool known;
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
	case OPTION_TOS:
		if (there)
			lua_pushinteger(L, option_tos(v, row->name));
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

static int push_all(lua_State *L)
{
	const struct arguments *a = lua_touserdata(L, 1);
	const struct option_row *row = a->script->options.rows;
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
	operands_push(L);
	lua_setfield(L, -2, "operands");
	if (a->known)
		lua_pushinteger(L, (lua_Integer)a->count);
	else
		lua_pushnil(L);
	lua_setfield(L, -2, "operand_count");
	return 1;
}

int host_push_arguments(struct host *host, struct errmsg *msg)
{
	const struct worker_config *config = host->config;
	size_t count = config->argument_count;
	struct option_table table = config->script->options;
	struct host_operands *operands = &host->operands;
	char **argv = xcalloc(count + 2, sizeof(*argv));
	argv[0] = config->script->name;
	for (size_t i = 0; i < count; i++)
		argv[i + 1] = (char *)config->arguments[i];
	if (config->operand_fd >= 0)
		table.operands_min = 0; /* they are still to come */
	int err =
	    option_parse(&host->values, &table, (int)count + 1, argv, msg);
	free(argv);
	if (err < 0)
		return err;
	operands->word_count = option_operands(host->values, &operands->words);
	operands->fd = config->operand_fd;
	bool all_here = config->operand_fd < 0;
	struct arguments a = { config->script, host->values,
		all_here ? operands->word_count : config->operand_count,
		all_here || config->operand_count > 0 };
	lua_pushcfunction(host->L, push_all);
	lua_pushlightuserdata(host->L, &a);
	if (lua_pcall(host->L, 1, 1, 0) != LUA_OK)
		return err_set(msg, ERR_USAGE, "%s", lua_tostring(host->L, -1));
	return 0;
}
