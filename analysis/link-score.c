/* SPDX-License-Identifier: ISC */
#include <math.h>
#include <stdlib.h>

#include "analysis/link-score.h"
#include "lib/base/xalloc.h"

/* Where links are short, three times nearly nothing is nearly nothing. */
#define USUAL_LEAST_NS (5.0 * NS_PER_MS)
#define SLOW_RATIO 3.0
#define SLOW_TRACES_LEAST 3 /* one late answer is not a slow link */

static int by_value(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

double link_usual_delay(const struct topology_link *links, size_t count)
{
	int64_t *delays = xcalloc(count + 1, sizeof(*delays));
	size_t n = 0;
	for (size_t i = 0; i < count; i++)
		if (links[i].delay_ns >= 0)
			delays[n++] = links[i].delay_ns;
	qsort(delays, n, sizeof(*delays), by_value);
	double median = n ? (double)delays[n / 2] : 0;
	free(delays);
	return median;
}

double link_score_slow(const struct topology_link *link, double usual_ns)
{
	if (link->traces < SLOW_TRACES_LEAST)
		return 0;
	double ratio = (double)link->delay_ns / fmax(usual_ns, USUAL_LEAST_NS);
	return ratio >= SLOW_RATIO ? 10 * log2(ratio) : 0;
}

double link_score_lossy(const struct topology_link *link)
{
	return 10 * log2(1 + 100 * fmax(link->loss_low, 0));
}
