/* SPDX-License-Identifier: ISC */
/*
 * Schemas of results.  They come from processes that may have been taken over
 * by what they read, so a schema is checked before anything is shown by it.
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/addr.h"
#include "lib/base/xalloc.h"
#include "lib/record/result.h"

static const struct {
	column_type type;
	const char *name;
	Sonde__Value__ValueCase value;
} types[] = {
	{ SONDE__COLUMN_TYPE__COLUMN_INTEGER, "integer",
	    SONDE__VALUE__VALUE_INTEGER },
	{ SONDE__COLUMN_TYPE__COLUMN_NUMBER, "number",
	    SONDE__VALUE__VALUE_NUMBER },
	{ SONDE__COLUMN_TYPE__COLUMN_BOOLEAN, "boolean",
	    SONDE__VALUE__VALUE_BOOLEAN },
	{ SONDE__COLUMN_TYPE__COLUMN_TEXT, "text", SONDE__VALUE__VALUE_TEXT },
	{ SONDE__COLUMN_TYPE__COLUMN_ADDRESS, "address",
	    SONDE__VALUE__VALUE_ADDRESS },
	{ SONDE__COLUMN_TYPE__COLUMN_PREFIX, "prefix",
	    SONDE__VALUE__VALUE_PREFIX },
	{ SONDE__COLUMN_TYPE__COLUMN_OCTETS, "octets",
	    SONDE__VALUE__VALUE_OCTETS },
	{ SONDE__COLUMN_TYPE__COLUMN_TIME, "time",
	    SONDE__VALUE__VALUE_TIME_NS },
	{ SONDE__COLUMN_TYPE__COLUMN_DURATION, "duration",
	    SONDE__VALUE__VALUE_DURATION_NS },
	{ SONDE__COLUMN_TYPE__COLUMN_RATE, "rate", SONDE__VALUE__VALUE_RATE },
	{ SONDE__COLUMN_TYPE__COLUMN_LIST, "list",
	    SONDE__VALUE__VALUE__NOT_SET },
};
#define TYPE_COUNT (sizeof(types) / sizeof(types[0]))

const char *column_type_name(column_type type)
{
	for (size_t i = 0; i < TYPE_COUNT; i++)
		if (types[i].type == type)
			return types[i].name;
	return NULL;
}

bool column_type_find(column_type *type, const char *name)
{
	for (size_t i = 0; i < TYPE_COUNT; i++)
		if (strcmp(types[i].name, name) == 0) {
			*type = types[i].type;
			return true;
		}
	return false;
}

Sonde__Value__ValueCase column_type_case(column_type type)
{
	for (size_t i = 0; i < TYPE_COUNT; i++)
		if (types[i].type == type)
			return types[i].value;
	return SONDE__VALUE__VALUE__NOT_SET;
}

const char *value_case_name(Sonde__Value__ValueCase value)
{
	if (value == SONDE__VALUE__VALUE__NOT_SET)
		return "nothing";
	for (size_t i = 0; i < TYPE_COUNT; i++)
		if (types[i].value == value)
			return types[i].name;
	return "an unknown type";
}

/* --- a schema, checked ------------------------------------------------- */

struct checking {
	struct result_schema *schema;
	const char *table; /* NULL: not in one yet */
	struct errmsg *msg;
};

static bool is_result_name(const char *name)
{
	size_t len = strlen(name);
	return len <= RESULT_NAME_MAX && *name >= 'a' && *name <= 'z' &&
	    strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == len;
}

