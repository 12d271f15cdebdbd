/* SPDX-License-Identifier: ISC */
/* Workers that want too much, or that break the rules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/probes/guardian/guardian-fixture.h"

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
	assert_int_equal(guardian_add_run(g, dup(fds[0]),
			     &(struct guardian_run){ .who = POLICY_WHOS }),
	    ERR_USAGE);
	while (guardian_add_run(g, dup(fds[0]),
		   &(struct guardian_run){ .who = POLICY_LOCAL }) == 0)
		taken++;
	assert_int_equal(taken, 32);
	guardian_free(g);
	close(fds[0]);
	/* All descriptors that it was given are closed. */
	char byte;
	assert_int_equal(recv(fds[1], &byte, 1, 0), 0);
	close(fds[1]);
}

/* Of the guardian's control, not of what a worker says. */
static void a_run_goes_by_its_own_way(void **state)
{
	(void)state;
	struct guardian_run run = { .who = POLICY_REMOTE,
		.choice = { .device = "wan1", .mark = 7, .no_zones = true } };
	assert_int_equal(addr_parse(&run.choice.source[1], "2600::8"), 0);
	close(workers[0].fd);
	workers[0].fd = add_run_by(&run);
	policy.classes[POLICY_REMOTE].allow_private = true;
	struct wire_probe p = echo("fe80::1", 1);
	memcpy(p.probe.zone, "lan0", 5);
	say_probe(0, p);
	play(2 * NS_PER_S);
	assert_string_equal(net.flow.zone, "wan1");
	assert_int_equal(net.flow.mark, 7);
	assert_true(addr_equal(&net.flow.src, &run.choice.source[1]));
	struct addr dst = addr_v4(0x0b000002);
	say(0, WIRE_SOURCE, 1, &dst, sizeof(dst));
	assert_true(hear(&workers[0]));
	assert_int_equal(workers[0].head.type, WIRE_SOURCE_IS);
	assert_string_equal(net.flow.zone, "wan1");
	assert_int_equal(net.flow.mark, 7);
	/* Another's is its own. */
	say_probe(1, echo("11.0.0.1", 1));
	play(2 * NS_PER_S);
	assert_string_equal(net.flow.zone, "");
	assert_int_equal(net.flow.mark, 0);
	assert_int_equal(net.flow.src.family, 0);
}

