/* SPDX-License-Identifier: ISC */
/*
 * Columns as bytes and back.  Level 1 of zstd: what it finds are runs and
 * skewed bytes, which differences and the order of the rows have prepared;
 * higher levels take ten times as long for a tenth.
 */
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "collector/store/sqlite/rollup/segment.h"
#include "lib/base/reader.h"
#include "lib/base/xalloc.h"
#include "lib/sketch/varint.h"

#define LEVEL 1
#define FRAME_MOST_BYTES (64u << 20)

enum frame_method { FRAME_CONSTANT, FRAME_RAW, FRAME_ZSTD };

struct segment_frame {
	size_t first, count; /* columns; count 0: the tail */
	enum frame_method method;
	uint64_t value;
	size_t len, packed_len;
	const uint8_t *bytes; /* inside body */
	uint8_t *joined;      /* owned; of several columns, unpacked */
};

struct segment_codec {
	ZSTD_CCtx *pack;
	ZSTD_DCtx *unpack;
	struct buf raw, packed;
};

struct segment_codec *segment_codec_new(void)
{
	struct segment_codec *codec = xcalloc(1, sizeof(*codec));
	codec->pack = ZSTD_createCCtx();
	codec->unpack = ZSTD_createDCtx();
	if (!codec->pack || !codec->unpack)
		BUG("segment: no memory for a compressor");
	return codec;
}

void segment_codec_free(struct segment_codec *codec)
{
	if (!codec)
		return;
	ZSTD_freeCCtx(codec->pack);
	ZSTD_freeDCtx(codec->unpack);
	buf_fini(&codec->raw);
	buf_fini(&codec->packed);
	free(codec);
}

static void free_values(struct segment *segment)
{
	for (size_t i = 0; segment->values && i < segment->columns; i++)
		free(segment->values[i]);
	for (size_t i = 0; segment->frames && i < segment->frame_count; i++)
		free(segment->frames[i].joined);
	free(segment->values);
	free(segment->flags);
	free(segment->frames);
	segment->values = NULL;
	segment->flags = NULL;
	segment->frames = NULL;
	segment->columns = segment->rows = segment->frame_count = 0;
}

void segment_init(
    struct segment *segment, size_t columns, const uint8_t *flags, size_t cap)
{
	*segment = (struct segment){ .columns = columns };
	segment->flags = xmemdup(flags, columns);
	segment->values = xcalloc(columns, sizeof(*segment->values));
	for (size_t i = 0; i < columns; i++)
		segment->values[i] = xcalloc(cap, sizeof(uint64_t));
}

void segment_fini(struct segment *segment)
{
	free_values(segment);
	buf_fini(&segment->tail);
	buf_fini(&segment->body);
	*segment = (struct segment){ 0 };
}

static uint64_t fold_difference(uint64_t from, uint64_t to)
{
	uint64_t d = to - from;
	return d << 1 ^ (0 - (d >> 63));
}

static uint64_t unfold_difference(uint64_t from, uint64_t v)
{
	return from + (v >> 1 ^ (0 - (v & 1)));
}

static void write_numbers(
    const struct segment *s, size_t column, struct buf *to)
{
	uint64_t last = 0;
	const uint64_t *values = s->values[column];
	bool delta = s->flags[column] & SEGMENT_DELTA;
	uint8_t *at = buf_extend(to, s->rows * VARINT_MAX);
	for (size_t i = 0; i < s->rows; i++) {
		at = varint_write(
		    at, delta ? fold_difference(last, values[i]) : values[i]);
		last = values[i];
	}
	to->len = (size_t)(at - to->data);
}

static void write_frame(
    struct segment_codec *codec, const struct buf *raw, struct buf *to)
{
	size_t most = ZSTD_compressBound(raw->len);
	buf_clear(&codec->packed);
	uint8_t *packed = buf_extend(&codec->packed, most);
	size_t len = raw->len == 0 ? raw->len
				   : ZSTD_compressCCtx(codec->pack, packed,
					 most, raw->data, raw->len, LEVEL);
	if (raw->len == 0 || ZSTD_isError(len) || len >= raw->len) {
		buf_u8(to, FRAME_RAW);
		varint_put(to, raw->len);
		buf_bytes(to, raw->data, raw->len);
		return;
	}
	buf_u8(to, FRAME_ZSTD);
	varint_put(to, raw->len);
	varint_put(to, len);
	buf_bytes(to, packed, len);
}

