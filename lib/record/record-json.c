/* SPDX-License-Identifier: ISC */
/*
 * Records as JSON, schema "sonde-record/1", by a walk over the schema's own
 * description.  Its conventions: addresses as text; ids, hashes and octets as
 * hex; every ..._wall_ns has a twin without _ns in RFC 3339, because a reader
 * in JavaScript cannot hold the nanoseconds; absent octets are null.  Train
 * fields and heartbeat counters become objects by their names.  A reply says
 * only what there is to say: a probe without answer has `from` null and no
 * receive side.
 *
 * The text is written straight into bytes: what follows from a field's name
 * and type alone (its key, whether it is an address) is found out once for all
 * messages that a record can hold, and never again.
 */
#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/addr.h"
#include "lib/base/xalloc.h"
#include "lib/json/json-buf.h"
#include "lib/record/outcome.h"
#include "lib/record/record-schema.h"

/* When a reply does not say a field. */
enum omission {
	OMIT_NEVER,
	OMIT_UNSENT,     /* what never left has no time of leaving */
	OMIT_UNANSWERED, /* a time of receipt */
	OMIT_EMPTY       /* no text, no items, false */
};

/* What is known of a field before there is a value. */
struct field_plan {
	const ProtobufCFieldDescriptor *field;
	const struct message_plan *message; /* of a field that is one */
	char *key, *wall_key;               /* "name": ; NULL: no twin */
	size_t key_len, wall_key_len;
	size_t enum_prefix; /* octets of an enum's names to leave out */
	bool named_values;  /* an object of names and values */
	bool hash;          /* all its bits matter, its size means nothing */
	bool address;       /* its octets are one */
	enum omission omission;
};

struct message_plan {
	const ProtobufCMessageDescriptor *descriptor;
	struct field_plan *fields;
};

#define MESSAGES_MOST 64
#define NAMES_COMPARED 128 /* one with another */
static struct message_plan plans[MESSAGES_MOST];
static size_t plan_count;
static pthread_once_t plans_once = PTHREAD_ONCE_INIT;

static const struct message_plan *plan_message(
    const ProtobufCMessageDescriptor *d);

static char *plan_key(const char *name, size_t name_len, size_t *len)
{
	char *key = xasprintf("\"%.*s\":", (int)name_len, name);
	*len = strlen(key);
	return key;
}

static enum omission omission_of(const ProtobufCFieldDescriptor *field)
{
	static const char *const always[] = { "probe_ttl", "attempt",
		"probe_id", "from", "outcome" };
	for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++)
		if (strcmp(field->name, always[i]) == 0)
			return OMIT_NEVER;
	if (strncmp(field->name, "tx_", 3) == 0)
		return OMIT_UNSENT;
	if (strncmp(field->name, "rx_", 3) == 0)
		return OMIT_UNANSWERED;
	return OMIT_EMPTY;
}

/* "CLOCK_KERNEL_SOFTWARE" of Clock is "kernel_software": what is before
 * UNKNOWN in the name of 0 is left out.  SIZE_MAX: none is called so. */
static size_t enum_prefix_of(const ProtobufCEnumDescriptor *d)
{
	const char *zero = protobuf_c_enum_descriptor_get_value(d, 0)->name;
	const char *unknown = strstr(zero, "UNKNOWN");
	return unknown ? (size_t)(unknown - zero) : SIZE_MAX;
}

static void plan_field(struct field_plan *plan,
    const ProtobufCMessageDescriptor *d, const ProtobufCFieldDescriptor *field)
{
	static const char wall[] = "wall_ns";
	size_t len = strlen(field->name), wall_len = sizeof(wall) - 1;
	bool repeated = field->label == PROTOBUF_C_LABEL_REPEATED;
	*plan = (struct field_plan){
		.field = field,
		.hash = strcmp(field->name, "flow_id") == 0,
		.address = record_octets_of(d, field) == RECORD_OCTETS_ADDRESS,
		.named_values = repeated &&
		    (field->descriptor == &sonde__field__descriptor ||
			field->descriptor == &sonde__counter__descriptor),
	};
	plan->key = plan_key(field->name, len, &plan->key_len);
	if (!repeated && len >= wall_len &&
	    strcmp(field->name + len - wall_len, wall) == 0)
		plan->wall_key =
		    plan_key(field->name, len - 3, &plan->wall_key_len);
	if (d == &sonde__reply__descriptor)
		plan->omission = omission_of(field);
	if (field->type == PROTOBUF_C_TYPE_ENUM)
		plan->enum_prefix = enum_prefix_of(field->descriptor);
	if (field->type == PROTOBUF_C_TYPE_MESSAGE)
		plan->message = plan_message(field->descriptor);
}

