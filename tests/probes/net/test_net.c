/* SPDX-License-Identifier: ISC */
/* What an operator wants of every packet, joined to a network's words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "probes/net/net.h"
#include "probes/packet/probe.h"

#define TEST(name) cmocka_unit_test(name)

static void wishes_become_words(void **state)
{
	(void)state;
	static const char *const sources[] = { "192.0.2.9", "2001:db8::9" };
	static const char *const marks[] = { "8", "0x9" };
	const struct net_wish none = { 0 },
			      all = { "eth0", "0x7", sources, 2, marks, 2 };
	struct errmsg msg;
	char *joined;
	assert_int_equal(
	    net_spec_join(&joined, &net_live, NULL, &none, &msg), 0);
	assert_null(joined);
	assert_int_equal(
	    net_spec_join(&joined, &net_live, "buffer=1M", &none, &msg), 0);
	assert_string_equal(joined, "buffer=1M");
	free(joined);
	assert_int_equal(
	    net_spec_join(&joined, &net_live, "buffer=1M", &all, &msg), 0);
	assert_string_equal(joined,
	    "buffer=1M,interface=eth0,mark=0x7,source=192.0.2.9,"
	    "source=2001:db8::9,run-mark=8,run-mark=0x9");
	free(joined);
}

static void a_flow_goes_by_what_its_run_chose(void **state)
{
	(void)state;
	struct probe p = { .dst = addr_v4(0x0b000001), .zone = "eth7" };
	struct net_choice choice = { .device = "eth0", .mark = 7 };
	const struct net_choice none = { 0 };
	assert_int_equal(addr_parse(&choice.source[0], "192.0.2.9"), 0);
	struct net_flow flow = net_flow_of(&p, &none);
	assert_string_equal(flow.zone, "eth7");
	assert_int_equal(flow.src.family, 0);
	assert_int_equal(flow.mark, 0);
	flow = net_flow_of(&p, &choice);
	assert_string_equal(flow.zone, "eth7");
	assert_true(addr_equal(&flow.src, &choice.source[0]));
	assert_int_equal(flow.mark, 7);
	choice.no_zones = true;
	flow = net_flow_of(&p, &choice);
	assert_string_equal(flow.zone, "eth0");
	choice.device[0] = '\0';
	flow = net_flow_of(&p, &choice);
	assert_string_equal(flow.zone, "");
	assert_int_equal(addr_parse(&p.dst, "2600::1"), 0);
	flow = net_flow_of(&p, &choice);
	assert_int_equal(flow.src.family, 0);
}

static void wrong_wishes_are_usage_errors(void **state)
{
	(void)state;
	static const char *const five[] = { "1", "2", "3", "4", "5" };
	static const char *const twice[] = { "192.0.2.9", "192.0.2.8" };
	static const struct {
		struct net_wish wish;
		const char *named;
	} wrong[] = {
		{ { .mark = "x" }, "mark" },
		{ { .interface = "eth0,mark=3" }, "interface" },
		{ { .interface = "" }, "interface" },
		{ { .run_marks = twice, .run_mark_count = 1 }, "run-mark" },
		{ { .run_marks = five, .run_mark_count = 5 }, "at most 4" },
		{ { .sources = twice, .source_count = 2 }, "source" },
	};
	struct errmsg msg;
	char *joined;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(net_spec_join(&joined, &net_live, NULL,
				     &wrong[i].wish, &msg),
		    ERR_USAGE);
		assert_null(joined);
		assert_non_null(strstr(msg.text, wrong[i].named));
	}
	/* A simulated one has no devices of this host. */
	assert_int_equal(net_spec_join(&joined, &net_sim, "a.sim",
			     &(struct net_wish){ .mark = "1" }, &msg),
	    ERR_USAGE);
	assert_non_null(strstr(msg.text, "live"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(wishes_become_words),
		TEST(a_flow_goes_by_what_its_run_chose),
		TEST(wrong_wishes_are_usage_errors),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
