/* SPDX-License-Identifier: ISC */
/* What unpacks must pack again, say its kind and become JSON. */
#include <jansson.h>
#include <stdlib.h>

#include "lib/record/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Sonde__Record *record;
	struct errmsg msg;
	struct buf packed = { 0 };
	if (record_unpack(&record, data, size, &msg) != 0)
		return 0;
	int err = record_pack(record, &packed, &msg);
	json_t *json = record_to_json(record);
	if ((err && err != ERR_LIMIT) || !json ||
	    !record_kind_name(record->body_case))
		abort();
	json_decref(json);
	record_free(record);
	buf_fini(&packed);
	return 0;
}
