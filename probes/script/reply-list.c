/* SPDX-License-Identifier: ISC */
/*
 * Results as the replies of a record, and their sums, so that every script's
 * traces and pings say the same things in the same fields.
 */
#include <errno.h>
#include <string.h>

#include "lib/base/reader.h"
#include "lib/packet/interface.h"
#include "probes/policy/policy.h"
#include "probes/script/emit.h"
#include "probes/script/reply-list.h"

#define RECORD_MAX_MORE 64 /* replies that are no outcomes */

ProtobufCBinaryData octets_of(const struct addr *a)
{
	return (ProtobufCBinaryData){ addr_len(a), (uint8_t *)a->bytes };
}

/* Smaller than no time at all is the clocks' fault. */
static uint64_t rtt_of(const struct host_reply *r)
{
	return r->rtt_ns > 0 ? (uint64_t)r->rtt_ns : 0;
}

static void fill_mpls(
    lua_State *L, Sonde__IcmpExtension *to, const struct packet_extension *e)
{
	struct reader r = reader_init(e->data, e->len);
	size_t count = e->len / 4;
	Sonde__MplsEntry *entries = record_scratch(L, count * sizeof(*entries));
	to->mpls = record_scratch(L, count * sizeof(Sonde__MplsEntry *));
	for (size_t i = 0; i < count; i++) {
		uint32_t word = reader_be32(&r);
		sonde__mpls_entry__init(&entries[i]);
		entries[i].label = word >> 12;
		entries[i].traffic_class = word >> 9 & 7;
		entries[i].bottom = (word >> 8 & 1) != 0;
		entries[i].ttl = word & 0xff;
		to->mpls[i] = &entries[i];
	}
	to->n_mpls = count;
}

static void fill_interface(
    lua_State *L, Sonde__IcmpExtension *to, const struct packet_extension *e)
{
	struct packet_interface read, *i;
	if (packet_interface(e, &read) < 0)
		return;
	i = record_scratch(L, sizeof(*i));
	*i = read;
	to->interface = record_scratch(L, sizeof(*to->interface));
	sonde__interface_info__init(to->interface);
	to->interface->role = (char *)packet_interface_role_name(i->role);
	if (i->has_index)
		INTERFACE_SET(to->interface, INDEX, index, i->index);
	if (i->address.family)
		INTERFACE_SET(
		    to->interface, ADDRESS, address, octets_of(&i->address));
	if (*i->name)
		INTERFACE_SET(to->interface, NAME, name, i->name);
	if (i->has_mtu)
		INTERFACE_SET(to->interface, MTU, mtu, i->mtu);
}

static void fill_extensions(
    lua_State *L, Sonde__Reply *to, const struct packet *p)
{
	struct packet_extension e;
	size_t offset = 0, count = 0;
	while (packet_next_extension(p, &offset, &e) == 0)
		count++;
	if (count == 0)
		return;
	Sonde__IcmpExtension *all = record_scratch(L, count * sizeof(*all));
	to->extensions =
	    record_scratch(L, count * sizeof(Sonde__IcmpExtension *));
	to->extensions_by_length = p->extensions_by_length;
	offset = 0;
	for (size_t i = 0; i < count; i++) {
		packet_next_extension(p, &offset, &e);
		sonde__icmp_extension__init(&all[i]);
		all[i].class_num = e.class_num;
		all[i].c_type = e.c_type;
		all[i].data = (ProtobufCBinaryData){ e.len, (uint8_t *)e.data };
		if (e.class_num == 1 && e.c_type == 1)
			fill_mpls(L, &all[i], &e);
		fill_interface(L, &all[i], &e);
		to->extensions[i] = &all[i];
	}
	to->n_extensions = count;
}

