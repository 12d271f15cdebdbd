/* SPDX-License-Identifier: ISC */
/*
 * A reply as a script sees it: the packet's fields, read when asked for, and
 * the extension objects of ICMP errors, MPLS and interfaces decoded too.
 */
#include <string.h>

#include "lib/base/reader.h"
#include "lib/packet/interface.h"
#include "probes/script/script-api.h"

/* RFC 4950: class 1, c-type 1. */
static bool is_mpls(const struct packet_extension *e)
{
	return e->class_num == 1 && e->c_type == 1;
}

enum reply_field {
	FIELD_NONE,
	FROM,
	FROM_PORT,
	RTT_NS,
	RX_NS,
	RX_CLOCK,
	TTL,
	TOS,
	IP_ID,
	SIZE_BYTES,
	PROTO,
	ICMP_TYPE,
	ICMP_CODE,
	TCP_FLAGS,
	TCP_SEQ,
	TCP_ACK,
	TCP_WINDOW,
	MTU,
	QUOTED_TTL,
	QUOTED_TOS,
	QUOTED_CHECKSUM,
	QUOTED_IP_ID,
	QUOTED_DST,
	QUOTED_SRC,
	QUOTED_SPORT,
	QUOTED_SIZE_BYTES,
	EXTENSIONS,
	PAYLOAD,
	PACKET,
	DUPLICATE,
	ADVICE,
	SUPERSEDED,
	LATE,
	OUTCOME,
	REACHED,
	IS_ERROR
};
static const char *const names[] = { "from", "from_port", "rtt_ns", "rx_ns",
	"rx_clock", "ttl", "tos", "ip_id", "size_bytes", "proto", "icmp_type",
	"icmp_code", "tcp_flags", "tcp_seq", "tcp_ack", "tcp_window", "mtu",
	"quoted_ttl", "quoted_tos", "quoted_checksum", "quoted_ip_id",
	"quoted_dst", "quoted_src", "quoted_sport", "quoted_size_bytes",
	"extensions", "payload", "packet", "duplicate", "advice", "superseded",
	"late", "outcome", "reached", "is_error", NULL };

static const char *clock_name(enum net_clock clock)
{
	static const char *const clocks[] = { "unknown", "user", "kernel",
		"hardware", "simulated" };
	return clock <= NET_CLOCK_SIMULATED ? clocks[clock] : clocks[0];
}

/* "label", "traffic_class", "bottom", "ttl" of each entry. */
static void push_mpls(lua_State *L, const struct packet_extension *e)
{
	struct reader r = reader_init(e->data, e->len);
	lua_newtable(L);
	for (int i = 1; reader_left(&r) >= 4; i++) {
		uint32_t entry = reader_be32(&r);
		lua_createtable(L, 0, 4);
		lua_pushinteger(L, entry >> 12);
		lua_setfield(L, -2, "label");
		lua_pushinteger(L, entry >> 9 & 7);
		lua_setfield(L, -2, "traffic_class");
		lua_pushboolean(L, (entry >> 8 & 1) != 0);
		lua_setfield(L, -2, "bottom");
		lua_pushinteger(L, entry & 0xff);
		lua_setfield(L, -2, "ttl");
		lua_rawseti(L, -2, i);
	}
}

/* What is not told is nil. */
static bool push_interface(lua_State *L, const struct packet_extension *e)
{
	struct packet_interface i;
	if (packet_interface(e, &i) < 0)
		return false;
	lua_createtable(L, 0, 5);
	lua_pushstring(L, packet_interface_role_name(i.role));
	lua_setfield(L, -2, "role");
	if (i.has_index) {
		lua_pushinteger(L, i.index);
		lua_setfield(L, -2, "index");
	}
	if (i.address.family) {
		api_push_address(L, &i.address);
		lua_setfield(L, -2, "address");
	}
	if (*i.name) {
		lua_pushstring(L, i.name);
		lua_setfield(L, -2, "name");
	}
	if (i.has_mtu) {
		lua_pushinteger(L, i.mtu);
		lua_setfield(L, -2, "mtu");
	}
	return true;
}

static void push_extensions(lua_State *L, const struct packet *p)
{
	struct packet_extension e;
	size_t offset = 0;
	lua_newtable(L);
	for (int i = 1; i <= 64 && packet_next_extension(p, &offset, &e) == 0;
	     i++) {
		lua_createtable(L, 0, 4);
		lua_pushinteger(L, e.class_num);
		lua_setfield(L, -2, "class");
		lua_pushinteger(L, e.c_type);
		lua_setfield(L, -2, "type");
		lua_pushlstring(L, (const char *)e.data, e.len);
		lua_setfield(L, -2, "data");
		if (is_mpls(&e)) {
			push_mpls(L, &e);
			lua_setfield(L, -2, "mpls");
		}
		if (push_interface(L, &e))
			lua_setfield(L, -2, "interface");
		lua_rawseti(L, -2, i);
	}
}

static bool is_icmp(const struct packet *p)
{
	return p->proto == PACKET_ICMP || p->proto == PACKET_ICMP6;
}

static void push_if(lua_State *L, bool there, uint64_t value)
{
	if (there)
		lua_pushinteger(L, (lua_Integer)value);
	else
		lua_pushnil(L);
}

static void push_proto(lua_State *L, uint8_t proto)
{
	lua_pushstring(L,
	    proto == PACKET_TCP       ? "tcp"
		: proto == PACKET_UDP ? "udp"
				      : "icmp");
}

/* Or the echo id, which translators change as they change ports. */
static uint16_t quoted_sport(const struct packet *quoted)
{
	bool ports = quoted->proto == PACKET_UDP || quoted->proto == PACKET_TCP;
	return ports ? quoted->sport : quoted->icmp_id;
}

