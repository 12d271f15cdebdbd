/* SPDX-License-Identifier: ISC */
/* What is remembered of sources is right, or says that it is not there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "collector/store/sqlite/source-cache.h"
#include "lib/base/xalloc.h"

static struct known known;

static int teardown(void **state)
{
	(void)state;
	known_forget(&known);
	assert_int_equal(known.source_count, 0);
	return 0;
}

static enum known_answer note(int64_t bin, uint32_t source, int64_t agent)
{
	struct known_bin *at = known_bin_find(&known, 60, bin);
	struct known_key key = { .kind = 1, .family = 4 };
	memcpy(key.src, &source, sizeof(source));
	if (!at)
		at = known_bin_add(&known, 60, bin, true);
	return known_note(&known, at, &key, agent);
}

static void each_agent_is_known_after_it_told(void **state)
{
	(void)state;
	assert_int_equal(note(0, 7, 1), KNOWN_NOBODY);
	assert_int_equal(note(0, 7, 1), KNOWN_AGENT);
	assert_int_equal(note(0, 7, 2), KNOWN_OTHERS);
	assert_int_equal(note(0, 7, 2), KNOWN_AGENT);
	assert_int_equal(note(0, 8, 2), KNOWN_NOBODY);
	assert_int_equal(note(60, 7, 1), KNOWN_NOBODY);
}

static void of_many_agents_some_must_be_asked_for(void **state)
{
	(void)state;
	assert_int_equal(note(0, 7, 1), KNOWN_NOBODY);
	for (int64_t agent = 2; agent < 50; agent++) {
		enum known_answer answer = note(0, 7, agent);
		assert_true(answer == KNOWN_OTHERS || answer == KNOWN_UNKNOWN);
		answer = note(0, 7, agent);
		assert_true(answer == KNOWN_AGENT || answer == KNOWN_UNKNOWN);
	}
	assert_int_equal(note(0, 7, 1), KNOWN_AGENT);
}

static void a_bin_that_held_rows_is_never_trusted(void **state)
{
	(void)state;
	known_bin_add(&known, 60, 0, false);
	assert_int_equal(note(0, 7, 1), KNOWN_UNKNOWN);
	assert_int_equal(note(0, 7, 1), KNOWN_UNKNOWN);
}

static void a_forgotten_bin_is_asked_for_again(void **state)
{
	(void)state;
	note(0, 7, 1);
	note(60, 7, 1);
	known_forget_bin(&known, 60, 0);
	assert_null(known_bin_find(&known, 60, 0));
	assert_int_equal(note(60, 7, 1), KNOWN_AGENT);
	assert_int_equal(known.source_count, 1);
}

static void the_bin_unused_for_longest_gives_way(void **state)
{
	(void)state;
	for (int64_t bin = 0; bin < KNOWN_MOST_BINS; bin++)
		note(bin * 60, 7, 1);
	note(0, 7, 1);
	note(60000, 7, 1);
	assert_non_null(known_bin_find(&known, 60, 0));
	assert_null(known_bin_find(&known, 60, 60));
}

/* A list of the test's own: whatever is answered must agree with it. */
static void answers_agree_with_a_list(void **state)
{
	(void)state;
	enum { BINS = 3, SOURCES = 70000, AGENTS = 3 };
	uint8_t *told = xcalloc((size_t)BINS * SOURCES, 1);
	size_t trusted = 0;
	srandom(3);
	for (int i = 0; i < 400000; i++) {
		uint32_t bin = (uint32_t)random() % BINS;
		uint32_t source = (uint32_t)random() % SOURCES;
		uint8_t agent = (uint8_t)(random() % AGENTS);
		uint8_t *mask = &told[bin * SOURCES + source];
		enum known_answer want = !*mask ? KNOWN_NOBODY
		    : *mask & 1 << agent        ? KNOWN_AGENT
						: KNOWN_OTHERS;
		enum known_answer got = note(bin * 60, source, agent);
		assert_true(got == want || got == KNOWN_UNKNOWN);
		trusted += got == want;
		*mask |= (uint8_t)(1 << agent);
		assert_true(known.source_count <= KNOWN_MOST_SOURCES);
	}
	assert_true(trusted > 100000);
	free(told);
}

#define TEST(name) cmocka_unit_test_teardown(name, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_agent_is_known_after_it_told),
		TEST(of_many_agents_some_must_be_asked_for),
		TEST(a_bin_that_held_rows_is_never_trusted),
		TEST(a_forgotten_bin_is_asked_for_again),
		TEST(the_bin_unused_for_longest_gives_way),
		TEST(answers_agree_with_a_list),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
