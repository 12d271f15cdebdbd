/* SPDX-License-Identifier: ISC */
/*
 * What scripts recorded, by their own tables: which there are, and the rows of
 * one over all agents and versions of its schema.  Rows are read from the
 * records of the range, newest first, and judged one by one; a page ends after
 * so many records, also when few of them matched.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/core/private.h"
#include "collector/core/result-schemas.h"
#include "collector/query/query-list.h"
#include "lib/base/vec.h"
#include "lib/base/xalloc.h"
#include "lib/formats/csv-cell.h"
#include "lib/formats/csv-result.h"
#include "lib/formats/result-cell.h"
#include "lib/json/json-value.h"
#include "lib/record/result-json.h"
#include "lib/record/result-train.h"
#include "lib/record/result-view.h"

#define SCANNED_MOST 20000 /* records, for one page */
/* How far back trains are looked for, how many, and of how many scripts. */
#define TRAINS_LOOK_NS (7 * INT64_C(86400) * NS_PER_S)
#define TRAINS_LOOK_MOST 2000
#define TRAIN_SCRIPTS_MOST 64

static json_t *schema_item(const struct result_schema *schema, int64_t first_ns)
{
	json_t *item = result_schema_json(schema);
	json_object_set_new(item, "first_at", json_time(first_ns));
	return item;
}

/* Scripts that record trains have no schema in the registry: their newest
 * records say which there are, and what fields. */
struct train_scripts {
	const char *only; /* NULL: every script */
	struct train_script {
		char name[RESULT_SCRIPT_MAX + 1];
		int64_t first_ns;
		struct train_columns columns;
	} * list; /* owned */
	size_t count;
};

static struct train_script *train_script_of(
    struct train_scripts *scripts, const char *name)
{
	for (size_t i = 0; i < scripts->count; i++)
		if (strcmp(scripts->list[i].name, name) == 0)
			return &scripts->list[i];
	if (scripts->count == TRAIN_SCRIPTS_MOST ||
	    strlen(name) > RESULT_SCRIPT_MAX)
		return NULL;
	VEC_ROOM(scripts->list, scripts->count);
	struct train_script *made = &scripts->list[scripts->count++];
	*made = (struct train_script){ .first_ns = 0 };
	memcpy(made->name, name, strlen(name) + 1);
	return made;
}

static int take_train(void *ctx, const struct store_row *from)
{
	const struct store_record *stored = from->record;
	struct train_scripts *scripts = ctx;
	Sonde__Record *record;
	if (record_unpack(&record, stored->body.data, stored->body.len, NULL) <
	    0)
		return 0;
	const char *name = record->train->script;
	struct train_script *script =
	    scripts->only && strcmp(scripts->only, name) != 0
	    ? NULL
	    : train_script_of(scripts, name);
	if (script) {
		train_columns_add(&script->columns, record->train);
		script->first_ns = record->wall_ns; /* newest first */
	}
	record_free(record);
	return 0;
}

static int find_trains(const struct query *q, struct train_scripts *scripts)
{
	const struct store_plan plan = {
		.table = STORE_RECORDS,
		.range = { q->now_ns - TRAINS_LOOK_NS, INT64_MAX },
		.kinds = { SONDE__RECORD__BODY_TRAIN },
		.kind_count = 1,
		.limit = TRAINS_LOOK_MOST,
	};
	int err =
	    q->c->ops->read(q->reader, &plan, take_train, scripts, q->msg);
	return err < 0 ? err : ERR_OK;
}

/* Behind the schemas, on their last page. */
static int add_trains(struct query_list *list)
{
	struct train_scripts scripts = { .list = NULL };
	int err = find_trains(&list->query, &scripts);
	for (size_t i = 0; i < scripts.count && err == ERR_OK; i++) {
		const struct train_script *script = &scripts.list[i];
		struct result_schema *schema;
		if (train_columns_schema(
			&script->columns, script->name, &schema, NULL) < 0)
			continue;
		json_array_append_new(
		    list->items, schema_item(schema, script->first_ns));
		result_schema_free(schema);
	}
	free(scripts.list);
	return err;
}

