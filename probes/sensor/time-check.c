/* SPDX-License-Identifier: ISC */
/*
 * Nearly every frame is near the one before and passes by at once.  One that
 * is not waits for the next; the first of a file waits for two, so that it can
 * be outvoted.  At an end of the file there is a neighbour on one side only:
 * there a time must be off by a year, or run backwards, to be called wrong.
 */
#include "probes/sensor/time-check.h"

#define DAY_NS (INT64_C(86400) * NS_PER_S)
#define YEAR_NS (366 * DAY_NS)

static int64_t ahead(struct walltime a, struct walltime b)
{
	return walltime_diff(a, b);
}

static bool is_near(struct walltime a, struct walltime b)
{
	int64_t d = ahead(a, b);
	return d <= DAY_NS && d >= -DAY_NS;
}

void time_check_fini(struct time_check *c)
{
	for (size_t i = 0; i < TIME_CHECK_FRAMES; i++)
		buf_fini(&c->copies[i]);
}

/* Its octets are borrowed until the next frame is read. */
static void keep_waiting(struct time_check *c, const struct pcap_frame *f)
{
	struct pcap_frame *to = &c->waiting[c->count];
	struct buf *copy = &c->copies[c->count++];
	buf_clear(copy);
	buf_bytes(copy, f->bytes, f->caplen);
	*to = *f;
	to->bytes = copy->data;
}

static void drop_first(struct time_check *c)
{
	struct buf copy = c->copies[0];
	for (size_t i = 1; i < c->count; i++) {
		c->waiting[i - 1] = c->waiting[i];
		c->copies[i - 1] = c->copies[i];
	}
	c->copies[c->count - 1] = copy;
	c->count--;
}

/* How many that wait are needed to judge the first of them. */
static size_t frames_needed(const struct time_check *c)
{
	const struct pcap_frame *w = c->waiting;
	if (c->begun)
		return is_near(w[0].at, c->last) ? 1 : 2;
	return c->count < 2 || is_near(w[0].at, w[1].at) ? 2 : 3;
}

static bool is_wrong_first(const struct time_check *c)
{
	const struct pcap_frame *w = c->waiting;
	if (c->count < 3 || !is_near(w[1].at, w[2].at))
		return false;
	return ahead(w[0].at, w[1].at) > DAY_NS ||
	    ahead(w[1].at, w[0].at) > YEAR_NS;
}

static bool is_wrong(const struct time_check *c)
{
	const struct pcap_frame *w = c->waiting;
	if (is_near(w[0].at, c->last))
		return false;
	bool later = ahead(w[0].at, c->last) > 0;
	if (c->count < 2 && c->outlier.ns && is_near(w[0].at, c->outlier))
		return false; /* two of a kind, though they came one by one */
	if (c->count < 2)
		return !later || ahead(w[0].at, c->last) > YEAR_NS;
	return later ? ahead(w[0].at, w[1].at) > DAY_NS
		     : ahead(w[1].at, w[0].at) > DAY_NS;
}

static void give_first(struct time_check *c, struct pcap_frame *frame)
{
	bool wrong = c->begun ? is_wrong(c) : is_wrong_first(c);
	if (wrong)
		c->outlier = c->waiting[0].at;
	if (wrong)
		c->waiting[0].at = c->begun ? c->last : c->waiting[1].at;
	c->wrong += wrong;
	c->last = c->waiting[0].at;
	c->begun = true;
	*frame = c->waiting[0];
	c->given = true;
}

/* The usual way: nothing waits, and the next one is near. */
static bool is_passing(struct time_check *c, const struct pcap_frame *f)
{
	if (c->count > 0 || !c->begun || !is_near(f->at, c->last))
		return false;
	c->last = f->at;
	return true;
}

int time_check_next(struct time_check *c, next_frame_fn *next, void *arg,
    struct pcap_frame *frame, struct errmsg *msg)
{
	if (c->given)
		drop_first(c);
	c->given = false;
	while (c->count == 0 || c->count < frames_needed(c)) {
		int n = next(arg, frame, msg);
		if (n <= 0 && c->count == 0)
			return n;
		if (n <= 0)
			break; /* it says the same when asked again */
		if (is_passing(c, frame))
			return 1;
		keep_waiting(c, frame);
	}
	give_first(c, frame);
	return 1;
}
