/* SPDX-License-Identifier: ISC */
/*
 * CRC-32C, reflected polynomial 0x82f63b78: the processor's own instruction
 * where it has one, a table of 256 otherwise.
 */
#include <stdbool.h>
#include <string.h>

#include "lib/base/crc32c.h"

static uint32_t by_table(uint32_t crc, const uint8_t *p, size_t len)
{
	static uint32_t table[256];
	if (!table[1]) {
		/* Filled downwards: table[1] is the last store, so a thread
		 * that sees it sees all, and racing threads write the same. */
		for (uint32_t i = 256; i-- > 0;) {
			uint32_t c = i;
			for (int bit = 0; bit < 8; bit++)
				c = c & 1 ? c >> 1 ^ 0x82f63b78 : c >> 1;
			__atomic_store_n(&table[i], c, __ATOMIC_RELEASE);
		}
	}
	while (len--)
		crc = table[(crc ^ *p++) & 0xff] ^ crc >> 8;
	return crc;
}

#ifdef __x86_64__
__attribute__((target("sse4.2"))) static uint32_t by_instruction(
    uint32_t crc, const uint8_t *p, size_t len)
{
	uint64_t wide = crc;
	for (; len >= 8; p += 8, len -= 8) {
		uint64_t word;
		memcpy(&word, p, 8);
		wide = __builtin_ia32_crc32di(wide, word);
	}
	crc = (uint32_t)wide;
	while (len--)
		crc = __builtin_ia32_crc32qi(crc, *p++);
	return crc;
}
#endif

uint32_t crc32c(uint32_t crc, const void *data, size_t len)
{
#ifdef __x86_64__
	if (__builtin_cpu_supports("sse4.2"))
		return ~by_instruction(~crc, data, len);
#endif
	return ~by_table(~crc, data, len);
}
