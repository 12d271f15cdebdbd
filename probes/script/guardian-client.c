/* SPDX-License-Identifier: ISC */
/*
 * The worker asks, the guardian answers: after WAIT or SOURCE exactly one
 * message comes back.  What comes is checked as if it were hostile, because a
 * worker that trusts lengths is a worker that crashes.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/base/xalloc.h"
#include "probes/script/guardian-client.h"

#define REPLY_MAX_BYTES 1500
/* Events ahead of the one that is taken. */
#define FETCH_FAR 8
#define FETCH_NEAR 4

static int lost(struct errmsg *msg, int err)
{
	return err_set(msg, err ? err : ERR_UNAVAILABLE,
	    "guardian: the connection ended%s%s", err ? ": " : "",
	    err ? strerror(-err) : "");
}

/* One datagram out, whatever signals come. */
static int message_send(struct guardian_client *c, const void *bytes,
    size_t len, struct errmsg *msg)
{
	for (;;) {
		ssize_t n = send(c->fd, bytes, len, MSG_NOSIGNAL);
		if (n == (ssize_t)len)
			return 0;
		struct pollfd p = { .fd = c->fd, .events = POLLOUT };
		if (n < 0 && errno == EAGAIN)
			poll(&p, 1, -1);
		else if (n >= 0 || errno != EINTR)
			return lost(msg, n < 0 ? -errno : -EMSGSIZE);
	}
}

/* One datagram in; returns its length.  A signal that stops the run gives
 * -EINTR. */
static int message_receive(
    struct guardian_client *c, const volatile int *stop, struct errmsg *msg)
{
	for (;;) {
		if (stop && *stop)
			return -EINTR;
		/* Between the look at *stop and recv a signal may come; the
		 * timeout bounds how long it goes unseen. */
		struct pollfd p[] = { { .fd = c->fd, .events = POLLIN },
			{ .fd = c->listener_fd } };
		int ready = poll(p, 2, 200);
		if (ready <= 0)
			continue;
		if (p[1].revents)
			return err_set(
			    msg, -EPIPE, "the reader of the records has gone");
		ssize_t n =
		    recv(c->fd, c->message, WIRE_MAX_BYTES, MSG_DONTWAIT);
		if (n >= (ssize_t)sizeof(struct wire_head)) {
			struct wire_head head;
			memcpy(&head, c->message, sizeof(head));
			c->heard = head.now;
			c->wall = head.wall;
			return (int)n;
		}
		if (n >= 0)
			return lost(msg, 0);
		if (errno != EINTR && errno != EAGAIN)
			return lost(msg, -errno);
	}
}

static int flush(struct guardian_client *c, struct errmsg *msg)
{
	if (c->count == 0)
		return 0;
	struct buf b = { 0 };
	struct wire_head head = { .type = WIRE_SEND, .count = c->count };
	buf_bytes(&b, &head, sizeof(head));
	buf_bytes(&b, c->entries, c->count * sizeof(*c->entries));
	buf_bytes(&b, c->octets.data, c->octets.len);
	int err = message_send(c, b.data, b.len, msg);
	buf_fini(&b);
	c->count = 0;
	buf_clear(&c->octets);
	return err;
}

struct monotime client_now(const struct guardian_client *c)
{
	return net_time_is_virtual(c->heard) ? c->heard : monotime_now();
}

bool client_has_room(const struct guardian_client *c, size_t payload_len)
{
	return c->outstanding < WIRE_MAX_OUTSTANDING &&
	    c->outstanding_bytes + payload_len <= WIRE_MAX_OUTSTANDING_BYTES;
}

int client_send(struct guardian_client *c, const struct wire_probe *head,
    const struct probe *probe, struct errmsg *msg)
{
	size_t len = sizeof(struct wire_head) +
	    (c->count + 1) * sizeof(*c->entries) + c->octets.len +
	    probe->payload_len;
	if (c->count == WIRE_MAX_COUNT || len > WIRE_MAX_BYTES) {
		int err = flush(c, msg);
		if (err)
			return err;
	}
	struct wire_probe *entry = &c->entries[c->count++];
	*entry = *head;
	entry->probe = *probe;
	entry->probe.payload = NULL;
	uint8_t *to = buf_extend(&c->octets, probe->payload_len);
	if (probe->payload)
		memcpy(to, probe->payload, probe->payload_len);
	else if (probe->payload_len)
		memset(to, 0, probe->payload_len);
	c->outstanding++;
	c->outstanding_bytes += probe->payload_len;
	return 0;
}

