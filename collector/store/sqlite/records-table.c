/* SPDX-License-Identifier: ISC */
/*
 * An eponymous virtual table over the read plan of records.  A cursor asks for
 * a page at a time below the last record that it gave, twice as many each
 * time, so a query that stops early has read little, and one that does not
 * is read in few pages.
 */
#include "collector/store/sqlite/records-table.h"

#include <stdlib.h>
#include <string.h>

#include "collector/store/block.h"
#include "lib/base/xalloc.h"
#include "lib/record/kinds.h"

#define PAGE_FIRST 64u
#define PAGE_MOST 4096u

enum column {
	COLUMN_AGENT,
	COLUMN_EPOCH,
	COLUMN_SEQ,
	COLUMN_WALL_NS,
	COLUMN_RECEIVED_NS,
	COLUMN_KIND,
	COLUMN_CAMPAIGN,
	COLUMN_RUN,
	COLUMN_SRC,
	COLUMN_DST,
	COLUMN_BODY,
	COLUMNS
};
static const char declaration[] =
    "CREATE TABLE records (agent BLOB, epoch INTEGER, seq INTEGER,"
    " wall_ns INTEGER, received_ns INTEGER, kind TEXT, campaign BLOB,"
    " run INTEGER, src BLOB, dst BLOB, body BLOB)";

/* What a constraint's number in idxStr does to the plan. */
enum term {
	TERM_AGENT = 'g',
	TERM_KIND = 'k',
	TERM_CAMPAIGN = 'c',
	TERM_RUN = 'r',
	TERM_SRC = 's',
	TERM_DST = 'd',
	TERM_FROM = 'f', /* wall_ns >= */
	TERM_ABOVE = 'a',
	TERM_TO = 't', /* wall_ns < */
	TERM_UNTIL = 'u',
	TERM_AT = '=',
};

struct records_table {
	sqlite3_vtab base;
	const struct store_ops *ops;
	struct store_view *view;
};
struct records_row {
	struct store_record record;
	uint8_t *body; /* owned */
};
struct records_cursor {
	sqlite3_vtab_cursor base;
	struct store_plan plan;
	uint8_t campaign[16];
	bool is_empty; /* no record can match */
	struct records_row *rows;
	size_t count, at;
	uint32_t page;
	bool is_last; /* page */
	struct block_head head;
	bool has_head;
};
struct table_client {
	const struct store_ops *ops;
	struct store_view *view;
};

static int connect_table(sqlite3 *db, void *aux, int argc,
    const char *const *argv, sqlite3_vtab **vtab, char **why)
{
	const struct table_client *client = aux;
	(void)argc;
	(void)argv;
	(void)why;
	int code = sqlite3_declare_vtab(db, declaration);
	if (code != SQLITE_OK)
		return code;
	struct records_table *table = xcalloc(1, sizeof(*table));
	table->ops = client->ops;
	table->view = client->view;
	*vtab = &table->base;
	return SQLITE_OK;
}

static int disconnect_table(sqlite3_vtab *vtab)
{
	free(vtab);
	return SQLITE_OK;
}

/* 0: it does not help. */
static char term_of(const struct sqlite3_index_constraint *c)
{
	bool equal = c->op == SQLITE_INDEX_CONSTRAINT_EQ;
	switch (c->iColumn) {
	case COLUMN_AGENT: return equal ? TERM_AGENT : 0;
	case COLUMN_KIND: return equal ? TERM_KIND : 0;
	case COLUMN_CAMPAIGN: return equal ? TERM_CAMPAIGN : 0;
	case COLUMN_RUN: return equal ? TERM_RUN : 0;
	case COLUMN_SRC: return equal ? TERM_SRC : 0;
	case COLUMN_DST: return equal ? TERM_DST : 0;
	case COLUMN_WALL_NS:
		switch (c->op) {
		case SQLITE_INDEX_CONSTRAINT_EQ: return TERM_AT;
		case SQLITE_INDEX_CONSTRAINT_GE: return TERM_FROM;
		case SQLITE_INDEX_CONSTRAINT_GT: return TERM_ABOVE;
		case SQLITE_INDEX_CONSTRAINT_LT: return TERM_TO;
		case SQLITE_INDEX_CONSTRAINT_LE: return TERM_UNTIL;
		default: return 0;
		}
	default: return 0;
	}
}

