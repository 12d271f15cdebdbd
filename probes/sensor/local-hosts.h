/* SPDX-License-Identifier: ISC */
/*
 * The watched hosts.  What they send is not held against them, and what
 * others send in answer to it is no backscatter: a bounded memory of outgoing
 * flows distinguishes an answer from a probe.  A home host that a worm has
 * taken is for other sensors to see; here its packets are only counted.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/addr.h"
#include "lib/base/clock.h"
#include "lib/packet/packet.h"

#define HOME_FLOWS 8192
#define HOME_FLOW_NS (600 * NS_PER_S)

struct home;
/* prefixes are copied; count may be 0. */
struct home *home_new(
    const struct prefix *prefixes, size_t count, uint64_t key);
void home_free(struct home *home);
bool home_has(const struct home *home, const struct addr *a);

/* A packet from home: remembers its flow.  Refusals (RST, ICMP errors) make
 * no flow. */
void home_sent(
    struct home *home, const struct packet *packet, struct walltime at);
/* Is this packet to home part of a flow that home took part in, or an ICMP
 * error about one? */
bool home_expects(
    const struct home *home, const struct packet *packet, struct walltime at);
