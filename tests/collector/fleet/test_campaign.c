/* SPDX-License-Identifier: ISC */
/* Campaigns: what is accepted, who gets them, when they end. */
#include "collector/core/listener.h"
#include "tests/collector/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/fleet/campaign.h"

#define BODY                                                      \
	"{\"script\": \"trace\", \"targets\": [\"192.0.2.1\"],"   \
	" \"options\": {\"method\": \"udp\"}, \"on\": [\"all\"]," \
	" \"every_s\": 60}"

static int create(struct fixture *f, const char *body, json_t **answer)
{
	struct errmsg msg = { "" };
	json_t *got = NULL, *ask = json_loads(body, 0, NULL);
	int err = campaign_create(f->c, &fixture_admin, ask, &got, &msg);
	json_decref(ask);
	if (err < 0 && err != ERR_USAGE)
		fail_msg("campaign: %s", msg.text);
	if (answer)
		*answer = got;
	else
		json_decref(got);
	return err;
}

static json_t *work_of(struct fixture *f, const struct synth *agent)
{
	struct errmsg msg = { "" };
	json_t *work = NULL;
	assert_int_equal(campaign_work(f->c, agent->id, &work, &msg), 0);
	return work;
}

static size_t work_count(struct fixture *f, const struct synth *agent)
{
	json_t *work = work_of(f, agent);
	size_t n = json_array_size(json_object_get(work, "campaigns"));
	json_decref(work);
	return n;
}

static const char *text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static void a_campaign_is_handed_to_those_it_names(void **state)
{
	struct fixture *f = *state;
	struct synth a, b;
	json_t *campaign;
	fixture_enrol(f, &a, "alpha", "[\"lab\"]");
	fixture_enrol(f, &b, "beta", "[\"field\"]");
	assert_int_equal(create(f, BODY, &campaign), 0);
	assert_string_equal(text(campaign, "state"), "active");
	assert_int_equal(
	    json_array_size(json_object_get(campaign, "agents")), 2);
	json_decref(campaign);
	create(f,
	    "{\"script\": \"ping\", \"targets\": [\"::1\"],"
	    " \"on\": [\"field\"]}",
	    NULL);
	create(f,
	    "{\"script\": \"ping\", \"targets\": [\"::1\"],"
	    " \"on\": [\"alpha\", \"nobody\"]}",
	    NULL);
	assert_int_equal(work_count(f, &a), 2);
	assert_int_equal(work_count(f, &b), 2);
	json_t *work = work_of(f, &b);
	json_t *first = json_array_get(json_object_get(work, "campaigns"), 0);
	assert_string_equal(text(first, "script"), "ping");
	assert_true(json_is_null(json_object_get(first, "every_s")));
	assert_int_equal(
	    json_integer_value(json_object_get(first, "last_run")), 0);
	json_decref(work);
	synth_fini(&a);
	synth_fini(&b);
}

struct heard {
	uint64_t revision;
	int calls;
};

static void hear(void *ctx, uint64_t revision)
{
	struct heard *heard = ctx;
	heard->revision = revision;
	heard->calls++;
}

static void every_change_raises_the_revision(void **state)
{
	struct fixture *f = *state;
	struct heard heard = { 0 };
	struct collector_listener listener = { .work_changed = hear,
		.ctx = &heard };
	json_t *campaign, *stopped;
	struct errmsg msg;
	collector_listen(f->c, &listener);
	uint64_t first = campaign_revision(f->c);
	assert_int_equal(create(f, BODY, &campaign), 0);
	assert_int_equal(campaign_revision(f->c), first + 1);
	assert_int_equal(campaign_stop(f->c, &fixture_admin,
			     text(campaign, "id"), &stopped, &msg),
	    0);
	assert_string_equal(text(stopped, "state"), "stopped");
	json_decref(stopped);
	assert_int_equal(campaign_revision(f->c), first + 2);
	assert_int_equal(heard.calls, 2);
	assert_int_equal(heard.revision, first + 2);
	/* A refusal changes nothing. */
	assert_int_equal(create(f, "{}", NULL), ERR_USAGE);
	assert_int_equal(
	    campaign_stop(f->c, &fixture_admin,
		"00000000000000000000000000000000", &stopped, &msg),
	    ERR_NOT_FOUND);
	assert_int_equal(
	    campaign_stop(f->c, &fixture_admin, "x", &stopped, &msg),
	    ERR_NOT_FOUND);
	assert_int_equal(campaign_revision(f->c), first + 2);
	collector_listen(f->c, NULL);
	fixture_reopen(f);
	assert_int_equal(campaign_revision(f->c), first + 2);
	json_decref(campaign);
}

