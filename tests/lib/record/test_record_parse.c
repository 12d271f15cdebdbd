/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "lib/record/record.h"

static uint8_t v4[4] = { 192, 0, 2, 1 };
static uint8_t id[16] = { 1, 2, 3 };

/* bytes -> record -> JSON -> record -> bytes: the same bytes. */
static void comes_back(Sonde__Record *record)
{
	struct buf before = { 0 }, after = { 0 };
	struct errmsg msg = { "" };
	Sonde__Record *again;
	assert_int_equal(record_pack(record, &before, &msg), 0);
	json_t *json = record_to_json(record);
	if (record_from_json(&again, json, &msg) != 0)
		fail_msg("%s", msg.text);
	assert_int_equal(record_pack(again, &after, &msg), 0);
	assert_int_equal(before.len, after.len);
	assert_memory_equal(before.data, after.data, before.len);
	record_free(again);
	json_decref(json);
	buf_fini(&before);
	buf_fini(&after);
}

static void a_trace_comes_back(void **state)
{
	Sonde__MplsEntry mpls = SONDE__MPLS_ENTRY__INIT,
			 *mpls_list[] = { &mpls };
	Sonde__IcmpExtension ext = SONDE__ICMP_EXTENSION__INIT,
			     *exts[] = { &ext };
	Sonde__Reply reply = SONDE__REPLY__INIT, *replies[] = { &reply };
	Sonde__Trace trace = SONDE__TRACE__INIT;
	Sonde__Record record = SONDE__RECORD__INIT;
	(void)state;
	mpls.label = 100;
	ext.data = (ProtobufCBinaryData){ 4, v4 };
	ext.mpls = mpls_list;
	ext.n_mpls = 1;
	reply.from = (ProtobufCBinaryData){ 4, v4 };
	reply.tx_clock = SONDE__CLOCK__CLOCK_KERNEL_SOFTWARE;
	REPLY_SET(&reply, RTT_NS, rtt_ns, 77);
	reply.extensions = exts;
	reply.n_extensions = 1;
	trace.flow_id = UINT64_MAX - 1;
	trace.dst = (ProtobufCBinaryData){ 16, id };
	trace.method = (char *)"udp";
	trace.replies = replies;
	trace.n_replies = 1;
	record.campaign = (ProtobufCBinaryData){ 16, id };
	record.run = 5;
	record.clock_state = SONDE__CLOCK_STATE__CLOCK_STATE_SYNCHRONISED;
	record.body_case = SONDE__RECORD__BODY_TRACE;
	record.trace = &trace;
	record_stamp(&record);
	comes_back(&record);
}

static void counters_and_fields_come_back(void **state)
{
	Sonde__Counter c = SONDE__COUNTER__INIT, *counters[] = { &c };
	Sonde__Heartbeat heartbeat = SONDE__HEARTBEAT__INIT;
	Sonde__Field a = SONDE__FIELD__INIT, b = SONDE__FIELD__INIT,
		     *fields[] = { &a, &b };
	Sonde__Train train = SONDE__TRAIN__INIT;
	Sonde__Record record = SONDE__RECORD__INIT;
	(void)state;
	c.name = (char *)"guardian.sent";
	c.value = INT64_MAX;
	heartbeat.counters = counters;
	heartbeat.n_counters = 1;
	record.body_case = SONDE__RECORD__BODY_HEARTBEAT;
	record.heartbeat = &heartbeat;
	comes_back(&record);
	a.name = (char *)"hops";
	a.value_case = SONDE__FIELD__VALUE_INTEGER;
	a.integer = -3;
	b.name = (char *)"why";
	b.value_case = SONDE__FIELD__VALUE_TEXT;
	b.text = (char *)"none";
	train.fields = fields;
	train.n_fields = 2;
	record.body_case = SONDE__RECORD__BODY_TRAIN;
	record.train = &train;
	comes_back(&record);
}

/* What an agent may say, however odd, spoils no list that it is in. */
static void odd_values_come_back(void **state)
{
	Sonde__Gap gap = SONDE__GAP__INIT;
	Sonde__Heartbeat heartbeat = SONDE__HEARTBEAT__INIT;
	Sonde__Record record = SONDE__RECORD__INIT;
	uint64_t more[] = { 0, 5, 0 };
	ProtobufCBinaryData addresses[] = { { 4, v4 }, { 0, NULL },
		{ 16, id } };
	(void)state;
	gap.to_seq = UINT64_MAX;
	gap.more = more;
	gap.n_more = 3;
	record.clock_error_ns = UINT64_MAX;
	record.body_case = SONDE__RECORD__BODY_GAP;
	record.gap = &gap;
	comes_back(&record);
	heartbeat.addresses = addresses;
	heartbeat.n_addresses = 3;
	record.body_case = SONDE__RECORD__BODY_HEARTBEAT;
	record.heartbeat = &heartbeat;
	comes_back(&record);
}

static void what_does_not_fit_is_refused(void **state)
{
	static const char *const bad[] = { "[]", "{}", "{\"trace\":7}",
		"{\"trace\":{\"src\":\"nowhere\"}}",
		"{\"trace\":{},\"ping\":{}}", "{\"trace\":{\"replies\":{}}}",
		"{\"trace\":{\"replies\":[7]}}", "{\"run\":-1,\"log\":{}}",
		"{\"campaign\":\"abc\",\"log\":{}}",
		"{\"campaign\":\"abcd\",\"log\":{}}", "{\"log\":{\"text\":7}}",
		"{\"log\":{\"level\":4294967296}}",
		"{\"clock_state\":\"odd\",\"log\":{}}",
		"{\"heartbeat\":{\"counters\":{\"a\":{}}}}",
		"{\"train\":{\"fields\":{\"a\":[1]}}}" };
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		Sonde__Record *record;
		json_t *json = json_loads(bad[i], 0, NULL);
		assert_non_null(json);
		if (record_from_json(&record, json, NULL) == 0)
			fail_msg("was taken: %s", bad[i]);
		assert_null(record);
		json_decref(json);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_trace_comes_back),
		cmocka_unit_test(counters_and_fields_come_back),
		cmocka_unit_test(odd_values_come_back),
		cmocka_unit_test(what_does_not_fit_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