static void fill_reply(lua_State *L, Sonde__Reply *to,
    const struct probe *probe, const struct host_reply *r)
{
	if (r->len == 0) /* of a packet that may be another run's */
		return;
	struct reply_view *view = record_scratch(L, sizeof(*view));
	const struct packet *p = &view->packet;
	api_reply_read(r, view);
	to->from = octets_of(&p->src);
	to->rx_wall_ns = r->stamp.wall.ns;
	to->rx_clock = (Sonde__Clock)r->stamp.clock;
	to->late = r->late;
	if (r->outcome.rank != OUTCOME_RANK_AMBIGUOUS)
		REPLY_SET(to, RTT_NS, rtt_ns, rtt_of(r));
	REPLY_SET(to, REPLY_TTL, reply_ttl, p->ttl);
	REPLY_SET(to, REPLY_SIZE_BYTES, reply_size_bytes, p->ip_len);
	REPLY_SET(to, REPLY_IP_ID, reply_ip_id, p->ip_id);
	REPLY_SET(to, REPLY_TOS, reply_tos, p->tos);
	to->duplicate = r->duplicate;
	if (p->proto == PACKET_TCP)
		REPLY_SET(to, TCP_FLAGS, tcp_flags, p->tcp_flags);
	if (p->proto == PACKET_UDP && p->sport != probe->dport)
		REPLY_SET(to, FROM_PORT, from_port, p->sport);
	if (p->proto == PACKET_ICMP || p->proto == PACKET_ICMP6) {
		REPLY_SET(to, ICMP_TYPE, icmp_type, p->icmp_type);
		REPLY_SET(to, ICMP_CODE, icmp_code, p->icmp_code);
	}
	if (packet_next_hop_mtu(p) > 0)
		REPLY_SET(to, MTU, mtu, packet_next_hop_mtu(p));
	if (view->has_quote) {
		const struct packet *quoted = &view->quoted;
		REPLY_SET(to, QUOTED_TTL, quoted_ttl, quoted->ttl);
		REPLY_SET(to, QUOTED_TOS, quoted_tos, quoted->tos);
		REPLY_SET(
		    to, QUOTED_SIZE_BYTES, quoted_size_bytes, quoted->ip_len);
	}
	fill_extensions(L, to, p);
}

static Sonde__Reply *reply_of(lua_State *L, struct reply_list *l,
    const struct host_result *r, const struct probe *probe,
    const struct host_reply *reply)
{
	Sonde__Reply *to = record_scratch(L, sizeof(*to));
	sonde__reply__init(to);
	to->probe_ttl = probe->ttl;
	to->attempt = l->attempts[probe->ttl];
	to->probe_id = l->number;
	to->outcome = reply ? reply->outcome.outcome : result_outcome(r);
	if (r->sent) {
		to->tx_wall_ns = r->tx.wall.ns;
		to->tx_clock = (Sonde__Clock)r->tx.clock;
	}
	if (r->verdict)
		to->denied =
		    (char *)policy_reason_name((enum policy_verdict)r->verdict);
	if (r->err)
		to->error = (char *)result_error_text(
		    r, &probe->dst, record_scratch(L, RESULT_ERROR_LEN));
	if (r->mtu)
		REPLY_SET(to, MTU, mtu, r->mtu);
	if (reply)
		fill_reply(L, to, probe, reply);
	return to;
}

static void count_answer(struct reply_list *l, const struct host_reply *reply)
{
	uint64_t rtt_ns = rtt_of(reply);
	if (l->received == 0 || rtt_ns < l->rtt_min_ns)
		l->rtt_min_ns = rtt_ns;
	if (rtt_ns > l->rtt_max_ns)
		l->rtt_max_ns = rtt_ns;
	l->rtt_sum_ns += rtt_ns;
	l->received++;
}

/* What was not sent is neither sent nor lost. */
static void list_count(struct reply_list *l, const struct host_result *r,
    const Sonde__Reply *to, const struct host_reply *reply)
{
	Sonde__Outcome outcome = result_outcome(r);
	l->sent += outcome_was_sent(outcome);
	switch (outcome) {
	case SONDE__OUTCOME__OUTCOME_ANSWERED: count_answer(l, reply); break;
	case SONDE__OUTCOME__OUTCOME_HOP:
	case SONDE__OUTCOME__OUTCOME_REJECTED: l->rejected++; break;
	case SONDE__OUTCOME__OUTCOME_LATE: l->late++; break;
	case SONDE__OUTCOME__OUTCOME_OTHER_ADDRESS: l->other_address++; break;
	case SONDE__OUTCOME__OUTCOME_AMBIGUOUS: l->ambiguous++; break;
	case SONDE__OUTCOME__OUTCOME_DENIED: l->denied++; break;
	case SONDE__OUTCOME__OUTCOME_NOT_SENT:
		l->not_sent++;
		if (!l->error)
			l->error = to->error;
		break;
	default: break;
	}
}

