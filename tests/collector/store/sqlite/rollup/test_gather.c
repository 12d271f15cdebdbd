/* SPDX-License-Identifier: ISC */
/*
 * Rollups equal a recount: random batches of three agents, random flushes,
 * merges, crashes with what is gathered again, late data; then every table is
 * compared with what the records say one by one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <sodium.h>

#include "collector/ingest/kinds/ingest-kind.h"
#include "collector/store/sqlite/rollup/flush.h"
#include "collector/store/sqlite/rollup/bins.h"
#include "collector/store/sqlite/rollup/gather-private.h"
#include "analysis/path-set.h"
#include "lib/base/xalloc.h"

#define SEEDS 20
#define BATCHES 60
#define AGENTS 3
#define SOURCES 30
#define ROUTES 6
#define START_S (INT64_C(1795219200) - 2 * 86400)
#define SPAN_S (3 * 86400)

struct sent_sighting {
	int64_t agent, bin, first_ns, last_ns;
	struct addr src;
	const char *verdict, *signature;
	uint32_t proto, dport;
	uint64_t packets, targets;
};
struct sent_trace {
	int64_t agent, at_ns;
	struct path path;
	uint8_t digest[PATH_DIGEST_LEN];
};
struct world {
	char dir[64], path[80];
	struct store_config config;
	struct gather *gather;
	struct prepared_batch *batches[BATCHES];
	size_t batch_count;
	struct sent_sighting *sightings;
	size_t sighting_count;
	struct sent_trace *traces;
	size_t trace_count;
	uint64_t run_records[AGENTS + 1][4]; /* by run */
	uint64_t gap_records;
	size_t news; /* new sources that were reported */
};

static unsigned pick(unsigned n)
{
	return (unsigned)random() % n;
}

static const char *const verdicts[] = { "worm", "worm", "scan" };
static const char *const signatures[] = { "slammer", "mirai", "" };

static int64_t random_time(void)
{
	/* Most of it late in the span, some much earlier. */
	int64_t s = pick(4) ? SPAN_S - 7200 + (int64_t)pick(7200)
			    : (int64_t)pick(SPAN_S);
	return (START_S + s) * NS_PER_S + (int64_t)pick(1000000000);
}

static struct addr source_addr(unsigned i)
{
	struct addr addr;
	char text[64];
	snprintf(text, sizeof(text), i % 5 ? "198.51.%u.%u" : "2001:db8::%x:%x",
	    i % 3, i);
	assert_int_equal(addr_parse(&addr, text), ERR_OK);
	return addr;
}

static void pack(struct prepared_batch *batch, const Sonde__Record *record)
{
	struct buf body = { 0 };
	assert_int_equal(record_pack(record, &body, NULL), ERR_OK);
	buf_be32(&batch->raw, (uint32_t)body.len);
	buf_bytes(&batch->raw, body.data, body.len);
	buf_fini(&body);
	batch->header.count++;
}

static ProtobufCBinaryData octets(const void *data, size_t len)
{
	return (ProtobufCBinaryData){ len, (uint8_t *)(uintptr_t)data };
}

static void add_sighting(struct world *w, struct prepared_batch *batch)
{
	Sonde__Record record = SONDE__RECORD__INIT;
	Sonde__Sighting s = SONDE__SIGHTING__INIT;
	unsigned class = pick(3);
	struct addr src = source_addr(pick(SOURCES) * pick(2));
	int64_t at = random_time();
	s.src = octets(src.bytes, addr_len(&src));
	s.verdict = (char *)(uintptr_t)verdicts[class];
	s.signature = (char *)(uintptr_t)signatures[class];
	s.proto = pick(2) ? 6 : 17;
	s.dport = 20 + pick(2);
	s.first_wall_ns = at;
	s.last_wall_ns = at + (int64_t)pick(1000000000);
	/* Long tails make heavy and light ones. */
	s.packets = 1 + pick(3) * pick(3) * pick(30);
	s.targets = 1 + pick(5);
	s.spoofable = pick(2);
	record.wall_ns = at;
	record.body_case = SONDE__RECORD__BODY_SIGHTING;
	record.sighting = &s;
	pack(batch, &record);
	w->sightings = xreallocarray(
	    w->sightings, w->sighting_count + 1, sizeof(*w->sightings));
	w->sightings[w->sighting_count++] = (struct sent_sighting){
		.agent = batch->agent_row,
		.bin = at / NS_PER_S,
		.first_ns = at,
		.last_ns = s.last_wall_ns,
		.src = src,
		.verdict = s.verdict,
		.signature = s.signature,
		.proto = s.proto,
		.dport = s.dport,
		.packets = s.packets,
		.targets = s.targets,
	};
}

static void add_trace(struct world *w, struct prepared_batch *batch)
{
	Sonde__Record record = SONDE__RECORD__INIT;
	Sonde__Trace trace = SONDE__TRACE__INIT;
	Sonde__Reply replies[8], *pointers[8];
	unsigned route = pick(ROUTES), n = 2 + route % 4;
	struct addr src = addr_v4(0x0a000000 + (uint32_t)batch->agent_row);
	struct addr hops[8], dst = addr_v4(0xc6336400 + route);
	uint8_t campaign[16] = { 7, (uint8_t)pick(2) };
	int64_t at = random_time();
	for (unsigned i = 0; i < n; i++) {
		Sonde__Reply *r = &replies[i];
		sonde__reply__init(r);
		hops[i] = i + 1 == n
		    ? dst
		    : addr_v4(0xc0000200 + i * 8 + route % (i + 1));
		r->probe_ttl = i + 1;
		r->attempt = 1;
		r->tx_wall_ns = at;
		if (pick(12)) {
			r->from = octets(hops[i].bytes, 4);
			REPLY_SET(r, RTT_NS, rtt_ns,
			    (i + 1) * 1000000 + pick(400000));
			r->rx_wall_ns = at + (int64_t)r->rtt_ns;
		}
		pointers[i] = r;
	}
	trace.src = octets(src.bytes, 4);
	trace.dst = octets(dst.bytes, 4);
	trace.method = (char *)(uintptr_t) "udp";
	trace.stop_reason = (char *)(uintptr_t) "completed";
	trace.replies = pointers;
	trace.n_replies = n;
	record.wall_ns = at;
	record.campaign = octets(campaign, 16);
	record.run = 1 + pick(3);
	record.body_case = SONDE__RECORD__BODY_TRACE;
	record.trace = &trace;
	pack(batch, &record);
	if (campaign[1] == 0)
		w->run_records[batch->agent_row][record.run]++;
	w->traces =
	    xreallocarray(w->traces, w->trace_count + 1, sizeof(*w->traces));
	struct sent_trace *sent = &w->traces[w->trace_count++];
	*sent = (struct sent_trace){ .agent = batch->agent_row, .at_ns = at };
	path_from_trace(&sent->path, &trace, at);
	path_digest(&sent->path, sent->digest);
}

