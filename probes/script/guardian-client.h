/* SPDX-License-Identifier: ISC */
/*
 * The worker's end of probes/guardian/wire.h: probes are gathered into
 * messages, events are asked for one message at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/err.h"
#include "probes/guardian/wire.h"

struct guardian_client {
	int fd;                /* borrowed; SOCK_SEQPACKET */
	int listener_fd;       /* whom the records are for; when that end
				  is closed there is no point in going on;
				  -1: none */
	struct monotime heard; /* the guardian's clock when it last spoke */
	struct walltime wall;
	uint32_t outstanding; /* probes without their last event */
	size_t outstanding_bytes;
	bool waiting; /* a WAIT has not been answered yet */
	struct wire_probe entries[WIRE_MAX_COUNT]; /* the next SEND */
	uint32_t count;
	struct buf octets;
	uint8_t *message; /* WIRE_MAX_BYTES */
};

typedef void client_event_fn(
    void *arg, const struct wire_event *event, const uint8_t *bytes);
/* Of an event that will be given soon: near: before some others. */
typedef void client_fetch_fn(void *arg, uint64_t cookie, bool near);
struct client_events {
	client_event_fn *take;
	client_fetch_fn *fetch; /* NULL: of no use */
	void *arg;
};

/* Asks the guardian for the time, so that `heard` is right from the start. */
int client_init(struct guardian_client *client, int fd, int listener_fd,
    struct errmsg *msg);
void client_fini(struct guardian_client *client);

/* The guardian's clock: virtual in a simulated network. */
struct monotime client_now(const struct guardian_client *client);

/* Room for another probe with a payload of this size? */
bool client_has_room(const struct guardian_client *client, size_t payload_len);

/* Queues a probe; it leaves with the next wait, or when a message is full.
 * head says cookie, at and until. */
int client_send(struct guardian_client *client, const struct wire_probe *head,
    const struct probe *probe, struct errmsg *msg);

/* A probe's last event came. */
static inline void client_settled(
    struct guardian_client *client, size_t payload_len)
{
	if (client->outstanding > 0)
		client->outstanding--;
	client->outstanding_bytes -= payload_len < client->outstanding_bytes
	    ? payload_len
	    : client->outstanding_bytes;
}

/* Sends what is queued and waits until events come (each goes to `to`, which
 * may be NULL) or until `until`.  -EINTR: *stop became true first. */
int client_wait(struct guardian_client *client, struct monotime until,
    const volatile int *stop, const struct client_events *to,
    struct errmsg *msg);

/* The source for dst; family 0: no route. */
int client_source(struct guardian_client *client, const struct addr *dst,
    struct addr *src, struct errmsg *msg);
