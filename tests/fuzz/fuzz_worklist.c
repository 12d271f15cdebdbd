/* SPDX-License-Identifier: ISC */
/* The collector's JSON: the work list, and the same bytes as an answer. */
#include "probes/agent/shipper/upload.h"
#include "probes/agent/scheduler/worklist.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct worklist *list;
	struct shipping_reply reply;
	if (worklist_parse(&list, data, size, NULL) == 0)
		worklist_free(list);
	shipping_parse(&reply, data, size, NULL);
	return 0;
}
