/* SPDX-License-Identifier: ISC */
/* What all that write rollup.db share: transactions, numbers of parts, how far
 * one table is derived from another. */
#include "collector/store/sqlite/rollup/rollup-db.h"
#include "collector/store/sqlite/rollup/gather-private.h"

struct gather_sizes gather_sizes = {
	.parts_crowded = 16,
	.delta_rows = 65536,
	.heavy_groups = 4096,
	.fine_rows = 100000,
	.held_rows = GATHER_ROWS_MOST,
	.path_rows = 32768,
};

void disk_lock(struct gather *g)
{
	struct turnstile *t = &g->disk;
	pthread_mutex_lock(&t->lock);
	uint64_t mine = t->next++;
	while (t->serving != mine)
		pthread_cond_wait(&t->turn, &t->lock);
	pthread_mutex_unlock(&t->lock);
}

void disk_unlock(struct gather *g)
{
	struct turnstile *t = &g->disk;
	if (g->db.corrupt)
		g->corrupt = true;
	pthread_mutex_lock(&t->lock);
	t->serving++;
	pthread_cond_broadcast(&t->turn);
	pthread_mutex_unlock(&t->lock);
}

int64_t gather_new_part(struct gather *g)
{
	return g->next_part++;
}

int gather_begin(struct gather *g, struct errmsg *msg)
{
	return db_run(&g->db, msg, "BEGIN IMMEDIATE", "");
}

/* err: how it went; commits or undoes, and returns how that went. */
int gather_end(struct gather *g, int err, struct errmsg *msg)
{
	db_reset_all(&g->db);
	if (err >= 0) {
		int committed = db_run(&g->db, msg, "COMMIT", "");
		if (committed == ERR_OK)
			return err;
		err = committed;
	}
	/* A full disk may have ended the transaction already. */
	if (!sqlite3_get_autocommit(g->db.handle))
		db_run(&g->db, NULL, "ROLLBACK", "");
	return err;
}

int derived_upto(struct db *db, enum rollup_table table, int64_t bin,
    int64_t *upto, struct errmsg *msg)
{
	if (db_integer(db, upto, -1,
		"SELECT upto FROM derived WHERE tbl = ?1 AND bin = ?2", "ii",
		(int64_t)table, bin) < 0)
		return db_error(db, msg);
	return ERR_OK;
}

int derived_set_upto(struct db *db, enum rollup_table table, int64_t bin,
    int64_t upto, struct errmsg *msg)
{
	return db_run(db, msg,
	    "INSERT OR REPLACE INTO derived VALUES (?1, ?2, ?3)", "iii",
	    (int64_t)table, bin, upto);
}
