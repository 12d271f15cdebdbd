/* SPDX-License-Identifier: ISC */
/*
 * protobuf-c gives texts as C strings, which end at a NUL, but the bytes of one
 * may go on behind it: who reads them there sees another text than who asks for
 * their length.  So such a text is refused where records are unpacked.
 */
#include "lib/record/record-texts.h"

#include <string.h>

#include "lib/base/reader.h"

/* As deep as the schema goes, and some. */
#define DEPTH_MOST 8

static uint64_t read_varint(struct reader *r)
{
	uint64_t v = 0;
	if (reader_left(r) > 0 && *r->pos < 0x80)
		return *r->pos++;
	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint8_t byte = reader_u8(r);
		v |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			break;
	}
	return v;
}

static void skip_value(struct reader *r, unsigned wire)
{
	switch (wire) {
	case 0: read_varint(r); break;
	case 1: reader_skip(r, 8); break;
	case 5: reader_skip(r, 4); break;
	default: reader_fail(r, ERR_MALFORMED);
	}
}

static const ProtobufCFieldDescriptor *find_nul(
    const ProtobufCMessageDescriptor *message, const uint8_t *bytes, size_t len,
    unsigned depth)
{
	struct reader r = reader_init(bytes, len);
	const ProtobufCFieldDescriptor *found = NULL;
	while (!found && r.err == ERR_OK && reader_left(&r) > 0) {
		uint64_t tag = read_varint(&r);
		if ((tag & 7) != 2) {
			skip_value(&r, tag & 7);
			continue;
		}
		size_t size = read_varint(&r);
		const uint8_t *value = reader_bytes(&r, size);
		/* Nor is there one in a message without: few are looked
		 * through. */
		if (!value || !memchr(value, 0, size))
			continue;
		const ProtobufCFieldDescriptor *field =
		    protobuf_c_message_descriptor_get_field(
			message, (unsigned)(tag >> 3));
		if (field && field->type == PROTOBUF_C_TYPE_STRING)
			found = field;
		if (field && field->type == PROTOBUF_C_TYPE_MESSAGE &&
		    depth < DEPTH_MOST)
			found =
			    find_nul(field->descriptor, value, size, depth + 1);
	}
	return found;
}

int record_texts_check(const ProtobufCMessageDescriptor *message,
    const uint8_t *bytes, size_t len, struct errmsg *msg)
{
	const ProtobufCFieldDescriptor *field =
	    find_nul(message, bytes, len, 0);
	return field ? err_set(msg, ERR_MALFORMED,
			   "record: %s: expected a text, got one with a NUL "
			   "in it",
			   field->name)
		     : ERR_OK;
}
