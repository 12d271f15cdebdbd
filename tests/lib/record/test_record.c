/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/record/record.h"
#include "lib/base/xalloc.h"

static uint8_t v4[4] = { 192, 0, 2, 1 };
static uint8_t v6[16] = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 };

/* A trace with one answer and one silence. */
struct sample {
	Sonde__Record record;
	Sonde__Trace trace;
	Sonde__Reply replies[2];
	Sonde__Reply *list[2];
};

static void sample_init(struct sample *s)
{
	sonde__record__init(&s->record);
	sonde__trace__init(&s->trace);
	for (size_t i = 0; i < 2; i++) {
		sonde__reply__init(&s->replies[i]);
		s->replies[i].probe_ttl = (uint32_t)i + 1;
		s->replies[i].attempt = 1;
		s->list[i] = &s->replies[i];
	}
	s->replies[0].from = (ProtobufCBinaryData){ 4, v4 };
	REPLY_SET(&s->replies[0], RTT_NS, rtt_ns, 1500000);
	s->replies[0].tx_wall_ns = 1790042345123456789;
	s->replies[0].tx_clock = SONDE__CLOCK__CLOCK_KERNEL_SOFTWARE;
	REPLY_SET(&s->replies[0], ICMP_TYPE, icmp_type, 11);
	REPLY_SET(&s->replies[0], ICMP_CODE, icmp_code, 0);
	s->trace.src = (ProtobufCBinaryData){ 4, v4 };
	s->trace.dst = (ProtobufCBinaryData){ 16, v6 };
	s->trace.method = (char *)"udp";
	s->trace.flow_id = UINT64_MAX;
	s->trace.n_replies = 2;
	s->trace.replies = s->list;
	s->record.body_case = SONDE__RECORD__BODY_TRACE;
	s->record.trace = &s->trace;
}

static void a_record_survives_the_way_through_bytes(void **state)
{
	(void)state;
	struct sample s;
	struct buf b = { 0 };
	struct errmsg msg = { "" };
	Sonde__Record *r;
	sample_init(&s);
	record_stamp(&s.record);
	assert_int_equal(record_pack(&s.record, &b, &msg), 0);
	assert_int_equal(record_unpack(&r, b.data, b.len, &msg), 0);
	assert_int_equal(r->wall_ns, s.record.wall_ns);
	assert_int_equal(r->clock_state, s.record.clock_state);
	assert_string_equal(record_kind_name(r->body_case), "trace");
	assert_int_equal(r->trace->n_replies, 2);
	assert_memory_equal(r->trace->dst.data, v6, 16);
	assert_int_equal(r->trace->replies[0]->rtt_ns, 1500000);
	record_free(r);
	buf_fini(&b);
}

static void a_stamp_knows_the_time_and_its_error(void **state)
{
	(void)state;
	Sonde__Record r = SONDE__RECORD__INIT;
	int64_t before = walltime_now().ns, mono = monotime_now().ns;
	record_stamp(&r);
	assert_true(r.wall_ns >= before && r.wall_ns <= walltime_now().ns);
	assert_true(r.mono_ns >= mono && r.mono_ns <= monotime_now().ns);
}

static void refused(const Sonde__Record *r, int expected, const char *text)
{
	struct buf b = { 0 };
	struct errmsg msg = { "" };
	assert_int_equal(record_pack(r, &b, &msg), expected);
	assert_string_equal(msg.text, text);
	assert_int_equal(b.len, 0);
	buf_fini(&b);
	/* The same bytes, packed by somebody who does not check. */
	size_t len = sonde__record__get_packed_size(r);
	uint8_t *bytes = xmalloc(len);
	Sonde__Record *got;
	sonde__record__pack(r, bytes);
	assert_int_equal(record_unpack(&got, bytes, len, &msg), expected);
	assert_null(got);
	assert_string_equal(msg.text, text);
	free(bytes);
}

