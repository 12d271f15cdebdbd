/* SPDX-License-Identifier: ISC */
/*
 * poll over the captures.  Intervals are timed by the monotonic clock, so a
 * step of the wall clock neither stretches nor splits one; only the first is
 * shortened, so that intervals begin at whole multiples.
 */
#include <errno.h>
#include <poll.h>

#include "probes/sensor/capture-loop.h"
#include "probes/sensor/sensor.h"

#define BATCH 4096
#define FOREVER INT64_MAX
#define REST_MS 50

struct state {
	const struct loop *loop;
	struct pollfd fds[SENSOR_INTERFACES_MAX + 1];
	size_t open; /* captures that have not ended */
	struct monotime end, next;
	bool unfinished; /* the interval's end */
};

struct frame_taker {
	struct engine *engine;
	struct loop_frames *frames; /* NULL: none */
};

static void on_frame(void *arg, int dlt, const uint8_t *bytes, size_t caplen,
    size_t wirelen, struct walltime at)
{
	const struct frame_taker *taker = arg;
	struct loop_frames *frames = taker->frames;
	if (!frames || frames->read++ >= frames->skip)
		engine_packet(taker->engine, dlt, bytes, caplen, wirelen, at);
}

static void state_init(struct state *s, const struct loop *loop)
{
	struct monotime now = monotime_now();
	int64_t since =
	    loop->interval_ns ? walltime_now().ns % loop->interval_ns : 0;
	*s = (struct state){ .loop = loop, .open = loop->capture_count };
	s->end.ns = loop->for_ns ? now.ns + loop->for_ns : FOREVER;
	s->next.ns =
	    loop->interval_ns ? now.ns + loop->interval_ns - since : FOREVER;
	for (size_t i = 0; i < loop->capture_count; i++)
		s->fds[i] =
		    (struct pollfd){ capture_fd(loop->captures[i]), POLLIN, 0 };
	s->fds[loop->capture_count] = (struct pollfd){ loop->out_fd, 0, 0 };
}

static int wait_ms(const struct state *s)
{
	if (s->unfinished)
		return 0;
	int64_t until = s->end.ns < s->next.ns ? s->end.ns : s->next.ns;
	int64_t left = until - monotime_now().ns;
	if (until == FOREVER || left > INT64_C(60) * NS_PER_S)
		return until == FOREVER ? -1 : 60000;
	return left <= 0 ? 0 : (int)(left / NS_PER_MS) + 1;
}

static uint64_t packets_left(const struct state *s)
{
	uint64_t seen = engine_counts(s->loop->engine)->packets;
	uint64_t max = s->loop->max_packets;
	return max == 0 ? UINT64_MAX : max > seen ? max - seen : 0;
}

static int read_capture(struct state *s, size_t i, struct errmsg *msg)
{
	uint64_t left = packets_left(s);
	int count = left < BATCH ? (int)left : BATCH;
	if (count == 0)
		return 0;
	struct frame_taker taker = { s->loop->engine,
		s->loop->frames ? &s->loop->frames[i] : NULL };
	int n =
	    capture_read(s->loop->captures[i], count, on_frame, &taker, msg);
	engine_settle(s->loop->engine);
	if (s->loop->read)
		s->loop->read(s->loop->arg, i, n == ERR_EOF);
	if (n == ERR_EOF) {
		s->fds[i].fd = -1;
		s->open--;
		return 0;
	}
	return n < 0 ? n : 0;
}

static int read_all(struct state *s, struct errmsg *msg)
{
	for (size_t i = 0; i < s->loop->capture_count; i++) {
		if (s->fds[i].fd < 0 || s->fds[i].revents == 0)
			continue;
		int err = read_capture(s, i, msg);
		if (err)
			return err;
	}
	return 0;
}

static void report_counts(const struct state *s)
{
	if (s->loop->counted)
		s->loop->counted(s->loop->arg);
}

static int end_interval(struct state *s, struct errmsg *msg)
{
	struct monotime now = monotime_now();
	if (now.ns < s->next.ns && !s->unfinished)
		return 0;
	while (s->next.ns <= now.ns)
		s->next.ns += s->loop->interval_ns;
	int n = s->loop->interval ? s->loop->interval(s->loop->arg, msg) : 0;
	s->unfinished = n > 0;
	return n < 0 ? n : 0;
}

static bool is_over(const struct state *s)
{
	return s->open == 0 || (s->loop->stop && *s->loop->stop) ||
	    packets_left(s) == 0 || monotime_now().ns >= s->end.ns ||
	    s->fds[s->loop->capture_count].revents & (POLLERR | POLLHUP);
}

/* What the kernel has taken and not handed over yet. */
static int read_rest(struct state *s, struct errmsg *msg)
{
	s->open = 0;
	for (size_t i = 0; i < s->loop->capture_count; i++) {
		if (s->fds[i].fd >= 0 && capture_finish(s->loop->captures[i]))
			s->open++;
		else
			s->fds[i].fd = -1;
	}
	while (s->open > 0 && packets_left(s) > 0) {
		poll(s->fds, s->loop->capture_count, REST_MS);
		for (size_t i = 0; i < s->loop->capture_count; i++)
			s->fds[i].revents = POLLIN;
		int err = read_all(s, msg);
		report_counts(s);
		if (err < 0)
			return err;
	}
	return 0;
}

int loop_run(const struct loop *loop, struct errmsg *msg)
{
	struct state s;
	state_init(&s, loop);
	while (!is_over(&s)) {
		int n = poll(s.fds, loop->capture_count + 1, wait_ms(&s));
		if (n < 0 && errno != EINTR)
			return err_set(
			    msg, -errno, "poll: %s", err_str(-errno));
		int err = n > 0 ? read_all(&s, msg) : 0;
		report_counts(&s);
		if (!err)
			err = end_interval(&s, msg);
		if (err)
			return loop->stop && *loop->stop ? 0 : err;
	}
	return read_rest(&s, msg);
}
