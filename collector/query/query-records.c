/* SPDX-License-Identifier: ISC */
/* Raw records, the runs they came from, and the campaigns behind those. */
#include <stdlib.h>
#include <string.h>

#include "collector/core/agent-table.h"
#include "collector/core/private.h"
#include "collector/fleet/campaign-json.h"
#include "collector/registry/registry-campaigns.h"
#include "lib/base/reader.h"
#include "lib/json/json-value.h"
#include "collector/query/query-list.h"
#include "lib/record/record.h"

#define PAGE_BYTES_MOST (512u << 10)

static int take_campaign(void *ctx, const struct registry_campaign *campaign)
{
	struct query_list *list = ctx;
	if (query_list_is_full(list))
		return 1;
	json_t *json =
	    campaign_to_json(list->query.c, list->query.reader, campaign);
	if (!json)
		return ERR_UNAVAILABLE;
	query_list_add(list, json, 0, campaign->row);
	return 0;
}

int query_campaigns(
    const struct query_context *context, json_t **answer, struct errmsg *msg)
{
	struct query_list list;
	int err = query_list_begin(&list, context, msg);
	if (err < 0)
		return err;
	err = registry_read_campaigns(list.query.registry, NULL,
	    (int64_t)list.filter.cursor_row, list.filter.limit, take_campaign,
	    &list);
	return query_list_end(&list, err, answer);
}

int query_campaign(
    const struct query_context *context, json_t **answer, struct errmsg *msg)
{
	const struct query_args *args = context->args;
	return campaign_read(context->collector, context->registry,
	    context->reader, args->get(args->ctx, "id"), answer, msg);
}

static int take_script(void *ctx, const struct registry_campaign *campaign)
{
	*(json_t **)ctx = json_text(campaign->script);
	return 1;
}

static int take_run(void *ctx, const struct store_row *row)
{
	const struct store_run *run = row->run;
	struct query_list *list = ctx;
	struct agent agent = { 0 };
	json_t *script = NULL;
	if (query_list_is_full(list))
		return 1;
	int err = registry_read_campaigns(
	    list->query.registry, run->campaign, 0, 1, take_script, &script);
	if (err < 0)
		return err;
	agents_find_row(list->query.c, run->agent_row, &agent);
	query_list_add(list,
	    json_pack("{s:o, s:I, s:o, s:o, s:o, s:o, s:I, s:o}", "campaign",
		json_hex(run->campaign, sizeof(run->campaign)), "run",
		(json_int_t)run->run, "agent",
		json_hex(agent.id, sizeof(agent.id)), "script",
		script ? script : json_null(), "first_at",
		json_time(run->first_ns), "last_at", json_time(run->last_ns),
		"records", (json_int_t)run->records, "error",
		json_text(run->error)),
	    0, (int64_t)run->row);
	return 0;
}

int query_runs(
    const struct query_context *context, json_t **answer, struct errmsg *msg)
{
	struct query_list list;
	uint8_t campaign[16];
	bool given;
	int err = query_list_begin(&list, context, msg);
	if (err < 0)
		return err;
	err = query_id(&list.query, &query_param_campaign, campaign, &given);
	if (err < 0)
		goto out;
	err = query_agent_row(&list.query, &list.filter.agent_row);
	if (err < 0)
		goto out;
	list.filter.campaign = given ? campaign : NULL;
	list.filter.table = STORE_RUNS;
	err = list.query.c->ops->read(
	    list.query.reader, &list.filter, take_run, &list, msg);
out:
	return query_list_end(&list, err, answer);
}

static int take_record(void *ctx, const struct store_row *from)
{
	const struct store_record *row = from->record;
	struct query_list *list = ctx;
	if (query_list_is_full(list))
		return 1;
	/* As a tree a record takes many times its octets. */
	list->bytes += row->body.len;
	if (list->bytes > PAGE_BYTES_MOST && json_array_size(list->items) > 0) {
		list->more = true;
		return 1;
	}
	Sonde__Record *record;
	if (record_unpack(&record, row->body.data, row->body.len, NULL) < 0)
		return 0;
	query_list_add(list,
	    json_pack("{s:o, s:I, s:I, s:o, s:o}", "agent",
		json_hex(row->agent, sizeof(row->agent)), "epoch",
		(json_int_t)row->epoch, "seq", (json_int_t)row->seq,
		"received_at", json_time(row->received_ns), "record",
		record_to_json(record)),
	    row->wall_ns, (int64_t)row->row);
	record_free(record);
	return 0;
}

/* The words of query_param_kind are record_kinds in their order. */
static int read_kinds(struct query *q, struct store_plan *filter)
{
	const char *text = query_text(q, "kind");
	uint64_t set = 0;
	int err =
	    text ? param_words(&query_param_kind, text, &set, q->msg) : ERR_OK;
	for (size_t i = 0; record_kinds[i].name; i++)
		if (set & UINT64_C(1) << i)
			filter->kinds[filter->kind_count++] =
			    record_kinds[i].body;
	return err;
}

static int read_filter(
    struct query *q, struct store_plan *filter, uint8_t campaign[16])
{
	bool given = false;
	int64_t run = 0;
	int err = query_range(q, &query_param_from, &filter->range);
	if (err < 0)
		return err;
	err = read_kinds(q, filter);
	if (err < 0)
		return err;
	err = query_agent_row(q, &filter->agent_row);
	if (err < 0)
		return err;
	err = query_id(q, &query_param_campaign, campaign, &given);
	if (err < 0)
		return err;
	err = query_integer(q, &query_param_run, &run);
	if (err < 0)
		return err;
	err = query_addr(q, &query_param_src, &filter->src);
	if (err < 0)
		return err;
	err = query_addr(q, &query_param_dst, &filter->dst);
	if (err < 0)
		return err;
	filter->campaign = given ? campaign : NULL;
	filter->run = (uint64_t)run;
	return ERR_OK;
}

