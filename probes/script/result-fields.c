/* SPDX-License-Identifier: ISC */
/*
 * What a script reads of a result, which fills as events come: its fields, and
 * the words for its outcome and for why it was not sent.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "probes/policy/policy.h"
#include "probes/script/script-api.h"

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

/* What of this host answers so: ip-route(8), nft(8). */
static const char *refusal_of_host(int err)
{
	switch (err) {
	case -EINVAL: return "a route of this host may be a blackhole";
	case -EHOSTUNREACH: return "a route of this host rejects it";
	case -EACCES: return "a route or rule of this host prohibits it";
	default: return "a packet filter of this host may refuse it";
	}
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
	case -EINVAL:
	case -EHOSTUNREACH:
	case -EACCES:
	case -EPERM:
		snprintf(to, RESULT_ERROR_LEN, "%s: %s", err_str(r->err),
		    refusal_of_host(r->err));
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

struct host_result *result_push(lua_State *L, int tag_at)
{
	struct host_result *r =
	    api_object_new(L, HOST_RESULT, sizeof(*r), RESULT_MORE);
	lua_insert(L, -2);
	lua_setiuservalue(L, -2, RESULT_PROBE);
	if (tag_at) {
		lua_pushvalue(L, tag_at);
		lua_setiuservalue(L, -2, RESULT_TAG);
	}
	return r;
}

void api_result_open(lua_State *L)
{
	api_type_new(L, HOST_RESULT, names, result_index);
}
