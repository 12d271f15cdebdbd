/* SPDX-License-Identifier: ISC */
/* Which run and which probe a reply goes to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/probes/guardian/guardian-fixture.h"

static void duplicates_are_counted(void **state)
{
	(void)state;
	net.answer = answer_echo_twice;
	say_probe(0, echo("11.0.0.1", 1));
	play(2 * NS_PER_S);
	assert_int_equal(workers[0].count, 4);
	assert_int_equal(workers[0].heard[1].replies, 1);
	assert_int_equal(workers[0].heard[2].replies, 2);
	assert_int_equal(workers[0].heard[3].kind, WIRE_EXPIRED);
	assert_int_equal(workers[0].heard[3].replies, 2);
}

/* Nothing that comes back tells one from the other. */
static void a_reply_to_probes_alike_is_ambiguous(void **state)
{
	(void)state;
	net.answer = answer_echo;
	bool told[5] = { false };
	for (uint64_t i = 0; i < 5; i++) {
		struct wire_probe p = echo("11.0.0.1", i);
		p.listen_all = 0;
		p.probe.icmp_seq = 3;
		say_probe(0, p);
	}
	play(2 * NS_PER_S);
	for (size_t i = 0; i < workers[0].count; i++) {
		const struct wire_event *e = &workers[0].heard[i];
		if (e->kind != WIRE_REPLY)
			continue;
		assert_false(told[e->cookie]);
		told[e->cookie] = true;
		assert_true(e->ambiguous);
		assert_int_equal(
		    e->outcome.outcome, SONDE__OUTCOME__OUTCOME_AMBIGUOUS);
	}
	for (size_t i = 0; i < 5; i++)
		assert_true(told[i]);
}

static void the_first_conclusive_reply_ends_a_probe(void **state)
{
	(void)state;
	net.answer = answer_echo_twice;
	struct wire_probe p = echo("11.0.0.1", 1);
	p.listen_all = 0;
	say_probe(0, p);
	play(2 * NS_PER_S);
	assert_int_equal(workers[0].count, 2);
	assert_int_equal(workers[0].heard[1].kind, WIRE_REPLY);
	assert_true(workers[0].heard[1].last);
	assert_int_equal(workers[0].heard[1].outcome.outcome,
	    SONDE__OUTCOME__OUTCOME_ANSWERED);
	assert_int_equal(counted("guardian.late"), 1);
}

/* A service that answers each datagram of a flow but the second. */
static void answer_all_but_one(const uint8_t *p, size_t len)
{
	uint8_t reply[1500];
	if (len < 29 || p[28] == 1)
		return;
	memcpy(reply, p, len);
	memcpy(reply + 12, p + 16, 4);
	memcpy(reply + 16, p + 12, 4);
	memcpy(reply + 20, p + 22, 2);
	memcpy(reply + 22, p + 20, 2);
	come(NS_PER_MS, NET_RECEIVED, 0, reply, len);
}

static void what_the_answer_must_hold_tells_probes_apart(void **state)
{
	(void)state;
	net.answer = answer_all_but_one;
	for (uint64_t i = 0; i < 5; i++) {
		struct {
			struct wire_probe p;
			uint8_t payload[2];
		} body = { udp("11.0.0.1", i), { (uint8_t)i, 7 } };
		body.p.listen_all = 0;
		body.p.probe.payload_len = 2;
		body.p.probe.answer_len = 1;
		body.p.probe.answer[0] = (uint8_t)i;
		say(0, WIRE_SEND, 1, &body, sizeof(body.p) + 2);
	}
	play(2 * NS_PER_S);
	assert_int_equal(counted("guardian.ambiguous"), 0);
	size_t answered = 0;
	for (size_t i = 0; i < workers[0].count; i++) {
		const struct wire_event *e = &workers[0].heard[i];
		if (e->kind == WIRE_EXPIRED)
			assert_int_equal(e->cookie, 1);
		answered += e->kind == WIRE_REPLY && e->cookie != 1;
	}
	assert_int_equal(answered, 4);
}

/* The same UDP flow with the same checksum from two runs: only the IP ID that
 * the guardian chose differs. */
static void two_runs_in_one_flow_get_their_own_replies(void **state)
{
	(void)state;
	net.answer = answer_expired;
	for (uint64_t i = 0; i < 10; i++)
		say_probe((int)(i % 2), udp("11.0.0.1", i));
	play(2 * NS_PER_S);
	for (uint64_t w = 0; w < 2; w++) {
		size_t replies = 0;
		for (size_t i = 0; i < workers[w].count; i++) {
			assert_int_equal(workers[w].heard[i].cookie % 2, w);
			replies += workers[w].heard[i].kind == WIRE_REPLY;
		}
		assert_int_equal(replies, 5);
	}
	assert_int_equal(counted("guardian.ambiguous"), 0);
}

