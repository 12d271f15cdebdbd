/* SPDX-License-Identifier: ISC */
/*
 * What nodes answer, as real IP packets: right checksums, quotes as the
 * packet arrived, RFC 4884 extensions, TTLs and IP identifications.
 *
 *   Specification: RFC 792, RFC 4443, RFC 1812 section 4.3.2, RFC 4884,
 *   RFC 4950, RFC 5837
 *
 *   ICMP error | type 1 | code 1 | checksum 2 | rest 4 | quoted packet,
 *   zeros up to 128 octets | extension header 4: version 2, checksum |
 *   object: length 2, class 1, c-type 1, data | ...
 */
#include "lib/packet/octets.h"
#include "probes/net/sim/sim-reply.h"
#include "probes/net/sim/sim-state.h"

#define ERROR_MAX_V4 576  /* RFC 1812 */
#define ERROR_MAX_V6 1280 /* RFC 4443 */
#define QUOTE_PADDED 128  /* RFC 4884 section 3 */
#define TOS_CONTROL 0xc0  /* precedence 6, as routers send their own */

struct out {
	uint8_t *to;
	size_t len;
};

static void put8(struct out *o, unsigned v)
{
	o->to[o->len++] = (uint8_t)v;
}

static void put16(struct out *o, unsigned v)
{
	put8(o, v >> 8);
	put8(o, v & 0xff);
}

static void put32(struct out *o, uint32_t v)
{
	put16(o, v >> 16);
	put16(o, v & 0xffff);
}

static void put_bytes(struct out *o, const void *bytes, size_t len)
{
	if (len > 0)
		memcpy(o->to + o->len, bytes, len);
	o->len += len;
}

static void put_zeros(struct out *o, size_t len)
{
	memset(o->to + o->len, 0, len);
	o->len += len;
}

static void set16(struct out *o, size_t at, unsigned v)
{
	store_be16(o->to + at, v);
}

/* Begins a packet from src back to the sender; lengths come with ip_end. */
static size_t ip_begin(struct out *o, const struct sim_arrival *a,
    const struct addr *src, uint8_t proto, uint8_t tos)
{
	const struct sim_behaviour *how = a->world->nodes[a->node].how;
	if (src->family == 4) {
		put8(o, 0x45);
		put8(o, tos);
		put16(o, 0);
		put16(o, sim_ip_id_next(a, src));
		put16(o, 0);
		put8(o, how->ttl);
		put8(o, proto);
		put16(o, 0);
	} else {
		put32(o, 0x60000000u | (uint32_t)tos << 20);
		put16(o, 0);
		put8(o, proto);
		put8(o, how->ttl);
	}
	put_bytes(o, src->bytes, addr_len(src));
	put_bytes(o, a->packet->src.bytes, addr_len(src));
	return o->len;
}

/* Fills the lengths and the checksums; the upper one lies at checksum_at. */
static size_t ip_end(
    struct out *o, size_t upper_at, uint8_t proto, size_t checksum_at)
{
	size_t upper_len = o->len - upper_at;
	uint32_t sum = 0;
	if (upper_at == 20) {
		set16(o, 2, (unsigned)o->len);
		set16(o, 10, packet_fold(packet_sum(0, o->to, 20)));
		if (proto != PACKET_ICMP)
			sum = packet_sum(sum, o->to + 12, 8);
	} else {
		set16(o, 4, (unsigned)upper_len);
		sum = packet_sum(sum, o->to + 8, 32);
	}
	if (proto != PACKET_ICMP) {
		uint8_t rest[4] = { (uint8_t)(upper_len >> 8),
			(uint8_t)upper_len, 0, proto };
		sum = packet_sum(sum, rest, sizeof(rest));
	}
	sum = packet_sum(sum, o->to + upper_at, upper_len);
	uint16_t folded = packet_fold(sum);
	/* RFC 768: a checksum of zero would mean that there is none. */
	if (proto == PACKET_UDP && folded == 0)
		folded = 0xffff;
	set16(o, upper_at + checksum_at, folded);
	return o->len;
}

/* Where an error about this packet comes from; false: the node has no
 * address to speak from. */