/* A script's name is a file's: it may have '-' and capitals. */
static bool is_script_name(const char *name)
{
	size_t len = strlen(name);
	return len > 0 && len <= RESULT_SCRIPT_MAX &&
	    strspn(name,
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789_-.") == len;
}

static bool has_control(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return true;
	return false;
}

static int check_name(
    const struct checking *c, const char *what, const char *name)
{
	if (is_result_name(name))
		return 0;
	return err_set(c->msg, ERR_MALFORMED,
	    "%s: expected a name of at most %d of a-z, 0-9 and '_', a letter "
	    "first, got '%.40s'",
	    what, RESULT_NAME_MAX, name);
}

static int check_words(const struct checking *c, const char *what,
    const char *name, const char *text, size_t most)
{
	if (strlen(text) > most)
		return err_set(c->msg, ERR_LIMIT,
		    "%.40s: %s: expected at most %zu octets, got %zu", name,
		    what, most, strlen(text));
	if (has_control(text))
		return err_set(c->msg, ERR_MALFORMED,
		    "%.40s: %s: has control characters", name, what);
	return 0;
}

static const char *copy_text(const struct checking *c, const char *text)
{
	size_t size = strlen(text) + 1;
	return memcpy(arena_alloc(&c->schema->arena, size), text, size);
}

static bool ends_in_ns(const char *name)
{
	size_t len = strlen(name);
	return len > 3 && strcmp(name + len - 3, "_ns") == 0;
}

static int check_types(
    const struct checking *c, const Sonde__ResultColumn *from)
{
	bool list = from->type == SONDE__COLUMN_TYPE__COLUMN_LIST;
	bool in_ns = from->type == SONDE__COLUMN_TYPE__COLUMN_TIME ||
	    from->type == SONDE__COLUMN_TYPE__COLUMN_DURATION ||
	    from->element == SONDE__COLUMN_TYPE__COLUMN_DURATION;
	if (!column_type_name(from->type))
		return err_set(c->msg, ERR_MALFORMED,
		    "%s: type: expected integer, number, boolean, text, "
		    "address, prefix, octets, time, duration, rate or list",
		    from->name);
	if (list &&
	    (!column_type_name(from->element) ||
		from->element == SONDE__COLUMN_TYPE__COLUMN_LIST ||
		from->element == SONDE__COLUMN_TYPE__COLUMN_TIME))
		return err_set(c->msg, ERR_MALFORMED,
		    "%s: of: a list of integer, number, boolean, text, "
		    "address, prefix, octets, duration or rate",
		    from->name);
	if (!list && from->element != SONDE__COLUMN_TYPE__COLUMN_UNKNOWN)
		return err_set(c->msg, ERR_MALFORMED,
		    "%s: of: only a list has it", from->name);
	if (list && from->key)
		return err_set(c->msg, ERR_MALFORMED, "%s: key: a list is none",
		    from->name);
	if (in_ns && !ends_in_ns(from->name))
		return err_set(c->msg, ERR_MALFORMED,
		    "%s: a time or duration is in nanoseconds: expected a "
		    "name that ends in _ns",
		    from->name);
	if (in_ns && *from->unit)
		return err_set(c->msg, ERR_MALFORMED,
		    "%s: unit: a time or duration has none", from->name);
	return 0;
}

static int take_column(const struct checking *c, struct result_column *to,
    const Sonde__ResultColumn *from)
{
	int err = check_name(c, "columns", from->name);
	if (err < 0)
		return err;
	err = check_types(c, from);
	if (err < 0)
		return err;
	err = check_words(c, "unit", from->name, from->unit, RESULT_UNIT_MAX);
	if (err < 0)
		return err;
	err = check_words(c, "help", from->name, from->help, RESULT_HELP_MAX);
	if (err < 0)
		return err;
	*to = (struct result_column){ .name = copy_text(c, from->name),
		.help = copy_text(c, from->help),
		.unit = copy_text(c, from->unit),
		.type = from->type,
		.element = from->element,
		.key = from->key,
		.low = -1,
		.high = -1,
		.probability = -1 };
	return 0;
}

static bool is_measure(column_type type)
{
	return type == SONDE__COLUMN_TYPE__COLUMN_INTEGER ||
	    type == SONDE__COLUMN_TYPE__COLUMN_NUMBER ||
	    type == SONDE__COLUMN_TYPE__COLUMN_DURATION ||
	    type == SONDE__COLUMN_TYPE__COLUMN_RATE;
}

int result_column_find(const struct result_table *table, const char *name)
{
	for (size_t i = 0; i < table->column_count; i++)
		if (strcmp(table->columns[i].name, name) == 0)
			return (int)i;
	return -1;
}

int result_table_find(const struct result_schema *schema, const char *name)
{
	for (size_t i = 0; i < schema->table_count; i++)
		if (strcmp(schema->tables[i].name, name) == 0)
			return (int)i;
	return -1;
}

/* The column called `name`, which serves `of` as its `what`. */
static int take_serving(const struct checking *c,
    const struct result_table *table, const struct result_column *of,
    const char *what, const char *name)
{
	int at = *name ? result_column_find(table, name) : -1;
	if (!*name)
		return -1;
	if (at < 0 || &table->columns[at] == of)
		return err_set(c->msg, ERR_MALFORMED,
		    "%s: %s: expected another column of the table, got "
		    "'%.40s'",
		    of->name, what, name);
	const struct result_column *column = &table->columns[at];
	column_type type = strcmp(what, "probability") == 0
	    ? SONDE__COLUMN_TYPE__COLUMN_NUMBER
	    : of->type;
	if (column->type != type || column->key)
		return err_set(c->msg, ERR_MALFORMED,
		    "%s: %s: expected a column of type %s that is no key, got "
		    "%s, %s%s",
		    of->name, what, column_type_name(type), column->name,
		    column->key ? "a key of type " : "",
		    column_type_name(column->type));
	return at;
}

static int take_interval(const struct checking *c, struct result_table *table,
    struct result_column *columns, size_t at, const Sonde__ResultColumn *from)
{
	struct result_column *column = &columns[at];
	const char *const names[] = { from->low, from->high,
		from->probability };
	static const char *const what[] = { "low", "high", "probability" };
	int *const to[] = { &column->low, &column->high, &column->probability };
	if (!*from->low && !*from->high && !*from->probability)
		return 0;
	if (!is_measure(column->type))
		return err_set(c->msg, ERR_MALFORMED,
		    "%s: only an integer, number, duration or rate has an "
		    "interval",
		    column->name);
	if (!*from->low != !*from->high)
		return err_set(c->msg, ERR_MALFORMED,
		    "%s: low and high: expected both or none", column->name);
	for (int i = 0; i < 3; i++) {
		int found = take_serving(c, table, column, what[i], names[i]);
		if (found < -1)
			return found;
		*to[i] = found;
		if (found >= 0)
			columns[found].serves = true;
	}
	return 0;
}

/* Intervals have none themselves, and the twin of a time is not taken. */
static int check_columns(
    const struct checking *c, const struct result_table *table)
{
	char twin[RESULT_NAME_MAX + 1];
	for (size_t i = 0; i < table->column_count; i++) {
		const struct result_column *column = &table->columns[i];
		if (column->serves &&
		    (column->low >= 0 || column->probability >= 0))
			return err_set(c->msg, ERR_MALFORMED,
			    "%s: holds an interval and has one", column->name);
		if (column->type != SONDE__COLUMN_TYPE__COLUMN_TIME)
			continue;
		memcpy(twin, column->name, strlen(column->name) + 1);
		twin[strlen(twin) - 3] = '\0';
		if (result_column_find(table, twin) >= 0)
			return err_set(c->msg, ERR_MALFORMED,
			    "%s: this name is the text of %s", twin,
			    column->name);
	}
	return 0;
}

static int take_table(
    struct checking *c, struct result_table *to, const Sonde__ResultTable *from)
{
	int err = check_name(c, "tables", from->name);
	if (err < 0)
		return err;
	c->table = from->name;
	err = check_words(c, "help", from->name, from->help, RESULT_HELP_MAX);
	if (err < 0)
		return err;
	if (from->n_columns == 0 || from->n_columns > RESULT_COLUMNS_MAX)
		return err_set(c->msg, ERR_LIMIT,
		    "columns: expected 1 to %d, got %zu", RESULT_COLUMNS_MAX,
		    from->n_columns);
	struct result_column *columns =
	    arena_alloc(&c->schema->arena, from->n_columns * sizeof(*columns));
	*to = (struct result_table){ .name = copy_text(c, from->name),
		.help = copy_text(c, from->help),
		.columns = columns };
	for (size_t i = 0; i < from->n_columns; i++) {
		if (result_column_find(to, from->columns[i]->name) >= 0)
			return err_set(c->msg, ERR_MALFORMED,
			    "columns: %.40s is there twice",
			    from->columns[i]->name);
		err = take_column(c, &columns[i], from->columns[i]);
		if (err < 0)
			return err;
		to->column_count++;
	}
	for (size_t i = 0; i < from->n_columns; i++) {
		err = take_interval(c, to, columns, i, from->columns[i]);
		if (err < 0)
			return err;
	}
	return check_columns(c, to);
}

static int take_tables(struct checking *c, const Sonde__ResultSchema *from)
{
	struct result_schema *schema = c->schema;
	if (!is_script_name(from->script))
		return err_set(c->msg, ERR_MALFORMED,
		    "script: expected the name of a file without .lua, got "
		    "'%.70s'",
		    from->script);
	if (from->n_tables == 0 || from->n_tables > RESULT_TABLES_MAX)
		return err_set(c->msg, ERR_LIMIT,
		    "tables: expected 1 to %d, got %zu", RESULT_TABLES_MAX,
		    from->n_tables);
	schema->script = copy_text(c, from->script);
	struct result_table *tables =
	    arena_alloc(&schema->arena, from->n_tables * sizeof(*tables));
	schema->tables = tables;
	for (size_t i = 0; i < from->n_tables; i++) {
		c->table = NULL;
		if (result_table_find(schema, from->tables[i]->name) >= 0)
			return err_set(c->msg, ERR_MALFORMED,
			    "tables: %.40s is there twice",
			    from->tables[i]->name);
		int err = take_table(c, &tables[i], from->tables[i]);
		if (err < 0)
			return err;
		schema->table_count++;
	}
	c->table = NULL;
	return 0;
}

static int take_hash(struct result_schema *schema,
    const Sonde__ResultSchema *from, struct errmsg *msg)
{
	struct buf canonical = { 0 };
	result_schema_canonical(schema, &canonical);
	crypto_generichash(schema->hash, sizeof(schema->hash), canonical.data,
	    canonical.len, NULL, 0);
	buf_fini(&canonical);
	if (from->hash.len == 0 ||
	    (from->hash.len == sizeof(schema->hash) &&
		memcmp(from->hash.data, schema->hash, from->hash.len) == 0))
		return 0;
	return err_set(msg, ERR_MALFORMED, "hash: is not that of these tables");
}

int result_schema_new(struct result_schema **schema,
    const Sonde__ResultSchema *from, struct errmsg *msg)
{
	struct result_schema *made = xcalloc(1, sizeof(*made));
	struct checking c = { .schema = made, .msg = msg };
	*schema = NULL;
	int err = take_tables(&c, from);
	if (err == 0)
		err = take_hash(made, from, msg);
	if (err < 0) {
		if (c.table)
			err_prefix(msg, "table %.40s", c.table);
		err_prefix(msg, "result schema");
		result_schema_free(made);
		return err;
	}
	*schema = made;
	return 0;
}

void result_schema_free(struct result_schema *schema)
{
	if (!schema)
		return;
	arena_fini(&schema->arena);
	free(schema);
}

/* --- and back ---------------------------------------------------------- */

static void put_text(struct buf *to, const char *text)
{
	buf_be32(to, (uint32_t)strlen(text));
	buf_bytes(to, text, strlen(text));
}

static const char *column_name_at(const struct result_table *table, int at)
{
	return at < 0 ? "" : table->columns[at].name;
}

void result_schema_canonical(const struct result_schema *schema, struct buf *to)
{
	static const char magic[] = "sonde-result-schema/1";
	buf_bytes(to, magic, sizeof(magic) - 1);
	put_text(to, schema->script);
	buf_be32(to, (uint32_t)schema->table_count);
	for (size_t t = 0; t < schema->table_count; t++) {
		const struct result_table *table = &schema->tables[t];
		put_text(to, table->name);
		put_text(to, table->help);
		buf_be32(to, (uint32_t)table->column_count);
		for (size_t i = 0; i < table->column_count; i++) {
			const struct result_column *c = &table->columns[i];
			put_text(to, c->name);
			buf_u8(to, (uint8_t)c->type);
			buf_u8(to, (uint8_t)c->element);
			buf_u8(to, c->key);
			put_text(to, c->unit);
			put_text(to, c->help);
			put_text(to, column_name_at(table, c->low));
			put_text(to, column_name_at(table, c->high));
			put_text(to, column_name_at(table, c->probability));
		}
	}
}

static Sonde__ResultColumn *column_message(
    const struct result_table *table, size_t at, struct arena *arena)
{
	const struct result_column *c = &table->columns[at];
	Sonde__ResultColumn *m = arena_alloc(arena, sizeof(*m));
	sonde__result_column__init(m);
	m->name = (char *)c->name;
	m->type = c->type;
	m->element = c->element;
	m->unit = (char *)c->unit;
	m->help = (char *)c->help;
	m->key = c->key;
	m->low = (char *)column_name_at(table, c->low);
	m->high = (char *)column_name_at(table, c->high);
	m->probability = (char *)column_name_at(table, c->probability);
	return m;
}

Sonde__ResultSchema *result_schema_message(
    const struct result_schema *schema, struct arena *arena)
{
	Sonde__ResultSchema *m = arena_alloc(arena, sizeof(*m));
	sonde__result_schema__init(m);
	m->hash = (ProtobufCBinaryData){ sizeof(schema->hash),
		(uint8_t *)schema->hash };
	m->script = (char *)schema->script;
	m->n_tables = schema->table_count;
	m->tables =
	    arena_alloc(arena, m->n_tables * sizeof(Sonde__ResultTable *));
	for (size_t t = 0; t < m->n_tables; t++) {
		const struct result_table *table = &schema->tables[t];
		Sonde__ResultTable *to = arena_alloc(arena, sizeof(*to));
		sonde__result_table__init(to);
		to->name = (char *)table->name;
		to->help = (char *)table->help;
		to->n_columns = table->column_count;
		to->columns = arena_alloc(
		    arena, to->n_columns * sizeof(Sonde__ResultColumn *));
		for (size_t i = 0; i < to->n_columns; i++)
			to->columns[i] = column_message(table, i, arena);
		m->tables[t] = to;
	}
	return m;
}

/* --- many schemas ------------------------------------------------------ */

const struct result_schema *result_catalog_find(
    const struct result_catalog *catalog, const void *hash, size_t hash_len)
{
	for (size_t i = 0; hash_len == RESULT_HASH_LEN && i < catalog->count;
	     i++)
		if (memcmp(catalog->schemas[i]->hash, hash, hash_len) == 0)
			return catalog->schemas[i];
	return NULL;
}

int result_catalog_add(struct result_catalog *catalog,
    const Sonde__ResultSchema *from, struct errmsg *msg)
{
	struct result_schema *schema;
	int err = result_schema_new(&schema, from, msg);
	if (err < 0)
		return err;
	if (result_catalog_find(catalog, schema->hash, sizeof(schema->hash))) {
		result_schema_free(schema);
		return 1;
	}
	if (catalog->count == RESULT_SCHEMAS_MAX) {
		result_schema_free(schema);
		return err_set(msg, ERR_LIMIT,
		    "result schema: expected at most %d, got one more",
		    RESULT_SCHEMAS_MAX);
	}
	catalog->schemas = xreallocarray(catalog->schemas, catalog->count + 1,
	    sizeof(struct result_schema *));
	catalog->schemas[catalog->count++] = schema;
	return 0;
}

void result_catalog_fini(struct result_catalog *catalog)
{
	for (size_t i = 0; i < catalog->count; i++)
		result_schema_free(catalog->schemas[i]);
	free(catalog->schemas);
	*catalog = (struct result_catalog){ NULL, 0 };
}
