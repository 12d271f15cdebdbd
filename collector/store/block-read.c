/* SPDX-License-Identifier: ISC */
/* Records out of a block, byte for byte; those between are passed over by the
 * number of values that their shapes have. */
#include "collector/store/block-open.h"

#include <string.h>

#include "lib/base/xalloc.h"
#include "lib/record/record.h"
#include "lib/sketch/varint.h"

/* --- passing over --- */
#define HIGH_BITS UINT64_C(0x8080808080808080)

static void pass_varints(struct block_stream *s, uint64_t n)
{
	while (n > 0 && s->end - s->pos >= 8) {
		uint64_t word;
		memcpy(&word, s->pos, 8);
		uint64_t ends =
		    (uint64_t)__builtin_popcountll(~word & HIGH_BITS);
		if (ends >= n)
			break;
		n -= ends;
		s->pos += 8;
	}
	for (; n > 0 && s->pos < s->end; s->pos++)
		n -= !(*s->pos & 0x80);
	if (n > 0)
		s->failed = true;
}

static void pass_bytes(struct block_stream *lengths, uint64_t n)
{
	struct block_stream *data = lengths + 1;
	uint64_t all = 0;
	while (n-- > 0 && !lengths->failed)
		all += block_varint(lengths);
	if (all > (uint64_t)(data->end - data->pos)) {
		data->failed = true;
		all = (uint64_t)(data->end - data->pos);
	}
	data->pos += all;
}

/* Brings a column to the place that is read now. */
static void bring(struct block *b, struct block_stream *s)
{
	uint64_t n = s->pending;
	s->pending = 0;
	if (!s->is_open && block_unpack(b, s, NULL) < 0) {
		s->failed = true;
		return;
	}
	if (s->code == CODE_BYTES) {
		if (!s[1].is_open && block_unpack(b, &s[1], NULL) < 0) {
			s->failed = true;
			return;
		}
		pass_bytes(s, n);
	} else if (s->code == CODE_RAW8) {
		if (n > (uint64_t)(s->end - s->pos) / 8)
			s->failed = true;
		else
			s->pos += 8 * n;
	} else {
		pass_varints(s, n);
	}
}

static bool count_message(struct block *b, const struct block_place *place,
    const struct block_shape *shape, uint32_t *i, uint32_t *touched,
    size_t *touched_count)
{
	while (*i < shape->len) {
		uint8_t f = shape->fields[(*i)++];
		if (f == 0)
			return true;
		if (f >= BLOCK_FIELDS || place->fields[f].wire == BLOCK_NONE)
			return false;
		if (place->fields[f].sub) {
			if (!count_message(b,
				&b->schema->places[place->fields[f].sub], shape,
				i, touched, touched_count))
				return false;
			continue;
		}
		uint32_t column = place->base + 2u * f;
		if (b->scratch[column]++ == 0)
			touched[(*touched_count)++] = column;
	}
	return false;
}

/* How many values of each column a record of this shape has. */
static bool count_shape(struct block *b, struct block_shape *shape)
{
	uint32_t *touched = b->touched;
	size_t n = 0;
	uint32_t i = 0;
	bool well =
	    count_message(b, &b->schema->places[0], shape, &i, touched, &n) &&
	    i == shape->len;
	if (b->tally_count + n > b->tally_cap) {
		b->tally_cap = 2 * (b->tally_count + n);
		b->tallies = xreallocarray(
		    b->tallies, b->tally_cap, sizeof(*b->tallies));
	}
	shape->tally_at = (uint32_t)b->tally_count;
	shape->tally_count = (uint32_t)n;
	shape->counted = true;
	for (size_t k = 0; k < n; k++) {
		b->tallies[b->tally_count++] =
		    (struct block_tally){ touched[k], b->scratch[touched[k]] };
		b->scratch[touched[k]] = 0;
	}
	return well;
}

static bool pass_record(struct block *b, uint32_t place)
{
	uint32_t s = b->shape_of[place];
	if (s == 0)
		return true;
	struct block_shape *shape = &b->shapes[s - 1];
	if (!shape->counted && !count_shape(b, shape))
		return false;
	const struct block_tally *t = &b->tallies[shape->tally_at];
	for (uint32_t i = 0; i < shape->tally_count; i++)
		b->streams[t[i].column].pending += t[i].count;
	return true;
}

/* --- rebuilding --- */
struct rebuild {
	struct block *b;
	struct block_times times;
	const uint8_t *shape, *shape_end;
	uint8_t *end; /* of the room */
	int64_t wall; /* of this record */
	bool failed;
};

static uint64_t read_number(struct rebuild *r, struct block_stream *s)
{
	uint64_t v;
	if (s->code == CODE_WALL) {
		v = (uint64_t)r->wall;
		block_learn(&r->times, s->code, r->wall);
		return v;
	}
	if (s->pending || !s->is_open)
		bring(r->b, s);
	if (s->code == CODE_RAW8) {
		if (s->end - s->pos < 8) {
			s->failed = true;
			return 0;
		}
		memcpy(&v, s->pos, 8);
		s->pos += 8;
		return v;
	}
	v = block_varint(s);
	if (s->code == CODE_PLAIN)
		return v;
	v = unzigzag(v) + (uint64_t)block_predict(&r->times, s->code);
	block_learn(&r->times, s->code, (int64_t)v);
	return v;
}

