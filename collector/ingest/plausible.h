/* SPDX-License-Identifier: ISC */
/*
 * Numbers that no agent can have reached are refused at the door: a number is
 * counted, as stored or as lost, and one absurd one would spoil the sums of
 * the whole fleet for ever.
 *
 * The bound is what an agent can have produced at PLAUSIBLE_PER_S since the
 * day before it enrolled, over all its epochs, declared gaps among them.  It
 * does not look at the last batch: an agent that was away for months, or a
 * collector that was set back by a restore, jumps far and honestly.
 */
#pragma once

#include <stdint.h>

#include "collector/store/prepared-batch.h"
#include "lib/base/err.h"

/* A spool on a fast disk takes so many with one sync for many; sensor tables
 * and packet rates give some hundreds. */
#define PLAUSIBLE_PER_S 100000
/* An epoch begins when a spool is lost; no agent loses so many. */
#define PLAUSIBLE_EPOCH UINT32_MAX

/* What an agent can have produced by now.  A clock that went back counts as
 * the moment of the enrolment. */
uint64_t plausible_most(int64_t enrolled_ns, int64_t now_ns);

/* What the batch shows by itself: its epoch, its end, the ranges that its gap
 * records name (each is counted or refused), times before 1970.  Sets the
 * batch's records without a number. -ERANGE: implausible, with the record in
 * msg. */
int plausible_check(
    struct prepared_batch *batch, uint64_t produced_most, struct errmsg *msg);
