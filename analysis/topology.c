/* SPDX-License-Identifier: ISC */
/*
 * The graph grows trace by trace.  What a round trip shows of one link is
 * judged by what lies behind it:
 *
 * - Delay.  A router may be slow to answer while it forwards at once.  The
 *   time to a hop is therefore the smallest round trip of it and all hops
 *   behind it in the same trace; a link's delay in that trace is the
 *   difference between its ends, never negative; the link shows the median.
 * - Loss.  A router that limits its answers looks lossy while packets pass
 *   it.  How many probes get as far as a hop is therefore the best answer rate
 *   of it and the hops behind it, over all traces that cross the link.
 *
 * Across a run of silent hops only the whole way from the last answer to the
 * next is known: it is put on the run's last link, the others stay unknown.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/hash.h"
#include "analysis/topology.h"
#include "lib/base/vec.h"
#include "lib/base/xalloc.h"
#include "lib/sketch/hash-index.h"

#define BEHIND 32 /* hops behind a link that judge its loss */

struct sample {
	int64_t delay_ns;
	uint64_t weight;
};

struct hop_tally {
	uint64_t probes, replies;
};

/* What is known of a link besides its public face. */
struct link_evidence {
	struct sample *samples;
	size_t count;
	uint64_t weight;
	struct hop_tally near;    /* the last hop before it that answers */
	struct hop_tally *behind; /* its far end, and the hops after it */
	size_t behind_count;
};

struct topology {
	struct topology_node *nodes;
	size_t node_count;
	struct topology_link *links;
	struct link_evidence *evidence; /* beside links */
	size_t link_count;
	size_t nodes_most, links_most; /* 0: any number */
	struct index node_index, link_index;
	bool judged; /* links' medians are up to date */
};

struct topology *topology_new(void)
{
	return xcalloc(1, sizeof(struct topology));
}

void topology_free(struct topology *topology)
{
	if (!topology)
		return;
	for (size_t i = 0; i < topology->link_count; i++) {
		free(topology->evidence[i].samples);
		free(topology->evidence[i].behind);
	}
	free(topology->nodes);
	free(topology->links);
	free(topology->evidence);
	index_fini(&topology->node_index);
	index_fini(&topology->link_index);
	free(topology);
}

static uint64_t node_hash(const struct topology_node *n)
{
	uint64_t h = addr_hash(&n->addr, 1);
	if (n->addr.family == 0) {
		h = addr_hash(&n->before, h);
		h = addr_hash(&n->after, h + n->run_len);
		h += n->run_index;
	}
	return h;
}

static bool node_same(
    const struct topology_node *a, const struct topology_node *b)
{
	return addr_equal(&a->addr, &b->addr) &&
	    (a->addr.family != 0 ||
		(addr_equal(&a->before, &b->before) &&
		    addr_equal(&a->after, &b->after) &&
		    a->run_index == b->run_index && a->run_len == b->run_len));
}

static uint64_t link_hash(size_t from, size_t to)
{
	return hash_finish((uint64_t)from * HASH_GOLDEN ^ to);
}

void topology_bound(struct topology *t, size_t nodes_most, size_t links_most)
{
	t->nodes_most = nodes_most;
	t->links_most = links_most;
}

static bool node_find(const struct topology *t, const struct topology_node *key,
    uint64_t hash, size_t *node)
{
	struct index_walk walk = index_walk(&t->node_index, hash);
	while (index_next(&walk, node))
		if (node_same(&t->nodes[*node], key))
			return true;
	return false;
}

static bool link_find(const struct topology *t, size_t from, size_t to,
    uint64_t hash, size_t *link)
{
	struct index_walk walk = index_walk(&t->link_index, hash);
	while (index_next(&walk, link))
		if (t->links[*link].from == from && t->links[*link].to == to)
			return true;
	return false;
}

static size_t node_get(struct topology *t, const struct topology_node *key)
{
	uint64_t hash = node_hash(key);
	size_t i;
	if (node_find(t, key, hash, &i))
		return i;
	VEC_ROOM(t->nodes, t->node_count);
	t->nodes[t->node_count] = *key;
	t->nodes[t->node_count].rtt_min_ns = -1;
	index_put(&t->node_index, hash, t->node_count);
	return t->node_count++;
}

