/* SPDX-License-Identifier: ISC */
/*
 * Every structure is copied out before it is read: attributes are aligned to
 * four octets at most.
 */
#include "probes/net/live/netlink.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>

#ifndef RTA_FLOWLABEL /* of Linux 6.14 */
#define RTA_FLOWLABEL 31
#endif

struct attribute {
	uint16_t type;
	size_t len;
	const uint8_t *data;
};

/* Of `len` octets at bytes, from *at. */
static bool next_attribute(
    const uint8_t *bytes, size_t len, size_t *at, struct attribute *a)
{
	struct rtattr head;
	if (*at > len || len - *at < sizeof(head))
		return false;
	memcpy(&head, bytes + *at, sizeof(head));
	if (head.rta_len < sizeof(head) || head.rta_len > len - *at)
		return false;
	a->type = head.rta_type & NLA_TYPE_MASK;
	a->len = head.rta_len - sizeof(head);
	a->data = bytes + *at + sizeof(head);
	*at += RTA_ALIGN(head.rta_len);
	return true;
}

static uint32_t word_of(const struct attribute *a)
{
	uint32_t word = 0;
	if (a->len == sizeof(word))
		memcpy(&word, a->data, sizeof(word));
	return word;
}

/* A gateway of the other family: RFC 8950. */
static struct addr via_of(const struct attribute *a)
{
	size_t head = sizeof(struct rtvia);
	if (a->len < head)
		return (struct addr){ 0 };
	return addr_from_bytes(a->data + head, a->len - head);
}

static uint32_t mtu_of(const struct attribute *metrics)
{
	struct attribute a;
	size_t at = 0;
	uint32_t mtu = 0;
	while (next_attribute(metrics->data, metrics->len, &at, &a))
		if (a.type == RTAX_MTU)
			mtu = word_of(&a);
	return mtu;
}

static int error_of_type(uint8_t type)
{
	switch (type) {
	case RTN_BLACKHOLE: return -EINVAL;
	case RTN_UNREACHABLE: return -EHOSTUNREACH;
	case RTN_PROHIBIT: return -EACCES;
	case RTN_THROW: return -ENETUNREACH;
	default: return 0;
	}
}

/* `family` as the kernel's, no address: 0.0.0.0 or ::. */
static bool read_prefix(
    struct prefix *to, uint8_t family, uint8_t len, const struct attribute *a)
{
	struct addr addr = { .family = family == AF_INET ? 4
		    : family == AF_INET6                 ? 6
							 : 0 };
	if (a->len > 0) {
		if (a->len != addr_len(&addr))
			return false;
		addr = addr_from_bytes(a->data, a->len);
	}
	if (addr.family == 0 || len > addr_bits(&addr))
		return false;
	*to = prefix_of(&addr, len);
	return true;
}

static bool read_route(
    struct netlink_route *route, const uint8_t *body, size_t len)
{
	struct rtmsg head;
	struct attribute a, dst = { 0 };
	size_t at = NLMSG_ALIGN(sizeof(head));
	if (len < sizeof(head))
		return false;
	memcpy(&head, body, sizeof(head));
	*route = (struct netlink_route){ .err = error_of_type(head.rtm_type),
		.local = head.rtm_type == RTN_LOCAL,
		.by_class = head.rtm_tos != 0 };
	while (next_attribute(body, len, &at, &a)) {
		switch (a.type) {
		case RTA_DST: dst = a; break;
		case RTA_OIF: route->device = word_of(&a); break;
		case RTA_PREFSRC:
			route->src = addr_from_bytes(a.data, a.len);
			break;
		case RTA_GATEWAY:
			route->next_hop = addr_from_bytes(a.data, a.len);
			break;
		case RTA_VIA: route->next_hop = via_of(&a); break;
		case RTA_METRICS: route->mtu = mtu_of(&a); break;
		case RTA_MULTIPATH:
		case RTA_NH_ID: route->balanced = true; break;
		default: break;
		}
	}
	return read_prefix(&route->to, head.rtm_family, head.rtm_dst_len, &dst);
}

