/* SPDX-License-Identifier: ISC */
/*
 * One probe's life: planned, judged when its time comes, perhaps deferred and
 * judged again, built, sent in a batch, matched to its replies, and at the
 * end exactly one of DENIED, FAILED and EXPIRED.
 */
#include <errno.h>
#include <stdlib.h>

#include "lib/base/xalloc.h"
#include "probes/guardian/session.h"

#define SLOT_BITS 17
_Static_assert(GUARDIAN_MAX_FLIGHTS == 1 << SLOT_BITS, "slots fit cookies");

static void take_slot(struct guardian *g, struct flight *f)
{
	f->slot = g->first_free;
	if (f->slot < g->slots_used)
		g->first_free = g->slots[f->slot].next_free;
	else
		g->first_free = ++g->slots_used;
	g->slots[f->slot].flight = f;
	g->slots[f->slot].uses++;
	g->flight_count++;
}

static void give_slot(struct guardian *g, const struct flight *f)
{
	g->slots[f->slot].flight = NULL;
	g->slots[f->slot].next_free = g->first_free;
	g->first_free = f->slot;
	g->flight_count--;
}

static uint32_t cookie_of(const struct guardian *g, const struct flight *f)
{
	return g->slots[f->slot].uses << SLOT_BITS | f->slot;
}

static struct flight *flight_of(const struct guardian *g, uint32_t cookie)
{
	uint32_t slot = cookie & ((1u << SLOT_BITS) - 1);
	struct flight *f = g->slots[slot].flight;
	return f && cookie_of(g, f) == cookie ? f : NULL;
}

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
	f->run->outstanding_bytes -= f->probe.payload_len;
	g->payload_bytes -= f->probe.payload_len;
}

static void tell_failed(
    struct guardian *g, struct run *run, const struct flight *f, int err)
{
	guardian_count(g, COUNT_FAILED, 1);
	run_event(run, f, WIRE_FAILED)->err = err;
}

void flight_new(struct guardian *g, struct run *run,
    const struct wire_probe *entry, uint8_t *payload)
{
	size_t payload_len = entry->probe.payload_len;
	run->outstanding++;
	if (g->flight_count == GUARDIAN_MAX_FLIGHTS ||
	    g->payload_bytes + payload_len > GUARDIAN_MAX_PAYLOAD) {
		const struct flight none = { .cookie = entry->cookie };
		tell_failed(g, run, &none, -ENOBUFS);
		free(payload);
		return;
	}
	struct flight *f = xcalloc(1, sizeof(*f));
	struct monotime now = guardian_now(g);
	f->run = run;
	f->cookie = entry->cookie;
	f->due = monotime_before(now, entry->at) ? entry->at : now;
	f->listen_ns = monotime_diff(entry->until, f->due);
	f->probe = entry->probe;
	f->probe.payload = payload;
	run->outstanding_bytes += payload ? payload_len : 0;
	g->payload_bytes += payload ? payload_len : 0;
	f->older = run->flights;
	if (f->older)
		f->older->newer = f;
	run->flights = f;
	take_slot(g, f);
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
	*(f->newer ? &f->newer->older : &f->run->flights) = f->older;
	drop_payload(g, f);
	give_slot(g, f);
	if (g->flight_count == 0 && g->net->quiet)
		g->net->quiet(g->net_ctx);
	free(f);
}

/* Where the packet may end is asked of the network here, so that the policy
 * stays a function of its arguments. */
static enum policy_verdict judge(struct guardian *g, struct flight *f,
    struct monotime now, struct monotime *later)
{
	struct addr places[POLICY_PLACES];
	struct policy_request request = { .who = f->run->who,
		.probe = &f->probe,
		.run = f->run->policy,
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

static int build(struct guardian *g, struct flight *f)
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
	tell_failed(g, f->run, f, err);
	flight_free(g, f);
}

static void flight_leave(
    struct guardian *g, struct flight *f, struct monotime now)
{
	struct monotime later = { 0 };
	enum policy_verdict verdict = judge(g, f, now, &later);
	if (verdict == POLICY_DEFER) {
		guardian_count(g, COUNT_DEFERRED, 1);
		timer_set(&g->timers, &f->timer, later);
		return;
	}
	if (verdict != POLICY_ALLOW) {
		counters_add(g->denied[verdict], 1);
		run_event(f->run, f, WIRE_DENIED)->verdict = verdict;
		flight_free(g, f);
		return;
	}
	int err = build(g, f);
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
			g->batch_len[i], cookie_of(g, f) };
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
static void tell_sent(struct flight *f)
{
	if (f->told)
		return;
	f->told = true;
	run_event(f->run, f, WIRE_SENT)->stamp = f->tx;
}

void flight_due(struct guardian *g, struct flight *f, struct monotime now)
{
	if (!f->in_air) {
		flight_leave(g, f, now);
		return;
	}
	tell_sent(f);
	run_event(f->run, f, WIRE_EXPIRED);
	flight_free(g, f);
}

/* Both stamps are of the wall clock, which may be set in between; our own
 * monotonic times are late, so they bound what can be true. */
static int64_t rtt_of(
    struct guardian *g, const struct flight *f, const struct net_stamp *rx)
{
	int64_t rtt = walltime_diff(rx->wall, f->tx.wall);
	int64_t bound = monotime_diff(guardian_now(g), f->sent_at);
	bool possible = rtt >= 0 && rtt <= bound + NS_PER_MS;
	return possible || guardian_is_virtual(g) ? rtt : bound;
}

/* The one that is answered; NULL, and in *why what to count, if none is. */
static struct flight *find(struct guardian *g,
    const struct match_answer *answer, enum guardian_count *why)
{
	struct flight *best = NULL;
	enum match_fit fit = MATCH_OTHER;
	bool shared = false; /* by two runs, or weak and not alone */
	for (struct flight *f = *head_of(g, &answer->flow); f; f = f->next) {
		enum match_fit this = match_fit(answer, &f->sent);
		if (this > fit) {
			best = f;
			fit = this;
			shared = false;
		} else if (best && this == fit) {
			shared |= f->run != best->run || fit == MATCH_WEAK;
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

static void receive(struct guardian *g, const struct net_event *event)
{
	struct packet packet;
	struct match_answer answer;
	int err = packet_decode_ip(
	    &packet, event->bytes, event->caplen, event->wirelen);
	if ((err != 0 && err != ERR_TRUNCATED) || packet.src.family == 0 ||
	    !match_read(&answer, &packet))
		return;
	enum guardian_count why = COUNT_UNMATCHED;
	struct flight *f = find(g, &answer, &why);
	if (!f) {
		guardian_count(g, why, 1);
		return;
	}
	tell_sent(f);
	f->replies++;
	guardian_count(g, COUNT_REPLIES, 1);
	struct wire_event *reply =
	    run_reply(f->run, f, event->bytes, event->caplen);
	if (!reply) {
		guardian_count(g, COUNT_DROPPED, 1);
		return;
	}
	reply->stamp = event->stamp;
	reply->rtt_ns = rtt_of(g, f, &event->stamp);
}

void flight_on_event(void *guardian, const struct net_event *event)
{
	struct guardian *g = guardian;
	struct flight *f = NULL;
	if (event->kind == NET_RECEIVED)
		receive(g, event);
	else
		f = flight_of(g, event->cookie);
	if (!f || !f->in_air)
		return;
	if (event->kind == NET_SEND_FAILED) {
		flight_fail(g, f, event->err);
	} else if (!f->told) {
		f->tx = event->stamp;
		tell_sent(f);
	}
}
