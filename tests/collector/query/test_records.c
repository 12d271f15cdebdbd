/* SPDX-License-Identifier: ISC */
/* Raw records by every filter, page by page; payloads by their hash. */
#include "tests/collector/fixture.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/core/stats.h"
#include "lib/base/addr.h"

static struct synth agent, other;

static void add_ping(struct synth *to, const char *src, const char *dst,
    int64_t at_ns, const uint8_t campaign[16])
{
	struct addr ends[2];
	Sonde__Ping ping = SONDE__PING__INIT;
	Sonde__Record record = SONDE__RECORD__INIT;
	addr_parse(&ends[0], src);
	addr_parse(&ends[1], dst);
	ping.src = (ProtobufCBinaryData){ 4, ends[0].bytes };
	ping.dst = (ProtobufCBinaryData){ 4, ends[1].bytes };
	record.wall_ns = at_ns;
	if (campaign)
		record.campaign =
		    (ProtobufCBinaryData){ 16, (uint8_t *)campaign };
	record.run = campaign ? 7 : 0;
	record.body_case = SONDE__RECORD__BODY_PING;
	record.ping = &ping;
	synth_add(to, &record);
}

static const uint8_t campaign[16] = { 0xab, 0xcd };

static int setup(void **state)
{
	int err = fixture_setup(state);
	struct fixture *f = *state;
	fixture_enrol(f, &agent, "alpha", NULL);
	fixture_enrol(f, &other, "beta", NULL);
	for (int i = 0; i < 50; i++) {
		int64_t at_ns = f->now_ns - (i + 1) * 10 * NS_PER_S;
		add_ping(&agent, "192.0.2.1", i % 2 ? "192.0.2.8" : "192.0.2.9",
		    at_ns, i % 5 ? NULL : campaign);
		add_sighting(&other, "198.51.100.7", "slammer", at_ns, 1);
	}
	fixture_ship(f, &agent);
	fixture_ship(f, &other);
	return err;
}

static int teardown(void **state)
{
	synth_fini(&agent);
	synth_fini(&other);
	return fixture_teardown(state);
}

/* All that a filter gives, over pages of this size; newest first. */
static size_t count(struct fixture *f, const char *filter, int limit)
{
	char cursor[80] = "", last[WALLTIME_TEXT_LEN] = "9";
	size_t n = 0;
	for (bool more = true; more;) {
		char args[300];
		snprintf(
		    args, sizeof(args), "%s&limit=%d%s", filter, limit, cursor);
		json_t *page = fixture_query(f, query_records, args);
		json_t *items = json_object_get(page, "items");
		for (size_t i = 0; i < json_array_size(items); i++, n++) {
			const char *wall = json_string_value(json_object_get(
			    json_object_get(json_array_get(items, i), "record"),
			    "wall"));
			assert_true(strcmp(wall, last) <= 0);
			snprintf(last, sizeof(last), "%s", wall);
		}
		const char *next =
		    json_string_value(json_object_get(page, "next"));
		more = next != NULL;
		if (more)
			snprintf(cursor, sizeof(cursor), "&cursor=%s", next);
		json_decref(page);
	}
	return n;
}

static void every_filter_finds_its_records(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *filter;
		size_t found;
	} cases[] = {
		{ "from=-1h", 100 },
		{ "from=-1h&kind=ping", 50 },
		{ "from=-1h&kind=ping,sighting", 100 },
		{ "from=-1h&kind=trace", 0 },
		{ "from=-1h&agent=alpha", 50 },
		{ "from=-1h&agent=beta&kind=ping", 0 },
		{ "from=-1h&dst=192.0.2.8", 25 },
		{ "from=-1h&src=192.0.2.1", 50 },
		{ "from=-1h&src=198.51.100.7", 50 },
		{ "from=-1h&src=198.51.100.7&kind=sighting", 50 },
		{ "from=-1h&src=198.51.100.8&kind=sighting", 0 },
		{ "from=-1h&campaign=abcd0000000000000000000000000000", 10 },
		{ "from=-1h&campaign=abcd0000000000000000000000000000&run=7",
		    10 },
		{ "from=-1h&campaign=abcd0000000000000000000000000000&run=8",
		    0 },
		{ "from=-100s", 20 },
		{ "from=-200s&to=-100s&kind=ping", 10 },
		{ "from=-300s&to=-200s&dst=192.0.2.9", 5 },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (count(f, cases[i].filter, 500) != cases[i].found)
			fail_msg("%s: %zu", cases[i].filter,
			    count(f, cases[i].filter, 500));
}