static double cost_of(const char *terms)
{
	double cost = 1e7;
	for (; *terms; terms++)
		cost /= *terms == TERM_KIND || *terms == TERM_AGENT ? 2
		    : strchr("fatu", *terms)                        ? 4
								    : 1000;
	return cost < 10 ? 10 : cost;
}

static int best_index(sqlite3_vtab *vtab, sqlite3_index_info *info)
{
	char terms[32];
	int n = 0;
	(void)vtab;
	for (int i = 0; i < info->nConstraint && n < 31; i++) {
		char term = '\0';
		if (info->aConstraint[i].usable)
			term = term_of(&info->aConstraint[i]);
		if (!term)
			continue;
		terms[n++] = term;
		/* Checked again by SQLite, which knows about types. */
		info->aConstraintUsage[i].argvIndex = n;
	}
	terms[n] = '\0';
	info->idxStr = sqlite3_mprintf("%s", terms);
	info->needToFreeIdxStr = 1;
	if (!info->idxStr)
		return SQLITE_NOMEM;
	info->orderByConsumed = info->nOrderBy == 1 &&
	    info->aOrderBy[0].iColumn == COLUMN_WALL_NS &&
	    info->aOrderBy[0].desc;
	info->idxNum = info->nOrderBy > 0 && info->orderByConsumed
	    ? STORE_NEWEST
	    : STORE_STORED;
	info->estimatedCost = cost_of(terms);
	info->estimatedRows = (sqlite3_int64)info->estimatedCost;
	return SQLITE_OK;
}

static int open_cursor(sqlite3_vtab *vtab, sqlite3_vtab_cursor **cursor)
{
	(void)vtab;
	struct records_cursor *made = xcalloc(1, sizeof(*made));
	*cursor = &made->base;
	return SQLITE_OK;
}

static void clear_rows(struct records_cursor *c)
{
	for (size_t i = 0; i < c->count; i++)
		free(c->rows[i].body);
	free(c->rows);
	c->rows = NULL;
	c->count = c->at = 0;
}

static int close_cursor(sqlite3_vtab_cursor *cursor)
{
	clear_rows((struct records_cursor *)cursor);
	free(cursor);
	return SQLITE_OK;
}

static int take_row(void *ctx, const struct store_row *row)
{
	struct records_cursor *c = ctx;
	struct records_row *to = &c->rows[c->count++];
	to->record = *row->record;
	to->body = xmemdup(row->record->body.data, row->record->body.len);
	to->record.body.data = to->body;
	return 0;
}

static int read_page(struct records_cursor *c)
{
	struct records_table *table = (struct records_table *)c->base.pVtab;
	struct errmsg msg = { "" };
	if (c->count > 0) {
		const struct store_record *last = &c->rows[c->count - 1].record;
		c->plan.cursor_ns = last->wall_ns;
		c->plan.cursor_row = last->row;
	}
	clear_rows(c);
	c->page = 2 * c->page > PAGE_MOST ? PAGE_MOST : 2 * c->page;
	c->plan.limit = c->plan.at_once = c->page;
	c->rows = xcalloc(c->page, sizeof(*c->rows));
	int err = table->ops->read(table->view, &c->plan, take_row, c, &msg);
	c->is_last = c->count < c->page;
	c->has_head = false;
	if (err == ERR_OK)
		return SQLITE_OK;
	sqlite3_free(table->base.zErrMsg);
	table->base.zErrMsg = sqlite3_mprintf("%s", msg.text);
	return err == ERR_CORRUPT ? SQLITE_CORRUPT_VTAB : SQLITE_ERROR;
}

struct agent_search {
	const void *id;
	int64_t row; /* 0: not found */
};

