/* SPDX-License-Identifier: ISC */
/*
 * The kernel does not look into a packet that a raw socket sends with its
 * header (raw_sendmsg in net/ipv4/raw.c): it routes it as one of protocol 255,
 * without ports or class, so rules and balancers do not see what is sent.  Two
 * things make it leave by the way that was found.  Control messages say device,
 * source, protocol and class (live-message.c); ports they cannot.  Where even
 * then the socket's look-up would give another next hop, the packet is handed
 * to the next hop by name: the address that sendmsg(2) is given need not be the
 * header's, and with IP_HDRINCL it becomes the neighbour (FLOWI_FLAG_KNOWN_NH).
 * Such packets pass netfilter, which those of a packet socket do not, so
 * masquerading goes on working.
 *
 * A second question tells whether the next hop must be named.  It is asked only
 * when a flow is looked up first: most hosts answer the same, and the kernel's
 * cached route is cheaper than a neighbour by name.
 */
#include "probes/net/live/live-route.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/hash.h"
#include "lib/base/vec.h"
#include "lib/base/xalloc.h"
#include "lib/packet/packet.h"

#define SLOTS 4096
#define AGE_NS (5 * NS_PER_S)
#define CALM_NS (100 * NS_PER_MS) /* between two looks at all tables */
#define LOOK_NS (50 * NS_PER_MS)  /* between two looks at devices */
#define LOOK_AT_MOST 64           /* of them */
#define SUBNET6 64                /* what a source is chosen by, at most */
#define NEWS_BYTES (1 << 20)
#define ECHO_PORT4 (8 << 8) /* type and code, where ports would be */
#define ECHO_PORT6 (128 << 8)

/* Of what goes the same way.  Compared octet by octet. */
struct route_key {
	struct net_flow flow;
	unsigned len; /* of flow.dst */
};

struct live_route_slot {
	struct route_key key;
	struct net_route route;
	struct monotime asked_at;
	uint32_t generation; /* 0: nothing is here */
	int err;
};

static int open_netlink(const uint32_t *groups, size_t count)
{
	int fd = socket(
	    AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	int bytes = NEWS_BYTES;
	struct sockaddr_nl at = { .nl_family = AF_NETLINK };
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0) {
		int err = -errno;
		close(fd);
		return err;
	}
	/* A kernel without rules or IPv6 has no news of them. */
	for (size_t i = 0; i < count; i++)
		(void)setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP,
		    &groups[i], sizeof(groups[i]));
	return fd;
}

/* --- devices ------------------------------------------------------------ */

/* Reads what is there.  True: some of it was lost. */
static bool read_news(struct live_routes *routes, bool *changed, bool *done)
{
	static uint8_t bytes[32768];
	struct netlink_message message;
	ssize_t n;
	while ((n = recv(routes->news_fd, bytes, sizeof(bytes), MSG_DONTWAIT)) >
	    0) {
		size_t at = 0;
		while (netlink_next(bytes, (size_t)n, &at, &message)) {
			if (message.kind == NETLINK_IS_LINK)
				live_links_keep(&routes->links, &message.link);
			routes->relist |= message.kind == NETLINK_IS_QDISC;
			*done |= message.kind == NETLINK_IS_DONE;
		}
		*changed = true;
	}
	return n < 0 && errno == ENOBUFS;
}

/* The answer to a dump is there at once; bounded all the same. */
static int list_links(struct live_routes *routes)
{
	uint8_t ask[NETLINK_ASK_MAX];
	bool changed = false, done = false;
	size_t len =
	    netlink_ask_list(ask, NETLINK_LIST_LINKS, 0, ++routes->seq);
	live_links_clear(&routes->links);
	if (send(routes->news_fd, ask, len, 0) < 0)
		return -errno;
	struct pollfd p = { .fd = routes->news_fd, .events = POLLIN };
	while (!done && poll(&p, 1, 1000) > 0)
		if (read_news(routes, &changed, &done))
			return -ENOBUFS;
	return done ? 0 : -ETIMEDOUT;
}

void live_routes_doubt(struct live_routes *routes)
{
	if (++routes->generation == 0)
		routes->generation = 1;
}

/* The kernel keeps news of a carrier back for up to a second after other such
 * news, of whatever device (linkwatch_schedule_work in net/core/link_watch.c),
 * but not the answer to who asks.  While probes leave it is asked. */
static bool look_at_links(struct live_routes *routes, struct monotime now)
{
	if (!routes->used || monotime_before(now, routes->look_at) ||
	    routes->links.count > LOOK_AT_MOST)
		return false;
	struct live_links before = routes->links;
	routes->links = (struct live_links){ 0 };
	routes->look_at = monotime_add(now, LOOK_NS);
	routes->used = false;
	if (list_links(routes) != 0) {
		live_links_clear(&routes->links);
		routes->links = before;
		return false;
	}
	bool same = live_links_equal(&before, &routes->links);
	live_links_clear(&before);
	return !same;
}

