/* SPDX-License-Identifier: ISC */
/* UDP, by the protocols that it carries: for message.c. */
#pragma once

#include "probes/sensor/message/message.h"

/* Fills all of a UDP packet but the scope of its source. */
void message_read_udp(const struct packet *packet, struct message *message);

/* For tests: row i of the table, with its port, 0: content alone is believed;
 * NULL behind the last. */
struct udp_protocol;
const struct udp_protocol *message_udp_protocol(size_t i, uint16_t *port);
