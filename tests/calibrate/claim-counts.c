/* SPDX-License-Identifier: ISC */
/*
 * What the sketches say of their error (lib/sketch): the distinct counter is
 * exact up to 192 values and has a standard error of 3.25 % beyond, unions
 * too; a histogram's quantile is known to within 0.8 %.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/addr.h"
#include "lib/base/xalloc.h"
#include "lib/sketch/distinct.h"
#include "lib/sketch/histogram.h"
#include "tests/calibrate/claim.h"

#define SIGMA 0.0325
#define QUANTILE_ERROR 0.008
#define SETS_MOST 10
#define SAMPLES 2000

enum {
	EXACT,
	EXACT_RIGHT,
	ESTIMATES,
	ESTIMATE_SQUARES,
	ESTIMATE_WITHIN,
	ESTIMATE_BIAS,
	UNIONS,
	UNION_SQUARES,
	QUANTILES,
	QUANTILES_WITHIN,
	QUANTILE_WORST,
	SUM_COUNT
};

/* Addresses as they come: scattered, or neighbours in few networks. */
struct crowd {
	uint64_t key, first;
	bool neighbours;
};

static uint32_t value_of(const struct crowd *crowd, uint64_t i)
{
	struct addr a = { .family = 4 };
	uint32_t bits = (uint32_t)(crowd->first + i);
	if (!crowd->neighbours)
		bits *= 2654435761u;
	memcpy(a.bytes, &bits, sizeof(bits));
	return (uint32_t)addr_hash(&a, crowd->key);
}

static struct crowd draw_crowd(void)
{
	return (struct crowd){ .key = draw_number(1u << 31),
		.first = draw_number(1u << 31),
		.neighbours = draw_uniform() < 0.5 };
}

static void try_count(double *sums, uint64_t count)
{
	struct distinct_pool *pool = distinct_pool_new(1);
	struct distinct d = { 0 };
	struct crowd crowd = draw_crowd();
	enum distinct_quality quality;
	for (uint64_t i = 0; i < count; i++)
		distinct_add(pool, &d, value_of(&crowd, i));
	double got = distinct_count(pool, &d, &quality);
	double error = got / (double)count - 1;
	if (count <= DISTINCT_EXACT) {
		sums[EXACT]++;
		sums[EXACT_RIGHT] +=
		    error == 0 && quality == DISTINCT_IS_EXACT;
	} else if (quality == DISTINCT_IS_ESTIMATE) {
		sums[ESTIMATES]++;
		sums[ESTIMATE_SQUARES] += error * error;
		sums[ESTIMATE_BIAS] += error;
		sums[ESTIMATE_WITHIN] += fabs(error) <= 1.96 * SIGMA;
	}
	distinct_pool_free(pool);
}

/* Sets that overlap: each is a stretch of the same crowd. */
static void try_union(double *sums)
{
	struct distinct_pool *pool = distinct_pool_new(SETS_MOST);
	struct distinct sets[SETS_MOST] = { 0 };
	const struct distinct *list[SETS_MOST];
	struct crowd crowd = draw_crowd();
	enum distinct_quality quality;
	size_t n = 2 + draw_number(SETS_MOST - 1);
	uint64_t from = 0, end = 0;
	for (size_t s = 0; s < n; s++) {
		uint64_t len = (uint64_t)draw_log_between(1, 100000);
		for (uint64_t i = 0; i < len; i++)
			distinct_add(
			    pool, &sets[s], value_of(&crowd, from + i));
		list[s] = &sets[s];
		end = from + len > end ? from + len : end;
		from += draw_number(len + 1);
	}
	double error =
	    distinct_union(pool, list, n, &quality) / (double)end - 1;
	if (quality == DISTINCT_IS_ESTIMATE) {
		sums[UNIONS]++;
		sums[UNION_SQUARES] += error * error;
	}
	distinct_pool_free(pool);
}

static int by_number(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

static void try_quantile(double *sums)
{
	static int64_t values[SAMPLES];
	struct histogram h = { 0 };
	size_t n = 1 + draw_number(SAMPLES);
	double middle = draw_log_between(10, 1e12), width = draw_between(0, 5);
	for (size_t i = 0; i < n; i++) {
		values[i] = (int64_t)fmin(
		    middle * exp(width * draw_normal()), 1e18);
		histogram_add(&h, values[i], 1);
	}
	qsort(values, n, sizeof(*values), by_number);
	double q = draw_uniform();
	size_t rank = (size_t)ceil(q * (double)n);
	double truth = (double)values[rank > 0 ? rank - 1 : 0];
	double error =
	    fabs((double)histogram_quantile(&h, q) - truth) / fmax(truth, 1);
	sums[QUANTILES]++;
	sums[QUANTILES_WITHIN] += error <= QUANTILE_ERROR;
	sums[QUANTILE_WORST] = fmax(sums[QUANTILE_WORST], error);
	histogram_fini(&h);
}

static void try_truth(uint64_t number, double *sums)
{
	(void)number;
	try_count(sums, (uint64_t)draw_log_between(1, DISTINCT_EXACT + 1));
	try_count(sums, (uint64_t)draw_log_between(DISTINCT_EXACT + 1, 3e6));
	try_union(sums);
	try_quantile(sums);
}

static void judge(const double *s)
{
	/* Certain claims: one miss is too many. */
	judge_rare("counts up to 192 that are not exact", 0,
	    s[EXACT] - s[EXACT_RIGHT]);
	judge_error("standard error of a distinct count", SIGMA, s[ESTIMATES],
	    s[ESTIMATE_SQUARES]);
	judge_at_least("distinct counts within 1.96 standard errors", 0.95,
	    s[ESTIMATES], s[ESTIMATE_WITHIN]);
	show("mean error of a distinct count", "%+.2f %%",
	    100 * s[ESTIMATE_BIAS] / s[ESTIMATES]);
	judge_error("standard error of a union", SIGMA, s[UNIONS],
	    s[UNION_SQUARES]);
	judge_rare("quantiles further off than 0.8 %", 0,
	    s[QUANTILES] - s[QUANTILES_WITHIN]);
	show("the worst quantile", "%.2f %%", 100 * s[QUANTILE_WORST]);
}

int main(int argc, char **argv)
{
	static const struct claim claim = { SUM_COUNT, try_truth, judge };
	return claim_main(argc, argv, &claim);
}
