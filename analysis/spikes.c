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
#include <string.h>

#include "analysis/spike-private.h"
#include "lib/base/vec.h"
#include "lib/base/xalloc.h"

const struct spike_config spike_defaults = {
	.warmup_bins = 14,
	.run_length = 1000,
	.season_bins = 0,
};

/* Warm-ups until a new level is accepted: an outbreak is news for longer. */
#define RISE_PATIENCE 6
#define FALL_PATIENCE 1
#define DISPERSION_START 1.5   /* before anything is known */
#define DISPERSION_WEIGHT 10.0 /* bins that this belief is worth */
#define CAUTION 2.0            /* standard errors above its estimate */
#define RHYTHM_PRIOR 2.0       /* counts that say: no rhythm */
#define SEASONS_KEPT 8.0       /* until 1/e of a phase is forgotten */
#define RISE_RATIO 1.5         /* the smallest change worth an alarm */
#define FALL_RATIO 0.5
#define FALL_LEAST 1.0 /* next to nothing cannot fall */

/* The rhythm is a factor for each phase of the season: what was seen there
 * over what the level alone would give, drawn towards 1 by a gamma prior. */
static double season_factor(const struct baseline *b, uint64_t bin)
{
	if (!b->rhythm)
		return 1;
	size_t phase = (size_t)(bin % b->season_bins);
	return (b->season[phase].seen + RHYTHM_PRIOR) /
	    (b->season[phase].expected + RHYTHM_PRIOR);
}

/* Of a bin with factor 1.  The half keeps a series of zeros from being certain
 * of zero. */
static double level(const struct baseline *b)
{
	return (b->sum + 0.5) / (b->bins + 1);
}

static double expected(const struct baseline *b, uint64_t bin)
{
	return level(b) * season_factor(b, bin);
}

/* Variance over mean of the next bin, the baseline's own doubt included: of
 * its spread, of the level, and of the factor, whose relative variance is one
 * over what was seen in this phase. */
static double dispersion(const struct baseline *b, uint64_t bin)
{
	double n = b->weight + DISPERSION_WEIGHT;
	double d = (b->excess + DISPERSION_START * DISPERSION_WEIGHT) / n;
	d = fmax(d, 1) * (1 + 1 / (b->bins + 1)) * (1 + CAUTION / sqrt(n));
	if (!b->rhythm)
		return d;
	size_t phase = (size_t)(bin % b->season_bins);
	return d *
	    (1 + expected(b, bin) / (b->season[phase].seen + RHYTHM_PRIOR));
}

static void learn_phase(struct baseline *b, uint64_t bin, double x)
{
	size_t phase = (size_t)(bin % b->season_bins);
	double keep = b->rhythm ? 1 - 1 / SEASONS_KEPT : 1;
	b->season[phase].seen = b->season[phase].seen * keep + x;
	b->season[phase].expected =
	    b->season[phase].expected * keep + (b->rhythm ? level(b) : 1);
}

static void learn(struct baseline *b, uint64_t bin, double x)
{
	double mean = expected(b, bin), keep = 1 - 1 / b->memory;
	double spread = dispersion(b, bin);
	double residual = (x - mean) * (x - mean) / fmax(mean, 0.1);
	/* One wild bin must not blind the test for ever after. */
	residual = fmin(residual, 64 * spread);
	if (b->bins >= 3) {
		b->excess = b->excess * keep + residual;
		b->weight = b->weight * keep + 1;
	}
	double most = mean + 6 * sqrt(spread * mean + 1);
	double clipped = fmin(x, b->bins >= 3 ? most : x);
	double factor = season_factor(b, bin);
	if (b->season)
		learn_phase(b, bin, b->rhythm ? clipped : x);
	b->sum = b->sum * keep + clipped;
	b->bins = b->bins * keep + factor;
}

/* After the seasons that are learnt from: the level is their mean, what each
 * phase had against it its factor.  The variance is estimated from the
 * start again: up to here it contained the season. */
