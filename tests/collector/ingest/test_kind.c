/* SPDX-License-Identifier: ISC */
/*
 * A kind that only this test has, from the producer's grant to the query's
 * JSON.  Everything but the schema, the table of kinds and the kind's own file
 * is the very object code that the programs are linked from.
 */
#include "tests/collector/fixture.h"

#include <string.h>

#include "collector/core/event-log.h"
#include "lib/formats/format.h"
#include "probes/ipc/record-frame.h"
#include "tests/collector/ingest/kind-echo.h"

static struct synth agent;

static int setup(void **state)
{
	int err = fixture_setup(state);
	fixture_enrol(*state, &agent, "alpha", NULL);
	return err;
}

static int teardown(void **state)
{
	synth_fini(&agent);
	return fixture_teardown(state);
}

static void with_echo(unsigned value, int64_t at_ns,
    void fn(const Sonde__Record *, void *), void *ctx)
{
	uint8_t src[] = { 192, 0, 2, 9 }, campaign[16] = { 7 };
	Sonde__Echo echo = SONDE__ECHO__INIT;
	Sonde__Record record = SONDE__RECORD__INIT;
	echo.src = (ProtobufCBinaryData){ sizeof(src), src };
	echo.text = (char *)"hello";
	echo.value = value;
	record.wall_ns = at_ns;
	record.campaign = (ProtobufCBinaryData){ sizeof(campaign), campaign };
	record.run = 3;
	record.body_case = SONDE__RECORD__BODY_ECHO;
	record.echo = &echo;
	fn(&record, ctx);
}

static void give_agent(const Sonde__Record *record, void *ctx)
{
	synth_add(ctx, record);
}

static void it_travels_from_batch_to_query(void **state)
{
	struct fixture *f = *state;
	struct event events[8];
	uint64_t start = events_last_id(f->c), oldest;
	with_echo(40, f->now_ns - NS_PER_S, give_agent, &agent);
	with_echo(2, f->now_ns - NS_PER_S, give_agent, &agent);
	fixture_ship(f, &agent);
	assert_int_equal(echo_calls.announced, 42);

	json_t *answer =
	    fixture_query(f, query_records, "kind=echo&src=192.0.2.9");
	json_t *items = json_object_get(answer, "items");
	assert_int_equal(json_array_size(items), 2);
	json_t *record = json_object_get(json_array_get(items, 0), "record");
	json_t *echo = json_object_get(record, "echo");
	assert_string_equal(
	    json_string_value(json_object_get(record, "kind")), "echo");
	assert_string_equal(
	    json_string_value(json_object_get(echo, "src")), "192.0.2.9");
	assert_string_equal(
	    json_string_value(json_object_get(echo, "text")), "hello");
	json_decref(answer);
	answer = fixture_query(f, query_records, "kind=echo&src=192.0.2.8");
	assert_int_equal(json_array_size(json_object_get(answer, "items")), 0);
	json_decref(answer);

	int n = events_after(f->c, start, events, 8, &oldest), found = 0;
	for (int i = 0; i < n; i++) {
		found += strstr(events[i].data, "\"kind\":\"echo\"") != NULL;
		event_fini(&events[i]);
	}
	assert_int_equal(found, 1);
}

static void what_its_file_refuses_is_refused_by_name(void **state)
{
	struct fixture *f = *state;
	struct buf body = { 0 };
	with_echo(1, f->now_ns, give_agent, &agent);
	with_echo(ECHO_MOST + 1, f->now_ns, give_agent, &agent);
	assert_true(synth_seal(&agent, &body));
	struct ingest_answer answer = fixture_send(f, body.data, body.len);
	assert_int_equal(answer.result, INGEST_MALFORMED);
	assert_string_equal(answer.detail.text,
	    "record 1: echo: value: expected at most 1000, got 1001");
	json_t *records = fixture_query(f, query_records, "kind=echo");
	assert_int_equal(json_array_size(json_object_get(records, "items")), 0);
	json_decref(records);
	buf_fini(&body);
}

static void check_grants(const Sonde__Record *record, void *ctx)
{
	struct producer_grant script = { "script", RECORD_BY_SCRIPT,
		PRODUCER_FREE, { 0 }, 0 };
	struct producer_grant sensor = { "sensor", RECORD_BY_SENSOR,
		PRODUCER_FREE, { 0 }, 0 };
	struct buf packed = { 0 };
	struct errmsg msg;
	Sonde__Record *unpacked;
	(void)ctx;
	assert_int_equal(record_pack(record, &packed, NULL), 0);
	assert_int_equal(
	    producer_unpack(&script, packed.data, packed.len, &unpacked, &msg),
	    0);
	record_free(unpacked);
	assert_int_equal(
	    record_kind_of(record->body_case)->class, SPOOL_RESULTS);
	assert_int_equal(
	    producer_unpack(&sensor, packed.data, packed.len, &unpacked, &msg),
	    ERR_DENIED);
	assert_string_equal(msg.text, "a record of kind echo");
	buf_fini(&packed);
}

static void the_table_says_who_may_produce_it(void **state)
{
	(void)state;
	with_echo(1, 0, check_grants, NULL);
}

static void print_text(const Sonde__Record *record, void *ctx)
{
	void *format;
	assert_int_equal(format_text.open(&format, ctx, 0, NULL), 0);
	assert_int_equal(format_text.item(format, record, NULL), 0);
	assert_int_equal(format_text.close(format, NULL), 0);
}

static void formats_name_what_they_do_not_know(void **state)
{
	char text[200] = "";
	FILE *to = fmemopen(text, sizeof(text), "w");
	(void)state;
	with_echo(1, DAY_START_NS, print_text, to);
	fclose(to);
	assert_string_equal(text, "2026-11-22 00:00:00  echo\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_travels_from_batch_to_query),
		TEST(what_its_file_refuses_is_refused_by_name),
		cmocka_unit_test(the_table_says_who_may_produce_it),
		cmocka_unit_test(formats_name_what_they_do_not_know),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
