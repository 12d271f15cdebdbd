/* SPDX-License-Identifier: ISC */
/* A datagram's ports, how many octets the capture left out, and its payload;
 * with the port 0 to 0 the rest is an IP packet.  What is read has words, and
 * an empty datagram says nothing. */
#include "lib/base/err.h"
#include "lib/packet/octets.h"
#include "probes/sensor/message/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_packet(const struct packet *p)
{
	struct message m;
	message_read(p, &m);
	if (!message_role_name(m.role) || !message_kind_name(m.kind))
		BUG("role %d, kind %d", (int)m.role, (int)m.kind);
	if (m.kind == KIND_UDP && p->payload_len == 0 && m.protocol)
		BUG("%s in no octets", m.protocol);
	if (m.amplifies && m.role != MESSAGE_QUESTION &&
	    m.role != MESSAGE_LOCAL)
		BUG("%s amplifies", message_role_name(m.role));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 5)
		return 0;
	struct packet p = { .proto = PACKET_UDP,
		.src = { 4, { 203, 0, 113, 9 } },
		.dst = { 4, { 198, 51, 100, 7 } },
		.sport = load_be16(data),
		.dport = load_be16(data + 2),
		.payload = data + 5,
		.payload_len = size - 5,
		.payload_wire_len = size - 5 + data[4] };
	if (p.sport + p.dport > 0)
		read_packet(&p);
	else if (packet_decode_ip(&p, data + 5, size - 5, size - 5 + data[4]) ==
	    0)
		read_packet(&p);
	return 0;
}
