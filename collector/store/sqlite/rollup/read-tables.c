/* SPDX-License-Identifier: ISC */
/* Views, and the tables that are read as they stand. */
#include <stdlib.h>
#include <string.h>

#include "collector/store/sqlite/rollup/flush.h"
#include "collector/store/sqlite/rollup/gather-private.h"
#include "collector/store/sqlite/rollup/view.h"
#include "lib/base/xalloc.h"

static void close_view(struct rollup_view *view)
{
	db_close(&view->db);
	segment_codec_free(view->codec);
	free(view);
}

void views_close(struct gather *g)
{
	while (g->idle_views) {
		struct rollup_view *view = g->idle_views;
		g->idle_views = view->next;
		close_view(view);
	}
}

static int open_view(
    struct gather *g, struct rollup_view **view, struct errmsg *msg)
{
	struct rollup_view *made = xcalloc(1, sizeof(*made));
	made->gather = g;
	int err = db_open(&made->db, g->path, true, msg);
	if (err < 0)
		goto out;
	err = db_script(&made->db,
	    "PRAGMA query_only = ON;"
	    "PRAGMA temp_store = MEMORY;"
	    "PRAGMA mmap_size = 0;"
	    "PRAGMA cache_size = -2048;",
	    msg);
	if (err < 0)
		goto out;
	made->codec = segment_codec_new();
	*view = made;
	return ERR_OK;
out:
	close_view(made);
	return err;
}

static int begin_snapshot(struct db *db, struct errmsg *msg)
{
	int err = db_run(db, msg, "BEGIN", "");
	if (err < 0)
		return err;
	/* The snapshot is taken by the first read. */
	int64_t version;
	if (db_integer(db, &version, 0, "SELECT count(*) FROM meta", "") < 0)
		return db_error(db, msg);
	return ERR_OK;
}

int rollup_begin(
    struct gather *g, struct rollup_view **view, struct errmsg *msg)
{
	/* When that fails, what is on the disk is still worth reading; the
	 * writer meets the same failure and reports it. */
	gather_freshen(g, NULL);
	pthread_mutex_lock(&g->lock);
	struct rollup_view *v = g->idle_views;
	if (v)
		g->idle_views = v->next;
	pthread_mutex_unlock(&g->lock);
	int err = v ? ERR_OK : open_view(g, &v, msg);
	if (err < 0)
		return err;
	err = begin_snapshot(&v->db, msg);
	if (err < 0) {
		close_view(v);
		return err;
	}
	*view = v;
	return ERR_OK;
}

void rollup_end(struct rollup_view *view)
{
	struct gather *g = view->gather;
	db_reset_all(&view->db);
	if (!sqlite3_get_autocommit(view->db.handle))
		db_run(&view->db, NULL, "COMMIT", "");
	pthread_mutex_lock(&g->lock);
	if (view->db.corrupt)
		g->corrupt = true;
	view->next = g->idle_views;
	g->idle_views = view;
	pthread_mutex_unlock(&g->lock);
}

static int64_t limit_of(const struct store_plan *plan)
{
	return plan->limit ? (int64_t)plan->limit : INT64_MAX;
}

static int end_read(sqlite3_stmt *row, int err)
{
	sqlite3_reset(row);
	return err;
}

static struct store_bytes bytes_of(sqlite3_stmt *row, int column)
{
	const uint8_t *data = sqlite3_column_blob(row, column);
	return (struct store_bytes){ data,
		data ? (size_t)sqlite3_column_bytes(row, column) : 0 };
}

int view_read_agents(struct rollup_view *view, const struct store_plan *plan,
    store_row_fn *fn, void *ctx, struct errmsg *msg)
{
	sqlite3_stmt *row = db_query(&view->db,
	    "SELECT agent, id, version, heard_ns, heartbeat"
	    " FROM agent_state WHERE (?1 = 0 OR agent = ?1) ORDER BY agent",
	    "i", plan->agent_row);
	int err;
	while ((err = db_step(&view->db, row, msg)) == 1) {
		struct store_agent agent = {
			.row = sqlite3_column_int64(row, 0),
			.version = db_column_text(row, 2),
			.heard_ns = sqlite3_column_int64(row, 3),
			.heartbeat = bytes_of(row, 4),
		};
		db_column_copy(row, 1, agent.id, sizeof(agent.id));
		const struct store_row out = { STORE_AGENTS,
			{ .agent = &agent } };
		if ((err = fn(ctx, &out)) != 0)
			break;
	}
	return end_read(row, err);
}

