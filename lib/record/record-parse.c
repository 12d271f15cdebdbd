/* SPDX-License-Identifier: ISC */
/*
 * Records from the JSON that record_to_json makes: the same walk over the
 * schema's description, the other way.  What is absent or null keeps its
 * default; the ..._wall texts are twins of numbers and are not read.  A train
 * field that was an address or octets comes back as text: JSON does not say.
 * The result goes through bytes and record_unpack, so it is as checked as a
 * record from anywhere else.
 */
#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/hex.h"
#include "lib/base/addr.h"
#include "lib/record/record-schema.h"
#include "lib/base/xalloc.h"

enum { DEPTH_MAX = 8 };

static int message_read(ProtobufCMessage *message, const json_t *object,
    int depth, struct errmsg *msg);

static int wrong(const ProtobufCFieldDescriptor *field, struct errmsg *msg)
{
	return err_set(msg, ERR_MALFORMED, "%s: not such a value", field->name);
}

static ProtobufCMessage *message_new(const ProtobufCMessageDescriptor *d)
{
	ProtobufCMessage *m = xcalloc(1, d->sizeof_message);
	protobuf_c_message_init(d, m);
	return m;
}

/* --- values ------------------------------------------------------------ */

static bool hex_read(ProtobufCBinaryData *to, const char *text)
{
	to->len = strlen(text) / 2;
	to->data = xmalloc(to->len + 1);
	if (hex_parse_strict(to->data, to->len, text))
		return true;
	free(to->data);
	*to = (ProtobufCBinaryData){ 0 };
	return false;
}

static bool octets_read(const ProtobufCMessage *message,
    const ProtobufCFieldDescriptor *field, ProtobufCBinaryData *to,
    const char *text)
{
	struct addr a;
	if (record_octets_of(message->descriptor, field) !=
	    RECORD_OCTETS_ADDRESS)
		return hex_read(to, text);
	if (addr_parse(&a, text) != 0)
		return false;
	to->len = addr_len(&a);
	to->data = xmemdup(a.bytes, to->len);
	return true;
}

static bool same_word(const char *name, const char *text)
{
	for (; *name && *text; name++, text++)
		if (toupper((unsigned char)*text) != *name &&
		    !(*text == '-' && *name == '_'))
			return false;
	return !*name && !*text;
}

/* "kernel_software" is the end of "CLOCK_KERNEL_SOFTWARE". */
static bool enum_read(
    const ProtobufCFieldDescriptor *field, int *to, const char *text)
{
	const ProtobufCEnumDescriptor *d = field->descriptor;
	const char *zero = protobuf_c_enum_descriptor_get_value(d, 0)->name;
	const char *unknown = strstr(zero, "UNKNOWN");
	for (unsigned i = 0; unknown && i < d->n_values; i++)
		if (same_word(d->values[i].name + (unknown - zero), text)) {
			*to = d->values[i].value;
			return true;
		}
	return false;
}

static bool unsigned_read(uint64_t *to, const json_t *json)
{
	const char *text = json_string_value(json);
	double real = json_real_value(json);
	char *end;
	if (text) { /* a hash, in hex */
		*to = strtoull(text, &end, 16);
		return *text && !*end;
	}
	if (json_is_real(json)) { /* above what a JSON integer holds */
		/* The largest numbers were rounded up, to 2^64. */
		if (!(real >= 0 && real <= 0x1p64))
			return false;
		*to = real < 0x1p64 ? (uint64_t)real : UINT64_MAX;
		return true;
	}
	*to = (uint64_t)json_integer_value(json);
	return json_is_integer(json) && json_integer_value(json) >= 0;
}

static bool text_read(const ProtobufCMessage *message,
    const ProtobufCFieldDescriptor *field, void *at, const char *text)
{
	if (!text)
		return false;
	if (field->type == PROTOBUF_C_TYPE_ENUM)
		return enum_read(field, at, text);
	if (field->type == PROTOBUF_C_TYPE_BYTES)
		return octets_read(message, field, at, text);
	*(char **)at = xstrdup(text);
	return true;
}

