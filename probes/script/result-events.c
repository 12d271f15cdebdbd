/* SPDX-License-Identifier: ISC */
/*
 * What becomes of results in flight: the guardian's events fill them, and those
 * of which a script is to hear wait in a ring until next() takes them.
 */
#include <errno.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "probes/policy/policy.h"
#include "probes/script/emit.h"
#include "probes/script/result-events.h"
#include "probes/script/watch.h"

#define READY_SIZE_MIN 64

/* Registry keys, by address: place to result, and what is ready. */
static char flights_key, ready_key;
static const char *const ready_names[] = { "done", "reply", "better",
	"duplicate", "advice", "timeout", "swept" };

/* A ring of twice the size, in the old one's place and on top of the stack. */
static void ready_grow(lua_State *L, struct host *host)
{
	uint32_t size = host->ready_size;
	uint32_t bigger = size ? 2 * size : READY_SIZE_MIN;
	lua_createtable(L, (int)(2 * bigger), 0);
	for (uint32_t i = 0; i < host->ready_count; i++) {
		uint32_t from = (host->ready_at + i) % size;
		for (uint32_t half = 1; half <= 2; half++) {
			lua_rawgeti(L, -2, 2 * from + half);
			lua_rawseti(L, -2, 2 * i + half);
		}
	}
	lua_remove(L, -2);
	lua_pushvalue(L, -1);
	lua_rawsetp(L, LUA_REGISTRYINDEX, &ready_key);
	host->ready_at = 0;
	host->ready_size = bigger;
}

void ready_add(lua_State *L, enum ready why)
{
	struct host *host = host_of(L);
	lua_rawgetp(L, LUA_REGISTRYINDEX, &ready_key);
	if (host->ready_count == host->ready_size)
		ready_grow(L, host);
	uint32_t at = (host->ready_at + host->ready_count++) % host->ready_size;
	lua_pushvalue(L, -2);
	lua_rawseti(L, -2, 2 * at + 1);
	lua_pushinteger(L, why);
	lua_rawseti(L, -2, 2 * at + 2);
	lua_pop(L, 1);
}

void ready_take(lua_State *L, struct host *host)
{
	uint32_t at = host->ready_at;
	lua_rawgetp(L, LUA_REGISTRYINDEX, &ready_key);
	int ring = lua_gettop(L);
	lua_rawgeti(L, ring, 2 * at + 1);
	lua_rawgeti(L, ring, 2 * at + 2);
	lua_pushboolean(L, false); /* the ring holds it no longer */
	lua_rawseti(L, ring, 2 * at + 1);
	lua_pushstring(L, ready_names[lua_tointeger(L, -1)]);
	lua_remove(L, -2);
	host->ready_at = (at + 1) % host->ready_size;
	host->ready_count--;
}

/* A cookie says its place, and a number that no other probe of the run has. */
#define PLACE_OF(cookie) ((uint32_t)((cookie) % WIRE_MAX_OUTSTANDING))

void flight_keep(lua_State *L, struct host_result *r)
{
	struct host *host = host_of(L);
	if (!host->free_places)
		host->free_places =
		    xreallocarray(NULL, WIRE_MAX_OUTSTANDING, sizeof(uint32_t));
	uint32_t place = host->free_place_count > 0
	    ? host->free_places[--host->free_place_count]
	    : host->places_used++;
	r->cookie = ++host->cookies * WIRE_MAX_OUTSTANDING + place;
	lua_rawgetp(L, LUA_REGISTRYINDEX, &flights_key);
	lua_pushvalue(L, -2);
	lua_rawseti(L, -2, (lua_Integer)place + 1);
	lua_pop(L, 1);
}

static void settle_result(lua_State *L, struct host_result *r)
{
	struct host *host = host_of(L);
	uint32_t place = PLACE_OF(r->cookie);
	client_settled(&host->client, r->payload_len);
	r->settled = true;
	host->free_places[host->free_place_count++] = place;
	lua_rawgetp(L, LUA_REGISTRYINDEX, &flights_key);
	lua_pushboolean(L, false);
	lua_rawseti(L, -2, (lua_Integer)place + 1);
	lua_pop(L, 1);
}