int view_read_gaps(struct rollup_view *view, const struct store_plan *plan,
    store_row_fn *fn, void *ctx, struct errmsg *msg)
{
	sqlite3_stmt *row = db_query(&view->db,
	    plan->agent_row
		? "SELECT id, agent, wall_ns, epoch, from_seq, to_seq,"
		  " unnumbered, records, reason FROM gaps WHERE agent = ?1"
		  " AND wall_ns >= ?2 AND (?3 = 0 OR wall_ns < ?3)"
		  " AND (?4 = 0 OR id < ?4) ORDER BY id DESC LIMIT ?5"
		: "SELECT id, agent, wall_ns, epoch, from_seq, to_seq,"
		  " unnumbered, records, reason FROM gaps WHERE ?1 = 0"
		  " AND wall_ns >= ?2 AND (?3 = 0 OR wall_ns < ?3)"
		  " AND (?4 = 0 OR id < ?4) ORDER BY id DESC LIMIT ?5",
	    "iiiii", plan->agent_row, plan->range.from_ns, plan->range.to_ns,
	    (int64_t)plan->cursor_row, limit_of(plan));
	int err;
	while ((err = db_step(&view->db, row, msg)) == 1) {
		const struct store_gap gap = {
			.row = (uint64_t)sqlite3_column_int64(row, 0),
			.agent_row = sqlite3_column_int64(row, 1),
			.wall_ns = sqlite3_column_int64(row, 2),
			.epoch = (uint64_t)sqlite3_column_int64(row, 3),
			.from_seq = (uint64_t)sqlite3_column_int64(row, 4),
			.to_seq = (uint64_t)sqlite3_column_int64(row, 5),
			.unnumbered = (uint64_t)sqlite3_column_int64(row, 6),
			.records = (uint64_t)sqlite3_column_int64(row, 7),
			.reason = db_column_text(row, 8),
		};
		const struct store_row out = { STORE_GAPS, { .gap = &gap } };
		if ((err = fn(ctx, &out)) != 0)
			break;
	}
	return end_read(row, err);
}

/* One statement for each index that may lead: the campaign's, the agent's, or
 * the order itself. */
static const char *runs_sql(const struct store_plan *plan)
{
#define RUNS                                                           \
	"SELECT id, campaign, agent, run, first_ns, last_ns, records," \
	" error FROM runs "
#define RUNS_TAIL                                           \
	" AND (?3 = 0 OR id < ?3) AND (?5 = 0 OR run = ?5)" \
	" ORDER BY id DESC LIMIT ?4"
	if (plan->campaign && plan->agent_row)
		return RUNS "WHERE campaign = ?1 AND agent = ?2" RUNS_TAIL;
	if (plan->campaign)
		return RUNS "WHERE campaign = ?1 AND ?2 = 0" RUNS_TAIL;
	if (plan->agent_row)
		return RUNS "WHERE ?1 IS NULL AND agent = ?2" RUNS_TAIL;
	return RUNS "WHERE ?1 IS NULL AND ?2 = 0" RUNS_TAIL;
}

int view_read_runs(struct rollup_view *view, const struct store_plan *plan,
    store_row_fn *fn, void *ctx, struct errmsg *msg)
{
	sqlite3_stmt *row = db_query(&view->db, runs_sql(plan), "biiii",
	    plan->campaign, (size_t)16, plan->agent_row,
	    (int64_t)plan->cursor_row, limit_of(plan), (int64_t)plan->run);
	int err;
	while ((err = db_step(&view->db, row, msg)) == 1) {
		struct store_run run = {
			.row = (uint64_t)sqlite3_column_int64(row, 0),
			.agent_row = sqlite3_column_int64(row, 2),
			.run = (uint64_t)sqlite3_column_int64(row, 3),
			.first_ns = sqlite3_column_int64(row, 4),
			.last_ns = sqlite3_column_int64(row, 5),
			.records = (uint64_t)sqlite3_column_int64(row, 6),
			.error = db_column_text(row, 7),
		};
		db_column_copy(row, 1, run.campaign, sizeof(run.campaign));
		const struct store_row out = { STORE_RUNS, { .run = &run } };
		if ((err = fn(ctx, &out)) != 0)
			break;
	}
	return end_read(row, err);
}