void live_routes_update(struct live_routes *routes, struct monotime now)
{
	bool changed = false, done = false;
	bool lost = read_news(routes, &changed, &done);
	/* News of a queueing discipline are not of the device that has it. */
	lost |= routes->relist;
	routes->relist = false;
	for (int tries = 0; lost && tries < 3; tries++)
		lost = list_links(routes) != 0;
	changed |= look_at_links(routes, now);
	if (changed || lost)
		live_routes_doubt(routes);
}

int live_routes_init(struct live_routes *routes, int ask_fd, int news_fd,
    const struct net_choice *wish, struct errmsg *msg)
{
	*routes = (struct live_routes){ .ask_fd = ask_fd,
		.news_fd = news_fd,
		.table_fd = -1,
		.wish = *wish,
		.generation = 1,
		.slots = xcalloc(SLOTS, sizeof(*routes->slots)) };
	int err = ask_fd < 0 ? ask_fd : news_fd;
	if (err >= 0)
		err = list_links(routes);
	if (err < 0)
		err_set(msg, err, "netlink: %s", strerror(-err));
	else if (wish->device[0] &&
	    !live_links_named(&routes->links, wish->device))
		err = err_set(msg, ERR_USAGE,
		    "interface: this host has no '%s'; `ip link` lists those "
		    "that it has",
		    wish->device);
	if (err < 0)
		live_routes_close(routes);
	return err;
}

int live_routes_open(struct live_routes *routes, const struct net_choice *wish,
    struct errmsg *msg)
{
	static const uint32_t groups[] = { RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR,
		RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE,
		RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_RULE, RTNLGRP_NEXTHOP,
		RTNLGRP_TC };
	int ask_fd = open_netlink(NULL, 0);
	int news_fd = open_netlink(groups, sizeof(groups) / sizeof(groups[0]));
	int err = live_routes_init(routes, ask_fd, news_fd, wish, msg);
	if (err == 0)
		routes->table_fd = open_netlink(NULL, 0);
	return err;
}

void live_routes_close(struct live_routes *routes)
{
	if (routes->ask_fd >= 0)
		close(routes->ask_fd);
	if (routes->news_fd >= 0)
		close(routes->news_fd);
	if (routes->table_fd >= 0)
		close(routes->table_fd);
	for (int i = 0; i < 2; i++)
		live_tables_clear(&routes->tables[i]);
	live_links_clear(&routes->links);
	free(routes->slots);
	*routes = LIVE_ROUTES_CLOSED;
}

/* --- routes ------------------------------------------------------------- */

/* The answer of this kind to the question in bytes; or an error. */
static int exchange_messages(struct live_routes *routes, uint8_t *bytes,
    size_t size, size_t len, enum netlink_kind kind,
    struct netlink_message *message)
{
	if (send(routes->ask_fd, bytes, len, 0) < 0)
		return -errno;
	/* The kernel answers before send() returns; what was left of an
	 * earlier question is passed over. */
	for (int tries = 0; tries < 16; tries++) {
		size_t at = 0;
		ssize_t n = recv(routes->ask_fd, bytes, size, MSG_DONTWAIT);
		if (n <= 0)
			return n < 0 && errno != EAGAIN ? -errno : -ETIMEDOUT;
		while (netlink_next(bytes, (size_t)n, &at, message)) {
			if (message->seq != routes->seq)
				continue;
			if (message->kind == NETLINK_IS_ERROR)
				return message->err ? message->err : -EIO;
			if (message->kind == kind)
				return 0;
		}
	}
	return -EIO;
}

static int ask_kernel(struct live_routes *routes,
    const struct netlink_question *question, struct netlink_route *route)
{
	uint8_t bytes[4096];
	struct netlink_message message;
	size_t len = netlink_ask_route(bytes, question, ++routes->seq);
	routes->asked++;
	int err = exchange_messages(
	    routes, bytes, sizeof(bytes), len, NETLINK_IS_ROUTE, &message);
	if (err < 0)
		return err;
	*route = message.route;
	return route->err;
}

bool live_routes_neighbour(struct live_routes *routes, uint32_t device,
    const struct addr *address, uint8_t mac[static 6])
{
	uint8_t bytes[4096];
	struct netlink_message message;
	size_t len =
	    netlink_ask_neighbour(bytes, device, address, ++routes->seq);
	if (exchange_messages(routes, bytes, sizeof(bytes), len,
		NETLINK_IS_NEIGHBOUR, &message) < 0 ||
	    !message.neighbour.usable)
		return false;
	memcpy(mac, message.neighbour.mac, 6);
	return true;
}

