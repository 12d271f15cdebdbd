/* SPDX-License-Identifier: ISC */
/*
 * The Lua state of a script: a bounded allocator, text chunks only (but for
 * code that was made with this program), and the libraries cut down to an
 * allow-list.  Lua is a convenience inside the process that is the sandbox;
 * what is missing here is missing so that an honest script fails early and in
 * clear words.
 */
#include <stdlib.h>
#include <string.h>

#include "probes/script/script-api.h"
#include "probes/script/state.h"

/* A collection begins when memory is at so many percent of what the last one
 * left.  In virtual time tens of thousands of probes are soon in the air, and
 * with Lua's own 200 what belongs to them is gone through too often; on a real
 * network memory that is not used again costs more than that. */
#define GC_PAUSE 300

static size_t memory_max(const struct host *host)
{
	return host->config ? HOST_MEMORY_MAX : HOST_HEADER_MEMORY_MAX;
}

/* For a new block, old_size is a type tag and no size. */
static void *allocate(void *arg, void *block, size_t old_size, size_t size)
{
	struct host *host = arg;
	size_t old = block ? old_size : 0;
	if (size > old && host->memory_bytes - old + size > memory_max(host))
		return NULL;
	void *got = small_block_resize(&host->blocks, block, old, size);
	if (got || size == 0)
		host->memory_bytes += size - old;
	return got;
}

static const char *const allowed_base[] = { "_G", "_VERSION", "assert", "error",
	"ipairs", "next", "pairs", "pcall", "rawequal", "rawget", "rawlen",
	"rawset", "select", "tonumber", "tostring", "type", "xpcall",
	"coroutine", "math", "string", "table", "utf8", NULL };
static const char *const allowed_coroutine[] = { "create", "isyieldable",
	"resume", "running", "status", "wrap", "yield", NULL };
static const char *const allowed_string[] = { "byte", "char", "format", "len",
	"lower", "pack", "packsize", "reverse", "sub", "unpack", "upper",
	NULL };
static const char *const allowed_table[] = { "concat", "insert", "pack",
	"remove", "sort", "unpack", NULL };

/* Removes what is not allowed from the table on top, and pops it. */
static void cut_down(lua_State *L, const char *const *allowed)
{
	lua_pushnil(L);
	while (lua_next(L, -2)) {
		const char *name = lua_tostring(L, -2);
		size_t i = 0;
		while (allowed[i] && strcmp(allowed[i], name) != 0)
			i++;
		lua_pop(L, 1);
		if (allowed[i])
			continue;
		/* Clearing a field during traversal is allowed. */
		lua_pushvalue(L, -1);
		lua_pushnil(L);
		lua_rawset(L, -4);
	}
	lua_pop(L, 1);
}

static void cut_down_library(
    lua_State *L, const char *library, const char *const *allowed)
{
	lua_getglobal(L, library);
	cut_down(L, allowed);
}

static int open_all(lua_State *L)
{
	static const luaL_Reg libraries[] = {
		{ "_G", luaopen_base },
		{ "coroutine", luaopen_coroutine },
		{ "math", luaopen_math },
		{ "string", luaopen_string },
		{ "table", luaopen_table },
		{ "utf8", luaopen_utf8 },
	};
	for (size_t i = 0; i < sizeof(libraries) / sizeof(*libraries); i++) {
		luaL_requiref(L, libraries[i].name, libraries[i].func, 1);
		lua_pop(L, 1);
	}
	lua_pushglobaltable(L);
	cut_down(L, allowed_base);
	cut_down_library(L, "coroutine", allowed_coroutine);
	cut_down_library(L, "string", allowed_string);
	cut_down_library(L, "table", allowed_table);
	lua_pushnil(L);
	lua_setfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
	safe_open(L);
	lua_createtable(L, 0, 32);
	api_probe_open(L);
	api_reply_open(L);
	api_result_open(L);
	api_next_open(L);
	api_train_open(L);
	api_sweep_open(L);
	api_record_open(L);
	api_use_open(L);
	const struct worker_config *config = host_of(L)->config;
	lua_pushstring(L, config ? config->vantage : NULL);
	lua_setfield(L, -2, "vantage");
	lua_setglobal(L, "sonde");
	return 0;
}

lua_State *host_state_new(struct host *host)
{
	lua_State *L = lua_newstate(allocate, host);
	if (!L)
		return NULL;
	host->L = L;
	if (net_time_is_virtual(host->client.heard))
		lua_gc(L, LUA_GCINC, GC_PAUSE, 0, 0);
	*(struct host **)lua_getextraspace(L) = host;
	lua_pushcfunction(L, open_all);
	if (lua_pcall(L, 0, 0, 0) != LUA_OK)
		return NULL;
	return L;
}

/* The text of an error value; one that is no text must not run more Lua. */
static int error_text(lua_State *L, int status, struct errmsg *msg)
{
	const char *text = lua_tostring(L, -1);
	if (status == LUA_ERRMEM)
		err_set(msg, 0, "the script used more than %zu MiB",
		    memory_max(host_of(L)) >> 20);
	else
		err_set(msg, 0, "%s",
		    text ? text : "the script raised an error without text");
	lua_pop(L, 1);
	return ERR_UNSUPPORTED; /* exit code 70, whatever it was */
}

int host_call(struct host *host, int count, struct errmsg *msg)
{
	int status = lua_pcall(host->L, count, 0, 0);
	return status == LUA_OK ? 0 : error_text(host->L, status, msg);
}

int host_run_chunk(struct host *host, const char *source, size_t len,
    const char *name, struct errmsg *msg)
{
	lua_State *L = host->L;
	char chunk[128];
	const char *base = strrchr(name, '/');
	strcpy(chunk, "=");
	strncat(chunk, base ? base + 1 : name, sizeof(chunk) - 2);
	int status = luaL_loadbufferx(L, source, len, chunk, "t");
	if (status == LUA_OK)
		status = lua_pcall(L, 0, 1, 0);
	return status == LUA_OK ? 0 : error_text(L, status, msg);
}

int host_run_script(
    struct host *host, const struct script *script, struct errmsg *msg)
{
	lua_State *L = host->L;
	if (script->code) {
		int status = luaL_loadbufferx(L, (const char *)script->code,
		    script->code_len, "=code", "b");
		if (status == LUA_OK) {
			status = lua_pcall(L, 0, 1, 0);
			return status == LUA_OK ? 0
						: error_text(L, status, msg);
		}
		lua_pop(L, 1);
	}
	return host_run_chunk(
	    host, script->source, script->source_len, script->path, msg);
}
