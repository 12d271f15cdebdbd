/* SPDX-License-Identifier: ISC */
/* The schema's descriptors, walked once: a field or a kind that is added needs
 * nothing here. */
#include "collector/store/block-schema.h"

#include <pthread.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/xalloc.h"
#include "lib/record/record.pb-c.h"

static struct block_schema schema;
static struct block_place *places;
static uint64_t *ids; /* by column */
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* The times that are known to lie near another one. */
static uint8_t code_of_time(
    const ProtobufCMessageDescriptor *type, uint32_t field)
{
	static const struct {
		const ProtobufCMessageDescriptor *type;
		uint32_t field;
		uint8_t code;
	} known[] = {
		{ &sonde__record__descriptor, BLOCK_RECORD_WALL, CODE_WALL },
		{ &sonde__record__descriptor, 2, CODE_MONO },
		{ &sonde__reply__descriptor, 4, CODE_TX },
		{ &sonde__reply__descriptor, 7, CODE_RX },
		{ &sonde__sighting__descriptor, 7, CODE_LAST },
	};
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].type == type && known[i].field == field)
			return known[i].code;
	return CODE_NEAR;
}

static struct block_field field_of(
    const ProtobufCMessageDescriptor *type, const ProtobufCFieldDescriptor *f)
{
	struct block_field to = { .wire = BLOCK_NONE,
		.repeated = f->label == PROTOBUF_C_LABEL_REPEATED };
	switch (f->type) {
	case PROTOBUF_C_TYPE_MESSAGE:
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_BYTES:
		to.wire = BLOCK_BYTES;
		to.code = CODE_BYTES;
		return to;
	case PROTOBUF_C_TYPE_SFIXED64:
		to.wire = BLOCK_FIXED64;
		to.code = code_of_time(type, f->id);
		break;
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_DOUBLE:
		to.wire = BLOCK_FIXED64;
		to.code = CODE_RAW8;
		break;
	case PROTOBUF_C_TYPE_FIXED32:
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_FLOAT: break;
	default:
		to.wire = BLOCK_VARINT;
		to.code = CODE_PLAIN;
		if (type == &sonde__reply__descriptor && f->id == 9)
			to.code = CODE_RTT;
	}
	/* Repeated numbers are packed: bytes to us. */
	if (to.repeated && to.wire != BLOCK_NONE) {
		to.wire = BLOCK_BYTES;
		to.code = CODE_BYTES;
	}
	return to;
}

/* By their names, so that a kind that is added is found like the others. */
static void note_name(
    struct block_place *place, const ProtobufCFieldDescriptor *f)
{
	const struct {
		const char *name;
		ProtobufCType type;
		bool repeated;
		uint8_t *to;
	} names[] = {
		{ "src", PROTOBUF_C_TYPE_BYTES, false, &place->src },
		{ "dst", PROTOBUF_C_TYPE_BYTES, false, &place->dst },
		{ "row", PROTOBUF_C_TYPE_MESSAGE, true, &place->row },
		{ "values", PROTOBUF_C_TYPE_MESSAGE, true, &place->values },
		{ "address", PROTOBUF_C_TYPE_BYTES, false, &place->address },
	};
	bool repeated = f->label == PROTOBUF_C_LABEL_REPEATED;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (f->type == names[i].type && repeated == names[i].repeated &&
		    strcmp(f->name, names[i].name) == 0)
			*names[i].to = (uint8_t)f->id;
}

static uint16_t add_place(
    const ProtobufCMessageDescriptor *type, uint64_t path, int depth)
{
	size_t at = schema.place_count++;
	places = xreallocarray(places, schema.place_count, sizeof(*places));
	places[at] =
	    (struct block_place){ .path = path, .base = schema.columns };
	for (size_t i = 0; i < BLOCK_FIELDS; i++)
		places[at].fields[i].wire = BLOCK_NONE;
	for (unsigned i = 0; i < type->n_fields; i++)
		if (type->fields[i].id < BLOCK_FIELDS &&
		    type->fields[i].id > places[at].most)
			places[at].most = (uint8_t)type->fields[i].id;
	schema.columns += 2 * (places[at].most + 1u);
	for (unsigned i = 0; i < type->n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &type->fields[i];
		if (f->id >= BLOCK_FIELDS)
			continue;
		struct block_field field = field_of(type, f);
		note_name(&places[at], f);
		if (f->type == PROTOBUF_C_TYPE_MESSAGE && depth == BLOCK_DEPTH)
			field.wire = BLOCK_NONE;
		else if (f->type == PROTOBUF_C_TYPE_MESSAGE)
			field.sub = add_place(
			    f->descriptor, path << 8 | f->id, depth + 1);
		places[at].fields[f->id] = field;
	}
	return (uint16_t)at;
}

static void make_schema(void)
{
	add_place(&sonde__record__descriptor, 0, 1);
	schema.places = places;
	ids = xcalloc(schema.columns, sizeof(*ids));
	for (size_t i = 0; i < schema.place_count; i++)
		for (uint32_t f = 0; f <= schema.places[i].most; f++) {
			const struct block_place *p = &places[i];
			uint64_t path = p->path << 8 | f;
			uint64_t code = p->fields[f].code;
			uint32_t column = p->base + 2 * f;
			ids[column] = STREAM_FIRST + (path << 5 | code << 1);
			ids[column + 1] =
			    STREAM_FIRST + (path << 5 | code << 1 | 1);
		}
}

const struct block_schema *block_schema(void)
{
	pthread_once(&once, make_schema);
	return &schema;
}

uint64_t block_stream_id(uint32_t column)
{
	return ids[column];
}

int32_t block_stream_column(uint64_t id, uint8_t *code)
{
	id -= STREAM_FIRST;
	uint64_t path = id >> 5;
	const struct block_place *place = &places[0];
	int shift = 56;
	*code = id >> 1 & (CODES - 1);
	while (shift > 0 && path >> shift == 0)
		shift -= 8;
	for (;; shift -= 8) {
		uint64_t f = path >> shift & 0xff;
		if (f >= BLOCK_FIELDS || place->fields[f].wire == BLOCK_NONE)
			return -1;
		if (shift == 0)
			return (int32_t)(place->base + 2 * f + (id & 1));
		if (place->fields[f].sub == 0)
			return -1;
		place = &places[place->fields[f].sub];
	}
}
