/* SPDX-License-Identifier: ISC */
/* The shipper's core against a collector that is a few lines of arithmetic:
 * whatever is lost or repeated between them, each number is taken once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/record/batch.h"
#include "lib/spool/spool.h"
#include "lib/base/xalloc.h"
#include "probes/agent/shipper/upload.h"

struct rig {
	char dir[32];
	uint8_t agent[16], public_key[32], secret_key[64];
	struct spool *spool;
	struct shipping *shipping;
	struct buf body;
	struct batch_header sent;
	struct shipping_outcome out;
};

static struct spool_config spool_config(struct rig *r)
{
	struct spool_config c = {
		.dir = r->dir, .max_bytes = 1 << 20, .segment_bytes = 8192
	};
	memcpy(c.agent, r->agent, 16);
	return c;
}

static int rig_setup(void **state)
{
	struct rig *r = xcalloc(1, sizeof(*r));
	struct errmsg msg;
	strcpy(r->dir, "/tmp/sonde-shipping-XXXXXX");
	assert_non_null(mkdtemp(r->dir));
	assert_true(sodium_init() >= 0);
	crypto_sign_keypair(r->public_key, r->secret_key);
	r->agent[0] = 9;
	struct spool_config c = spool_config(r);
	assert_int_equal(spool_open(&r->spool, &c, &msg), 0);
	assert_int_equal(
	    shipping_new(&r->shipping, r->dir, r->agent, r->secret_key, &msg),
	    0);
	*state = r;
	return 0;
}

static int rig_teardown(void **state)
{
	struct rig *r = *state;
	shipping_free(r->shipping);
	spool_close(r->spool);
	buf_fini(&r->body);
	char *command = xasprintf("rm -rf %s", r->dir);
	assert_int_equal(system(command), 0);
	free(command);
	free(r);
	return 0;
}

static uint64_t epoch_of(const struct rig *r)
{
	struct spool_stats s;
	spool_stats(r->spool, &s);
	return s.epoch;
}

/* Appends n records and tells the shipper that they are safe. */
static void produce(struct rig *r, int n)
{
	uint8_t record[100] = { 0 };
	struct spool_stats s;
	uint64_t seq;
	for (int i = 0; i < n; i++)
		assert_int_equal(spool_append(r->spool, SPOOL_RESULTS, record,
				     sizeof(record), &seq, NULL),
		    0);
	assert_int_equal(spool_sync(r->spool, NULL), 0);
	spool_stats(r->spool, &s);
	struct ship_mark mark = { s.epoch, s.next_seq };
	shipping_mark(r->shipping, &mark);
}

static void seal(struct rig *r)
{
	struct errmsg msg = { "" };
	if (shipping_seal(r->shipping, &r->body, &msg) != 0)
		fail_msg("nothing to ship: %s", msg.text);
	assert_int_equal(
	    batch_header_read(&r->sent, r->body.data, r->body.len, &msg), 0);
	struct buf raw = { 0 };
	assert_int_equal(batch_open(&r->sent, r->body.data, r->body.len,
			     r->public_key, &raw, &msg),
	    0);
	buf_fini(&raw);
}

static void nothing_to_ship(struct rig *r)
{
	assert_int_equal(shipping_seal(r->shipping, &r->body, NULL), ERR_EOF);
}

static void answer(struct rig *r, long status, const char *json)
{
	shipping_answer(r->shipping, status, json, strlen(json), -1, &r->out);
}

static void commit(struct rig *r, const char *generation, uint64_t next)
{
	char json[200];
	snprintf(json, sizeof(json),
	    "{\"result\":\"stored\",\"generation\":"
	    "\"%s\",\"epoch\":%" PRIu64 ",\"next\":%" PRIu64 "}",
	    generation, r->sent.epoch, next);
	answer(r, 200, json);
}

static void gap(struct rig *r, uint64_t expected)
{
	char json[100];
	snprintf(json, sizeof(json),
	    "{\"code\":\"gap\",\"expected\":%" PRIu64 "}", expected);
	answer(r, 409, json);
}

static void records_go_once_and_in_order(void **state)
{
	struct rig *r = *state;
	nothing_to_ship(r);
	produce(r, 10);
	seal(r);
	assert_int_equal(r->sent.first_seq, 1);
	assert_int_equal(r->sent.gap_from, 1);
	assert_int_equal(r->sent.count, 10);
	commit(r, "a", 11);
	assert_int_equal(r->out.next, SHIPPING_GO_ON);
	assert_int_equal(r->out.order_count, 1);
	assert_int_equal(r->out.orders[0].kind, SHIP_ACK);
	assert_int_equal(r->out.orders[0].next_seq, 11);
	nothing_to_ship(r);
	produce(r, 5);
	seal(r);
	assert_int_equal(r->sent.first_seq, 11);
}

