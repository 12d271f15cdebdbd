/* SPDX-License-Identifier: ISC */
/* A producer's datagram at the keeper: what is accepted of it is sent on in a
 * batch, whose messages must hold the same number of whole frames.  Then the
 * same bytes as a request of the shipper to the supervisor. */
#include <stdlib.h>

#include "lib/base/reader.h"
#include "probes/ipc/frame-batch.h"
#include "probes/ipc/record-frame.h"
#include "probes/agent/scheduler/run-request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A message of the batch; counts its frames. */
static int take_message(void *arg, const uint8_t *bytes, size_t len)
{
	struct reader r = reader_init(bytes, len);
	size_t *frames = arg, record_len;
	const uint8_t *record;
	int err;
	if (len == 0 || len > PRODUCER_DATAGRAM_BYTES)
		abort();
	while ((err = producer_next_frame(&r, &record, &record_len)) == 0)
		++*frames;
	if (err != ERR_EOF)
		abort();
	return 0;
}

static size_t send_on(
    struct frame_batch *batch, const uint8_t *bytes, size_t len)
{
	Sonde__Record *record;
	if (record_unpack(&record, bytes, len, NULL) != 0)
		abort(); /* it was checked */
	int err = frame_batch_add(batch, record, 0, NULL);
	record_free(record);
	return err == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct producer_grant grant = { "fuzz", ~0u, PRODUCER_FREE, { 0 },
		0 };
	size_t sent = 0, arrived = 0;
	struct frame_batch batch = { take_message, &arrived, { 0 } };
	struct reader r = reader_init(data, size);
	struct run_request request;
	Sonde__Record *unpacked;
	const uint8_t *record;
	size_t len;
	while (producer_next_preview(&r, &record, &len) == 0 ||
	    producer_next_frame(&r, &record, &len) == 0)
		if (producer_unpack(&grant, record, len, &unpacked, NULL) ==
		    0) {
			sent += send_on(&batch, record, len);
			record_free(unpacked);
		}
	if (frame_batch_flush(&batch) != 0 || arrived != sent)
		abort();
	frame_batch_fini(&batch);
	if (run_request_unpack(&request, data, size) == 0)
		run_request_fini(&request);
	return 0;
}
