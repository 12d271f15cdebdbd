/* SPDX-License-Identifier: ISC */
#include "collector/registry/registry-alarms.h"

#include "collector/registry/registry-private.h"

int registry_alarm_put(
    struct registry *registry, struct registry_alarm *alarm, struct errmsg *msg)
{
	if (alarm->row)
		return db_run(&registry->db, msg,
		    "UPDATE alarms SET onset_ns = ?2, ended_ns = ?3,"
		    " observed = ?4, expected = ?5 WHERE id = ?1",
		    "iiidd", alarm->row, alarm->onset_ns, alarm->ended_ns,
		    alarm->observed, alarm->expected);
	int err = db_run(&registry->db, msg,
	    "INSERT INTO alarms (detector, bin_s, verdict, signature, agent,"
	    " direction, onset_ns, detected_ns, ended_ns, observed, expected,"
	    " test, run_length) VALUES"
	    " (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
	    "tittiiiiiddtd", alarm->detector, (int64_t)alarm->bin_s,
	    alarm->verdict, alarm->signature, alarm->agent_row,
	    (int64_t)alarm->direction, alarm->onset_ns, alarm->detected_ns,
	    alarm->ended_ns, alarm->observed, alarm->expected, alarm->test,
	    alarm->run_length);
	alarm->row = sqlite3_last_insert_rowid(registry->db.handle);
	return err;
}

static void take_alarm(sqlite3_stmt *row, struct registry_alarm *alarm)
{
	*alarm = (struct registry_alarm){
		.row = sqlite3_column_int64(row, 0),
		.detector = db_column_text(row, 1),
		.bin_s = (uint32_t)sqlite3_column_int64(row, 2),
		.verdict = db_column_text(row, 3),
		.signature = db_column_text(row, 4),
		.agent_row = sqlite3_column_int64(row, 5),
		.direction =
		    sqlite3_column_int(row, 6) ? ALARM_FALL : ALARM_RISE,
		.onset_ns = sqlite3_column_int64(row, 7),
		.detected_ns = sqlite3_column_int64(row, 8),
		.ended_ns = sqlite3_column_int64(row, 9),
		.observed = sqlite3_column_double(row, 10),
		.expected = sqlite3_column_double(row, 11),
		.test = db_column_text(row, 12),
		.run_length = sqlite3_column_double(row, 13),
		.within_row = sqlite3_column_int64(row, 15),
		.agents = db_column_text(row, 16),
	};
	db_column_copy(row, 14, alarm->agent, sizeof(alarm->agent));
}

/* Two alarms of one detector, series and direction that overlap: one
 * outbreak. */
/* clang-format off: a table */
#define SAME_OUTBREAK(x, y)                                                \
	x ".signature = " y ".signature AND " x ".verdict = " y ".verdict" \
	  " AND " x ".detector = " y ".detector"                           \
	  " AND " x ".bin_s = " y ".bin_s"                                 \
	  " AND " x ".direction = " y ".direction"                         \
	  " AND (" x ".ended_ns = 0 OR " x ".ended_ns >= " y ".onset_ns)"  \
	  " AND (" y ".ended_ns = 0 OR " x ".onset_ns <= " y ".ended_ns)"

static const char alarms_sql[] =
    "SELECT l.id, l.detector, l.bin_s, l.verdict, l.signature, l.agent,"
    " l.direction, l.onset_ns, l.detected_ns, l.ended_ns, l.observed,"
    " l.expected, l.test, l.run_length, a.agent,"
    " CASE WHEN l.agent = 0 OR l.signature || l.verdict = '' THEN 0 ELSE"
    "  (SELECT f.id FROM alarms f WHERE f.agent = 0"
    "   AND " SAME_OUTBREAK(
	"f", "l") "   ORDER BY f.onset_ns DESC LIMIT 1) END,"
		  " CASE l.agent WHEN 0 THEN"
		  "  (SELECT group_concat(DISTINCT lower(hex(b.agent))) FROM "
		  "alarms p"
		  "   JOIN agents b ON b.id = p.agent"
		  "   WHERE p.agent > 0 AND " SAME_OUTBREAK("p",
		      "l") ") END"
			   " FROM alarms l LEFT JOIN agents a ON a.id = l.agent"
			   " WHERE l.onset_ns < ?2 AND (l.ended_ns = 0 OR "
			   "l.ended_ns >= ?1)"
			   " AND (?3 = -1 OR l.agent = ?3) AND (?4 IS NULL OR "
			   "l.verdict = ?4)"
			   " AND (?5 IS NULL OR l.signature = ?5)"
			   " AND (?6 = 0 OR (l.onset_ns, l.id) < (?7, ?6))"
			   " ORDER BY l.onset_ns DESC, l.id DESC LIMIT ?8";
/* clang-format on */

int registry_read_alarms(struct registry_reader *reader,
    const struct registry_alarm_filter *filter, registry_alarm_fn *fn,
    void *ctx)
{
	sqlite3_stmt *row = db_query(&reader->db, alarms_sql, "iiittiii",
	    filter->from_ns, filter->to_ns, filter->agent_row, filter->verdict,
	    filter->signature, filter->cursor_row, filter->cursor_ns,
	    filter->limit ? (int64_t)filter->limit : INT64_MAX);
	int err;
	while ((err = registry_next(reader, row)) == 1) {
		struct registry_alarm alarm;
		take_alarm(row, &alarm);
		if ((err = fn(ctx, &alarm)) != 0)
			break;
	}
	db_reset(row);
	return err;
}
