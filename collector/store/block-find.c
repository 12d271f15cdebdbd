/* SPDX-License-Identifier: ISC */
/* Which records of a block are wanted: only the columns that are asked for are
 * unpacked. */
#include "collector/store/block-open.h"

#include <string.h>

#define KIND_MOST BLOCK_FIELDS

/* A column of its own place in it, beside that of block_read. */
struct column_scan {
	struct block_stream lengths, data;
	bool is_open;
};

static int scan_open(struct block *b, struct column_scan *scan, uint32_t column,
    struct errmsg *msg)
{
	struct block_stream *streams = &b->streams[column];
	for (int i = 0; i < 2; i++) {
		if (streams[i].is_open)
			continue;
		int err = block_unpack(b, &streams[i], msg);
		if (err < 0)
			return err;
	}
	/* block_read may have gone on; begin at the stream's own start. */
	scan->lengths = streams[0];
	scan->data = streams[1];
	scan->lengths.pos = streams[0].end - streams[0].len;
	scan->data.pos = streams[1].end - streams[1].len;
	scan->is_open = true;
	return ERR_OK;
}

/* The next value of bytes is these. */
static bool scan_equals(struct column_scan *scan, const void *bytes, size_t len)
{
	uint64_t n = block_varint(&scan->lengths);
	if (n > (uint64_t)(scan->data.end - scan->data.pos)) {
		scan->data.failed = true;
		return false;
	}
	const uint8_t *value = scan->data.pos;
	scan->data.pos += n;
	return n == len && memcmp(value, bytes, len) == 0;
}

static bool scan_failed(const struct column_scan *scan)
{
	return scan->lengths.failed || scan->data.failed;
}

/* Passes over a message inside a shape. */
static bool pass_message(const struct block *b, const struct block_place *place,
    const struct block_shape *shape, uint32_t *i)
{
	while (*i < shape->len) {
		uint8_t f = shape->fields[(*i)++];
		if (f == 0)
			return true;
		if (f >= BLOCK_FIELDS || place->fields[f].wire == BLOCK_NONE)
			return false;
		if (place->fields[f].sub &&
		    !pass_message(
			b, &b->schema->places[place->fields[f].sub], shape, i))
			return false;
	}
	return false;
}

/* Whether the body of a shape has the field. */
static bool body_has(const struct block *b, const struct block_shape *shape,
    const struct block_place *place, uint8_t field)
{
	uint32_t i = shape->body;
	while (i < shape->len) {
		uint8_t f = shape->fields[i++];
		if (f == field)
			return true;
		if (f == 0 || f > field || f >= BLOCK_FIELDS)
			return false;
		if (place->fields[f].sub &&
		    !pass_message(
			b, &b->schema->places[place->fields[f].sub], shape, &i))
			return false;
	}
	return false;
}

/* Asked once of each shape. */
static bool shape_has(const struct block *b, struct block_shape *shape,
    const struct block_place *place, bool is_dst)
{
	int8_t *has = is_dst ? &shape->has_dst : &shape->has_src;
	if (*has == 0)
		*has =
		    body_has(b, shape, place, is_dst ? place->dst : place->src)
		    ? 1
		    : -1;
	return *has > 0;
}

static int keep_ends(
    struct block *b, const struct addr *addr, bool is_dst, struct errmsg *msg)
{
	struct column_scan scans[KIND_MOST];
	size_t len = addr_len(addr);
	bool live[KIND_MOST] = { false };
	for (size_t k = 0; k < KIND_MOST; k++)
		scans[k].is_open = false;
	for (uint32_t i = 0; i < b->count; i++)
		if (b->wanted[i] && b->shape_of[i] > 0)
			live[b->shapes[b->shape_of[i] - 1].kind] = true;
	for (uint32_t i = 0; i < b->count; i++) {
		if (b->shape_of[i] == 0)
			continue;
		struct block_shape *shape = &b->shapes[b->shape_of[i] - 1];
		if (!live[shape->kind])
			continue;
		const struct block_field *body =
		    &b->schema->places[0].fields[shape->kind];
		const struct block_place *place = &b->schema->places[body->sub];
		uint8_t field = is_dst ? place->dst : place->src;
		if (is_dst && place->row)
			continue; /* keep_rows */
		if (shape->kind == 0 || field == 0 ||
		    !shape_has(b, shape, place, is_dst)) {
			b->wanted[i] = 0;
			continue;
		}
		struct column_scan *scan = &scans[shape->kind];
		if (!scan->is_open) {
			int err =
			    scan_open(b, scan, place->base + 2u * field, msg);
			if (err < 0)
				return err;
		}
		b->wanted[i] &= scan_equals(scan, addr->bytes, len);
		if (scan_failed(scan))
			return block_damaged(msg, "a column is too short");
	}
	return ERR_OK;
}

static bool is_row(const struct block *b, uint32_t i)
{
	const struct block_place *places = b->schema->places;
	uint8_t kind = b->shape_of[i] ? b->shapes[b->shape_of[i] - 1].kind : 0;
	return kind && places[places[0].fields[kind].sub].row;
}