/* IPv6 errors quote no id: the same checksum tells nothing, another one does.
 * Neither run sees the octets of what may be the other's. */
static void what_fits_two_runs_is_ambiguous_to_both(void **state)
{
	(void)state;
	net.answer = answer_expired_v6;
	for (int i = 0; i < 2; i++)
		say_probe(i, udp("2600::1", 1));
	play(2 * NS_PER_S);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(workers[i].count, 3);
		assert_int_equal(workers[i].heard[1].kind, WIRE_REPLY);
		assert_true(workers[i].heard[1].ambiguous);
		assert_int_equal(workers[i].heard[1].bytes_len, 0);
		assert_int_equal(workers[i].heard[2].kind, WIRE_EXPIRED);
	}
	assert_int_equal(counted("guardian.ambiguous"), 2);
	for (int i = 0; i < 2; i++) {
		struct wire_probe p = udp("2600::1", 1);
		p.probe.payload_len = 2;
		p.probe.fix_checksum = true;
		p.probe.checksum = (uint16_t)(1000 + i);
		struct {
			struct wire_probe p;
			uint8_t payload[2];
		} body = { p, { 0 } };
		say(i, WIRE_SEND, 1, &body, sizeof(p) + 2);
	}
	play(2 * NS_PER_S);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(workers[i].count, 3);
		assert_int_equal(workers[i].heard[1].kind, WIRE_REPLY);
		assert_int_equal(workers[i].heard[1].probe_checksum, 1000 + i);
	}
}

static void a_reply_to_no_run_goes_nowhere(void **state)
{
	(void)state;
	uint8_t packet[28] = { 0x45, 0, 0, 28, 0, 0, 0, 0, 64, 1, 0, 0, 11, 0,
		0, 1, 11, 9, 9, 9 };
	play(1); /* the guardian has taken its runs and sleeps */
	come(5, NET_RECEIVED, 0, packet, sizeof(packet));
	come(6, NET_RECEIVED, 0, packet, 3);
	come(7, NET_SENT, 12345, NULL, 0);
	come(8, NET_SEND_FAILED, UINT32_MAX, NULL, 0);
	play(NS_PER_S);
	for (int i = 0; i < WORKERS; i++)
		assert_int_equal(workers[i].count, 0);
	assert_int_equal(counted("guardian.unmatched"), 1);
}

static void answer_echo_after_5_ms(const uint8_t *p, size_t len)
{
	uint8_t reply[1500];
	come(5 * NS_PER_MS, NET_RECEIVED, 0, reply,
	    make_echo_reply(reply, p, len));
}

static void a_late_reply_is_counted_apart(void **state)
{
	(void)state;
	net.answer = answer_echo_after_5_ms;
	struct wire_probe p = echo("11.0.0.1", 1);
	p.until.ns = net.now + NS_PER_MS;
	say_probe(0, p);
	play(NS_PER_S);
	assert_int_equal(workers[0].count, 2);
	assert_int_equal(workers[0].heard[1].kind, WIRE_EXPIRED);
	assert_int_equal(workers[0].heard[1].replies, 0);
	assert_int_equal(counted("guardian.late"), 1);
	assert_int_equal(counted("guardian.unmatched"), 0);
}

static void what_waits_no_longer_is_late(void **state)
{
	(void)state;
	net.answer = answer_echo_after_5_ms;
	struct wire_probe p = echo("11.0.0.1", 1);
	p.until.ns = net.now + NS_PER_MS;
	p.late_ns = 100 * NS_PER_MS;
	p.listen_all = 0;
	say_probe(0, p);
	play(NS_PER_S);
	const struct wire_event *heard = workers[0].heard;
	assert_int_equal(workers[0].count, 3);
	assert_int_equal(heard[1].kind, WIRE_TIMEOUT);
	assert_false(heard[1].last);
	assert_int_equal(heard[2].kind, WIRE_REPLY);
	assert_true(heard[2].late && heard[2].last);
	assert_int_equal(
	    heard[2].outcome.outcome, SONDE__OUTCOME__OUTCOME_LATE);
	assert_int_equal(counted("guardian.late"), 0);
}

