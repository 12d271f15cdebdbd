/* SPDX-License-Identifier: ISC */
/*
 * Trains: probes with times, given to the guardian, and their results.  A
 * result is one value per probe that fills as events come; next() hands it
 * out when its first reply came ("reply"), when another did ("duplicate"), and
 * when no more can come ("done").
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "probes/policy/policy.h"
#include "probes/script/script-api.h"
#include "probes/script/emit.h"
#include "probes/script/watch.h"

#define WAIT_DEFAULT_NS (2 * NS_PER_S)
#define WAIT_MAX_NS (60 * NS_PER_S)
#define DELAY_MAX_NS (3600 * NS_PER_S)
#define TRAIN_MAX 30000
#define OPERAND_LOOK_NS (5 * NS_PER_MS)
#define RATE_MAX_PPS 10000000

#define READY_SIZE_MIN 64

/* Registry keys, by address: place to result, and what is ready. */
static char flights_key, ready_key;

enum result_field {
	FIELD_NONE,
	PROBE,
	TAG,
	INDEX,
	SENT,
	TX_NS,
	TX_CLOCK,
	SRC,
	IP_ID,
	CHECKSUM,
	REPLY,
	REPLIES,
	RTT_NS,
	OUTCOME,
	REACHED,
	DENIED,
	ERROR,
	DONE,
	COUNTS
};
static const char *const names[] = { "probe", "tag", "index", "sent", "tx_ns",
	"tx_clock", "src", "ip_id", "checksum", "reply", "replies", "rtt_ns",
	"outcome", "reached", "denied", "error", "done", "counts", NULL };

static void push_denied(lua_State *L, const struct host_result *r)
{
	if (r->verdict)
		lua_pushstring(
		    L, policy_reason_name((enum policy_verdict)r->verdict));
	else
		lua_pushnil(L);
}

Sonde__Outcome result_outcome(const struct host_result *r)
{
	if (r->verdict)
		return SONDE__OUTCOME__OUTCOME_DENIED;
	if (r->err)
		return SONDE__OUTCOME__OUTCOME_NOT_SENT;
	if (r->outcome.rank > OUTCOME_RANK_ADVICE)
		return r->outcome.outcome;
	return r->settled || r->timed_out ? SONDE__OUTCOME__OUTCOME_SILENT
					  : SONDE__OUTCOME__OUTCOME_UNKNOWN;
}

const char *result_error_text(const struct host_result *r,
    const struct addr *dst, char to[static RESULT_ERROR_LEN])
{
	const char *device = r->device[0] ? r->device : "a device";
	int family = dst->family == 6 ? 6 : 4;
	switch (r->err) {
	case -EADDRNOTAVAIL:
	case -EAFNOSUPPORT:
		snprintf(to, RESULT_ERROR_LEN, "this host has no IPv%d address",
		    family);
		break;
	case -ENETUNREACH:
		snprintf(to, RESULT_ERROR_LEN,
		    "network is unreachable: this host has no IPv%d route for "
		    "it",
		    family);
		break;
	case -EDESTADDRREQ:
		snprintf(to, RESULT_ERROR_LEN,
		    "on which link? expected ADDRESS%%DEVICE");
		break;
	case -ENETDOWN:
		snprintf(to, RESULT_ERROR_LEN, "network is down: %s", device);
		break;
	case -ENODEV:
	case -ENXIO:
		snprintf(to, RESULT_ERROR_LEN, "no such device: %s", device);
		break;
	case -EMSGSIZE:
		snprintf(to, RESULT_ERROR_LEN,
		    r->mtu ? "message too long: by %s at most %u octets"
			   : "message too long for %s",
		    device, r->mtu);
		break;
	default: snprintf(to, RESULT_ERROR_LEN, "%s", err_str(r->err));
	}
	return to;
}

static void push_outcome(lua_State *L, const struct host_result *r)
{
	Sonde__Outcome outcome = result_outcome(r);
	if (outcome == SONDE__OUTCOME__OUTCOME_UNKNOWN)
		lua_pushnil(L);
	else
		lua_pushstring(L, outcome_name(outcome));
}

static void push_error(lua_State *L, const struct host_result *r)
{
	if (r->verdict) {
		push_denied(L, r);
	} else if (r->err) {
		lua_getiuservalue(L, 1, RESULT_PROBE);
		const struct host_probe *p = api_probe_check(L, -1);
		char text[RESULT_ERROR_LEN];
		lua_pushstring(L, result_error_text(r, &p->probe.dst, text));
	} else {
		lua_pushnil(L);
	}
}

