/* SPDX-License-Identifier: ISC */
/*
 * What becomes of results in flight: the guardian's events fill them, and those
 * of which a script is to hear wait in a ring until next() takes them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/vec.h"
#include "probes/policy/policy.h"
#include "probes/script/emit.h"
#include "probes/script/result-events.h"
#include "probes/script/watch.h"

/* Registry key, by address: the results that have a place, by it. */
static char places_key;
static const char *const ready_names[] = { "done", "reply", "better",
	"duplicate", "advice", "timeout", "swept" };

/* A cookie says its place, and a number that no other probe of the run has. */
#define PLACE_BITS 24
#define PLACE_OF(cookie) ((uint32_t)((cookie) & ((1u << PLACE_BITS) - 1)))

struct result_place {
	struct host_result *result; /* held by Lua's list too; NULL: free */
	uint32_t next_free;         /* of a free place */
	uint32_t ready;             /* how often it is in the ring */
};

struct ready_entry {
	uint32_t place;
	enum ready why;
};

static void places_grow(lua_State *L, struct host *host)
{
	if (host->place_count == 1u << PLACE_BITS)
		luaL_error(L, "too many results wait for sonde.next()");
	VEC_ROOM(host->places, host->place_count);
	host->places[host->place_count] =
	    (struct result_place){ .next_free = host->free_place };
	host->free_place = ++host->place_count;
}

void place_take(lua_State *L, struct host_result *r)
{
	struct host *host = host_of(L);
	if (!host->free_place)
		places_grow(L, host);
	uint32_t place = host->free_place - 1;
	lua_rawgetp(L, LUA_REGISTRYINDEX, &places_key);
	lua_pushvalue(L, -2);
	lua_rawseti(L, -2, (lua_Integer)place + 1);
	lua_pop(L, 1);
	host->free_place = host->places[place].next_free;
	host->places[place] = (struct result_place){ .result = r };
	r->cookie = ++host->cookies << PLACE_BITS | place;
}

/* Pushes the result of a place. */
static void place_push(lua_State *L, uint32_t place)
{
	lua_rawgetp(L, LUA_REGISTRYINDEX, &places_key);
	lua_rawgeti(L, -1, (lua_Integer)place + 1);
	lua_remove(L, -2);
}

/* A place that nothing needs any more is free. */
static void place_look(lua_State *L, struct host *host, uint32_t place)
{
	struct result_place *p = &host->places[place];
	if (!p->result->settled || p->ready > 0)
		return;
	lua_rawgetp(L, LUA_REGISTRYINDEX, &places_key);
	lua_pushboolean(L, false);
	lua_rawseti(L, -2, (lua_Integer)place + 1);
	lua_pop(L, 1);
	*p = (struct result_place){ .next_free = host->free_place };
	host->free_place = place + 1;
}

/* A ring of twice the size, in the old one's place. */
static void ready_grow(struct host *host)
{
	uint32_t size = host->ready_size, bigger = size ? 2 * size : 64;
	struct ready_entry *ring = xcalloc(bigger, sizeof(*ring));
	for (uint32_t i = 0; i < host->ready_count; i++)
		ring[i] = host->ready[(host->ready_at + i) % size];
	free(host->ready);
	host->ready = ring;
	host->ready_at = 0;
	host->ready_size = bigger;
}

void ready_add(lua_State *L, const struct host_result *r, enum ready why)
{
	struct host *host = host_of(L);
	uint32_t place = PLACE_OF(r->cookie);
	if (host->ready_count == host->ready_size)
		ready_grow(host);
	uint32_t at = (host->ready_at + host->ready_count++) % host->ready_size;
	host->ready[at] = (struct ready_entry){ place, why };
	host->places[place].ready++;
}

void ready_take(lua_State *L, struct host *host)
{
	struct ready_entry entry = host->ready[host->ready_at];
	host->ready_at = (host->ready_at + 1) % host->ready_size;
	host->ready_count--;
	host->places[entry.place].ready--;
	place_push(L, entry.place);
	lua_pushstring(L, ready_names[entry.why]);
	place_look(L, host, entry.place);
}

/* Of what was given to the guardian a while ago nothing is known, but that it
 * is not for want of CPU time: a rate limit holds it back, and it counts no
 * longer. */
static void backlog_look(struct host_backlog *b, struct monotime time)
{
	int64_t now = time.ns / BACKLOG_SLICE_NS;
	if (now - b->slice > BACKLOG_SLICES) {
		memset(b, 0, sizeof(*b));
		b->slice = now;
	}
	while (b->slice < now) {
		uint32_t *oldest = &b->counts[++b->slice % BACKLOG_SLICES];
		b->total -= *oldest;
		*oldest = 0;
	}
}

