/* SPDX-License-Identifier: ISC */
/* The live network on the loopback interface; needs CAP_NET_RAW. */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "probes/net/live/live-receive.h"
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
		int fds[16];
		struct pollfd polled[16];
		size_t n = net_live.fds(ctx, fds, 16);
		for (size_t j = 0; j < n; j++)
			polled[j] = (struct pollfd){ fds[j], POLLIN, 0 };
		poll(polled, n, 10);
		net_live.poll(ctx, note, seen);
	}
}

static void send_probe(void *ctx, const char *text)
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
	struct net_send packet = { bytes, (size_t)len, 4711, &route, false,
		false };
	assert_int_equal(net_live.send(ctx, &packet, 1), 1);
	probe_builder_free(builder);
}

static void send_to(void *ctx, const char *text, struct seen *seen)
{
	send_probe(ctx, text);
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
	struct net_send packet = { bytes, sizeof(bytes), 1, NULL, false,
		false };
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

/* What a target's datagram looks like when it comes in. */
struct heard {
	struct packet packet;
	uint8_t payload[4];
	size_t wirelen;
	int count;
};

static void note_datagram(void *arg, const struct net_event *event)
{
	struct heard *heard = arg;
	struct packet p;
	if (event->kind != NET_RECEIVED ||
	    packet_decode_ip(&p, event->bytes, event->caplen, event->wirelen) !=
		0 ||
	    p.proto != PACKET_UDP || p.dport != 33998)
		return;
	heard->count++;
	heard->packet = p;
	heard->wirelen = event->wirelen;
	if (p.payload_len == 4)
		memcpy(heard->payload, p.payload, 4);
}

/* A target on this machine, with a distance and a class of its own. */
static int target_open(int family, struct sockaddr_storage *at, socklen_t len)
{
	int fd = socket(family, SOCK_DGRAM, 0), hops = 33, class = 0x2c;
	if (fd < 0 || bind(fd, (struct sockaddr *)at, len) != 0)
		skip(); /* a machine without IPv6 */
	if (family == AF_INET) {
		setsockopt(fd, IPPROTO_IP, IP_TTL, &hops, sizeof(hops));
		setsockopt(fd, IPPROTO_IP, IP_TOS, &class, sizeof(class));
	} else {
		setsockopt(
		    fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &hops, sizeof(hops));
		setsockopt(
		    fd, IPPROTO_IPV6, IPV6_TCLASS, &class, sizeof(class));
	}
	return fd;
}

static void expect_datagram(const char *text)
{
	struct sockaddr_storage at = { 0 };
	struct addr target;
	socklen_t len;
	assert_int_equal(addr_parse(&target, text), 0);
	if (target.family == 4) {
		struct sockaddr_in *in = (struct sockaddr_in *)&at;
		*in = (struct sockaddr_in){ .sin_family = AF_INET,
			.sin_port = htons(33999),
			.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
		len = sizeof(*in);
	} else {
		struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&at;
		*in6 = (struct sockaddr_in6){ .sin6_family = AF_INET6,
			.sin6_port = htons(33999),
			.sin6_addr = IN6ADDR_LOOPBACK_INIT };
		len = sizeof(*in6);
	}
	int fd = target_open(at.ss_family, &at, len);
	void *ctx = open_or_skip();
	struct heard heard = { .count = 0 };
	char probe[64];
	struct sockaddr_storage from;
	socklen_t from_len = sizeof(from);
	send_probe(ctx, text);
	assert_int_equal(recvfrom(fd, probe, sizeof(probe), 0,
			     (struct sockaddr *)&from, &from_len),
	    12);
	assert_int_equal(
	    sendto(fd, "pong", 4, 0, (struct sockaddr *)&from, from_len), 4);
	struct monotime end = monotime_add(monotime_now(), 60 * NS_PER_S);
	while (!heard.count && monotime_before(monotime_now(), end))
		net_live.poll(ctx, note_datagram, &heard);
	net_live.close(ctx);
	close(fd);
	size_t header = target.family == 4 ? 20 : 40;
	assert_int_equal(heard.count, 1);
	assert_true(addr_equal(&heard.packet.src, &target));
	assert_true(addr_equal(&heard.packet.dst, &target));
	assert_int_equal(heard.packet.ttl, 33);
	assert_int_equal(heard.packet.tos, 0x2c);
	assert_int_equal(heard.packet.sport, 33999);
	assert_int_equal(heard.wirelen, header + 8 + 4);
	assert_memory_equal(heard.payload, "pong", 4);
}

/* Headers too, that of IPv6 as well. */
static void a_targets_datagram_comes_whole(void **state)
{
	(void)state;
	expect_datagram("127.0.0.1");
}

static void of_ipv6_too(void **state)
{
	(void)state;
	expect_datagram("::1");
}

static int by_sockets(void **state)
{
	(void)state;
	live_receive_by(&live_sockets);
	return 0;
}

static int by_ring(void **state)
{
	(void)state;
	live_receive_by(&live_ring);
	return 0;
}

#define ON_BOTH(f)                             \
	cmocka_unit_test_setup(f, by_sockets), \
	    cmocka_unit_test_setup(f, by_ring)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_BOTH(
		    a_probe_is_stamped_by_the_kernel_and_its_error_comes_back),
		ON_BOTH(ipv6_works_the_same),
		ON_BOTH(
		    a_packet_that_cannot_leave_is_reported_and_the_next_is_stamped),
		ON_BOTH(a_targets_datagram_comes_whole),
		ON_BOTH(of_ipv6_too),
		cmocka_unit_test(own_and_broadcast_addresses_are_known),
		cmocka_unit_test(a_wrong_spec_is_a_usage_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