static void add_gap(struct world *w, struct prepared_batch *batch)
{
	Sonde__Record record = SONDE__RECORD__INIT;
	Sonde__Gap gap = SONDE__GAP__INIT;
	gap.epoch = 1;
	gap.from_seq = 5;
	gap.to_seq = 5 + pick(9);
	gap.reason = (char *)(uintptr_t) "spool-full";
	record.wall_ns = random_time();
	record.body_case = SONDE__RECORD__BODY_GAP;
	record.gap = &gap;
	pack(batch, &record);
	w->gap_records += gap.to_seq - gap.from_seq + 1;
}

static void make_batch(struct world *w)
{
	struct prepared_batch *batch = xcalloc(1, sizeof(*batch));
	batch->agent_row = 1 + pick(AGENTS);
	batch->header.agent[0] = (uint8_t)batch->agent_row;
	batch->received.ns = (START_S + SPAN_S) * NS_PER_S;
	unsigned n = 1 + pick(40);
	for (unsigned i = 0; i < n; i++) {
		unsigned what = pick(20);
		if (what < 11)
			add_sighting(w, batch);
		else if (what < 19)
			add_trace(w, batch);
		else
			add_gap(w, batch);
	}
	struct errmsg msg = { "" };
	if (prepared_batch_open(batch, ingest_prepare_record, &msg) < 0)
		fail_msg("%s", msg.text);
	w->batches[w->batch_count++] = batch;
}

static void check(int err, const struct errmsg *msg)
{
	if (err < 0)
		fail_msg("%d: %s", err, msg->text);
}

static void open_again(struct world *w)
{
	struct errmsg msg = { "" };
	uint64_t applied;
	check(
	    gather_open(&w->gather, &w->config, w->path, &applied, &msg), &msg);
	for (size_t i = applied; i < w->batch_count; i++)
		gather_batch(w->gather, w->batches[i], 0, i + 1, NULL);
}

static void work(struct world *w)
{
	struct errmsg msg = { "" };
	int err = 1, most = 40;
	while (err == 1 && most-- > 0) {
		w->gather->work = true;
		check(err = gather_step(w->gather, &msg), &msg);
	}
}

static void run_world(struct world *w, unsigned seed)
{
	struct errmsg msg = { "" };
	*w = (struct world){ .dir = "/tmp/sonde-gather.XXXXXX" };
	assert_non_null(mkdtemp(w->dir));
	snprintf(w->path, sizeof(w->path), "%s/rollup.db", w->dir);
	memcpy(w->config.levels, (uint32_t[]){ 10, 60, 3600, 86400 }, 16);
	srandom(seed);
	open_again(w);
	for (size_t b = 0; b < BATCHES; b++) {
		struct store_outcome outcome = { 0 };
		make_batch(w);
		gather_batch(w->gather, w->batches[b], 0, b + 1, &outcome);
		w->news += outcome.new_source_count;
		free(outcome.new_sources);
		/* Frozen, it waits while others are gathered. */
		if (pick(3) == 0) {
			pthread_mutex_lock(&w->gather->lock);
			gather_freeze(w->gather);
			pthread_mutex_unlock(&w->gather->lock);
		}
		if (pick(3) == 0)
			check(gather_flush(w->gather, &msg), &msg);
		if (pick(6) == 0)
			work(w);
		if (pick(10) == 0) {
			gather_close(w->gather);
			open_again(w);
		}
	}
}

static void end_world(struct world *w)
{
	static const char *const suffixes[] = { "", "-wal", "-shm" };
	gather_close(w->gather);
	for (size_t i = 0; i < BATCHES; i++)
		prepared_batch_free(w->batches[i]);
	for (size_t i = 0; i < w->trace_count; i++)
		path_fini(&w->traces[i].path);
	free(w->traces);
	free(w->sightings);
	for (size_t i = 0; i < 3; i++) {
		char name[100];
		snprintf(name, sizeof(name), "%s%s", w->path, suffixes[i]);
		unlink(name);
	}
	rmdir(w->dir);
}

/* --- counts --- */

struct class_names {
	char *verdict[8], *signature[8];
	uint64_t sources[8], packets[8];
	int64_t rows;
};

static int take_class(void *ctx, const struct store_row *row)
{
	struct class_names *names = ctx;
	int64_t i = row->class->row;
	assert_true(i < 8);
	names->verdict[i] = xstrdup(row->class->verdict);
	names->signature[i] = xstrdup(row->class->signature);
	names->sources[i] = row->class->sources;
	names->packets[i] = row->class->packets;
	names->rows = i;
	return 0;
}

static void free_names(struct class_names *names)
{
	for (int i = 0; i < 8; i++) {
		free(names->verdict[i]);
		free(names->signature[i]);
	}
}

static bool is_class(
    const struct sent_sighting *s, const struct class_names *names, int64_t row)
{
	return strcmp(s->verdict, names->verdict[row]) == 0 &&
	    strcmp(s->signature, names->signature[row]) == 0;
}

