/* SPDX-License-Identifier: ISC */
/* What a worker is to hear, in order, bounded in replies and their octets. */
#include <string.h>

#include "probes/guardian/event-queue.h"

#define REPLY_OCTETS 1500

struct wire_event *event_add(struct event_queue *queue, const struct flight *f,
    enum wire_event_kind kind)
{
	struct wire_event *event =
	    (void *)buf_extend(&queue->events, sizeof(*event));
	memset(event, 0, sizeof(*event)); /* padding goes to the worker too */
	event->cookie = f->cookie;
	event->kind = kind;
	event->last =
	    kind == WIRE_DENIED || kind == WIRE_FAILED || kind == WIRE_EXPIRED;
	event->replies = f->replies;
	event->tx = f->tx;
	event->src = f->entry.sent.src;
	event->next_hop = f->route.next_hop;
	memcpy(event->device, f->route.device, sizeof(event->device));
	event->probe_checksum = f->entry.sent.checksum;
	event->probe_ip_id = f->entry.sent.ip_id;
	return event;
}

struct wire_event *event_add_reply(struct event_queue *queue,
    const struct flight *flight, const void *octets, size_t len)
{
	if (len > REPLY_OCTETS)
		len = REPLY_OCTETS;
	if (queue->replies >= SESSION_MAX_REPLIES ||
	    queue->octets.len - queue->octets_read + len > SESSION_MAX_OCTETS)
		return NULL;
	struct wire_event *event = event_add(queue, flight, WIRE_REPLY);
	queue->replies++;
	event->bytes_len = (uint32_t)len;
	buf_bytes(&queue->octets, octets, len);
	return event;
}

size_t event_take(struct event_queue *queue, uint8_t *to, size_t size,
    size_t *count, size_t *final)
{
	size_t octets = 0, len = 0;
	const struct wire_event *events =
	    (const void *)(queue->events.data + queue->events_read);
	size_t have =
	    (queue->events.len - queue->events_read) / sizeof(*events);
	*final = 0;
	for (*count = 0; *count < have && *count < WIRE_MAX_COUNT; ++*count) {
		const struct wire_event *event = &events[*count];
		if (len + sizeof(*event) + event->bytes_len > size)
			break;
		len += sizeof(*event) + event->bytes_len;
		octets += event->bytes_len;
		queue->replies -= event->kind == WIRE_REPLY;
		*final += event->last;
	}
	memcpy(to, events, len - octets);
	if (octets)
		memcpy(to + len - octets,
		    queue->octets.data + queue->octets_read, octets);
	buf_read(&queue->events, &queue->events_read, len - octets);
	buf_read(&queue->octets, &queue->octets_read, octets);
	return len;
}
