/* SPDX-License-Identifier: ISC */
/* The event log: what is reported, in order, again when asked; and agents'
 * states. */
#include "collector/core/writer.h"
#include "collector/core/listener.h"
#include "tests/collector/fixture.h"

#include <stdlib.h>
#include <string.h>

#include "collector/core/event-log.h"
#include "collector/core/private.h"

static struct synth agent;

static int setup(void **state)
{
	int err = fixture_setup(state);
	fixture_enrol(*state, &agent, "alpha", "[\"lab\"]");
	return err;
}

static int teardown(void **state)
{
	synth_fini(&agent);
	return fixture_teardown(state);
}

#define MOST 2048
static struct event got[MOST];

static void drop(int n)
{
	for (int i = 0; i < n; i++)
		event_fini(&got[i]);
}

/* Into got, without those about agents, which come with the clock. */
static int take(struct fixture *f, uint64_t after, uint64_t *oldest)
{
	int n = events_after(f->c, after, got, MOST, oldest), kept = 0;
	for (int i = 0; i < n; i++) {
		if (i > 0)
			assert_true(got[i].id > after);
		after = got[i].id;
		if (strcmp(got[i].type, "agent") == 0)
			event_fini(&got[i]);
		else
			got[kept++] = got[i];
	}
	return kept;
}

static void what_happens_is_reported_once_and_in_order(void **state)
{
	struct fixture *f = *state;
	uint64_t start = events_last_id(f->c);
	add_sighting(&agent, "198.51.100.1", "slammer", f->now_ns, 1);
	add_sighting(&agent, "198.51.100.1", "slammer", f->now_ns, 1);
	add_sighting(&agent, "198.51.100.1", "", f->now_ns, 1);
	Sonde__Gap gap = SONDE__GAP__INIT;
	Sonde__Record record = SONDE__RECORD__INIT;
	gap.epoch = 0;
	gap.from_seq = 5;
	gap.to_seq = 9;
	gap.unnumbered = 2;
	gap.reason = (char *)"spool-full";
	record.wall_ns = f->now_ns;
	record.body_case = SONDE__RECORD__BODY_GAP;
	record.gap = &gap;
	synth_add(&agent, &record);
	fixture_ship(f, &agent);
	int n = take(f, start, NULL);
	assert_int_equal(n, 2);
	assert_string_equal(got[0].type, "sighting");
	assert_string_equal(got[1].type, "gap");
	assert_non_null(strstr(got[1].data, "lost 7 records"));
	assert_true(got[0].id > start && got[1].id > got[0].id);
	json_t *data = json_loads(got[0].data, 0, NULL);
	assert_string_equal(
	    json_string_value(json_object_get(data, "src")), "198.51.100.1");
	assert_string_equal(
	    json_string_value(json_object_get(data, "type")), "sighting");
	assert_non_null(json_object_get(data, "at"));
	assert_non_null(json_object_get(data, "text"));
	json_decref(data);
	drop(n);
}

static void an_outbreak_is_summed_up(void **state)
{
	struct fixture *f = *state;
	uint64_t start = events_last_id(f->c);
	for (int i = 0; i < 100; i++) {
		char src[32];
		snprintf(src, sizeof(src), "10.0.0.%d", i);
		add_sighting(&agent, src, "slammer", f->now_ns, 1);
	}
	fixture_ship(f, &agent);
	int n = take(f, start, NULL);
	assert_int_equal(n, 6);
	assert_non_null(strstr(got[5].data, "95 more new sources"));
	drop(n);
}

static void results_of_a_run_are_one_event(void **state)
{
	struct fixture *f = *state;
	uint64_t start = events_last_id(f->c);
	uint8_t id[16] = { 1, 2, 3 };
	Sonde__Ping ping = SONDE__PING__INIT;
	Sonde__Record record = SONDE__RECORD__INIT;
	record.wall_ns = f->now_ns;
	record.campaign = (ProtobufCBinaryData){ sizeof(id), id };
	record.run = 4;
	record.body_case = SONDE__RECORD__BODY_PING;
	record.ping = &ping;
	for (unsigned i = 0; i < 3; i++) {
		ping.received = i;
		synth_add(&agent, &record);
	}
	fixture_ship(f, &agent);
	int n = take(f, start, NULL);
	assert_int_equal(n, 1);
	json_t *data = json_loads(got[0].data, 0, NULL);
	assert_int_equal(
	    json_integer_value(json_object_get(data, "records")), 3);
	assert_int_equal(json_integer_value(json_object_get(data, "run")), 4);
	assert_true(json_is_true(json_object_get(data, "reached")));
	json_decref(data);
	drop(n);
	json_t *runs = fixture_query(
	    f, query_runs, "campaign=01020300000000000000000000000000");
	json_t *run = json_array_get(json_object_get(runs, "items"), 0);
	assert_int_equal(
	    json_integer_value(json_object_get(run, "records")), 3);
	assert_true(json_is_null(json_object_get(run, "script")));
	json_decref(runs);
}