static void wrong_fields_are_named(void **state)
{
	(void)state;
	struct sample s;
	sample_init(&s);
	s.trace.src.len = 3;
	refused(&s.record, ERR_MALFORMED,
	    "record: trace: src: an address, "
	    "expected 4 or 16 bytes, got 3");
	sample_init(&s);
	s.record.campaign = (ProtobufCBinaryData){ 4, v4 };
	refused(&s.record, ERR_MALFORMED,
	    "record: campaign: expected 16 bytes, got 4");
	sample_init(&s);
	s.replies[1].tx_clock = 77;
	refused(&s.record, ERR_MALFORMED,
	    "record: trace: replies: tx_clock: no such value, got 77");
	sample_init(&s);
	s.trace.dst_name = (char *)"\xff";
	refused(&s.record, ERR_MALFORMED, "record: trace: dst_name: not UTF-8");
	sample_init(&s);
	s.record.body_case = SONDE__RECORD__BODY__NOT_SET;
	refused(&s.record, ERR_UNSUPPORTED,
	    "body: none, or of a kind that is not known here");
}

/* A C string ends there, its bytes do not: none is another's text. */
static void a_text_with_a_nul_is_refused(void **state)
{
	(void)state;
	static const struct {
		const char *name, *bytes;
	} texts[] = { { "signature", "slam" }, { "verdict", "worm" } };
	Sonde__Sighting sighting = SONDE__SIGHTING__INIT;
	Sonde__Record record = SONDE__RECORD__INIT;
	uint8_t bytes[200];
	sighting.signature = (char *)"slammer";
	sighting.verdict = (char *)"worm";
	record.body_case = SONDE__RECORD__BODY_SIGHTING;
	record.sighting = &sighting;
	size_t len = sonde__record__pack(&record, bytes);
	for (size_t i = 0; i < 2; i++) {
		Sonde__Record *got;
		struct errmsg msg = { "" };
		sonde__record__pack(&record, bytes);
		assert_int_equal(record_unpack(&got, bytes, len, &msg), 0);
		record_free(got);
		uint8_t *at = memmem(bytes, len, texts[i].bytes, 4);
		assert_non_null(at);
		at[3] = 0;
		assert_int_equal(
		    record_unpack(&got, bytes, len, &msg), ERR_MALFORMED);
		assert_null(got);
		assert_non_null(strstr(msg.text, texts[i].name));
		assert_non_null(strstr(msg.text, "NUL"));
	}
}

static void utf8_is_checked_as_rfc_3629_says(void **state)
{
	(void)state;
	static const char *const good[] = { "", "a", "\xc2\x80", "\xdf\xbf",
		"\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbf",
		"\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf" };
	static const char *const bad[] = { "\x80", "\xc0\x80", "\xc1\xbf",
		"\xc2",
		"\xc2"
		"a",
		"\xe0\x9f\xbf", "\xed\xa0\x80", "\xef\xbf", "\xf0\x8f\xbf\xbf",
		"\xf4\x90\x80\x80", "\xf8", "\xff" };
	Sonde__Log log = SONDE__LOG__INIT;
	Sonde__Record r = SONDE__RECORD__INIT;
	r.body_case = SONDE__RECORD__BODY_LOG;
	r.log = &log;
	struct buf b = { 0 };
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		log.text = (char *)good[i];
		assert_int_equal(record_pack(&r, &b, NULL), 0);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		log.text = (char *)bad[i];
		assert_int_equal(record_pack(&r, &b, NULL), ERR_MALFORMED);
	}
	buf_fini(&b);
}

/* Small records are packed without asking how large they are, into room that
 * must be enough. */
