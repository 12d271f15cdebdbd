/* SPDX-License-Identifier: ISC */
/*
 * Scans, and what else a packet without a signature is.  The order of the
 * questions matters: an answer makes its source a victim, never an attacker;
 * only then is what asks for an answer a probe.
 *
 * Two rules of older telescopes are left out.  A source address that ends in
 * 0 or 255 is ordinary since networks have any length.  A TTL of 200 and more
 * is suspicious in a TCP SYN only, and not when the window is that of a known
 * tool: ZMap and masscan start at 255.
 */
#include <string.h>

#include "probes/sensor/detect/detector.h"

#define REPEAT_LEAST_PACKETS 3
#define TTL_SUSPICIOUS 200
#define TCP_DECIDING_FLAGS \
	(PACKET_TCP_SYN | PACKET_TCP_ACK | PACKET_TCP_RST | PACKET_TCP_FIN)

static bool is_multicast(const struct addr *a)
{
	return a->family == 4 ? a->bytes[0] >= 224 : a->bytes[0] == 0xff;
}

/* No host can be reached at such a source address. */
static bool is_impossible_source(const struct addr *a)
{
	static const uint8_t zeros[16];
	if (is_multicast(a))
		return true;
	return a->family == 4 ? a->bytes[0] == 0
			      : memcmp(a->bytes, zeros, 16) == 0;
}

static bool has_tool_window(const struct packet *p)
{
	return p->tcp_window == 1024 || p->tcp_window == 1025 ||
	    p->tcp_window == 65535;
}

static enum packet_class read_tcp(const struct packet *p, struct reading *r)
{
	unsigned flags = p->tcp_flags & TCP_DECIDING_FLAGS;
	if (!p->has_tcp_flags)
		return CLASS_OTHER;
	bool known_tool =
	    r->match.masscan || r->match.zmap || has_tool_window(p);
	switch (flags) {
	case PACKET_TCP_SYN:
		if (p->ttl >= TTL_SUSPICIOUS && !known_tool)
			r->suspicious = true;
		break;
	case PACKET_TCP_SYN | PACKET_TCP_ACK:
	case PACKET_TCP_RST:
	case PACKET_TCP_RST | PACKET_TCP_ACK: return CLASS_BACKSCATTER;
	case PACKET_TCP_ACK:
	case PACKET_TCP_ACK | PACKET_TCP_FIN: return CLASS_OTHER;
	default: r->suspicious = true; break; /* no stack sends these */
	}
	if (p->sport == 0 || p->dport == 0)
		r->suspicious = true;
	return CLASS_PROBE;
}

static bool is_service_port(uint16_t port)
{
	switch (port) {
	case 67:
	case 68: /* DHCP */
	case 137:
	case 138: /* NetBIOS */
	case 546:
	case 547:  /* DHCPv6 */
	case 1900: /* SSDP */
	case 3702: /* WS-Discovery */
	case 5353: /* mDNS */
	case 5355: /* LLMNR */
	case 17500: /* file synchronisation */ return true;
	default: return false;
	}
}

static bool payload_starts(const struct packet *p, const char *text)
{
	size_t len = strlen(text);
	return p->payload_len >= len && memcmp(p->payload, text, len) == 0;
}

/* The distributed hash table's messages, from peers that remember an address
 * which a peer had once. */
static bool is_bittorrent(const struct packet *p)
{
	return payload_starts(p, "d1:ad2:id20:") ||
	    payload_starts(p, "d1:rd2:id20:") || payload_starts(p, "d1:eli");
}

static enum packet_class read_udp(const struct packet *p, struct reading *r)
{
	if (p->sport == 53)
		return CLASS_BACKSCATTER;
	if (is_bittorrent(p))
		return CLASS_STRAY;
	r->service = is_service_port(p->dport);
	if (is_multicast(&p->dst))
		return CLASS_STRAY;
	if (p->sport == 0 || p->dport == 0 || p->dport == 80)
		r->suspicious = true;
	return CLASS_PROBE;
}

static enum packet_class read_icmp(const struct packet *p)
{
	switch (p->icmp_type) {
	case 8:
	case 13:
	case 15:
	case 17: return CLASS_PROBE;
	case 0:
	case 3:
	case 4:
	case 5:
	case 11:
	case 12:
	case 14:
	case 16:
	case 18: return CLASS_BACKSCATTER;
	default: return CLASS_OTHER;
	}
}

static enum packet_class read_icmp6(const struct packet *p)
{
	switch (p->icmp_type) {
	case 128: /* echo request */
	case 139: /* node information query */ return CLASS_PROBE;
	case 1:
	case 2:
	case 3:
	case 4:
	case 129: return CLASS_BACKSCATTER;
	default: return CLASS_OTHER; /* usual between neighbours */
	}
}

static enum packet_class read_class(const struct packet *p, struct reading *r)
{
	switch (p->proto) {
	case PACKET_TCP: return read_tcp(p, r);
	case PACKET_UDP: return read_udp(p, r);
	case PACKET_ICMP:
		return p->src.family == 4 ? read_icmp(p) : CLASS_OTHER;
	case PACKET_ICMP6:
		return p->src.family == 6 ? read_icmp6(p) : CLASS_OTHER;
	default: return CLASS_OTHER;
	}
}

static bool read_scan(const struct packet *p, struct reading *r)
{
	r->class = read_class(p, r);
	if (addr_equal(&p->src, &p->dst))
		r->suspicious = true;
	if (r->class == CLASS_PROBE && is_impossible_source(&p->src))
		r->class = r->service ? CLASS_STRAY : CLASS_OTHER;
	return true;
}

static enum verdict probe_verdict(const struct evidence *e)
{
	if (e->several_targets && !(e->all_service && e->one_target))
		return VERDICT_SCAN;
	if (e->all_service)
		return VERDICT_MISCONFIGURATION;
	if (e->ports > 1)
		return VERDICT_SCAN;
	if (e->all_suspicious || e->answered)
		return VERDICT_OTHER;
	/* One address and port: once is a probe, again and again is a host
	 * that expects an answer. */
	return e->seen >= REPEAT_LEAST_PACKETS ? VERDICT_MISCONFIGURATION
					       : VERDICT_SCAN;
}

static enum verdict judge_scan(const void *state, const struct evidence *e)
{
	(void)state;
	switch (e->class) {
	case CLASS_PROBE: return probe_verdict(e);
	case CLASS_BACKSCATTER: return VERDICT_BACKSCATTER;
	case CLASS_STRAY: return VERDICT_MISCONFIGURATION;
	case CLASS_WORM:
	case CLASS_OTHER:
	case CLASSES: break;
	}
	return VERDICT_OTHER;
}

const struct detector detector_scan = {
	.name = "scan",
	.packet = read_scan,
	.judge = judge_scan,
};
