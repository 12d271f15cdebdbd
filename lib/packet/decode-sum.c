/* SPDX-License-Identifier: ISC */
/*
 * The Internet checksum.  Specification: RFC 1071.  The sum is the same in
 * either byte order up to a swap, so words are added as the machine reads
 * them, many at a time, and swapped once at the end.
 */
#include "lib/packet/octets.h"
#include "lib/packet/packet.h"

uint32_t packet_sum(uint32_t sum, const void *bytes, size_t len)
{
	const uint8_t *p = bytes;
	uint64_t total = 0;
	for (; len >= 4; p += 4, len -= 4) {
		uint32_t word;
		memcpy(&word, p, sizeof(word));
		total += word;
	}
	total = (total & 0xffffffff) + (total >> 32);
	while (total >> 16)
		total = (total & 0xffff) + (total >> 16);
	uint8_t native[2];
	uint16_t half = (uint16_t)total;
	memcpy(native, &half, sizeof(half));
	uint32_t tail = load_be16(native);
	if (len >= 2)
		tail += load_be16(p);
	if (len & 1)
		tail += (uint32_t)p[len - 1] << 8;
	return (sum & 0xffff) + (sum >> 16) + tail;
}

uint16_t packet_fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* Where the upper header of a whole packet is; 0: nowhere that is known. */
static size_t find_upper(const uint8_t *ip, size_t caplen, size_t *len)
{
	if (caplen >= 40 && ip[0] >> 4 == 6) {
		*len = load_be16(ip + 4);
		return *len <= caplen - 40 ? 40 : 0;
	}
	if (caplen < 20 || ip[0] >> 4 != 4)
		return 0;
	size_t head = (size_t)(ip[0] & 15) * 4, total = load_be16(ip + 2);
	bool fragment = load_be16(ip + 6) & 0x3fff;
	if (fragment || head < 20 || total < head || total > caplen)
		return 0;
	*len = total - head;
	return head;
}

bool packet_is_damaged(const uint8_t *ip, size_t caplen)
{
	size_t len, at = find_upper(ip, caplen, &len);
	if (at == 0)
		return false;
	bool six = ip[0] >> 4 == 6;
	uint8_t proto = ip[six ? 6 : 9];
	size_t field = proto == PACKET_TCP ? 16 : proto == PACKET_UDP ? 6 : 2;
	bool known = proto == PACKET_TCP || proto == PACKET_UDP ||
	    proto == (six ? PACKET_ICMP6 : PACKET_ICMP);
	if (!known || len < field + 2)
		return false;
	uint16_t stated = load_be16(ip + at + field);
	if (proto == PACKET_UDP &&
	    (stated == 0 || load_be16(ip + at + 4) != len))
		return false; /* none; or another length than the sum is of */
	uint32_t pseudo = 0;
	if (proto != PACKET_ICMP)
		pseudo = packet_sum(
		    (uint32_t)len + proto, ip + (six ? 8 : 12), six ? 32 : 8);
	bool left_open = (proto == PACKET_TCP || proto == PACKET_UDP) &&
	    (uint16_t)~packet_fold(pseudo) % 0xffff == stated % 0xffff;
	return packet_fold(packet_sum(pseudo, ip + at, len)) != 0 && !left_open;
}
