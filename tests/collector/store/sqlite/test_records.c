/* SPDX-License-Identifier: ISC */
/*
 * Records out of partitions: whatever is asked for by a plan or in SQL is what
 * a look at every record gives, in pages too, while partitions come and go.
 * The store is used without a collector, so that this thread is its writer.
 */
#include "tests/collector/fixture.h"

#include <sodium.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collector/ingest/kinds/ingest-kind.h"
#include "collector/store/sqlite/records-table.h"
#include "collector/store/sqlite/roll-over.h"
#include "lib/base/xalloc.h"

#define AGENTS 3
#define MOST 20000

/* What was stored, as the test knows it. */
struct known {
	struct block_head head;
	int64_t agent_row;
	uint64_t seq;
	uint64_t row; /* set by the first reading */
};
static struct known known[MOST];
static size_t known_count;
static struct synth agents[AGENTS];
static uint64_t next_seq[AGENTS];
static struct store_config config;
static struct store *store;
static char dir[64];

static void open_store(void)
{
	struct errmsg msg = { "" };
	if (store_sqlite.open(&store, &config, &msg) < 0)
		fail_msg("%s", msg.text);
}

static int setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/dev/shm/sonde-store-XXXXXX");
	assert_non_null(mkdtemp(dir));
	config = (struct store_config){ .dir = dir,
		.levels = { 60, 3600, 86400 },
		.prepare = ingest_prepare_record,
		.now = { DAY_START_NS } };
	srandom(11);
	known_count = 0;
	for (int a = 0; a < AGENTS; a++) {
		synth_new(&agents[a]);
		next_seq[a] = 1;
	}
	open_store();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	char command[100];
	store_sqlite.close(store);
	for (int a = 0; a < AGENTS; a++)
		synth_fini(&agents[a]);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command);
}

static const char *some_addr(void)
{
	static const char *const addrs[] = { "192.0.2.1", "192.0.2.2",
		"192.0.2.3", "2001:db8::1", "198.51.100.7" };
	return addrs[random() % 5];
}

static void add_some(struct synth *agent, int64_t at_ns)
{
	static const struct hop hops[] = { { "10.0.0.1", 1000, 1, 1 } };
	switch (random() % 3) {
	case 0: add_log(agent, "x"); break;
	case 1: add_sighting(agent, some_addr(), "slammer", at_ns, 1); break;
	default: add_trace(agent, some_addr(), some_addr(), at_ns, hops, 1);
	}
}

/* Of what the agent gathered; the caller frees. */
static struct prepared_batch *prepare(int a, uint64_t first_seq)
{
	struct prepared_batch *batch = xcalloc(1, sizeof(*batch));
	struct errmsg msg;
	batch->header = (struct batch_header){ .epoch = 1,
		.gap_from = first_seq,
		.first_seq = first_seq,
		.count = agents[a].count };
	memcpy(batch->header.agent, agents[a].id, 16);
	crypto_generichash(batch->header.digest, sizeof(batch->header.digest),
	    agents[a].raw.data, agents[a].raw.len, NULL, 0);
	buf_bytes(&batch->raw, agents[a].raw.data, agents[a].raw.len);
	batch->agent_row = a + 1;
	batch->produced_most = MOST;
	batch->received.ns = DAY_START_NS;
	if (prepared_batch_open(batch, ingest_prepare_record, &msg) < 0)
		fail_msg("%s", msg.text);
	prepared_batch_seal(batch, 0);
	buf_clear(&agents[a].raw);
	agents[a].count = 0;
	return batch;
}

static enum append_result append(struct prepared_batch *batch)
{
	struct store_outcome outcome;
	struct errmsg msg = { "" };
	if (store_sqlite.append(store, &batch, 1, &outcome, &msg) < 0)
		fail_msg("%s", msg.text);
	free(outcome.new_sources);
	if (outcome.result == APPEND_STORED)
		for (uint32_t i = outcome.first_new; i < batch->header.count;
		     i++) {
			struct known *k = &known[known_count++];
			assert_true(known_count < MOST);
			k->agent_row = batch->agent_row;
			k->seq = batch->header.first_seq + i;
			assert_int_equal(
			    block_head(&k->head, batch->records[i].body,
				batch->records[i].body_len),
			    0);
		}
	return outcome.result;
}

