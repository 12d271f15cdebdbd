/* SPDX-License-Identifier: ISC */
/* Paths as a graph, and what its links show. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/path-set.h"
#include "lib/base/xalloc.h"

#define ABSORBERS_MOST 32
#define SKETCH_BITS (1u << 23)
#define BLOCK_BYTES 16 /* what malloc adds */

static struct path_set_item *find_item(
    const struct path_set *set, int64_t row, uint64_t hash)
{
	struct index_walk walk = index_walk(&set->by_row, hash);
	size_t i;
	while (index_next(&walk, &i))
		if (set->items[i].row == row)
			return &set->items[i];
	return NULL;
}

static size_t path_bytes(const struct path *path)
{
	size_t bytes = sizeof(struct path_set_item) + sizeof(struct index_slot);
	for (size_t i = 0; i < path->hop_count; i++)
		bytes += sizeof(path->hops[i]) + BLOCK_BYTES +
		    path->hops[i].rtt.cap * sizeof(struct histogram_bucket);
	return bytes;
}

/*
 * About how many addresses there are beside those that are kept: linear
 * counting (Whang, Vander-Zanden and Taylor 1990).  Each address sets one bit
 * of m; when a share v of them is still zero, there were about -m ln v.  With 8
 * million bits the standard error for a million addresses is below 0.05 %.
 */
static void sketch_addr(struct path_set *set, const struct addr *addr)
{
	if (addr->family == 0)
		return;
	uint64_t bit = index_hash(addr, sizeof(*addr)) % SKETCH_BITS;
	set->sketch[bit / 64] |= UINT64_C(1) << bit % 64;
}

static void sketch_path(struct path_set *set, const struct path *path)
{
	if (!set->sketch)
		set->sketch = xcalloc(SKETCH_BITS / 64, sizeof(*set->sketch));
	sketch_addr(set, &path->src);
	for (size_t i = 0; i < path->hop_count; i++)
		sketch_addr(set, &path->hops[i].from);
}

static double sketch_count(const struct path_set *set)
{
	size_t zero = SKETCH_BITS;
	for (size_t i = 0; i < SKETCH_BITS / 64; i++)
		zero -= (size_t)__builtin_popcountll(set->sketch[i]);
	return -(double)SKETCH_BITS *
	    log((double)(zero ? zero : 1) / SKETCH_BITS);
}

static int cmp_busiest(const void *a, const void *b)
{
	const struct path_set_item *x = a, *y = b;
	if (x->path.traces != y->path.traces)
		return x->path.traces > y->path.traces ? -1 : 1;
	return x->row < y->row ? -1 : x->row > y->row;
}

static bool is_gone(const struct path_set *set, int64_t row)
{
	struct index_walk walk =
	    index_walk(&set->gone, index_hash(&row, sizeof(row)));
	size_t gone;
	while (index_next(&walk, &gone))
		if (gone == (size_t)row)
			return true;
	return false;
}

static void drop_item(struct path_set *set, struct path_set_item *item)
{
	if (!is_gone(set, item->row))
		index_put(&set->gone, index_hash(&item->row, sizeof(item->row)),
		    (size_t)item->row);
	sketch_path(set, &item->path);
	path_fini(&item->path);
}

static void drop_quiet(struct path_set *set)
{
	size_t kept = 0, bytes = 0;
	qsort(set->items, set->count, sizeof(*set->items), cmp_busiest);
	index_clear(&set->by_row);
	for (size_t i = 0; i < set->count; i++) {
		struct path_set_item *item = &set->items[i];
		size_t more = path_bytes(&item->path);
		if (kept < i || bytes + more > set->bounds.most_bytes / 2) {
			drop_item(set, item);
			continue;
		}
		bytes += more;
		index_put(&set->by_row,
		    index_hash(&item->row, sizeof(item->row)), kept++);
	}
	set->count = kept;
	set->bytes = bytes;
}

void path_set_add(
    struct path_set *set, int64_t row, int64_t agent_row, struct path *path)
{
	uint64_t hash = index_hash(&row, sizeof(row));
	struct path_set_item *to = find_item(set, row, hash);
	if (to) {
		set->bytes -= path_bytes(&to->path);
		path_merge(&to->path, path);
		path_fini(path);
		set->bytes += path_bytes(&to->path);
		if (set->bounds.most_bytes > 0 &&
		    set->bytes > set->bounds.most_bytes)
			drop_quiet(set);
		return;
	}
	set->bytes += path_bytes(path);
	if (set->bounds.most_bytes > 0 && set->bytes > set->bounds.most_bytes)
		drop_quiet(set);
	if (set->count == set->cap) {
		set->cap = set->cap ? set->cap * 2 : 64;
		set->items =
		    xreallocarray(set->items, set->cap, sizeof(*set->items));
	}
	index_put(&set->by_row, hash, set->count);
	set->items[set->count++] =
	    (struct path_set_item){ *path, row, agent_row };
	*path = (struct path){ 0 };
}

