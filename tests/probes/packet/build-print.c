/* SPDX-License-Identifier: ISC */
/*
 * Prints random probes, one line of JSON each: the fields as a script gives
 * them and the packet that probe_build made of them.  build.py lets others
 * judge.  usage: build-print COUNT SEED
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/packet/packet.h"
#include "probes/packet/probe.h"

static uint64_t state;

static uint32_t any(uint32_t below)
{
	state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (uint32_t)(state >> 33) % below;
}

static struct addr any_addr(int family)
{
	uint8_t bytes[16];
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)any(256);
	bytes[0] = family == 4 ? 11 : 0x20;
	return addr_from_bytes(bytes, family == 4 ? 4 : 16);
}

static struct probe any_probe(uint8_t *payload)
{
	static const uint8_t protos[] = { PACKET_ICMP, PACKET_UDP, PACKET_TCP };
	struct probe p = {
		.dst = any_addr(any(2) ? 4 : 6),
		.proto = protos[any(3)],
		.ttl = (uint8_t)(1 + any(255)),
		.tos = (uint8_t)any(256),
		.flow_label = any(1u << 20),
		.ip_id = (uint16_t)any(65536),
		.sport = (uint16_t)(1 + any(65535)),
		.dport = (uint16_t)(1 + any(65535)),
		.icmp_id = (uint16_t)any(65536),
		.icmp_seq = (uint16_t)any(65536),
		.checksum = (uint16_t)(1 + any(65534)),
		.tcp_seq = any(0x7fffffff) * 2,
		.tcp_ack = any(0x7fffffff) * 2 + 1,
		.tcp_window = (uint16_t)any(65536),
		.tcp_flags = any(2) ? PACKET_TCP_SYN : PACKET_TCP_ACK,
		.payload_len = (uint16_t)(any(8) ? any(70) : any(1401)),
		.payload = any(4) ? payload : NULL,
	};
	p.fix_checksum = p.proto != PACKET_TCP && p.payload_len >= 2 && any(2);
	for (size_t i = 0; i < p.payload_len; i++)
		payload[i] = (uint8_t)any(256);
	return p;
}

static void print_hex(const char *name, const uint8_t *bytes, size_t len)
{
	printf(", \"%s\": \"", name);
	for (size_t i = 0; i < len; i++)
		printf("%02x", bytes[i]);
	putchar('"');
}

static void print_probe(const struct probe *p, const struct addr *src)
{
	char a[ADDR_TEXT_LEN], b[ADDR_TEXT_LEN];
	printf("{\"src\": \"%s\", \"dst\": \"%s\", \"proto\": %u, \"ttl\": %u, "
	       "\"tos\": %u, \"flow_label\": %u, \"ip_id\": %u, ",
	    addr_text(src, a), addr_text(&p->dst, b), p->proto, p->ttl, p->tos,
	    p->flow_label, p->ip_id);
	printf("\"sport\": %u, \"dport\": %u, \"icmp_id\": %u, \"icmp_seq\": "
	       "%u, \"checksum\": %u, \"fix_checksum\": %s, \"tcp_seq\": %u, "
	       "\"tcp_ack\": %u, \"tcp_window\": %u, \"tcp_flags\": %u",
	    p->sport, p->dport, p->icmp_id, p->icmp_seq, p->checksum,
	    p->fix_checksum ? "true" : "false", p->tcp_seq, p->tcp_ack,
	    p->tcp_window, p->tcp_flags);
}

int main(int argc, char **argv)
{
	struct errmsg msg;
	struct probe_builder *builder = probe_builder_new(&msg);
	if (argc != 3 || !builder) {
		fprintf(stderr, "build-print: %s\n",
		    builder ? "usage: COUNT SEED" : msg.text);
		return 2;
	}
	state = strtoull(argv[2], NULL, 10);
	uint8_t payload[PROBE_PAYLOAD_MAX], packet[1500];
	for (int n = atoi(argv[1]); n > 0; n--) {
		struct probe p = any_probe(payload);
		struct addr src = any_addr(p.dst.family);
		int len = probe_build(
		    builder, &p, &src, packet, sizeof(packet), &msg);
		if (len < 0) {
			fprintf(stderr, "build-print: %s\n", msg.text);
			return 1;
		}
		print_probe(&p, &src);
		static const uint8_t zeros[PROBE_PAYLOAD_MAX];
		print_hex(
		    "payload", p.payload ? payload : zeros, p.payload_len);
		print_hex("packet", packet, (size_t)len);
		puts("}");
	}
	probe_builder_free(builder);
	return 0;
}
