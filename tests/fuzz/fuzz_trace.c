/* SPDX-License-Identifier: ISC */
/* A record that claims to be a trace becomes a path that is read back. */
#include "analysis/path.h"
#include "lib/record/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Sonde__Record *record = NULL;
	struct path path = { 0 }, back = { 0 };
	struct buf hops = { 0 }, sums = { 0 };
	if (record_unpack(&record, data, size, NULL) == ERR_OK &&
	    record->body_case == SONDE__RECORD__BODY_TRACE)
		path_from_trace(&path, record->trace, record->wall_ns);
	path_write_hops(&path, &hops);
	path_write_sums(&path, &sums);
	if (path.hop_count > 0 &&
	    path_read(&back, hops.data, hops.len, sums.data, sums.len) !=
		ERR_OK)
		__builtin_trap();
	path_fini(&path);
	path_fini(&back);
	buf_fini(&hops);
	buf_fini(&sums);
	record_free(record);
	return 0;
}
