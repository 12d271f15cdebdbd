/* SPDX-License-Identifier: ISC */
/*
 * Records on their way to the keeper or the command: frames that go together
 * in one write.  A write holds whole frames, because the other end may be a
 * socket that keeps messages apart, and at most PRODUCER_DATAGRAM_BYTES of
 * them.  Its owner flushes when it is about to wait, so no record is held
 * back for the next one's sake.
 */
#pragma once

#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/record/record.h"

/* Hands all of it over as one message: 0 or a negative error. */
typedef int frame_write_fn(void *arg, const uint8_t *bytes, size_t len);

struct frame_batch {
	frame_write_fn *write;
	void *arg;
	struct buf bytes; /* whole frames, not yet written */
};

/* Adds a record; what is there is written first if both do not fit.  mark: 0
 * or PRODUCER_PREVIEW.  An error of the record leaves the batch as it was; one
 * of writing loses what was to be written, and the record stays. */
int frame_batch_add(struct frame_batch *batch, const Sonde__Record *record,
    uint32_t mark, struct errmsg *msg);
/* Writes what is there, which is gone even when that fails. */
int frame_batch_flush(struct frame_batch *batch);
/* Frees, writes nothing. */
void frame_batch_fini(struct frame_batch *batch);
