/* SPDX-License-Identifier: ISC */
/* What processes of the agent tell each other: runs, producers, descriptors,
 * heartbeats. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/base/reader.h"
#include "probes/agent/keeper/heartbeat.h"
#include "probes/ipc/fd-pass.h"
#include "probes/ipc/record-frame.h"
#include "probes/agent/scheduler/run-request.h"

static char method[] = "--method=udp", target[] = "192.0.2.1";
static char *arguments[] = { method, target };

static struct run_request request(void)
{
	return (struct run_request){ .campaign = { 1, 2, 3 },
		.run = 9,
		.deadline_ns = 60 * NS_PER_S,
		.once = true,
		.script = "trace",
		.arguments = arguments,
		.argument_count = 2 };
}

static void a_run_request_survives_the_way(void **state)
{
	struct run_request in = request(), out;
	struct buf b = { 0 };
	(void)state;
	run_request_pack(&b, &in);
	assert_int_equal(run_request_unpack(&out, b.data, b.len), 0);
	assert_memory_equal(out.campaign, in.campaign, 16);
	assert_int_equal(out.run, 9);
	assert_int_equal(out.deadline_ns, in.deadline_ns);
	assert_true(out.once);
	assert_string_equal(out.script, "trace");
	assert_int_equal(out.argument_count, 2);
	assert_string_equal(out.arguments[1], "192.0.2.1");
	run_request_fini(&out);
	buf_fini(&b);
}

static void every_cut_of_a_run_request_is_refused(void **state)
{
	struct run_request in = request(), out;
	struct buf b = { 0 };
	(void)state;
	run_request_pack(&b, &in);
	for (size_t len = 0; len < b.len; len++)
		assert_int_not_equal(run_request_unpack(&out, b.data, len), 0);
	buf_u8(&b, 0);
	assert_int_not_equal(run_request_unpack(&out, b.data, b.len), 0);
	buf_fini(&b);
}

static void a_run_request_names_no_path(void **state)
{
	static const char *const names[] = { "../../tmp/x", "x.lua", "", "A",
		"-x" };
	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct run_request in = request(), out;
		struct buf b = { 0 };
		strcpy(in.script, names[i]);
		run_request_pack(&b, &in);
		assert_int_not_equal(
		    run_request_unpack(&out, b.data, b.len), 0);
		buf_fini(&b);
	}
}

static struct buf packed_log(uint64_t run, bool with_campaign)
{
	static uint8_t campaign[16] = { 7 };
	Sonde__Log log = SONDE__LOG__INIT;
	Sonde__Record record = SONDE__RECORD__INIT;
	struct buf b = { 0 };
	log.text = (char *)"hello";
	record.body_case = SONDE__RECORD__BODY_LOG;
	record.log = &log;
	record.run = run;
	if (with_campaign) {
		record.campaign.data = campaign;
		record.campaign.len = sizeof(campaign);
	}
	assert_int_equal(record_pack(&record, &b, NULL), 0);
	return b;
}

static int check_producer(
    const struct producer_grant *grant, const struct buf *bytes)
{
	Sonde__Record *record;
	int err =
	    producer_unpack(grant, bytes->data, bytes->len, &record, NULL);
	record_free(record);
	return err;
}

static void a_producer_adds_only_what_it_may(void **state)
{
	struct producer_grant bound = { "run", RECORD_BY_SCRIPT, PRODUCER_BOUND,
		{ 7 }, 3 };
	struct producer_grant sensor = { "sensor", RECORD_BY_SENSOR, 0, { 0 },
		0 };
	struct producer_grant mute = { "mute", 0, 0, { 0 }, 0 };
	struct producer_grant any = { "feed", RECORD_BY_LOGGER, PRODUCER_FREE,
		{ 0 }, 0 };
	struct buf own = packed_log(3, true), other = packed_log(4, true),
		   none = packed_log(0, false);
	(void)state;
#define CHECK(grant, b) check_producer(&(grant), &(b))
	assert_int_equal(CHECK(bound, own), 0);
	assert_int_equal(CHECK(bound, other), ERR_DENIED);
	assert_int_equal(CHECK(bound, none), ERR_DENIED);
	assert_int_equal(CHECK(sensor, none), 0);
	assert_int_equal(CHECK(sensor, own), ERR_DENIED);
	assert_int_equal(CHECK(mute, none), ERR_DENIED);
	assert_int_equal(CHECK(any, other), 0);
	own.data[0] ^= 0xff;
	assert_int_not_equal(CHECK(any, own), 0);
	buf_fini(&own);
	buf_fini(&other);
	buf_fini(&none);
}

static void frames_end_where_they_say(void **state)
{
	struct buf b = { 0 };
	const uint8_t *record;
	size_t len;
	(void)state;
	buf_be32(&b, 3);
	buf_bytes(&b, "abc", 3);
	buf_be32(&b, 1);
	buf_bytes(&b, "d", 1);
	struct reader r = reader_init(b.data, b.len);
	assert_int_equal(producer_next_frame(&r, &record, &len), 0);
	assert_int_equal(len, 3);
	assert_int_equal(producer_next_frame(&r, &record, &len), 0);
	assert_memory_equal(record, "d", 1);
	assert_int_equal(producer_next_frame(&r, &record, &len), ERR_EOF);
	r = reader_init(b.data, b.len - 1);
	assert_int_equal(producer_next_frame(&r, &record, &len), 0);
	assert_int_equal(producer_next_frame(&r, &record, &len), ERR_TRUNCATED);
	buf_clear(&b);
	buf_be32(&b, RECORD_MAX_BYTES + 1);
	r = reader_init(b.data, b.len);
	assert_int_equal(producer_next_frame(&r, &record, &len), ERR_LIMIT);
	buf_clear(&b);
	buf_be32(&b, 0);
	r = reader_init(b.data, b.len);
	assert_int_equal(producer_next_frame(&r, &record, &len), ERR_LIMIT);
	buf_fini(&b);
}

static void a_descriptor_travels_with_its_message(void **state)
{
	int pair[2], ends[2], got;
	char message[4], c;
	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(pass_send(pair[0], ends[1], "abcd", 4), 0);
	assert_int_equal(pass_receive(pair[1], &got, message, 4), 0);
	assert_memory_equal(message, "abcd", 4);
	assert_int_equal(write(got, "x", 1), 1);
	assert_int_equal(read(ends[0], &c, 1), 1);
	close(got);
	assert_int_equal(pass_send(pair[0], ends[1], "abc", 3), 0);
	assert_int_equal(
	    pass_receive(pair[1], &got, message, 4), ERR_MALFORMED);
	assert_int_equal(send(pair[0], "abcd", 4, 0), 4);
	assert_int_equal(
	    pass_receive(pair[1], &got, message, 4), ERR_MALFORMED);
	close(ends[0]);
	close(ends[1]);
	close(pair[0]);
	close(pair[1]);
}

static void a_heartbeat_carries_every_page(void **state)
{
	struct counters *a = counters_new(), *b = counters_new();
	struct heartbeat_source sources[] = { { "guardian", a },
		{ "sensor", b } };
	struct heartbeat_host host = { 1, { addr_v4(0xc0000201) } };
	struct buf packed = { 0 };
	Sonde__Record *record;
	(void)state;
	counters_add(counters_cell(a, "guardian.sent"), 5);
	counters_add(counters_cell(b, "captured"), 6);
	counters_add(counters_cell(b, "guardian.sent"), 7); /* a lie */
	assert_int_equal(
	    heartbeat_pack(&packed, sources, 2, &host, 3 * NS_PER_S, NULL), 0);
	assert_int_equal(
	    record_unpack(&record, packed.data, packed.len, NULL), 0);
	assert_int_equal(record->heartbeat->n_counters, 3);
	assert_string_equal(
	    record->heartbeat->counters[0]->name, "guardian.sent");
	assert_int_equal(record->heartbeat->counters[0]->value, 5);
	assert_string_equal(
	    record->heartbeat->counters[1]->name, "sensor.captured");
	assert_string_equal(
	    record->heartbeat->counters[2]->name, "sensor.guardian.sent");
	assert_int_equal(record->heartbeat->n_addresses, 1);
	assert_int_equal(record->heartbeat->addresses[0].len, 4);
	assert_int_equal(record->heartbeat->uptime_ns, 3 * NS_PER_S);
	record_free(record);
	buf_fini(&packed);
	counters_free(a);
	counters_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_run_request_survives_the_way),
		cmocka_unit_test(every_cut_of_a_run_request_is_refused),
		cmocka_unit_test(a_run_request_names_no_path),
		cmocka_unit_test(a_producer_adds_only_what_it_may),
		cmocka_unit_test(frames_end_where_they_say),
		cmocka_unit_test(a_descriptor_travels_with_its_message),
		cmocka_unit_test(a_heartbeat_carries_every_page),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
