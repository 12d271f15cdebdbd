/* SPDX-License-Identifier: ISC */
/* sonde.sweep: a probe for each address of a range, sent by the guardian. */
#include <string.h>

#include "probes/script/train.h"
#include "probes/script/watch.h"

#define RATE_MAX_PPS 10000000

/* The table at `at` is replaced by a copy. */
static void copy_table(lua_State *L, int at)
{
	lua_newtable(L);
	lua_pushnil(L);
	while (lua_next(L, at)) {
		lua_pushvalue(L, -2);
		lua_insert(L, -2);
		lua_rawset(L, -4);
	}
	lua_replace(L, at);
}

static uint32_t check_range(
    lua_State *L, const char *name, lua_Integer least, lua_Integer most)
{
	lua_getfield(L, 2, name);
	int is_integer = false;
	lua_Integer n =
	    lua_isnil(L, -1) ? 0 : lua_tointegerx(L, -1, &is_integer);
	if ((lua_isnil(L, -1) && least > 0) ||
	    (!lua_isnil(L, -1) && (!is_integer || n < least || n > most)))
		luaL_error(L,
		    "sweep: %s: expected an integer from %I to %I, "
		    "got %s",
		    name, (LUAI_UACINT)least, (LUAI_UACINT)most,
		    luaL_tolstring(L, -1, NULL));
	lua_pop(L, 1);
	lua_pushnil(L);
	lua_setfield(L, 2, name);
	return (uint32_t)n;
}

/* sonde.sweep(probe, {count = N, rate_pps = N, ...}, tag) */
static int api_sweep(lua_State *L)
{
	watch_alive();
	lua_settop(L, 3);
	struct host *host = host_of(L);
	const struct host_probe *p = api_probe_check(L, 1);
	luaL_checktype(L, 2, LUA_TTABLE);
	network_check(L);
	if (host->sweeps)
		luaL_error(L, "a sweep is running; its result is 'done' first");
	copy_table(L, 2);
	struct sweep_range range = {
		.count = check_range(L, "count", 1, SWEEP_MOST),
		.rate_pps = check_range(L, "rate_pps", 0, RATE_MAX_PPS),
	};
	struct train_timing t = train_check_timing(L, 2);
	t.range = range;
	if (!sweep_fits(&p->probe.dst, range.count))
		luaL_error(L,
		    "sweep: count: the addresses from dst on are "
		    "fewer than %d",
		    (int)range.count);
	lua_pushvalue(L, 1);
	struct host_result *r = result_push(L, 3);
	r->index = 1;
	r->is_sweep = host->sweeps = true;
	train_launch(L, r, &p->probe, &t);
	return 1;
}

void api_sweep_open(lua_State *L)
{
	lua_pushcfunction(L, api_sweep);
	lua_setfield(L, -2, "sweep");
}
