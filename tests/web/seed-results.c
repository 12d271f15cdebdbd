/* SPDX-License-Identifier: ISC */
#include "tests/web/seed-results.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/record/result.h"

enum { PROBES = 20, HOPS = 3, MOST_COLUMNS = 8 };

struct column_row {
	const char *name;
	column_type type, element;
	const char *unit, *help;
	bool key;
	const char *low, *high, *probability;
};
#define TYPE(name) SONDE__COLUMN_TYPE__COLUMN_##name
static const struct column_row summary[] = {
	{ .name = "dst",
	    .type = TYPE(ADDRESS),
	    .key = true,
	    .help = "the other agent" },
	{ .name = "loss",
	    .type = TYPE(NUMBER),
	    .unit = "share",
	    .help = "of the probes",
	    .low = "loss_low",
	    .high = "loss_high",
	    .probability = "confidence" },
	{ .name = "loss_low", .type = TYPE(NUMBER) },
	{ .name = "loss_high", .type = TYPE(NUMBER) },
	{ .name = "confidence", .type = TYPE(NUMBER) },
	{ .name = "rtt_ns", .type = TYPE(DURATION), .help = "median" },
	{ .name = "speed", .type = TYPE(RATE), .unit = "probes" },
	{ .name = "reached", .type = TYPE(BOOLEAN) },
};
static const struct column_row hops[] = {
	{ .name = "dst", .type = TYPE(ADDRESS), .key = true },
	{ .name = "ttl", .type = TYPE(INTEGER), .key = true, .unit = "hops" },
	{ .name = "answers",
	    .type = TYPE(LIST),
	    .element = TYPE(ADDRESS),
	    .help = "who answered" },
};
static const struct column_row events[] = {
	{ .name = "at_ns", .type = TYPE(TIME), .key = true },
	{ .name = "what", .type = TYPE(TEXT), .key = true },
};
static const struct {
	const char *name, *help;
	const struct column_row *columns;
	size_t count;
} tables[] = {
	{ "summary", "one row a host", summary, 8 },
	{ "hops", "one row a TTL", hops, 3 },
	{ "events", "what was worth a word", events, 2 },
};

static char *text_of(const char *text)
{
	return (char *)(uintptr_t)(text ? text : "");
}

static struct result_schema *schema_new(void)
{
	static Sonde__ResultColumn columns[3][MOST_COLUMNS];
	static Sonde__ResultColumn *column_lists[3][MOST_COLUMNS];
	static Sonde__ResultTable table[3], *table_list[3];
	Sonde__ResultSchema from = SONDE__RESULT_SCHEMA__INIT;
	struct result_schema *schema;
	struct errmsg msg;
	for (size_t t = 0; t < 3; t++) {
		for (size_t i = 0; i < tables[t].count; i++) {
			const struct column_row *row = &tables[t].columns[i];
			Sonde__ResultColumn *c = &columns[t][i];
			sonde__result_column__init(c);
			c->name = text_of(row->name);
			c->type = row->type;
			c->element = row->element;
			c->unit = text_of(row->unit);
			c->help = text_of(row->help);
			c->key = row->key;
			c->low = text_of(row->low);
			c->high = text_of(row->high);
			c->probability = text_of(row->probability);
			column_lists[t][i] = c;
		}
		sonde__result_table__init(&table[t]);
		table[t].name = text_of(tables[t].name);
		table[t].help = text_of(tables[t].help);
		table[t].n_columns = tables[t].count;
		table[t].columns = column_lists[t];
		table_list[t] = &table[t];
	}
	from.script = text_of("reach");
	from.n_tables = 3;
	from.tables = table_list;
	if (result_schema_new(&schema, &from, &msg) != 0) {
		fprintf(stderr, "seed: %s\n", msg.text);
		exit(1);
	}
	return schema;
}

/* A row in the making; values are taken in the order of the columns. */
struct seed_row {
	Sonde__Value values[MOST_COLUMNS + HOPS];
	Sonde__Value *lists[MOST_COLUMNS + HOPS];
	Sonde__Cell cells[MOST_COLUMNS], *cell_list[MOST_COLUMNS];
	size_t value_count, cell_count;
};

static Sonde__Value *more_value(
    struct seed_row *row, Sonde__Value__ValueCase value)
{
	size_t at = row->value_count++;
	sonde__value__init(&row->values[at]);
	row->values[at].value_case = value;
	row->lists[at] = &row->values[at];
	row->cells[row->cell_count - 1].n_values++;
	return &row->values[at];
}

