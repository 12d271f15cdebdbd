/* SPDX-License-Identifier: ISC */
/*
 * Probes as bytes: a copy of the template that libnet made (template.c) with
 * the fields, the payload and the checksums put in, which costs no allocation
 * and no privilege.
 *
 * fix_checksum shows a checksum of the script's choice: with s the sum of the
 * packet while the first two payload octets are zero, these octets become the
 * one's complement difference of the wanted sum and s, so that the checksum
 * is both constant and right.
 */
#include "lib/packet/octets.h"
#include "lib/packet/packet.h"
#include "probes/packet/template.h"

static int upper_of(const struct probe *probe)
{
	switch (probe->proto) {
	case PACKET_ICMP: return TEMPLATE_ICMP;
	case PACKET_UDP: return TEMPLATE_UDP;
	case PACKET_TCP: return TEMPLATE_TCP;
	default: return -1;
	}
}

void probe_clean(struct probe *probe)
{
	uint8_t *flags[] = { (uint8_t *)&probe->fix_checksum,
		(uint8_t *)&probe->hold };
	for (int i = 0; i < 2; i++)
		*flags[i] = *flags[i] != 0;
	probe->dst = addr_from_bytes(probe->dst.bytes, addr_len(&probe->dst));
	probe->payload = NULL;
}

size_t probe_size_bytes(const struct probe *probe)
{
	return (probe->dst.family == 4 ? 20u : 40u) +
	    (probe->proto == PACKET_TCP ? 20u : 8u) + probe->payload_len;
}

static void put_ipv4(
    uint8_t *ip, const struct probe *probe, const struct addr *src, size_t len)
{
	ip[1] = probe->tos;
	store_be16(ip + 2, (uint32_t)len);
	store_be16(ip + 4, probe->ip_id);
	ip[8] = probe->ttl;
	memcpy(ip + 12, src->bytes, 4);
	memcpy(ip + 16, probe->dst.bytes, 4);
	store_be16(ip + 10, 0);
	store_be16(ip + 10, packet_fold(packet_sum(0, ip, 20)));
}

static void put_ipv6(
    uint8_t *ip, const struct probe *probe, const struct addr *src, size_t len)
{
	store_be32(ip,
	    6u << 28 | (uint32_t)probe->tos << 20 |
		(probe->flow_label & 0xfffff));
	store_be16(ip + 4, (uint32_t)len - 40);
	ip[7] = probe->ttl;
	memcpy(ip + 8, src->bytes, 16);
	memcpy(ip + 24, probe->dst.bytes, 16);
}

/* RFC 793 and RFC 8200 section 8.1; ICMPv4 has none. */
static uint32_t pseudo_sum(
    const struct probe *probe, const struct addr *src, size_t upper_len)
{
	bool v6 = probe->dst.family == 6;
	if (!v6 && probe->proto == PACKET_ICMP)
		return 0;
	uint8_t tail[8] = { 0 };
	store_be32(tail, (uint32_t)upper_len);
	tail[7] =
	    v6 && probe->proto == PACKET_ICMP ? PACKET_ICMP6 : probe->proto;
	uint32_t sum = packet_sum(0, tail, sizeof(tail));
	sum = packet_sum(sum, src->bytes, addr_len(src));
	return packet_sum(sum, probe->dst.bytes, addr_len(&probe->dst));
}

static void put_upper(uint8_t *upper, const struct probe *probe)
{
	switch (probe->proto) {
	case PACKET_UDP:
		store_be16(upper, probe->sport);
		store_be16(upper + 2, probe->dport);
		store_be16(upper + 4, 8u + probe->payload_len);
		break;
	case PACKET_TCP:
		store_be16(upper, probe->sport);
		store_be16(upper + 2, probe->dport);
		store_be32(upper + 4, probe->tcp_seq);
		store_be32(upper + 8, probe->tcp_ack);
		upper[13] = probe->tcp_flags;
		store_be16(upper + 14, probe->tcp_window);
		break;
	default:
		store_be16(upper + 4, probe->icmp_id);
		store_be16(upper + 6, probe->icmp_seq);
	}
}

