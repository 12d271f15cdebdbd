/* SPDX-License-Identifier: ISC */
#include "tests/lib/record/random-record.h"

#include <stdlib.h>

#include "lib/record/record-schema.h"
#include "lib/sketch/varint.h"

enum { VARINT = 0, FIXED64 = 1, BYTES = 2 };

static unsigned one_odd;

static unsigned draw(unsigned below)
{
	return (unsigned)random() % below;
}

static bool is_odd(void)
{
	return one_odd && draw(one_odd) == 0;
}

/* Of any length in octets. */
static uint64_t random_number(void)
{
	uint64_t v = (uint64_t)random() << 62 ^ (uint64_t)random() << 31 ^
	    (uint64_t)random();
	return v >> draw(64) | 1;
}

static void put_number(struct buf *to, uint64_t v)
{
	varint_put(to, v);
	if (v < UINT64_C(1) << 56 && is_odd()) {
		to->data[to->len - 1] |= 0x80;
		buf_u8(to, 0);
	}
}

static void put_octets(struct buf *to, const struct buf *octets)
{
	put_number(to, octets->len);
	buf_bytes(to, octets->data, octets->len);
}

static size_t octets_len(const ProtobufCMessageDescriptor *type,
    const ProtobufCFieldDescriptor *field)
{
	if (is_odd())
		return draw(18);
	switch (record_octets_of(type, field)) {
	case RECORD_OCTETS_PLAIN: return 1 + draw(20);
	case RECORD_OCTETS_ADDRESS: return draw(2) ? 4 : 16;
	case RECORD_OCTETS_ID: return 16;
	}
	abort();
}

static void fill_octets(struct buf *to, size_t len)
{
	while (len-- > 0)
		buf_u8(to, (uint8_t)random());
}

static void fill_text(struct buf *to)
{
	static const char *const odd[] = { "\xc3\xa9", "\xe2\x82\xac", "\xff",
		"\xc3" };
	for (size_t len = 1 + draw(15); len > 0; len--)
		buf_u8(to, (uint8_t)(' ' + draw(95)));
	if (is_odd())
		buf_bytes(to, odd[draw(4)], draw(3));
}

static void fill_message(
    struct buf *to, const ProtobufCMessageDescriptor *type, const char *chosen);

static unsigned wire_of(const ProtobufCFieldDescriptor *field)
{
	bool list = field->label == PROTOBUF_C_LABEL_REPEATED;
	switch (field->type) {
	case PROTOBUF_C_TYPE_MESSAGE:
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_BYTES: return BYTES;
	case PROTOBUF_C_TYPE_DOUBLE:
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_SFIXED64: return list ? BYTES : FIXED64;
	default: return list ? BYTES : VARINT;
	}
}

static uint64_t number_for(const ProtobufCFieldDescriptor *field)
{
	uint64_t v = random_number();
	if (is_odd())
		return v;
	if (field->type == PROTOBUF_C_TYPE_ENUM) {
		const ProtobufCEnumDescriptor *type = field->descriptor;
		return (uint64_t)type->values[draw(type->n_values)].value;
	}
	if (field->type == PROTOBUF_C_TYPE_BOOL)
		return 1;
	return field->type == PROTOBUF_C_TYPE_UINT32 ? (uint32_t)v : v;
}

static void put_field(struct buf *to, const ProtobufCMessageDescriptor *type,
    const ProtobufCFieldDescriptor *field)
{
	unsigned wire = is_odd() ? draw(3) : wire_of(field);
	struct buf octets = { 0 };
	put_number(to, (uint64_t)field->id << 3 | wire);
	if (wire == VARINT) {
		put_number(to, number_for(field));
		return;
	}
	if (wire == FIXED64) {
		fill_octets(to, 8);
		return;
	}
	if (field->type == PROTOBUF_C_TYPE_MESSAGE)
		fill_message(&octets, field->descriptor, NULL);
	else if (field->type == PROTOBUF_C_TYPE_STRING)
		fill_text(&octets);
	else if (field->type == PROTOBUF_C_TYPE_BYTES)
		fill_octets(&octets, octets_len(type, field));
	else
		for (unsigned i = draw(5); i > 0; i--)
			put_number(&octets, random_number());
	put_octets(to, &octets);
	buf_fini(&octets);
}

static void put_unknown(struct buf *to)
{
	static const unsigned numbers[] = { 15, 30, 31, 32, 127, 128, 5000 };
	put_number(to, (uint64_t)numbers[draw(7)] << 3 | VARINT);
	put_number(to, random_number());
}

/* Of a oneof's members the chosen one, or any. */
static const ProtobufCFieldDescriptor *choose_member(
    const ProtobufCMessageDescriptor *type, const char *chosen)
{
	const ProtobufCFieldDescriptor *member = NULL;
	unsigned met = 0;
	for (unsigned i = 0; i < type->n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &type->fields[i];
		if (!(f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF))
			continue;
		if (chosen ? strcmp(f->name, chosen) == 0 : draw(++met) == 0)
			member = f;
	}
	return member;
}

static void fill_message(
    struct buf *to, const ProtobufCMessageDescriptor *type, const char *chosen)
{
	const ProtobufCFieldDescriptor *member = choose_member(type, chosen);
	for (unsigned i = 0; i < type->n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &type->fields[i];
		bool list = f->label == PROTOBUF_C_LABEL_REPEATED;
		if (f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
			if (f != member && !is_odd())
				continue;
		} else if (draw(3) == 0) {
			continue;
		}
		/* Numbers in a list are packed into one field. */
		unsigned count = list && f->type <= PROTOBUF_C_TYPE_DOUBLE ? 1
		    : list ? draw(5)
			   : 1;
		for (; count > 0; count--)
			put_field(to, type, f);
		if (is_odd())
			put_field(
			    to, type, &type->fields[draw(type->n_fields)]);
		if (is_odd())
			put_unknown(to);
	}
}

void random_record(
    struct buf *to, Sonde__Record__BodyCase body, unsigned field_in)
{
	one_odd = field_in;
	fill_message(to, &sonde__record__descriptor, record_kind_name(body));
}

Sonde__Record__BodyCase random_body(void)
{
	size_t count = 0;
	while (record_kinds[count].name)
		count++;
	return record_kinds[draw((unsigned)count)].body;
}
