/* SPDX-License-Identifier: ISC */
/* What follows from the kernel's news of links, also in an order that it never
 * gives them in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/base/err.h"
#include "probes/sensor/interface-state.h"

static struct netlink_link link_of(
    const char *name, uint32_t index, bool up, bool carrier)
{
	struct netlink_link link = {
		.index = index, .type = 1, .is_up = up, .has_carrier = carrier
	};
	memcpy(link.name, name, strlen(name));
	return link;
}

static struct interface_facts begin(const char *name)
{
	struct interface_facts facts;
	assert_int_equal(interface_begin(&facts, name), 0);
	return facts;
}

static bool news(struct interface_facts *facts, struct netlink_link link)
{
	return interface_link(facts, &link);
}

static void it_waits_for_the_name_and_then_for_the_link(void **state)
{
	(void)state;
	struct interface_facts f = begin("ppp0");
	assert_int_equal(interface_state_of(&f), INTERFACE_ABSENT);
	assert_string_equal(interface_why(&f), "no such interface");
	assert_int_equal(interface_next(&f), INTERFACE_STAY);
	assert_false(news(&f, link_of("ppp1", 4, true, true)));
	assert_true(news(&f, link_of("ppp0", 5, false, false)));
	assert_int_equal(interface_state_of(&f), INTERFACE_DOWN);
	assert_int_equal(interface_next(&f), INTERFACE_STAY);
	assert_true(news(&f, link_of("ppp0", 5, true, true)));
	assert_int_equal(interface_next(&f), INTERFACE_LISTEN);
	assert_int_equal(interface_state_of(&f), INTERFACE_DOWN);
	interface_listens(&f, true);
	assert_int_equal(interface_state_of(&f), INTERFACE_UP);
	assert_string_equal(interface_why(&f), "");
}

static void a_flap_keeps_its_socket(void **state)
{
	(void)state;
	struct interface_facts f = begin("eth0");
	news(&f, link_of("eth0", 2, true, true));
	interface_listens(&f, true);
	news(&f, link_of("eth0", 2, true, false));
	assert_int_equal(interface_state_of(&f), INTERFACE_DOWN);
	assert_string_equal(interface_why(&f), "no link");
	assert_int_equal(interface_next(&f), INTERFACE_STAY);
	news(&f, link_of("eth0", 2, false, false));
	assert_string_equal(interface_why(&f), "the interface is down");
	assert_int_equal(interface_next(&f), INTERFACE_STAY);
	news(&f, link_of("eth0", 2, true, true));
	assert_int_equal(interface_state_of(&f), INTERFACE_UP);
	assert_int_equal(interface_next(&f), INTERFACE_STAY);
}

static void what_is_removed_renamed_or_made_again_is_left(void **state)
{
	(void)state;
	struct interface_facts f = begin("eth0");
	struct netlink_link gone = link_of("eth0", 2, true, true);
	gone.gone = true;
	news(&f, link_of("eth0", 2, true, true));
	interface_listens(&f, true);
	assert_true(news(&f, gone));
	assert_int_equal(interface_state_of(&f), INTERFACE_ABSENT);
	assert_int_equal(interface_next(&f), INTERFACE_LEAVE);
	interface_listens(&f, false);
	assert_int_equal(interface_next(&f), INTERFACE_STAY);

	news(&f, link_of("eth0", 7, true, true));
	interface_listens(&f, true);
	/* The news that the old one is gone came late. */
	assert_false(news(&f, gone));
	assert_int_equal(interface_state_of(&f), INTERFACE_UP);
	assert_true(news(&f, link_of("wan0", 7, true, true)));
	assert_int_equal(interface_next(&f), INTERFACE_LEAVE);
	interface_listens(&f, false);

	/* Made again, and of its end nothing was heard. */
	news(&f, link_of("eth0", 8, true, true));
	interface_listens(&f, true);
	news(&f, link_of("eth0", 9, true, true));
	assert_int_equal(interface_state_of(&f), INTERFACE_DOWN);
	assert_int_equal(interface_next(&f), INTERFACE_LEAVE);
	interface_listens(&f, false);
	assert_int_equal(interface_next(&f), INTERFACE_LISTEN);
}

