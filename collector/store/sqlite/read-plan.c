/* SPDX-License-Identifier: ISC */
/* A plan to who has the rows: blocks, watermarks, sums. */
#include "collector/store/sqlite/read-plan.h"

#include <string.h>

#include "collector/store/sqlite/partition-source.h"
#include "collector/store/sqlite/store-view.h"

static int read_records(struct store_view *view, const struct store_plan *plan,
    store_row_fn *fn, void *ctx, struct errmsg *msg)
{
	struct partition_source *source = partition_source_new(view);
	const struct block_source blocks = { .start = partition_source_start,
		.next = partition_source_next,
		.get = partition_source_get,
		.ctx = source };
	int err = select_records(&blocks, plan, fn, ctx, msg);
	if (err == ERR_CORRUPT)
		view->store->partitions.corrupt = true;
	partition_source_free(source);
	return err;
}

static int read_totals(
    struct store_view *view, store_row_fn *fn, void *ctx, struct errmsg *msg)
{
	struct partition_reader *reader;
	struct store_totals totals = { 0 };
	const struct store_row row = { .table = STORE_TOTALS,
		.totals = &totals };
	int err = view_reader(view, view->count - 1, &reader, msg);
	if (err < 0)
		return err;
	if (reader) {
		int64_t stored, lost;
		if (db_integer(&reader->db, &stored, 0,
			"SELECT sum(stored) FROM watermarks", "") < 0 ||
		    db_integer(&reader->db, &lost, 0,
			"SELECT sum(lost + unnumbered) FROM watermarks",
			"") < 0)
			return db_error(&reader->db, msg);
		totals.stored = (uint64_t)stored;
		totals.lost = (uint64_t)lost;
	}
	return fn(ctx, &row);
}

/* Numbers from the watermarks, the rest from the sums; both by row. */
struct agent_merge {
	struct db *db;
	sqlite3_stmt *rows;
	bool has_row;
	struct store_agent next;
	int64_t only; /* 0: all */
	store_row_fn *fn;
	void *ctx;
	struct errmsg *msg;
};

static int step_agent(struct agent_merge *m)
{
	int err = db_step(m->db, m->rows, m->msg);
	m->has_row = err == 1;
	if (err != 1)
		return err;
	m->next = (struct store_agent){
		.row = sqlite3_column_int64(m->rows, 0),
		.version = "",
		.epoch = (uint64_t)sqlite3_column_int64(m->rows, 2),
		.stored = (uint64_t)sqlite3_column_int64(m->rows, 3),
		.lost = (uint64_t)sqlite3_column_int64(m->rows, 4),
	};
	db_column_copy(m->rows, 1, m->next.id, sizeof(m->next.id));
	return ERR_OK;
}

static int give_agent(struct agent_merge *m, const struct store_agent *agent)
{
	const struct store_row row = { .table = STORE_AGENTS, .agent = agent };
	return m->fn(m->ctx, &row);
}

/* Those before a row of the sums have none. */
static int give_agents_before(struct agent_merge *m, int64_t row)
{
	int err = ERR_OK;
	while (err == 0 && m->has_row && m->next.row < row) {
		err = give_agent(m, &m->next);
		if (err == 0)
			err = step_agent(m);
	}
	return err;
}

static int merge_agent(void *ctx, const struct store_row *row)
{
	struct agent_merge *m = ctx;
	struct store_agent agent = *row->agent;
	int err = give_agents_before(m, agent.row);
	if (err != 0)
		return err;
	if (!m->has_row || m->next.row != agent.row)
		return ERR_OK; /* the sums are a moment ahead */
	memcpy(agent.id, m->next.id, sizeof(agent.id));
	agent.epoch = m->next.epoch;
	agent.stored = m->next.stored;
	agent.lost = m->next.lost;
	err = give_agent(m, &agent);
	return err == 0 ? step_agent(m) : err;
}

static int read_agents(struct store_view *view, const struct store_plan *plan,
    store_row_fn *fn, void *ctx, struct errmsg *msg)
{
	struct partition_reader *reader;
	int err = view_reader(view, view->count - 1, &reader, msg);
	if (err < 0 || !reader)
		return err;
	struct agent_merge m = {
		.db = &reader->db, .fn = fn, .ctx = ctx, .msg = msg
	};
	m.rows = db_query(m.db,
	    "SELECT w.agent, a.id, max(epoch), sum(stored),"
	    " sum(lost + unnumbered) FROM watermarks w"
	    " LEFT JOIN agents a ON a.agent = w.agent"
	    " WHERE ?1 = 0 OR w.agent = ?1 GROUP BY w.agent ORDER BY w.agent",
	    "i", plan->agent_row);
	err = step_agent(&m);
	if (err < 0)
		goto out;
	err = rollup_read(view->rollup, plan, merge_agent, &m, msg);
	if (err != 0)
		goto out;
	err = give_agents_before(&m, INT64_MAX);
out:
	db_reset(m.rows);
	return err;
}

int store_read(struct store_view *view, const struct store_plan *plan,
    store_row_fn *fn, void *ctx, struct errmsg *msg)
{
	switch (plan->table) {
	case STORE_RECORDS: return read_records(view, plan, fn, ctx, msg);
	case STORE_TOTALS: return read_totals(view, fn, ctx, msg);
	case STORE_AGENTS: return read_agents(view, plan, fn, ctx, msg);
	default: return rollup_read(view->rollup, plan, fn, ctx, msg);
	}
}
