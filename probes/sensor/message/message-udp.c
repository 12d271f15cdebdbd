/* SPDX-License-Identifier: ISC */
#include "lib/base/hash.h"
#include "probes/sensor/message/message-udp.h"

/* As much of a payload as tells two requests apart. */
#define ID_OCTETS 32

static uint32_t hash_payload(const struct packet *p)
{
	size_t len = p->payload_len < ID_OCTETS ? p->payload_len : ID_OCTETS;
	uint64_t h = hash_fnv(HASH_FNV_START, p->payload, len);
	return (uint32_t)hash_finish(h ^ p->payload_wire_len);
}

void message_read_udp(const struct packet *packet, struct message *message)
{
	message->role = MESSAGE_EITHER;
	message->kind = KIND_UDP;
	message->sport = packet->sport;
	message->dport = packet->dport;
	message->id = hash_payload(packet);
}
