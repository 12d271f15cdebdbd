/* SPDX-License-Identifier: ISC */
/*
 * What analysis/topology.h says of a link's loss (a lower bound) and what
 * analysis/link-score.h makes of it: lossy, slow.  A truth is a chain of
 * routers with a detour or not, links with a loss and a delay of their own,
 * routers that answer seldom, slowly or never, and traces along it.  One link
 * of each sort is judged in a truth, because links of a chain share probes.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/link-score.h"
#include "tests/calibrate/claim.h"

#define HOPS_MOST 14
#define ATTEMPTS 3
#define COVERS 0.975

enum {
	LOSSLESS, /* and seen clearly */
	LOSSLESS_COVERED,
	LOSSLESS_LOSSY, /* called so */
	VEILED,         /* loses nothing, and is not seen clearly */
	VEILED_LOSSY,
	LOSING,
	LOSING_COVERED,
	LOSING_WIDTH,
	LINKS,
	LINKS_UNKNOWN,
	SURE, /* lose a tenth or more, seen by 300 probes, near end clear */
	SURE_LOSSY,
	DIM, /* the same where the near end answers seldom */
	DIM_LOSSY,
	ORDINARY, /* at most half the delay from which a link is slow */
	ORDINARY_SLOW,
	LONG, /* twice that, and more */
	LONG_SLOW,
	SUM_COUNT
};

struct hop {
	struct addr addr;
	double arrive; /* the link to it: share of probes and answers through */
	int64_t delay_ns;
	double answers; /* share of what reaches it */
	int64_t slow_ns; /* to answer, on average */
};

struct chain {
	struct hop hops[HOPS_MOST], detour; /* may stand for hops[detour_at] */
	size_t count, detour_at;            /* 0: none */
	int64_t jitter_ns;                  /* of a round trip, on average */
};

static struct hop draw_hop(size_t number)
{
	struct hop hop = { .addr = { .family = 4 }, .arrive = 1 };
	hop.addr.bytes[0] = 10;
	hop.addr.bytes[3] = (uint8_t)number;
	if (draw_uniform() < 0.3)
		hop.arrive -= draw_log_between(0.001, 0.6);
	hop.delay_ns = (int64_t)draw_log_between(2e4, 8e7);
	double kind = draw_uniform();
	hop.answers = kind < 0.7 ? 1 : kind < 0.9 ? draw_uniform() : 0;
	if (draw_uniform() < 0.2)
		hop.slow_ns = (int64_t)draw_log_between(1e5, 1e8);
	return hop;
}

static struct chain draw_chain(void)
{
	struct chain c = { .count = 3 + draw_number(HOPS_MOST - 2) };
	for (size_t i = 0; i < c.count; i++)
		c.hops[i] = draw_hop(1 + i);
	c.hops[c.count - 1].answers = 1;
	c.hops[c.count - 1].slow_ns = 0;
	c.jitter_ns = (int64_t)draw_log_between(1e4, 1e7);
	if (c.count > 3 && draw_uniform() < 0.3) {
		c.detour_at = 1 + draw_number(c.count - 2);
		c.detour = draw_hop(100);
	}
	return c;
}

