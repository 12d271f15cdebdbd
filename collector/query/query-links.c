/* SPDX-License-Identifier: ISC */
/*
 * One link over time: for each bin, the graph of the paths through the link's
 * answering end, made by the same code as the map, and in it the link.
 */
#include <stdlib.h>
#include <string.h>

#include "collector/core/private.h"
#include "lib/json/json-value.h"
#include "collector/query/path-graph.h"

#define BINS_MOST 5000

struct link_series {
	struct query *q;
	char from[NODE_ID_LEN], to[NODE_ID_LEN];
	struct addr hop; /* an address that every such path shows */
	uint32_t bin_s;
	int64_t bin; /* under way; -1: none yet */
	struct map map;
	json_t *bins;
};

static bool copy_part(char to[static NODE_ID_LEN], const char *from, size_t len)
{
	if (len == 0 || len >= NODE_ID_LEN)
		return false;
	memcpy(to, from, len);
	to[len] = '\0';
	return true;
}

/* An address in a node's id: its own, or a neighbour's of a silent one. */
static bool address_in(const char *id, struct addr *addr)
{
	char text[NODE_ID_LEN];
	if (*id != '?')
		return addr_parse(addr, id) == ERR_OK;
	const char *p = id + 1;
	for (int part = 0; part < 2; part++) {
		size_t len = strcspn(p, "~");
		if (copy_part(text, p, len) && addr_parse(addr, text) == ERR_OK)
			return true;
		p += len + (p[len] == '~');
	}
	return false;
}

static int read_link_id(struct link_series *s)
{
	const char *id = query_text(s->q, "id");
	const char *mark = id ? strchr(id, '>') : NULL;
	if (!mark || !copy_part(s->from, id, (size_t)(mark - id)) ||
	    !copy_part(s->to, mark + 1, strlen(mark + 1)) ||
	    (!address_in(s->to, &s->hop) && !address_in(s->from, &s->hop)))
		return err_set(s->q->msg, ERR_NOT_FOUND,
		    "link: expected FROM>TO as the map names them");
	return ERR_OK;
}

static bool same_hop(const struct path *path, size_t i, const char *id)
{
	struct addr addr;
	return addr_parse(&addr, id) == ERR_OK && i < path->hop_count &&
	    addr_equal(&path->hops[i].from, &addr);
}

/* The extremes over paths, where both ends answered. */
static void extremes(const struct link_series *s, int64_t *low, int64_t *high)
{
	*low = *high = -1;
	for (size_t p = 0; p < s->map.count; p++) {
		const struct path *path = &s->map.paths[p].path;
		for (size_t i = 0; i < path->hop_count; i++) {
			if (!same_hop(path, i, s->from) ||
			    !same_hop(path, i + 1, s->to))
				continue;
			int64_t near = histogram_median(&path->hops[i].rtt);
			int64_t far = histogram_median(&path->hops[i + 1].rtt);
			if (near < 0 || far < 0)
				continue;
			int64_t delay = far > near ? far - near : 0;
			*low = *low < 0 || delay < *low ? delay : *low;
			*high = delay > *high ? delay : *high;
		}
	}
}

static const struct topology_link *find_link(struct link_series *s)
{
	const struct topology_node *nodes;
	const struct topology_link *links;
	topology_nodes(s->map.topology, &nodes);
	size_t count = topology_links(s->map.topology, &links);
	for (size_t i = 0; i < count; i++) {
		char from[NODE_ID_LEN], to[NODE_ID_LEN];
		map_node_id(&nodes[links[i].from], from);
		map_node_id(&nodes[links[i].to], to);
		if (strcmp(from, s->from) == 0 && strcmp(to, s->to) == 0)
			return &links[i];
	}
	return NULL;
}

static void finish_bin(struct link_series *s)
{
	if (s->bin < 0)
		return;
	map_finish(&s->map);
	const struct topology_link *link = find_link(s);
	if (link) {
		int64_t low, high;
		extremes(s, &low, &high);
		json_array_append_new(s->bins,
		    json_pack("{s:o, s:o, s:o, s:o, s:o, s:I}", "at",
			json_time(s->bin * NS_PER_S), "delay_min_ns",
			json_count(low < 0 ? link->delay_ns : low),
			"delay_median_ns", json_count(link->delay_ns),
			"delay_max_ns",
			json_count(high < 0 ? link->delay_ns : high), "loss",
			link->loss < 0 ? json_null() : json_real(link->loss),
			"samples", (json_int_t)link->traces));
	}
	map_fini(&s->map);
}

static int take_path(void *ctx, const struct store_path *row)
{
	struct link_series *s = ctx;
	if (row->bin != s->bin)
		finish_bin(s);
	s->bin = row->bin;
	map_add(&s->map, row);
	return 0;
}

int query_link_series(
    const struct query_context *context, json_t **answer, struct errmsg *msg)
{
	struct query q;
	struct link_series s = { .q = &q, .bin = -1 };
	struct store_filter filter = { 0 };
	query_begin(&q, context, msg);
	s.bins = json_array();
	int err = read_link_id(&s);
	if (err == ERR_OK)
		err = query_range(&q, &query_param_from, &filter.range);
	if (err == ERR_OK)
		err = query_bin(&q, &filter.range, 60, &s.bin_s);
	if (err == ERR_OK &&
	    (filter.range.to_ns - filter.range.from_ns) / (s.bin_s * NS_PER_S) >
		BINS_MOST)
		err = err_set(msg, ERR_USAGE, "bin: too fine for this range");
	filter.bin_s = s.bin_s;
	filter.hop = s.hop;
	if (err == ERR_OK)
		err = q.c->ops->read_paths(q.reader, &filter, take_path, &s);
	if (err == ERR_OK)
		finish_bin(&s);
	map_fini(&s.map);
	return query_end(err,
	    json_pack(
		"{s:I, s:o}", "bin_s", (json_int_t)s.bin_s, "bins", s.bins),
	    answer);
}
