/* SPDX-License-Identifier: ISC */
/*
 * What services of UDP answer, by the clock of their host.
 *
 *   STAMP: RFC 8762 section 4.3.1, a stateful reflector of unauthenticated
 *   test packets; DNS: RFC 1035, an address of the host for every name of the
 *   right type; NTP: RFC 5905 figure 8, mode 4.
 */
#include <string.h>

#include "lib/packet/octets.h"
#include "probes/net/sim/sim-index.h"
#include "probes/net/sim/sim-service.h"
#include "probes/net/sim/sim-state.h"

#define NTP_EPOCH_S INT64_C(2208988800) /* 1900 to 1970 */
#define STAMP_LEN 44
#define NTP_LEN 48

/* Seconds since 1900 and a fraction of 32 bits. */
static void store_ntp(uint8_t *at, struct walltime t)
{
	int64_t s = t.ns / NS_PER_S;
	store_be32(at, (uint32_t)(s + NTP_EPOCH_S));
	store_be32(at + 4,
	    (uint32_t)(((uint64_t)(t.ns - s * NS_PER_S) << 32) / NS_PER_S));
}

static enum sim_service service_of(const struct sim_arrival *a)
{
	const struct packet *p = a->packet;
	const struct sim_behaviour *how = a->world->nodes[a->node].how;
	for (int i = 0; i < SIM_SERVICES && p->proto == PACKET_UDP; i++)
		if (i != SIM_HTTP && how->services[i] != 0 &&
		    how->services[i] == p->dport)
			return (enum sim_service)i;
	return SIM_SERVICES;
}

bool sim_is_served(const struct sim_arrival *a)
{
	return service_of(a) != SIM_SERVICES;
}

/* Sequence, time, error | MBZ, receive time | sender's sequence, time, error,
 * MBZ, TTL.  As long as the sender's. */
static size_t answer_stamp(const struct sim_arrival *a, uint8_t *to)
{
	const struct packet *p = a->packet;
	if (p->payload_len < STAMP_LEN)
		return 0;
	struct walltime now = sim_clock(a->world, a->node, a->now_ns);
	struct walltime out = sim_clock(a->world, a->node,
	    a->now_ns + a->world->nodes[a->node].how->slow_ns);
	memset(to, 0, p->payload_len);
	bool fresh;
	uint64_t session = hash_mix(addr_hash(&p->src, p->sport), p->dport);
	struct sim_cell *count =
	    sim_cell_get(a->world, SIM_CELL_SERVICE, a->node, session, &fresh);
	store_be32(to, (uint32_t)count->amount++);
	store_ntp(to + 4, out);
	store_be16(to + 12, 0x8001); /* synchronised, a multiplier of 1 */
	store_ntp(to + 16, now);
	memcpy(to + 24, p->payload, 14);
	to[40] = p->ttl;
	return p->payload_len;
}

/* The end of the question's name, type and class; 0: it is none. */
static size_t question_end(const uint8_t *bytes, size_t len)
{
	size_t at = 12;
	while (at < len && bytes[at] != 0 && bytes[at] < 64)
		at += 1u + bytes[at];
	return at + 5 <= len && bytes[at] == 0 ? at + 5 : 0;
}

static size_t answer_dns(const struct sim_arrival *a, uint8_t *to)
{
	const struct packet *p = a->packet;
	const struct sim_node *node = &a->world->nodes[a->node];
	size_t end = question_end(p->payload, p->payload_len);
	if (p->payload_len < 12 || end == 0 || p->payload[2] & 0x80 ||
	    end + 28 > 512)
		return 0;
	memcpy(to, p->payload, end);
	to[2] = (uint8_t)(0x84 | (to[2] & 0x79)); /* an authority's answer */
	to[3] = 0;
	memset(to + 6, 0, 6);
	bool six = to[end - 3] == 28; /* AAAA, else A */
	bool wants = to[end - 4] == 0 && (six || to[end - 3] == 1);
	uint32_t at = node->addr[six];
	if (!wants || at == SIM_NONE)
		return end;
	const struct addr *own = &a->world->owners[at].addr;
	to[7] = 1;
	store_be16(to + end, 0xc00c);
	store_be16(to + end + 2, six ? 28 : 1);
	store_be16(to + end + 4, 1);
	store_be32(to + end + 6, 60);
	store_be16(to + end + 10, (unsigned)addr_len(own));
	memcpy(to + end + 12, own->bytes, addr_len(own));
	return end + 12 + addr_len(own);
}

static size_t answer_ntp(const struct sim_arrival *a, uint8_t *to)
{
	const struct packet *p = a->packet;
	if (p->payload_len < NTP_LEN || (p->payload[0] & 7) != 3)
		return 0;
	struct walltime now = sim_clock(a->world, a->node, a->now_ns);
	memset(to, 0, NTP_LEN);
	to[0] = (uint8_t)((p->payload[0] & 0x38) | 4);
	to[1] = 2;
	to[2] = p->payload[2];
	to[3] = 0xec; /* a precision of about a microsecond */
	store_ntp(to + 16, now);
	memcpy(to + 24, p->payload + 40, 8);
	store_ntp(to + 32, now);
	store_ntp(to + 40,
	    sim_clock(a->world, a->node,
		a->now_ns + a->world->nodes[a->node].how->slow_ns));
	return NTP_LEN;
}

static size_t serve_udp(
    const struct sim_arrival *a, enum sim_service service, uint8_t *to)
{
	size_t at = sim_answer_begin(a, to), len = 0;
	size_t data_at = at + 4;
	if (a->packet->payload_len > SIM_PACKET_MAX - data_at)
		return 0;
	if (service == SIM_STAMP)
		len = answer_stamp(a, to + data_at);
	else if (service == SIM_DNS)
		len = answer_dns(a, to + data_at);
	else if (service == SIM_NTP)
		len = answer_ntp(a, to + data_at);
	if (len == 0)
		return 0;
	store_be16(to + at, (unsigned)(8 + len));
	store_be16(to + at + 2, 0);
	sim_checksum(to, data_at + len);
	return data_at + len;
}

size_t sim_serve(const struct sim_arrival *a, uint8_t to[SIM_PACKET_MAX])
{
	enum sim_service service = service_of(a);
	if (a->packet->payload_len == 0)
		return 0;
	return serve_udp(a, service, to);
}