/* A row's destination is in no column of its own: each is put together. */
static int keep_rows(
    struct block *b, const struct addr *dst, struct errmsg *msg)
{
	int err = ERR_OK;
	bool any = false;
	for (uint32_t i = 0; i < b->count; i++) {
		struct block_record record;
		struct block_head head;
		if (!b->wanted[i] || !is_row(b, i))
			continue;
		if (!any)
			block_rewind(b);
		any = true;
		err = block_read(b, i, &record, msg);
		if (err < 0)
			break;
		b->wanted[i] =
		    block_head(&head, record.body, record.len) == ERR_OK &&
		    addr_equal(&head.dst, dst);
	}
	if (any)
		block_rewind(b);
	return err;
}

static int keep_campaign(
    struct block *b, const uint8_t campaign[16], struct errmsg *msg)
{
	struct column_scan scan = { 0 };
	int err = scan_open(b, &scan,
	    b->schema->places[0].base + 2 * BLOCK_RECORD_CAMPAIGN, msg);
	if (err < 0)
		return err;
	for (uint32_t i = 0; i < b->count; i++) {
		if (b->shape_of[i] == 0)
			continue;
		if (b->shapes[b->shape_of[i] - 1].has_campaign)
			b->wanted[i] &= scan_equals(&scan, campaign, 16);
		else
			b->wanted[i] = 0;
	}
	return scan_failed(&scan) ? block_damaged(msg, "a column is too short")
				  : ERR_OK;
}

static int keep_run(struct block *b, uint64_t run, struct errmsg *msg)
{
	struct column_scan scan = { 0 };
	int err = scan_open(
	    b, &scan, b->schema->places[0].base + 2 * BLOCK_RECORD_RUN, msg);
	if (err < 0)
		return err;
	for (uint32_t i = 0; i < b->count; i++) {
		if (b->shape_of[i] == 0)
			continue;
		if (b->shapes[b->shape_of[i] - 1].has_run)
			b->wanted[i] &= block_varint(&scan.lengths) == run;
		else
			b->wanted[i] = 0;
	}
	return scan_failed(&scan) ? block_damaged(msg, "a column is too short")
				  : ERR_OK;
}

static bool is_wanted_kind(const struct block_want *want, uint32_t kind)
{
	for (size_t i = 0; i < want->kind_count; i++)
		if (want->kinds[i] == kind)
			return true;
	return want->kind_count == 0;
}

static bool is_wanted_time(const struct block_want *want, int64_t wall_ns)
{
	return wall_ns >= want->from_ns &&
	    (want->to_ns == 0 || wall_ns < want->to_ns);
}

bool block_wants_head(
    const struct block_want *want, const struct block_head *head)
{
	return is_wanted_time(want, head->wall_ns) &&
	    is_wanted_kind(want, head->kind) &&
	    (!want->campaign ||
		(head->in_campaign &&
		    memcmp(want->campaign, head->campaign, 16) == 0)) &&
	    (want->run == 0 || want->run == head->run) &&
	    (want->src.family == 0 || addr_equal(&want->src, &head->src)) &&
	    (want->dst.family == 0 || addr_equal(&want->dst, &head->dst));
}

/* The columns that the records found so far are held against. */
static int keep_wanted(
    struct block *b, const struct block_want *want, struct errmsg *msg)
{
	int err;
	if (want->campaign) {
		err = keep_campaign(b, want->campaign, msg);
		if (err < 0)
			return err;
	}
	if (want->run) {
		err = keep_run(b, want->run, msg);
		if (err < 0)
			return err;
	}
	if (want->src.family) {
		err = keep_ends(b, &want->src, false, msg);
		if (err < 0)
			return err;
	}
	if (!want->dst.family)
		return ERR_OK;
	err = keep_ends(b, &want->dst, true, msg);
	if (err < 0)
		return err;
	return keep_rows(b, &want->dst, msg);
}

int block_find(struct block *b, const struct block_want *want,
    const uint32_t **places, size_t *count, struct errmsg *msg)
{
	size_t found = 0;
	for (uint32_t i = 0; i < b->count; i++) {
		struct block_head head;
		uint32_t s = b->shape_of[i];
		if (s > 0) {
			b->wanted[i] = is_wanted_time(want, b->walls[i]) &&
			    is_wanted_kind(want, b->shapes[s - 1].kind);
			found += b->wanted[i];
			continue;
		}
		block_head(&head, b->raw_at[i].bytes, b->raw_at[i].len);
		b->wanted[i] = block_wants_head(want, &head);
	}
	int err = found > 0 ? keep_wanted(b, want, msg) : ERR_OK;
	if (err < 0)
		return err;
	*count = 0;
	*places = b->places;
	for (uint32_t i = 0; i < b->count; i++)
		if (b->wanted[i])
			b->places[(*count)++] = i;
	return ERR_OK;
}