int query_results(
    const struct query_context *context, json_t **answer, struct errmsg *msg)
{
	struct query_list list;
	struct result_schema_entry *entries;
	int err = query_list_begin(&list, context, msg);
	if (err < 0)
		return err;
	size_t count = result_schemas_list(list.query.c, &entries);
	for (size_t i = 0; i < count; i++) {
		/* Newest first; the number is the place from the oldest. */
		int64_t row = (int64_t)(count - i);
		if (list.filter.cursor_row &&
		    (uint64_t)row >= list.filter.cursor_row)
			continue;
		if (query_list_is_full(&list))
			break;
		query_list_add(&list,
		    schema_item(entries[i].schema, entries[i].first_ns), 0,
		    row);
	}
	free(entries);
	if (!list.more)
		err = add_trains(&list);
	return query_list_end(&list, err, answer);
}

void query_each_schema(
    struct collector *collector, query_record_fn *take, void *ctx)
{
	struct result_schema_entry *entries;
	size_t count = result_schemas_list(collector, &entries);
	bool more = true;
	for (size_t i = count; i-- > 0 && more;) {
		struct arena arena = { 0 };
		Sonde__Record record = SONDE__RECORD__INIT;
		record.wall_ns = entries[i].first_ns;
		record.body_case = SONDE__RECORD__BODY_RESULT_SCHEMA;
		record.result_schema =
		    result_schema_message(entries[i].schema, &arena);
		more = take(ctx, &record);
		arena_fini(&arena);
	}
	free(entries);
}

/* A column, and what its cell must hold. */
struct row_key {
	size_t column;
	char *text; /* owned; as result_cell_exact writes it */
};

struct row_query {
	struct query_list list;
	struct result_view view;
	struct row_key keys[RESULT_COLUMNS_MAX];
	size_t key_count;
	uint8_t campaign[16];
	size_t scanned;
	bool csv;
	struct result_schema *trains; /* owned; NULL: rows are results */
	struct train_row train_row;
};

static bool cell_is(const Sonde__Cell *cell, const char *text)
{
	struct buf got = { 0 };
	result_cell_exact(&got, cell);
	bool same = got.len == strlen(text) &&
	    memcmp(got.data ? (const char *)got.data : "", text, got.len) == 0;
	buf_fini(&got);
	return same;
}

static bool keys_match(
    const struct row_query *q, const struct result_view_row *row)
{
	for (size_t i = 0; i < q->key_count; i++)
		if (!cell_is(row->cells[q->keys[i].column], q->keys[i].text))
			return false;
	return true;
}

static json_t *row_json(const struct row_query *q,
    const struct store_record *stored, const Sonde__Record *record,
    const struct result_view_row *row)
{
	json_t *run =
	    record->run ? json_integer((json_int_t)record->run) : json_null();
	return json_pack("{s:o, s:I, s:I, s:o, s:o, s:o, s:o, s:o}", "agent",
	    json_hex(stored->agent, sizeof(stored->agent)), "epoch",
	    (json_int_t)stored->epoch, "seq", (json_int_t)stored->seq,
	    "recorded_at", json_time(record->wall_ns), "campaign",
	    record->campaign.len
		? json_hex(record->campaign.data, record->campaign.len)
		: json_null(),
	    "run", run, "hash",
	    json_hex(row->result.hash.data, row->result.hash.len), "row",
	    result_row_json(q->view.table, &row->result));
}

/* A line of CSV as a JSON text. */
static json_t *row_csv(const struct row_query *q,
    const struct store_record *stored, const Sonde__Record *record,
    const struct result_view_row *row)
{
	char *text = NULL, agent[33], campaign[33] = "";
	size_t len = 0;
	FILE *to = open_memstream(&text, &len);
	if (!to)
		return NULL;
	Sonde__Record shown = *record;
	shown.body_case = SONDE__RECORD__BODY_RESULT;
	shown.result = (Sonde__Result *)&row->result;
	hex_text(stored->agent, sizeof(stored->agent), agent);
	if (record->campaign.len)
		hex_text(record->campaign.data, record->campaign.len, campaign);
	fprintf(to, "%s,%s,%llu,", agent, campaign,
	    (unsigned long long)record->run);
	csv_result_row(to, q->view.table, &shown);
	fclose(to);
	json_t *json = json_stringn(text, len);
	free(text);
	return json;
}

/* As the view's columns have it; false: of another script or table. */
static bool take_view_row(struct row_query *q, const Sonde__Record *record,
    struct result_view_row *row)
{
	if (!q->trains)
		return result_view_take(&q->view, record->result, row);
	if (strcmp(record->train->script, q->trains->script) != 0)
		return false;
	train_row_fill(q->trains, record->train, &q->train_row);
	return result_view_take(&q->view, &q->train_row.result, row);
}

