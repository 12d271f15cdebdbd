/* SPDX-License-Identifier: ISC */
/* What a campaign may choose of its probes' way, and what it may not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/base/xalloc.h"
#include "probes/agent/config/agent-config.h"
#include "probes/agent/supervisor/host-addresses.h"

#define TEST(name) cmocka_unit_test(name)
#define ARGUMENTS_MAX 16

static const char allowing[] = "campaign-interfaces = {\"wan0\", \"wan1\"}\n"
			       "campaign-sources = {\"192.0.2.9\", "
			       "\"192.0.2.8\", \"2001:db8::9\"}\n"
			       "campaign-marks = {\"7\", \"0x10\"}\n";

/* agent.conf of these lines. */
static int load(
    struct agent_config *config, const char *lines, struct errmsg *msg)
{
	char path[] = "/tmp/sonde-choice-XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, lines, strlen(lines)), strlen(lines));
	close(fd);
	int err = agent_config_load(config, path, msg);
	unlink(path);
	return err;
}

struct run {
	struct net_choice choice;
	char *arguments[ARGUMENTS_MAX];
	size_t count;
	struct errmsg msg;
};

/* words: one argument each, a space between them. */
static int take(struct run *run, const char *lines, const char *words)
{
	struct agent_config config;
	*run = (struct run){ 0 };
	assert_int_equal(load(&config, lines, &run->msg), 0);
	while (*words) {
		size_t len = strcspn(words, " ");
		assert_true(run->count < ARGUMENTS_MAX);
		run->arguments[run->count++] = xstrndup(words, len);
		words += len + (words[len] == ' ');
	}
	int err = choice_take(&run->choice, &config.allowed, run->arguments,
	    &run->count, &run->msg);
	agent_config_fini(&config);
	return err;
}

static void drop(struct run *run)
{
	for (size_t i = 0; i < run->count; i++)
		free(run->arguments[i]);
}

static void what_is_allowed_is_taken_out_of_the_arguments(void **state)
{
	(void)state;
	struct run run;
	char text[ADDR_TEXT_LEN];
	assert_int_equal(take(&run, allowing,
			     "--count=3 --interface=wan1 --source=192.0.2.8 "
			     "--mark=16 --source=2001:db8::9 --tos=EF "
			     "192.0.2.1 192.0.2.2"),
	    0);
	assert_string_equal(run.choice.device, "wan1");
	assert_int_equal(run.choice.mark, 16);
	assert_string_equal(
	    addr_text(&run.choice.source[0], text), "192.0.2.8");
	assert_string_equal(
	    addr_text(&run.choice.source[1], text), "2001:db8::9");
	assert_true(run.choice.no_zones);
	assert_int_equal(run.count, 4);
	assert_string_equal(run.arguments[0], "--count=3");
	assert_string_equal(run.arguments[1], "--tos=EF");
	assert_string_equal(run.arguments[3], "192.0.2.2");
	drop(&run);
	/* A list in one word, as a person types it. */
	assert_int_equal(
	    take(&run, allowing, "--source=192.0.2.9,2001:db8::9 192.0.2.1"),
	    0);
	assert_int_equal(run.choice.source[0].family, 4);
	assert_int_equal(run.choice.source[1].family, 6);
	drop(&run);
}

static void without_a_wish_nothing_is_chosen(void **state)
{
	(void)state;
	struct run run;
	const struct net_choice none = { .no_zones = true };
	assert_int_equal(take(&run, "", "--count=3 192.0.2.1"), 0);
	assert_string_equal(run.choice.device, "");
	assert_int_equal(run.choice.mark, none.mark);
	assert_int_equal(run.choice.source[0].family, 0);
	/* A zone of the script's own making has no say. */
	assert_true(run.choice.no_zones);
	assert_int_equal(run.count, 2);
	drop(&run);
}

static void a_zone_is_a_device(void **state)
{
	(void)state;
	struct run run;
	assert_int_equal(
	    take(&run, allowing, "fe80::1%wan0 fe80::2%wan0 2001:db8::1"), 0);
	assert_string_equal(run.choice.device, "wan0");
	assert_int_equal(run.count, 3);
	drop(&run);
	assert_int_equal(
	    take(&run, allowing, "--interface=wan0 fe80::1%wan0"), 0);
	drop(&run);
}

