/* SPDX-License-Identifier: ISC */
/*
 * Packets on their way through a simulated internet: each is a flight that
 * goes from node to node, and what happens to it there and between.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "probes/net/sim/sim-ahead.h"
#include "probes/net/sim/sim-change.h"
#include "probes/net/sim/sim-index.h"
#include "probes/net/sim/sim-move.h"
#include "probes/net/sim/sim-nat.h"
#include "probes/net/sim/sim-reply.h"
#include "probes/net/sim/sim-route.h"
#include "probes/net/sim/sim-service.h"
#include "probes/net/sim/sim-tcp.h"

#define SPARE_ROOM 80
/* What no TTL ends, between routers that hide, goes round for ever, and over
 * links without a delay at one instant, which would never pass. */
#define HOPS_MAX 1024
#define FLIGHTS_OCTETS_MAX ((size_t)256 << 20)

void sim_move_later(struct sim *s, struct sim_flight *f)
{
	size_t size = sizeof(*f) + f->len;
	/* Loops and copies must not take all memory: a network is full too. */
	if (s->moving_octets + size > FLIGHTS_OCTETS_MAX) {
		s->dropped++;
		sim_flight_free(s, f);
		return;
	}
	s->moving_octets += size;
	sim_queue_add(&s->moving, f->at_ns, f);
}

struct sim_flight *sim_take_next(struct sim *s, int64_t until_ns)
{
	struct sim_flight *f = sim_queue_take(&s->moving, until_ns);
	if (f)
		s->moving_octets -= sizeof(*f) + f->len;
	return f;
}

void sim_inbox_add(struct sim_station *t, const struct sim_notice *notice)
{
	if (t->inbox_count == t->inbox_room)
		t->inbox = xreallocarray(t->inbox,
		    t->inbox_room = t->inbox_room ? t->inbox_room * 2 : 64,
		    sizeof(*t->inbox));
	t->inbox[t->inbox_count++] = *notice;
}

void sim_begin(struct sim *s, struct sim_flight *f)
{
	if (s->world->in_order || f->at_ns > s->now_ns)
		sim_move_later(s, f);
	else
		sim_arrive(s, f);
}

struct sim_flight *sim_flight_new(struct sim *s, const void *bytes, size_t len,
    uint64_t serial, uint32_t node)
{
	struct sim_flight *f = s->spare;
	if (len <= SPARE_ROOM && f)
		s->spare = f->next_spare;
	else
		f = xmalloc(sizeof(*f) + (len < SPARE_ROOM ? SPARE_ROOM : len));
	*f = (struct sim_flight){ .serial = serial,
		.node = node,
		.edge = SIM_NONE,
		.len = (uint32_t)len };
	memcpy(f->bytes, bytes, len);
	return f;
}

/* Most packets are short, and very many of them come and go. */
void sim_flight_free(struct sim *s, struct sim_flight *f)
{
	if (!f || f->len > SPARE_ROOM) {
		free(f);
		return;
	}
	f->next_spare = s->spare;
	s->spare = f;
}

/* How long others' packets of 1500 octets hold the packet up: the wait of an
 * M/M/1 queue (with a chance of 1 - load none, else exponential with mean
 * service / (1 - load)).  At a load of 1 and above the queue is full, and that
 * share of packets which the link takes gets in.  Negative: the queue was
 * full. */
static double load_wait(const struct sim_world *w, const struct sim_edge *e,
    const struct sim_flight *f, double ns_per_byte)
{
	double load = e->how->load, full = (double)e->how->queue_bytes;
	double u = sim_draw(w, f->serial, hash_mix(0x10ad, e->from ^ e->to));
	if (load >= 1)
		return u < 1 / load ? full * ns_per_byte : -1;
	if (u < 1 - load)
		return 0;
	double bytes = 1500 / (1 - load) * -log((1 - u) / load);
	return bytes > full ? -1 : bytes * ns_per_byte;
}

/* How long the packet waits for its turn and is clocked out; negative: the
 * queue was full. */
static int64_t serialise(
    const struct sim_world *w, struct sim_edge *e, const struct sim_flight *f)
{
	if (e->how->rate_bps <= 0)
		return 0;
	double ns_per_byte = 8e9 / e->how->rate_bps;
	int64_t start =
	    e->busy_until_ns > f->at_ns ? e->busy_until_ns : f->at_ns;
	if (e->how->load > 0) {
		double wait_ns = load_wait(w, e, f, ns_per_byte);
		if (wait_ns < 0)
			return -1;
		start += (int64_t)wait_ns;
	}
	if ((double)(start - f->at_ns) >
	    (double)e->how->queue_bytes * ns_per_byte)
		return -1;
	e->busy_until_ns = start + (int64_t)((double)f->len * ns_per_byte);
	return e->busy_until_ns - f->at_ns;
}

