/* SPDX-License-Identifier: ISC */
/* From the store's sums of paths to a graph (analysis/path-set.h). */
#include <malloc.h>
#include <pthread.h>
#include <string.h>

#include "collector/core/config.h"
#include "collector/core/private.h"
#include "collector/query/path-graph.h"
#include "lib/json/json-buf.h"

#define FINEST_S 60     /* below it a map gains nothing */
#define ROWS_MOST 30000 /* of minutes; some tenths of a second */

static pthread_mutex_t one_graph = PTHREAD_MUTEX_INITIALIZER;

void map_begin(struct path_set *map)
{
	pthread_mutex_lock(&one_graph);
	*map = (struct path_set){ .bounds = { MAP_PATHS_MOST_BYTES,
				      MAP_NODES_MOST, MAP_LINKS_MOST } };
}

void map_end(struct path_set *map)
{
	path_set_fini(map);
	/* Hundreds of thousands of small pieces. */
	malloc_trim(0);
	pthread_mutex_unlock(&one_graph);
}

void map_add(struct path_set *map, const struct store_path *row)
{
	struct path path = {
		.src = row->src,
		.dst = row->dst,
		.traces = row->traces,
		.reached = row->reached,
		.first_ns = row->first_ns,
		.last_ns = row->last_ns,
	};
	if (path_read(&path, row->hops.data, row->hops.len, row->sums.data,
		row->sums.len) < 0) {
		path_fini(&path);
		return;
	}
	path_set_add(map, row->row, row->agent_row, &path);
}

struct cover {
	struct query *q;
	struct store_plan filter;
	struct path_set *map;
	uint32_t finest_s;  /* bins below this are not read */
	uint32_t rows_left; /* 0: as many as there are */
};

static int take_path(void *ctx, const struct store_row *row)
{
	struct cover *cover = ctx;
	map_add(cover->map, row->path);
	return cover->rows_left > 0 && --cover->rows_left == 0;
}

/* 1: too many rows. */
static int read_level(
    struct cover *cover, uint32_t bin_s, int64_t from_s, int64_t to_s)
{
	if (from_s >= to_s)
		return ERR_OK;
	cover->filter.bin_s = bin_s;
	cover->filter.range.from_ns = from_s * NS_PER_S;
	cover->filter.range.to_ns = to_s * NS_PER_S;
	/* Counted before: what is read and thrown away costs as much. */
	cover->filter.most_rows =
	    cover->rows_left > 0 ? cover->rows_left - 1 : 0;
	return cover->q->c->ops->read(
	    cover->q->reader, &cover->filter, take_path, cover, cover->q->msg);
}

/* Whether bins of this width are still kept for a time. */
static bool is_kept(const struct query *q, uint32_t bin_s, int64_t at_s)
{
	const struct collector_config *config = &q->c->config;
	int64_t age = bin_s >= 86400 ? config->days_age_ns
	    : bin_s >= 3600          ? config->hours_age_ns
				     : config->minutes_age_ns;
	return age == 0 || at_s > (q->now_ns - age) / NS_PER_S;
}

/* Whole bins of this level inside, finer ones at both edges.  1: too many rows
 * for bins so fine. */
static int read_cover(
    struct cover *cover, int level, int64_t from_s, int64_t to_s)
{
	const uint32_t *levels = cover->q->c->store_config.levels;
	int64_t bin_s = levels[level];
	if (from_s >= to_s)
		return ERR_OK;
	bool finest = level == 0 || levels[level - 1] < cover->finest_s ||
	    !is_kept(cover->q, levels[level - 1], from_s);
	if (finest)
		return read_level(
		    cover, levels[level], from_s - from_s % bin_s, to_s);
	int64_t first = (from_s + bin_s - 1) / bin_s * bin_s;
	int64_t end = to_s / bin_s * bin_s;
	if (first >= end)
		return read_cover(cover, level - 1, from_s, to_s);
	int err = read_cover(cover, level - 1, from_s, first);
	if (err != ERR_OK) /* 1 ends it as well */
		return err;
	err = read_level(cover, levels[level], first, end);
	if (err != ERR_OK)
		return err;
	return read_cover(cover, level - 1, end, to_s);
}

