/* SPDX-License-Identifier: ISC */
/*
 * A probe as a script describes it: fields, never raw headers.  The guardian
 * fills the source address and the header checksums and builds the bytes
 * (probes/packet/build.c, libnet).  Everything that load balancers hash is
 * the script's to keep constant or to vary.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/addr.h"
#include "lib/base/clock.h"
#include "lib/base/err.h"

#define PROBE_PAYLOAD_MAX 1400
#define PROBE_ANSWER_MAX 16

struct probe {
	struct addr dst;
	char
	    zone[ADDR_ZONE_LEN]; /* of a link-local dst: its device; or empty */
	uint8_t proto; /* PACKET_ICMP (echo request, for both families),
			  PACKET_UDP or PACKET_TCP */
	uint8_t ttl;
	uint8_t tos;
	uint32_t flow_label;   /* IPv6, 20 bits */
	uint16_t ip_id;        /* IPv4; 0 lets the guardian choose */
	uint16_t sport, dport; /* UDP, TCP */
	uint16_t icmp_id, icmp_seq;
	uint16_t checksum; /* if fix_checksum: the upper checksum to show; the
			      first two payload octets are chosen so that
			      it is right (Paris traceroute).  Never 0 for
			      UDP nor 0xffff for ICMP: no sum gives them */
	bool fix_checksum; /* ICMP and UDP; needs two octets of payload */
	uint32_t tcp_seq, tcp_ack;
	uint16_t tcp_window;
	uint8_t tcp_flags;
	bool hold; /* TCP: this host does not reset what answers it */
	/* What the payload of a direct answer holds, if it answers this probe
	 * and not another of its flow: UDP services that copy a number back. */
	uint16_t answer_offset;
	uint8_t answer_len; /* 0: nothing that is known */
	uint8_t answer[PROBE_ANSWER_MAX];
	uint16_t payload_len;
	const uint8_t *payload; /* borrowed; NULL means zeros */
};

/* ERR_USAGE, with the reason, for a probe that cannot exist. */
int probe_check(const struct probe *probe, struct errmsg *msg);

/* A probe that came as bytes from another process becomes one that its type can
 * hold: behind an IPv4 address are no octets, a bool is one.  Without its
 * payload. */
void probe_clean(struct probe *probe);

/* Bytes of the IP packet that this probe becomes. */
size_t probe_size_bytes(const struct probe *probe);

/* Builds the IP packet into `to` (size at least probe_size_bytes); the length
 * is returned, or an error as probe_check's.  IPv4 packets carry DF: a probe is
 * never sent in fragments. */
struct probe_builder; /* holds one libnet template per family and protocol */
struct probe_builder *probe_builder_new(struct errmsg *msg);
void probe_builder_free(struct probe_builder *builder);
int probe_build(struct probe_builder *builder, const struct probe *probe,
    const struct addr *src, uint8_t *to, size_t size, struct errmsg *msg);