int query_records(
    const struct query_context *context, json_t **answer, struct errmsg *msg)
{
	struct query_list list;
	uint8_t campaign[16];
	int err = query_list_begin(&list, context, msg);
	if (err < 0)
		return err;
	err = read_filter(&list.query, &list.filter, campaign);
	if (err < 0)
		goto out;
	err = list.query.c->ops->read(
	    list.query.reader, &list.filter, take_record, &list, msg);
out:
	return query_list_end(&list, err, answer);
}

#define AHEAD_RECORDS 3000
#define AHEAD_MOST_BYTES (1u << 20)
#define AHEAD_ALL_MOST_BYTES (16u << 20)

/* What all downloads together hold: a slow reader keeps what is ahead of it,
 * and above this sum nobody reads ahead. */
static _Atomic size_t ahead_bytes;

void query_ahead_fini(struct query_ahead *ahead)
{
	ahead_bytes -= ahead->records.len;
	buf_fini(&ahead->records);
	*ahead = (struct query_ahead){ 0 };
}

static void keep_ahead(
    struct query_ahead *ahead, const struct store_record *row)
{
	size_t before = ahead->records.len;
	buf_be64(&ahead->records, (uint64_t)row->wall_ns);
	buf_be64(&ahead->records, row->row);
	buf_be32(&ahead->records, (uint32_t)row->body.len);
	buf_bytes(&ahead->records, row->body.data, row->body.len);
	ahead_bytes += ahead->records.len - before;
}

static bool has_ahead(const struct query_ahead *ahead)
{
	return ahead && ahead->at < ahead->records.len;
}

struct each_record {
	query_record_fn *take;
	void *ctx;
	struct query_ahead *ahead; /* NULL: none */
	uint32_t limit, given, seen;
	bool is_full; /* what follows is ahead of the page */
	int64_t last_ns, last_row;
	bool more; /* there is one after the last that was given */
};

static void give_body(struct each_record *each, int64_t wall_ns, uint64_t row,
    const struct store_bytes *body)
{
	Sonde__Record *record;
	each->last_ns = wall_ns;
	each->last_row = (int64_t)row;
	if (record_unpack(&record, body->data, body->len, NULL) < 0)
		return;
	bool goes_on = each->take(each->ctx, record);
	record_free(record);
	each->given++;
	each->is_full = !goes_on || each->given == each->limit;
}

static int give_record(void *ctx, const struct store_row *from)
{
	const struct store_record *row = from->record;
	struct each_record *each = ctx;
	struct query_ahead *ahead = each->ahead;
	each->seen++;
	if (!each->is_full) {
		give_body(each, row->wall_ns, row->row, &row->body);
		return 0;
	}
	each->more = true;
	if (!ahead)
		return 1;
	ahead->more = ahead->records.len >= AHEAD_MOST_BYTES ||
	    ahead_bytes >= AHEAD_ALL_MOST_BYTES;
	if (!ahead->more)
		keep_ahead(ahead, row);
	return ahead->more;
}

static void give_ahead(struct each_record *each)
{
	struct query_ahead *ahead = each->ahead;
	struct reader r = reader_init(ahead->records.data, ahead->records.len);
	reader_skip(&r, ahead->at);
	while (!each->is_full && reader_left(&r) > 0) {
		int64_t wall_ns = (int64_t)reader_be64(&r);
		uint64_t row = reader_be64(&r);
		struct store_bytes body = { .len = reader_be32(&r) };
		body.data = reader_bytes(&r, body.len);
		give_body(each, wall_ns, row, &body);
	}
	ahead->at = ahead->records.len - reader_left(&r);
	each->more = has_ahead(ahead) || ahead->more;
	if (!has_ahead(ahead)) {
		bool more = ahead->more;
		query_ahead_fini(ahead);
		ahead->more = more;
	}
}

static int run_each_record(
    const struct query_context *context, void *arg, struct errmsg *msg)
{
	struct each_record *each = arg;
	struct query q;
	struct store_plan filter = { 0 };
	uint8_t campaign[16];
	query_begin(&q, context, msg);
	int err = query_limit(&q, &each->limit);
	if (err < 0)
		return err;
	if (has_ahead(each->ahead)) {
		give_ahead(each);
		return ERR_OK;
	}
	err = query_cursor(&q, &filter);
	if (err < 0)
		return err;
	err = read_filter(&q, &filter, campaign);
	if (err < 0)
		return err;
	if (ahead_bytes >= AHEAD_ALL_MOST_BYTES)
		each->ahead = NULL;
	filter.limit = each->limit + 1;
	if (each->ahead) {
		each->ahead->more = false;
		filter.limit = filter.at_once = AHEAD_RECORDS;
	}
	err = q.c->ops->read(q.reader, &filter, give_record, each, msg);
	if (err < 0)
		return err;
	if (each->ahead && each->seen == filter.limit)
		each->more = each->ahead->more = true;
	return ERR_OK;
}

int query_each_record(const struct query_context *context,
    query_record_fn *take, void *ctx, struct query_ahead *ahead,
    char next[static QUERY_CURSOR_LEN], struct errmsg *msg)
{
	struct each_record each = {
		.take = take,
		.ctx = ctx,
		.ahead = ahead,
	};
	next[0] = '\0';
	int err = query_run_body(run_each_record, context, &each, msg);
	if (err == ERR_OK && each.more)
		snprintf(next, QUERY_CURSOR_LEN, "%lld_%lld",
		    (long long)each.last_ns, (long long)each.last_row);
	return err;
}