/* A run that was stopped knows nothing yet of what it still waits for. */
static bool is_open(const struct host_result *r)
{
	return r->err == -EINTR ||
	    result_outcome(r) == SONDE__OUTCOME__OUTCOME_UNKNOWN;
}

/* The replies of the table on top of the stack, which are not the outcome.
 * They may be as many as others like: what is beyond the first of them must not
 * cost a record its outcomes. */
static void list_more(lua_State *L, struct reply_list *l,
    const struct host_result *r, const struct probe *probe)
{
	int more = lua_gettop(L);
	for (lua_Integer i = 1; i <= r->more && l->more_count < RECORD_MAX_MORE;
	     i++) {
		lua_rawgeti(L, more, i);
		const struct host_reply *reply = api_test(L, -1, HOST_REPLY);
		Sonde__Reply *to = reply_of(L, l, r, probe, reply);
		if (reply->duplicate)
			l->replies[l->count++] = to;
		else
			l->remarks[l->remark_count++] = to;
		l->more_count++;
	}
}

static bool has_room(struct reply_list *l, uint8_t ttl, bool answered)
{
	struct reply_share *room = &l->room[ttl];
	uint32_t *left = answered ? &room->answered : &room->silent;
	if (*left == 0)
		return false;
	(*left)--;
	return true;
}

/* The result on top of the stack, with every reply it has. */
static void list_result(lua_State *L, struct reply_list *l)
{
	int at = lua_gettop(L);
	const struct host_result *r = api_check(L, at, HOST_RESULT);
	lua_getiuservalue(L, at, RESULT_PROBE);
	const struct host_probe *p = api_probe_check(L, -1);
	lua_getiuservalue(L, at, RESULT_REPLY);
	const struct host_reply *reply = api_test(L, -1, HOST_REPLY);
	if (!l->first)
		l->first = &p->probe;
	if (r->sent && l->src.family == 0) {
		l->src = r->src;
		l->next_hop = r->next_hop;
		l->device = r->device;
	} else if (!l->device && *r->device) {
		l->device = r->device; /* that it could not leave by */
	}
	l->attempts[p->probe.ttl]++;
	l->number++;
	if (is_open(r))
		return;
	if (l->shares && !has_room(l, p->probe.ttl, reply != NULL)) {
		l->left_out++;
		lua_settop(L, at - 1);
		return;
	}
	Sonde__Reply *to = reply_of(L, l, r, &p->probe, reply);
	l->replies[l->count++] = to;
	list_count(l, r, to, reply);
	if (lua_getiuservalue(L, at, RESULT_MORE) == LUA_TTABLE)
		list_more(L, l, r, &p->probe);
}

/* Who answered comes before who was silent. */
static void share_room(
    lua_State *L, struct reply_list *l, int at, lua_Integer count)
{
	uint32_t hops = 0;
	for (lua_Integer i = 1; i <= count; i++) {
		lua_rawgeti(L, at, i);
		api_check(L, -1, HOST_RESULT);
		lua_getiuservalue(L, -1, RESULT_PROBE);
		uint8_t ttl = api_probe_check(L, -1)->probe.ttl;
		lua_getiuservalue(L, -2, RESULT_REPLY);
		struct reply_share *room = &l->room[ttl];
		hops += room->answered + room->silent == 0;
		if (api_test(L, -1, HOST_REPLY))
			room->answered++;
		else
			room->silent++;
		lua_pop(L, 3);
	}
	for (size_t i = 0; i < 256 && hops > 0; i++) {
		struct reply_share *room = &l->room[i];
		uint32_t share = RECORD_MAX_REPLIES / hops;
		if (room->answered > share)
			room->answered = share;
		if (room->silent > share - room->answered)
			room->silent = share - room->answered;
	}
}