static void fill(unsigned batches, unsigned most)
{
	for (unsigned i = 0; i < batches; i++) {
		int a = (int)(random() % AGENTS);
		unsigned n = 1 + (unsigned)random() % most;
		int64_t at = DAY_START_NS + (int64_t)(i / 4) * 60 * NS_PER_S;
		for (unsigned k = 0; k < n; k++)
			add_some(&agents[a], at + random() % (200 * NS_PER_S));
		struct prepared_batch *batch = prepare(a, next_seq[a]);
		next_seq[a] += n;
		assert_int_equal(append(batch), APPEND_STORED);
		prepared_batch_free(batch);
	}
}

static void roll(void)
{
	struct errmsg msg = { "" };
	if (store_roll(store, &msg) < 0)
		fail_msg("%s", msg.text);
}

/* --- plans against the list --- */
struct plan_space {
	struct store_plan plan;
	uint8_t campaign[16];
};

static void make_plan(struct plan_space *s)
{
	static const uint32_t kinds[] = { SONDE__RECORD__BODY_LOG,
		SONDE__RECORD__BODY_SIGHTING, SONDE__RECORD__BODY_TRACE };
	*s = (struct plan_space){ 0 };
	struct store_plan *p = &s->plan;
	if (random() % 2) {
		p->range.from_ns = DAY_START_NS + random() % (3000 * NS_PER_S);
		p->range.to_ns =
		    p->range.from_ns + random() % (2000 * NS_PER_S);
	}
	for (int i = 0; i < 3; i++)
		if (random() % 3 == 0)
			p->kinds[p->kind_count++] = kinds[i];
	if (random() % 3 == 0)
		p->agent_row = 1 + random() % (AGENTS + 1);
	if (random() % 3 == 0)
		addr_parse(&p->src, some_addr());
	if (random() % 3 == 0)
		addr_parse(&p->dst, some_addr());
	if (random() % 2)
		p->limit = 1 + (uint32_t)random() % 200;
	if (random() % 3 == 0)
		p->order = STORE_STORED;
}

static bool matches(const struct store_plan *p, const struct known *k)
{
	const struct block_want want = { .from_ns = p->range.from_ns,
		.to_ns = p->range.to_ns,
		.kinds = p->kinds,
		.kind_count = p->kind_count,
		.src = p->src,
		.dst = p->dst };
	return block_wants_head(&want, &k->head) &&
	    (p->agent_row == 0 || p->agent_row == k->agent_row);
}

static int newest_first(const void *a, const void *b)
{
	const struct known *x = *(struct known *const *)a,
			   *y = *(struct known *const *)b;
	if (x->head.wall_ns != y->head.wall_ns)
		return x->head.wall_ns < y->head.wall_ns ? 1 : -1;
	return x->row < y->row ? 1 : -1;
}

static int by_row(const void *a, const void *b)
{
	const struct known *x = *(struct known *const *)a,
			   *y = *(struct known *const *)b;
	return x->row < y->row ? -1 : 1;
}

static size_t expected(const struct store_plan *p, struct known **list)
{
	size_t n = 0;
	for (size_t i = 0; i < known_count; i++)
		if (matches(p, &known[i]))
			list[n++] = &known[i];
	qsort(list, n, sizeof(*list),
	    p->order == STORE_STORED ? by_row : newest_first);
	return n;
}

struct got {
	struct store_record records[MOST];
	size_t count;
};
static struct got got;

static int take(void *ctx, const struct store_row *row)
{
	struct got *to = ctx;
	assert_true(to->count < MOST);
	to->records[to->count++] = *row->record;
	return 0;
}

