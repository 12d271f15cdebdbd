/* SPDX-License-Identifier: ISC */
/* UDP, by the protocols that it carries: for message.c. */
#pragma once

#include "probes/sensor/message/message.h"

/* Fills all of a UDP packet but the scope of its source. */
void message_read_udp(const struct packet *packet, struct message *message);
