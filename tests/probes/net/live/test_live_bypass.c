/* SPDX-License-Identifier: ISC */
/* Which packets may go past the queues, with a kernel that is a list of
 * answers. */
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "probes/net/live/live-bypass.h"

static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 9 };

struct answer {
	struct nlmsghdr head;
	struct ndmsg body;
	struct rtattr dst;
	uint8_t dst_bytes[4];
	struct rtattr lladdr;
	uint8_t lladdr_bytes[8]; /* six and padding */
};

static struct answer neighbour(uint32_t seq, uint16_t state)
{
	struct answer a = {
		.head = { .nlmsg_len = sizeof(a),
		    .nlmsg_type = RTM_NEWNEIGH,
		    .nlmsg_seq = seq },
		.body = { .ndm_family = AF_INET,
		    .ndm_ifindex = 3,
		    .ndm_state = state },
		.dst = { .rta_len = sizeof(a.dst) + 4, .rta_type = NDA_DST },
		.lladdr = { .rta_len = sizeof(a.lladdr) + 6,
		    .rta_type = NDA_LLADDR },
	};
	memcpy(a.lladdr_bytes, mac, sizeof(mac));
	return a;
}

static void neighbours_are_read(void **state)
{
	(void)state;
	struct answer a = neighbour(7, NUD_REACHABLE);
	struct netlink_message m;
	size_t at = 0;
	assert_true(netlink_next((uint8_t *)&a, sizeof(a), &at, &m));
	assert_int_equal(m.kind, NETLINK_IS_NEIGHBOUR);
	assert_true(m.neighbour.usable);
	assert_memory_equal(m.neighbour.mac, mac, 6);
	a = neighbour(7, NUD_FAILED);
	at = 0;
	assert_true(netlink_next((uint8_t *)&a, sizeof(a), &at, &m));
	assert_false(m.neighbour.usable);
	/* Infiniband has twenty octets. */
	a = neighbour(7, NUD_REACHABLE);
	a.lladdr.rta_len = sizeof(a.lladdr) + 8;
	at = 0;
	assert_true(netlink_next((uint8_t *)&a, sizeof(a), &at, &m));
	assert_false(m.neighbour.usable);
	a.lladdr.rta_len = 200; /* more than there is */
	at = 0;
	assert_true(netlink_next((uint8_t *)&a, sizeof(a), &at, &m));
	assert_int_equal(m.kind, NETLINK_IS_OTHER);
}

/* A way, and what its kernel says of the router. */
struct lab {
	struct live_bypass bypass;
	struct live_routes routes;
	int kernel, wire;
	struct net_route way;
	uint8_t bytes[4][28];
	struct net_send packets[4];
};

static void lab_open(struct lab *lab)
{
	int pair[2], wire[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, wire), 0);
	*lab = (struct lab){ .bypass = { .fd = wire[0],
				 .hooks = LIVE_HOOKS_CLOSED },
		.routes = { .ask_fd = pair[0], .news_fd = -1 },
		.kernel = pair[1],
		.wire = wire[1],
		.way = { .next_hop = addr_v4(0x0a000001), .device_index = 3 } };
	for (int i = 0; i < 4; i++)
		lab->packets[i] = (struct net_send){ lab->bytes[i],
			sizeof(lab->bytes[i]), 1, &lab->way, true, false };
}

static void lab_close(struct lab *lab)
{
	close(lab->bypass.fd);
	close(lab->routes.ask_fd);
	close(lab->kernel);
	close(lab->wire);
}

static void kernel_says(struct lab *lab, uint32_t seq, uint16_t state)
{
	struct answer a = neighbour(seq, state);
	assert_int_equal(send(lab->kernel, &a, sizeof(a), 0), sizeof(a));
}

static size_t run_at(struct lab *lab, int64_t ns)
{
	return live_bypass_run(&lab->bypass, &lab->routes, lab->packets, 4,
	    (struct monotime){ ns });
}

static void packets_to_a_known_router_take_the_short_way(void **state)
{
	(void)state;
	struct lab lab;
	lab_open(&lab);
	kernel_says(&lab, 1, NUD_STALE);
	/* Each second some keep the neighbour alive. */
	assert_int_equal(run_at(&lab, NS_PER_S), 0);
	assert_int_equal(run_at(&lab, NS_PER_S + 1), 4);
	assert_memory_equal(lab.bypass.mac, mac, 6);
	kernel_says(&lab, 2, NUD_REACHABLE);
	assert_int_equal(run_at(&lab, 2 * NS_PER_S), 0);
	assert_int_equal(run_at(&lab, 2 * NS_PER_S + 1), 4);
	/* Where a queue shapes or a filter may look, all are to be seen. */
	lab.way.shaped = true;
	assert_int_equal(run_at(&lab, 2 * NS_PER_S + 1), 0);
	lab.way.shaped = false;
	lab.bypass.hooks.possible = true;
	assert_int_equal(run_at(&lab, 2 * NS_PER_S + 1), 0);
	lab.bypass.hooks.possible = false;
	/* To the same router, and only what needs no stamp. */
	struct net_route other = lab.way;
	other.next_hop = addr_v4(0x0a000002);
	lab.packets[3].route = &other;
	assert_int_equal(run_at(&lab, 2 * NS_PER_S + 2), 3);
	lab.packets[1].swept = false;
	assert_int_equal(run_at(&lab, 2 * NS_PER_S + 3), 1);
	lab.packets[0].swept = false;
	assert_int_equal(run_at(&lab, 2 * NS_PER_S + 4), 0);
	lab_close(&lab);
}

static void others_take_the_long_way(void **state)
{
	(void)state;
	struct lab lab;
	lab_open(&lab);
	kernel_says(&lab, 1, NUD_INCOMPLETE);
	assert_int_equal(run_at(&lab, NS_PER_S), 0);
	assert_int_equal(run_at(&lab, NS_PER_S + 1), 0);
	lab.way.next_hop.family = 0; /* on the link */
	assert_int_equal(run_at(&lab, 3 * NS_PER_S), 0);
	assert_int_equal(run_at(&lab, 3 * NS_PER_S + 1), 0);
	lab_close(&lab);
	lab_open(&lab); /* the kernel says nothing */
	assert_int_equal(run_at(&lab, NS_PER_S), 0);
	assert_int_equal(run_at(&lab, NS_PER_S + 1), 0);
	lab_close(&lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(neighbours_are_read),
		cmocka_unit_test(packets_to_a_known_router_take_the_short_way),
		cmocka_unit_test(others_take_the_long_way),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
