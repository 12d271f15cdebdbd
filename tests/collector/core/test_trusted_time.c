/* SPDX-License-Identifier: ISC */
/*
 * Trusted time is never ahead of the true one, however clocks, machines and
 * agents behave, but for what trusted-time.c names; and it gets there again
 * where clocks are right.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "collector/core/trusted-time.h"

#define MINUTE_NS (60 * NS_PER_S)
#define HOUR_NS (60 * MINUTE_NS)
#define DAY_NS (24 * HOUR_NS)
#define YEAR_NS (365 * DAY_NS)
#define START_NS (INT64_C(1795305600) * NS_PER_S)
/* Of a wall that NTP keeps, and of the agents'. */
#define SLACK_NS (2 * MINUTE_NS)

/* --- a table: one step each, after a run that was right --- */
struct hearing {
	uint8_t host;     /* the last byte of its address */
	int64_t ahead_ns; /* of its clock, from the true one */
};
struct row {
	const char *what;
	int64_t away_ns; /* between the runs */
	bool same_boot;
	int64_t wall_ns; /* how far ahead of the true one it is */
	struct hearing heard[5];
	int64_t behind_ns; /* how far trusted is behind the true one */
};
static const struct row rows[] = {
	{ "nothing happened", 0, false, 0, { { 0 } }, 0 },
	{ "a restart of the service", DAY_NS, true, 0, { { 0 } }, 0 },
	{ "a restart, no agent", 90 * DAY_NS, false, 0, { { 0 } },
	    90 * DAY_NS },
	{ "a restart, one agent", DAY_NS, false, 0, { { 1, 0 } }, DAY_NS },
	{ "a restart, two agents", DAY_NS, false, 0, { { 1, 0 }, { 2, 0 } },
	    0 },
	{ "two of one address", DAY_NS, false, 0, { { 1, 0 }, { 1, 0 } },
	    DAY_NS },
	{ "a jump, no agent", 0, false, YEAR_NS, { { 0 } }, 0 },
	{ "a jump, one shares it", 0, false, YEAR_NS, { { 1, YEAR_NS } }, 0 },
	{ "a jump, one of two shares it", 0, false, YEAR_NS,
	    { { 1, YEAR_NS }, { 2, 0 } }, 0 },
	{ "a jump, two of five share it", 0, false, YEAR_NS,
	    { { 1, YEAR_NS }, { 2, YEAR_NS }, { 3, 0 }, { 4, 0 }, { 5, 0 } },
	    0 },
	{ "a jump, two of four share it", 0, false, YEAR_NS,
	    { { 1, YEAR_NS }, { 2, YEAR_NS }, { 3, 0 }, { 4, 0 } }, 0 },
	{ "away and a jump, right agents", DAY_NS, false, YEAR_NS,
	    { { 1, 0 }, { 2, 0 } }, 0 },
	{ "agents ahead of a wall that is right", DAY_NS, false, 0,
	    { { 1, YEAR_NS }, { 2, YEAR_NS } }, DAY_NS },
	{ "an agent sends what is old", DAY_NS, false, 0,
	    { { 1, 0 }, { 2, -30 * DAY_NS } }, DAY_NS },
	{ "two of three are there", DAY_NS, false, 0,
	    { { 1, 0 }, { 2, -30 * DAY_NS }, { 3, 0 } }, 0 },
	{ "the wall is behind", 0, false, -YEAR_NS, { { 0 } }, YEAR_NS },
	{ "a time beyond all bounds", 0, false, YEAR_NS,
	    { { 1, INT64_MAX }, { 2, INT64_MAX } }, 0 },
};

static struct addr host_addr(unsigned host)
{
	return addr_v4(0xc0000200 + host); /* 192.0.2.0/24 */
}

