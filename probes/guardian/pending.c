/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "probes/guardian/pending.h"

/* One more event that the worker is to hear; borrowed until the next. */
static struct wire_event *event_add(
    struct session *session, const struct flight *f, enum wire_event_kind kind)
{
	struct wire_event *event = entry_queue_add(&session->events);
	event->cookie = f->cookie;
	event->index = f->index;
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
	struct wire_event *event = event_add(session, f, WIRE_FAILED);
	event->err = err;
	event->mtu = err == -EMSGSIZE ? f->route.mtu : 0;
}

static struct timers *timers_of(struct guardian *g, const struct flight *f)
{
	return f->timer.kind == TIMER_DEPARTURE ? &g->departures : &g->timers;
}

void flight_free(struct guardian *g, struct flight *f)
{
	timer_clear(timers_of(g, f), &f->timer);
	policy_release(&f->hold);
	if (f->in_air) {
		match_table_remove(&f->entry);
		match_past_add(&g->past, &f->entry.sent, g->key);
	}
	if (f->older)
		f->older->newer = f->newer;
	*(f->newer ? &f->newer->older : &f->session->flights) = f->older;
	if (f->sweep)
		f->session->sweep = NULL;
	sweep_free(f->sweep);
	drop_payload(g, f);
	handles_remove(&g->handles, f->handle);
	if (g->handles.count == 0 && g->net->quiet)
		g->net->quiet(g->net_ctx);
}

/* Where the packet may end is asked of the network here, so that the policy
 * stays a function of its arguments. */
static enum policy_verdict judge_flight(struct guardian *g, struct flight *f,
    struct monotime now, struct monotime *later)
{
	struct addr places[POLICY_PLACES];
	size_t count = policy_places(&f->probe.dst, places);
	struct policy_request request = { .who = f->session->run.who,
		.probe = &f->probe,
		.own = net_has_own(g->net, g->net_ctx, places, count),
		.broadcast =
		    net_has_broadcast(g->net, g->net_ctx, places, count),
		.run = f->session->policy,
		.hold = &f->hold,
		.due = f->due,
		.now = now };
	return policy_check(g->policy, g->state, &request, later);
}

static int build_probe(struct guardian *g, struct flight *f)
{
	struct net_flow flow = net_flow_of(&f->probe, &f->session->run.choice);
	const struct addr *src = &f->route.src;
	int err = net_find_route(
	    g->net, g->net_ctx, &flow, f->sweep != NULL, &f->route);
	if (err != 0)
		return err;
	if (f->probe.dst.family == 4 && f->probe.ip_id == 0)
		f->probe.ip_id = match_table_next_ip_id(g->table);
	uint8_t *bytes = g->batch.bytes[g->batch.count];
	int len = probe_build(
	    g->builder, &f->probe, src, bytes, NET_PACKET_MOST, NULL);
	if (len < 0)
		return len;
	g->leaving[g->batch.count] = f;
	net_batch_add(&g->batch, (size_t)len, f->handle, &f->route, f->sweep,
	    f->probe.hold);
	if (f->sweep)
		return 0;
	f->entry.sent = match_sent_of(&f->probe, src, bytes);
	f->entry.owner = f->session;
	match_table_fetch(g->table, &f->entry);
	return 0;
}

static void flight_fail(struct guardian *g, struct flight *f, int err)
{
	report_failed(g, f->session, f, err);
	flight_free(g, f);
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
	uint32_t handle;
	struct flight *f = handles_add(&g->handles, &handle);
	struct monotime now = guardian_now(g);
	f->handle = handle;
	f->session = session;
	f->cookie = entry->cookie;
	f->due = monotime_before(now, entry->at) ? entry->at : now;
	f->listen_ns = monotime_diff(entry->until, f->due);
	f->late_ns = entry->late_ns;
	f->listen_all = entry->listen_all;
	f->probe = entry->probe;
	f->probe.payload = payload;
	session->outstanding_bytes += payload ? payload_len : 0;
	g->payload_bytes += payload ? payload_len : 0;
	f->older = session->flights;
	if (f->older)
		f->older->newer = f;
	session->flights = f;
	/* Virtual time waits for all. */
	if (monotime_before(now, f->due) && !net_is_virtual(g->net))
		f->timer.kind = TIMER_DEPARTURE;
	timer_set(timers_of(g, f), &f->timer, f->due);
	if (entry->range.count == 0)
		return;
	f->reported = f->listen_all = true;
	if (!session->sweep)
		f->sweep = sweep_new(&f->probe, &entry->range, f->due, g->key);
	if (f->sweep)
		session->sweep = f;
	else
		flight_fail(g, f, -EINVAL);
}