static void a_lost_answer_sends_the_same_again(void **state)
{
	struct rig *r = *state;
	produce(r, 10);
	seal(r);
	answer(r, 0, "");
	assert_int_equal(r->out.next, SHIPPING_RETRY);
	seal(r);
	assert_int_equal(r->sent.first_seq, 1);
	commit(r, "a", 11);
	assert_int_equal(r->out.next, SHIPPING_GO_ON);
	nothing_to_ship(r);
}

static void what_is_not_synced_is_not_shipped(void **state)
{
	struct rig *r = *state;
	uint8_t record[100] = { 0 };
	uint64_t seq;
	produce(r, 3);
	for (int i = 0; i < 4; i++)
		spool_append(r->spool, SPOOL_RESULTS, record, sizeof(record),
		    &seq, NULL);
	seal(r);
	assert_int_equal(r->sent.count, 3);
	commit(r, "a", 4);
	nothing_to_ship(r);
}

static void an_answer_that_moves_nothing_is_trouble(void **state)
{
	static const char *const bad[] = { "", "{}", "{\"next\":11}", "[]",
		"{\"epoch\":1,\"next\":11}" };
	struct rig *r = *state;
	produce(r, 10);
	for (size_t i = 0; i < 5; i++) {
		seal(r);
		answer(r, 200, bad[i]);
		assert_int_equal(r->out.next, SHIPPING_RETRY);
		assert_int_equal(r->out.order_count, 0);
	}
	seal(r);
	commit(r, "a", 1);
	assert_int_equal(r->out.next, SHIPPING_RETRY);
	assert_int_equal(r->out.order_count, 0);
}

static void a_busy_collector_says_when(void **state)
{
	struct rig *r = *state;
	produce(r, 1);
	seal(r);
	shipping_answer(r->shipping, 503, "{}", 2, 7, &r->out);
	assert_int_equal(r->out.next, SHIPPING_WAIT);
	assert_int_equal(r->out.retry_after_s, 7);
}

static void a_restored_collector_gets_what_is_still_there(void **state)
{
	struct rig *r = *state;
	produce(r, 10);
	seal(r);
	commit(r, "a", 11);
	produce(r, 5);
	seal(r);
	gap(r, 4); /* it lost 4 to 10, which are still in the spool */
	assert_int_equal(r->out.next, SHIPPING_GO_ON);
	seal(r);
	assert_int_equal(r->sent.first_seq, 4);
	assert_int_equal(r->sent.gap_from, 4);
	assert_int_equal(r->sent.count, 12);
	commit(r, "b", 16);
	assert_int_equal(r->out.order_count, 1);
	nothing_to_ship(r);
}

static void what_a_restored_collector_lost_for_good_is_declared(void **state)
{
	struct rig *r = *state;
	produce(r, 200); /* several segments of 8 KiB */
	seal(r);
	commit(r, "a", r->sent.first_seq + r->sent.count);
	assert_int_equal(spool_ack(r->spool, r->sent.epoch, 201, NULL), 0);
	produce(r, 1);
	seal(r);
	gap(r, 2);
	seal(r);
	assert_int_equal(r->sent.gap_from, 2);
	assert_true(r->sent.first_seq > 2);
	uint64_t first = r->sent.first_seq;
	commit(r, "b", 202);
	assert_int_equal(r->out.order_count, 2);
	assert_int_equal(r->out.orders[0].kind, SHIP_LOST);
	assert_int_equal(r->out.orders[0].from_seq, 2);
	assert_int_equal(r->out.orders[0].next_seq, first);
}

static void a_gap_at_the_number_that_was_sent_waits(void **state)
{
	struct rig *r = *state;
	produce(r, 10);
	seal(r);
	gap(r, 1);
	assert_int_equal(r->out.next, SHIPPING_RETRY);
}

static void a_fork_asks_for_a_new_epoch_and_ships_that(void **state)
{
	struct rig *r = *state;
	produce(r, 10);
	seal(r);
	answer(r, 409, "{\"code\":\"forked\"}");
	assert_int_equal(r->out.orders[0].kind, SHIP_NEW_EPOCH);
	assert_int_equal(r->out.orders[0].epoch, epoch_of(r));
	nothing_to_ship(r);
	/* As the keeper does it. */
	struct spool_config c = spool_config(r);
	assert_int_equal(
	    spool_ack(r->spool, epoch_of(r), UINT64_MAX, NULL), ERR_FORKED);
	spool_close(r->spool);
	assert_int_equal(spool_open(&r->spool, &c, NULL), 0);
	produce(r, 2);
	seal(r);
	assert_int_equal(r->sent.epoch, epoch_of(r));
	assert_int_equal(r->sent.first_seq, 1);
	assert_int_equal(r->sent.gap_from, 1);
	commit(r, "a", 3);
	assert_int_equal(r->out.next, SHIPPING_GO_ON);
}

