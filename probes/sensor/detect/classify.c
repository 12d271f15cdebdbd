/* SPDX-License-Identifier: ISC */
/*
 * The order of the questions matters: a fragment proves nothing; a signature
 * proves a worm; an answer makes its source a victim, never an attacker; only
 * then is what asks for an answer a probe.
 *
 * Two rules of older telescopes are left out.  A source address that ends in
 * 0 or 255 is ordinary since networks have any length.  A TTL of 200 and more
 * is suspicious in a TCP SYN only, and not when the window is that of a known
 * tool: ZMap and masscan start at 255.
 */
#include <string.h>

#include "probes/sensor/detect/classify.h"

#define TTL_SUSPICIOUS 200
#define TCP_DECIDING_FLAGS \
	(PACKET_TCP_SYN | PACKET_TCP_ACK | PACKET_TCP_RST | PACKET_TCP_FIN)

static const char *const verdict_names[VERDICTS] = {
	[VERDICT_WORM] = "worm",
	[VERDICT_FLOOD] = "flood",
	[VERDICT_SCAN] = "scan",
	[VERDICT_BACKSCATTER] = "backscatter",
	[VERDICT_MISCONFIGURATION] = "misconfiguration",
	[VERDICT_OTHER] = "other",
};

const char *verdict_name(enum verdict verdict)
{
	return verdict_names[verdict];
}

static bool is_multicast(const struct addr *a)
{
	return a->family == 4 ? a->bytes[0] >= 224 : a->bytes[0] == 0xff;
}

/* Nobody can be reached at such a source address. */
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

static enum kind read_tcp(const struct packet *p, struct reading *r)
{
	unsigned flags = p->tcp_flags & TCP_DECIDING_FLAGS;
	bool known_tool =
	    r->match.masscan || r->match.zmap || has_tool_window(p);
	switch (flags) {
	case PACKET_TCP_SYN:
		if (p->ttl >= TTL_SUSPICIOUS && !known_tool)
			r->odd = true;
		break;
	case PACKET_TCP_SYN | PACKET_TCP_ACK:
	case PACKET_TCP_RST:
	case PACKET_TCP_RST | PACKET_TCP_ACK: return KIND_BACKSCATTER;
	case PACKET_TCP_ACK:
	case PACKET_TCP_ACK | PACKET_TCP_FIN: return KIND_OTHER;
	default: r->odd = true; break; /* no stack sends these */
	}
	if (p->sport == 0 || p->dport == 0)
		r->odd = true;
	return KIND_PROBE;
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

static enum kind read_udp(const struct packet *p, struct reading *r)
{
	if (p->sport == 53)
		return KIND_BACKSCATTER;
	if (is_bittorrent(p))
		return KIND_STRAY;
	r->service = is_service_port(p->dport);
	if (is_multicast(&p->dst))
		return KIND_STRAY;
	if (p->sport == 0 || p->dport == 0 || p->dport == 80)
		r->odd = true;
	return KIND_PROBE;
}

static enum kind read_icmp(const struct packet *p)
{
	switch (p->icmp_type) {
	case 8:
	case 13:
	case 15:
	case 17: return KIND_PROBE;
	case 0:
	case 3:
	case 4:
	case 5:
	case 11:
	case 12:
	case 14:
	case 16:
	case 18: return KIND_BACKSCATTER;
	default: return KIND_OTHER;
	}
}

static enum kind read_icmp6(const struct packet *p)
{
	switch (p->icmp_type) {
	case 128: /* echo request */
	case 139: /* node information query */ return KIND_PROBE;
	case 1:
	case 2:
	case 3:
	case 4:
	case 129: return KIND_BACKSCATTER;
	default: return KIND_OTHER; /* neighbours talk like this */
	}
}

static enum kind read_kind(const struct packet *p, struct reading *r)
{
	switch (p->proto) {
	case PACKET_TCP: return read_tcp(p, r);
	case PACKET_UDP: return read_udp(p, r);
	case PACKET_ICMP: return p->src.family == 4 ? read_icmp(p) : KIND_OTHER;
	case PACKET_ICMP6:
		return p->src.family == 6 ? read_icmp6(p) : KIND_OTHER;
	default: return KIND_OTHER;
	}
}

struct reading classify_packet(const struct packet *p)
{
	struct reading r = { .kind = KIND_OTHER };
	if (p->fragment)
		return r;
	r.match = signature_match(p);
	if (r.match.worm != SIGNATURE_NONE) {
		r.kind = KIND_WORM;
		return r;
	}
	r.kind = read_kind(p, &r);
	if (addr_equal(&p->src, &p->dst))
		r.odd = true;
	if (r.kind == KIND_PROBE && is_impossible_source(&p->src))
		r.kind = r.service ? KIND_STRAY : KIND_OTHER;
	return r;
}

static bool is_fast(uint64_t packets, int64_t duration_ns)
{
	uint64_t seconds = (uint64_t)(duration_ns / INT64_C(1000000000));
	return packets >= FLOOD_LEAST_PACKETS &&
	    packets / (seconds ? seconds : 1) >= FLOOD_LEAST_PPS;
}

/* Many packets at once for one address, not one for each of its ports. */
static bool is_flood(const struct evidence *e)
{
	if (!e->one_target)
		return false;
	bool fast = is_fast(e->packets, e->duration_ns);
	if (e->several_targets)
		return fast && e->packets >= e->probes / 2;
	if (e->target_flooded)
		return true;
	return (fast || is_fast(e->probes, e->probes_duration_ns)) &&
	    e->probes / (e->ports ? e->ports : 1) >= FLOOD_PACKETS_PER_PORT;
}

static enum verdict probe_verdict(const struct evidence *e)
{
	if (is_flood(e))
		return VERDICT_FLOOD;
	if (e->several_targets && !(e->all_service && e->one_target))
		return VERDICT_SCAN;
	if (e->all_service)
		return VERDICT_MISCONFIGURATION;
	if (e->ports > 1)
		return VERDICT_SCAN;
	if (e->all_odd || e->answered)
		return VERDICT_OTHER;
	/* One address and port: once is a probe, again and again is somebody
	 * who expects an answer. */
	return e->seen >= REPEAT_LEAST_PACKETS ? VERDICT_MISCONFIGURATION
					       : VERDICT_SCAN;
}

enum verdict classify_verdict(const struct evidence *e)
{
	switch (e->kind) {
	case KIND_WORM: return VERDICT_WORM;
	case KIND_PROBE: return probe_verdict(e);
	case KIND_BACKSCATTER: return VERDICT_BACKSCATTER;
	case KIND_STRAY: return VERDICT_MISCONFIGURATION;
	case KIND_OTHER:
	case KINDS: break;
	}
	return VERDICT_OTHER;
}