int64_t flight_departs_ns(struct guardian *g)
{
	const struct timer *next = timer_first(&g->departures);
	return next ? monotime_diff(next->at, guardian_now(g)) : INT64_MAX;
}

static size_t batch_most(struct guardian *g)
{
	int64_t ns = flight_departs_ns(g);
	return ns <= 0 || ns > NET_BATCH * LEAVE_NS ? NET_BATCH
						    : ns / LEAVE_NS + 1;
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
		event_add(f->session, f, WIRE_DENIED)->verdict = verdict;
		flight_free(g, f);
		return;
	}
	int err = build_probe(g, f);
	if (err != 0)
		flight_fail(g, f, err);
	else if (g->batch.count >= batch_most(g))
		flight_send_batch(g);
}

void flight_send_batch(struct guardian *g)
{
	struct monotime now = guardian_now(g);
	struct walltime wall = g->net->wall(g->net_ctx);
	for (size_t i = 0; i < g->batch.count; i++) {
		struct flight *f = g->leaving[i];
		if (f->sweep)
			continue;
		match_table_add(&f->entry);
		f->in_air = true;
		f->sent_at = now;
		f->tx = (struct net_stamp){ wall, NET_CLOCK_USER };
		timer_set(&g->timers, &f->timer,
		    monotime_add(now, f->listen_ns > 0 ? f->listen_ns : 0));
		drop_payload(g, f);
	}
	guardian_count(
	    g, COUNT_SENT, net_batch_send(&g->batch, g->net, g->net_ctx));
}

/* The network's transmit time if it gave one, else when we sent it. */
static void report_sent(struct flight *f)
{
	if (f->reported)
		return;
	f->reported = true;
	event_add(f->session, f, WIRE_SENT)->stamp = f->tx;
}

/* The next probes of a sweep, each judged like any.  What its worker has not
 * heard yet holds it back. */
static void sweep_go_on(
    struct guardian *g, struct flight *f, struct monotime now)
{
	struct monotime later = monotime_add(now, NS_PER_MS);
	while (f->session->replies < SESSION_MAX_REPLIES / 2) {
		later = sweep_due(f->sweep, f->listen_ns + f->late_ns);
		if (monotime_before(now, later))
			break;
		if (!sweep_peek(f->sweep, &f->probe)) {
			struct sweep_counts counts = sweep_counts(f->sweep);
			event_add(f->session, f, WIRE_EXPIRED);
			entry_queue_octets(
			    &f->session->events, &counts, sizeof(counts));
			flight_free(g, f);
			return;
		}
		f->due = f->hold.bucket ? f->due : now;
		enum policy_verdict verdict = judge_flight(g, f, now, &later);
		if (verdict == POLICY_DEFER)
			break;
		int err = verdict == POLICY_ALLOW ? build_probe(g, f) : 0;
		counters_add(g->denied[verdict], 1);
		sweep_step(
		    f->sweep, verdict, err, now, g->net->wall(g->net_ctx));
		later = now;
		if (g->batch.count >= batch_most(g))
			break;
	}
	flight_send_batch(g);
	timer_set(&g->timers, &f->timer, later);
}

void flight_due(struct guardian *g, struct flight *f, struct monotime now)
{
	if (f->sweep) {
		sweep_go_on(g, f, now);
		return;
	}
	if (!f->in_air) {
		flight_leave(g, f, now);
		return;
	}
	report_sent(f);
	if (!f->late && !f->concluded && f->late_ns > 0) {
		f->late = true;
		event_add(f->session, f, WIRE_TIMEOUT);
		timer_set(&g->timers, &f->timer, monotime_add(now, f->late_ns));
		return;
	}
	event_add(f->session, f, WIRE_EXPIRED);
	flight_free(g, f);
}

void flight_depart(struct guardian *g, int64_t lead_ns)
{
	int left = 0;
	for (; left < NET_BATCH && flight_departs_ns(g) <= lead_ns; left++) {
		struct timer *timer = timer_first(&g->departures);
		if (flight_departs_ns(g) > 0)
			flight_send_batch(g);
		while (monotime_before(guardian_now(g), timer->at))
			;
		timer_clear(&g->departures, timer);
		timer->kind = TIMER_FLIGHT;
		flight_due(g, (struct flight *)timer, guardian_now(g));
	}
	if (left > 0)
		flight_send_batch(g);
}

