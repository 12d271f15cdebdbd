/* SPDX-License-Identifier: ISC */
/* What no honest agent makes, and what cannot be written, stays bounded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <sodium.h>

#include "collector/ingest/kinds/ingest-kind.h"
#include "tests/collector/store/sqlite/rollup/gather-world.h"

static void test_signatures_are_bounded(void **state)
{
	(void)state;
	struct world w;
	world_begin(&w);
	struct prepared_batch *batch = world_batch(1);
	for (unsigned i = 0; i < 60000; i++) {
		Sonde__Record record = SONDE__RECORD__INIT;
		Sonde__Sighting s = SONDE__SIGHTING__INIT;
		char name[16];
		struct addr src = addr_v4(0xc6336400 + i % 200);
		snprintf(name, sizeof(name), "s%u", i);
		s.src = world_octets(src.bytes, 4);
		s.verdict = (char *)(uintptr_t) "worm";
		s.signature = name;
		s.packets = 2;
		s.first_wall_ns = s.last_wall_ns = START_S * NS_PER_S;
		record.wall_ns = s.first_wall_ns;
		record.body_case = SONDE__RECORD__BODY_SIGHTING;
		record.sighting = &s;
		world_pack(batch, &record);
	}
	world_gather(&w, batch);
	assert_int_equal(world_rows(&w, "SELECT count(*) FROM classes"),
	    AGENT_CLASSES_MOST + 1);
	assert_int_equal(world_bounded(&w), 60000 - AGENT_CLASSES_MOST);
	/* Counted, each source once, under a name that says so. */
	assert_int_equal(world_rows(&w,
			     "SELECT packets FROM classes"
			     " WHERE signature = '(more)'"),
	    2 * (60000 - AGENT_CLASSES_MOST));
	assert_int_equal(world_rows(&w,
			     "SELECT sources FROM classes"
			     " WHERE signature = '(more)'"),
	    200);
	/* A look-up walks one chain of a hash, whatever the number. */
	assert_int_equal(world_rows(&w, "SELECT count(*) FROM series"),
	    (AGENT_CLASSES_MOST + 1) * 3 * 2);
	world_end(&w);
}

static void test_hours_are_bounded(void **state)
{
	(void)state;
	struct world w;
	world_begin(&w);
	struct prepared_batch *batch = world_batch(1);
	for (unsigned i = 0; i < 60000; i++) {
		Sonde__Record record = SONDE__RECORD__INIT;
		Sonde__Sighting s = SONDE__SIGHTING__INIT;
		struct addr src = addr_v4(0xc6336400);
		s.src = world_octets(src.bytes, 4);
		s.verdict = (char *)(uintptr_t) "worm";
		s.signature = (char *)(uintptr_t) "slammer";
		s.packets = 1;
		s.first_wall_ns = s.last_wall_ns =
		    (START_S - (int64_t)i * 3600) * NS_PER_S;
		record.wall_ns = s.first_wall_ns;
		record.body_case = SONDE__RECORD__BODY_SIGHTING;
		record.sighting = &s;
		world_pack(batch, &record);
	}
	world_gather(&w, batch);
	assert_int_equal(
	    world_rows(
		&w, "SELECT count(DISTINCT bin) FROM parts WHERE tbl = 1"),
	    AGENT_HOURS_MOST + 1);
	assert_int_equal(world_rows(&w, "SELECT packets FROM classes"), 60000);
	assert_int_equal(world_bounded(&w), 60000 - AGENT_HOURS_MOST);
	world_end(&w);
}

static void test_paths_are_bounded(void **state)
{
	(void)state;
	struct world w;
	world_begin(&w);
	for (unsigned b = 0, i = 0; b < 4; b++) {
		struct prepared_batch *batch = world_batch(1);
		for (unsigned k = 0; k < 17000; k++, i++) {
			Sonde__Record record = SONDE__RECORD__INIT;
			Sonde__Trace trace = SONDE__TRACE__INIT;
			Sonde__Reply reply = SONDE__REPLY__INIT;
			Sonde__Reply *replies = &reply;
			struct addr src = addr_v4(0x0a000001);
			struct addr dst = addr_v4(0xc6000000 + i);
			reply.probe_ttl = reply.attempt = 1;
			reply.tx_wall_ns = START_S * NS_PER_S;
			trace.src = world_octets(src.bytes, 4);
			trace.dst = world_octets(dst.bytes, 4);
			trace.method = (char *)(uintptr_t) "udp";
			trace.stop_reason = (char *)(uintptr_t) "completed";
			trace.replies = &replies;
			trace.n_replies = 1;
			record.wall_ns = START_S * NS_PER_S;
			record.body_case = SONDE__RECORD__BODY_TRACE;
			record.trace = &trace;
			world_pack(batch, &record);
		}
		world_gather(&w, batch);
	}
	assert_int_equal(
	    world_rows(&w, "SELECT count(*) FROM paths"), AGENT_PATHS_MOST);
	assert_int_equal(world_bounded(&w), 4 * 17000 - AGENT_PATHS_MOST);
	world_end(&w);
}