static void pages_neither_skip_nor_repeat(void **state)
{
	struct fixture *f = *state;
	static const int limits[] = { 1, 3, 10, 99, 100, 101 };
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		assert_int_equal(count(f, "from=-1h", limits[i]), 100);
		assert_int_equal(count(f, "from=-1h&kind=ping", limits[i]), 50);
	}
}

static void wrong_filters_are_named(void **state)
{
	struct fixture *f = *state;
	static const char *const wrong[] = { "kind=nothing", "kind=ping,",
		"campaign=12", "run=x", "src=example.org", "dst=1.2.3",
		"from=-1x", "from=now", "to=2026-13-01T00:00:00Z", "cursor=1",
		"cursor=1_", "limit=5000" };
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		int err = fixture_query_err(f, query_records, wrong[i]);
		if (err != ERR_USAGE && strcmp(wrong[i], "kind=ping,") != 0)
			fail_msg("%s: %d", wrong[i], err);
	}
	assert_int_equal(
	    fixture_query_err(f, query_records, "agent=x"), ERR_NOT_FOUND);
}

static void add_payload(const char *octets, bool lie)
{
	uint8_t hash[16];
	Sonde__Payload payload = SONDE__PAYLOAD__INIT;
	Sonde__Record record = SONDE__RECORD__INIT;
	size_t len = strlen(octets);
	crypto_generichash(
	    hash, sizeof(hash), (const uint8_t *)octets, len, NULL, 0);
	hash[0] ^= lie;
	payload.hash = (ProtobufCBinaryData){ sizeof(hash), hash };
	payload.octets = (ProtobufCBinaryData){ len, (uint8_t *)octets };
	payload.size_bytes = (uint32_t)len + 28;
	record.body_case = SONDE__RECORD__BODY_PAYLOAD;
	record.payload = &payload;
	synth_add(&agent, &record);
}

static void a_payload_is_found_by_its_own_hash_only(void **state)
{
	struct fixture *f = *state;
	uint8_t hash[16];
	char hex[33], args[48];
	add_payload("AAAA", false);
	add_payload("AAAA", false);
	add_payload("BBBB", true);
	fixture_ship(f, &agent);
	crypto_generichash(
	    hash, sizeof(hash), (const uint8_t *)"AAAA", 4, NULL, 0);
	synth_hex(hex, hash, sizeof(hash));
	snprintf(args, sizeof(args), "hash=%s", hex);
	json_t *answer = fixture_query(f, query_payload, args);
	assert_string_equal(
	    json_string_value(json_object_get(answer, "hex")), "41414141");
	assert_int_equal(
	    json_integer_value(json_object_get(answer, "size_bytes")), 32);
	json_decref(answer);
	assert_int_equal(fixture_sql(f, "SELECT count(*) FROM payloads"), 1);
	assert_int_equal(fixture_query_err(f, query_payload,
			     "hash=00000000000000000000000000000000"),
	    ERR_NOT_FOUND);
	assert_int_equal(
	    fixture_query_err(f, query_payload, "hash=x"), ERR_NOT_FOUND);
}

