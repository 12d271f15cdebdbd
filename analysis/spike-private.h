/* SPDX-License-Identifier: ISC */
/* The state of one series, for spikes.c and spike-pack.c alone. */
#pragma once

#include "analysis/spikes.h"

enum {
	CALM_BINS = 3, /* as before for so long ends an alarm */
	/* An excursion that comes to nothing for so long is how the series
	 * is, and is learnt as it goes. */
	PENDING_MOST = 500,
};

struct baseline {
	double sum, bins;      /* forgetting sums: mean = sum / bins */
	double excess, weight; /* of squared residuals over the mean */
	double memory;         /* bins until 1/e is forgotten */
	/* Per phase; NULL: none.  Until the rhythm is known, how many bins
	 * there were stands for what was expected. */
	struct {
		double seen, expected;
	} * season;
	size_t season_bins;
	bool rhythm; /* is known */
};

/* A bin that was watched. */
struct observed {
	uint64_t bin;
	double count;
};
/* Sums over the watched bins so far; differences of two are sums between. */
struct totals {
	double bins, seen, expected;
};

struct cusum {
	double sum;
	uint64_t start;       /* first bin of the excursion */
	struct totals before; /* it */
	struct observed first[CALM_BINS];
	size_t first_count;
};

struct spike_state {
	struct spike_config config;
	struct baseline base;
	struct cusum way[2]; /* by enum spike_direction */
	size_t watched;      /* bins, until it has warmed up */
	struct totals totals;
	struct observed *pending; /* of an excursion, not learnt yet */
	size_t pending_count;
	struct observed *recent; /* a ring */
	size_t ring;             /* its places */
	size_t recent_count;     /* ever; the newest is at count - 1 */
	bool alarmed;
	struct spike_alarm alarm; /* the one that is on */
	struct totals before;     /* its onset */
	struct observed first[CALM_BINS];
	size_t first_count;
	size_t calm, lasted; /* bins in the band; bins of this alarm */
	double seen_sum;     /* of the alarm's bins so far */
};

const char *spike_test_name(enum spike_direction way);
