/* SPDX-License-Identifier: ISC */
/*
 * Letting go, a piece at a time, each in a transaction of its own: minutes of
 * an hour become one row for the hour, then hours go, then days; what has no
 * order of time is looked through once an hour.  A day is derived before its
 * hours change.
 */
#include "collector/store/sqlite/rollup/merge.h"
#include "collector/store/sqlite/rollup/names.h"
#include "collector/store/sqlite/rollup/rollup-db.h"
#include "collector/store/sqlite/rollup/gather-private.h"

#define HOUSEKEEPING_NS (3600 * NS_PER_S)
#define DAY_NS (DAY_S * NS_PER_S)
#define STRIPES 16

struct letting_go {
	struct gather *g;
	const struct store_keep *keep;
	struct errmsg *msg;
};

/* Seconds; a bin of this width that starts before it is too old. */
static int64_t horizon(
    const struct letting_go *l, int64_t age_ns, int64_t bin_s)
{
	return (l->keep->now.ns - age_ns) / NS_PER_S - bin_s;
}

/* Parts of an hour whose day holds them; 1: the day had to be derived first. */
static int derive_first(
    struct letting_go *l, enum rollup_table table, int64_t hour)
{
	return merge_day(l->g, table, hour - hour % DAY_S, l->msg);
}

static int coarsen_hour(
    struct letting_go *l, enum rollup_table table, int64_t hour)
{
	struct part_list list = { 0 };
	int err = derive_first(l, table, hour);
	if (err != 0)
		return err;
	err = part_list_read(&l->g->db, table, hour, hour + 1, &list, l->msg);
	if (err == 0)
		err = merge_parts(l->g, list.items, list.count, false, l->msg);
	part_list_fini(&list);
	return err < 0 ? err : 1;
}

static int oldest_hour(struct letting_go *l, enum rollup_table table,
    bool fine_only, int64_t *hour)
{
	if (db_integer(&l->g->db, hour, INT64_MAX,
		"SELECT min(bin) FROM parts WHERE tbl = ?1 AND fine >= ?2",
		"ii", (int64_t)table, (int64_t)fine_only) < 0)
		return db_error(&l->g->db, l->msg);
	return ERR_OK;
}

static int expire_minutes(struct letting_go *l, enum rollup_table table)
{
	int64_t hour;
	if (l->keep->minutes_ns == 0)
		return ERR_OK;
	int err = oldest_hour(l, table, true, &hour);
	if (err < 0 || hour >= horizon(l, l->keep->minutes_ns, HOUR_S))
		return err;
	return coarsen_hour(l, table, hour);
}

static int delete_bin(
    struct letting_go *l, enum rollup_table table, int64_t bin)
{
	struct db *db = &l->g->db;
	int err = db_run(db, l->msg,
	    "DELETE FROM segments WHERE tbl = ?1 AND bin = ?2", "ii",
	    (int64_t)table, bin);
	if (err < 0)
		return err;
	err =
	    db_run(db, l->msg, "DELETE FROM parts WHERE tbl = ?1 AND bin = ?2",
		"ii", (int64_t)table, bin);
	if (err < 0)
		return err;
	return db_run(db, l->msg,
	    "DELETE FROM derived WHERE tbl = ?1 AND bin = ?2", "ii",
	    (int64_t)table, bin);
}

static int expire_hours(struct letting_go *l, enum rollup_table table)
{
	int64_t hour;
	if (l->keep->hours_ns == 0)
		return ERR_OK;
	int err = oldest_hour(l, table, false, &hour);
	if (err < 0 || hour >= horizon(l, l->keep->hours_ns, HOUR_S))
		return err;
	if (table != ROLLUP_LINKS) {
		err = derive_first(l, table, hour);
		if (err != 0)
			return err;
	}
	err = delete_bin(l, table, hour);
	return err < 0 ? err : 1;
}

static int expire_days(struct letting_go *l, enum rollup_table table)
{
	int64_t day;
	if (l->keep->days_ns == 0)
		return ERR_OK;
	int err = oldest_hour(l, table, false, &day);
	if (err < 0 || day >= horizon(l, l->keep->days_ns, DAY_S))
		return err;
	err = delete_bin(l, table, day);
	if (err < 0)
		return err;
	if (table != ROLLUP_LIGHT)
		return 1;
	err = db_run(
	    &l->g->db, l->msg, "DELETE FROM light WHERE day <= ?1", "i", day);
	if (err < 0)
		return err;
	err = db_run(&l->g->db, l->msg,
	    "DELETE FROM light_groups WHERE day <= ?1", "i", day);
	return err < 0 ? err : 1;
}

static int64_t age_of_level(const struct store_keep *keep, uint32_t bin_s)
{
	return bin_s >= DAY_S ? keep->days_ns
	    : bin_s >= HOUR_S ? keep->hours_ns
			      : keep->minutes_ns;
}

