/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/hash.h"
#include "lib/base/xalloc.h"
#include "probes/policy/rate-limit.h"
#include "probes/policy/policy.h"
#include "lib/packet/packet.h"
#include "probes/policy/policy-file.h"

enum { PREFIXES = LIMIT_ROWS * LIMIT_PLACES };

static struct policy policy;
static struct policy_state *state;
static struct policy_run *run;

static int setup(void **context)
{
	(void)context;
	policy_init(&policy);
	state = policy_state_new(42);
	run = policy_run_new();
	return 0;
}

static int teardown(void **context)
{
	(void)context;
	policy_run_free(run);
	policy_state_free(state);
	policy_fini(&policy);
	return 0;
}

static struct addr addr(const char *text)
{
	struct addr a;
	assert_int_equal(addr_parse(&a, text), 0);
	return a;
}

static struct probe echo_to(struct addr dst)
{
	return (struct probe){ .dst = dst, .proto = PACKET_ICMP, .ttl = 64 };
}

static struct probe udp(void)
{
	struct probe p = echo_to(addr("11.0.0.1"));
	p.proto = PACKET_UDP;
	p.sport = 40000;
	p.dport = 33434;
	p.payload_len = 4;
	return p;
}

static enum policy_verdict check_at(const struct probe *probe,
    struct policy_hold *hold, int64_t now, int64_t *not_before)
{
	struct monotime later = { 0 };
	struct policy_request request = { .who = POLICY_REMOTE,
		.probe = probe,
		.run = run,
		.hold = hold,
		.due = { 0 },
		.now = { now } };
	enum policy_verdict verdict =
	    policy_check(&policy, state, &request, &later);
	*not_before = later.ns;
	return verdict;
}

static void every_verdict_has_a_name_of_its_own(void **context)
{
	(void)context;
	for (int i = 0; i < POLICY_VERDICTS; i++) {
		assert_non_null(policy_reason_name(i));
		for (int j = 0; j < i; j++)
			assert_string_not_equal(
			    policy_reason_name(i), policy_reason_name(j));
	}
	assert_string_equal(policy_reason_name(POLICY_VERDICTS), "unknown");
	assert_string_equal(policy_reason_name(-1), "unknown");
}

static enum policy_verdict fields(enum policy_who who, const struct probe *p)
{
	return policy_check_fields(&policy, who, p);
}

static void ordinary_probes_are_allowed(void **context)
{
	(void)context;
	struct probe p = udp();
	assert_int_equal(fields(POLICY_REMOTE, &p), POLICY_ALLOW);
	p.proto = PACKET_TCP;
	p.tcp_flags = PACKET_TCP_SYN;
	assert_int_equal(fields(POLICY_REMOTE, &p), POLICY_ALLOW);
	p.tcp_flags = PACKET_TCP_ACK;
	assert_int_equal(fields(POLICY_REMOTE, &p), POLICY_ALLOW);
	p = echo_to(addr("11.0.0.1"));
	assert_int_equal(fields(POLICY_REMOTE, &p), POLICY_ALLOW);
}

static void values_that_no_probe_may_have_are_denied(void **context)
{
	(void)context;
	struct probe p = udp();
	p.ttl = 0;
	assert_int_equal(fields(POLICY_LOCAL, &p), POLICY_DENY_FIELD);
	p = udp();
	p.sport = 0;
	assert_int_equal(fields(POLICY_LOCAL, &p), POLICY_DENY_FIELD);
	p = udp();
	p.dport = 0;
	assert_int_equal(fields(POLICY_LOCAL, &p), POLICY_DENY_FIELD);
	p = udp();
	p.flow_label = 1u << 20;
	assert_int_equal(fields(POLICY_LOCAL, &p), POLICY_DENY_FIELD);
	p = udp();
	p.fix_checksum = true;
	assert_int_equal(fields(POLICY_LOCAL, &p), POLICY_DENY_FIELD);
	for (int proto = 0; proto < 256; proto++) {
		p = udp();
		p.proto = (uint8_t)proto;
		p.tcp_flags = PACKET_TCP_SYN;
		bool known = proto == 1 || proto == 6 || proto == 17;
		assert_int_equal(fields(POLICY_LOCAL, &p),
		    known ? POLICY_ALLOW : POLICY_DENY_PROTOCOL);
	}
}

