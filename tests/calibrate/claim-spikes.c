/* SPDX-License-Identifier: ISC */
/*
 * What analysis/spikes.h says of false alarms and of the delay to true ones.
 * Series keep one level; their means and spreads (variance over mean) are
 * drawn over the whole range that is claimed, in cells that are judged apart.
 */
#include <stdio.h>
#include <stdlib.h>

#include "analysis/spikes.h"
#include "lib/base/xalloc.h"
#include "tests/calibrate/claim.h"

#define QUIET_BINS 10000
#define STEP_BINS 200

struct cell {
	double mean_low, mean_high, spread_high;
	const char *name;
};
static const struct cell cells[] = {
	{ 0.05, 0.5, 2, "means of 0.05 to 0.5, spread to 2" },
	{ 0.5, 2, 2, "means of 0.5 to 2, spread to 2" },
	{ 2, 10, 2, "means of 2 to 10, spread to 2" },
	{ 2, 10, 5, "means of 2 to 10, spread to 5" },
	{ 10, 100, 2, "means of 10 to 100, spread to 2" },
	{ 10, 100, 5, "means of 10 to 100, spread to 5" },
	{ 100, 1000, 2, "means of 100 to 1000, spread to 2" },
	{ 100, 1000, 5, "means of 100 to 1000, spread to 5" },
};
#define CELLS (sizeof(cells) / sizeof(*cells))
/* Steps that the header promises to find, in how many cases and how soon. */
static const struct step {
	size_t first, last; /* cells */
	double factor;
	size_t within;
	double share;
	const char *name;
} steps[] = {
	{ 0, 0, 10, 20, 0.75, "tenfold rise, means of 0.05 to 0.5" },
	{ 1, 1, 10, 5, 0.95, "tenfold rise, means of 0.5 to 2" },
	{ 2, 3, 3, 20, 0.95, "threefold rise, means of 2 to 10" },
	{ 2, 3, 10, 3, 0.95, "tenfold rise, means of 2 to 10" },
	{ 4, 7, 3, 3, 0.95, "threefold rise, means of 10 to 1000" },
	{ 2, 3, 0.2, 30, 0.95, "fall to a fifth, means of 2 to 10" },
	{ 4, 7, 0.2, 5, 0.95, "fall to a fifth, means of 10 to 1000" },
};
#define STEPS (sizeof(steps) / sizeof(*steps))

typedef double draw_fn(double mean, double spread);

/* Of quiet series: alarms by direction, and run lengths watched, apart for
 * counts with a heavy tail; the same with the collector's configuration.  Of
 * steps: how many, how many in time, bins until the alarm. */
struct sums {
	double alarms[CELLS][2][2], times[CELLS][2];
	double slow_alarms[2], slow_times;
	double tried[STEPS], found[STEPS], delay[STEPS];
	double by_delay[STEPS][STEP_BINS + 1];
};

/* Simulated run lengths; adds alarms by direction. */
static double watch_quiet(const struct spike_config *config, draw_fn *draw,
    double mean, double spread, double *alarms)
{
	struct spike_state *s = spike_state_new(config);
	struct spike_step step;
	for (uint64_t bin = 0; bin < config->warmup_bins + QUIET_BINS; bin++) {
		struct spike_bin value = { .count = draw(mean, spread) };
		struct spike_alarm alarm;
		spike_state_step(s, bin, &value, &step);
		if (step.raised && spike_state_alarm(s, &alarm))
			alarms[alarm.direction]++;
	}
	spike_state_free(s);
	return QUIET_BINS / config->run_length;
}

/* Bins from the step to its alarm, 1 for the first; STEP_BINS: none came;
 * 0: a false alarm was on. */
