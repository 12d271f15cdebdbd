/* SPDX-License-Identifier: ISC */
/*
 * Two Page CUSUM tests, one for rises and one for falls, each on the log
 * likelihood ratio of a count under "more (or fewer) sources" against "as
 * before".  A CUSUM of log likelihood ratios with threshold h raises a false
 * alarm on average at most once in e^h bins (Lorden 1971), whatever the two
 * distributions are: the threshold is ln(run_length) and needs no table.
 *
 * Counts are negative binomial with variance = dispersion x mean; both are
 * learnt as the series goes, with slow forgetting.  Bins of an excursion that
 * may become an alarm are learnt only when it has come to nothing, so an
 * outbreak does not teach itself as normal.  A level that stays long enough
 * does: the alarm ends and the baseline starts from scratch there.
 */
#include <math.h>
#include <stdlib.h>

#include "analysis/spikes.h"
#include "lib/base/vec.h"
#include "lib/base/xalloc.h"

const struct spike_config spike_defaults = {
	.warmup_bins = 14,
	.run_length = 1000,
	.season_bins = 0,
};

enum {
	CALM_BINS = 3,     /* as before for so long ends an alarm */
	RISE_PATIENCE = 6, /* warm-ups until a new level is accepted: an
			      outbreak is news for longer */
	FALL_PATIENCE = 1,
};
#define DISPERSION_START 1.5   /* before anything is known */
#define DISPERSION_WEIGHT 10.0 /* bins that this belief is worth */
#define CAUTION 2.0            /* standard errors above its estimate */
#define SEASON_WEIGHT 2.0      /* seasons before a factor counts in full */
#define RISE_RATIO 1.5         /* the smallest change worth an alarm */
#define FALL_RATIO 0.5
#define FALL_LEAST 1.0 /* next to nothing cannot fall */

struct baseline {
	double sum, bins;      /* forgetting sums: mean = sum / bins */
	double excess, weight; /* of squared residuals over the mean */
	double memory;         /* bins until 1/e is forgotten */
	struct {
		double seen, expected;
	} * season; /* per phase; NULL: none */
	size_t season_bins;
};

struct cusum {
	double sum;
	size_t start; /* first bin of the excursion */
};

struct search {
	const struct spike_bin *bins;
	size_t count;
	const struct spike_config *config;
	struct baseline base;
	struct cusum way[2]; /* by enum spike_direction */
	size_t *pending;     /* bins of an excursion, not learnt yet */
	size_t pending_count;
	struct spike_alarm *alarms;
	size_t alarm_count;
	bool alarmed;
	size_t calm, lasted; /* bins in the band; bins of this alarm */
	double seen_sum;     /* of the alarm's bins so far */
};

static double season_factor(const struct baseline *b, size_t bin)
{
	if (!b->season || b->bins < 2 * (double)b->season_bins)
		return 1;
	size_t phase = bin % b->season_bins;
	double prior = SEASON_WEIGHT * b->sum / b->bins + 0.5;
	return (b->season[phase].seen + prior) /
	    (b->season[phase].expected + prior);
}

/* The half keeps a series of zeros from being certain of zero. */
static double expected(const struct baseline *b, size_t bin)
{
	return (b->sum + 0.5) / (b->bins + 1) * season_factor(b, bin);
}

/* Variance over mean of the next bin, the baseline's own doubt included. */
static double dispersion(const struct baseline *b)
{
	double n = b->weight + DISPERSION_WEIGHT;
	double d = (b->excess + DISPERSION_START * DISPERSION_WEIGHT) / n;
	return fmax(d, 1) * (1 + 1 / (b->bins + 1)) * (1 + CAUTION / sqrt(n));
}

static void learn(struct baseline *b, size_t bin, double x)
{
	double mean = expected(b, bin), keep = 1 - 1 / b->memory;
	double spread = dispersion(b);
	double residual = (x - mean) * (x - mean) / fmax(mean, 0.1);
	/* One wild bin must not blind the test for ever after. */
	residual = fmin(residual, 64 * spread);
	if (b->bins >= 3) {
		b->excess = b->excess * keep + residual;
		b->weight = b->weight * keep + 1;
	}
	double factor = season_factor(b, bin);
	if (b->season) {
		size_t phase = bin % b->season_bins;
		b->season[phase].seen += x;
		b->season[phase].expected += mean / factor;
	}
	double most = mean + 6 * sqrt(spread * mean + 1);
	double level = fmin(x, b->bins >= 3 ? most : x) / factor;
	b->sum = b->sum * keep + level;
	b->bins = b->bins * keep + 1;
}

