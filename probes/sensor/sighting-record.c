/* SPDX-License-Identifier: ISC */
/* Numbers that mean nothing of a finding are left out of its record: 0 is
 * one. */
#include "probes/sensor/sighting-record.h"

static ProtobufCBinaryData octets_of(const void *bytes, size_t len)
{
	return (ProtobufCBinaryData){ len, (uint8_t *)(uintptr_t)bytes };
}

static ProtobufCBinaryData addr_octets(const struct addr *addr)
{
	return octets_of(addr->bytes, addr->family ? addr_len(addr) : 0);
}

static void put_victim(Sonde__Sighting *s, const struct finding *f)
{
	s->victim = addr_octets(&f->victim);
	if (!f->quote.is_there)
		return;
	SIGHTING_SET(s, QUOTED_PROTO, quoted_proto, f->quote.proto);
	if (f->quote.sport == 0 && f->quote.dport == 0)
		return;
	SIGHTING_SET(s, QUOTED_SPORT, quoted_sport, f->quote.sport);
	SIGHTING_SET(s, QUOTED_DPORT, quoted_dport, f->quote.dport);
}

static void put_judgement(Sonde__Sighting *s, const struct finding *f)
{
	s->rule = (char *)(uintptr_t)(f->rule ? f->rule : "");
	s->rule_version = f->rule_version;
	if (f->odds > 0)
		SIGHTING_SET(s, ODDS, odds, f->odds);
	SIGHTING_SET(s, ATTEMPTS, attempts, f->attempts);
	if (f->not_judged > 0)
		SIGHTING_SET(s, NOT_JUDGED, not_judged, f->not_judged);
	if (f->addresses > 1)
		SIGHTING_SET(s, ADDRESSES, addresses, f->addresses);
}

void sighting_of_finding(
    Sonde__Sighting *s, const struct finding *f, uint32_t interval_s)
{
	const char *signature = signature_name(f->signature);
	int port = f->icmp != FINDING_NONE ? f->icmp : f->dport;
	*s = (Sonde__Sighting)SONDE__SIGHTING__INIT;
	s->src = addr_octets(&f->src);
	s->verdict = (char *)(uintptr_t)verdict_name(f->verdict);
	s->signature = (char *)(uintptr_t)(signature ? signature : "");
	s->proto = f->proto == FINDING_NONE ? 0 : (uint32_t)f->proto;
	s->dport = port == FINDING_NONE ? 0 : (uint32_t)port;
	s->first_wall_ns = f->first.ns;
	s->last_wall_ns = f->last.ns;
	s->packets = f->packets;
	s->size_bytes = f->size_bytes;
	s->targets = f->targets;
	s->census = octets_of(f->census.bytes, census_len(&f->census));
	s->sources = f->sources;
	s->payload_hash = octets_of(f->hash, f->has_hash ? sizeof(f->hash) : 0);
	s->ttl_min = f->ttl_min;
	s->ttl_max = f->ttl_max;
	s->interval_s = interval_s;
	s->spoofable = f->spoofable;
	if (f->ports > 0)
		SIGHTING_SET(s, PORTS, ports, f->ports);
	s->ports_at_least = f->ports_quality == DISTINCT_IS_AT_LEAST;
	put_victim(s, f);
	put_judgement(s, f);
}

void evidence_of_finding(Sonde__Evidence *e, const struct finding *f,
    const struct first_packet *packet)
{
	const char *signature = signature_name(f->signature);
	*e = (Sonde__Evidence)SONDE__EVIDENCE__INIT;
	e->src = addr_octets(&f->src);
	e->verdict = (char *)(uintptr_t)verdict_name(f->verdict);
	e->signature = (char *)(uintptr_t)(signature ? signature : "");
	e->rule = (char *)(uintptr_t)(f->rule ? f->rule : "");
	e->rule_version = f->rule_version;
	e->packet_wall_ns = packet->at.ns;
	e->size_bytes = packet->wire_len;
	e->packet = octets_of(packet->octets, packet->len);
}
