/* SPDX-License-Identifier: ISC */
/* A simulated internet under test: text in, probes out, replies decoded. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "probes/net/net.h"
#include "lib/packet/packet.h"
#include "probes/packet/probe.h"

struct lab {
	void *net;
	struct probe_builder *builder;
	uint8_t bytes[1600];  /* the last packet received */
	struct packet packet; /* decoded */
	unsigned received, sent;
	int64_t at_ns, sent_ns;
};

static inline struct addr addr(const char *text)
{
	struct addr a;
	assert_int_equal(addr_parse(&a, text), 0);
	return a;
}

/* Loads a description from a file that is gone afterwards. */
static inline int lab_load(
    struct lab *lab, const char *text, const char *vantage, struct errmsg *msg)
{
	char path[64] = "/tmp/sonde-test-sim.XXXXXX", spec[128];
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	size_t len = strlen(text);
	assert_int_equal(write(fd, text, len), (ssize_t)len);
	close(fd);
	snprintf(spec, sizeof(spec), "%s%s%s", path, vantage ? "@" : "",
	    vantage ? vantage : "");
	memset(lab, 0, sizeof(*lab));
	int err = net_sim.open(&lab->net, spec, msg);
	unlink(path);
	return err;
}

static inline void lab_open(struct lab *lab, const char *text)
{
	struct errmsg msg = { "" };
	if (lab_load(lab, text, NULL, &msg) != 0)
		fail_msg("%s", msg.text);
	lab->builder = probe_builder_new(&msg);
	assert_non_null(lab->builder);
}

static inline void lab_close(struct lab *lab)
{
	probe_builder_free(lab->builder);
	net_sim.close(lab->net);
}

static inline void lab_event(void *arg, const struct net_event *event)
{
	struct lab *lab = arg;
	assert_int_equal(event->stamp.clock, NET_CLOCK_SIMULATED);
	if (event->kind == NET_SENT) {
		lab->sent++;
		lab->sent_ns = event->stamp.wall.ns;
		return;
	}
	assert_true(event->caplen <= sizeof(lab->bytes));
	memcpy(lab->bytes, event->bytes, event->caplen);
	assert_int_equal(packet_decode_ip(&lab->packet, lab->bytes,
			     event->caplen, event->wirelen),
	    0);
	lab->received++;
	lab->at_ns = event->stamp.wall.ns;
}

static inline void lab_run(struct lab *lab, int64_t for_ns)
{
	struct monotime until = monotime_add(net_sim.now(lab->net), for_ns);
	net_sim.poll(lab->net, lab_event, lab);
	while (monotime_before(net_sim.now(lab->net), until)) {
		net_sim.advance(lab->net, until);
		net_sim.poll(lab->net, lab_event, lab);
	}
}

static inline void lab_send(struct lab *lab, const struct probe *probe)
{
	uint8_t bytes[1600];
	const struct net_flow flow = { .dst = probe->dst };
	struct net_route route;
	assert_int_equal(net_sim.route(lab->net, &flow, &route), 0);
	int len = probe_build(
	    lab->builder, probe, &route.src, bytes, sizeof(bytes), NULL);
	assert_true(len > 0);
	struct net_send packet = { bytes, (size_t)len, 7, &route, false,
		false };
	assert_int_equal(net_sim.send(lab->net, &packet, 1), 1);
}

/* Sends one probe and waits two seconds: how many replies came. */
static inline unsigned lab_ask(struct lab *lab, const struct probe *probe)
{
	lab->received = 0;
	lab_send(lab, probe);
	lab_run(lab, 2 * NS_PER_S);
	return lab->received;
}

static inline struct probe lab_udp(const char *dst, uint8_t ttl)
{
	return (struct probe){
		.dst = addr(dst),
		.proto = PACKET_UDP,
		.ttl = ttl,
		.ip_id = 0x4242,
		.sport = 40000,
		.dport = 33434,
		.payload_len = 12,
	};
}

static inline struct probe lab_echo(const char *dst, uint8_t ttl)
{
	return (struct probe){
		.dst = addr(dst),
		.proto = PACKET_ICMP,
		.ttl = ttl,
		.icmp_id = 0x1111,
		.icmp_seq = 2,
		.payload_len = 8,
	};
}

/* Who answered the last probe. */
static inline void lab_from(const struct lab *lab, const char *text)
{
	char got[ADDR_TEXT_LEN];
	assert_string_equal(addr_text(&lab->packet.src, got), text);
}

/* Over header and data, a right checksum makes the sum come out even. */
static inline void lab_checksums(const struct lab *lab)
{
	const struct packet *p = &lab->packet;
	size_t upper = p->ip_header_len, len = p->ip_len - upper;
	uint32_t sum = 0;
	if (p->src.family == 4)
		assert_int_equal(
		    packet_fold(packet_sum(0, lab->bytes, upper)), 0);
	if (p->proto != PACKET_ICMP) {
		uint8_t rest[] = { (uint8_t)(len >> 8), (uint8_t)len, 0,
			p->proto };
		sum = packet_sum(sum, p->src.bytes, addr_len(&p->src));
		sum = packet_sum(sum, p->dst.bytes, addr_len(&p->dst));
		sum = packet_sum(sum, rest, sizeof(rest));
	}
	sum = packet_sum(sum, lab->bytes + upper, len);
	assert_int_equal(packet_fold(sum), 0);
}
