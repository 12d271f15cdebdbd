/* SPDX-License-Identifier: ISC */
/* Pages of sources: each once, while records arrive, and cursors that no page
 * gave. */
#include "tests/collector/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SOURCES 60

static struct synth agent;

static int setup(void **state)
{
	int err = fixture_setup(state);
	struct fixture *f = *state;
	fixture_enrol(f, &agent, "alpha", NULL);
	for (unsigned i = 0; i < SOURCES; i++) {
		char src[32];
		snprintf(
		    src, sizeof(src), i % 2 ? "198.51.100.%u" : "2001::%u", i);
		add_sighting(&agent, src, i % 3 ? "slammer" : "mirai",
		    f->now_ns - 60 * NS_PER_S, 1 + i % 7);
	}
	fixture_ship(f, &agent);
	return err;
}

static int teardown(void **state)
{
	synth_fini(&agent);
	return fixture_teardown(state);
}

static char *page_cursor(const json_t *page)
{
	const char *next = json_string_value(json_object_get(page, "next"));
	return next ? strdup(next) : NULL;
}

static json_t *read_page(struct fixture *f, const char *filter, char **cursor)
{
	char args[512];
	snprintf(args, sizeof(args), "%s%s%s", filter,
	    *cursor ? "&cursor=" : "", *cursor ? *cursor : "");
	json_t *page = fixture_query(f, query_sightings, args);
	free(*cursor);
	*cursor = page_cursor(page);
	return page;
}

static size_t count_source(const json_t *seen, const char *src)
{
	const json_t *item;
	size_t i, count = 0;
	json_array_foreach(seen, i, item) count +=
	    strcmp(json_string_value(item), src) == 0;
	return count;
}

static void pages_give_each_source_once(void **state)
{
	json_t *seen = json_array(), *item;
	char *cursor = NULL;
	json_int_t before = INT64_MAX;
	size_t i;
	do {
		json_t *page = read_page(*state, "limit=7", &cursor);
		json_array_foreach(json_object_get(page, "items"), i, item)
		{
			json_t *src = json_object_get(item, "src");
			json_int_t packets = json_integer_value(
			    json_object_get(item, "packets"));
			assert_true(packets <= before);
			before = packets;
			assert_int_equal(
			    count_source(seen, json_string_value(src)), 0);
			json_array_append(seen, src);
		}
		json_decref(page);
	} while (cursor);
	assert_int_equal(json_array_size(seen), SOURCES);
	json_decref(seen);
}

/* A page's end is a place among the packets: what comes later moves nothing
 * that was not given yet out of sight, unless it rose above that place. */
static void records_that_arrive_shift_no_page(void **state)
{
	struct fixture *f = *state;
	json_t *seen = json_array(), *item;
	char *cursor = NULL;
	size_t i;
	for (int pages = 0; pages == 0 || cursor; pages++) {
		json_t *page = read_page(f, "limit=10", &cursor);
		json_array_foreach(json_object_get(page, "items"), i, item)
		{
			json_t *src = json_object_get(item, "src");
			assert_int_equal(
			    count_source(seen, json_string_value(src)), 0);
			json_array_append(seen, src);
		}
		json_decref(page);
		/* New ones, above all others. */
		for (unsigned k = 0; k < 10; k++) {
			char name[32];
			snprintf(name, sizeof(name), "203.0.113.%u",
			    (unsigned)pages * 10 + k);
			add_sighting(&agent, name, "slammer",
			    f->now_ns - 50 * NS_PER_S, 1000);
		}
		fixture_ship(f, &agent);
	}
	assert_int_equal(json_array_size(seen), SOURCES);
	json_decref(seen);
}

static void a_cursor_holds_for_another_filter(void **state)
{
	char *cursor = NULL;
	json_decref(read_page(*state, "limit=5", &cursor));
	assert_non_null(cursor);
	json_decref(read_page(*state, "limit=5&signature=mirai", &cursor));
	free(cursor);
}

static void other_cursors_are_refused(void **state)
{
	struct fixture *f = *state;
	char args[512], *cursor = NULL;
	static const char *const wrong[] = { "1", "0_5", "-1", "x", "01",
		"99999999999999999999",
		/* no order; a family that there is not; too short; not hex */
		"00000000000000000104c633640100000000000000000000000000000001"
		"110000",
		"01000000000000000105c633640100000000000000000000000000000001"
		"110000",
		"02000000000000000104c633640100000000000000000000000000000001"
		"110000",
		"0100000000000000010gc633640100000000000000000000000000000001"
		"110000" };
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		snprintf(args, sizeof(args), "cursor=%s", wrong[i]);
		assert_int_equal(
		    fixture_query_err(f, query_sightings, args), ERR_USAGE);
	}
	/* One that was given, cut, lengthened, and of the largest numbers. */
	json_decref(read_page(f, "limit=5", &cursor));
	snprintf(
	    args, sizeof(args), "cursor=%.*s", (int)strlen(cursor) - 2, cursor);
	assert_int_equal(
	    fixture_query_err(f, query_sightings, args), ERR_USAGE);
	snprintf(args, sizeof(args), "cursor=%s00", cursor);
	assert_int_equal(
	    fixture_query_err(f, query_sightings, args), ERR_USAGE);
	memset(cursor + 2, 'f', 16);
	memset(cursor + 20, 'f', strlen(cursor) - 20);
	json_t *page = read_page(f, "limit=5", &cursor);
	assert_int_equal(json_array_size(json_object_get(page, "items")), 5);
	json_decref(page);
	free(cursor);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_give_each_source_once),
		cmocka_unit_test(a_cursor_holds_for_another_filter),
		cmocka_unit_test(other_cursors_are_refused),
		cmocka_unit_test(records_that_arrive_shift_no_page),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
