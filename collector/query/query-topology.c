/* SPDX-License-Identifier: ISC */
/* The map of a time range: nodes with who saw them, links with delay and
 * loss. */
#include <stdlib.h>
#include <string.h>

#include "collector/core/agent-table.h"
#include "lib/json/json-value.h"
#include "collector/query/path-graph.h"
#include "lib/base/xalloc.h"

/* Who saw an address: pairs, sorted, so that one search finds them all. */
struct seen {
	struct addr addr;
	size_t path; /* whose agent */
	int64_t agent_row;
	int64_t rtt_min_ns; /* -1: none */
};
struct seen_list {
	struct seen *items; /* owned */
	size_t count, cap;
};

static int by_addr(const void *a, const void *b)
{
	const struct seen *x = a, *y = b;
	int order = addr_cmp(&x->addr, &y->addr);
	if (order != 0)
		return order;
	return (x->agent_row > y->agent_row) - (x->agent_row < y->agent_row);
}

static void see(struct seen_list *list, const struct seen *seen)
{
	if (seen->addr.family == 0)
		return;
	if (list->count == list->cap) {
		list->cap = list->cap ? list->cap * 2 : 256;
		list->items =
		    xreallocarray(list->items, list->cap, sizeof(*list->items));
	}
	list->items[list->count++] = *seen;
}

static void see_all(struct seen_list *list, const struct path_set *map)
{
	for (size_t i = 0; i < map->count; i++) {
		const struct path *path = &map->items[i].path;
		int64_t agent_row = map->items[i].agent_row;
		see(list, &(struct seen){ path->src, i, agent_row, -1 });
		for (size_t k = 0; k < path->hop_count; k++)
			see(list,
			    &(struct seen){ path->hops[k].from, i, agent_row,
				path->hops[k].rtt_min_ns });
	}
	if (list->count > 0)
		qsort(list->items, list->count, sizeof(*list->items), by_addr);
}