static size_t count_answers(const struct path *path)
{
	size_t n = 0;
	for (size_t i = 0; i < path->hop_count; i++)
		n += path->hops[i].from.family != 0;
	return n;
}

/* Same ends together; the most complete and most walked first. */
static int cmp_ends(const void *a, const void *b)
{
	const struct path_set_item *x = a, *y = b;
	if (x->agent_row != y->agent_row)
		return x->agent_row < y->agent_row ? -1 : 1;
	int order = addr_cmp(&x->path.dst, &y->path.dst);
	if (order == 0)
		order = addr_cmp(&x->path.src, &y->path.src);
	if (order != 0)
		return order;
	size_t n = count_answers(&x->path), m = count_answers(&y->path);
	if (n != m)
		return n > m ? -1 : 1;
	if (x->path.traces != y->path.traces)
		return x->path.traces > y->path.traces ? -1 : 1;
	return x->row < y->row ? -1 : x->row > y->row;
}

static bool have_same_ends(
    const struct path_set_item *a, const struct path_set_item *b)
{
	return a->agent_row == b->agent_row &&
	    addr_equal(&a->path.dst, &b->path.dst) &&
	    addr_equal(&a->path.src, &b->path.src);
}

static void absorb_lossy(struct path_set *set)
{
	size_t kept = 0, group = 0;
	for (size_t i = 0; i < set->count; i++) {
		struct path_set_item *item = &set->items[i];
		if (kept == 0 || !have_same_ends(&set->items[group], item))
			group = kept;
		size_t end = kept < group + ABSORBERS_MOST
		    ? kept
		    : group + ABSORBERS_MOST;
		bool gone = false;
		for (size_t k = group; !gone && k < end; k++)
			gone = path_absorb(&set->items[k].path, &item->path);
		if (gone)
			path_fini(&item->path);
		else
			set->items[kept++] = *item;
	}
	set->count = kept;
}

/* Of all paths, or of those that fit, which then are all that is kept.  False:
 * not all fit, and it was to be all. */
static bool make_topology(struct path_set *set, bool all)
{
	struct topology_hop hops[PATH_MAX_HOPS];
	size_t kept = 0;
	topology_free(set->topology);
	set->topology = topology_new();
	topology_bound(
	    set->topology, set->bounds.most_nodes, set->bounds.most_links);
	for (size_t i = 0; i < set->count; i++) {
		struct path_set_item *item = &set->items[i];
		struct topology_trace trace;
		path_as_trace(&item->path, hops, &trace);
		if (trace.hop_count == 0 || topology_add(set->topology, &trace))
			set->items[kept++] = *item;
		else if (all)
			return false;
		else
			drop_item(set, item);
	}
	set->count = kept;
	return true;
}

static void count_left_out(struct path_set *set)
{
	const struct topology_node *nodes;
	size_t count = topology_nodes(set->topology, &nodes), shown = 0;
	set->paths_left_out = set->gone.count;
	for (size_t i = 0; i < set->count; i++) {
		set->paths_left_out -= is_gone(set, set->items[i].row);
		sketch_path(set, &set->items[i].path);
	}
	for (size_t i = 0; i < count; i++)
		shown += nodes[i].addr.family != 0;
	double known = sketch_count(set);
	if (known > (double)shown)
		set->addresses_left_out = (size_t)(known - (double)shown);
}

void path_set_finish(struct path_set *set)
{
	if (set->count > 0)
		qsort(set->items, set->count, sizeof(*set->items), cmp_ends);
	index_fini(&set->by_row); /* the order is another now */
	absorb_lossy(set);
	if (!make_topology(set, true)) {
		qsort(set->items, set->count, sizeof(*set->items), cmp_busiest);
		make_topology(set, false);
	}
	if (set->gone.count > 0)
		count_left_out(set);
}