static void what_is_not_allowed_is_refused_by_name(void **state)
{
	(void)state;
	static const struct {
		const char *conf, *words, *reason;
	} wrong[] = {
		{ "", "--interface=wan0 192.0.2.1", "campaign-interfaces" },
		{ "", "--source=192.0.2.9 192.0.2.1", "campaign-sources" },
		{ "", "--mark=7 192.0.2.1", "campaign-marks" },
		{ "", "fe80::1%wan0", "'wan0'" },
		{ allowing, "--interface=wan2 192.0.2.1", "'wan2'" },
		{ allowing, "--interface=lo 192.0.2.1", "'lo'" },
		{ allowing, "--interface=wan0,mark=7 192.0.2.1", "interface" },
		{ allowing, "--interface= 192.0.2.1", "interface" },
		{ allowing, "--interface=../wan0 192.0.2.1", "interface" },
		{ allowing, "--interface=wan0 --interface=wan1 192.0.2.1",
		    "several" },
		{ allowing, "--source=192.0.2.7 192.0.2.1", "192.0.2.7" },
		{ allowing, "--source=192.0.2.9 --source=192.0.2.8 192.0.2.1",
		    "second" },
		{ allowing, "--source=fe80::1%wan0 192.0.2.1", "source" },
		{ allowing, "--source=, 192.0.2.1", "source" },
		{ allowing, "--source=1,2,3,4,5,6,7,8,9 192.0.2.1", "source" },
		{ allowing, "--mark=8 192.0.2.1", "0x8" },
		{ allowing, "--mark=0 192.0.2.1", "mark" },
		{ allowing, "--mark=-1 192.0.2.1", "mark" },
		{ allowing, "--mark=4294967303 192.0.2.1", "mark" },
		{ allowing, "--mark=0x100000007 192.0.2.1", "mark" },
		{ allowing, "--mark=7x 192.0.2.1", "mark" },
		{ allowing, "fe80::1%wan0 fe80::1%wan1", "one for all" },
		{ allowing, "--interface=wan1 fe80::1%wan0", "one for all" },
		{ allowing, "fe80::1%lo", "'lo'" },
	};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		struct run run;
		assert_int_equal(
		    take(&run, wrong[i].conf, wrong[i].words), ERR_USAGE);
		if (!strstr(run.msg.text, wrong[i].reason))
			fail_msg("%s: %s", wrong[i].words, run.msg.text);
		drop(&run);
	}
}

static void a_wrong_list_is_an_error_of_config(void **state)
{
	(void)state;
	static const char *const wrong[] = {
		"campaign-interfaces = {\"lo\"}\n",
		"campaign-interfaces = {\"a,b\"}\n",
		"campaign-interfaces = {\"much-too-long-a-name\"}\n",
		"campaign-sources = {\"here\"}\n",
		"campaign-sources = {\"fe80::1%wan0\"}\n",
		"campaign-marks = {\"0\"}\n",
		"campaign-marks = {\"0x1ffffffff\"}\n",
		"campaign-marks = {\"1\", \"2\", \"3\", \"4\", \"5\"}\n",
		/* Setting one needs the privilege that this does without. */
		"campaign-marks = {\"1\"}\nnet = \"echo\"\n",
		"mark = \"1\"\nnet = \"echo\"\n",
		/* Nothing of this host is in a simulated internet. */
		"campaign-marks = {\"1\"}\nnet = \"sim:x\"\n",
		"campaign-interfaces = {\"wan0\"}\nnet = \"sim:x\"\n",
	};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		struct agent_config config;
		struct errmsg msg = { "" };
		assert_int_equal(load(&config, wrong[i], &msg), ERR_CONFIG);
		if (!strstr(msg.text, "campaign-") && !strstr(msg.text, "live"))
			fail_msg("%s: %s", wrong[i], msg.text);
	}
}

static void what_this_host_lacks_is_named(void **state)
{
	(void)state;
	struct net_choice choice = { .device = "none0" };
	struct errmsg msg;
	assert_int_equal(host_has_choice(&choice, &msg), ERR_USAGE);
	assert_non_null(strstr(msg.text, "none0"));
	choice = (struct net_choice){ 0 };
	assert_int_equal(host_has_choice(&choice, &msg), 0);
	assert_int_equal(addr_parse(&choice.source[0], "192.0.2.77"), 0);
	assert_int_equal(host_has_choice(&choice, &msg), ERR_USAGE);
	assert_non_null(strstr(msg.text, "192.0.2.77"));
	assert_int_equal(addr_parse(&choice.source[0], "127.0.0.1"), 0);
	assert_int_equal(host_has_choice(&choice, &msg), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_allowed_is_taken_out_of_the_arguments),
		TEST(without_a_wish_nothing_is_chosen),
		TEST(a_zone_is_a_device),
		TEST(what_is_not_allowed_is_refused_by_name),
		TEST(a_wrong_list_is_an_error_of_config),
		TEST(what_this_host_lacks_is_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