static size_t watch_step(double mean, double spread, double factor)
{
	struct spike_state *s = spike_state_new(&spike_defaults);
	uint64_t quiet = 30 + draw_number(400), bin = 0;
	struct spike_alarm alarm;
	struct spike_step step;
	size_t delay = 0;
	for (; bin < quiet; bin++) {
		struct spike_bin value = { .count =
			draw_negative_binomial(mean, spread) };
		spike_state_step(s, bin, &value, &step);
	}
	if (!spike_state_alarm(s, &alarm)) {
		do {
			struct spike_bin value = { .count =
				draw_negative_binomial(
				    mean * factor, spread) };
			spike_state_step(s, bin++, &value, &step);
			delay++;
		} while (delay < STEP_BINS &&
		    !(spike_state_alarm(s, &alarm) &&
			alarm.direction ==
			    (factor > 1 ? SPIKE_RISE : SPIKE_FALL)));
	}
	spike_state_free(s);
	return delay;
}

static void try_truth(uint64_t number, double *to)
{
	/* A collector's: a false alarm a week and series, of bins of 60 s. */
	static const struct spike_config slow = { .warmup_bins = 60,
		.run_length = 10080 };
	struct sums *sums = (struct sums *)to;
	size_t c = (size_t)(number % CELLS);
	size_t heavy = number / CELLS % 4 == 3;
	double mean = draw_log_between(cells[c].mean_low, cells[c].mean_high);
	double spread =
	    draw_between(cells[c].spread_high > 2 ? 2 : 1, cells[c].spread_high);
	draw_fn *draw =
	    heavy ? draw_lognormal_poisson : draw_negative_binomial;
	sums->times[c][heavy] += watch_quiet(
	    &spike_defaults, draw, mean, spread, sums->alarms[c][heavy]);
	if (!heavy)
		sums->slow_times += watch_quiet(
		    &slow, draw, mean, spread, sums->slow_alarms);
	for (size_t i = 0; i < STEPS; i++) {
		if (c < steps[i].first || c > steps[i].last)
			continue;
		size_t delay = watch_step(mean, spread, steps[i].factor);
		if (delay == 0)
			continue;
		sums->tried[i]++;
		sums->found[i] += delay <= steps[i].within;
		sums->delay[i] += (double)delay;
		sums->by_delay[i][delay]++;
	}
}

static void judge_quiet(const struct sums *s)
{
	static const char *const ways[] = { "rises", "falls" };
	char what[120];
	for (size_t way = 0; way < 2; way++) {
		double times = 0, alarms = 0;
		for (size_t c = 0; c < CELLS; c++) {
			snprintf(what, sizeof(what), "false %s, %s", ways[way],
			    cells[c].name);
			judge_rare(what, s->times[c][0], s->alarms[c][0][way]);
			times += s->times[c][1];
			alarms += s->alarms[c][1][way];
		}
		snprintf(what, sizeof(what),
		    "false %s, one in 10080 bins as at the collector",
		    ways[way]);
		judge_rare(what, s->slow_times, s->slow_alarms[way]);
		if (times > 0) {
			snprintf(what, sizeof(what),
			    "false %s of lognormal counts, all means",
			    ways[way]);
			judge_rare(what, times, alarms);
		}
	}
}

static size_t delay_quantile(const double *by_delay, double n, double q)
{
	double sum = 0;
	for (size_t d = 0; d <= STEP_BINS; d++)
		if ((sum += by_delay[d]) >= q * n)
			return d;
	return STEP_BINS;
}

static void judge(const double *from)
{
	const struct sums *s = (const struct sums *)from;
	char what[120];
	judge_quiet(s);
	for (size_t i = 0; i < STEPS; i++) {
		snprintf(what, sizeof(what), "found in %zu bins: %s",
		    steps[i].within, steps[i].name);
		judge_at_least(
		    what, steps[i].share, s->tried[i], s->found[i]);
		snprintf(what, sizeof(what), "bins until it is found: %s",
		    steps[i].name);
		show(what, "%.1f on average, %zu in 95 %%",
		    s->delay[i] / s->tried[i],
		    delay_quantile(s->by_delay[i], s->tried[i], 0.95));
	}
}

int main(int argc, char **argv)
{
	static const struct claim claim = { sizeof(struct sums) /
		    sizeof(double),
		try_truth, judge };
	return claim_main(argc, argv, &claim);
}