/* The one that counts first, if there is one. */
static void push_replies(lua_State *L)
{
	lua_Integer count = 0;
	lua_newtable(L);
	if (lua_getiuservalue(L, 1, RESULT_REPLY) != LUA_TNIL)
		lua_rawseti(L, -2, ++count);
	else
		lua_pop(L, 1);
	if (lua_getiuservalue(L, 1, RESULT_MORE) == LUA_TTABLE) {
		for (lua_Integer i = 1; lua_rawgeti(L, -1, i) != LUA_TNIL; i++)
			lua_rawseti(L, -3, ++count);
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
}

static void push_rtt(lua_State *L)
{
	const struct host_reply *reply;
	lua_getiuservalue(L, 1, RESULT_REPLY);
	reply = api_test(L, -1, HOST_REPLY);
	if (reply && reply->outcome.rank != OUTCOME_RANK_AMBIGUOUS)
		lua_pushinteger(L, reply->rtt_ns);
	else
		lua_pushnil(L);
}

static void push_tx_clock(lua_State *L, const struct host_result *r)
{
	static const char *const clocks[] = { "unknown", "user", "kernel",
		"hardware", "simulated" };
	unsigned clock = r->tx.clock;
	lua_pushstring(L, clocks[clock <= NET_CLOCK_SIMULATED ? clock : 0]);
}

static void push_count(lua_State *L, const char *name, uint32_t count)
{
	lua_pushinteger(L, count);
	lua_setfield(L, -2, name);
}

/* What became of a sweep's probes, once it is done. */
static void push_counts(lua_State *L, const struct host_result *r)
{
	if (!r->is_sweep || !r->settled) {
		lua_pushnil(L);
		return;
	}
	lua_createtable(L, 0, 5);
	push_count(L, "sent", r->counts.sent);
	push_count(L, "denied", r->counts.denied);
	push_count(L, "not_sent", r->counts.failed);
	if (r->counts.denied) {
		lua_pushstring(L, policy_reason_name(r->counts.verdict));
		lua_setfield(L, -2, "denied_reason");
	}
	if (r->counts.failed) {
		lua_pushstring(L, err_str(r->counts.err));
		lua_setfield(L, -2, "error");
	}
}

static int result_index(lua_State *L)
{
	const struct host_result *r = api_check(L, 1, HOST_RESULT);
	switch ((enum result_field)api_field_number(L, 2)) {
	case PROBE: lua_getiuservalue(L, 1, RESULT_PROBE); break;
	case TAG: lua_getiuservalue(L, 1, RESULT_TAG); break;
	case INDEX: lua_pushinteger(L, r->index); break;
	case SENT: lua_pushboolean(L, r->sent); break;
	case TX_NS: lua_pushinteger(L, r->tx.wall.ns); break;
	case TX_CLOCK: push_tx_clock(L, r); break;
	case SRC: api_push_address(L, &r->src); break;
	case IP_ID: lua_pushinteger(L, r->probe_ip_id); break;
	case CHECKSUM: lua_pushinteger(L, r->probe_checksum); break;
	case REPLY: lua_getiuservalue(L, 1, RESULT_REPLY); break;
	case REPLIES: push_replies(L); break;
	case RTT_NS: push_rtt(L); break;
	case OUTCOME: push_outcome(L, r); break;
	case REACHED: lua_pushboolean(L, r->outcome.reached); break;
	case DENIED: push_denied(L, r); break;
	case ERROR: push_error(L, r); break;
	case DONE: lua_pushboolean(L, r->settled); break;
	case COUNTS: push_counts(L, r); break;
	case FIELD_NONE: lua_pushnil(L); break;
	}
	return 1;
}

/* Why next() gives a result. */
enum ready {
	READY_DONE,
	READY_REPLY,
	READY_BETTER,
	READY_DUPLICATE,
	READY_ADVICE,
	READY_TIMEOUT,
	READY_SWEPT
};
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

/* The result on top of the stack becomes ready, and stays there. */
static void make_ready(lua_State *L, enum ready why)
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

/* Pushes the result that is ready first and why. */
static void take_ready(lua_State *L, struct host *host)
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

/* The result on top of the stack is in flight, and stays there. */
static void flight_keep(lua_State *L, struct host_result *r)
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
		make_ready(L, why);
}