static bool is_constant(const struct segment *s, size_t column)
{
	const uint64_t *values = s->values[column];
	for (size_t i = 1; i < s->rows; i++)
		if (values[i] != values[0])
			return false;
	return s->rows > 0;
}

static size_t frame_end(const struct segment *s, size_t first)
{
	size_t end = first + 1;
	while (end < s->columns && (s->flags[end] & SEGMENT_JOINED))
		end++;
	return end;
}

static void write_columns(const struct segment *s, struct segment_codec *codec,
    size_t first, size_t end, struct buf *to)
{
	if (end - first == 1 && is_constant(s, first)) {
		buf_u8(to, FRAME_CONSTANT);
		varint_put(to, s->values[first][0]);
		return;
	}
	struct buf numbers = { 0 };
	buf_clear(&codec->raw);
	for (size_t c = first; c < end; c++) {
		size_t start = numbers.len;
		write_numbers(s, c, &numbers);
		if (c + 1 < end)
			varint_put(&codec->raw, numbers.len - start);
	}
	buf_bytes(&codec->raw, numbers.data, numbers.len);
	buf_fini(&numbers);
	write_frame(codec, &codec->raw, to);
}

void segment_seal(
    const struct segment *s, struct segment_codec *codec, struct buf *to)
{
	varint_put(to, s->rows);
	varint_put(to, s->columns);
	buf_bytes(to, s->flags, s->columns);
	for (size_t first = 0; first < s->columns;) {
		size_t end = frame_end(s, first);
		write_columns(s, codec, first, end, to);
		first = end;
	}
	write_frame(codec, &s->tail, to);
}

static int read_frame(struct reader *r, struct segment_frame *frame)
{
	frame->method = reader_u8(r);
	if (frame->method == FRAME_CONSTANT) {
		frame->value = varint_get(r);
		return frame->count == 1 ? r->err : ERR_CORRUPT;
	}
	if (frame->method > FRAME_ZSTD)
		return ERR_CORRUPT;
	uint64_t len = varint_get(r);
	uint64_t packed = frame->method == FRAME_ZSTD ? varint_get(r) : len;
	if (len > FRAME_MOST_BYTES || packed > reader_left(r))
		return ERR_CORRUPT;
	frame->len = (size_t)len;
	frame->packed_len = (size_t)packed;
	frame->bytes = reader_bytes(r, frame->packed_len);
	return r->err;
}

static int read_frames(struct segment *s, struct reader *r)
{
	s->frames = xcalloc(s->columns + 1, sizeof(*s->frames));
	for (size_t first = 0; first <= s->columns;) {
		struct segment_frame *frame = &s->frames[s->frame_count++];
		frame->first = first;
		if (first < s->columns)
			frame->count = frame_end(s, first) - first;
		if (read_frame(r, frame) != ERR_OK)
			return ERR_CORRUPT;
		first += frame->count ? frame->count : 1;
	}
	return r->err == ERR_OK && reader_left(r) == 0 ? ERR_OK : ERR_CORRUPT;
}

int segment_open(struct segment *s, struct segment_codec *codec,
    const void *bytes, size_t len)
{
	free_values(s);
	buf_clear(&s->tail);
	buf_clear(&s->body);
	buf_bytes(&s->body, bytes, len);
	s->codec = codec;
	struct reader r = reader_init(s->body.data, s->body.len);
	uint64_t rows = varint_get(&r), columns = varint_get(&r);
	if (r.err != ERR_OK || rows > SEGMENT_ROWS_MOST || columns == 0 ||
	    columns > SEGMENT_COLUMNS_MOST || columns > reader_left(&r))
		return ERR_CORRUPT;
	s->rows = (size_t)rows;
	s->columns = (size_t)columns;
	s->flags = xmemdup(reader_bytes(&r, s->columns), s->columns);
	s->values = xcalloc(s->columns, sizeof(*s->values));
	return read_frames(s, &r);
}