static Sonde__Value *next_value(
    struct seed_row *row, Sonde__Value__ValueCase value)
{
	size_t at = row->cell_count++;
	sonde__cell__init(&row->cells[at]);
	row->cells[at].values = &row->lists[row->value_count];
	row->cell_list[at] = &row->cells[at];
	return value ? more_value(row, value) : NULL;
}

static void next_number(struct seed_row *row, double number)
{
	next_value(row, SONDE__VALUE__VALUE_NUMBER)->number = number;
}

static void add_seed_row(struct synth *by, const Sonde__Record *frame,
    const struct result_schema *schema, uint32_t table, struct seed_row *row)
{
	Sonde__Result result = SONDE__RESULT__INIT;
	Sonde__Record record = *frame;
	result.hash =
	    (ProtobufCBinaryData){ RESULT_HASH_LEN, (uint8_t *)schema->hash };
	result.table = table;
	result.n_row = row->cell_count;
	result.row = row->cell_list;
	record.body_case = SONDE__RECORD__BODY_RESULT;
	record.result = &result;
	synth_add(by, &record);
}

/* Wilson's interval of a share, 95%. */
static void share_numbers(struct seed_row *row, double hits, double count)
{
	double z = 1.96, p = hits / count, scale = 1 + z * z / count;
	double middle = (p + z * z / (2 * count)) / scale;
	double half =
	    z / scale * sqrt(p * (1 - p) / count + z * z / (4 * count * count));
	next_number(row, p);
	next_number(row, fmax(0, middle - half));
	next_number(row, fmin(1, middle + half));
	next_number(row, 0.95);
}

static void add_summary(struct synth *by, const Sonde__Record *frame,
    const struct result_schema *schema, uint8_t dst[4], struct dice *dice)
{
	struct seed_row row = { .value_count = 0 };
	uint32_t lost = dice_poisson(dice, 1.5);
	lost = lost > PROBES ? PROBES : lost;
	next_value(&row, SONDE__VALUE__VALUE_ADDRESS)->address =
	    (ProtobufCBinaryData){ 4, dst };
	share_numbers(&row, lost, PROBES);
	next_value(&row, SONDE__VALUE__VALUE_DURATION_NS)->duration_ns =
	    20000000 + (int64_t)(dice_exponential(dice, 2) * 1e6);
	next_value(&row, SONDE__VALUE__VALUE_RATE)->rate = 10;
	next_value(&row, SONDE__VALUE__VALUE_BOOLEAN)->boolean = true;
	add_seed_row(by, frame, schema, 0, &row);
}

static void add_hops(struct synth *by, const Sonde__Record *frame,
    const struct result_schema *schema, uint8_t dst[4])
{
	static uint8_t routers[HOPS][4] = { { 198, 18, 0, 1 },
		{ 198, 18, 0, 2 }, { 198, 18, 1, 1 } };
	for (int ttl = 1; ttl <= HOPS; ttl++) {
		struct seed_row row = { .value_count = 0 };
		next_value(&row, SONDE__VALUE__VALUE_ADDRESS)->address =
		    (ProtobufCBinaryData){ 4, dst };
		next_value(&row, SONDE__VALUE__VALUE_INTEGER)->integer = ttl;
		next_value(&row, SONDE__VALUE__VALUE__NOT_SET);
		for (int i = 0; i < ttl; i++)
			more_value(&row, SONDE__VALUE__VALUE_ADDRESS)->address =
			    (ProtobufCBinaryData){ 4, routers[i] };
		add_seed_row(by, frame, schema, 1, &row);
	}
}

void results_minute(struct synth *by, unsigned agent,
    const Sonde__Record *frame, uint64_t minute, struct dice *dice)
{
	static struct result_schema *schema;
	if (!schema)
		schema = schema_new();
	if (minute == 1) {
		struct arena arena = { 0 };
		Sonde__Record record = *frame;
		record.body_case = SONDE__RECORD__BODY_RESULT_SCHEMA;
		record.result_schema = result_schema_message(schema, &arena);
		synth_add(by, &record);
		arena_fini(&arena);
	}
	uint8_t dst[4];
	unsigned to = (agent + 1) % NET_AGENTS;
	net_agent_addr(to, dst);
	add_summary(by, frame, schema, dst, dice);
	if (minute % 10 != 1)
		return;
	add_hops(by, frame, schema, dst);
	struct seed_row row = { .value_count = 0 };
	next_value(&row, SONDE__VALUE__VALUE_TIME_NS)->time_ns = frame->wall_ns;
	next_value(&row, SONDE__VALUE__VALUE_TEXT)->text = text_of("began");
	add_seed_row(by, frame, schema, 2, &row);
}