static int query_as(
    struct fixture *f, query_fn *query, const struct principal *principal)
{
	const struct query_args args = { fixture_no_arg, NULL };
	const struct query_context context = { f->c, principal, &args, NULL,
		NULL };
	struct errmsg msg = { "" };
	json_t *answer = NULL;
	int err = query_run(query, &context, &answer, &msg);
	assert_true((err == 0) == (answer != NULL));
	assert_true((err == 0) == (msg.text[0] == '\0'));
	json_decref(answer);
	return err;
}

static void no_query_answers_whoever_may_not_read(void **state)
{
	static query_fn *const all[] = { query_overview, query_agents,
		query_agent, query_campaigns, query_campaign, query_runs,
		query_records, fixture_topology, query_link_series,
		fixture_series, query_alarms, query_signatures, query_gaps,
		query_sightings, query_payload };
	struct fixture *f = *state;
	struct prefix mine;
	assert_int_equal(prefix_parse(&mine, "192.0.2.0/24", NULL), 0);
	const struct principal stranger = { .account = "stranger",
		.roles = ROLE_OPERATE | ROLE_ADMIN };
	const struct principal restricted = { .account = "restricted",
		.roles = ROLE_READ,
		.networks = &mine,
		.network_count = 1 };
	const struct principal reader = { .account = "reader",
		.roles = ROLE_READ };
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		assert_int_equal(query_as(f, all[i], &stranger), -EACCES);
		assert_int_equal(query_as(f, all[i], &restricted), -EACCES);
	}
	assert_int_equal(query_as(f, query_agents, &reader), 0);
}

static void add_a_gap(struct synth *to, uint64_t epoch, uint64_t from,
    uint64_t to_seq, uint64_t unnumbered, const char *reason)
{
	Sonde__Gap gap = SONDE__GAP__INIT;
	Sonde__Record record = SONDE__RECORD__INIT;
	uint64_t more[] = { 5, 20 }; /* 5 kept, then 20 lost */
	record.wall_ns = record.mono_ns = DAY_START_NS + 11 * 3600 * NS_PER_S;
	gap.epoch = epoch;
	gap.from_seq = from;
	gap.to_seq = to_seq;
	gap.unnumbered = unnumbered;
	gap.reason = (char *)reason;
	gap.more = more;
	gap.n_more = from ? 2 : 0;
	record.body_case = SONDE__RECORD__BODY_GAP;
	record.gap = &gap;
	synth_add(to, &record);
}

static json_int_t member(json_t *list, size_t index, const char *name)
{
	return json_integer_value(json_object_get(
	    json_array_get(json_object_get(list, "items"), index), name));
}

static void gaps_say_how_many_and_why(void **state)
{
	struct fixture *f = *state;
	struct collector_metrics m;
	add_a_gap(&agent, 0, 11, 20, 3, "spool-full");
	add_a_gap(&agent, 0, 0, 0, 7, "queue");
	fixture_ship(f, &agent);
	add_a_gap(&other, 0, 1, 1, 0, "forked");
	fixture_ship(f, &other);
	json_t *all = fixture_query(f, query_gaps, "limit=2");
	json_t *items = json_object_get(all, "items");
	assert_int_equal(json_array_size(items), 2);
	assert_int_equal(member(all, 0, "records"), 21);
	assert_int_equal(member(all, 1, "records"), 7);
	assert_true(json_is_null(
	    json_object_get(json_array_get(items, 1), "from_seq")));
	char args[80];
	snprintf(args, sizeof(args), "limit=2&cursor=%s",
	    json_string_value(json_object_get(all, "next")));
	json_decref(all);
	all = fixture_query(f, query_gaps, args);
	assert_int_equal(json_array_size(json_object_get(all, "items")), 1);
	assert_int_equal(member(all, 0, "from_seq"), 11);
	assert_int_equal(member(all, 0, "to_seq"), 20);
	assert_int_equal(member(all, 0, "records"), 33);
	json_decref(all);
	all = fixture_query(f, query_gaps, "agent=beta");
	items = json_object_get(all, "items");
	assert_int_equal(json_array_size(items), 1);
	assert_string_equal(json_string_value(json_object_get(
				json_array_get(items, 0), "reason")),
	    "forked");
	json_decref(all);
	all = fixture_query(f, query_gaps, "from=-30m");
	assert_int_equal(json_array_size(json_object_get(all, "items")), 0);
	json_decref(all);
	collector_metrics(f->c, &m);
	assert_int_equal(m.records_lost, 33 + 7 + 21);
}

