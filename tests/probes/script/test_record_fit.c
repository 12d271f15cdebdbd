/* SPDX-License-Identifier: ISC */
/* What a record cannot hold is left out and counted; what decides stays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/xalloc.h"
#include "lib/record/record.h"
#include "probes/script/record-fit.h"

enum { HOPS = 30, PROBES = 64, ALL = HOPS * PROBES };

static uint8_t address[] = { 192, 0, 2, 1 };
static uint8_t label[200];

/* What `count` replies are, each its own. */
struct replies {
	Sonde__Reply all[ALL];
	Sonde__IcmpExtension extensions[ALL], *lists[ALL];
	Sonde__Reply *list[ALL];
};

static struct replies *new_replies(void)
{
	struct replies *r = xcalloc(1, sizeof(*r));
	for (size_t i = 0; i < ALL; i++) {
		sonde__reply__init(&r->all[i]);
		r->list[i] = &r->all[i];
		r->all[i].probe_ttl = (uint32_t)(1 + i / PROBES);
		r->all[i].attempt = (uint32_t)(1 + i % PROBES);
		r->all[i].tx_wall_ns = INT64_MAX;
		r->all[i].outcome = SONDE__OUTCOME__OUTCOME_SILENT;
	}
	return r;
}

static void answer(struct replies *r, size_t i, Sonde__Outcome outcome)
{
	r->all[i].outcome = outcome;
	r->all[i].from = (ProtobufCBinaryData){ sizeof(address), address };
	sonde__icmp_extension__init(&r->extensions[i]);
	r->extensions[i].data = (ProtobufCBinaryData){ sizeof(label), label };
	r->lists[i] = &r->extensions[i];
	r->all[i].extensions = &r->lists[i];
	r->all[i].n_extensions = 1;
}

static size_t record_bytes(Sonde__Trace *trace, Sonde__Ping *ping)
{
	Sonde__Record record = SONDE__RECORD__INIT;
	record.wall_ns = record.mono_ns = INT64_MAX;
	record.clock_error_ns = INT64_MAX;
	record.run = INT32_MAX;
	record.campaign = (ProtobufCBinaryData){ 16, label };
	record.body_case =
	    trace ? SONDE__RECORD__BODY_TRACE : SONDE__RECORD__BODY_PING;
	if (trace)
		record.trace = trace;
	else
		record.ping = ping;
	return sonde__record__get_packed_size(&record);
}

static void test_trace(void **state)
{
	(void)state;
	struct replies *r = new_replies();
	Sonde__Trace trace = SONDE__TRACE__INIT;
	trace.replies = r->list;
	trace.n_replies = ALL;
	/* All is answered but at hop 3, where the last alone is.  At hop 5 the
	 * target answers last; at hop 7 what follows the first is its copy. */
	for (size_t i = 0; i < ALL; i++)
		if (i / PROBES != 2 || i % PROBES == PROBES - 1)
			answer(r, i, SONDE__OUTCOME__OUTCOME_HOP);
	r->all[5 * PROBES - 1].outcome = SONDE__OUTCOME__OUTCOME_ANSWERED;
	for (size_t i = 6 * PROBES + 1; i < 7 * PROBES; i++)
		r->all[i].duplicate = true;
	record_fit_trace(&trace);
	assert_true(record_bytes(&trace, NULL) <= RECORD_MAX_BYTES);
	/* No room is wasted: a reply has less than 300 octets. */
	assert_true(record_bytes(&trace, NULL) > RECORD_MAX_BYTES - 1000);
	assert_true(trace.has_replies_left_out_case);
	assert_int_equal(trace.n_replies + trace.replies_left_out, ALL);
	bool last_of_3 = false, last_of_5 = false, first_of_7 = false;
	uint32_t hops = 0;
	for (size_t i = 0; i < trace.n_replies; i++) {
		const Sonde__Reply *one = trace.replies[i];
		if (i > 0)
			assert_true(one > trace.replies[i - 1]);
		hops +=
		    i == 0 || one->probe_ttl != trace.replies[i - 1]->probe_ttl;
		last_of_3 |= one == &r->all[3 * PROBES - 1];
		last_of_5 |= one == &r->all[5 * PROBES - 1];
		first_of_7 |= one == &r->all[6 * PROBES];
	}
	assert_int_equal(hops, HOPS);
	assert_true(last_of_3 && last_of_5 && first_of_7);
	free(r);
}

/* One that fits is not touched. */
static void test_small(void **state)
{
	(void)state;
	struct replies *r = new_replies();
	Sonde__Trace trace = SONDE__TRACE__INIT;
	trace.replies = r->list;
	trace.n_replies = 1000;
	record_fit_trace(&trace);
	assert_int_equal(trace.n_replies, 1000);
	assert_false(trace.has_replies_left_out_case);
	free(r);
}

/* Whoever sends advice must not cost a record its outcomes. */
static void test_remarks(void **state)
{
	(void)state;
	struct replies *r = new_replies(), *outcomes = new_replies();
	for (size_t i = 0; i < ALL; i++)
		answer(r, i, SONDE__OUTCOME__OUTCOME_REJECTED);
	Sonde__Trace trace = SONDE__TRACE__INIT;
	trace.remarks = r->list;
	trace.n_remarks = 500;
	trace.replies = outcomes->list;
	trace.n_replies = 3 * PROBES;
	record_fit_trace(&trace);
	assert_true(record_bytes(&trace, NULL) <= RECORD_MAX_BYTES);
	assert_int_equal(trace.n_replies, 3 * PROBES);
	assert_int_equal(trace.n_remarks + trace.replies_left_out, 500);
	assert_true(trace.n_remarks > 0);
	Sonde__Ping ping = SONDE__PING__INIT;
	ping.remarks = r->list;
	ping.n_remarks = 500;
	ping.replies = outcomes->list;
	ping.n_replies = 3 * PROBES;
	record_fit_ping(&ping);
	assert_true(record_bytes(NULL, &ping) <= RECORD_MAX_BYTES);
	assert_int_equal(ping.n_replies, 3 * PROBES);
	assert_int_equal(ping.n_remarks + ping.replies_left_out, 500);
	free(r);
	free(outcomes);
}

static void test_ping(void **state)
{
	(void)state;
	struct replies *r = new_replies();
	for (size_t i = 0; i < ALL; i++)
		answer(r, i, SONDE__OUTCOME__OUTCOME_ANSWERED);
	Sonde__Ping ping = SONDE__PING__INIT;
	ping.replies = r->list;
	ping.n_replies = ALL;
	record_fit_ping(&ping);
	assert_true(record_bytes(NULL, &ping) <= RECORD_MAX_BYTES);
	assert_true(record_bytes(NULL, &ping) > RECORD_MAX_BYTES - 1000);
	assert_int_equal(ping.n_replies + ping.replies_left_out, ALL);
	assert_ptr_equal(
	    ping.replies[ping.n_replies - 1], &r->all[ping.n_replies - 1]);
	free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_trace),
		cmocka_unit_test(test_small),
		cmocka_unit_test(test_remarks),
		cmocka_unit_test(test_ping),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
