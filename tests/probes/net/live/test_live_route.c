/* SPDX-License-Identifier: ISC */
/*
 * Routes as kernels with devices of many kinds give them: the other end of the
 * netlink sockets is this test, which has its answers ready before it is asked.
 */
#include <errno.h>
#include <linux/if.h>
#include <linux/rtnetlink.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/packet/packet.h"
#include "probes/net/live/live-route.h"

#define TEST(name) cmocka_unit_test(name)
#define UP (IFF_UP | IFF_LOWER_UP)

struct kernel {
	struct live_routes routes;
	int ask, news;    /* our ends */
	uint32_t seq;     /* of the last question */
	uint32_t listing; /* that of the list that tell_link answers; 0: news */
	struct monotime now;
};

static size_t put(
    uint8_t *to, size_t len, uint16_t type, const void *data, size_t size)
{
	struct rtattr head = { (uint16_t)(sizeof(head) + size), type };
	memcpy(to + len, &head, sizeof(head));
	memcpy(to + len + sizeof(head), data, size);
	return len + RTA_ALIGN(head.rta_len);
}

static void finish_message(
    int fd, uint8_t *bytes, size_t len, uint16_t type, uint32_t seq)
{
	struct nlmsghdr head = {
		.nlmsg_len = (uint32_t)len, .nlmsg_type = type, .nlmsg_seq = seq
	};
	memcpy(bytes, &head, sizeof(head));
	assert_int_equal(send(fd, bytes, len, 0), len);
}

static void tell_link(struct kernel *k, uint16_t type, int index,
    const char *name, unsigned flags, uint32_t mtu)
{
	uint8_t bytes[256] = { 0 };
	struct ifinfomsg body = { .ifi_index = index, .ifi_flags = flags };
	memcpy(bytes + sizeof(struct nlmsghdr), &body, sizeof(body));
	size_t len = sizeof(struct nlmsghdr) + sizeof(body);
	len = put(bytes, len, IFLA_IFNAME, name, strlen(name) + 1);
	len = put(bytes, len, IFLA_MTU, &mtu, sizeof(mtu));
	finish_message(k->news, bytes, len, type, k->listing);
}

/* The answer to a question to come. */
static void tell_route(struct kernel *k, uint32_t device, const char *gateway,
    const char *src, uint8_t type)
{
	uint8_t bytes[256] = { 0 };
	struct rtmsg body = { .rtm_family = AF_INET, .rtm_type = type };
	struct addr a;
	memcpy(bytes + sizeof(struct nlmsghdr), &body, sizeof(body));
	size_t len = sizeof(struct nlmsghdr) + NLMSG_ALIGN(sizeof(body));
	len = put(bytes, len, RTA_OIF, &device, sizeof(device));
	if (gateway && addr_parse(&a, gateway) == 0)
		len = put(bytes, len, RTA_GATEWAY, a.bytes, addr_len(&a));
	if (addr_parse(&a, src) == 0)
		len = put(bytes, len, RTA_PREFSRC, a.bytes, addr_len(&a));
	finish_message(k->ask, bytes, len, RTM_NEWROUTE, ++k->seq);
}

static void tell_error(struct kernel *k, int err)
{
	uint8_t bytes[64] = { 0 };
	struct nlmsgerr body = { .error = err };
	memcpy(bytes + sizeof(struct nlmsghdr), &body, sizeof(body));
	finish_message(k->ask, bytes, sizeof(struct nlmsghdr) + sizeof(body),
	    NLMSG_ERROR, ++k->seq);
}

/* The number that the next question has for this; 0: none.  Asserts that
 * there is a question. */
static uint32_t asked_with(struct kernel *k, int type)
{
	_Alignas(struct nlmsghdr) uint8_t bytes[512];
	uint32_t number = 0;
	assert_true(recv(k->ask, bytes, sizeof(bytes), MSG_DONTWAIT) > 0);
	const struct nlmsghdr *head = (const void *)bytes;
	size_t left = RTM_PAYLOAD(head);
	for (const struct rtattr *a = RTM_RTA((struct rtmsg *)NLMSG_DATA(head));
	     RTA_OK(a, left); a = RTA_NEXT(a, left))
		if (a->rta_type == type)
			memcpy(&number, RTA_DATA(a), sizeof(number));
	return number;
}