static int match_agent(void *ctx, const struct store_row *row)
{
	struct agent_search *search = ctx;
	if (memcmp(row->agent->id, search->id, 16) == 0)
		search->row = row->agent->row;
	return search->row != 0;
}

static void set_agent(struct records_cursor *c, sqlite3_value *value)
{
	struct records_table *table = (struct records_table *)c->base.pVtab;
	struct agent_search search = { .id = sqlite3_value_blob(value) };
	const struct store_plan agents = { .table = STORE_AGENTS };
	if (sqlite3_value_bytes(value) == 16)
		table->ops->read(
		    table->view, &agents, match_agent, &search, NULL);
	c->plan.agent_row = search.row;
	c->is_empty |= search.row == 0;
}

static void set_kind(struct records_cursor *c, sqlite3_value *value)
{
	const char *name = (const char *)sqlite3_value_text(value);
	const struct record_kind *kind =
	    name ? record_kind_find(name, strlen(name)) : NULL;
	if (!kind) {
		c->is_empty = true;
		return;
	}
	c->plan.kinds[0] = kind->body;
	c->plan.kind_count = 1;
}

static void set_addr(
    struct records_cursor *c, struct addr *to, sqlite3_value *value)
{
	int len = sqlite3_value_bytes(value);
	*to = addr_from_bytes(
	    sqlite3_value_blob(value), len > 0 ? (size_t)len : 0);
	c->is_empty |= to->family == 0;
}

static void set_from(struct records_cursor *c, int64_t ns)
{
	if (ns > c->plan.range.from_ns)
		c->plan.range.from_ns = ns;
}

/* [.., ns); 0 would mean no end, so what ends there is cut at SQLite. */
static void set_to(struct records_cursor *c, int64_t ns)
{
	if (ns != 0 && (c->plan.range.to_ns == 0 || ns < c->plan.range.to_ns))
		c->plan.range.to_ns = ns;
}

static void set_term(struct records_cursor *c, char term, sqlite3_value *value)
{
	int64_t ns = sqlite3_value_int64(value);
	int64_t after = ns < INT64_MAX ? ns + 1 : ns;
	bool exact = sqlite3_value_type(value) == SQLITE_INTEGER;
	switch (term) {
	case TERM_AGENT: set_agent(c, value); break;
	case TERM_KIND: set_kind(c, value); break;
	case TERM_SRC: set_addr(c, &c->plan.src, value); break;
	case TERM_DST: set_addr(c, &c->plan.dst, value); break;
	case TERM_RUN:
		if (exact && ns > 0)
			c->plan.run = (uint64_t)ns;
		break;
	case TERM_CAMPAIGN:
		if (sqlite3_value_bytes(value) != sizeof(c->campaign)) {
			c->is_empty = true;
			break;
		}
		memcpy(c->campaign, sqlite3_value_blob(value),
		    sizeof(c->campaign));
		c->plan.campaign = c->campaign;
		break;
	case TERM_AT:
		if (exact) {
			set_from(c, ns);
			set_to(c, after);
		}
		break;
	case TERM_FROM:
	case TERM_ABOVE:
		if (exact)
			set_from(c, ns);
		break;
	case TERM_TO:
		if (exact)
			set_to(c, ns);
		break;
	case TERM_UNTIL:
		if (exact && ns < INT64_MAX)
			set_to(c, after);
		break;
	default: break;
	}
}

static int filter_rows(sqlite3_vtab_cursor *cursor, int order,
    const char *terms, int argc, sqlite3_value **argv)
{
	struct records_cursor *c = (struct records_cursor *)cursor;
	clear_rows(c);
	c->plan = (struct store_plan){ .table = STORE_RECORDS,
		.order = (enum store_order)order,
		.range = { .from_ns = INT64_MIN } };
	c->is_empty = false;
	c->page = PAGE_FIRST;
	for (int i = 0; i < argc; i++)
		set_term(c, terms[i], argv[i]);
	return c->is_empty ? SQLITE_OK : read_page(c);
}

