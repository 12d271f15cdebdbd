/* SPDX-License-Identifier: ISC */
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/base/hash.h"
#include "lib/base/xalloc.h"
#include "tests/calibrate/claim.h"

#define SAVE_S 5 /* between two saves of the state */
#define SIDE 0.005

static uint64_t draw_state;
static bool broken;

/* --- draws ------------------------------------------------------------- */

static uint64_t draw_bits(void)
{
	draw_state += HASH_GOLDEN;
	return hash_mix(draw_state, 0);
}

double draw_uniform(void)
{
	return ((double)(draw_bits() >> 11) + 0.5) / 9007199254740992.0;
}

double draw_between(double low, double high)
{
	return low + (high - low) * draw_uniform();
}

double draw_log_between(double low, double high)
{
	return exp(draw_between(log(low), log(high)));
}

double draw_exponential(double mean)
{
	return -mean * log(draw_uniform());
}

double draw_normal(void)
{
	return sqrt(-2 * log(draw_uniform())) *
	    cos(2 * M_PI * draw_uniform());
}

uint64_t draw_number(uint64_t below)
{
	return (uint64_t)(draw_uniform() * (double)below);
}

/* Marsaglia and Tsang 2000. */
static double draw_gamma(double shape)
{
	if (shape < 1)
		return draw_gamma(shape + 1) * pow(draw_uniform(), 1 / shape);
	double d = shape - 1 / 3.0, c = 1 / sqrt(9 * d);
	for (;;) {
		double x = draw_normal(), v = pow(1 + c * x, 3);
		if (v > 0 &&
		    log(draw_uniform()) < x * x / 2 + d - d * v + d * log(v))
			return d * v;
	}
}

/* A large mean is split at the arrival whose time is drawn (Ahrens and
 * Dieter 1974). */
double draw_poisson(double mean)
{
	double sum = 0;
	while (mean > 30) {
		double n = floor(mean * 7 / 8), at = draw_gamma(n);
		if (at > mean)
			return sum + (double)draw_binomial(
			    (uint64_t)n - 1, mean / at);
		sum += n;
		mean -= at;
	}
	double product = draw_uniform(), limit = exp(-mean);
	for (; product > limit; product *= draw_uniform())
		sum++;
	return sum;
}

double draw_negative_binomial(double mean, double spread)
{
	if (spread > 1)
		mean = draw_gamma(mean / (spread - 1)) * (spread - 1);
	return draw_poisson(mean);
}

double draw_lognormal_poisson(double mean, double spread)
{
	double s2 = log(1 + (spread - 1) / mean);
	return draw_poisson(mean * exp(draw_normal() * sqrt(s2) - s2 / 2));
}

/* By the median of uniform order statistics while n is large. */
uint64_t draw_binomial(uint64_t n, double p)
{
	uint64_t hits = 0;
	while (n > 40) {
		uint64_t i = n / 2 + 1;
		double a = draw_gamma((double)i);
		double x = a / (a + draw_gamma((double)(n - i + 1)));
		if (x <= p) {
			hits += i;
			n -= i;
			p = (p - x) / (1 - x);
		} else {
			n = i - 1;
			p /= x;
		}
	}
	for (; n > 0; n--)
		hits += draw_uniform() < p;
	return hits;
}

/* --- verdicts ---------------------------------------------------------- */

static void put_row(const char *verdict, const char *what,
    const char *promised, const char *measured, const char *bound)
{
	printf("%s\t%s\t%s\t%s\t%s\n", verdict, what, promised, measured,
	    bound);
}

static void put_verdict(bool good, const char *what, const char *promised,
    const char *measured, const char *bound)
{
	broken |= !good;
	put_row(good ? "ok" : "BROKEN", what, promised, measured, bound);
}

/* The least k with P(X <= k) >= q. */
static double binomial_quantile(double n, double p, double q)
{
	double sum = 0, k = -1;
	do {
		k++;
		sum += exp(lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) +
		    k * log(p) + (n - k) * log1p(-p));
	} while (sum < q && k < n);
	return k;
}

static double poisson_quantile(double mean, double q)
{
	double sum = 0, k = -1;
	do {
		k++;
		sum += exp(k * log(mean) - mean - lgamma(k + 1));
	} while (sum < q && k < 10 * mean + 100);
	return k;
}

static void judge_share(
    const char *what, double p, double n, double hits, int sides)
{
	char promised[40], measured[60], bound[40];
	double least = sides & 1 ? binomial_quantile(n, p, SIDE) : 0;
	double most = sides & 2 ? binomial_quantile(n, p, 1 - SIDE) : n;
	static const char *const words[] = { "", "at least ", "at most ", "" };
	snprintf(promised, sizeof(promised), "%s%.4g %%", words[sides],
	    100 * p);
	snprintf(measured, sizeof(measured), "%.4g %% (%.0f of %.0f)",
	    n > 0 ? 100 * hits / n : 0, hits, n);
	snprintf(bound, sizeof(bound), "%.0f to %.0f", least, most);
	/* What was never tried, or could not have failed, says nothing. */
	bool can_fail = n > 0 && (least > 0 || most < n);
	if (!can_fail)
		snprintf(bound, sizeof(bound), "too few tries");
	put_verdict(can_fail && hits >= least && hits <= most, what, promised,
	    measured, bound);
}