/* A packet that may be a reply to another run's flight is not shown. */
static void report_reply(struct guardian *g, struct flight *f,
    const struct net_event *event, const struct match_found *found,
    const struct packet *packet)
{
	size_t len = found->shared ? 0 : net_event_octets(event);
	int64_t rtt_ns = net_rtt(
	    &f->tx, &event->stamp, monotime_diff(guardian_now(g), f->sent_at));
	bool late = f->late || rtt_ns > f->listen_ns;
	struct outcome outcome =
	    match_outcome(&f->entry.sent, packet, late, found->ambiguous);
	if (f->sweep && !sweep_is_better(f->sweep, f->index, outcome.rank))
		return;
	f->entry.told |= found->ambiguous;
	report_sent(f);
	f->replies++;
	if (f->session->replies >= SESSION_MAX_REPLIES ||
	    entry_queue_octets_len(&f->session->events) + len >
		SESSION_MAX_OCTETS) {
		guardian_count(g, COUNT_DROPPED, 1);
		return;
	}
	struct wire_event *reply = event_add(f->session, f, WIRE_REPLY);
	entry_queue_octets(&f->session->events, event->bytes, len);
	f->session->replies++;
	reply->stamp = event->stamp;
	reply->rtt_ns = rtt_ns;
	reply->late = late;
	reply->ambiguous = found->ambiguous;
	reply->outcome = outcome;
	f->concluded |= outcome.conclusive;
	if (f->concluded && !f->listen_all) {
		reply->last = true;
		flight_free(g, f);
	}
}

/* The answer may be to one of a session's sweep. */
static void find_swept(struct guardian *g, struct flight *f,
    const struct match_answer *answer, struct match_found *found)
{
	struct sweep_hit hit;
	if (!f || !sweep_find(f->sweep, g->builder, answer, &hit))
		return;
	f->index = hit.index;
	f->entry.sent = hit.sent;
	f->sent_at = hit.sent_at;
	f->tx = (struct net_stamp){ hit.sent_wall, NET_CLOCK_USER };
	*found = (struct match_found){
		.fit = MATCH_FITS, .count = 1, .entries = { &f->entry }
	};
}

static void receive_packet(struct guardian *g, const struct net_event *event)
{
	struct packet packet;
	struct match_answer answer;
	struct match_found found;
	if (!match_read_bytes(
		&answer, &packet, event->bytes, event->caplen, event->wirelen))
		return;
	answer.to_own = g->net->is_own(g->net_ctx, &answer.to);
	match_table_find(g->table, &answer, &found);
	for (size_t i = 0; found.fit < MATCH_WEAK && i < g->session_count; i++)
		find_swept(g, g->sessions[i]->sweep, &answer, &found);
	if (found.fit < MATCH_WEAK) {
		enum guardian_count why = found.fit == MATCH_CONTRADICTS
		    ? COUNT_MISMATCHED
		    : COUNT_UNMATCHED;
		bool late = match_past_has(&g->past, &answer, g->key);
		guardian_count(g, late ? COUNT_LATE : why, 1);
		return;
	}
	guardian_count(g, found.ambiguous ? COUNT_AMBIGUOUS : COUNT_REPLIES, 1);
	for (size_t i = 0; i < found.count; i++) {
		uint8_t *entry = (uint8_t *)found.entries[i];
		report_reply(g,
		    (void *)(entry - offsetof(struct flight, entry)), event,
		    &found, &packet);
	}
}

void flight_on_event(void *guardian, const struct net_event *event)
{
	struct guardian *g = guardian;
	if (event->kind == NET_RECEIVED) {
		flight_depart(g, LOOK_NS);
		receive_packet(g, event);
		return;
	}
	struct flight *f = handles_find(&g->handles, event->cookie);
	if (!f || !f->in_air)
		return;
	if (event->kind == NET_SEND_FAILED) {
		if (event->mtu > 0)
			f->route.mtu = event->mtu;
		flight_fail(g, f, event->err);
	} else if (!f->reported) {
		f->tx = event->stamp;
		report_sent(f);
	}
}
