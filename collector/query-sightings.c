/* SPDX-License-Identifier: ISC */
/* Who sent what: sources by class over a range, and the payloads they sent. */
#include <stdlib.h>
#include <string.h>

#include "collector/json.h"
#include "collector/query-args.h"

#define ROWS_MOST 100000 /* some tenths of a second */

struct list {
	json_t *items;
	uint32_t limit;
	bool more;
};

static int take_source(void *ctx, const struct store_source *s)
{
	struct list *list = ctx;
	list->more = json_array_size(list->items) == list->limit;
	if (list->more)
		return 1;
	json_t *item = json_pack("{s:o, s:o, s:o, s:I, s:I, s:I, s:I}", "src",
	    json_addr(&s->src), "verdict", json_text(s->verdict), "signature",
	    json_text(s->signature), "proto", (json_int_t)s->proto, "dport",
	    (json_int_t)s->dport, "packets", (json_int_t)s->packets,
	    "targets", (json_int_t)s->targets);
	json_t *more = json_pack("{s:o, s:o, s:o, s:o, s:b}", "first_at",
	    json_time(s->first_ns), "last_at", json_time(s->last_ns),
	    "agents", json_words(s->agents), "payload_hash",
	    s->payload_hash.len == 16
		? json_hex(s->payload_hash.data, 16) : json_null(),
	    "spoofable", s->spoofable);
	json_object_update(item, more);
	json_decref(more);
	json_array_append_new(list->items, item);
	return 0;
}

/* The order is by a sum, which no key gives: the cursor is a place. */
static int read_offset(struct query *q, uint32_t *offset)
{
	struct store_filter cursor = {0};
	int err = query_cursor(q, &cursor);
	if (err == ERR_OK && cursor.cursor_row > UINT32_MAX / 2)
		err = err_set(q->msg, ERR_USAGE, "cursor: too far");
	*offset = (uint32_t)cursor.cursor_row;
	return err;
}

/* The finest level whose rows are not too many; the edges of the range are
 * then as coarse as its bins. */
static int choose_level(struct query *q, struct store_filter *filter)
{
	const uint32_t *levels = q->c->store_config.levels;
	uint32_t rows = ROWS_MOST;
	int err = ERR_OK;
	for (int i = 0; err == ERR_OK && rows == ROWS_MOST &&
	    i < STORE_LEVELS_MAX && levels[i]; i++) {
		filter->bin_s = levels[i];
		err = q->c->ops->count_sources(
		    q->reader, filter, ROWS_MOST, &rows);
	}
	return err;
}

int query_sightings(struct collector *c, const struct query_args *args,
    json_t **answer, struct errmsg *msg)
{
	struct query q;
	struct list list = {0};
	struct store_filter filter = {0};
	int err = query_begin(&q, c, args, msg);
	if (err < 0)
		return err;
	list.items = json_array();
	filter.signature = query_text(&q, "signature");
	filter.verdict = query_text(&q, "verdict");
	err = query_range(&q, 3600 * NS_PER_S, &filter.range);
	if (err == ERR_OK)
		err = query_limit(&q, &list.limit);
	if (err == ERR_OK)
		err = read_offset(&q, &filter.offset);
	if (err == ERR_OK)
		err = query_agent_row(&q, &filter.agent_row);
	if (err == ERR_OK)
		err = query_addr(&q, "src", &filter.src);
	filter.limit = list.limit + 1;
	if (err == ERR_OK)
		err = choose_level(&q, &filter);
	if (err == ERR_OK)
		err = c->ops->read_sources(
		    q.reader, &filter, take_source, &list);
	return query_end(&q, err < 0 ? err : ERR_OK,
	    query_page(list.items, list.more
		? query_next(0, filter.offset + list.limit) : json_null()),
	    answer);
}

int query_payload(struct collector *c, const struct query_args *args,
    json_t **answer, struct errmsg *msg)
{
	struct query q;
	uint8_t hash[16];
	uint64_t size_bytes = 0;
	struct buf octets = {0};
	json_t *json = NULL;
	int err = query_begin(&q, c, args, msg);
	if (err < 0)
		return err;
	if (hex_parse(hash, sizeof(hash), query_text(&q, "hash")))
		err = c->ops->read_payload(
		    q.reader, hash, &size_bytes, &octets);
	else
		err = ERR_NOT_FOUND;
	if (err == ERR_NOT_FOUND)
		err_set(msg, err, "payload: no such one");
	if (err == ERR_OK)
		json = json_pack("{s:o, s:I, s:o}", "hash",
		    json_hex(hash, sizeof(hash)), "size_bytes",
		    (json_int_t)size_bytes, "hex",
		    json_hex(octets.data, octets.len));
	buf_fini(&octets);
	return query_end(&q, err, json, answer);
}