static size_t link_get(struct topology *t, size_t from, size_t to)
{
	uint64_t hash = link_hash(from, to);
	size_t i;
	if (link_find(t, from, to, hash, &i))
		return i;
	VEC_ROOM(t->links, t->link_count);
	VEC_ROOM(t->evidence, t->link_count);
	t->links[t->link_count] = (struct topology_link){
		.from = from, .to = to, .delay_ns = -1, .loss = -1
	};
	memset(&t->evidence[t->link_count], 0, sizeof(*t->evidence));
	index_put(&t->link_index, hash, t->link_count);
	return t->link_count++;
}

static void tally_add(struct hop_tally *to, const struct topology_hop *hop)
{
	to->probes += hop->probes;
	to->replies += hop->replies < hop->probes ? hop->replies : hop->probes;
}

static void sample_add(
    struct link_evidence *e, int64_t delay_ns, uint64_t weight)
{
	VEC_ROOM(e->samples, e->count);
	e->samples[e->count++] = (struct sample){ delay_ns, weight };
	e->weight += weight;
}

/* A trace on its way into the graph. */
struct walk {
	const struct topology_trace *trace;
	size_t end;         /* hops up to the last answer or the target */
	int64_t *passed_ns; /* per hop: the smallest round trip behind it */
	uint64_t weight;
	size_t node;     /* the hop before, as a node */
	bool linked;     /* there is one */
	size_t answered; /* the last answering hop, if has_answered */
	bool has_answered;
};

static size_t walk_end(const struct topology_trace *trace)
{
	size_t end = 0;
	for (size_t i = 0; i < trace->hop_count; i++) {
		if (trace->hops[i].from.family == 0)
			continue;
		end = i + 1;
		if (trace->hops[i].destination)
			break;
	}
	return end;
}

static void judge_delays(struct walk *w)
{
	int64_t least = INT64_MAX;
	for (size_t i = w->end; i-- > 0;) {
		const struct topology_hop *hop = &w->trace->hops[i];
		if (hop->from.family && hop->rtt_ns >= 0 && hop->rtt_ns < least)
			least = hop->rtt_ns;
		w->passed_ns[i] = least;
	}
}

/* The node of a hop; silence is named by what surrounds it. */
static struct topology_node hop_key(const struct walk *w, size_t i)
{
	const struct topology_trace *trace = w->trace;
	struct topology_node key = { .addr = trace->hops[i].from };
	if (key.addr.family)
		return key;
	size_t first = i, last = i;
	while (first > 0 && trace->hops[first - 1].from.family == 0)
		first--;
	while (last + 1 < w->end && trace->hops[last + 1].from.family == 0)
		last++;
	key.before = first > 0 ? trace->hops[first - 1].from : trace->src;
	key.after =
	    last + 1 < w->end ? trace->hops[last + 1].from : (struct addr){ 0 };
	key.run_index = (uint8_t)(i - first);
	key.run_len = (uint8_t)(last - first + 1);
	return key;
}

static void node_note_rejection(struct topology_node *node,
    const struct topology_trace *trace, const struct topology_hop *hop,
    uint64_t weight)
{
	struct walltime last = trace->last.ns ? trace->last : trace->when;
	if (node->rejected == 0 ||
	    walltime_diff(trace->when, node->rejected_first) < 0)
		node->rejected_first = trace->when;
	if (node->rejected == 0 ||
	    walltime_diff(last, node->rejected_last) >= 0) {
		node->rejected_last = last;
		node->reject_type = hop->reject_type;
		node->reject_code = hop->reject_code;
	}
	node->rejected += weight;
}

static void node_note(
    struct topology_node *node, const struct topology_hop *hop, uint64_t weight)
{
	node->traces += weight;
	node->probes += hop->probes;
	/* A rejection is no answer of what was asked; yet it shows that the
	 * link before it brings packets (link_note). */
	node->replies += hop->rejects ? 0 : hop->replies;
	node->mpls |= hop->mpls;
	node->is_destination |= hop->destination;
	if (hop->from.family && hop->rtt_ns >= 0 &&
	    (node->rtt_min_ns < 0 || hop->rtt_ns < node->rtt_min_ns))
		node->rtt_min_ns = hop->rtt_ns;
}