static void put_checksum(
    uint8_t *upper, size_t len, const struct probe *probe, uint32_t pseudo)
{
	size_t at = probe->proto == PACKET_TCP ? 16
	    : probe->proto == PACKET_UDP       ? 6
					       : 2;
	store_be16(upper + at, 0); /* libnet filled it in the template */
	if (probe->fix_checksum)
		store_be16(upper + 8, 0);
	uint16_t checksum = packet_fold(packet_sum(pseudo, upper, len));
	if (probe->fix_checksum) {
		uint32_t fill = (uint32_t)checksum + (uint16_t)~probe->checksum;
		store_be16(upper + 8, (fill & 0xffff) + (fill >> 16));
		checksum = probe->checksum;
	}
	/* RFC 768: zero would say that there is none. */
	if (checksum == 0 && probe->proto == PACKET_UDP)
		checksum = 0xffff;
	store_be16(upper + at, checksum);
}

int probe_check(const struct probe *probe, struct errmsg *msg)
{
	if (probe->dst.family != 4 && probe->dst.family != 6)
		return err_set(msg, ERR_USAGE, "probe: no destination");
	if (upper_of(probe) < 0)
		return err_set(msg, ERR_USAGE,
		    "probe: protocol %u, expected "
		    "ICMP, UDP or TCP",
		    probe->proto);
	if (probe->zone[0] && !addr_is_link_local(&probe->dst))
		return err_set(msg, ERR_USAGE,
		    "probe: a zone, expected only with a link-local address");
	if (probe->payload_len > PROBE_PAYLOAD_MAX)
		return err_set(msg, ERR_USAGE,
		    "probe: payload of %u octets, "
		    "expected at most %d",
		    probe->payload_len, PROBE_PAYLOAD_MAX);
	if (probe->hold && probe->proto != PACKET_TCP)
		return err_set(
		    msg, ERR_USAGE, "probe: hold, expected only with TCP");
	if (!probe->fix_checksum)
		return 0;
	if (probe->proto == PACKET_TCP || probe->payload_len < 2)
		return err_set(msg, ERR_USAGE,
		    "probe: a chosen checksum needs "
		    "ICMP or UDP and two octets of payload");
	/* 0xffff is the checksum of nothing but zeros. */
	if (probe->checksum == (probe->proto == PACKET_UDP ? 0 : 0xffff))
		return err_set(msg, ERR_USAGE,
		    "probe: checksum 0x%04x cannot "
		    "be",
		    probe->checksum);
	return 0;
}

int probe_build(struct probe_builder *builder, const struct probe *probe,
    const struct addr *src, uint8_t *to, size_t size, struct errmsg *msg)
{
	int err = probe_check(probe, msg);
	if (err != 0)
		return err;
	size_t len = probe_size_bytes(probe);
	if (src->family != probe->dst.family)
		return err_set(msg, ERR_USAGE,
		    "probe: source and destination "
		    "are of two families");
	if (size < len)
		return err_set(msg, ERR_LIMIT,
		    "probe: %zu octets, room for "
		    "%zu",
		    len, size);
	bool v6 = probe->dst.family == 6;
	const struct probe_template *t =
	    &builder->templates[v6][upper_of(probe)];
	memcpy(to, t->bytes, t->len);
	uint8_t *upper = to + (v6 ? 40 : 20);
	size_t upper_len = len - (v6 ? 40 : 20);
	if (probe->payload)
		memcpy(to + t->len, probe->payload, probe->payload_len);
	else
		memset(to + t->len, 0, probe->payload_len);
	put_upper(upper, probe);
	put_checksum(
	    upper, upper_len, probe, pseudo_sum(probe, src, upper_len));
	if (v6)
		put_ipv6(to, probe, src, len);
	else
		put_ipv4(to, probe, src, len);
	return (int)len;
}
