/* SPDX-License-Identifier: ISC */
/*
 * Eponymous virtual tables, one a view (lib/record/result-view.h).  A cursor is
 * a statement over `records`, whose bodies are unpacked and judged one by one.
 */
#include "collector/store/sqlite/result-tables.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/addr.h"
#include "lib/base/vec.h"
#include "lib/base/xalloc.h"
#include "lib/record/result-json.h"
#include "lib/record/result-row.h"
#include "lib/record/result-view.h"

enum meta_column {
	META_AGENT,
	META_EPOCH,
	META_SEQ,
	META_WALL_NS,
	META_CAMPAIGN,
	META_RUN,
	META_COLUMNS
};
enum { BODY = META_COLUMNS }; /* of the statement below */

#define SELECT_RECORDS                                            \
	"SELECT agent, epoch, seq, wall_ns, campaign, run, body " \
	"FROM records WHERE "

/* A module's own: found by its name, so it lives as long as the connection. */
struct result_client {
	struct result_view view;
	char *name;
	const char *condition; /* on records.kind */
};
struct result_vtab {
	sqlite3_vtab base;
	const struct result_client *client;
	sqlite3 *db;
};
struct result_cursor {
	sqlite3_vtab_cursor base;
	sqlite3_stmt *records;
	Sonde__Record *record; /* the current row's; owned */
	struct result_view_row row;
	sqlite3_int64 number;
	bool ended;
};

static const char *sql_type(column_type type)
{
	switch ((int)type) {
	case SONDE__COLUMN_TYPE__COLUMN_INTEGER:
	case SONDE__COLUMN_TYPE__COLUMN_BOOLEAN:
	case SONDE__COLUMN_TYPE__COLUMN_TIME:
	case SONDE__COLUMN_TYPE__COLUMN_DURATION: return "INTEGER";
	case SONDE__COLUMN_TYPE__COLUMN_NUMBER:
	case SONDE__COLUMN_TYPE__COLUMN_RATE: return "REAL";
	case SONDE__COLUMN_TYPE__COLUMN_OCTETS: return "BLOB";
	default: return "TEXT";
	}
}

/* Names of columns are a-z, 0-9 and '_', quoted for words of SQL. */
static char *declaration_of(const struct result_view *view)
{
	struct buf sql = { 0 };
	buf_printf(&sql,
	    "CREATE TABLE t (_agent, _epoch INTEGER, _seq INTEGER,"
	    " _wall_ns INTEGER, _campaign BLOB, _run INTEGER");
	for (size_t i = 0; i < view->table->column_count; i++)
		buf_printf(&sql, ", \"%s\" %s", view->table->columns[i].name,
		    sql_type(view->table->columns[i].type));
	buf_bytes(&sql, ")", 2);
	return (char *)sql.data;
}

static int connect_results(sqlite3 *db, void *aux, int argc,
    const char *const *argv, sqlite3_vtab **vtab, char **why)
{
	const struct result_client *client = aux;
	(void)argc;
	(void)argv;
	(void)why;
	char *sql = declaration_of(&client->view);
	int code = sqlite3_declare_vtab(db, sql);
	free(sql);
	if (code != SQLITE_OK)
		return code;
	struct result_vtab *made = xcalloc(1, sizeof(*made));
	made->client = client;
	made->db = db;
	*vtab = &made->base;
	return SQLITE_OK;
}

static int disconnect_results(sqlite3_vtab *vtab)
{
	free(vtab);
	return SQLITE_OK;
}

/* The condition as SQL over `records`, NULL: none of ours. */
static const char *condition_of(const struct sqlite3_index_constraint *c)
{
	bool equal = c->op == SQLITE_INDEX_CONSTRAINT_EQ;
	switch (c->iColumn) {
	case META_AGENT: return equal ? " AND agent = ?" : NULL;
	case META_CAMPAIGN: return equal ? " AND campaign = ?" : NULL;
	case META_RUN: return equal ? " AND run = ?" : NULL;
	case META_WALL_NS: break;
	default: return NULL;
	}
	switch (c->op) {
	case SQLITE_INDEX_CONSTRAINT_EQ: return " AND wall_ns = ?";
	case SQLITE_INDEX_CONSTRAINT_GE: return " AND wall_ns >= ?";
	case SQLITE_INDEX_CONSTRAINT_GT: return " AND wall_ns > ?";
	case SQLITE_INDEX_CONSTRAINT_LT: return " AND wall_ns < ?";
	case SQLITE_INDEX_CONSTRAINT_LE: return " AND wall_ns <= ?";
	default: return NULL;
	}
}

