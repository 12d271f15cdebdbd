/* SPDX-License-Identifier: ISC */
/*
 * Which links are bad, and how bad: both scores are on one scale, ten points
 * for each doubling, of the delay over what is usual among these links, of the
 * percents that are surely lost.  From LINK_SCORE_LEAST on a link is called
 * slow or lossy.
 *
 * "Lossy" begins where loss_low (topology.h) is 0.41 %: a link that loses
 * nothing is called so in at most 2.5 of 100 cases, one that loses a tenth, by
 * 300 probes and between ends that answer, in at least 95.  "Slow" begins at
 * three times the usual delay, 5 ms at least: a link of half of that is called
 * so in at most 5 of 100 cases, one of twice that in at least 90.
 * (`make calibrate` measures both.)
 */
#pragma once

#include "analysis/topology.h"

#define LINK_SCORE_LEAST 5.0

/* The median delay of the links whose delay is known; 0: of none. */
double link_usual_delay(const struct topology_link *links, size_t count);
double link_score_slow(const struct topology_link *link, double usual_ns);
double link_score_lossy(const struct topology_link *link);
