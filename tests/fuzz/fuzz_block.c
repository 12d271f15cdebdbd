/* SPDX-License-Identifier: ISC */
/* Both ways: as records (be16 length, bytes) into a block, which must give the
 * same bytes back; and as a block that somebody damaged and summed again. */
#include <stdlib.h>
#include <string.h>

#include "collector/store/block.h"
#include "lib/base/crc32c.h"
#include "lib/base/reader.h"
#include "lib/base/xalloc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void there_and_back(const uint8_t *data, size_t size)
{
	struct reader in = reader_init(data, size), again = in;
	struct block_writer *writer = block_writer_new();
	struct block *block = block_new();
	struct buf sealed = { 0 };
	uint32_t count = 0;
	for (; reader_left(&in) > 2 && count < BLOCK_MAX_COUNT; count++) {
		size_t len = reader_be16(&in);
		if (len > reader_left(&in))
			len = reader_left(&in);
		block_add(writer, reader_bytes(&in, len), len);
	}
	block_seal(writer, &sealed);
	/* Bytes that are no record at all are kept, but not found again. */
	if (block_open(block, sealed.data, sealed.len, NULL) == 0 &&
	    block_count(block) != count)
		abort();
	for (uint32_t i = 0; i < block_count(block); i++) {
		struct block_record record;
		size_t len = reader_be16(&again);
		if (len > reader_left(&again))
			len = reader_left(&again);
		const uint8_t *was = reader_bytes(&again, len);
		if (block_read(block, i, &record, NULL) < 0 ||
		    record.len != len ||
		    (len > 0 && memcmp(record.body, was, len) != 0))
			abort();
	}
	buf_fini(&sealed);
	block_free(block);
	block_writer_free(writer);
}

static void damaged(const uint8_t *data, size_t size)
{
	static const uint32_t kinds[] = { 16, 20 };
	struct block *block = block_new();
	struct block_want want = { .to_ns = INT64_MAX,
		.kinds = kinds,
		.kind_count = 2,
		.run = 1,
		.campaign = (const uint8_t *)"0123456789abcdef",
		.src = addr_v4(1),
		.dst = addr_v4(2) };
	const uint32_t *places;
	size_t count;
	struct buf sealed = { 0 };
	buf_bytes(&sealed, data, size);
	buf_be32(&sealed, crc32c(0, data, size));
	if (block_open(block, sealed.data, sealed.len, NULL) == 0) {
		struct block_record record;
		block_find(block, &want, &places, &count, NULL);
		want = (struct block_want){ .dst = addr_v4(2) };
		block_find(block, &want, &places, &count, NULL);
		for (uint32_t i = 0; i < block_count(block); i += 1 + i / 4)
			if (block_read(block, i, &record, NULL) < 0)
				break;
		block_rewind(block);
		for (uint32_t i = 0; i < block_count(block); i++)
			if (block_read(block, i, &record, NULL) < 0)
				break;
	}
	buf_fini(&sealed);
	block_free(block);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 0 && data[0] & 1)
		there_and_back(data + 1, size - 1);
	else if (size > 0)
		damaged(data + 1, size - 1);
	return 0;
}