static void there_is_room_for_the_largest_numbers(void **state)
{
	(void)state;
	Sonde__Record r = SONDE__RECORD__INIT;
	Sonde__Gap gap = SONDE__GAP__INIT;
	static uint8_t octets[3000];
	ProtobufCMessageUnknownField unknown = { 9999,
		PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED, sizeof(octets), octets };
	octets[0] = 0xb6; /* the length of what follows */
	octets[1] = 0x17;
	r.wall_ns = r.mono_ns = -1;
	r.clock_error_ns = r.run = UINT64_MAX;
	r.body_case = SONDE__RECORD__BODY_GAP;
	r.gap = &gap;
	gap.from_seq = gap.to_seq = gap.unnumbered = UINT64_MAX;
	for (unsigned with = 0; with <= 1; with++) {
		struct buf b = { 0 };
		gap.base.n_unknown_fields = with;
		gap.base.unknown_fields = &unknown;
		size_t len = sonde__record__get_packed_size(&r);
		uint8_t *bytes = xmalloc(len);
		sonde__record__pack(&r, bytes);
		assert_int_equal(record_pack(&r, &b, NULL), 0);
		assert_true(b.cap >= len);
		assert_int_equal(b.len, len);
		assert_memory_equal(b.data, bytes, len);
		free(bytes);
		buf_fini(&b);
	}
}

static void too_large_is_a_limit(void **state)
{
	(void)state;
	Sonde__Payload payload = SONDE__PAYLOAD__INIT;
	Sonde__Record r = SONDE__RECORD__INIT, *got;
	struct buf b = { 0 };
	payload.octets.len = RECORD_MAX_BYTES;
	payload.octets.data = xcalloc(1, RECORD_MAX_BYTES);
	r.body_case = SONDE__RECORD__BODY_PAYLOAD;
	r.payload = &payload;
	assert_int_equal(record_pack(&r, &b, NULL), ERR_LIMIT);
	assert_int_equal(record_unpack(&got, payload.octets.data,
			     RECORD_MAX_BYTES + 1, NULL),
	    ERR_LIMIT);
	free(payload.octets.data);
	/* 30,000 empty replies in 60 kB: the structs would take megabytes. */
	uint8_t *many = xcalloc(1, RECORD_MAX_BYTES);
	static const uint8_t head[] = { 0x82, 0x01, 0xe0, 0xd4, 0x03 };
	memcpy(many, head, sizeof(head));
	for (size_t i = 0; i < 30000; i++)
		many[sizeof(head) + 2 * i] = 0x62;
	assert_int_equal(
	    record_unpack(&got, many, sizeof(head) + 60000, NULL), ERR_LIMIT);
	free(many);
	buf_fini(&b);
}

static void garbage_does_not_unpack(void **state)
{
	(void)state;
	static const uint8_t bytes[] = { 0xff, 0xff, 0xff, 0xff };
	Sonde__Record *got;
	assert_int_equal(
	    record_unpack(&got, bytes, sizeof(bytes), NULL), ERR_MALFORMED);
	assert_int_equal(record_unpack(&got, bytes, 0, NULL), ERR_UNSUPPORTED);
}

