/* SPDX-License-Identifier: ISC */
/* Parts and their segments in rollup.db. */
#include <stdlib.h>
#include <string.h>

#include "collector/store/sqlite/rollup/rollup-part.h"
#include "lib/base/vec.h"
#include "lib/base/xalloc.h"

void part_begin(struct part_writer *writer, struct db *db,
    struct segment_codec *codec, const struct part_info *info,
    const struct part_shape *shape, struct errmsg *msg)
{
	*writer = (struct part_writer){
		.db = db,
		.codec = codec,
		.info = *info,
		.chunk_rows = shape->chunk_rows,
		.key_len = shape->key_len,
		.msg = msg,
	};
	writer->info.rows = 0;
	if (shape->columns > 0)
		segment_init(&writer->segment, shape->columns, shape->flags,
		    shape->chunk_rows);
}

int part_put(struct part_writer *w, const struct segment *segment,
    const uint8_t *first, const uint8_t *last)
{
	if (w->err < 0 || segment->rows == 0)
		return w->err;
	buf_clear(&w->bytes);
	segment_seal(segment, w->codec, &w->bytes);
	w->err = db_run(w->db, w->msg,
	    "INSERT INTO segments (tbl, bin, part, first, last, rows, body)"
	    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	    "iiibbib", (int64_t)w->info.id.table, w->info.id.bin,
	    w->info.id.part, first, w->key_len, last, w->key_len,
	    (int64_t)segment->rows, w->bytes.data, w->bytes.len);
	w->info.rows += segment->rows;
	return w->err;
}

int part_seal(struct part_writer *w)
{
	int err = part_put(w, &w->segment, w->first, w->last);
	w->segment.rows = 0;
	buf_clear(&w->segment.tail);
	return err;
}

size_t part_row(struct part_writer *w, const uint8_t *key)
{
	if (w->segment.rows == w->chunk_rows)
		part_seal(w);
	if (w->segment.rows == 0)
		memcpy(w->first, key, w->key_len);
	memcpy(w->last, key, w->key_len);
	return w->segment.rows++;
}

int part_end(struct part_writer *w)
{
	if (w->segment.rows > 0)
		part_seal(w);
	const struct part_info *info = &w->info;
	if (w->err == ERR_OK && info->rows > 0)
		w->err = db_run(w->db, w->msg,
		    "INSERT OR REPLACE INTO parts VALUES"
		    " (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
		    "iiiiiii", (int64_t)info->id.table, info->id.bin,
		    info->id.part, (int64_t)info->rows, info->upto,
		    (int64_t)info->fine, info->made_ns);
	segment_fini(&w->segment);
	buf_fini(&w->bytes);
	return w->err;
}

void part_stream_init(struct part_stream *stream, struct db *db,
    struct segment_codec *codec, const struct part_id *id, size_t key_len)
{
	*stream =
	    (struct part_stream){ .db = db, .id = *id, .key_len = key_len };
	stream->segment.codec = codec;
}

void part_stream_fini(struct part_stream *stream)
{
	segment_fini(&stream->segment);
}

int part_stream_chunk(
    struct part_stream *s, const uint8_t *key, struct errmsg *msg)
{
	if (s->ended)
		return 0;
	struct segment_codec *codec = s->segment.codec;
	/* A key may fill several segments: those go on by their number. */
	int64_t row = s->row;
	if (key && memcmp(key, s->last, s->key_len) > 0)
		row = 0;
	else
		key = s->last;
	sqlite3_stmt *found = db_query(s->db,
	    "SELECT id, last, body FROM segments WHERE tbl = ?1 AND bin = ?2"
	    " AND part = ?3 AND (last, id) > (?4, ?5) ORDER BY last, id"
	    " LIMIT 1",
	    "iiibi", (int64_t)s->id.table, s->id.bin, s->id.part, key,
	    s->key_len, row);
	int err = db_step(s->db, found, msg);
	if (err == 1) {
		s->row = sqlite3_column_int64(found, 0);
		db_column_copy(found, 1, s->last, s->key_len);
		s->at = 0;
		if (segment_open(&s->segment, codec,
			sqlite3_column_blob(found, 2),
			(size_t)sqlite3_column_bytes(found, 2)) < 0) {
			s->db->corrupt = true;
			err = err_set(msg, ERR_CORRUPT,
			    "rollup.db: segment %lld cannot be read",
			    (long long)s->row);
		}
	}
	db_reset(found);
	s->ended = err != 1;
	return err;
}

void part_list_fini(struct part_list *list)
{
	free(list->items);
	*list = (struct part_list){ 0 };
}

int part_list_read(struct db *db, enum rollup_table table, int64_t from,
    int64_t to, struct part_list *list, struct errmsg *msg)
{
	sqlite3_stmt *row = db_query(db,
	    "SELECT bin, part, rows, upto, fine, made_ns FROM parts"
	    " WHERE tbl = ?1 AND bin >= ?2 AND bin < ?3 ORDER BY bin, part",
	    "iii", (int64_t)table, from, to);
	int err;
	while ((err = db_step(db, row, msg)) == 1) {
		VEC_ROOM(list->items, list->count);
		list->items[list->count++] = (struct part_info){
			.id = { table, sqlite3_column_int64(row, 0),
			    sqlite3_column_int64(row, 1) },
			.rows = (uint64_t)sqlite3_column_int64(row, 2),
			.upto = sqlite3_column_int64(row, 3),
			.fine = sqlite3_column_int(row, 4) != 0,
			.made_ns = sqlite3_column_int64(row, 5),
		};
	}
	db_reset(row);
	return err;
}

int part_delete(struct db *db, const struct part_id *id, struct errmsg *msg)
{
	int err = db_run(db, msg,
	    "DELETE FROM segments WHERE tbl = ?1 AND bin = ?2 AND part = ?3",
	    "iii", (int64_t)id->table, id->bin, id->part);
	if (err < 0)
		return err;
	return db_run(db, msg,
	    "DELETE FROM parts WHERE tbl = ?1 AND bin = ?2 AND part = ?3",
	    "iii", (int64_t)id->table, id->bin, id->part);
}

int part_count(struct db *db, const struct part_span *span, uint64_t most,
    uint64_t *rows, struct errmsg *msg)
{
	sqlite3_stmt *row = span->first
	    ? db_query(db,
		  "SELECT rows FROM segments WHERE tbl = ?1 AND bin >= ?2"
		  " AND bin < ?3 AND last >= ?4 AND first <= ?5",
		  "iiibb", (int64_t)span->table, span->from, span->to,
		  span->first, span->key_len, span->last, span->key_len)
	    : db_query(db,
		  "SELECT rows FROM parts WHERE tbl = ?1 AND bin >= ?2"
		  " AND bin < ?3",
		  "iii", (int64_t)span->table, span->from, span->to);
	int err = 1;
	*rows = 0;
	while (*rows < most && (err = db_step(db, row, msg)) == 1)
		*rows += (uint64_t)sqlite3_column_int64(row, 0);
	db_reset(row);
	if (*rows > most)
		*rows = most;
	return err < 0 ? err : ERR_OK;
}
