/* SPDX-License-Identifier: ISC */
/*
 * Batches are unpacked and made blocks outside the writer's thread; the same
 * way leads back from a block when sums are made again.
 */
#include "collector/store/prepared-batch.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "collector/store/block-schema.h"
#include "collector/store/block.h"
#include "lib/base/reader.h"
#include "lib/base/xalloc.h"

/* About what a hop's histogram takes. */
#define HISTOGRAM_BYTES 48
/* Writers that are kept, and the largest batch after which one is. */
#define WRITERS_AT_REST 4
#define WRITER_KEEP_BYTES (1u << 20)

void prepared_batch_free(struct prepared_batch *batch)
{
	if (!batch)
		return;
	for (uint32_t i = 0; batch->records && i < batch->header.count; i++)
		path_fini(&batch->records[i].path);
	free(batch->records);
	free(batch->keys);
	arena_fini(&batch->arena);
	buf_fini(&batch->raw);
	buf_fini(&batch->block);
	free(batch);
}

static int take_record(struct prepared_record *to, Sonde__Record *record,
    prepare_record_fn *prepare, struct errmsg *msg)
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
	int keep = prepare(to, record, msg);
	if (keep > 0)
		to->record = record;
	return keep < 0 ? keep : ERR_OK;
}

static int open_record(struct prepared_batch *batch, struct prepared_record *to,
    struct reader *frames, prepare_record_fn *prepare, struct errmsg *msg)
{
	uint32_t len = reader_be32(frames);
	to->body = reader_bytes(frames, len);
	to->body_len = len;
	if (frames->err != ERR_OK)
		return err_set(msg, ERR_MALFORMED, "frame: too short");
	struct arena_mark mark = arena_mark(&batch->arena);
	Sonde__Record *record;
	int err = record_unpack_in(&batch->arena, &record, to->body, len, msg);
	if (err < 0)
		goto out;
	err = take_record(to, record, prepare, msg);
out:
	if (!to->record)
		arena_reset(&batch->arena, mark);
	return err;
}

int prepared_batch_open(struct prepared_batch *batch,
    prepare_record_fn *prepare, struct errmsg *msg)
{
	struct reader frames = reader_init(batch->raw.data, batch->raw.len);
	uint32_t count = batch->header.count;
	batch->records = xcalloc(count, sizeof(*batch->records));
	batch->bytes =
	    sizeof(*batch) + batch->raw.cap + count * sizeof(*batch->records);
	for (uint32_t i = 0; i < count; i++) {
		struct prepared_record *to = &batch->records[i];
		int err = open_record(batch, to, &frames, prepare, msg);
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

uint64_t store_key(
    enum store_key_role role, const void *bytes, size_t len, uint64_t number)
{
	uint64_t h = (number + role + 1) * UINT64_C(0x9e3779b97f4a7c15) ^ len;
	const uint8_t *p = bytes;
	while (len > 0) {
		uint64_t word = 0;
		size_t n = len < 8 ? len : 8;
		memcpy(&word, p, n);
		h = (h ^ word) * UINT64_C(0xff51afd7ed558ccd);
		h ^= h >> 32;
		p += n;
		len -= n;
	}
	h *= UINT64_C(0xc4ceb9fe1a85ec53);
	return h ^ h >> 33;
}

enum store_key_role store_src_role(uint32_t kind)
{
	const struct block_schema *schema = block_schema();
	if (kind >= BLOCK_FIELDS)
		return KEY_SRC_ALONE;
	uint16_t sub = schema->places[0].fields[kind].sub;
	return sub && schema->places[sub].dst ? KEY_SRC : KEY_SRC_ALONE;
}

size_t store_record_keys(
    const struct block_head *r, const struct block_head *before, uint64_t *keys)
{
	uint64_t *at = keys;
	if (r->src.family)
		*at++ = store_key(store_src_role(r->kind), r->src.bytes,
		    addr_len(&r->src), 0);
	if (r->dst.family)
		*at++ = store_key(KEY_DST, r->dst.bytes, addr_len(&r->dst), 0);
	if (before->run == r->run && before->in_campaign == r->in_campaign &&
	    memcmp(before->campaign, r->campaign, 16) == 0)
		return (size_t)(at - keys);
	if (r->in_campaign) {
		*at++ = store_key(KEY_CAMPAIGN, r->campaign, 16, 0);
		*at++ = store_key(KEY_CAMPAIGN_RUN, r->campaign, 16, r->run);
	}
	if (r->run > 0)
		*at++ = store_key(KEY_RUN, NULL, 0, r->run);
	return (size_t)(at - keys);
}

static void add_keys(struct prepared_batch *batch,
    const struct prepared_record *r, struct block_head *before)
{
	struct block_head head = { .kind = r->kind,
		.in_campaign = r->in_campaign,
		.run = r->run,
		.src = r->src,
		.dst = r->dst };
	memcpy(head.campaign, r->campaign, sizeof(head.campaign));
	batch->key_count +=
	    store_record_keys(&head, before, &batch->keys[batch->key_count]);
	if (head.in_campaign || head.run > 0)
		*before = head;
}

/* --- writers at rest: one takes a megabyte, and threads come and go --- */
static struct {
	pthread_mutex_t lock;
	struct block_writer *at_rest[WRITERS_AT_REST];
	size_t count;
} writers = { .lock = PTHREAD_MUTEX_INITIALIZER };

static struct block_writer *take_writer(void)
{
	struct block_writer *writer = NULL;
	pthread_mutex_lock(&writers.lock);
	if (writers.count > 0)
		writer = writers.at_rest[--writers.count];
	pthread_mutex_unlock(&writers.lock);
	return writer ? writer : block_writer_new();
}

static void give_writer(struct block_writer *writer, size_t used)
{
	pthread_mutex_lock(&writers.lock);
	if (writers.count < WRITERS_AT_REST && used <= WRITER_KEEP_BYTES) {
		writers.at_rest[writers.count++] = writer;
		writer = NULL;
	}
	pthread_mutex_unlock(&writers.lock);
	block_writer_free(writer);
}

void prepared_batch_seal(struct prepared_batch *batch, uint32_t first)
{
	struct block_writer *writer = take_writer();
	uint32_t count = batch->header.count;
	struct block_head before = { 0 };
	free(batch->keys);
	batch->keys = xreallocarray(
	    NULL, count - first, STORE_KEYS_A_RECORD * sizeof(uint64_t));
	batch->key_count = 0;
	batch->min_ns = INT64_MAX;
	batch->max_ns = INT64_MIN;
	batch->kinds = 0;
	buf_clear(&batch->block);
	for (uint32_t i = first; i < count; i++) {
		const struct prepared_record *r = &batch->records[i];
		if (r->wall_ns < batch->min_ns)
			batch->min_ns = r->wall_ns;
		if (r->wall_ns > batch->max_ns)
			batch->max_ns = r->wall_ns;
		batch->kinds |= UINT64_C(1) << (r->kind & 63);
		add_keys(batch, r, &before);
		block_add(writer, r->body, r->body_len);
	}
	block_seal(writer, &batch->block);
	batch->bytes += batch->block.cap + batch->key_count * sizeof(uint64_t);
	give_writer(writer, batch->raw.len);
}
