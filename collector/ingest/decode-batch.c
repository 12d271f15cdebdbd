/* SPDX-License-Identifier: ISC */
/*
 * Batches are decoded here, outside the writer's thread: the dear work
 * (signature, decompression, decoding, paths) runs in parallel, and nothing
 * that could fail for the batch's own fault is left for the transaction.
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/ingest/decode-batch.h"
#include "lib/base/xalloc.h"

#define NAME_MAX_LEN 64
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

static struct addr to_addr(ProtobufCBinaryData bytes)
{
	return addr_from_bytes(bytes.data, bytes.len);
}

/* A payload is asked for by its hash, so the hash must be its own. */
static bool payload_is_true(const Sonde__Payload *payload)
{
	uint8_t hash[16];
	crypto_generichash(hash, sizeof(hash), payload->octets.data,
	    payload->octets.len, NULL, 0);
	return payload->hash.len == sizeof(hash) &&
	    memcmp(payload->hash.data, hash, sizeof(hash)) == 0;
}

static bool sighting_is_useful(const Sonde__Sighting *sighting)
{
	return sighting->src.len > 0 &&
	    strlen(sighting->verdict) <= NAME_MAX_LEN &&
	    strlen(sighting->signature) <= NAME_MAX_LEN &&
	    sighting->packets <= INT32_MAX && sighting->proto <= 255 &&
	    sighting->dport <= 65535;
}

static bool loss_is_useful(const Sonde__Loss *loss)
{
	return loss->epoch <= INT64_MAX && loss->to_seq <= INT64_MAX &&
	    loss->from_seq <= loss->to_seq && loss->unnumbered <= INT32_MAX &&
	    strlen(loss->reason) <= NAME_MAX_LEN;
}

static void take_heartbeat(
    struct prepared_heartbeat *to, const Sonde__Heartbeat *heartbeat)
{
	to->uptime_ns = heartbeat->uptime_ns;
	snprintf(to->version, sizeof(to->version), "%s", heartbeat->version);
	for (char *c = to->version; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	for (size_t i = 0; i < heartbeat->n_counters; i++)
		if (strncmp(heartbeat->counters[i]->name, "sensor.", 7) == 0)
			to->sensor = true;
}

static void take_trace(struct prepared_record *to, const Sonde__Trace *trace)
{
	to->src = to_addr(trace->src);
	to->dst = to_addr(trace->dst);
	path_from_trace(&to->path, trace, to->wall_ns);
	path_digest(&to->path, to->path_digest);
	to->reached = to->path.reached > 0;
}

/* What the writer needs of the body; true: also the body itself. */
static bool take_body(struct prepared_record *to, const Sonde__Record *record)
{
	switch (record->body_case) {
	case SONDE__RECORD__BODY_TRACE:
		take_trace(to, record->trace);
		return false;
	case SONDE__RECORD__BODY_PING:
		to->src = to_addr(record->ping->src);
		to->dst = to_addr(record->ping->dst);
		to->reached = record->ping->received > 0;
		return false;
	case SONDE__RECORD__BODY_PATHS:
		to->src = to_addr(record->paths->src);
		to->dst = to_addr(record->paths->dst);
		return false;
	case SONDE__RECORD__BODY_SIGHTING:
		to->src = to_addr(record->sighting->src);
		return sighting_is_useful(record->sighting);
	case SONDE__RECORD__BODY_HEARTBEAT:
		take_heartbeat(&to->heartbeat, record->heartbeat);
		return false;
	case SONDE__RECORD__BODY_PAYLOAD:
		return payload_is_true(record->payload);
	case SONDE__RECORD__BODY_LOSS: return loss_is_useful(record->loss);
	case SONDE__RECORD__BODY_LOG: /* an error ends its run */
		return to->in_campaign && record->log->level == 0;
	case SONDE__RECORD__BODY_TRAIN:
	case SONDE__RECORD__BODY__NOT_SET:
	case _SONDE__RECORD__BODY__CASE_IS_INT_SIZE: break;
	}
	return false;
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
	if (take_body(to, record))
		to->record = record;
	return ERR_OK;
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