/* One scalar of the field's own C type; false when the JSON does not fit. */
static bool scalar_read(const ProtobufCMessage *message,
    const ProtobufCFieldDescriptor *field, void *at, const json_t *json)
{
	uint64_t u;
	switch (field->type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
		*(int32_t *)at = (int32_t)json_integer_value(json);
		return json_is_integer(json);
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
		*(int64_t *)at = json_integer_value(json);
		return json_is_integer(json);
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		if (!unsigned_read(&u, json) || u > UINT32_MAX)
			return false;
		*(uint32_t *)at = (uint32_t)u;
		return true;
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64: return unsigned_read(at, json);
	case PROTOBUF_C_TYPE_FLOAT:
		*(float *)at = (float)json_number_value(json);
		return json_is_number(json);
	case PROTOBUF_C_TYPE_DOUBLE:
		*(double *)at = json_number_value(json);
		return json_is_number(json);
	case PROTOBUF_C_TYPE_BOOL:
		*(protobuf_c_boolean *)at = json_is_true(json);
		return json_is_boolean(json);
	case PROTOBUF_C_TYPE_ENUM:
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_BYTES:
		return text_read(message, field, at, json_string_value(json));
	case PROTOBUF_C_TYPE_MESSAGE: break;
	}
	return false;
}

static int value_read(ProtobufCMessage *message,
    const ProtobufCFieldDescriptor *field, void *at, const json_t *json,
    int depth, struct errmsg *msg)
{
	if (field->type != PROTOBUF_C_TYPE_MESSAGE)
		return scalar_read(message, field, at, json)
		    ? 0
		    : wrong(field, msg);
	if (!json_is_object(json) || depth == 0)
		return wrong(field, msg);
	ProtobufCMessage *sub = message_new(field->descriptor);
	*(ProtobufCMessage **)at = sub;
	return message_read(sub, json, depth - 1, msg);
}

/* --- lists ------------------------------------------------------------- */

static size_t element_size(const ProtobufCFieldDescriptor *field)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_MESSAGE:
	case PROTOBUF_C_TYPE_STRING: return sizeof(void *);
	case PROTOBUF_C_TYPE_BYTES: return sizeof(ProtobufCBinaryData);
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_FLOAT:
	case PROTOBUF_C_TYPE_DOUBLE:
	case PROTOBUF_C_TYPE_BOOL:
	case PROTOBUF_C_TYPE_ENUM: break;
	}
	return sizeof(uint64_t); /* no such list in the schema so far */
}

/* Room for count elements; the count itself grows as they are read, so that
 * a half-read list can be freed. */
static uint8_t *list_new(ProtobufCMessage *message,
    const ProtobufCFieldDescriptor *field, size_t count)
{
	uint8_t *list = xcalloc(count + 1, element_size(field));
	*(void **)((uint8_t *)message + field->offset) = list;
	return list;
}

static size_t *list_count(
    ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
	return (
	    size_t *)(void *)((uint8_t *)message + field->quantifier_offset);
}

static int list_read(ProtobufCMessage *message,
    const ProtobufCFieldDescriptor *field, const json_t *json, int depth,
    struct errmsg *msg)
{
	size_t count = json_array_size(json), size = element_size(field);
	int err = 0;
	if (!json_is_array(json) || count > RECORD_MAX_REPLIES)
		return wrong(field, msg);
	uint8_t *list = list_new(message, field, count);
	for (size_t i = 0; i < count && !err; i++) {
		const json_t *item = json_array_get(json, i);
		if (field->type != PROTOBUF_C_TYPE_BYTES || !json_is_null(item))
			err = value_read(
			    message, field, list + i * size, item, depth, msg);
		/* A message that was begun is counted, to be freed. */
		if (!err ||
		    (field->type == PROTOBUF_C_TYPE_MESSAGE &&
			*(void **)(void *)(list + i * size)))
			++*list_count(message, field);
	}
	return err;
}

