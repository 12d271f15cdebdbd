/* SPDX-License-Identifier: ISC */
/* What becomes of a probe, by who says what, and when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "lib/packet/packet.h"
#include "lib/record/outcome.h"

#define OUT(name) SONDE__OUTCOME__OUTCOME_##name

static struct addr addr(const char *text)
{
	struct addr a;
	assert_int_equal(addr_parse(&a, text), 0);
	return a;
}

/* icmp -1: no ICMP. */
struct row {
	const char *from; /* "target" or another */
	int icmp, code;
	uint8_t proto;
	Sonde__Outcome outcome;
	bool reached, conclusive;
};

static struct outcome decide(const struct row *row, bool six, bool late)
{
	struct addr target = addr(six ? "2001:db8::9" : "192.0.2.9");
	struct addr other = addr(six ? "2001:db8::1" : "192.0.2.1");
	const struct outcome_reply r = { .target = target,
		.from = strcmp(row->from, "target") == 0 ? target : other,
		.probe_proto = row->proto,
		.icmp = row->icmp >= 0,
		.icmp_type = (uint8_t)(row->icmp < 0 ? 0 : row->icmp),
		.icmp_code = (uint8_t)row->code,
		.late = late };
	return outcome_decide(&r);
}

static const struct row v4[] = {
	{ "target", 0, 0, PACKET_ICMP, OUT(ANSWERED), true, true },
	{ "router", 0, 0, PACKET_ICMP, OUT(OTHER_ADDRESS), false, false },
	{ "target", -1, 0, PACKET_TCP, OUT(ANSWERED), true, true },
	{ "target", -1, 0, PACKET_UDP, OUT(ANSWERED), true, true },
	{ "router", 11, 0, PACKET_UDP, OUT(HOP), false, true },
	{ "target", 11, 0, PACKET_UDP, OUT(HOP), false, true },
	{ "target", 11, 1, PACKET_UDP, OUT(REJECTED), false, true },
	/* Port unreachable: an answer to UDP, from the target alone. */
	{ "target", 3, 3, PACKET_UDP, OUT(ANSWERED), true, true },
	{ "router", 3, 3, PACKET_UDP, OUT(REJECTED), false, false },
	{ "target", 3, 3, PACKET_ICMP, OUT(REJECTED), true, true },
	{ "target", 3, 3, PACKET_TCP, OUT(REJECTED), true, true },
	{ "router", 3, 1, PACKET_ICMP, OUT(REJECTED), false, false },
	{ "target", 3, 13, PACKET_ICMP, OUT(REJECTED), false, true },
	{ "router", 3, 4, PACKET_UDP, OUT(REJECTED), false, false },
	/* Advice says nothing of what became of the probe. */
	{ "router", 5, 1, PACKET_ICMP, OUT(SILENT), false, false },
	{ "target", 5, 1, PACKET_ICMP, OUT(SILENT), false, false },
	{ "router", 4, 0, PACKET_UDP, OUT(SILENT), false, false },
};

static const struct row v6[] = {
	{ "target", 129, 0, PACKET_ICMP, OUT(ANSWERED), true, true },
	{ "router", 129, 0, PACKET_ICMP, OUT(OTHER_ADDRESS), false, false },
	{ "router", 3, 0, PACKET_UDP, OUT(HOP), false, true },
	{ "target", 1, 4, PACKET_UDP, OUT(ANSWERED), true, true },
	{ "router", 1, 4, PACKET_UDP, OUT(REJECTED), false, false },
	{ "target", 1, 4, PACKET_TCP, OUT(REJECTED), true, true },
	{ "router", 2, 0, PACKET_UDP, OUT(REJECTED), false, false },
	{ "router", 137, 0, PACKET_UDP, OUT(SILENT), false, false },
};

static void check_rows(const struct row *rows, size_t count, bool six)
{
	for (size_t i = 0; i < count; i++) {
		struct outcome o = decide(&rows[i], six, false);
		if (o.outcome != rows[i].outcome ||
		    o.reached != rows[i].reached ||
		    o.conclusive != rows[i].conclusive)
			fail_msg("IPv%d row %zu: got %s, reached %d, "
				 "conclusive %d",
			    six ? 6 : 4, i, outcome_name(o.outcome), o.reached,
			    o.conclusive);
	}
}

