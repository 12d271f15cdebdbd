/* SPDX-License-Identifier: ISC */
/*
 * The map of a time range: nodes with who saw them, links with delay and loss.
 * Tens of thousands of objects, so they are written as text at once, and the
 * paths are freed before.
 */
#include <stdlib.h>
#include <string.h>

#include "collector/core/agent-table.h"
#include "collector/query/path-graph.h"
#include "lib/formats/reply-text.h"
#include "lib/json/json-buf.h"
#include "lib/base/xalloc.h"

#define DAY_NS (86400 * NS_PER_S)
#define LOOK_BACK_NS (90 * DAY_NS) /* for the beginning of rejections */
#define LOOK_BACK_NODES 32         /* of one map */

/* That an agent saw an address.  By hash while they are gathered, then by
 * address and agent, so that one search finds all who saw it. */
struct seen {
	struct addr addr;
	bool is_source; /* its paths start there */
	int64_t agent_row;
	int64_t rtt_min_ns; /* -1: none */
};
struct map_text {
	struct query *q;
	struct buf *to;
	struct path_set *map;
	struct seen *seen; /* owned */
	size_t seen_count, seen_cap;
	struct index by_hash;
	struct agent *agents; /* owned; by row */
	size_t agent_count;
	unsigned looked_back; /* for rejections */
};

static int by_addr(const void *a, const void *b)
{
	const struct seen *x = a, *y = b;
	int order = addr_cmp(&x->addr, &y->addr);
	if (order != 0)
		return order;
	return (x->agent_row > y->agent_row) - (x->agent_row < y->agent_row);
}

static struct seen *find_seen(
    struct map_text *m, const struct addr *addr, int64_t agent_row)
{
	uint64_t hash = addr_hash(addr, (uint64_t)agent_row);
	struct index_walk walk = index_walk(&m->by_hash, hash);
	size_t i;
	while (index_next(&walk, &i))
		if (m->seen[i].agent_row == agent_row &&
		    addr_equal(&m->seen[i].addr, addr))
			return &m->seen[i];
	if (m->seen_count == m->seen_cap) {
		m->seen_cap = m->seen_cap ? m->seen_cap * 2 : 256;
		m->seen = xreallocarray(m->seen, m->seen_cap, sizeof(*m->seen));
	}
	index_put(&m->by_hash, hash, m->seen_count);
	m->seen[m->seen_count] = (struct seen){
		.addr = *addr, .agent_row = agent_row, .rtt_min_ns = -1
	};
	return &m->seen[m->seen_count++];
}

static void see_path(struct map_text *m, const struct path_set_item *item)
{
	const struct path *path = &item->path;
	if (path->src.family != 0)
		find_seen(m, &path->src, item->agent_row)->is_source = true;
	for (size_t k = 0; k < path->hop_count; k++) {
		const struct path_hop *hop = &path->hops[k];
		if (hop->from.family == 0)
			continue;
		/* The graph's code was given medians; the smallest is here. */
		struct seen *seen = find_seen(m, &hop->from, item->agent_row);
		if (hop->rtt_min_ns >= 0 &&
		    (seen->rtt_min_ns < 0 ||
			hop->rtt_min_ns < seen->rtt_min_ns))
			seen->rtt_min_ns = hop->rtt_min_ns;
	}
}

static void see_all(struct map_text *m)
{
	for (size_t i = 0; i < m->map->count; i++)
		see_path(m, &m->map->items[i]);
	index_fini(&m->by_hash);
	if (m->seen_count > 0)
		qsort(m->seen, m->seen_count, sizeof(*m->seen), by_addr);
}

/* The first who saw it; *count: how many did. */
static const struct seen *find_seers(
    const struct map_text *m, const struct addr *addr, size_t *count)
{
	size_t low = 0, high = m->seen_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (addr_cmp(&m->seen[middle].addr, addr) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*count = 0;
	while (low + *count < m->seen_count &&
	    addr_equal(&m->seen[low + *count].addr, addr))
		(*count)++;
	return m->seen + low;
}

static bool saw(
    const struct map_text *m, const struct addr *addr, int64_t agent_row)
{
	size_t count;
	const struct seen *seen = find_seers(m, addr, &count);
	for (size_t i = 0; i < count; i++)
		if (seen[i].agent_row == agent_row)
			return true;
	return false;
}

static const struct agent *agent_of(const struct map_text *m, int64_t row)
{
	size_t low = 0, high = m->agent_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (m->agents[middle].row < row)
			low = middle + 1;
		else
			high = middle;
	}
	return low < m->agent_count && m->agents[low].row == row
	    ? &m->agents[low]
	    : NULL;
}