static void hear_row(struct trusted_time *t, const struct row *row,
    int64_t true_ns, struct monotime mono)
{
	for (size_t i = 0; i < 5 && row->heard[i].host; i++) {
		const struct hearing *h = &row->heard[i];
		struct addr addr = host_addr(h->host);
		int64_t made = h->ahead_ns == INT64_MAX ? INT64_MAX
							: true_ns + h->ahead_ns;
		trusted_time_hear(
		    t, (int64_t)i + 1, &addr, (struct walltime){ made }, mono);
	}
}

static void one_step_each(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		struct trusted_time t;
		const struct trusted_past past = { { START_NS },
			{ 7 * HOUR_NS }, 5 };
		int64_t now = START_NS + row->away_ns;
		struct monotime mono = {
			row->same_boot ? past.mono.ns + row->away_ns : MINUTE_NS
		};
		trusted_time_start(&t, &past,
		    (struct walltime){ now + row->wall_ns }, mono,
		    row->same_boot ? 5 : 6);
		mono.ns += 20 * MINUTE_NS;
		now += 20 * MINUTE_NS;
		hear_row(&t, row, now, mono);
		struct walltime wall = { now + row->wall_ns };
		int64_t behind = now - trusted_time_now(&t, wall, mono).ns;
		if (behind != row->behind_ns)
			fail_msg("%s: behind by %lld s, expected %lld s",
			    row->what, (long long)(behind / NS_PER_S),
			    (long long)(row->behind_ns / NS_PER_S));
	}
}

static void a_start_waits_for_more_than_the_first_two(void **state)
{
	(void)state;
	struct trusted_time t;
	const struct trusted_past past = { { START_NS }, { 0 }, 0 };
	struct walltime wrong = { START_NS + YEAR_NS };
	struct monotime mono = { 0 };
	trusted_time_start(&t, &past, wrong, mono, 0);
	for (unsigned host = 1; host <= 5; host++) {
		struct addr addr = host_addr(host);
		trusted_time_hear(&t, host, &addr,
		    host <= 2 ? wrong : (struct walltime){ START_NS }, mono);
		mono.ns += MINUTE_NS;
		assert_true(
		    trusted_time_now(&t, wrong, mono).ns <= START_NS + mono.ns);
	}
	mono.ns += 30 * MINUTE_NS;
	assert_int_equal(
	    trusted_time_now(&t, wrong, mono).ns, START_NS + mono.ns);
}

static void addresses_of_one_host_are_one_witness(void **state)
{
	(void)state;
	struct trusted_time t;
	const struct trusted_past past = { { START_NS }, { 0 }, 0 };
	struct walltime wrong = { START_NS + YEAR_NS };
	struct monotime mono = { HOUR_NS };
	struct addr a, b;
	assert_int_equal(addr_parse(&a, "2001:db8:0:1::1"), ERR_OK);
	assert_int_equal(addr_parse(&b, "2001:db8:0:1::2"), ERR_OK);
	trusted_time_start(&t, &past, wrong, (struct monotime){ 0 }, 0);
	trusted_time_hear(&t, 1, &a, wrong, mono);
	trusted_time_hear(&t, 2, &b, wrong, mono);
	assert_int_equal(
	    trusted_time_now(&t, wrong, mono).ns, START_NS + HOUR_NS);
	/* One agent by both families. */
	a = host_addr(1);
	trusted_time_hear(&t, 2, &a, wrong, mono);
	assert_int_equal(
	    trusted_time_now(&t, wrong, mono).ns, START_NS + HOUR_NS);
	trusted_time_hear(&t, 1, &b, wrong, mono);
	assert_int_equal(trusted_time_now(&t, wrong, mono).ns, wrong.ns);
}

