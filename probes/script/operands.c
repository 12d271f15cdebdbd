/* SPDX-License-Identifier: ISC */
/*
 * Operands as a stream: those of the arguments first, then what the parent
 * sends as fast as they are taken (the socket's buffer is the bound).  On a
 * live network a script may go on while the next is not there yet; on a
 * simulated one it waits for it in real time, or the run would depend on how
 * fast the parent is.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/base/xalloc.h"
#include "probes/script/script-api.h"
#include "probes/script/operands.h"
#include "probes/script/watch.h"

#define LOOK_MS 200 /* at a signal that came just before */

/* Registry key of args.operands, which holds those that were asked for by
 * number. */
static char operands_key;

static bool arguments_left(const struct host_operands *o)
{
	return o->read < o->word_count;
}

/* The next datagram, if it is there within ms. */
static void receive_operands(struct host *host, int ms)
{
	struct host_operands *o = &host->operands;
	struct pollfd p[] = { { .fd = o->fd, .events = POLLIN },
		{ .fd = host->client.listener_fd } };
	if (o->fd < 0 || o->ended || poll(p, 2, ms) <= 0)
		return;
	if (!o->message)
		o->message = xmalloc(OPERAND_DATAGRAM_BYTES);
	ssize_t n =
	    recv(o->fd, o->message, OPERAND_DATAGRAM_BYTES, MSG_DONTWAIT);
	if (n > 0 && o->message[n - 1] == '\0') {
		o->len = (size_t)n;
		o->at = 0;
	} else if (n >= 0 || (errno != EAGAIN && errno != EINTR) ||
	    p[1].revents) {
		o->ended = true;
	}
}

static bool is_there(struct host *host)
{
	struct host_operands *o = &host->operands;
	if (!arguments_left(o) && o->at == o->len)
		receive_operands(host, 0);
	return arguments_left(o) || o->at < o->len || o->ended || o->fd < 0;
}

bool operands_arrived(struct host *host)
{
	if (!host->operands.wanted || !is_there(host))
		return false;
	host->operands.wanted = false;
	return true;
}

void operands_wait(struct host *host)
{
	watch_waits(true);
	receive_operands(host, LOOK_MS);
	watch_waits(false);
}

static bool wait_for_operand(struct host *host)
{
	while (!is_there(host) && !*watch_stop())
		operands_wait(host);
	return arguments_left(&host->operands) ||
	    host->operands.at < host->operands.len;
}

bool operands_wait_first(struct host *host)
{
	return wait_for_operand(host);
}

/* "192.0.2.1", "fe80::1%eth0" or "192.0.2.1=www.example.net" */
static void push_host(lua_State *L, const char *operand)
{
	const char *name = strchr(operand, '=');
	size_t len = name ? (size_t)(name - operand) : strlen(operand);
	struct addr a;
	char zone[ADDR_ZONE_LEN];
	lua_createtable(L, 0, 2);
	lua_pushlstring(L, operand, len);
	if (addr_parse_zone(&a, zone, lua_tostring(L, -1)) != 0)
		luaL_error(L, "operand '%s': expected an address", operand);
	lua_setfield(L, -2, "address");
	lua_pushstring(L, name ? name + 1 : "");
	lua_setfield(L, -2, "name");
}

/* Pushes the next one, which is there. */
static void push_next(lua_State *L)
{
	struct host *host = host_of(L);
	struct host_operands *o = &host->operands;
	const struct script *script = host->config->script;
	const char *operand;
	if (arguments_left(o)) {
		operand = o->words[o->read];
	} else {
		operand = (const char *)o->message + o->at;
		o->at += strlen(operand) + 1;
	}
	o->read++;
	int most = script->options.operands_max;
	if (most >= 0 && o->read > (uint64_t)most)
		luaL_error(L, "expected at most %d operands", most);
	if (script->operands_are_hosts)
		push_host(L, operand);
	else
		lua_pushstring(L, operand);
}

/* Pushes the iterator's next one, unless it must be waited for and `wait` is
 * false.  Those that were asked for by number come first. */
static bool push_taken(lua_State *L, bool wait)
{
	struct host *host = host_of(L);
	struct host_operands *o = &host->operands;
	if (o->taken < o->read) {
		lua_rawgetp(L, LUA_REGISTRYINDEX, &operands_key);
		lua_rawgeti(L, -1, (lua_Integer)++o->taken);
		lua_remove(L, -2);
		return true;
	}
	if (wait ? !wait_for_operand(host)
		 : !arguments_left(o) && o->at == o->len)
		return false;
	push_next(L);
	o->taken++;
	return true;
}

/* args.operands(): what `for` calls. */
static int operands_call(lua_State *L)
{
	watch_alive();
	if (!push_taken(L, true))
		lua_pushnil(L);
	return 1;
}

int api_operand(lua_State *L)
{
	struct host *host = host_of(L);
	if (!host->config)
		return luaL_error(L, "only run() has operands");
	watch_alive();
	bool wait = net_time_is_virtual(host->client.heard);
	bool known = wait || is_there(host);
	bool stopped = *watch_stop(); /* next() says so; nothing would leave */
	known = known && !stopped;
	host->operands.wanted = false;
	if (!stopped && push_taken(L, wait))
		return 1;
	host->operands.wanted = !known;
	lua_pushnil(L);
	lua_pushstring(L, known ? "end" : "wait");
	return 2;
}

/* All up to this number are kept from now on. */
static void keep_until(lua_State *L, lua_Integer number)
{
	struct host *host = host_of(L);
	struct host_operands *o = &host->operands;
	while (o->read < (uint64_t)number && wait_for_operand(host)) {
		push_next(L);
		lua_rawseti(L, 1, (lua_Integer)o->read);
	}
}

static int operands_index(lua_State *L)
{
	watch_alive();
	if (!lua_isinteger(L, 2) || lua_tointeger(L, 2) < 1) {
		lua_pushnil(L);
		return 1;
	}
	keep_until(L, lua_tointeger(L, 2));
	lua_rawgeti(L, 1, lua_tointeger(L, 2));
	return 1;
}

static int operands_len(lua_State *L)
{
	watch_alive();
	keep_until(L, INT64_MAX);
	lua_pushinteger(L, (lua_Integer)host_of(L)->operands.read);
	return 1;
}

static int operands_step(lua_State *L)
{
	lua_Integer number = luaL_checkinteger(L, 2) + 1;
	lua_pushinteger(L, number);
	return lua_geti(L, 1, number) == LUA_TNIL ? 1 : 2;
}

static int operands_pairs(lua_State *L)
{
	lua_pushcfunction(L, operands_step);
	lua_pushvalue(L, 1);
	lua_pushinteger(L, 0);
	return 3;
}

void operands_push(lua_State *L)
{
	static const luaL_Reg events[] = { { "__call", operands_call },
		{ "__index", operands_index }, { "__len", operands_len },
		{ "__pairs", operands_pairs }, { NULL, NULL } };
	lua_newtable(L);
	lua_newtable(L);
	luaL_setfuncs(L, events, 0);
	lua_pushboolean(L, false);
	lua_setfield(L, -2, "__metatable");
	lua_setmetatable(L, -2);
	lua_pushvalue(L, -1);
	lua_rawsetp(L, LUA_REGISTRYINDEX, &operands_key);
}
