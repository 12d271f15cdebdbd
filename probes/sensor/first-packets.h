/* SPDX-License-Identifier: ISC */
/*
 * First packets of sources, kept until it is known what rule the source falls
 * under: bounded, so that of many sources at a time some have none, and have
 * theirs in a later interval.  Of each source and rule one is given.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/addr.h"
#include "lib/base/clock.h"
#include "probes/sensor/finding.h"

#define FIRST_PACKET_OCTETS 256
#define FIRST_PACKETS_KEPT 512 /* at a time */
/* Given in an interval; and of verdicts other than worm, flood and scan. */
#define FIRST_PACKETS_MOST 64
#define FIRST_PACKETS_OTHERS 16

struct first_packet {
	struct addr src;
	enum signature worm;
	struct walltime at;
	uint32_t wire_len;                   /* the IP packet's */
	uint16_t len;                        /* 0: none */
	uint8_t octets[FIRST_PACKET_OCTETS]; /* from the IP header on */
};

struct first_packets;
/* key: secret, so that no sender can prepare collisions. */
struct first_packets *first_packets_new(uint64_t key);
void first_packets_free(struct first_packets *packets);
/* Keeps it when it is the source's first (of this worm) and there is room. */
void first_packets_offer(struct first_packets *packets,
    const struct packet *packet, enum signature worm, struct walltime at);
/* The first packet of a finding's source, or NULL: none is kept, it was given
 * for this rule, or the interval has given enough.  Valid until the next
 * call. */
const struct first_packet *first_packets_take(
    struct first_packets *packets, const struct finding *finding);
/* Makes room for another interval's. */
void first_packets_clear(struct first_packets *packets);
