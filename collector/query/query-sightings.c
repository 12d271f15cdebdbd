/* SPDX-License-Identifier: ISC */
/* Who sent what: sources by class over a range, and the payloads they sent. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "collector/core/agent-table.h"
#include "collector/core/private.h"
#include "lib/base/buf.h"
#include "lib/base/hex.h"
#include "lib/base/reader.h"
#include "lib/base/xalloc.h"
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

/*
 * A cursor is a place in the order and not a number of places, so that a page
 * costs what it returns: how the order goes on, u8; the packets of the last
 * source in the order of packets, be64, and which it is; by group: the last one
 * given.  A source: family u8, address 16 bytes, class be32, protocol u8, port
 * be16.  As hex digits.
 */
enum { BY_PACKETS = 1, BY_GROUP = 2 };
#define GROUP_BYTES 24
#define CURSOR_BYTES (1 + 8 + GROUP_BYTES)
#define CURSOR_MOST_BYTES (CURSOR_BYTES + GROUP_BYTES)

static void write_group(struct buf *to, const struct store_source_group *group)
{
	uint8_t bytes[16] = { 0 };
	memcpy(bytes, group->src.bytes, addr_len(&group->src));
	buf_u8(to, group->src.family);
	buf_bytes(to, bytes, sizeof(bytes));
	buf_be32(to, (uint32_t)group->class_row);
	buf_u8(to, (uint8_t)group->proto);
	buf_be16(to, (uint16_t)group->dport);
}

static char *cursor_text(const struct store_source_cursor *cursor)
{
	struct buf bytes = { 0 };
	buf_u8(&bytes, cursor->by_group ? BY_GROUP : BY_PACKETS);
	buf_be64(&bytes, cursor->packets);
	write_group(&bytes, &cursor->last);
	if (cursor->by_group)
		write_group(&bytes, &cursor->group);
	char *text = xcalloc(2 * bytes.len + 1, 1);
	hex_text(bytes.data, bytes.len, text);
	buf_fini(&bytes);
	return text;
}

/* False: no agent can have sent it. */
static bool read_group(struct reader *r, struct store_source_group *group)
{
	uint8_t family = reader_u8(r), bytes[16] = { 0 };
	reader_copy(r, bytes, sizeof(bytes));
	group->src = addr_from_bytes(bytes, family == 4 ? 4 : 16);
	group->class_row = reader_be32(r);
	group->proto = reader_u8(r);
	group->dport = reader_be16(r);
	return r->err == ERR_OK && (family == 4 || family == 6);
}

static int read_cursor(struct query *q, struct store_source_cursor *cursor,
    const struct store_source_cursor **given)
{
	const char *text = query_text(q, "cursor");
	uint8_t bytes[CURSOR_MOST_BYTES];
	if (!text)
		return ERR_OK;
	size_t len = strlen(text) / 2;
	if ((len == CURSOR_BYTES || len == CURSOR_MOST_BYTES) &&
	    hex_parse(bytes, len, text)) {
		struct reader r = reader_init(bytes, len);
		cursor->by_group = reader_u8(&r) == BY_GROUP;
		cursor->packets = reader_be64(&r);
		bool good = read_group(&r, &cursor->last);
		if (cursor->by_group)
			good &= read_group(&r, &cursor->group);
		*given = cursor;
		if (good && reader_left(&r) == 0 &&
		    bytes[0] == (cursor->by_group ? BY_GROUP : BY_PACKETS))
			return ERR_OK;
	}
	return err_set(q->msg, ERR_USAGE,
	    "parameter 'cursor': expected one that a page of sightings gave as "
	    "next, got '%.40s'%s",
	    text, strlen(text) > 40 ? " and more" : "");
}

/* A number that was not told. */
static json_t *count_or_null(uint64_t count)
{
	return count ? json_integer((json_int_t)count) : json_null();
}

/* What the verdict stands on. */
static void put_verdict(json_t *item, const struct store_source *s)
{
	json_t *more = json_pack("{s:b, s:b, s:o, s:b, s:o, s:o, s:o}",
	    "spoofable", s->spoofable, "targets_estimated",
	    s->targets_estimated, "ports", count_or_null(s->ports),
	    "ports_at_least", s->ports_at_least, "addresses",
	    count_or_null(s->addresses), "odds", count_or_null(s->odds),
	    "victim", s->victim.family ? json_addr(&s->victim) : json_null());
	json_object_update(item, more);
	json_decref(more);
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
	json_t *more = json_pack("{s:o, s:o, s:o, s:o}", "first_at",
	    json_time(s->first_ns), "last_at", json_time(s->last_ns), "agents",
	    agent_ids(list->query.c, s->agents, s->agent_count), "payload_hash",
	    s->payload_hash.len == 16 ? json_hex(s->payload_hash.data, 16)
				      : json_null());
	json_object_update(item, more);
	json_decref(more);
	put_verdict(item, s);
	query_list_add(list, item, 0, 0);
	if (json_array_size(list->items) == list->limit)
		list->next = cursor_text(&s->cursor);
	return 0;
}

static int read_filter(
    struct query_list *list, struct store_source_cursor *cursor)
{
	struct query *q = &list->query;
	struct store_plan *filter = &list->filter;
	filter->table = STORE_SOURCES;
	filter->signature = query_text(q, "signature");
	filter->verdict = query_text(q, "verdict");
	int err = read_cursor(q, cursor, &filter->source_cursor);
	if (err < 0)
		return err;
	err = query_range(q, &query_param_from, &filter->range);
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
	struct store_source_cursor cursor = { 0 };
	int err = query_list_begin_page(&list, context, msg);
	if (err < 0)
		return err;
	err = read_filter(&list, &cursor);
	if (err < 0)
		goto out;
	err = list.query.c->ops->read(
	    list.query.reader, &list.filter, take_source, &list, msg);
out:
	return query_list_end(&list, err, answer);
}

static int take_payload(void *ctx, const struct store_row *row)
{
	const struct store_payload *p = row->payload;
	uint8_t sha256[crypto_hash_sha256_BYTES];
	crypto_hash_sha256(sha256, p->octets.data, p->octets.len);
	*(json_t **)ctx = json_pack("{s:o, s:o, s:I, s:o}", "hash",
	    json_hex(p->hash, sizeof(p->hash)), "sha256",
	    json_hex(sha256, sizeof(sha256)), "size_bytes",
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
		err = err_set(msg, ERR_NOT_FOUND,
		    "payload: none of this hash is held; that of a source that "
		    "has just been seen first arrives when its minute is over");
	return query_end(err, json, answer);
}
