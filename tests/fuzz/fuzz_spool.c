/* SPDX-License-Identifier: ISC */
/* The bytes are a segment that a crash has left, or the mark of the acks. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/fuzz/spool-folder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char dir[64];
	if (!dir[0])
		spool_folder_make(dir);
	spool_folder_wipe(dir);
	spool_folder_put(dir,
	    size && data[0] == 'S' && size < 40
		? "ack"
		: "0000000000000001.0000000000000001.1.seg",
	    data, size);
	uint64_t before = spool_folder_judge(dir);
	uint64_t after = spool_folder_judge(dir);
	if (after < before) /* a second start loses nothing more */
		abort();
	return 0;
}