static bool unpack_into(
    struct segment *s, const struct segment_frame *f, uint8_t *to)
{
	return ZSTD_decompressDCtx(s->codec->unpack, to, f->len, f->bytes,
		   f->packed_len) == f->len;
}

/* The frame's bytes: inside the body, kept beside it (several columns), or in
 * the codec's memory. */
static const uint8_t *unpack_frame(struct segment *s, struct segment_frame *f)
{
	if (f->method == FRAME_RAW)
		return f->bytes;
	if (f->joined)
		return f->joined;
	if (f->count > 1) {
		f->joined = xreallocarray(NULL, f->len + 1, 1);
		if (unpack_into(s, f, f->joined))
			return f->joined;
		free(f->joined);
		f->joined = NULL;
		return NULL;
	}
	struct buf *raw = &s->codec->raw;
	buf_clear(raw);
	uint8_t *to = buf_extend(raw, f->len + 1);
	return unpack_into(s, f, to) ? to : NULL;
}

/* The place after it; NULL: it does not end. */
static const uint8_t *read_long(
    const uint8_t *at, const uint8_t *end, uint64_t *v)
{
	uint64_t sum = 0;
	for (unsigned shift = 0; shift < 64 && at < end; shift += 7) {
		uint8_t byte = *at++;
		sum |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80)) {
			*v = sum;
			return at;
		}
	}
	return NULL;
}

/* Numbers until `end`, exactly `rows` of them. */
static bool read_numbers(
    struct reader *r, uint64_t *values, size_t rows, bool delta)
{
	const uint8_t *at = r->pos, *end = r->end;
	for (size_t i = 0; i < rows; i++) {
		if (at < end && *at < 0x80) {
			values[i] = *at++;
			continue;
		}
		at = read_long(at, end, &values[i]);
		if (!at)
			return false;
	}
	if (delta) {
		uint64_t last = 0;
		for (size_t i = 0; i < rows; i++)
			values[i] = last = unfold_difference(last, values[i]);
	}
	return at == end;
}

static bool decode_column(
    struct segment *s, struct segment_frame *f, size_t column)
{
	uint64_t *values = xreallocarray(NULL, s->rows + 1, sizeof(*values));
	s->values[column] = values;
	if (f->method == FRAME_CONSTANT) {
		for (size_t i = 0; i < s->rows; i++)
			values[i] = f->value;
		return true;
	}
	const uint8_t *bytes = unpack_frame(s, f);
	struct reader r = reader_init(bytes, bytes ? f->len : 0);
	size_t at = column - f->first, before = 0, len = 0;
	for (size_t i = 0; bytes && i + 1 < f->count; i++) {
		size_t one = (size_t)varint_get(&r);
		if (one > f->len)
			return false;
		before += i < at ? one : 0;
		len = i == at ? one : len;
	}
	reader_skip(&r, before);
	if (at + 1 == f->count)
		len = reader_left(&r);
	struct reader sub = reader_sub(&r, len);
	return bytes && sub.err == ERR_OK &&
	    read_numbers(
		&sub, values, s->rows, s->flags[column] & SEGMENT_DELTA);
}

const uint64_t *segment_column(struct segment *s, size_t column)
{
	if (column >= s->columns)
		return NULL;
	if (s->values[column])
		return s->values[column];
	for (size_t i = 0; i < s->frame_count; i++) {
		struct segment_frame *f = &s->frames[i];
		if (column < f->first || column >= f->first + f->count)
			continue;
		if (decode_column(s, f, column))
			return s->values[column];
		free(s->values[column]);
		s->values[column] = NULL;
		return NULL;
	}
	return NULL;
}

int segment_open_tail(struct segment *s)
{
	struct segment_frame *f = &s->frames[s->frame_count - 1];
	const uint8_t *bytes = unpack_frame(s, f);
	if (!bytes)
		return ERR_CORRUPT;
	buf_clear(&s->tail);
	buf_bytes(&s->tail, bytes, f->len);
	return ERR_OK;
}
