/* SPDX-License-Identifier: ISC */
/* An IP packet and its way, as sendmsg(2) of a raw socket wants them.  Pure. */
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include "probes/net/net.h"

/* Source and device; protocol, and class. */
#define LIVE_MESSAGE_CONTROL \
	(CMSG_SPACE(sizeof(struct in6_pktinfo)) + 3 * CMSG_SPACE(sizeof(int)))

/* What a msghdr points to. */
struct live_message {
	struct iovec part;
	struct sockaddr_storage to;
	_Alignas(struct cmsghdr) uint8_t control[LIVE_MESSAGE_CONTROL];
};

/* head, which is zero, borrows message, and the packet's bytes.  Of what the
 * kernel does not read in the header it is told device, source, protocol and
 * class, but no ports. */
void live_message_fill(struct live_message *message, struct msghdr *head,
    const struct net_send *packet);
/* Can the kernel be told the protocol of this IPv4 socket's packets?  Where it
 * cannot, all must go by_next_hop. */
bool live_message_has_protocol(int fd);
/* For the call that sends it. */
int live_message_flags(const struct net_send *packet);
/* Where the header says that it goes. */
struct addr live_destination(const uint8_t *bytes);
