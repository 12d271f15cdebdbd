/* SPDX-License-Identifier: ISC */
/* Every answer of the ingest table, and that a refusal changes nothing. */
#include "tests/collector/fixture.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "collector/core/stats.h"
#include "lib/record/batch.h"
#include "lib/base/xalloc.h"

static struct synth agent;

static int setup(void **state)
{
	int err = fixture_setup(state);
	if (err == 0)
		fixture_enrol(*state, &agent, "a", NULL);
	return err;
}

static int teardown(void **state)
{
	synth_fini(&agent);
	return fixture_teardown(state);
}

/* Everything that a batch could change. */
static int64_t footprint(struct fixture *f)
{
	return fixture_sql(f,
	    "SELECT (SELECT count(*) FROM records) * 1000000 +"
	    " (SELECT count(*) FROM blocks) * 1000 +"
	    " (SELECT count(*) FROM digests) * 100 +"
	    " (SELECT ifnull(sum(next + stored + lost), 0)"
	    "  FROM watermarks)");
}

static void add_logs(unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		char text[32];
		snprintf(text, sizeof(text), "%llu",
		    (unsigned long long)(agent.next_seq + i));
		add_log(&agent, text);
	}
}

/* What add_logs gathers, as records first to first + count - 1. */
static struct ingest_answer send_logs(struct fixture *f, uint64_t epoch,
    uint64_t gap_from, uint64_t first, unsigned count)
{
	struct batch_header h = { .epoch = epoch,
		.gap_from = gap_from,
		.first_seq = first,
		.count = count };
	agent.next_seq = first;
	buf_clear(&agent.raw);
	agent.count = 0;
	add_logs(count);
	return fixture_send_as(f, &agent, &h);
}

/* A batch and the answer to it. */
struct step {
	uint64_t epoch, gap_from, first;
	unsigned count;
	enum ingest_result result;
	uint64_t next; /* of stored, duplicate and gap */
};

static void take_step(struct fixture *f, const struct step *s)
{
	int64_t before = footprint(f);
	struct ingest_answer a =
	    send_logs(f, s->epoch, s->gap_from, s->first, s->count);
	assert_string_equal(
	    ingest_result_name(a.result), ingest_result_name(s->result));
	if (a.result != INGEST_STORED)
		assert_int_equal(footprint(f), before);
	if (a.result == INGEST_FORKED || a.result == INGEST_MALFORMED ||
	    a.result == INGEST_IMPLAUSIBLE)
		return;
	assert_int_equal(a.next, s->next);
	assert_int_equal(a.epoch, s->epoch);
}

#define TAKE(f, ...)                                                        \
	do {                                                                \
		const struct step steps[] = { __VA_ARGS__ };                \
		for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) \
			take_step(f, &steps[i]);                            \
	} while (0)

static void check_counts(struct fixture *f, int64_t stored, int64_t lost)
{
	assert_int_equal(
	    fixture_sql(f, "SELECT count(*) FROM records"), stored);
	assert_int_equal(
	    fixture_sql(f, "SELECT sum(stored) FROM watermarks"), stored);
	assert_int_equal(
	    fixture_sql(f, "SELECT sum(lost + unnumbered) FROM watermarks"),
	    lost);
}

static void a_batch_is_stored_and_the_watermark_moves(void **state)
{
	TAKE(*state, { 1, 1, 1, 3, INGEST_STORED, 4 },
	    { 1, 4, 4, 2, INGEST_STORED, 6 });
	check_counts(*state, 5, 0);
	assert_int_equal(
	    fixture_sql(*state, "SELECT sum(seq) FROM records"), 15);
}

static void a_batch_sent_again_is_acknowledged_and_ignored(void **state)
{
	TAKE(*state, { 1, 1, 1, 3, INGEST_STORED, 4 },
	    { 1, 4, 4, 3, INGEST_STORED, 7 },
	    { 1, 1, 1, 3, INGEST_DUPLICATE, 7 },
	    /* With other borders too. */
	    { 1, 2, 2, 4, INGEST_DUPLICATE, 7 });
	check_counts(*state, 6, 0);
}

