/* SPDX-License-Identifier: ISC */
/*
 * Records as JSON, schema "sonde-record/1", by a walk over the schema's own
 * description.  Its conventions: addresses as text; ids, hashes and octets as
 * hex; every ..._wall_ns has a twin without _ns in RFC 3339, because a reader
 * in JavaScript cannot hold the nanoseconds; absent octets are null.  Train
 * fields and heartbeat counters become objects by their names.  A reply says
 * only what there is to say: a probe without answer has `from` null and no
 * receive side.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/hex.h"
#include "lib/base/addr.h"
#include "lib/record/outcome.h"
#include "lib/record/record-schema.h"
#include "lib/base/xalloc.h"

static json_t *message_json(const ProtobufCMessage *message);

static json_t *hex_json(const uint8_t *bytes, size_t len)
{
	if (len == 0)
		return json_null();
	char *text = xmalloc(len * 2 + 1);
	json_t *json = json_string(hex_text(bytes, len, text));
	free(text);
	return json;
}

static json_t *text_json(const char *text)
{
	json_t *json = json_string(text);
	if (json)
		return json;
	/* Not UTF-8: a record that did not come through record_unpack. */
	char *copy = xstrdup(text);
	for (char *p = copy; *p; p++)
		if ((unsigned char)*p >= 0x80)
			*p = '?';
	json = json_string(copy);
	free(copy);
	return json;
}

static json_t *octets_json(const ProtobufCMessage *message,
    const ProtobufCFieldDescriptor *field, const ProtobufCBinaryData *data)
{
	char text[ADDR_TEXT_LEN];
	if (record_octets_of(message->descriptor, field) !=
	    RECORD_OCTETS_ADDRESS)
		return hex_json(data->data, data->len);
	struct addr a = addr_from_bytes(data->data, data->len);
	return a.family ? json_string(addr_text(&a, text)) : json_null();
}

/* "CLOCK_KERNEL_SOFTWARE" of Clock -> "kernel_software" */
static json_t *enum_json(const ProtobufCFieldDescriptor *field, int value)
{
	const ProtobufCEnumDescriptor *d = field->descriptor;
	const ProtobufCEnumValue *v =
	    protobuf_c_enum_descriptor_get_value(d, value);
	const char *zero = protobuf_c_enum_descriptor_get_value(d, 0)->name;
	const char *unknown = strstr(zero, "UNKNOWN");
	if (!v || !unknown)
		return json_null();
	if (d == &sonde__outcome__descriptor)
		return json_string(outcome_name((Sonde__Outcome)value));
	char text[64];
	snprintf(text, sizeof(text), "%s", v->name + (unknown - zero));
	for (char *p = text; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	return json_string(text);
}

static json_t *unsigned_json(uint64_t value)
{
	return value <= INT64_MAX ? json_integer((json_int_t)value)
				  : json_real((double)value);
}

static json_t *double_json(double value)
{
	json_t *json = json_real(value); /* NULL for NaN and infinity */
	return json ? json : json_null();
}

static json_t *value_json(const ProtobufCMessage *message,
    const ProtobufCFieldDescriptor *field, const void *at)
{
	char text[24];
	switch (field->type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
		return json_integer(*(const int32_t *)at);
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
		return json_integer(*(const int64_t *)at);
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		return json_integer(*(const uint32_t *)at);
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		if (strcmp(field->name, "flow_id") != 0)
			return unsigned_json(*(const uint64_t *)at);
		/* A hash: all its bits matter and its size means nothing. */
		snprintf(text, sizeof(text), "%016llx",
		    (unsigned long long)*(const uint64_t *)at);
		return json_string(text);
	case PROTOBUF_C_TYPE_FLOAT:
		return double_json((double)*(const float *)at);
	case PROTOBUF_C_TYPE_DOUBLE: return double_json(*(const double *)at);
	case PROTOBUF_C_TYPE_BOOL:
		return json_boolean(*(const protobuf_c_boolean *)at);
	case PROTOBUF_C_TYPE_ENUM: return enum_json(field, *(const int *)at);
	case PROTOBUF_C_TYPE_STRING: return text_json(*(char *const *)at);
	case PROTOBUF_C_TYPE_BYTES: return octets_json(message, field, at);
	case PROTOBUF_C_TYPE_MESSAGE:
		return message_json(*(ProtobufCMessage *const *)at);
	}
	BUG("field type %d", (int)field->type);
}

/* Field and Counter lists: {"name": value, ...} */
static json_t *named_values_json(
    const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
	json_t *object = json_object();
	size_t count = record_field_count(message, field);
	for (size_t i = 0; i < count; i++) {
		const ProtobufCMessage *pair =
		    *(ProtobufCMessage *const *)record_field_at(
			message, field, i);
		const ProtobufCMessageDescriptor *d = pair->descriptor;
		const char *name =
		    *(char *const *)record_field_at(pair, &d->fields[0], 0);
		json_t *value = NULL;
		for (unsigned f = 1; f < d->n_fields && !value; f++)
			if (record_field_count(pair, &d->fields[f]))
				value = value_json(pair, &d->fields[f],
				    record_field_at(pair, &d->fields[f], 0));
		json_object_set_new(object, name, value ? value : json_null());
	}
	return object;
}

static json_t *list_json(
    const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
	json_t *list = json_array();
	size_t count = record_field_count(message, field);
	for (size_t i = 0; i < count; i++)
		json_array_append_new(list,
		    value_json(
			message, field, record_field_at(message, field, i)));
	return list;
}

static bool is_named_values(const ProtobufCFieldDescriptor *field)
{
	return field->label == PROTOBUF_C_LABEL_REPEATED &&
	    (field->descriptor == &sonde__field__descriptor ||
		field->descriptor == &sonde__counter__descriptor);
}

/* A reply says only what there is to say. */
static bool reply_omits(
    const Sonde__Reply *reply, const ProtobufCFieldDescriptor *field)
{
	static const char *const always[] = { "probe_ttl", "attempt",
		"probe_id", "from", "outcome" };
	const char *name = field->name;
	for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++)
		if (strcmp(name, always[i]) == 0)
			return false;
	/* What never left has no time of leaving. */
	if (strncmp(name, "tx_", 3) == 0)
		return reply->tx_wall_ns == 0 && reply->from.len == 0;
	if (strncmp(name, "rx_", 3) == 0)
		return reply->from.len == 0;
	if (field->label == PROTOBUF_C_LABEL_REPEATED)
		return record_field_count(&reply->base, field) == 0;
	const void *at = record_field_at(&reply->base, field, 0);
	if (field->type == PROTOBUF_C_TYPE_STRING)
		return !**(char *const *)at;
	return field->type == PROTOBUF_C_TYPE_BOOL &&
	    !*(const protobuf_c_boolean *)at;
}

