/* SPDX-License-Identifier: ISC */
/* A row that fits the fixture's schema can be shown in every form; one that
 * does not is refused. */
#include "lib/record/result-row.h"
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "lib/formats/format.h"
#include "tests/lib/record/result-fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void show(const struct format_ops *format, const Sonde__Record *schema,
    const Sonde__Record *row)
{
	char *text = NULL;
	size_t len;
	void *ctx;
	FILE *to = open_memstream(&text, &len);
	if (!to || format->open(&ctx, to, 0, NULL) != 0 ||
	    format->item(ctx, schema, NULL) != 0 ||
	    format->item(ctx, row, NULL) != 0 || format->close(ctx, NULL) != 0)
		abort();
	fclose(to);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct result_fixture fixture;
	struct result_schema *schema;
	struct arena arena = { 0 };
	Sonde__Record announced = SONDE__RECORD__INIT, *record;
	if (record_unpack(&record, data, size, NULL) != 0)
		return 0;
	result_fixture_init(&fixture);
	if (result_schema_new(&schema, &fixture.schema, NULL) != 0)
		abort();
	announced.body_case = SONDE__RECORD__BODY_RESULT_SCHEMA;
	announced.result_schema = result_schema_message(schema, &arena);
	if (record->body_case == SONDE__RECORD__BODY_RESULT &&
	    result_check(schema, record->result, NULL) == 0) {
		uint8_t own[16], *hash = record->result->hash.data;
		memcpy(own, schema->hash, sizeof(own));
		size_t len = record->result->hash.len;
		record->result->hash = (ProtobufCBinaryData){ 16, own };
		show(&format_text, &announced, record);
		show(&format_json, &announced, record);
		show(&format_csv, &announced, record);
		record->result->hash = (ProtobufCBinaryData){ len, hash };
	}
	arena_fini(&arena);
	result_schema_free(schema);
	record_free(record);
	return 0;
}