static const struct message_plan *plan_message(
    const ProtobufCMessageDescriptor *d)
{
	for (size_t i = 0; i < plan_count; i++)
		if (plans[i].descriptor == d)
			return &plans[i];
	if (plan_count == MESSAGES_MOST)
		BUG("more kinds of messages than %d", MESSAGES_MOST);
	struct message_plan *plan = &plans[plan_count++];
	plan->descriptor = d;
	plan->fields = xcalloc(d->n_fields, sizeof(*plan->fields));
	for (unsigned f = 0; f < d->n_fields; f++)
		plan_field(&plan->fields[f], d, &d->fields[f]);
	return plan;
}

static void plan_record(void)
{
	plan_message(&sonde__record__descriptor);
}

static void put_tree(struct buf *to, json_t *tree)
{
	if (!tree) {
		JSONBUF_PLAIN(to, "null");
		return;
	}
	jsonbuf_tree(to, tree);
	json_decref(tree);
}

/* Text that needs thought; "" too. */
static void put_odd_text(struct buf *to, const char *text)
{
	json_t *json = json_string(text);
	if (json) {
		put_tree(to, json);
		return;
	}
	/* Not UTF-8: a record that did not come through record_unpack. */
	char *copy = xstrdup(text);
	for (char *p = copy; *p; p++)
		if ((unsigned char)*p >= 0x80)
			*p = '?';
	put_tree(to, json_string(copy));
	free(copy);
}

static void put_text(struct buf *to, const char *text)
{
	size_t len = 0;
	for (; text[len]; len++) {
		unsigned char c = (unsigned char)text[len];
		if (c < 0x20 || c >= 0x80 || c == '"' || c == '\\') {
			put_odd_text(to, text);
			return;
		}
	}
	uint8_t *at = buf_extend(to, len + 2);
	at[0] = at[len + 1] = '"';
	memcpy(at + 1, text, len);
}

static void put_octets(struct buf *to, const struct field_plan *plan,
    const ProtobufCBinaryData *data)
{
	if (plan->address) {
		struct addr a = addr_from_bytes(data->data, data->len);
		jsonbuf_addr(to, &a);
	} else if (data->len == 0) {
		JSONBUF_PLAIN(to, "null");
	} else {
		jsonbuf_hex(to, data->data, data->len);
	}
}

static void put_enum(struct buf *to, const struct field_plan *plan, int value)
{
	const ProtobufCEnumDescriptor *d = plan->field->descriptor;
	const ProtobufCEnumValue *v =
	    protobuf_c_enum_descriptor_get_value(d, value);
	if (!v || plan->enum_prefix == SIZE_MAX) {
		JSONBUF_PLAIN(to, "null");
		return;
	}
	if (d == &sonde__outcome__descriptor) {
		put_text(to, outcome_name((Sonde__Outcome)value));
		return;
	}
	buf_u8(to, '"');
	for (const char *p = v->name + plan->enum_prefix; *p; p++)
		buf_u8(to,
		    (uint8_t)(*p >= 'A' && *p <= 'Z' ? *p - 'A' + 'a' : *p));
	buf_u8(to, '"');
}

static void put_unsigned(
    struct buf *to, const struct field_plan *plan, uint64_t value)
{
	uint8_t bytes[8];
	if (plan->hash) {
		for (int i = 0; i < 8; i++)
			bytes[i] = (uint8_t)(value >> (56 - 8 * i));
		jsonbuf_hex(to, bytes, sizeof(bytes));
	} else if (value <= INT64_MAX) {
		jsonbuf_integer(to, (int64_t)value);
	} else {
		put_tree(to, json_real((double)value));
	}
}