/* The cookie of an event of the message. */
static uint64_t cookie_of(const struct guardian_client *c, uint32_t number)
{
	uint64_t cookie;
	memcpy(&cookie,
	    c->message + sizeof(struct wire_head) +
		number * sizeof(struct wire_event) +
		offsetof(struct wire_event, cookie),
	    sizeof(cookie));
	return cookie;
}

/* What events are about was used when its probe was sent, thousands of probes
 * ago: it is on its way to the cache while those before it are taken. */
static void fetch_ahead(const struct guardian_client *c, uint32_t at,
    uint32_t count, const struct client_events *to)
{
	if (to->fetch && at + FETCH_FAR < count)
		to->fetch(to->arg, cookie_of(c, at + FETCH_FAR), false);
	if (to->fetch && at + FETCH_NEAR < count)
		to->fetch(to->arg, cookie_of(c, at + FETCH_NEAR), true);
}

static int events_give(struct guardian_client *c, size_t len,
    const struct client_events *to, struct errmsg *msg)
{
	struct wire_head head;
	memcpy(&head, c->message, sizeof(head));
	size_t at = sizeof(head);
	size_t octets = at + head.count * sizeof(struct wire_event);
	if (head.count > WIRE_MAX_EVENTS || octets > len)
		return err_set(msg, ERR_MALFORMED, "guardian: bad count");
	for (uint32_t i = 0; i < head.count; i++) {
		struct wire_event event;
		memcpy(&event, c->message + at, sizeof(event));
		at += sizeof(event);
		if (event.bytes_len > REPLY_MAX_BYTES ||
		    event.bytes_len > len - octets)
			return err_set(
			    msg, ERR_MALFORMED, "guardian: bad length");
		if (to) {
			fetch_ahead(c, i, head.count, to);
			to->take(to->arg, &event, c->message + octets);
		}
		octets += event.bytes_len;
	}
	return 0;
}

int client_wait(struct guardian_client *c, struct monotime until,
    const volatile int *stop, const struct client_events *to,
    struct errmsg *msg)
{
	int err = flush(c, msg);
	if (err)
		return err;
	if (!c->waiting) {
		struct {
			struct wire_head head;
			struct wire_wait wait;
		} ask = { { .type = WIRE_WAIT, .count = 1 }, { until } };
		err = message_send(c, &ask, sizeof(ask), msg);
		if (err)
			return err;
		c->waiting = true;
	}
	int len = message_receive(c, stop, msg);
	if (len < 0)
		return len;
	c->waiting = false;
	struct wire_head head;
	memcpy(&head, c->message, sizeof(head));
	if (head.type == WIRE_WOKEN)
		return 0;
	if (head.type != WIRE_EVENT)
		return err_set(msg, ERR_MALFORMED, "guardian: bad answer");
	return events_give(c, (size_t)len, to, msg);
}

int client_source(struct guardian_client *c, const struct addr *dst,
    struct addr *src, struct errmsg *msg)
{
	struct {
		struct wire_head head;
		struct addr addr;
	} ask = { { .type = WIRE_SOURCE, .count = 1 }, *dst };
	if (c->waiting)
		return err_set(msg, -EINTR, "the run is ending");
	int err =
	    message_send(c, &ask, sizeof(ask.head) + sizeof(ask.addr), msg);
	if (err)
		return err;
	int len = message_receive(c, NULL, msg);
	if (len < 0)
		return len;
	struct wire_head head;
	memcpy(&head, c->message, sizeof(head));
	if (head.type != WIRE_SOURCE_IS ||
	    (size_t)len < sizeof(head) + sizeof(*src))
		return err_set(msg, ERR_MALFORMED, "guardian: bad answer");
	memcpy(src, c->message + sizeof(head), sizeof(*src));
	return 0;
}

int client_init(
    struct guardian_client *c, int fd, int listener_fd, struct errmsg *msg)
{
	*c = (struct guardian_client){ .fd = fd,
		.listener_fd = listener_fd,
		.message = xmalloc(WIRE_MAX_BYTES) };
	return client_wait(c, (struct monotime){ 0 }, NULL, NULL, msg);
}

void client_fini(struct guardian_client *c)
{
	buf_fini(&c->octets);
	free(c->message);
	c->message = NULL;
}
