/* SPDX-License-Identifier: ISC */
/*
 * The pcapng format (draft-ietf-opsawg-pcapng): blocks of type, length,
 * contents, length again, padded to 32 bits.  A section header begins each
 * section, says its byte order and forgets the interfaces of the one before.
 * An interface block has the link type and the resolution of its times; frames
 * are in enhanced, simple and obsolete packet blocks; statistics say what was
 * lost; all other blocks are left out, whatever their length.
 */
#include <stdlib.h>

#include "lib/base/xalloc.h"
#include "probes/sensor/file/pcap-file-private.h"

#define INTERFACES_MOST (1u << 16) /* of a section */
#define ORDER_MAGIC UINT32_C(0x1a2b3c4d)
#define BLOCK_HEAD 8 /* type and length */
#define BLOCK_LEAST 12
#define DECIMAL_MOST 19 /* 10^19 is the greatest in 64 bits */
#define BINARY_MOST 63

enum block_type {
	BLOCK_INTERFACE = 1,
	BLOCK_PACKET = 2, /* obsolete */
	BLOCK_SIMPLE = 3,
	BLOCK_STATISTICS = 5,
	BLOCK_ENHANCED = 6,
	BLOCK_SECTION = 0x0a0d0d0a
};

enum pcapng_option {
	NG_OPTION_END = 0,
	NG_OPTION_DROPPED_IF = 5, /* of statistics */
	NG_OPTION_DROPPED_OS = 7,
	NG_OPTION_RESOLUTION = 9, /* of an interface */
	NG_OPTION_OFFSET = 14
};

/* A time is ticks * multiply / divide >> shift nanoseconds, and seconds. */
struct pcapng_interface {
	int dlt;
	uint32_t snaplen;
	uint64_t multiply, divide;
	unsigned shift;
	int64_t seconds;
	uint64_t dropped;
};

/* One block, whole, in the input. */
struct pcapng_block {
	uint32_t type, len;
	const uint8_t *body; /* behind the length */
	size_t body_len;     /* without the second length */
};

void pcapng_fini(struct pcap_file *f)
{
	free(f->interfaces);
}

uint64_t pcapng_dropped(const struct pcap_file *f)
{
	uint64_t sum = f->dropped;
	for (uint32_t i = 0; i < f->interface_count; i++)
		sum += f->interfaces[i].dropped;
	return sum;
}

static uint64_t double_word(const struct pcap_file *f, const uint8_t *p)
{
	uint64_t first = pcap_word(f, p), second = pcap_word(f, p + 4);
	/* In file order: the lower half is first where octets are. */
	uint16_t one = 1;
	bool little = (*(uint8_t *)&one == 1) != f->swapped;
	return little ? second << 32 | first : first << 32 | second;
}

static int bad_block(const struct pcap_file *f, const struct pcapng_block *b,
    const char *what, struct errmsg *msg)
{
	return pcap_file_failure(f, ERR_MALFORMED, msg,
	    "a block of type %u and %u octets: %s", b->type, b->len, what);
}

/* The next option at *at: 1, 0 at the end; a length that goes beyond the block
 * is an error. */
static int next_option(const struct pcap_file *f, const struct pcapng_block *b,
    size_t *at, unsigned *code, size_t *len)
{
	if (*at + 4 > b->body_len)
		return 0;
	*code = pcap_half(f, b->body + *at);
	*len = pcap_half(f, b->body + *at + 2);
	*at += 4;
	if (*code == NG_OPTION_END)
		return 0;
	return *len > b->body_len - *at ? ERR_MALFORMED : 1;
}

static uint64_t ten_to_the(unsigned power)
{
	uint64_t n = 1;
	while (power-- > 0)
		n *= 10;
	return n;
}

static bool set_resolution(struct pcapng_interface *i, uint8_t octet)
{
	unsigned power = octet & 0x7f;
	i->multiply = i->divide = 1;
	i->shift = 0;
	if (octet & 0x80) {
		i->multiply = NS_PER_S;
		i->shift = power;
		return power <= BINARY_MOST;
	}
	if (power > DECIMAL_MOST)
		return false;
	if (power <= 9)
		i->multiply = ten_to_the(9 - power);
	else
		i->divide = ten_to_the(power - 9);
	return true;
}

static struct walltime convert_ticks(
    const struct pcapng_interface *i, uint64_t ticks)
{
	unsigned __int128 ns = (unsigned __int128)ticks * i->multiply;
	if (i->divide != 1)
		ns /= i->divide;
	__int128 t =
	    (__int128)(ns >> i->shift) + (__int128)i->seconds * NS_PER_S;
	__int128 most = (__int128)PCAP_SECONDS_MAX * NS_PER_S;
	return (struct walltime){ (int64_t)(t < 0 ? 0 : t > most ? most : t) };
}