int view_read_run_sums(struct rollup_view *view, const struct store_plan *plan,
    store_row_fn *fn, void *ctx, struct errmsg *msg)
{
	sqlite3_stmt *row = db_query(&view->db,
	    "SELECT (SELECT count(*) FROM runs WHERE campaign = ?1"
	    "  AND error IS NOT NULL AND (?2 = 0 OR agent = ?2)),"
	    " (SELECT error FROM runs WHERE campaign = ?1"
	    "  AND error IS NOT NULL AND (?2 = 0 OR agent = ?2)"
	    "  ORDER BY last_ns DESC LIMIT 1),"
	    " CASE WHEN ?2 = 0 THEN (SELECT max(run) FROM runs"
	    "  WHERE campaign = ?1) ELSE (SELECT max(run) FROM runs"
	    "  WHERE campaign = ?1 AND agent = ?2) END",
	    "bi", plan->campaign, (size_t)16, plan->agent_row);
	int err = db_step(&view->db, row, msg);
	if (err == 1) {
		const struct store_run_sum sum = {
			.failed = (uint64_t)sqlite3_column_int64(row, 0),
			.last_error = db_column_text(row, 1),
			.last_run = (uint64_t)sqlite3_column_int64(row, 2),
		};
		const struct store_row out = { STORE_RUN_SUMS,
			{ .run_sum = &sum } };
		err = fn(ctx, &out);
	}
	return end_read(row, err);
}

int view_read_points(struct rollup_view *view, const struct store_plan *plan,
    store_row_fn *fn, void *ctx, struct errmsg *msg)
{
	uint32_t bin_s = plan->bin_s ? plan->bin_s : 60;
	sqlite3_stmt *row = db_query(&view->db,
	    "SELECT s.class, s.agent, s.bin, s.sources, s.packets,"
	    " s.sources_at_least"
	    " FROM classes k CROSS JOIN"
	    " (SELECT 0 AS id UNION ALL SELECT agent FROM agent_state"
	    "  ORDER BY 1) a CROSS JOIN series s"
	    "  ON s.bin_s = ?1 AND s.class = k.id AND s.agent = a.id"
	    "  AND s.bin >= ?2 AND s.bin < ?3"
	    " WHERE (?4 = 0 OR k.id = ?4) AND (?5 = -1 OR a.id = ?5)"
	    " ORDER BY k.id, a.id, s.bin",
	    "iiiii", (int64_t)bin_s, view_first_bin(plan, bin_s),
	    view_end_bin(plan), plan->class_row, plan->agent_row);
	int err;
	while ((err = db_step(&view->db, row, msg)) == 1) {
		const struct store_point point = {
			.class_row = sqlite3_column_int64(row, 0),
			.agent_row = sqlite3_column_int64(row, 1),
			.bin = sqlite3_column_int64(row, 2),
			.sources = (uint64_t)sqlite3_column_int64(row, 3),
			.packets = (uint64_t)sqlite3_column_int64(row, 4),
			.sources_at_least = sqlite3_column_int(row, 5) != 0,
		};
		const struct store_row out = { STORE_POINTS,
			{ .point = &point } };
		if ((err = fn(ctx, &out)) != 0)
			break;
	}
	return end_read(row, err);
}

int view_read_watch(struct rollup_view *view, const struct store_plan *plan,
    store_row_fn *fn, void *ctx, struct errmsg *msg)
{
	uint32_t bin_s = plan->bin_s ? plan->bin_s : 60;
	sqlite3_stmt *row = db_query(&view->db,
	    "SELECT agent, bin FROM watch WHERE bin_s = ?1 AND bin >= ?2"
	    " AND bin < ?3 ORDER BY bin",
	    "iii", (int64_t)bin_s, view_first_bin(plan, bin_s),
	    view_end_bin(plan));
	int err;
	while ((err = db_step(&view->db, row, msg)) == 1) {
		const struct store_watch watch = {
			.agent_row = sqlite3_column_int64(row, 0),
			.bin = sqlite3_column_int64(row, 1),
		};
		const struct store_row out = { STORE_WATCH,
			{ .watch = &watch } };
		if ((err = fn(ctx, &out)) != 0)
			break;
	}
	return end_read(row, err);
}

