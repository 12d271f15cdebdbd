/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "lib/formats/csv-cell.h"
#include "lib/formats/csv-result.h"
#include "lib/formats/result-cell.h"

struct csv_section {
	FILE *to;
	char *text; /* of `to` */
	size_t len;
};

void csv_result_titles(FILE *to, const struct result_table *table)
{
	fputs("table,wall_ns", to);
	for (size_t i = 0; i < table->column_count; i++) {
		putc(',', to);
		csv_cell(to, table->columns[i].name);
	}
	fputs(CSV_END, to);
}

void csv_result_row(
    FILE *to, const struct result_table *table, const Sonde__Record *record)
{
	csv_cell(to, table->name);
	fprintf(to, ",%" PRId64, record->wall_ns);
	for (size_t i = 0; i < table->column_count; i++) {
		putc(',', to);
		result_cell_csv(to, &table->columns[i], record->result->row[i]);
	}
	fputs(CSV_END, to);
}

static FILE *section_stream(
    struct csv_results *r, const struct result_table *table, size_t at)
{
	if (!r->sections)
		r->sections =
		    xcalloc(r->schema->table_count, sizeof(*r->sections));
	struct csv_section *s = &r->sections[at];
	if (s->to)
		return s->to;
	FILE *to = open_memstream(&s->text, &s->len);
	if (to)
		csv_result_titles(to, table);
	s->to = to;
	return to;
}

static int wait_row(
    struct csv_results *r, const Sonde__Record *record, struct errmsg *msg)
{
	uint32_t at = record->result->table;
	const struct result_table *table = &r->schema->tables[at];
	FILE *to = section_stream(r, table, at);
	if (!to)
		return err_set(msg, ERR_LIMIT, "csv: no memory for a table");
	long before = ftell(to);
	csv_result_row(to, table, record);
	r->bytes += (size_t)(ftell(to) - before);
	if (r->bytes > CSV_RESULTS_WAITING)
		return err_set(msg, ERR_LIMIT,
		    "csv: several tables of more than %u MiB: choose one with "
		    "--table",
		    CSV_RESULTS_WAITING >> 20);
	return 0;
}

int csv_result(struct csv_results *r, FILE *to, const Sonde__Record *record,
    struct errmsg *msg)
{
	const struct result_schema *schema;
	int err = result_stream_take(&r->stream, record, &schema, msg);
	if (err == ERR_NOT_FOUND)
		return err_set(msg, ERR_UNSUPPORTED,
		    "csv: a result whose columns are not known here; --json "
		    "has it");
	if (err <= 0)
		return err;
	if (r->schema && r->schema != schema)
		return err_set(msg, ERR_UNSUPPORTED,
		    "csv: the columns are those of %.60s, and this is a result "
		    "of %.60s%s; --json has both",
		    r->schema->script, schema->script,
		    strcmp(r->schema->script, schema->script) == 0
			? " with other tables"
			: "");
	r->schema = schema;
	if (schema->table_count > 1 && !r->stream.table)
		return wait_row(r, record, msg);
	const struct result_table *table =
	    &schema->tables[record->result->table];
	if (!r->titled)
		csv_result_titles(to, table);
	r->titled = true;
	csv_result_row(to, table, record);
	return 0;
}

void csv_results_flush(struct csv_results *r, FILE *to)
{
	bool any = false;
	for (size_t i = 0; r->sections && i < r->schema->table_count; i++) {
		struct csv_section *s = &r->sections[i];
		if (!s->to || fflush(s->to) != 0)
			continue;
		fputs(any ? CSV_END : "", to);
		fwrite(s->text, 1, s->len, to);
		any = true;
	}
}

void csv_results_fini(struct csv_results *r)
{
	for (size_t i = 0; r->sections && i < r->schema->table_count; i++) {
		if (r->sections[i].to)
			fclose(r->sections[i].to);
		free(r->sections[i].text);
	}
	free(r->sections);
	result_stream_fini(&r->stream);
	*r = (struct csv_results){ .sections = NULL };
}
