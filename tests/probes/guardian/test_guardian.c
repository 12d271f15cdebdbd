/* SPDX-License-Identifier: ISC */
/* A probe from WIRE_SEND to its last event, in virtual time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "tests/probes/guardian/guardian-fixture.h"

static void waiting_workers_are_woken_in_time(void **state)
{
	(void)state;
	int64_t start = net.now;
	play(5 * NS_PER_S);
	for (int i = 0; i < WORKERS; i++) {
		assert_int_equal(workers[i].head.type, WIRE_WOKEN);
		assert_int_equal(workers[i].head.now.ns, start + 5 * NS_PER_S);
	}
	play(-7); /* has passed already */
	assert_int_equal(net.now, start + 5 * NS_PER_S);
}

static void time_stands_while_a_worker_is_busy(void **state)
{
	(void)state;
	int64_t before = net.now;
	struct addr dst = { 4, { 11, 0, 0, 1 } };
	say_wait(1, before + NS_PER_S);
	say_wait(2, before + NS_PER_S);
	for (int i = 0; i < 100; i++) {
		say(0, WIRE_SOURCE, 1, &dst, sizeof(dst));
		assert_true(hear(&workers[0]));
		assert_int_equal(workers[0].head.type, WIRE_SOURCE_IS);
		assert_int_equal(net.now, before);
	}
	say_wait(0, before + NS_PER_S);
	for (int i = 0; i < WORKERS; i++)
		assert_true(hear(&workers[i]));
	assert_int_equal(net.now, before + NS_PER_S);
}

static void a_probe_is_sent_answered_and_expires(void **state)
{
	(void)state;
	struct worker *w = &workers[0];
	net.answer = answer_echo;
	struct wire_probe p = echo("11.0.0.1", 77);
	int64_t start = net.now;
	p.at.ns = start + NS_PER_MS;
	say_probe(0, p);
	play(2 * NS_PER_S);
	assert_int_equal(w->count, 3);
	assert_int_equal(w->heard[0].kind, WIRE_SENT);
	assert_int_equal(w->heard[0].cookie, 77);
	assert_int_equal(w->heard[0].stamp.clock, NET_CLOCK_SIMULATED);
	assert_int_equal(
	    w->heard[0].stamp.wall.ns, start + NS_PER_MS + 1000 * NS_PER_S + 7);
	assert_int_equal(w->heard[0].src.bytes[3], 9);
	assert_string_equal(w->heard[0].device, "fake0");
	assert_int_equal(w->heard[0].next_hop.bytes[3], 1);
	assert_int_equal(w->heard[1].kind, WIRE_REPLY);
	assert_int_equal(w->heard[1].rtt_ns, NS_PER_MS - 7);
	assert_int_equal(w->heard[1].replies, 1);
	struct packet reply;
	assert_int_equal(w->heard[1].bytes_len, 28);
	assert_int_equal(packet_decode_ip(&reply, w->octets, 28, 28), 0);
	assert_int_equal(reply.icmp_seq, 77);
	assert_int_equal(w->heard[2].kind, WIRE_EXPIRED);
	assert_int_equal(w->heard[2].replies, 1);
	assert_int_equal(net.sent[0].at, start + NS_PER_MS);
	assert_int_equal(counted("guardian.sent"), 1);
	assert_int_equal(counted("guardian.replies"), 1);
	assert_int_equal(workers[1].count, 0);
}

/* A suspend while probes are on their way: the monotonic clock stands still,
 * the wall clock goes on, or is wrong when it is read again.  What slept is no
 * part of a round trip. */
static void a_suspend_is_no_part_of_a_round_trip(void **state)
{
	static const int64_t asleep_s[] = { 8 * 3600, 1, -3600 };
	size_t sent = 0;
	(void)state;
	net.answer = answer_echo;
	for (size_t i = 0; i < 3; i++)
		for (int stamps = 0; stamps < 2; stamps++) {
			const struct worker *w = &workers[0];
			net.no_stamps = stamps == 0;
			say_probe(0, echo("11.0.0.1", 1 + i));
			play(NS_PER_MS / 2);
			assert_int_equal(net.sent_count, ++sent);
			net.asleep_ns += asleep_s[i] * NS_PER_S;
			play(2 * NS_PER_S);
			assert_int_equal(w->count, 3 - stamps);
			const struct wire_event *reply = &w->heard[1 - stamps];
			assert_int_equal(reply->kind, WIRE_REPLY);
			assert_false(reply->late);
			assert_in_range(
			    reply->rtt_ns, NS_PER_MS / 2, NS_PER_MS);
		}
}

/* What was to leave while the machine slept leaves later, with its gaps. */
static void a_suspend_makes_no_burst_of_a_train(void **state)
{
	(void)state;
	const int64_t gap = 100 * NS_PER_MS;
	int64_t start = net.now;
	for (int i = 0; i < 20; i++) {
		struct wire_probe p = echo("11.0.0.1", (uint64_t)i);
		p.at.ns = start + (i + 1) * gap;
		p.until.ns = p.at.ns + gap;
		say_probe(0, p);
	}
	play(10 * gap + 1);
	assert_int_equal(net.sent_count, 10);
	net.asleep_ns = 8 * 3600 * NS_PER_S;
	play(11 * gap);
	assert_int_equal(net.sent_count, 20);
	for (int i = 1; i < 20; i++)
		assert_int_equal(net.sent[i].at - net.sent[i - 1].at, gap);
	assert_int_equal(counted("guardian.sent"), 20);
}

