/* SPDX-License-Identifier: ISC */
/* Which packets go the same way, by what the kernel's tables hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/packet/packet.h"
#include "probes/net/live/live-tables.h"

#define TEST(name) cmocka_unit_test(name)

static void add_route(struct live_tables *t, const char *to, bool balanced)
{
	struct netlink_message m = { .kind = NETLINK_IS_ROUTE };
	assert_int_equal(prefix_parse(&m.route.to, to, NULL), 0);
	m.route.balanced = balanced;
	live_tables_add(t, &m);
}

static void add_rule(struct live_tables *t, const char *to, bool by_flow)
{
	struct netlink_message m = { .kind = NETLINK_IS_RULE };
	if (to)
		assert_int_equal(prefix_parse(&m.rule.to, to, NULL), 0);
	m.rule.by_flow = by_flow;
	live_tables_add(t, &m);
}

static struct net_flow flow_to(const char *dst)
{
	struct net_flow f = { .proto = PACKET_UDP, .sport = 5, .dport = 6 };
	assert_int_equal(addr_parse(&f.dst, dst), 0);
	return f;
}

/* "PREFIX" and whether ports still count. */
static void expect_class(const struct live_tables *t, const char *dst,
    unsigned least, const char *prefix, bool ports)
{
	char text[PREFIX_TEXT_LEN];
	struct net_flow f = flow_to(dst);
	unsigned len = live_tables_reduce(t, &f, least);
	struct prefix p = { f.dst, (uint8_t)len };
	assert_string_equal(prefix_text(&p, text), prefix);
	assert_int_equal(f.sport != 0 && f.proto != 0, ports);
}

static void a_flow_stands_for_its_longest_prefix(void **state)
{
	(void)state;
	struct live_tables t = { 0 };
	expect_class(&t, "192.0.2.7", 0, "192.0.2.7/32", true);
	add_route(&t, "0.0.0.0/0", false);
	add_route(&t, "10.0.0.0/8", false);
	add_route(&t, "10.0.0.0/24", false);
	add_route(&t, "10.0.0.1/32", false);
	add_route(&t, "10.0.0.0/24", false); /* in another table */
	add_rule(&t, NULL, false);
	live_tables_finish(&t);
	assert_int_equal(t.count, 4);
	expect_class(&t, "192.0.2.7", 0, "0.0.0.0/0", false);
	expect_class(&t, "10.9.9.9", 0, "10.0.0.0/8", false);
	expect_class(&t, "10.0.0.9", 0, "10.0.0.0/24", false);
	expect_class(&t, "10.0.0.1", 0, "10.0.0.1/32", false);
	live_tables_clear(&t);
}

static void rules_keep_what_they_look_at(void **state)
{
	(void)state;
	struct live_tables t = { 0 };
	add_route(&t, "0.0.0.0/0", false);
	add_rule(&t, "10.3.0.0/16", false);
	live_tables_finish(&t);
	expect_class(&t, "10.3.9.9", 0, "10.3.0.0/16", false);
	expect_class(&t, "10.4.9.9", 0, "0.0.0.0/0", false);
	add_rule(&t, NULL, true);
	live_tables_finish(&t);
	expect_class(&t, "10.4.9.9", 0, "0.0.0.0/0", true);
	live_tables_clear(&t);
}

/* A shorter one may be what another table has for it. */
static void under_a_balanced_route_each_flow_is_its_own(void **state)
{
	(void)state;
	struct live_tables t = { 0 };
	add_route(&t, "0.0.0.0/0", false);
	add_route(&t, "10.0.0.0/8", true);
	add_route(&t, "10.3.0.0/16", false);
	live_tables_finish(&t);
	expect_class(&t, "10.3.9.9", 0, "10.3.9.9/32", true);
	expect_class(&t, "10.4.9.9", 0, "10.4.9.9/32", true);
	expect_class(&t, "11.4.9.9", 0, "0.0.0.0/0", false);
	live_tables_clear(&t);
}

static void ipv6_keeps_what_a_source_is_chosen_by(void **state)
{
	(void)state;
	struct live_tables t = { 0 };
	add_route(&t, "::/0", false);
	add_route(&t, "2600:1::2/128", false);
	live_tables_finish(&t);
	expect_class(&t, "2600:9:9:9:9::9", 0, "::/0", false);
	expect_class(&t, "2600:9:9:9:9::9", 64, "2600:9:9:9::/64", false);
	expect_class(&t, "2600:1::2", 64, "2600:1::2/128", false);
	live_tables_clear(&t);
}

static void too_many_prefixes_are_none(void **state)
{
	(void)state;
	struct live_tables t = { 0 };
	struct netlink_message m = { .kind = NETLINK_IS_ROUTE };
	for (uint32_t i = 0; i <= LIVE_TABLES_MAX; i++) {
		m.route.to = (struct prefix){ addr_v4(i << 8), 24 };
		live_tables_add(&t, &m);
	}
	assert_true(t.overflow);
	assert_int_equal(t.count, LIVE_TABLES_MAX);
	expect_class(&t, "0.0.3.7", 0, "0.0.3.7/32", true);
	live_tables_clear(&t);
	assert_false(t.overflow);
}

/* Against a scan of all prefixes. */
static void every_destination_finds_what_a_scan_finds(void **state)
{
	(void)state;
	struct live_tables t = { 0 };
	struct prefix all[300];
	srand(7);
	for (size_t i = 0; i < 300; i++) {
		struct addr a = addr_v4((uint32_t)rand() << 12);
		struct netlink_message m = { .kind = NETLINK_IS_ROUTE };
		m.route.to = all[i] = prefix_of(&a, (unsigned)rand() % 21);
		live_tables_add(&t, &m);
	}
	live_tables_finish(&t);
	for (int i = 0; i < 3000; i++) {
		struct net_flow f = { .dst = addr_v4((uint32_t)rand() << 1) };
		int longest = -1;
		for (size_t k = 0; k < 300; k++)
			if (prefix_has(&all[k], &f.dst) && all[k].len > longest)
				longest = all[k].len;
		unsigned len = live_tables_reduce(&t, &f, 0);
		assert_int_equal(len, longest < 0 ? 32 : longest);
	}
	live_tables_clear(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_flow_stands_for_its_longest_prefix),
		TEST(rules_keep_what_they_look_at),
		TEST(under_a_balanced_route_each_flow_is_its_own),
		TEST(ipv6_keeps_what_a_source_is_chosen_by),
		TEST(too_many_prefixes_are_none),
		TEST(every_destination_finds_what_a_scan_finds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
