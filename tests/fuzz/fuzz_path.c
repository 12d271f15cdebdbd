/* SPDX-License-Identifier: ISC */
/* Bytes as a path's hops and sums: what is read is written as it was read. */
#include "analysis/path.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t hops = size ? data[0] % size : 0;
	struct path path = { 0 }, back = { 0 };
	struct buf a = { 0 }, b = { 0 };
	if (size &&
	    path_read(&path, data + 1, hops, data + 1 + hops,
		size - 1 - hops) == ERR_OK &&
	    path.hop_count > 0) {
		path_write_hops(&path, &a);
		path_write_sums(&path, &b);
		if (path_read(&back, a.data, a.len, b.data, b.len) != ERR_OK)
			__builtin_trap();
		path_merge(&back, &path);
	}
	path_fini(&path);
	path_fini(&back);
	buf_fini(&a);
	buf_fini(&b);
	return 0;
}
