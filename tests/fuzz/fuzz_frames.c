/* SPDX-License-Identifier: ISC */
/* A producer's datagram at the keeper; then the same bytes as a request of
 * the shipper to the supervisor. */
#include "lib/base/reader.h"
#include "probes/ipc/record-frame.h"
#include "probes/agent/scheduler/run-request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct producer_grant grant = { "fuzz", ~0u, PRODUCER_FREE, { 0 },
		0 };
	struct reader r = reader_init(data, size);
	struct run_request request;
	enum spool_class class;
	const uint8_t *record;
	size_t len;
	while (producer_next_preview(&r, &record, &len) == 0 ||
	    producer_next_frame(&r, &record, &len) == 0)
		producer_check(&grant, record, len, &class, NULL);
	if (run_request_unpack(&request, data, size) == 0)
		run_request_fini(&request);
	return 0;
}