static uint32_t asked_for(struct kernel *k)
{
	return asked_with(k, RTA_OIF);
}

static void open_kernel(struct kernel *k, const char *wish_device)
{
	int ask[2], news[2];
	struct net_choice wish = { 0 };
	struct errmsg msg;
	uint8_t done[20] = { 0 };
	*k = (struct kernel){ .seq = 1, .listing = 1, .now = { NS_PER_S } };
	memcpy(wish.device, wish_device, strlen(wish_device) + 1);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ask), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, news), 0);
	k->ask = ask[1];
	k->news = news[1];
	tell_link(k, RTM_NEWLINK, 4, "bond0", UP | IFF_MASTER, 1500);
	tell_link(k, RTM_NEWLINK, 2, "eth0", UP | IFF_SLAVE, 1500);
	tell_link(k, RTM_NEWLINK, 7, "bond0.100", UP, 1496);
	tell_link(k, RTM_NEWLINK, 5, "vrf-blue", UP | IFF_MASTER, 65575);
	tell_link(k, RTM_NEWLINK, 9, "gre1", UP | IFF_POINTOPOINT, 1476);
	finish_message(k->news, done, sizeof(done), NLMSG_DONE, 1);
	assert_int_equal(
	    live_routes_init(&k->routes, ask[0], news[0], &wish, &msg), 0);
	k->listing = 0;
	assert_true(recv(k->news, done, sizeof(done), MSG_DONTWAIT) > 0);
	k->routes.look_at.ns = INT64_MAX; /* unless a test answers */
}

static void close_kernel(struct kernel *k)
{
	assert_int_equal(recv(k->ask, &(char){ 0 }, 1, MSG_DONTWAIT), -1);
	live_routes_close(&k->routes);
	close(k->ask);
	close(k->news);
}

static int find(struct kernel *k, const char *dst, struct net_route *route)
{
	struct net_flow flow = { .proto = PACKET_UDP, .dport = 33434 };
	assert_int_equal(addr_parse(&flow.dst, dst), 0);
	return live_routes_find(&k->routes, &flow, k->now, route);
}

static void a_route_is_asked_for_once_until_there_is_news(void **state)
{
	(void)state;
	struct kernel k;
	struct net_route route;
	open_kernel(&k, "");
	for (int i = 0; i < 3; i++) {
		tell_route(&k, 7, "192.0.2.1", "192.0.2.9", RTN_UNICAST);
		tell_route(&k, 7, "192.0.2.1", "", RTN_UNICAST);
		for (int again = 0; again < 3; again++) {
			assert_int_equal(find(&k, "198.51.100.7", &route), 0);
			assert_string_equal(route.device, "bond0.100");
			assert_int_equal(route.mtu, 1496);
			assert_int_equal(route.device_index, 7);
			assert_false(route.by_next_hop);
		}
		assert_int_equal(asked_for(&k), 0);
		assert_int_equal(asked_for(&k), 7);
		if (i == 0)
			tell_link(&k, RTM_NEWLINK, 9, "gre1", UP, 1400);
		else
			k.now.ns += 60 * NS_PER_S; /* nothing is for ever */
		live_routes_update(&k.routes, k.now);
	}
	assert_int_equal(k.routes.asked, 6);
	close_kernel(&k);
}

static void tell_qdisc(struct kernel *k, const char *qdisc)
{
	uint8_t bytes[256] = { 0 };
	struct ifinfomsg body = { .ifi_index = 7, .ifi_flags = UP };
	memcpy(bytes + sizeof(struct nlmsghdr), &body, sizeof(body));
	size_t len = sizeof(struct nlmsghdr) + sizeof(body);
	len = put(bytes, len, IFLA_IFNAME, "bond0.100", 10);
	len = put(bytes, len, IFLA_QDISC, qdisc, strlen(qdisc) + 1);
	finish_message(k->news, bytes, len, RTM_NEWLINK, 1);
}

/* The list of devices is asked for again, in which one queues now. */
static void *list_again(void *arg)
{
	struct kernel *k = arg;
	uint8_t bytes[512], done[20] = { 0 };
	if (recv(k->news, bytes, sizeof(bytes), 0) > 0) {
		tell_qdisc(k, "fq");
		finish_message(k->news, done, sizeof(done), NLMSG_DONE, 1);
	}
	return NULL;
}