static void a_collector_that_knows_more_than_we_wrote_is_a_fork(void **state)
{
	struct rig *r = *state;
	produce(r, 10);
	seal(r);
	commit(r, "a", 500);
	assert_int_equal(r->out.orders[0].kind, SHIP_NEW_EPOCH);
	assert_int_equal(r->out.order_count, 1);
}

static void after_a_crash_the_old_epoch_goes_first(void **state)
{
	struct rig *r = *state;
	produce(r, 10);
	uint64_t old = epoch_of(r);
	/* No clean close: the marks of one are what a crash leaves out. */
	char *mark = xasprintf("%s/epoch", r->dir);
	char *saved = xasprintf("cp %s %s.saved", mark, mark);
	assert_int_equal(system(saved), 0);
	spool_close(r->spool);
	char *back = xasprintf("mv %s.saved %s", mark, mark);
	assert_int_equal(system(back), 0);
	struct spool_config c = spool_config(r);
	assert_int_equal(spool_open(&r->spool, &c, NULL), 0);
	produce(r, 3);
	assert_true(epoch_of(r) > old);
	seal(r);
	assert_int_equal(r->sent.epoch, old);
	assert_int_equal(r->sent.count, 10);
	commit(r, "a", 11);
	seal(r);
	assert_int_equal(r->sent.epoch, epoch_of(r));
	assert_int_equal(r->sent.gap_from, 1);
	commit(r, "a", 4);
	nothing_to_ship(r);
	free(mark);
	free(saved);
	free(back);
}

/* The collector refuses one record, number 6 of 10, for what is in it. */
static void one_record_that_is_refused_is_left_out_alone(void **state)
{
	struct rig *r = *state;
	int lost = 0, tries = 0;
	produce(r, 10);
	while (shipping_seal(r->shipping, &r->body, NULL) == 0) {
		assert_true(++tries < 50);
		batch_header_read(&r->sent, r->body.data, r->body.len, NULL);
		uint64_t end = r->sent.first_seq + r->sent.count;
		if (r->sent.first_seq <= 6 && end > 6)
			answer(r, 400, "{\"code\":\"malformed\"}");
		else
			commit(r, "a", end);
		for (size_t i = 0; i < r->out.order_count; i++)
			if (r->out.orders[i].kind == SHIP_LOST) {
				lost++;
				assert_int_equal(r->out.orders[i].from_seq, 6);
				assert_int_equal(r->out.orders[i].next_seq, 7);
			}
	}
	assert_int_equal(lost, 1);
	assert_int_equal(r->sent.first_seq + r->sent.count, 11);
}

static void refuse(struct rig *r, long status, const char *body)
{
	seal(r);
	answer(r, status, body);
	assert_int_equal(r->out.next, SHIPPING_RETRY);
	assert_int_equal(r->out.order_count, 0);
}

/* A proxy's own refusal, or a batch that was spoilt on its way. */
static void what_the_way_refuses_is_not_left_out(void **state)
{
	struct rig *r = *state;
	for (uint64_t seq = 1; seq < 5; seq++) {
		produce(r, 1);
		for (int i = 0; i < 5; i++) {
			refuse(r, 413, "<html>Request Too Large</html>");
			refuse(r, 400, "");
			refuse(r, 400, "{\"error\":\"bad request\"}");
		}
		refuse(r, 400, "{\"code\":\"malformed\"}");
		refuse(r, 413, "{\"code\":\"too-big\"}");
		seal(r);
		assert_int_equal(r->sent.first_seq, seq);
		commit(r, "a", seq + 1);
	}
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		TEST(records_go_once_and_in_order),
		TEST(a_lost_answer_sends_the_same_again),
		TEST(what_is_not_synced_is_not_shipped),
		TEST(an_answer_that_moves_nothing_is_trouble),
		TEST(a_busy_collector_says_when),
		TEST(a_restored_collector_gets_what_is_still_there),
		TEST(what_a_restored_collector_lost_for_good_is_declared),
		TEST(a_gap_at_the_number_that_was_sent_waits),
		TEST(a_fork_asks_for_a_new_epoch_and_ships_that),
		TEST(a_collector_that_knows_more_than_we_wrote_is_a_fork),
		TEST(after_a_crash_the_old_epoch_goes_first),
		TEST(one_record_that_is_refused_is_left_out_alone),
		TEST(what_the_way_refuses_is_not_left_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