static void an_overlap_inserts_its_tail(void **state)
{
	TAKE(*state, { 1, 1, 1, 3, INGEST_STORED, 4 },
	    { 1, 2, 2, 4, INGEST_STORED, 6 });
	check_counts(*state, 5, 0);
}

static void a_gap_is_answered_with_what_was_expected(void **state)
{
	TAKE(*state, { 1, 1, 1, 3, INGEST_STORED, 4 },
	    { 1, 6, 6, 2, INGEST_GAP, 4 },
	    /* A declared range that does not start at the watermark. */
	    { 1, 5, 7, 2, INGEST_GAP, 4 }, { 1, 3, 7, 2, INGEST_GAP, 4 });
	check_counts(*state, 3, 0);
}

static void a_declared_gap_passes_the_watermark(void **state)
{
	TAKE(*state, { 1, 1, 1, 3, INGEST_STORED, 4 },
	    { 1, 4, 10, 2, INGEST_STORED, 12 });
	check_counts(*state, 5, 6);
}

static void a_new_epoch_starts_at_one(void **state)
{
	TAKE(*state, { 3, 1, 1, 3, INGEST_STORED, 4 },
	    { 5, 2, 2, 1, INGEST_GAP, 1 }, { 5, 1, 4, 1, INGEST_STORED, 5 },
	    /* The epoch before is still known, one never seen is not. */
	    { 3, 4, 4, 1, INGEST_STORED, 5 }, { 4, 1, 1, 1, INGEST_FORKED, 0 });
	check_counts(*state, 5, 3);
}

static void numbers_beyond_63_bits_are_malformed(void **state)
{
	TAKE(*state, { UINT64_MAX, 1, 1, 1, INGEST_MALFORMED, 0 },
	    { 1, 1, (uint64_t)INT64_MAX, 1, INGEST_MALFORMED, 0 });
}

#define DAY_S UINT64_C(86400)
#define PER_S UINT64_C(100000)

static int64_t implausible_events(struct fixture *f)
{
	return fixture_sql(f,
	    "SELECT count(*) FROM registry.events"
	    " WHERE data LIKE '%implausible%'");
}

static void a_number_that_no_agent_can_have_reached_is_refused(void **state)
{
	struct fixture *f = *state;
	uint64_t most = DAY_S * PER_S;
	TAKE(f, { 1, 1, most + 1, 1, INGEST_IMPLAUSIBLE, 0 },
	    { 1, 1, most, 2, INGEST_IMPLAUSIBLE, 0 },
	    { 1, 1, UINT64_C(1) << 62, 1, INGEST_IMPLAUSIBLE, 0 },
	    { UINT64_C(1) << 40, 1, 1, 1, INGEST_IMPLAUSIBLE, 0 });
	assert_int_equal(implausible_events(f), 1);
	/* All of it is what it may have produced, in one jump. */
	TAKE(f, { 1, 1, most - 1, 2, INGEST_STORED, most + 1 },
	    { 1, most + 1, most + 1, 1, INGEST_IMPLAUSIBLE, 0 });
	check_counts(f, 2, (int64_t)most - 2);
	/* Told once in ten minutes, not for each batch. */
	assert_int_equal(implausible_events(f), 1);
}

static void epochs_share_what_is_plausible(void **state)
{
	struct fixture *f = *state;
	uint64_t most = DAY_S * PER_S;
	TAKE(f, { 1, 1, most - 1, 1, INGEST_STORED, most },
	    { 2, 1, 1, 2, INGEST_IMPLAUSIBLE, 0 },
	    { 2, 1, 1, 1, INGEST_STORED, 2 },
	    { 3, 1, 1, 1, INGEST_IMPLAUSIBLE, 0 });
}

static void an_agent_that_was_away_for_long_jumps_far(void **state)
{
	struct fixture *f = *state;
	uint64_t year_s = 365 * DAY_S, jump = year_s * PER_S;
	/* Or the upkeep lets them go, whenever its turn comes. */
	f->config.raw_age_ns = 0;
	fixture_reopen(f);
	TAKE(f, { 1, 1, 1, 1, INGEST_STORED, 2 },
	    { 1, 2, jump, 1, INGEST_IMPLAUSIBLE, 0 });
	fixture_sleep(f, (int64_t)year_s * NS_PER_S);
	TAKE(f, { 1, 2, jump, 1, INGEST_STORED, jump + 1 });
	/* Our clock goes back to before the enrolment: what is known stays. */
	fixture_sleep(f, -2 * (int64_t)year_s * NS_PER_S);
	TAKE(f, { 1, 1, 1, 1, INGEST_DUPLICATE, jump + 1 });
}

