/* SPDX-License-Identifier: ISC */
/*
 * Memory to rollup.db: the gathered set is exchanged for an empty one and
 * written in one transaction with the mark, the number of the last block whose
 * records are in it, while batches are gathered in the other.  Readers see the
 * disk, so each set at once and whole.  After a failure the set stays frozen
 * until it can be written.
 *
 * A set whose batches have consequences elsewhere (events) is frozen only when
 * those are recorded: a crash before that finds the batches again above the
 * mark.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "collector/store/sqlite/rollup/count.h"
#include "collector/store/sqlite/rollup/flush.h"
#include "collector/store/sqlite/rollup/names.h"
#include "collector/store/sqlite/rollup/paths.h"
#include "collector/store/sqlite/rollup/rollup-db.h"
#include "collector/store/sqlite/rollup/rollup-runs.h"
#include "collector/store/sqlite/rollup/rollup-unsent.h"
#include "collector/store/sqlite/rollup/bins.h"
#include "collector/store/sqlite/rollup/gather-private.h"
#include "lib/base/xalloc.h"

/* A reader's flush: at once where the last was short, otherwise when three
 * times as long passed as that took.  For few rows a reader waits until then,
 * and so sees all that was appended before; many rows it does without: they
 * are written within a second anyway. */
#define FRESH_ROWS 4096
#define FRESH_SHORT_NS (10 * NS_PER_MS)
#define FRESH_SHARE 3
#define FRESH_LOOK_NS (2 * NS_PER_MS)
#define FRESH_WAIT_NS (100 * NS_PER_MS)
#define FRESH_SETTLE_NS (1 * NS_PER_S) /* events take less */

static int by_hour(const void *a, const void *b)
{
	const struct source_row *x = *(const struct source_row *const *)a;
	const struct source_row *y = *(const struct source_row *const *)b;
	int64_t i = x->key.bin / HOUR_S, k = y->key.bin / HOUR_S;
	if (i != k)
		return i < k ? -1 : 1;
	return source_cmp(&x->key, &y->key, false);
}

static int write_hour(struct gather *g, const struct source_row **rows,
    size_t count, struct errmsg *msg)
{
	struct source_writer writer;
	struct part_info info = {
		.id = { ROLLUP_SOURCES,
		    rollup_bin(rows[0]->key.bin * NS_PER_S, HOUR_S),
		    gather_new_part(g) },
		.fine = true,
		.made_ns = g->frozen->received_ns,
	};
	source_part_begin(&writer, &g->db, g->codec, &info, count, msg);
	for (size_t i = 0; i < count; i++)
		source_part_row(&writer, rows[i]);
	return source_part_end(&writer);
}

static int flush_sources(struct gather *g, struct errmsg *msg)
{
	const struct source_table *sources = &g->frozen->sources;
	size_t count = sources->count;
	if (count == 0)
		return ERR_OK;
	const struct source_row **rows = xcalloc(count, sizeof(void *));
	for (size_t i = 0; i < count; i++)
		rows[i] = &sources->rows[i];
	qsort(rows, count, sizeof(void *), by_hour);
	/* Counting looks at what is there already: before the new parts. */
	int err = count_flush(g, rows, count, msg);
	for (size_t i = 0; err == ERR_OK && i < count;) {
		size_t end = i + 1;
		int64_t hour = rows[i]->key.bin / HOUR_S;
		while (end < count && rows[end]->key.bin / HOUR_S == hour)
			end++;
		err = write_hour(g, rows + i, end - i, msg);
		i = end;
	}
	free(rows);
	return err;
}

static int write_mark(struct gather *g, struct errmsg *msg)
{
	const struct gathered *set = g->frozen;
	return db_run(&g->db, msg,
	    "INSERT OR REPLACE INTO meta VALUES ('applied', ?1),"
	    " ('next_part', ?2), ('bounded', ?3)",
	    "iii", (int64_t)set->block, g->next_part, (int64_t)set->bounded);
}

static int write_all(struct gather *g, struct errmsg *msg)
{
	int err = flush_sources(g, msg);
	if (err < 0)
		return err;
	err = paths_flush(g, msg);
	if (err < 0)
		return err;
	err = names_flush(g, msg);
	if (err < 0)
		return err;
	err = runs_flush(g, msg);
	if (err < 0)
		return err;
	err = unsent_flush(g, msg);
	return err < 0 ? err : write_mark(g, msg);
}

static int write_frozen(struct gather *g, struct errmsg *msg)
{
	int64_t part = g->next_part;
	int err = gather_begin(g, msg);
	if (err < 0)
		return err;
	err = gather_end(g, write_all(g, msg), msg);
	if (err < 0) {
		g->next_part = part;
		memset(g->class_found, 0, sizeof(g->class_found));
	}
	return err;
}

/* --- sets --- */
struct gathered *gathered_new(void)
{
	return xcalloc(1, sizeof(struct gathered));
}