/* A silent node was seen by each agent that saw the answers on both its sides.
 */
static void write_agents(const struct map_text *m,
    const struct topology_node *node, const struct seen *seen, size_t count)
{
	bool silent = node->addr.family == 0, first = true;
	for (size_t i = 0; i < count; i++) {
		const struct agent *agent = agent_of(m, seen[i].agent_row);
		if (!agent ||
		    (silent && node->after.family &&
			!saw(m, &node->after, seen[i].agent_row)))
			continue;
		if (!first)
			buf_u8(m->to, ',');
		first = false;
		jsonbuf_hex(m->to, agent->id, AGENT_ID_LEN);
	}
}

/* A source is an agent's own address: it has the agent's name. */
static const char *name_of(const struct map_text *m,
    const struct topology_node *node, const struct seen *seen, size_t count)
{
	for (size_t i = 0; node->is_source && i < count; i++) {
		const struct agent *agent = agent_of(m, seen[i].agent_row);
		if (seen[i].is_source && agent)
			return agent->name;
	}
	return NULL;
}

/* Days before the map in which a node rejected. */
struct look_back {
	const struct addr *addr;
	int64_t since_ns, last_day;
};

static int take_day(void *ctx, const struct store_row *row)
{
	struct look_back *look = ctx;
	const struct store_path *p = row->path;
	struct path path = { 0 };
	bool rejects = false;
	if (path_read_hops(&path, p->hops.data, p->hops.len) == ERR_OK)
		for (size_t i = 0; i < path.hop_count; i++)
			rejects |= path.hops[i].rejects &&
			    addr_equal(&path.hops[i].from, look->addr);
	path_fini(&path);
	if (!rejects)
		return 0;
	int64_t day = p->first_ns / DAY_NS;
	if (day > look->last_day + 1 || p->first_ns < look->since_ns)
		look->since_ns = p->first_ns;
	if (day > look->last_day)
		look->last_day = day;
	return 0;
}

/* A map of an hour would say that what rejects for weeks does so for an hour:
 * since the first of the days in a row, up to the map's. */
static int64_t rejects_since(
    struct map_text *m, const struct topology_node *node)
{
	int64_t first = node->rejected_first.ns;
	struct look_back look = { &node->addr, first, -1 };
	const struct store_plan plan = { .table = STORE_PATHS,
		.bin_s = DAY_NS / NS_PER_S,
		.hop = node->addr,
		.range = { first - LOOK_BACK_NS, first } };
	if (m->looked_back++ >= LOOK_BACK_NODES ||
	    m->q->c->ops->read(m->q->reader, &plan, take_day, &look, NULL) < 0)
		return first;
	return look.last_day + 1 >= first / DAY_NS && look.since_ns < first
	    ? look.since_ns
	    : first;
}

/* What a firewall or a router answers in a target's place. */
static void write_rejection(
    struct map_text *m, const struct topology_node *node)
{
	struct buf *to = m->to;
	char words[40];
	uint8_t from[16] = { 0 };
	Sonde__Reply reply = SONDE__REPLY__INIT;
	if (node->rejected == 0)
		return;
	reply.from = (ProtobufCBinaryData){ addr_len(&node->addr), from };
	REPLY_SET(&reply, ICMP_TYPE, icmp_type, node->reject_type);
	REPLY_SET(&reply, ICMP_CODE, icmp_code, node->reject_code);
	JSONBUF_PLAIN(to, ",\"rejects\":{\"traces\":");
	jsonbuf_integer(to, (int64_t)node->rejected);
	JSONBUF_PLAIN(to, ",\"with\":");
	jsonbuf_text(to, reply_error(&reply, words));
	JSONBUF_PLAIN(to, ",\"since\":");
	jsonbuf_time(to, rejects_since(m, node));
	JSONBUF_PLAIN(to, ",\"first_at\":");
	jsonbuf_time(to, node->rejected_first.ns);
	JSONBUF_PLAIN(to, ",\"last_at\":");
	jsonbuf_time(to, node->rejected_last.ns);
	buf_u8(to, '}');
}

