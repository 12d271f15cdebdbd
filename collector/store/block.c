/* SPDX-License-Identifier: ISC */
/*
 * A block back to records (collector/store/block.h).  The bytes may be damaged:
 * every number that leads somewhere is checked, and nothing is unpacked that
 * claims to be larger than any batch can be.
 */
#include "collector/store/block-open.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/crc32c.h"
#include "lib/base/xalloc.h"
#include "lib/record/batch.h"
#include "lib/record/record.h"
#include "lib/sketch/varint.h"

/* Columns take less than what they were made of, but for the lengths of empty
 * fields and each record's shape. */
#define UNPACKED_MOST (2 * (size_t)BATCH_MAX_RAW + 4 * BLOCK_MAX_COUNT)

int block_damaged(struct errmsg *msg, const char *what)
{
	return err_set(msg, ERR_CORRUPT, "block: %s", what);
}

struct block *block_new(void)
{
	struct block *b = xcalloc(1, sizeof(*b));
	b->schema = block_schema();
	b->streams = xcalloc(b->schema->columns, sizeof(*b->streams));
	b->scratch = xcalloc(b->schema->columns, sizeof(*b->scratch));
	b->touched = xcalloc(b->schema->columns, sizeof(*b->touched));
	b->zstd = ZSTD_createDCtx();
	if (!b->zstd)
		BUG("block: no memory");
	return b;
}

void block_free(struct block *b)
{
	if (!b)
		return;
	free(b->streams);
	free(b->scratch);
	free(b->touched);
	free(b->present);
	free(b->shapes);
	free(b->shape_of);
	free(b->walls);
	free(b->raw_at);
	free(b->tallies);
	free(b->wanted);
	free(b->places);
	buf_fini(&b->record);
	buf_fini(&b->space);
	ZSTD_freeDCtx(b->zstd);
	free(b);
}

/* Room for all streams is known at the open, so none of it ever moves. */
int block_unpack(struct block *b, struct block_stream *s, struct errmsg *msg)
{
	static const uint8_t nothing[1];
	s->is_open = true;
	if (s->len == 0) {
		s->pos = s->end = nothing;
		return ERR_OK;
	}
	if (!s->packed) {
		s->pos = s->bytes;
		s->end = s->bytes + s->len;
		return ERR_OK;
	}
	uint8_t *to = b->space.data + b->space_used;
	size_t n =
	    ZSTD_decompressDCtx(b->zstd, to, s->len, s->bytes, s->packed);
	if (ZSTD_isError(n) || n != s->len) {
		s->len = 0;
		s->pos = s->end = nothing;
		return block_damaged(msg, "a column cannot be unpacked");
	}
	b->space_used += s->len;
	s->pos = to;
	s->end = to + s->len;
	return ERR_OK;
}

static struct block_stream *stream_of(
    struct block *b, uint64_t id, uint8_t *code)
{
	if (id == STREAM_SHAPES)
		return &b->shape_stream;
	if (id == STREAM_SHAPE_OF)
		return &b->shape_of_stream;
	if (id == STREAM_RAW)
		return &b->raw_stream;
	int32_t column = block_stream_column(id, code);
	if (column < 0)
		return NULL;
	if (b->present_count == b->present_cap) {
		b->present_cap = b->present_cap ? 2 * b->present_cap : 64;
		b->present = xreallocarray(
		    b->present, b->present_cap, sizeof(*b->present));
	}
	b->present[b->present_count++] = (uint32_t)column;
	return &b->streams[column];
}

static int read_streams(struct block *b, struct reader *r, struct errmsg *msg)
{
	size_t all = 0;
	for (;;) {
		uint8_t code = CODE_PLAIN;
		uint64_t id = varint_get(r);
		if (r->err != ERR_OK)
			return block_damaged(msg, "it ends too early");
		if (id == 0)
			break;
		struct block_stream *s = stream_of(b, id, &code);
		if (!s || s->bytes)
			return block_damaged(
			    msg, s ? "a column twice" : "no such column");
		uint64_t len = varint_get(r);
		*s = (struct block_stream){ .code = code, .len = len >> 1 };
		s->packed = len & 1 ? varint_get(r) : 0;
		s->bytes = reader_bytes(r, len & 1 ? s->packed : s->len);
		if (r->err != ERR_OK || (len & 1 && s->packed == 0))
			return block_damaged(msg, "it ends too early");
		if (s->len > UNPACKED_MOST || (all += s->len) > UNPACKED_MOST)
			return block_damaged(msg, "it is too large");
	}
	buf_clear(&b->space);
	buf_extend(&b->space, all);
	b->space_used = 0;
	return reader_left(r) == 0 ? ERR_OK
				   : block_damaged(msg, "bytes after its end");
}

uint64_t block_varint(struct block_stream *s)
{
	uint64_t v = 0;
	if (s->pos < s->end && *s->pos < 0x80)
		return *s->pos++;
	for (unsigned shift = 0; s->pos < s->end && shift < 64; shift += 7) {
		uint8_t byte = *s->pos++;
		v |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return v;
	}
	s->failed = true;
	s->pos = s->end;
	return 0;
}

/* The outer fields of a shape: what a search needs to know. */
static bool read_shape(struct block *b, struct block_shape *shape)
{
	const struct block_place *record = &b->schema->places[0];
	for (uint32_t i = 0; i < shape->len; i++) {
		uint8_t f = shape->fields[i];
		if (f == 0)
			return i + 1 == shape->len;
		if (f >= BLOCK_FIELDS || record->fields[f].wire == BLOCK_NONE)
			return false;
		if (record->fields[f].sub) {
			shape->kind = f;
			shape->body = i + 1;
			return true;
		}
		shape->has_wall |= f == BLOCK_RECORD_WALL;
		shape->has_campaign |= f == BLOCK_RECORD_CAMPAIGN;
		shape->has_run |= f == BLOCK_RECORD_RUN;
	}
	return false;
}

