/* SPDX-License-Identifier: ISC */
/*
 * Of files that are merged, one has its reader only while its frames' turn has
 * come: a rotated capture of a thousand files is read with the memory of those
 * that overlap.  Its first time is looked at before.
 *
 * What goes on may be silent: then the clock ends its intervals, if its frames'
 * times are this clock's, a while after their ends because writers of captures
 * buffer.  A frame that comes later still is counted in the interval that is
 * open.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/xalloc.h"
#include "probes/ipc/fd-pass.h"
#include "probes/sensor/capture-file.h"
#include "probes/sensor/capture-replay.h"

#define BATCH 4096
#define DAY_NS (INT64_C(86400) * NS_PER_S)
#define LOOK_MS 200                /* for what a file has grown by */
#define BUFFERED_NS (2 * NS_PER_S) /* by who writes a capture */

struct replayed {
	struct capture *capture;
	struct walltime first;
	struct pcap_frame head; /* the next one */
	bool begun, ended, has_head;
};

struct player {
	const struct replay *replay;
	struct replayed *streams; /* merged: by their first time */
	size_t count, open;
	struct replay_span span;
	int64_t interval_end, stop_at; /* INT64_MAX: none */
	struct walltime latest;
	uint64_t left; /* packets */
	int err;       /* the first of a file */
	int successors_fd;
	bool begun, over;
};

static void open_span(struct player *p, struct walltime t)
{
	int64_t interval = p->replay->interval_ns;
	p->span.since = p->span.until = t;
	if (interval == 0)
		return;
	p->span.since.ns = t.ns - t.ns % interval;
	p->interval_end = p->span.since.ns > INT64_MAX - interval
	    ? INT64_MAX
	    : p->span.since.ns + interval;
	p->span.until.ns = p->interval_end;
}

static int close_span(struct player *p, struct errmsg *msg)
{
	const struct replay *r = p->replay;
	struct replay_span span = p->span;
	p->span = (struct replay_span){ { 0 }, { 0 } };
	p->interval_end = INT64_MAX;
	if (span.until.ns == 0 || !r->interval)
		return 0;
	return r->interval(r->arg, &span, msg);
}

/* A clock that is set back by more than a day begins an interval as well. */
static int end_interval_before(
    struct player *p, struct walltime t, struct errmsg *msg)
{
	if (t.ns < p->interval_end && t.ns >= p->span.since.ns - DAY_NS)
		return 0;
	return close_span(p, msg);
}

static int count_frame(
    struct player *p, const struct pcap_frame *f, struct errmsg *msg)
{
	const struct replay *r = p->replay;
	if (!p->begun && r->for_ns != 0 && f->at.ns < INT64_MAX - r->for_ns)
		p->stop_at = f->at.ns + r->for_ns;
	p->begun = true;
	if (f->at.ns >= p->stop_at) {
		p->over = true;
		return 0;
	}
	if (r->interval_ns != 0) {
		int err = end_interval_before(p, f->at, msg);
		if (err)
			return err;
	}
	if (p->span.until.ns == 0)
		open_span(p, f->at);
	if (r->interval_ns == 0 && f->at.ns < p->span.since.ns)
		p->span.since = f->at;
	if (r->interval_ns == 0 && f->at.ns > p->span.until.ns)
		p->span.until = f->at;
	p->latest = f->at;
	engine_packet(
	    r->engine, f->dlt, f->bytes, f->caplen, f->wirelen, f->at);
	p->over = --p->left == 0;
	return 0;
}

static void end_stream(struct player *p, struct replayed *s)
{
	s->ended = true;
	p->open--;
}

static void report_broken(struct player *p, int err, const struct errmsg *msg)
{
	p->err = p->err ? p->err : err;
	if (p->replay->trouble)
		p->replay->trouble(p->replay->arg, msg);
}

