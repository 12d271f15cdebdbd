/* SPDX-License-Identifier: ISC */
/*
 * What an ICMP error carries: the packet it complains about, and behind that
 * the multi-part extensions.  Specification: RFC 792, RFC 4443, RFC 4884
 * (sections 4, 5 and 7), RFC 5837 and 4950 for what the objects hold, RFC 4861
 * section 4.5 (the redirect of IPv6, which quotes in an option).
 *
 * |     Type      |     Code      |           Checksum            |
 * |    unused     | Length (v4)   |            unused             |
 * |            quoted datagram, padded to 128 octets              |
 * |Version|       reserved        |           Checksum            |
 * |        Object length          |   Class-Num   |    C-Type     |
 * |                    Object payload ...                         |
 *
 * Length counts 32-bit words in ICMPv4 (second octet of the third word's
 * line above) and 64-bit words in ICMPv6 (first octet).  It is not believed:
 * routers older than the RFC leave it zero, others count octets, or what they
 * quote without the padding, and all of these put the structure at octet 128.
 * It is where its version, checksum and objects say that it is.
 */
#include "lib/packet/decode.h"
#include "lib/packet/octets.h"

#define COMPAT_QUOTE_LEN 128
#define STRUCTURE_HEADER_LEN 4
#define OBJECT_HEADER_LEN 4
/* RFC 4861 section 4.5: target and destination, then options, whose lengths
 * count eight octets each. */
#define REDIRECT_V6 137
#define REDIRECT_ADDRESSES_LEN 32
#define OPTION_REDIRECTED 4

bool packet_is_icmp_error(const struct packet *p)
{
	if (p->src.family == 6)
		return p->proto == PACKET_ICMP6 &&
		    (p->icmp_type < 128 || p->icmp_type == REDIRECT_V6);
	return p->src.family == 4 && p->proto == PACKET_ICMP &&
	    (p->icmp_type == 3 || p->icmp_type == 4 || p->icmp_type == 5 ||
		p->icmp_type == 11 || p->icmp_type == 12);
}

static bool may_have_extensions(const struct packet *p)
{
	if (p->proto == PACKET_ICMP6)
		return p->icmp_type == 1 || p->icmp_type == 3;
	return p->icmp_type == 3 || p->icmp_type == 11 || p->icmp_type == 12;
}

/* The octets that the length attribute gives the quoted datagram, 0: none. */
static size_t quoted_len_attribute(const struct packet *p)
{
	if (p->proto == PACKET_ICMP6)
		return (size_t)(p->icmp_rest >> 24) * 8;
	return (size_t)(p->icmp_rest >> 16 & 0xff) * 4;
}

/* The objects fill the structure.  Where neither the length nor a checksum says
 * that there is one, they are to be of classes that are assigned (RFC 4950,
 * 5837, 8335, 8883), and labels whole. */
static bool objects_are_sound(const uint8_t *bytes, size_t len, bool guess)
{
	size_t at = STRUCTURE_HEADER_LEN;
	while (at < len) {
		if (len - at < OBJECT_HEADER_LEN)
			return false;
		size_t object = load_be16(bytes + at);
		uint8_t class_num = bytes[at + 2], c_type = bytes[at + 3];
		if (object < OBJECT_HEADER_LEN || object > len - at)
			return false;
		bool labels = class_num == 1 && c_type == 1;
		if (labels && object % 4 != 0)
			return false;
		if (guess && !labels && (class_num < 2 || class_num > 4))
			return false;
		at += object;
	}
	return true;
}

/* A checksum of zero says that there is none. */
static bool structure_is_sound(const uint8_t *bytes, size_t len, bool by_length)
{
	if (len < STRUCTURE_HEADER_LEN + OBJECT_HEADER_LEN ||
	    bytes[0] >> 4 != 2)
		return false;
	bool summed = load_be16(bytes + 2) != 0;
	if (summed && packet_fold(packet_sum(0, bytes, len)) != 0)
		return false;
	return objects_are_sound(bytes, len, !summed && !by_length);
}