static int expire_series(struct letting_go *l)
{
	const uint32_t *levels = l->g->levels;
	for (int i = 0; i < STORE_LEVELS_MAX && levels[i]; i++) {
		int64_t age = age_of_level(l->keep, levels[i]);
		if (age == 0)
			continue;
		int64_t before = horizon(l, age, levels[i]);
		int err = db_run(&l->g->db, l->msg,
		    "DELETE FROM watch WHERE bin_s = ?1 AND bin < ?2", "ii",
		    (int64_t)levels[i], before);
		if (err < 0)
			return err;
		/* The totals of days are few, and history. */
		if (levels[i] >= DAY_S)
			continue;
		err = db_run(&l->g->db, l->msg,
		    "DELETE FROM series WHERE bin_s = ?1 AND bin < ?2", "ii",
		    (int64_t)levels[i], before);
		if (err < 0)
			return err;
	}
	return ERR_OK;
}

static int expire_rows(struct letting_go *l)
{
	static const char *const old[] = {
		"DELETE FROM payloads WHERE first_ns < ?1",
		"DELETE FROM gaps WHERE wall_ns < ?1",
		"DELETE FROM runs WHERE last_ns < ?1",
	};
	int64_t before = l->keep->now.ns - l->keep->days_ns;
	for (size_t i = 0; i < sizeof(old) / sizeof(old[0]); i++) {
		int err = db_run(&l->g->db, l->msg, old[i], "i", before);
		if (err < 0)
			return err;
	}
	return ERR_OK;
}

/* Written with the set that is gathered. */
static void expire_paths(struct letting_go *l)
{
	struct gather *g = l->g;
	int64_t before = l->keep->now.ns - l->keep->days_ns;
	if (l->keep->days_ns == 0)
		return;
	pthread_mutex_lock(&g->lock);
	names_expire(g, (before - 1) / DAY_NS);
	if (g->now->paths_go)
		note_waiting(g->now);
	pthread_mutex_unlock(&g->lock);
}

static int expire_unsent(struct letting_go *l)
{
	if (l->keep->hours_ns == 0)
		return ERR_OK;
	return db_run(&l->g->db, l->msg, "DELETE FROM unsent WHERE bin < ?1",
	    "i", horizon(l, l->keep->hours_ns, HOUR_S));
}

static int housekeep(struct letting_go *l)
{
	int err = expire_series(l);
	if (err < 0)
		return err;
	err = expire_unsent(l);
	if (err < 0 || !l->keep->days_ns)
		return err;
	return expire_rows(l);
}

/* Sources that were not seen for so long are as if they never were. */
static int sweep_stripe(struct letting_go *l)
{
	struct gather *g = l->g;
	struct part_list list = { 0 };
	int64_t floor = (l->keep->now.ns - l->keep->days_ns) / DAY_NS;
	if (l->keep->days_ns == 0 || floor == g->seen_floor)
		return ERR_OK;
	int64_t stripe = g->seen_swept;
	int err = part_list_read(
	    &g->db, ROLLUP_SEEN, stripe, stripe + 1, &list, l->msg);
	g->seen_dropping = floor;
	if (err == 0 && list.count > 0)
		err = merge_parts(g, list.items, list.count, false, l->msg);
	g->seen_dropping = 0;
	part_list_fini(&list);
	if (err < 0)
		return err;
	if (++g->seen_swept == STRIPES) {
		g->seen_swept = 0;
		g->seen_floor = floor;
	}
	return 1;
}

static int expire_piece(struct letting_go *l)
{
	static const struct {
		int (*expire)(struct letting_go *, enum rollup_table);
		enum rollup_table table;
	} pieces[] = {
		{ expire_hours, ROLLUP_SOURCES },
		{ expire_hours, ROLLUP_PATHS },
		{ expire_hours, ROLLUP_LINKS },
		{ expire_minutes, ROLLUP_SOURCES },
		{ expire_minutes, ROLLUP_PATHS },
		{ expire_days, ROLLUP_HEAVY },
		{ expire_days, ROLLUP_LIGHT },
		{ expire_days, ROLLUP_PATH_DAYS },
	};
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		int did = pieces[i].expire(l, pieces[i].table);
		if (did != 0)
			return did;
	}
	return sweep_stripe(l);
}

static int expire_locked(struct letting_go *l, bool *more)
{
	struct gather *g = l->g;
	int64_t part = g->next_part, swept = g->seen_swept;
	bool hourly = g->housekept_ns == 0 ||
	    l->keep->mono.ns - g->housekept_ns >= HOUSEKEEPING_NS;
	int err = gather_begin(g, l->msg);
	if (err < 0)
		return err;
	err = expire_piece(l);
	if (err == 1) {
		int marked = db_run(&g->db, l->msg,
		    "INSERT OR REPLACE INTO meta VALUES ('next_part', ?1)", "i",
		    g->next_part);
		err = marked < 0 ? marked : err;
	}
	if (err == ERR_OK && hourly)
		err = housekeep(l);
	int ended = gather_end(g, err, l->msg);
	if (ended < 0) {
		g->next_part = part;
		g->seen_swept = swept;
		return ended;
	}
	*more = err == 1;
	if (err == ERR_OK && hourly) {
		g->housekept_ns = l->keep->mono.ns ? l->keep->mono.ns : 1;
		expire_paths(l);
	}
	return ERR_OK;
}

int gather_expire(struct gather *g, const struct store_keep *keep, bool *more,
    struct errmsg *msg)
{
	struct letting_go l = { g, keep, msg };
	*more = false;
	disk_lock(g);
	int err = expire_locked(&l, more);
	disk_unlock(g);
	return err;
}
