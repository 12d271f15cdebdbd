/* SPDX-License-Identifier: ISC */
/*
 * Conversations in miniature: five octets a packet say who sends to whom, what
 * (a question, its answer, a refusal, an error about it, data), on which port
 * and when.  The tables are as small as they get, so contacts and sources are
 * forgotten.  Each packet is in one finding, and nobody is accused who has not
 * begun as many contacts as the odds need.
 */
#include <pcap/dlt.h>
#include <stdio.h>

#include "lib/base/err.h"
#include "probes/sensor/sensor-engine.h"
#include "tests/lib/packet/frames.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HOSTS 8
#define CONTACTS_NEEDED 5 /* by odds of 1,000 */

/* What each source (of either family) may have begun: by whom (128), protocol
 * (4) and port (16). */
struct seen {
	uint64_t packets;
	uint64_t contacts[2 * HOSTS][128];
};

static void note_contact(struct seen *seen, bool v6, unsigned from, unsigned to,
    uint8_t proto, unsigned port)
{
	unsigned kind = proto == PACKET_TCP ? 0
	    : proto == PACKET_UDP           ? 1
	    : proto == PACKET_ICMP          ? 2
					    : 3;
	seen->contacts[v6 * HOSTS + from % HOSTS][to % 128] |= UINT64_C(1)
	    << (kind * 16 + port % 16);
}

static unsigned count_contacts(const struct seen *seen, unsigned source)
{
	unsigned count = 0;
	for (size_t i = 0; i < 128; i++)
		count +=
		    (unsigned)__builtin_popcountll(seen->contacts[source][i]);
	return count;
}

static void check_finding(void *arg, const struct finding *f)
{
	struct seen *seen = arg;
	seen->packets += f->packets;
	if (f->attempts < f->not_judged)
		BUG("more attempts are not judged than were made");
	if (f->verdict != VERDICT_SCAN || f->signature != SIGNATURE_NONE ||
	    f->src.family == 0)
		return;
	unsigned source = f->src.family == 4 ? f->src.bytes[3] % HOSTS
					     : HOSTS + f->src.bytes[7] % HOSTS;
	if (strcmp(f->rule, "failed-contacts") == 0 &&
	    count_contacts(seen, source) < CONTACTS_NEEDED)
		BUG("source %u is accused of %u contacts", source,
		    count_contacts(seen, source));
}

/* 8 addresses, or of 8 networks 16 each. */
static const char *name_host(bool v6, unsigned host, char to[static 64])
{
	if (v6)
		snprintf(
		    to, 64, "2001:db8:0:%x::%x", host % HOSTS, host % 128 / 8);
	else
		snprintf(to, 64, "192.0.2.%u", host % HOSTS);
	return to;
}

static const uint8_t kinds[][2] = {
	/* protocol, flags or type */
	{ PACKET_TCP, PACKET_TCP_SYN },
	{ PACKET_TCP, PACKET_TCP_SYN | PACKET_TCP_ACK },
	{ PACKET_TCP, PACKET_TCP_ACK },
	{ PACKET_TCP, PACKET_TCP_RST },
	{ PACKET_TCP, PACKET_TCP_FIN | PACKET_TCP_ACK },
	{ PACKET_UDP, 0 },
	{ PACKET_ICMP, 8 },
	{ PACKET_ICMP, 0 },
	{ PACKET_ICMP, 3 },
	{ PACKET_ICMP, 11 },
	{ 47, 0 },
};
#define KINDS (sizeof(kinds) / sizeof(*kinds))

/* hosts: source and destination, kind, ports, number and time. */
static void send(struct engine *e, const uint8_t op[static 5],
    struct buf *bytes, struct walltime *at, struct seen *seen)
{
	char src[64], dst[64];
	struct buf quote = { 0 };
	const uint8_t *kind = kinds[op[2] % KINDS];
	bool v6 = op[1] & 0x80 && kind[0] != PACKET_ICMP;
	struct frame f = {
		.src = name_host(v6, op[0], src),
		.dst = name_host(v6, op[1] & 0x7f, dst),
		.proto = kind[0],
		.sport = (uint16_t)(1 + (op[3] >> 4)),
		.dport = (uint16_t)(1 + (op[3] & 15)),
		.seq = op[4] & 15,
		.ack = op[4] & 16 ? (op[4] & 15) + 1u : 0,
		.payload = op[2] & 0x80 ? "data" : NULL,
		.payload_len = op[2] & 0x80 ? 4 : 0,
	};
	if (kind[0] == PACKET_TCP)
		f.flags = kind[1];
	else
		f.icmp_type = kind[1];
	if (kind[0] == PACKET_ICMP && (kind[1] == 3 || kind[1] == 11)) {
		struct frame inner = { .src = dst,
			.dst = src,
			.proto = op[4] & 1 ? PACKET_TCP : PACKET_UDP,
			.sport = f.dport,
			.dport = f.sport };
		frame_put(&quote, &inner);
		f.payload = quote.data;
		f.payload_len = quote.len;
		note_contact(seen, false, op[1] & 0x7f, op[0] % HOSTS,
		    inner.proto, f.sport);
	}
	at->ns += (op[4] >> 5) * NS_PER_S;
	buf_clear(bytes);
	frame_put(bytes, &f);
	note_contact(seen, v6, op[0], op[1] & 0x7f, f.proto, f.dport);
	engine_packet(e, DLT_RAW, bytes->data, bytes->len, bytes->len, *at);
	buf_fini(&quote);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct prefix home = { { 4, { 192, 0, 2, 7 } }, 32 };
	struct walltime at = { INT64_C(1700000000) * NS_PER_S };
	struct seen seen = { 0 };
	struct buf bytes = { 0 };
	bool monitored = size > 0 && data[0] & 1;
	uint32_t max_sources = size > 0 && data[0] & 2 ? 3 : 16;
	struct engine *e =
	    engine_new(&(struct engine_config){ .max_sources = max_sources,
		.memory = 1,
		.max_payloads = 4,
		.max_payload_bytes = 512,
		.homes = &home,
		.home_count = monitored,
		.per_port = size > 0 && data[0] & 4,
		.first_sights = 2,
		.finding = check_finding,
		.arg = &seen });
	for (size_t pos = 1; pos + 5 <= size; pos += 5) {
		send(e, data + pos, &bytes, &at, &seen);
		if (data[pos + 4] == 0xff)
			engine_flush(e);
	}
	engine_flush(e);
	const struct engine_counts *c = engine_counts(e);
	if (seen.packets != c->decoded - c->home - c->replies - c->damaged)
		BUG("%llu packets in findings",
		    (unsigned long long)seen.packets);
	engine_free(e);
	buf_fini(&bytes);
	return 0;
}