/* The flight as it will arrive at the edge's other end; NULL: it is lost, or
 * will arrive later. */
static struct sim_flight *traverse(
    struct sim *s, struct sim_flight *f, uint32_t edge)
{
	struct sim_world *w = s->world;
	struct sim_edge *e = &w->edges[edge];
	int64_t wait_ns = serialise(w, e, f);
	uint64_t place = hash_mix(0x11ce, edge);
	if (wait_ns < 0 || e->how->down ||
	    (e->how->loss > 0 &&
		sim_draw(w, f->serial, place) < e->how->loss)) {
		sim_flight_free(s, f);
		return NULL;
	}
	f->at_ns += wait_ns + e->delay_ns;
	if (e->how->jitter_ns > 0)
		f->at_ns += (int64_t)(sim_draw(w, f->serial, ~place) *
		    (double)e->how->jitter_ns);
	f->node = e->to;
	f->edge = edge;
	if (e->how->duplicate > 0 && !f->copy &&
	    sim_draw(w, f->serial ^ 0xd0b1e, place) < e->how->duplicate) {
		struct sim_flight *again = sim_flight_new(
		    s, f->bytes, f->len, hash_mix(f->serial, 0xd0b1e), f->node);
		again->at_ns = f->at_ns;
		again->edge = f->edge;
		again->copy = true;
		sim_move_later(s, again);
		/* Behind the copy, wherever the two come at one instant. */
		sim_move_later(s, f);
		return NULL;
	}
	return f;
}

static void send_packet(struct sim *s, const struct sim_arrival *a,
    const uint8_t *bytes, size_t len, uint64_t serial)
{
	const struct sim_behaviour *how = s->world->nodes[a->node].how;
	if (len == 0)
		return;
	struct sim_flight *f = sim_flight_new(s, bytes, len, serial, a->node);
	f->answers = true;
	f->at_ns = a->now_ns + how->slow_ns;
	if (how->late_ns > 0 &&
	    sim_draw(s->world, serial, 0x1a7e) < how->late_share)
		f->at_ns += how->late_ns;
	sim_begin(s, f);
}

static void send_answer(struct sim *s, const struct sim_arrival *a,
    const uint8_t *bytes, size_t len)
{
	send_packet(s, a, bytes, len, hash_mix(a->serial, a->node));
}

/* What a host answers, after what a stranger sends in its place, and as often
 * as it sends it. */
static void answer_as_host(struct sim *s, const struct sim_arrival *a)
{
	const struct sim_behaviour *how = s->world->nodes[a->node].how;
	uint8_t reply[SIM_PACKET_MAX], forged[SIM_PACKET_MAX];
	size_t len = sim_is_served(a)        ? sim_serve(a, reply)
	    : a->packet->proto == PACKET_TCP ? sim_reply_tcp(a, reply)
					     : sim_reply_host(a, reply);
	send_packet(s, a, forged, sim_forge(how, reply, len, forged),
	    hash_mix(a->serial, 0xf043e));
	send_answer(s, a, reply, len);
	for (uint32_t i = 1; i <= how->copies; i++)
		send_packet(s, a, reply, len,
		    hash_mix(hash_mix(a->serial, a->node), i));
}

static void answer_error(struct sim *s, const struct sim_arrival *a,
    enum sim_error error, uint32_t mtu_bytes)
{
	uint8_t reply[SIM_PACKET_MAX];
	send_answer(s, a, reply, sim_reply_error(a, error, mtu_bytes, reply));
}

/* What a router says of a packet that it passes on. */
static void advise(struct sim *s, const struct sim_arrival *a)
{
	const struct sim_behaviour *how = s->world->nodes[a->node].how;
	uint8_t reply[SIM_PACKET_MAX];
	if (how->redirect)
		send_packet(s, a, reply, sim_reply_advice(a, false, reply),
		    hash_mix(a->serial, 0x4ed1));
	if (how->quench)
		send_packet(s, a, reply, sim_reply_advice(a, true, reply),
		    hash_mix(a->serial, 0x40e2));
	if (how->inject_reset && a->packet->proto == PACKET_TCP)
		send_answer(s, a, reply, sim_reply_reset(a, reply));
}