static void only_syn_alone_or_ack_alone_is_sent(void **context)
{
	(void)context;
	struct probe p = udp();
	p.proto = PACKET_TCP;
	for (int flags = 0; flags < 256; flags++) {
		p.tcp_flags = (uint8_t)flags;
		bool fine = flags == 0x02 || flags == 0x10;
		enum policy_verdict want =
		    fine ? POLICY_ALLOW : POLICY_DENY_FIELD;
		assert_int_equal(fields(POLICY_LOCAL, &p), want);
		assert_int_equal(fields(POLICY_REMOTE, &p), want);
	}
	policy.classes[POLICY_LOCAL].allow_tcp_flags = true;
	assert_int_equal(fields(POLICY_LOCAL, &p), POLICY_ALLOW);
}

/* A conversation is more than a campaign may, unless the operator says so. */
static void only_who_may_hold_a_port_converses(void **context)
{
	(void)context;
	static const uint8_t of_a_conversation[] = { 0x02, 0x10, 0x18, 0x11,
		0x19, 0x04, 0x14 };
	struct probe p = udp();
	p.proto = PACKET_TCP;
	p.hold = true;
	for (int flags = 0; flags < 256; flags++) {
		p.tcp_flags = (uint8_t)flags;
		bool fine =
		    memchr(of_a_conversation, flags, sizeof(of_a_conversation));
		assert_int_equal(fields(POLICY_LOCAL, &p),
		    fine ? POLICY_ALLOW : POLICY_DENY_FIELD);
		assert_int_equal(fields(POLICY_REMOTE, &p), POLICY_DENY_FIELD);
	}
	p.tcp_flags = PACKET_TCP_SYN;
	policy.classes[POLICY_REMOTE].allow_tcp_hold = true;
	assert_int_equal(fields(POLICY_REMOTE, &p), POLICY_ALLOW);
	p.proto = PACKET_UDP; /* nothing to hold */
	assert_int_equal(fields(POLICY_LOCAL, &p), POLICY_DENY_FIELD);
}

static void a_campaign_sends_zeros_unless_payload_is_granted(void **context)
{
	(void)context;
	uint8_t octets[8] = { 0xff, 0xff };
	struct probe p = udp();
	p.payload = octets;
	p.payload_len = sizeof(octets);
	assert_int_equal(fields(POLICY_LOCAL, &p), POLICY_ALLOW);
	assert_int_equal(fields(POLICY_REMOTE, &p), POLICY_DENY_PAYLOAD);
	p.fix_checksum = true;
	p.checksum = 1;
	assert_int_equal(fields(POLICY_REMOTE, &p), POLICY_ALLOW);
	octets[7] = 1;
	assert_int_equal(fields(POLICY_REMOTE, &p), POLICY_DENY_PAYLOAD);
	policy.classes[POLICY_REMOTE].allow_payload = true;
	assert_int_equal(fields(POLICY_REMOTE, &p), POLICY_ALLOW);
}

/* What is behind the mark is zeros, and no other protocol may have one: eight
 * octets are a request to some services. */
static void an_echo_of_a_campaign_may_say_whose_it_is(void **context)
{
	(void)context;
	uint8_t octets[POLICY_MARK_BYTES + 1];
	struct probe p = { .dst = addr_v4(0x0b000001),
		.proto = PACKET_ICMP,
		.ttl = 9,
		.payload = octets,
		.payload_len = sizeof(octets) };
	memset(octets, 0xff, sizeof(octets));
	octets[POLICY_MARK_BYTES] = 0;
	assert_int_equal(fields(POLICY_REMOTE, &p), POLICY_ALLOW);
	octets[POLICY_MARK_BYTES] = 1;
	assert_int_equal(fields(POLICY_REMOTE, &p), POLICY_DENY_PAYLOAD);
	octets[POLICY_MARK_BYTES] = 0;
	struct probe other = udp();
	other.payload = octets;
	other.payload_len = sizeof(octets);
	assert_int_equal(fields(POLICY_REMOTE, &other), POLICY_DENY_PAYLOAD);
}

