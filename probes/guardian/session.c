/* SPDX-License-Identifier: ISC */
/*
 * A worker and the guardian, over one socket.  What arrives is copied first
 * and hostile throughout; the first thing that a worker of ours would not say
 * ends its run.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/xalloc.h"
#include "probes/guardian/session.h"

#define MESSAGES_AT_ONCE 8
#define FARTHEST_NS (NS_PER_S * 3600 * 24) /* that anything is planned */
#define REPLY_OCTETS 1500

static bool is_terminal(uint32_t kind)
{
	return kind == WIRE_DENIED || kind == WIRE_FAILED ||
	    kind == WIRE_EXPIRED;
}

struct wire_event *run_event(
    struct run *run, const struct flight *f, enum wire_event_kind kind)
{
	struct wire_event *event =
	    (void *)buf_extend(&run->events, sizeof(*event));
	memset(event, 0, sizeof(*event)); /* padding goes to the worker too */
	event->cookie = f->cookie;
	event->kind = kind;
	event->replies = f->replies;
	event->tx = f->tx;
	event->src = f->sent.src;
	event->probe_checksum = f->sent.checksum;
	event->probe_ip_id = f->sent.ip_id;
	return event;
}

struct wire_event *run_reply(struct run *run, const struct flight *flight,
    const void *octets, size_t len)
{
	if (len > REPLY_OCTETS)
		len = REPLY_OCTETS;
	if (run->replies >= RUN_MAX_REPLIES ||
	    run->octets.len - run->octets_said + len > RUN_MAX_OCTETS)
		return NULL;
	struct wire_event *event = run_event(run, flight, WIRE_REPLY);
	run->replies++;
	event->bytes_len = (uint32_t)len;
	buf_bytes(&run->octets, octets, len);
	return event;
}

/* Begins a message; what follows the head goes where it says. */
static uint8_t *begin(struct guardian *g, enum wire_type type, size_t count)
{
	const struct wire_head head = { .type = type,
		.count = (uint32_t)count,
		.now = guardian_now(g),
		.wall = g->net->wall(g->net_ctx) };
	memcpy(g->message, &head, sizeof(head));
	return g->message + sizeof(head);
}

/* A worker that waits has room for the answer; one that has not, lied. */
static void say(struct guardian *g, struct run *run, const uint8_t *end)
{
	size_t len = (size_t)(end - g->message);
	if (send(run->fd, g->message, len, MSG_DONTWAIT | MSG_NOSIGNAL) !=
	    (ssize_t)len)
		run->broken = true;
}

/* Moves down what is left once it is the smaller half, so that each byte is
 * moved once at most. */
static void drop_said(struct buf *b, size_t *said)
{
	size_t left = b->len - *said;
	if (left > *said || b->len == 0)
		return;
	memmove(b->data, b->data + *said, left);
	b->len = left;
	*said = 0;
}

/* As many events as one datagram takes, then their octets. */
static void say_events(struct guardian *g, struct run *run)
{
	size_t count = 0, octets = 0, len = sizeof(struct wire_head);
	const struct wire_event *events =
	    (const void *)(run->events.data + run->events_said);
	size_t have = (run->events.len - run->events_said) / sizeof(*events);
	for (; count < have && count < WIRE_MAX_COUNT; count++) {
		size_t more = sizeof(*events) + events[count].bytes_len;
		if (len + more > WIRE_MAX_BYTES)
			break;
		len += more;
		octets += events[count].bytes_len;
		run->replies -= events[count].kind == WIRE_REPLY;
		run->outstanding -= is_terminal(events[count].kind);
	}
	uint8_t *to = begin(g, WIRE_EVENT, count);
	memcpy(to, events, count * sizeof(*events));
	to += count * sizeof(*events);
	if (octets)
		memcpy(to, run->octets.data + run->octets_said, octets);
	say(g, run, to + octets);
	run->events_said += count * sizeof(*events);
	run->octets_said += octets;
	drop_said(&run->events, &run->events_said);
	drop_said(&run->octets, &run->octets_said);
}

void run_answer(struct guardian *g, struct run *run)
{
	if (!run->waiting || run->broken)
		return;
	if (run->events_said < run->events.len)
		say_events(g, run);
	else if (run->wake.place == 0)
		say(g, run, begin(g, WIRE_WOKEN, 0));
	else
		return;
	run->waiting = false;
	timer_clear(&g->timers, &run->wake);
}