static void add_trace(
    const struct chain *c, uint64_t number, struct topology *topology)
{
	struct topology_hop hops[HOPS_MOST] = { 0 };
	struct topology_trace trace = { .hops = hops,
		.hop_count = c->count,
		.reached = true,
		.when = { (int64_t)number } };
	double arrive = 1;
	int64_t delay_ns = 0;
	bool around = c->detour_at && draw_uniform() < 0.5;
	trace.src = (struct addr){ .family = 4, .bytes = { 192, 0, 2, 1 } };
	trace.dst = c->hops[c->count - 1].addr;
	for (size_t i = 0; i < c->count; i++) {
		const struct hop *hop = around && i == c->detour_at
		    ? &c->detour
		    : &c->hops[i];
		arrive *= hop->arrive;
		delay_ns += hop->delay_ns;
		hops[i] = (struct topology_hop){ .ttl = (uint8_t)(i + 1),
			.probes = ATTEMPTS,
			.rtt_ns = -1,
			.destination = i + 1 == c->count };
		for (int k = 0; k < ATTEMPTS; k++) {
			double late = draw_exponential((double)c->jitter_ns) +
			    draw_exponential((double)hop->slow_ns + 1);
			int64_t rtt_ns = delay_ns + (int64_t)late;
			if (draw_uniform() >= arrive * hop->answers)
				continue;
			hops[i].from = hop->addr;
			hops[i].replies++;
			if (hops[i].rtt_ns < 0 || rtt_ns < hops[i].rtt_ns)
				hops[i].rtt_ns = rtt_ns;
		}
	}
	topology_add(topology, &trace);
}

static const struct hop *hop_of(
    const struct chain *c, const struct addr *addr, size_t *at)
{
	for (size_t i = 0; i < c->count; i++)
		if (addr_equal(&c->hops[i].addr, addr)) {
			*at = i;
			return &c->hops[i];
		}
	*at = c->detour_at;
	return addr_equal(&c->detour.addr, addr) ? &c->detour : NULL;
}

/* What arrives at a link's far end shows only by answers: somebody behind the
 * link must answer whatever comes, with no loss on the way to him. */
static bool is_clear(const struct chain *c, const struct hop *far)
{
	size_t at;
	hop_of(c, &far->addr, &at);
	if (far->answers >= 1)
		return true;
	while (++at < c->count) {
		if (at == c->detour_at || c->hops[at].arrive < 1)
			return false;
		if (c->hops[at].answers >= 1)
			return true;
	}
	return false;
}

static bool answers_all(
    const struct chain *c, const struct topology_node *node)
{
	size_t at;
	return node->is_source || hop_of(c, &node->addr, &at)->answers >= 1;
}

/* The truth of a link whose ends are known and next to each other. */
static const struct hop *truth_of(const struct chain *c,
    const struct topology_node *nodes, const struct topology_link *link)
{
	size_t from = 0, to;
	const struct hop *near = NULL, *far;
	far = hop_of(c, &nodes[link->to].addr, &to);
	if (!nodes[link->from].is_source)
		near = hop_of(c, &nodes[link->from].addr, &from);
	bool next = nodes[link->from].is_source ? to == 0
						: near && to == from + 1;
	return far && nodes[link->to].addr.family && next ? far : NULL;
}

/* One link of those that fit, each as likely as the other. */
struct choice {
	const struct topology_link *link;
	const struct hop *truth;
	double seen;
};

static void choose(struct choice *choice, const struct topology_link *link,
    const struct hop *truth)
{
	choice->seen++;
	if (draw_uniform() * choice->seen < 1) {
		choice->link = link;
		choice->truth = truth;
	}
}

static double is_lossy(const struct topology_link *link)
{
	return link_score_lossy(link) >= LINK_SCORE_LEAST;
}

static void judge_loss(const struct chain *c,
    const struct topology_node *nodes, const struct choice *lossless,
    const struct choice *losing, double *sums)
{
	const struct topology_link *l = lossless->link;
	if (l && !is_clear(c, lossless->truth)) {
		sums[VEILED]++;
		sums[VEILED_LOSSY] += is_lossy(l);
	} else if (l) {
		sums[LOSSLESS]++;
		sums[LOSSLESS_COVERED] += l->loss_low <= 0;
		sums[LOSSLESS_LOSSY] += is_lossy(l);
	}
	l = losing->link;
	if (!l)
		return;
	double loss = 1 - losing->truth->arrive;
	sums[LOSING]++;
	sums[LOSING_COVERED] += l->loss_low <= loss;
	sums[LOSING_WIDTH] += loss - l->loss_low;
	if (loss < 0.1 || l->loss_samples < 300)
		return;
	bool bright = answers_all(c, &nodes[l->from]);
	sums[bright ? SURE : DIM]++;
	sums[bright ? SURE_LOSSY : DIM_LOSSY] += is_lossy(l);
}