static struct prepared_batch *one_source(unsigned i)
{
	struct prepared_batch *batch = world_batch(1);
	Sonde__Record record = SONDE__RECORD__INIT;
	Sonde__Sighting s = SONDE__SIGHTING__INIT;
	struct errmsg msg = { "" };
	struct addr src = addr_v4(0xc6336400 + i);
	s.src = world_octets(src.bytes, 4);
	s.verdict = (char *)(uintptr_t) "worm";
	s.signature = (char *)(uintptr_t) "slammer";
	s.packets = 1;
	s.first_wall_ns = s.last_wall_ns = START_S * NS_PER_S;
	record.wall_ns = s.first_wall_ns;
	record.body_case = SONDE__RECORD__BODY_SIGHTING;
	record.sighting = &s;
	world_pack(batch, &record);
	world_check(
	    prepared_batch_open(batch, ingest_prepare_record, &msg), &msg);
	return batch;
}

/* While rollup.db has no room, what waits for it stays bounded; with room, it
 * all goes there. */
static void test_waiting_is_bounded(void **state)
{
	(void)state;
	struct world w;
	struct errmsg msg = { "" };
	uint32_t held_rows = gather_sizes.held_rows;
	world_begin(&w);
	gather_sizes.held_rows = 40;
	world_check(
	    db_script(&w.gather->db, "PRAGMA max_page_count = 1", &msg), &msg);
	/* One set is frozen, the other fills up. */
	for (unsigned i = 0; i < 80; i++) {
		world_check(gather_make_room(w.gather, &msg), &msg);
		struct prepared_batch *batch = one_source(i);
		gather_batch(w.gather, batch, 0, ++w.batch_count, NULL);
		prepared_batch_free(batch);
	}
	assert_int_equal(gather_make_room(w.gather, &msg), ERR_UNAVAILABLE);
	assert_non_null(strstr(msg.text, "rollup.db: too much waits"));
	assert_non_null(strstr(msg.text, "full"));
	/* The next try is a second away: the same words. */
	assert_int_equal(gather_make_room(w.gather, &msg), ERR_UNAVAILABLE);
	assert_non_null(strstr(msg.text, "full"));
	assert_int_equal(w.gather->now->sources.count, 40);
	assert_int_equal(w.gather->frozen->sources.count, 40);
	world_check(
	    db_script(&w.gather->db, "PRAGMA max_page_count = 100000", &msg),
	    &msg);
	w.gather->retry = (struct monotime){ 0 };
	world_check(gather_make_room(w.gather, &msg), &msg);
	assert_int_equal(w.gather->now->sources.count, 0);
	world_check(gather_flush(w.gather, &msg), &msg);
	assert_int_equal(world_rows(&w, "SELECT packets FROM classes"), 80);
	gather_sizes.held_rows = held_rows;
	world_end(&w);
}

static void take_replayed(void *ctx, const struct prepared_batch *batch,
    const struct store_outcome *outcome)
{
	(void)ctx;
	(void)batch;
	(void)outcome;
}

static void gather_one(struct world *w, unsigned source)
{
	struct prepared_batch *batch = one_source(source);
	gather_batch(w->gather, batch, 0, ++w->batch_count, NULL);
	prepared_batch_free(batch);
}

/* Where batches have consequences, none is written before it had them: a crash
 * would find it no more. */
static void test_nothing_unsettled_is_written(void **state)
{
	(void)state;
	struct world w;
	struct errmsg msg = { "" };
	uint64_t applied;
	world_begin(&w);
	gather_close(w.gather);
	w.config.replayed = take_replayed;
	world_open(&w);
	gather_one(&w, 1);
	world_check(gather_flush(w.gather, &msg), &msg);
	world_check(gather_applied(w.gather, false, &applied, &msg), &msg);
	assert_int_equal(applied, 0);
	gather_settle(w.gather);
	gather_one(&w, 2);
	world_check(gather_flush(w.gather, &msg), &msg);
	world_check(gather_applied(w.gather, false, &applied, &msg), &msg);
	assert_int_equal(applied, 0);
	gather_settle(w.gather);
	world_check(gather_flush(w.gather, &msg), &msg);
	world_check(gather_applied(w.gather, false, &applied, &msg), &msg);
	assert_int_equal(applied, 2);
	assert_int_equal(world_rows(&w, "SELECT packets FROM classes"), 2);
	world_end(&w);
}

