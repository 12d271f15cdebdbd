/* SPDX-License-Identifier: ISC */
#include <netinet/in.h> /* before those of linux */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "probes/net/live/live-hooks.h"

/* A chain as the kernel lists it. */
struct chain {
	struct nlmsghdr head;
	struct nfgenmsg body;
	struct nlattr table;
	char table_name[4];
	struct nlattr hook, number;
	uint32_t number_value;
};

static struct chain chain_of(uint8_t family, uint32_t hook)
{
	return (struct chain){
		.head = { .nlmsg_len = sizeof(struct chain),
		    .nlmsg_type =
			NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWCHAIN },
		.body = { .nfgen_family = family },
		.table = { sizeof(struct nlattr) + 4, NFTA_CHAIN_TABLE },
		.table_name = "nat",
		.hook = { 2 * sizeof(struct nlattr) + 4,
		    NFTA_CHAIN_HOOK | NLA_F_NESTED },
		.number = { sizeof(struct nlattr) + 4, NFTA_HOOK_HOOKNUM },
		.number_value = htonl(hook),
	};
}

static bool sees(const struct chain *chain)
{
	int end = 0;
	bool found =
	    live_hooks_read((const uint8_t *)chain, sizeof(*chain), &end);
	assert_int_equal(end, 0);
	return found;
}

static void chains_that_see_what_leaves_are_told_from_others(void **state)
{
	(void)state;
	static const struct {
		uint8_t family;
		uint32_t hook;
		bool sees;
	} cases[] = {
		{ NFPROTO_INET, NF_INET_LOCAL_OUT, true },
		{ NFPROTO_IPV4, NF_INET_POST_ROUTING, true },
		{ NFPROTO_IPV6, NF_INET_LOCAL_OUT, true },
		{ NFPROTO_NETDEV, NF_NETDEV_EGRESS, true },
		{ NFPROTO_INET, NF_INET_LOCAL_IN, false },
		{ NFPROTO_IPV4, NF_INET_PRE_ROUTING, false },
		{ NFPROTO_IPV4, NF_INET_FORWARD, false },
		{ NFPROTO_NETDEV, NF_NETDEV_INGRESS, false },
		{ NFPROTO_BRIDGE, NF_INET_LOCAL_OUT, false },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct chain c = chain_of(cases[i].family, cases[i].hook);
		assert_int_equal(sees(&c), cases[i].sees);
	}
	struct chain called = chain_of(NFPROTO_INET, NF_INET_LOCAL_OUT);
	called.hook.nla_type = NFTA_CHAIN_NAME; /* by others only */
	assert_false(sees(&called));
}

static void no_length_is_believed(void **state)
{
	(void)state;
	struct chain c = chain_of(NFPROTO_INET, NF_INET_LOCAL_OUT);
	uint8_t *octets = (uint8_t *)&c;
	for (size_t at = 0; at < sizeof(c); at++)
		for (int value = 0; value < 256; value += 5) {
			uint8_t *copy = test_malloc(sizeof(c));
			int end = 0;
			memcpy(copy, octets, sizeof(c));
			copy[at] = (uint8_t)value;
			live_hooks_read(copy, sizeof(c), &end);
			live_hooks_read(copy, at, &end);
			test_free(copy); /* which looks at its borders */
		}
}

static void the_end_of_a_list_is_known(void **state)
{
	(void)state;
	int end = 0;
	struct {
		struct nlmsghdr head;
		int32_t err;
	} m = { { sizeof(m), NLMSG_ERROR, 0, 0, 0 }, -EPERM };
	assert_false(live_hooks_read((const uint8_t *)&m, sizeof(m), &end));
	assert_int_equal(end, -EPERM);
	m.head.nlmsg_type = NLMSG_DONE;
	live_hooks_read((const uint8_t *)&m, sizeof(m), &end);
	assert_int_equal(end, 1);
}

static void any_news_may_be_a_filter(void **state)
{
	(void)state;
	int pair[2];
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair), 0);
	struct live_hooks hooks = LIVE_HOOKS_CLOSED;
	hooks.fd = pair[0];
	assert_false(live_hooks_possible(&hooks));
	assert_int_equal(send(pair[1], "news", 4, 0), 4);
	assert_true(live_hooks_possible(&hooks));
	assert_true(live_hooks_possible(&hooks));
	live_hooks_close(&hooks);
	close(pair[1]);
}

/* The kernel's list is a file that is read again from its beginning. */
static void a_table_of_iptables_is_seen_when_it_is_made(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct live_hooks hooks = LIVE_HOOKS_CLOSED;
		hooks.tables[i] = memfd_create("ip_tables_names", MFD_CLOEXEC);
		assert_true(hooks.tables[i] >= 0);
		live_hooks_look(&hooks);
		assert_false(live_hooks_possible(&hooks));
		assert_int_equal(pwrite(hooks.tables[i], "nat\n", 4, 0), 4);
		assert_false(live_hooks_possible(&hooks));
		live_hooks_look(&hooks);
		assert_true(live_hooks_possible(&hooks));
		/* Tables stay; a rule may have gone through. */
		assert_int_equal(ftruncate(hooks.tables[i], 0), 0);
		live_hooks_look(&hooks);
		assert_true(live_hooks_possible(&hooks));
		live_hooks_close(&hooks);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    chains_that_see_what_leaves_are_told_from_others),
		cmocka_unit_test(no_length_is_believed),
		cmocka_unit_test(the_end_of_a_list_is_known),
		cmocka_unit_test(any_news_may_be_a_filter),
		cmocka_unit_test(a_table_of_iptables_is_seen_when_it_is_made),
	};
	return cmocka_run_group_tests_name("live_hooks", tests, NULL, NULL);
}
