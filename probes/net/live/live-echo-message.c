/* SPDX-License-Identifier: ISC */
/*
 * Control messages to fields.  The kernel keeps the IP header of what an ICMP
 * socket receives; its fields come beside the octets, when asked for.
 */
#include <netinet/in.h>
#include <string.h>

#include "lib/packet/octets.h"
#include "lib/packet/packet.h"
#include "probes/net/live/live-echo-message.h"

static struct addr get_address(const void *sockaddr)
{
	const struct sockaddr_in *in = sockaddr;
	const struct sockaddr_in6 *in6 = sockaddr;
	if (in->sin_family == AF_INET)
		return addr_from_bytes(&in->sin_addr, 4);
	if (in->sin_family == AF_INET6)
		return addr_from_bytes(&in6->sin6_addr, 16);
	return (struct addr){ 0 };
}

static void take_error(struct echo_arrival *a, const struct cmsghdr *c)
{
	struct {
		struct sock_extended_err error;
		struct sockaddr_in6 offender;
	} all = { 0 };
	size_t len = c->cmsg_len - CMSG_LEN(0);
	memcpy(&all, CMSG_DATA(c), len < sizeof(all) ? len : sizeof(all));
	a->error = all.error;
	a->offender = get_address(&all.offender);
}

static void take_control(struct echo_arrival *a, const struct cmsghdr *c)
{
	const void *data = CMSG_DATA(c);
	int value;
	memcpy(&value, data, sizeof(value));
	if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
		struct timespec t;
		memcpy(&t, data, sizeof(t));
		a->stamp.wall.ns = t.tv_sec * NS_PER_S + t.tv_nsec;
		a->stamp.clock = NET_CLOCK_KERNEL_SOFTWARE;
	} else if (c->cmsg_level == IPPROTO_IP) {
		if (c->cmsg_type == IP_TTL)
			a->ttl = (uint8_t)value;
		else if (c->cmsg_type == IP_TOS)
			a->tos = *(const uint8_t *)data;
		else if (c->cmsg_type == IP_PKTINFO)
			a->to = addr_from_bytes(
			    &((const struct in_pktinfo *)data)->ipi_addr, 4);
		else if (c->cmsg_type == IP_RECVERR)
			take_error(a, c);
	} else if (c->cmsg_level == IPPROTO_IPV6) {
		if (c->cmsg_type == IPV6_HOPLIMIT)
			a->ttl = (uint8_t)value;
		else if (c->cmsg_type == IPV6_TCLASS)
			a->tos = (uint8_t)value;
		else if (c->cmsg_type == IPV6_PKTINFO)
			a->to = addr_from_bytes(
			    &((const struct in6_pktinfo *)data)->ipi6_addr, 16);
		else if (c->cmsg_type == IPV6_RECVERR)
			take_error(a, c);
	}
}

ssize_t echo_receive(
    int fd, int flags, struct echo_arrival *a, uint8_t *bytes, size_t size)
{
	struct sockaddr_storage name = { 0 };
	struct echo_control control;
	struct iovec part = { bytes, size };
	struct msghdr message = { .msg_name = &name,
		.msg_namelen = sizeof(name),
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes) };
	*a = (struct echo_arrival){ .stamp = {
					walltime_now(), NET_CLOCK_USER } };
	ssize_t n = recvmsg(fd, &message, flags | MSG_DONTWAIT);
	if (n < 0)
		return n;
	a->from = get_address(&name);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c;
	     c = CMSG_NXTHDR(&message, c))
		take_control(a, c);
	return n;
}

size_t echo_put_header(uint8_t *ip, const struct addr *src,
    const struct addr *dst, uint8_t ttl, uint8_t tos, size_t len)
{
	bool six = dst->family == 6;
	memset(ip, 0, six ? 40 : 20);
	if (six) {
		ip[0] = (uint8_t)(0x60 | tos >> 4);
		ip[1] = (uint8_t)(tos << 4);
		store_be16(ip + 4, (uint32_t)len);
		ip[6] = PACKET_ICMP6;
		ip[7] = ttl;
		memcpy(ip + 8, src->bytes, 16);
		memcpy(ip + 24, dst->bytes, 16);
		return 40;
	}
	ip[0] = 0x45;
	ip[1] = tos;
	store_be16(ip + 2, (uint32_t)len + 20);
	ip[8] = ttl;
	ip[9] = PACKET_ICMP;
	memcpy(ip + 12, src->bytes, 4);
	memcpy(ip + 16, dst->bytes, 4);
	store_be16(ip + 10, packet_fold(packet_sum(0, ip, 20)));
	return 20;
}
