/* SPDX-License-Identifier: ISC */
/* Records to a block (collector/store/block.h). */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "collector/store/block-schema.h"
#include "collector/store/block.h"
#include "lib/base/crc32c.h"
#include "lib/base/xalloc.h"
#include "lib/record/record.h"
#include "lib/record/shortest-varint.h"
#include "lib/sketch/varint.h"

#define SHAPES_MOST 4096
#define SHAPE_SLOTS (4 * SHAPES_MOST)
#define SHAPE_MOST_BYTES RECORD_MAX_BYTES
#define VALUES_MOST (RECORD_MAX_BYTES / 2)
#define PACK_LEAST 64 /* a shorter stream stays as it is */
#define PACK_LEVEL 1
/* Fewer records, and the columns' names alone would take more. */
#define COLUMNS_LEAST 12

struct value {
	uint32_t column;
	uint8_t code;
	uint64_t number; /* or the length */
	const uint8_t *bytes;
};
struct shape_at {
	uint32_t at, len;
};
struct block_writer {
	const struct block_schema *schema;
	struct buf shapes, shape_of, raw, packed;
	struct buf *columns;
	struct shape_at *shape_list;
	uint16_t *shape_slots; /* SHAPE_SLOTS, by hash: number; 0: free */
	uint32_t shape_count, count;
	struct block_times times;
	bool has_base;
	struct buf frames; /* of the first records: be32 length, bytes */
	/* of the record under way */
	uint8_t *shape;
	size_t shape_len;
	struct value *values;
	size_t value_count;
	ZSTD_CCtx *zstd;
};

struct block_writer *block_writer_new(void)
{
	struct block_writer *w = xcalloc(1, sizeof(*w));
	w->schema = block_schema();
	w->columns = xcalloc(w->schema->columns, sizeof(*w->columns));
	w->shape_list = xcalloc(SHAPES_MOST, sizeof(*w->shape_list));
	w->shape_slots = xcalloc(SHAPE_SLOTS, sizeof(*w->shape_slots));
	w->shape = xmalloc(SHAPE_MOST_BYTES);
	w->values = xcalloc(VALUES_MOST, sizeof(*w->values));
	w->zstd = ZSTD_createCCtx();
	if (!w->zstd)
		BUG("block: no memory");
	return w;
}

void block_writer_free(struct block_writer *w)
{
	if (!w)
		return;
	for (uint32_t i = 0; i < w->schema->columns; i++)
		buf_fini(&w->columns[i]);
	buf_fini(&w->shapes);
	buf_fini(&w->shape_of);
	buf_fini(&w->raw);
	buf_fini(&w->packed);
	buf_fini(&w->frames);
	free(w->columns);
	free(w->shape_list);
	free(w->shape_slots);
	free(w->shape);
	free(w->values);
	ZSTD_freeCCtx(w->zstd);
	free(w);
}

static bool walk_message(struct block_writer *w,
    const struct block_place *place, const uint8_t *p, const uint8_t *end);

static bool walk_value(struct block_writer *w, const struct block_place *place,
    uint8_t f, const uint8_t **p, const uint8_t *end)
{
	const struct block_field *field = &place->fields[f];
	struct value *to = &w->values[w->value_count];
	uint64_t v;
	to->column = place->base + 2u * f;
	to->code = field->code;
	to->bytes = *p;
	if (field->wire == BLOCK_FIXED64) {
		if (end - *p < 8)
			return false;
		memcpy(&to->number, *p, 8);
		*p += 8;
		w->value_count++;
		return true;
	}
	if (!shortest_varint(p, end, &v))
		return false;
	if (field->wire == BLOCK_BYTES) {
		if (v > (uint64_t)(end - *p))
			return false;
		const uint8_t *bytes = *p;
		*p += v;
		if (field->sub)
			return walk_message(w, &w->schema->places[field->sub],
			    bytes, bytes + v);
		to->bytes = bytes;
	}
	to->number = v;
	w->value_count++;
	return true;
}

/* Shape and values; false when they would not come back as these bytes. */
static bool walk_message(struct block_writer *w,
    const struct block_place *place, const uint8_t *p, const uint8_t *end)
{
	unsigned last = 0;
	bool body = false;
	while (p < end) {
		uint64_t tag;
		if (!shortest_varint(&p, end, &tag) ||
		    w->value_count + 1 >= VALUES_MOST ||
		    w->shape_len + 2 > SHAPE_MOST_BYTES)
			return false;
		uint64_t f = tag >> 3;
		if (f == 0 || f >= BLOCK_FIELDS || f < last ||
		    place->fields[f].wire != (tag & 7))
			return false;
		if (f == last && !place->fields[f].repeated)
			return false;
		/* The last of two bodies would count. */
		if (place->path == 0 && place->fields[f].sub) {
			if (body)
				return false;
			body = true;
		}
		last = (unsigned)f;
		w->shape[w->shape_len++] = (uint8_t)f;
		if (!walk_value(w, place, (uint8_t)f, &p, end))
			return false;
	}
	w->shape[w->shape_len++] = 0;
	return true;
}

static bool is_shape(const struct block_writer *w, uint32_t number)
{
	const struct shape_at *shape = &w->shape_list[number - 1];
	return shape->len == w->shape_len &&
	    memcmp(w->shapes.data + shape->at, w->shape, w->shape_len) == 0;
}

