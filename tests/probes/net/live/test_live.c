/* SPDX-License-Identifier: ISC */
/* The live network on the loopback interface; needs CAP_NET_RAW. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "probes/net/net.h"
#include "lib/packet/packet.h"
#include "probes/packet/probe.h"

struct seen {
	int sent, failed, errors;
	enum net_clock sent_clock;
	struct walltime sent_at, error_at;
	uint32_t cookie;
	struct packet quoted;
};

static void note(void *arg, const struct net_event *event)
{
	struct seen *seen = arg;
	struct packet p;
	if (event->kind == NET_SENT) {
		seen->sent++;
		seen->sent_clock = event->stamp.clock;
		seen->sent_at = event->stamp.wall;
		seen->cookie = event->cookie;
	} else if (event->kind == NET_SEND_FAILED)
		seen->failed++;
	else if (packet_decode_ip(
		     &p, event->bytes, event->caplen, event->wirelen) == 0 &&
	    packet_is_icmp_error(&p) &&
	    packet_decode_quote(&seen->quoted, &p) == 0 &&
	    seen->quoted.dport == 33999) {
		seen->errors++;
		seen->error_at = event->stamp.wall;
	}
}

static void *open_or_skip(void)
{
	void *ctx = NULL;
	struct errmsg msg;
	int err = net_live.open(&ctx, NULL, &msg);
	if (err == -EPERM || err == -EACCES)
		skip();
	if (err)
		fail_msg("%s", msg.text);
	return ctx;
}

/* Polls until the stamp and an error came back; a minute says never. */
static void wait_for_error(void *ctx, struct seen *seen)
{
	struct monotime end = monotime_add(monotime_now(), 60 * NS_PER_S);
	while ((!seen->errors || !seen->sent) &&
	    monotime_before(monotime_now(), end)) {
		int fds[8];
		struct pollfd polled[8];
		size_t n = net_live.fds(ctx, fds, 8);
		for (size_t j = 0; j < n; j++)
			polled[j] = (struct pollfd){ fds[j], POLLIN, 0 };
		poll(polled, n, 10);
		net_live.poll(ctx, note, seen);
	}
}

static void send_to(void *ctx, const char *text, struct seen *seen)
{
	struct probe probe = { .proto = PACKET_UDP,
		.ttl = 9,
		.sport = 33998,
		.dport = 33999,
		.payload_len = 12 };
	struct net_flow flow = {
		.proto = PACKET_UDP, .sport = 33998, .dport = 33999
	};
	struct net_route route;
	uint8_t bytes[128];
	assert_int_equal(addr_parse(&probe.dst, text), 0);
	flow.dst = probe.dst;
	int err = net_live.route(ctx, &flow, &route);
	if (err) /* a machine without IPv6 */
		skip();
	assert_true(net_live.is_own(ctx, &route.src));
	struct probe_builder *builder = probe_builder_new(NULL);
	int len = probe_build(
	    builder, &probe, &route.src, bytes, sizeof(bytes), NULL);
	assert_true(len > 0);
	struct net_send packet = { bytes, (size_t)len, 4711, &route };
	assert_int_equal(net_live.send(ctx, &packet, 1), 1);
	probe_builder_free(builder);
	wait_for_error(ctx, seen);
}

static void a_probe_is_stamped_by_the_kernel_and_its_error_comes_back(
    void **state)
{
	(void)state;
	void *ctx = open_or_skip();
	struct seen seen = { 0 };
	send_to(ctx, "127.0.0.1", &seen);
	assert_int_equal(seen.sent, 1);
	assert_int_equal(seen.cookie, 4711);
	assert_int_equal(seen.sent_clock, NET_CLOCK_KERNEL_SOFTWARE);
	assert_int_equal(seen.errors, 1);
	assert_true(walltime_diff(seen.error_at, seen.sent_at) >= 0);
	assert_int_equal(seen.quoted.sport, 33998);
	net_live.close(ctx);
}

static void ipv6_works_the_same(void **state)
{
	(void)state;
	void *ctx = open_or_skip();
	struct seen seen = { 0 };
	send_to(ctx, "::1", &seen);
	assert_int_equal(seen.sent, 1);
	assert_int_equal(seen.errors, 1);
	net_live.close(ctx);
}

static void a_packet_that_cannot_leave_is_reported_and_the_next_is_stamped(
    void **state)
{
	(void)state;
	void *ctx = open_or_skip();
	struct seen seen = { 0 };
	uint8_t bytes[40] = { 0x45, 0, 0, 40 };
	memcpy(bytes + 16, (uint8_t[]){ 255, 255, 255, 255 }, 4);
	struct net_send packet = { bytes, sizeof(bytes), 1, NULL };
	assert_int_equal(net_live.send(ctx, &packet, 1), 0);
	net_live.poll(ctx, note, &seen);
	assert_int_equal(seen.failed, 1);
	send_to(ctx, "127.0.0.1", &seen);
	assert_int_equal(seen.cookie, 4711);
	assert_int_equal(seen.sent_clock, NET_CLOCK_KERNEL_SOFTWARE);
	net_live.close(ctx);
}

static void own_and_broadcast_addresses_are_known(void **state)
{
	(void)state;
	void *ctx = open_or_skip();
	struct addr a;
	addr_parse(&a, "127.0.0.1");
	assert_true(net_live.is_own(ctx, &a));
	addr_parse(&a, "127.255.255.255");
	assert_true(net_live.is_broadcast(ctx, &a));
	addr_parse(&a, "198.51.100.1");
	assert_false(net_live.is_own(ctx, &a));
	assert_false(net_live.is_broadcast(ctx, &a));
	net_live.close(ctx);
}

static void a_wrong_spec_is_a_usage_error(void **state)
{
	(void)state;
	void *ctx = NULL;
	struct errmsg msg;
	assert_int_equal(net_live.open(&ctx, "bufer=1M", &msg), ERR_USAGE);
	assert_int_equal(net_live.open(&ctx, "buffer=7", &msg), ERR_USAGE);
	const char *spec;
	assert_null(net_find("life", &spec, &msg));
	assert_ptr_equal(net_find("sim:a:b", &spec, &msg), &net_sim);
	assert_string_equal(spec, "a:b");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_probe_is_stamped_by_the_kernel_and_its_error_comes_back),
		cmocka_unit_test(ipv6_works_the_same),
		cmocka_unit_test(
		    a_packet_that_cannot_leave_is_reported_and_the_next_is_stamped),
		cmocka_unit_test(own_and_broadcast_addresses_are_known),
		cmocka_unit_test(a_wrong_spec_is_a_usage_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