static int take_row(void *ctx, const struct store_row *from)
{
	const struct store_record *stored = from->record;
	struct row_query *q = ctx;
	struct result_view_row row;
	Sonde__Record *record;
	if (query_list_is_full(&q->list))
		return 1;
	if (q->scanned++ == SCANNED_MOST) {
		q->list.more = true;
		return 1;
	}
	if (record_unpack(&record, stored->body.data, stored->body.len, NULL) <
	    0)
		return 0;
	if (take_view_row(q, record, &row) && keys_match(q, &row))
		query_list_add(&q->list,
		    q->csv ? row_csv(q, stored, record, &row)
			   : row_json(q, stored, record, &row),
		    stored->wall_ns, (int64_t)stored->row);
	/* The next page goes on behind what was looked at. */
	q->list.last_ns = stored->wall_ns;
	q->list.last_row = (int64_t)stored->row;
	record_free(record);
	return 0;
}

static int wrong_key(const struct row_query *q, const char *word, size_t len)
{
	struct buf names = { 0 };
	for (size_t i = 0; i < q->view.table->column_count; i++)
		if (q->view.table->columns[i].key)
			buf_printf(&names, "%s%s", names.len ? ", " : "",
			    q->view.table->columns[i].name);
	int err = err_set(q->list.query.msg, ERR_USAGE,
	    "parameter 'key': expected NAME:VALUE with a key of the table "
	    "(%.*s), got '%.*s'",
	    (int)(names.len < 80 ? names.len : 80),
	    names.len ? (const char *)names.data : "",
	    (int)(len < 40 ? len : 40), word);
	buf_fini(&names);
	return err;
}

/* The value as a cell of the column would say it: an address has many texts. */
static char *key_text(const struct result_column *column, const char *value)
{
	char text[ADDR_TEXT_LEN];
	struct addr addr;
	if (column->type == SONDE__COLUMN_TYPE__COLUMN_ADDRESS &&
	    addr_parse(&addr, value) == 0)
		return xstrdup(addr_text(&addr, text));
	return xstrdup(value);
}

/* The first address of a row is the record's `dst` (collector/ingest/kinds/
 * kind-result.c): when that is always this key, the store can look for it. */
static bool is_first_address(const struct result_view *view, const char *name)
{
	for (size_t p = 0; p < view->part_count; p++) {
		const struct result_view_part *part = &view->parts[p];
		const struct result_table *table =
		    &part->schema->tables[part->table];
		size_t i = 0;
		while (i < table->column_count &&
		    table->columns[i].type !=
			SONDE__COLUMN_TYPE__COLUMN_ADDRESS &&
		    table->columns[i].element !=
			SONDE__COLUMN_TYPE__COLUMN_ADDRESS)
			i++;
		if (i == table->column_count || !table->columns[i].key ||
		    strcmp(table->columns[i].name, name) != 0)
			return false;
	}
	return true;
}

/* "dst:192.0.2.1,ttl:3" */
static int read_keys(struct row_query *q)
{
	const char *word = query_text(&q->list.query, "key");
	while (word && *word) {
		size_t len = strcspn(word, ","), name_len = strcspn(word, ":");
		char *name = xstrndup(word, name_len < len ? name_len : len);
		int at = result_column_find(q->view.table, name);
		free(name);
		if (at < 0 || name_len >= len ||
		    !q->view.table->columns[at].key ||
		    q->key_count == RESULT_COLUMNS_MAX)
			return wrong_key(q, word, len);
		const struct result_column *column =
		    &q->view.table->columns[at];
		char *value = xstrndup(word + name_len + 1, len - name_len - 1);
		q->keys[q->key_count++] =
		    (struct row_key){ (size_t)at, key_text(column, value) };
		if (column->type == SONDE__COLUMN_TYPE__COLUMN_ADDRESS &&
		    is_first_address(&q->view, column->name) &&
		    addr_parse(&q->list.filter.dst, value) != 0)
			q->list.filter.dst.family = 0;
		free(value);
		word += len;
		word += *word == ',';
	}
	return ERR_OK;
}