static bool error_source(
    const struct sim_arrival *a, enum sim_error error, struct addr *src)
{
	const struct sim_world *w = a->world;
	const struct sim_node *node = &w->nodes[a->node];
	int six = a->packet->dst.family == 6;
	uint32_t at = node->addr[six];
	if (a->edge != SIM_NONE && w->edges[a->edge ^ 1].addr[six] != SIM_NONE)
		at = w->edges[a->edge ^ 1].addr[six];
	const struct addr *given = &node->how->reply_from[six];
	if ((error == SIM_REJECTED && node->how->reject_as_target) ||
	    (error == SIM_PORT_UNREACHABLE && !given->family))
		*src = a->packet->dst;
	else if (given->family)
		*src = *given;
	else if (at != SIM_NONE)
		*src = w->owners[at].addr;
	else
		return false;
	return true;
}

static void put_mpls(struct out *o, const struct sim_behaviour *how)
{
	put16(o, 4 + 4u * how->label_count);
	put16(o, 0x0101);
	for (unsigned i = 0; i < how->label_count; i++) {
		uint32_t bottom = i + 1 == how->label_count;
		put32(o, how->labels[i] << 12 | bottom << 8 | 1);
	}
}

/* RFC 5837: incoming interface with its index, address and name. */
static void put_interface(struct out *o, const struct addr *src)
{
	put16(o, (unsigned)(4 + 4 + 4 + addr_len(src) + 8));
	put16(o, 0x020e);
	put32(o, 1 + src->bytes[addr_len(src) - 1] % 8);
	put16(o, src->family == 4 ? 1 : 2);
	put16(o, 0);
	put_bytes(o, src->bytes, addr_len(src));
	put_bytes(o, "\010port0\0\0", 8);
}

static void put_extensions(
    struct out *o, const struct sim_behaviour *how, const struct addr *src)
{
	size_t from = o->len;
	put32(o, 0x20000000);
	if (how->label_count > 0)
		put_mpls(o, how);
	if (how->interface_info)
		put_interface(o, src);
	unsigned sum = packet_fold(packet_sum(0, o->to + from, o->len - from));
	if (how->extension_checksum == SIM_SUM_ZERO)
		sum = 0; /* "not computed", as RFC 4884 allows */
	else if (how->extension_checksum == SIM_SUM_WRONG)
		sum ^= 0x1234;
	set16(o, from + 2, sum);
}

/* Type and code of an error in each family. */
static const uint8_t error_codes[][2][2] = {
	[SIM_TIME_EXCEEDED] = { { 11, 0 }, { 3, 0 } },
	[SIM_NET_UNREACHABLE] = { { 3, 0 }, { 1, 0 } },
	[SIM_HOST_UNREACHABLE] = { { 3, 1 }, { 1, 3 } },
	[SIM_PORT_UNREACHABLE] = { { 3, 3 }, { 1, 4 } },
	[SIM_PROHIBITED] = { { 3, 13 }, { 1, 1 } },
	[SIM_TOO_BIG] = { { 3, 4 }, { 2, 0 } },
	[SIM_REJECTED] = { { 3, 0 }, { 1, 0 } }, /* its code is a choice */
};

/* The quoted packet, and the extensions with the octet that points to them. */
static void put_quote(struct out *o, const struct sim_arrival *a,
    const struct addr *src, bool may_extend)
{
	const struct sim_behaviour *how = a->world->nodes[a->node].how;
	bool six = src->family == 6;
	size_t from = o->len, unit = six ? 8 : 4;
	size_t room = (six ? ERROR_MAX_V6 : ERROR_MAX_V4) - from;
	bool extend =
	    may_extend && (how->label_count > 0 || how->interface_info);
	size_t most = how->quote_bytes ? how->quote_bytes : room;
	if (extend)
		most = QUOTE_PADDED;
	put_bytes(o, a->bytes, a->len < most ? a->len : most);
	if (!extend)
		return;
	if (o->len - from < QUOTE_PADDED)
		put_zeros(o, QUOTE_PADDED - (o->len - from));
	static const uint8_t lengths[] = { [SIM_LENGTH_NONE] = 0,
		[SIM_LENGTH_17] = 17,
		[SIM_LENGTH_OCTETS] = QUOTE_PADDED };
	o->to[from - (six ? 4 : 3)] = how->extension_length == SIM_LENGTH_RIGHT
	    ? (uint8_t)(QUOTE_PADDED / unit)
	    : lengths[how->extension_length];
	put_extensions(o, how, src);
}

