/* SPDX-License-Identifier: ISC */
#include <stdio.h>

#include "collector/detect/engine.h"
#include "tests/collector/detect/engine-fixture.h"

struct synth engine_agent;
int64_t engine_started_ns;

int engine_setup(void **state)
{
	int err = fixture_setup(state);
	struct fixture *f = *state;
	fixture_close(f);
	f->config.alarm_warmup_bins = 20;
	f->config.alarm_settle_ns = NS_PER_S;
	fixture_open(f);
	fixture_enrol(f, &engine_agent, "alpha", NULL);
	engine_started_ns = f->now_ns;
	return err;
}

int engine_teardown(void **state)
{
	synth_fini(&engine_agent);
	return fixture_teardown(state);
}

void engine_minute(struct fixture *f, unsigned sources, bool heartbeat)
{
	static unsigned next = 0;
	for (unsigned i = 0; i < sources; i++, next++) {
		char src[32];
		snprintf(src, sizeof(src), "10.%u.%u.%u", next / 65536 % 256,
		    next / 256 % 256, next % 256);
		add_sighting(
		    &engine_agent, src, "slammer", f->now_ns + NS_PER_S, 2);
	}
	fixture_sleep(f, ENGINE_BIN_NS);
	if (heartbeat)
		add_heartbeat(&engine_agent, f->now_ns - NS_PER_S,
		    f->now_ns - NS_PER_S - engine_started_ns, true);
	if (engine_agent.count)
		fixture_ship(f, &engine_agent);
}

void engine_judge(struct fixture *f)
{
	struct errmsg msg = { "" };
	fixture_sleep(f, 2 * NS_PER_S);
	if (alarms_round(f->c, &msg) < 0)
		fail_msg("alarms_round: %s", msg.text);
	fixture_sleep(f, -2 * NS_PER_S);
}

void engine_calm(struct fixture *f, int minutes)
{
	static const unsigned noise[] = { 9, 11, 10, 8, 12, 10, 9, 10, 11, 10 };
	for (int i = 0; i < minutes; i++)
		engine_minute(f, noise[i % 10], true);
}

int64_t engine_count_alarms(struct fixture *f, const char *where)
{
	char sql[200];
	snprintf(sql, sizeof(sql),
	    "SELECT count(*) FROM registry.alarms WHERE %s", where);
	return fixture_sql(f, sql);
}
