/* SPDX-License-Identifier: ISC */
/*
 * Batches: the header is fixed-size and signed; it carries the digest of the
 * raw bytes, so the signature covers them too.  Opening does the cheap checks
 * first and unpacks only what a known key has signed.
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "lib/record/batch.h"
#include "lib/base/reader.h"
#include "lib/record/record.h"
#include "lib/base/xalloc.h"

enum {
	VERSION = 1,
	CODEC_ZSTD = 1,
	LEVEL = 3,
	SIGNED_LEN = 4 + 1 + 1 + 2 + 16 + 8 + 8 + 8 + 4 + 4 + 4 + 32,
	HEADER_LEN = SIGNED_LEN + crypto_sign_BYTES,
};

static const uint8_t magic[4] = { 'S', 'N', 'D', 'B' };

static int sodium_ready(struct errmsg *msg)
{
	if (sodium_init() < 0)
		return err_set(
		    msg, ERR_UNSUPPORTED, "batch: libsodium does not start");
	return 0;
}

static void raw_digest(uint8_t to[static 32], const void *raw, size_t len)
{
	crypto_generichash(to, 32, raw, len, NULL, 0);
}

/* count frames and nothing after them */
static int frames_check(
    uint32_t count, const void *raw, size_t len, struct errmsg *msg)
{
	struct reader r = reader_init(raw, len);
	uint32_t i;
	for (i = 0; i < count && r.err == ERR_OK; i++) {
		uint32_t frame = reader_be32(&r);
		if (frame > RECORD_MAX_BYTES)
			reader_fail(&r, ERR_LIMIT);
		reader_skip(&r, frame);
	}
	if (r.err != ERR_OK)
		return err_set(msg, ERR_MALFORMED, "batch: record %u of %u: %s",
		    i, count, err_str(r.err));
	if (reader_left(&r))
		return err_set(msg, ERR_MALFORMED,
		    "batch: %zu bytes after the last record", reader_left(&r));
	return 0;
}

static int limits_check(const struct batch_header *h, struct errmsg *msg)
{
	if (h->count == 0 || h->raw_len < 4 || h->packed_len == 0)
		return err_set(msg, ERR_MALFORMED, "batch: it is empty");
	if (h->count > BATCH_MAX_COUNT)
		return err_set(msg, ERR_LIMIT,
		    "batch: expected at most %u records, got %u",
		    BATCH_MAX_COUNT, h->count);
	if (h->raw_len > BATCH_MAX_RAW)
		return err_set(msg, ERR_LIMIT,
		    "batch: expected at most %u raw bytes, got %u",
		    BATCH_MAX_RAW, h->raw_len);
	if (h->packed_len > BATCH_MAX_PACKED)
		return err_set(msg, ERR_LIMIT,
		    "batch: expected at most %u packed bytes, got %u",
		    BATCH_MAX_PACKED, h->packed_len);
	if (h->gap_from == 0 || h->gap_from > h->first_seq ||
	    h->first_seq > UINT64_MAX - h->count)
		return err_set(msg, ERR_MALFORMED,
		    "batch: sequence numbers that cannot be");
	return 0;
}

static void header_put(struct buf *to, const struct batch_header *h)
{
	buf_bytes(to, magic, sizeof(magic));
	buf_u8(to, VERSION);
	buf_u8(to, CODEC_ZSTD);
	buf_be16(to, 0);
	buf_bytes(to, h->agent, sizeof(h->agent));
	buf_be64(to, h->epoch);
	buf_be64(to, h->first_seq);
	buf_be64(to, h->gap_from);
	buf_be32(to, h->count);
	buf_be32(to, h->raw_len);
	buf_be32(to, h->packed_len);
	buf_bytes(to, h->digest, sizeof(h->digest));
}

int batch_seal(struct buf *to, const struct batch_header *header,
    const void *raw, size_t raw_len, const uint8_t secret_key[64],
    struct errmsg *msg)
{
	struct batch_header h = *header;
	int err = sodium_ready(msg);
	if (err)
		return err;
	if (raw_len > BATCH_MAX_RAW)
		return err_set(msg, ERR_LIMIT,
		    "batch: expected at most %u raw bytes, got %zu",
		    BATCH_MAX_RAW, raw_len);
	err = frames_check(h.count, raw, raw_len, msg);
	if (err)
		return err;
	size_t bound = ZSTD_compressBound(raw_len);
	uint8_t *packed = xmalloc(bound);
	size_t packed_len = ZSTD_compress(packed, bound, raw, raw_len, LEVEL);
	if (ZSTD_isError(packed_len))
		BUG("zstd: %s", ZSTD_getErrorName(packed_len));
	h.raw_len = (uint32_t)raw_len;
	h.packed_len = (uint32_t)packed_len;
	raw_digest(h.digest, raw, raw_len);
	err = limits_check(&h, msg);
	if (!err) {
		size_t start = to->len;
		header_put(to, &h);
		uint8_t signature[crypto_sign_BYTES];
		crypto_sign_detached(
		    signature, NULL, to->data + start, SIGNED_LEN, secret_key);
		buf_bytes(to, signature, sizeof(signature));
		buf_bytes(to, packed, packed_len);
	}
	free(packed);
	return err;
}