/* Distinct sources of those that match; agent 0: of any. */
static uint64_t recount(const struct world *w, const struct class_names *names,
    int64_t class, int64_t agent, int64_t bin, uint32_t bin_s,
    uint64_t *packets)
{
	uint64_t sources = 0;
	*packets = 0;
	for (size_t i = 0; i < w->sighting_count; i++) {
		const struct sent_sighting *s = &w->sightings[i];
		if (!is_class(s, names, class) ||
		    (agent && s->agent != agent) ||
		    (bin_s && s->bin - s->bin % bin_s != bin))
			continue;
		*packets += s->packets;
		bool again = false;
		for (size_t k = 0; !again && k < i; k++) {
			const struct sent_sighting *o = &w->sightings[k];
			again = is_class(o, names, class) &&
			    (!agent || o->agent == agent) &&
			    (!bin_s || o->bin - o->bin % bin_s == bin) &&
			    addr_equal(&o->src, &s->src);
		}
		sources += !again;
	}
	return sources;
}

struct points_seen {
	const struct world *w;
	const struct class_names *names;
	uint32_t bin_s;
	uint64_t packets, rows;
};

static int check_point(void *ctx, const struct store_row *row)
{
	struct points_seen *seen = ctx;
	const struct store_point *p = row->point;
	uint64_t packets,
	    sources = recount(seen->w, seen->names, p->class_row, p->agent_row,
		p->bin, seen->bin_s, &packets);
	assert_int_equal(p->packets, packets);
	assert_int_equal(p->sources, sources);
	if (p->agent_row == STORE_FLEET)
		seen->packets += p->packets;
	seen->rows++;
	return 0;
}

static void check_counts(
    struct world *w, struct rollup_view *view, struct class_names *names)
{
	struct errmsg msg = { "" };
	uint64_t total = 0, packets;
	for (int64_t c = 1; c <= names->rows; c++) {
		assert_int_equal(
		    names->sources[c], recount(w, names, c, 0, 0, 0, &packets));
		assert_int_equal(names->packets[c], packets);
		total += packets;
	}
	for (int l = 0; l < 4; l++) {
		struct points_seen seen = { w, names, w->config.levels[l], 0,
			0 };
		const struct store_plan plan = { .table = STORE_POINTS,
			.bin_s = seen.bin_s,
			.agent_row = -1 };
		check(rollup_read(view, &plan, check_point, &seen, &msg), &msg);
		assert_int_equal(seen.packets, total);
	}
}

/* --- sources --- */
struct sum {
	const struct sent_sighting *like;
	uint64_t packets, targets;
	int64_t first_ns, last_ns;
	unsigned agents;
	bool given;
};

static bool in_plan(const struct store_plan *plan, bool days, uint32_t fine_s,
    const struct sent_sighting *s)
{
	int64_t from = plan->range.from_ns, to = plan->range.to_ns;
	int64_t first = s->first_ns, last = s->last_ns;
	uint32_t bin_s = days ? 86400 : fine_s;
	int64_t bin = s->bin - s->bin % bin_s;
	(void)first;
	(void)last;
	return (!plan->agent_row || plan->agent_row == s->agent) &&
	    (!plan->src.family || addr_equal(&plan->src, &s->src)) &&
	    (!plan->src_prefix || prefix_has(plan->src_prefix, &s->src)) &&
	    (!plan->verdict || strcmp(plan->verdict, s->verdict) == 0) &&
	    (!plan->signature || strcmp(plan->signature, s->signature) == 0) &&
	    (bin + bin_s) * NS_PER_S > from && bin * NS_PER_S < to;
}

static int by_rank(const void *a, const void *b)
{
	const struct sum *x = a, *y = b;
	if (x->packets != y->packets)
		return x->packets > y->packets ? -1 : 1;
	return addr_cmp(&x->like->src, &y->like->src);
}

static size_t sum_naively(const struct world *w, const struct store_plan *plan,
    bool days, struct sum *sums)
{
	size_t count = 0;
	for (size_t i = 0; i < w->sighting_count; i++) {
		const struct sent_sighting *s = &w->sightings[i];
		if (!in_plan(plan, days, w->config.levels[0], s))
			continue;
		size_t k = 0;
		while (k < count &&
		    !(addr_equal(&sums[k].like->src, &s->src) &&
			sums[k].like->verdict == s->verdict &&
			sums[k].like->signature == s->signature &&
			sums[k].like->proto == s->proto &&
			sums[k].like->dport == s->dport))
			k++;
		struct sum *sum = &sums[k];
		if (k == count) {
			*sum = (struct sum){ .like = s, .first_ns = INT64_MAX };
			count++;
		}
		sum->packets += s->packets;
		sum->targets =
		    s->targets > sum->targets ? s->targets : sum->targets;
		if (s->first_ns < sum->first_ns)
			sum->first_ns = s->first_ns;
		if (s->last_ns > sum->last_ns)
			sum->last_ns = s->last_ns;
		sum->agents |= 1u << s->agent;
	}
	qsort(sums, count, sizeof(*sums), by_rank);
	return count;
}

struct sources_seen {
	struct sum *sums;
	size_t count, at;
	bool days;
	struct store_source_cursor cursor; /* of the last one */
};

static int check_source(void *ctx, const struct store_row *row)
{
	struct sources_seen *seen = ctx;
	const struct store_source *s = row->source;
	assert_true(seen->at < seen->count);
	/* Of equal packets any may come first; the packets are the order, until
	 * the rest comes by group. */
	if (!s->cursor.by_group)
		assert_int_equal(s->packets, seen->sums[seen->at].packets);
	seen->at++;
	seen->cursor = s->cursor;
	struct sum *sum = NULL;
	for (size_t i = 0; i < seen->count; i++)
		if (addr_equal(&seen->sums[i].like->src, &s->src) &&
		    strcmp(seen->sums[i].like->verdict, s->verdict) == 0 &&
		    strcmp(seen->sums[i].like->signature, s->signature) == 0 &&
		    seen->sums[i].like->proto == s->proto &&
		    seen->sums[i].like->dport == s->dport)
			sum = &seen->sums[i];
	assert_non_null(sum);
	assert_false(sum->given);
	sum->given = true;
	assert_int_equal(s->packets, sum->packets);
	assert_int_equal(s->targets, sum->targets);
	unsigned agents = 0;
	for (size_t i = 0; i < s->agent_count; i++)
		agents |= 1u << s->agents[i];
	assert_int_equal(agents, sum->agents);
	int64_t unit = seen->days ? NS_PER_S : 1;
	assert_int_equal(s->first_ns / unit, sum->first_ns / unit);
	assert_int_equal(s->last_ns / unit, sum->last_ns / unit);
	return 0;
}