static unsigned proto_bit(uint8_t proto)
{
	switch (proto) {
	case PACKET_ICMP:
	case PACKET_ICMP6: return SIM_PROTO_ICMP;
	case PACKET_UDP: return SIM_PROTO_UDP;
	case PACKET_TCP: return SIM_PROTO_TCP;
	}
	return 0;
}

static uint8_t tos_of(const uint8_t *bytes)
{
	return bytes[0] >> 4 == 6 ? (uint8_t)(bytes[0] << 4 | bytes[1] >> 4)
				  : bytes[1];
}

/* What a router changes in each packet that it passes on. */
static void rewrite_header(
    struct sim_flight *f, const struct sim_behaviour *how)
{
	bool six = f->bytes[0] >> 4 == 6;
	uint8_t tos =
	    six ? (uint8_t)(f->bytes[0] << 4 | f->bytes[1] >> 4) : f->bytes[1];
	tos = (uint8_t)((tos & ~how->tos_clear) | how->tos_set);
	if (six) {
		f->bytes[0] = (uint8_t)(0x60 | tos >> 4);
		f->bytes[1] = (uint8_t)(tos << 4 | (f->bytes[1] & 0xf));
		f->bytes[7] -= !how->hidden;
		return;
	}
	f->bytes[1] = tos;
	f->bytes[8] -= !how->hidden;
	sim_ip_checksum(f->bytes);
}

/* What a router has against passing the packet on: an enum sim_error, or -1
 * for nothing, or -2 for throwing it away.  What answers belongs to a
 * conversation and passes filters. */
static int objection(const struct sim_arrival *a)
{
	const struct sim_behaviour *how = a->world->nodes[a->node].how;
	unsigned bit = a->answers ? 0 : proto_bit(a->packet->proto);
	if (how->drop_protos & bit)
		return -2;
	if (how->deny_protos & bit)
		return SIM_PROHIBITED;
	if (a->packet->ttl <= 1 && !how->hidden)
		return SIM_TIME_EXCEEDED;
	if (how->reject_protos & bit)
		return SIM_REJECTED;
	return sim_firewall_passes(a) ? -1 : -2;
}

static void reject(struct sim *s, const struct sim_arrival *a)
{
	uint8_t reply[SIM_PACKET_MAX];
	if (s->world->nodes[a->node].how->reject_reset &&
	    a->packet->proto == PACKET_TCP)
		send_answer(s, a, reply, sim_reply_reset(a, reply));
	else
		answer_error(s, a, SIM_REJECTED, 0);
}

/* Takes over the flight, which cannot go on.  One that is here before its time
 * is told so then; a packet that nothing answers need not wait for it. */
static struct sim_flight *give_back(struct sim *s, struct sim_flight *f,
    const struct sim_arrival *a, enum sim_error error, bool ahead)
{
	bool silent = s->world->nodes[a->node].how->silent;
	if (ahead && !silent) {
		sim_move_later(s, f);
		return NULL;
	}
	answer_error(s, a, error, 0);
	sim_flight_free(s, f);
	return NULL;
}

/* Takes over the flight and sends it on over the right edge: the flight as it
 * will arrive there, or NULL. */
static struct sim_flight *forward(
    struct sim *s, struct sim_flight *f, struct sim_arrival *a, bool ahead)
{
	struct sim_world *w = s->world;
	bool drop;
	uint32_t edge =
	    sim_next_edge(w, f->node, a->packet, a->owner, f->serial, &drop);
	bool begins = f->edge == SIM_NONE;
	if (edge == SIM_NONE && !drop && !begins)
		return give_back(s, f, a, SIM_NET_UNREACHABLE, ahead);
	if (edge == SIM_NONE || ++f->hops > HOPS_MAX) {
		sim_flight_free(s, f);
		return NULL;
	}
	const struct sim_edge *e = &w->edges[edge];
	if (e->how->mtu_bytes && f->len > e->how->mtu_bytes) {
		if (!e->how->black_hole)
			answer_error(s, a, SIM_TOO_BIG, e->how->mtu_bytes);
		sim_flight_free(s, f);
		return NULL;
	}
	if (w->nodes[e->to].how->down)
		return give_back(s, f, a, SIM_HOST_UNREACHABLE, ahead);
	if (!begins) {
		if (!a->answers)
			advise(s, a);
		rewrite_header(f, w->nodes[f->node].how);
		if (!sim_nat_out(a, f->bytes, f->len)) {
			sim_flight_free(s, f);
			return NULL;
		}
	} else if (!f->answers) {
		sim_snat(w->nodes[f->node].how, f->bytes, f->len);
	}
	return traverse(s, f, edge);
}

