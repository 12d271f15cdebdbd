/* SPDX-License-Identifier: ISC */
/* Raw records, the runs they came from, and the campaigns behind those. */
#include <stdlib.h>
#include <string.h>

#include "collector/campaign-json.h"
#include "collector/json.h"
#include "collector/query-args.h"
#include "lib/record.h"

/* A page is asked for with one row more than it shows: the cursor says
 * whether there are others. */
struct list {
	struct collector *c;
	struct store_reader *reader;
	json_t *items;
	uint32_t limit;
	int64_t last_ns, last_row;
	bool more;
};

static bool is_full(struct list *list)
{
	list->more = json_array_size(list->items) == list->limit;
	return list->more;
}

static json_t *list_page(struct list *list)
{
	return query_page(list->items, list->more
	    ? query_next(list->last_ns, list->last_row) : json_null());
}

static int take_campaign(void *ctx, const struct store_campaign *campaign)
{
	struct list *list = ctx;
	if (is_full(list))
		return 1;
	json_t *json = campaign_to_json(list->c, list->reader, campaign);
	if (!json)
		return ERR_UNAVAILABLE;
	json_array_append_new(list->items, json);
	list->last_row = campaign->row;
	return 0;
}

int query_campaigns(struct collector *c, const struct query_args *args,
    json_t **answer, struct errmsg *msg)
{
	struct query q;
	struct store_filter filter = {0};
	int err = query_begin(&q, c, args, msg);
	if (err < 0)
		return err;
	struct list list = {.c = c, .reader = q.reader};
	list.items = json_array();
	err = query_limit(&q, &list.limit);
	if (err == ERR_OK)
		err = query_cursor(&q, &filter);
	filter.limit = list.limit + 1;
	if (err == ERR_OK)
		err = c->ops->read_campaigns(
		    q.reader, &filter, take_campaign, &list);
	return query_end(&q, err < 0 ? err : ERR_OK, list_page(&list), answer);
}

int query_campaign(struct collector *c, const struct query_args *args,
    json_t **answer, struct errmsg *msg)
{
	c->counters.queries++;
	return campaign_read(c, args->get(args->ctx, "id"), answer, msg);
}

static int take_run(void *ctx, const struct store_run *run)
{
	struct list *list = ctx;
	if (is_full(list))
		return 1;
	json_array_append_new(list->items,
	    json_pack("{s:o, s:I, s:o, s:o, s:o, s:o, s:I, s:o}", "campaign",
		json_hex(run->campaign, sizeof(run->campaign)), "run",
		(json_int_t)run->run, "agent",
		json_hex(run->agent, sizeof(run->agent)), "script",
		json_text(run->script), "first_at", json_time(run->first_ns),
		"last_at", json_time(run->last_ns), "records",
		(json_int_t)run->records, "error",
		json_text(run->error)));
	list->last_row = run->row;
	return 0;
}

int query_runs(struct collector *c, const struct query_args *args,
    json_t **answer, struct errmsg *msg)
{
	struct query q;
	struct store_filter filter = {0};
	struct list list = {0};
	uint8_t campaign[16];
	bool given = false;
	int err = query_begin(&q, c, args, msg);
	if (err < 0)
		return err;
	list.items = json_array();
	err = query_limit(&q, &list.limit);
	if (err == ERR_OK)
		err = query_cursor(&q, &filter);
	if (err == ERR_OK)
		err = query_id(&q, "campaign", campaign, &given);
	if (err == ERR_OK)
		err = query_agent_row(&q, &filter.agent_row);
	filter.campaign = given ? campaign : NULL;
	filter.limit = list.limit + 1;
	if (err == ERR_OK)
		err = c->ops->read_runs(q.reader, &filter, take_run, &list);
	return query_end(&q, err < 0 ? err : ERR_OK, list_page(&list), answer);
}

static int take_record(void *ctx, const struct store_record *row)
{
	struct list *list = ctx;
	if (is_full(list))
		return 1;
	Sonde__Record *record;
	if (record_unpack(&record, row->body.data, row->body.len, NULL) < 0)
		return 0;
	json_array_append_new(list->items,
	    json_pack("{s:o, s:I, s:I, s:o, s:o}", "agent",
		json_hex(row->agent, sizeof(row->agent)), "epoch",
		(json_int_t)row->epoch, "seq", (json_int_t)row->seq,
		"received_at", json_time(row->received_ns), "record",
		record_to_json(record)));
	record_free(record);
	list->last_ns = row->wall_ns;
	list->last_row = row->row;
	return 0;
}

static bool word_is(const char *word, size_t len, const char *name)
{
	return name && strlen(name) == len && memcmp(word, name, len) == 0;
}

/* "trace,ping" as bits of body cases. */
static int read_kinds(struct query *q, uint32_t *kinds)
{
	const char *word = query_text(q, "kind");
	while (word && *word) {
		size_t len = strcspn(word, ",");
		uint32_t bit = 0;
		for (int k = SONDE__RECORD__BODY_TRACE;
		    k <= SONDE__RECORD__BODY_LOG; k++)
			if (word_is(word, len, record_kind_name(
				(Sonde__Record__BodyCase)k)))
				bit = 1u << k;
		if (!bit)
			return err_set(q->msg, ERR_USAGE,
			    "kind: %.*s: no such kind of record",
			    len > 40 ? 40 : (int)len, word);
		*kinds |= bit;
		word += len;
		word += *word == ',';
	}
	return ERR_OK;
}

static int read_filter(struct query *q, struct store_filter *filter,
    uint8_t campaign[16], uint32_t *limit)
{
	bool given = false;
	int64_t run = 0;
	int err = query_range(q, 3600 * NS_PER_S, &filter->range);
	if (err == ERR_OK)
		err = query_limit(q, limit);
	if (err == ERR_OK)
		err = query_cursor(q, filter);
	if (err == ERR_OK)
		err = read_kinds(q, &filter->kinds);
	if (err == ERR_OK)
		err = query_agent_row(q, &filter->agent_row);
	if (err == ERR_OK)
		err = query_id(q, "campaign", campaign, &given);
	if (err == ERR_OK)
		err = query_integer(q, "run", INT64_MAX, &run);
	if (err == ERR_OK)
		err = query_addr(q, "src", &filter->src);
	if (err == ERR_OK)
		err = query_addr(q, "dst", &filter->dst);
	filter->campaign = given ? campaign : NULL;
	filter->run = (uint64_t)run;
	filter->limit = *limit + 1;
	return err;
}

int query_records(struct collector *c, const struct query_args *args,
    json_t **answer, struct errmsg *msg)
{
	struct query q;
	struct store_filter filter = {0};
	struct list list = {0};
	uint8_t campaign[16];
	int err = query_begin(&q, c, args, msg);
	if (err < 0)
		return err;
	list.items = json_array();
	err = read_filter(&q, &filter, campaign, &list.limit);
	if (err == ERR_OK)
		err = c->ops->read_records(
		    q.reader, &filter, take_record, &list);
	return query_end(&q, err < 0 ? err : ERR_OK, list_page(&list), answer);
}