static unsigned pages_behind, pages_by_group; /* that were met */

static void check_sources(struct world *w, struct rollup_view *view, bool days)
{
	struct errmsg msg = { "" };
	struct prefix prefix;
	struct sum *sums = xcalloc(w->sighting_count + 1, sizeof(*sums));
	struct store_plan plan = { .table = STORE_SOURCES,
		.bin_s = days ? 86400 : 0,
		.limit = 1 + pick(60) };
	/* Whole bins, so that no row is cut in two. */
	int64_t unit = days ? 86400 : 3600;
	int64_t from = (int64_t)pick((unsigned)(SPAN_S / unit));
	int64_t to = from + 1 + (int64_t)pick((unsigned)(SPAN_S / unit - from));
	plan.range.from_ns = (START_S + from * unit) * NS_PER_S;
	plan.range.to_ns = (START_S + to * unit) * NS_PER_S;
	plan.agent_row = pick(2) ? 0 : 1 + pick(AGENTS);
	if (pick(3) == 0)
		plan.signature = signatures[pick(3)];
	if (pick(4) == 0)
		plan.verdict = verdicts[pick(3)];
	if (pick(4) == 0)
		plan.src = source_addr(pick(SOURCES));
	else if (pick(4) == 0) {
		check(prefix_parse(&prefix,
			  pick(2) ? "198.51.1.0/24" : "2001:db8::/32", &msg),
		    &msg);
		plan.src_prefix = &prefix;
	}
	struct sources_seen seen = { .sums = sums, .days = days };
	seen.count = sum_naively(w, &plan, days, sums);
	/* Page by page to the end: each source once. */
	for (size_t end = 0; end < seen.count; end = seen.at) {
		check(
		    rollup_read(view, &plan, check_source, &seen, &msg), &msg);
		size_t left = seen.count - end;
		assert_int_equal(
		    seen.at - end, left < plan.limit ? left : plan.limit);
		pages_behind += plan.source_cursor && !seen.cursor.by_group;
		pages_by_group += seen.cursor.by_group;
		plan.source_cursor = &seen.cursor;
	}
	check(rollup_read(view, &plan, check_source, &seen, &msg), &msg);
	assert_int_equal(seen.at, seen.count);
	free(sums);
}

struct source_sum {
	uint64_t packets;
	int64_t first_ns;
};

static int add_source(void *ctx, const struct store_row *row)
{
	struct source_sum *sum = ctx;
	sum->packets += row->source->packets;
	sum->first_ns ^= row->source->first_ns;
	return 0;
}

static unsigned agents_alone; /* that were met */

/* Of an agent that has few of many rows, the finest are read, not days. */
static void check_agent_alone(
    struct world *w, struct rollup_view *view, int64_t agent, int64_t hour_s)
{
	struct errmsg msg = { "" };
	struct source_sum all = { 0 }, alone = { 0 };
	const struct store_plan plan = { .table = STORE_SOURCES,
		.range = { hour_s * NS_PER_S, (hour_s + 3600) * NS_PER_S },
		.limit = 10000,
		.agent_row = agent };
	uint32_t most = gather_sizes.fine_rows;
	uint64_t rows = 0, packets = 0;
	for (size_t i = 0; i < w->sighting_count; i++) {
		const struct sent_sighting *s = &w->sightings[i];
		if (s->bin < hour_s || s->bin >= hour_s + 3600)
			continue;
		rows++;
		packets += s->agent == agent ? s->packets : 0;
	}
	if (packets == 0 || packets > 4 * (rows / 2))
		return;
	check(rollup_read(view, &plan, add_source, &all, &msg), &msg);
	gather_sizes.fine_rows = (uint32_t)rows / 2;
	check(rollup_read(view, &plan, add_source, &alone, &msg), &msg);
	gather_sizes.fine_rows = most;
	assert_int_equal(alone.packets, all.packets);
	assert_int_equal(alone.first_ns, all.first_ns);
	agents_alone++;
}

/* --- paths and links --- */
struct paths_seen {
	const struct world *w;
	uint32_t bin_s;
	uint64_t traces, rows;
	int64_t last_bin;
};

static int check_path(void *ctx, const struct store_row *row)
{
	struct paths_seen *seen = ctx;
	const struct store_path *p = row->path;
	struct path got = { 0 }, sum = { 0 };
	struct buf bytes = { 0 }, expected = { 0 };
	assert_true(p->bin >= seen->last_bin);
	seen->last_bin = p->bin;
	seen->rows++;
	check(path_read(
		  &got, p->hops.data, p->hops.len, p->sums.data, p->sums.len),
	    &(struct errmsg){ "sums" });
	got.src = p->src;
	got.dst = p->dst;
	uint8_t digest[PATH_DIGEST_LEN];
	path_digest(&got, digest);
	for (size_t i = 0; i < seen->w->trace_count; i++) {
		const struct sent_trace *t = &seen->w->traces[i];
		int64_t s = t->at_ns / NS_PER_S;
		if (t->agent != p->agent_row || s - s % seen->bin_s != p->bin ||
		    memcmp(t->digest, digest, sizeof(digest)) != 0)
			continue;
		if (sum.hop_count == 0)
			path_copy(&sum, &t->path);
		else
			path_merge(&sum, &t->path);
	}
	assert_int_equal(p->traces, sum.traces);
	assert_int_equal(p->reached, sum.reached);
	assert_int_equal(p->first_ns, sum.first_ns);
	assert_int_equal(p->last_ns, sum.last_ns);
	path_write_sums(&got, &bytes);
	path_write_sums(&sum, &expected);
	assert_int_equal(bytes.len, expected.len);
	assert_memory_equal(bytes.data, expected.data, bytes.len);
	seen->traces += p->traces;
	buf_fini(&bytes);
	buf_fini(&expected);
	path_fini(&got);
	path_fini(&sum);
	return 0;
}