static bool read_rule(
    struct netlink_rule *rule, const uint8_t *body, size_t len)
{
	struct fib_rule_hdr head;
	struct attribute a;
	size_t at = NLMSG_ALIGN(sizeof(head));
	if (len < sizeof(head))
		return false;
	memcpy(&head, body, sizeof(head));
	*rule = (struct netlink_rule){ .by_flow = head.tos != 0 };
	while (next_attribute(body, len, &at, &a)) {
		if (a.type == FRA_DST && head.dst_len > 0)
			rule->by_flow |= !read_prefix(
			    &rule->to, head.family, head.dst_len, &a);
		/* What is after these came with later kernels. */
		rule->by_flow |= a.type >= FRA_IP_PROTO;
	}
	return true;
}

/* The disciplines that Linux gives a device by default do not shape. */
static void read_discipline(
    struct netlink_link *link, const struct attribute *a)
{
	static const char *const plain[] = { "noqueue", "pfifo_fast",
		"fq_codel", "fq", "mq", "pfifo", "bfifo" };
	link->shaped = true;
	for (size_t i = 0; i < sizeof(plain) / sizeof(*plain); i++) {
		if (a->len != strlen(plain[i]) + 1 ||
		    memcmp(a->data, plain[i], a->len) != 0)
			continue;
		link->shaped = false;
		link->unqueued = i == 0;
	}
}

/* What a capture cannot see: the kernel's own queue was full, or the device had
 * no room.  Later kernels have longer structures. */
static void read_counts(struct netlink_link *link, const struct attribute *a)
{
	struct rtnl_link_stats64 counts = { 0 };
	size_t needed = offsetof(struct rtnl_link_stats64, rx_missed_errors) +
	    sizeof(counts.rx_missed_errors);
	if (a->len < needed)
		return;
	memcpy(&counts, a->data,
	    a->len < sizeof(counts) ? a->len : sizeof(counts));
	link->lost = counts.rx_dropped + counts.rx_missed_errors;
	link->has_counts = true;
}

static bool read_link(
    struct netlink_link *link, const uint8_t *body, size_t len, bool gone)
{
	struct ifinfomsg head;
	struct attribute a;
	size_t at = NLMSG_ALIGN(sizeof(head));
	if (len < sizeof(head))
		return false;
	memcpy(&head, body, sizeof(head));
	*link = (struct netlink_link){ .gone = gone,
		.index = (uint32_t)head.ifi_index,
		.type = head.ifi_type,
		.is_up = head.ifi_flags & IFF_UP,
		.has_carrier = head.ifi_flags & IFF_LOWER_UP };
	while (next_attribute(body, len, &at, &a)) {
		if (a.type == IFLA_MTU)
			link->mtu = word_of(&a);
		else if (a.type == IFLA_IFNAME && a.len > 0 &&
		    a.len <= sizeof(link->name) && a.data[a.len - 1] == 0)
			memcpy(link->name, a.data, a.len);
		else if (a.type == IFLA_QDISC)
			read_discipline(link, &a);
		else if (a.type == IFLA_STATS64)
			read_counts(link, &a);
	}
	return head.ifi_index > 0 && link->name[0];
}

static int read_error(const uint8_t *body, size_t len)
{
	int32_t err;
	if (len < sizeof(err))
		return -EIO;
	memcpy(&err, body, sizeof(err));
	return err <= 0 && err > -4096 ? err : -EIO;
}