void backlog_add(struct host *host, struct host_result *r, struct monotime now)
{
	struct host_backlog *b = &host->backlog;
	backlog_look(b, now);
	b->total++;
	b->counts[b->slice % BACKLOG_SLICES]++;
	r->behind = b->slice + 1;
}

static void backlog_heard(struct host *host, struct host_result *r)
{
	struct host_backlog *b = &host->backlog;
	int64_t slice = r->behind - 1;
	if (b->slice - slice < BACKLOG_SLICES) {
		b->total--;
		b->counts[slice % BACKLOG_SLICES]--;
	}
	r->behind = 0;
}

bool backlog_is_full(struct host *host)
{
	if (host->backlog.total < BACKLOG_MOST)
		return false;
	backlog_look(&host->backlog, client_now(&host->client));
	return host->backlog.total >= BACKLOG_MOST;
}

static void settle_result(lua_State *L, struct host_result *r)
{
	client_settled(&host_of(L)->client, r->payload_len);
	r->settled = true;
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
	struct reply_view now, then;
	api_reply_read(reply, &now);
	api_reply_read(first ? first : reply, &then);
	const struct packet *a = &now.packet, *b = &then.packet;
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

/* What next() says of an event, if it does: nothing more is to be heard of a
 * result that a reply ends. */
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
	case WIRE_REPLY:
		place_push(L, PLACE_OF(r->cookie));
		*why = add_reply(L, r, event, bytes);
		lua_pop(L, 1);
		return true;
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
	if (r->behind)
		backlog_heard(host_of(L), r);
	if (event->last)
		settle_result(L, r);
	if (tell && !r->quiet)
		ready_add(L, r, why);
}

/* An answer to one probe of a sweep: a result of its own, with the probe as it
 * was sent. */
static void sweep_answer(lua_State *L, const struct host_result *sweep,
    const struct wire_event *event, const uint8_t *bytes)
{
	int at = lua_gettop(L) + 1;
	place_push(L, PLACE_OF(sweep->cookie));
	lua_getiuservalue(L, at, RESULT_PROBE);
	const struct host_probe *template = api_probe_check(L, -1);
	size_t len = sizeof(*template) +
	    (template->probe.payload ? template->probe.payload_len : 0);
	struct host_probe *p = api_object_new(L, HOST_PROBE, len, 0);
	memcpy(p, template, len);
	if (template->probe.payload)
		p->probe.payload = p->payload;
	p->probe.dst = sweep_address(&template->probe.dst, event->index);
	lua_getiuservalue(L, at, RESULT_TAG);
	lua_insert(L, -2);
	struct host_result *r = result_push(L, lua_gettop(L) - 1);
	r->index = event->index + 1;
	r->sent = r->settled = true;
	place_take(L, r);
	r->tx = event->tx;
	r->src = event->src;
	r->probe_checksum = event->probe_checksum;
	r->probe_ip_id = event->probe_ip_id;
	add_reply(L, r, event, bytes);
	ready_add(L, r, READY_SWEPT);
	lua_settop(L, at - 1);
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
	ready_add(L, sweep, READY_DONE);
}

static void on_event(
    void *arg, const struct wire_event *event, const uint8_t *bytes)
{
	lua_State *L = arg;
	struct host *host = host_of(L);
	uint32_t place = PLACE_OF(event->cookie);
	struct host_result *r =
	    place < host->place_count ? host->places[place].result : NULL;
	if (!r || r->cookie != event->cookie || r->settled)
		return;
	luaL_checkstack(L, 12, NULL);
	if (r->is_sweep)
		sweep_event(L, r, event, bytes);
	else
		result_event(L, r, event, bytes);
	place_look(L, host, place);
}

/* First the place, then the result that it has: its values, which Lua keeps
 * before it, and itself. */
static void on_fetch(void *arg, uint64_t cookie, bool near)
{
	const struct host *host = host_of(arg);
	uint32_t number = PLACE_OF(cookie);
	if (number >= host->place_count)
		return;
	const struct result_place *place = &host->places[number];
	if (!near)
		__builtin_prefetch(place);
	for (int line = -2; near && place->result && line < 3; line++)
		__builtin_prefetch((const char *)place->result + 64 * line);
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
	const struct client_events to = { on_event, on_fetch, L };
	int err = client_wait(&host->client, until, watch_stop(), &to, &msg);
	watch_waits(false);
	check_wait(L, err, &msg);
}

void events_open(lua_State *L)
{
	lua_newtable(L);
	lua_rawsetp(L, LUA_REGISTRYINDEX, &places_key);
}
