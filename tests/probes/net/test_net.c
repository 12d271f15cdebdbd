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

#define TEST(name) cmocka_unit_test(name)

static void wishes_become_words(void **state)
{
	(void)state;
	static const char *const sources[] = { "192.0.2.9", "2001:db8::9" };
	const struct net_wish none = { 0 }, all = { "eth0", "0x7", sources, 2 };
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
	    "source=2001:db8::9");
	free(joined);
}

static void wrong_wishes_are_usage_errors(void **state)
{
	(void)state;
	static const char *const twice[] = { "192.0.2.9", "192.0.2.8" };
	static const struct {
		struct net_wish wish;
		const char *named;
	} wrong[] = {
		{ { .mark = "x" }, "mark" },
		{ { .interface = "eth0,mark=3" }, "interface" },
		{ { .interface = "" }, "interface" },
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
		TEST(wrong_wishes_are_usage_errors),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