static bool read_neighbour(
    struct netlink_neighbour *to, const uint8_t *body, size_t len)
{
	struct ndmsg head;
	if (len < sizeof(head))
		return false;
	memcpy(&head, body, sizeof(head));
	*to = (struct netlink_neighbour){ 0 };
	for (size_t at = NLMSG_ALIGN(sizeof(head));
	     at + sizeof(struct rtattr) <= len;) {
		struct rtattr part;
		memcpy(&part, body + at, sizeof(part));
		if (part.rta_len < sizeof(part) || part.rta_len > len - at)
			return false;
		if (part.rta_type == NDA_LLADDR &&
		    part.rta_len == sizeof(part) + sizeof(to->mac)) {
			memcpy(
			    to->mac, body + at + sizeof(part), sizeof(to->mac));
			to->usable =
			    (head.ndm_state &
				(NUD_PERMANENT | NUD_REACHABLE | NUD_STALE |
				    NUD_DELAY | NUD_PROBE | NUD_NOARP)) != 0;
		}
		at += RTA_ALIGN(part.rta_len);
	}
	return true;
}

bool netlink_next(const uint8_t *bytes, size_t len, size_t *at,
    struct netlink_message *message)
{
	struct nlmsghdr head;
	if (*at > len || len - *at < sizeof(head))
		return false;
	memcpy(&head, bytes + *at, sizeof(head));
	if (head.nlmsg_len < sizeof(head) || head.nlmsg_len > len - *at)
		return false;
	const uint8_t *body = bytes + *at + sizeof(head);
	size_t body_len = head.nlmsg_len - sizeof(head);
	*message = (struct netlink_message){ .kind = NETLINK_IS_OTHER,
		.seq = head.nlmsg_seq };
	switch (head.nlmsg_type) {
	case NLMSG_DONE: message->kind = NETLINK_IS_DONE; break;
	case NLMSG_ERROR:
		message->kind = NETLINK_IS_ERROR;
		message->err = read_error(body, body_len);
		break;
	case RTM_NEWROUTE:
		if (read_route(&message->route, body, body_len))
			message->kind = NETLINK_IS_ROUTE;
		break;
	case RTM_NEWRULE:
		if (read_rule(&message->rule, body, body_len))
			message->kind = NETLINK_IS_RULE;
		break;
	case RTM_NEWLINK:
	case RTM_DELLINK:
		if (read_link(&message->link, body, body_len,
			head.nlmsg_type == RTM_DELLINK))
			message->kind = NETLINK_IS_LINK;
		break;
	case RTM_NEWQDISC:
	case RTM_DELQDISC: message->kind = NETLINK_IS_QDISC; break;
	case RTM_NEWNEIGH:
		if (read_neighbour(&message->neighbour, body, body_len))
			message->kind = NETLINK_IS_NEIGHBOUR;
		break;
	default: break;
	}
	*at += NLMSG_ALIGN(head.nlmsg_len);
	return true;
}

static void put_attribute(
    uint8_t *to, size_t *len, uint16_t type, const void *data, size_t size)
{
	const struct rtattr head = {
		.rta_len = (uint16_t)(sizeof(head) + size),
		.rta_type = type,
	};
	memcpy(to + *len, &head, sizeof(head));
	memcpy(to + *len + sizeof(head), data, size);
	*len += RTA_ALIGN(head.rta_len);
}

static void put_word(uint8_t *to, size_t *len, uint16_t type, uint32_t word)
{
	if (word)
		put_attribute(to, len, type, &word, sizeof(word));
}

static void put_port(uint8_t *to, size_t *len, uint16_t type, uint16_t port)
{
	const uint8_t octets[2] = { (uint8_t)(port >> 8), (uint8_t)port };
	if (port)
		put_attribute(to, len, type, octets, sizeof(octets));
}