#define TEST(name) cmocka_unit_test(name)

/* --- page after page, with what was read ahead --- */
#define LONG_RECORDS 8000 /* more than is read ahead, in number and bytes */

/* Of batches that all lie over each other in time. */
static void add_long_records(struct fixture *f, struct synth *to)
{
	char text[1200];
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (int i = 0; i < LONG_RECORDS; i++) {
		Sonde__Log log = SONDE__LOG__INIT;
		Sonde__Record record = SONDE__RECORD__INIT;
		log.process = (char *)"test";
		/* Half of them short. */
		log.text = text + (i % 2 ? sizeof(text) - 10 : 0);
		record.wall_ns =
		    f->now_ns - 1 - (i % 500 * 1000 + i / 500) * INT64_C(1000);
		record.body_case = SONDE__RECORD__BODY_LOG;
		record.log = &log;
		synth_add(to, &record);
		if (to->count == 500)
			fixture_ship(f, to);
	}
}

struct pages {
	char cursor[QUERY_CURSOR_LEN];
	int64_t before_ns;
	size_t count, left; /* left: records that end the page */
};

static const char *pages_arg(void *ctx, const char *name)
{
	struct pages *pages = ctx;
	if (strcmp(name, "cursor") == 0)
		return pages->cursor[0] ? pages->cursor : NULL;
	return strcmp(name, "limit") == 0 ? "500"
	    : strcmp(name, "kind") == 0   ? "log"
					  : NULL;
}

static bool take_one(void *ctx, const Sonde__Record *record)
{
	struct pages *pages = ctx;
	assert_true((int64_t)record->wall_ns < pages->before_ns);
	pages->before_ns = (int64_t)record->wall_ns;
	pages->count++;
	return --pages->left > 0;
}

static void pages_that_were_read_ahead_miss_none(void **state)
{
	struct fixture *f = *state;
	struct query_ahead ahead = { 0 };
	struct pages pages = { .before_ns = INT64_MAX };
	const struct query_args args = { pages_arg, &pages };
	const struct query_context context = {
		.collector = f->c, .principal = &fixture_admin, .args = &args
	};
	struct errmsg msg = { "" };
	size_t most = 0;
	add_long_records(f, &other);
	for (int page = 0; page == 0 || pages.cursor[0]; page++) {
		char next[QUERY_CURSOR_LEN];
		pages.left = page % 2 ? 1500 : 37;
		/* Now and then without. */
		if (page == 20)
			query_ahead_fini(&ahead);
		if (query_each_record(&context, take_one, &pages,
			page == 50 ? NULL : &ahead, next, &msg) < 0)
			fail_msg("%s", msg.text);
		if (page == 50)
			query_ahead_fini(&ahead);
		memcpy(pages.cursor, next, sizeof(next));
		most = ahead.records.len > most ? ahead.records.len : most;
	}
	query_ahead_fini(&ahead);
	assert_int_equal(pages.count, LONG_RECORDS);
	assert_in_range(most, 1 << 19, (1 << 20) + 2000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_filter_finds_its_records),
		TEST(pages_neither_skip_nor_repeat),
		TEST(wrong_filters_are_named),
		TEST(a_payload_is_found_by_its_own_hash_only),
		TEST(no_query_answers_whoever_may_not_read),
		TEST(gaps_say_how_many_and_why),
		cmocka_unit_test(pages_that_were_read_ahead_miss_none),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