/* A firewall that says no in a target's place: not reached, by whom and why;
 * and the map has it as a node that rejects. */
static void a_rejected_target_is_not_reached(void **state)
{
	struct fixture *f = *state;
	uint64_t start = events_last_id(f->c);
	uint8_t id[16] = { 9 }, us[] = { 192, 0, 2, 1 };
	uint8_t wall[] = { 192, 0, 2, 254 }, target[] = { 198, 51, 100, 7 };
	Sonde__Reply reply = SONDE__REPLY__INIT, *replies[] = { &reply };
	Sonde__Trace trace = SONDE__TRACE__INIT;
	Sonde__Record record = SONDE__RECORD__INIT;
	reply.probe_ttl = reply.attempt = 1;
	reply.tx_wall_ns = f->now_ns;
	reply.from = (ProtobufCBinaryData){ sizeof(wall), wall };
	/* Port unreachable, but not of the target's own. */
	REPLY_SET(&reply, ICMP_TYPE, icmp_type, 3);
	REPLY_SET(&reply, ICMP_CODE, icmp_code, 3);
	REPLY_SET(&reply, RTT_NS, rtt_ns, 1000000);
	reply.outcome = SONDE__OUTCOME__OUTCOME_REJECTED;
	trace.src = (ProtobufCBinaryData){ sizeof(us), us };
	trace.dst = (ProtobufCBinaryData){ sizeof(target), target };
	trace.method = (char *)"udp";
	trace.stop_reason = (char *)"unreachable";
	trace.replies = replies;
	trace.n_replies = 1;
	record.wall_ns = f->now_ns - 30 * NS_PER_S; /* the map ends now */
	record.campaign = (ProtobufCBinaryData){ sizeof(id), id };
	record.run = 6;
	record.body_case = SONDE__RECORD__BODY_TRACE;
	record.trace = &trace;
	synth_add(&agent, &record);
	/* The days before too, but for one that is long ago. */
	record.campaign.len = 0;
	for (int day = 1; day <= 6; day++) {
		record.wall_ns = f->now_ns - day * 86400 * NS_PER_S;
		if (day != 4)
			synth_add(&agent, &record);
	}
	fixture_ship(f, &agent);
	assert_int_equal(take(f, start, NULL), 1);
	assert_non_null(strstr(got[0].data,
	    "trace to 198.51.100.7, not reached: rejected by 192.0.2.254, "
	    "port unreachable"));
	assert_non_null(strstr(got[0].data, "\"outcome\":\"rejected\""));
	assert_non_null(strstr(got[0].data, "\"reached\":false"));
	drop(1);
	json_t *map = fixture_query(f, fixture_topology, "from=-10m");
	json_t *nodes = json_object_get(map, "nodes"), *node;
	size_t i, rejecting = 0;
	json_array_foreach(nodes, i, node)
	{
		json_t *rejects = json_object_get(node, "rejects");
		assert_string_not_equal(
		    json_string_value(json_object_get(node, "role")),
		    "destination");
		if (!rejects)
			continue;
		rejecting++;
		char since[WALLTIME_TEXT_LEN];
		walltime_text(
		    (struct walltime){ f->now_ns - 3 * 86400 * NS_PER_S },
		    since);
		assert_string_equal(
		    json_string_value(json_object_get(rejects, "since")),
		    since);
		/* The wall answered, the target did not. */
		assert_true(
		    json_number_value(json_object_get(node, "loss")) == 1);
		assert_string_equal(
		    json_string_value(json_object_get(node, "addr")),
		    "192.0.2.254");
		assert_string_equal(
		    json_string_value(json_object_get(rejects, "with")),
		    "port unreachable");
	}
	assert_int_equal(rejecting, 1);
	json_decref(map);
}