static void who_says_what_decides(void **state)
{
	(void)state;
	check_rows(v4, sizeof(v4) / sizeof(*v4), false);
	check_rows(v6, sizeof(v6) / sizeof(*v6), true);
}

static void only_an_answer_becomes_late(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(v4) / sizeof(*v4); i++) {
		struct outcome o = decide(&v4[i], false, true);
		assert_int_equal(o.outcome,
		    v4[i].outcome == OUT(ANSWERED) ? OUT(LATE)
						   : v4[i].outcome);
		assert_int_equal(o.rank, decide(&v4[i], false, false).rank);
	}
}

static void what_may_be_another_probes_is_ambiguous(void **state)
{
	(void)state;
	struct outcome_reply r = { .target = addr("192.0.2.9"),
		.from = addr("192.0.2.9"),
		.probe_proto = PACKET_UDP,
		.ambiguous = true };
	struct outcome o = outcome_decide(&r);
	assert_int_equal(o.outcome, OUT(AMBIGUOUS));
	assert_false(o.reached || o.conclusive);
	assert_true(o.rank > OUTCOME_RANK_ADVICE);
	assert_true(o.rank < OUTCOME_RANK_ERROR);
}

/* In whatever order they come, the same reply counts in the end. */
static void the_order_of_replies_does_not_matter(void **state)
{
	(void)state;
	enum { N = sizeof(v4) / sizeof(*v4) };
	srand(3);
	for (int round = 0; round < 1000; round++) {
		enum outcome_rank forward = 0, backward = 0;
		size_t picks[4];
		for (size_t i = 0; i < 4; i++)
			picks[i] = (size_t)rand() % N;
		for (size_t i = 0; i < 4; i++) {
			struct outcome a = decide(&v4[picks[i]], false, false);
			struct outcome b =
			    decide(&v4[picks[3 - i]], false, false);
			forward = a.rank > forward ? a.rank : forward;
			backward = b.rank > backward ? b.rank : backward;
		}
		assert_int_equal(forward, backward);
	}
}

/* Agents that did not decide: presence was not known either. */
static void records_without_an_outcome_get_one(void **state)
{
	(void)state;
	uint8_t target[4] = { 192, 0, 2, 9 }, router[4] = { 192, 0, 2, 1 };
	const ProtobufCBinaryData dst = { 4, target };
	char denied[] = "private";
	Sonde__Reply r = SONDE__REPLY__INIT;
	assert_int_equal(reply_outcome(&r, &dst, "icmp"), OUT(NOT_SENT));
	r.tx_wall_ns = 1;
	assert_int_equal(reply_outcome(&r, &dst, "icmp"), OUT(SILENT));
	r.from = dst;
	assert_int_equal(reply_outcome(&r, &dst, "icmp"), OUT(ANSWERED));
	assert_true(reply_reached(&r, &dst, "icmp"));
	REPLY_SET(&r, ICMP_TYPE, icmp_type, 3);
	REPLY_SET(&r, ICMP_CODE, icmp_code, 3);
	assert_int_equal(reply_outcome(&r, &dst, "udp"), OUT(ANSWERED));
	r.from.data = router;
	assert_int_equal(reply_outcome(&r, &dst, "udp"), OUT(REJECTED));
	assert_false(reply_reached(&r, &dst, "udp"));
	r.from.len = 0;
	r.denied = denied;
	assert_int_equal(reply_outcome(&r, &dst, "udp"), OUT(DENIED));
	assert_false(outcome_was_sent(OUT(DENIED)));
	assert_true(outcome_was_sent(OUT(SILENT)));
	assert_string_equal(outcome_name(OUT(OTHER_ADDRESS)), "other-address");
	assert_string_equal(outcome_name((Sonde__Outcome)99), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_says_what_decides),
		cmocka_unit_test(only_an_answer_becomes_late),
		cmocka_unit_test(what_may_be_another_probes_is_ambiguous),
		cmocka_unit_test(the_order_of_replies_does_not_matter),
		cmocka_unit_test(records_without_an_outcome_get_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
