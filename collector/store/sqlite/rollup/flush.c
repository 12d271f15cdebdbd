/* SPDX-License-Identifier: ISC */
/*
 * Memory to rollup.db, in one transaction with the mark: the number of the last
 * block whose records are in it.  After a failure memory is as it was.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

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
#define FRESH_LOOK_NS (5 * NS_PER_MS)
#define FRESH_WAIT_NS (100 * NS_PER_MS)

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
		.made_ns = g->received_ns,
	};
	source_part_begin(&writer, &g->db, g->codec, &info, count, msg);
	for (size_t i = 0; i < count; i++)
		source_part_row(&writer, rows[i]);
	return source_part_end(&writer);
}

static int flush_sources(struct gather *g, struct errmsg *msg)
{
	size_t count = g->sources.count;
	if (count == 0)
		return ERR_OK;
	const struct source_row **rows = xcalloc(count, sizeof(void *));
	for (size_t i = 0; i < count; i++)
		rows[i] = &g->sources.rows[i];
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
	int err = db_run(&g->db, msg,
	    "INSERT OR REPLACE INTO meta VALUES ('applied', ?1),"
	    " ('next_part', ?2), ('bounded', ?3)",
	    "iii", (int64_t)g->block, g->next_part, (int64_t)g->bounded);
	return err;
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
	return err < 0 ? err : write_mark(g, msg);
}

static void flushed(struct gather *g)
{
	for (size_t i = 0; i < g->sources.count; i++)
		if (g->sources.rows[i].last_ns > g->newest_ns)
			g->newest_ns = g->sources.rows[i].last_ns;
	for (size_t i = 0; i < g->paths.count; i++)
		if (g->paths.rows[i].last_ns > g->newest_ns)
			g->newest_ns = g->paths.rows[i].last_ns;
	g->sources.count = 0;
	index_clear(&g->sources.index);
	paths_flushed(g);
	names_flushed(g);
	runs_flushed(g);
	g->applied = g->block;
	g->waiting = false;
	g->work = true;
}

int flush_locked(struct gather *g, struct errmsg *msg)
{
	if (!g->waiting)
		return ERR_OK;
	struct monotime start = monotime_now();
	int64_t part = g->next_part;
	int err = gather_begin(g, msg);
	if (err < 0)
		return err;
	err = gather_end(g, write_all(g, msg), msg);
	if (err == ERR_OK) {
		flushed(g);
	} else {
		g->next_part = part;
		for (size_t i = 0; i < g->class_count; i++)
			g->classes[i].found = 0;
	}
	g->flushed = monotime_now();
	g->flush_ns = monotime_diff(g->flushed, start);
	return err;
}

int gather_flush(struct gather *g, struct errmsg *msg)
{
	pthread_mutex_lock(&g->lock);
	int err = flush_locked(g, msg);
	pthread_mutex_unlock(&g->lock);
	return err;
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

int gather_freshen(struct gather *g, struct errmsg *msg)
{
	struct monotime until = monotime_add(monotime_now(), FRESH_WAIT_NS);
	int err = ERR_OK;
	pthread_mutex_lock(&g->lock);
	while (g->waiting) {
		bool few = g->sources.count + g->paths.count <= FRESH_ROWS;
		int64_t wait_ns = rest_ns(g);
		if (wait_ns <= 0 ||
		    (few && !monotime_before(monotime_now(), until))) {
			err = flush_locked(g, msg);
			break;
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
