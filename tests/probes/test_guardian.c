// SPDX-License-Identifier: ISC
/*
 * The guardian between a worker (this thread) and a network that is a list of
 * what was sent and a heap of what will come back, in virtual time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/xalloc.h"
#include "probes/agent/counters.h"
#include "probes/agent/pass.h"
#include "probes/guardian/guardian.h"
#include "probes/guardian/wire.h"
#include "probes/packet/packet.h"
#include "probes/policy/file.h"

#define MAX_SENT 40000
#define MAX_COMING 64

static struct {
	int64_t now;
	size_t sent_count;
	struct {
		int64_t at;
		uint32_t cookie;
		size_t len;
		uint8_t bytes[64];
	} sent[MAX_SENT];
	struct coming {
		int64_t at;
		int kind;
		uint32_t cookie;
		size_t len;
		uint8_t bytes[1500];
	} coming[MAX_COMING];
	size_t coming_count;
	bool no_stamps, fail_sends;
	void (*answer)(const uint8_t *packet, size_t len);
} net;

static void come(
    int64_t in_ns, int kind, uint32_t cookie, const uint8_t *bytes, size_t len)
{
	struct coming *c = &net.coming[net.coming_count++];
	if (net.coming_count > MAX_COMING)
		abort();
	*c = (struct coming){ .at = net.now + in_ns,
		.kind = kind,
		.cookie = cookie,
		.len = len };
	if (len)
		memcpy(c->bytes, bytes, len);
}

static int fake_source(void *ctx, const struct addr *dst, struct addr *src)
{
	(void)ctx;
	if (dst->bytes[0] == 99)
		return -ENETUNREACH;
	addr_parse(src, dst->family == 4 ? "11.9.9.9" : "2600::9");
	return 0;
}

static bool fake_is_own(void *ctx, const struct addr *a)
{
	struct addr src;
	return fake_source(ctx, a, &src) == 0 && addr_equal(&src, a);
}

static bool fake_is_broadcast(void *ctx, const struct addr *a)
{
	(void)ctx;
	return a->family == 4 && addr_v4_value(a) == 0x0b0909ff;
}

static struct monotime fake_now(void *ctx)
{
	(void)ctx;
	return (struct monotime){ net.now };
}

static struct walltime fake_wall(void *ctx)
{
	(void)ctx;
	return (struct walltime){ net.now + 1000 * NS_PER_S };
}

static size_t fake_send(void *ctx, const struct net_send *packets, size_t count)
{
	(void)ctx;
	for (size_t i = 0; i < count; i++) {
		if (net.fail_sends) {
			come(0, NET_SEND_FAILED, packets[i].cookie, NULL, 0);
			continue;
		}
		if (net.sent_count < MAX_SENT) {
			net.sent[net.sent_count].at = net.now;
			net.sent[net.sent_count].cookie = packets[i].cookie;
			net.sent[net.sent_count].len = packets[i].len;
			memcpy(net.sent[net.sent_count].bytes, packets[i].bytes,
			    packets[i].len > 64 ? 64 : packets[i].len);
		}
		net.sent_count++;
		if (!net.no_stamps && net.coming_count < MAX_COMING / 2)
			come(7, NET_SENT, packets[i].cookie, NULL, 0);
		if (net.answer)
			net.answer(packets[i].bytes, packets[i].len);
	}
	return net.fail_sends ? 0 : count;
}

static size_t next_coming(void)
{
	size_t next = 0;
	for (size_t i = 1; i < net.coming_count; i++)
		if (net.coming[i].at < net.coming[next].at)
			next = i;
	return next;
}

static void fake_poll(void *ctx, net_event_fn *fn, void *arg)
{
	(void)ctx;
	while (net.coming_count > 0) {
		size_t next = next_coming();
		struct coming c = net.coming[next];
		if (c.at > net.now)
			return;
		memmove(&net.coming[next], &net.coming[next + 1],
		    (--net.coming_count - next) * sizeof(c));
		struct net_event event = { .kind = c.kind,
			.stamp = { { c.at + 1000 * NS_PER_S },
			    NET_CLOCK_SIMULATED },
			.cookie = c.cookie,
			.err = -EPERM,
			.bytes = c.bytes,
			.caplen = c.len,
			.wirelen = c.len };
		fn(arg, &event);
	}
}

static size_t fake_fds(void *ctx, int *fds, size_t size)
{
	(void)ctx;
	(void)fds;
	(void)size;
	return 0;
}

static void fake_advance(void *ctx, struct monotime until)
{
	(void)ctx;
	if (net.coming_count > 0 && net.coming[next_coming()].at < until.ns)
		until.ns = net.coming[next_coming()].at;
	if (until.ns > net.now)
		net.now = until.ns;
}

static void fake_counters(void *ctx, struct net_counters *counters)
{
	(void)ctx;
	*counters = (struct net_counters){ 0 };
}

static void fake_close(void *ctx)
{
	(void)ctx;
}

static const struct net_ops fake = {
	.name = "fake",
	.close = fake_close,
	.source = fake_source,
	.is_own = fake_is_own,
	.is_broadcast = fake_is_broadcast,
	.now = fake_now,
	.wall = fake_wall,
	.send = fake_send,
	.poll = fake_poll,
	.fds = fake_fds,
	.advance = fake_advance,
	.counters = fake_counters,
};

/* Answers. */

