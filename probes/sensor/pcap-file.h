/* SPDX-License-Identifier: ISC */
/*
 * Frames of a classic pcap file, in large blocks.  libpcap asks stdio twice
 * for each frame, a sixth of all that a sensor does with a file; it still
 * opens the file, names its link type and compiles filters.
 */
#pragma once

#include <pcap/pcap.h>

#include "lib/base/err.h"

struct pcap_file;
/* From the first frame of an open regular file; its place is ours from then
 * on.  NULL, and the place as it was: it is not in this format. */
struct pcap_file *pcap_file_new(int fd);
void pcap_file_free(struct pcap_file *file);

/* The next frame, borrowed until the next call, time in nanoseconds: 1, or 0
 * at the end, or ERR_TRUNCATED or a system's error, with msg. */
int pcap_file_next(struct pcap_file *file, struct pcap_pkthdr *header,
    const uint8_t **bytes, struct errmsg *msg);