/* The statement of a cursor is what it hands over. */
static int plan_results(sqlite3_vtab *vtab, sqlite3_index_info *info)
{
	struct buf sql = { 0 };
	int terms = 0;
	buf_printf(&sql, SELECT_RECORDS "%s",
	    ((struct result_vtab *)vtab)->client->condition);
	for (int i = 0; i < info->nConstraint; i++) {
		const char *condition = info->aConstraint[i].usable
		    ? condition_of(&info->aConstraint[i])
		    : NULL;
		if (!condition)
			continue;
		/* SQLite checks it again: it knows about types. */
		info->aConstraintUsage[i].argvIndex = ++terms;
		buf_printf(&sql, "%s%d", condition, terms);
	}
	if (info->nOrderBy == 1 && info->aOrderBy[0].desc &&
	    info->aOrderBy[0].iColumn == META_WALL_NS) {
		info->orderByConsumed = 1;
		buf_printf(&sql, " ORDER BY wall_ns DESC");
	}
	info->idxStr = sqlite3_mprintf("%.*s", (int)sql.len, sql.data);
	info->needToFreeIdxStr = 1;
	info->estimatedCost = 1e6 / (1 + 10 * terms);
	buf_fini(&sql);
	return info->idxStr ? SQLITE_OK : SQLITE_NOMEM;
}

static int open_results(sqlite3_vtab *vtab, sqlite3_vtab_cursor **cursor)
{
	(void)vtab;
	struct result_cursor *made = xcalloc(1, sizeof(*made));
	*cursor = &made->base;
	return SQLITE_OK;
}

static void reset_cursor(struct result_cursor *c)
{
	record_free(c->record);
	c->record = NULL;
	sqlite3_finalize(c->records);
	c->records = NULL;
}

static int close_results(sqlite3_vtab_cursor *cursor)
{
	reset_cursor((struct result_cursor *)cursor);
	free(cursor);
	return SQLITE_OK;
}

static int next_result(sqlite3_vtab_cursor *cursor)
{
	struct result_cursor *c = (struct result_cursor *)cursor;
	const struct result_vtab *vtab = (struct result_vtab *)cursor->pVtab;
	int code;
	while ((code = sqlite3_step(c->records)) == SQLITE_ROW) {
		record_free(c->record);
		c->record = NULL;
		if (record_unpack(&c->record,
			sqlite3_column_blob(c->records, BODY),
			(size_t)sqlite3_column_bytes(c->records, BODY),
			NULL) < 0 ||
		    c->record->body_case != SONDE__RECORD__BODY_RESULT)
			continue;
		if (result_view_take(
			&vtab->client->view, c->record->result, &c->row)) {
			c->number++;
			return SQLITE_OK;
		}
	}
	c->ended = true;
	return code == SQLITE_DONE ? SQLITE_OK : code;
}

static int filter_results(sqlite3_vtab_cursor *cursor, int number,
    const char *sql, int argc, sqlite3_value **argv)
{
	struct result_cursor *c = (struct result_cursor *)cursor;
	const struct result_vtab *vtab = (struct result_vtab *)cursor->pVtab;
	(void)number;
	reset_cursor(c);
	c->ended = false;
	c->number = 0;
	int code = sqlite3_prepare_v2(vtab->db, sql, -1, &c->records, NULL);
	for (int i = 0; i < argc && code == SQLITE_OK; i++)
		code = sqlite3_bind_value(c->records, i + 1, argv[i]);
	return code == SQLITE_OK ? next_result(cursor) : code;
}

static int is_end(sqlite3_vtab_cursor *cursor)
{
	return ((struct result_cursor *)cursor)->ended;
}

static void give_text(sqlite3_context *to, json_t *json)
{
	if (json_is_string(json)) {
		sqlite3_result_text64(to, json_string_value(json),
		    json_string_length(json), SQLITE_TRANSIENT, SQLITE_UTF8);
	} else if (json_is_array(json)) {
		char *text = json_dumps(json, JSON_COMPACT);
		sqlite3_result_text(to, text, -1, SQLITE_TRANSIENT);
		free(text);
	}
	json_decref(json);
}

static void give_value(sqlite3_context *to, const Sonde__Value *value)
{
	switch (value->value_case) {
	case SONDE__VALUE__VALUE_INTEGER:
		sqlite3_result_int64(to, value->integer);
		break;
	case SONDE__VALUE__VALUE_TIME_NS:
		sqlite3_result_int64(to, value->time_ns);
		break;
	case SONDE__VALUE__VALUE_DURATION_NS:
		sqlite3_result_int64(to, value->duration_ns);
		break;
	case SONDE__VALUE__VALUE_BOOLEAN:
		sqlite3_result_int(to, value->boolean);
		break;
	case SONDE__VALUE__VALUE_NUMBER:
		sqlite3_result_double(to, value->number);
		break;
	case SONDE__VALUE__VALUE_RATE:
		sqlite3_result_double(to, value->rate);
		break;
	case SONDE__VALUE__VALUE_OCTETS:
		sqlite3_result_blob64(to, value->octets.data, value->octets.len,
		    SQLITE_TRANSIENT);
		break;
	case SONDE__VALUE__VALUE_TEXT:
	case SONDE__VALUE__VALUE_ADDRESS:
	case SONDE__VALUE__VALUE_PREFIX:
		give_text(to, result_value_json(value));
		break;
	case SONDE__VALUE__VALUE__NOT_SET:
	case _SONDE__VALUE__VALUE__CASE_IS_INT_SIZE: break;
	}
}