static void size_is_bounded(void **context)
{
	(void)context;
	struct probe p = udp();
	p.payload_len = PROBE_PAYLOAD_MAX;
	assert_int_equal(fields(POLICY_REMOTE, &p), POLICY_ALLOW);
	p.payload_len++;
	assert_int_equal(fields(POLICY_REMOTE, &p), POLICY_DENY_SIZE);
	policy.classes[POLICY_REMOTE].max_size_bytes = 100;
	p.payload_len = 72;
	assert_int_equal(fields(POLICY_REMOTE, &p), POLICY_ALLOW);
	p.payload_len = 73;
	assert_int_equal(fields(POLICY_REMOTE, &p), POLICY_DENY_SIZE);
}

static void a_run_has_so_many_targets(void **context)
{
	(void)context;
	struct policy_hold hold = { 0 };
	int64_t later;
	policy.classes[POLICY_REMOTE].max_targets = 100;
	int64_t now = 0;
	for (uint32_t i = 0; i < 300; i++) {
		now += NS_PER_S;
		struct probe p = echo_to(addr_v4(0x0b000000 + i % 150));
		assert_int_equal(check_at(&p, &hold, now, &later),
		    i % 150 < 100 ? POLICY_ALLOW : POLICY_DENY_TARGETS);
	}
}

/* The n-th of 4096 places around an address, IPv4 or IPv6: where a range ends,
 * and where the octets before the last change. */
static struct addr around(bool six, uint32_t n)
{
	struct addr a = six ? addr("2400::ff:f800") : addr_v4(0x0b00f800);
	size_t last = addr_len(&a) - 1;
	uint32_t low = 0xf800 + n;
	for (int i = 0; i < 3; i++, low >>= 8)
		a.bytes[last - (size_t)i] = (uint8_t)low;
	return a;
}

static bool may_be_target(struct addr dst)
{
	struct probe p = echo_to(dst);
	struct policy_hold hold = { 0 };
	int64_t later;
	enum policy_verdict verdict = check_at(&p, &hold, 0, &later);
	policy_release(&hold);
	return verdict != POLICY_DENY_TARGETS;
}

/* Ranges, upwards and downwards, into each other, and addresses on their own:
 * a plain set is asked beside. */
static void targets_are_counted_as_in_a_set(void **context)
{
	(void)context;
	enum { PLACES = 4096, ROUNDS = 20, ASKED = 200 };
	uint64_t seed = 1;
	for (int round = 0; round < ROUNDS; round++) {
		bool has[2][PLACES] = { 0 };
		uint32_t count = 0, most = (uint32_t)(round * 150);
		policy.classes[POLICY_REMOTE].max_targets = most;
		policy_run_free(run);
		run = policy_run_new();
		for (int i = 0; i < ASKED; i++) {
			seed = hash_finish(seed + 1);
			bool six = seed >> 8 & 1, down = seed >> 9 & 1;
			uint32_t from = seed >> 16 & (PLACES - 1);
			uint32_t len =
			    seed >> 10 & 1 ? 1 : 1 + (seed >> 32 & 127);
			for (uint32_t n = 0; n < len; n++) {
				uint32_t at =
				    (down ? from - n : from + n) & (PLACES - 1);
				bool fits = has[six][at] || count < most;
				assert_int_equal(
				    may_be_target(around(six, at)), fits);
				count += fits && !has[six][at];
				has[six][at] |= fits;
			}
		}
		assert_int_equal(count, most);
	}
}