static void put_message(struct buf *to, const struct message_plan *plan,
    const ProtobufCMessage *message);

static void put_value(
    struct buf *to, const struct field_plan *plan, const void *at)
{
	switch (plan->field->type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
		jsonbuf_integer(to, *(const int32_t *)at);
		return;
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
		jsonbuf_integer(to, *(const int64_t *)at);
		return;
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		jsonbuf_integer(to, *(const uint32_t *)at);
		return;
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		put_unsigned(to, plan, *(const uint64_t *)at);
		return;
	case PROTOBUF_C_TYPE_FLOAT: /* NULL for NaN and infinity */
		put_tree(to, json_real((double)*(const float *)at));
		return;
	case PROTOBUF_C_TYPE_DOUBLE:
		put_tree(to, json_real(*(const double *)at));
		return;
	case PROTOBUF_C_TYPE_BOOL:
		if (*(const protobuf_c_boolean *)at)
			JSONBUF_PLAIN(to, "true");
		else
			JSONBUF_PLAIN(to, "false");
		return;
	case PROTOBUF_C_TYPE_ENUM: put_enum(to, plan, *(const int *)at); return;
	case PROTOBUF_C_TYPE_STRING: put_text(to, *(char *const *)at); return;
	case PROTOBUF_C_TYPE_BYTES: put_octets(to, plan, at); return;
	case PROTOBUF_C_TYPE_MESSAGE:
		put_message(to, plan->message, *(ProtobufCMessage *const *)at);
		return;
	}
	BUG("field type %d", (int)plan->field->type);
}

/* Ends an object or list, each part of which has a comma behind it. */
static void put_end(struct buf *to, char end)
{
	if (to->data[to->len - 1] == ',')
		to->data[to->len - 1] = (uint8_t)end;
	else
		buf_u8(to, (uint8_t)end);
}

static const ProtobufCMessage *item_at(const ProtobufCMessage *message,
    const ProtobufCFieldDescriptor *field, size_t i)
{
	return *(ProtobufCMessage *const *)record_field_at(message, field, i);
}

static const char *pair_name(const ProtobufCMessage *pair)
{
	return *(char *const *)record_field_at(
	    pair, &pair->descriptor->fields[0], 0);
}

static void put_pair_value(
    struct buf *to, const struct field_plan *plan, const ProtobufCMessage *pair)
{
	const struct message_plan *message = plan->message;
	for (unsigned f = 1; f < message->descriptor->n_fields; f++) {
		const struct field_plan *value = &message->fields[f];
		if (record_field_count(pair, value->field)) {
			put_value(
			    to, value, record_field_at(pair, value->field, 0));
			return;
		}
	}
	JSONBUF_PLAIN(to, "null");
}

/* The same as put_named_values for so many that names are better hashed. */
static void put_many_values(struct buf *to, const struct field_plan *plan,
    const ProtobufCMessage *message, size_t count)
{
	json_t *object = json_object();
	struct buf text = { 0 };
	for (size_t i = 0; i < count; i++) {
		const ProtobufCMessage *pair = item_at(message, plan->field, i);
		buf_clear(&text);
		put_pair_value(&text, plan, pair);
		json_object_set_new(object, pair_name(pair),
		    json_loadb((const char *)text.data, text.len,
			JSON_DECODE_ANY, NULL));
	}
	buf_fini(&text);
	put_tree(to, object);
}

/* The pair whose value counts for the name of pair i: the last of its name, or
 * NULL when the name stood before. */
static const ProtobufCMessage *pair_of(const ProtobufCMessage *message,
    const ProtobufCFieldDescriptor *field, size_t count, size_t i)
{
	const ProtobufCMessage *pair = item_at(message, field, i);
	const char *name = pair_name(pair);
	for (size_t k = 0; k < i; k++)
		if (strcmp(pair_name(item_at(message, field, k)), name) == 0)
			return NULL;
	for (size_t k = i + 1; k < count; k++) {
		const ProtobufCMessage *other = item_at(message, field, k);
		if (strcmp(pair_name(other), name) == 0)
			pair = other;
	}
	return pair;
}