static void judge_delay(const struct choice *ordinary,
    const struct choice *slow, double usual_ns, double *sums)
{
	if (ordinary->link) {
		sums[ORDINARY]++;
		sums[ORDINARY_SLOW] +=
		    link_score_slow(ordinary->link, usual_ns) >=
		    LINK_SCORE_LEAST;
	}
	if (slow->link) {
		sums[LONG]++;
		sums[LONG_SLOW] += link_score_slow(slow->link, usual_ns) >=
		    LINK_SCORE_LEAST;
	}
}

static void try_truth(uint64_t number, double *sums)
{
	(void)number;
	struct chain c = draw_chain();
	struct topology *topology = topology_new();
	const struct topology_node *nodes;
	const struct topology_link *links;
	struct choice lossless = { 0 }, losing = { 0 }, ordinary = { 0 },
		      slow = { 0 };
	uint64_t traces = (uint64_t)draw_log_between(1, 1000);
	for (uint64_t i = 0; i < traces; i++)
		add_trace(&c, i, topology);
	topology_nodes(topology, &nodes);
	size_t count = topology_links(topology, &links);
	double usual_ns = link_usual_delay(links, count);
	double limit_ns = 3 * fmax(usual_ns, 5e6);
	for (size_t i = 0; i < count; i++) {
		const struct hop *truth = truth_of(&c, nodes, &links[i]);
		if (!truth)
			continue;
		sums[LINKS]++;
		sums[LINKS_UNKNOWN] += links[i].loss < 0;
		if (links[i].loss >= 0)
			choose(truth->arrive < 1 ? &losing : &lossless,
			    &links[i], truth);
		if (links[i].traces < 3)
			continue;
		if ((double)truth->delay_ns <= limit_ns / 2)
			choose(&ordinary, &links[i], truth);
		if ((double)truth->delay_ns >= limit_ns * 2)
			choose(&slow, &links[i], truth);
	}
	judge_loss(&c, nodes, &lossless, &losing, sums);
	judge_delay(&ordinary, &slow, usual_ns, sums);
	topology_free(topology);
}

static void judge(const double *s)
{
	judge_at_least("loss_low of a link that loses is below its loss",
	    COVERS, s[LOSING], s[LOSING_COVERED]);
	judge_at_least("loss_low of a link that loses nothing is 0", COVERS,
	    s[LOSSLESS], s[LOSSLESS_COVERED]);
	judge_at_most("a link that loses nothing is called lossy", 1 - COVERS,
	    s[LOSSLESS], s[LOSSLESS_LOSSY]);
	judge_at_least("a link that loses a tenth, by 300 probes, is lossy",
	    0.95, s[SURE], s[SURE_LOSSY]);
	show("the same behind a router that answers seldom", "%.1f %% of %.0f",
	    100 * s[DIM_LOSSY] / s[DIM], s[DIM]);
	show("lossy for what gets lost behind it", "%.2f %% of %.0f",
	    100 * s[VEILED_LOSSY] / s[VEILED], s[VEILED]);
	show("from loss_low to the loss", "%.3f on average",
	    s[LOSING_WIDTH] / s[LOSING]);
	show("links whose loss cannot be told", "%.2f %% of %.0f",
	    100 * s[LINKS_UNKNOWN] / s[LINKS], s[LINKS]);
	judge_at_most("a link of half the slow delay is called slow", 0.05,
	    s[ORDINARY], s[ORDINARY_SLOW]);
	judge_at_least("a link of twice the slow delay is called slow", 0.9,
	    s[LONG], s[LONG_SLOW]);
}

int main(int argc, char **argv)
{
	static const struct claim claim = { SUM_COUNT, try_truth, judge };
	return claim_main(argc, argv, &claim);
}
