/* SPDX-License-Identifier: ISC */
/*
 * Trains: probes with times, given to the guardian.  A result is one value per
 * probe that fills as events come (result-events.c, result-fields.c).
 */
#include <errno.h>
#include <string.h>

#include "probes/script/result-events.h"
#include "probes/script/train.h"
#include "probes/script/watch.h"

#define WAIT_DEFAULT_NS (2 * NS_PER_S)
#define WAIT_MAX_NS (60 * NS_PER_S)
#define DELAY_MAX_NS (3600 * NS_PER_S)
#define TRAIN_MAX 30000

void train_launch(lua_State *L, struct host_result *r,
    const struct probe *probe, const struct train_timing *t)
{
	struct host *host = host_of(L);
	struct errmsg msg = { "" };
	struct monotime at = monotime_add(t->from, t->delay_ns);
	while (!client_has_room(&host->client, probe->payload_len) &&
	    !*watch_stop())
		events_wait(L, (struct monotime){ INT64_MAX });
	if (*watch_stop()) {
		r->settled = true;
		r->err = -EINTR;
		if (r->quiet)
			return;
		place_take(L, r);
		ready_add(L, r, READY_DONE);
		return;
	}
	r->payload_len = probe->payload_len;
	place_take(L, r);
	if (t->delay_ns == 0)
		backlog_add(host, r, at);
	struct wire_probe head = {
		.cookie = r->cookie,
		.at = t->delay_ns ? at : (struct monotime){ 0 },
		.until = monotime_add(at, t->wait_ns),
		.late_ns = t->late_ns,
		.listen_all = t->listen_all,
		.range = t->range,
	};
	if (client_send(&host->client, &head, probe, &msg) != 0)
		luaL_error(L, "%s", msg.text);
}

static int64_t check_time(
    lua_State *L, const char *name, lua_Integer least, lua_Integer fallback)
{
	lua_Integer ns = luaL_optinteger(L, -1, fallback);
	if (ns < least || ns > WAIT_MAX_NS)
		luaL_error(L, "%s: expected %d ns to 60 s, got %I ns", name,
		    (int)least, (LUAI_UACINT)ns);
	return ns;
}

static void check_listen(lua_State *L, struct train_timing *t)
{
	static const char *const modes[] = { "first", "all", NULL };
	const char *mode = luaL_optstring(L, -1, modes[0]);
	t->listen_all = strcmp(mode, modes[1]) == 0;
	if (!t->listen_all && strcmp(mode, modes[0]) != 0)
		luaL_error(
		    L, "listen: expected 'first' or 'all', got '%s'", mode);
}

/* An option of the table at `at`, whose value is on top of the stack. */
static void check_option(lua_State *L, const char *name, struct train_timing *t)
{
	if (strcmp(name, "wait_ns") == 0)
		t->wait_ns = check_time(L, name, 1, WAIT_DEFAULT_NS);
	else if (strcmp(name, "late_ns") == 0)
		t->late_ns = check_time(L, name, 0, 0);
	else if (strcmp(name, "listen") == 0)
		check_listen(L, t);
	else
		luaL_error(L,
		    "'%s': no such option of listening; expected wait_ns, "
		    "late_ns or listen",
		    name);
}

struct train_timing train_check_timing(lua_State *L, int at)
{
	struct train_timing t = { .from = client_now(network_check(L)),
		.wait_ns = WAIT_DEFAULT_NS };
	if (!lua_istable(L, at)) {
		lua_Integer wait_ns = luaL_optinteger(L, at, WAIT_DEFAULT_NS);
		luaL_argcheck(L, wait_ns > 0 && wait_ns <= WAIT_MAX_NS, at,
		    "expected a wait in ns, more than 0 and at most 60 s");
		t.wait_ns = wait_ns;
		return t;
	}
	lua_pushnil(L);
	while (lua_next(L, at)) {
		luaL_argcheck(L, lua_type(L, -2) == LUA_TSTRING, at,
		    "expected options by name");
		check_option(L, lua_tostring(L, -2), &t);
		lua_pop(L, 1);
	}
	return t;
}