/* RFC 1122 section 3.2.2: no error about an error or a later fragment. */
static bool may_answer(const struct sim_arrival *a)
{
	const struct packet *p = a->packet;
	return !packet_is_icmp_error(p) && (!p->fragment || p->first_fragment);
}

size_t sim_reply_error(const struct sim_arrival *a, enum sim_error error,
    uint32_t mtu_bytes, uint8_t to[SIM_PACKET_MAX])
{
	struct addr src;
	if (a->world->nodes[a->node].how->silent || !may_answer(a) ||
	    !error_source(a, error, &src) || !sim_limit_take(a, false))
		return 0;
	bool six = src.family == 6;
	uint8_t proto = six ? PACKET_ICMP6 : PACKET_ICMP;
	struct out o = { to, 0 };
	size_t upper_at = ip_begin(&o, a, &src, proto, TOS_CONTROL);
	put8(&o, error_codes[error][six][0]);
	put8(&o,
	    error == SIM_REJECTED
		? a->world->nodes[a->node].how->reject_code[six]
		: error_codes[error][six][1]);
	put16(&o, 0);
	put32(&o, mtu_bytes);
	put_quote(&o, a, &src, error != SIM_TOO_BIG);
	return ip_end(&o, upper_at, proto, 2);
}

/* RFC 4861 section 4.5: the better next hop, the destination, and the packet
 * in an option of eight-octet units. */
static void put_redirect_v6(
    struct out *o, const struct sim_arrival *a, const struct addr *better)
{
	put32(o, 0);
	put_bytes(o, better->bytes, 16);
	put_bytes(o, a->packet->dst.bytes, 16);
	size_t len = a->len < 1024 ? a->len : 1024, padded = (len + 7) & ~7u;
	put8(o, 4);
	put8(o, (unsigned)(1 + padded / 8));
	put_zeros(o, 6);
	put_bytes(o, a->bytes, len);
	put_zeros(o, padded - len);
}

size_t sim_reply_advice(
    const struct sim_arrival *a, bool quench, uint8_t to[SIM_PACKET_MAX])
{
	const struct sim_behaviour *how = a->world->nodes[a->node].how;
	bool six = a->packet->dst.family == 6;
	struct addr src;
	if (!may_answer(a) || (quench && six) ||
	    !error_source(a, SIM_TIME_EXCEEDED, &src))
		return 0;
	const struct addr *better =
	    how->redirect_to[six].family ? &how->redirect_to[six] : &src;
	uint8_t proto = six ? PACKET_ICMP6 : PACKET_ICMP;
	struct out o = { to, 0 };
	size_t upper_at = ip_begin(&o, a, &src, proto, TOS_CONTROL);
	put16(&o, six ? 137 << 8 : quench ? 4 << 8 : 5 << 8 | 1);
	put16(&o, 0);
	if (six) {
		put_redirect_v6(&o, a, better);
	} else {
		if (quench)
			put32(&o, 0);
		else
			put_bytes(&o, better->bytes, 4);
		put_quote(&o, a, &src, false);
	}
	return ip_end(&o, upper_at, proto, 2);
}

/* From where the node answers what is sent to its own address. */
static const struct addr *answer_source(const struct sim_arrival *a)
{
	const struct sim_node *node = &a->world->nodes[a->node];
	const struct addr *from =
	    &node->how->answer_from[a->packet->dst.family == 6];
	return from->family ? from : &a->packet->dst;
}

static size_t reply_echo(const struct sim_arrival *a, uint8_t *to)
{
	const struct packet *p = a->packet;
	bool six = p->dst.family == 6;
	if (!sim_limit_take(a, true))
		return 0;
	struct out o = { to, 0 };
	size_t upper_at = ip_begin(&o, a, answer_source(a), p->proto, p->tos);
	put16(&o, six ? 129 << 8 : 0);
	put16(&o, 0);
	put16(&o, p->icmp_id);
	put16(&o, p->icmp_seq);
	size_t len = p->payload_len;
	if (len > SIM_PACKET_MAX - o.len)
		len = SIM_PACKET_MAX - o.len;
	put_bytes(&o, p->payload, len);
	return ip_end(&o, upper_at, p->proto, 2);
}

