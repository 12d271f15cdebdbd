/* SPDX-License-Identifier: ISC */
/*
 * Probes between WIRE_SEND and their last event.  One probe's life: planned,
 * judged when its time comes, perhaps deferred and judged again, built, sent in
 * a batch, matched to its replies, and at the end exactly one of DENIED, FAILED
 * and EXPIRED.
 */
#pragma once

#include "probes/guardian/guardian-private.h"

/* Takes over payload (of entry->probe.payload_len octets, may be NULL). */
void flight_new(struct guardian *g, struct session *session,
    const struct wire_probe *entry, uint8_t *payload);
void flight_free(struct guardian *g, struct flight *flight);
/* Its timer went off. */
void flight_due(struct guardian *g, struct flight *flight, struct monotime now);
/* Nanoseconds until the next departure. */
int64_t flight_departs_ns(struct guardian *g);
/* Sends what departs within lead_ns, having waited for its time: called between
 * any two pieces of work. */
void flight_depart(struct guardian *g, int64_t lead_ns);
void flight_send_batch(struct guardian *g);
void flight_on_event(void *guardian, const struct net_event *event);