static int refuse_path(void *ctx, const struct store_row *row)
{
	(void)ctx;
	(void)row;
	fail_msg("a row of too many");
	return 0;
}

static int count_path(void *ctx, const struct store_row *row)
{
	(void)row;
	++*(uint64_t *)ctx;
	return 0;
}

/* The rows that were seen are not too many, one less is. */
static void check_most_rows(struct rollup_view *view,
    const struct store_plan *plan, const struct paths_seen *seen)
{
	struct errmsg msg = { "" };
	struct store_plan most = *plan;
	uint64_t rows = 0;
	if (plan->bin_s >= 86400)
		return;
	most.most_rows = (uint32_t)seen->rows;
	assert_int_equal(rollup_read(view, &most, count_path, &rows, &msg), 0);
	assert_int_equal(rows, seen->rows);
	most.most_rows--;
	assert_int_equal(rollup_read(view, &most, refuse_path, NULL, &msg), 1);
}

static void check_paths(struct world *w, struct rollup_view *view)
{
	static const uint32_t widths[] = { 60, 3600, 86400 };
	struct errmsg msg = { "" };
	for (int i = 0; i < 3; i++) {
		struct paths_seen seen = { .w = w, .bin_s = widths[i] };
		struct store_plan plan = { .table = STORE_PATHS,
			.bin_s = widths[i] };
		check(rollup_read(view, &plan, check_path, &seen, &msg), &msg);
		assert_int_equal(seen.traces, w->trace_count);
		check_most_rows(view, &plan, &seen);
		/* Through one router, of one agent. */
		struct addr hop = addr_v4(0xc0000200 + 8);
		uint64_t expected = 0;
		plan.hop = hop;
		plan.agent_row = 2;
		for (size_t k = 0; k < w->trace_count; k++) {
			const struct path *path = &w->traces[k].path;
			bool through = false;
			for (size_t h = 0; h < path->hop_count; h++)
				through |=
				    addr_equal(&path->hops[h].from, &hop);
			expected += through && w->traces[k].agent == 2;
		}
		seen.traces = seen.rows = 0;
		seen.last_bin = 0;
		check(rollup_read(view, &plan, check_path, &seen, &msg), &msg);
		assert_int_equal(seen.traces, expected);
		if (seen.rows > 1)
			check_most_rows(view, &plan, &seen);
	}
}

/* However few rows a reader may hold. */
static void check_paths_in_pieces(struct world *w, struct rollup_view *view)
{
	static const uint32_t sizes[] = { 1, 2, 7, 40 };
	uint32_t held = gather_sizes.path_rows;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		gather_sizes.path_rows = sizes[i];
		check_paths(w, view);
	}
	gather_sizes.path_rows = held;
}

struct link_expected {
	struct rollup_view *view;
	int64_t hour;
	size_t links;
};

struct link_got {
	const struct path_link *link;
	size_t rows;
};

static int check_link_row(void *ctx, const struct store_row *row)
{
	struct link_got *got = ctx;
	const struct store_link *l = row->link;
	const struct path_link *x = got->link;
	assert_int_equal(l->samples, x->samples);
	assert_int_equal(l->delay_median_ns, x->delay_median_ns);
	assert_int_equal(l->delay_min_ns, x->delay_min_ns);
	assert_int_equal(l->delay_max_ns, x->delay_max_ns);
	assert_true(l->loss == x->loss);
	got->rows++;
	return 0;
}

static void check_link(void *ctx, const struct path_link *link)
{
	struct link_expected *e = ctx;
	struct errmsg msg = { "" };
	struct link_got got = { link, 0 };
	const struct store_plan plan = { .table = STORE_LINKS,
		.link_from = link->from,
		.link_to = link->to,
		.range = { e->hour * NS_PER_S, (e->hour + 3600) * NS_PER_S } };
	check(rollup_read(e->view, &plan, check_link_row, &got, &msg), &msg);
	e->links += got.rows;
}

static int add_to_set(void *ctx, const struct store_row *row)
{
	const struct store_path *p = row->path;
	struct path path = { .src = p->src,
		.dst = p->dst,
		.traces = p->traces,
		.reached = p->reached,
		.first_ns = p->first_ns,
		.last_ns = p->last_ns };
	check(path_read(
		  &path, p->hops.data, p->hops.len, p->sums.data, p->sums.len),
	    &(struct errmsg){ "sums" });
	path_set_add(ctx, p->row, p->agent_row, &path);
	return 0;
}

/* Every link of the last hour but one; what is there must be right. */
static size_t check_links(struct rollup_view *view, int64_t hour)
{
	struct errmsg msg = { "" };
	struct path_set set = { 0 };
	struct link_expected e = { view, hour, 0 };
	const struct store_plan plan = { .table = STORE_PATHS,
		.bin_s = 3600,
		.range = { hour * NS_PER_S, (hour + 3600) * NS_PER_S } };
	check(rollup_read(view, &plan, add_to_set, &set, &msg), &msg);
	path_set_finish(&set);
	path_set_links(&set, NULL, NULL, check_link, &e);
	path_set_fini(&set);
	return e.links;
}

/* --- the rest --- */
static int sum_gap(void *ctx, const struct store_row *row)
{
	*(uint64_t *)ctx += row->gap->records;
	return 0;
}

static int check_run(void *ctx, const struct store_row *row)
{
	const struct world *w = ctx;
	const struct store_run *run = row->run;
	assert_int_equal(
	    run->records, w->run_records[run->agent_row][run->run]);
	return 0;
}

static void check_rest(struct world *w, struct rollup_view *view)
{
	struct errmsg msg = { "" };
	uint64_t records = 0;
	uint8_t campaign[16] = { 7, 0 };
	check(rollup_read(view, &(struct store_plan){ .table = STORE_GAPS },
		  sum_gap, &records, &msg),
	    &msg);
	assert_int_equal(records, w->gap_records);
	check(rollup_read(view,
		  &(struct store_plan){
		      .table = STORE_RUNS, .campaign = campaign },
		  check_run, w, &msg),
	    &msg);
}

