/* SPDX-License-Identifier: ISC */
/*
 * One packet that passes several devices of this host (a bridge and its port,
 * a bond, a VLAN, macvlan and its parent) is captured on each, and is one
 * packet.  A copy is the same octets on another device; the same on one device
 * twice is a duplicate of the network, and shown.  Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LIVE_COPIES_SLOTS 1024
#define LIVE_COPIES_DEVICES 8

struct live_copies {
	uint64_t key; /* secret, or a stranger could choose what meets */
	struct live_copies_slot {
		uint64_t hash; /* of a packet; 0: none */
		int64_t ns;    /* when it was first captured */
		uint32_t shown;
		struct {
			uint32_t device, count;
		} on[LIVE_COPIES_DEVICES];
	} slots[LIVE_COPIES_SLOTS];
};

/* Is this packet, captured on a device at a time (ns since whenever), a copy
 * of one that was captured on another?  Packets beyond eight devices are. */
bool live_copies_is_copy(struct live_copies *copies, const uint8_t *bytes,
    size_t len, uint32_t device, int64_t ns);
