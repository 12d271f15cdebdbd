/* SPDX-License-Identifier: ISC */
/* The fixture's network, and what comes back in it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/probes/guardian/guardian-fixture.h"

struct fake_net net;

void come(
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

static int fake_route(
    void *ctx, const struct net_flow *flow, struct net_route *route)
{
	(void)ctx;
	if (flow->proto)
		net.flow = *flow;
	*route = (struct net_route){ .device = "fake0", .mtu = 1400 };
	if (flow->dst.bytes[0] == 99)
		return -ENETUNREACH;
	addr_parse(&route->src, flow->dst.family == 4 ? "11.9.9.9" : "2600::9");
	addr_parse(&route->next_hop, "11.9.9.1");
	return 0;
}

static bool fake_is_own(void *ctx, const struct addr *a)
{
	const struct net_flow flow = { .dst = *a };
	struct net_route route;
	return fake_route(ctx, &flow, &route) == 0 && addr_equal(&route.src, a);
}

static bool fake_is_broadcast(void *ctx, const struct addr *a)
{
	(void)ctx;
	return a->family == 4 && addr_v4_value(a) == 0x0b0909ff;
}

void meet(void)
{
	static int turns;
	__atomic_fetch_add(&turns, 1, __ATOMIC_ACQ_REL);
}

static struct monotime fake_now(void *ctx)
{
	(void)ctx;
	meet();
	return (struct monotime){ net.now };
}

static struct walltime fake_wall(void *ctx)
{
	(void)ctx;
	meet();
	return (struct walltime){ net.now + net.asleep_ns + 1000 * NS_PER_S };
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
	meet();
	while (net.coming_count > 0) {
		size_t next = next_coming();
		struct coming c = net.coming[next];
		if (c.at > net.now)
			return;
		memmove(&net.coming[next], &net.coming[next + 1],
		    (--net.coming_count - next) * sizeof(c));
		struct net_event event = { .kind = c.kind,
			.stamp = { { c.at + net.asleep_ns + 1000 * NS_PER_S },
			    NET_CLOCK_SIMULATED },
			.cookie = c.cookie,
			.err = net.fail_sends == EMSGSIZE ? -EMSGSIZE : -EPERM,
			.mtu = net.fail_sends == EMSGSIZE ? 1280 : 0,
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

const struct net_ops fake = {
	.name = "fake",
	.close = fake_close,
	.route = fake_route,
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

size_t make_echo_reply(uint8_t *reply, const uint8_t *p, size_t len)
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

void answer_echo(const uint8_t *p, size_t len)
{
	uint8_t reply[1500];
	come(NS_PER_MS, NET_RECEIVED, 0, reply, make_echo_reply(reply, p, len));
}

void answer_echo_twice(const uint8_t *p, size_t len)
{
	answer_echo(p, len);
	uint8_t reply[256];
	come(2 * NS_PER_MS, NET_RECEIVED, 0, reply,
	    make_echo_reply(reply, p, len));
}

void answer_expired(const uint8_t *p, size_t len)
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

void answer_expired_v6(const uint8_t *p, size_t len)
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
