/* SPDX-License-Identifier: ISC */
/*
 * A network without a world: whatever is sent comes back a millisecond later
 * with its ends swapped, in virtual time.
 */
#pragma once

#include <string.h>

#include "probes/net/net.h"

static struct {
	int64_t now, due;
	size_t len;
	uint8_t bytes[1500];
} null_net;

static int null_route(
    void *ctx, const struct net_flow *flow, struct net_route *route)
{
	(void)ctx;
	*route = (struct net_route){ .src = flow->dst };
	route->src.bytes[3] ^= 1;
	return flow->dst.bytes[0] == 99 ? -1 : 0;
}

static bool null_is(void *ctx, const struct addr *a)
{
	(void)ctx;
	return a->bytes[0] == 98;
}

static struct monotime null_now(void *ctx)
{
	(void)ctx;
	return (struct monotime){ null_net.now };
}

static struct walltime null_wall(void *ctx)
{
	(void)ctx;
	return (struct walltime){ null_net.now };
}

static size_t null_send(void *ctx, const struct net_send *packets, size_t count)
{
	(void)ctx;
	const struct net_send *last = &packets[count - 1];
	bool v6 = last->bytes[0] >> 4 == 6;
	size_t at = v6 ? 8 : 12, size = v6 ? 16 : 4;
	memcpy(null_net.bytes, last->bytes, last->len);
	memcpy(null_net.bytes + at, last->bytes + at + size, size);
	memcpy(null_net.bytes + at + size, last->bytes + at, size);
	null_net.len = last->len;
	null_net.due = null_net.now + NS_PER_MS;
	return count;
}

static void null_poll(void *ctx, net_event_fn *fn, void *arg)
{
	(void)ctx;
	struct net_event event = { .kind = NET_RECEIVED,
		.bytes = null_net.bytes,
		.caplen = null_net.len,
		.wirelen = null_net.len };
	if (null_net.len == 0 || null_net.now < null_net.due)
		return;
	null_net.len = 0;
	fn(arg, &event);
}

static size_t null_fds(void *ctx, int *fds, size_t size)
{
	(void)ctx;
	(void)fds;
	return size - size;
}

static void null_advance(void *ctx, struct monotime until)
{
	(void)ctx;
	if (null_net.len > 0 && null_net.due < until.ns)
		until.ns = null_net.due;
	if (until.ns > null_net.now)
		null_net.now = until.ns;
}

static void null_counters(void *ctx, struct net_counters *counters)
{
	(void)ctx;
	memset(counters, 0, sizeof(*counters));
}

static void null_close(void *ctx)
{
	(void)ctx;
}

static const struct net_ops null_ops = { .name = "null",
	.close = null_close,
	.route = null_route,
	.is_own = null_is,
	.is_broadcast = null_is,
	.now = null_now,
	.wall = null_wall,
	.send = null_send,
	.poll = null_poll,
	.fds = null_fds,
	.advance = null_advance,
	.counters = null_counters };