/* The reply on top of the stack, which it takes, joins the result's others. */
static void add_more(lua_State *L, struct host_result *r, int result_at)
{
	if (lua_getiuservalue(L, result_at, RESULT_MORE) != LUA_TTABLE) {
		lua_pop(L, 1);
		lua_newtable(L);
		lua_pushvalue(L, -1);
		lua_setiuservalue(L, result_at, RESULT_MORE);
	}
	lua_insert(L, -2);
	lua_rawseti(L, -2, ++r->more);
	lua_pop(L, 1);
}

/* Of one rank the first stands.  The same from the same host again is a
 * duplicate; what another says, or in other words, is superseded. */
static bool is_same_again(
    lua_State *L, int result_at, const struct host_reply *reply)
{
	lua_getiuservalue(L, result_at, RESULT_REPLY);
	const struct host_reply *first = api_test(L, -1, HOST_REPLY);
	lua_pop(L, 1);
	const struct packet *a = &reply->packet;
	const struct packet *b = first ? &first->packet : a;
	return a->proto == b->proto && a->icmp_type == b->icmp_type &&
	    a->icmp_code == b->icmp_code && addr_equal(&a->src, &b->src);
}

/* The result is on top of the stack.  Ranks decide which reply counts, not
 * which came first (lib/record/outcome.h). */
static enum ready add_reply(lua_State *L, struct host_result *r,
    const struct wire_event *event, const uint8_t *bytes)
{
	int at = lua_gettop(L);
	struct host_reply *reply = api_reply_push(L, event, bytes);
	enum outcome_rank before = r->outcome.rank, rank = reply->outcome.rank;
	if (reply->advice) {
		add_more(L, r, at);
		return READY_ADVICE;
	}
	if (rank <= before) {
		reply->duplicate =
		    rank == before && is_same_again(L, at, reply);
		reply->superseded = !reply->duplicate;
		add_more(L, r, at);
		return READY_DUPLICATE;
	}
	lua_getiuservalue(L, at, RESULT_REPLY);
	lua_insert(L, -2);
	lua_setiuservalue(L, at, RESULT_REPLY);
	r->outcome = reply->outcome;
	struct host_reply *worse = api_test(L, -1, HOST_REPLY);
	if (!worse) {
		lua_pop(L, 1);
		return READY_REPLY;
	}
	worse->superseded = true;
	add_more(L, r, at);
	return READY_BETTER;
}

static void take_way(struct host_result *r, const struct wire_event *event)
{
	r->next_hop = event->next_hop;
	memcpy(r->device, event->device, sizeof(r->device) - 1);
}

/* What next() says of an event of the result on top of the stack, if it does:
 * nothing more is to be heard of one that a reply ends. */
static bool take_event(lua_State *L, struct host_result *r,
    const struct wire_event *event, const uint8_t *bytes, enum ready *why)
{
	*why = READY_DONE;
	switch ((enum wire_event_kind)event->kind) {
	case WIRE_SENT:
		take_way(r, event);
		r->sent = true;
		r->tx = event->stamp;
		r->src = event->src;
		r->probe_checksum = event->probe_checksum;
		r->probe_ip_id = event->probe_ip_id;
		return false;
	case WIRE_REPLY: *why = add_reply(L, r, event, bytes); return true;
	case WIRE_TIMEOUT:
		r->timed_out = true;
		*why = READY_TIMEOUT;
		return true;
	case WIRE_DENIED:
		r->verdict = event->verdict < POLICY_VERDICTS
		    ? (uint8_t)event->verdict
		    : POLICY_DENY_FIELD;
		return true;
	case WIRE_FAILED:
		take_way(r, event);
		r->err = event->err ? event->err : -EIO;
		r->mtu = event->mtu;
		return true;
	case WIRE_EXPIRED: return true;
	}
	return false;
}

