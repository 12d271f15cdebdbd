/* SPDX-License-Identifier: ISC */
/*
 * Letting go, a little at a time, so that no transaction of ours makes an
 * agent wait: raw records by age and by the size of the database, rollups
 * level by level and bin by bin, and once an hour what is found only by
 * looking through a table.
 */
#include "collector/store/sqlite/provider.h"

#define HOUSEKEEPING_NS (3600 * NS_PER_S)
#define DAY_S 86400

struct trim {
	struct db *db;
	struct known *known;
	const struct store_keep *keep;
	uint32_t deleted;
	struct errmsg *msg;
};

static int note_changes(struct trim *trim, int err)
{
	if (err == ERR_OK)
		trim->deleted += (uint32_t)db_changes(trim->db);
	return err;
}

/* Records arrive in the order of their id: the oldest are the lowest. */
static int trim_age(struct trim *trim)
{
	if (trim->keep->raw_ns == 0)
		return ERR_OK;
	return note_changes(trim,
	    db_run(trim->db, trim->msg,
		"DELETE FROM records WHERE received_ns < ?1"
		" AND id < (SELECT min(id) FROM records) + ?2",
		"ii", trim->keep->now_ns - trim->keep->raw_ns,
		(int64_t)trim->keep->most_rows));
}

static int trim_size(struct trim *trim)
{
	int64_t pages, free, page_bytes;
	if (trim->keep->raw_bytes == 0)
		return ERR_OK;
	if (db_integer(trim->db, &pages, 0, "PRAGMA page_count", "") < 0 ||
	    db_integer(trim->db, &free, 0, "PRAGMA freelist_count", "") < 0 ||
	    db_integer(trim->db, &page_bytes, 0, "PRAGMA page_size", "") < 0)
		return db_error(trim->db, trim->msg);
	if ((uint64_t)((pages - free) * page_bytes) <= trim->keep->raw_bytes)
		return ERR_OK;
	return note_changes(trim,
	    db_run(trim->db, trim->msg,
		"DELETE FROM records WHERE"
		" id < (SELECT min(id) FROM records) + ?1",
		"i", (int64_t)trim->keep->most_rows));
}

static int64_t age_of_level(const struct store_keep *keep, uint32_t bin_s)
{
	return bin_s >= DAY_S ? keep->days_ns
	    : bin_s >= 3600   ? keep->hours_ns
			      : keep->minutes_ns;
}

/* The oldest bin of one table, when it is too old. */
static int trim_bin(
    struct trim *trim, uint32_t bin_s, const char *oldest, const char *delete)
{
	int64_t age = age_of_level(trim->keep, bin_s), bin;
	if (age == 0)
		return ERR_OK;
	int64_t horizon = (trim->keep->now_ns - age) / NS_PER_S - bin_s;
	if (db_integer(trim->db, &bin, INT64_MAX, oldest, "i", (int64_t)bin_s) <
	    0)
		return db_error(trim->db, trim->msg);
	if (bin >= horizon)
		return ERR_OK;
	known_forget_bin(trim->known, bin_s, bin);
	return note_changes(trim,
	    db_run(trim->db, trim->msg, delete, "iii", (int64_t)bin_s, bin,
		(int64_t)trim->keep->most_rows));
}

static int trim_level(struct trim *trim, uint32_t bin_s)
{
	int err = trim_bin(trim, bin_s,
	    "SELECT min(bin) FROM sources WHERE bin_s = ?1",
	    "DELETE FROM sources WHERE bin_s = ?1 AND bin = ?2"
	    " AND (kind, src) IN (SELECT kind, src FROM sources"
	    "  WHERE bin_s = ?1 AND bin = ?2 LIMIT ?3)");
	if (err == ERR_OK)
		err = trim_bin(trim, bin_s,
		    "SELECT min(bin) FROM path_bins WHERE bin_s = ?1",
		    "DELETE FROM path_bins WHERE bin_s = ?1 AND bin = ?2"
		    " AND path IN (SELECT path FROM path_bins"
		    "  WHERE bin_s = ?1 AND bin = ?2 LIMIT ?3)");
	if (err == ERR_OK)
		err = trim_bin(trim, bin_s,
		    "SELECT min(bin) FROM watch WHERE bin_s = ?1",
		    "DELETE FROM watch WHERE bin_s = ?1 AND bin = ?2"
		    " AND ?3 > 0");
	return err;
}

/* Tables without an order of time; ?1 is the age's horizon. */
static int housekeep(struct trim *trim, const struct store *store)
{
	const struct store_keep *keep = trim->keep;
	int err = ERR_OK;
	for (int i = 0; i < STORE_LEVELS_MAX && store->levels[i]; i++) {
		uint32_t bin_s = store->levels[i];
		int64_t age = age_of_level(keep, bin_s);
		/* The totals of days are few, and history. */
		if (age == 0 || bin_s >= DAY_S || err < 0)
			continue;
		err = note_changes(trim,
		    db_run(trim->db, trim->msg,
			"DELETE FROM series WHERE bin_s = ?1 AND bin < ?2",
			"ii", (int64_t)bin_s,
			(keep->now_ns - age) / NS_PER_S - bin_s));
	}
	static const char *const old[] = {
		"DELETE FROM seen WHERE last_ns < ?1",
		"DELETE FROM payloads WHERE first_ns < ?1",
		"DELETE FROM losses WHERE wall_ns < ?1",
		"DELETE FROM runs WHERE last_ns < ?1",
		("DELETE FROM path_hops WHERE path IN"
		 " (SELECT id FROM paths WHERE last_day < ?1 / 1000000000 - "
		 "86400)"),
		"DELETE FROM paths WHERE last_day < ?1 / 1000000000 - 86400",
	};
	for (size_t i = 0; keep->days_ns && i < sizeof(old) / sizeof(old[0]);
	     i++)
		if (err == ERR_OK)
			err = note_changes(trim,
			    db_run(trim->db, trim->msg, old[i], "i",
				keep->now_ns - keep->days_ns));
	return err;
}

int sqlite_trim(struct store *store, const struct store_keep *keep,
    uint32_t *deleted, uint32_t *expired, struct errmsg *msg)
{
	struct trim trim = { .db = &store->db,
		.known = &store->known,
		.keep = keep,
		.msg = msg };
	int err = trim_age(&trim);
	if (err == ERR_OK && trim.deleted == 0)
		err = trim_size(&trim);
	*expired = trim.deleted;
	for (int i = 0; i < STORE_LEVELS_MAX && store->levels[i]; i++)
		if (err == ERR_OK)
			err = trim_level(&trim, store->levels[i]);
	if (err == ERR_OK &&
	    keep->now_ns - store->housekept_ns >= HOUSEKEEPING_NS) {
		err = housekeep(&trim, store);
		store->housekept_ns = keep->now_ns;
	}
	*deleted = trim.deleted;
	return err;
}