static int field_value_read(
    Sonde__Field *field, const json_t *json, struct errmsg *msg)
{
	switch (json_typeof(json)) {
	case JSON_INTEGER:
		field->value_case = SONDE__FIELD__VALUE_INTEGER;
		field->integer = json_integer_value(json);
		return 0;
	case JSON_REAL:
		field->value_case = SONDE__FIELD__VALUE_NUMBER;
		field->number = json_real_value(json);
		return 0;
	case JSON_TRUE:
	case JSON_FALSE:
		field->value_case = SONDE__FIELD__VALUE_BOOLEAN;
		field->boolean = json_is_true(json);
		return 0;
	case JSON_STRING:
		field->value_case = SONDE__FIELD__VALUE_TEXT;
		field->text = xstrdup(json_string_value(json));
		return 0;
	case JSON_NULL: return 0;
	case JSON_OBJECT:
	case JSON_ARRAY: break;
	}
	return err_set(msg, ERR_MALFORMED, "a field is not a scalar");
}

/* {"name": value, ...} becomes a list of Field or Counter. */
static int named_read(ProtobufCMessage *message,
    const ProtobufCFieldDescriptor *field, const json_t *json,
    struct errmsg *msg)
{
	const char *name;
	json_t *value;
	int err = 0;
	if (!json_is_object(json) ||
	    json_object_size(json) > RECORD_MAX_REPLIES)
		return wrong(field, msg);
	void **list =
	    (void **)(void *)list_new(message, field, json_object_size(json));
	json_object_foreach((json_t *)json, name, value)
	{
		ProtobufCMessage *pair = message_new(field->descriptor);
		if (err) {
			free(pair);
			break;
		}
		list[(*list_count(message, field))++] = pair;
		if (field->descriptor == &sonde__counter__descriptor) {
			Sonde__Counter *c = (Sonde__Counter *)pair;
			c->name = xstrdup(name);
			if (!unsigned_read(&c->value, value))
				err = wrong(field, msg);
		} else {
			Sonde__Field *f = (Sonde__Field *)pair;
			f->name = xstrdup(name);
			err = field_value_read(f, value, msg);
		}
	}
	return err;
}

/* --- messages ---------------------------------------------------------- */

/* Before it is read, the member of a oneof is all zeros. */
static bool owns_memory(const ProtobufCFieldDescriptor *field)
{
	return field->type == PROTOBUF_C_TYPE_MESSAGE ||
	    field->type == PROTOBUF_C_TYPE_STRING ||
	    field->type == PROTOBUF_C_TYPE_BYTES;
}

static int field_read(ProtobufCMessage *message,
    const ProtobufCFieldDescriptor *field, const json_t *json, int depth,
    struct errmsg *msg)
{
	uint8_t *base = (uint8_t *)message;
	if (field->label == PROTOBUF_C_LABEL_REPEATED)
		return field->descriptor == &sonde__field__descriptor ||
			field->descriptor == &sonde__counter__descriptor
		    ? named_read(message, field, json, msg)
		    : list_read(message, field, json, depth, msg);
	if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
		uint32_t *chosen =
		    (uint32_t *)(void *)(base + field->quantifier_offset);
		if (*chosen)
			return wrong(field, msg);
		int err = value_read(
		    message, field, base + field->offset, json, depth, msg);
		/* What was begun is chosen, to be freed. */
		if (!err || owns_memory(field))
			*chosen = field->id;
		return err;
	}
	return value_read(
	    message, field, base + field->offset, json, depth, msg);
}

static int message_read(ProtobufCMessage *message, const json_t *object,
    int depth, struct errmsg *msg)
{
	const ProtobufCMessageDescriptor *d = message->descriptor;
	int err = 0;
	for (unsigned f = 0; f < d->n_fields && !err; f++) {
		const json_t *json = json_object_get(object, d->fields[f].name);
		if (json && !json_is_null(json))
			err = field_read(
			    message, &d->fields[f], json, depth, msg);
	}
	return err;
}

int record_from_json(
    Sonde__Record **record, const struct json_t *object, struct errmsg *msg)
{
	struct buf packed = { 0 };
	*record = NULL;
	if (!json_is_object(object))
		return err_set(msg, ERR_MALFORMED, "record: not an object");
	ProtobufCMessage *raw = message_new(&sonde__record__descriptor);
	int err = message_read(raw, object, DEPTH_MAX, msg);
	if (err < 0)
		goto out;
	err = record_pack((Sonde__Record *)raw, &packed, msg);
	if (err < 0)
		goto out;
	err = record_unpack(record, packed.data, packed.len, msg);
out:
	protobuf_c_message_free_unpacked(raw, NULL);
	buf_fini(&packed);
	return err;
}