/* 1: *frame is the next one of s; 0: there is none yet, or ever. */
static int next_of(
    struct player *p, struct replayed *s, struct pcap_frame *frame)
{
	struct errmsg why; /* each error fills it in */
	int n = capture_file_next(s->capture, frame, &why);
	if (n >= 0)
		return n;
	if (n != ERR_EOF)
		report_broken(p, n, &why);
	if (n == ERR_EOF || !capture_file_goes_on(s->capture))
		end_stream(p, s);
	return 0;
}

static bool is_stopped(const struct player *p)
{
	struct pollfd out = { p->replay->out_fd, 0, 0 };
	return p->over || (p->replay->stop && *p->replay->stop) ||
	    (poll(&out, 1, 0) > 0 && out.revents != 0);
}

/* ---- merged ---- */

static int by_first_time(const void *a, const void *b)
{
	const struct replayed *s = a, *t = b;
	return s->first.ns < t->first.ns ? -1 : s->first.ns > t->first.ns;
}

static void look_at_first_times(struct player *p)
{
	for (size_t i = 0; p->count > 1 && i < p->count; i++) {
		struct replayed *s = &p->streams[i];
		struct errmsg why = { "" };
		int err = capture_file_first(s->capture, &s->first, &why);
		if (err && err != ERR_EOF)
			report_broken(p, err, &why);
		if (err)
			end_stream(p, s);
	}
	qsort(p->streams, p->count, sizeof(*p->streams), by_first_time);
}

/* The stream whose head is the earliest; *until: how far it may be read before
 * another one's turn comes. */
static struct replayed *earliest(struct player *p, int64_t *until)
{
	struct replayed *best = NULL;
	*until = INT64_MAX;
	for (size_t i = 0; i < p->count; i++) {
		struct replayed *s = &p->streams[i];
		if (s->ended)
			continue;
		if (!s->begun && best && s->first.ns > best->head.at.ns) {
			if (s->first.ns < *until)
				*until = s->first.ns;
			break; /* so are those behind it */
		}
		s->begun = true;
		if (!s->has_head)
			s->has_head = next_of(p, s, &s->head) > 0;
		if (!s->has_head)
			continue;
		struct replayed *later = best;
		if (!best || s->head.at.ns < best->head.at.ns)
			best = s;
		else
			later = s;
		if (later && later->head.at.ns < *until)
			*until = later->head.at.ns;
	}
	return best;
}

static int play_merged(struct player *p, struct errmsg *msg)
{
	unsigned counted = 0;
	int64_t until;
	look_at_first_times(p);
	while (p->open > 0 && !p->over) {
		struct replayed *s = earliest(p, &until);
		while (s && s->has_head && s->head.at.ns <= until) {
			int err = count_frame(p, &s->head, msg);
			if (err)
				return err;
			if (p->over ||
			    (++counted % BATCH == 0 && is_stopped(p)))
				return 0;
			s->has_head = next_of(p, s, &s->head) > 0;
		}
	}
	return 0;
}

/* ---- as they come ---- */

static int play_what_is_there(
    struct player *p, struct replayed *s, struct errmsg *msg)
{
	struct pcap_frame f;
	unsigned counted = 0;
	while (!s->ended && next_of(p, s, &f) > 0) {
		int err = count_frame(p, &f, msg);
		if (err)
			return err;
		if (p->over || (++counted % BATCH == 0 && is_stopped(p)))
			break;
	}
	engine_settle(p->replay->engine);
	return 0;
}

static void take_successor(struct player *p)
{
	struct replay_successor which;
	int fd = -1;
	int err = pass_receive(p->successors_fd, &fd, &which, sizeof(which));
	if (err == -EAGAIN)
		return;
	if (err == 0 && which.file < p->count &&
	    capture_file_succeed(p->streams[which.file].capture, fd) == 0)
		return;
	if (err == 0)
		close(fd);
	else
		p->successors_fd = -1; /* who sends them has gone */
}

