/* SPDX-License-Identifier: ISC */
/* A record as JSON, from an API that may be anybody's. */
#include <jansson.h>

#include "lib/record/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Sonde__Record *record;
	json_t *json = json_loadb(
	    data ? (const char *)data : "", size, JSON_ALLOW_NUL, NULL);
	if (json && record_from_json(&record, json, NULL) == 0)
		record_free(record);
	json_decref(json);
	return 0;
}
