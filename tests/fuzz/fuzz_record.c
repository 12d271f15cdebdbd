/* SPDX-License-Identifier: ISC */
/* What unpacks must pack again, say its kind and become JSON; and the two ways
 * to unpack must come to the same. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/arena.h"
#include "lib/record/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void compare_ways(
    const Sonde__Record *record, const uint8_t *data, size_t size, int result)
{
	struct arena arena = { 0 };
	struct buf a = { 0 }, b = { 0 };
	Sonde__Record *other;
	int err = record_unpack_in(&arena, &other, data, size, NULL);
	if (err != result)
		abort();
	if (err == 0) {
		size_t len = sonde__record__get_packed_size(record);
		if (sonde__record__get_packed_size(other) != len)
			abort();
		sonde__record__pack(record, buf_extend(&a, len));
		sonde__record__pack(other, buf_extend(&b, len));
		if (memcmp(a.data, b.data, len) != 0)
			abort();
	}
	buf_fini(&a);
	buf_fini(&b);
	arena_fini(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Sonde__Record *record;
	struct errmsg msg;
	struct buf packed = { 0 };
	int result = record_unpack(&record, data, size, &msg);
	compare_ways(record, data, size, result);
	if (result != 0)
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