static void read_plan(const struct store_plan *plan)
{
	struct store_view *view;
	struct errmsg msg = { "" };
	got.count = 0;
	assert_int_equal(store_sqlite.begin(store, &view, &msg), 0);
	if (store_sqlite.read(view, plan, take, &got, &msg) < 0)
		fail_msg("%s", msg.text);
	store_sqlite.end(view);
}

static void number_known(void)
{
	const struct store_plan all = { .order = STORE_STORED,
		.range = { .from_ns = INT64_MIN } };
	read_plan(&all);
	assert_int_equal(got.count, known_count);
	for (size_t i = 0; i < known_count; i++) {
		assert_int_equal(got.records[i].seq, known[i].seq);
		assert_int_equal(got.records[i].agent_row, known[i].agent_row);
		assert_memory_equal(got.records[i].agent,
		    agents[known[i].agent_row - 1].id, 16);
		known[i].row = got.records[i].row;
	}
}

static void expect_plan(struct store_plan *plan)
{
	static struct known *list[MOST];
	size_t all = expected(plan, list), at = 0;
	/* Page by page, below the last of each. */
	do {
		size_t n = all - at;
		if (plan->limit && n > plan->limit)
			n = plan->limit;
		read_plan(plan);
		assert_int_equal(got.count, n);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(got.records[i].row, list[at + i]->row);
		at += n;
		if (n > 0) {
			plan->cursor_ns = list[at - 1]->head.wall_ns;
			plan->cursor_row = list[at - 1]->row;
		}
	} while (plan->limit && got.count == plan->limit);
	assert_int_equal(at, all);
}

static void expect_plans(int rounds)
{
	number_known();
	for (int i = 0; i < rounds; i++) {
		struct plan_space s;
		make_plan(&s);
		expect_plan(&s.plan);
	}
}

static void every_plan_reads_what_it_asks_for(void **state)
{
	(void)state;
	fill(60, 40);
	expect_plans(200);
	roll();
	fill(300, 20); /* a full run and the beginning of another */
	expect_plans(200);
	roll();
	store_sqlite.close(store);
	open_store();
	fill(5, 300);
	expect_plans(200);
}

/* --- in SQL --- */
static int64_t ask(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *stmt;
	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	int64_t value = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return value;
}

static void add_blob(
    struct buf *sql, const char *column, const void *data, size_t len)
{
	const uint8_t *bytes = data;
	buf_printf(sql, " AND %s = x'", column);
	for (size_t i = 0; i < len; i++)
		buf_printf(sql, "%02x", bytes[i]);
	buf_printf(sql, "'");
}

/* The same question with the columns hidden behind a +, which no index of a
 * virtual table sees: SQLite looks at every record itself. */
static char *question(const struct store_plan *p, const char *plus)
{
	struct buf sql = { 0 };
	char column[16];
	buf_printf(&sql,
	    "SELECT count(*) * 1000000 + ifnull(sum(seq), 0) FROM records"
	    " WHERE 1");
	if (p->range.to_ns)
		buf_printf(&sql, " AND %swall_ns >= %lld AND %swall_ns < %lld",
		    plus, (long long)p->range.from_ns, plus,
		    (long long)p->range.to_ns);
	if (p->kind_count)
		buf_printf(&sql, " AND %skind = '%s'", plus,
		    record_kind_name((Sonde__Record__BodyCase)p->kinds[0]));
	snprintf(column, sizeof(column), "%sagent", plus);
	if (p->agent_row && p->agent_row <= AGENTS)
		add_blob(&sql, column, agents[p->agent_row - 1].id, 16);
	snprintf(column, sizeof(column), "%ssrc", plus);
	if (p->src.family)
		add_blob(&sql, column, p->src.bytes, addr_len(&p->src));
	snprintf(column, sizeof(column), "%sdst", plus);
	if (p->dst.family)
		add_blob(&sql, column, p->dst.bytes, addr_len(&p->dst));
	buf_u8(&sql, 0);
	return (char *)sql.data;
}

