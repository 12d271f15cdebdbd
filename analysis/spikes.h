/* SPDX-License-Identifier: ISC */
/*
 * Rises and falls in a count per bin, judged on distinct sources: packets of
 * a worm are so bursty that a Poisson test on them cries daily, sources are
 * nearly Poisson.  A sequential test with a stated average run length between
 * false alarms, on a baseline that follows slow change and ignores alarms.
 *
 * The stated run length is a lower bound for counts with a mean of 2 or more
 * and a variance of up to 5 times the mean, or of up to 2 times for rarer
 * ones (tests/analysis/test_spikes.c measures it).  Rarer and burstier series
 * alarm more often: only more data can separate their bursts from a change.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/clock.h"

enum spike_direction { SPIKE_RISE, SPIKE_FALL };

struct spike_bin {
	double count;
	bool missing; /* the sensor did not watch: not a zero */
};

struct spike_config {
	size_t warmup_bins; /* learn only; 14 for days */
	double run_length;  /* bins between false alarms on average, per test */
	size_t season_bins; /* 7 for days, 24 for hours; 0: none */
};
extern const struct spike_config spike_defaults;

struct spike_alarm {
	enum spike_direction direction;
	size_t onset, detected, end; /* bin indexes; end == count: still on */
	bool ended;
	double observed, expected; /* per bin, mean over the alarm */
	const char *test;          /* static text: the name of the test */
	double run_length;         /* stated, in bins */
};

/* The baseline band for drawing: expected and its bounds per bin. */
struct spike_band {
	double expected, low, high;
};

/* alarms: allocated, the caller frees; returns how many.  band may be NULL or
 * has count entries. */
size_t spikes_find(const struct spike_bin *bins, size_t count,
    const struct spike_config *config, struct spike_alarm **alarms,
    struct spike_band *band);
