/* SPDX-License-Identifier: ISC */
/* What detectors know outlives a restart, or is learned again. */
#include "tests/collector/detect/engine-fixture.h"

/* The same story, judged bin by bin, in one go, and with restarts between,
 * some of which lose what was not kept. */
static int64_t play(struct fixture *f, bool each, int restart_every)
{
	static const unsigned story[] = { 9, 11, 10, 8, 12, 10, 9, 80, 85, 90,
		80, 10, 11, 9, 10, 12, 8, 10, 0, 0 };
	engine_calm(f, 40);
	for (int i = 0; i < 120; i++) {
		engine_minute(f, story[i % 60 < 20 ? i % 20 : i % 7], true);
		if (each)
			engine_judge(f);
		if (restart_every && i % restart_every == 0) {
			if (i % 2)
				fixture_sql(f,
				    "DELETE FROM"
				    " registry.detector_states");
			fixture_reopen(f);
		}
	}
	engine_judge(f);
	return fixture_sql(f,
	    "SELECT sum((onset_ns / 60000000000 % 1000) * 7 +"
	    " (ended_ns / 60000000000 % 1000) * 13 +"
	    " round(observed * 1000) + direction) FROM registry.alarms"
	    " WHERE ended_ns > 0");
}

static void restarts_change_no_alarm(void **state)
{
	struct fixture *f = *state;
	int64_t first = play(f, true, 0);
	assert_true(engine_count_alarms(f, "ended_ns > 0") >= 2);
	static const struct {
		bool each;
		int restart_every;
	} ways[] = { { false, 0 }, { true, 7 }, { true, 1 } };
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		assert_int_equal(engine_teardown(state), 0);
		assert_int_equal(engine_setup(state), 0);
		assert_int_equal(
		    play(*state, ways[i].each, ways[i].restart_every), first);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    restarts_change_no_alarm, engine_setup, engine_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
