/* SPDX-License-Identifier: ISC */
/* The fixed-width reads: all one loop over bytes that were checked first. */
#include "lib/base/reader.h"

static uint64_t big_endian(struct reader *r, size_t len)
{
	const uint8_t *bytes = reader_bytes(r, len);
	uint64_t value = 0;
	for (size_t i = 0; bytes && i < len; i++)
		value = value << 8 | bytes[i];
	return value;
}

static uint64_t little_endian(struct reader *r, size_t len)
{
	const uint8_t *bytes = reader_bytes(r, len);
	uint64_t value = 0;
	for (size_t i = len; bytes && i > 0; i--)
		value = value << 8 | bytes[i - 1];
	return value;
}

uint8_t reader_u8(struct reader *r)
{
	return (uint8_t)big_endian(r, 1);
}

uint16_t reader_be16(struct reader *r)
{
	return (uint16_t)big_endian(r, 2);
}

uint32_t reader_be32(struct reader *r)
{
	return (uint32_t)big_endian(r, 4);
}

uint64_t reader_be64(struct reader *r)
{
	return big_endian(r, 8);
}

uint16_t reader_le16(struct reader *r)
{
	return (uint16_t)little_endian(r, 2);
}

uint32_t reader_le32(struct reader *r)
{
	return (uint32_t)little_endian(r, 4);
}

uint64_t reader_le64(struct reader *r)
{
	return little_endian(r, 8);
}
