/* SPDX-License-Identifier: ISC */
/*
 * A host's side of TCP, RFC 9293 section 3.10.7, as far as one request and its
 * answer go: a SYN to a listener opens a conversation, and what belongs to none
 * is reset.  In it data is acknowledged or, by HTTP (RFC 9112), answered with
 * one segment that ends it; what only acknowledges is heard in silence.
 */
#include <string.h>

#include "lib/packet/octets.h"
#include "probes/net/sim/sim-state.h"
#include "probes/net/sim/sim-tcp.h"

enum { CLOSED, OPEN, ANSWERED }; /* a conversation's cell->ns */

static bool port_open(const struct sim_behaviour *how, uint16_t port)
{
	if (how->services[SIM_HTTP] && how->services[SIM_HTTP] == port)
		return true;
	for (unsigned i = 0; i < how->port_count; i++)
		if (how->ports[i] == port)
			return true;
	return false;
}

/* amount is the number of the next octet from here. */
static struct sim_cell *conversation(const struct sim_arrival *a)
{
	const struct packet *p = a->packet;
	bool fresh;
	uint64_t key = hash_mix(addr_hash(&p->src, p->sport), p->dport);
	return sim_cell_get(a->world, SIM_CELL_TCP, a->node,
	    hash_mix(key, addr_hash(&p->dst, 0)), &fresh);
}

/* A segment with the number of its first octet; acknowledges `taken` octets,
 * a SYN or FIN being one. */
static size_t write_segment(const struct sim_arrival *a, uint32_t seq,
    unsigned flags, uint32_t taken, const char *data, uint8_t *to)
{
	size_t at = sim_answer_begin(a, to), len = 0;
	store_be32(to + at, seq);
	store_be32(to + at + 4, a->packet->tcp_seq + taken);
	store_be16(to + at + 8, 0x5000 | PACKET_TCP_ACK | flags);
	store_be16(to + at + 10, 64240);
	store_be32(to + at + 12, 0);
	for (; data && data[len]; len++)
		to[at + 16 + len] = (uint8_t)data[len];
	sim_checksum(to, at + 16 + len);
	return at + 16 + len;
}

static const char *http_answer(const struct packet *p)
{
	if (p->payload_len >= 5 && memcmp(p->payload, "GET /", 5) == 0)
		return "HTTP/1.1 200 OK\r\n"
		       "Content-Type: text/plain\r\n"
		       "Content-Length: 6\r\n"
		       "Connection: close\r\n\r\nhello\n";
	return "HTTP/1.1 400 Bad Request\r\n"
	       "Content-Length: 0\r\n"
	       "Connection: close\r\n\r\n";
}

static size_t begin_conversation(const struct sim_arrival *a, uint8_t *to)
{
	struct sim_cell *cell = conversation(a);
	uint32_t first = (uint32_t)hash_mix(cell->key, a->packet->tcp_seq);
	cell->ns = OPEN;
	cell->amount = (uint32_t)(first + 1);
	return write_segment(a, first, PACKET_TCP_SYN,
	    1 + (uint32_t)a->packet->payload_wire_len, NULL, to);
}

/* A segment of a conversation that is open. */
static size_t continue_conversation(
    const struct sim_arrival *a, struct sim_cell *cell, uint8_t *to)
{
	const struct packet *p = a->packet;
	uint32_t next = (uint32_t)cell->amount;
	uint32_t len = (uint32_t)p->payload_wire_len;
	uint32_t fin = (p->tcp_flags & PACKET_TCP_FIN) != 0;
	if (len > 0 &&
	    a->world->nodes[a->node].how->services[SIM_HTTP] == p->dport) {
		cell->ns = ANSWERED;
		return write_segment(a, next, PACKET_TCP_PSH | PACKET_TCP_FIN,
		    len + fin, http_answer(p), to);
	}
	if (fin)
		cell->ns = ANSWERED;
	return len + fin > 0 ? write_segment(a, next, fin ? PACKET_TCP_FIN : 0,
				   len + fin, NULL, to)
			     : 0;
}

size_t sim_reply_tcp(const struct sim_arrival *a, uint8_t to[SIM_PACKET_MAX])
{
	const struct packet *p = a->packet;
	const struct sim_behaviour *how = a->world->nodes[a->node].how;
	uint8_t flags = p->tcp_flags & (PACKET_TCP_SYN | PACKET_TCP_ACK);
	if (how->no_tcp)
		return 0;
	if (!port_open(how, p->dport))
		return sim_reply_reset(a, to);
	if (p->tcp_flags & PACKET_TCP_RST) {
		conversation(a)->ns = CLOSED;
		return 0;
	}
	if (flags == PACKET_TCP_SYN)
		return begin_conversation(a, to);
	struct sim_cell *cell = conversation(a);
	if (cell->ns == OPEN && flags == PACKET_TCP_ACK &&
	    p->tcp_ack == (uint32_t)cell->amount)
		return continue_conversation(a, cell, to);
	bool heard = cell->ns == ANSWERED && flags == PACKET_TCP_ACK &&
	    p->payload_wire_len == 0;
	return heard ? 0 : sim_reply_reset(a, to);
}