/* As the first record of epoch 2. */
static struct ingest_answer send_made_gap(struct fixture *f, Sonde__Gap *gap)
{
	Sonde__Record record = SONDE__RECORD__INIT;
	struct batch_header h = {
		.epoch = 2, .gap_from = 1, .first_seq = 1, .count = 1
	};
	gap->reason = (char *)"full";
	record.wall_ns = record.mono_ns = DAY_START_NS;
	record.body_case = SONDE__RECORD__BODY_GAP;
	record.gap = gap;
	buf_clear(&agent.raw);
	agent.count = 0;
	synth_add(&agent, &record);
	return fixture_send_as(f, &agent, &h);
}

static struct ingest_answer send_gap(struct fixture *f, uint64_t epoch,
    uint64_t from, uint64_t to, uint64_t unnumbered)
{
	Sonde__Gap gap = SONDE__GAP__INIT;
	gap.epoch = epoch;
	gap.from_seq = from;
	gap.to_seq = to;
	gap.unnumbered = unnumbered;
	return send_made_gap(f, &gap);
}

static void a_gap_of_numbers_that_were_never_given_is_refused(void **state)
{
	struct fixture *f = *state;
	int64_t before = footprint(f);
	static const struct {
		uint64_t epoch, from, to;
	} gaps[] = { { 2, 1, 2 }, { 2, 1, 1000 }, { 3, 1, 1 },
		{ 1, 1, UINT64_C(1) << 60 },
		{ 1, UINT64_C(1) << 61, UINT64_C(1) << 61 } };
	for (size_t i = 0; i < sizeof(gaps) / sizeof(gaps[0]); i++) {
		struct ingest_answer a =
		    send_gap(f, gaps[i].epoch, gaps[i].from, gaps[i].to, 0);
		assert_string_equal(
		    ingest_result_name(a.result), "implausible");
		assert_non_null(strstr(a.detail.text, "record 0: gap of"));
	}
	assert_int_equal(footprint(f), before);
	assert_int_equal(send_gap(f, 1, 1, 1000, 5).result, INGEST_STORED);
	check_counts(f, 1, 5);
}

/* Each is counted or refused, none is stored uncounted. */
static void a_gap_that_is_no_range_is_refused(void **state)
{
	struct fixture *f = *state;
	static const struct {
		uint64_t from, to, unnumbered;
		uint64_t more[2];
		size_t more_count;
	} gaps[] = { { 2, 1, 0, { 0 }, 0 }, { UINT64_MAX, 0, 0, { 0 }, 0 },
		{ 0, 1, 0, { 0 }, 0 }, { 1, 1, 0, { 1, UINT64_C(1) << 60 }, 2 },
		{ 1, 1, 0, { 0, 1 }, 2 }, { 1, 1, 0, { 1, 0 }, 2 },
		{ 1, 1, 0, { 1 }, 1 }, { 1, 1, 0, { UINT64_MAX, 2 }, 2 },
		{ 0, 0, UINT64_C(1) << 32, { 0 }, 0 },
		{ 0, 0, UINT64_MAX, { 0 }, 0 } };
	TAKE(f, { 1, 1, 1, 5, INGEST_STORED, 6 });
	int64_t before = footprint(f);
	for (size_t i = 0; i < sizeof(gaps) / sizeof(gaps[0]); i++) {
		uint64_t more[2] = { gaps[i].more[0], gaps[i].more[1] };
		Sonde__Gap gap = SONDE__GAP__INIT;
		gap.epoch = 1;
		gap.from_seq = gaps[i].from;
		gap.to_seq = gaps[i].to;
		gap.unnumbered = gaps[i].unnumbered;
		gap.more = more;
		gap.n_more = gaps[i].more_count;
		struct ingest_answer a = send_made_gap(f, &gap);
		if (a.result != INGEST_IMPLAUSIBLE)
			fail_msg(
			    "gap %zu: %s", i, ingest_result_name(a.result));
		assert_non_null(strstr(a.detail.text, "record 0: gap of"));
	}
	assert_int_equal(footprint(f), before);
	uint64_t more[] = { 1, 2 };
	Sonde__Gap gap = SONDE__GAP__INIT;
	gap.epoch = 1;
	gap.from_seq = gap.to_seq = 1;
	gap.more = more;
	gap.n_more = 2;
	assert_int_equal(send_made_gap(f, &gap).result, INGEST_STORED);
}

