/* SPDX-License-Identifier: ISC */
/* Who sent what: sources by class over a range, and the payloads they sent. */

#include "collector/core/agent-table.h"
#include "collector/core/private.h"
#include "lib/json/json-value.h"
#include "collector/query/query-list.h"

/* The ids of the agents behind rows; of one that is not enrolled, none. */
static json_t *agent_ids(struct collector *c, const int64_t *rows, size_t count)
{
	json_t *ids = json_array();
	struct agent agent;
	for (size_t i = 0; i < count; i++)
		if (agents_find_row(c, rows[i], &agent))
			json_array_append_new(
			    ids, json_hex(agent.id, sizeof(agent.id)));
	return ids;
}

static int take_source(void *ctx, const struct store_row *row)
{
	const struct store_source *s = row->source;
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
	    agent_ids(list->query.c, s->agents, s->agent_count), "payload_hash",
	    s->payload_hash.len == 16 ? json_hex(s->payload_hash.data, 16)
				      : json_null(),
	    "spoofable", s->spoofable);
	json_object_update(item, more);
	json_decref(more);
	query_list_add(list, item, 0, list->last_row + 1);
	return 0;
}

/* The order is by a sum, which no key gives: the cursor is a place. */
static int read_filter(struct query_list *list)
{
	struct query *q = &list->query;
	struct store_plan *filter = &list->filter;
	filter->table = STORE_SOURCES;
	if (filter->cursor_row > UINT32_MAX / 2)
		return err_set(q->msg, ERR_USAGE, "cursor: too far");
	filter->offset = (uint32_t)filter->cursor_row;
	filter->signature = query_text(q, "signature");
	filter->verdict = query_text(q, "verdict");
	int err = query_range(q, &query_param_from, &filter->range);
	if (err < 0)
		return err;
	err = query_agent_row(q, &filter->agent_row);
	if (err < 0)
		return err;
	return query_addr(q, &query_param_src, &filter->src);
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
		err = list.query.c->ops->read(
		    list.query.reader, &list.filter, take_source, &list, msg);
	return query_list_end(&list, err, answer);
}

static int take_payload(void *ctx, const struct store_row *row)
{
	const struct store_payload *p = row->payload;
	*(json_t **)ctx = json_pack("{s:o, s:I, s:o}", "hash",
	    json_hex(p->hash, sizeof(p->hash)), "size_bytes",
	    (json_int_t)p->size_bytes, "hex",
	    json_hex(p->octets.data, p->octets.len));
	return 0;
}

int query_payload(
    const struct query_context *context, json_t **answer, struct errmsg *msg)
{
	struct query q;
	uint8_t hash[16];
	json_t *json = NULL;
	int err = ERR_OK;
	query_begin(&q, context, msg);
	const struct store_plan plan = { .table = STORE_PAYLOADS,
		.hash = hash };
	if (hex_parse(hash, sizeof(hash), query_text(&q, "hash")))
		err = q.c->ops->read(q.reader, &plan, take_payload, &json, msg);
	if (err == ERR_OK && !json)
		err = err_set(msg, ERR_NOT_FOUND, "payload: no such one");
	return query_end(err, json, answer);
}
