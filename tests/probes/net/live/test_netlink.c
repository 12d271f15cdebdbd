/* SPDX-License-Identifier: ISC */
/* Messages that a kernel wrote (tests/corpus/netlink), and questions to it. */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "lib/packet/packet.h"
#include "probes/net/live/netlink.h"

#define TEST(name) cmocka_unit_test(name)

static size_t read_corpus(const char *name, uint8_t *bytes, size_t size)
{
	char path[128];
	snprintf(path, sizeof(path), "tests/corpus/netlink/%s", name);
	FILE *f = fopen(path, "rb");
	if (!f)
		fail_msg("%s: no such file", path);
	size_t len = fread(bytes, 1, size, f);
	fclose(f);
	return len;
}

static struct netlink_message the_message(const char *name)
{
	uint8_t bytes[4096];
	struct netlink_message m;
	size_t len = read_corpus(name, bytes, sizeof(bytes)), at = 0;
	assert_true(netlink_next(bytes, len, &at, &m));
	assert_int_equal(m.seq, 7);
	assert_false(
	    netlink_next(bytes, len, &at, &(struct netlink_message){ 0 }));
	return m;
}

static void routes_are_read(void **state)
{
	(void)state;
	static const struct {
		const char *file, *src, *next_hop;
		uint32_t device, mtu;
		bool local;
	} cases[] = {
		{ "gateway4", "10.1.0.2", "10.1.0.1", 3, 0, false },
		{ "onlink4", "10.1.0.2", NULL, 3, 0, false },
		{ "local4", "10.1.0.2", NULL, 1, 0, true },
		{ "via6", "10.1.0.2", "2600:1::1", 3, 0, false },
		{ "mtu4", "10.2.0.2", "10.2.0.1", 5, 1400, false },
		{ "gateway6", "2600:1::2", "2600:1::1", 3, 0, false },
		{ "onlink6", "2600:1::2", NULL, 3, 0, false },
		{ "local6", "2600:1::2", NULL, 1, 0, true },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[ADDR_TEXT_LEN];
		struct netlink_message m = the_message(cases[i].file);
		assert_int_equal(m.kind, NETLINK_IS_ROUTE);
		assert_int_equal(m.route.err, 0);
		assert_string_equal(
		    addr_text(&m.route.src, text), cases[i].src);
		if (cases[i].next_hop)
			assert_string_equal(addr_text(&m.route.next_hop, text),
			    cases[i].next_hop);
		else
			assert_int_equal(m.route.next_hop.family, 0);
		assert_int_equal(m.route.device, cases[i].device);
		assert_int_equal(m.route.mtu, cases[i].mtu);
		assert_int_equal(m.route.local, cases[i].local);
	}
}

static void other_answers_are_read(void **state)
{
	(void)state;
	struct netlink_message m = the_message("prohibit4");
	assert_int_equal(m.kind, NETLINK_IS_ERROR);
	assert_int_equal(m.err, -EACCES);
	assert_int_equal(the_message("done").kind, NETLINK_IS_DONE);
	m = the_message("link");
	assert_int_equal(m.kind, NETLINK_IS_LINK);
	assert_string_equal(m.link.name, "u1");
	assert_int_equal(m.link.index, 3);
	assert_int_equal(m.link.mtu, 1500);
	assert_true(m.link.is_up && m.link.has_carrier && !m.link.gone);
	assert_true(m.link.unqueued && !m.link.shaped);
	assert_int_equal(m.link.type, 1); /* ARPHRD_ETHER */
	assert_true(m.link.has_counts);
	assert_int_equal(m.link.lost, 0);
}

/* Of a dump: how many there are, of which how many look at a flow, and whether
 * one is for the prefix. */
static size_t count_rules(const char *name, const char *to, size_t *by_flow)
{
	uint8_t bytes[8192];
	struct netlink_message m;
	size_t len = read_corpus(name, bytes, sizeof(bytes)), at = 0, count = 0;
	bool found = false;
	*by_flow = 0;
	while (netlink_next(bytes, len, &at, &m)) {
		char text[PREFIX_TEXT_LEN];
		if (m.kind != NETLINK_IS_RULE)
			continue;
		count++;
		*by_flow += m.rule.by_flow;
		found |= m.rule.to.addr.family &&
		    strcmp(prefix_text(&m.rule.to, text), to) == 0;
	}
	assert_int_equal(at, len);
	assert_int_equal(m.kind, NETLINK_IS_DONE);
	assert_true(found);
	return count;
}

static void rules_are_read(void **state)
{
	(void)state;
	size_t by_flow;
	/* local, main and default; those by port and class look at a flow */
	assert_int_equal(count_rules("rules4", "10.3.0.0/16", &by_flow), 7);
	assert_int_equal(by_flow, 2);
	assert_int_equal(count_rules("rules6", "2600:3::/32", &by_flow), 3);
	assert_int_equal(by_flow, 0);
}