static size_t make_echo_reply(uint8_t *reply, const uint8_t *p, size_t len)
{
	memcpy(reply, p, len);
	memcpy(reply + 12, p + 16, 4);
	memcpy(reply + 16, p + 12, 4);
	reply[8] = 60;
	reply[20] = 0;
	uint16_t sum;
	reply[22] = reply[23] = 0;
	sum = packet_fold(packet_sum(0, reply + 20, len - 20));
	reply[22] = (uint8_t)(sum >> 8);
	reply[23] = (uint8_t)sum;
	return len;
}

static void answer_echo(const uint8_t *p, size_t len)
{
	uint8_t reply[1500];
	come(NS_PER_MS, NET_RECEIVED, 0, reply, make_echo_reply(reply, p, len));
}

static void answer_echo_twice(const uint8_t *p, size_t len)
{
	answer_echo(p, len);
	uint8_t reply[256];
	come(2 * NS_PER_MS, NET_RECEIVED, 0, reply,
	    make_echo_reply(reply, p, len));
}

/* Time exceeded from 11.0.0.254, quoting header and 8 octets. */
static void answer_expired(const uint8_t *p, size_t len)
{
	uint8_t e[256] = { 0x45, 0, 0, 56, 0, 0, 0, 0, 64, 1, 0, 0, 11, 0, 0,
		254, 11, 9, 9, 9, 11, 0 };
	if (len < 28)
		abort();
	memcpy(e + 28, p, 28);
	uint16_t sum = packet_fold(packet_sum(0, e + 20, 36));
	e[22] = (uint8_t)(sum >> 8);
	e[23] = (uint8_t)sum;
	come(NS_PER_MS, NET_RECEIVED, 0, e, 56);
}

static void answer_expired_v6(const uint8_t *p, size_t len)
{
	uint8_t e[256] = { 0x60, 0, 0, 0, 0, (uint8_t)(8 + len), 58, 64 };
	struct addr from, to;
	addr_parse(&from, "2600::fe");
	addr_parse(&to, "2600::9");
	memcpy(e + 8, from.bytes, 16);
	memcpy(e + 24, to.bytes, 16);
	e[40] = 3;
	memcpy(e + 48, p, len);
	come(NS_PER_MS, NET_RECEIVED, 0, e, 48 + len);
}

/* The workers' end. */

#define WORKERS 3
#define MAX_HEARD 512

static struct policy policy;
static struct counters *counters;
static struct guardian *guardian;
static pthread_t thread;
static int control[2];
static uint64_t breaches;
static struct worker {
	int fd;
	struct wire_head head; /* of the last message */
	struct wire_event heard[MAX_HEARD];
	size_t count;
	uint8_t octets[2048]; /* of the last reply */
} workers[WORKERS];

