/* SPDX-License-Identifier: ISC */
/*
 * What analysis/spikes.h says of series with a rhythm, and what `sonde spikes`
 * makes of it for many series at once.  Rhythms are waves, or two levels as of
 * days and nights, of any depth; their seasons those of hours, weekdays and
 * ten-minute bins of a day.
 */
#include <math.h>
#include <stdio.h>

#include "analysis/spikes.h"
#include "tests/calibrate/claim.h"

#define QUIET_BINS 6000
#define FAMILY_BINS 1500
#define STEP_BINS 100

static const struct cell {
	double mean_low, mean_high;
	const char *name;
} cells[] = {
	{ 0.05, 0.5, "means of 0.05 to 0.5" },
	{ 0.5, 5, "means of 0.5 to 5" },
	{ 5, 50, "means of 5 to 50" },
	{ 50, 1000, "means of 50 to 1000" },
};
#define CELLS (sizeof(cells) / sizeof(*cells))
static const size_t seasons[] = { 7, 24, 144 };
#define SEASONS (sizeof(seasons) / sizeof(*seasons))
static const size_t families[] = { 10, 100 };
#define FAMILIES (sizeof(families) / sizeof(*families))

struct sums {
	double alarms[CELLS][2], times[CELLS];
	double by_season[SEASONS], season_times[SEASONS];
	double family_alarms[FAMILIES], family_times[FAMILIES];
	double tried, found;
};

struct rhythm {
	double mean, spread, depth;
	size_t season;
	bool is_wave;
};

static double draw_bin(const struct rhythm *r, uint64_t bin, double factor)
{
	double phase = (double)(bin % r->season) / (double)r->season;
	double wave = r->is_wave ? sin(2 * M_PI * phase) : phase < 0.6 ? 1 : -1;
	return draw_negative_binomial(
	    r->mean * factor * (1 + r->depth * wave), r->spread);
}

/* Adds alarms by direction; with a step, the bins until it is found. */
static size_t watch(const struct spike_config *config, const struct rhythm *r,
    uint64_t quiet, double *alarms)
{
	struct spike_state *s = spike_state_new(config);
	uint64_t learnt = spike_learnt_bins(config);
	struct spike_alarm alarm;
	struct spike_step step;
	uint64_t bin = 0, end;
	for (; bin < learnt + quiet; bin++) {
		struct spike_bin value = { .count = draw_bin(r, bin, 1) };
		spike_state_step(s, bin, &value, &step);
		if (step.raised && spike_state_alarm(s, &alarm))
			alarms[alarm.direction]++;
	}
	bool on = spike_state_alarm(s, &alarm);
	for (end = bin + STEP_BINS; !on && bin < end; bin++) {
		struct spike_bin value = { .count = draw_bin(r, bin, 4) };
		spike_state_step(s, bin, &value, &step);
		if (step.raised)
			break;
	}
	spike_state_free(s);
	return on ? 0 : STEP_BINS - (size_t)(end - bin) + 1;
}

static void try_family(uint64_t number, struct sums *sums)
{
	size_t f = (size_t)(number % FAMILIES);
	double alarms[2] = { 0 };
	struct spike_config config = spike_defaults;
	config.run_length *= 2 * (double)families[f];
	for (size_t i = 0; i < families[f]; i++) {
		struct rhythm r = { .mean = draw_log_between(0.05, 100),
			.spread = draw_between(1, 2),
			.season = 1 };
		watch(&config, &r, FAMILY_BINS, alarms);
	}
	sums->family_alarms[f] += alarms[SPIKE_RISE] + alarms[SPIKE_FALL];
	sums->family_times[f] += FAMILY_BINS / spike_defaults.run_length;
}

static void try_truth(uint64_t number, double *to)
{
	struct sums *sums = (struct sums *)to;
	size_t c = (size_t)(number % CELLS);
	size_t n = (size_t)(number / CELLS % SEASONS);
	struct rhythm r = {
		.mean = draw_log_between(cells[c].mean_low, cells[c].mean_high),
		.spread = draw_between(1, cells[c].mean_low < 2 ? 2 : 3),
		.depth = draw_between(0, 0.95),
		.season = seasons[n],
		.is_wave = draw_number(2) == 0,
	};
	struct spike_config config = spike_defaults;
	double alarms[2] = { 0 };
	config.season_bins = r.season;
	size_t delay = watch(&config, &r, QUIET_BINS, alarms);
	double times = QUIET_BINS / config.run_length;
	for (int way = 0; way < 2; way++) {
		sums->alarms[c][way] += alarms[way];
		sums->by_season[n] += alarms[way];
	}
	sums->times[c] += times;
	sums->season_times[n] += 2 * times;
	if (delay > 0 && c >= 2) {
		sums->tried++;
		sums->found += delay <= (r.season < 24 ? 7 : r.season);
	}
	try_family(number, sums);
}

static void judge(const double *from)
{
	static const char *const ways[] = { "rises", "falls" };
	const struct sums *s = (const struct sums *)from;
	char what[120];
	for (size_t c = 0; c < CELLS; c++)
		for (int way = 0; way < 2; way++) {
			snprintf(what, sizeof(what),
			    "false %s with a rhythm, %s", ways[way],
			    cells[c].name);
			judge_rare(what, s->times[c], s->alarms[c][way]);
		}
	for (size_t n = 0; n < SEASONS; n++) {
		snprintf(what, sizeof(what),
		    "false alarms with a season of %zu bins", seasons[n]);
		judge_rare(what, s->season_times[n], s->by_season[n]);
	}
	for (size_t f = 0; f < FAMILIES; f++) {
		snprintf(what, sizeof(what),
		    "false alarms of %zu series together", families[f]);
		judge_rare(what, s->family_times[f], s->family_alarms[f]);
	}
	judge_at_least("fourfold rise with a rhythm found within a season, "
		       "means of 5 and more",
	    0.95, s->tried, s->found);
}

int main(int argc, char **argv)
{
	static const struct claim claim = {
		sizeof(struct sums) / sizeof(double), try_truth, judge
	};
	return claim_main(argc, argv, &claim);
}
