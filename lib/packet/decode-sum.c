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