static size_t first_of(const struct seen_list *list, const struct addr *addr)
{
	size_t low = 0, high = list->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (addr_cmp(&list->items[middle].addr, addr) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool saw(
    const struct seen_list *list, const struct addr *addr, int64_t agent_row)
{
	for (size_t i = first_of(list, addr);
	     i < list->count && addr_equal(&list->items[i].addr, addr); i++)
		if (list->items[i].agent_row == agent_row)
			return true;
	return false;
}

/* A silent node was seen by each agent that saw the answers on both its sides.
 */
static json_t *agents_of(struct collector *c, const struct seen_list *list,
    const struct topology_node *node)
{
	const struct addr *addr =
	    node->addr.family ? &node->addr : &node->before;
	json_t *ids = json_array();
	int64_t last = 0;
	for (size_t i = first_of(list, addr);
	     i < list->count && addr_equal(&list->items[i].addr, addr); i++) {
		const struct seen *seen = &list->items[i];
		if (seen->agent_row == last)
			continue;
		last = seen->agent_row;
		if (node->addr.family == 0 && node->after.family &&
		    !saw(list, &node->after, last))
			continue;
		struct agent agent;
		if (agents_find_row(c, last, &agent))
			json_array_append_new(
			    ids, json_hex(agent.id, AGENT_ID_LEN));
	}
	return ids;
}

/* The graph's code was given medians; the smallest is in the paths. */
static int64_t rtt_min_of(
    const struct seen_list *list, const struct topology_node *node)
{
	int64_t least = -1;
	for (size_t i = first_of(list, &node->addr);
	     i < list->count && addr_equal(&list->items[i].addr, &node->addr);
	     i++) {
		int64_t rtt = list->items[i].rtt_min_ns;
		if (rtt >= 0 && (least < 0 || rtt < least))
			least = rtt;
	}
	return least;
}

/* A source is an agent's own address: it has the agent's name. */
static json_t *name_of(struct collector *c, const struct path_set *map,
    const struct seen_list *list, const struct topology_node *node)
{
	struct agent agent;
	size_t i = first_of(list, &node->addr);
	if (!node->is_source || i >= list->count)
		return json_null();
	for (; i < list->count && addr_equal(&list->items[i].addr, &node->addr);
	     i++) {
		const struct path_set_item *path =
		    &map->items[list->items[i].path];
		if (addr_equal(&path->path.src, &node->addr) &&
		    agents_find_row(c, path->agent_row, &agent))
			return json_string(agent.name);
	}
	return json_null();
}

static json_t *node_json(struct collector *c, const struct path_set *map,
    const struct seen_list *list, const struct topology_node *node)
{
	char id[NODE_ID_LEN];
	const char *role = node->is_source ? "source"
	    : node->is_destination         ? "destination"
					   : "router";
	json_t *loss = node->probes == 0
	    ? json_null()
	    : json_real(1.0 - (double)node->replies / (double)node->probes);
	return json_pack("{s:s, s:o, s:s, s:I, s:o, s:o, s:b, s:o, s:o}", "id",
	    path_node_id(node, id), "addr", json_addr(&node->addr), "role",
	    role, "traces", (json_int_t)node->traces, "rtt_min_ns",
	    json_count(rtt_min_of(list, node)), "loss", loss, "mpls",
	    node->mpls, "agents", agents_of(c, list, node), "name",
	    name_of(c, map, list, node));
}

static json_t *topology_json(
    struct query *q, struct path_set *map, const struct store_range *range)
{
	const struct topology_node *nodes;
	const struct topology_link *links;
	struct seen_list list = { 0 };
	see_all(&list, map);
	size_t node_count = topology_nodes(map->topology, &nodes);
	size_t link_count = topology_links(map->topology, &links);
	json_t *node_list = json_array(), *link_list = json_array();
	for (size_t i = 0; i < node_count; i++)
		json_array_append_new(
		    node_list, node_json(q->c, map, &list, &nodes[i]));
	for (size_t i = 0; i < link_count; i++)
		json_array_append_new(
		    link_list, map_link_json(nodes, &links[i]));
	free(list.items);
	return json_pack("{s:o, s:o, s:o, s:o}", "from",
	    json_time(range->from_ns), "to", json_time(range->to_ns), "nodes",
	    node_list, "links", link_list);
}

/* Whole minutes around what is asked for: the finest bins that map_read reads,
 * so that all who ask within a minute get the same map. */
static int read_minutes(struct query *q, struct store_range *range)
{
	const int64_t minute = 60 * NS_PER_S;
	int err = query_range(q, &query_param_from, range);
	range->from_ns -= range->from_ns % minute;
	range->to_ns += (minute - range->to_ns % minute) % minute;
	return err;
}

int query_topology_key(const struct query_context *context,
    struct query_topology_key *key, struct errmsg *msg)
{
	struct query q;
	struct store_range range;
	*key = (struct query_topology_key){
		.revision = context->collector->paths_revision
	};
	int err = principal_check(context->principal, ROLE_READ, msg);
	if (err < 0)
		return err;
	query_begin(&q, context, msg);
	err = read_minutes(&q, &range);
	if (err < 0)
		return err;
	key->from_ns = range.from_ns;
	key->to_ns = range.to_ns;
	return query_agent_row(&q, &key->agent_row);
}

int query_topology(
    const struct query_context *context, json_t **answer, struct errmsg *msg)
{
	struct query q;
	struct store_range range;
	struct path_set map = { 0 };
	int64_t agent_row = 0;
	query_begin(&q, context, msg);
	int err = read_minutes(&q, &range);
	if (err < 0)
		return err;
	err = query_agent_row(&q, &agent_row);
	if (err < 0)
		return err;
	err = map_read(&q, &range, agent_row, &map);
	if (err == ERR_OK)
		*answer = topology_json(&q, &map, &range);
	path_set_fini(&map);
	return err;
}
