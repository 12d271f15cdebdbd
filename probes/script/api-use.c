/* SPDX-License-Identifier: ISC */
/*
 * sonde.use: the library that scripts share.  It is a part of the program, so a
 * sandboxed script needs no file for it; each of its chunks is run once in a
 * state.
 */
#include <stdio.h>

#include "probes/script/script-api.h"
#include "probes/script/shipped.h"

/* As code where the script itself is: then this Lua is the build's. */
static int load_library(lua_State *L, const struct shipped_library *library)
{
	const struct worker_config *config = host_of(L)->config;
	struct shipped_code code = shipped_library_code(library);
	char chunk[80];
	snprintf(chunk, sizeof(chunk), "=%s.lua", library->name);
	if (config && config->script->code && code.bytes) {
		int status = luaL_loadbufferx(
		    L, (const char *)code.bytes, code.len, chunk, "b");
		if (status == LUA_OK)
			return status;
		lua_pop(L, 1);
	}
	return luaL_loadbufferx(
	    L, library->source, library->source_len, chunk, "t");
}

/* The upvalue holds what was loaded, by name. */
static int api_use(lua_State *L)
{
	const char *name = luaL_checkstring(L, 1);
	lua_settop(L, 1);
	if (lua_getfield(L, lua_upvalueindex(1), name) != LUA_TNIL)
		return 1;
	const struct shipped_library *library = shipped_library_find(name);
	if (!library)
		return luaL_error(L,
		    "use: no library is called '%s' (sonde help lists them)",
		    name);
	if (load_library(L, library) != LUA_OK)
		return lua_error(L);
	lua_call(L, 0, 1);
	lua_pushvalue(L, -1);
	lua_setfield(L, lua_upvalueindex(1), name);
	return 1;
}

void api_use_open(lua_State *L)
{
	lua_newtable(L);
	lua_pushcclosure(L, api_use, 1);
	lua_setfield(L, -2, "use");
}