static int read_from(
    struct cover *cover, uint32_t finest_s, const struct store_range *range)
{
	const uint32_t *levels = cover->q->c->store_config.levels;
	int coarsest = 0;
	while (coarsest + 1 < STORE_LEVELS_MAX && levels[coarsest + 1])
		coarsest++;
	cover->finest_s = finest_s;
	cover->rows_left =
	    coarsest > 0 && finest_s < levels[coarsest] ? ROWS_MOST : 0;
	return read_cover(cover, coarsest, range->from_ns / NS_PER_S,
	    (range->to_ns + NS_PER_S - 1) / NS_PER_S);
}

int map_read(struct query *q, struct store_range *range, int64_t agent_row,
    struct path_set *map)
{
	static const uint32_t finest[] = { FINEST_S, 3600, 86400 };
	struct cover cover = { .q = q, .map = map };
	cover.filter.table = STORE_PATHS;
	cover.filter.agent_row = agent_row;
	int err = 1;
	for (int i = 0; err == 1 && i < 3; i++) {
		path_set_fini(map);
		err = read_from(&cover, finest[i], range);
		if (err == ERR_OK)
			range->from_ns -=
			    range->from_ns % ((int64_t)finest[i] * NS_PER_S);
	}
	path_set_finish(map);
	return err < 0 ? err : ERR_OK;
}

static void write_real(struct buf *to, double value)
{
	if (value < 0)
		JSONBUF_PLAIN(to, "null");
	else
		jsonbuf_real(to, value);
}

void map_link_write(struct buf *to, const struct topology_node *nodes,
    const struct topology_link *link)
{
	char from[NODE_ID_LEN], near[NODE_ID_LEN];
	size_t from_len = strlen(path_node_id(&nodes[link->from], from));
	size_t near_len = strlen(path_node_id(&nodes[link->to], near));
	JSONBUF_PLAIN(to, "{\"id\":\"");
	buf_bytes(to, from, from_len);
	buf_u8(to, '>');
	buf_bytes(to, near, near_len);
	JSONBUF_PLAIN(to, "\",\"from\":\"");
	buf_bytes(to, from, from_len);
	JSONBUF_PLAIN(to, "\",\"to\":\"");
	buf_bytes(to, near, near_len);
	JSONBUF_PLAIN(to, "\",\"traces\":");
	jsonbuf_integer(to, (int64_t)link->traces);
	JSONBUF_PLAIN(to, ",\"delay_ns\":");
	jsonbuf_count(to, link->delay_ns);
	JSONBUF_PLAIN(to, ",\"delay_mad_ns\":");
	jsonbuf_count(to, link->delay_ns < 0 ? -1 : link->delay_mad_ns);
	JSONBUF_PLAIN(to, ",\"loss\":");
	write_real(to, link->loss);
	JSONBUF_PLAIN(to, ",\"loss_low\":");
	write_real(to, link->loss < 0 ? -1 : link->loss_low);
	JSONBUF_PLAIN(to, ",\"loss_samples\":");
	jsonbuf_integer(to, (int64_t)link->loss_samples);
	JSONBUF_PLAIN(to, ",\"first_at\":");
	jsonbuf_time(to, link->first.ns);
	JSONBUF_PLAIN(to, ",\"last_at\":");
	jsonbuf_time(to, link->last.ns);
	buf_u8(to, '}');
}

json_t *map_link_json(
    const struct topology_node *nodes, const struct topology_link *link)
{
	struct buf text = { 0 };
	map_link_write(&text, nodes, link);
	json_t *json = json_loadb((const char *)text.data, text.len, 0, NULL);
	if (!json)
		BUG("a link that is not JSON");
	buf_fini(&text);
	return json;
}
