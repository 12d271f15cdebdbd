/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "probes/ipc/frame-batch.h"
#include "probes/ipc/record-frame.h"

int frame_batch_add(struct frame_batch *b, const Sonde__Record *record,
    uint32_t mark, struct errmsg *msg)
{
	size_t before = b->bytes.len;
	int err = producer_put(&b->bytes, record, mark, msg);
	if (err || b->bytes.len <= PRODUCER_DATAGRAM_BYTES)
		return err;
	err = b->write(b->arg, b->bytes.data, before);
	b->bytes.len -= before;
	memmove(b->bytes.data, b->bytes.data + before, b->bytes.len);
	return err ? err_set(msg, err, "records: %s", err_str(err)) : 0;
}

int frame_batch_flush(struct frame_batch *b)
{
	int err = 0;
	if (b->bytes.len > 0)
		err = b->write(b->arg, b->bytes.data, b->bytes.len);
	buf_clear(&b->bytes);
	return err;
}

void frame_batch_fini(struct frame_batch *b)
{
	buf_fini(&b->bytes);
}