static bool take_structure(struct packet *p, size_t at, bool by_length)
{
	if (at == 0 || at >= p->payload_len ||
	    !structure_is_sound(
		p->payload + at, p->payload_len - at, by_length))
		return false;
	p->quote_len = at;
	p->extensions = p->payload + at;
	p->extensions_len = p->payload_len - at;
	p->extensions_by_length = by_length;
	return true;
}

static void take_redirected(struct packet *p)
{
	size_t at = REDIRECT_ADDRESSES_LEN;
	while (at + 8 < p->payload_len) {
		size_t len = (size_t)p->payload[at + 1] * 8;
		size_t left = p->payload_len - at;
		if (len == 0)
			return;
		if (p->payload[at] == OPTION_REDIRECTED && len > 8) {
			p->quote = p->payload + at + 8;
			p->quote_len = (len < left ? len : left) - 8;
			return;
		}
		at += len;
	}
}

void decode_icmp_error(struct packet *p)
{
	if (p->proto == PACKET_ICMP6 && p->icmp_type == REDIRECT_V6) {
		take_redirected(p);
		return;
	}
	p->quote = p->payload_len > 0 ? p->payload : NULL;
	p->quote_len = p->payload_len;
	/* The structure runs to the end: a part of it proves nothing. */
	if (!may_have_extensions(p) || p->fragment ||
	    p->payload_len < p->payload_wire_len)
		return;
	if (!take_structure(p, quoted_len_attribute(p), true))
		take_structure(p, COMPAT_QUOTE_LEN, false);
}

uint32_t packet_next_hop_mtu(const struct packet *p)
{
	if (p->proto == PACKET_ICMP && p->icmp_type == 3 && p->icmp_code == 4)
		return p->icmp_rest & 0xffff;
	if (p->proto == PACKET_ICMP6 && p->icmp_type == 2)
		return p->icmp_rest;
	return 0;
}

int packet_next_extension(const struct packet *packet, size_t *offset,
    struct packet_extension *object)
{
	if (*offset == 0)
		*offset = STRUCTURE_HEADER_LEN;
	if (!packet->extensions || *offset >= packet->extensions_len)
		return ERR_EOF;
	const uint8_t *at = packet->extensions + *offset;
	size_t left = packet->extensions_len - *offset;
	if (left < OBJECT_HEADER_LEN)
		return ERR_MALFORMED;
	size_t len = load_be16(at);
	if (len < OBJECT_HEADER_LEN || len > left)
		return ERR_MALFORMED;
	*object = (struct packet_extension){
		.class_num = at[2],
		.c_type = at[3],
		.data = at + OBJECT_HEADER_LEN,
		.len = len - OBJECT_HEADER_LEN,
	};
	*offset += len;
	return 0;
}

/* A quote may end anywhere; what matters is that the four octets which name
 * the flow are there. */
int packet_decode_quote(struct packet *quoted, const struct packet *error)
{
	if (!error->quote) {
		memset(quoted, 0, sizeof(*quoted));
		return ERR_NOT_FOUND;
	}
	struct span s = span_init(error->quote, error->quote_len, SIZE_MAX);
	int err = decode_span(quoted, &s, DECODE_QUOTE);
	if (quoted->src.family != error->src.family)
		return err != 0 ? err : ERR_MALFORMED;
	if (quoted->fragment && !quoted->first_fragment)
		return ERR_UNSUPPORTED;
	size_t header_len = quoted->ip_header_len;
	if (header_len < 20)
		return ERR_MALFORMED;
	if (error->quote_len < header_len + 4 ||
	    (quoted->src.family == 6 && decode_is_extension(quoted->proto)))
		return ERR_TRUNCATED;
	if (quoted->payload_wire_len > UINT16_MAX)
		quoted->payload_wire_len = quoted->payload_len;
	return 0;
}
