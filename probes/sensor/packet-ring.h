/* SPDX-License-Identifier: ISC */
/*
 * Frames of one interface through memory shared with the kernel (packet(7),
 * TPACKET_V3).  The rings of an interface form a fanout group, so that one may
 * be added or taken away while frames come, and each frame is in one ring or
 * counted as dropped: the kernel fills the first, and the others while that
 * has no room.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/clock.h"
#include "lib/base/err.h"

/* Octets that may be written before each frame: a pseudo header and a tag. */
#define PACKET_RING_ROOM 32

struct packet_ring {
	int fd;
	int type;        /* SOCK_RAW or SOCK_DGRAM */
	uint8_t *memory; /* NULL: none */
	size_t bytes;    /* of it */
	uint32_t blocks;
	uint32_t block;    /* that is read next */
	uint32_t left;     /* frames of it that are not read yet, if any */
	uint32_t at;       /* of the next of them in it */
	bool reading;      /* the block is ours */
	bool shut;         /* takes no more frames */
	uint64_t captured; /* by the kernel, since it was opened */
	uint64_t dropped;  /* likewise */
	uint64_t taken;    /* frames that were given out */
	int group;         /* of the fanout */
};

struct packet_ring_config {
	uint32_t ifindex; /* 0: all */
	uint32_t snaplen;
	size_t bytes; /* of the ring, about */
	bool promiscuous;
	const struct packet_ring *beside; /* of the same interface, that is to
					     be helped; NULL: it is alone */
};

/* A frame as the kernel has it, borrowed until the next one is taken. */
struct packet_frame {
	uint8_t *bytes; /* PACKET_RING_ROOM octets before it are free */
	uint32_t caplen, wirelen;
	struct walltime at;
	uint32_t ifindex;
	uint16_t protocol;               /* ETH_P_* as the kernel has it */
	uint16_t hardware;               /* ARPHRD_* */
	uint8_t cast;                    /* PACKET_HOST ... PACKET_OUTGOING */
	uint8_t address[8], address_len; /* of the sender, of the link */
	bool has_tag; /* a VLAN tag that the kernel took out */
	uint16_t tag, tag_type;
};

/* Listens by a fresh socket of packet_feed_open, which it takes over, also when
 * it fails: a negative errno, -ENETDOWN while the interface is not up. */
int packet_ring_open(struct packet_ring *ring, int fd, int type,
    const struct packet_ring_config *config);
void packet_ring_close(struct packet_ring *ring);

/* The next frame; false: there is none now. */
bool packet_ring_next(struct packet_ring *ring, struct packet_frame *frame);
/* The last frame is done with: a block that was read to its end goes back. */
void packet_ring_release(struct packet_ring *ring);
/* When the kernel got what comes next; INT64_MAX: nothing is there. */
int64_t packet_ring_next_ns(const struct packet_ring *ring);
/* Is so much waiting that the kernel may soon have no room? */
bool packet_ring_is_pressed(const struct packet_ring *ring);
/* Takes no more frames from now on, if it is beside another; what is on its
 * way comes within two of PACKET_RING_TIMEOUT_MS. */
void packet_ring_shut(struct packet_ring *ring);
/* No frame is taken from now on. */
void packet_ring_stop(struct packet_ring *ring);
/* Has everything been read that the kernel ever put in? */
bool packet_ring_is_empty(const struct packet_ring *ring);
/* Brings captured and dropped up to date. */
void packet_ring_count(struct packet_ring *ring);
/* Takes note of an error of the interface, so that poll stops reporting it. */
void packet_ring_clear_error(const struct packet_ring *ring);

/* After which the kernel hands over a block that is not full. */
#define PACKET_RING_TIMEOUT_MS 100