static int read_interface_options(struct pcap_file *f,
    const struct pcapng_block *b, struct pcapng_interface *i,
    struct errmsg *msg)
{
	size_t at = 8, len;
	unsigned code;
	int n;
	while ((n = next_option(f, b, &at, &code, &len)) > 0) {
		if (code == NG_OPTION_RESOLUTION && len >= 1 &&
		    !set_resolution(i, b->body[at]))
			return bad_block(f, b,
			    "a resolution of time finer than 10^-19 or 2^-63 "
			    "s",
			    msg);
		if (code == NG_OPTION_OFFSET && len >= 8)
			i->seconds = (int64_t)double_word(f, b->body + at);
		at += (len + 3) & ~(size_t)3;
	}
	return n < 0 ? bad_block(f, b, "an option goes beyond it", msg) : 0;
}

static int read_interface(
    struct pcap_file *f, const struct pcapng_block *b, struct errmsg *msg)
{
	if (b->body_len < 8)
		return bad_block(f, b, "too short for an interface", msg);
	if (f->interface_count == INTERFACES_MOST)
		return bad_block(f, b, "more than 65536 interfaces", msg);
	struct pcapng_interface i = {
		.dlt = pcap_link_type(pcap_half(f, b->body)),
		.snaplen = pcap_word(f, b->body + 4),
		.multiply = 1000,
		.divide = 1,
	};
	int err = read_interface_options(f, b, &i, msg);
	if (err < 0)
		return err;
	if (f->interface_count == f->interface_room) {
		f->interface_room =
		    f->interface_room ? f->interface_room * 2 : 4;
		f->interfaces = xreallocarray(
		    f->interfaces, f->interface_room, sizeof(*f->interfaces));
	}
	f->interfaces[f->interface_count++] = i;
	return 0;
}

/* Counters run on from the beginning: the last block has them all. */
static int read_statistics(
    struct pcap_file *f, const struct pcapng_block *b, struct errmsg *msg)
{
	size_t at = 12, len;
	unsigned code;
	uint64_t dropped = 0;
	int n;
	if (b->body_len < 12)
		return bad_block(f, b, "too short for statistics", msg);
	uint32_t index = pcap_word(f, b->body);
	if (index >= f->interface_count)
		return bad_block(f, b, "its interface is not there", msg);
	while ((n = next_option(f, b, &at, &code, &len)) > 0) {
		if ((code == NG_OPTION_DROPPED_IF ||
			code == NG_OPTION_DROPPED_OS) &&
		    len >= 8)
			dropped += double_word(f, b->body + at);
		at += (len + 3) & ~(size_t)3;
	}
	f->interfaces[index].dropped = dropped;
	return n < 0 ? bad_block(f, b, "an option goes beyond it", msg) : 0;
}

/* head octets of the block are in front of the frame, the last eight of them
 * its two lengths. */
static int read_packet(struct pcap_file *f, const struct pcapng_block *b,
    struct pcap_frame *frame, struct errmsg *msg)
{
	enum { HEAD = 20 };
	if (b->body_len < HEAD)
		return bad_block(f, b, "too short for a packet", msg);
	uint32_t index = b->type == BLOCK_PACKET ? pcap_half(f, b->body)
						 : pcap_word(f, b->body);
	if (index >= f->interface_count)
		return bad_block(f, b, "its interface is not there", msg);
	const struct pcapng_interface *i = &f->interfaces[index];
	frame->caplen = pcap_word(f, b->body + 12);
	frame->wirelen = pcap_word(f, b->body + 16);
	frame->bytes = b->body + HEAD;
	frame->dlt = i->dlt;
	if (frame->caplen > b->body_len - HEAD ||
	    frame->caplen > PCAP_FRAME_MOST)
		return bad_block(f, b, "a frame that goes beyond it", msg);
	frame->at = f->last = convert_ticks(i,
	    (uint64_t)pcap_word(f, b->body + 4) << 32 |
		pcap_word(f, b->body + 8));
	return 1;
}