static void link_note(struct topology *t, struct walk *w, size_t link, size_t i)
{
	const struct topology_trace *trace = w->trace;
	struct topology_link *l = &t->links[link];
	struct link_evidence *e = &t->evidence[link];
	struct walltime last = trace->last.ns ? trace->last : trace->when;
	if (l->traces == 0 || walltime_diff(trace->when, l->first) < 0)
		l->first = trace->when;
	if (l->traces == 0 || walltime_diff(last, l->last) > 0)
		l->last = last;
	l->traces += w->weight;
	if (trace->hops[i].from.family == 0)
		return;
	int64_t near_ns = w->has_answered ? w->passed_ns[w->answered] : 0;
	if (w->passed_ns[i] != INT64_MAX && near_ns != INT64_MAX)
		sample_add(e, w->passed_ns[i] - near_ns, w->weight);
	if (w->has_answered)
		tally_add(&e->near, &trace->hops[w->answered]);
	size_t behind = w->end - i < BEHIND ? w->end - i : BEHIND;
	if (behind > e->behind_count) {
		e->behind =
		    xreallocarray(e->behind, behind, sizeof(*e->behind));
		memset(&e->behind[e->behind_count], 0,
		    (behind - e->behind_count) * sizeof(*e->behind));
		e->behind_count = behind;
	}
	for (size_t k = 0; k < behind; k++)
		tally_add(&e->behind[k], &trace->hops[i + k]);
}

static bool are_adjacent(const struct topology_trace *trace, size_t i)
{
	const struct topology_hop *hop = &trace->hops[i];
	return i == 0 ? hop->ttl == 1 : hop->ttl == hop[-1].ttl + 1;
}

static void walk_hop(struct topology *t, struct walk *w, size_t i)
{
	const struct topology_hop *hop = &w->trace->hops[i];
	struct topology_node key = hop_key(w, i);
	size_t node = node_get(t, &key);
	node_note(&t->nodes[node], hop, w->weight);
	if (hop->rejects)
		node_note_rejection(&t->nodes[node], w->trace, hop, w->weight);
	if (w->linked && are_adjacent(w->trace, i) && node != w->node)
		link_note(t, w, link_get(t, w->node, node), i);
	w->node = node;
	w->linked = true;
	if (hop->from.family) {
		w->answered = i;
		w->has_answered = true;
	}
}

/* Near the bound, what is new is counted; what comes twice in one trace, twice.
 */
static bool trace_fits(const struct topology *t, const struct walk *w)
{
	size_t nodes = t->node_count, links = t->link_count, node, link;
	if (t->nodes_most == 0 ||
	    (nodes + w->end + 1 <= t->nodes_most &&
		links + w->end <= t->links_most))
		return true;
	struct topology_node key = { .addr = w->trace->src };
	bool near_known = node_find(t, &key, node_hash(&key), &node);
	nodes += !near_known;
	for (size_t i = 0; i < w->end; i++) {
		size_t near = node;
		key = hop_key(w, i);
		bool known = node_find(t, &key, node_hash(&key), &node);
		nodes += !known;
		links += are_adjacent(w->trace, i) &&
		    !(near_known && known &&
			link_find(t, near, node, link_hash(near, node), &link));
		near_known = known;
	}
	return nodes <= t->nodes_most && links <= t->links_most;
}

bool topology_add(struct topology *topology, const struct topology_trace *trace)
{
	struct topology_node source = { .addr = trace->src };
	struct walk w = {
		.trace = trace,
		.end = walk_end(trace),
		.weight = trace->count ? trace->count : 1,
	};
	if (!trace_fits(topology, &w))
		return false;
	w.passed_ns = xcalloc(w.end, sizeof(*w.passed_ns));
	judge_delays(&w);
	w.node = node_get(topology, &source);
	w.linked = true;
	topology->nodes[w.node].is_source = true;
	topology->nodes[w.node].traces += w.weight;
	for (size_t i = 0; i < w.end; i++)
		walk_hop(topology, &w, i);
	free(w.passed_ns);
	topology->judged = false;
	return true;
}