static void campaigns_end_by_time_and_by_stopping(void **state)
{
	struct fixture *f = *state;
	struct synth a;
	json_t *once, *timed, *listed;
	fixture_enrol(f, &a, "alpha", NULL);
	assert_int_equal(create(f,
			     "{\"script\": \"trace\", \"targets\":"
			     " [\"192.0.2.1\"], \"on\": [\"all\"]}",
			     &once),
	    0);
	assert_int_equal(
	    create(f,
		"{\"script\": \"trace\", \"targets\":"
		" [\"192.0.2.1\"], \"on\": [\"all\"], \"every_s\": 5,"
		" \"until\": \"2026-11-22T12:01:00Z\"}",
		&timed),
	    0);
	assert_int_equal(work_count(f, &a), 2);
	fixture_sleep(f, 60 * NS_PER_S);
	assert_int_equal(work_count(f, &a), 1);
	char args[64];
	snprintf(args, sizeof(args), "id=%s", text(timed, "id"));
	listed = fixture_query(f, query_campaign, args);
	assert_string_equal(text(listed, "state"), "ended");
	json_decref(listed);
	/* Once is over when every agent brought a result for each target. */
	snprintf(args, sizeof(args), "id=%s", text(once, "id"));
	listed = fixture_query(f, query_campaign, args);
	assert_string_equal(text(listed, "state"), "active");
	json_decref(listed);
	Sonde__Ping ping = SONDE__PING__INIT;
	Sonde__Record record = SONDE__RECORD__INIT;
	uint8_t id[16];
	for (int i = 0; i < 16; i++)
		sscanf(text(once, "id") + 2 * i, "%2hhx", &id[i]);
	record.wall_ns = f->now_ns;
	record.campaign = (ProtobufCBinaryData){ 16, id };
	record.run = 1;
	record.body_case = SONDE__RECORD__BODY_PING;
	record.ping = &ping;
	synth_add(&a, &record);
	fixture_ship(f, &a);
	listed = fixture_query(f, query_campaign, args);
	assert_string_equal(text(listed, "state"), "ended");
	json_decref(listed);
	json_t *work = work_of(f, &a);
	assert_int_equal(
	    json_integer_value(json_object_get(
		json_array_get(json_object_get(work, "campaigns"), 0),
		"last_run")),
	    1);
	json_decref(work);
	json_decref(once);
	json_decref(timed);
	synth_fini(&a);
}

struct wrong_member {
	const char *key, *value;
};

/* A right one with each of these instead. */
static void expect_refused(
    struct fixture *f, const struct wrong_member *wrong, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct errmsg msg = { "" };
		json_t *answer = NULL, *body = json_loads(BODY, 0, NULL);
		json_object_set_new(body, wrong[i].key,
		    json_loads(wrong[i].value, JSON_DECODE_ANY, NULL));
		if (campaign_create(
			f->c, &fixture_admin, body, &answer, &msg) != ERR_USAGE)
			fail_msg(
			    "%s: %s was taken", wrong[i].key, wrong[i].value);
		/* The message names the member, or one inside it. */
		assert_memory_equal(
		    msg.text, wrong[i].key, strlen(wrong[i].key));
		json_decref(body);
	}
	assert_int_equal(fixture_sql(f, "SELECT count(*) FROM campaigns"), 0);
}

