// SPDX-License-Identifier: ISC
/* Workers that want too much, or that break the rules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/probes/guardian-fixture.h"

static void limits_hold_where_packets_leave(void **state)
{
	(void)state;
	struct policy_class *c = &policy.classes[POLICY_REMOTE];
	c->run_rate_pps = 100;
	c->run_burst = 10;
	net.no_stamps = true;
	for (uint64_t i = 0; i < 160; i++) {
		struct wire_probe p = echo("11.0.0.1", i);
		p.probe.dst = addr_v4(0x0b000001 + (uint32_t)(i << 8));
		p.until.ns = net.now + NS_PER_MS;
		say_probe(2, p);
	}
	int64_t start = net.now;
	play(10 * NS_PER_S);
	assert_int_equal(net.sent_count, 160);
	for (size_t i = 0; i < net.sent_count; i++)
		for (size_t j = i; j < net.sent_count; j++)
			assert_true((int64_t)(j - i + 1 - 10) * NS_PER_S <=
				    100 * (net.sent[j].at - net.sent[i].at));
	assert_int_equal(net.sent[159].at - start, 1500 * NS_PER_MS);
	/* Each was listened to for its millisecond all the same. */
	assert_int_equal(workers[2].count, 320);
	assert_int_equal(workers[2].heard[319].kind, WIRE_EXPIRED);
	assert_int_equal(counted("guardian.deferred"), 150);
}

static void a_run_that_leaves_frees_its_place(void **state)
{
	(void)state;
	struct policy_class *c = &policy.classes[POLICY_REMOTE];
	c->agent_rate_pps = 1;
	c->agent_burst = 1;
	for (uint64_t i = 0; i < 50; i++)
		say_probe(2, echo("11.0.0.1", i));
	play(10);
	close(workers[2].fd);
	workers[2].fd = add_run(POLICY_REMOTE);
	say_probe(2, echo("11.0.0.1", 1));
	play(5 * NS_PER_S);
	assert_int_equal(net.sent_count, 2);
	assert_int_equal(net.sent[1].at - net.sent[0].at, NS_PER_S);
}

/* Each of these ends the run that says it, and no other. */
static void expect_breach(int who)
{
	while (hear(&workers[who]))
		;
	assert_int_equal(counted("guardian.breaches"), ++breaches);
	close(workers[who].fd);
	workers[who].fd = add_run(POLICY_LOCAL);
	say_probe(1, echo("11.0.0.1", 1));
	play(2 * NS_PER_S);
	assert_int_equal(workers[1].count, 2);
}

static void who_breaks_the_rules_is_out(void **state)
{
	(void)state;
	static uint8_t junk[70000];
	struct wire_probe p = echo("11.0.0.1", 1);
	struct wire_wait wait = { { 0 } };
	assert_int_equal(send(workers[0].fd, junk, 3, 0), 3);
	expect_breach(0);
	say(0, 99, 1, junk, 16);
	expect_breach(0);
	say(0, WIRE_EVENT, 1, junk, sizeof(struct wire_event));
	expect_breach(0);
	say(0, WIRE_SEND, 0, NULL, 0);
	expect_breach(0);
	say(0, WIRE_SEND, WIRE_MAX_COUNT + 1, junk,
	    (WIRE_MAX_COUNT + 1) * sizeof(p));
	expect_breach(0);
	say(0, WIRE_SEND, UINT32_MAX, &p, sizeof(p));
	expect_breach(0);
	say(0, WIRE_SEND, 1, &p, sizeof(p) - 1);
	expect_breach(0);
	say(0, WIRE_SEND, 1, junk, sizeof(p) + 1);
	expect_breach(0);
	p.probe.payload_len = 2;
	say(0, WIRE_SEND, 1, &p, sizeof(p));
	expect_breach(0);
	say(0, WIRE_SEND, 1, junk, 69000);
	expect_breach(0);
	say(0, WIRE_WAIT, 1, junk, sizeof(wait) + 1);
	expect_breach(0);
	say(0, WIRE_WAIT, 2, junk, 2 * sizeof(wait));
	expect_breach(0);
	say(0, WIRE_SOURCE, 1, junk, 1);
	expect_breach(0);
}

