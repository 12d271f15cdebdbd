/* SPDX-License-Identifier: ISC */
/*
 * The octets of a capture file, in order, as they were before they were
 * packed: plain, gzip (RFC 1952, by zlib) or zstd (RFC 8878, by libzstd).
 * Which, its first octets say.  Memory is bounded whatever they unpack to: a
 * block, a piece of packed octets, and the unpacker's window.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

#define INPUT_BLOCK_LEN                                       \
	((size_t)272 << 10) /* the most that can be asked for \
			     */

enum input_packing {
	INPUT_UNDECIDED, /* its first octets are not there yet */
	INPUT_PLAIN,
	INPUT_GZIP,
	INPUT_ZSTD
};

struct capture_input {
	uint8_t *block;
	size_t at, end;  /* of what is there in the block */
	uint64_t before; /* octets before the block, for messages */
	uint64_t skip;   /* still to be left out */
	int fd;
	bool waits;    /* a read may wait: only one for each input_turn */
	bool may_read; /* in this turn */
	bool grows;    /* the end of the file is not the end of the input */
	bool ended;
	enum input_packing packing;
	bool within; /* a packed stream that has not ended */
	uint8_t *piece;
	size_t piece_at, piece_end;
	void *unpacker;
	int broken; /* what the next octets would give, and why */
	struct errmsg why;
};

/* The descriptor stays the caller's. */
void input_init(struct capture_input *input, int fd, bool waits, bool grows);
void input_fini(struct capture_input *input);
/* poll has said that a read will not wait. */
void input_turn(struct capture_input *input);

int input_read_more(
    struct capture_input *input, size_t want, struct errmsg *msg);
/* Makes `want` octets lie at input->block + input->at: 1.  0: they are not
 * there; input->ended says whether they may still come.  ERR_MALFORMED or
 * ERR_TRUNCATED: the packing is broken; or a system's error. */
static inline int input_fill(
    struct capture_input *input, size_t want, struct errmsg *msg)
{
	if (input->end - input->at >= want && input->skip == 0)
		return 1;
	return input_read_more(input, want, msg);
}

static inline const uint8_t *input_octets(const struct capture_input *input)
{
	return input->block + input->at;
}

static inline size_t input_left(const struct capture_input *input)
{
	return input->end - input->at;
}

/* Of what lies at input->at, in the unpacked octets. */
static inline uint64_t input_offset(const struct capture_input *input)
{
	return input->before + input->at;
}
