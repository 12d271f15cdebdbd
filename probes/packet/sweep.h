/* SPDX-License-Identifier: ISC */
/*
 * A sweep: probes alike to a range of addresses.  Pure: which probe is next,
 * and which one a packet answers.  The order goes to and fro over the whole
 * range, so that no network in it is asked in one burst.  What tells a probe
 * from others (IP ID, echo sequence number, TCP sequence number) follows from
 * its address and a secret, so nothing is kept of a probe but when it left and
 * the best answer so far.
 */
#pragma once

#include "probes/packet/match.h"

#define SWEEP_MOST (1u << 20) /* probes */

struct sweep_range {
	uint32_t count;    /* addresses from the template's dst on; 0: none */
	uint32_t rate_pps; /* 0: as fast as the policy lets them go */
};

/* Are there so many addresses from the first on?  Of IPv6, in its last 32
 * bits. */
bool sweep_fits(const struct addr *first, uint32_t count);

struct sweep;
/* The template's payload is borrowed.  start: when the first may leave.  key:
 * secret.  NULL: the addresses would run over, or are too many. */
struct sweep *sweep_new(const struct probe *template,
    const struct sweep_range *range, struct monotime start, uint64_t key);
void sweep_free(struct sweep *sweep);

/* When the next one may leave; wait_ns after the last one: the end. */
struct monotime sweep_due(const struct sweep *sweep, int64_t wait_ns);
/* Puts the next probe's fields into a copy of the template; false: all have
 * had their turn.  The same one until sweep_step. */
bool sweep_peek(const struct sweep *sweep, struct probe *probe);
/* The next one has left, or will not: the policy's reason (0: it allows it), or
 * an error. */
void sweep_step(struct sweep *sweep, uint32_t verdict, int err,
    struct monotime now, struct walltime wall);

struct sweep_counts {
	uint32_t sent, denied, failed;
	uint32_t verdict; /* enum policy_verdict, of the last denied */
	int32_t err;      /* of the last that failed */
};
struct sweep_counts sweep_counts(const struct sweep *sweep);

/* Which of the probes that left does this answer?  False: none, as far as it
 * shows. */
struct sweep_hit {
	uint32_t index; /* of its address in the range */
	struct match_sent sent;
	struct monotime sent_at;
	struct walltime sent_wall;
};
bool sweep_find(const struct sweep *sweep, struct probe_builder *builder,
    const struct match_answer *answer, struct sweep_hit *hit);
/* Is an answer to it better than all before? */
bool sweep_is_better(
    struct sweep *sweep, uint32_t index, enum outcome_rank rank);

/* The address that is so many after another. */
struct addr sweep_address(const struct addr *first, uint32_t index);
