/* SPDX-License-Identifier: ISC */
/* Probes between WIRE_SEND and their last event. */
#pragma once

#include "probes/guardian/guardian-private.h"

/* Takes over payload (of entry->probe.payload_len octets, may be NULL). */
void flight_new(struct guardian *g, struct session *session,
    const struct wire_probe *entry, uint8_t *payload);
void flight_free(struct guardian *g, struct flight *flight);
/* Its timer went off. */
void flight_due(struct guardian *g, struct flight *flight, struct monotime now);
void flight_send_batch(struct guardian *g);
void flight_on_event(void *guardian, const struct net_event *event);