/* What no agent could leave by. */
static void a_wrong_way_is_refused(void **state)
{
	struct fixture *f = *state;
	static const struct wrong_member wrong[] = {
		{ "options", "{\"interface\": \"lo\"}" },
		{ "options", "{\"interface\": \"\"}" },
		{ "options", "{\"interface\": \"a/b\"}" },
		{ "options", "{\"interface\": \"sixteen-letters-\"}" },
		{ "options", "{\"interface\": [\"eth0\", \"eth1\"]}" },
		{ "options", "{\"source\": \"here\"}" },
		{ "options", "{\"source\": 7}" },
		{ "options", "{\"source\": \"192.0.2.1,\"}" },
		{ "options", "{\"source\": \"fe80::1%eth0\"}" },
		{ "options", "{\"source\": \"224.0.0.1\"}" },
		{ "options", "{\"source\": [\"192.0.2.1\", \"192.0.2.2\"]}" },
		{ "options", "{\"mark\": 0}" },
		{ "options", "{\"mark\": -1}" },
		{ "options", "{\"mark\": 4294967296}" },
		{ "options", "{\"mark\": \"7x\"}" },
		{ "options", "{\"mark\": \"0x100000000\"}" },
		{ "options", "{\"mark\": true}" },
		{ "targets", "[\"192.0.2.1%eth0\"]" },
		{ "targets", "[\"fe80::1%\"]" },
	};
	expect_refused(f, wrong, sizeof(wrong) / sizeof(wrong[0]));
}

static void wrong_campaigns_are_refused(void **state)
{
	struct fixture *f = *state;
	static const struct wrong_member wrong[] = {
		{ "script", "null" },
		{ "script", "\"../../etc/passwd\"" },
		{ "script", "\"\"" },
		{ "script", "\"-rf\"" },
		{ "targets", "[]" },
		{ "targets", "\"192.0.2.1\"" },
		{ "targets", "[\"example.org\"]" },
		{ "targets", "[7]" },
		{ "targets", "[\"192.0.2.1\", \"192.0.2\"]" },
		{ "options", "[]" },
		{ "options", "{\"a b\": 1}" },
		{ "options", "{\"x\": {}}" },
		{ "options", "{\"x\": \"\\n\"}" },
		{ "options", "{\"-x\": 1}" },
		{ "options", "{\"x\": null}" },
		{ "on", "[]" },
		{ "on", "null" },
		{ "on", "[\"a b\"]" },
		{ "every_s", "0" },
		{ "every_s", "-5" },
		{ "every_s", "\"60\"" },
		{ "every_s", "1e99" },
		{ "until", "\"yesterday\"" },
		{ "until", "\"2001-01-01T00:00:00Z\"" },
		{ "until", "5" },
		{ "surprise", "1" },
		/* what no agent takes from afar */
		{ "options", "{\"net\": \"sim:x\"}" },
		{ "options", "{\"policy\": \"/etc/passwd\"}" },
		{ "options", "{\"file\": \"-\"}" },
		{ "options", "{\"count\": 3, \"help\": true}" },
		{ "options", "{\"allow-weak-sandbox\": true}" },
		{ "options", "{\"both\": true}" },
		/* no host */
		{ "targets", "[\"0.0.0.0\"]" },
		{ "targets", "[\"::\"]" },
		{ "targets", "[\"224.0.0.1\"]" },
		{ "targets", "[\"ff02::1\"]" },
		{ "targets", "[\"255.255.255.255\"]" },
		{ "targets", "[\"192.0.2.1/24\"]" },
		{ "targets", "[\"1.2.3.4 \"]" },
	};
	expect_refused(f, wrong, sizeof(wrong) / sizeof(wrong[0]));
}