/* Runs, payloads and gaps that no honest agent makes. */
static void test_small_tables_are_bounded(void **state)
{
	(void)state;
	struct world w;
	world_begin(&w);
	struct prepared_batch *batch = world_batch(1);
	for (unsigned i = 0; i < 20000; i++) {
		Sonde__Record record = SONDE__RECORD__INIT;
		Sonde__Gap gap = SONDE__GAP__INIT;
		uint8_t campaign[16] = { (uint8_t)i, (uint8_t)(i >> 8), 1 };
		gap.epoch = 1;
		gap.from_seq = gap.to_seq = 1 + i;
		gap.reason = (char *)(uintptr_t) "spool-full";
		record.wall_ns = START_S * NS_PER_S;
		record.campaign = world_octets(campaign, 16);
		record.run = 1;
		record.body_case = SONDE__RECORD__BODY_GAP;
		record.gap = &gap;
		world_pack(batch, &record);
	}
	world_gather(&w, batch);
	assert_int_equal(
	    world_rows(&w, "SELECT count(DISTINCT campaign) FROM runs"),
	    AGENT_CAMPAIGNS_MOST + 1);
	assert_int_equal(
	    world_rows(&w, "SELECT sum(records) FROM runs"), 20000);
	assert_int_equal(
	    world_rows(&w, "SELECT count(*) FROM gaps"), AGENT_GAPS_DAY + 1);
	assert_int_equal(
	    world_rows(&w, "SELECT sum(records) FROM gaps"), 20000);
	batch = world_batch(1);
	for (unsigned i = 0; i < 3000; i++) {
		Sonde__Record record = SONDE__RECORD__INIT;
		Sonde__Payload payload = SONDE__PAYLOAD__INIT;
		uint8_t hash[16], bytes[4] = { (uint8_t)i, (uint8_t)(i >> 8) };
		crypto_generichash(
		    hash, sizeof(hash), bytes, sizeof(bytes), NULL, 0);
		payload.hash = world_octets(hash, 16);
		payload.octets = world_octets(bytes, sizeof(bytes));
		payload.size_bytes = sizeof(bytes);
		record.wall_ns = START_S * NS_PER_S;
		record.body_case = SONDE__RECORD__BODY_PAYLOAD;
		record.payload = &payload;
		world_pack(batch, &record);
	}
	world_gather(&w, batch);
	assert_int_equal(world_rows(&w, "SELECT count(*) FROM payloads"),
	    AGENT_PAYLOADS_DAY);
	assert_int_equal(world_bounded(&w),
	    (20000 - AGENT_CAMPAIGNS_MOST) + (20000 - AGENT_GAPS_DAY) +
		(3000 - AGENT_PAYLOADS_DAY));
	world_end(&w);
}

/* Reasons without end, and one that is no text. */
static void test_reasons_are_bounded(void **state)
{
	(void)state;
	struct world w;
	world_begin(&w);
	for (int again = 0; again < 2; again++) {
		struct prepared_batch *batch = world_batch(1);
		for (unsigned i = 0; i < 5000; i++) {
			Sonde__Record record = SONDE__RECORD__INIT;
			Sonde__Ping ping = SONDE__PING__INIT;
			char error[120];
			snprintf(error, sizeof(error),
			    "\x01 reason %u of very many, and a long one at "
			    "that, so that it is cut: wan0",
			    i);
			ping.method = (char *)(uintptr_t) "icmp";
			ping.error = error;
			ping.not_sent = UINT32_MAX;
			record.wall_ns = START_S * NS_PER_S;
			record.body_case = SONDE__RECORD__BODY_PING;
			record.ping = &ping;
			world_pack(batch, &record);
		}
		world_gather(&w, batch);
		gather_close(w.gather);
		w.batch_count = 0;
		world_open(&w); /* what is on the disk counts too */
		w.batch_count = again + 1;
	}
	assert_int_equal(world_rows(&w, "SELECT count(*) FROM unsent"),
	    AGENT_REASONS_MOST + 1);
	assert_int_equal(world_rows(&w,
			     "SELECT probes FROM unsent"
			     " WHERE reason = '(more)'"),
	    2 * (int64_t)UINT32_MAX * (5000 - AGENT_REASONS_MOST));
	assert_int_equal(world_rows(&w,
			     "SELECT max(length(reason)) FROM unsent WHERE"
			     " reason GLOB '*[^ -~]*' = 0"),
	    UNSENT_REASON_LEN - 1);
	world_end(&w);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signatures_are_bounded),
		cmocka_unit_test(test_hours_are_bounded),
		cmocka_unit_test(test_paths_are_bounded),
		cmocka_unit_test(test_small_tables_are_bounded),
		cmocka_unit_test(test_reasons_are_bounded),
		cmocka_unit_test(test_waiting_is_bounded),
		cmocka_unit_test(test_nothing_unsettled_is_written),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
