/* SPDX-License-Identifier: ISC */
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "probes/net/live/live-bypass.h"

#define AGE_NS NS_PER_S

void live_bypass_open(struct live_bypass *b)
{
	int on = 1;
	*b = (struct live_bypass){ .hooks = LIVE_HOOKS_CLOSED };
	/* No protocol: it receives nothing. */
	b->fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (b->fd >= 0 &&
	    setsockopt(
		b->fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof(on)) != 0)
		live_bypass_close(b);
	if (b->fd >= 0)
		live_hooks_open(&b->hooks);
}

void live_bypass_close(struct live_bypass *b)
{
	if (b->fd >= 0)
		close(b->fd);
	b->fd = -1;
	live_hooks_close(&b->hooks);
}

static bool goes_there(
    const struct live_bypass *b, const struct net_send *packet)
{
	const struct net_route *route = packet->route;
	return packet->swept && route->device_index == b->device &&
	    addr_equal(&route->next_hop, &b->next_hop);
}

size_t live_bypass_run(struct live_bypass *b, struct live_routes *routes,
    const struct net_send *packets, size_t count, struct monotime now)
{
	const struct net_route *route = packets[0].route;
	size_t run = 0;
	if (b->fd < 0 || !packets[0].swept || route->device_index == 0 ||
	    route->next_hop.family == 0 || route->shaped ||
	    live_hooks_possible(&b->hooks))
		return 0;
	bool old =
	    b->asked_at.ns == 0 || monotime_diff(now, b->asked_at) >= AGE_NS;
	if (old || !goes_there(b, &packets[0])) {
		b->device = route->device_index;
		b->next_hop = route->next_hop;
		b->asked_at = now;
		b->known = live_routes_neighbour(
		    routes, b->device, &b->next_hop, b->mac);
		if (old) {
			live_hooks_look(&b->hooks);
			return 0;
		}
	}
	while (b->known && run < count && goes_there(b, &packets[run]))
		run++;
	return run;
}

size_t live_bypass_send(
    struct live_bypass *b, const struct net_send *packets, size_t count)
{
	struct mmsghdr heads[NET_BATCH] = { 0 };
	struct iovec parts[NET_BATCH];
	bool six = b->next_hop.family == 6;
	struct sockaddr_ll to = { .sll_family = AF_PACKET,
		.sll_protocol = htons(six ? ETH_P_IPV6 : ETH_P_IP),
		.sll_ifindex = (int)b->device,
		.sll_halen = sizeof(b->mac) };
	memcpy(to.sll_addr, b->mac, sizeof(b->mac));
	if (count > NET_BATCH)
		count = NET_BATCH;
	for (size_t i = 0; i < count; i++) {
		parts[i] =
		    (struct iovec){ (void *)packets[i].bytes, packets[i].len };
		heads[i].msg_hdr = (struct msghdr){ .msg_name = &to,
			.msg_namelen = sizeof(to),
			.msg_iov = &parts[i],
			.msg_iovlen = 1 };
	}
	int n = sendmmsg(b->fd, heads, (unsigned)count, MSG_DONTWAIT);
	return n > 0 ? (size_t)n : 0;
}
