/* SPDX-License-Identifier: ISC */
/*
 * Rises and falls in a count per bin, judged on distinct sources: packets of
 * a worm are so bursty that a Poisson test on them cries daily, sources are
 * nearly Poisson.  A sequential test with a stated average run length between
 * false alarms, on a baseline that follows slow change and ignores alarms.
 *
 * What `make calibrate` measures, for a level that keeps still, means of 0.05
 * to 1,000 and a variance of up to 5 times the mean (of up to 2 times where the
 * mean is below 2):
 *
 * - The stated run length is a lower bound, for rises and for falls apart, and
 *   no tight one: false alarms come at most two fifths as often.  Rarer
 *   and burstier series alarm more often: only more data can separate their
 *   bursts from a change.
 * - In 95 of 100 cases a rise is found within so many bins: tenfold, of means
 *   of 0.5 to 2, 5; of 2 to 10, 3; threefold, of 2 to 10, 20; of 10 and more,
 *   3.  A fall to a fifth: of means of 2 to 10, 30; of 10 and more, 5.  Of
 *   means below 0.5 a tenfold rise is found within 20 bins in 3 of 4 cases;
 *   means below 1 have no falls.
 * - A rhythm of any depth up to 95 %, of seasons of 7 to 144 bins, changes
 *   nothing of that: false alarms come at most half as often as stated.  A
 *   fourfold rise of means of 5 and more is found within a season.
 * - Of k series, each with a run length of 2 k times what is promised of all
 *   together, there is at most one false alarm in the promised time, whatever
 *   they have to do with each other: their weighted mean is a test as well.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"

enum spike_direction { SPIKE_RISE, SPIKE_FALL };

struct spike_bin {
	double count;
	bool missing; /* the sensor did not watch: not a zero */
};

struct spike_config {
	size_t warmup_bins; /* learn only; 14 for days */
	double run_length;  /* bins between false alarms on average, per test */
	/* 7 for days, 24 for hours; 0: none.  The first two seasons are learnt
	 * from, whatever warmup_bins says. */
	size_t season_bins;
};
#define SPIKE_SEASONS_LEARNT 2
/* Bins that are watched before one is judged. */
size_t spike_learnt_bins(const struct spike_config *config);
extern const struct spike_config spike_defaults;

struct spike_alarm {
	enum spike_direction direction;
	uint64_t onset, detected, end; /* bins; end means nothing while on */
	bool ended;
	double observed, expected; /* per bin, mean over the alarm */
	const char *test;          /* static text: the name of the test */
	double run_length;         /* stated, in bins */
};

/* The baseline band for drawing: expected and its bounds per bin. */
struct spike_band {
	double expected, low, high;
};

/*
 * One series, bin by bin: some hundred bytes, 16 more for each bin of the
 * warm-up, and up to 8 KB while an excursion may become an alarm.  Bins are
 * numbered by the caller, ascending, without holes (missing ones are steps
 * too, and cost nothing); a season's phase is the number modulo its bins.
 */
struct spike_state;
struct spike_step {
	bool ended, raised;
	struct spike_alarm over; /* the one that ended here */
};
struct spike_state *spike_state_new(const struct spike_config *config);
void spike_state_free(struct spike_state *state); /* NULL is fine */
void spike_state_step(struct spike_state *state, uint64_t bin,
    const struct spike_bin *value, struct spike_step *step);
/* The alarm that is on, with its means so far; false: none is. */
bool spike_state_alarm(
    const struct spike_state *state, struct spike_alarm *alarm);
/* Before the step of that bin. */
void spike_state_band(
    const struct spike_state *state, uint64_t bin, struct spike_band *band);

/* Appended to `to`. */
void spike_state_pack(const struct spike_state *state, struct buf *to);
/* NULL: not a state, or one of another configuration. */
struct spike_state *spike_state_unpack(
    const struct spike_config *config, const void *bytes, size_t len);

/* A whole series at once, numbered from 0.
 * alarms: allocated, the caller frees; returns how many.  band may be NULL or
 * has count entries.  An alarm that is on has end == count. */
size_t spikes_find(const struct spike_bin *bins, size_t count,
    const struct spike_config *config, struct spike_alarm **alarms,
    struct spike_band *band);