static void know_rhythm(struct baseline *b)
{
	double seen = 0, bins = 0;
	for (size_t i = 0; i < b->season_bins; i++) {
		seen += b->season[i].seen;
		bins += b->season[i].expected;
	}
	double mean = (seen + 0.5) / (bins + 1);
	for (size_t i = 0; i < b->season_bins; i++)
		b->season[i].expected *= mean;
	b->bins = fmin(bins, b->memory);
	b->sum = mean * b->bins;
	b->excess = b->weight = 0;
	b->rhythm = true;
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
static double change_ratio(const struct spike_state *s,
    enum spike_direction way, const struct observed *now)
{
	double mean = expected(&s->base, now->bin);
	double spread = dispersion(&s->base, now->bin);
	if (way == SPIKE_FALL && mean < FALL_LEAST)
		return -1;
	return log_ratio(now->count, shifted(way, mean, spread), mean, spread);
}

static void forget_evidence(struct spike_state *s)
{
	struct baseline *b = &s->base;
	/* The rhythm stays what it was. */
	b->sum = b->bins = b->excess = b->weight = 0;
}

static void calm_down(struct spike_state *s)
{
	s->alarmed = false;
	s->pending_count = 0;
	s->way[SPIKE_RISE].sum = s->way[SPIKE_FALL].sum = 0;
}

static void learn_pending(struct spike_state *s)
{
	for (size_t i = 0; i < s->pending_count; i++)
		learn(&s->base, s->pending[i].bin, s->pending[i].count);
	s->pending_count = 0;
}

const char *spike_test_name(enum spike_direction way)
{
	return way == SPIKE_RISE ? "negative binomial CUSUM, rise"
				 : "negative binomial CUSUM, fall";
}

static void alarm_raise(
    struct spike_state *s, enum spike_direction way, const struct observed *now)
{
	const struct cusum *c = &s->way[way];
	s->alarm = (struct spike_alarm){
		.direction = way,
		.onset = c->start,
		.detected = now->bin,
		.test = spike_test_name(way),
		.run_length = s->config.run_length,
	};
	s->before = c->before;
	memcpy(s->first, c->first, sizeof(s->first));
	s->first_count = c->first_count;
	s->alarmed = true;
	s->calm = 0;
	s->lasted = (size_t)(s->totals.bins - c->before.bins);
	s->seen_sum = s->totals.seen - c->before.seen;
	s->way[!way].sum = 0;
}

/* The baseline has not moved since the alarm began, so what was expected then
 * is what is expected now. */
static void alarm_note_means(const struct spike_state *s,
    const struct totals *end, struct spike_alarm *alarm)
{
	double bins = end->bins - s->before.bins;
	alarm->observed = (end->seen - s->before.seen) / bins;
	alarm->expected = (end->expected - s->before.expected) / bins;
}

/* The totals before a bin that is not long ago. */
static struct totals totals_before(const struct spike_state *s, uint64_t bin)
{
	struct totals t = s->totals;
	size_t n = s->recent_count;
	for (; n > 0 && s->recent_count - n < s->ring; n--) {
		const struct observed *o = &s->recent[(n - 1) % s->ring];
		if (o->bin < bin)
			break;
		t.bins--;
		t.seen -= o->count;
		t.expected -= expected(&s->base, o->bin);
	}
	return t;
}

static void alarm_end(struct spike_state *s, uint64_t end,
    const struct totals *before, struct spike_step *step)
{
	s->alarm.ended = true;
	s->alarm.end = end;
	alarm_note_means(s, before, &s->alarm);
	step->ended = true;
	step->over = s->alarm;
}

/* A level that has come to stay is the new baseline. */
static void accept_level(struct spike_state *s)
{
	size_t most = s->config.warmup_bins, first = s->recent_count;
	while (first > 0 && s->recent_count - first < most &&
	    s->recent[(first - 1) % s->ring].bin >= s->alarm.onset)
		first--;
	forget_evidence(s);
	for (; first < s->recent_count; first++) {
		const struct observed *o = &s->recent[first % s->ring];
		learn(&s->base, o->bin, o->count);
	}
}

/* Bursts that come again and again are how this series is: a little of each
 * is learnt, or the same noise would be news for ever. */
static void learn_burst(struct spike_state *s)
{
	for (size_t i = 0; i < s->first_count; i++)
		if (s->first[i].bin < s->alarm.end)
			learn(&s->base, s->first[i].bin, s->first[i].count);
}

/* True when the excursion has lasted long enough to be news. */
static bool cusum_step(struct spike_state *s, enum spike_direction way,
    const struct observed *now, const struct totals *before)
{
	struct cusum *c = &s->way[way];
	if (c->sum <= 0) {
		c->start = now->bin;
		c->before = *before;
		c->first_count = 0;
	}
	if (c->first_count < CALM_BINS)
		c->first[c->first_count++] = *now;
	c->sum = fmax(0, c->sum + change_ratio(s, way, now));
	return c->sum >= log(fmax(s->config.run_length, 2));
}

/* Nearer to the baseline than to the outbreak: half of what the alarm saw so
 * far, as a multiple of what was expected, if that is more than the least
 * change worth one. */
static bool is_calm(const struct spike_state *s, enum spike_direction way,
    const struct observed *now)
{
	double mean = expected(&s->base, now->bin);
	double spread = dispersion(&s->base, now->bin);
	double changed = shifted(way, mean, spread);
	/* This bin is in the totals already, and not in the sum. */
	double usual = s->totals.expected - s->before.expected - mean;
	if (way == SPIKE_RISE)
		changed = fmax(changed, mean * s->seen_sum / usual / 2);
	return log_ratio(now->count, changed, mean, spread) < 0;
}

static void follow_alarm(struct spike_state *s, const struct observed *now,
    const struct totals *before, struct spike_step *step)
{
	enum spike_direction back = !s->alarm.direction;
	bool calm = is_calm(s, s->alarm.direction, now);
	size_t patience = s->config.warmup_bins *
	    (s->alarm.direction == SPIKE_RISE ? RISE_PATIENCE : FALL_PATIENCE);
	s->calm = calm ? s->calm + 1 : 0;
	s->lasted++;
	s->seen_sum += now->count;
	if (s->first_count < CALM_BINS)
		s->first[s->first_count++] = *now;
	if (cusum_step(s, back, now, before)) {
		alarm_end(s, s->way[back].start, &s->way[back].before, step);
		s->pending_count = 0;
		alarm_raise(s, back, now);
		step->raised = true;
	} else if (s->calm == CALM_BINS) {
		uint64_t end = now->bin + 1 - CALM_BINS;
		struct totals then = totals_before(s, end);
		alarm_end(s, end, &then, step);
		learn_burst(s);
		calm_down(s);
	} else if (s->lasted >= patience && s->calm == 0) {
		alarm_end(s, now->bin + 1, &s->totals, step);
		accept_level(s);
		calm_down(s);
	}
}

static void judge_bin(struct spike_state *s, const struct observed *now,
    const struct totals *before, struct spike_step *step)
{
	bool rise = cusum_step(s, SPIKE_RISE, now, before);
	bool fall = cusum_step(s, SPIKE_FALL, now, before);
	if (rise || fall) {
		alarm_raise(s, rise ? SPIKE_RISE : SPIKE_FALL, now);
		step->raised = true;
		return;
	}
	if (s->pending_count == PENDING_MOST)
		learn_pending(s);
	VEC_ROOM(s->pending, s->pending_count);
	s->pending[s->pending_count++] = *now;
	if (s->way[SPIKE_RISE].sum <= 0 && s->way[SPIKE_FALL].sum <= 0)
		learn_pending(s);
}

size_t spike_learnt_bins(const struct spike_config *config)
{
	size_t seasons = SPIKE_SEASONS_LEARNT * config->season_bins;
	return config->warmup_bins > seasons ? config->warmup_bins : seasons;
}

struct spike_state *spike_state_new(const struct spike_config *config)
{
	struct spike_state *s = xcalloc(1, sizeof(*s));
	s->config = *config;
	s->base.memory = fmax(3 * (double)config->warmup_bins,
	    fmax(30, 4 * (double)config->season_bins));
	s->base.season_bins = config->season_bins;
	if (config->season_bins)
		s->base.season =
		    xcalloc(config->season_bins, sizeof(*s->base.season));
	s->ring =
	    config->warmup_bins > CALM_BINS ? config->warmup_bins : CALM_BINS;
	s->recent = xcalloc(s->ring, sizeof(*s->recent));
	return s;
}

void spike_state_free(struct spike_state *s)
{
	if (!s)
		return;
	free(s->pending);
	free(s->recent);
	free(s->base.season);
	free(s);
}

void spike_state_step(struct spike_state *s, uint64_t bin,
    const struct spike_bin *value, struct spike_step *step)
{
	*step = (struct spike_step){ 0 };
	if (value->missing)
		return;
	const struct observed now = { bin, value->count };
	const struct totals before = s->totals;
	s->totals.bins++;
	s->totals.seen += now.count;
	s->totals.expected += expected(&s->base, bin);
	s->recent[s->recent_count++ % s->ring] = now;
	if (s->watched < spike_learnt_bins(&s->config)) {
		s->watched++;
		learn(&s->base, bin, now.count);
		if (s->watched == SPIKE_SEASONS_LEARNT * s->config.season_bins)
			know_rhythm(&s->base);
	} else if (s->alarmed)
		follow_alarm(s, &now, &before, step);
	else
		judge_bin(s, &now, &before, step);
}

bool spike_state_alarm(const struct spike_state *s, struct spike_alarm *alarm)
{
	if (!s->alarmed)
		return false;
	*alarm = s->alarm;
	alarm_note_means(s, &s->totals, alarm);
	return true;
}

void spike_state_band(
    const struct spike_state *s, uint64_t bin, struct spike_band *band)
{
	double mean = expected(&s->base, bin);
	double reach = 3 * sqrt(dispersion(&s->base, bin) * mean + 1);
	*band =
	    (struct spike_band){ mean, fmax(mean - reach, 0), mean + reach };
}

size_t spikes_find(const struct spike_bin *bins, size_t count,
    const struct spike_config *config, struct spike_alarm **alarms,
    struct spike_band *band)
{
	struct spike_state *s = spike_state_new(config);
	struct spike_step step;
	struct spike_alarm on;
	size_t found = 0;
	*alarms = NULL;
	for (size_t i = 0; i < count; i++) {
		if (band)
			spike_state_band(s, i, &band[i]);
		spike_state_step(s, i, &bins[i], &step);
		if (!step.ended)
			continue;
		VEC_ROOM(*alarms, found);
		(*alarms)[found++] = step.over;
	}
	if (spike_state_alarm(s, &on)) {
		on.end = count;
		VEC_ROOM(*alarms, found);
		(*alarms)[found++] = on;
	}
	spike_state_free(s);
	return found;
}
