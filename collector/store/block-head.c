/* SPDX-License-Identifier: ISC */
/* The few fields of a packed record that a search asks for, without unpacking
 * it. */
#include <string.h>

#include "collector/store/block-schema.h"
#include "collector/store/block.h"
#include "lib/base/reader.h"
#include "lib/sketch/varint.h"

struct wire_field {
	uint64_t number;
	unsigned wire;
	uint64_t value; /* or the length */
	const uint8_t *bytes;
};

static bool next_field(struct reader *r, struct wire_field *field)
{
	uint64_t tag;
	if (reader_left(r) == 0 || r->err != ERR_OK)
		return false;
	tag = varint_get(r);
	*field = (struct wire_field){ .number = tag >> 3, .wire = tag & 7 };
	switch (field->wire) {
	case 0: field->value = varint_get(r); break;
	case 1: field->value = reader_le64(r); break;
	case 2:
		field->value = varint_get(r);
		field->bytes = reader_bytes(r, field->value);
		break;
	case 5: field->value = reader_le32(r); break;
	default: reader_fail(r, ERR_MALFORMED);
	}
	return r->err == ERR_OK;
}

/* The first field of a message, when it is this one. */
static bool first_field(
    const struct wire_field *message, uint8_t number, struct wire_field *field)
{
	struct reader r = reader_init(message->bytes, message->value);
	return number && next_field(&r, field) && field->number == number &&
	    field->wire == 2;
}

static struct addr address_of_cell(
    const struct block_place *place, const struct wire_field *cell)
{
	const struct block_place *places = block_schema()->places;
	const struct block_place *in = &places[place->fields[place->row].sub];
	const struct block_place *value = &places[in->fields[in->values].sub];
	struct wire_field f;
	if (!first_field(cell, in->values, &f) ||
	    !first_field(&f, value->address, &f))
		return (struct addr){ 0 };
	return addr_from_bytes(f.bytes, f.value);
}

static int read_ends(struct block_head *head, const struct block_place *place,
    const uint8_t *bytes, size_t len)
{
	struct reader r = reader_init(bytes, len);
	struct wire_field f;
	while (next_field(&r, &f)) {
		if (f.wire != 2 || f.number == 0)
			continue;
		if (f.number == place->src)
			head->src = addr_from_bytes(f.bytes, f.value);
		if (f.number == place->dst)
			head->dst = addr_from_bytes(f.bytes, f.value);
		if (f.number == place->row && !head->dst.family)
			head->dst = address_of_cell(place, &f);
	}
	return r.err == ERR_OK ? ERR_OK : ERR_MALFORMED;
}

int block_head(struct block_head *head, const uint8_t *record, size_t len)
{
	const struct block_schema *schema = block_schema();
	const struct block_field *fields = schema->places[0].fields;
	struct reader r = reader_init(record, len);
	struct wire_field f, body = { 0 };
	*head = (struct block_head){ 0 };
	while (next_field(&r, &f)) {
		if (f.number == BLOCK_RECORD_WALL && f.wire == 1)
			head->wall_ns = (int64_t)f.value;
		if (f.number == BLOCK_RECORD_RUN && f.wire == 0)
			head->run = f.value;
		if (f.number == BLOCK_RECORD_CAMPAIGN && f.wire == 2) {
			head->in_campaign = f.value == sizeof(head->campaign);
			if (head->in_campaign)
				memcpy(head->campaign, f.bytes,
				    sizeof(head->campaign));
		}
		if (f.wire == 2 && f.number < BLOCK_FIELDS &&
		    fields[f.number].sub)
			body = f;
	}
	if (r.err != ERR_OK)
		return ERR_MALFORMED;
	head->kind = (uint32_t)body.number;
	return body.number
	    ? read_ends(head, &schema->places[fields[body.number].sub],
		  body.bytes, body.value)
	    : ERR_OK;
}
