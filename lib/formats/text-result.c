/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/vec.h"
#include "lib/base/xalloc.h"
#include "lib/formats/result-cell.h"
#include "lib/formats/text-result.h"

#define WAITING_MOST (1u << 20) /* octets of text */

/* Rows of one table: cells in order, those of a row side by side. */
struct text_section {
	const struct result_schema *schema; /* the catalog's */
	uint32_t table;
	bool stamped; /* the first column is when the record was made */
	char **cells; /* owned */
	size_t columns, rows, cap;
};

static bool is_shown(const struct result_column *column)
{
	return !column->serves;
}

static char *take_text(struct buf *text)
{
	buf_u8(text, '\0');
	return (char *)text->data; /* its memory is the caller's now */
}

static void add_cell(
    struct text_results *r, struct text_section *s, size_t at, struct buf *text)
{
	r->bytes += text->len;
	s->cells[s->rows * s->columns + at] = take_text(text);
}

static void add_row(
    struct text_results *r, struct text_section *s, const Sonde__Record *record)
{
	const struct result_table *table = &s->schema->tables[s->table];
	size_t at = 0;
	if (s->rows == s->cap) {
		s->cap = s->cap ? s->cap * 2 : 16;
		s->cells = xreallocarray(
		    s->cells, s->cap * s->columns, sizeof(*s->cells));
	}
	if (s->stamped) {
		char wall[WALLTIME_TEXT_LEN];
		struct buf text = { 0 };
		walltime_text((struct walltime){ record->wall_ns }, wall);
		buf_printf(&text, "%.10s %.8s", wall, wall + 11);
		add_cell(r, s, at++, &text);
	}
	for (size_t i = 0; i < table->column_count; i++) {
		struct buf text = { 0 };
		if (!is_shown(&table->columns[i]))
			continue;
		result_cell_text(&text, table, i, record->result);
		add_cell(r, s, at++, &text);
	}
	s->rows++;
}

static struct text_section *section_of(struct text_results *r,
    const struct result_schema *schema, uint32_t table, bool stamped)
{
	for (size_t i = 0; i < r->section_count; i++)
		if (r->sections[i].schema == schema &&
		    r->sections[i].table == table &&
		    r->sections[i].stamped == stamped)
			return &r->sections[i];
	VEC_ROOM(r->sections, r->section_count);
	struct text_section *s = &r->sections[r->section_count++];
	*s = (struct text_section){
		.schema = schema,
		.table = table,
		.stamped = stamped,
		.columns = stamped,
	};
	for (size_t i = 0; i < schema->tables[table].column_count; i++)
		s->columns += is_shown(&schema->tables[table].columns[i]);
	return s;
}

int text_result(struct text_results *r, struct text *t,
    const Sonde__Record *record, struct errmsg *msg)
{
	const struct result_schema *schema;
	int err = result_stream_take(&r->stream, record, &schema, msg);
	if (err <= 0)
		return err;
	add_row(r,
	    section_of(r, schema, record->result->table, t->wall_ns != 0),
	    record);
	if (r->bytes > WAITING_MOST)
		text_results_flush(r, t);
	return 0;
}

/* Characters, not octets. */
static size_t text_width(const char *text)
{
	size_t width = 0;
	for (; *text; text++)
		width += (*text & 0xc0) != 0x80;
	return width;
}

static void print_padded(
    const struct text *t, const char *text, size_t width, bool right, bool last)
{
	size_t len = text_width(text), pad = len < width ? width - len : 0;
	if (right)
		fprintf(t->to, "%*s", (int)pad, "");
	text_print(t, text);
	if (!right && !last)
		fprintf(t->to, "%*s", (int)pad, "");
	fputs(last ? "\n" : "  ", t->to);
}

/* The titles as one more row of cells. */
static char **titles_of(const struct text_section *s, bool *right)
{
	const struct result_table *table = &s->schema->tables[s->table];
	char **titles = xcalloc(s->columns, sizeof(*titles));
	size_t at = 0;
	if (s->stamped)
		titles[at++] = xstrdup("recorded");
	for (size_t i = 0; i < table->column_count; i++) {
		struct buf text = { 0 };
		if (!is_shown(&table->columns[i]))
			continue;
		result_title_text(&text, &table->columns[i]);
		right[at] = result_column_is_numeric(&table->columns[i]) &&
		    table->columns[i].low < 0;
		titles[at++] = take_text(&text);
	}
	return titles;
}

static void print_section(struct text_section *s, struct text *t)
{
	const struct result_table *table = &s->schema->tables[s->table];
	bool right[RESULT_COLUMNS_MAX + 1] = { false };
	char **titles = titles_of(s, right);
	size_t *widths = xcalloc(s->columns, sizeof(*widths));
	for (size_t c = 0; c < s->columns; c++) {
		widths[c] = text_width(titles[c]);
		for (size_t i = 0; i < s->rows; i++) {
			size_t w = text_width(s->cells[i * s->columns + c]);
			if (w > widths[c])
				widths[c] = w;
		}
	}
	text_apart(t);
	fputs(text_on(t, TEXT_BOLD), t->to);
	text_print(t, table->name);
	fputs(text_off(t), t->to);
	if (*table->help) {
		fputs(": ", t->to);
		text_print(t, table->help);
	}
	putc('\n', t->to);
	fputs(text_on(t, TEXT_DIM), t->to);
	for (size_t c = 0; c < s->columns; c++)
		print_padded(
		    t, titles[c], widths[c], right[c], c + 1 == s->columns);
	fputs(text_off(t), t->to);
	for (size_t i = 0; i < s->rows * s->columns; i++) {
		size_t c = i % s->columns;
		print_padded(
		    t, s->cells[i], widths[c], right[c], c + 1 == s->columns);
		free(s->cells[i]);
	}
	for (size_t c = 0; c < s->columns; c++)
		free(titles[c]);
	free(titles);
	free(widths);
	s->rows = 0;
}

/* In the order of the schema, whatever came first. */
static int compare_sections(const void *a, const void *b)
{
	const struct text_section *x = a, *y = b;
	int order = strcmp(x->schema->script, y->schema->script);
	if (order == 0)
		order =
		    memcmp(x->schema->hash, y->schema->hash, RESULT_HASH_LEN);
	if (order == 0)
		order = (x->table > y->table) - (x->table < y->table);
	return order ? order : x->stamped - y->stamped;
}

void text_results_flush(struct text_results *r, struct text *t)
{
	if (r->section_count > 1)
		qsort(r->sections, r->section_count, sizeof(*r->sections),
		    compare_sections);
	for (size_t i = 0; i < r->section_count; i++)
		if (r->sections[i].rows > 0)
			print_section(&r->sections[i], t);
	r->bytes = 0;
}

void text_results_fini(struct text_results *r)
{
	for (size_t i = 0; i < r->section_count; i++) {
		struct text_section *s = &r->sections[i];
		for (size_t k = 0; k < s->rows * s->columns; k++)
			free(s->cells[k]);
		free(s->cells);
	}
	free(r->sections);
	result_stream_fini(&r->stream);
	*r = (struct text_results){ .sections = NULL };
}
