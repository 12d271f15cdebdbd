/* SPDX-License-Identifier: ISC */
/*
 * Library functions of which Lua's own can run for ever, or crash, from one
 * call: each is replaced by one whose work is bounded by the size of its
 * arguments.  Patterns are not offered at all: find looks for plain text, and
 * split cuts at plain text, both in linear time.
 */
#include <string.h>

#include "probes/script/state.h"

#define STRING_MAX (16u << 20) /* made by one call */
#define MOVE_MAX 1000000       /* elements in one table.move */

/* Metamethods that scripts may set.  Not: __gc, __close (they run when
 * nothing may interrupt them), __len (library loops trust it), __mode,
 * __metatable. */
static const char *const metamethods[] = { "__index", "__newindex", "__call",
	"__eq", "__lt", "__le", "__concat", "__add", "__sub", "__mul", "__div",
	"__mod", "__pow", "__unm", "__idiv", "__band", "__bor", "__bxor",
	"__shl", "__shr", "__bnot", "__tostring", "__name", "__pairs", NULL };

/* The allowed part of the metatable at 2, made once per metatable. */
static void push_metatable_copy(lua_State *L)
{
	lua_pushvalue(L, 2);
	lua_rawget(L, lua_upvalueindex(1));
	if (lua_istable(L, -1))
		return;
	lua_pop(L, 1);
	lua_createtable(L, 0, 4);
	for (size_t i = 0; metamethods[i]; i++) {
		lua_pushstring(L, metamethods[i]);
		lua_pushvalue(L, -1);
		lua_rawget(L, 2);
		lua_rawset(L, -3);
	}
	lua_pushboolean(L, 0);
	lua_setfield(L, -2, "__metatable");
	lua_pushvalue(L, 2);
	lua_pushvalue(L, -2);
	lua_rawset(L, lua_upvalueindex(1));
}

static int safe_setmetatable(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TTABLE);
	luaL_argexpected(
	    L, lua_isnil(L, 2) || lua_istable(L, 2), 2, "nil or table");
	if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL)
		return luaL_error(L, "a metatable can be set only once");
	lua_settop(L, 2);
	if (!lua_isnil(L, 2))
		push_metatable_copy(L);
	lua_setmetatable(L, 1);
	lua_settop(L, 1);
	return 1;
}

static int safe_rep(lua_State *L)
{
	size_t len, sep_len;
	const char *s = luaL_checklstring(L, 1, &len);
	lua_Integer n = luaL_checkinteger(L, 2);
	const char *sep = luaL_optlstring(L, 3, "", &sep_len);
	if (n <= 0 || len + sep_len == 0) {
		lua_pushliteral(L, "");
		return 1;
	}
	if ((size_t)n > STRING_MAX / (len + sep_len))
		return luaL_error(L, "string.rep: the result is over %d MiB",
		    (int)(STRING_MAX >> 20));
	luaL_Buffer b;
	luaL_buffinitsize(L, &b, (size_t)n * (len + sep_len));
	for (lua_Integer i = 0; i < n; i++) {
		luaL_addlstring(&b, s, len);
		if (i + 1 < n)
			luaL_addlstring(&b, sep, sep_len);
	}
	luaL_pushresult(&b);
	return 1;
}

static int safe_find(lua_State *L)
{
	size_t len, want_len;
	const char *s = luaL_checklstring(L, 1, &len);
	const char *want = luaL_checklstring(L, 2, &want_len);
	lua_Integer init = luaL_optinteger(L, 3, 1);
	if (init < 0)
		init =
		    init < -(lua_Integer)len ? 1 : (lua_Integer)len + init + 1;
	if (init < 1)
		init = 1;
	const char *at = NULL;
	if ((lua_Unsigned)init <= len + 1)
		at = memmem(
		    s + init - 1, len - (size_t)(init - 1), want, want_len);
	if (!at) {
		lua_pushnil(L);
		return 1;
	}
	lua_pushinteger(L, at - s + 1);
	lua_pushinteger(L, at - s + (lua_Integer)want_len);
	return 2;
}