static double log_gamma(double x)
{
	int sign;
	return lgamma_r(x, &sign);
}

/* ln of P(x | mean) / P(x | before), both negative binomial with the same
 * dispersion; Poisson in the limit. */
static double log_ratio(double x, double mean, double before, double spread)
{
	if (spread < 1.01)
		return x * log(mean / before) - (mean - before);
	double k1 = mean / (spread - 1), k0 = before / (spread - 1);
	return log_gamma(x + k1) - log_gamma(k1) - log_gamma(x + k0) +
	    log_gamma(k0) - (k1 - k0) * log(spread);
}

static double shifted(enum spike_direction way, double mean, double spread)
{
	double sigmas = 3 * sqrt(spread * mean);
	if (way == SPIKE_RISE)
		return fmax(mean * RISE_RATIO, mean + fmax(sigmas, 3));
	return fmax(fmin(mean * FALL_RATIO, mean - sigmas), mean * 0.1);
}

/* How much a bin speaks for a change; below 0 it speaks against. */
static double change_ratio(
    const struct search *s, enum spike_direction way, size_t bin)
{
	double mean = expected(&s->base, bin);
	double spread = dispersion(&s->base);
	if (way == SPIKE_FALL && mean < FALL_LEAST)
		return -1;
	return log_ratio(
	    s->bins[bin].count, shifted(way, mean, spread), mean, spread);
}

static void band_at(
    const struct baseline *b, size_t bin, struct spike_band *band)
{
	double mean = expected(b, bin);
	double reach = 3 * sqrt(dispersion(b) * mean + 1);
	*band =
	    (struct spike_band){ mean, fmax(mean - reach, 0), mean + reach };
}

static void forget_evidence(struct search *s)
{
	struct baseline *b = &s->base;
	b->sum = b->bins = b->excess = b->weight = 0;
	for (size_t i = 0; b->season && i < b->season_bins; i++)
		b->season[i].seen = b->season[i].expected = 0;
}

static void calm_down(struct search *s)
{
	s->alarmed = false;
	s->pending_count = 0;
	s->way[SPIKE_RISE].sum = s->way[SPIKE_FALL].sum = 0;
}

static void learn_pending(struct search *s)
{
	for (size_t i = 0; i < s->pending_count; i++)
		learn(&s->base, s->pending[i], s->bins[s->pending[i]].count);
	s->pending_count = 0;
}

static void alarm_raise(struct search *s, enum spike_direction way, size_t bin)
{
	static const char *const tests[] = { "negative binomial CUSUM, rise",
		"negative binomial CUSUM, fall" };
	VEC_ROOM(s->alarms, s->alarm_count);
	s->alarms[s->alarm_count++] = (struct spike_alarm){
		.direction = way,
		.onset = s->way[way].start,
		.detected = bin,
		.end = s->count,
		.test = tests[way],
		.run_length = s->config->run_length,
	};
	s->alarmed = true;
	s->calm = s->lasted = 0;
	s->seen_sum = 0;
	s->way[!way].sum = 0;
	for (size_t i = s->way[way].start; i <= bin; i++)
		if (!s->bins[i].missing) {
			s->lasted++;
			s->seen_sum += s->bins[i].count;
		}
}

/* The baseline has not moved since the alarm began. */
static void alarm_note_means(const struct search *s, struct spike_alarm *alarm)
{
	double bins = 0;
	for (size_t i = alarm->onset; i < alarm->end; i++)
		if (!s->bins[i].missing) {
			alarm->observed += s->bins[i].count;
			alarm->expected += expected(&s->base, i);
			bins++;
		}
	alarm->observed /= bins;
	alarm->expected /= bins;
}

static void alarm_end(
    const struct search *s, struct spike_alarm *alarm, size_t end)
{
	alarm->ended = true;
	alarm->end = end;
	alarm_note_means(s, alarm);
}

/* A level that has come to stay is the new baseline. */
static void accept_level(struct search *s, size_t bin)
{
	size_t left = s->config->warmup_bins, first = bin + 1;
	const struct spike_alarm *alarm = &s->alarms[s->alarm_count - 1];
	while (first > alarm->onset && left > 0)
		if (!s->bins[--first].missing)
			left--;
	forget_evidence(s);
	for (size_t i = first; i <= bin; i++)
		if (!s->bins[i].missing)
			learn(&s->base, i, s->bins[i].count);
}