static uint32_t mark_of(
    const struct live_routes *routes, const struct net_flow *flow)
{
	return flow->mark ? flow->mark : routes->wish.mark;
}

/* Echo requests have a type and a code where others have ports. */
static struct netlink_question question_of(
    const struct live_routes *routes, const struct net_flow *flow)
{
	bool six = flow->dst.family == 6, icmp = flow->proto == PACKET_ICMP;
	return (struct netlink_question){
		.dst = flow->dst,
		.src = flow->src.family ? flow->src : routes->wish.source[six],
		.proto = icmp && six ? IPPROTO_ICMPV6 : flow->proto,
		.tos = flow->tos,
		.sport = icmp ? 0 : flow->sport,
		.dport = !icmp ? flow->dport
		    : six      ? ECHO_PORT6
			       : ECHO_PORT4,
		.flow_label = flow->flow_label,
		.mark = mark_of(routes, flow),
		.by_uid = routes->by_uid,
		.uid = routes->uid,
	};
}

/* What the raw socket would do by itself, told all that it can be told. */
static bool socket_agrees(struct live_routes *routes,
    const struct net_flow *flow, const struct net_route *route)
{
	struct netlink_question question = question_of(routes, flow);
	struct netlink_route plain;
	if (routes->no_protocol && flow->dst.family == 4)
		return false;
	question.src = route->src;
	question.device = route->device_index;
	question.sport = question.dport = 0;
	question.flow_label = 0;
	return ask_kernel(routes, &question, &plain) == 0 &&
	    plain.device == route->device_index &&
	    addr_equal(&plain.next_hop, &route->next_hop);
}

static int name_device(struct net_route *route, const struct netlink_link *link)
{
	memcpy(route->device, link->name, sizeof(route->device));
	if (route->mtu == 0)
		route->mtu = link->mtu;
	route->unqueued = link->unqueued;
	route->shaped = link->shaped;
	return link->is_up && link->has_carrier ? 0 : -ENETDOWN;
}

static int ask_route(struct live_routes *routes, const struct net_flow *flow,
    struct net_route *route)
{
	struct netlink_question question = question_of(routes, flow);
	struct netlink_route found;
	const char *name = flow->zone[0] ? flow->zone : routes->wish.device;
	*route = (struct net_route){ 0 };
	/* RFC 4007 section 6: such an address means nothing without its link,
	 * and the kernel would take any. */
	if (!*name && flow->dst.family == 6 && addr_is_link_local(&flow->dst))
		return -EDESTADDRREQ;
	if (*name) {
		const struct netlink_link *link =
		    live_links_zone(&routes->links, name);
		memcpy(route->device, name, sizeof(route->device));
		if (!link)
			return -ENODEV;
		int err = name_device(route, link);
		if (err < 0)
			return err;
		*route = (struct net_route){ 0 };
		question.device = link->index;
	}
	int err = ask_kernel(routes, &question, &found);
	/* A source that is no address of this host any more. */
	if (err == -EINVAL && question.src.family)
		err = -EADDRNOTAVAIL;
	if (err < 0)
		return err;
	const struct netlink_link *link =
	    live_links_find(&routes->links, found.device);
	*route = (struct net_route){ .next_hop = found.next_hop,
		.src = question.src.family ? question.src : found.src,
		.mtu = found.mtu,
		.mark = question.mark,
		.device_index = found.local ? 0 : found.device };
	if (link)
		err = name_device(route, link);
	if (err < 0)
		return err;
	if (route->src.family != flow->dst.family)
		return -EADDRNOTAVAIL;
	if (found.local) {
		if (addr_is_link_local(&flow->dst))
			route->device_index = question.device;
		return 0;
	}
	/* A neighbour of the other family cannot be named to the socket. */
	route->by_next_hop = (!route->next_hop.family ||
				 route->next_hop.family == flow->dst.family) &&
	    !socket_agrees(routes, flow, route);
	return 0;
}

/* There is no route any more.  Went it with the device that the family's
 * packets left by? */
static int blame_device(
    const struct live_routes *routes, const char *last, struct net_route *route)
{
	const struct netlink_link *link =
	    live_links_named(&routes->links, last);
	if (!last[0] || (link && link->is_up && link->has_carrier))
		return -ENETUNREACH;
	memcpy(route->device, last, sizeof(route->device));
	return link ? -ENETDOWN : -ENODEV;
}

