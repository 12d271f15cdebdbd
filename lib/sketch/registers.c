/* SPDX-License-Identifier: ISC */
/*
 * With m registers M[j] (Flajolet and others 2007):
 *
 *   n = 0.7213 / (1 + 1.079 / m) * m^2 / sum of 2^-M[j]
 *
 * and where that is below 2.5 m and some are empty, n = m ln(m / empty), linear
 * counting.  The standard error is 1.04 / sqrt(m): 3.3 % with 1024.
 */
#include "lib/sketch/registers.h"

#include <math.h>

double registers_estimate(const uint8_t *registers, size_t count)
{
	const double m = (double)count;
	double sum = 0;
	unsigned zeros = 0;
	for (size_t i = 0; i < count; i++) {
		sum += ldexp(1, -registers[i]);
		zeros += registers[i] == 0;
	}
	double n = 0.7213 / (1 + 1.079 / m) * m * m / sum;
	return n < 2.5 * m && zeros > 0 ? m * log(m / zeros) : n;
}