static uint8_t *read_bytes(
    struct rebuild *r, struct block_stream *s, uint8_t *at)
{
	if (s->pending || !s->is_open || !s[1].is_open)
		bring(r->b, s);
	uint64_t n = s->failed ? 0 : block_varint(s);
	if (s->failed || n > (uint64_t)(s[1].end - s[1].pos) ||
	    n + VARINT_MAX > (uint64_t)(r->end - at)) {
		r->failed = true;
		return at;
	}
	at = varint_write(at, n);
	if (n > 0)
		memcpy(at, s[1].pos, n);
	s[1].pos += n;
	return at + n;
}

static uint8_t *rebuild_message(
    struct rebuild *r, const struct block_place *place, uint8_t *at);

/* The length comes first and is known last: the message moves by the bytes
 * that its length takes beyond one. */
static uint8_t *rebuild_inner(
    struct rebuild *r, const struct block_place *place, uint8_t *at)
{
	uint8_t *body = at + 1, *end = rebuild_message(r, place, body);
	size_t n = (size_t)(end - body);
	uint8_t length[VARINT_MAX];
	size_t more = (size_t)(varint_write(length, n) - length) - 1;
	if (r->failed || more > (size_t)(r->end - end)) {
		r->failed = true;
		return at;
	}
	if (more > 0)
		memmove(body + more, body, n);
	memcpy(at, length, more + 1);
	return end + more;
}

static uint8_t *rebuild_message(
    struct rebuild *r, const struct block_place *place, uint8_t *at)
{
	while (r->shape < r->shape_end && !r->failed) {
		uint8_t f = *r->shape++;
		if (f == 0)
			return at;
		if (f >= BLOCK_FIELDS || r->end - at < 3 * VARINT_MAX)
			break;
		const struct block_field *field = &place->fields[f];
		if (field->wire == BLOCK_NONE)
			break;
		at = varint_write(at, (uint64_t)f << 3 | field->wire);
		struct block_stream *s = &r->b->streams[place->base + 2u * f];
		if (field->sub) {
			at = rebuild_inner(
			    r, &r->b->schema->places[field->sub], at);
		} else if (field->wire == BLOCK_BYTES) {
			at = read_bytes(r, s, at);
		} else {
			uint64_t v = read_number(r, s);
			r->failed |= s->failed;
			if (field->wire == BLOCK_VARINT) {
				at = varint_write(at, v);
			} else {
				memcpy(at, &v, 8);
				at += 8;
			}
		}
	}
	r->failed = true;
	return at;
}

static int rebuild_record(struct block *b, uint32_t place,
    struct block_record *record, struct errmsg *msg)
{
	const struct block_shape *shape = &b->shapes[b->shape_of[place] - 1];
	if (b->record.cap < RECORD_MAX_BYTES + 4 * VARINT_MAX) {
		buf_clear(&b->record);
		buf_extend(&b->record, RECORD_MAX_BYTES + 4 * VARINT_MAX);
	}
	struct rebuild r = { .b = b,
		.times = { .mono_base = b->mono_base },
		.shape = shape->fields,
		.shape_end = shape->fields + shape->len,
		.end = b->record.data + RECORD_MAX_BYTES + 4 * VARINT_MAX,
		.wall = b->walls[place] };
	uint8_t *end =
	    rebuild_message(&r, &b->schema->places[0], b->record.data);
	if (r.failed || r.shape != r.shape_end)
		return block_damaged(msg, "a record cannot be put together");
	record->body = b->record.data;
	record->len = (size_t)(end - b->record.data);
	record->kind = shape->kind;
	return ERR_OK;
}

int block_read(struct block *b, uint32_t place, struct block_record *record,
    struct errmsg *msg)
{
	if (place < b->at || place >= b->count)
		BUG("block: place %u, at %u of %u", place, b->at, b->count);
	for (; b->at < place; b->at++)
		if (!pass_record(b, b->at))
			return block_damaged(msg, "a shape makes no sense");
	b->at++;
	record->wall_ns = b->walls[place];
	if (b->shape_of[place] > 0)
		return rebuild_record(b, place, record, msg);
	struct block_head head;
	block_head(&head, b->raw_at[place].bytes, b->raw_at[place].len);
	record->kind = head.kind;
	record->body = b->raw_at[place].bytes;
	record->len = b->raw_at[place].len;
	return ERR_OK;
}

void block_rewind(struct block *b)
{
	uint32_t wall = b->schema->places[0].base + 2 * BLOCK_RECORD_WALL;
	for (size_t i = 0; i < b->present_count; i++) {
		struct block_stream *s = &b->streams[b->present[i]];
		if (b->present[i] == wall)
			continue;
		s->pending = 0;
		if (s->is_open)
			s->pos = s->end - s->len;
	}
	b->at = 0;
}
