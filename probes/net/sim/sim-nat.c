/* SPDX-License-Identifier: ISC */
/*
 * Address translation and firewalls that remember conversations.  What is
 * changed in a packet changes its checksums by the difference (RFC 1624), so
 * that a checksum which was wrong, or chosen, stays so.
 *
 *   RFC 3022 (NAPT), RFC 5508 sections 4 and 7 (errors and their quotes)
 */
#include <string.h>

#include "lib/packet/octets.h"
#include "probes/net/sim/sim-index.h"
#include "probes/net/sim/sim-nat.h"
#include "probes/net/sim/sim-route.h"
#include "probes/net/sim/sim-state.h"

/* Where in an IP packet that may be cut off things are. */
struct wire {
	uint8_t *bytes;
	size_t len, upper;
	uint8_t proto;
	bool six;
};

static bool wire_open(struct wire *w, uint8_t *bytes, size_t len)
{
	if (len < 20)
		return false;
	w->bytes = bytes;
	w->len = len;
	w->six = bytes[0] >> 4 == 6;
	w->upper = w->six ? 40 : (size_t)(bytes[0] & 0xf) * 4;
	w->proto = bytes[w->six ? 6 : 9];
	return len >= w->upper + 8;
}

static void swap_words(
    uint8_t *sum_at, uint8_t *at, const uint8_t *by, size_t len)
{
	for (size_t i = 0; sum_at && i + 1 < len; i += 2) {
		uint32_t sum = (uint16_t) ~(sum_at[0] << 8 | sum_at[1]);
		sum += (uint16_t) ~(at[i] << 8 | at[i + 1]);
		sum += (uint32_t)by[i] << 8 | by[i + 1];
		store_be16(sum_at, packet_fold(sum));
	}
}

/* The upper checksum, or NULL: cut off, or a datagram that has none. */
static uint8_t *upper_sum(const struct wire *w)
{
	size_t at = w->proto == PACKET_TCP ? 16
	    : w->proto == PACKET_UDP       ? 6
					   : 2;
	uint8_t *sum = w->bytes + w->upper + at;
	if (w->upper + at + 2 > w->len ||
	    (w->proto == PACKET_UDP && sum[0] == 0 && sum[1] == 0))
		return NULL;
	return sum;
}

static void set_address(struct wire *w, bool source, const struct addr *to)
{
	size_t len = addr_len(to);
	uint8_t *at = w->bytes + (w->six ? 8 : 12) + (source ? 0 : len);
	uint8_t *sum = upper_sum(w);
	if (!w->six) {
		uint8_t *header_sum = w->bytes + 10;
		swap_words(header_sum, at, to->bytes, len);
	}
	if (w->proto != PACKET_ICMP)
		swap_words(sum, at, to->bytes, len);
	memcpy(at, to->bytes, len);
}

/* The port, or the id of an echo, that a translator tells flows apart by. */
static void set_port(struct wire *w, bool source, uint16_t port)
{
	bool echo = w->proto == PACKET_ICMP || w->proto == PACKET_ICMP6;
	uint8_t *at = w->bytes + w->upper + (echo ? 4 : source ? 0 : 2);
	uint8_t by[2] = { (uint8_t)(port >> 8), (uint8_t)port };
	swap_words(upper_sum(w), at, by, 2);
	memcpy(at, by, 2);
}

static bool is_echo(const struct packet *p)
{
	return (p->proto == PACKET_ICMP || p->proto == PACKET_ICMP6) &&
	    !packet_is_icmp_error(p);
}

static uint64_t flow_key(uint8_t proto, const struct addr *a, uint16_t port)
{
	return hash_mix(addr_hash(a, proto), port);
}

/* An inner address and port in a number that a cell holds exactly. */
static double inner_pack(const struct sim_arrival *a, uint16_t port)
{
	uint32_t at = sim_addr_index(a->world, &a->packet->src);
	return 1.0 + (double)at * 65536 + port;
}

/* The outer port of a flow from inside, its own where that is free. */
static int outer_port(const struct sim_arrival *a, uint16_t port)
{
	enum { TRIES = 64 };
	double inner = inner_pack(a, port);
	for (unsigned i = 0; i < TRIES; i++) {
		uint16_t outer = (uint16_t)(port + i);
		bool fresh;
		struct sim_cell *cell = sim_cell_get(a->world, SIM_CELL_NAT,
		    a->node, hash_mix(a->packet->proto, outer), &fresh);
		if (fresh)
			cell->amount = inner;
		if (cell->amount == inner)
			return outer;
	}
	return -1;
}

static bool inner_find(const struct sim_arrival *a, uint8_t proto,
    uint16_t outer, struct addr *addr, uint16_t *port)
{
	bool fresh;
	struct sim_cell *cell = sim_cell_get(
	    a->world, SIM_CELL_NAT, a->node, hash_mix(proto, outer), &fresh);
	if (cell->amount < 1)
		return false;
	uint64_t inner = (uint64_t)(cell->amount - 1);
	*addr = a->world->owners[inner / 65536].addr;
	*port = (uint16_t)inner;
	return true;
}

/* From a vantage, or from another translator before this one; what answers goes
 * the other way. */