/* It runs again when the wait is over and the reply has come. */
static void a_guardian_held_up_knows_what_was_late(void **state)
{
	(void)state;
	net.answer = answer_echo_after_5_ms;
	struct wire_probe p = echo("11.0.0.1", 1);
	p.until.ns = net.now + NS_PER_MS;
	p.late_ns = 100 * NS_PER_MS;
	p.listen_all = 0;
	say_probe(0, p);
	play(NS_PER_US);
	net.now += 10 * NS_PER_MS;
	play(NS_PER_S);
	const struct wire_event *last = &workers[0].heard[workers[0].count - 1];
	assert_int_equal(last->kind, WIRE_REPLY);
	assert_true(last->late);
	assert_int_equal(last->outcome.outcome, SONDE__OUTCOME__OUTCOME_LATE);
}

/* The next probe of the flow is in the air by then, and is not answered. */
static void a_late_reply_is_not_the_next_probes(void **state)
{
	(void)state;
	net.answer = answer_echo_after_5_ms;
	for (uint64_t i = 0; i < 2; i++) {
		struct wire_probe p = echo("11.0.0.1", i);
		p.at.ns = net.now + (int64_t)i * 2 * NS_PER_MS;
		p.until.ns = p.at.ns + (i == 0 ? 1 : 100) * NS_PER_MS;
		say_probe(0, p);
	}
	play(NS_PER_S);
	assert_int_equal(workers[0].count, 5);
	for (size_t i = 0; i < 5; i++)
		if (workers[0].heard[i].kind == WIRE_REPLY) {
			assert_int_equal(workers[0].heard[i].cookie, 1);
			assert_int_equal(
			    workers[0].heard[i].rtt_ns, 5 * NS_PER_MS - 7);
		}
	assert_int_equal(counted("guardian.late"), 1);
	assert_int_equal(counted("guardian.replies"), 1);
}

static void a_reply_to_a_worker_that_vanished_is_late(void **state)
{
	(void)state;
	net.answer = answer_echo_after_5_ms;
	say_probe(2, echo("11.0.0.1", 1));
	play(NS_PER_MS);
	close(workers[2].fd);
	workers[2].fd = add_run(POLICY_REMOTE);
	play(NS_PER_S);
	for (int i = 0; i < WORKERS; i++)
		assert_int_equal(workers[i].count, 0);
	assert_int_equal(counted("guardian.late"), 1);
}

/* What somebody says who knows the target and the flow but does not see the
 * probe: replies with other numbers, then the true one. */
static void answer_forged(const uint8_t *p, size_t len)
{
	uint8_t reply[1500];
	make_echo_reply(reply, p, len);
	for (int i = 0; i < 10; i++) {
		reply[26] ^= (uint8_t)(1 << (i % 8)); /* the number */
		reply[27] ^= (uint8_t)i;
		come(10 + i, NET_RECEIVED, 0, reply, len);
	}
	uint8_t error[56] = { 0x45, 0, 0, 56, 0, 0, 0, 0, 64, 1, 0, 0, 11, 0, 0,
		254, 11, 9, 9, 9, 3, 1 };
	memcpy(error + 28, p, 28);
	for (int i = 1; i <= 10; i++) {
		error[28 + 5] = (uint8_t)(p[5] ^ i);   /* the IP ID */
		error[28 + 27] = (uint8_t)(p[27] ^ i); /* the number */
		come(50 + i, NET_RECEIVED, 0, error, sizeof(error));
	}
	answer_echo(p, len);
}

static void forged_replies_are_counted_and_go_nowhere(void **state)
{
	(void)state;
	net.answer = answer_forged;
	say_probe(0, echo("11.0.0.1", 300));
	play(2 * NS_PER_S);
	assert_int_equal(workers[0].count, 3);
	assert_int_equal(workers[0].heard[1].kind, WIRE_REPLY);
	assert_int_equal(workers[0].heard[1].rtt_ns, NS_PER_MS - 7);
	assert_int_equal(workers[0].heard[2].replies, 1);
	assert_int_equal(counted("guardian.mismatched"), 20);
	assert_int_equal(counted("guardian.replies"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(duplicates_are_counted),
		TEST(a_reply_to_probes_alike_is_ambiguous),
		TEST(the_first_conclusive_reply_ends_a_probe),
		TEST(what_the_answer_must_hold_tells_probes_apart),
		TEST(what_waits_no_longer_is_late),
		TEST(a_guardian_held_up_knows_what_was_late),
		TEST(two_runs_in_one_flow_get_their_own_replies),
		TEST(what_fits_two_runs_is_ambiguous_to_both),
		TEST(a_reply_to_no_run_goes_nowhere),
		TEST(a_late_reply_is_counted_apart),
		TEST(a_late_reply_is_not_the_next_probes),
		TEST(a_reply_to_a_worker_that_vanished_is_late),
		TEST(forged_replies_are_counted_and_go_nowhere),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
