/* SPDX-License-Identifier: ISC */
/*
 * What each link showed in each hour that is over, derived from the sums of the
 * hour's paths.  A link has a number by its name; 48 bits of a hash, so that
 * two of a million links have the same in one case of five hundred.
 */
#pragma once

#include "analysis/path-set.h"
#include "collector/store/sqlite/rollup/gather-private.h"
#include "collector/store/sqlite/rollup/rollup-part.h"

uint64_t link_number(const char *from, const char *to);

struct link_row {
	uint64_t number, samples;
	int64_t delay_min_ns, delay_median_ns, delay_max_ns; /* -1: unknown */
	double loss;
};
/* 1: the link's row of an hour; 0: it was not there. */
int link_find(struct db *db, struct segment_codec *codec,
    const struct part_id *id, uint64_t number, struct link_row *row,
    struct errmsg *msg);

/* 1: did something. */
int links_step(struct gather *gather, struct errmsg *msg);
