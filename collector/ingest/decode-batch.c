/* SPDX-License-Identifier: ISC */
/*
 * Batches are decoded here, outside the writer's thread: the expensive work
 * (signature, decompression, decoding, what each kind prepares) runs in
 * parallel, and nothing
 * that could fail for the batch's own fault is left for the transaction.
 */
#include <stdlib.h>
#include <string.h>

#include "collector/ingest/decode-batch.h"
#include "collector/ingest/kinds/ingest-kind.h"
#include "lib/base/xalloc.h"

/* About what a hop's histogram takes. */
#define HISTOGRAM_BYTES 48

void prepared_batch_free(struct prepared_batch *batch)
{
	if (!batch)
		return;
	for (uint32_t i = 0; batch->records && i < batch->header.count; i++)
		path_fini(&batch->records[i].path);
	free(batch->records);
	arena_fini(&batch->arena);
	buf_fini(&batch->raw);
	free(batch);
}

static int take_record(
    struct prepared_record *to, Sonde__Record *record, struct errmsg *msg)
{
	if (record->run > INT64_MAX)
		return err_set(msg, ERR_MALFORMED, "run: too large");
	to->kind = record->body_case;
	to->wall_ns = record->wall_ns;
	to->run = record->run;
	to->in_campaign = record->campaign.len == sizeof(to->campaign);
	if (to->in_campaign)
		memcpy(
		    to->campaign, record->campaign.data, sizeof(to->campaign));
	const struct ingest_kind *kind = ingest_kind_of(record->body_case);
	if (!kind->prepare)
		return ERR_OK;
	int keep = kind->prepare(to, record, msg);
	if (keep > 0)
		to->record = record;
	return keep < 0 ? keep : ERR_OK;
}

static int open_record(struct prepared_batch *batch, struct prepared_record *to,
    struct reader *frames, struct errmsg *msg)
{
	uint32_t len = reader_be32(frames);
	to->body = reader_bytes(frames, len);
	to->body_len = len;
	if (frames->err != ERR_OK)
		return err_set(msg, ERR_MALFORMED, "frame: too short");
	struct arena_mark mark = arena_mark(&batch->arena);
	Sonde__Record *record;
	int err = record_unpack_in(&batch->arena, &record, to->body, len, msg);
	if (err == ERR_OK)
		err = take_record(to, record, msg);
	if (!to->record)
		arena_reset(&batch->arena, mark);
	return err;
}

static int open_records(struct prepared_batch *batch, struct errmsg *msg)
{
	struct reader frames = reader_init(batch->raw.data, batch->raw.len);
	uint32_t count = batch->header.count;
	batch->records = xcalloc(count, sizeof(*batch->records));
	batch->bytes =
	    sizeof(*batch) + batch->raw.cap + count * sizeof(*batch->records);
	for (uint32_t i = 0; i < count; i++) {
		struct prepared_record *to = &batch->records[i];
		int err = open_record(batch, to, &frames, msg);
		if (err < 0) {
			err_prefix(msg, "record %u", i);
			return err;
		}
		batch->bytes += to->path.hop_count *
		    (sizeof(struct path_hop) + HISTOGRAM_BYTES);
		if (batch->bytes + batch->arena.bytes > PREPARED_MAX_BYTES)
			return err_set(msg, ERR_LIMIT,
			    "batch: takes more than %u MiB unpacked",
			    PREPARED_MAX_BYTES >> 20);
	}
	if (reader_left(&frames) > 0)
		return err_set(msg, ERR_MALFORMED,
		    "batch: %zu bytes after the last record",
		    reader_left(&frames));
	batch->bytes += batch->arena.bytes;
	return ERR_OK;
}

int decode_batch(struct prepared_batch **batch,
    const struct batch_header *header, const void *body, size_t len,
    const uint8_t public_key[32], struct errmsg *msg)
{
	struct prepared_batch *made = xcalloc(1, sizeof(*made));
	made->header = *header;
	int err = batch_open(header, body, len, public_key, &made->raw, msg);
	if (err == ERR_OK)
		err = open_records(made, msg);
	if (err < 0) {
		prepared_batch_free(made);
		return err;
	}
	*batch = made;
	return ERR_OK;
}