static void a_line_that_was_led_astray_comes_back(void **state)
{
	(void)state;
	struct trusted_time t;
	const struct trusted_past none = { { 0 }, { 0 }, 0 };
	struct walltime wrong = { START_NS + YEAR_NS };
	struct monotime mono = { 0 };
	trusted_time_start(&t, &none, wrong, mono, 0);
	/* Set right: at once it is what counts, and after an hour all that is
	 * known, so that another jump is none. */
	for (int i = 0; i <= 90; i++, mono.ns += MINUTE_NS) {
		struct walltime wall = { START_NS + mono.ns };
		assert_int_equal(trusted_time_now(&t, wall, mono).ns, wall.ns);
	}
	assert_int_equal(
	    trusted_time_now(&t, wrong, mono).ns, START_NS + mono.ns);
	assert_int_equal(
	    trusted_time_save(&t, mono, 0).line.ns, START_NS + mono.ns);
	trusted_time_trust(&t, wrong, mono);
	assert_int_equal(trusted_time_now(&t, wrong, mono).ns, wrong.ns);
}

static void witnesses_are_bounded(void **state)
{
	(void)state;
	struct trusted_time t;
	const struct trusted_past past = { { START_NS }, { 0 }, 0 };
	struct monotime mono = { 0 };
	trusted_time_start(&t, &past, (struct walltime){ START_NS }, mono, 0);
	for (unsigned host = 0; host < 200; host++, mono.ns += NS_PER_S) {
		struct addr addr = host_addr(host);
		trusted_time_hear(
		    &t, host, &addr, (struct walltime){ START_NS }, mono);
	}
	bool last = false;
	for (size_t i = 0; i < TRUSTED_WITNESSES; i++) {
		struct addr addr = host_addr(199);
		last |= addr_equal(&t.witnesses[i].addr, &addr);
		assert_true(t.witnesses[i].heard.ns >=
		    (200 - TRUSTED_WITNESSES) * NS_PER_S);
	}
	assert_true(last);
}

/* --- many truths --- */
static uint64_t seed;
static uint64_t random_below(uint64_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % n;
}

enum agent_clock { RIGHT, SHARES, AHEAD, BEHIND, REPLAYS, AGENT_CLOCKS };
struct world {
	int64_t now, mono, boot, wall_off;
	struct trusted_time t;
	unsigned agents;
	enum agent_clock clock[8];
	int64_t off[8];
};

static struct walltime wall_of(const struct world *w)
{
	return (struct walltime){ w->now + w->wall_off };
}

static void start_run(struct world *w, const struct trusted_past *past)
{
	trusted_time_start(
	    &w->t, past, wall_of(w), (struct monotime){ w->mono }, w->boot);
}

static void make_agents(struct world *w)
{
	/* One that shares the wall, wherever it jumps, is no two. */
	bool shares = false;
	w->agents = (unsigned)random_below(9);
	for (unsigned i = 0; i < w->agents; i++) {
		w->clock[i] = (enum agent_clock)random_below(AGENT_CLOCKS);
		if (w->clock[i] == SHARES && shares)
			w->clock[i] = RIGHT;
		shares |= w->clock[i] == SHARES;
		w->off[i] = w->clock[i] == AHEAD
		    ? (int64_t)(2 + random_below(700)) * 37 * HOUR_NS
		    : -(int64_t)random_below(400) * 24 * HOUR_NS;
	}
}

static void hear_agents(struct world *w)
{
	for (unsigned i = 0; i < w->agents; i++) {
		struct addr addr = host_addr(i + 1);
		int64_t made = w->now - (int64_t)random_below(60) * NS_PER_S;
		if (random_below(4) == 0)
			continue; /* it is silent */
		if (w->clock[i] == SHARES)
			made += w->wall_off;
		else if (w->clock[i] == AHEAD || w->clock[i] == BEHIND)
			made += w->off[i];
		else if (w->clock[i] == REPLAYS && random_below(2))
			made += w->off[i];
		trusted_time_hear(&w->t, i + 1, &addr,
		    (struct walltime){ made }, (struct monotime){ w->mono });
	}
}

