/* SPDX-License-Identifier: ISC */
/*
 * The hosts of the monitored network.  What they send is not held against them,
 * and what others send in answer to it is no backscatter: a bounded memory of
 * outgoing flows distinguishes an answer from a probe.  A local host that a
 * worm has taken is for other sensors to see; here its packets are only
 * counted.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/addr.h"
#include "lib/base/clock.h"
#include "lib/packet/packet.h"

#define LOCAL_FLOWS 8192
#define LOCAL_FLOW_NS (600 * NS_PER_S)

struct local_hosts;
/* prefixes are copied; count may be 0. */
struct local_hosts *local_hosts_new(
    const struct prefix *prefixes, size_t count, uint64_t key);
void local_hosts_free(struct local_hosts *local);
bool local_hosts_has(const struct local_hosts *local, const struct addr *a);

/* A packet of a local host: remembers its flow.  Refusals (RST, ICMP errors)
 * make no flow. */
void local_hosts_sent(
    struct local_hosts *local, const struct packet *packet, struct walltime at);
/* Is this packet to a local host part of a flow that it took part in, or an
 * ICMP error about one? */
bool local_hosts_expects(const struct local_hosts *local,
    const struct packet *packet, struct walltime at);