/* News of it name no device's state (rtnetlink(7)). */
static void a_queueing_discipline_is_known_when_it_changes(void **state)
{
	(void)state;
	struct kernel k;
	struct net_route route;
	pthread_t lister;
	uint8_t news[64] = { 0 };
	open_kernel(&k, "");
	tell_qdisc(&k, "noqueue");
	live_routes_update(&k.routes, k.now);
	tell_route(&k, 7, "192.0.2.1", "192.0.2.9", RTN_UNICAST);
	tell_route(&k, 7, "192.0.2.1", "", RTN_UNICAST);
	assert_int_equal(find(&k, "198.51.100.7", &route), 0);
	assert_true(route.unqueued);
	finish_message(k.news, news, sizeof(news), RTM_NEWQDISC, 0);
	assert_int_equal(pthread_create(&lister, NULL, list_again, &k), 0);
	live_routes_update(&k.routes, k.now);
	pthread_join(lister, NULL);
	k.seq++; /* of the list */
	tell_route(&k, 7, "192.0.2.1", "192.0.2.9", RTN_UNICAST);
	tell_route(&k, 7, "192.0.2.1", "", RTN_UNICAST);
	assert_int_equal(find(&k, "198.51.100.7", &route), 0);
	assert_false(route.unqueued);
	for (int i = 0; i < 4; i++)
		asked_for(&k);
	close_kernel(&k);
}

static void *list_without_carrier(void *arg)
{
	struct kernel *k = arg;
	uint8_t bytes[512], done[20] = { 0 };
	if (recv(k->news, bytes, sizeof(bytes), 0) > 0) {
		k->listing = k->routes.seq;
		tell_link(k, RTM_NEWLINK, 7, "bond0.100", IFF_UP, 1496);
		finish_message(
		    k->news, done, sizeof(done), NLMSG_DONE, k->listing);
	}
	return NULL;
}

/* The kernel keeps news back that come soon after others, but not answers. */
static void a_carrier_is_asked_for_while_probes_leave(void **state)
{
	(void)state;
	struct kernel k;
	struct net_route route;
	pthread_t lister;
	open_kernel(&k, "bond0.100");
	tell_route(&k, 7, "192.0.2.1", "192.0.2.9", RTN_UNICAST);
	tell_route(&k, 7, "192.0.2.1", "", RTN_UNICAST);
	assert_int_equal(find(&k, "198.51.100.7", &route), 0);
	k.routes.look_at.ns = 0;
	assert_int_equal(
	    pthread_create(&lister, NULL, list_without_carrier, &k), 0);
	live_routes_update(&k.routes, k.now);
	pthread_join(lister, NULL);
	/* Nobody asks where no probe left. */
	k.now.ns += NS_PER_S;
	live_routes_update(&k.routes, k.now);
	assert_int_equal(recv(k.news, &(char){ 0 }, 1, MSG_DONTWAIT), -1);
	assert_int_equal(find(&k, "198.51.100.7", &route), -ENETDOWN);
	for (int i = 0; i < 2; i++)
		asked_for(&k);
	close_kernel(&k);
}

static void a_next_hop_that_the_socket_would_not_take_is_named(void **state)
{
	(void)state;
	struct kernel k;
	struct net_route route;
	open_kernel(&k, "");
	tell_route(&k, 4, "192.0.2.1", "192.0.2.9", RTN_UNICAST);
	tell_route(&k, 4, "192.0.2.254", "", RTN_UNICAST);
	assert_int_equal(find(&k, "198.51.100.7", &route), 0);
	assert_true(route.by_next_hop);
	/* Nor is one that the socket has no way to at all. */
	tell_route(&k, 4, NULL, "192.0.2.9", RTN_UNICAST);
	tell_error(&k, -ENETUNREACH);
	assert_int_equal(find(&k, "192.0.2.77", &route), 0);
	assert_true(route.by_next_hop);
	assert_int_equal(route.next_hop.family, 0);
	/* A neighbour of the other family has no name there. */
	tell_route(&k, 4, "2600::1", "192.0.2.9", RTN_UNICAST);
	assert_int_equal(find(&k, "198.51.100.9", &route), 0);
	assert_false(route.by_next_hop);
	for (int i = 0; i < 5; i++)
		asked_for(&k);
	close_kernel(&k);
}