/* Pushes a result for the probe on top of the stack, which it takes. */
static struct host_result *result_push(lua_State *L, int tag_at)
{
	struct host_result *r = lua_newuserdatauv(L, sizeof(*r), RESULT_MORE);
	memset(r, 0, sizeof(*r));
	luaL_setmetatable(L, HOST_RESULT);
	lua_insert(L, -2);
	lua_setiuservalue(L, -2, RESULT_PROBE);
	if (tag_at) {
		lua_pushvalue(L, tag_at);
		lua_setiuservalue(L, -2, RESULT_TAG);
	}
	return r;
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
	make_ready(L, READY_SWEPT);
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
	make_ready(L, READY_DONE);
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

/* The header is read without a network. */
static struct guardian_client *check_network(lua_State *L)
{
	struct host *host = host_of(L);
	if (!host->config)
		luaL_error(L, "only run() may use the network");
	return &host->client;
}

static void wait_for_events(lua_State *L, struct monotime until)
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

/* When a train's probes go, and how each is listened for. */
struct timing {
	int64_t delay_ns; /* after `from` */
	struct monotime from;
	int64_t wait_ns, late_ns;
	bool listen_all;
	struct sweep_range range; /* of a sweep */
};

/* The result on top of the stack, with its probe, leaves for the guardian. */
static void launch(lua_State *L, struct host_result *r,
    const struct probe *probe, const struct timing *t)
{
	struct host *host = host_of(L);
	struct errmsg msg = { "" };
	struct monotime at = monotime_add(t->from, t->delay_ns);
	while (!client_has_room(&host->client, probe->payload_len) &&
	    !*watch_stop())
		wait_for_events(L, (struct monotime){ INT64_MAX });
	if (*watch_stop()) {
		r->settled = true;
		r->err = -EINTR;
		if (!r->quiet)
			make_ready(L, READY_DONE);
		return;
	}
	r->payload_len = probe->payload_len;
	flight_keep(L, r);
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

static int64_t check_time(
    lua_State *L, const char *name, lua_Integer least, lua_Integer fallback)
{
	lua_Integer ns = luaL_optinteger(L, -1, fallback);
	if (ns < least || ns > WAIT_MAX_NS)
		luaL_error(L, "%s: expected %d ns to 60 s, got %I ns", name,
		    (int)least, (LUAI_UACINT)ns);
	return ns;
}

static void check_listen(lua_State *L, struct timing *t)
{
	static const char *const modes[] = { "first", "all", NULL };
	const char *mode = luaL_optstring(L, -1, modes[0]);
	t->listen_all = strcmp(mode, modes[1]) == 0;
	if (!t->listen_all && strcmp(mode, modes[0]) != 0)
		luaL_error(
		    L, "listen: expected 'first' or 'all', got '%s'", mode);
}

/* An option of the table at `at`, whose value is on top of the stack. */
static void check_option(lua_State *L, const char *name, struct timing *t)
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

/* wait_ns, or {wait_ns = N, late_ns = N, listen = "first" or "all"}. */
static struct timing check_timing(lua_State *L, int at)
{
	struct timing t = { .from = client_now(check_network(L)),
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
	struct timing t = check_timing(L, 2);
	lua_pushvalue(L, 1);
	struct host_result *r = result_push(L, 3);
	r->index = 1;
	launch(L, r, &p->probe, &t);
	return 1;
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
	check_network(L);
	if (host->sweeps)
		luaL_error(L, "a sweep is running; its result is 'done' first");
	copy_table(L, 2);
	struct sweep_range range = {
		.count = check_range(L, "count", 1, SWEEP_MOST),
		.rate_pps = check_range(L, "rate_pps", 0, RATE_MAX_PPS),
	};
	struct timing t = check_timing(L, 2);
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
	launch(L, r, &p->probe, &t);
	return 1;
}

/* Pushes the probe of a train's element and adds its delay. */
static const struct host_probe *train_element(
    lua_State *L, lua_Integer i, struct timing *t)
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
	struct timing t = check_timing(L, 2);
	luaL_argcheck(L, count <= TRAIN_MAX, 1, "the train is too long");
	lua_createtable(L, (int)count, 0);
	for (lua_Integer i = 1; i <= count; i++) {
		const struct host_probe *p = train_element(L, i, &t);
		struct host_result *r = result_push(L, quiet ? 0 : 3);
		r->index = (uint32_t)i;
		r->quiet = quiet;
		launch(L, r, &p->probe, &t);
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
		wait_for_events(L, (struct monotime){ INT64_MAX });
	return 1;
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
	check_network(L);
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
		wait_for_events(L, look_at_operands(host, until));
	}
	take_ready(L, host);
	return 2;
}

static int api_source(lua_State *L)
{
	struct guardian_client *client = check_network(L);
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

static int api_room(lua_State *L)
{
	lua_pushinteger(L,
	    (lua_Integer)WIRE_MAX_OUTSTANDING - host_of(L)->client.outstanding);
	return 1;
}

void api_train_open(lua_State *L)
{
	static const luaL_Reg functions[] = { { "send", api_send },
		{ "start", api_start }, { "sweep", api_sweep },
		{ "send_train", api_send_train }, { "next", api_next },
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
	lua_newtable(L);
	lua_rawsetp(L, LUA_REGISTRYINDEX, &flights_key);
	lua_newtable(L);
	lua_rawsetp(L, LUA_REGISTRYINDEX, &ready_key);
	api_type_new(L, HOST_RESULT, names, result_index);
}