static bool take_wait(struct guardian *g, struct run *run, size_t len)
{
	struct wire_wait wait;
	if (len != sizeof(wait))
		return false;
	memcpy(&wait, g->message + sizeof(struct wire_head), sizeof(wait));
	run->waiting = true;
	struct monotime now = guardian_now(g);
	if (wait.until.ns > now.ns + FARTHEST_NS)
		wait.until.ns = now.ns + FARTHEST_NS;
	if (monotime_before(now, wait.until))
		timer_set(&g->timers, &run->wake, wait.until);
	return true;
}

/* Behind an IPv4 address there are twelve octets more, which would make it
 * another one to whoever compares. */
static struct addr clean(const struct addr *a)
{
	return addr_from_bytes(a->bytes, addr_len(a));
}

static bool take_source(struct guardian *g, struct run *run, size_t len)
{
	struct addr dst, src = { 0 };
	if (len != sizeof(dst))
		return false;
	memcpy(&dst, g->message + sizeof(struct wire_head), sizeof(dst));
	dst = clean(&dst);
	if (dst.family == 0 || g->net->source(g->net_ctx, &dst, &src) != 0)
		src = (struct addr){ 0 };
	uint8_t *to = begin(g, WIRE_SOURCE_IS, 1);
	memcpy(to, &src, sizeof(src));
	say(g, run, to + sizeof(src));
	return true;
}

/* A bool that holds another value than 0 or 1 is undefined behaviour, so it
 * is mended before anybody reads it. */
static void read_entry(struct wire_probe *entry, const uint8_t *bytes)
{
	memcpy(entry, bytes, sizeof(*entry));
	uint8_t *flag = (uint8_t *)&entry->probe.fix_checksum;
	*flag = *flag != 0;
	entry->probe.dst = clean(&entry->probe.dst);
	entry->probe.payload = NULL;
}

static bool is_entry_sane(
    const struct run *run, const struct wire_probe *entry, int64_t now)
{
	int64_t farthest = now + FARTHEST_NS;
	return entry->at.ns >= 0 && entry->at.ns <= farthest &&
	    entry->until.ns >= 0 && entry->until.ns <= farthest &&
	    run->outstanding < WIRE_MAX_OUTSTANDING &&
	    run->outstanding_bytes + entry->probe.payload_len <=
	    WIRE_MAX_OUTSTANDING_BYTES;
}

static bool take_probes(
    struct guardian *g, struct run *run, uint32_t count, size_t len)
{
	const uint8_t *bytes = g->message + sizeof(struct wire_head);
	size_t at = count * sizeof(struct wire_probe);
	int64_t now = guardian_now(g).ns;
	if (at > len)
		return false;
	for (uint32_t i = 0; i < count; i++) {
		struct wire_probe entry;
		read_entry(&entry, bytes + i * sizeof(entry));
		size_t payload_len = entry.probe.payload_len;
		if (payload_len > len - at || !is_entry_sane(run, &entry, now))
			return false;
		uint8_t *payload =
		    payload_len ? xmemdup(bytes + at, payload_len) : NULL;
		at += payload_len;
		flight_new(g, run, &entry, payload);
	}
	return at == len;
}

static bool take(struct guardian *g, struct run *run, size_t len)
{
	struct wire_head head;
	if (len < sizeof(head) || len > WIRE_MAX_BYTES || run->waiting)
		return false;
	memcpy(&head, g->message, sizeof(head));
	len -= sizeof(head);
	if (head.count == 0 || head.count > WIRE_MAX_COUNT)
		return false;
	switch (head.type) {
	case WIRE_SEND: return take_probes(g, run, head.count, len);
	case WIRE_WAIT: return head.count == 1 && take_wait(g, run, len);
	case WIRE_SOURCE: return head.count == 1 && take_source(g, run, len);
	default: return false;
	}
}

void run_read(struct guardian *g, struct run *run)
{
	for (int i = 0; i < MESSAGES_AT_ONCE && !run->broken; i++) {
		ssize_t n = recv(run->fd, g->message, sizeof(g->message),
		    MSG_DONTWAIT | MSG_TRUNC);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		run->broken = n <= 0; /* the end, which is no breach */
		if (n > 0 && !take(g, run, (size_t)n)) {
			run->broken = true;
			guardian_count(g, COUNT_BREACHES, 1);
		}
	}
}

void run_free(struct guardian *g, struct run *run)
{
	while (run->flights)
		flight_free(g, run->flights);
	timer_clear(&g->timers, &run->wake);
	policy_run_free(run->policy);
	buf_fini(&run->events);
	buf_fini(&run->octets);
	close(run->fd);
	free(run);
}