static void a_list_without_it_means_that_it_is_gone(void **state)
{
	(void)state;
	struct interface_facts f = begin("eth0");
	news(&f, link_of("eth0", 2, true, true));
	interface_listens(&f, true);
	interface_list_begin(&f);
	news(&f, link_of("eth0", 2, true, true));
	interface_list_end(&f);
	assert_int_equal(interface_state_of(&f), INTERFACE_UP);
	interface_list_begin(&f);
	news(&f, link_of("lo", 1, true, true));
	interface_list_end(&f);
	assert_int_equal(interface_state_of(&f), INTERFACE_ABSENT);
	assert_int_equal(interface_next(&f), INTERFACE_LEAVE);
}

static void any_is_there_whatever_links_do(void **state)
{
	(void)state;
	struct interface_facts f = begin("any");
	assert_int_equal(interface_next(&f), INTERFACE_LISTEN);
	interface_listens(&f, true);
	assert_false(news(&f, link_of("any", 2, false, false)));
	interface_list_begin(&f);
	interface_list_end(&f);
	assert_int_equal(interface_state_of(&f), INTERFACE_UP);
	assert_int_equal(interface_next(&f), INTERFACE_STAY);
}

static void a_name_that_no_interface_can_have_is_refused(void **state)
{
	(void)state;
	struct interface_facts f;
	assert_int_equal(interface_begin(&f, ""), ERR_LIMIT);
	assert_int_equal(interface_begin(&f, "a-name-of-seventeen"), ERR_LIMIT);
	assert_int_equal(interface_begin(&f, "fifteen-octets0"), 0);
}

/* Whatever comes: it is up only if it listens at the newest link of its name,
 * and following the steps ends. */
static void no_order_of_news_confuses_it(void **state)
{
	(void)state;
	static const char *const names[] = { "eth0", "eth1", "wan0" };
	uint32_t holder = 0; /* the index that has the name now */
	struct interface_facts f = begin("eth0");
	srand(7);
	for (int i = 0; i < 200000; i++) {
		struct netlink_link link = link_of(names[rand() % 3],
		    1 + (uint32_t)rand() % 4, rand() % 2, rand() % 2);
		link.gone = rand() % 4 == 0;
		bool named = strcmp(link.name, "eth0") == 0 && !link.gone;
		if (rand() % 50 == 0) {
			interface_list_begin(&f);
			holder = 0;
		}
		interface_link(&f, &link);
		if (named)
			holder = link.index;
		else if (link.index == holder)
			holder = 0;
		if (rand() % 50 == 0 && !f.listed) {
			interface_list_end(&f);
			holder = 0;
		}
		int steps = 0;
		enum interface_step step;
		while ((step = interface_next(&f)) != INTERFACE_STAY) {
			assert_true(++steps <= 2);
			interface_listens(&f, step == INTERFACE_LISTEN);
		}
		assert_true(f.listening == 0 || f.listening == f.index);
		if (holder)
			assert_int_equal(f.index, holder);
		assert_true((interface_state_of(&f) == INTERFACE_UP) ==
		    (f.index && f.is_up && f.has_carrier && f.listening));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_waits_for_the_name_and_then_for_the_link),
		cmocka_unit_test(a_flap_keeps_its_socket),
		cmocka_unit_test(what_is_removed_renamed_or_made_again_is_left),
		cmocka_unit_test(a_list_without_it_means_that_it_is_gone),
		cmocka_unit_test(any_is_there_whatever_links_do),
		cmocka_unit_test(a_name_that_no_interface_can_have_is_refused),
		cmocka_unit_test(no_order_of_news_confuses_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