void path_set_forget_paths(struct path_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		path_fini(&set->items[i].path);
	free(set->items);
	free(set->sketch);
	index_fini(&set->by_row);
	index_fini(&set->gone);
	set->items = NULL;
	set->sketch = NULL;
	set->count = set->cap = set->bytes = 0;
}

void path_set_fini(struct path_set *set)
{
	path_set_forget_paths(set);
	topology_free(set->topology);
	*set = (struct path_set){ .bounds = set->bounds };
}

const char *path_node_id(
    const struct topology_node *node, char to[static NODE_ID_LEN])
{
	char before[ADDR_TEXT_LEN] = "", after[ADDR_TEXT_LEN] = "";
	if (node->addr.family)
		return addr_text(&node->addr, to);
	if (node->before.family)
		addr_text(&node->before, before);
	if (node->after.family)
		addr_text(&node->after, after);
	snprintf(to, NODE_ID_LEN, "?%s~%s~%u/%u", before, after,
	    node->run_index + 1u, node->run_len);
	return to;
}

/* Delays between two answers in a row, over all paths. */
struct extreme {
	struct addr from, to;
	int64_t low, high;
};
struct extremes {
	struct extreme *items;
	size_t count, cap;
	struct index index;
};

static uint64_t ends_hash(const struct addr *from, const struct addr *to)
{
	uint8_t key[2 * sizeof(struct addr)];
	memcpy(key, from, sizeof(*from));
	memcpy(key + sizeof(*from), to, sizeof(*to));
	return index_hash(key, sizeof(key));
}

static struct extreme *find_extreme(const struct extremes *e,
    const struct addr *from, const struct addr *to, uint64_t hash)
{
	struct index_walk walk = index_walk(&e->index, hash);
	size_t i;
	while (e->items && index_next(&walk, &i))
		if (addr_equal(&e->items[i].from, from) &&
		    addr_equal(&e->items[i].to, to))
			return &e->items[i];
	return NULL;
}

static void note_extreme(
    struct extremes *e, const struct path_hop *near, const struct path_hop *far)
{
	int64_t n = histogram_median(&near->rtt),
		f = histogram_median(&far->rtt);
	if (near->from.family == 0 || far->from.family == 0 || n < 0 || f < 0)
		return;
	int64_t delay = f > n ? f - n : 0;
	uint64_t hash = ends_hash(&near->from, &far->from);
	struct extreme *x = find_extreme(e, &near->from, &far->from, hash);
	if (x) {
		x->low = delay < x->low ? delay : x->low;
		x->high = delay > x->high ? delay : x->high;
		return;
	}
	if (e->count == e->cap) {
		e->cap = e->cap ? e->cap * 2 : 256;
		e->items = xreallocarray(e->items, e->cap, sizeof(*e->items));
	}
	index_put(&e->index, hash, e->count);
	e->items[e->count++] =
	    (struct extreme){ near->from, far->from, delay, delay };
}

static bool is_node(const struct topology_node *node, const char *id)
{
	char text[NODE_ID_LEN];
	return !id || strcmp(path_node_id(node, text), id) == 0;
}

void path_set_links(struct path_set *set, const char *from, const char *to,
    path_link_fn *fn, void *ctx)
{
	struct extremes e = { 0 };
	const struct topology_node *nodes;
	const struct topology_link *links;
	for (size_t p = 0; p < set->count; p++) {
		const struct path *path = &set->items[p].path;
		for (size_t i = 0; i + 1 < path->hop_count; i++)
			note_extreme(&e, &path->hops[i], &path->hops[i + 1]);
	}
	topology_nodes(set->topology, &nodes);
	size_t count = topology_links(set->topology, &links);
	for (size_t i = 0; i < count; i++) {
		const struct topology_link *l = &links[i];
		const struct topology_node *near = &nodes[l->from];
		const struct topology_node *far = &nodes[l->to];
		char near_id[NODE_ID_LEN], far_id[NODE_ID_LEN];
		if (!is_node(near, from) || !is_node(far, to))
			continue;
		const struct extreme *x = find_extreme(&e, &near->addr,
		    &far->addr, ends_hash(&near->addr, &far->addr));
		const struct path_link link = {
			.from = path_node_id(near, near_id),
			.to = path_node_id(far, far_id),
			.samples = l->traces,
			.delay_min_ns = x ? x->low : l->delay_ns,
			.delay_median_ns = l->delay_ns,
			.delay_max_ns = x ? x->high : l->delay_ns,
			.loss = l->loss,
		};
		fn(ctx, &link);
	}
	free(e.items);
	index_fini(&e.index);
}