static void restart(struct world *w, bool reboot)
{
	static const int64_t longest[] = { HOUR_NS, 10 * DAY_NS, YEAR_NS };
	int64_t away = (int64_t)random_below(
			   (uint64_t)longest[random_below(3)] / NS_PER_S) *
	    NS_PER_S;
	struct trusted_past past =
	    trusted_time_save(&w->t, (struct monotime){ w->mono }, w->boot);
	w->now += away;
	w->mono += away;
	if (reboot) {
		w->boot++;
		w->mono = 0;
	}
	start_run(w, &past);
}

/* Jumps of the wall: an NTP step, a year, a day, back, or set right. */
static void move_wall(struct world *w)
{
	switch (random_below(5)) {
	case 0: w->wall_off = (int64_t)random_below(60) * NS_PER_S; break;
	case 1: w->wall_off = YEAR_NS; break;
	case 2: w->wall_off += 20 * HOUR_NS; break;
	case 3: w->wall_off -= DAY_NS; break;
	default: w->wall_off = 0;
	}
}

static void happen(struct world *w)
{
	uint64_t what = random_below(60);
	if (what == 0)
		move_wall(w);
	else if (what == 1)
		restart(w, true);
	else if (what == 2)
		restart(w, false);
}

static int64_t look(struct world *w)
{
	int64_t trusted =
	    trusted_time_now(&w->t, wall_of(w), (struct monotime){ w->mono })
		.ns;
	if (trusted > w->now + SLACK_NS)
		fail_msg("ahead of the true time by %lld s",
		    (long long)((trusted - w->now) / NS_PER_S));
	return trusted;
}

/* An agent whose clock is ahead of the true one may by chance agree with a
 * wall that is ahead too; with another one that is two wrong alike. */
static unsigned agents_with(const struct world *w, int64_t off)
{
	unsigned alike = 0;
	for (unsigned i = 0; i < w->agents; i++)
		alike += w->clock[i] == SHARES ||
		    (w->clock[i] == AHEAD && w->off[i] <= off + HOUR_NS);
	return alike;
}

static void never_ahead_of_the_true_time(void **state)
{
	(void)state;
	unsigned caught_up = 0, judged = 0, most_ahead = 0;
	for (uint64_t n = 1; n <= 3000; n++) {
		struct world w = { .now = START_NS, .boot = 1 };
		const struct trusted_past none = { { 0 }, { 0 }, 0 };
		seed = n * UINT64_C(0x9e3779b97f4a7c15);
		make_agents(&w);
		start_run(&w, &none);
		for (int i = 0; i < 400; i++) {
			w.now += 5 * MINUTE_NS;
			w.mono += 5 * MINUTE_NS;
			happen(&w);
			if (agents_with(&w, w.wall_off) > 1)
				w.wall_off = 0;
			most_ahead += w.wall_off > DAY_NS;
			hear_agents(&w);
			look(&w);
		}
		/* Where most of at least two are right, it catches up. */
		unsigned right = 0;
		for (unsigned i = 0; i < w.agents; i++)
			right += w.clock[i] == RIGHT;
		w.wall_off = 0;
		int64_t behind = 0;
		for (int i = 0; i < 40; i++) {
			w.now += 5 * MINUTE_NS;
			w.mono += 5 * MINUTE_NS;
			hear_agents(&w);
			behind = w.now - look(&w);
		}
		if (right < 2 || right <= w.agents / 2)
			continue;
		judged++;
		caught_up += behind <= SLACK_NS;
	}
	assert_true(most_ahead > 1000);
	assert_true(judged > 100);
	assert_int_equal(caught_up, judged);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_step_each),
		cmocka_unit_test(a_start_waits_for_more_than_the_first_two),
		cmocka_unit_test(addresses_of_one_host_are_one_witness),
		cmocka_unit_test(a_line_that_was_led_astray_comes_back),
		cmocka_unit_test(witnesses_are_bounded),
		cmocka_unit_test(never_ahead_of_the_true_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