/* sonde.send(probe, wait_ns or options, tag): one probe, now. */
static int api_send(lua_State *L)
{
	watch_alive();
	lua_settop(L, 3);
	const struct host_probe *p = api_probe_check(L, 1);
	struct train_timing t = train_check_timing(L, 2);
	lua_pushvalue(L, 1);
	struct host_result *r = result_push(L, 3);
	r->index = 1;
	train_launch(L, r, &p->probe, &t);
	return 1;
}

/* Pushes the probe of a train's element and adds its delay. */
static const struct host_probe *train_element(
    lua_State *L, lua_Integer i, struct train_timing *t)
{
	lua_rawgeti(L, 1, i);
	if (lua_istable(L, -1)) {
		lua_getfield(L, -1, "delay_ns");
		lua_Integer delay_ns = luaL_optinteger(L, -1, 0);
		if (delay_ns < 0 || delay_ns > DELAY_MAX_NS ||
		    t->delay_ns > DELAY_MAX_NS)
			luaL_error(L,
			    "train: probe %d: expected a delay_ns "
			    "of 0 to 3600 s",
			    (int)i);
		t->delay_ns += delay_ns;
		lua_pop(L, 1);
		lua_getfield(L, -1, "probe");
		lua_remove(L, -2);
	}
	const struct host_probe *p = api_test(L, -1, HOST_PROBE);
	if (!p)
		luaL_error(L,
		    "train: element %d: expected a probe, or "
		    "{delay_ns = N, probe = PROBE}",
		    (int)i);
	return p;
}

/* Pushes the results of the train at 1, in order. */
static void start_train(lua_State *L, bool quiet)
{
	luaL_checktype(L, 1, LUA_TTABLE);
	lua_Integer count = (lua_Integer)lua_rawlen(L, 1);
	struct train_timing t = train_check_timing(L, 2);
	luaL_argcheck(L, count <= TRAIN_MAX, 1, "the train is too long");
	lua_createtable(L, (int)count, 0);
	for (lua_Integer i = 1; i <= count; i++) {
		const struct host_probe *p = train_element(L, i, &t);
		struct host_result *r = result_push(L, quiet ? 0 : 3);
		r->index = (uint32_t)i;
		r->quiet = quiet;
		train_launch(L, r, &p->probe, &t);
		lua_rawseti(L, -2, i);
	}
}

/* sonde.start(train, wait_ns or options, tag) */
static int api_start(lua_State *L)
{
	watch_alive();
	lua_settop(L, 3);
	start_train(L, false);
	return 1;
}

/* Has every result of the train on top been answered or given up? */
static bool train_is_done(lua_State *L, lua_Integer *from)
{
	for (;; ++*from) {
		lua_rawgeti(L, -1, *from);
		const struct host_result *r = api_test(L, -1, HOST_RESULT);
		lua_pop(L, 1);
		if (!r)
			return true;
		if (!r->settled &&
		    (r->outcome.rank == OUTCOME_RANK_ADVICE ||
			r->outcome.rank == OUTCOME_RANK_RECEIPT))
			return false;
	}
}

/* sonde.send_train(train, wait_ns): waits for all. */
static int api_send_train(lua_State *L)
{
	lua_settop(L, 2);
	start_train(L, true);
	lua_Integer from = 1;
	while (!*watch_stop() && !train_is_done(L, &from))
		events_wait(L, (struct monotime){ INT64_MAX });
	return 1;
}

void api_train_open(lua_State *L)
{
	static const luaL_Reg functions[] = { { "send", api_send },
		{ "start", api_start }, { "send_train", api_send_train },
		{ NULL, NULL } };
	luaL_setfuncs(L, functions, 0);
}