static void test_recount(void **state)
{
	(void)state;
	size_t links = 0;
	for (unsigned seed = 1; seed <= SEEDS; seed++) {
		struct world w;
		struct rollup_view *view;
		struct errmsg msg = { "" };
		struct class_names names = { 0 };
		print_message("# seed %u\n", seed);
		gather_sizes.heavy_groups = 1 + seed % 7;
		run_world(&w, seed);
		check(gather_flush(w.gather, &msg), &msg);
		if (seed % 2)
			work(&w);
		check(rollup_begin(w.gather, &view, &msg), &msg);
		check(rollup_read(view,
			  &(struct store_plan){ .table = STORE_CLASSES },
			  take_class, &names, &msg),
		    &msg);
		check_counts(&w, view, &names);
		for (int i = 0; i < 40; i++)
			check_sources(&w, view, i % 2);
		for (int64_t h = START_S; h < START_S + SPAN_S; h += 3600)
			for (int64_t agent = 1; agent <= AGENTS; agent++)
				check_agent_alone(&w, view, agent, h);
		check_paths(&w, view);
		if (seed % 8 == 1)
			check_paths_in_pieces(&w, view);
		for (int64_t h = START_S; h < START_S + SPAN_S; h += 3600)
			links += check_links(view, h);
		check_rest(&w, view);
		free_names(&names);
		rollup_end(view);
		end_world(&w);
	}
	assert_true(links > 1000);
	assert_true(pages_behind > 100);
	assert_true(pages_by_group > 100);
	assert_true(agents_alone > 20);
}

/* --- letting go --- */
static void let_go(struct world *w, const struct store_keep *keep)
{
	struct errmsg msg = { "" };
	bool more = true;
	check(gather_flush(w->gather, &msg), &msg);
	for (int i = 0; more && i < 1000; i++)
		check(gather_expire(w->gather, keep, &more, &msg), &msg);
	assert_false(more);
}

struct least {
	int64_t bin;
	uint64_t traces;
};

static int note_least(void *ctx, const struct store_row *row)
{
	struct least *least = ctx;
	if (row->path->bin < least->bin)
		least->bin = row->path->bin;
	least->traces += row->path->traces;
	return 0;
}

static uint64_t traces_from(const struct world *w, int64_t from_s)
{
	uint64_t traces = 0;
	for (size_t i = 0; i < w->trace_count; i++)
		traces += w->traces[i].at_ns / NS_PER_S >= from_s;
	return traces;
}

/* Of each level what is kept equals a recount, and nothing else is there. */
static void check_kept(
    struct world *w, uint32_t bin_s, int64_t from_s, bool all)
{
	struct errmsg msg = { "" };
	struct rollup_view *view;
	struct least least = { INT64_MAX, 0 };
	struct paths_seen seen = { .w = w, .bin_s = bin_s };
	const struct store_plan plan = { .table = STORE_PATHS, .bin_s = bin_s };
	check(rollup_begin(w->gather, &view, &msg), &msg);
	check(rollup_read(view, &plan, note_least, &least, &msg), &msg);
	assert_true(least.bin >= from_s);
	assert_int_equal(least.traces, traces_from(w, from_s));
	if (all)
		check(rollup_read(view, &plan, check_path, &seen, &msg), &msg);
	rollup_end(view);
}

/* A range that begins where only days are kept is answered by them. */
static void check_days_stand_in(struct world *w)
{
	struct errmsg msg = { "" };
	struct rollup_view *view;
	struct source_sum got = { 0 }, expected = { 0 };
	struct store_plan plan = { .table = STORE_SOURCES,
		.range = { START_S * NS_PER_S, (START_S + 7200) * NS_PER_S } };
	check(rollup_begin(w->gather, &view, &msg), &msg);
	check(rollup_read(view, &plan, add_source, &got, &msg), &msg);
	plan.bin_s = 86400;
	check(rollup_read(view, &plan, add_source, &expected, &msg), &msg);
	rollup_end(view);
	assert_true(expected.packets > 0);
	assert_int_equal(got.packets, expected.packets);
}

static void test_expire(void **state)
{
	(void)state;
	for (unsigned seed = 101; seed <= 106; seed++) {
		struct world w;
		struct errmsg msg = { "" };
		struct rollup_view *view;
		struct class_names names = { 0 };
		run_world(&w, seed);
		const int64_t end_s = START_S + SPAN_S;
		struct store_keep keep = { .now = { end_s * NS_PER_S },
			.mono = { NS_PER_S },
			.minutes_ns = 25 * 3600 * NS_PER_S };
		let_go(&w, &keep);
		check_kept(&w, 60, end_s - 26 * 3600, true);
		check_kept(&w, 3600, START_S, true);
		/* Hours that became one row still sum up to sources. */
		check(rollup_begin(w.gather, &view, &msg), &msg);
		check(rollup_read(view,
			  &(struct store_plan){ .table = STORE_CLASSES },
			  take_class, &names, &msg),
		    &msg);
		for (int i = 0; i < 30; i++)
			check_sources(&w, view, i % 2);
		rollup_end(view);
		keep.hours_ns = 49 * 3600 * NS_PER_S;
		keep.mono.ns += 7200 * NS_PER_S;
		let_go(&w, &keep);
		check_kept(&w, 3600, end_s - 50 * 3600, true);
		check_kept(&w, 86400, START_S, true);
		check_days_stand_in(&w);
		check(rollup_begin(w.gather, &view, &msg), &msg);
		for (int i = 0; i < 30; i++)
			check_sources(&w, view, true);
		rollup_end(view);
		keep.days_ns = keep.hours_ns = 86400 * NS_PER_S;
		keep.mono.ns += 7200 * NS_PER_S;
		let_go(&w, &keep);
		check_kept(&w, 86400, end_s - 2 * 86400, true);
		keep.now.ns += 20 * 86400 * NS_PER_S;
		keep.mono.ns += 7200 * NS_PER_S;
		let_go(&w, &keep);
		check_kept(&w, 86400, INT64_MAX - 1, false);
		free_names(&names);
		end_world(&w);
	}
}