static int give_result(
    sqlite3_vtab_cursor *cursor, sqlite3_context *to, int column)
{
	const struct result_cursor *c = (struct result_cursor *)cursor;
	const struct result_vtab *vtab = (struct result_vtab *)cursor->pVtab;
	if (column < META_COLUMNS) {
		sqlite3_result_value(
		    to, sqlite3_column_value(c->records, column));
		return SQLITE_OK;
	}
	size_t at = (size_t)(column - META_COLUMNS);
	const Sonde__Cell *cell = c->row.cells[at];
	if (vtab->client->view.table->columns[at].type ==
	    SONDE__COLUMN_TYPE__COLUMN_LIST) {
		json_t *list = json_array();
		for (size_t i = 0; i < cell->n_values; i++)
			json_array_append_new(
			    list, result_value_json(cell->values[i]));
		give_text(to, list);
	} else if (cell->n_values > 0) {
		give_value(to, cell->values[0]);
	}
	return SQLITE_OK;
}

static int give_number(sqlite3_vtab_cursor *cursor, sqlite3_int64 *rowid)
{
	*rowid = ((struct result_cursor *)cursor)->number;
	return SQLITE_OK;
}

static const sqlite3_module result_module = {
	.iVersion = 2,
	.xConnect = connect_results,
	.xBestIndex = plan_results,
	.xDisconnect = disconnect_results,
	.xOpen = open_results,
	.xClose = close_results,
	.xFilter = filter_results,
	.xNext = next_result,
	.xEof = is_end,
	.xColumn = give_result,
	.xRowid = give_number,
};

static void free_client(void *ctx)
{
	struct result_client *client = ctx;
	result_view_fini(&client->view);
	free(client->name);
	free(client);
}

static char *table_name(const char *script, const char *table)
{
	char *name = xasprintf("result_%s_%s", script, table);
	for (char *c = name; *c; c++)
		if (*c == '-' || *c == '.')
			*c = '_';
	return name;
}

/* Names taken so far, of any case: SQL does not tell them apart. */
struct taken {
	const char *condition; /* of every client */
	char **names;          /* borrowed from the clients */
	size_t count;
};

/* What a kind is called in `records`: its name in a table that is read out of
 * blocks, its number in one of rows.  NULL: there is no such table. */
static const char *kind_condition(sqlite3 *db)
{
	sqlite3_stmt *stmt;
	if (sqlite3_prepare_v2(
		db, "SELECT kind FROM records", -1, &stmt, NULL) != SQLITE_OK)
		return NULL;
	const char *type = sqlite3_column_decltype(stmt, 0);
	bool is_name = type && sqlite3_stricmp(type, "TEXT") == 0;
	sqlite3_finalize(stmt);
	return is_name ? "kind = 'result'" : "kind = 26";
}

static int declare_one(sqlite3 *db, const struct result_view *view,
    struct taken *taken, struct errmsg *msg)
{
	struct result_client *client = xcalloc(1, sizeof(*client));
	client->condition = taken->condition;
	client->view = *view;
	client->name = table_name(view->newest->script, view->table->name);
	for (size_t i = 0; i < taken->count; i++)
		if (sqlite3_stricmp(taken->names[i], client->name) == 0) {
			free_client(client);
			return ERR_OK;
		}
	VEC_ROOM(taken->names, taken->count);
	taken->names[taken->count++] = client->name;
	/* The client is freed by SQLite from here on. */
	if (sqlite3_create_module_v2(db, client->name, &result_module, client,
		free_client) != SQLITE_OK)
		return err_set(
		    msg, ERR_UNAVAILABLE, "sqlite: %s", sqlite3_errmsg(db));
	return ERR_OK;
}

static int declare_script(sqlite3 *db,
    const struct result_schema *const *schemas, size_t count,
    const struct result_schema *of, struct taken *taken, struct errmsg *msg)
{
	for (size_t t = 0; t < of->table_count; t++) {
		struct result_view view;
		int err = result_view_open(
		    &view, schemas, count, of->script, of->tables[t].name, msg);
		if (err < 0)
			return err;
		err = declare_one(db, &view, taken, msg);
		if (err < 0)
			return err;
	}
	return ERR_OK;
}

int result_tables_declare(sqlite3 *db,
    const struct result_schema *const *schemas, size_t count,
    struct errmsg *msg)
{
	struct taken taken = { .condition = kind_condition(db) };
	int err = taken.condition
	    ? ERR_OK
	    : err_set(msg, ERR_UNAVAILABLE, "sqlite: %s", sqlite3_errmsg(db));
	for (size_t i = 0; i < count && err == ERR_OK; i++)
		err =
		    declare_script(db, schemas, count, schemas[i], &taken, msg);
	free(taken.names);
	return err;
}
