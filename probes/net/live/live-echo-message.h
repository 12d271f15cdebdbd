/* SPDX-License-Identifier: ISC */
/* What ICMP sockets of the datagram kind hand over (icmp(7), ip(7), ipv6(7)),
 * and the IP header that they keep to themselves. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <time.h>

#include <linux/errqueue.h>

#include "lib/base/addr.h"
#include "probes/net/net.h"

/* Control messages, one after the other. */
struct echo_control {
	size_t len;
	_Alignas(struct cmsghdr) uint8_t bytes[256];
};

/* What a received message carries besides its octets. */
struct echo_arrival {
	struct addr from, to;
	uint8_t ttl, tos;
	struct net_stamp stamp;
	struct sock_extended_err error; /* of the error queue */
	struct addr offender;
};

/* One message to `bytes`, without waiting; its length, or -1 and errno. */
ssize_t echo_receive(int fd, int flags, struct echo_arrival *arrival,
    uint8_t *bytes, size_t size);
/* An IP header for `len` octets of ICMP; its own length. */
size_t echo_put_header(uint8_t *ip, const struct addr *src,
    const struct addr *dst, uint8_t ttl, uint8_t tos, size_t len);