static void what_would_wait_too_long_is_denied(void **context)
{
	(void)context;
	policy.classes[POLICY_REMOTE].run_rate_pps = 1;
	policy.classes[POLICY_REMOTE].run_burst = 1;
	struct policy_hold holds[70] = { { 0 } };
	struct probe p = echo_to(addr("11.0.0.1"));
	int64_t later;
	for (int i = 0; i < 70; i++) {
		enum policy_verdict verdict =
		    check_at(&p, &holds[i], 0, &later);
		assert_int_equal(verdict,
		    i == 0        ? POLICY_ALLOW
			: i <= 60 ? POLICY_DEFER
				  : POLICY_DENY_RATE);
		if (verdict == POLICY_DEFER)
			assert_int_equal(later, i * NS_PER_S);
	}
	/* Those that leave the queue make room in it. */
	for (int i = 0; i < 10; i++)
		policy_release(&holds[60 - i]);
	assert_int_equal(check_at(&p, &holds[69], 0, &later), POLICY_DEFER);
	assert_int_equal(later, 51 * NS_PER_S);
}

static void rate_zero_means_never(void **context)
{
	(void)context;
	policy.classes[POLICY_REMOTE].agent_rate_pps = 0;
	struct policy_hold hold = { 0 };
	int64_t later;
	struct probe p = echo_to(addr("11.0.0.1"));
	assert_int_equal(check_at(&p, &hold, 0, &later), POLICY_DENY_RATE);
	assert_null(hold.bucket);
}

/* What a guardian does, in miniature: asks for random probes, asks again when
 * it was told to, and writes down what left. */
enum { PROBES = 3000 };
struct sent {
	int64_t at;
	uint32_t prefix;
};

static size_t play(struct sent *sent, int64_t *clock, const int64_t *jumps)
{
	static struct {
		struct probe probe;
		struct policy_hold hold;
		int64_t at;
	} waiting[PROBES];
	size_t count = 0, left = PROBES;
	for (size_t i = 0; i < PROBES; i++) {
		waiting[i].probe =
		    echo_to(addr_v4(0x0b000000 | (uint32_t)(rand() % 2048)));
		waiting[i].at = *clock + rand() % (20 * NS_PER_S);
		waiting[i].hold = (struct policy_hold){ 0 };
	}
	for (size_t step = 0; left > 0; step++) {
		size_t next = 0;
		for (size_t i = 1; i < left; i++)
			if (waiting[i].at < waiting[next].at)
				next = i;
		if (waiting[next].at > *clock)
			*clock = waiting[next].at;
		*clock += rand() % 20000; /* the loop is late */
		if (jumps)
			*clock += jumps[step % 97];
		int64_t later;
		enum policy_verdict verdict = check_at(
		    &waiting[next].probe, &waiting[next].hold, *clock, &later);
		if (verdict == POLICY_DEFER) {
			waiting[next].at = later;
			continue;
		}
		assert_int_equal(verdict, POLICY_ALLOW);
		sent[count++] = (struct sent){ *clock,
			addr_v4_value(&waiting[next].probe.dst) >> 8 };
		waiting[next] = waiting[--left];
	}
	return count;
}

static void assert_every_window(const struct sent *sent, size_t count,
    uint32_t prefix, int64_t rate, int64_t burst)
{
	for (size_t i = 0; i < count; i++) {
		int64_t n = 0;
		if (prefix && sent[i].prefix != prefix)
			continue;
		for (size_t j = i; j < count; j++) {
			if (prefix && sent[j].prefix != prefix)
				continue;
			n++;
			/* n <= rate * w + burst, in whole numbers */
			int64_t w = sent[j].at - sent[i].at;
			assert_true((n - burst) * NS_PER_S <= rate * w);
		}
	}
}

static void use_small_rates(void)
{
	struct policy_class *c = &policy.classes[POLICY_REMOTE];
	c->run_rate_pps = 90;
	c->run_burst = 7;
	c->prefix_rate_pps = 30;
	c->prefix_burst = 3;
	c->agent_rate_pps = 80;
	c->agent_burst = 20;
}

