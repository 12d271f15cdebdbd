/* SPDX-License-Identifier: ISC */
/*
 * Batches are decoded here, outside the writer's thread: the expensive work
 * (signature, decompression, decoding, what each kind prepares, the block) runs
 * in parallel, and nothing that could fail for the batch's own fault is left
 * for the transaction.
 */
#include "collector/ingest/decode-batch.h"
#include "collector/ingest/kinds/ingest-kind.h"
#include "lib/base/xalloc.h"

int decode_batch(struct prepared_batch **batch,
    const struct batch_header *header, const void *body, size_t len,
    const uint8_t public_key[32], struct errmsg *msg)
{
	struct prepared_batch *made = xcalloc(1, sizeof(*made));
	made->header = *header;
	int err = batch_open(header, body, len, public_key, &made->raw, msg);
	if (err < 0)
		goto out;
	err = prepared_batch_open(made, ingest_prepare_record, msg);
	if (err < 0)
		goto out;
	prepared_batch_seal(made, 0);
	*batch = made;
	return ERR_OK;
out:
	prepared_batch_free(made);
	return err;
}