/* One at a time: what is not taken waits in the socket. */
static int successors_to_poll(const struct player *p)
{
	for (size_t i = 0; i < p->count; i++)
		if (capture_file_is_succeeded(p->streams[i].capture))
			return -1;
	return p->successors_fd;
}

/* The clock ends the interval of a capture that goes on and is silent. */
static int end_silent(struct player *p, struct errmsg *msg)
{
	struct walltime now = walltime_add(walltime_now(), -BUFFERED_NS);
	int64_t behind = walltime_diff(now, p->latest);
	if (!p->begun || behind > DAY_NS)
		return 0;
	if (now.ns >= p->stop_at)
		p->over = true;
	return now.ns < p->interval_end ? 0 : close_span(p, msg);
}

static bool any_goes_on(const struct player *p)
{
	for (size_t i = 0; i < p->count; i++)
		if (!p->streams[i].ended &&
		    capture_file_goes_on(p->streams[i].capture))
			return true;
	return false;
}

/* Pipes when poll says so, files each time. */
static int play_round(struct player *p, struct pollfd *fds, struct errmsg *msg)
{
	for (size_t i = 0; i < p->count && !p->over; i++) {
		struct replayed *s = &p->streams[i];
		bool waits = capture_file_waits(s->capture);
		if (s->ended || (waits && fds[i].revents == 0))
			continue;
		if (waits)
			capture_file_turn(s->capture);
		int err = play_what_is_there(p, s, msg);
		if (err)
			return err;
		if (s->ended)
			fds[i].fd = -1;
	}
	return any_goes_on(p) ? end_silent(p, msg) : 0;
}

static int play_as_they_come(struct player *p, struct errmsg *msg)
{
	size_t n = p->count;
	struct pollfd *fds = xcalloc(n + 2, sizeof(*fds));
	int err = 0;
	for (size_t i = 0; i < n; i++) {
		const struct capture *c = p->streams[i].capture;
		fds[i] = (struct pollfd){ capture_fd(c), POLLIN, 0 };
		if (!capture_file_waits(c))
			fds[i].fd = -1;
	}
	p->successors_fd = p->replay->successors_fd;
	fds[n + 1] = (struct pollfd){ p->replay->out_fd, 0, 0 };
	while (p->open > 0 && !err && !is_stopped(p)) {
		err = play_round(p, fds, msg);
		if (err || p->open == 0 || p->over)
			break;
		fds[n] = (struct pollfd){ successors_to_poll(p), POLLIN, 0 };
		if (poll(fds, n + 2, LOOK_MS) < 0 && errno != EINTR)
			err = err_set(msg, -errno, "poll: %s", err_str(-errno));
		else if (fds[n].revents != 0)
			take_successor(p);
	}
	free(fds);
	return err;
}

int replay_run(
    const struct replay *r, struct replay_span *span, struct errmsg *msg)
{
	struct player p = {
		.replay = r,
		.streams = xcalloc(r->file_count, sizeof(*p.streams)),
		.count = r->file_count,
		.open = r->file_count,
		.interval_end = INT64_MAX,
		.stop_at = INT64_MAX,
		.left = r->max_packets ? r->max_packets : UINT64_MAX,
	};
	bool in_order = true;
	for (size_t i = 0; i < p.count; i++) {
		p.streams[i].capture = r->files[i];
		in_order &= !capture_file_waits(r->files[i]) &&
		    !capture_file_goes_on(r->files[i]);
	}
	int err;
	if (in_order)
		err = play_merged(&p, msg);
	else if (p.count <= REPLAY_AT_ONCE_MOST)
		err = play_as_they_come(&p, msg);
	else
		err = err_set(msg, ERR_USAGE,
		    "%zu files, expected at most %d when one of them is a pipe",
		    p.count, REPLAY_AT_ONCE_MOST);
	engine_settle(r->engine);
	*span = p.span;
	free(p.streams);
	return err ? err : p.err;
}
