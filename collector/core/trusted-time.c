/* SPDX-License-Identifier: ISC */
/*
 *   line    = base + (monotonic now - monotonic then)
 *   trusted = min(wall, line)
 *   base    = max(base, min(wall, made(q)))     the leap
 *
 * made(q) is the q-th largest clock among the n witnesses that were heard in
 * the last hour, q = max(2, n / 2 + 1): so a majority of at least two machines
 * had reached it.  A record's time is a lower bound of its agent's clock, so an
 * agent that sends what it gathered long ago only delays a leap; one that is
 * ahead of the wall by more than an hour does not agree with it and counts as
 * one that is behind.
 *
 * With a monotonic clock that keeps time, trusted is never ahead of the true
 * time unless the wall and a majority of the witnesses are wrong alike, or the
 * first run began with no history under a wrong wall, and then until the wall
 * is right.
 */
#include "collector/core/trusted-time.h"

#include <stddef.h>

#define HEARD_NS (3600 * NS_PER_S)
#define AGREE_NS (3600 * NS_PER_S)
/* A start waits so long before it leaps, for more than the first two. */
#define GATHER_NS (600 * NS_PER_S)
/* A wall that stays behind for so long pulls the line down. */
#define BEHIND_NS (3600 * NS_PER_S)
#define MADE_MOST_NS (INT64_MAX / 2)

static int64_t line_at(const struct trusted_time *t, struct monotime mono)
{
	int64_t passed = monotime_diff(mono, t->since);
	return t->line.ns + (passed > 0 ? passed : 0);
}

static void set_line(struct trusted_time *t, int64_t ns, struct monotime mono)
{
	t->line.ns = ns;
	t->since = mono;
}

void trusted_time_start(struct trusted_time *t, const struct trusted_past *past,
    struct walltime wall, struct monotime mono, int64_t boot)
{
	int64_t away = 0;
	if (boot != 0 && boot == past->boot)
		away = monotime_diff(mono, past->mono);
	*t = (struct trusted_time){ .started = mono };
	set_line(t,
	    past->line.ns == 0 ? wall.ns
			       : past->line.ns + (away > 0 ? away : 0),
	    mono);
}

void trusted_time_trust(
    struct trusted_time *t, struct walltime wall, struct monotime mono)
{
	set_line(t, wall.ns, mono);
}

/* One agent at two addresses, or two at one, may be one machine. */
static void forget_witness(
    struct trusted_time *t, int64_t agent, const struct addr *addr)
{
	for (size_t i = 0; i < TRUSTED_WITNESSES; i++) {
		struct trusted_witness *w = &t->witnesses[i];
		if (w->agent == agent || addr_equal(&w->addr, addr))
			*w = (struct trusted_witness){ 0 };
	}
}

/* A free one, else that of who was heard least lately. */
static struct trusted_witness *find_place(struct trusted_time *t)
{
	struct trusted_witness *place = &t->witnesses[0];
	for (size_t i = 0; i < TRUSTED_WITNESSES; i++) {
		struct trusted_witness *w = &t->witnesses[i];
		if (w->addr.family == 0)
			return w;
		if (monotime_before(w->heard, place->heard))
			place = w;
	}
	return place;
}

void trusted_time_hear(struct trusted_time *t, int64_t agent,
    const struct addr *from, struct walltime made, struct monotime mono)
{
	struct addr addr = from->family == 6 ? prefix_of(from, 64).addr : *from;
	if (made.ns > MADE_MOST_NS)
		made.ns = MADE_MOST_NS;
	forget_witness(t, agent, &addr);
	*find_place(t) = (struct trusted_witness){ agent, addr, made, mono };
}

/* Descending. */
static void insert(int64_t *list, size_t count, int64_t value)
{
	size_t i = count;
	for (; i > 0 && list[i - 1] < value; i--)
		list[i] = list[i - 1];
	list[i] = value;
}

/* made(q) by now; INT64_MIN: too few. */
static int64_t witnessed(
    const struct trusted_time *t, struct walltime wall, struct monotime mono)
{
	int64_t made[TRUSTED_WITNESSES];
	size_t count = 0;
	for (size_t i = 0; i < TRUSTED_WITNESSES; i++) {
		const struct trusted_witness *w = &t->witnesses[i];
		int64_t ago = monotime_diff(mono, w->heard);
		if (w->addr.family == 0 || ago > HEARD_NS)
			continue;
		int64_t ns = w->made.ns + ago;
		insert(made, count++, ns > wall.ns + AGREE_NS ? INT64_MIN : ns);
	}
	size_t quorum = count / 2 + 1;
	if (quorum < 2)
		quorum = 2;
	return count < quorum ? INT64_MIN : made[quorum - 1];
}

static void leap(
    struct trusted_time *t, struct walltime wall, struct monotime mono)
{
	int64_t to = witnessed(t, wall, mono);
	if (to > wall.ns)
		to = wall.ns;
	if (to > line_at(t, mono) &&
	    monotime_diff(mono, t->started) >= GATHER_NS)
		set_line(t, to, mono);
}

struct walltime trusted_time_now(
    struct trusted_time *t, struct walltime wall, struct monotime mono)
{
	leap(t, wall, mono);
	int64_t line = line_at(t, mono);
	if (wall.ns >= line) {
		t->behind.ns = 0;
		return (struct walltime){ line };
	}
	if (t->behind.ns == 0)
		t->behind = mono;
	else if (monotime_diff(mono, t->behind) > BEHIND_NS)
		set_line(t, wall.ns, mono);
	return wall;
}

int64_t trusted_time_lag(
    const struct trusted_time *t, struct walltime wall, struct monotime mono)
{
	int64_t lag = wall.ns - line_at(t, mono);
	return lag > 0 ? lag : 0;
}

struct trusted_past trusted_time_save(
    const struct trusted_time *t, struct monotime mono, int64_t boot)
{
	return (struct trusted_past){ { line_at(t, mono) }, mono, boot };
}