static int next_row(sqlite3_vtab_cursor *cursor)
{
	struct records_cursor *c = (struct records_cursor *)cursor;
	c->has_head = false;
	if (++c->at < c->count || c->is_last)
		return SQLITE_OK;
	return read_page(c);
}

static int is_eof(sqlite3_vtab_cursor *cursor)
{
	const struct records_cursor *c = (struct records_cursor *)cursor;
	return c->is_empty || c->at >= c->count;
}

static void give_addr(sqlite3_context *to, const struct addr *addr)
{
	if (addr->family)
		sqlite3_result_blob(
		    to, addr->bytes, (int)addr_len(addr), SQLITE_TRANSIENT);
}

static int give_head(struct records_cursor *c, sqlite3_context *to, int column)
{
	const struct store_record *r = &c->rows[c->at].record;
	if (!c->has_head && block_head(&c->head, r->body.data, r->body.len) < 0)
		return SQLITE_CORRUPT_VTAB;
	c->has_head = true;
	switch (column) {
	case COLUMN_CAMPAIGN:
		if (c->head.in_campaign)
			sqlite3_result_blob(
			    to, c->head.campaign, 16, SQLITE_TRANSIENT);
		break;
	case COLUMN_RUN:
		sqlite3_result_int64(to, (sqlite3_int64)c->head.run);
		break;
	case COLUMN_SRC: give_addr(to, &c->head.src); break;
	default: give_addr(to, &c->head.dst);
	}
	return SQLITE_OK;
}

static int give_column(
    sqlite3_vtab_cursor *cursor, sqlite3_context *to, int column)
{
	struct records_cursor *c = (struct records_cursor *)cursor;
	const struct store_record *r = &c->rows[c->at].record;
	switch (column) {
	case COLUMN_AGENT:
		sqlite3_result_blob(to, r->agent, 16, SQLITE_TRANSIENT);
		break;
	case COLUMN_EPOCH:
		sqlite3_result_int64(to, (sqlite3_int64)r->epoch);
		break;
	case COLUMN_SEQ: sqlite3_result_int64(to, (sqlite3_int64)r->seq); break;
	case COLUMN_WALL_NS: sqlite3_result_int64(to, r->wall_ns); break;
	case COLUMN_RECEIVED_NS:
		sqlite3_result_int64(to, r->received_ns);
		break;
	case COLUMN_KIND:
		sqlite3_result_text(to,
		    record_kind_name((Sonde__Record__BodyCase)r->kind), -1,
		    SQLITE_STATIC);
		break;
	case COLUMN_BODY:
		sqlite3_result_blob64(
		    to, r->body.data, r->body.len, SQLITE_TRANSIENT);
		break;
	default: return give_head(c, to, column);
	}
	return SQLITE_OK;
}

static int give_rowid(sqlite3_vtab_cursor *cursor, sqlite3_int64 *rowid)
{
	const struct records_cursor *c = (struct records_cursor *)cursor;
	*rowid = (sqlite3_int64)c->rows[c->at].record.row;
	return SQLITE_OK;
}

static const sqlite3_module records_module = {
	.iVersion = 2,
	.xConnect = connect_table,
	.xBestIndex = best_index,
	.xDisconnect = disconnect_table,
	.xOpen = open_cursor,
	.xClose = close_cursor,
	.xFilter = filter_rows,
	.xNext = next_row,
	.xEof = is_eof,
	.xColumn = give_column,
	.xRowid = give_rowid,
};

int records_table_declare(sqlite3 *db, const struct store_ops *ops,
    struct store_view *view, struct errmsg *msg)
{
	struct table_client *client = xcalloc(1, sizeof(*client));
	client->ops = ops;
	client->view = view;
	if (sqlite3_create_module_v2(
		db, "records", &records_module, client, free) != SQLITE_OK)
		return err_set(
		    msg, ERR_UNAVAILABLE, "sqlite: %s", sqlite3_errmsg(db));
	return ERR_OK;
}