static void own_addresses_need_no_device(void **state)
{
	(void)state;
	struct kernel k;
	struct net_route route;
	open_kernel(&k, "");
	tell_route(&k, 4, NULL, "192.0.2.9", RTN_LOCAL);
	assert_int_equal(find(&k, "192.0.2.9", &route), 0);
	assert_int_equal(route.device_index, 0);
	asked_for(&k);
	close_kernel(&k);
}

static void a_vrf_is_asked_by_its_name_and_answers_with_its_member(void **state)
{
	(void)state;
	struct kernel k;
	struct net_route route;
	open_kernel(&k, "vrf-blue");
	tell_route(&k, 2, "192.0.2.1", "192.0.2.9", RTN_UNICAST);
	tell_route(&k, 2, "192.0.2.1", "", RTN_UNICAST);
	assert_int_equal(find(&k, "198.51.100.7", &route), 0);
	assert_string_equal(route.device, "eth0");
	assert_int_equal(route.mtu, 1500);
	assert_int_equal(asked_for(&k), 5);
	assert_int_equal(asked_for(&k), 2);
	close_kernel(&k);
}

static void a_tunnel_has_its_own_mtu_and_no_neighbour(void **state)
{
	(void)state;
	struct kernel k;
	struct net_route route;
	open_kernel(&k, "gre1");
	tell_route(&k, 9, NULL, "192.0.2.9", RTN_UNICAST);
	tell_route(&k, 9, NULL, "", RTN_UNICAST);
	assert_int_equal(find(&k, "198.51.100.7", &route), 0);
	assert_string_equal(route.device, "gre1");
	assert_int_equal(route.mtu, 1476);
	assert_int_equal(asked_for(&k), 9);
	asked_for(&k);
	close_kernel(&k);
}

static void a_device_that_is_down_or_gone_is_why(void **state)
{
	(void)state;
	struct kernel k;
	struct net_route route;
	open_kernel(&k, "");
	tell_route(&k, 4, "192.0.2.1", "192.0.2.9", RTN_UNICAST);
	tell_route(&k, 4, "192.0.2.1", "", RTN_UNICAST);
	assert_int_equal(find(&k, "198.51.100.7", &route), 0);
	/* The cable is out: the route stands, and leads nowhere. */
	tell_link(&k, RTM_NEWLINK, 4, "bond0", IFF_UP | IFF_MASTER, 1500);
	live_routes_update(&k.routes, k.now);
	tell_route(&k, 4, "192.0.2.1", "192.0.2.9", RTN_UNICAST);
	assert_int_equal(find(&k, "198.51.100.7", &route), -ENETDOWN);
	assert_string_equal(route.device, "bond0");
	/* It was set down, and its routes went with it. */
	tell_link(&k, RTM_NEWLINK, 4, "bond0", IFF_MASTER, 1500);
	live_routes_update(&k.routes, k.now);
	for (int i = 0; i < 2; i++) {
		tell_error(&k, -ENETUNREACH);
		assert_int_equal(
		    find(&k, i ? "198.51.100.8" : "198.51.100.7", &route),
		    -ENETDOWN);
		assert_string_equal(route.device, "bond0");
	}
	tell_link(&k, RTM_DELLINK, 4, "bond0", 0, 1500);
	live_routes_update(&k.routes, k.now);
	tell_error(&k, -ENETUNREACH);
	assert_int_equal(find(&k, "198.51.100.7", &route), -ENODEV);
	assert_string_equal(route.device, "bond0");
	for (int i = 0; i < 6; i++)
		asked_for(&k);
	close_kernel(&k);
}

static void without_a_route_no_device_is_blamed(void **state)
{
	(void)state;
	struct kernel k;
	struct net_route route;
	open_kernel(&k, "");
	tell_error(&k, -ENETUNREACH);
	assert_int_equal(find(&k, "198.51.100.7", &route), -ENETUNREACH);
	assert_string_equal(route.device, "");
	asked_for(&k);
	close_kernel(&k);
}

