/* SPDX-License-Identifier: ISC */
/*
 * Addresses by rtnetlink(7).  Any news makes us ask for the whole list again:
 * changes are rare and a list cannot drift.
 */
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/vec.h"
#include "probes/net/live/live-addr.h"

#define ADDRS_MAX 65536

static int ask(int fd)
{
	struct {
		struct nlmsghdr head;
		struct ifaddrmsg body;
	} request = {
	    .head = {
		.nlmsg_len = sizeof(request),
		.nlmsg_type = RTM_GETADDR,
		.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
	    },
	};
	return send(fd, &request, sizeof(request), 0) < 0 ? -errno : 0;
}

static void keep_address(struct live_addrs *addrs, const struct nlmsghdr *head)
{
	const struct ifaddrmsg *body = NLMSG_DATA(head);
	size_t left = IFA_PAYLOAD(head);
	struct addr found = { 0 };
	for (const struct rtattr *a = IFA_RTA(body); RTA_OK(a, left);
	     a = RTA_NEXT(a, left)) {
		/* On a point-to-point link IFA_ADDRESS is the other end. */
		if (a->rta_type == IFA_LOCAL ||
		    (a->rta_type == IFA_ADDRESS && found.family == 0))
			found = addr_from_bytes(RTA_DATA(a), RTA_PAYLOAD(a));
	}
	if (found.family == 0 || body->ifa_prefixlen > addr_bits(&found) ||
	    addrs->count == ADDRS_MAX)
		return;
	VEC_ROOM(addrs->list, addrs->count);
	addrs->global6 += found.family == 6 && !addr_is_link_local(&found);
	addrs->list[addrs->count].addr = found;
	addrs->list[addrs->count++].len = body->ifa_prefixlen;
}

/* Reads what is there; true when the kernel announced a change. */
static bool read_news(struct live_addrs *addrs, bool *done)
{
	static _Alignas(struct nlmsghdr) char bytes[32768];
	bool changed = false;
	ssize_t n;
	while ((n = recv(addrs->fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0) {
		size_t left = (size_t)n;
		for (const struct nlmsghdr *h = (const void *)bytes;
		     NLMSG_OK(h, left); h = NLMSG_NEXT(h, left)) {
			if (h->nlmsg_type == NLMSG_DONE)
				*done = true;
			else if (!(h->nlmsg_flags & NLM_F_MULTI))
				changed = true;
			else if (h->nlmsg_type == RTM_NEWADDR &&
			    h->nlmsg_len >=
				NLMSG_LENGTH(sizeof(struct ifaddrmsg)))
				keep_address(addrs, h);
		}
	}
	return changed || (n < 0 && errno == ENOBUFS);
}

void live_addrs_update(struct live_addrs *addrs)
{
	bool done = true;
	if (!read_news(addrs, &done))
		return;
	/* The answer to a dump is there at once; bounded all the same. */
	for (int tries = 0; tries < 3; tries++) {
		addrs->count = addrs->global6 = 0;
		done = false;
		if (ask(addrs->fd) != 0)
			return;
		struct pollfd p = { .fd = addrs->fd, .events = POLLIN };
		bool changed = false;
		while (!done && poll(&p, 1, 200) > 0)
			changed |= read_news(addrs, &done);
		if (done && !changed)
			return;
	}
}

int live_addrs_open(struct live_addrs *addrs, struct errmsg *msg)
{
	*addrs = (struct live_addrs){ .fd = -1 };
	addrs->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	struct sockaddr_nl at = {
		.nl_family = AF_NETLINK,
		.nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR,
	};
	if (addrs->fd < 0 ||
	    bind(addrs->fd, (struct sockaddr *)&at, sizeof(at)) != 0 ||
	    ask(addrs->fd) != 0) {
		int err = -errno;
		live_addrs_close(addrs);
		return err_set(msg, err, "netlink: %s", strerror(-err));
	}
	struct pollfd p = { .fd = addrs->fd, .events = POLLIN };
	bool done = false;
	while (!done && poll(&p, 1, 1000) > 0)
		read_news(addrs, &done);
	return 0;
}

void live_addrs_close(struct live_addrs *addrs)
{
	if (addrs->fd >= 0)
		close(addrs->fd);
	free(addrs->list);
	*addrs = (struct live_addrs){ .fd = -1 };
}

bool live_addrs_own(const struct live_addrs *addrs, const struct addr *a)
{
	for (size_t i = 0; i < addrs->count; i++)
		if (addr_equal(&addrs->list[i].addr, a))
			return true;
	return false;
}

bool live_addrs_broadcast(const struct live_addrs *addrs, const struct addr *a)
{
	if (a->family != 4)
		return false;
	uint32_t value = addr_v4_value(a);
	if (value == UINT32_MAX)
		return true;
	for (size_t i = 0; i < addrs->count; i++) {
		unsigned len = addrs->list[i].len;
		if (addrs->list[i].addr.family != 4 || len > 30 || len == 0)
			continue;
		uint32_t own = addr_v4_value(&addrs->list[i].addr);
		uint32_t host = UINT32_MAX >> len;
		if ((own & ~host) == (value & ~host) &&
		    ((value & host) == 0 || (value & host) == host))
			return true;
	}
	return false;
}
