/* SPDX-License-Identifier: ISC */
/*
 * Frames of any device in one form, Linux cooked version 2 (DLT_LINUX_SLL2):
 * it keeps what the kernel knows of a frame and an Ethernet header does not,
 * whether this host sent it and whether it was for all.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "probes/sensor/link-filter.h"
#include "probes/sensor/packet-ring.h"

/* How frames of such a device are captured: SOCK_RAW with an Ethernet header,
 * SOCK_DGRAM without what is in front of the network's. */
int live_frame_socket(uint16_t hardware);

/* Compiles the filter for such a device, while names can still be looked up:
 * ERR_USAGE when it has no meaning there. */
int live_frame_check_filter(
    struct link_filter *filter, uint16_t hardware, struct errmsg *msg);

struct live_frame {
	const uint8_t *bytes; /* DLT_LINUX_SLL2, in the frame's own memory */
	size_t caplen, wirelen;
};
/* False: not one that the filter wants (NULL: any), which is asked about the
 * frame as its device has it; or the second copy of one that this host sent to
 * itself. */
bool live_frame_read(struct live_frame *to, struct packet_frame *from,
    int socket_type, struct link_filter *filter);