size_t netlink_ask_route(uint8_t to[static NETLINK_ASK_MAX],
    const struct netlink_question *q, uint32_t seq)
{
	bool six = q->dst.family == 6;
	struct {
		struct nlmsghdr head;
		struct rtmsg body;
	} start = {
		.head = { .nlmsg_type = RTM_GETROUTE,
		    .nlmsg_flags = NLM_F_REQUEST,
		    .nlmsg_seq = seq },
		/* The two lowest bits of the octet are congestion's. */
		.body = { .rtm_family = six ? AF_INET6 : AF_INET,
		    .rtm_dst_len = (uint8_t)addr_bits(&q->dst),
		    .rtm_src_len = (uint8_t)addr_bits(&q->src),
		    .rtm_tos = q->tos & 0xfc },
	};
	size_t len = sizeof(start);
	memset(to, 0, NETLINK_ASK_MAX);
	put_attribute(to, &len, RTA_DST, q->dst.bytes, addr_len(&q->dst));
	if (q->src.family == q->dst.family)
		put_attribute(
		    to, &len, RTA_SRC, q->src.bytes, addr_len(&q->src));
	if (q->proto)
		put_attribute(to, &len, RTA_IP_PROTO, &q->proto, 1);
	put_port(to, &len, RTA_SPORT, q->sport);
	put_port(to, &len, RTA_DPORT, q->dport);
	put_word(to, &len, RTA_MARK, q->mark);
	put_word(to, &len, RTA_OIF, q->device);
	if (q->by_uid)
		put_attribute(to, &len, RTA_UID, &q->uid, sizeof(q->uid));
	if (six && q->flow_label) {
		const uint8_t label[4] = { 0, (uint8_t)(q->flow_label >> 16),
			(uint8_t)(q->flow_label >> 8), (uint8_t)q->flow_label };
		put_attribute(to, &len, RTA_FLOWLABEL, label, sizeof(label));
	}
	start.head.nlmsg_len = (uint32_t)len;
	memcpy(to, &start, sizeof(start));
	return len;
}

size_t netlink_ask_neighbour(uint8_t to[static NETLINK_ASK_MAX],
    uint32_t device, const struct addr *address, uint32_t seq)
{
	struct {
		struct nlmsghdr head;
		struct ndmsg body;
	} start = {
		.head = { .nlmsg_type = RTM_GETNEIGH,
		    .nlmsg_flags = NLM_F_REQUEST,
		    .nlmsg_seq = seq },
		.body = { .ndm_family =
			      address->family == 6 ? AF_INET6 : AF_INET,
		    .ndm_ifindex = (int)device },
	};
	size_t len = sizeof(start);
	memset(to, 0, NETLINK_ASK_MAX);
	put_attribute(to, &len, NDA_DST, address->bytes, addr_len(address));
	start.head.nlmsg_len = (uint32_t)len;
	memcpy(to, &start, sizeof(start));
	return len;
}

size_t netlink_ask_link(
    uint8_t to[static NETLINK_ASK_MAX], uint32_t device, uint32_t seq)
{
	const struct {
		struct nlmsghdr head;
		struct ifinfomsg body;
	} ask = {
		.head = { .nlmsg_len = sizeof(ask),
		    .nlmsg_type = RTM_GETLINK,
		    .nlmsg_flags = NLM_F_REQUEST,
		    .nlmsg_seq = seq },
		.body = { .ifi_family = AF_UNSPEC, .ifi_index = (int)device },
	};
	memcpy(to, &ask, sizeof(ask));
	return sizeof(ask);
}

size_t netlink_ask_list(uint8_t to[static NETLINK_ASK_MAX],
    enum netlink_list list, int family, uint32_t seq)
{
	static const uint16_t types[] = {
		[NETLINK_LIST_LINKS] = RTM_GETLINK,
		[NETLINK_LIST_RULES] = RTM_GETRULE,
		[NETLINK_LIST_ROUTES] = RTM_GETROUTE,
	};
	/* The bodies begin with the family; ifinfomsg is the longest. */
	const struct {
		struct nlmsghdr head;
		struct ifinfomsg body;
	} ask = {
		.head = { .nlmsg_len = sizeof(ask),
		    .nlmsg_type = types[list],
		    .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
		    .nlmsg_seq = seq },
		.body = { .ifi_family = family == 6 ? AF_INET6
			: family == 4               ? AF_INET
						    : AF_UNSPEC },
	};
	memcpy(to, &ask, sizeof(ask));
	return sizeof(ask);
}