static void a_list_of_routes_is_read(void **state)
{
	(void)state;
	uint8_t bytes[8192];
	struct netlink_message m;
	size_t len = read_corpus("routes4", bytes, sizeof(bytes)), at = 0;
	unsigned routes = 0, balanced = 0;
	while (netlink_next(bytes, len, &at, &m)) {
		if (m.kind != NETLINK_IS_ROUTE)
			continue;
		routes++;
		balanced += m.route.balanced;
		if (m.route.balanced)
			assert_int_equal(m.route.to.len, 0);
		assert_int_equal(m.route.to.addr.family, 4);
	}
	assert_true(routes > 6);
	assert_int_equal(balanced, 1);
}

/* No octet beyond a message's end decides anything. */
static void a_message_that_is_cut_gives_nothing_or_less(void **state)
{
	(void)state;
	uint8_t bytes[4096];
	size_t len = read_corpus("gateway4", bytes, sizeof(bytes));
	for (size_t cut = 0; cut < len; cut++) {
		struct netlink_message m;
		size_t at = 0;
		assert_false(netlink_next(bytes, cut, &at, &m));
	}
	uint32_t wrong[] = { 0, 15, (uint32_t)len + 1, UINT32_MAX };
	for (size_t i = 0; i < 4; i++) {
		struct netlink_message m;
		size_t at = 0;
		memcpy(bytes, &wrong[i], 4);
		assert_false(netlink_next(bytes, len, &at, &m));
	}
}

static void what_a_link_lost_is_counted(void **state)
{
	(void)state;
	/* Of struct rtnl_link_stats64: rx_dropped 6, rx_missed_errors 15. */
	uint8_t bytes[4096];
	struct netlink_message m;
	size_t len = read_corpus("link", bytes, sizeof(bytes)), at = 0;
	const uint16_t stats64 = 23;
	for (size_t i = 32; i + 200 < len; i += 4) {
		uint16_t head[2];
		memcpy(head, bytes + i, sizeof(head));
		if (head[1] != stats64 || head[0] < 20 * 8)
			continue;
		const uint64_t dropped = 5, missed = 7;
		memcpy(bytes + i + 4 + 6 * 8, &dropped, sizeof(dropped));
		memcpy(bytes + i + 4 + 15 * 8, &missed, sizeof(missed));
	}
	assert_true(netlink_next(bytes, len, &at, &m));
	assert_int_equal(m.link.lost, 12);
}

static void a_question_has_what_rules_look_at(void **state)
{
	(void)state;
	struct netlink_question q = { .proto = PACKET_UDP,
		.tos = 0xb9,
		.sport = 0x1234,
		.dport = 0x5678,
		.mark = 7,
		.device = 9,
		.by_uid = true }; /* root, 0 */
	uint8_t ask[NETLINK_ASK_MAX];
	assert_int_equal(addr_parse(&q.dst, "192.0.2.7"), 0);
	size_t len = netlink_ask_route(ask, &q, 5);
	const struct nlmsghdr *head = (const void *)ask;
	const struct rtmsg *body = NLMSG_DATA(head);
	assert_int_equal(head->nlmsg_len, len);
	assert_int_equal(head->nlmsg_type, RTM_GETROUTE);
	assert_int_equal(head->nlmsg_seq, 5);
	assert_int_equal(body->rtm_tos, 0xb8); /* congestion's bits are not */
	assert_int_equal(body->rtm_dst_len, 32);
	assert_int_equal(body->rtm_src_len, 0);
	unsigned seen = 0;
	size_t left = RTM_PAYLOAD(head);
	for (const struct rtattr *a = RTM_RTA(body); RTA_OK(a, left);
	     a = RTA_NEXT(a, left)) {
		const uint8_t *data = RTA_DATA(a);
		seen |= 1u << a->rta_type;
		if (a->rta_type == RTA_DST)
			assert_memory_equal(data, q.dst.bytes, 4);
		else if (a->rta_type == RTA_SPORT)
			assert_int_equal(data[0] << 8 | data[1], 0x1234);
		else if (a->rta_type == RTA_DPORT)
			assert_int_equal(data[0] << 8 | data[1], 0x5678);
		else if (a->rta_type == RTA_IP_PROTO)
			assert_int_equal(data[0], 17);
		else if (a->rta_type == RTA_UID)
			assert_memory_equal(data, &q.uid, sizeof(q.uid));
	}
	assert_int_equal(seen,
	    1u << RTA_DST | 1u << RTA_SPORT | 1u << RTA_DPORT |
		1u << RTA_IP_PROTO | 1u << RTA_MARK | 1u << RTA_OIF |
		1u << RTA_UID);
	assert_int_equal(addr_parse(&q.dst, "2600::1"), 0);
	q.src = q.dst;
	q.flow_label = 0x12345;
	assert_true(netlink_ask_route(ask, &q, 6) <= sizeof(ask));
	assert_int_equal(body->rtm_src_len, 128);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(routes_are_read),
		TEST(other_answers_are_read),
		TEST(rules_are_read),
		TEST(a_list_of_routes_is_read),
		TEST(a_message_that_is_cut_gives_nothing_or_less),
		TEST(what_a_link_lost_is_counted),
		TEST(a_question_has_what_rules_look_at),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