static void write_node(struct map_text *m, const struct topology_node *node)
{
	char id[NODE_ID_LEN];
	struct buf *to = m->to;
	const char *role = node->is_source ? "source"
	    : node->is_destination         ? "destination"
					   : "router";
	bool silent = node->addr.family == 0;
	size_t count;
	const struct seen *seen =
	    find_seers(m, silent ? &node->before : &node->addr, &count);
	int64_t rtt_ns = -1;
	for (size_t i = 0; !silent && i < count; i++)
		if (seen[i].rtt_min_ns >= 0 &&
		    (rtt_ns < 0 || seen[i].rtt_min_ns < rtt_ns))
			rtt_ns = seen[i].rtt_min_ns;
	path_node_id(node, id);
	JSONBUF_PLAIN(to, "{\"id\":\"");
	buf_bytes(to, id, strlen(id));
	JSONBUF_PLAIN(to, "\",\"addr\":");
	jsonbuf_addr(to, &node->addr);
	JSONBUF_PLAIN(to, ",\"role\":\"");
	buf_bytes(to, role, strlen(role));
	JSONBUF_PLAIN(to, "\",\"traces\":");
	jsonbuf_integer(to, (int64_t)node->traces);
	JSONBUF_PLAIN(to, ",\"rtt_min_ns\":");
	jsonbuf_count(to, rtt_ns);
	JSONBUF_PLAIN(to, ",\"loss\":");
	if (node->probes == 0)
		JSONBUF_PLAIN(to, "null");
	else
		jsonbuf_real(
		    to, 1.0 - (double)node->replies / (double)node->probes);
	if (node->mpls)
		JSONBUF_PLAIN(to, ",\"mpls\":true,\"agents\":[");
	else
		JSONBUF_PLAIN(to, ",\"mpls\":false,\"agents\":[");
	write_agents(m, node, seen, count);
	buf_u8(to, ']');
	write_rejection(m, node);
	JSONBUF_PLAIN(to, ",\"name\":");
	jsonbuf_text(to, name_of(m, node, seen, count));
	buf_u8(to, '}');
}

static void write_map(struct query *q, struct path_set *map,
    const struct store_range *range, struct buf *to)
{
	struct map_text m = { .q = q, .to = to, .map = map };
	const struct topology_node *nodes;
	const struct topology_link *links;
	size_t node_count = topology_nodes(map->topology, &nodes);
	size_t link_count = topology_links(map->topology, &links);
	m.agent_count = agents_list(q->c, &m.agents);
	see_all(&m);
	path_set_forget_paths(map);
	JSONBUF_PLAIN(to, "{\"from\":");
	jsonbuf_time(to, range->from_ns);
	JSONBUF_PLAIN(to, ",\"to\":");
	jsonbuf_time(to, range->to_ns);
	JSONBUF_PLAIN(to, ",\"nodes\":[");
	for (size_t i = 0; i < node_count; i++) {
		if (i > 0)
			buf_u8(to, ',');
		write_node(&m, &nodes[i]);
	}
	JSONBUF_PLAIN(to, "],\"links\":[");
	for (size_t i = 0; i < link_count; i++) {
		if (i > 0)
			buf_u8(to, ',');
		map_link_write(to, nodes, &links[i]);
	}
	JSONBUF_PLAIN(to, "],\"paths_left_out\":");
	jsonbuf_integer(to, (int64_t)map->paths_left_out);
	JSONBUF_PLAIN(to, ",\"addresses_left_out\":");
	jsonbuf_integer(to, (int64_t)map->addresses_left_out);
	buf_u8(to, '}');
	free(m.seen);
	free(m.agents);
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

static int make_map(
    const struct query_context *context, void *arg, struct errmsg *msg)
{
	struct query q;
	struct store_range range;
	struct path_set map;
	int64_t agent_row = 0;
	query_begin(&q, context, msg);
	int err = read_minutes(&q, &range);
	if (err < 0)
		return err;
	err = query_agent_row(&q, &agent_row);
	if (err < 0)
		return err;
	map_begin(&map);
	err = map_read(&q, &range, agent_row, &map);
	if (err >= 0)
		write_map(&q, &map, &range, arg);
	map_end(&map);
	return err;
}

int query_topology(
    const struct query_context *context, struct buf *text, struct errmsg *msg)
{
	return query_run_body(make_map, context, text, msg);
}
