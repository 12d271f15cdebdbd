/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/xalloc.h"
#include "probes/ipc/fd-pass.h"
#include "probes/ipc/precedence.h"
#include "probes/guardian/pending.h"
#include "probes/guardian/session.h"

#define COUNTER_NAME(constant, name) name,

struct guardian *guardian_new(
    const struct net_ops *net, void *net_ctx, const struct policy *policy)
{
	struct guardian *g = xcalloc(1, sizeof(*g));
	g->net = net;
	g->net_ctx = net_ctx;
	g->policy = policy;
	struct errmsg msg;
	g->builder = probe_builder_new(&msg);
	if (!g->builder)
		BUG("no packet templates: %s", msg.text);
	g->key = net_secret(net);
	g->state = policy_state_new(g->key);
	g->table = match_table_new(g->key);
	handles_init(&g->handles, GUARDIAN_FLIGHT_BITS, sizeof(struct flight));
	guardian_set_counters(g, NULL);
	return g;
}

void guardian_free(struct guardian *g)
{
	if (!g)
		return;
	while (g->session_count > 0)
		session_free(g, g->sessions[--g->session_count]);
	g->net->close(g->net_ctx);
	policy_state_free(g->state);
	match_table_free(g->table);
	probe_builder_free(g->builder);
	handles_fini(&g->handles);
	timers_fini(&g->timers);
	timers_fini(&g->departures);
	free(g);
}

void guardian_set_counters(struct guardian *g, struct counters *counters)
{
	static const char *const names[] = { GUARDIAN_COUNTERS(COUNTER_NAME) };
	const char *reasons[POLICY_VERDICTS];
	policy_refusal_names(reasons);
	counters_cells(counters, "guardian", names, GUARDIAN_COUNTS, g->counts);
	counters_cells(
	    counters, "guardian.denied", reasons, POLICY_VERDICTS, g->denied);
}

int guardian_add_run(struct guardian *g, int fd, const struct guardian_run *r)
{
	if (g->session_count == GUARDIAN_MAX_RUNS || r->who >= POLICY_WHOS) {
		close(fd);
		return g->session_count == GUARDIAN_MAX_RUNS ? -EBUSY
							     : ERR_USAGE;
	}
	struct session *session = xcalloc(1, sizeof(*session));
	session->fd = fd;
	session->run = *r;
	session->policy = policy_run_new();
	session->wake.kind = TIMER_SESSION;
	session->events.entry_size = sizeof(struct wire_event);
	session->events.len_at = offsetof(struct wire_event, bytes_len);
	g->sessions[g->session_count++] = session;
	return 0;
}

/* One run as a descriptor; false when the other end has closed. */
static bool take_control(struct guardian *g, int control_fd)
{
	struct guardian_run run = { 0 };
	int fd, err = pass_receive(control_fd, &fd, &run, sizeof(run));
	if (err == 0)
		guardian_add_run(g, fd, &run);
	return err == 0 || err == ERR_MALFORMED || err == -EAGAIN ||
	    err == -EINTR;
}

static void run_timers(struct guardian *g)
{
	uint64_t end = g->timers.order; /* later ones: the network first */
	for (int i = 0; i < DUE_AT_ONCE || net_is_virtual(g->net); i++) {
		flight_depart(g, LOOK_NS);
		struct timer *timer = timer_first(&g->timers);
		if (!timer || timer->order >= end ||
		    monotime_before(guardian_now(g), timer->at))
			break;
		timer_clear(&g->timers, timer);
		if (timer->kind == TIMER_FLIGHT)
			flight_due(g, (struct flight *)timer, guardian_now(g));
	}
	flight_send_batch(g);
	flight_depart(g, AWAKE_NS);
}

static void answer_sessions(struct guardian *g)
{
	for (size_t i = 0; i < g->session_count;) {
		struct session *session = g->sessions[i];
		flight_depart(g, LOOK_NS);
		session_answer(g, session);
		if (!session->broken) {
			i++;
			continue;
		}
		session_free(g, session);
		g->sessions[i] = g->sessions[--g->session_count];
	}
}

static bool all_wait(const struct guardian *g)
{
	for (size_t i = 0; i < g->session_count; i++)
		if (!g->sessions[i]->waiting)
			return false;
	return g->session_count > 0;
}

/* Until the first timer; NULL: until a message or packet comes. */
static const struct timespec *patience(struct guardian *g, struct timespec *ts)
{
	static const struct timespec none = { 0, 0 };
	if (net_is_virtual(g->net))
		return all_wait(g) ? &none : NULL;
	const struct timer *next = timer_first(&g->timers);
	int64_t ns = flight_departs_ns(g) - AWAKE_NS;
	if (next && monotime_diff(next->at, guardian_now(g)) < ns)
		ns = monotime_diff(next->at, guardian_now(g));
	if (!next && !timer_first(&g->departures))
		return NULL;
	if (ns <= 0)
		return &none;
	*ts = (struct timespec){ ns / NS_PER_S, ns % NS_PER_S };
	return ts;
}

/* Waits, then reads what came.  False: the control end has closed. */
static bool wait_and_read(struct guardian *g, int control_fd)
{
	struct pollfd polls[NET_FDS + GUARDIAN_MAX_RUNS + 1];
	struct timespec ts;
	size_t runs = g->session_count, count = 0;
	for (size_t i = 0; i < runs; i++)
		polls[count++] =
		    (struct pollfd){ g->sessions[i]->fd, POLLIN, 0 };
	polls[count++] = (struct pollfd){ control_fd, POLLIN, 0 };
	count += net_polls(g->net, g->net_ctx, polls + count);
	if (ppoll(polls, count, patience(g, &ts), NULL) < 0)
		return true;
	/* The network first: its events wait in a ring of bounded size. */
	g->net->poll(g->net_ctx, flight_on_event, g);
	for (size_t i = 0; i < runs; i++)
		if (polls[i].revents)
			session_read(g, g->sessions[i]);
	return !polls[runs].revents || take_control(g, control_fd);
}

static void count_captures(struct guardian *g)
{
	struct net_counters counters = { 0 };
	g->counted_at = guardian_now(g);
	g->net->counters(g->net_ctx, &counters);
	counters_set(g->counts[COUNT_CAPTURED], counters.received);
	counters_set(g->counts[COUNT_CAPTURE_DROPPED], counters.dropped);
}

bool guardian_step(struct guardian *g, int control_fd)
{
	int instants = UNSEEN_INSTANTS;
	bool open = wait_and_read(g, control_fd);
	run_timers(g);
	/* However messages came, an answer has what became of all of them. */
	if (net_is_virtual(g->net))
		g->net->poll(g->net_ctx, flight_on_event, g);
	answer_sessions(g);
	/* Virtual time moves when no worker has anything to send at this
	 * instant. One that waits has a timer, so there is a next one. */
	while (net_is_virtual(g->net) && all_wait(g) && instants-- > 0) {
		g->net->advance(g->net_ctx, timer_first(&g->timers)->at);
		g->net->poll(g->net_ctx, flight_on_event, g);
		run_timers(g);
		answer_sessions(g);
	}
	if (monotime_diff(guardian_now(g), g->counted_at) > NS_PER_S)
		count_captures(g);
	return open && (control_fd >= 0 || g->session_count > 0);
}

void guardian_serve(struct guardian *g, int control_fd)
{
	while (guardian_step(g, control_fd))
		precedence_regain();
	count_captures(g);
}