int batch_header_read(struct batch_header *header, const void *bytes,
    size_t len, struct errmsg *msg)
{
	struct reader r = reader_init(bytes, len);
	uint8_t got[sizeof(magic)];
	struct batch_header h;
	reader_copy(&r, got, sizeof(got));
	uint8_t version = reader_u8(&r);
	uint8_t codec = reader_u8(&r);
	uint16_t flags = reader_be16(&r);
	reader_copy(&r, h.agent, sizeof(h.agent));
	h.epoch = reader_be64(&r);
	h.first_seq = reader_be64(&r);
	h.gap_from = reader_be64(&r);
	h.count = reader_be32(&r);
	h.raw_len = reader_be32(&r);
	h.packed_len = reader_be32(&r);
	reader_copy(&r, h.digest, sizeof(h.digest));
	reader_skip(&r, crypto_sign_BYTES);
	if (r.err != ERR_OK)
		return err_set(msg, r.err,
		    "batch: expected a header of %d bytes, got %zu", HEADER_LEN,
		    len);
	if (memcmp(got, magic, sizeof(magic)) != 0)
		return err_set(msg, ERR_MALFORMED, "batch: not a batch");
	if (version != VERSION || codec != CODEC_ZSTD || flags != 0)
		return err_set(msg, ERR_UNSUPPORTED,
		    "batch: version %u, "
		    "codec %u, flags %u, expected 1, 1, 0",
		    version, codec, flags);
	int err = limits_check(&h, msg);
	if (err)
		return err;
	if (reader_left(&r) != h.packed_len)
		return err_set(msg,
		    reader_left(&r) < h.packed_len ? ERR_TRUNCATED
						   : ERR_MALFORMED,
		    "batch: expected %u packed bytes, got %zu", h.packed_len,
		    reader_left(&r));
	*header = h;
	return 0;
}

/* raw has room for raw_len bytes; one frame of exactly that size. */
static int unpack(uint8_t *raw, const struct batch_header *h,
    const uint8_t *packed, struct errmsg *msg)
{
	unsigned long long declared =
	    ZSTD_getFrameContentSize(packed, h->packed_len);
	if (declared != ZSTD_CONTENTSIZE_ERROR &&
	    declared != ZSTD_CONTENTSIZE_UNKNOWN && declared > h->raw_len)
		return err_set(msg, ERR_LIMIT,
		    "batch: unpacks to %llu bytes, expected %u", declared,
		    h->raw_len);
	size_t n = ZSTD_decompress(raw, h->raw_len, packed, h->packed_len);
	if (ZSTD_isError(n) || n != h->raw_len)
		return err_set(msg, ERR_MALFORMED, "batch: does not unpack: %s",
		    ZSTD_isError(n) ? ZSTD_getErrorName(n) : "too short");
	return 0;
}

int batch_open(const struct batch_header *header, const void *bytes, size_t len,
    const uint8_t public_key[32], struct buf *raw, struct errmsg *msg)
{
	struct batch_header check = { 0 };
	const uint8_t *p = bytes;
	uint8_t digest[32];
	int err = sodium_ready(msg);
	if (err < 0)
		return err;
	err = batch_header_read(&check, bytes, len, msg);
	if (err < 0)
		return err;
	if (check.raw_len != header->raw_len ||
	    check.packed_len != header->packed_len ||
	    check.count != header->count)
		BUG("batch_open: the header of another batch");
	if (crypto_sign_verify_detached(
		p + SIGNED_LEN, p, SIGNED_LEN, public_key) != 0)
		return err_set(
		    msg, ERR_SIGNATURE, "batch: signature does not verify");
	size_t start = raw->len;
	uint8_t *to = buf_extend(raw, header->raw_len);
	err = unpack(to, header, p + HEADER_LEN, msg);
	if (err < 0)
		goto out;
	raw_digest(digest, to, header->raw_len);
	if (sodium_memcmp(digest, header->digest, 32) != 0) {
		err = err_set(msg, ERR_MALFORMED,
		    "batch: digest of the raw bytes is wrong");
		goto out;
	}
	err = frames_check(header->count, to, header->raw_len, msg);
out:
	if (err < 0)
		raw->len = start;
	return err;
}
