/* SPDX-License-Identifier: ISC */
/* What is asked of the schema's own description. */
#include <string.h>

#include "lib/record/record-schema.h"

enum record_octets record_octets_of(const ProtobufCMessageDescriptor *message,
    const ProtobufCFieldDescriptor *field)
{
	static const struct {
		const char *field;
		enum record_octets octets;
	} names[] = {
		{ "src", RECORD_OCTETS_ADDRESS },
		{ "dst", RECORD_OCTETS_ADDRESS },
		{ "from", RECORD_OCTETS_ADDRESS },
		{ "near", RECORD_OCTETS_ADDRESS },
		{ "far", RECORD_OCTETS_ADDRESS },
		{ "next_hop", RECORD_OCTETS_ADDRESS },
		{ "address", RECORD_OCTETS_ADDRESS },
		{ "victim", RECORD_OCTETS_ADDRESS },
		{ "addresses", RECORD_OCTETS_ADDRESS },
		{ "campaign", RECORD_OCTETS_ID },
		{ "payload_hash", RECORD_OCTETS_ID },
		{ "hash", RECORD_OCTETS_ID },
	};
	(void)message;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(field->name, names[i].field) == 0)
			return names[i].octets;
	return RECORD_OCTETS_PLAIN;
}

size_t record_field_count(
    const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
	const uint8_t *base = (const uint8_t *)message;
	if (field->label == PROTOBUF_C_LABEL_REPEATED)
		return *(const size_t *)(base + field->quantifier_offset);
	if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
		return *(const uint32_t *)(base + field->quantifier_offset) ==
		    field->id;
	if (field->type == PROTOBUF_C_TYPE_MESSAGE)
		return *(void *const *)(base + field->offset) != NULL;
	return 1;
}

static size_t value_size(const ProtobufCFieldDescriptor *field)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_SFIXED64: return sizeof(uint64_t);
	case PROTOBUF_C_TYPE_DOUBLE: return sizeof(double);
	case PROTOBUF_C_TYPE_STRING: return sizeof(char *);
	case PROTOBUF_C_TYPE_BYTES: return sizeof(ProtobufCBinaryData);
	case PROTOBUF_C_TYPE_MESSAGE: return sizeof(ProtobufCMessage *);
	case PROTOBUF_C_TYPE_BOOL: return sizeof(protobuf_c_boolean);
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
	case PROTOBUF_C_TYPE_FLOAT:
	case PROTOBUF_C_TYPE_ENUM: return sizeof(uint32_t);
	}
	BUG("field type %d", (int)field->type);
}

const void *record_field_at(const ProtobufCMessage *message,
    const ProtobufCFieldDescriptor *field, size_t i)
{
	const uint8_t *at = (const uint8_t *)message + field->offset;
	if (field->label != PROTOBUF_C_LABEL_REPEATED)
		return at;
	return *(const uint8_t *const *)at + i * value_size(field);
}