int view_read_classes(struct rollup_view *view, const struct store_plan *plan,
    store_row_fn *fn, void *ctx, struct errmsg *msg)
{
	sqlite3_stmt *row = db_query(&view->db,
	    "SELECT id, verdict, signature, sources, packets, first_ns,"
	    " last_ns, sources_at_least FROM classes WHERE (?1 = 0 OR id = ?1)"
	    " AND (?2 IS NULL OR signature = ?2)"
	    " AND (?3 IS NULL OR verdict = ?3) ORDER BY id",
	    "itt", plan->class_row, plan->signature, plan->verdict);
	int err;
	while ((err = db_step(&view->db, row, msg)) == 1) {
		const struct store_class class = {
			.row = sqlite3_column_int64(row, 0),
			.verdict = db_column_text(row, 1),
			.signature = db_column_text(row, 2),
			.sources = (uint64_t)sqlite3_column_int64(row, 3),
			.packets = (uint64_t)sqlite3_column_int64(row, 4),
			.first_ns = sqlite3_column_int64(row, 5),
			.last_ns = sqlite3_column_int64(row, 6),
			.sources_at_least = sqlite3_column_int(row, 7) != 0,
		};
		const struct store_row out = { STORE_CLASSES,
			{ .class = &class } };
		if ((err = fn(ctx, &out)) != 0)
			break;
	}
	return end_read(row, err);
}

int view_read_payloads(struct rollup_view *view, const struct store_plan *plan,
    store_row_fn *fn, void *ctx, struct errmsg *msg)
{
	sqlite3_stmt *row = db_query(&view->db,
	    "SELECT octets, size_bytes FROM payloads WHERE hash = ?1", "b",
	    plan->hash, (size_t)16);
	int err = db_step(&view->db, row, msg);
	if (err == 1) {
		struct store_payload payload = {
			.size_bytes = (uint64_t)sqlite3_column_int64(row, 1),
			.octets = bytes_of(row, 0),
		};
		memcpy(payload.hash, plan->hash, sizeof(payload.hash));
		const struct store_row out = { STORE_PAYLOADS,
			{ .payload = &payload } };
		err = fn(ctx, &out);
	}
	return end_read(row, err);
}

int view_read_unsent(struct rollup_view *view, const struct store_plan *plan,
    store_row_fn *fn, void *ctx, struct errmsg *msg)
{
	sqlite3_stmt *row = db_query(&view->db,
	    "SELECT agent, bin, outcome, reason, device, probes, first_ns,"
	    " last_ns FROM unsent WHERE agent = ?1 AND bin >= ?2 AND bin < ?3"
	    " ORDER BY bin DESC",
	    "iii", plan->agent_row, view_first_bin(plan, HOUR_S),
	    view_end_bin(plan));
	int err;
	while ((err = db_step(&view->db, row, msg)) == 1) {
		const struct store_unsent unsent = {
			.agent_row = sqlite3_column_int64(row, 0),
			.bin = sqlite3_column_int64(row, 1),
			.outcome = (uint32_t)sqlite3_column_int64(row, 2),
			.reason = db_column_text(row, 3),
			.device = db_column_text(row, 4),
			.probes = (uint64_t)sqlite3_column_int64(row, 5),
			.first_ns = sqlite3_column_int64(row, 6),
			.last_ns = sqlite3_column_int64(row, 7),
		};
		const struct store_row out = { STORE_UNSENT,
			{ .unsent = &unsent } };
		if ((err = fn(ctx, &out)) != 0)
			break;
	}
	return end_read(row, err);
}

int rollup_read(struct rollup_view *view, const struct store_plan *plan,
    store_row_fn *fn, void *ctx, struct errmsg *msg)
{
	static view_read_fn *const tables[STORE_TABLES] = {
		[STORE_AGENTS] = view_read_agents,
		[STORE_GAPS] = view_read_gaps,
		[STORE_RUNS] = view_read_runs,
		[STORE_RUN_SUMS] = view_read_run_sums,
		[STORE_PATHS] = view_read_paths,
		[STORE_LINKS] = view_read_links,
		[STORE_POINTS] = view_read_points,
		[STORE_WATCH] = view_read_watch,
		[STORE_CLASSES] = view_read_classes,
		[STORE_SOURCES] = view_read_sources,
		[STORE_PAYLOADS] = view_read_payloads,
		[STORE_UNSENT] = view_read_unsent,
	};
	if (!tables[plan->table])
		BUG("rollup: table %d is not here", (int)plan->table);
	return tables[plan->table](view, plan, fn, ctx, msg);
}
