/* SPDX-License-Identifier: ISC */
/*
 * The time by which history is deleted, as a pure function of what was seen.
 * A wall clock that jumps ahead by a year would take a year of history with it,
 * so no wall is believed by itself: trusted time goes on by the monotonic
 * clock, from the last run's on, and leaps only as far as clocks of other
 * machines got.  It is late rather than early: what is deleted late was only
 * kept longer.
 */
#pragma once

#include <stdint.h>

#include "lib/base/addr.h"
#include "lib/base/clock.h"

#define TRUSTED_WITNESSES 32

/* Another machine, whose clock was at least at `made`. */
struct trusted_witness {
	int64_t agent;    /* its row */
	struct addr addr; /* IPv6: its /64, one host has many in it */
	struct walltime made;
	struct monotime heard;
};

struct trusted_time {
	/* At monotonic `since` it was at least `line`. */
	struct walltime line;
	struct monotime since, started;
	/* The wall has been behind the line since then; 0: it is not. */
	struct monotime behind;
	/* Those heard last; family 0: free. */
	struct trusted_witness witnesses[TRUSTED_WITNESSES];
};

/* What a run leaves for the next one. */
struct trusted_past {
	struct walltime line; /* 0: there was no run */
	struct monotime mono;
	int64_t boot; /* which start of the machine; 0: not known */
};

/* boot: of now.  In the same one the line goes on through the downtime. */
void trusted_time_start(struct trusted_time *t, const struct trusted_past *past,
    struct walltime wall, struct monotime mono, int64_t boot);
/* The operator says that the wall is right. */
void trusted_time_trust(
    struct trusted_time *t, struct walltime wall, struct monotime mono);
/* A record made at this time, by its agent's clock, came from there just now.
 * Addresses of this machine are no witness: the caller leaves them out. */
void trusted_time_hear(struct trusted_time *t, int64_t agent,
    const struct addr *from, struct walltime made, struct monotime mono);
/* Never above the wall. */
struct walltime trusted_time_now(
    struct trusted_time *t, struct walltime wall, struct monotime mono);
/* How far the wall is ahead of what is trusted; at least 0. */
int64_t trusted_time_lag(
    const struct trusted_time *t, struct walltime wall, struct monotime mono);
/* For the next run. */
struct trusted_past trusted_time_save(
    const struct trusted_time *t, struct monotime mono, int64_t boot);