/* It has no time: that of the frame before. */
static int read_simple(struct pcap_file *f, const struct pcapng_block *b,
    struct pcap_frame *frame, struct errmsg *msg)
{
	if (b->body_len < 4)
		return bad_block(f, b, "too short for a packet", msg);
	if (f->interface_count == 0)
		return bad_block(f, b, "its interface is not there", msg);
	const struct pcapng_interface *i = &f->interfaces[0];
	uint32_t len = frame->wirelen = pcap_word(f, b->body);
	if (i->snaplen != 0 && len > i->snaplen)
		len = i->snaplen;
	if (len > b->body_len - 4)
		len = (uint32_t)(b->body_len - 4);
	frame->caplen = len < PCAP_FRAME_MOST ? len : PCAP_FRAME_MOST;
	frame->bytes = b->body + 4;
	frame->dlt = i->dlt;
	frame->at = f->last;
	return 1;
}

/* The byte order comes before the length can be read. */
static int read_section(
    struct pcap_file *f, struct pcapng_block *b, struct errmsg *msg)
{
	int n = pcap_file_need(f, 28, "a section's header", msg);
	if (n <= 0)
		return n;
	const uint8_t *p = input_octets(&f->input);
	uint32_t order;
	memcpy(&order, p + 8, sizeof(order));
	f->swapped = order == __builtin_bswap32(ORDER_MAGIC);
	b->len = pcap_word(f, p + 4);
	if (!f->swapped && order != ORDER_MAGIC)
		return bad_block(f, b, "a section without a byte order", msg);
	if (pcap_half(f, p + 12) != 1)
		return pcap_file_failure(f, ERR_MALFORMED, msg,
		    "pcapng of version %u.%u, expected 1.0",
		    pcap_half(f, p + 12), pcap_half(f, p + 14));
	f->dropped = pcapng_dropped(f);
	f->interface_count = 0;
	f->in_section = true;
	return 1;
}

static bool is_read(uint32_t type)
{
	switch (type) {
	case BLOCK_INTERFACE:
	case BLOCK_PACKET:
	case BLOCK_SIMPLE:
	case BLOCK_STATISTICS:
	case BLOCK_ENHANCED: return true;
	default: return false;
	}
}

/* 1 when b is a block whose contents count, 2 when it was left out, 0 when it
 * is not there yet. */
static int next_block(
    struct pcap_file *f, struct pcapng_block *b, struct errmsg *msg)
{
	int n = input_fill(&f->input, BLOCK_HEAD, msg);
	if (n == 0 && f->input.ended && f->input.skip > 0)
		return pcap_file_failure(f, ERR_TRUNCATED, msg,
		    "the file ends in the middle of a block: %llu octets are "
		    "missing",
		    (unsigned long long)f->input.skip);
	if (n == 0 && f->input.ended)
		return input_left(&f->input) == 0
		    ? ERR_EOF
		    : pcap_file_need(f, BLOCK_HEAD, "a block's header", msg);
	if (n <= 0)
		return n;
	b->type = pcap_word(f, input_octets(&f->input));
	b->len = pcap_word(f, input_octets(&f->input) + 4);
	if (b->type == BLOCK_SECTION) {
		n = read_section(f, b, msg);
		if (n <= 0)
			return n;
	}
	if (b->len < BLOCK_LEAST || b->len % 4 != 0)
		return bad_block(
		    f, b, "expected a multiple of 4, at least 12", msg);
	if (!is_read(b->type)) {
		f->input.skip = b->len;
		return 2;
	}
	if (b->len > INPUT_BLOCK_LEN)
		return bad_block(f, b, "longer than any frame", msg);
	n = pcap_file_need(f, b->len, "a block", msg);
	if (n <= 0)
		return n;
	const uint8_t *p = input_octets(&f->input);
	b->body = p + BLOCK_HEAD;
	b->body_len = b->len - BLOCK_LEAST;
	if (pcap_word(f, p + b->len - 4) != b->len)
		return bad_block(
		    f, b, "its length at its end is another one", msg);
	return 1;
}

int pcapng_next(
    struct pcap_file *f, struct pcap_frame *frame, struct errmsg *msg)
{
	struct pcapng_block b = { 0 };
	for (;;) {
		int n = next_block(f, &b, msg);
		if (n == 2)
			continue;
		if (n <= 0)
			return n;
		if (b.type == BLOCK_INTERFACE)
			n = read_interface(f, &b, msg);
		else if (b.type == BLOCK_STATISTICS)
			n = read_statistics(f, &b, msg);
		else if (b.type == BLOCK_SIMPLE)
			n = read_simple(f, &b, frame, msg);
		else
			n = read_packet(f, &b, frame, msg);
		if (n < 0)
			return n;
		f->input.at += b.len;
		f->frames += n > 0;
		if (n > 0)
			return 1;
	}
}