static bool is_wall_time(const char *name)
{
	size_t n = strlen(name);
	return n >= 7 && strcmp(name + n - 7, "wall_ns") == 0;
}

static void wall_text_add(json_t *object, const char *name, int64_t ns)
{
	char key[64], text[WALLTIME_TEXT_LEN];
	snprintf(key, sizeof(key), "%.*s", (int)strlen(name) - 3, name);
	json_object_set_new(object, key,
	    json_string(walltime_text((struct walltime){ ns }, text)));
}

static void field_add(json_t *object, const ProtobufCMessage *message,
    const ProtobufCFieldDescriptor *field)
{
	json_t *value;
	if (is_named_values(field)) {
		value = named_values_json(message, field);
	} else if (field->label == PROTOBUF_C_LABEL_REPEATED) {
		value = list_json(message, field);
	} else if (record_field_count(message, field) == 0) {
		return; /* a oneof member that was not chosen */
	} else {
		const void *at = record_field_at(message, field, 0);
		value = value_json(message, field, at);
		if (is_wall_time(field->name))
			wall_text_add(
			    object, field->name, *(const int64_t *)at);
	}
	json_object_set_new(object, field->name, value);
}

static json_t *message_json(const ProtobufCMessage *message)
{
	const ProtobufCMessageDescriptor *d = message->descriptor;
	json_t *object = json_object();
	for (unsigned f = 0; f < d->n_fields; f++) {
		if (d == &sonde__reply__descriptor &&
		    reply_omits((const Sonde__Reply *)message, &d->fields[f]))
			continue;
		field_add(object, message, &d->fields[f]);
	}
	return object;
}

struct json_t *record_to_json(const Sonde__Record *record)
{
	json_t *object = json_object();
	const char *kind = record_kind_name(record->body_case);
	json_object_set_new(object, "schema", json_string("sonde-record/1"));
	json_object_set_new(
	    object, "kind", kind ? json_string(kind) : json_null());
	json_t *fields = message_json(&record->base);
	json_object_update(object, fields);
	json_decref(fields);
	return object;
}
