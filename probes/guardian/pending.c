/* SPDX-License-Identifier: ISC */
/*
 * One probe's life: planned, judged when its time comes, perhaps deferred and
 * judged again, built, sent in a batch, matched to its replies, and at the
 * end exactly one of DENIED, FAILED and EXPIRED.
 */
#include <errno.h>
#include <stdlib.h>

#include "lib/base/xalloc.h"
#include "probes/guardian/event-queue.h"
#include "probes/guardian/pending.h"

static struct flight **head_of(
    struct guardian *g, const struct match_flow *flow)
{
	return &g->heads[match_hash(flow, g->key) % FLIGHT_HEADS];
}

static void drop_payload(struct guardian *g, struct flight *f)
{
	if (!f->probe.payload)
		return;
	free((void *)f->probe.payload);
	f->probe.payload = NULL;
	f->session->outstanding_bytes -= f->probe.payload_len;
	g->payload_bytes -= f->probe.payload_len;
}

static void report_failed(struct guardian *g, struct session *session,
    const struct flight *f, int err)
{
	guardian_count(g, COUNT_FAILED, 1);
	event_add(&session->queue, f, WIRE_FAILED)->err = err;
}

void flight_new(struct guardian *g, struct session *session,
    const struct wire_probe *entry, uint8_t *payload)
{
	size_t payload_len = entry->probe.payload_len;
	session->outstanding++;
	if (handles_room(&g->handles) == 0 ||
	    g->payload_bytes + payload_len > GUARDIAN_MAX_PAYLOAD) {
		const struct flight none = { .cookie = entry->cookie };
		report_failed(g, session, &none, -ENOBUFS);
		free(payload);
		return;
	}
	struct flight *f = xcalloc(1, sizeof(*f));
	struct monotime now = guardian_now(g);
	f->session = session;
	f->cookie = entry->cookie;
	f->due = monotime_before(now, entry->at) ? entry->at : now;
	f->listen_ns = monotime_diff(entry->until, f->due);
	f->probe = entry->probe;
	f->probe.payload = payload;
	session->outstanding_bytes += payload ? payload_len : 0;
	g->payload_bytes += payload ? payload_len : 0;
	f->older = session->flights;
	if (f->older)
		f->older->newer = f;
	session->flights = f;
	f->handle = handles_add(&g->handles, f);
	timer_set(&g->timers, &f->timer, f->due);
}

static void leave_air(struct guardian *g, struct flight *f)
{
	struct flight **link = head_of(g, &f->sent.flow);
	while (*link && *link != f)
		link = &(*link)->next;
	if (*link)
		*link = f->next;
	match_past_add(&g->past, &f->sent, g->key);
}

void flight_free(struct guardian *g, struct flight *f)
{
	timer_clear(&g->timers, &f->timer);
	policy_release(&f->hold);
	if (f->in_air)
		leave_air(g, f);
	if (f->older)
		f->older->newer = f->newer;
	*(f->newer ? &f->newer->older : &f->session->flights) = f->older;
	drop_payload(g, f);
	handles_remove(&g->handles, f->handle);
	if (g->handles.count == 0 && g->net->quiet)
		g->net->quiet(g->net_ctx);
	free(f);
}

/* Where the packet may end is asked of the network here, so that the policy
 * stays a function of its arguments. */
static enum policy_verdict judge_flight(struct guardian *g, struct flight *f,
    struct monotime now, struct monotime *later)
{
	struct addr places[POLICY_PLACES];
	struct policy_request request = { .who = f->session->who,
		.probe = &f->probe,
		.run = f->session->policy,
		.hold = &f->hold,
		.due = f->due,
		.now = now };
	size_t count = policy_places(&f->probe.dst, places);
	for (size_t i = 0; i < count; i++) {
		request.own |= g->net->is_own(g->net_ctx, &places[i]);
		request.broadcast |=
		    g->net->is_broadcast(g->net_ctx, &places[i]);
	}
	return policy_check(g->policy, g->state, &request, later);
}

static bool is_id_taken(const struct flight *chain, const struct flight *f)
{
	for (; chain; chain = chain->next)
		if (chain->sent.ip_id == f->sent.ip_id &&
		    addr_equal(&chain->sent.flow.dst, &f->sent.flow.dst))
			return true;
	return false;
}

/* An IP ID that no other probe in flight to this target has, if there is one to
 * be found soon: errors quote it. */
static void choose_ip_id(struct guardian *g, struct flight *f)
{
	const uint8_t none[64] = { 0 };
	f->sent = match_sent_of(&f->probe, &f->sent.src, none);
	struct flight *chain = *head_of(g, &f->sent.flow);
	for (int tries = 0; tries < 32; tries++) {
		uint64_t draw = match_hash(&f->sent.flow, g->key + ++g->drawn);
		f->sent.ip_id = (uint16_t)(1 + draw % 0xffff);
		if (!is_id_taken(chain, f))
			break;
	}
	f->probe.ip_id = f->sent.ip_id;
}

static int build_probe(struct guardian *g, struct flight *f)
{
	int err = g->net->source(g->net_ctx, &f->probe.dst, &f->sent.src);
	if (err != 0)
		return err;
	if (f->probe.dst.family == 4 && f->probe.ip_id == 0)
		choose_ip_id(g, f);
	struct addr src = f->sent.src;
	uint8_t *bytes = g->batch_bytes[g->batch_count];
	int len =
	    probe_build(g->builder, &f->probe, &src, bytes, FLIGHT_SIZE, NULL);
	if (len < 0)
		return len;
	f->sent = match_sent_of(&f->probe, &src, bytes);
	struct flight **head = head_of(g, &f->sent.flow);
	f->next = *head;
	*head = f;
	f->in_air = true;
	g->batch[g->batch_count] = f;
	g->batch_len[g->batch_count++] = (size_t)len;
	return 0;
}