static void *serve(void *arg)
{
	(void)arg;
	guardian_serve(guardian, control[1]);
	return NULL;
}

static int add_run(enum policy_who who)
{
	int pair[2];
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	const struct guardian_control body = { who };
	assert_int_equal(
	    pass_send(control[0], pair[1], &body, sizeof(body)), 0);
	close(pair[1]);
	return pair[0];
}

static int setup(void **state)
{
	(void)state;
	memset(&net, 0, sizeof(net));
	memset(workers, 0, sizeof(workers));
	net.now = INT64_C(1) << 60;
	breaches = 0;
	policy_init(&policy);
	counters = counters_new();
	guardian = guardian_new(&fake, NULL, &policy);
	guardian_set_counters(guardian, counters);
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control), 0);
	pthread_create(&thread, NULL, serve, NULL);
	workers[0].fd = add_run(POLICY_LOCAL);
	workers[1].fd = add_run(POLICY_LOCAL);
	workers[2].fd = add_run(POLICY_REMOTE);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	close(control[0]);
	pthread_join(thread, NULL);
	close(control[1]);
	for (int i = 0; i < WORKERS; i++)
		close(workers[i].fd);
	guardian_free(guardian);
	counters_free(counters);
	policy_fini(&policy);
	return 0;
}

static uint64_t counted(const char *name)
{
	return *counters_cell(counters, name);
}

static struct wire_probe echo(const char *dst, uint64_t cookie)
{
	struct wire_probe p = { .cookie = cookie,
		.until = { net.now + NS_PER_S },
		.probe = { .proto = PACKET_ICMP,
		    .ttl = 9,
		    .icmp_id = 5,
		    .icmp_seq = (uint16_t)cookie } };
	assert_int_equal(addr_parse(&p.probe.dst, dst), 0);
	return p;
}

static struct wire_probe udp(const char *dst, uint64_t cookie)
{
	struct wire_probe p = echo(dst, cookie);
	p.probe.proto = PACKET_UDP;
	p.probe.sport = 40000;
	p.probe.dport = 33434;
	return p;
}

static void say(
    int who, uint32_t type, uint32_t count, const void *body, size_t len)
{
	static uint8_t bytes[80000];
	struct wire_head h = { .type = type, .count = count };
	memcpy(bytes, &h, sizeof(h));
	if (len)
		memcpy(bytes + sizeof(h), body, len);
	assert_int_equal(
	    send(workers[who].fd, bytes, sizeof(h) + len, MSG_NOSIGNAL),
	    sizeof(h) + len);
}

static void say_probe(int who, struct wire_probe p)
{
	say(who, WIRE_SEND, 1, &p, sizeof(p));
}

static void say_wait(int who, int64_t until)
{
	struct wire_wait wait = { { until } };
	say(who, WIRE_WAIT, 1, &wait, sizeof(wait));
}

/* Takes one message; false when the guardian has closed the run. */
static bool hear(struct worker *w)
{
	static uint8_t bytes[WIRE_MAX_BYTES];
	ssize_t n = recv(w->fd, bytes, sizeof(bytes), 0);
	if (n <= 0)
		return false;
	assert_true(n >= (ssize_t)sizeof(w->head));
	memcpy(&w->head, bytes, sizeof(w->head));
	size_t at = sizeof(w->head), count = w->head.count;
	if (w->head.type != WIRE_EVENT)
		return true;
	assert_true(w->count + count <= MAX_HEARD);
	memcpy(w->heard + w->count, bytes + at, count * sizeof(*w->heard));
	at += count * sizeof(*w->heard);
	for (; count > 0; count--) {
		size_t len = w->heard[w->count++].bytes_len;
		assert_true(at + len <= (size_t)n && len <= 1500);
		if (len)
			memcpy(w->octets, bytes + at, len);
		at += len;
	}
	assert_int_equal(at, n);
	return true;
}

/* Lets all workers wait until so much virtual time has passed; what they
 * hear is in workers[]. */