/* How many replies the list can have: a silent probe is one too. */
static size_t list_size(
    lua_State *L, const struct reply_list *l, int at, lua_Integer count)
{
	size_t size = 0, more = 0;
	for (lua_Integer i = 1; i <= count; i++) {
		lua_rawgeti(L, at, i);
		const struct host_result *r = api_check(L, -1, HOST_RESULT);
		size += !l->shares || size < RECORD_MAX_REPLIES;
		more += (size_t)r->more;
		lua_pop(L, 1);
		if (size > RECORD_MAX_REPLIES)
			luaL_error(L, "record: more than %d replies",
			    RECORD_MAX_REPLIES);
	}
	return size + (more < RECORD_MAX_MORE ? more : RECORD_MAX_MORE);
}

/* How far a reply came, if its TTL began as systems begin it. */
static uint8_t hops_from(uint32_t reply_ttl)
{
	return (uint8_t)((reply_ttl <= 64           ? 64
				 : reply_ttl <= 128 ? 128
						    : 255) -
	    reply_ttl);
}

static bool is_in_name_of(const Sonde__Reply *r, const struct addr *target)
{
	return r->has_reply_ttl_case && r->reply_ttl <= 255 &&
	    r->from.len == addr_len(target) &&
	    memcmp(r->from.data, target->bytes, r->from.len) == 0;
}

static bool is_reset(const Sonde__Reply *r)
{
	return r->has_tcp_flags_case && (r->tcp_flags & PACKET_TCP_RST) != 0;
}

/* How far the answers in the target's name came. */
struct distances {
	bool answer[256]; /* by hops_from: what was no reset */
	bool answered;
	uint8_t farthest; /* of the resets */
};

static void note_distances(struct distances *d, Sonde__Reply *const *replies,
    size_t count, const struct addr *target)
{
	for (size_t i = 0; i < count; i++) {
		const Sonde__Reply *r = replies[i];
		if (!is_in_name_of(r, target))
			continue;
		uint8_t hops = hops_from(r->reply_ttl);
		if (!is_reset(r))
			d->answer[hops] = d->answered = true;
		else if (hops > d->farthest)
			d->farthest = hops;
	}
}

/* A firewall may reset a connection in the target's name.  It is nearer then,
 * but a reply may also have another way back: it is never certain.  Where there
 * are resets alone, the farthest may be the target's. */
static void mark_firewalls(const struct distances *d,
    Sonde__Reply *const *replies, size_t count, const struct addr *target)
{
	for (size_t i = 0; i < count; i++) {
		Sonde__Reply *r = replies[i];
		if (!is_in_name_of(r, target) || !is_reset(r))
			continue;
		uint8_t hops = hops_from(r->reply_ttl);
		r->perhaps_firewall =
		    d->answered ? !d->answer[hops] : hops < d->farthest;
	}
}

static void judge_resets(struct reply_list *l)
{
	struct distances d = { 0 };
	const struct addr *target = &l->first->dst;
	if (l->first->proto != PACKET_TCP)
		return;
	note_distances(&d, l->replies, l->count, target);
	note_distances(&d, l->remarks, l->remark_count, target);
	mark_firewalls(&d, l->replies, l->count, target);
	mark_firewalls(&d, l->remarks, l->remark_count, target);
}

void reply_list_read(lua_State *L, struct reply_list *l)
{
	if (lua_getfield(L, 1, "probes") != LUA_TTABLE)
		luaL_error(L, "record: expected probes = a list of results");
	int probes = lua_gettop(L);
	lua_Integer count = (lua_Integer)lua_rawlen(L, probes);
	if (count == 0)
		luaL_error(L, "record: the list of probes is empty");
	l->shares = l->shares && count > RECORD_MAX_REPLIES;
	if (l->shares)
		share_room(L, l, probes, count);
	l->size = list_size(L, l, probes, count);
	l->replies = record_scratch(L, l->size * sizeof(Sonde__Reply *));
	l->remarks = record_scratch(L, l->size * sizeof(Sonde__Reply *));
	luaL_checkstack(L, (int)l->size * 32 + 64, "a shorter list of probes");
	for (lua_Integer i = 1; i <= count && l->count < l->size; i++) {
		lua_rawgeti(L, probes, i);
		list_result(L, l);
	}
	judge_resets(l);
}