static void unnumbered_gaps_count_as_produced(void **state)
{
	struct fixture *f = *state;
	uint64_t most = DAY_S * PER_S;
	TAKE(f, { 1, 1, most - 100, 1, INGEST_STORED, most - 99 });
	assert_int_equal(send_gap(f, 1, 1, 1, 100).result, INGEST_IMPLAUSIBLE);
	assert_int_equal(send_gap(f, 1, 1, 1, 99).result, INGEST_STORED);
}

/* Bytes as they are, refused, and nothing is changed. */
static struct ingest_answer refuse(
    struct fixture *f, const void *body, size_t len, enum ingest_result result)
{
	int64_t before = footprint(f);
	struct ingest_answer a = fixture_send(f, body, len);
	assert_string_equal(
	    ingest_result_name(a.result), ingest_result_name(result));
	assert_int_equal(footprint(f), before);
	return a;
}

static void other_bytes_under_used_numbers_are_a_fork(void **state)
{
	struct fixture *f = *state;
	TAKE(f, { 1, 1, 1, 3, INGEST_STORED, 4 });
	int64_t before = footprint(f);
	struct batch_header h = {
		.epoch = 1, .gap_from = 1, .first_seq = 1, .count = 3
	};
	buf_clear(&agent.raw);
	for (int i = 0; i < 3; i++)
		add_log(&agent, "not what it was");
	assert_int_equal(fixture_send_as(f, &agent, &h).result, INGEST_FORKED);
	/* Neither may an overlap bring a changed past. */
	add_log(&agent, "new");
	h.count = 4;
	assert_int_equal(fixture_send_as(f, &agent, &h).result, INGEST_FORKED);
	assert_int_equal(footprint(f), before);
	assert_int_equal(
	    fixture_sql(
		f, "SELECT count(*) FROM events WHERE data LIKE '%forked%'"),
	    1);
}

static void a_header_that_lies_is_malformed(void **state)
{
	struct fixture *f = *state;
	struct buf body = { 0 };
	add_logs(2);
	assert_true(synth_seal(&agent, &body));
	refuse(f, "", 0, INGEST_MALFORMED);
	refuse(f, "GET / HTTP/1.1", 14, INGEST_MALFORMED);
	for (size_t len = 1; len < body.len; len += 7)
		refuse(f, body.data, len, INGEST_MALFORMED);
	body.data[4] ^= 2; /* version */
	refuse(f, body.data, body.len, INGEST_MALFORMED);
	buf_fini(&body);
}

/* The header and the records are what is signed; how they were packed is not.
 * A flip that unpacks to the same bytes is the same batch. */
static void a_flipped_bit_is_refused_or_changes_nothing(void **state)
{
	struct fixture *f = *state;
	struct buf body = { 0 };
	add_logs(3);
	assert_true(synth_seal(&agent, &body));
	int64_t before = footprint(f);
	size_t header = body.len - 4, accepted = 0;
	while (memcmp(body.data + header, "\x28\xb5\x2f\xfd", 4) != 0)
		header--; /* the zstd frame's magic */
	for (size_t i = 0; i < body.len; i++) {
		body.data[i] ^= 0x10;
		struct ingest_answer a = fixture_send(f, body.data, body.len);
		body.data[i] ^= 0x10;
		if (ingest_result_status(a.result) == 200)
			accepted++;
		assert_true(
		    i >= header || ingest_result_status(a.result) != 200);
	}
	assert_true(accepted < 4);
	if (accepted == 0)
		assert_int_equal(footprint(f), before);
	struct ingest_answer a = fixture_send(f, body.data, body.len);
	assert_int_equal(a.result, accepted ? INGEST_DUPLICATE : INGEST_STORED);
	buf_fini(&body);
}

