/* SPDX-License-Identifier: ISC */
/*
 * How a claim with a probability is tested.  A program draws truths, asks the
 * code that makes the claim about each, and adds up how it did; the sums are
 * judged once, by bounds that a right claim passes in 99 of 100 tries (a
 * one-sided one in 995 of 1,000) however many truths there were:
 *
 * - "covers in p": the hits lie in the central 99 % interval of a binomial,
 *   or, where the claim is a bound, not beyond its 99.5 % side;
 * - "one in T", over a time of M times T: the alarms are not more than the
 *   99.5 % quantile of a Poisson distribution with mean M.
 *
 * Every truth has a seed of its own, so a run that was stopped goes on.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct claim {
	size_t sum_count;
	/* Draws from here on are of that truth; adds to sums. */
	void (*try_truth)(uint64_t number, double *sums);
	void (*judge)(const double *sums);
};

/* usage: PROGRAM TRUTHS STATE-FILE SEED.  Prints a line for each claim:
 * verdict (ok, BROKEN, or - for what stands beside), claim, promised,
 * measured, bound, by tabs.  Returns the exit code: 1 when one is broken. */
int claim_main(int argc, char **argv, const struct claim *claim);

/* Draws. */
double draw_uniform(void);
double draw_between(double low, double high);
double draw_log_between(double low, double high);
double draw_exponential(double mean);
double draw_normal(void);
uint64_t draw_number(uint64_t below);
double draw_poisson(double mean);
/* With variance = spread x mean: a Poisson count whose mean is drawn from a
 * gamma distribution (negative binomial), or from a lognormal one. */
double draw_negative_binomial(double mean, double spread);
double draw_lognormal_poisson(double mean, double spread);
uint64_t draw_binomial(uint64_t n, double p);

/* Verdicts.  hits of n tries. */
void judge_covers(const char *what, double p, double n, double hits);
void judge_at_least(const char *what, double p, double n, double hits);
void judge_at_most(const char *what, double p, double n, double hits);
/* count events where at most `mean` were promised; 0: none at all. */
void judge_rare(const char *what, double mean, double count);
/* squares: the sum of n squared errors, each promised to be sigma. */
void judge_error(const char *what, double sigma, double n, double squares);
/* No verdict: widths, shares that cannot be told. */
void show(const char *what, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
