/* SPDX-License-Identifier: ISC */
/* See live-route.c for why a packet may be addressed to its next hop. */
#include "probes/net/live/live-message.h"

#include <time.h>
#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <string.h>

#ifndef IP_PROTOCOL /* of Linux 6.4, and of stable ones before */
#define IP_PROTOCOL 52
#endif

struct addr live_destination(const uint8_t *bytes)
{
	return bytes[0] >> 4 == 6 ? addr_from_bytes(bytes + 24, 16)
				  : addr_from_bytes(bytes + 16, 4);
}

static socklen_t fill_sockaddr(struct sockaddr_storage *to,
    const struct addr *a, uint8_t proto, uint32_t device)
{
	memset(to, 0, sizeof(*to));
	if (a->family == 4) {
		struct sockaddr_in *in = (struct sockaddr_in *)to;
		in->sin_family = AF_INET;
		memcpy(&in->sin_addr, a->bytes, 4);
		return sizeof(*in);
	}
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)to;
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(proto);
	in6->sin6_scope_id = device; /* heeded for link-local ones only */
	memcpy(&in6->sin6_addr, a->bytes, 16);
	return sizeof(*in6);
}

static void put_control(
    struct msghdr *head, int level, int type, const void *data, size_t size)
{
	struct cmsghdr *c =
	    (void *)((uint8_t *)head->msg_control + head->msg_controllen);
	head->msg_controllen += CMSG_SPACE(size);
	memset(c, 0, CMSG_SPACE(size));
	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(size);
	memcpy(CMSG_DATA(c), data, size);
}

/* The stamp is to be of the time at which a packet goes to the device.  The
 * driver makes it late: behind those who capture, a microsecond or more for
 * each.  Where nothing queues, the stamp that is made before a queueing
 * discipline is of that time. */
static void put_stamp(struct msghdr *head, const struct net_route *route)
{
	const uint32_t before_queue = SOF_TIMESTAMPING_TX_SCHED;
	if (route->unqueued)
		put_control(head, SOL_SOCKET, SO_TIMESTAMPING, &before_queue,
		    sizeof(before_queue));
}

static void fill_control4(struct msghdr *head, const struct net_send *packet)
{
	const struct net_route *route = packet->route;
	struct in_pktinfo info = { .ipi_ifindex = (int)route->device_index };
	int proto = packet->bytes[9], tos = packet->bytes[1];
	memcpy(&info.ipi_spec_dst, route->src.bytes, 4);
	put_control(head, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info));
	put_stamp(head, route);
	if (route->by_next_hop) /* the rest does not matter then */
		return;
	put_control(head, IPPROTO_IP, IP_PROTOCOL, &proto, sizeof(proto));
	if (tos)
		put_control(head, IPPROTO_IP, IP_TOS, &tos, sizeof(tos));
}

static void fill_control6(struct msghdr *head, const struct net_send *packet)
{
	const struct net_route *route = packet->route;
	struct in6_pktinfo info = { .ipi6_ifindex = route->device_index };
	int class = (packet->bytes[0] & 15) << 4 | packet->bytes[1] >> 4;
	memcpy(&info.ipi6_addr, route->src.bytes, 16);
	put_control(head, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof(info));
	put_stamp(head, route);
	if (class)
		put_control(
		    head, IPPROTO_IPV6, IPV6_TCLASS, &class, sizeof(class));
}

void live_message_fill(struct live_message *message, struct msghdr *head,
    const struct net_send *packet)
{
	const struct net_route *route = packet->route;
	bool six = packet->bytes[0] >> 4 == 6;
	struct addr to = live_destination(packet->bytes);
	uint32_t device = route ? route->device_index : 0;
	if (route && route->by_next_hop && route->next_hop.family)
		to = route->next_hop;
	message->part = (struct iovec){ (void *)packet->bytes, packet->len };
	head->msg_iov = &message->part;
	head->msg_iovlen = 1;
	head->msg_name = &message->to;
	/* The port of an IPv6 raw socket's address is a protocol. */
	head->msg_namelen = fill_sockaddr(
	    &message->to, &to, six ? packet->bytes[6] : 0, device);
	head->msg_control = NULL;
	head->msg_controllen = 0;
	if (!device)
		return;
	head->msg_control = message->control;
	if (six)
		fill_control6(head, packet);
	else
		fill_control4(head, packet);
}

bool live_message_has_protocol(int fd)
{
	int proto;
	socklen_t len = sizeof(proto);
	return getsockopt(fd, IPPROTO_IP, IP_PROTOCOL, &proto, &len) == 0;
}

/* IPv4 would look for a way to a neighbour beyond its link, too. */
int live_message_flags(const struct net_send *packet)
{
	return packet->route && packet->route->by_next_hop &&
		packet->route->src.family == 4
	    ? MSG_DONTROUTE
	    : 0;
}