/* Bursts that come again and again are how this series is: a little of each
 * is learnt, or the same noise would be news for ever. */
static void learn_burst(struct search *s, const struct spike_alarm *alarm)
{
	size_t left = CALM_BINS;
	for (size_t i = alarm->onset; i < alarm->end && left > 0; i++)
		if (!s->bins[i].missing && left--)
			learn(&s->base, i, s->bins[i].count);
}

/* True when the excursion has lasted long enough to be news. */
static bool cusum_step(struct search *s, enum spike_direction way, size_t bin)
{
	struct cusum *c = &s->way[way];
	if (c->sum <= 0)
		c->start = bin;
	c->sum = fmax(0, c->sum + change_ratio(s, way, bin));
	return c->sum >= log(fmax(s->config->run_length, 2));
}

/* Nearer to the baseline than to the outbreak: half of what the alarm saw so
 * far, if that is more than the least change worth one. */
static bool is_calm(
    const struct search *s, enum spike_direction way, size_t bin)
{
	double mean = expected(&s->base, bin), spread = dispersion(&s->base);
	double changed = shifted(way, mean, spread);
	double seen = s->seen_sum / (double)s->lasted;
	if (way == SPIKE_RISE)
		changed = fmax(changed, seen / 2);
	return log_ratio(s->bins[bin].count, changed, mean, spread) < 0;
}

static void follow_alarm(struct search *s, size_t bin)
{
	struct spike_alarm *alarm = &s->alarms[s->alarm_count - 1];
	enum spike_direction back = !alarm->direction;
	bool calm = is_calm(s, alarm->direction, bin);
	size_t patience = s->config->warmup_bins *
	    (alarm->direction == SPIKE_RISE ? RISE_PATIENCE : FALL_PATIENCE);
	s->calm = calm ? s->calm + 1 : 0;
	s->lasted++;
	s->seen_sum += s->bins[bin].count;
	if (cusum_step(s, back, bin)) {
		alarm_end(s, alarm, s->way[back].start);
		s->pending_count = 0;
		alarm_raise(s, back, bin);
	} else if (s->calm == CALM_BINS) {
		alarm_end(s, alarm, bin + 1 - CALM_BINS);
		learn_burst(s, alarm);
		calm_down(s);
	} else if (s->lasted >= patience && s->calm == 0) {
		alarm_end(s, alarm, bin + 1);
		accept_level(s, bin);
		calm_down(s);
	}
}

static void judge_bin(struct search *s, size_t bin)
{
	bool rise = cusum_step(s, SPIKE_RISE, bin);
	bool fall = cusum_step(s, SPIKE_FALL, bin);
	if (rise || fall) {
		alarm_raise(s, rise ? SPIKE_RISE : SPIKE_FALL, bin);
		return;
	}
	s->pending[s->pending_count++] = bin;
	if (s->way[SPIKE_RISE].sum <= 0 && s->way[SPIKE_FALL].sum <= 0)
		learn_pending(s);
}

static void search_init(struct search *s, const struct spike_bin *bins,
    size_t count, const struct spike_config *config)
{
	*s = (struct search){ .bins = bins, .count = count, .config = config };
	s->base.memory = fmax(3 * (double)config->warmup_bins, 30);
	s->base.season_bins = config->season_bins;
	if (config->season_bins)
		s->base.season =
		    xcalloc(config->season_bins, sizeof(*s->base.season));
	s->pending = xcalloc(count, sizeof(*s->pending));
}

size_t spikes_find(const struct spike_bin *bins, size_t count,
    const struct spike_config *config, struct spike_alarm **alarms,
    struct spike_band *band)
{
	struct search s;
	size_t watched = 0;
	search_init(&s, bins, count, config);
	for (size_t i = 0; i < count; i++) {
		if (band)
			band_at(&s.base, i, &band[i]);
		if (bins[i].missing)
			continue;
		if (watched++ < config->warmup_bins)
			learn(&s.base, i, bins[i].count);
		else if (s.alarmed)
			follow_alarm(&s, i);
		else
			judge_bin(&s, i);
	}
	if (s.alarmed)
		alarm_note_means(&s, &s.alarms[s.alarm_count - 1]);
	free(s.pending);
	free(s.base.season);
	*alarms = s.alarms;
	return s.alarm_count;
}
