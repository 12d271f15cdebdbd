/* SPDX-License-Identifier: ISC */
/*
 * The frames of a capture file: pcap with times in micro- or nanoseconds, of
 * either byte order, with the longer frame headers of Alexey Kuznetzov's
 * patches as well; or pcapng, of any number of sections and interfaces.
 * Packed files are unpacked on the way (capture-input.h).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/clock.h"
#include "lib/base/err.h"

#define PCAP_FRAME_MOST (256u << 10) /* octets, as libpcap has it */

struct pcap_frame {
	const uint8_t *bytes; /* borrowed until the next call */
	uint32_t caplen, wirelen;
	int dlt; /* libpcap's DLT_*, or the file's number when it has none */
	struct walltime at;
};

struct pcap_file;
/* waits: a read may wait, so there is one for each pcap_file_turn.  grows: the
 * end of the file is not the end of the capture.  The descriptor stays the
 * caller's; its place is ours. */
struct pcap_file *pcap_file_new(int fd, bool waits, bool grows);
void pcap_file_free(struct pcap_file *file);
/* poll has said that a read will not wait. */
void pcap_file_turn(struct pcap_file *file);

/* The next frame: 1, or 0 when there is none yet, ERR_EOF at the end, or
 * ERR_MALFORMED, ERR_TRUNCATED or a system's error with a message that says
 * where. */
int pcap_file_next(
    struct pcap_file *file, struct pcap_frame *frame, struct errmsg *msg);
/* Is there a part of a frame that has not come yet? */
bool pcap_file_is_within(const struct pcap_file *file);
/* Frames that the file itself says were lost before they were written. */
uint64_t pcap_file_dropped(const struct pcap_file *file);