static void assert_all_windows(const struct sent *sent, size_t count)
{
	assert_every_window(sent, count, 0, 90, 7);
	assert_every_window(sent, count, 0, 80, 20);
	for (uint32_t prefix = 0; prefix < 8; prefix++)
		assert_every_window(sent, count, 0x0b0000 + prefix, 30, 3);
}

static void limits_hold_in_every_window(void **context)
{
	(void)context;
	static struct sent sent[PROBES];
	int64_t clock = NS_PER_S;
	srand(7);
	use_small_rates();
	size_t count = play(sent, &clock, NULL);
	assert_int_equal(count, PROBES);
	assert_all_windows(sent, count);
	/* And the rate is used: 80 a second, all the time. */
	assert_true(clock < (PROBES / 80 + 5) * NS_PER_S);
}

static void a_clock_that_jumps_ahead_gives_no_more_than_a_burst(void **context)
{
	(void)context;
	static struct sent sent[PROBES];
	int64_t clock = NS_PER_S,
		jumps[97] = { [13] = 3600 * NS_PER_S, [55] = NS_PER_S / 2 };
	srand(8);
	use_small_rates();
	policy.max_defer_ns = INT64_MAX / 2;
	size_t count = play(sent, &clock, jumps);
	assert_all_windows(sent, count);
}

static void a_clock_that_falls_back_gives_nothing(void **context)
{
	(void)context;
	use_small_rates();
	policy.max_defer_ns = INT64_MAX / 2;
	struct probe p = echo_to(addr("11.0.0.1"));
	struct policy_hold hold = { 0 };
	int64_t later, now = 100 * NS_PER_S;
	for (int i = 0; i < 3; i++)
		assert_int_equal(
		    check_at(&p, &hold, now, &later), POLICY_ALLOW);
	for (int64_t back = 0; back < 50 * NS_PER_S; back += NS_PER_S) {
		assert_int_equal(
		    check_at(&p, &hold, now - back, &later), POLICY_DEFER);
		policy_release(&hold);
	}
}

static void a_full_row_forgets_only_full_buckets(void **context)
{
	(void)context;
	static struct limit_table room = { .key = 1 }, *table = &room;
	int64_t retry = 0;
	struct addr first = addr_v4(0), other;
	struct bucket *b;
	uint32_t i = 0;
	for (; i < 4 * PREFIXES; i++) {
		other = addr_v4(i << 8);
		b = limit_table_find(table, POLICY_LOCAL, &other, 0, &retry);
		if (!b)
			break;
		assert_int_equal(b->full_ns, 0);
		b->full_ns = 1000 + i;
	}
	assert_in_range(i, PREFIXES / 8, PREFIXES);
	assert_in_range(retry, 1000, 1000 + PREFIXES);
	/* The buckets that were there keep what they know. */
	assert_int_equal(
	    limit_table_find(table, POLICY_LOCAL, &first, 5, &retry)->full_ns,
	    1000);
	b = limit_table_find(table, POLICY_LOCAL, &other, retry, &retry);
	assert_non_null(b);
	assert_int_equal(b->full_ns, 0);
}

static void a_bucket_that_somebody_waits_for_stays(void **context)
{
	(void)context;
	static struct limit_table room = { .key = 1 }, *table = &room;
	int64_t retry = 0;
	struct addr a = addr_v4(0x0b000000);
	struct bucket *held =
	    limit_table_find(table, POLICY_LOCAL, &a, 0, &retry);
	held->waiting = 1;
	for (uint32_t i = 1; i < 3 * PREFIXES; i++) {
		a = addr_v4(i << 8);
		assert_non_null(
		    limit_table_find(table, POLICY_LOCAL, &a, 9, &retry));
	}
	a = addr_v4(0x0b000000);
	assert_ptr_equal(
	    limit_table_find(table, POLICY_LOCAL, &a, 9, &retry), held);
	a = addr_v4(0x0b0000ff);
	assert_ptr_equal(
	    limit_table_find(table, POLICY_LOCAL, &a, 9, &retry), held);
	assert_ptr_not_equal(
	    limit_table_find(table, POLICY_REMOTE, &a, 9, &retry), held);
}