/* Its number from 1; 0: there are too many.  Kinds take turns and every hop
 * that leaves a field out makes another shape, so they are found by hash. */
static uint32_t find_shape(struct block_writer *w)
{
	uint32_t slot = crc32c(0, w->shape, w->shape_len) % SHAPE_SLOTS;
	for (; w->shape_slots[slot]; slot = (slot + 1) % SHAPE_SLOTS)
		if (is_shape(w, w->shape_slots[slot]))
			return w->shape_slots[slot];
	if (w->shape_count == SHAPES_MOST)
		return 0;
	varint_put(&w->shapes, w->shape_len);
	w->shape_list[w->shape_count++] =
	    (struct shape_at){ .at = (uint32_t)w->shapes.len,
		    .len = (uint32_t)w->shape_len };
	buf_bytes(&w->shapes, w->shape, w->shape_len);
	w->shape_slots[slot] = (uint16_t)w->shape_count;
	return w->shape_count;
}

static void put_value(struct block_writer *w, const struct value *v)
{
	struct buf *to = &w->columns[v->column];
	if (v->code == CODE_BYTES) {
		varint_put(to, v->number);
		buf_bytes(to + 1, v->bytes, v->number);
	} else if (v->code == CODE_PLAIN) {
		varint_put(to, v->number);
	} else if (v->code == CODE_RAW8) {
		buf_bytes(to, &v->number, 8);
	} else {
		if (v->code == CODE_MONO && !w->has_base) {
			w->times.mono_base =
			    (int64_t)(v->number - (uint64_t)w->times.wall);
			w->has_base = true;
		}
		varint_put(to,
		    zigzag(v->number -
			(uint64_t)block_predict(&w->times, v->code)));
		block_learn(&w->times, v->code, (int64_t)v->number);
		if (v->code == CODE_WALL)
			w->times.before = (int64_t)v->number;
	}
}

void block_add(struct block_writer *w, const uint8_t *record, size_t len)
{
	uint32_t shape = 0;
	w->shape_len = w->value_count = 0;
	w->count++;
	if (w->count < COLUMNS_LEAST) {
		buf_be32(&w->frames, (uint32_t)len);
		buf_bytes(&w->frames, record, len);
	}
	if (walk_message(w, &w->schema->places[0], record, record + len))
		shape = find_shape(w);
	varint_put(&w->shape_of, shape);
	if (shape == 0) {
		varint_put(&w->raw, len);
		buf_bytes(&w->raw, record, len);
		return;
	}
	block_times_start(&w->times);
	for (size_t i = 0; i < w->value_count; i++)
		put_value(w, &w->values[i]);
}

static void put_stream(struct block_writer *w, struct buf *to, uint64_t id,
    const struct buf *stream)
{
	if (stream->len == 0)
		return;
	varint_put(to, id);
	if (stream->len >= PACK_LEAST) {
		buf_clear(&w->packed);
		size_t most = ZSTD_compressBound(stream->len);
		uint8_t *space = buf_extend(&w->packed, most);
		size_t n = ZSTD_compressCCtx(w->zstd, space, most, stream->data,
		    stream->len, PACK_LEVEL);
		if (!ZSTD_isError(n) && n < stream->len) {
			varint_put(to, stream->len << 1 | 1);
			varint_put(to, n);
			buf_bytes(to, space, n);
			return;
		}
	}
	varint_put(to, stream->len << 1);
	buf_bytes(to, stream->data, stream->len);
}

/* All of them as they came. */
static void make_raw(struct block_writer *w)
{
	const uint8_t *p = w->frames.data;
	buf_clear(&w->shapes);
	buf_clear(&w->shape_of);
	buf_clear(&w->raw);
	for (uint32_t i = 0; i < w->count; i++) {
		uint32_t len = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
		    (uint32_t)p[2] << 8 | p[3];
		varint_put(&w->shape_of, 0);
		varint_put(&w->raw, len);
		buf_bytes(&w->raw, p + 4, len);
		p += 4 + len;
	}
	for (uint32_t i = 0; i < w->schema->columns; i++)
		buf_clear(&w->columns[i]);
}

static void start_again(struct block_writer *w)
{
	buf_clear(&w->shapes);
	buf_clear(&w->shape_of);
	buf_clear(&w->raw);
	buf_clear(&w->frames);
	for (uint32_t i = 0; i < w->schema->columns; i++)
		buf_clear(&w->columns[i]);
	memset(w->shape_slots, 0, SHAPE_SLOTS * sizeof(*w->shape_slots));
	w->shape_count = w->count = 0;
	w->times = (struct block_times){ 0 };
	w->has_base = false;
}

void block_seal(struct block_writer *w, struct buf *to)
{
	if (w->count < COLUMNS_LEAST)
		make_raw(w);
	size_t start = to->len;
	buf_u8(to, BLOCK_VERSION);
	varint_put(to, w->count);
	varint_put(to, zigzag((uint64_t)w->times.mono_base));
	put_stream(w, to, STREAM_SHAPES, &w->shapes);
	put_stream(w, to, STREAM_SHAPE_OF, &w->shape_of);
	put_stream(w, to, STREAM_RAW, &w->raw);
	for (uint32_t i = 0; i < w->schema->columns; i++)
		put_stream(w, to, block_stream_id(i), &w->columns[i]);
	varint_put(to, 0);
	buf_be32(to, crc32c(0, to->data + start, to->len - start));
	start_again(w);
}
