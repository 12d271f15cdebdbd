/* SPDX-License-Identifier: ISC */
/*
 * Rows come by hour, the newest first, from a month back.  A reason has been
 * there since the first of the hours in a row, up to its last, that have it:
 * an hour without it ends what was before.  Reading ends where no reason goes
 * further back.
 */
#include "collector/query/agent-unsent.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/vec.h"
#include "lib/base/xalloc.h"
#include "lib/json/json-value.h"
#include "lib/record/outcome.h"

#define HOUR_S 3600

struct unsent_reason {
	uint32_t outcome;
	char *reason, *device; /* owned */
	uint64_t probes, hours[UNSENT_DAY_HOURS];
	int64_t since_ns, last_ns;
	int64_t reach; /* the earliest hour in a row, so far */
};

struct unsent_day {
	struct unsent_reason *reasons; /* owned */
	size_t count;
	int64_t first; /* hour of the day, in seconds */
};

static struct unsent_reason *find_reason(
    struct unsent_day *day, const struct store_unsent *row)
{
	for (size_t i = 0; i < day->count; i++) {
		struct unsent_reason *r = &day->reasons[i];
		if (r->outcome == row->outcome &&
		    strcmp(r->reason, row->reason) == 0 &&
		    strcmp(r->device, row->device) == 0)
			return r;
	}
	return NULL;
}

static bool goes_on(const struct unsent_day *day, int64_t bin)
{
	for (size_t i = 0; i < day->count; i++)
		if (day->reasons[i].reach - bin <= HOUR_S)
			return true;
	return false;
}

static int take_hour(void *ctx, const struct store_row *from)
{
	const struct store_unsent *row = from->unsent;
	struct unsent_day *day = ctx;
	struct unsent_reason *r = find_reason(day, row);
	int64_t hour = (row->bin - day->first) / HOUR_S;
	if (row->bin < day->first && !goes_on(day, row->bin))
		return 1;
	if (row->bin < day->first && !r)
		return 0;
	if (!r) {
		VEC_ROOM(day->reasons, day->count);
		r = &day->reasons[day->count++];
		*r = (struct unsent_reason){ .outcome = row->outcome,
			.reason = xstrdup(row->reason),
			.device = xstrdup(row->device),
			.last_ns = row->last_ns,
			.since_ns = row->first_ns,
			.reach = row->bin };
	}
	if (r->reach - row->bin <= HOUR_S) {
		r->reach = row->bin;
		r->since_ns = row->first_ns;
	}
	if (row->bin < day->first)
		return 0;
	r->probes += row->probes;
	if (hour < UNSENT_DAY_HOURS) /* not by a clock ahead of ours */
		r->hours[hour] += row->probes;
	return 0;
}

static int by_probes(const void *a, const void *b)
{
	const struct unsent_reason *x = a, *y = b;
	if (x->probes != y->probes)
		return x->probes > y->probes ? -1 : 1;
	int order = strcmp(x->reason, y->reason);
	return order ? order : strcmp(x->device, y->device);
}

static json_t *reason_json(const struct unsent_reason *r)
{
	json_t *hours = json_array();
	for (size_t i = 0; i < UNSENT_DAY_HOURS; i++)
		json_array_append_new(
		    hours, json_integer((json_int_t)r->hours[i]));
	return json_pack("{s:s, s:s, s:o, s:I, s:o, s:o, s:o}", "outcome",
	    outcome_name((Sonde__Outcome)r->outcome), "reason", r->reason,
	    "device", r->device[0] ? json_text(r->device) : json_null(),
	    "probes", (json_int_t)r->probes, "since", json_time(r->since_ns),
	    "last_at", json_time(r->last_ns), "hours", hours);
}

int agent_unsent_json(const struct query *q, int64_t agent_row, json_t **list)
{
	int64_t now = q->now_ns / NS_PER_S;
	struct unsent_day day = { .first = now - now % HOUR_S -
		    (UNSENT_DAY_HOURS - 1) * HOUR_S };
	int64_t back = day.first - (int64_t)UNSENT_BACK_HOURS * HOUR_S;
	const struct store_plan plan = { .table = STORE_UNSENT,
		.agent_row = agent_row,
		.range.from_ns = back > 0 ? back * NS_PER_S : 0 };
	int err = q->c->ops->read(q->reader, &plan, take_hour, &day, q->msg);
	*list = json_array();
	if (day.count > 1)
		qsort(day.reasons, day.count, sizeof(*day.reasons), by_probes);
	for (size_t i = 0; i < day.count; i++) {
		if (i < UNSENT_SHOWN)
			json_array_append_new(
			    *list, reason_json(&day.reasons[i]));
		free(day.reasons[i].reason);
		free(day.reasons[i].device);
	}
	free(day.reasons);
	return err < 0 ? err : ERR_OK;
}
