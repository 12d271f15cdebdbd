/* SPDX-License-Identifier: ISC */
/*
 * sonde.next(), which hands a result out when its first reply came ("reply"),
 * when another did ("duplicate"), and when no more can come ("done"); and what
 * a script asks of time, room and sources.
 */
#include "probes/script/emit.h"
#include "probes/script/operands.h"
#include "probes/script/result-events.h"
#include "probes/script/watch.h"

#define OPERAND_LOOK_NS (5 * NS_PER_MS)

struct guardian_client *network_check(lua_State *L)
{
	struct host *host = host_of(L);
	if (!host->config)
		luaL_error(L, "only run() may use the network");
	return &host->client;
}

/* Until when to wait, when the next operand may come at any time: the
 * guardian answers events only, and the worker has one wait with it. */
static struct monotime look_at_operands(
    const struct host *host, struct monotime until)
{
	struct monotime soon =
	    monotime_add(client_now(&host->client), OPERAND_LOOK_NS);
	return host->operands.wanted && monotime_before(soon, until) ? soon
								     : until;
}

static int push_nothing(lua_State *L, const char *why)
{
	lua_pushnil(L);
	lua_pushstring(L, why);
	return 2;
}

/* sonde.next(until_ns): a result and what is new of it; or nil and why. */
static int api_next(lua_State *L)
{
	struct host *host = host_of(L);
	network_check(L);
	bool bounded = !lua_isnoneornil(L, 1);
	struct monotime until = { bounded ? luaL_checkinteger(L, 1)
					  : INT64_MAX };
	watch_alive();
	while (host->ready_count == 0) {
		if (*watch_stop())
			return push_nothing(L,
			    *watch_stop() == WATCH_DEADLINE ? "deadline"
							    : "interrupted");
		if (bounded &&
		    !monotime_before(client_now(&host->client), until))
			return push_nothing(L, "time");
		if (operands_arrived(host))
			return push_nothing(L, "operand");
		if (!bounded && host->client.outstanding == 0) {
			if (!host->operands.wanted)
				return push_nothing(L, "idle");
			record_flush(host);
			operands_wait(host);
			continue;
		}
		events_wait(L, look_at_operands(host, until));
	}
	ready_take(L, host);
	return 2;
}

static int api_source(lua_State *L)
{
	struct guardian_client *client = network_check(L);
	struct errmsg msg = { "" };
	struct addr dst = api_check_address(L, 1), src;
	watch_alive();
	if (client_source(client, &dst, &src, &msg) != 0)
		return push_nothing(L, msg.text);
	if (src.family == 0)
		return push_nothing(L, "no route");
	api_push_address(L, &src);
	return 1;
}

static int api_now(lua_State *L)
{
	lua_pushinteger(L, client_now(&host_of(L)->client).ns);
	return 1;
}

/* Real time that is left, also on a simulated network. */
static int api_deadline(lua_State *L)
{
	const struct host *host = host_of(L);
	if (!host->deadline.ns)
		lua_pushinteger(L, INT64_MAX);
	else
		lua_pushinteger(
		    L, monotime_diff(host->deadline, monotime_now()));
	return 1;
}

/* None while the guardian has enough to do and there is something for next();
 * while there is not, it is waited for. */
static int api_room(lua_State *L)
{
	struct host *host = host_of(L);
	bool full;
	network_check(L);
	watch_alive();
	while ((full = backlog_is_full(host)) && host->ready_count == 0 &&
	    !*watch_stop())
		events_wait(L,
		    monotime_add(client_now(&host->client), BACKLOG_SLICE_NS));
	lua_pushinteger(L,
	    full
		? 0
		: (lua_Integer)WIRE_MAX_OUTSTANDING - host->client.outstanding);
	return 1;
}

void api_next_open(lua_State *L)
{
	static const luaL_Reg functions[] = { { "next", api_next },
		{ "source", api_source }, { "now_ns", api_now },
		{ "left_ns", api_deadline }, { "room", api_room },
		{ "operand", api_operand }, { NULL, NULL } };
	luaL_setfuncs(L, functions, 0);
	lua_pushinteger(L, NS_PER_US);
	lua_setfield(L, -2, "us");
	lua_pushinteger(L, NS_PER_MS);
	lua_setfield(L, -2, "ms");
	lua_pushinteger(L, NS_PER_S);
	lua_setfield(L, -2, "s");
	events_open(L);
}