/* The fields of the script's trains as a table, if it has recorded any. */
static int open_trains(struct row_query *q, const char *script)
{
	struct train_scripts scripts = { .only = script };
	int err = find_trains(&q->list.query, &scripts);
	bool found = err == ERR_OK && scripts.count > 0 &&
	    train_columns_schema(
		&scripts.list[0].columns, script, &q->trains, NULL) == ERR_OK;
	free(scripts.list);
	if (err < 0)
		return err;
	if (!found)
		return ERR_NOT_FOUND;
	const struct result_schema *list[] = { q->trains };
	q->list.filter.kinds[0] = SONDE__RECORD__BODY_TRAIN;
	return result_view_open(
	    &q->view, list, 1, script, RESULT_TRAIN_TABLE, NULL);
}

/* table: may be left out when the script has one. */
static int open_view(struct row_query *q)
{
	struct result_schema_entry *entries;
	const char *script = query_text(&q->list.query, "script");
	const char *table = query_text(&q->list.query, "table");
	if (!script)
		return err_set(q->list.query.msg, ERR_USAGE,
		    "parameter 'script': expected the name of a script, got "
		    "none");
	size_t count = result_schemas_list(q->list.query.c, &entries);
	const struct result_schema **list =
	    xcalloc(count + 1, sizeof(struct result_schema *));
	for (size_t i = 0; i < count; i++) {
		list[i] = entries[i].schema;
		if (!table && strcmp(list[i]->script, script) == 0 &&
		    list[i]->table_count == 1)
			table = list[i]->tables[0].name;
	}
	int err = result_view_open(&q->view, list, count, script,
	    table ? table : "", q->list.query.msg);
	free(entries);
	free(list);
	if (err == ERR_NOT_FOUND &&
	    (!table || strcmp(table, RESULT_TRAIN_TABLE) == 0) &&
	    open_trains(q, script) == ERR_OK)
		err = ERR_OK;
	return err;
}

static int read_row_filter(struct row_query *q)
{
	struct query *query = &q->list.query;
	struct store_plan *filter = &q->list.filter;
	bool given = false;
	int64_t run = 0;
	int err = query_range(query, &query_param_from_day, &filter->range);
	if (err < 0)
		return err;
	err = query_agent_row(query, &filter->agent_row);
	if (err < 0)
		return err;
	err = query_id(query, &query_param_campaign, q->campaign, &given);
	if (err < 0)
		return err;
	err = query_integer(query, &query_param_run, &run);
	if (err < 0)
		return err;
	filter->campaign = given ? q->campaign : NULL;
	filter->run = (uint64_t)run;
	filter->kinds[0] = SONDE__RECORD__BODY_RESULT;
	filter->kind_count = 1;
	filter->limit = SCANNED_MOST + 1;
	const char *format = query_text(query, "format");
	q->csv = format && strcmp(format, "csv") == 0;
	return ERR_OK;
}

static char *csv_titles(const struct result_table *table)
{
	char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);
	if (!to)
		return NULL;
	fputs("agent,campaign,run,", to);
	csv_result_titles(to, table);
	fclose(to);
	return text;
}

static void add_table(const struct row_query *q, json_t *answer)
{
	json_object_set_new(
	    answer, "script", json_text(q->view.newest->script));
	json_object_set_new(answer, "hash",
	    json_hex(q->view.newest->hash, sizeof(q->view.newest->hash)));
	json_object_set_new(answer, "table", result_table_json(q->view.table));
	char *titles = q->csv ? csv_titles(q->view.table) : NULL;
	if (titles)
		json_object_set_new(answer, "titles", json_text(titles));
	free(titles);
}

int query_result_rows(
    const struct query_context *context, json_t **answer, struct errmsg *msg)
{
	struct row_query *q = xcalloc(1, sizeof(*q));
	int err = query_list_begin(&q->list, context, msg);
	if (err < 0) {
		free(q);
		return err;
	}
	err = read_row_filter(q);
	if (err < 0)
		goto out;
	err = open_view(q);
	if (err < 0)
		goto out;
	err = read_keys(q);
	if (err < 0)
		goto out;
	err = q->list.query.c->ops->read(
	    q->list.query.reader, &q->list.filter, take_row, q, msg);
out:
	err = query_list_end(&q->list, err, answer);
	if (err == ERR_OK)
		add_table(q, *answer);
	for (size_t i = 0; i < q->key_count; i++)
		free(q->keys[i].text);
	result_view_fini(&q->view);
	result_schema_free(q->trains);
	free(q);
	return err;
}