static void the_table_answers_as_a_look_at_each_record(void **state)
{
	(void)state;
	struct store_view *view;
	struct errmsg msg = { "" };
	sqlite3 *db;
	int64_t found = 0;
	fill(50, 60);
	roll();
	fill(50, 60);
	number_known();
	assert_int_equal(store_sqlite.begin(store, &view, &msg), 0);
	assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
	assert_int_equal(
	    records_table_declare(db, &store_sqlite, view, &msg), 0);
	for (int i = 0; i < 120; i++) {
		struct plan_space s;
		make_plan(&s);
		char *by_index = question(&s.plan, "");
		char *by_look = question(&s.plan, "+");
		int64_t want = ask(db, by_look), have = ask(db, by_index);
		if (want != have)
			fail_msg("%s: %lld, expected %lld", by_index,
			    (long long)have, (long long)want);
		found += have > 0;
		free(by_index);
		free(by_look);
	}
	assert_true(found > 20);
	assert_int_equal(ask(db, "SELECT count(*) FROM records"), known_count);
	assert_int_equal(
	    ask(db,
		"SELECT count(*) FROM (SELECT wall_ns, lag(wall_ns) OVER () AS"
		" before FROM (SELECT wall_ns FROM records ORDER BY wall_ns"
		" DESC)) WHERE before < wall_ns"),
	    0);
	sqlite3_close(db);
	store_sqlite.end(view);
}

/* --- partitions that go --- */
static void a_view_keeps_what_it_saw(void **state)
{
	(void)state;
	struct store_view *view;
	struct errmsg msg = { "" };
	const struct store_plan all = { .range = { .from_ns = INT64_MIN } };
	fill(10, 50);
	size_t before = known_count;
	assert_int_equal(store_sqlite.begin(store, &view, &msg), 0);
	roll();
	fill(10, 50);
	assert_int_equal(partition_drop_oldest(&store->partitions, &msg), 0);
	got.count = 0;
	assert_int_equal(store_sqlite.read(view, &all, take, &got, &msg), 0);
	assert_int_equal(got.count, before);
	store_sqlite.end(view);
	read_plan(&all);
	assert_int_equal(got.count, known_count - before);
	/* The watermarks went on into the next partition. */
	store_sqlite.close(store);
	open_store();
	struct store_stats stats;
	assert_int_equal(store_sqlite.stats(store, &stats, &msg), 0);
	assert_int_equal(stats.stored, known_count);
	assert_int_equal(stats.records, known_count - before);
}

static void what_comes_again_is_compared_over_partitions(void **state)
{
	(void)state;
	for (int i = 0; i < 30; i++)
		add_sighting(
		    &agents[0], "192.0.2.1", "slammer", DAY_START_NS + i, 1);
	struct prepared_batch *first = prepare(0, 1);
	assert_int_equal(append(first), APPEND_STORED);
	roll();
	assert_int_equal(append(first), APPEND_DUPLICATE);
	prepared_batch_free(first);
	/* Other borders, the same bytes, and one more. */
	for (int i = 10; i < 31; i++)
		add_sighting(
		    &agents[0], "192.0.2.1", "slammer", DAY_START_NS + i, 1);
	struct prepared_batch *tail = prepare(0, 11);
	assert_int_equal(append(tail), APPEND_STORED);
	prepared_batch_free(tail);
	assert_int_equal(known_count, 31);
	number_known();
	for (int i = 10; i < 31; i++)
		add_sighting(&agents[0], "192.0.2.1", "slammer",
		    DAY_START_NS + i, i == 20 ? 2 : 1);
	struct prepared_batch *other = prepare(0, 11);
	other->header.count = 21;
	assert_int_equal(append(other), APPEND_FORKED);
	prepared_batch_free(other);
	number_known();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_plan_reads_what_it_asks_for),
		TEST(the_table_answers_as_a_look_at_each_record),
		TEST(a_view_keeps_what_it_saw),
		TEST(what_comes_again_is_compared_over_partitions),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
