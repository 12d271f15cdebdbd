/* SPDX-License-Identifier: ISC */
/* A schema that is taken says the same when it is shipped on, by the same
 * hash, and as JSON. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "lib/record/result-json.h"
#include "lib/record/result.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect_same(
    const struct result_schema *schema, const Sonde__ResultSchema *message)
{
	struct result_schema *again;
	if (result_schema_new(&again, message, NULL) != 0 ||
	    memcmp(again->hash, schema->hash, RESULT_HASH_LEN) != 0)
		abort();
	result_schema_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Sonde__Record *record, *back;
	struct result_schema *schema;
	struct arena arena = { 0 };
	if (record_unpack(&record, data, size, NULL) != 0)
		return 0;
	if (record->body_case == SONDE__RECORD__BODY_RESULT_SCHEMA) {
		record->result_schema->hash.len = 0; /* as if it were right */
		if (result_schema_new(&schema, record->result_schema, NULL) ==
		    0) {
			expect_same(
			    schema, result_schema_message(schema, &arena));
			json_t *json = json_pack("{s:o}", "result_schema",
			    result_schema_json(schema));
			if (record_from_json(&back, json, NULL) != 0)
				abort();
			expect_same(schema, back->result_schema);
			json_decref(json);
			record_free(back);
			result_schema_free(schema);
		}
	}
	arena_fini(&arena);
	record_free(record);
	return 0;
}