static bool from_inside(const struct sim_arrival *a)
{
	const struct sim_world *w = a->world;
	uint32_t from = sim_addr_owner(w, &a->packet->src);
	if (from == SIM_NONE || from == a->node || a->answers)
		return false;
	const struct sim_behaviour *how = w->nodes[from].how;
	return sim_is_vantage(w, from) || how->nat[0].family ||
	    how->nat[1].family;
}

bool sim_nat_out(const struct sim_arrival *a, uint8_t *bytes, size_t len)
{
	const struct sim_behaviour *how = a->world->nodes[a->node].how;
	const struct packet *p = a->packet;
	const struct addr *public = &how->nat[p->src.family == 6];
	struct wire w;
	if (!public->family || packet_is_icmp_error(p) || !from_inside(a))
		return true;
	if (!wire_open(&w, bytes, len))
		return false;
	int port = outer_port(a, is_echo(p) ? p->icmp_id : p->sport);
	if (port < 0)
		return false;
	set_address(&w, true, public);
	set_port(&w, true, (uint16_t)port);
	return true;
}

/* An error to the public address: outside, and the packet that it quotes. */
static bool translate_error(
    const struct sim_arrival *a, uint8_t *bytes, size_t len)
{
	const struct packet *p = a->packet;
	struct packet quoted;
	struct wire w, inside;
	struct addr inner;
	uint16_t port;
	if (packet_decode_quote(&quoted, p) != 0 ||
	    !addr_equal(&quoted.src, &p->dst) ||
	    !inner_find(a, quoted.proto,
		is_echo(&quoted) ? quoted.icmp_id : quoted.sport, &inner,
		&port) ||
	    !wire_open(&w, bytes, len))
		return false;
	set_address(&w, false, &inner);
	if (!a->world->nodes[a->node].how->nat_raw_quotes) {
		size_t at = (size_t)(p->quote - a->bytes);
		if (!wire_open(&inside, bytes + at, p->quote_len))
			return false;
		set_address(&inside, true, &inner);
		set_port(&inside, true, port);
	}
	sim_checksum(bytes, len);
	return true;
}

bool sim_nat_in(const struct sim_arrival *a, uint8_t *bytes, size_t len)
{
	const struct sim_behaviour *how = a->world->nodes[a->node].how;
	const struct packet *p = a->packet;
	const struct addr *public = &how->nat[p->dst.family == 6];
	struct addr inner;
	uint16_t port;
	struct wire w;
	if (!public->family || !addr_equal(public, &p->dst))
		return false;
	if (packet_is_icmp_error(p))
		return translate_error(a, bytes, len);
	if (!inner_find(a, p->proto, is_echo(p) ? p->icmp_id : p->dport, &inner,
		&port) ||
	    !wire_open(&w, bytes, len))
		return false;
	set_address(&w, false, &inner);
	set_port(&w, false, port);
	return true;
}

void sim_snat(const struct sim_behaviour *how, uint8_t *bytes, size_t len)
{
	struct wire w;
	if (!wire_open(&w, bytes, len))
		return;
	const struct addr *to = &how->snat[w.six];
	if (to->family)
		set_address(&w, true, to);
}

/* The same for both directions. */
static uint64_t conversation_key(const struct packet *p)
{
	bool echo = is_echo(p);
	uint64_t a = flow_key(p->proto, &p->src, echo ? p->icmp_id : p->sport);
	uint64_t b = flow_key(p->proto, &p->dst, echo ? p->icmp_id : p->dport);
	return a < b ? hash_mix(a, b) : hash_mix(b, a);
}

static bool may_begin(const struct packet *p)
{
	if (p->proto == PACKET_TCP)
		return (p->tcp_flags & (PACKET_TCP_SYN | PACKET_TCP_ACK)) ==
		    PACKET_TCP_SYN;
	return true;
}

static bool is_inbound(const struct sim_arrival *a)
{
	struct sim_world *w = a->world;
	uint32_t from = sim_addr_owner(w, &a->packet->src);
	if (a->owner == SIM_NONE || a->owner == from)
		return false;
	const struct sim_behaviour *to = w->nodes[a->owner].how;
	if (to->nat[0].family || to->nat[1].family)
		return true;
	if (!sim_is_vantage(w, a->owner))
		return false;
	return from == SIM_NONE || !sim_is_vantage(w, from) ||
	    sim_is_nearer(w, a->node, a->owner, from);
}

bool sim_firewall_passes(const struct sim_arrival *a)
{
	const struct sim_behaviour *how = a->world->nodes[a->node].how;
	struct packet quoted;
	const struct packet *p = a->packet;
	if (how->stateful_ns <= 0)
		return true;
	if (packet_is_icmp_error(p)) {
		if (packet_decode_quote(&quoted, p) != 0)
			return false;
		p = &quoted;
	}
	bool fresh;
	struct sim_cell *state = sim_cell_get(a->world, SIM_CELL_CONVERSATION,
	    a->node, conversation_key(p), &fresh);
	bool known = !fresh && a->now_ns < state->ns;
	if (!known && (p == &quoted || is_inbound(a) || !may_begin(p)))
		return false;
	state->ns = a->now_ns + how->stateful_ns;
	return true;
}