/* --- bounds --- */
static struct prepared_batch *new_batch(int64_t agent)
{
	struct prepared_batch *batch = xcalloc(1, sizeof(*batch));
	batch->agent_row = agent;
	batch->header.agent[0] = (uint8_t)agent;
	batch->received.ns = (START_S + SPAN_S) * NS_PER_S;
	return batch;
}

static void gather_it(struct world *w, struct prepared_batch *batch)
{
	struct errmsg msg = { "" };
	if (prepared_batch_open(batch, ingest_prepare_record, &msg) < 0)
		fail_msg("%s", msg.text);
	gather_batch(w->gather, batch, 0, ++w->batch_count, NULL);
	check(gather_flush(w->gather, &msg), &msg);
	prepared_batch_free(batch);
}

static void begin_world(struct world *w)
{
	*w = (struct world){ .dir = "/tmp/sonde-gather.XXXXXX" };
	assert_non_null(mkdtemp(w->dir));
	snprintf(w->path, sizeof(w->path), "%s/rollup.db", w->dir);
	memcpy(w->config.levels, (uint32_t[]){ 60, 3600, 86400, 0 }, 16);
	open_again(w);
}

static uint64_t bounded(struct world *w)
{
	struct store_stats stats = { 0 };
	gather_stats(w->gather, &stats);
	return stats.bounded;
}

static int64_t rows_of(struct world *w, const char *sql)
{
	int64_t value;
	struct db db;
	struct errmsg msg = { "" };
	check(db_open(&db, w->path, true, &msg), &msg);
	check(db_integer(&db, &value, 0, sql, ""), &msg);
	db_close(&db);
	return value;
}

static void test_signatures_are_bounded(void **state)
{
	(void)state;
	struct world w;
	begin_world(&w);
	struct prepared_batch *batch = new_batch(1);
	for (unsigned i = 0; i < 60000; i++) {
		Sonde__Record record = SONDE__RECORD__INIT;
		Sonde__Sighting s = SONDE__SIGHTING__INIT;
		char name[16];
		struct addr src = addr_v4(0xc6336400 + i % 200);
		snprintf(name, sizeof(name), "s%u", i);
		s.src = octets(src.bytes, 4);
		s.verdict = (char *)(uintptr_t) "worm";
		s.signature = name;
		s.packets = 2;
		s.first_wall_ns = s.last_wall_ns = START_S * NS_PER_S;
		record.wall_ns = s.first_wall_ns;
		record.body_case = SONDE__RECORD__BODY_SIGHTING;
		record.sighting = &s;
		pack(batch, &record);
	}
	gather_it(&w, batch);
	assert_int_equal(rows_of(&w, "SELECT count(*) FROM classes"),
	    AGENT_CLASSES_MOST + 1);
	assert_int_equal(bounded(&w), 60000 - AGENT_CLASSES_MOST);
	/* Counted, each source once, under a name that says so. */
	assert_int_equal(rows_of(&w,
			     "SELECT packets FROM classes"
			     " WHERE signature = '(more)'"),
	    2 * (60000 - AGENT_CLASSES_MOST));
	assert_int_equal(rows_of(&w,
			     "SELECT sources FROM classes"
			     " WHERE signature = '(more)'"),
	    200);
	/* A look-up walks one chain of a hash, whatever the number. */
	assert_int_equal(rows_of(&w, "SELECT count(*) FROM series"),
	    (AGENT_CLASSES_MOST + 1) * 3 * 2);
	end_world(&w);
}

static void test_hours_are_bounded(void **state)
{
	(void)state;
	struct world w;
	begin_world(&w);
	struct prepared_batch *batch = new_batch(1);
	for (unsigned i = 0; i < 60000; i++) {
		Sonde__Record record = SONDE__RECORD__INIT;
		Sonde__Sighting s = SONDE__SIGHTING__INIT;
		struct addr src = addr_v4(0xc6336400);
		s.src = octets(src.bytes, 4);
		s.verdict = (char *)(uintptr_t) "worm";
		s.signature = (char *)(uintptr_t) "slammer";
		s.packets = 1;
		s.first_wall_ns = s.last_wall_ns =
		    (START_S - (int64_t)i * 3600) * NS_PER_S;
		record.wall_ns = s.first_wall_ns;
		record.body_case = SONDE__RECORD__BODY_SIGHTING;
		record.sighting = &s;
		pack(batch, &record);
	}
	gather_it(&w, batch);
	assert_int_equal(
	    rows_of(&w, "SELECT count(DISTINCT bin) FROM parts WHERE tbl = 1"),
	    AGENT_HOURS_MOST + 1);
	assert_int_equal(rows_of(&w, "SELECT packets FROM classes"), 60000);
	assert_int_equal(bounded(&w), 60000 - AGENT_HOURS_MOST);
	end_world(&w);
}

static void test_paths_are_bounded(void **state)
{
	(void)state;
	struct world w;
	begin_world(&w);
	for (unsigned b = 0, i = 0; b < 4; b++) {
		struct prepared_batch *batch = new_batch(1);
		for (unsigned k = 0; k < 17000; k++, i++) {
			Sonde__Record record = SONDE__RECORD__INIT;
			Sonde__Trace trace = SONDE__TRACE__INIT;
			Sonde__Reply reply = SONDE__REPLY__INIT;
			Sonde__Reply *replies = &reply;
			struct addr src = addr_v4(0x0a000001);
			struct addr dst = addr_v4(0xc6000000 + i);
			reply.probe_ttl = reply.attempt = 1;
			reply.tx_wall_ns = START_S * NS_PER_S;
			trace.src = octets(src.bytes, 4);
			trace.dst = octets(dst.bytes, 4);
			trace.method = (char *)(uintptr_t) "udp";
			trace.stop_reason = (char *)(uintptr_t) "completed";
			trace.replies = &replies;
			trace.n_replies = 1;
			record.wall_ns = START_S * NS_PER_S;
			record.body_case = SONDE__RECORD__BODY_TRACE;
			record.trace = &trace;
			pack(batch, &record);
		}
		gather_it(&w, batch);
	}
	assert_int_equal(
	    rows_of(&w, "SELECT count(*) FROM paths"), AGENT_PATHS_MOST);
	assert_int_equal(bounded(&w), 4 * 17000 - AGENT_PATHS_MOST);
	end_world(&w);
}

