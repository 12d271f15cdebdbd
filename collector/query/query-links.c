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
#define ROWS_MOST 15000 /* of minutes */
#define FINEST_S 60

struct link_series {
	struct query *q;
	char from[NODE_ID_LEN], to[NODE_ID_LEN];
	struct addr hop; /* an address that every such path shows */
	uint32_t bin_s;
	int64_t bin; /* under way; -1: none yet */
	struct path_set map;
	uint32_t rows_left; /* 0: as many as there are */
	int64_t at_ns;      /* hours: read up to here */
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

static void add_bin(struct link_series *s, const struct store_link *link)
{
	json_array_append_new(s->bins,
	    json_pack("{s:o, s:o, s:o, s:o, s:o, s:I}", "at",
		json_time(link->bin * NS_PER_S), "delay_min_ns",
		json_count(link->delay_min_ns), "delay_median_ns",
		json_count(link->delay_median_ns), "delay_max_ns",
		json_count(link->delay_max_ns), "loss",
		link->loss < 0 ? json_null() : json_real(link->loss), "samples",
		(json_int_t)link->samples));
}

static void take_link(void *ctx, const struct path_link *from)
{
	struct link_series *s = ctx;
	const struct store_link link = {
		.bin = s->bin,
		.samples = from->samples,
		.delay_min_ns = from->delay_min_ns,
		.delay_median_ns = from->delay_median_ns,
		.delay_max_ns = from->delay_max_ns,
		.loss = from->loss,
	};
	add_bin(s, &link);
}

static void finish_bin(struct link_series *s)
{
	if (s->bin < 0)
		return;
	path_set_finish(&s->map);
	path_set_links(&s->map, s->from, s->to, take_link, s);
	path_set_fini(&s->map);
	s->bin = -1;
}

/* 1: too many rows. */
static int take_path(void *ctx, const struct store_row *from)
{
	const struct store_path *row = from->path;
	struct link_series *s = ctx;
	if (row->bin != s->bin)
		finish_bin(s);
	s->bin = row->bin;
	map_add(&s->map, row);
	return s->rows_left > 0 && --s->rows_left == 0;
}

static int read_bins(struct link_series *s, struct store_range range)
{
	const struct store_plan plan = {
		.table = STORE_PATHS,
		.range = range,
		.bin_s = s->bin_s,
		.hop = s->hop,
		.most_rows = s->rows_left > 0 ? s->rows_left - 1 : 0,
	};
	if (range.from_ns >= range.to_ns)
		return ERR_OK;
	int err =
	    s->q->c->ops->read(s->q->reader, &plan, take_path, s, s->q->msg);
	if (err == ERR_OK)
		finish_bin(s);
	return err;
}

/* What is not derived is made of paths: up to the next derived hour. */
static int take_hour(void *ctx, const struct store_row *row)
{
	struct link_series *s = ctx;
	struct store_range gap = { s->at_ns, row->link->bin * NS_PER_S };
	int err = read_bins(s, gap);
	if (err == ERR_OK && row->link->samples > 0)
		add_bin(s, row->link);
	s->at_ns = (row->link->bin + 3600) * NS_PER_S;
	return err;
}

static int read_hours(struct link_series *s, const struct store_range *range)
{
	const struct store_plan plan = {
		.table = STORE_LINKS,
		.range = *range,
		.link_from = s->from,
		.link_to = s->to,
	};
	s->at_ns = range->from_ns;
	int err =
	    s->q->c->ops->read(s->q->reader, &plan, take_hour, s, s->q->msg);
	if (err != ERR_OK)
		return err;
	return read_bins(s, (struct store_range){ s->at_ns, range->to_ns });
}

/* Minutes of a link in the middle of everything are too many rows: then hours
 * are read, which are derived. */
static int read_series(struct link_series *s, const struct store_range *range)
{
	if (s->bin_s < 3600) {
		s->rows_left = ROWS_MOST;
		int err = read_bins(s, *range);
		if (err != 1)
			return err;
		path_set_fini(&s->map);
		json_array_clear(s->bins);
		s->bin = -1;
		s->bin_s = 3600;
	}
	s->rows_left = 0;
	return s->bin_s == 3600 ? read_hours(s, range) : read_bins(s, *range);
}

int query_link_series(
    const struct query_context *context, json_t **answer, struct errmsg *msg)
{
	struct query q;
	struct link_series s = { .q = &q, .bin = -1 };
	struct store_range range = { 0 };
	query_begin(&q, context, msg);
	s.bins = json_array();
	int err = read_link_id(&s);
	if (err < 0)
		goto out;
	err = query_range(&q, &query_param_from, &range);
	if (err < 0)
		goto out;
	err = query_bin(&q, &range, 60, &s.bin_s);
	if (err < 0)
		goto out;
	if (s.bin_s < FINEST_S)
		s.bin_s = FINEST_S;
	if ((range.to_ns - range.from_ns) / (s.bin_s * NS_PER_S) > BINS_MOST) {
		err = err_set(msg, ERR_USAGE, "bin: too fine for this range");
		goto out;
	}
	map_begin(&s.map);
	err = read_series(&s, &range);
	map_end(&s.map);
out:
	return query_end(err,
	    json_pack(
		"{s:I, s:o}", "bin_s", (json_int_t)s.bin_s, "bins", s.bins),
	    answer);
}
