/* SPDX-License-Identifier: ISC */
/*
 * One entry a campaign: the next start by the time since boot and the number
 * it will have.  The number follows from the campaign's age when it is first
 * seen, so that agents that join late number their runs alike.
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "probes/agent/scheduler/schedule.h"

#define NEVER INT64_MAX
static const struct boottime never = { NEVER };

struct schedule_entry {
	uint8_t id[16];
	int64_t every_ns;
	struct boottime due; /* NEVER: done */
	struct boottime until;
	uint64_t run; /* of the start at due */
};

struct schedule {
	uint8_t agent[16];
	struct schedule_entry *entries; /* owned */
	size_t count;
	struct boottime last_start;
	bool started;
	uint64_t skipped;
};

struct schedule *schedule_new(const uint8_t agent[static 16])
{
	struct schedule *s = xcalloc(1, sizeof(*s));
	memcpy(s->agent, agent, sizeof(s->agent));
	return s;
}

void schedule_free(struct schedule *schedule)
{
	if (!schedule)
		return;
	free(schedule->entries);
	free(schedule);
}

/* This agent's place in [0, spread). */
static int64_t place_entry(
    const struct schedule *s, const uint8_t id[16], int64_t spread_ns)
{
	uint8_t both[32], hash[16];
	uint64_t value = 0;
	memcpy(both, s->agent, 16);
	memcpy(both + 16, id, 16);
	crypto_generichash(hash, sizeof(hash), both, sizeof(both), NULL, 0);
	for (int i = 0; i < 8; i++)
		value = value << 8 | hash[i];
	return (int64_t)(value % (uint64_t)spread_ns);
}

/* a - b, within a century: further is a wrong clock or a hostile list. */
static int64_t wall_distance(struct walltime a, struct walltime b)
{
	const int64_t century = INT64_C(36525) * 86400 * NS_PER_S;
	int64_t d;
	if (__builtin_sub_overflow(a.ns, b.ns, &d))
		d = a.ns > b.ns ? century : -century;
	return d > century ? century : d < -century ? -century : d;
}

static struct boottime in_future(struct boottime now, int64_t ns)
{
	return ns > NEVER - now.ns ? never : boottime_add(now, ns);
}

static void entry_init(struct schedule_entry *e, const struct schedule *s,
    const struct campaign *c, struct boottime now, struct walltime wall)
{
	int64_t age = wall_distance(wall, c->started_at);
	memcpy(e->id, c->id, sizeof(e->id));
	e->every_ns = c->every_ns;
	e->run = 1;
	e->until = never;
	if (c->until.ns)
		e->until = in_future(now, wall_distance(c->until, wall));
	if (c->every_ns == 0) {
		int64_t at = place_entry(s, c->id, SCHEDULE_ONCE_SPREAD_NS);
		e->due = in_future(now, at > age ? at - age : 0);
		return;
	}
	/* The first start not yet past:
	 * place + (run - 1) * every >= age.
	 */
	int64_t at = place_entry(s, c->id, c->every_ns);
	if (age > at) {
		int64_t behind = (age - at + c->every_ns - 1) / c->every_ns;
		e->run += (uint64_t)behind;
		at += behind * c->every_ns;
	}
	/* A start date in the far future is
	 * a wrong clock: keep the place. */
	e->due = in_future(now, age < 0 ? at % c->every_ns : at - age);
}

static const struct schedule_entry *find_entry(
    const struct schedule *s, const struct campaign *c)
{
	for (size_t i = 0; i < s->count; i++)
		if (memcmp(s->entries[i].id, c->id, 16) == 0 &&
		    s->entries[i].every_ns == c->every_ns)
			return &s->entries[i];
	return NULL;
}

void schedule_update(struct schedule *schedule, const struct worklist *list,
    struct boottime now, struct walltime wall)
{
	struct schedule_entry *entries =
	    xcalloc(list->count + 1, sizeof(*entries));
	for (size_t i = 0; i < list->count; i++) {
		const struct campaign *c = &list->campaigns[i];
		const struct schedule_entry *known = find_entry(schedule, c);
		entry_init(&entries[i], schedule, c, now, wall);
		if (known) {
			entries[i].due = known->due;
			entries[i].until = known->until;
			entries[i].run = known->run;
		}
	}
	free(schedule->entries);
	schedule->entries = entries;
	schedule->count = list->count;
}

static struct schedule_entry *earliest_entry(const struct schedule *s)
{
	struct schedule_entry *best = NULL;
	for (size_t i = 0; i < s->count; i++)
		if (s->entries[i].due.ns != NEVER &&
		    (!best || s->entries[i].due.ns < best->due.ns))
			best = &s->entries[i];
	return best;
}

struct boottime schedule_next(const struct schedule *schedule)
{
	const struct schedule_entry *e = earliest_entry(schedule);
	if (!e)
		return never;
	struct boottime free_at =
	    in_future(schedule->last_start, SCHEDULE_SPACING_NS);
	return schedule->started && boottime_before(e->due, free_at) ? free_at
								     : e->due;
}

/* Moves past starts whose whole interval has
 * gone by. */
static void skip_missed(
    struct schedule *s, struct schedule_entry *e, struct boottime now)
{
	if (e->every_ns == 0)
		return;
	int64_t missed = boottime_diff(now, e->due) / e->every_ns;
	e->due = boottime_add(e->due, missed * e->every_ns);
	e->run += (uint64_t)missed;
	s->skipped += (uint64_t)missed;
}

bool schedule_take(struct schedule *schedule, struct boottime now,
    uint8_t campaign[static 16], uint64_t *run)
{
	struct schedule_entry *e;
	while (!boottime_before(now, schedule_next(schedule)) &&
	    (e = earliest_entry(schedule)) != NULL) {
		skip_missed(schedule, e, now);
		bool ended = !boottime_before(e->due, e->until);
		memcpy(campaign, e->id, 16);
		*run = e->run++;
		e->due = e->every_ns == 0 || ended
		    ? never
		    : in_future(e->due, e->every_ns);
		if (ended)
			continue;
		schedule->last_start = now;
		schedule->started = true;
		return true;
	}
	return false;
}

uint64_t schedule_skipped(const struct schedule *schedule)
{
	return schedule->skipped;
}