static void a_stranger_is_unknown(void **state)
{
	struct fixture *f = *state;
	struct synth stranger;
	struct buf body = { 0 };
	synth_new(&stranger);
	add_log(&stranger, "hello");
	assert_true(synth_seal(&stranger, &body));
	refuse(f, body.data, body.len, INGEST_UNKNOWN_AGENT);
	/* With a known name on it, it is a bad signature. */
	memcpy(body.data + 8, agent.id, sizeof(agent.id));
	refuse(f, body.data, body.len, INGEST_SIGNATURE);
	buf_fini(&body);
	synth_fini(&stranger);
}

/* Signs a header around bytes that batch_seal would not make. */
static void seal_raw(struct buf *to, uint32_t count, uint32_t raw_len,
    const void *packed, size_t packed_len)
{
	uint8_t digest[32] = { 0 }, signature[64];
	buf_bytes(to, "SNDB\1\1\0\0", 8);
	buf_bytes(to, agent.id, 16);
	buf_be64(to, 1);
	buf_be64(to, 1);
	buf_be64(to, 1);
	buf_be32(to, count);
	buf_be32(to, raw_len);
	buf_be32(to, (uint32_t)packed_len);
	buf_bytes(to, digest, sizeof(digest));
	crypto_sign_detached(signature, NULL, to->data, to->len, agent.secret);
	buf_bytes(to, signature, sizeof(signature));
	buf_bytes(to, packed, packed_len);
}

static void too_big_and_bombs_are_refused(void **state)
{
	struct fixture *f = *state;
	size_t len = 256u << 20, bound = ZSTD_compressBound(len);
	void *zeros = xcalloc(1, len), *packed = xmalloc(bound);
	size_t packed_len = ZSTD_compress(packed, bound, zeros, len, 3);
	struct buf body = { 0 };
	assert_false(ZSTD_isError(packed_len));
	assert_true(packed_len < BATCH_MAX_PACKED);
	const struct {
		uint32_t count, raw_len;
		enum ingest_result result;
	} cases[] = {
		{ 1, 1000, INGEST_BOMB },
		{ 1, BATCH_MAX_RAW + 1, INGEST_TOO_BIG },
		{ BATCH_MAX_COUNT + 1, 1000, INGEST_TOO_BIG },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		buf_clear(&body);
		seal_raw(&body, cases[i].count, cases[i].raw_len, packed,
		    packed_len);
		refuse(f, body.data, body.len, cases[i].result);
	}
	buf_fini(&body);
	free(zeros);
	free(packed);
}

static void a_record_that_does_not_decode_spoils_its_batch(void **state)
{
	struct fixture *f = *state;
	struct batch_header h = {
		.epoch = 1, .gap_from = 1, .first_seq = 1, .count = 3
	};
	buf_clear(&agent.raw);
	add_log(&agent, "one");
	buf_be32(&agent.raw, 3);
	buf_bytes(&agent.raw, "\xff\xff\xff", 3);
	add_log(&agent, "three");
	int64_t before = footprint(f);
	struct ingest_answer a = fixture_send_as(f, &agent, &h);
	assert_int_equal(a.result, INGEST_MALFORMED);
	assert_non_null(strstr(a.detail.text, "record 1"));
	assert_int_equal(footprint(f), before);
}

/* Nowhere is it another text than elsewhere. */
static void a_text_with_a_nul_spoils_its_batch(void **state)
{
	struct fixture *f = *state;
	struct batch_header h = {
		.epoch = 1, .gap_from = 1, .first_seq = 1, .count = 1
	};
	buf_clear(&agent.raw);
	add_sighting(&agent, "198.51.100.1", "slammer", f->now_ns, 1);
	uint8_t *at = memmem(agent.raw.data, agent.raw.len, "slammer", 7);
	assert_non_null(at);
	at[4] = 0;
	int64_t before = footprint(f);
	struct ingest_answer a = fixture_send_as(f, &agent, &h);
	assert_int_equal(a.result, INGEST_MALFORMED);
	assert_non_null(strstr(a.detail.text, "signature: "));
	assert_int_equal(footprint(f), before);
}

