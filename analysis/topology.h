/* SPDX-License-Identifier: ISC */
/*
 * Traces become a graph of interfaces: nodes are addresses that answered (and
 * honest stand-ins for those that did not), links join hops that one flow saw
 * in a row.  Pure: arrays in, arrays out.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/addr.h"
#include "lib/base/clock.h"

/* One hop of one trace: the best reply of its attempts. */
struct topology_hop {
	struct addr from; /* family 0: no answer */
	uint8_t ttl;
	uint32_t probes, replies; /* attempts sent and answered */
	int64_t rtt_ns;           /* the smallest; -1: none */
	bool mpls;
	bool destination; /* the answer came from the target itself */
	/* The answer says no for a target behind it: ICMP type and code. */
	bool rejects;
	uint8_t reject_type, reject_code;
};
struct topology_trace {
	struct addr src, dst;
	struct walltime when;
	const struct topology_hop *hops; /* ttl ascending, no holes */
	size_t hop_count;
	bool reached;
	/* A trace may stand for several along the same hops (a rollup): how
	 * many (0 is 1), and when the last was made (0: when).  Its hops then
	 * have summed probes and replies and the median rtt_ns. */
	uint32_t count;
	struct walltime last;
};

struct topology; /* accumulates */
struct topology *topology_new(void);
void topology_free(struct topology *topology);
/* From now on at most so many; 0: any number. */
void topology_bound(
    struct topology *topology, size_t nodes_most, size_t links_most);
/* False: more nodes or links than fit would come of it; nothing was added. */
bool topology_add(
    struct topology *topology, const struct topology_trace *trace);

struct topology_node {
	struct addr addr; /* family 0: unresponsive */
	/* For an unresponsive hop: the answering neighbours that bound it and
	 * its place between them, so that the same silence is one node. */
	struct addr before, after;
	uint8_t run_index, run_len;
	bool is_source, is_destination, mpls;
	/* Of the traces, those that it rejected; since when, and with what it
	 * last did. */
	uint8_t reject_type, reject_code;
	uint64_t rejected;
	struct walltime rejected_first, rejected_last;
	uint64_t traces;
	int64_t rtt_min_ns; /* -1: none */
	uint64_t probes, replies;
};
struct topology_link {
	size_t from, to; /* node indexes; from is nearer the source */
	uint64_t traces;
	/* Extra delay and loss of this link, as far as round trips show it:
	 * medians of per-trace differences; the far end's own slow answering
	 * cannot be distinguished unless something behind it is fast.  Behind
	 * silent hops, the link to the next answer carries the whole way from
	 * the last one; links into silence stay unknown. */
	int64_t delay_ns; /* >= 0; -1: not known */
	int64_t delay_mad_ns;
	double loss; /* 0..1; negative: not known */
	/* What the samples make sure of: the lower end of the 95 % interval
	 * of the difference (Newcombe 1998), above the true loss in at most
	 * 2.5 of 100 cases.  That is of what got lost up to the far end: where
	 * nobody behind the link answers all that reaches him without a loss
	 * on the way, the loss behind it counts as the link's. */
	double loss_low;
	uint64_t loss_samples;
	struct walltime first, last;
};

/* Computes and borrows; valid until the next add. */
size_t topology_nodes(
    struct topology *topology, const struct topology_node **nodes);
size_t topology_links(
    struct topology *topology, const struct topology_link **links);