/* Keeps its tables' memory for the next rows, and the block. */
static void clear_set(struct gathered *set)
{
	set->sources.count = 0;
	index_clear(&set->sources.index);
	paths_clear(set);
	names_clear(set);
	runs_clear(set);
	unsent_clear(set);
	set->waiting = false;
}

void gathered_free(struct gathered *set)
{
	if (!set)
		return;
	clear_set(set);
	free(set->sources.rows);
	index_fini(&set->sources.index);
	free(set->paths.rows);
	index_fini(&set->paths.index);
	buf_fini(&set->paths.bytes);
	free(set->runs.rows);
	index_fini(&set->runs.index);
	free(set->unsent.rows);
	index_fini(&set->unsent.index);
	free(set->payloads);
	free(set->gaps);
	free(set->new_paths);
	free(set->path_days);
	free(set->classes);
	free(set->class_ids);
	free(set->agents);
	free(set);
}

bool gather_freeze(struct gather *g)
{
	struct gathered *set = g->now;
	if (g->frozen->waiting || !set->waiting ||
	    (g->held && set->block > g->settled))
		return false;
	names_freeze(g, set);
	g->now = g->frozen;
	g->frozen = set;
	g->now->block = set->block;
	g->now->received_ns = set->received_ns;
	return true;
}

static void note_written(struct gather *g)
{
	const struct gathered *set = g->frozen;
	for (size_t i = 0; i < set->sources.count; i++)
		if (set->sources.rows[i].last_ns > g->newest_ns)
			g->newest_ns = set->sources.rows[i].last_ns;
	for (size_t i = 0; i < set->paths.count; i++)
		if (set->paths.rows[i].last_ns > g->newest_ns)
			g->newest_ns = set->paths.rows[i].last_ns;
	g->received_ns = set->received_ns;
	g->work = true;
	names_flushed(g);
}

/* 1: there was something to write, and it is on the disk. */
static int flush_one(struct gather *g, struct errmsg *msg)
{
	pthread_mutex_lock(&g->lock);
	gather_freeze(g);
	bool waiting = g->flushing = g->frozen->waiting;
	pthread_mutex_unlock(&g->lock);
	if (!waiting)
		return 0;
	struct monotime start = monotime_now();
	int err = write_frozen(g, msg);
	if (err == ERR_OK)
		note_written(g);
	pthread_mutex_lock(&g->lock);
	if (err == ERR_OK) {
		g->applied = g->frozen->block;
		clear_set(g->frozen);
	}
	g->flushing = false;
	g->flushed = monotime_now();
	g->flush_ns = monotime_diff(g->flushed, start);
	pthread_cond_broadcast(&g->written);
	pthread_mutex_unlock(&g->lock);
	return err < 0 ? err : 1;
}

/* What is frozen, then what is gathered by then. */
int gather_flush(struct gather *g, struct errmsg *msg)
{
	int err = 1;
	disk_lock(g);
	for (int i = 0; i < 2 && err == 1; i++)
		err = flush_one(g, msg);
	disk_unlock(g);
	return err < 0 ? err : ERR_OK;
}

void gather_settle(struct gather *g)
{
	pthread_mutex_lock(&g->lock);
	g->settled = g->now->block;
	pthread_mutex_unlock(&g->lock);
}

/* How long a reader's flush has to wait: the last one took a share of the
 * time since. */
static int64_t rest_ns(const struct gather *g)
{
	if (g->flush_ns < FRESH_SHORT_NS)
		return 0;
	return g->flush_ns * FRESH_SHARE -
	    monotime_diff(monotime_now(), g->flushed);
}

/* Whether a flush can write the newest rows too. */
static bool is_settled(const struct gather *g)
{
	return !g->now->waiting || !g->held || g->now->block <= g->settled;
}

static size_t rows_waiting(const struct gather *g)
{
	return g->now->sources.count + g->now->paths.count +
	    g->frozen->sources.count + g->frozen->paths.count;
}

int gather_freshen(struct gather *g, struct errmsg *msg)
{
	struct monotime begun = monotime_now();
	int err = ERR_OK;
	pthread_mutex_lock(&g->lock);
	while (g->now->waiting || g->frozen->waiting) {
		bool few = rows_waiting(g) <= FRESH_ROWS;
		int64_t waited = monotime_diff(monotime_now(), begun);
		int64_t wait_ns = rest_ns(g);
		if (few && waited >= FRESH_WAIT_NS)
			wait_ns = 0;
		if (few && !is_settled(g) && waited < FRESH_SETTLE_NS)
			wait_ns = FRESH_LOOK_NS;
		if (wait_ns <= 0) {
			pthread_mutex_unlock(&g->lock);
			return gather_flush(g, msg);
		}
		if (!few)
			break;
		/* Another reader may flush in the meantime. */
		if (wait_ns > FRESH_LOOK_NS)
			wait_ns = FRESH_LOOK_NS;
		pthread_mutex_unlock(&g->lock);
		nanosleep(&(struct timespec){ .tv_nsec = wait_ns }, NULL);
		pthread_mutex_lock(&g->lock);
	}
	pthread_mutex_unlock(&g->lock);
	return err;
}