static void the_wished_device_may_vanish_and_come_back(void **state)
{
	(void)state;
	struct kernel k;
	struct net_route route;
	open_kernel(&k, "gre1");
	tell_link(&k, RTM_DELLINK, 9, "gre1", 0, 1476);
	live_routes_update(&k.routes, k.now);
	assert_int_equal(find(&k, "198.51.100.7", &route), -ENODEV);
	assert_string_equal(route.device, "gre1");
	tell_link(&k, RTM_NEWLINK, 12, "gre1", UP, 1476);
	live_routes_update(&k.routes, k.now);
	tell_route(&k, 12, NULL, "192.0.2.9", RTN_UNICAST);
	tell_route(&k, 12, NULL, "", RTN_UNICAST);
	assert_int_equal(find(&k, "198.51.100.7", &route), 0);
	assert_int_equal(route.device_index, 12);
	asked_for(&k);
	asked_for(&k);
	close_kernel(&k);
}

/* Of one destination, the ways of runs that chose are not each other's. */
static void what_a_run_chose_is_asked_for(void **state)
{
	(void)state;
	struct kernel k;
	struct net_route route;
	struct net_flow flow = { .proto = PACKET_UDP, .dport = 33434 };
	open_kernel(&k, "");
	k.routes.wish.mark = 3;
	assert_int_equal(addr_parse(&flow.dst, "198.51.100.7"), 0);
	tell_route(&k, 7, "192.0.2.1", "192.0.2.9", RTN_UNICAST);
	tell_route(&k, 7, "192.0.2.1", "", RTN_UNICAST);
	assert_int_equal(live_routes_find(&k.routes, &flow, k.now, &route), 0);
	assert_int_equal(route.mark, 3);
	assert_int_equal(asked_with(&k, RTA_MARK), 3);
	asked_for(&k);
	flow.mark = 7;
	assert_int_equal(addr_parse(&flow.src, "192.0.2.8"), 0);
	tell_route(&k, 9, "192.0.2.1", "192.0.2.9", RTN_UNICAST);
	tell_route(&k, 9, "192.0.2.1", "", RTN_UNICAST);
	assert_int_equal(live_routes_find(&k.routes, &flow, k.now, &route), 0);
	assert_int_equal(route.mark, 7);
	assert_int_equal(route.device_index, 9);
	assert_true(addr_equal(&route.src, &flow.src));
	uint32_t src;
	memcpy(&src, flow.src.bytes, 4);
	assert_int_equal(asked_with(&k, RTA_SRC), src);
	assert_int_equal(asked_with(&k, RTA_MARK), 7);
	close_kernel(&k);
}

static void an_unknown_device_is_a_usage_error(void **state)
{
	(void)state;
	struct live_routes routes;
	struct net_choice wish = { .device = "none0" };
	struct errmsg msg;
	int ask[2], news[2];
	struct kernel k = { 0 };
	uint8_t done[20] = { 0 };
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ask), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, news), 0);
	k.news = news[1];
	tell_link(&k, RTM_NEWLINK, 1, "lo", UP, 65536);
	finish_message(k.news, done, sizeof(done), NLMSG_DONE, 1);
	assert_int_equal(
	    live_routes_init(&routes, ask[0], news[0], &wish, &msg), ERR_USAGE);
	assert_non_null(strstr(msg.text, "none0"));
	close(ask[1]);
	close(news[1]);
}

static void what_was_never_opened_closes_nothing(void **state)
{
	(void)state;
	int before = dup(STDOUT_FILENO);
	struct live_routes routes = LIVE_ROUTES_CLOSED;
	live_routes_close(&routes);
	int after = dup(STDOUT_FILENO);
	assert_int_equal(after, before + 1); /* no lower one became free */
	close(before);
	close(after);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_route_is_asked_for_once_until_there_is_news),
		TEST(a_queueing_discipline_is_known_when_it_changes),
		TEST(a_carrier_is_asked_for_while_probes_leave),
		TEST(a_next_hop_that_the_socket_would_not_take_is_named),
		TEST(own_addresses_need_no_device),
		TEST(a_vrf_is_asked_by_its_name_and_answers_with_its_member),
		TEST(a_tunnel_has_its_own_mtu_and_no_neighbour),
		TEST(a_device_that_is_down_or_gone_is_why),
		TEST(without_a_route_no_device_is_blamed),
		TEST(the_wished_device_may_vanish_and_come_back),
		TEST(what_a_run_chose_is_asked_for),
		TEST(an_unknown_device_is_a_usage_error),
		TEST(what_was_never_opened_closes_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