static void a_ping_that_was_not_sent_says_why(void **state)
{
	struct fixture *f = *state;
	uint64_t start = events_last_id(f->c);
	uint8_t id[16] = { 9 }, target[] = { 198, 51, 100, 7 };
	Sonde__Reply reply = SONDE__REPLY__INIT, *replies[] = { &reply };
	Sonde__Ping ping = SONDE__PING__INIT;
	Sonde__Record record = SONDE__RECORD__INIT;
	reply.probe_ttl = reply.attempt = 1;
	reply.error = (char *)"network is down";
	reply.outcome = SONDE__OUTCOME__OUTCOME_NOT_SENT;
	ping.dst = (ProtobufCBinaryData){ sizeof(target), target };
	ping.method = (char *)"icmp";
	ping.not_sent = 1;
	ping.replies = replies;
	ping.n_replies = 1;
	record.wall_ns = f->now_ns;
	record.campaign = (ProtobufCBinaryData){ sizeof(id), id };
	record.run = 7;
	record.body_case = SONDE__RECORD__BODY_PING;
	record.ping = &ping;
	synth_add(&agent, &record);
	fixture_ship(f, &agent);
	assert_int_equal(take(f, start, NULL), 1);
	assert_non_null(strstr(got[0].data,
	    "ping to 198.51.100.7, not reached: not sent, network is down"));
	drop(1);
}

/* Of several targets it is said how many ended otherwise. */
static void a_run_says_how_many_were_rejected_or_not_sent(void **state)
{
	struct fixture *f = *state;
	uint64_t start = events_last_id(f->c);
	static const Sonde__Outcome outcomes[] = { SONDE__OUTCOME__OUTCOME_LATE,
		SONDE__OUTCOME__OUTCOME_REJECTED,
		SONDE__OUTCOME__OUTCOME_NOT_SENT,
		SONDE__OUTCOME__OUTCOME_NOT_SENT };
	uint8_t id[16] = { 9 }, target[] = { 198, 51, 100, 7 };
	Sonde__Reply reply = SONDE__REPLY__INIT, *replies[] = { &reply };
	Sonde__Ping ping = SONDE__PING__INIT;
	Sonde__Record record = SONDE__RECORD__INIT;
	ping.dst = (ProtobufCBinaryData){ sizeof(target), target };
	ping.method = (char *)"icmp";
	ping.replies = replies;
	ping.n_replies = 1;
	record.wall_ns = f->now_ns;
	record.campaign = (ProtobufCBinaryData){ sizeof(id), id };
	record.run = 8;
	record.body_case = SONDE__RECORD__BODY_PING;
	record.ping = &ping;
	for (size_t i = 0; i < 4; i++) {
		reply.outcome = outcomes[i];
		synth_add(&agent, &record);
	}
	fixture_ship(f, &agent);
	assert_int_equal(take(f, start, NULL), 1);
	assert_non_null(strstr(got[0].data,
	    "4 results of ping, 1 targets reached, 1 rejected, 2 not sent"));
	assert_non_null(strstr(got[0].data, "\"outcome\":\"not-sent\""));
	drop(1);
}

/* A script's records have no target that could be missed. */
static void a_scripts_results_are_not_called_unreached(void **state)
{
	struct fixture *f = *state;
	uint8_t id[16] = { 7 };
	uint64_t start = events_last_id(f->c);
	Sonde__Train train = SONDE__TRAIN__INIT;
	Sonde__Record record = SONDE__RECORD__INIT;
	train.script = (char *)"mine";
	record.wall_ns = f->now_ns;
	record.campaign = (ProtobufCBinaryData){ sizeof(id), id };
	record.run = 5;
	record.body_case = SONDE__RECORD__BODY_TRAIN;
	record.train = &train;
	synth_add(&agent, &record);
	fixture_ship(f, &agent);
	assert_int_equal(take(f, start, NULL), 1);
	assert_non_null(strstr(got[0].data, "alpha: 1 result of a script"));
	drop(1);
}

static void old_events_come_from_the_store_and_survive(void **state)
{
	struct fixture *f = *state;
	uint64_t start = events_last_id(f->c), oldest;
	for (int i = 0; i < 1200; i++) {
		char signature[24], src[24];
		snprintf(signature, sizeof(signature), "kind-%d", i % 100);
		snprintf(src, sizeof(src), "10.0.%d.%d", i / 100, i % 100);
		add_sighting(&agent, src, signature, f->now_ns, 1);
		if (i % 8 == 7)
			fixture_ship(f, &agent);
	}
	int n = take(f, start, &oldest);
	assert_int_equal(n, 1200);
	assert_int_equal(oldest, 1);
	uint64_t middle = got[1000].id, last = got[1199].id;
	drop(n);
	fixture_reopen(f);
	assert_true(events_last_id(f->c) >= last);
	n = take(f, middle, NULL);
	assert_int_equal(n, 199);
	assert_non_null(strstr(got[0].data, "first kind-1 from 10.0.10.1"));
	drop(n);
	n = events_after(f->c, start, got, 4, NULL);
	assert_int_equal(n, 4);
	drop(n);
	assert_int_equal(events_after(f->c, last + 99999, got, MOST, NULL), 0);
}