size_t sim_reply_reset(const struct sim_arrival *a, uint8_t to[SIM_PACKET_MAX])
{
	const struct packet *p = a->packet;
	bool ack = p->tcp_flags & PACKET_TCP_ACK;
	if (p->tcp_flags & PACKET_TCP_RST)
		return 0;
	struct out o = { to, 0 };
	size_t upper_at = ip_begin(&o, a, &p->dst, PACKET_TCP, 0);
	put16(&o, p->dport);
	put16(&o, p->sport);
	put32(&o, ack ? p->tcp_ack : 0);
	uint32_t syn = (p->tcp_flags & PACKET_TCP_SYN) != 0;
	put32(&o, ack ? 0 : p->tcp_seq + syn + (uint32_t)p->payload_wire_len);
	put16(&o, 0x5000 | PACKET_TCP_RST | (ack ? 0 : PACKET_TCP_ACK));
	put16(&o, 0);
	put32(&o, 0);
	return ip_end(&o, upper_at, PACKET_TCP, 16);
}

size_t sim_reply_host(const struct sim_arrival *a, uint8_t to[SIM_PACKET_MAX])
{
	const struct packet *p = a->packet;
	const struct sim_behaviour *how = a->world->nodes[a->node].how;
	switch (p->proto) {
	case PACKET_ICMP:
	case PACKET_ICMP6:
		if (p->icmp_type != (p->proto == PACKET_ICMP ? 8 : 128) ||
		    how->no_echo)
			return 0;
		return reply_echo(a, to);
	case PACKET_UDP:
		return how->no_udp
		    ? 0
		    : sim_reply_error(a, SIM_PORT_UNREACHABLE, 0, to);
	}
	return 0;
}

size_t sim_forge(const struct sim_behaviour *how, const uint8_t *answer,
    size_t len, uint8_t to[SIM_PACKET_MAX])
{
	if (!how->forge || len == 0)
		return 0;
	struct out o = { to, 0 };
	put_bytes(&o, answer, len);
	bool six = answer[0] >> 4 == 6;
	size_t upper_at = six ? 40 : 20;
	uint8_t proto = answer[six ? 6 : 9];
	/* The sequence of an echo, what TCP acknowledges, the source port of a
	 * quoted packet, the destination port of a datagram. */
	bool error = proto == PACKET_ICMP
	    ? answer[upper_at] != 0
	    : proto == PACKET_ICMP6 && answer[upper_at] < 128;
	size_t at = proto == PACKET_TCP ? 8 : proto == PACKET_UDP ? 2 : 6;
	if (error)
		at = 8 + upper_at;
	to[upper_at + at] ^= 0x5a;
	sim_checksum(to, len);
	return len;
}

void sim_ip_checksum(uint8_t *bytes)
{
	struct out o = { bytes, 0 };
	set16(&o, 10, 0);
	set16(&o, 10,
	    packet_fold(packet_sum(0, bytes, (size_t)(bytes[0] & 0xf) * 4)));
}

void sim_checksum(uint8_t *bytes, size_t len)
{
	bool six = bytes[0] >> 4 == 6;
	struct out o = { bytes, len };
	uint8_t proto = bytes[six ? 6 : 9];
	size_t at = proto == PACKET_TCP ? 16 : proto == PACKET_UDP ? 6 : 2;
	set16(&o, (six ? 40 : 20) + at, 0);
	if (!six)
		set16(&o, 10, 0);
	ip_end(&o, six ? 40 : 20, proto, at);
}

size_t sim_answer_begin(const struct sim_arrival *a, uint8_t *to)
{
	const struct packet *p = a->packet;
	struct out o = { to, 0 };
	uint8_t tos = p->proto == PACKET_TCP ? 0 : p->tos; /* the socket's */
	uint16_t port = a->world->nodes[a->node].how->answer_port;
	ip_begin(&o, a, answer_source(a), p->proto, tos);
	put16(&o, port && p->proto == PACKET_UDP ? port : p->dport);
	put16(&o, p->sport);
	return o.len;
}