static int load(const char *text, struct errmsg *msg)
{
	char path[] = "/tmp/sonde-policy-XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	int err = policy_load(&policy, path, msg);
	unlink(path);
	return err;
}

static void a_file_replaces_what_it_names(void **context)
{
	(void)context;
	struct errmsg msg;
	struct policy old = policy;
	assert_int_equal(load("remote-agent-rate = 7\n"
			      "local-allow-private = false\n"
			      "remote-allow-special = true\n"
			      "max-defer = 5s\n"
			      "deny = { \"192.0.2.0/24\", \"192.0.2.1\", "
			      "\"2001:db8::/32\" }\n",
			     &msg),
	    0);
	assert_int_equal(policy.classes[POLICY_REMOTE].agent_rate_pps, 7);
	assert_int_equal(policy.max_defer_ns, 5 * NS_PER_S);
	assert_int_equal(policy.deny_count, 2);
	assert_false(policy.classes[POLICY_LOCAL].allow_private);
	assert_true(policy.classes[POLICY_LOCAL].allow_own);
	assert_int_equal(policy.classes[POLICY_LOCAL].run_rate_pps,
	    old.classes[POLICY_LOCAL].run_rate_pps);
	struct addr a = addr("192.0.2.77");
	assert_int_equal(
	    policy_check_address(&policy, POLICY_REMOTE, &a, false, false),
	    POLICY_DENY_LIST);
	assert_int_equal(
	    policy_check_address(&policy, POLICY_LOCAL, &a, false, false),
	    POLICY_ALLOW);
	policy.classes[POLICY_LOCAL].obey_deny_list = true;
	assert_int_equal(
	    policy_check_address(&policy, POLICY_LOCAL, &a, false, false),
	    POLICY_DENY_LIST);
}

static void a_wrong_file_says_what_is_wrong(void **context)
{
	(void)context;
	struct errmsg msg;
	assert_int_not_equal(load("remote-agent-rat = 7\n", &msg), 0);
	assert_non_null(strstr(msg.text, "remote-agent-rate"));
	assert_int_equal(
	    load("deny = { \"192.0.2.1/24\" }\n", &msg), ERR_CONFIG);
	assert_non_null(strstr(msg.text, "192.0.2.0/24"));
	assert_int_not_equal(load("remote-run-rate = -1\n", &msg), 0);
	assert_int_not_equal(load("remote-max-size = 9000\n", &msg), 0);
	assert_int_not_equal(
	    policy_load(&policy, "/nonexistent/policy", &msg), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_verdict_has_a_name_of_its_own),
		TEST(ordinary_probes_are_allowed),
		TEST(values_that_no_probe_may_have_are_denied),
		TEST(only_syn_alone_or_ack_alone_is_sent),
		TEST(only_who_may_hold_a_port_converses),
		TEST(a_campaign_sends_zeros_unless_payload_is_granted),
		TEST(an_echo_of_a_campaign_may_say_whose_it_is),
		TEST(size_is_bounded),
		TEST(a_run_has_so_many_targets),
		TEST(targets_are_counted_as_in_a_set),
		TEST(what_would_wait_too_long_is_denied),
		TEST(rate_zero_means_never),
		TEST(limits_hold_in_every_window),
		TEST(a_clock_that_jumps_ahead_gives_no_more_than_a_burst),
		TEST(a_clock_that_falls_back_gives_nothing),
		TEST(a_full_row_forgets_only_full_buckets),
		TEST(a_bucket_that_somebody_waits_for_stays),
		TEST(a_file_replaces_what_it_names),
		TEST(a_wrong_file_says_what_is_wrong),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
