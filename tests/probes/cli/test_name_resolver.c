/* SPDX-License-Identifier: ISC */
/* Names asked for side by side; "localhost" is answered by a file. */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "probes/cli/name-resolver.h"

static struct resolver_answer *wait_for_answer(struct resolver *r)
{
	struct resolver_answer *answer;
	while (!(answer = resolver_take(r))) {
		struct pollfd p = { resolver_fd(r), POLLIN, 0 };
		assert_int_equal(poll(&p, 1, 60000), 1);
	}
	return answer;
}

static void names_are_checked(void **state)
{
	static const struct {
		const char *name, *error;
	} cases[] = { { "1.2.3", "neither an address nor a name" },
		{ "", "neither an address nor a name" },
		{ "a=b", "not a host name" }, { "a b", "not a host name" },
		{ "a\x1b[1m", "not a host name" },
		{ "a\x7f", "not a host name" }, { "a.example", NULL },
		{ "b\xc3\xbc"
		  "cher.example",
		    NULL },
		{ "1.2.3.4x", NULL } };
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct errmsg msg = { "" };
		int err = resolver_check_name(cases[i].name, &msg);
		assert_int_equal(err != 0, cases[i].error != NULL);
		assert_string_equal(
		    msg.text, cases[i].error ? cases[i].error : "");
	}
}

static void every_question_has_its_answer(void **state)
{
	enum { QUESTIONS = 500 };
	static bool seen[QUESTIONS];
	struct resolver_choice choice = { .family = 4 };
	struct resolver *r = resolver_new(&choice);
	(void)state;
	for (uint64_t i = 0; i < QUESTIONS; i++)
		assert_true(resolver_ask(r, "localhost", i));
	assert_int_equal(resolver_waiting(r), QUESTIONS);
	for (int i = 0; i < QUESTIONS; i++) {
		struct resolver_answer *answer = wait_for_answer(r);
		assert_string_equal(answer->name, "localhost");
		assert_false(seen[answer->line]);
		seen[answer->line] = true;
		assert_int_equal(answer->count, 1);
		assert_int_equal(answer->addresses[0].family, 4);
		assert_int_equal(answer->addresses[0].bytes[0], 127);
		free(answer);
	}
	assert_int_equal(resolver_waiting(r), 0);
	assert_null(resolver_take(r));
	resolver_free(r);
}

static void what_is_not_taken_is_freed(void **state)
{
	struct resolver_choice choice = { 0 };
	(void)state;
	for (int round = 0; round < 20; round++) {
		struct resolver *r = resolver_new(&choice);
		for (uint64_t i = 0; i < 100; i++)
			assert_true(resolver_ask(r, "localhost", i));
		if (round % 2)
			free(wait_for_answer(r));
		resolver_free(r);
	}
	resolver_free(NULL);
}

static void more_than_may_wait_are_refused(void **state)
{
	struct resolver_choice choice = { .family = 4 };
	struct resolver *r = resolver_new(&choice);
	char longer[300];
	(void)state;
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_false(resolver_ask(r, longer, 0));
	size_t asked = 0;
	while (asked <= RESOLVER_WAITING && resolver_ask(r, "localhost", asked))
		asked++;
	assert_int_equal(asked, RESOLVER_WAITING);
	free(wait_for_answer(r));
	assert_true(resolver_ask(r, "localhost", 0));
	resolver_free(r);
}

/* A network with one node of two addresses. */
static int resolve(void *ctx, const char *name, int family, struct addr *addr)
{
	(void)ctx;
	if (strcmp(name, "four") == 0 && family == 6)
		return ERR_NOT_FOUND;
	if (strcmp(name, "four") != 0 && strcmp(name, "two") != 0)
		return ERR_NOT_FOUND;
	return addr_parse(addr, family == 6 ? "2001:db8::1" : "192.0.2.1");
}

static void a_network_has_names_of_its_own(void **state)
{
	static const struct net_ops net = { .resolve = resolve };
	static const struct {
		const char *name;
		struct resolver_choice choice;
		size_t count;
		uint8_t first, last;
		const char *error;
	} cases[] = { { "two", { 0 }, 1, 4, 4, "" },
		{ "two", { .family = 6 }, 1, 6, 6, "" },
		{ "two", { .both = true }, 2, 4, 6, "" },
		{ "two", { .all = true }, 2, 4, 6, "" },
		{ "two", { .all = true, .family = 6 }, 1, 6, 6, "" },
		{ "four", { .both = true }, 1, 4, 4, "" },
		{ "four", { .family = 6 }, 0, 0, 0,
		    "this node has no IPv6 address" },
		{ "none", { .both = true }, 0, 0, 0,
		    "no such node in this network" } };
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct resolver_answer a = { .line = 1 };
		strcpy(a.name, cases[i].name);
		resolver_ask_network(&net, NULL, &cases[i].choice, &a);
		assert_int_equal(a.count, cases[i].count);
		assert_int_equal(a.err < 0, a.count == 0);
		assert_string_equal(a.msg.text, cases[i].error);
		if (a.count == 0)
			continue;
		assert_int_equal(a.addresses[0].family, cases[i].first);
		assert_int_equal(
		    a.addresses[a.count - 1].family, cases[i].last);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_checked),
		cmocka_unit_test(every_question_has_its_answer),
		cmocka_unit_test(what_is_not_taken_is_freed),
		cmocka_unit_test(more_than_may_wait_are_refused),
		cmocka_unit_test(a_network_has_names_of_its_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