/* Agents read it among the options of the script. */
static void a_way_travels_with_the_options(void **state)
{
	struct fixture *f = *state;
	struct synth a;
	fixture_enrol(f, &a, "alpha", "[]");
	create(f,
	    "{\"script\": \"ping\", \"targets\": [\"fe80::1%eth0\"],"
	    " \"options\": {\"interface\": \"eth0\", \"mark\": \"0x7\","
	    " \"source\": [\"192.0.2.1\", \"2001:db8::1\"],"
	    " \"tos\": \"EF\"}, \"on\": [\"all\"]}",
	    NULL);
	json_t *work = work_of(f, &a);
	json_t *first = json_array_get(json_object_get(work, "campaigns"), 0);
	json_t *options = json_object_get(first, "options");
	assert_string_equal(text(options, "interface"), "eth0");
	assert_string_equal(text(options, "mark"), "0x7");
	assert_int_equal(
	    json_array_size(json_object_get(options, "source")), 2);
	assert_string_equal(json_string_value(json_array_get(
				json_object_get(first, "targets"), 0)),
	    "fe80::1%eth0");
	json_decref(work);
	synth_fini(&a);
}

static json_t *warnings_of(struct fixture *f, const char *body)
{
	json_t *campaign;
	assert_int_equal(create(f, body, &campaign), 0);
	json_t *list = json_incref(json_object_get(campaign, "warnings"));
	json_decref(campaign);
	assert_true(json_is_array(list));
	return list;
}

static void assert_warns(
    struct fixture *f, const char *body, size_t count, const char *words)
{
	json_t *list = warnings_of(f, body);
	char *all = json_dumps(list, 0);
	if (json_array_size(list) != count || !strstr(all, words))
		fail_msg(
		    "%s: %s, expected %zu with '%s'", body, all, count, words);
	free(all);
	json_decref(list);
}

static void what_is_likely_a_slip_is_warned_of(void **state)
{
	struct fixture *f = *state;
	struct synth a;
	assert_warns(f, BODY, 1, "no agent has enrolled yet");
	fixture_enrol(f, &a, "alpha", "[\"lab\"]");
	assert_warns(f, BODY, 0, "");
	assert_warns(f,
	    "{\"script\": \"ping\", \"targets\":"
	    " [\"192.0.2.1\"], \"on\": [\"lab\", \"europe\"]}",
	    1, "'europe'");
	assert_warns(f,
	    "{\"script\": \"pnig\", \"targets\":"
	    " [\"192.0.2.1\"], \"on\": [\"nobody\"]}",
	    2, "'pnig'");
	add_log(&a, "here");
	fixture_ship(f, &a);
	fixture_sleep(f, 3600 * NS_PER_S);
	assert_warns(f, BODY, 1, "has been heard lately");
	synth_fini(&a);
}

static void add_run_log(struct synth *agent, const char *campaign, uint64_t run,
    unsigned level, const char *words)
{
	Sonde__Log log = SONDE__LOG__INIT;
	Sonde__Record record = SONDE__RECORD__INIT;
	uint8_t id[16];
	for (int i = 0; i < 16; i++)
		sscanf(campaign + 2 * i, "%2hhx", &id[i]);
	log.level = level;
	log.process = (char *)"ping";
	log.text = (char *)words;
	record.wall_ns = DAY_START_NS + (int64_t)run * NS_PER_S;
	record.campaign = (ProtobufCBinaryData){ 16, id };
	record.run = run;
	record.body_case = SONDE__RECORD__BODY_LOG;
	record.log = &log;
	synth_add(agent, &record);
}