static void every_result_has_a_name_and_a_status(void **state)
{
	(void)state;
	for (int r = 0; r < INGEST_RESULTS; r++) {
		assert_non_null(ingest_result_name((enum ingest_result)r));
		int status = ingest_result_status((enum ingest_result)r);
		assert_true(status == 200 || (status >= 400 && status < 600));
	}
}

static void counted(void *ctx, const struct ingest_answer *answer)
{
	_Atomic int *counts = ctx;
	counts[answer->result]++;
}

/* Many batches at once, more than the queue takes: each is answered once, by
 * stored or busy, and closing answers the rest. */
static void a_full_queue_is_busy_and_closing_drains_it(void **state)
{
	struct fixture *f = *state;
	enum { AGENTS = 40 };
	static struct synth agents[AGENTS];
	_Atomic int counts[INGEST_RESULTS] = { 0 };
	for (int i = 0; i < AGENTS; i++) {
		char name[24];
		snprintf(name, sizeof(name), "many-%d", i);
		fixture_enrol(f, &agents[i], name, NULL);
	}
	f->config.queue_batches = 10;
	fixture_reopen(f);
	for (int i = 0; i < AGENTS; i++) {
		struct buf body = { 0 };
		for (int k = 0; k < 200; k++)
			add_log(&agents[i], "x");
		assert_true(synth_seal(&agents[i], &body));
		collector_ingest(f->c, body.data, body.len, counted, counts);
		buf_fini(&body);
		synth_fini(&agents[i]);
	}
	fixture_close(f);
	assert_int_equal(counts[INGEST_STORED] + counts[INGEST_BUSY], AGENTS);
	fixture_open(f);
	assert_int_equal(fixture_sql(f, "SELECT count(*) FROM records"),
	    counts[INGEST_STORED] * 200);
}

static void metrics_count_what_was_answered(void **state)
{
	struct fixture *f = *state;
	struct collector_metrics m;
	TAKE(f, { 1, 1, 1, 3, INGEST_STORED, 4 },
	    { 1, 1, 1, 3, INGEST_DUPLICATE, 4 }, { 1, 9, 9, 3, INGEST_GAP, 4 });
	collector_metrics(f->c, &m);
	assert_int_equal(m.batches[INGEST_STORED], 1);
	assert_int_equal(m.batches[INGEST_DUPLICATE], 1);
	assert_int_equal(m.batches[INGEST_GAP], 1);
	assert_int_equal(m.records_stored, 3);
	assert_true(m.commits >= 3);
	assert_int_equal(m.agents[AGENT_UP], 1);
	json_t *checks;
	assert_true(collector_health(f->c, &checks));
	json_decref(checks);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_batch_is_stored_and_the_watermark_moves),
		TEST(a_batch_sent_again_is_acknowledged_and_ignored),
		TEST(an_overlap_inserts_its_tail),
		TEST(a_gap_is_answered_with_what_was_expected),
		TEST(a_declared_gap_passes_the_watermark),
		TEST(a_new_epoch_starts_at_one),
		TEST(other_bytes_under_used_numbers_are_a_fork),
		TEST(a_header_that_lies_is_malformed),
		TEST(a_flipped_bit_is_refused_or_changes_nothing),
		TEST(a_stranger_is_unknown),
		TEST(too_big_and_bombs_are_refused),
		TEST(a_record_that_does_not_decode_spoils_its_batch),
		TEST(a_text_with_a_nul_spoils_its_batch),
		TEST(numbers_beyond_63_bits_are_malformed),
		TEST(a_number_that_no_agent_can_have_reached_is_refused),
		TEST(epochs_share_what_is_plausible),
		TEST(an_agent_that_was_away_for_long_jumps_far),
		TEST(a_gap_of_numbers_that_were_never_given_is_refused),
		TEST(a_gap_that_is_no_range_is_refused),
		TEST(unnumbered_gaps_count_as_produced),
		TEST(every_result_has_a_name_and_a_status),
		TEST(a_full_queue_is_busy_and_closing_drains_it),
		TEST(metrics_count_what_was_answered),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