static void flight_fail(struct guardian *g, struct flight *f, int err)
{
	report_failed(g, f->session, f, err);
	flight_free(g, f);
}

static void flight_leave(
    struct guardian *g, struct flight *f, struct monotime now)
{
	struct monotime later = { 0 };
	enum policy_verdict verdict = judge_flight(g, f, now, &later);
	if (verdict == POLICY_DEFER) {
		guardian_count(g, COUNT_DEFERRED, 1);
		timer_set(&g->timers, &f->timer, later);
		return;
	}
	if (verdict != POLICY_ALLOW) {
		counters_add(g->denied[verdict], 1);
		event_add(&f->session->queue, f, WIRE_DENIED)->verdict =
		    verdict;
		flight_free(g, f);
		return;
	}
	int err = build_probe(g, f);
	if (err != 0)
		flight_fail(g, f, err);
	else if (g->batch_count == BATCH)
		flight_send_batch(g);
}

void flight_send_batch(struct guardian *g)
{
	struct net_send packets[BATCH];
	struct monotime now = guardian_now(g);
	struct walltime wall = g->net->wall(g->net_ctx);
	for (size_t i = 0; i < g->batch_count; i++) {
		struct flight *f = g->batch[i];
		packets[i] = (struct net_send){ g->batch_bytes[i],
			g->batch_len[i], f->handle };
		f->sent_at = now;
		f->tx = (struct net_stamp){ wall, NET_CLOCK_USER };
		timer_set(&g->timers, &f->timer,
		    monotime_add(now, f->listen_ns > 0 ? f->listen_ns : 0));
		drop_payload(g, f);
	}
	if (g->batch_count > 0)
		guardian_count(g, COUNT_SENT,
		    g->net->send(g->net_ctx, packets, g->batch_count));
	g->batch_count = 0;
}

/* The network's transmit time if it gave one, else when we sent it. */
static void report_sent(struct flight *f)
{
	if (f->reported)
		return;
	f->reported = true;
	event_add(&f->session->queue, f, WIRE_SENT)->stamp = f->tx;
}

void flight_due(struct guardian *g, struct flight *f, struct monotime now)
{
	if (!f->in_air) {
		flight_leave(g, f, now);
		return;
	}
	report_sent(f);
	event_add(&f->session->queue, f, WIRE_EXPIRED);
	flight_free(g, f);
}

/* The one that is answered; NULL, and in *why what to count, if none is. */
static struct flight *find_flight(struct guardian *g,
    const struct match_answer *answer, enum guardian_count *why)
{
	struct flight *best = NULL;
	enum match_fit fit = MATCH_OTHER;
	bool shared = false; /* by two sessions, or weak and not alone */
	for (struct flight *f = *head_of(g, &answer->flow); f; f = f->next) {
		enum match_fit this = match_fit(answer, &f->sent);
		if (this > fit) {
			best = f;
			fit = this;
			shared = false;
		} else if (best && this == fit) {
			shared |=
			    f->session != best->session || fit == MATCH_WEAK;
			/* The chain is newest first: the oldest that was not
			 * answered yet, else the newest. */
			if (f->replies == 0)
				best = f;
		}
	}
	if (fit >= MATCH_WEAK) {
		*why = COUNT_AMBIGUOUS;
		return shared ? NULL : best;
	}
	if (match_past_has(&g->past, answer, g->key))
		*why = COUNT_LATE;
	else if (fit == MATCH_CONTRADICTS)
		*why = COUNT_MISMATCHED;
	return NULL;
}

static void receive_packet(struct guardian *g, const struct net_event *event)
{
	struct packet packet;
	struct match_answer answer;
	int err = packet_decode_ip(
	    &packet, event->bytes, event->caplen, event->wirelen);
	if ((err != 0 && err != ERR_TRUNCATED) || packet.src.family == 0 ||
	    !match_read(&answer, &packet))
		return;
	enum guardian_count why = COUNT_UNMATCHED;
	struct flight *f = find_flight(g, &answer, &why);
	if (!f) {
		guardian_count(g, why, 1);
		return;
	}
	report_sent(f);
	f->replies++;
	guardian_count(g, COUNT_REPLIES, 1);
	struct wire_event *reply =
	    event_add_reply(&f->session->queue, f, event->bytes, event->caplen);
	if (!reply) {
		guardian_count(g, COUNT_DROPPED, 1);
		return;
	}
	reply->stamp = event->stamp;
	reply->rtt_ns = net_rtt(&f->tx, &event->stamp,
	    guardian_is_virtual(g)
		? INT64_MAX
		: monotime_diff(guardian_now(g), f->sent_at));
}

void flight_on_event(void *guardian, const struct net_event *event)
{
	struct guardian *g = guardian;
	struct flight *f = NULL;
	if (event->kind == NET_RECEIVED)
		receive_packet(g, event);
	else
		f = handles_find(&g->handles, event->cookie);
	if (!f || !f->in_air)
		return;
	if (event->kind == NET_SEND_FAILED) {
		flight_fail(g, f, event->err);
	} else if (!f->reported) {
		f->tx = event->stamp;
		report_sent(f);
	}
}