void judge_covers(const char *what, double p, double n, double hits)
{
	judge_share(what, p, n, hits, 3);
}

void judge_at_least(const char *what, double p, double n, double hits)
{
	judge_share(what, p, n, hits, 1);
}

void judge_at_most(const char *what, double p, double n, double hits)
{
	judge_share(what, p, n, hits, 2);
}

void judge_rare(const char *what, double mean, double count)
{
	char promised[40], measured[40], bound[40];
	double most = mean > 0 ? poisson_quantile(mean, 1 - SIDE) : 0;
	if (mean > 0)
		snprintf(promised, sizeof(promised), "at most %.4g", mean);
	else
		snprintf(promised, sizeof(promised), "none");
	snprintf(measured, sizeof(measured), "%.0f", count);
	snprintf(bound, sizeof(bound), "%.0f", most);
	put_verdict(count <= most, what, promised, measured, bound);
}

/* n s^2 / sigma^2 is chi-square; Wilson and Hilferty 1931 for its quantile. */
void judge_error(const char *what, double sigma, double n, double squares)
{
	char promised[40], measured[60], bound[40];
	double z = 2.5758, a = 2 / (9 * n);
	double most = n > 0 ? sigma * pow(1 - a + z * sqrt(a), 1.5) : 0;
	double measured_sigma = n > 0 ? sqrt(squares / n) : 0;
	snprintf(promised, sizeof(promised), "%.4g %%", 100 * sigma);
	snprintf(measured, sizeof(measured), "%.4g %% (%.0f)",
	    100 * measured_sigma, n);
	snprintf(bound, sizeof(bound), "%.4g %%", 100 * most);
	put_verdict(n > 0 && measured_sigma <= most, what, promised, measured,
	    bound);
}

void show(const char *what, const char *format, ...)
{
	char text[100];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	put_row("-", what, "-", text, "-");
}

/* --- a run and its state ----------------------------------------------- */

struct claim_run {
	const struct claim *claim;
	const char *path;
	uint64_t build, seed, done;
	double *sums;
};

/* Sums of another program would be another program's claim. */
static uint64_t own_hash(void)
{
	uint8_t bytes[8192];
	uint64_t hash = HASH_FNV_START;
	size_t n;
	FILE *self = fopen("/proc/self/exe", "rb");
	if (!self)
		return 0;
	while ((n = fread(bytes, 1, sizeof(bytes), self)) > 0)
		hash = hash_fnv(hash, bytes, n);
	fclose(self);
	return hash;
}

static bool read_state(struct claim_run *run, FILE *from)
{
	uint64_t build, seed;
	if (fscanf(from, "%lx %lu %lu", &build, &seed, &run->done) != 3 ||
	    build != run->build || seed != run->seed)
		return false;
	for (size_t i = 0; i < run->claim->sum_count; i++)
		if (fscanf(from, "%la", &run->sums[i]) != 1)
			return false;
	return true;
}

static void load_state(struct claim_run *run)
{
	FILE *from = fopen(run->path, "r");
	if (from && !read_state(run, from)) {
		run->done = 0;
		memset(run->sums, 0,
		    run->claim->sum_count * sizeof(*run->sums));
	}
	if (from)
		fclose(from);
}

/* 0, or what could not be done has been said. */
static int save_state(const struct claim_run *run)
{
	char *part = xasprintf("%s.part", run->path);
	FILE *to = fopen(part, "w");
	bool good = to != NULL;
	if (to) {
		fprintf(to, "%lx %lu %lu\n", run->build, run->seed, run->done);
		for (size_t i = 0; i < run->claim->sum_count; i++)
			fprintf(to, "%a\n", run->sums[i]);
		good = fclose(to) == 0 && rename(part, run->path) == 0;
	}
	if (!good)
		perror(run->path);
	free(part);
	return good ? 0 : -1;
}

int claim_main(int argc, char **argv, const struct claim *claim)
{
	if (argc != 4) {
		fprintf(stderr, "usage: %s TRUTHS STATE-FILE SEED\n", argv[0]);
		return 2;
	}
	uint64_t truths = strtoull(argv[1], NULL, 10);
	time_t saved = time(NULL);
	struct claim_run run = { .claim = claim,
		.path = argv[2],
		.seed = strtoull(argv[3], NULL, 10),
		.build = own_hash(),
		.sums = xcalloc(claim->sum_count, sizeof(*run.sums)) };
	load_state(&run);
	if (run.done > truths) {
		fprintf(stderr, "%s: holds %lu truths, expected at most %lu\n",
		    run.path, run.done, truths);
		return 2;
	}
	while (run.done < truths) {
		draw_state = hash_mix(run.seed, run.done);
		claim->try_truth(run.done++, run.sums);
		if (time(NULL) < saved + SAVE_S && run.done < truths)
			continue;
		saved = time(NULL);
		if (save_state(&run) < 0)
			return 2;
	}
	claim->judge(run.sums);
	free(run.sums);
	return broken;
}