static const char *text_at(json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static void json_speaks_to_people(void **state)
{
	(void)state;
	struct sample s;
	sample_init(&s);
	json_t *j = record_to_json(&s.record);
	json_t *trace = json_object_get(j, "trace");
	assert_string_equal(text_at(j, "schema"), "sonde-record/1");
	assert_string_equal(text_at(j, "kind"), "trace");
	assert_string_equal(text_at(j, "clock_state"), "unknown");
	assert_string_equal(
	    text_at(j, "wall"), "1970-01-01T00:00:00.000000000Z");
	assert_string_equal(text_at(trace, "dst"), "2001:db8::1");
	assert_string_equal(text_at(trace, "flow_id"), "ffffffffffffffff");
	json_t *reply = json_array_get(json_object_get(trace, "replies"), 0);
	assert_string_equal(text_at(reply, "from"), "192.0.2.1");
	assert_string_equal(text_at(reply, "tx_clock"), "kernel_software");
	assert_string_equal(
	    text_at(reply, "tx_wall"), "2026-09-22T01:59:05.123456789Z");
	assert_int_equal(
	    json_integer_value(json_object_get(reply, "tx_wall_ns")),
	    1790042345123456789);
	assert_int_equal(
	    json_integer_value(json_object_get(reply, "icmp_code")), 0);
	assert_non_null(json_object_get(reply, "icmp_code"));
	assert_null(json_object_get(reply, "tcp_flags"));
	assert_null(json_object_get(reply, "quoted_tos"));
	reply = json_array_get(json_object_get(trace, "replies"), 1);
	assert_true(json_is_null(json_object_get(reply, "from")));
	assert_null(json_object_get(reply, "rtt_ns"));
	assert_null(json_object_get(reply, "denied"));
	/* It never left: no time says when. */
	assert_null(json_object_get(reply, "tx_wall"));
	assert_null(json_object_get(reply, "tx_wall_ns"));
	assert_null(json_object_get(reply, "tx_clock"));
	json_decref(j);
}

static void fields_and_counters_become_objects(void **state)
{
	(void)state;
	Sonde__Field a = SONDE__FIELD__INIT, b = SONDE__FIELD__INIT,
		     c = SONDE__FIELD__INIT, d = SONDE__FIELD__INIT;
	Sonde__Field *list[] = { &a, &b, &c, &d };
	Sonde__Train train = SONDE__TRAIN__INIT;
	Sonde__Record r = SONDE__RECORD__INIT;
	a.name = (char *)"rate";
	a.value_case = SONDE__FIELD__VALUE_NUMBER;
	a.number = NAN;
	b.name = (char *)"hop";
	b.value_case = SONDE__FIELD__VALUE_ADDRESS;
	b.address = (ProtobufCBinaryData){ 4, v4 };
	c.name = (char *)"n";
	c.value_case = SONDE__FIELD__VALUE_INTEGER;
	c.integer = -5;
	d.name = (char *)"none";
	train.n_fields = 4;
	train.fields = list;
	r.body_case = SONDE__RECORD__BODY_TRAIN;
	r.train = &train;
	json_t *j = record_to_json(&r);
	json_t *fields = json_object_get(json_object_get(j, "train"), "fields");
	assert_true(json_is_null(json_object_get(fields, "rate")));
	assert_string_equal(text_at(fields, "hop"), "192.0.2.1");
	assert_int_equal(json_integer_value(json_object_get(fields, "n")), -5);
	assert_true(json_is_null(json_object_get(fields, "none")));
	json_decref(j);
}

/* What is written without a tree is what the tree would be. */
static void assert_text_is_tree(const Sonde__Record *record)
{
	struct buf text = { 0 };
	record_put_json(&text, record);
	buf_u8(&text, '\0');
	json_t *tree = record_to_json(record);
	char *dump = json_dumps(tree, JSON_COMPACT);
	assert_string_equal((const char *)text.data, dump);
	free(dump);
	json_decref(tree);
	buf_fini(&text);
}

enum { NAMES = 300 };

/* Counters of few names and of many, each name twice: the last value counts,
 * at the place of the first. */
static void a_name_that_comes_twice_has_its_last_value(void **state)
{
	(void)state;
	static Sonde__Counter counters[2 * NAMES];
	static char names[NAMES][16];
	Sonde__Counter *list[2 * NAMES];
	Sonde__Heartbeat heartbeat = SONDE__HEARTBEAT__INIT;
	Sonde__Record r = SONDE__RECORD__INIT;
	heartbeat.counters = list;
	r.body_case = SONDE__RECORD__BODY_HEARTBEAT;
	r.heartbeat = &heartbeat;
	for (size_t names_used = 2; names_used <= NAMES;
	     names_used += NAMES - 2) {
		heartbeat.n_counters = 2 * names_used;
		for (size_t i = 0; i < 2 * names_used; i++) {
			char *name = names[i % names_used];
			snprintf(
			    name, sizeof(names[0]), "a.%zu", i % names_used);
			sonde__counter__init(&counters[i]);
			counters[i].name = name;
			counters[i].value = i;
			list[i] = &counters[i];
		}
		json_t *j = record_to_json(&r);
		json_t *object = json_object_get(
		    json_object_get(j, "heartbeat"), "counters");
		assert_int_equal(json_object_size(object), names_used);
		assert_int_equal(
		    json_integer_value(json_object_get(object, "a.1")),
		    names_used + 1);
		assert_string_equal(
		    json_object_iter_key(json_object_iter(object)), "a.0");
		json_decref(j);
		assert_text_is_tree(&r);
	}
}

static void json_text_is_what_a_tree_would_be(void **state)
{
	(void)state;
	static const char *const texts[] = { "", "plain", "a\"b\\c/d",
		"\n\t\x01\x7f", "z\xc3\xbcrich", "\xff\xfe" };
	struct sample s;
	sample_init(&s);
	assert_text_is_tree(&s.record);
	Sonde__Field field = SONDE__FIELD__INIT;
	Sonde__Field *list[] = { &field };
	Sonde__Train train = SONDE__TRAIN__INIT;
	Sonde__Record r = SONDE__RECORD__INIT;
	train.n_fields = 1;
	train.fields = list;
	r.body_case = SONDE__RECORD__BODY_TRAIN;
	r.train = &train;
	r.run = UINT64_MAX; /* past a JSON integer here */
	field.name = (char *)"t";
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		field.value_case = SONDE__FIELD__VALUE_TEXT;
		field.text = (char *)texts[i];
		assert_text_is_tree(&r);
	}
	static const double reals[] = { 0, 1, -2.5, 1e300, 1.0 / 3 };
	for (size_t i = 0; i < sizeof(reals) / sizeof(reals[0]); i++) {
		field.value_case = SONDE__FIELD__VALUE_NUMBER;
		field.number = reals[i];
		assert_text_is_tree(&r);
	}
}

