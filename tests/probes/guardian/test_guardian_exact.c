/* SPDX-License-Identifier: ISC */
/*
 * Departures under load, by a clock that goes on only when the guardian does
 * something: a look at it and a packet each cost a stated time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/packet/packet.h"
#include "probes/guardian/guardian.h"
#include "probes/guardian/wire.h"
#include "probes/policy/policy-file.h"

#define LOOK_COSTS_NS 100
#define PACKET_COSTS_NS (5 * NS_PER_US)
#define TRAIN 4
#define FLOODS 12 /* messages */

static int64_t clock_ns;
static struct monotime left_at[TRAIN];
static size_t sent, departed, flooded;

static struct monotime costly_now(void *ctx)
{
	(void)ctx;
	return (struct monotime){ clock_ns += LOOK_COSTS_NS };
}

static struct walltime costly_wall(void *ctx)
{
	(void)ctx;
	return (struct walltime){ clock_ns };
}

static int costly_route(
    void *ctx, const struct net_flow *flow, struct net_route *route)
{
	(void)ctx;
	(void)flow;
	*route = (struct net_route){ 0 };
	return addr_parse(&route->src, "11.9.9.9");
}

static bool is_never(void *ctx, const struct addr *a)
{
	(void)ctx;
	(void)a;
	return false;
}

/* The train's probes are to 11.8.0.2. */
static size_t costly_send(
    void *ctx, const struct net_send *packets, size_t count)
{
	(void)ctx;
	for (size_t i = 0; i < count; i++) {
		clock_ns += PACKET_COSTS_NS;
		sent++;
		if (packets[i].bytes[17] != 8)
			flooded++;
		else if (departed < TRAIN)
			left_at[departed++].ns = clock_ns - PACKET_COSTS_NS;
	}
	return count;
}

static void costly_poll(void *ctx, net_event_fn *fn, void *arg)
{
	(void)ctx;
	(void)fn;
	(void)arg;
}

static size_t costly_fds(void *ctx, int *fds, size_t size)
{
	(void)ctx;
	(void)fds;
	(void)size;
	return 0;
}

static void costly_counters(void *ctx, struct net_counters *counters)
{
	(void)ctx;
	*counters = (struct net_counters){ 0 };
}

static void costly_close(void *ctx)
{
	(void)ctx;
}

static const struct net_ops costly = {
	.name = "costly",
	.close = costly_close,
	.route = costly_route,
	.is_own = is_never,
	.is_broadcast = is_never,
	.now = costly_now,
	.wall = costly_wall,
	.send = costly_send,
	.poll = costly_poll,
	.fds = costly_fds,
	.counters = costly_counters,
};

static int add_session(struct guardian *g)
{
	const struct guardian_run local = { .who = POLICY_LOCAL };
	int pair[2];
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(guardian_add_run(g, pair[1], &local), 0);
	return pair[0];
}

static void send_probes(int fd, const struct wire_probe *probes, uint32_t count)
{
	static struct {
		struct wire_head head;
		struct wire_probe probes[WIRE_MAX_COUNT];
	} message;
	message.head = (struct wire_head){ .type = WIRE_SEND, .count = count };
	memcpy(message.probes, probes, count * sizeof(*probes));
	size_t len = sizeof(message.head) + count * sizeof(*probes);
	assert_int_equal(send(fd, &message, len, MSG_DONTWAIT), len);
}

static struct wire_probe echo_to(uint8_t second, uint8_t third, int64_t at)
{
	const uint8_t dst[] = { 11, second, third, 2 };
	return (struct wire_probe){ .at = { at },
		.until = { at + 60 * NS_PER_S },
		.probe = { .proto = PACKET_ICMP,
		    .ttl = 64,
		    .dst = addr_from_bytes(dst, 4) } };
}

static void fill_train(struct wire_probe *probes)
{
	for (int i = 0; i < TRAIN; i++) {
		probes[i] = echo_to(8, 0, clock_ns + (i + 1) * NS_PER_MS);
		probes[i].probe.icmp_seq = (uint16_t)i;
	}
}

static void a_train_leaves_on_time_whatever_others_send(void **state)
{
	(void)state;
	struct policy policy;
	struct wire_probe train[TRAIN], flood[WIRE_MAX_COUNT];
	clock_ns = NS_PER_S;
	sent = departed = flooded = 0;
	policy_init(&policy);
	struct guardian *g = guardian_new(&costly, NULL, &policy);
	int train_fd = add_session(g), flood_fd = add_session(g);
	fill_train(train);
	send_probes(train_fd, train, TRAIN);
	for (uint8_t i = 0; i < FLOODS; i++) {
		for (uint16_t j = 0; j < WIRE_MAX_COUNT; j++) {
			flood[j] = echo_to(16, i, 0);
			flood[j].until.ns = clock_ns + 60 * NS_PER_S;
			flood[j].probe.icmp_seq = j;
		}
		send_probes(flood_fd, flood, WIRE_MAX_COUNT);
	}
	while (departed < TRAIN || flooded < FLOODS * WIRE_MAX_COUNT)
		guardian_step(g, -1);
	/* All that was sent at once takes 3.8 ms, a batch of it 0.3. */
	for (int i = 0; i < TRAIN; i++) {
		int64_t late = monotime_diff(left_at[i], train[i].at);
		assert_in_range(late, 0, 5 * PACKET_COSTS_NS);
	}
	close(train_fd);
	close(flood_fd);
	guardian_free(g);
	policy_fini(&policy);
}

/* Those of one time are one batch, not one behind the other. */
static void a_burst_leaves_at_one_time(void **state)
{
	(void)state;
	struct policy policy;
	struct wire_probe train[TRAIN];
	clock_ns = NS_PER_S;
	sent = departed = flooded = 0;
	policy_init(&policy);
	struct guardian *g = guardian_new(&costly, NULL, &policy);
	int fd = add_session(g);
	fill_train(train);
	for (int i = 1; i < TRAIN; i++)
		train[i].at = train[0].at;
	send_probes(fd, train, TRAIN);
	while (departed < TRAIN)
		guardian_step(g, -1);
	for (int i = 1; i < TRAIN; i++)
		assert_int_equal(
		    monotime_diff(left_at[i], left_at[i - 1]), PACKET_COSTS_NS);
	close(fd);
	guardian_free(g);
	policy_fini(&policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_train_leaves_on_time_whatever_others_send),
		cmocka_unit_test(a_burst_leaves_at_one_time),
	};
	return cmocka_run_group_tests_name("guardian_exact", tests, NULL, NULL);
}
