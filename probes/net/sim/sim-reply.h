/* SPDX-License-Identifier: ISC */
/* What nodes answer. */
#pragma once

#include "probes/net/sim/sim.h"

/* Writes the IP packet that answers `packet` (bytes as it
 * arrived at the node by edge) into `to`, and returns its length; 0: none. */
#define SIM_PACKET_MAX 1500
struct sim_arrival {
	struct sim_world *world;
	uint32_t node, edge; /* edge SIM_NONE: it started here */
	int64_t now_ns;
	uint64_t serial;
	const struct packet *packet;
	const uint8_t *bytes;
	size_t len;
	uint32_t owner; /* of the destination; SIM_NONE: nobody */
	bool answers;   /* it was sent in answer to another */
};
enum sim_error {
	SIM_TIME_EXCEEDED,
	SIM_NET_UNREACHABLE,
	SIM_HOST_UNREACHABLE,
	SIM_PORT_UNREACHABLE,
	SIM_PROHIBITED,
	SIM_TOO_BIG,
	SIM_REJECTED /* with the code that the node was given */
};
size_t sim_reply_error(const struct sim_arrival *arrival, enum sim_error error,
    uint32_t mtu_bytes, uint8_t to[SIM_PACKET_MAX]);
/* A redirect to a better next hop, or a source quench (IPv4 alone). */
size_t sim_reply_advice(
    const struct sim_arrival *arrival, bool quench, uint8_t to[SIM_PACKET_MAX]);
/* A reset as the packet's target would send it. */
size_t sim_reply_reset(
    const struct sim_arrival *arrival, uint8_t to[SIM_PACKET_MAX]);
/* What a stranger sends in place of this answer; 0: nothing. */
size_t sim_forge(const struct sim_behaviour *how, const uint8_t *answer,
    size_t len, uint8_t to[SIM_PACKET_MAX]);
/* Fills the header checksum of an IPv4 packet. */
void sim_ip_checksum(uint8_t *bytes);
/* Fills the checksums of a whole packet anew. */
void sim_checksum(uint8_t *bytes, size_t len);
/* The IP header of an answer of TCP or UDP and its ports; its length. */
size_t sim_answer_begin(const struct sim_arrival *arrival, uint8_t *to);
/* What a host answers to an echo request, or to a datagram for no service. */
size_t sim_reply_host(
    const struct sim_arrival *arrival, uint8_t to[SIM_PACKET_MAX]);