/* May the flight be taken through the router that it is about to reach before
 * its time?  Where no queue depends on the order of packets, one that a router
 * only forwards meets nothing that others change. */
static bool may_run_ahead(
    const struct sim_arrival *next, const struct sim_flight *f, uint32_t owner)
{
	const struct sim_world *w = next->world;
	const struct sim_behaviour *how = w->nodes[f->node].how;
	bool says = how->redirect || how->quench || how->inject_reset;
	return !w->in_order && f->node != owner && !w->nodes[f->node].host &&
	    !says && objection(next) == -1;
}

/* Takes over the flight, which is for the vantage that it is at. */
static void receive(struct sim *s, struct sim_flight *f)
{
	for (uint32_t i = 0; i < s->station_count; i++) {
		struct sim_station *t = s->stations[i];
		if (!t || t->node != f->node)
			continue;
		t->counters.received++;
		sim_inbox_add(
		    t, &(struct sim_notice){ .flight = f, .at_ns = f->at_ns });
		return;
	}
	sim_flight_free(s, f);
}

/* The flight is at its node now: answered there, or where it is next. */
static struct sim_flight *arrive_once(
    struct sim *s, struct sim_flight *f, struct sim_arrival *a, bool ahead)
{
	struct sim_world *w = s->world;
	uint32_t owner = a->owner;
	if (owner == f->node && sim_is_vantage(w, f->node)) {
		/* To a probe of its own or of another's a vantage is a host. */
		if (!f->answers)
			answer_as_host(s, a);
		receive(s, f);
		return NULL;
	}
	if (f->edge == SIM_NONE)
		return forward(s, f, a, ahead);
	if (owner == f->node) {
		answer_as_host(s, a);
	} else if (!w->nodes[f->node].host) {
		int error = objection(a);
		if (error == -1)
			return forward(s, f, a, ahead);
		if (error == SIM_REJECTED)
			reject(s, a);
		else if (error >= 0)
			answer_error(s, a, (enum sim_error)error, 0);
	}
	sim_flight_free(s, f);
	return NULL;
}

/* The packet, and whose it is, after a translator has made it an inner one;
 * false: it is none. */
static bool open_flight(struct sim_world *w, struct sim_flight *f,
    struct packet *packet, uint32_t *owner)
{
	if (packet_decode_ip(packet, f->bytes, f->len, f->len) != 0)
		return false;
	*owner = sim_addr_owner(w, &packet->dst);
	if (*owner != f->node || f->edge == SIM_NONE)
		return true;
	struct sim_arrival a = { w, f->node, f->edge, f->at_ns, f->serial,
		packet, f->bytes, f->len, *owner, f->answers };
	if (!sim_nat_in(&a, f->bytes, f->len))
		return true;
	if (packet_decode_ip(packet, f->bytes, f->len, f->len) != 0)
		return false;
	*owner = sim_addr_owner(w, &packet->dst);
	return true;
}

/* The packet becomes what the flight holds. */
static void read_again(struct packet *packet, const struct sim_flight *f)
{
	packet->ttl = f->bytes[f->bytes[0] >> 4 == 6 ? 7 : 8];
	packet->tos = tos_of(f->bytes);
}

/* Takes over the flight, which is at its node now. */
void sim_arrive(struct sim *s, struct sim_flight *f)
{
	struct sim_world *w = s->world;
	struct packet packet;
	uint32_t owner;
	bool ahead = false;
	sim_changes_until(w, f->at_ns - NET_VIRTUAL_NS);
	if (f->home) {
		receive(s, f);
		return;
	}
	if (!open_flight(w, f, &packet, &owner)) {
		sim_flight_free(s, f);
		return;
	}
	if (f->edge == SIM_NONE && !w->in_order) {
		sim_pass_plain(w, f, &packet, owner);
		ahead = f->edge != SIM_NONE;
	}
	for (;;) {
		read_again(&packet, f);
		struct sim_arrival a = { w, f->node, f->edge, f->at_ns,
			f->serial, &packet, f->bytes, f->len, owner,
			f->answers };
		if (ahead && !may_run_ahead(&a, f, owner))
			break;
		f = arrive_once(s, f, &a, ahead);
		if (!f)
			return;
		read_again(&packet, f);
		ahead = true;
		if (!w->in_order)
			sim_pass_plain(w, f, &packet, owner);
	}
	const struct sim_behaviour *how = w->nodes[f->node].how;
	f->home = f->answers && f->node == owner && sim_is_vantage(w, owner) &&
	    !how->nat[0].family && !how->nat[1].family;
	sim_move_later(s, f);
}