static struct prepared_batch *one_source(unsigned i)
{
	struct prepared_batch *batch = new_batch(1);
	Sonde__Record record = SONDE__RECORD__INIT;
	Sonde__Sighting s = SONDE__SIGHTING__INIT;
	struct errmsg msg = { "" };
	struct addr src = addr_v4(0xc6336400 + i);
	s.src = octets(src.bytes, 4);
	s.verdict = (char *)(uintptr_t) "worm";
	s.signature = (char *)(uintptr_t) "slammer";
	s.packets = 1;
	s.first_wall_ns = s.last_wall_ns = START_S * NS_PER_S;
	record.wall_ns = s.first_wall_ns;
	record.body_case = SONDE__RECORD__BODY_SIGHTING;
	record.sighting = &s;
	pack(batch, &record);
	check(prepared_batch_open(batch, ingest_prepare_record, &msg), &msg);
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
	begin_world(&w);
	gather_sizes.held_rows = 40;
	check(
	    db_script(&w.gather->db, "PRAGMA max_page_count = 1", &msg), &msg);
	/* One set is frozen, the other fills up. */
	for (unsigned i = 0; i < 80; i++) {
		check(gather_make_room(w.gather, &msg), &msg);
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
	check(db_script(&w.gather->db, "PRAGMA max_page_count = 100000", &msg),
	    &msg);
	w.gather->retry = (struct monotime){ 0 };
	check(gather_make_room(w.gather, &msg), &msg);
	assert_int_equal(w.gather->now->sources.count, 0);
	check(gather_flush(w.gather, &msg), &msg);
	assert_int_equal(rows_of(&w, "SELECT packets FROM classes"), 80);
	gather_sizes.held_rows = held_rows;
	end_world(&w);
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
	begin_world(&w);
	gather_close(w.gather);
	w.config.replayed = take_replayed;
	open_again(&w);
	gather_one(&w, 1);
	check(gather_flush(w.gather, &msg), &msg);
	check(gather_applied(w.gather, false, &applied, &msg), &msg);
	assert_int_equal(applied, 0);
	gather_settle(w.gather);
	gather_one(&w, 2);
	check(gather_flush(w.gather, &msg), &msg);
	check(gather_applied(w.gather, false, &applied, &msg), &msg);
	assert_int_equal(applied, 0);
	gather_settle(w.gather);
	check(gather_flush(w.gather, &msg), &msg);
	check(gather_applied(w.gather, false, &applied, &msg), &msg);
	assert_int_equal(applied, 2);
	assert_int_equal(rows_of(&w, "SELECT packets FROM classes"), 2);
	end_world(&w);
}

/* Runs, payloads and gaps that no honest agent makes. */
static void test_small_tables_are_bounded(void **state)
{
	(void)state;
	struct world w;
	begin_world(&w);
	struct prepared_batch *batch = new_batch(1);
	for (unsigned i = 0; i < 20000; i++) {
		Sonde__Record record = SONDE__RECORD__INIT;
		Sonde__Gap gap = SONDE__GAP__INIT;
		uint8_t campaign[16] = { (uint8_t)i, (uint8_t)(i >> 8), 1 };
		gap.epoch = 1;
		gap.from_seq = gap.to_seq = 1 + i;
		gap.reason = (char *)(uintptr_t) "spool-full";
		record.wall_ns = START_S * NS_PER_S;
		record.campaign = octets(campaign, 16);
		record.run = 1;
		record.body_case = SONDE__RECORD__BODY_GAP;
		record.gap = &gap;
		pack(batch, &record);
	}
	gather_it(&w, batch);
	assert_int_equal(
	    rows_of(&w, "SELECT count(DISTINCT campaign) FROM runs"),
	    AGENT_CAMPAIGNS_MOST + 1);
	assert_int_equal(rows_of(&w, "SELECT sum(records) FROM runs"), 20000);
	assert_int_equal(
	    rows_of(&w, "SELECT count(*) FROM gaps"), AGENT_GAPS_DAY + 1);
	assert_int_equal(rows_of(&w, "SELECT sum(records) FROM gaps"), 20000);
	batch = new_batch(1);
	for (unsigned i = 0; i < 3000; i++) {
		Sonde__Record record = SONDE__RECORD__INIT;
		Sonde__Payload payload = SONDE__PAYLOAD__INIT;
		uint8_t hash[16], bytes[4] = { (uint8_t)i, (uint8_t)(i >> 8) };
		crypto_generichash(
		    hash, sizeof(hash), bytes, sizeof(bytes), NULL, 0);
		payload.hash = octets(hash, 16);
		payload.octets = octets(bytes, sizeof(bytes));
		payload.size_bytes = sizeof(bytes);
		record.wall_ns = START_S * NS_PER_S;
		record.body_case = SONDE__RECORD__BODY_PAYLOAD;
		record.payload = &payload;
		pack(batch, &record);
	}
	gather_it(&w, batch);
	assert_int_equal(
	    rows_of(&w, "SELECT count(*) FROM payloads"), AGENT_PAYLOADS_DAY);
	assert_int_equal(bounded(&w),
	    (20000 - AGENT_CAMPAIGNS_MOST) + (20000 - AGENT_GAPS_DAY) +
		(3000 - AGENT_PAYLOADS_DAY));
	end_world(&w);
}

int main(void)
{
	gather_sizes.parts_crowded = 3;
	gather_sizes.delta_rows = 40;
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recount),
		cmocka_unit_test(test_expire),
		cmocka_unit_test(test_signatures_are_bounded),
		cmocka_unit_test(test_hours_are_bounded),
		cmocka_unit_test(test_paths_are_bounded),
		cmocka_unit_test(test_small_tables_are_bounded),
		cmocka_unit_test(test_waiting_is_bounded),
		cmocka_unit_test(test_nothing_unsettled_is_written),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