static int safe_split(lua_State *L)
{
	size_t len, sep_len;
	const char *s = luaL_checklstring(L, 1, &len), *end = s + len;
	const char *sep = luaL_checklstring(L, 2, &sep_len);
	luaL_argcheck(L, sep_len > 0, 2, "the separator is empty");
	lua_newtable(L);
	for (lua_Integer i = 1;; i++) {
		const char *at = memmem(s, (size_t)(end - s), sep, sep_len);
		lua_pushlstring(L, s, (size_t)((at ? at : end) - s));
		lua_rawseti(L, -2, i);
		if (!at)
			return 1;
		s = at + sep_len;
	}
}

static int safe_move(lua_State *L)
{
	lua_Integer from = luaL_checkinteger(L, 2);
	lua_Integer end = luaL_checkinteger(L, 3);
	lua_Integer to = luaL_checkinteger(L, 4);
	int target = lua_isnoneornil(L, 5) ? 1 : 5;
	luaL_checktype(L, 1, LUA_TTABLE);
	luaL_checktype(L, target, LUA_TTABLE);
	if (end < from) {
		lua_pushvalue(L, target);
		return 1;
	}
	if ((lua_Unsigned)end - (lua_Unsigned)from >= MOVE_MAX ||
	    to > LUA_MAXINTEGER - MOVE_MAX)
		return luaL_error(
		    L, "table.move: more than %d elements", MOVE_MAX);
	lua_Integer count = end - from + 1;
	bool up = to > from && target == 1; /* may overlap: go backwards */
	for (lua_Integer i = 0; i < count; i++) {
		lua_Integer k = up ? count - 1 - i : i;
		lua_geti(L, 1, from + k);
		lua_seti(L, target, to + k);
	}
	lua_pushvalue(L, target);
	return 1;
}

/* A global that is not there: explain when it is one that Lua usually has. */
static int missing_global(lua_State *L)
{
	static const char *const names[] = { "collectgarbage", "debug",
		"dofile", "getmetatable", "io", "load", "loadfile",
		"loadstring", "os", "package", "require", NULL };
	const char *name =
	    lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : NULL;
	for (size_t i = 0; name && names[i]; i++)
		if (strcmp(name, names[i]) == 0)
			return luaL_error(L,
			    "'%s' is not there: a script has no files, no "
			    "network of its own and no other code; "
			    "sonde-script(7) lists what it has",
			    name);
	return 0;
}

static void set_function(
    lua_State *L, const char *library, const char *name, lua_CFunction fn)
{
	lua_getglobal(L, library);
	lua_pushcfunction(L, fn);
	lua_setfield(L, -2, name);
	lua_pop(L, 1);
}

/* No script sees or changes the metatable on top; it is popped. */
static void seal(lua_State *L)
{
	lua_pushboolean(L, 0);
	lua_setfield(L, -2, "__metatable");
	lua_pop(L, 1);
}

void safe_open(lua_State *L)
{
	set_function(L, "string", "rep", safe_rep);
	set_function(L, "string", "find", safe_find);
	set_function(L, "string", "split", safe_split);
	set_function(L, "table", "move", safe_move);
	lua_newtable(L);
	lua_newtable(L);
	lua_pushliteral(L, "k");
	lua_setfield(L, -2, "__mode");
	lua_setmetatable(L, -2);
	lua_pushcclosure(L, safe_setmetatable, 1);
	lua_setglobal(L, "setmetatable");
	lua_pushliteral(L, "");
	lua_getmetatable(L, -1);
	seal(L);
	lua_pop(L, 1);
	lua_pushglobaltable(L);
	lua_newtable(L);
	lua_pushcfunction(L, missing_global);
	lua_setfield(L, -2, "__index");
	lua_pushvalue(L, -1);
	lua_setmetatable(L, -3);
	seal(L);
	lua_pop(L, 1);
}