static void result_event(lua_State *L, struct host_result *r,
    const struct wire_event *event, const uint8_t *bytes)
{
	enum ready why;
	bool tell = take_event(L, r, event, bytes, &why);
	if (event->last)
		settle_result(L, r);
	if (tell && !r->quiet)
		ready_add(L, why);
}

/* An answer to one probe of the sweep whose result is on top of the stack:
 * a result of its own, with the probe as it was sent. */
static void sweep_answer(lua_State *L, const struct host_result *sweep,
    const struct wire_event *event, const uint8_t *bytes)
{
	int at = lua_gettop(L);
	lua_getiuservalue(L, at, RESULT_PROBE);
	const struct host_probe *template = api_probe_check(L, -1);
	size_t len = sizeof(*template) +
	    (template->probe.payload ? template->probe.payload_len : 0);
	struct host_probe *p = lua_newuserdatauv(L, len, 0);
	memcpy(p, template, len);
	luaL_setmetatable(L, HOST_PROBE);
	if (template->probe.payload)
		p->probe.payload = p->payload;
	p->probe.dst = sweep_address(&template->probe.dst, event->index);
	lua_getiuservalue(L, at, RESULT_TAG);
	lua_insert(L, -2);
	struct host_result *r = result_push(L, lua_gettop(L) - 1);
	r->index = event->index + 1;
	r->sent = r->settled = true;
	r->cookie = sweep->cookie;
	r->tx = event->tx;
	r->src = event->src;
	r->probe_checksum = event->probe_checksum;
	r->probe_ip_id = event->probe_ip_id;
	add_reply(L, r, event, bytes);
	ready_add(L, READY_SWEPT);
	lua_settop(L, at);
}

static void sweep_event(lua_State *L, struct host_result *sweep,
    const struct wire_event *event, const uint8_t *bytes)
{
	if (event->kind == WIRE_REPLY) {
		sweep_answer(L, sweep, event, bytes);
		return;
	}
	if (event->kind == WIRE_FAILED)
		sweep->err = event->err ? event->err : -EIO;
	if (event->bytes_len == sizeof(sweep->counts))
		memcpy(&sweep->counts, bytes, sizeof(sweep->counts));
	if (sweep->counts.verdict >= POLICY_VERDICTS)
		sweep->counts.verdict = POLICY_DENY_FIELD;
	if (!event->last)
		return;
	settle_result(L, sweep);
	host_of(L)->sweeps = false;
	ready_add(L, READY_DONE);
}

static void on_event(
    void *arg, const struct wire_event *event, const uint8_t *bytes)
{
	lua_State *L = arg;
	luaL_checkstack(L, 12, NULL);
	lua_rawgetp(L, LUA_REGISTRYINDEX, &flights_key);
	lua_rawgeti(L, -1, (lua_Integer)PLACE_OF(event->cookie) + 1);
	struct host_result *r = api_test(L, -1, HOST_RESULT);
	if (r && r->cookie == event->cookie && r->is_sweep)
		sweep_event(L, r, event, bytes);
	else if (r && r->cookie == event->cookie)
		result_event(L, r, event, bytes);
	lua_pop(L, 2);
}

static void check_wait(lua_State *L, int err, const struct errmsg *msg)
{
	if (err && err != -EINTR)
		luaL_error(L, "%s", msg->text);
}

void events_wait(lua_State *L, struct monotime until)
{
	struct host *host = host_of(L);
	struct errmsg msg = { "" };
	record_flush(host);
	watch_waits(true);
	int err =
	    client_wait(&host->client, until, watch_stop(), on_event, L, &msg);
	watch_waits(false);
	check_wait(L, err, &msg);
}

void events_open(lua_State *L)
{
	lua_newtable(L);
	lua_rawsetp(L, LUA_REGISTRYINDEX, &flights_key);
	lua_newtable(L);
	lua_rawsetp(L, LUA_REGISTRYINDEX, &ready_key);
}
