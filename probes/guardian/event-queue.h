/* SPDX-License-Identifier: ISC */
/* Events of flights, until their worker takes them. */
#pragma once

#include "probes/guardian/guardian-private.h"

/* One more event about a flight; borrowed until the next. */
struct wire_event *event_add(struct event_queue *queue,
    const struct flight *flight, enum wire_event_kind kind);
/* A reply with its octets; NULL when the worker does not keep up. */
struct wire_event *event_add_reply(struct event_queue *queue,
    const struct flight *flight, const void *octets, size_t len);
/* As many events as fit into `size` octets, then their octets; *count of
 * them, *final of which end their flight.  Returns the length. */
size_t event_take(struct event_queue *queue, uint8_t *to, size_t size,
    size_t *count, size_t *final);
static inline bool event_waits(const struct event_queue *queue)
{
	return queue->events_read < queue->events.len;
}
