/* SPDX-License-Identifier: ISC */
/*
 * What a script records, as tables with typed columns: declared once in its
 * header, shipped once as a ResultSchema record, named by a hash of what it
 * says, and the one source of text, CSV, JSON, the API, SQL tables and pages.
 * A result record is one row: the hash, the table's index, a cell a column.
 *
 * The hash is BLAKE2b-128 of the canonical form.  With str(x) for be32 length
 * and octets: "sonde-result-schema/1" | str(script) | be32 tables | for each
 * str(name) str(help) be32 columns | for each str(name) type element key (one
 * octet each) str(unit) str(help) str(low) str(high) str(probability).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/record/record.h"

#define RESULT_HASH_LEN 16
/* Bounds of a schema.  Names: a to z first, then also 0 to 9 and '_'. */
#define RESULT_TABLES_MAX 16
#define RESULT_COLUMNS_MAX 64 /* of one table */
#define RESULT_NAME_MAX 32
#define RESULT_SCRIPT_MAX 64
#define RESULT_UNIT_MAX 16
#define RESULT_HELP_MAX 200
/* Bounds of a row; a packed record has RECORD_MAX_BYTES besides. */
#define RESULT_TEXT_MAX 4096 /* octets of one text or octets value */
#define RESULT_LIST_MAX 256
/* Schemas of one agent, of one epoch and of one stream of records. */
#define RESULT_SCHEMAS_MAX 256

typedef Sonde__ColumnType column_type;

struct result_column {
	const char *name, *help, *unit; /* never NULL */
	column_type type, element;      /* element: of a list */
	bool key;                       /* a row must have it */
	/* Columns of the same table that hold the interval of this one and
	 * the probability that it covers the true value; -1: none. */
	int low, high, probability;
	/* This one is such a column of another: shown beside it. */
	bool serves;
};
struct result_table {
	const char *name, *help;
	const struct result_column *columns;
	size_t column_count;
};
struct result_schema {
	uint8_t hash[RESULT_HASH_LEN];
	const char *script;
	const struct result_table *tables;
	size_t table_count;
	struct arena arena; /* of all of it */
};

/* "integer", ..., "list"; NULL for a type that is not known. */
const char *column_type_name(column_type type);
bool column_type_find(column_type *type, const char *name);
/* The case of a value of that type; of a list or none, not set. */
Sonde__Value__ValueCase column_type_case(column_type type);
/* The type's name, for messages; "nothing" where it is not set. */
const char *value_case_name(Sonde__Value__ValueCase value);

/* A checked copy.  ERR_MALFORMED or ERR_LIMIT with where, what was expected
 * and what came.  An empty hash is filled in, another must be right.  Free
 * with result_schema_free. */
int result_schema_new(struct result_schema **schema,
    const Sonde__ResultSchema *from, struct errmsg *msg);
void result_schema_free(struct result_schema *schema);
/* The way back: in the arena's memory, texts borrowed from the schema. */
Sonde__ResultSchema *result_schema_message(
    const struct result_schema *schema, struct arena *arena);
void result_schema_canonical(
    const struct result_schema *schema, struct buf *to);

/* -1: no such name. */
int result_table_find(const struct result_schema *schema, const char *name);
int result_column_find(const struct result_table *table, const char *name);

/* The schemas that a stream of records brought, or a collector holds. */
struct result_catalog {                 /* zero: empty */
	struct result_schema **schemas; /* owned */
	size_t count;
};
/* 0: kept, 1: known already; ERR_LIMIT above RESULT_SCHEMAS_MAX. */
int result_catalog_add(struct result_catalog *catalog,
    const Sonde__ResultSchema *from, struct errmsg *msg);
/* NULL: not known. */
const struct result_schema *result_catalog_find(
    const struct result_catalog *catalog, const void *hash, size_t hash_len);
void result_catalog_fini(struct result_catalog *catalog);
