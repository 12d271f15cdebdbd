/* SPDX-License-Identifier: ISC */
#include "probes/net/live/live-hooks.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h> /* before those of linux */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/packet/octets.h"

#define PATIENCE_MS 1000
#define CHAINS (NFNL_SUBSYS_NFTABLES << 8)

/* The value of an attribute of this type; NULL: there is none. */
static const uint8_t *find_attribute(
    const uint8_t *bytes, size_t len, uint16_t type, size_t *value_len)
{
	struct nlattr head;
	for (size_t at = 0; len - at >= sizeof(head);) {
		memcpy(&head, bytes + at, sizeof(head));
		if (head.nla_len < sizeof(head) || head.nla_len > len - at)
			return NULL;
		*value_len = head.nla_len - sizeof(head);
		if ((head.nla_type & NLA_TYPE_MASK) == type)
			return bytes + at + sizeof(head);
		if ((size_t)NLA_ALIGN(head.nla_len) >= len - at)
			return NULL;
		at += (size_t)NLA_ALIGN(head.nla_len);
	}
	return NULL;
}

/* A chain without a hook is called by others. */
static bool sees_what_leaves(const uint8_t *body, size_t len)
{
	struct nfgenmsg head;
	size_t hook_len, number_len;
	if (len < sizeof(head))
		return false;
	memcpy(&head, body, sizeof(head));
	const uint8_t *hook = find_attribute(body + sizeof(head),
	    len - sizeof(head), NFTA_CHAIN_HOOK, &hook_len);
	if (!hook)
		return false;
	const uint8_t *number =
	    find_attribute(hook, hook_len, NFTA_HOOK_HOOKNUM, &number_len);
	if (!number || number_len < 4)
		return true;
	uint32_t at = load_be32(number);
	switch (head.nfgen_family) {
	case NFPROTO_INET:
	case NFPROTO_IPV4:
	case NFPROTO_IPV6:
		return at == NF_INET_LOCAL_OUT || at == NF_INET_POST_ROUTING;
	case NFPROTO_NETDEV: return at == NF_NETDEV_EGRESS;
	default: return false;
	}
}

bool live_hooks_read(const uint8_t *bytes, size_t len, int *end)
{
	struct nlmsghdr head;
	bool found = false;
	for (size_t at = 0; len - at >= sizeof(head);) {
		memcpy(&head, bytes + at, sizeof(head));
		if (head.nlmsg_len < sizeof(head) || head.nlmsg_len > len - at)
			break;
		const uint8_t *body = bytes + at + sizeof(head);
		size_t body_len = head.nlmsg_len - sizeof(head);
		if (head.nlmsg_type == NLMSG_DONE)
			*end = 1;
		else if (head.nlmsg_type == NLMSG_ERROR) {
			int32_t err = -EIO;
			if (body_len >= sizeof(err))
				memcpy(&err, body, sizeof(err));
			*end = err < 0 ? err : -EIO;
		} else if (head.nlmsg_type == (CHAINS | NFT_MSG_NEWCHAIN))
			found |= sees_what_leaves(body, body_len);
		if (NLMSG_ALIGN(head.nlmsg_len) >= len - at)
			break;
		at += NLMSG_ALIGN(head.nlmsg_len);
	}
	return found;
}

/* A kernel without nftables has no such chains; one that will not tell may. */
static bool ask_nftables(int fd)
{
	static uint8_t bytes[32768];
	struct {
		struct nlmsghdr head;
		struct nfgenmsg body;
	} ask = { .head = { .nlmsg_len = sizeof(ask),
		      .nlmsg_type = CHAINS | NFT_MSG_GETCHAIN,
		      .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.body = { .nfgen_family = NFPROTO_UNSPEC } };
	struct pollfd p = { .fd = fd, .events = POLLIN };
	bool found = false;
	int end = 0;
	if (send(fd, &ask, sizeof(ask), 0) < 0)
		return true;
	while (end == 0 && poll(&p, 1, PATIENCE_MS) > 0) {
		ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
		if (n <= 0)
			return true;
		found |= live_hooks_read(bytes, (size_t)n, &end);
	}
	return found || (end != 1 && end != -EINVAL && end != -EOPNOTSUPP);
}

static int open_news(void)
{
	struct sockaddr_nl at = { .nl_family = AF_NETLINK };
	const int group = NFNLGRP_NFTABLES;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    NETLINK_NETFILTER);
	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0 &&
	    setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group,
		sizeof(group)) == 0)
		return fd;
	int err = -errno;
	close(fd);
	return err;
}

void live_hooks_look(struct live_hooks *hooks)
{
	char first;
	for (int i = 0; i < 2 && !hooks->possible; i++)
		if (hooks->tables[i] >= 0)
			hooks->possible =
			    pread(hooks->tables[i], &first, 1, 0) != 0;
}

void live_hooks_open(struct live_hooks *hooks)
{
	static const char *const lists[] = { "/proc/net/ip_tables_names",
		"/proc/net/ip6_tables_names" };
	*hooks = LIVE_HOOKS_CLOSED;
	hooks->fd = open_news();
	for (int i = 0; i < 2; i++) {
		hooks->tables[i] = open(lists[i], O_RDONLY | O_CLOEXEC);
		hooks->possible |= hooks->tables[i] < 0 && errno != ENOENT;
	}
	live_hooks_look(hooks);
	if (hooks->fd >= 0)
		hooks->possible |= ask_nftables(hooks->fd);
	else
		hooks->possible |= hooks->fd != -EPROTONOSUPPORT;
}

void live_hooks_close(struct live_hooks *hooks)
{
	if (hooks->fd >= 0)
		close(hooks->fd);
	for (int i = 0; i < 2; i++)
		if (hooks->tables[i] >= 0)
			close(hooks->tables[i]);
	*hooks = LIVE_HOOKS_CLOSED;
}

bool live_hooks_possible(struct live_hooks *hooks)
{
	uint8_t bytes[64];
	if (hooks->fd >= 0 && !hooks->possible &&
	    (recv(hooks->fd, bytes, sizeof(bytes), MSG_DONTWAIT) >= 0 ||
		errno != EAGAIN))
		hooks->possible = true;
	return hooks->possible;
}