/* A bool that is neither true nor false, a family that is none, ... */
static void odd_fields_are_denied_not_fatal(void **state)
{
	(void)state;
	struct wire_probe p;
	memset(&p, 0xff, sizeof(p));
	p.at.ns = 0;
	p.until.ns = net.now + 1;
	p.late_ns = 0;
	p.probe.payload_len = p.probe.answer_len = 0;
	p.range.count = 0;
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

/* An IPv4 address is four of the sixteen octets that a worker can write. */
static struct wire_probe with_junk(const char *dst, uint64_t cookie)
{
	struct wire_probe p = echo(dst, cookie);
	memset(p.probe.dst.bytes + 4, (int)cookie + 1, 12);
	return p;
}

static void octets_behind_an_ipv4_address_hide_nothing(void **state)
{
	(void)state;
	struct worker *w = &workers[2];
	struct errmsg msg;
	policy.deny = xcalloc(1, sizeof(*policy.deny));
	policy.deny_count = 1;
	prefix_parse(policy.deny, "11.7.0.0/16", &msg);
	say_probe(2, with_junk("11.9.9.9", 1));
	play(NS_PER_S);
	assert_int_equal(w->heard[0].verdict, POLICY_DENY_OWN);
	say_probe(2, with_junk("11.7.3.1", 2));
	play(NS_PER_S);
	assert_int_equal(w->heard[0].verdict, POLICY_DENY_LIST);
	assert_int_equal(net.sent_count, 0);
	policy.classes[POLICY_REMOTE].prefix_rate_pps = 1;
	policy.classes[POLICY_REMOTE].prefix_burst = 1;
	for (uint64_t i = 0; i < 20; i++)
		say_probe(2, with_junk("11.0.0.1", i));
	play(NS_PER_MS);
	assert_int_equal(net.sent_count, 1);
	net.answer = answer_echo;
	play(NS_PER_S);
	assert_int_equal(net.sent_count, 2);
	assert_int_equal(counted("guardian.replies"), 1);
}

/* What may not leave for a campaign, by another opinion than the policy's. */
static bool is_forbidden_v4(uint32_t a)
{
	uint32_t top = a >> 24;
	return top == 0 || top == 10 || top == 127 || top >= 224 ||
	    a >> 22 == 0x64400000 >> 22 || a >> 16 == 0xa9fe ||
	    a >> 20 == 0xac1 || a >> 16 == 0xc0a8 || a >> 17 == 0xc612 >> 1 ||
	    a == 0x0b090909 || a == 0x0b0909ff;
}

static bool is_forbidden(const struct addr *dst)
{
	const uint8_t *b = dst->bytes;
	uint32_t words[4];
	for (int i = 0; i < 4; i++)
		words[i] = (uint32_t)b[4 * i] << 24 | b[4 * i + 1] << 16 |
		    b[4 * i + 2] << 8 | b[4 * i + 3];
	if (dst->family == 4)
		return is_forbidden_v4(words[0]);
	if (words[0] == 0x0064ff9b)
		return words[1] != 0 || words[2] != 0 ||
		    is_forbidden_v4(words[3]);
	if (words[0] >> 16 == 0x2002)
		return is_forbidden_v4(words[0] << 16 | words[1] >> 16);
	if (words[0] == 0x20010000)
		return is_forbidden_v4(words[1]) || is_forbidden_v4(~words[3]);
	return words[0] >> 29 != 1 || words[0] == 0x20010db8;
}

static void expect_lawful(const uint8_t *b, size_t len)
{
	struct packet p;
	assert_int_equal(packet_decode_ip(&p, b, len > 64 ? 64 : len, len), 0);
	assert_false(p.ip_options || p.fragment);
	assert_int_equal(p.ip_len, len);
	assert_false(is_forbidden(&p.dst));
	assert_int_equal(p.src.bytes[p.src.family == 4 ? 3 : 15], 9);
	assert_true(p.ttl > 0);
	if (p.proto == PACKET_TCP)
		assert_true(p.tcp_flags == PACKET_TCP_SYN ||
		    p.tcp_flags == PACKET_TCP_ACK);
	else if (p.proto != PACKET_UDP)
		assert_int_equal(p.icmp_type, p.src.family == 4 ? 8 : 128);
	size_t free = p.proto == PACKET_UDP ? 2 : POLICY_MARK_BYTES;
	for (size_t i = free; i < p.payload_len; i++)
		assert_int_equal(p.payload[i], 0);
}

static struct addr tricky_address(void)
{
	static const char *const texts[] = { "11.0.0.1", "11.9.9.9",
		"11.9.9.255", "10.0.0.1", "224.0.0.1", "127.0.0.1", "2600::1",
		"2600::9", "::ffff:11.0.0.1", "64:ff9b::10.0.0.1",
		"64:ff9b::11.0.0.1", "64:ff9b:1::11.0.0.1", "2002:a00:1::1",
		"2002:b00:1::1", "2001:0:b00:1::f4ff:fffe",
		"2001:0:a00:1::f4ff:fffe", "2001:db8::1", "ff02::1",
		"fe80::1" };
	struct addr a;
	addr_parse(
	    &a, texts[(size_t)rand() % (sizeof(texts) / sizeof(*texts))]);
	if (rand() % 4 == 0)
		a.bytes[rand() % 16] ^= (uint8_t)(1 << rand() % 8);
	if (rand() % 32 == 0)
		a.family = (uint8_t)rand();
	return a;
}

/* Random octets in all fields, then most of them mended so that much gets as
 * far as the next check. */
static struct wire_probe random_probe(uint64_t cookie)
{
	struct wire_probe p;
	uint8_t *bytes = (uint8_t *)&p;
	for (size_t i = 0; i < sizeof(p); i++)
		bytes[i] = (uint8_t)rand();
	p.cookie = cookie;
	p.at.ns = rand() % 2 ? 0 : net.now + rand() % NS_PER_MS;
	p.until.ns = rand() % 2 ? 0 : net.now + rand() % NS_PER_MS;
	p.late_ns = rand() % NS_PER_MS;
	p.range.count = 0;
	p.probe.answer_len %= PROBE_ANSWER_MAX + 1;
	p.probe.dst = tricky_address();
	p.probe.payload_len = (uint16_t)(rand() % 30);
	if (rand() % 8)
		p.probe.proto = (uint8_t[]){ 1, 6, 17 }[rand() % 3];
	if (rand() % 8)
		p.probe.tcp_flags = PACKET_TCP_SYN;
	if (rand() % 8)
		p.probe.flow_label &= 0xfffff;
	if (rand() % 8)
		p.probe.zone[0] = '\0';
	if (rand() % 8)
		bytes[offsetof(struct wire_probe, probe.fix_checksum)] = 0;
	if (rand() % 8)
		bytes[offsetof(struct wire_probe, probe.hold)] = 0;
	return p;
}

static uint64_t count_verdicts(size_t first)
{
	uint64_t denied = 0;
	bool ended[32] = { false };
	for (size_t i = 0; i < workers[2].count; i++) {
		const struct wire_event *e = &workers[2].heard[i];
		size_t number = e->cookie - first;
		assert_true(number < 32);
		if (!e->last)
			continue;
		assert_false(ended[number]);
		ended[number] = true;
		denied += e->kind == WIRE_DENIED;
		if (e->kind == WIRE_DENIED)
			assert_string_not_equal(
			    policy_reason_name(e->verdict), "unknown");
	}
	for (size_t i = 0; i < 32; i++)
		assert_true(ended[i]);
	return denied;
}

static void whatever_a_worker_says_only_the_lawful_leaves(void **state)
{
	(void)state;
	struct policy_class *c = &policy.classes[POLICY_REMOTE];
	c->run_rate_pps = c->prefix_rate_pps = c->agent_rate_pps = 1000000;
	c->run_burst = c->prefix_burst = c->agent_burst = 1000;
	net.no_stamps = true;
	uint64_t heard = 0, denied = 0;
	char name[64];
	srand(11);
	for (uint64_t first = 0; first < 32 * 400; first += 32) {
		for (uint64_t i = 0; i < 32; i++) {
			struct {
				struct wire_probe p;
				uint8_t payload[32];
			} body = { .p = random_probe(first + i) };
			size_t len = body.p.probe.payload_len;
			if (rand() % 8 == 0)
				memset(body.payload, rand(), len);
			say(2, WIRE_SEND, 1, &body, sizeof(body.p) + len);
		}
		play(10 * NS_PER_MS);
		heard += count_verdicts(first);
	}
	for (int i = 0; i < POLICY_VERDICTS; i++) {
		snprintf(name, sizeof(name), "guardian.denied.%s",
		    policy_reason_name((enum policy_verdict)i));
		if (i != POLICY_ALLOW && i != POLICY_DEFER)
			denied += counted(name);
	}
	assert_int_equal(denied, heard);
	assert_true(net.sent_count > 500 && denied > 5000);
	assert_int_equal(counted("guardian.sent"), net.sent_count);
	assert_true(net.sent_count <= MAX_SENT);
	for (size_t i = 0; i < net.sent_count; i++)
		expect_lawful(net.sent[i].bytes, net.sent[i].len);
}

static struct sweep_counts counts_heard(int who)
{
	struct sweep_counts counts;
	const struct worker *w = &workers[who];
	const struct wire_event *last = &w->heard[w->count - 1];
	assert_int_equal(last->kind, WIRE_EXPIRED);
	assert_int_equal(last->last, 1);
	assert_int_equal(last->bytes_len, sizeof(counts));
	memcpy(&counts, w->octets, sizeof(counts));
	return counts;
}

/* Each probe of a sweep is judged like one that was sent alone. */
static void a_sweep_is_judged_probe_by_probe(void **state)
{
	(void)state;
	struct policy_class *c = &policy.classes[POLICY_REMOTE];
	struct wire_probe p = echo("11.9.9.250", 5);
	net.no_stamps = true;
	c->run_burst = c->agent_burst = 3;
	c->run_rate_pps = 10;
	p.range.count = 10; /* 11.9.9.255 is a broadcast address */
	say_probe(2, p);
	play(NS_PER_S / 2);
	/* Three at once, and ten a second after that. */
	assert_in_range(net.sent_count, 7, 8);
	play(10 * NS_PER_S);
	struct sweep_counts counts = counts_heard(2);
	assert_int_equal(counts.sent, 9);
	assert_int_equal(counts.denied, 1);
	assert_int_equal(counts.verdict, POLICY_DENY_BROADCAST);
	assert_int_equal(net.sent_count, 9);
	for (size_t i = 0; i < net.sent_count; i++)
		expect_lawful(net.sent[i].bytes, net.sent[i].len);
	assert_int_equal(counted("guardian.denied.broadcast"), 1);
}

static void answers_to_a_sweep_say_whose_they_are(void **state)
{
	(void)state;
	struct wire_probe p = echo("11.0.0.1", 5);
	uint32_t seen = 0;
	net.answer = answer_echo_twice;
	p.range = (struct sweep_range){ .count = 20, .rate_pps = 1000 };
	say_probe(0, p);
	play(10 * NS_PER_S);
	assert_int_equal(workers[0].count, 21);
	for (size_t i = 0; i < 20; i++) {
		const struct wire_event *e = &workers[0].heard[i];
		assert_int_equal(e->kind, WIRE_REPLY);
		assert_int_equal(e->cookie, 5);
		assert_int_equal(
		    e->outcome.outcome, SONDE__OUTCOME__OUTCOME_ANSWERED);
		assert_true(e->index < 20);
		assert_false(seen & 1u << e->index);
		seen |= 1u << e->index;
	}
	assert_int_equal(counts_heard(0).sent, 20);
	assert_int_equal(net.sent_count, 20);
	/* At 1,000 a second. */
	assert_int_equal(net.sent[19].at - net.sent[0].at, 19 * NS_PER_MS);
}

static void a_run_has_one_sweep_at_a_time(void **state)
{
	(void)state;
	struct wire_probe p = echo("11.0.0.1", 1);
	p.range.count = SWEEP_MOST + 1;
	say_probe(0, p);
	p.cookie = 2;
	p.range.count = 2;
	say_probe(0, p);
	p.cookie = 3;
	say_probe(0, p);
	play(10 * NS_PER_S);
	assert_int_equal(workers[0].count, 3);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(workers[0].heard[i].cookie, 1 + 2 * i);
		assert_int_equal(workers[0].heard[i].kind, WIRE_FAILED);
		assert_int_equal(workers[0].heard[i].err, -EINVAL);
	}
	assert_int_equal(counts_heard(0).sent, 2);
	assert_int_equal(net.sent_count, 2);
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
		TEST(a_run_goes_by_its_own_way),
		TEST(odd_fields_are_denied_not_fatal),
		TEST(octets_behind_an_ipv4_address_hide_nothing),
		TEST(whatever_a_worker_says_only_the_lawful_leaves),
		TEST(a_sweep_is_judged_probe_by_probe),
		TEST(answers_to_a_sweep_say_whose_they_are),
		TEST(a_run_has_one_sweep_at_a_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