static void runs_that_failed_are_shown(void **state)
{
	struct fixture *f = *state;
	struct synth a;
	json_t *once, *shown;
	char args[64];
	fixture_enrol(f, &a, "alpha", NULL);
	assert_int_equal(create(f,
			     "{\"script\": \"ping\", \"targets\":"
			     " [\"192.0.2.1\"], \"on\": [\"all\"]}",
			     &once),
	    0);
	snprintf(args, sizeof(args), "id=%s", text(once, "id"));
	/* Talk is neither a result nor a failure. */
	add_run_log(&a, text(once, "id"), 1, 2, "hello");
	fixture_ship(f, &a);
	shown = fixture_query(f, query_campaign, args);
	assert_string_equal(text(shown, "state"), "active");
	assert_int_equal(
	    json_integer_value(json_object_get(shown, "failed_runs")), 0);
	assert_true(json_is_null(json_object_get(shown, "last_error")));
	json_decref(shown);
	add_run_log(&a, text(once, "id"), 2, 0, "unknown option '--x'");
	add_run_log(&a, text(once, "id"), 1, 0, "an older one");
	fixture_ship(f, &a);
	shown = fixture_query(f, query_campaign, args);
	assert_string_equal(text(shown, "state"), "ended");
	assert_int_equal(
	    json_integer_value(json_object_get(shown, "failed_runs")), 2);
	assert_string_equal(text(shown, "last_error"), "unknown option '--x'");
	json_decref(shown);
	shown = fixture_query(f, query_runs, "limit=5");
	json_t *run = json_array_get(json_object_get(shown, "items"), 0);
	assert_string_equal(text(run, "error"), "unknown option '--x'");
	assert_int_equal(
	    json_integer_value(json_object_get(run, "records")), 0);
	json_decref(shown);
	json_decref(once);
	synth_fini(&a);
}

static void only_so_many_are_active(void **state)
{
	struct fixture *f = *state;
	int made = 0;
	while (create(f, BODY, NULL) == 0 && made < 1000)
		made++;
	assert_int_equal(made, 200);
}

static void lists_go_on_at_the_cursor(void **state)
{
	struct fixture *f = *state;
	char cursor[64] = "limit=2";
	size_t seen = 0;
	for (int i = 0; i < 5; i++)
		create(f, BODY, NULL);
	for (int page = 0; page < 3; page++) {
		json_t *list = fixture_query(f, query_campaigns, cursor);
		seen += json_array_size(json_object_get(list, "items"));
		const char *next = text(list, "next");
		assert_true((next != NULL) == (page < 2));
		if (next)
			snprintf(
			    cursor, sizeof(cursor), "limit=2&cursor=%s", next);
		json_decref(list);
	}
	assert_int_equal(seen, 5);
	assert_int_equal(
	    fixture_query_err(f, query_campaigns, "cursor=x"), ERR_USAGE);
	assert_int_equal(
	    fixture_query_err(f, query_campaigns, "limit=0"), ERR_USAGE);
	assert_int_equal(
	    fixture_query_err(f, query_campaigns, "limit=1001"), ERR_USAGE);
}

static void only_operators_start_and_stop(void **state)
{
	struct fixture *f = *state;
	const struct principal reader = { .account = "reader",
		.roles = ROLE_READ };
	const struct principal operator= { .account = "operator",
		.roles = ROLE_READ | ROLE_OPERATE };
	json_t *campaign, *answer = NULL;
	create(f, BODY, &campaign);
	json_t *body = json_loads(BODY, 0, NULL);
	const char *id = text(campaign, "id");
	struct errmsg msg = { "" };
	assert_int_equal(
	    campaign_create(f->c, &reader, body, &answer, &msg), -EACCES);
	assert_int_equal(
	    campaign_stop(f->c, &reader, id, &answer, &msg), -EACCES);
	assert_null(answer);
	assert_int_equal(campaign_stop(f->c, &operator, id, &answer, &msg), 0);
	json_decref(answer);
	json_decref(body);
	json_decref(campaign);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_campaign_is_handed_to_those_it_names),
		TEST(a_way_travels_with_the_options),
		TEST(every_change_raises_the_revision),
		TEST(campaigns_end_by_time_and_by_stopping),
		TEST(wrong_campaigns_are_refused),
		TEST(a_wrong_way_is_refused),
		TEST(what_is_likely_a_slip_is_warned_of),
		TEST(runs_that_failed_are_shown),
		TEST(only_operators_start_and_stop),
		TEST(only_so_many_are_active),
		TEST(lists_go_on_at_the_cursor),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