static void hear(void *ctx, uint64_t last_id)
{
	_Atomic uint64_t *heard = ctx;
	*heard = last_id;
}

static void the_listener_hears_of_new_ones(void **state)
{
	struct fixture *f = *state;
	_Atomic uint64_t heard = 0;
	struct collector_listener listener = { .event_added = hear,
		.ctx = &heard };
	collector_listen(f->c, &listener);
	add_sighting(&agent, "10.0.0.1", "slammer", f->now_ns, 1);
	fixture_ship(f, &agent);
	collector_listen(f->c, NULL);
	assert_true(heard > 0 && heard <= events_last_id(f->c));
}

static const char *state_of(struct fixture *f, json_t **answer)
{
	*answer = fixture_query(f, query_agents, NULL);
	return json_string_value(json_object_get(
	    json_array_get(json_object_get(*answer, "items"), 0), "state"));
}

static void assert_state(struct fixture *f, const char *expected)
{
	json_t *answer;
	assert_string_equal(state_of(f, &answer), expected);
	json_decref(answer);
}

static void assert_reported(struct fixture *f, uint64_t after, const char *what)
{
	bool found = false;
	int n = events_after(f->c, after, got, MOST, NULL);
	for (int k = 0; k < n; k++)
		found |= strstr(got[k].data, what) != NULL;
	drop(n);
	assert_true(found);
}

static void silence_makes_an_agent_late_and_then_gone(void **state)
{
	struct fixture *f = *state;
	assert_state(f, "new");
	add_log(&agent, "hello");
	fixture_ship(f, &agent);
	assert_state(f, "up");
	uint64_t start = events_last_id(f->c);
	fixture_sleep(f, f->config.late_ns);
	assert_state(f, "late");
	writer_tick(f->c);
	assert_reported(f, start, "alpha is late");
	fixture_sleep(f, f->config.gone_ns);
	assert_state(f, "gone");
	/* After a restart it is still the past that counts. */
	fixture_reopen(f);
	assert_state(f, "gone");
	add_log(&agent, "back");
	fixture_ship(f, &agent);
	assert_state(f, "up");
}

static void an_agent_shows_its_heartbeat_and_its_ledger(void **state)
{
	struct fixture *f = *state;
	add_heartbeat(&agent, f->now_ns, 60 * NS_PER_S, true);
	fixture_ship(f, &agent);
	struct batch_header h = { .epoch = 1,
		.gap_from = agent.next_seq,
		.first_seq = agent.next_seq + 7,
		.count = 1 };
	add_log(&agent, "after a gap");
	assert_int_equal(fixture_send_as(f, &agent, &h).result, INGEST_STORED);
	char id[33], args[40];
	synth_hex(id, agent.id, sizeof(agent.id));
	snprintf(args, sizeof(args), "id=%s", id);
	json_t *json = fixture_query(f, query_agent, args);
	assert_string_equal(
	    json_string_value(json_object_get(json, "version")), "1.2.3");
	assert_int_equal(
	    json_integer_value(json_object_get(json, "captured")), 42);
	assert_true(json_is_null(json_object_get(json, "sent")));
	assert_int_equal(
	    json_integer_value(json_object_get(json, "stored")), 2);
	assert_int_equal(json_integer_value(json_object_get(json, "lost")), 7);
	assert_int_equal(
	    json_integer_value(json_object_get(json, "produced")), 9);
	assert_int_equal(json_array_size(json_object_get(json, "tags")), 1);
	json_decref(json);
	assert_int_equal(
	    fixture_query_err(f, query_agent, "id=00"), ERR_NOT_FOUND);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_happens_is_reported_once_and_in_order),
		TEST(an_outbreak_is_summed_up),
		TEST(results_of_a_run_are_one_event),
		TEST(a_rejected_target_is_not_reached),
		TEST(a_ping_that_was_not_sent_says_why),
		TEST(a_run_says_how_many_were_rejected_or_not_sent),
		TEST(a_scripts_results_are_not_called_unreached),
		TEST(old_events_come_from_the_store_and_survive),
		TEST(the_listener_hears_of_new_ones),
		TEST(silence_makes_an_agent_late_and_then_gone),
		TEST(an_agent_shows_its_heartbeat_and_its_ledger),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