static void play(int64_t ns)
{
	struct pollfd polls[WORKERS];
	int64_t until = net.now + ns;
	int left = 0;
	for (int i = 0; i < WORKERS; i++) {
		workers[i].count = 0;
		polls[i] = (struct pollfd){ workers[i].fd, POLLIN, 0 };
		left += workers[i].fd >= 0;
		if (workers[i].fd >= 0)
			say_wait(i, until);
	}
	while (left > 0) {
		poll(polls, WORKERS, -1);
		for (int i = 0; i < WORKERS; i++) {
			if (!polls[i].revents)
				continue;
			assert_true(hear(&workers[i]));
			if (workers[i].head.type == WIRE_EVENT) {
				say_wait(i, until);
			} else {
				polls[i].fd = -1;
				left--;
			}
		}
	}
}

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

static void without_a_stamp_our_own_time_is_told(void **state)
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
	net.fail_sends = true;
	say_probe(0, echo("11.0.0.1", 2));
	play(3 * NS_PER_S);
	assert_int_equal(workers[0].count, 1);
	assert_int_equal(workers[0].heard[0].kind, WIRE_FAILED);
	assert_int_equal(workers[0].heard[0].err, -EPERM);
	assert_int_equal(counted("guardian.sent"), 0);
}

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

static void probes_alike_are_answered_in_turn(void **state)
{
	(void)state;
	net.answer = answer_echo;
	for (uint64_t i = 0; i < 5; i++) {
		struct wire_probe p = echo("11.0.0.1", i);
		p.probe.icmp_seq = 3;
		say_probe(0, p);
	}
	play(2 * NS_PER_S);
	assert_int_equal(workers[0].count, 15);
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(workers[0].heard[5 + i].kind, WIRE_REPLY);
		assert_int_equal(workers[0].heard[5 + i].cookie, i);
	}
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
 */
static void what_fits_two_runs_goes_to_neither(void **state)
{
	(void)state;
	net.answer = answer_expired_v6;
	for (int i = 0; i < 2; i++)
		say_probe(i, udp("2600::1", 1));
	play(2 * NS_PER_S);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(workers[i].count, 2);
		assert_int_equal(workers[i].heard[1].kind, WIRE_EXPIRED);
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

static void a_reply_to_nobody_goes_nowhere(void **state)
{
	(void)state;
	uint8_t packet[28] = { 0x45, 0, 0, 28, 0, 0, 0, 0, 64, 1, 0, 0, 11, 0,
		0, 1, 11, 9, 9, 9 };
	come(5, NET_RECEIVED, 0, packet, sizeof(packet));
	come(6, NET_RECEIVED, 0, packet, 3);
	come(7, NET_SENT, 12345, NULL, 0);
	come(8, NET_SEND_FAILED, UINT32_MAX, NULL, 0);
	play(NS_PER_S);
	for (int i = 0; i < WORKERS; i++)
		assert_int_equal(workers[i].count, 0);
	assert_int_equal(counted("guardian.unmatched"), 1);
}

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

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(waiting_workers_are_woken_in_time),
		TEST(time_stands_while_a_worker_is_busy),
		TEST(a_probe_is_sent_answered_and_expires),
		TEST(without_a_stamp_our_own_time_is_told),
		TEST(a_denied_probe_never_leaves),
		TEST(what_cannot_be_sent_has_failed),
		TEST(duplicates_are_counted),
		TEST(probes_alike_are_answered_in_turn),
		TEST(two_runs_in_one_flow_get_their_own_replies),
		TEST(what_fits_two_runs_goes_to_neither),
		TEST(a_reply_to_nobody_goes_nowhere),
		TEST(limits_hold_where_packets_leave),
		TEST(a_run_that_leaves_frees_its_place),
		TEST(who_breaks_the_rules_is_out),
		TEST(times_without_sense_are_a_breach),
		TEST(who_speaks_while_waiting_is_out),
		TEST(too_many_outstanding_probes_are_a_breach),
		TEST(events_are_split_to_fit_a_datagram),
		TEST(too_much_outstanding_payload_is_a_breach),
		TEST(runs_are_bounded),
		TEST(odd_fields_are_denied_not_fatal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
