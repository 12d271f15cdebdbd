/* SPDX-License-Identifier: ISC */
/*
 * A batch: a contiguous run of records, compressed, hashed and signed, as it
 * is posted to the collector.
 *
 *   magic "SNDB" 4 | version u8 =1 | codec u8 (1 zstd) | flags be16 =0 |
 *   agent 16 | epoch be64 | first_seq be64 | count be32 | raw_len be32 |
 *   packed_len be32 | BLAKE2b-256 of the raw bytes 32 |
 *   Ed25519 signature over all before it 64 | packed bytes
 *
 * Raw bytes: count times (be32 length, packed Record).  A range of sequence
 * numbers that was declared lost may lie between batches, never inside one:
 * `gap_from` (be64, after first_seq in the header) is the first number of the
 * lost range just before first_seq, or equals first_seq when there is none;
 * the collector lets a batch pass its watermark only when gap_from equals it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"

#define BATCH_MAX_PACKED (1u << 20)
#define BATCH_MAX_RAW (8u << 20)
#define BATCH_MAX_COUNT 65536u

struct batch_header {
	uint8_t agent[16];
	uint64_t epoch, gap_from, first_seq;
	uint32_t count, raw_len, packed_len;
	uint8_t digest[32];
};

/* raw: as spool_reader_next gives it.  secret_key: Ed25519, 64 bytes. */
int batch_seal(struct buf *to, const struct batch_header *header,
    const void *raw, size_t raw_len, const uint8_t secret_key[64],
    struct errmsg *msg);

/* Reads and checks the header's form and limits only; no key needed. */
int batch_header_read(struct batch_header *header, const void *bytes,
    size_t len, struct errmsg *msg);

/* Verifies the signature, unpacks within the limits (a bomb is ERR_LIMIT),
 * checks the digest and the framing.  raw gets count (be32 length, bytes)
 * frames. */
int batch_open(const struct batch_header *header, const void *bytes, size_t len,
    const uint8_t public_key[32], struct buf *raw, struct errmsg *msg);