/* Field and Counter lists: {"name": value, ...} */
static void put_named_values(struct buf *to, const struct field_plan *plan,
    const ProtobufCMessage *message, size_t count)
{
	if (count > NAMES_COMPARED) {
		put_many_values(to, plan, message, count);
		return;
	}
	buf_u8(to, '{');
	for (size_t i = 0; i < count; i++) {
		const ProtobufCMessage *pair =
		    pair_of(message, plan->field, count, i);
		if (!pair)
			continue;
		put_text(to, pair_name(pair));
		buf_u8(to, ':');
		put_pair_value(to, plan, pair);
		buf_u8(to, ',');
	}
	put_end(to, '}');
}

static void put_list(struct buf *to, const struct field_plan *plan,
    const ProtobufCMessage *message, size_t count)
{
	buf_u8(to, '[');
	for (size_t i = 0; i < count; i++) {
		put_value(to, plan, record_field_at(message, plan->field, i));
		buf_u8(to, ',');
	}
	put_end(to, ']');
}

static bool is_omitted(const struct field_plan *plan,
    const ProtobufCMessage *message, const void *at, size_t count)
{
	const Sonde__Reply *reply = (const Sonde__Reply *)message;
	switch (plan->omission) {
	case OMIT_NEVER: return false;
	case OMIT_UNSENT: return reply->tx_wall_ns == 0 && !reply->from.len;
	case OMIT_UNANSWERED: return !reply->from.len;
	case OMIT_EMPTY: break;
	}
	if (plan->field->label == PROTOBUF_C_LABEL_REPEATED)
		return count == 0;
	if (plan->field->type == PROTOBUF_C_TYPE_STRING)
		return !**(char *const *)at;
	return plan->field->type == PROTOBUF_C_TYPE_BOOL &&
	    !*(const protobuf_c_boolean *)at;
}

static void put_field(struct buf *to, const struct field_plan *plan,
    const ProtobufCMessage *message)
{
	bool repeated = plan->field->label == PROTOBUF_C_LABEL_REPEATED;
	size_t count = record_field_count(message, plan->field);
	if (count == 0 && !repeated)
		return; /* a oneof member that was not chosen */
	const void *at = record_field_at(message, plan->field, 0);
	if (is_omitted(plan, message, at, count))
		return;
	if (plan->wall_key) {
		buf_bytes(to, plan->wall_key, plan->wall_key_len);
		jsonbuf_wall(to, *(const int64_t *)at);
		buf_u8(to, ',');
	}
	buf_bytes(to, plan->key, plan->key_len);
	if (plan->named_values)
		put_named_values(to, plan, message, count);
	else if (repeated)
		put_list(to, plan, message, count);
	else
		put_value(to, plan, at);
	buf_u8(to, ',');
}

static void put_fields(struct buf *to, const struct message_plan *plan,
    const ProtobufCMessage *message)
{
	for (unsigned f = 0; f < plan->descriptor->n_fields; f++)
		put_field(to, &plan->fields[f], message);
	put_end(to, '}');
}

static void put_message(struct buf *to, const struct message_plan *plan,
    const ProtobufCMessage *message)
{
	buf_u8(to, '{');
	put_fields(to, plan, message);
}

void record_put_json(struct buf *to, const Sonde__Record *record)
{
	const char *kind = record_kind_name(record->body_case);
	pthread_once(&plans_once, plan_record);
	JSONBUF_PLAIN(to, "{\"schema\":\"sonde-record/1\",\"kind\":");
	if (kind)
		put_text(to, kind);
	else
		JSONBUF_PLAIN(to, "null");
	buf_u8(to, ',');
	put_fields(to, &plans[0], &record->base);
}

struct json_t *record_to_json(const Sonde__Record *record)
{
	struct buf text = { 0 };
	json_error_t error;
	record_put_json(&text, record);
	json_t *object =
	    json_loadb((const char *)text.data, text.len, 0, &error);
	if (!object)
		BUG("record: %s", error.text);
	buf_fini(&text);
	return object;
}