static void push_quoted(
    lua_State *L, const struct reply_view *r, enum reply_field field)
{
	bool upper = r->quoted.proto == PACKET_UDP ||
	    r->quoted.proto == PACKET_ICMP || r->quoted.proto == PACKET_ICMP6;
	switch ((int)field) {
	case QUOTED_TTL: push_if(L, r->has_quote, r->quoted.ttl); break;
	case QUOTED_TOS: push_if(L, r->has_quote, r->quoted.tos); break;
	case QUOTED_IP_ID: push_if(L, r->has_quote, r->quoted.ip_id); break;
	case QUOTED_CHECKSUM:
		push_if(L, r->has_quote && upper, r->quoted.l4_checksum);
		break;
	case QUOTED_SPORT:
		push_if(L, r->has_quote, quoted_sport(&r->quoted));
		break;
	case QUOTED_SIZE_BYTES:
		push_if(L, r->has_quote, r->quoted.ip_len);
		break;
	default:
		if (r->has_quote)
			api_push_address(L,
			    field == QUOTED_SRC ? &r->quoted.src
						: &r->quoted.dst);
		else
			lua_pushnil(L);
	}
}

static void push_read(
    lua_State *L, const struct reply_view *r, enum reply_field field)
{
	const struct packet *p = &r->packet;
	bool tcp = p->proto == PACKET_TCP;
	switch ((int)field) {
	case FROM: api_push_address(L, &p->src); break;
	case FROM_PORT:
		push_if(L, tcp || p->proto == PACKET_UDP, p->sport);
		break;
	case TTL: lua_pushinteger(L, p->ttl); break;
	case TOS: lua_pushinteger(L, p->tos); break;
	case IP_ID: lua_pushinteger(L, p->ip_id); break;
	case SIZE_BYTES: lua_pushinteger(L, p->ip_len); break;
	case PROTO: push_proto(L, p->proto); break;
	case ICMP_TYPE: push_if(L, is_icmp(p), p->icmp_type); break;
	case ICMP_CODE: push_if(L, is_icmp(p), p->icmp_code); break;
	case TCP_FLAGS: push_if(L, tcp, p->tcp_flags); break;
	case TCP_SEQ: push_if(L, tcp, p->tcp_seq); break;
	case TCP_ACK: push_if(L, tcp, p->tcp_ack); break;
	case TCP_WINDOW: push_if(L, tcp, p->tcp_window); break;
	case MTU:
		push_if(L, packet_next_hop_mtu(p) > 0, packet_next_hop_mtu(p));
		break;
	case EXTENSIONS: push_extensions(L, p); break;
	case PAYLOAD:
		lua_pushlstring(L, p->payload ? (const char *)p->payload : "",
		    p->payload ? p->payload_len : 0);
		break;
	case IS_ERROR: lua_pushboolean(L, packet_is_icmp_error(p)); break;
	default: push_quoted(L, r, field);
	}
}

static const struct reply_view *view_of(
    lua_State *L, const struct host_reply *r)
{
	struct host *host = host_of(L);
	if (host->viewed != r->number)
		api_reply_read(r, &host->view);
	host->viewed = r->number;
	return &host->view;
}

static void push_field(
    lua_State *L, const struct host_reply *r, enum reply_field field)
{
	switch (field) {
	case RTT_NS:
		push_if(L, r->outcome.rank != OUTCOME_RANK_AMBIGUOUS,
		    (uint64_t)r->rtt_ns);
		break;
	case RX_NS: lua_pushinteger(L, r->stamp.wall.ns); break;
	case RX_CLOCK: lua_pushstring(L, clock_name(r->stamp.clock)); break;
	case PACKET: lua_pushlstring(L, (const char *)r->bytes, r->len); break;
	case DUPLICATE: lua_pushboolean(L, r->duplicate); break;
	case ADVICE: lua_pushboolean(L, r->advice); break;
	case SUPERSEDED: lua_pushboolean(L, r->superseded); break;
	case LATE: lua_pushboolean(L, r->late); break;
	case OUTCOME:
		lua_pushstring(L, outcome_name(r->outcome.outcome));
		break;
	case REACHED: lua_pushboolean(L, r->outcome.reached); break;
	case FIELD_NONE: lua_pushnil(L); break;
	default: push_read(L, view_of(L, r), field);
	}
}

static int reply_index(lua_State *L)
{
	const struct host_reply *r = api_check(L, 1, HOST_REPLY);
	push_field(L, r, (enum reply_field)api_field_number(L, 2));
	return 1;
}

struct host_reply *api_reply_push(
    lua_State *L, const struct wire_event *event, const uint8_t *bytes)
{
	size_t len = event->bytes_len;
	struct host_reply *r =
	    api_object_new(L, HOST_REPLY, sizeof(*r) + len, 0);
	r->number = ++host_of(L)->reply_count;
	r->stamp = event->stamp;
	r->rtt_ns = event->rtt_ns;
	r->outcome = event->outcome;
	r->late = event->late;
	r->advice = r->outcome.rank == OUTCOME_RANK_ADVICE;
	r->len = (uint32_t)len;
	if (len > 0)
		memcpy(r->bytes, bytes, len);
	return r;
}

void api_reply_read(const struct host_reply *r, struct reply_view *view)
{
	/* A reply that does not decode has the fields before the failure. */
	packet_decode_ip(&view->packet, r->bytes, r->len, r->len);
	view->has_quote = packet_is_icmp_error(&view->packet) &&
	    packet_decode_quote(&view->quoted, &view->packet) == 0;
}

void api_reply_open(lua_State *L)
{
	api_type_new(L, HOST_REPLY, names, reply_index);
}