static void without_a_stamp_our_own_time_is_reported(void **state)
{
	(void)state;
	net.answer = answer_echo;
	net.no_stamps = true;
	say_probe(0, echo("11.0.0.1", 1));
	play(2 * NS_PER_S);
	assert_int_equal(workers[0].count, 3);
	assert_int_equal(workers[0].heard[0].kind, WIRE_SENT);
	assert_int_equal(workers[0].heard[0].stamp.clock, NET_CLOCK_USER);
	assert_int_equal(workers[0].heard[1].tx.clock, NET_CLOCK_USER);
	assert_int_equal(workers[0].heard[1].rtt_ns, NS_PER_MS);
}

static void a_denied_probe_never_leaves(void **state)
{
	(void)state;
	static const struct {
		int who;
		const char *dst;
		enum policy_verdict verdict;
	} cases[] = {
		{ 0, "224.0.0.1", POLICY_DENY_MULTICAST },
		{ 0, "11.9.9.255", POLICY_DENY_BROADCAST },
		{ 0, "2002:b09:9ff::1", POLICY_DENY_BROADCAST },
		{ 0, "0.0.0.0", POLICY_DENY_SPECIAL },
		{ 0, "::ffff:11.0.0.1", POLICY_DENY_EMBEDDED },
		{ 2, "10.0.0.1", POLICY_DENY_PRIVATE },
		{ 2, "11.9.9.9", POLICY_DENY_OWN },
		{ 2, "2002:b09:909::1", POLICY_DENY_OWN },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		say_probe(cases[i].who, echo(cases[i].dst, i));
		play(NS_PER_S);
		struct worker *w = &workers[cases[i].who];
		assert_int_equal(w->count, 1);
		assert_int_equal(w->heard[0].kind, WIRE_DENIED);
		assert_int_equal(w->heard[0].verdict, cases[i].verdict);
	}
	assert_int_equal(net.sent_count, 0);
	assert_int_equal(counted("guardian.denied.broadcast"), 2);
}

static void what_cannot_be_sent_has_failed(void **state)
{
	(void)state;
	say_probe(0, echo("99.0.0.1", 1));
	play(NS_PER_S);
	assert_int_equal(workers[0].count, 1);
	assert_int_equal(workers[0].heard[0].kind, WIRE_FAILED);
	assert_int_equal(workers[0].heard[0].err, -ENETUNREACH);
	assert_string_equal(workers[0].heard[0].device, "fake0");
	assert_int_equal(workers[0].heard[0].mtu, 0);
	net.fail_sends = EPERM;
	say_probe(0, echo("11.0.0.1", 2));
	play(3 * NS_PER_S);
	assert_int_equal(workers[0].count, 1);
	assert_int_equal(workers[0].heard[0].kind, WIRE_FAILED);
	assert_int_equal(workers[0].heard[0].err, -EPERM);
	assert_int_equal(counted("guardian.sent"), 0);
}

static void a_probe_that_is_too_long_says_how_long_it_may_be(void **state)
{
	(void)state;
	net.fail_sends = EMSGSIZE;
	say_probe(0, echo("11.0.0.1", 1));
	play(NS_PER_S);
	assert_int_equal(workers[0].count, 1);
	assert_int_equal(workers[0].heard[0].kind, WIRE_FAILED);
	assert_int_equal(workers[0].heard[0].err, -EMSGSIZE);
	assert_int_equal(workers[0].heard[0].mtu, 1280);
	assert_string_equal(workers[0].heard[0].device, "fake0");
}

static void events_are_split_to_fit_a_datagram(void **state)
{
	(void)state;
	static struct {
		struct wire_probe probe;
		uint8_t payload[1400];
	} body;
	net.answer = answer_echo;
	net.no_stamps = true;
	for (uint64_t i = 0; i < 60; i++) {
		body.probe = echo("11.0.0.1", i);
		body.probe.probe.payload_len = 1400;
		say(0, WIRE_SEND, 1, &body, sizeof(body.probe) + 1400);
	}
	play(2 * NS_PER_S);
	assert_int_equal(workers[0].count, 180);
	for (size_t i = 0; i < 120; i++)
		if (workers[0].heard[i].kind == WIRE_REPLY)
			assert_int_equal(workers[0].heard[i].bytes_len, 1428);
	assert_int_equal(counted("guardian.replies"), 60);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(waiting_workers_are_woken_in_time),
		TEST(time_stands_while_a_worker_is_busy),
		TEST(a_probe_is_sent_answered_and_expires),
		TEST(a_suspend_is_no_part_of_a_round_trip),
		TEST(a_suspend_makes_no_burst_of_a_train),
		TEST(without_a_stamp_our_own_time_is_reported),
		TEST(a_denied_probe_never_leaves),
		TEST(what_cannot_be_sent_has_failed),
		TEST(a_probe_that_is_too_long_says_how_long_it_may_be),
		TEST(events_are_split_to_fit_a_datagram),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