/* One list into the family's tables; false: it could not be had whole. */
static bool read_list(
    struct live_routes *routes, enum netlink_list list, int family)
{
	static uint8_t bytes[32768];
	struct live_tables *tables = &routes->tables[family == 6];
	struct pollfd p = { .fd = routes->table_fd, .events = POLLIN };
	struct netlink_message message;
	size_t len = netlink_ask_list(bytes, list, family, ++routes->seq);
	if (send(routes->table_fd, bytes, len, 0) < 0)
		return false;
	while (!tables->overflow && poll(&p, 1, 200) > 0) {
		ssize_t n =
		    recv(routes->table_fd, bytes, sizeof(bytes), MSG_DONTWAIT);
		size_t at = 0;
		if (n <= 0)
			return false;
		while (netlink_next(bytes, (size_t)n, &at, &message)) {
			if (message.seq != routes->seq)
				continue;
			if (message.kind == NETLINK_IS_DONE)
				return true;
			if (message.kind == NETLINK_IS_ERROR)
				return false;
			live_tables_add(tables, &message);
		}
	}
	return false;
}

/* A host that has more routes than we keep is asked for each flow: its lists
 * are not begun again. */
static void read_tables(struct live_routes *routes, struct monotime now)
{
	bool whole = true;
	for (int i = 0; i < 2; i++)
		live_tables_clear(&routes->tables[i]);
	routes->tables_of = routes->generation;
	routes->tables_at = now;
	for (int family = 4; family <= 6 && whole; family += 2) {
		whole = read_list(routes, NETLINK_LIST_RULES, family) &&
		    read_list(routes, NETLINK_LIST_ROUTES, family);
		live_tables_finish(&routes->tables[family == 6]);
	}
	if (whole)
		return;
	for (int i = 0; i < 2; i++)
		live_tables_clear(&routes->tables[i]);
	close(routes->table_fd);
	routes->table_fd = -1;
}

/* What is known of the tables is of this generation. */
static bool tables_hold(struct live_routes *routes, struct monotime now)
{
	if (routes->table_fd >= 0 && routes->tables_of != routes->generation &&
	    (routes->tables_of == 0 ||
		monotime_diff(now, routes->tables_at) > CALM_NS))
		read_tables(routes, now);
	return routes->table_fd >= 0 && routes->tables_of == routes->generation;
}

static void make_key(struct live_routes *routes, struct monotime now,
    const struct net_flow *flow, struct route_key *key)
{
	struct net_flow *f = &key->flow;
	bool six = flow->dst.family == 6;
	memset(key, 0, sizeof(*key));
	f->dst = flow->dst;
	f->proto = flow->proto;
	f->tos = flow->tos;
	f->sport = flow->sport;
	f->dport = flow->dport;
	f->flow_label = flow->flow_label;
	f->src = flow->src;
	f->mark = flow->mark;
	memcpy(f->zone, flow->zone, strnlen(flow->zone, sizeof(f->zone) - 1));
	key->len = addr_bits(&f->dst);
	if (tables_hold(routes, now))
		key->len = live_tables_reduce(&routes->tables[six], f,
		    six && routes->many_sources6 ? SUBNET6 : 0);
}

/* make_key makes padding zero. */
static bool same_key(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct route_key)) == 0;
}

int live_routes_find(struct live_routes *routes, const struct net_flow *flow,
    struct monotime now, struct net_route *route)
{
	struct route_key key;
	routes->used = true;
	make_key(routes, now, flow, &key);
	char *last = routes->last[flow->dst.family == 6];
	struct live_route_slot *slot =
	    &routes->slots[hash_fnv(HASH_FNV_START, &key, sizeof(key)) % SLOTS];
	if (slot->generation != routes->generation ||
	    monotime_diff(now, slot->asked_at) > AGE_NS ||
	    !same_key(&slot->key, &key)) {
		memcpy(&slot->key, &key, sizeof(key));
		slot->asked_at = now;
		slot->generation = routes->generation;
		slot->err = ask_route(routes, flow, &slot->route);
		if (slot->err == -ENETUNREACH)
			slot->err = blame_device(routes, last, &slot->route);
		else if (slot->err == 0 && slot->route.device_index)
			memcpy(last, slot->route.device, NET_DEVICE_LEN);
	}
	*route = slot->route;
	return slot->err;
}

uint32_t live_routes_mtu(struct live_routes *routes,
    const struct net_route *route, const struct addr *dst)
{
	const struct netlink_question question = { .dst = *dst,
		.src = route->src,
		.mark = route->mark,
		.device = route->device_index,
		.by_uid = routes->by_uid,
		.uid = routes->uid };
	struct netlink_route found;
	if (ask_kernel(routes, &question, &found) == 0 && found.mtu > 0)
		return found.mtu;
	return route->mtu;
}
