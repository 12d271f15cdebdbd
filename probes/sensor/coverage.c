/* SPDX-License-Identifier: ISC */
#include "probes/sensor/coverage.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "lib/packet/packet.h"

#define ROWS_MOST (2 * CAPTURE_INTERFACES_MAX)

struct coverage_row {
	const char *name;
	size_t capture, place;      /* of the interface in its capture */
	bool is_file, ended, known; /* known: a span was given */
	struct capture_coverage now, before; /* before: at the span's start */
	const char *state;                   /* of the span */
	const char *why;
	struct walltime first;
	struct monotime begun;
	uint64_t reasons[PACKET_REASONS]; /* of the span */
};

struct coverage {
	struct capture *const *captures;
	size_t capture_count;
	struct coverage_row rows[ROWS_MOST];
	size_t row_count;
	uint64_t reasons[PACKET_REASONS]; /* of the engine, so far */
};

static struct coverage_row *row_of(
    struct coverage *c, size_t capture, size_t place)
{
	for (size_t i = 0; i < c->row_count; i++)
		if (c->rows[i].capture == capture && c->rows[i].place == place)
			return &c->rows[i];
	return NULL;
}

static const char *state_of(const struct coverage_row *row)
{
	return row->ended ? "ended" : capture_state_name(row->now.state);
}

static void begin_span(struct coverage_row *row, struct walltime wall)
{
	row->first = wall;
	row->begun = monotime_now();
	row->before = row->now;
	row->state = state_of(row);
	row->why = row->now.why;
	memset(row->reasons, 0, sizeof(row->reasons));
}

/* Fills `now` of every row. */
static void look(struct coverage *c)
{
	for (size_t k = 0; k < c->capture_count; k++) {
		struct capture_coverage news[CAPTURE_INTERFACES_MAX];
		size_t count = capture_coverage(
		    c->captures[k], news, CAPTURE_INTERFACES_MAX);
		for (size_t i = 0; i < count; i++) {
			struct coverage_row *row = row_of(c, k, i);
			if (row)
				row->now = news[i];
		}
	}
}

struct coverage *coverage_new(
    struct capture *const *captures, const char *const *names, size_t count)
{
	struct coverage *c = xcalloc(1, sizeof(*c));
	c->captures = captures;
	c->capture_count = count;
	for (size_t k = 0; k < count; k++) {
		struct capture_coverage news[CAPTURE_INTERFACES_MAX];
		size_t live =
		    capture_coverage(captures[k], news, CAPTURE_INTERFACES_MAX);
		for (size_t i = 0; i < (live ? live : 1); i++) {
			struct coverage_row *row = &c->rows[c->row_count++];
			*row = (struct coverage_row){ .name = names[k],
				.capture = k,
				.place = i,
				.is_file = live == 0 };
			if (live > 0) {
				row->now = news[i];
				row->name = news[i].name;
			} else {
				row->now.state = CAPTURE_UP;
				row->now.why = "";
				row->now.since = walltime_now();
			}
			begin_span(row, walltime_now());
		}
	}
	return c;
}

void coverage_free(struct coverage *c)
{
	free(c);
}

void coverage_count(
    struct coverage *c, size_t capture, const struct engine_counts *counts)
{
	struct coverage_row *row =
	    row_of(c, capture, capture_current(c->captures[capture]));
	for (size_t i = 0; i < PACKET_REASONS; i++) {
		if (row)
			row->reasons[i] += counts->reasons[i] - c->reasons[i];
		c->reasons[i] = counts->reasons[i];
	}
}

void coverage_ended(struct coverage *c, size_t capture)
{
	struct coverage_row *row = row_of(c, capture, 0);
	if (row && row->is_file)
		row->ended = true;
}

static void emit_span(
    struct coverage_row *row, struct walltime now, coverage_fn *fn, void *arg)
{
	Sonde__Counter counters[PACKET_REASONS], *list[PACKET_REASONS];
	Sonde__Coverage span = SONDE__COVERAGE__INIT;
	span.interface = (char *)row->name;
	span.state = (char *)row->state;
	span.why = (char *)row->why;
	span.first_wall_ns = row->first.ns;
	span.last_wall_ns = now.ns > row->first.ns ? now.ns : row->first.ns;
	span.since_wall_ns = row->before.since.ns;
	span.captured = row->now.captured - row->before.captured;
	span.dropped_kernel =
	    row->now.dropped_kernel - row->before.dropped_kernel;
	span.dropped_ring = row->now.dropped_ring - row->before.dropped_ring;
	span.dropped_own = row->now.dropped_own - row->before.dropped_own;
	span.ring_bytes = row->now.ring_bytes;
	for (size_t i = 0; i < PACKET_REASONS; i++) {
		if (row->reasons[i] == 0)
			continue;
		Sonde__Counter *counter = &counters[span.n_not_understood];
		sonde__counter__init(counter);
		counter->name =
		    (char *)packet_reason_name((enum packet_reason)i);
		counter->value = row->reasons[i];
		list[span.n_not_understood++] = counter;
	}
	span.not_understood = list;
	fn(arg, &span);
}

void coverage_emit(struct coverage *c, bool all, coverage_fn *fn, void *arg)
{
	struct walltime wall = walltime_now();
	struct monotime now = monotime_now();
	look(c);
	for (size_t i = 0; i < c->row_count; i++) {
		struct coverage_row *row = &c->rows[i];
		bool changed = strcmp(row->state, state_of(row)) != 0;
		bool over = monotime_diff(now, row->begun) >= COVERAGE_SPAN_NS;
		if (!changed && (!(all || over) || row->ended))
			continue;
		emit_span(row, wall, fn, arg);
		begin_span(row, wall);
		row->known = !changed;
	}
	for (size_t i = 0; i < c->row_count; i++) {
		if (!c->rows[i].known)
			emit_span(&c->rows[i], c->rows[i].first, fn, arg);
		c->rows[i].known = true;
	}
}

struct coverage_sums coverage_sums(const struct coverage *c)
{
	struct coverage_sums sums = { 0 };
	for (size_t i = 0; i < c->row_count; i++) {
		const struct coverage_row *row = &c->rows[i];
		if (row->ended)
			continue;
		sums.interfaces++;
		sums.watched += row->now.state == CAPTURE_UP;
		sums.dropped_kernel += row->now.dropped_kernel;
		sums.dropped_ring += row->now.dropped_ring;
		sums.dropped_own += row->now.dropped_own;
		if (row->now.state != CAPTURE_UP &&
		    (sums.blind_since.ns == 0 ||
			row->now.since.ns < sums.blind_since.ns))
			sums.blind_since = row->now.since;
	}
	return sums;
}

bool coverage_state(
    const struct coverage *c, size_t i, struct coverage_state *state)
{
	if (i >= c->row_count)
		return false;
	const struct coverage_row *row = &c->rows[i];
	*state = (struct coverage_state){ row->name,
		row->now.state == CAPTURE_UP && !row->ended, row->now.since };
	return true;
}