static int by_delay(const void *a, const void *b)
{
	const struct sample *x = a, *y = b;
	return (x->delay_ns > y->delay_ns) - (x->delay_ns < y->delay_ns);
}

/* The weighted median; sorts. */
static int64_t median(struct sample *samples, size_t count, uint64_t weight)
{
	uint64_t seen = 0;
	qsort(samples, count, sizeof(*samples), by_delay);
	for (size_t i = 0; i < count; i++) {
		seen += samples[i].weight;
		if (seen * 2 >= weight)
			return samples[i].delay_ns;
	}
	return -1;
}

static void judge_delay(struct topology_link *l, struct link_evidence *e)
{
	if (e->count == 0)
		return;
	l->delay_ns = median(e->samples, e->count, e->weight);
	struct sample *far = xmemdup(e->samples, e->count * sizeof(*far));
	for (size_t i = 0; i < e->count; i++)
		far[i].delay_ns = llabs(far[i].delay_ns - l->delay_ns);
	l->delay_mad_ns = median(far, e->count, e->weight);
	free(far);
}

static double rate(const struct hop_tally *t)
{
	return t->probes ? (double)t->replies / (double)t->probes : 0;
}

/* Wilson's 95 % interval of a rate. */
static void wilson(const struct hop_tally *t, double *low, double *high)
{
	double z2 = 1.96 * 1.96, n = (double)t->probes, p = rate(t);
	double middle = (p + z2 / (2 * n)) / (1 + z2 / n);
	double reach =
	    sqrt(z2 * (p * (1 - p) / n + z2 / (4 * n * n))) / (1 + z2 / n);
	*low = middle - reach;
	*high = middle + reach;
}

/* Few probes lose by chance: how sure is it that fewer arrive than leave? */
static double sure_loss(
    const struct hop_tally *leave, const struct hop_tally *arrive)
{
	double low, high, most, least = 1;
	double gap = (leave->probes ? rate(leave) : 1) - rate(arrive);
	wilson(arrive, &low, &most);
	double doubt = pow(most - rate(arrive), 2);
	if (leave->probes) {
		wilson(leave, &low, &high);
		doubt += pow(rate(leave) - low, 2);
		least = rate(leave);
	}
	return fmax(0, gap - sqrt(doubt)) / least;
}

static void judge_loss(struct topology_link *l, const struct link_evidence *e)
{
	if (e->behind_count == 0)
		return;
	const struct hop_tally *arrive = &e->behind[0];
	l->loss_samples = arrive->probes;
	if (l->loss_samples == 0)
		return;
	/* Far behind a link few traces are left, too few to judge it by. */
	for (size_t k = 1; k < e->behind_count; k++)
		if (e->behind[k].probes * 4 >= e->behind[0].probes &&
		    rate(&e->behind[k]) > rate(arrive))
			arrive = &e->behind[k];
	double leave = e->near.probes ? rate(&e->near) : 1;
	if (leave <= 0 && rate(arrive) <= 0)
		return;
	l->loss = leave > rate(arrive) ? 1 - rate(arrive) / leave : 0;
	l->loss_low = l->loss > 0 ? sure_loss(&e->near, arrive) : 0;
}

static void judge_links(struct topology *t)
{
	if (t->judged)
		return;
	for (size_t i = 0; i < t->link_count; i++) {
		judge_delay(&t->links[i], &t->evidence[i]);
		judge_loss(&t->links[i], &t->evidence[i]);
	}
	t->judged = true;
}

size_t topology_nodes(
    struct topology *topology, const struct topology_node **nodes)
{
	*nodes = topology->nodes;
	return topology->node_count;
}

size_t topology_links(
    struct topology *topology, const struct topology_link **links)
{
	judge_links(topology);
	*links = topology->links;
	return topology->link_count;
}
