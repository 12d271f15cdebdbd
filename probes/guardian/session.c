/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/xalloc.h"
#include "lib/packet/packet.h"
#include "probes/guardian/pending.h"
#include "probes/guardian/session.h"

#define MESSAGES_AT_ONCE 8
#define FARTHEST_NS (NS_PER_S * 3600 * 24) /* that anything is planned */

/* Begins a message; what follows the head goes where it points. */
static uint8_t *message_start(
    struct guardian *g, enum wire_type type, size_t count)
{
	const struct wire_head head = { .type = type,
		.count = (uint32_t)count,
		.now = guardian_now(g),
		.wall = g->net->wall(g->net_ctx) };
	memcpy(g->message, &head, sizeof(head));
	return g->message + sizeof(head);
}

/* A worker that waits has room for the answer; one that has not, lied. */
static void send_message(
    struct guardian *g, struct session *session, const uint8_t *end)
{
	size_t len = (size_t)(end - g->message);
	if (send(session->fd, g->message, len, MSG_DONTWAIT | MSG_NOSIGNAL) !=
	    (ssize_t)len)
		session->broken = true;
}

static void send_events(struct guardian *g, struct session *session)
{
	size_t count, head = sizeof(struct wire_head);
	const struct wire_event *events = (void *)(g->message + head);
	size_t len = entry_queue_take(&session->events, g->message + head,
	    WIRE_MAX_BYTES - head, WIRE_MAX_EVENTS, &count);
	for (size_t i = 0; i < count; i++) {
		session->replies -= events[i].kind == WIRE_REPLY;
		session->outstanding -= events[i].last;
	}
	send_message(g, session, message_start(g, WIRE_EVENT, count) + len);
}

void session_answer(struct guardian *g, struct session *session)
{
	if (!session->waiting || session->broken)
		return;
	size_t count = entry_queue_count(&session->events);
	struct monotime soon = monotime_add(guardian_now(g), GATHER_NS);
	bool gathers = count > 0 && count < WIRE_MAX_EVENTS &&
	    session->wake.place != 0 &&
	    (session->sweep || session->outstanding > GATHER_FROM);
	if (gathers && !session->gathers &&
	    monotime_before(soon, session->wake.at))
		timer_set(&g->timers, &session->wake, soon);
	session->gathers = gathers;
	if (count > 0 && !gathers)
		send_events(g, session);
	else if (session->wake.place == 0)
		send_message(g, session, message_start(g, WIRE_WOKEN, 0));
	else
		return;
	session->waiting = false;
	timer_clear(&g->timers, &session->wake);
}

static bool take_wait(struct guardian *g, struct session *session, size_t len)
{
	struct wire_wait wait;
	if (len != sizeof(wait))
		return false;
	memcpy(&wait, g->message + sizeof(struct wire_head), sizeof(wait));
	session->waiting = true;
	struct monotime now = guardian_now(g);
	if (wait.until.ns > now.ns + FARTHEST_NS)
		wait.until.ns = now.ns + FARTHEST_NS;
	if (monotime_before(now, wait.until))
		timer_set(&g->timers, &session->wake, wait.until);
	return true;
}

static bool take_source(struct guardian *g, struct session *session, size_t len)
{
	struct probe p = { .proto = PACKET_UDP };
	struct net_route route;
	if (len != sizeof(p.dst))
		return false;
	memcpy(&p.dst, g->message + sizeof(struct wire_head), sizeof(p.dst));
	p.dst = addr_from_bytes(p.dst.bytes, addr_len(&p.dst));
	const struct net_flow flow = net_flow_of(&p, &session->run.choice);
	if (flow.dst.family == 0 ||
	    g->net->route(g->net_ctx, &flow, &route) != 0)
		route.src = (struct addr){ 0 };
	uint8_t *to = message_start(g, WIRE_SOURCE_IS, 1);
	memcpy(to, &route.src, sizeof(route.src));
	send_message(g, session, to + sizeof(route.src));
	return true;
}

static bool is_entry_sane(
    const struct session *session, const struct wire_probe *entry, int64_t now)
{
	int64_t farthest = now + FARTHEST_NS;
	return entry->at.ns >= 0 && entry->at.ns <= farthest &&
	    entry->until.ns >= 0 && entry->until.ns <= farthest &&
	    entry->late_ns >= 0 && entry->late_ns <= FARTHEST_NS &&
	    entry->probe.answer_len <= PROBE_ANSWER_MAX &&
	    session->outstanding < WIRE_MAX_OUTSTANDING &&
	    session->outstanding_bytes + entry->probe.payload_len <=
	    WIRE_MAX_OUTSTANDING_BYTES;
}

static bool take_probes(
    struct guardian *g, struct session *session, uint32_t count, size_t len)
{
	const uint8_t *bytes = g->message + sizeof(struct wire_head);
	size_t at = count * sizeof(struct wire_probe);
	int64_t now = guardian_now(g).ns;
	if (at > len)
		return false;
	for (uint32_t i = 0; i < count; i++) {
		struct wire_probe entry;
		memcpy(&entry, bytes + i * sizeof(entry), sizeof(entry));
		probe_clean(&entry.probe);
		size_t payload_len = entry.probe.payload_len;
		if (payload_len > len - at ||
		    !is_entry_sane(session, &entry, now))
			return false;
		uint8_t *payload =
		    payload_len ? xmemdup(bytes + at, payload_len) : NULL;
		at += payload_len;
		flight_new(g, session, &entry, payload);
	}
	return at == len;
}

static bool take_message(
    struct guardian *g, struct session *session, size_t len)
{
	struct wire_head head;
	if (len < sizeof(head) || len > WIRE_MAX_BYTES || session->waiting)
		return false;
	memcpy(&head, g->message, sizeof(head));
	len -= sizeof(head);
	if (head.count == 0 || head.count > WIRE_MAX_COUNT)
		return false;
	switch (head.type) {
	case WIRE_SEND: return take_probes(g, session, head.count, len);
	case WIRE_WAIT: return head.count == 1 && take_wait(g, session, len);
	case WIRE_SOURCE:
		return head.count == 1 && take_source(g, session, len);
	default: return false;
	}
}

void session_read(struct guardian *g, struct session *session)
{
	for (int i = 0; i < MESSAGES_AT_ONCE && !session->broken; i++) {
		flight_depart(g, LOOK_NS);
		ssize_t n = recv(session->fd, g->message, sizeof(g->message),
		    MSG_DONTWAIT | MSG_TRUNC);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		session->broken = n <= 0; /* the end, which is no breach */
		if (n > 0 && !take_message(g, session, (size_t)n)) {
			session->broken = true;
			guardian_count(g, COUNT_BREACHES, 1);
		}
	}
}

void session_free(struct guardian *g, struct session *session)
{
	while (session->flights)
		flight_free(g, session->flights);
	timer_clear(&g->timers, &session->wake);
	policy_run_free(session->policy);
	entry_queue_fini(&session->events);
	close(session->fd);
	free(session);
}