static void a_gap_counts_all_its_ranges(void **state)
{
	(void)state;
	uint64_t more[] = { 3, 10, 1, 100 };
	Sonde__Gap gap = SONDE__GAP__INIT;
	gap.unnumbered = 1000;
	assert_int_equal(record_gap_count(&gap), 1000);
	gap.from_seq = 5;
	gap.to_seq = 5;
	gap.more = more;
	gap.n_more = 4;
	assert_int_equal(record_gap_count(&gap), 1111);
	more[3] = UINT64_MAX;
	assert_true(record_gap_count(&gap) == UINT64_MAX);
}

/* The table and the schema's oneof are the same list. */
static void every_body_has_a_row_in_the_table_of_kinds(void **state)
{
	(void)state;
	const ProtobufCMessageDescriptor *d = &sonde__record__descriptor;
	size_t bodies = 0, rows = 0;
	for (unsigned i = 0; i < d->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &d->fields[i];
		if (!(field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF))
			continue;
		const struct record_kind *kind =
		    record_kind_of((Sonde__Record__BodyCase)field->id);
		assert_non_null(kind);
		assert_string_equal(kind->name, field->name);
		assert_ptr_equal(
		    kind, record_kind_find(kind->name, strlen(kind->name)));
		bodies++;
	}
	for (const struct record_kind *k = record_kinds; k->name; k++) {
		assert_true(k->producers != 0);
		rows++;
	}
	assert_int_equal(rows, bodies);
	assert_null(record_kind_name(SONDE__RECORD__BODY__NOT_SET));
	assert_null(record_kind_find("trac", 4));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_survives_the_way_through_bytes),
		cmocka_unit_test(a_stamp_knows_the_time_and_its_error),
		cmocka_unit_test(wrong_fields_are_named),
		cmocka_unit_test(a_text_with_a_nul_is_refused),
		cmocka_unit_test(utf8_is_checked_as_rfc_3629_says),
		cmocka_unit_test(there_is_room_for_the_largest_numbers),
		cmocka_unit_test(too_large_is_a_limit),
		cmocka_unit_test(garbage_does_not_unpack),
		cmocka_unit_test(json_speaks_to_people),
		cmocka_unit_test(fields_and_counters_become_objects),
		cmocka_unit_test(a_name_that_comes_twice_has_its_last_value),
		cmocka_unit_test(json_text_is_what_a_tree_would_be),
		cmocka_unit_test(a_gap_counts_all_its_ranges),
		cmocka_unit_test(every_body_has_a_row_in_the_table_of_kinds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
