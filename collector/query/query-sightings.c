/* SPDX-License-Identifier: ISC */
/* Who sent what: sources by class over a range, and the payloads they sent. */
#include <stdlib.h>
#include <string.h>

#include "collector/core/private.h"
#include "lib/json/json-value.h"
#include "collector/query/query-list.h"

#define ROWS_MOST 100000 /* some tenths of a second */

static int take_source(void *ctx, const struct store_source *s)
{
	struct query_list *list = ctx;
	if (query_list_is_full(list))
		return 1;
	json_t *item = json_pack("{s:o, s:o, s:o, s:I, s:I, s:I, s:I}", "src",
	    json_addr(&s->src), "verdict", json_text(s->verdict), "signature",
	    json_text(s->signature), "proto", (json_int_t)s->proto, "dport",
	    (json_int_t)s->dport, "packets", (json_int_t)s->packets, "targets",
	    (json_int_t)s->targets);
	json_t *more = json_pack("{s:o, s:o, s:o, s:o, s:b}", "first_at",
	    json_time(s->first_ns), "last_at", json_time(s->last_ns), "agents",
	    json_words(s->agents), "payload_hash",
	    s->payload_hash.len == 16 ? json_hex(s->payload_hash.data, 16)
				      : json_null(),
	    "spoofable", s->spoofable);
	json_object_update(item, more);
	json_decref(more);
	query_list_add(list, item, 0, list->last_row + 1);
	return 0;
}

/* The finest level whose rows are not too many; the edges of the range are
 * then as coarse as its bins. */
static int choose_level(struct query *q, struct store_filter *filter)
{
	const uint32_t *levels = q->c->store_config.levels;
	uint32_t rows = ROWS_MOST;
	int err = ERR_OK;
	for (int i = 0; err == ERR_OK && rows == ROWS_MOST &&
	     i < STORE_LEVELS_MAX && levels[i];
	     i++) {
		filter->bin_s = levels[i];
		err = q->c->ops->count_sources(
		    q->reader, filter, ROWS_MOST, &rows);
	}
	return err;
}

/* The order is by a sum, which no key gives: the cursor is a place. */
static int read_filter(struct query_list *list)
{
	struct query *q = &list->query;
	struct store_filter *filter = &list->filter;
	if (filter->cursor_row > UINT32_MAX / 2)
		return err_set(q->msg, ERR_USAGE, "cursor: too far");
	filter->offset = (uint32_t)filter->cursor_row;
	filter->signature = query_text(q, "signature");
	filter->verdict = query_text(q, "verdict");
	int err = query_range(q, &query_param_from, &filter->range);
	if (err == ERR_OK)
		err = query_agent_row(q, &filter->agent_row);
	if (err == ERR_OK)
		err = query_addr(q, &query_param_src, &filter->src);
	return err == ERR_OK ? choose_level(q, filter) : err;
}

int query_sightings(
    const struct query_context *context, json_t **answer, struct errmsg *msg)
{
	struct query_list list;
	int err = query_list_begin(&list, context, msg);
	if (err < 0)
		return err;
	err = read_filter(&list);
	if (err == ERR_OK)
		err = list.query.c->ops->read_sources(
		    list.query.reader, &list.filter, take_source, &list);
	return query_list_end(&list, err, answer);
}

int query_payload(
    const struct query_context *context, json_t **answer, struct errmsg *msg)
{
	struct query q;
	uint8_t hash[16];
	uint64_t size_bytes = 0;
	struct buf octets = { 0 };
	json_t *json = NULL;
	int err = ERR_OK;
	query_begin(&q, context, msg);
	if (hex_parse(hash, sizeof(hash), query_text(&q, "hash")))
		err = q.c->ops->read_payload(
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
	return query_end(err, json, answer);
}