static void times_without_sense_are_a_breach(void **state)
{
	(void)state;
	static const int64_t times[] = { -1, INT64_MIN, INT64_MAX };
	for (size_t i = 0; i < 3; i++) {
		struct wire_probe p = echo("11.0.0.1", 1);
		p.at.ns = times[i];
		say_probe(0, p);
		expect_breach(0);
		p = echo("11.0.0.1", 1);
		p.until.ns = times[i];
		say_probe(0, p);
		expect_breach(0);
	}
}

static void who_speaks_while_waiting_is_out(void **state)
{
	(void)state;
	say_wait(0, INT64_MAX);
	say_wait(0, INT64_MAX);
	expect_breach(0);
}

static void too_many_outstanding_probes_are_a_breach(void **state)
{
	(void)state;
	static struct wire_probe many[WIRE_MAX_COUNT];
	for (int i = 0; i < WIRE_MAX_COUNT; i++) {
		many[i] = echo("11.0.0.1", (uint64_t)i);
		many[i].at.ns = net.now + 1000 * NS_PER_S;
		many[i].until.ns = net.now + 1001 * NS_PER_S;
	}
	for (int i = 0; i < WIRE_MAX_OUTSTANDING / WIRE_MAX_COUNT; i++)
		say(0, WIRE_SEND, WIRE_MAX_COUNT, many, sizeof(many));
	play(NS_PER_S);
	assert_int_equal(workers[0].head.type, WIRE_WOKEN);
	say_probe(0, many[0]);
	expect_breach(0);
}

static void too_much_outstanding_payload_is_a_breach(void **state)
{
	(void)state;
	static struct {
		struct wire_probe probe;
		uint8_t payload[1400];
	} body;
	body.probe = echo("11.0.0.1", 1);
	body.probe.at.ns = net.now + 1000 * NS_PER_S;
	body.probe.probe.payload_len = 1400;
	for (size_t sum = 0; sum + 1400 <= WIRE_MAX_OUTSTANDING_BYTES;
	     sum += 1400)
		say(0, WIRE_SEND, 1, &body, sizeof(body.probe) + 1400);
	play(NS_PER_S);
	say(0, WIRE_SEND, 1, &body, sizeof(body.probe) + 1400);
	expect_breach(0);
}

static void runs_are_bounded(void **state)
{
	(void)state;
	struct guardian *g = guardian_new(&fake, NULL, &policy);
	int fds[2], taken = 0;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	assert_int_equal(
	    guardian_add_run(g, dup(fds[0]), POLICY_WHOS), ERR_USAGE);
	while (guardian_add_run(g, dup(fds[0]), POLICY_LOCAL) == 0)
		taken++;
	assert_int_equal(taken, 32);
	guardian_free(g);
	close(fds[0]);
	/* All descriptors that it was given are closed. */
	char byte;
	assert_int_equal(recv(fds[1], &byte, 1, 0), 0);
	close(fds[1]);
}

/* A bool that is neither true nor false, a family that is none, ... */
static void odd_fields_are_denied_not_fatal(void **state)
{
	(void)state;
	struct wire_probe p;
	memset(&p, 0xff, sizeof(p));
	p.at.ns = 0;
	p.until.ns = net.now + 1;
	p.probe.payload_len = 0;
	say_probe(0, p);
	p.probe.dst = addr_v4(0x0b000001);
	say_probe(0, p);
	p.probe.proto = PACKET_UDP;
	p.probe.flow_label = 0;
	say_probe(0, p);
	play(NS_PER_S);
	assert_int_equal(workers[0].count, 3);
	assert_int_equal(workers[0].heard[0].verdict, POLICY_DENY_FAMILY);
	assert_int_equal(workers[0].heard[1].verdict, POLICY_DENY_PROTOCOL);
	assert_int_equal(workers[0].heard[2].verdict, POLICY_DENY_FIELD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(limits_hold_where_packets_leave),
		TEST(a_run_that_leaves_frees_its_place),
		TEST(who_breaks_the_rules_is_out),
		TEST(times_without_sense_are_a_breach),
		TEST(who_speaks_while_waiting_is_out),
		TEST(too_many_outstanding_probes_are_a_breach),
		TEST(too_much_outstanding_payload_is_a_breach),
		TEST(runs_are_bounded),
		TEST(odd_fields_are_denied_not_fatal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
