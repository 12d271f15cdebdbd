/* SPDX-License-Identifier: ISC */
/* What the two formats share. */
#pragma once

#include <string.h>

#include "probes/sensor/file/capture-input.h"
#include "probes/sensor/file/pcap-file.h"

#define PCAP_SECONDS_MAX INT64_C(9223372035) /* of nanoseconds in 64 bits */

struct pcapng_interface;

struct pcap_file {
	struct capture_input input;
	/* The next frame in this format; before the format is known, the
	 * function that reads the first header. */
	int (*next)(struct pcap_file *file, struct pcap_frame *frame,
	    struct errmsg *msg);
	bool swapped; /* the other byte order */
	uint64_t frames;
	/* pcap */
	bool nano, lengths_swapped, lengths_maybe_swapped;
	uint32_t frame_header_len;
	int dlt;
	/* pcapng */
	bool in_section;
	struct pcapng_interface *interfaces; /* of this section */
	uint32_t interface_count, interface_room;
	uint64_t dropped; /* by interfaces of earlier sections */
	struct walltime last;
};

static inline uint32_t pcap_word(const struct pcap_file *f, const uint8_t *p)
{
	uint32_t word;
	memcpy(&word, p, sizeof(word));
	return f->swapped ? __builtin_bswap32(word) : word;
}

static inline uint16_t pcap_half(const struct pcap_file *f, const uint8_t *p)
{
	uint16_t half;
	memcpy(&half, p, sizeof(half));
	return f->swapped ? __builtin_bswap16(half) : half;
}

/* The link types below 256 whose DLT_* differ between systems have numbers of
 * their own in files. */
int pcap_link_type(uint32_t in_file);
/* "at octet N: WHAT"; gives code back. */
int pcap_file_failure(const struct pcap_file *file, int code,
    struct errmsg *msg, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* `want` octets, in the middle of something: 1, 0 not yet, or an error when
 * the file ends before. */
int pcap_file_need(
    struct pcap_file *file, size_t want, const char *what, struct errmsg *msg);

/* Takes over behind the first four octets, which are a section's. */
int pcapng_next(
    struct pcap_file *file, struct pcap_frame *frame, struct errmsg *msg);
void pcapng_fini(struct pcap_file *file);
uint64_t pcapng_dropped(const struct pcap_file *file);