static int read_shapes(struct block *b, struct errmsg *msg)
{
	struct block_stream *s = &b->shape_stream;
	int err = block_unpack(b, s, msg);
	if (err < 0)
		return err;
	b->shape_count = 0;
	while (s->pos < s->end) {
		uint64_t len = block_varint(s);
		if (s->failed || len > (uint64_t)(s->end - s->pos))
			return block_damaged(msg, "a shape is cut off");
		if (b->shape_count == b->shape_cap) {
			b->shape_cap = b->shape_cap ? 2 * b->shape_cap : 64;
			b->shapes = xreallocarray(
			    b->shapes, b->shape_cap, sizeof(*b->shapes));
		}
		struct block_shape *shape = &b->shapes[b->shape_count++];
		*shape = (struct block_shape){ .fields = s->pos,
			.len = (uint32_t)len };
		s->pos += len;
		if (!read_shape(b, shape))
			return block_damaged(msg, "a shape makes no sense");
	}
	return ERR_OK;
}

static void make_room(struct block *b)
{
	if (b->count <= b->cap)
		return;
	b->cap = b->count;
	b->shape_of = xreallocarray(b->shape_of, b->cap, sizeof(*b->shape_of));
	b->walls = xreallocarray(b->walls, b->cap, sizeof(*b->walls));
	b->raw_at = xreallocarray(b->raw_at, b->cap, sizeof(*b->raw_at));
	b->wanted = xreallocarray(b->wanted, b->cap, sizeof(*b->wanted));
	b->places = xreallocarray(b->places, b->cap, sizeof(*b->places));
}

static int open_raw(struct block *b, uint32_t place, struct errmsg *msg)
{
	struct block_stream *s = &b->raw_stream;
	struct block_head head;
	uint64_t len = block_varint(s);
	if (s->failed || len > (uint64_t)(s->end - s->pos) ||
	    block_head(&head, s->pos, len) < 0)
		return block_damaged(msg, "a record as it came is cut off");
	b->raw_at[place] = (struct block_raw){ s->pos, (uint32_t)len };
	b->walls[place] = head.wall_ns;
	s->pos += len;
	return ERR_OK;
}

/* The shape and time of every record. */
static int read_heads(struct block *b, struct errmsg *msg)
{
	struct block_stream *of = &b->shape_of_stream,
			    *wall = &b->streams[b->schema->places[0].base +
				2 * BLOCK_RECORD_WALL];
	int err = block_unpack(b, of, msg);
	if (err < 0)
		return err;
	err = block_unpack(b, wall, msg);
	if (err < 0)
		return err;
	err = block_unpack(b, &b->raw_stream, msg);
	if (err < 0)
		return err;
	uint64_t before = 0;
	for (uint32_t i = 0; i < b->count; i++) {
		uint64_t shape = block_varint(of);
		if (of->failed || shape > b->shape_count)
			return block_damaged(msg, "no such shape");
		b->shape_of[i] = (uint32_t)shape;
		if (shape == 0) {
			err = open_raw(b, i, msg);
			if (err < 0)
				return err;
			continue;
		}
		if (b->shapes[shape - 1].has_wall)
			b->walls[i] =
			    (int64_t)(before += unzigzag(block_varint(wall)));
		else
			b->walls[i] = 0;
	}
	return wall->failed ? block_damaged(msg, "a column is too short")
			    : ERR_OK;
}

static void forget(struct block *b)
{
	for (size_t i = 0; i < b->present_count; i++)
		b->streams[b->present[i]] = (struct block_stream){ 0 };
	b->streams[b->schema->places[0].base + 2 * BLOCK_RECORD_WALL] =
	    (struct block_stream){ 0 };
	b->shape_stream = b->shape_of_stream = b->raw_stream =
	    (struct block_stream){ 0 };
	b->present_count = b->tally_count = 0;
	b->count = b->at = 0;
}

int block_open(
    struct block *b, const void *sealed, size_t len, struct errmsg *msg)
{
	struct reader r = reader_init(sealed, len > 4 ? len - 4 : 0);
	struct reader tail = reader_init(
	    (const uint8_t *)sealed + (len > 4 ? len - 4 : 0), len > 4 ? 4 : 0);
	forget(b);
	if (len <= 4 || crc32c(0, sealed, len - 4) != reader_be32(&tail))
		return block_damaged(msg, "its checksum is wrong");
	uint8_t version = reader_u8(&r);
	uint64_t count = varint_get(&r);
	b->mono_base = (int64_t)unzigzag(varint_get(&r));
	if (r.err != ERR_OK || version != BLOCK_VERSION ||
	    count > BLOCK_MAX_COUNT)
		return block_damaged(msg, "its head makes no sense");
	int err = read_streams(b, &r, msg);
	if (err < 0)
		return err;
	err = read_shapes(b, msg);
	if (err < 0)
		return err;
	b->count = (uint32_t)count;
	make_room(b);
	err = read_heads(b, msg);
	if (err < 0)
		b->count = 0;
	return err;
}

uint32_t block_count(const struct block *b)
{
	return b->count;
}

int64_t block_wall_ns(const struct block *b, uint32_t place)
{
	return b->walls[place];
}
