/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/base/xalloc.h"
#include "probes/agent/scheduler/worklist.h"

#define ID "\"id\":\"00112233445566778899aabbccddeeff\","
#define GOOD                                                               \
	"{" ID "\"script\":\"trace\",\"targets\":[\"192.0.2.1\","          \
	"\"2001:db8::1\"],\"options\":{\"method\":\"udp\",\"attempts\":3," \
	"\"wait\":0.5,\"paris\":true,\"off\":false,\"none\":null},"        \
	"\"every_s\":60,\"until\":null,"                                   \
	"\"started_at\":\"2026-11-22T01:59:05.5Z\"}"

static struct worklist *parse(const char *campaigns)
{
	struct worklist *list;
	struct errmsg msg;
	char *json =
	    xasprintf("{\"revision\":7,\"campaigns\":[%s]}", campaigns);
	int err = worklist_parse(&list, json, strlen(json), &msg);
	free(json);
	if (err)
		fail_msg("%s", msg.text);
	return list;
}

static void a_campaign_becomes_options_and_targets(void **state)
{
	static const char *const expected[] = { "--method=udp", "--attempts=3",
		"--wait=0.5", "--paris", "192.0.2.1", "2001:db8::1" };
	struct worklist *list = parse(GOOD);
	(void)state;
	assert_int_equal(list->revision, 7);
	assert_int_equal(list->count, 1);
	const struct campaign *c = &list->campaigns[0];
	assert_string_equal(c->script, "trace");
	assert_int_equal(c->id[1], 0x11);
	assert_int_equal(c->every_ns, 60 * NS_PER_S);
	assert_int_equal(c->until.ns, 0);
	assert_int_equal(c->started_at.ns % NS_PER_S, NS_PER_S / 2);
	assert_int_equal(c->argument_count, 6);
	for (size_t i = 0; i < 6; i++)
		assert_string_equal(c->arguments[i], expected[i]);
	worklist_free(list);
}

/* Each of these is left out; the good one beside it stays. */
static void a_bad_campaign_is_left_out_alone(void **state)
{
	static const char *const bad[] = {
		"17",
		"{}",
		"{" ID "\"script\":\"trace\"}",
		"{" ID "\"script\":\"../x\",\"targets\":[\"192.0.2.1\"]}",
		"{" ID "\"script\":\"/etc/x.lua\",\"targets\":[\"192.0.2.1\"]}",
		"{" ID "\"script\":\"-x\",\"targets\":[\"192.0.2.1\"]}",
		"{" ID "\"script\":\"trace\",\"targets\":[]}",
		"{" ID "\"script\":\"trace\",\"targets\":[\"example.net\"]}",
		"{" ID "\"script\":\"trace\",\"targets\":[\"--evil\"]}",
		"{" ID "\"script\":\"trace\",\"targets\":[7]}",
		"{" ID "\"script\":\"trace\",\"targets\":[\"192.0.2.1%eth0\"]}",
		"{" ID "\"script\":\"t\",\"targets\":[\"192.0.2.1\"],"
		"\"options\":{\"a b\":1}}",
		"{" ID "\"script\":\"t\",\"targets\":[\"192.0.2.1\"],"
		"\"options\":{\"a\":\"\\n\"}}",
		"{" ID "\"script\":\"t\",\"targets\":[\"192.0.2.1\"],"
		"\"options\":{\"a\":{\"b\":1}}}",
		"{" ID "\"script\":\"t\",\"targets\":[\"192.0.2.1\"],"
		"\"every_s\":0}",
		"{" ID "\"script\":\"t\",\"targets\":[\"192.0.2.1\"],"
		"\"every_s\":1e300}",
		"{" ID "\"script\":\"t\",\"targets\":[\"192.0.2.1\"],"
		"\"started_at\":\"yesterday\"}",
		"{\"id\":\"zz\",\"script\":\"t\",\"targets\":[\"192.0.2.1\"]}",
	};
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		char *both = xasprintf("%s,%s", bad[i], GOOD);
		struct worklist *list = parse(both);
		free(both);
		if (list->count != 1 || list->refused != 1)
			fail_msg("was taken: %s", bad[i]);
		assert_true(list->why.text[0] != '\0');
		worklist_free(list);
	}
}

static void too_many_arguments_are_refused(void **state)
{
	char *targets = xstrdup("\"192.0.2.1\"");
	(void)state;
	for (int i = 0; i < WORKLIST_MAX_ARGUMENTS; i++) {
		char *more = xasprintf("%s,\"192.0.2.1\"", targets);
		free(targets);
		targets = more;
	}
	char *campaign =
	    xasprintf("{" ID "\"script\":\"trace\",\"targets\":[%s]}", targets);
	struct worklist *list = parse(campaign);
	assert_int_equal(list->count, 0);
	assert_int_equal(list->refused, 1);
	worklist_free(list);
	free(campaign);
	free(targets);
}

static void what_is_no_list_is_an_error(void **state)
{
	static const char *const bad[] = { "", "{", "[]", "7", "{}",
		"{\"revision\":-1,\"campaigns\":[]}",
		"{\"revision\":1.5,\"campaigns\":[]}",
		"{\"revision\":1,\"campaigns\":{}}",
		"{\"revision\":1,\"revision\":2,\"campaigns\":[]}",
		"{\"revision\":1,\"campaigns\":[\"\\u0000\"]}",
		"{\"revision\":1,\"campaigns\":[],\"now\":\"soon\"}" };
	struct worklist *list;
	struct errmsg msg;
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_int_not_equal(
		    worklist_parse(&list, bad[i], strlen(bad[i]), &msg), 0);
		assert_null(list);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_campaign_becomes_options_and_targets),
		cmocka_unit_test(a_bad_campaign_is_left_out_alone),
		cmocka_unit_test(too_many_arguments_are_refused),
		cmocka_unit_test(what_is_no_list_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
