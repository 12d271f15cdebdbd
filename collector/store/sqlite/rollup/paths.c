/* SPDX-License-Identifier: ISC */
/* Rows of paths: in memory, as segments, and streams of them. */
#include <stdlib.h>
#include <string.h>

#include "collector/store/sqlite/rollup/rollup-db.h"
#include "collector/store/sqlite/rollup/bins.h"
#include "collector/store/sqlite/rollup/gather-private.h"
#include "collector/store/sqlite/rollup/paths.h"
#include "lib/base/xalloc.h"
#include "lib/sketch/varint.h"

#define CHUNK_ROWS 2048
#define KEY_LEN 4

enum {
	PATH,
	MINUTE,
	SECOND,
	NAME_COLUMNS,
	TRACES = NAME_COLUMNS,
	REACHED,
	FIRST,
	SPAN,
	HOPS,
	TAIL,       /* bytes of it that are this row's */
	FIRST_REST, /* of a millisecond, ns; exact parts */
	SPAN_REST,
	FIXED
};
/* Of each hop. */
enum {
	LOST, /* probes without reply << 1 | mpls */
	PROBES,
	BUCKET, /* 0: no round trip; 1: in the tail; of one trace: + 2 */
	REST,   /* the smallest round trip above its bucket, + 1; 0: not kept */
	PER_HOP
};
#define IN_TAIL 1
#define BUCKET_FIRST 2
#define COLUMNS_OF(hops) (FIXED + PER_HOP * (hops))

/* --- memory --- */
static struct path_sum *find_row(
    struct path_table *t, uint32_t path, int64_t bin, uint64_t *hash)
{
	const int64_t key[] = { path, bin };
	*hash = index_hash(key, sizeof(key));
	struct index_walk walk = index_walk(&t->index, *hash);
	size_t i;
	while (index_next(&walk, &i))
		if (t->rows[i].path == path && t->rows[i].bin == bin)
			return &t->rows[i];
	return NULL;
}

static void add_to_row(struct path_table *t, struct path_sum *row,
    const struct path *path, int64_t at_ns)
{
	struct buf both = { 0 };
	if (path_write_sums_with(
		path, t->bytes.data + row->sums, row->sums_len, &both) < 0)
		BUG("paths: sums in memory cannot be read");
	if (both.len <= row->sums_len) {
		memcpy(t->bytes.data + row->sums, both.data, both.len);
	} else {
		row->sums = t->bytes.len;
		buf_bytes(&t->bytes, both.data, both.len);
	}
	row->sums_len = both.len;
	buf_fini(&both);
	row->traces += path->traces;
	row->reached += path->reached;
	if (at_ns < row->first_ns)
		row->first_ns = at_ns;
	if (at_ns > row->last_ns)
		row->last_ns = at_ns;
}

void paths_add(struct gather *g, uint32_t id,
    const struct prepared_record *record, int64_t at_ns)
{
	struct path_table *t = &g->now->paths;
	const struct path *path = &record->path;
	/* Below a minute a path's sums gain nothing. */
	int64_t bin = rollup_bin(at_ns, 60);
	uint64_t hash;
	struct path_sum *row = find_row(t, id, bin, &hash);
	if (row) {
		add_to_row(t, row, path, at_ns);
		return;
	}
	if (t->count == t->cap) {
		t->cap = t->cap ? t->cap * 2 : 1024;
		t->rows = xreallocarray(t->rows, t->cap, sizeof(*t->rows));
	}
	index_put(&t->index, hash, t->count);
	row = &t->rows[t->count++];
	*row = (struct path_sum){
		.path = id,
		.bin = bin,
		.traces = path->traces,
		.reached = path->reached,
		.first_ns = at_ns,
		.last_ns = at_ns,
		.sums = t->bytes.len,
	};
	path_write_sums(path, &t->bytes);
	row->sums_len = t->bytes.len - row->sums;
}

static int by_hour_path(const void *a, const void *b)
{
	const struct path_sum *x = a, *y = b;
	int64_t i = x->bin / HOUR_S, k = y->bin / HOUR_S;
	if (i != k)
		return i < k ? -1 : 1;
	if (x->path != y->path)
		return x->path < y->path ? -1 : 1;
	return (x->bin > y->bin) - (x->bin < y->bin);
}

static int write_hour(struct gather *g, const struct path_sum *rows,
    size_t count, struct errmsg *msg)
{
	struct path_writer writer;
	const struct part_info info = {
		.id = { ROLLUP_PATHS, rows->bin / HOUR_S * HOUR_S,
		    gather_new_part(g) },
		.fine = true,
		.made_ns = g->frozen->received_ns,
	};
	path_part_begin(
	    &writer, &g->db, g->codec, &info, count <= PATH_EXACT_ROWS, msg);
	for (size_t i = 0; i < count; i++) {
		const struct path_sum *s = &rows[i];
		const struct path_row row = { s->path, s->bin, s->traces,
			s->reached, s->first_ns, s->last_ns,
			g->frozen->paths.bytes.data + s->sums, s->sums_len };
		path_part_row(&writer, &row);
	}
	return path_part_end(&writer);
}

int paths_flush(struct gather *g, struct errmsg *msg)
{
	const struct path_table *t = &g->frozen->paths;
	if (t->count == 0)
		return ERR_OK;
	struct path_sum *rows = xmemdup(t->rows, t->count * sizeof(*t->rows));
	qsort(rows, t->count, sizeof(*rows), by_hour_path);
	int err = ERR_OK;
	for (size_t i = 0; err == ERR_OK && i < t->count;) {
		size_t end = i + 1;
		int64_t hour = rows[i].bin / HOUR_S;
		while (end < t->count && rows[end].bin / HOUR_S == hour)
			end++;
		err = write_hour(g, rows + i, end - i, msg);
		i = end;
	}
	free(rows);
	return err;
}

void paths_clear(struct gathered *set)
{
	set->paths.count = 0;
	index_clear(&set->paths.index);
	buf_clear(&set->paths.bytes);
}

/* --- writing --- */
void path_part_begin(struct path_writer *writer, struct db *db,
    struct segment_codec *codec, const struct part_info *info, bool exact,
    struct errmsg *msg)
{
	*writer = (struct path_writer){ .exact = exact };
	static const struct part_shape shape = { .chunk_rows = CHUNK_ROWS,
		.key_len = KEY_LEN };
	part_begin(&writer->part, db, codec, info, &shape, msg);
	writer->rows = xcalloc(CHUNK_ROWS, sizeof(*writer->rows));
}

static void key_bytes(uint32_t path, uint8_t key[KEY_LEN])
{
	for (int i = 0; i < KEY_LEN; i++)
		key[i] = (uint8_t)(path >> (24 - 8 * i));
}

/* One hop of a row's sums. */
struct hop_sums {
	uint64_t mpls, probes, replies, rtt_min; /* rtt_min: + 1 */
	uint64_t buckets, bucket, count;         /* of the only one */
	const uint8_t *histogram;
	size_t histogram_len;
};

static void read_hop(struct reader *r, struct hop_sums *hop)
{
	hop->mpls = varint_get(r);
	hop->probes = varint_get(r);
	hop->replies = varint_get(r);
	hop->rtt_min = varint_get(r);
	hop->histogram = r->pos;
	hop->buckets = varint_get(r);
	for (uint64_t i = 0; r->err == ERR_OK && i < hop->buckets; i++) {
		hop->bucket = varint_get(r);
		hop->count = varint_get(r);
	}
	hop->histogram_len = (size_t)(r->pos - hop->histogram);
}

static size_t count_hops(const struct path_row *row)
{
	struct reader r = reader_init(row->sums, row->sums_len);
	struct hop_sums hop;
	size_t count = 0;
	while (reader_left(&r) > 0 && r.err == ERR_OK) {
		read_hop(&r, &hop);
		count++;
	}
	return r.err == ERR_OK ? count : 0;
}

/* Whether the columns hold all of it. */
static bool is_simple(const struct hop_sums *hop)
{
	if (hop->buckets == 0)
		return hop->rtt_min == 0;
	return hop->buckets == 1 && hop->count == 1 && hop->rtt_min > 0 &&
	    hop->rtt_min - 1 >=
	    (uint64_t)histogram_bucket_low((uint32_t)hop->bucket);
}

static void put_hop(struct path_writer *w, struct segment *s, size_t row,
    size_t k, const struct hop_sums *hop)
{
	uint64_t **to = s->values + COLUMNS_OF(k);
	to[LOST][row] = (hop->probes - hop->replies) << 1 | (hop->mpls & 1);
	to[PROBES][row] = hop->probes;
	if (!is_simple(hop)) {
		to[BUCKET][row] = IN_TAIL;
		varint_put(&s->tail, hop->rtt_min);
		buf_bytes(&s->tail, hop->histogram, hop->histogram_len);
	} else if (hop->buckets == 1) {
		to[BUCKET][row] = hop->bucket + BUCKET_FIRST;
		if (w->exact)
			to[REST][row] = hop->rtt_min -
			    (uint64_t)histogram_bucket_low(
				(uint32_t)hop->bucket);
	}
}

static void put_row(struct path_writer *w, struct segment *s, size_t i)
{
	const struct path_row *row = &w->rows[i];
	uint64_t offset = (uint64_t)(row->bin - w->part.info.id.bin);
	uint64_t **to = s->values;
	struct reader r = reader_init(row->sums, row->sums_len);
	struct hop_sums hop;
	size_t hops = 0, tail = s->tail.len;
	while (reader_left(&r) > 0 && r.err == ERR_OK) {
		read_hop(&r, &hop);
		put_hop(w, s, i, hops++, &hop);
	}
	to[PATH][i] = row->path;
	to[MINUTE][i] = offset / 60;
	to[SECOND][i] = offset % 60;
	to[TRACES][i] = row->traces;
	to[REACHED][i] = row->reached;
	int64_t first = row->first_ns / NS_PER_MS;
	int64_t span =
	    row->last_ns - (w->exact ? row->first_ns : first * NS_PER_MS);
	to[FIRST][i] = (uint64_t)(first - row->bin * (NS_PER_S / NS_PER_MS));
	to[SPAN][i] = (uint64_t)(span / NS_PER_MS);
	if (w->exact) {
		to[FIRST_REST][i] = (uint64_t)(row->first_ns % NS_PER_MS);
		to[SPAN_REST][i] = (uint64_t)(span % NS_PER_MS);
	}
	to[HOPS][i] = hops;
	to[TAIL][i] = s->tail.len - tail;
}

static void seal_rows(struct path_writer *w)
{
	uint8_t first[KEY_LEN], last[KEY_LEN];
	uint8_t flags[COLUMNS_OF(PATH_MAX_HOPS)] = { [PATH] = SEGMENT_DELTA };
	size_t most = 0;
	const uint8_t *sums = w->sums.data;
	for (size_t i = 0; i < w->count; i++) {
		w->rows[i].sums = sums;
		sums += w->rows[i].sums_len;
		size_t hops = count_hops(&w->rows[i]);
		most = hops > most ? hops : most;
	}
	for (size_t k = 0; k < most; k++)
		flags[COLUMNS_OF(k) + BUCKET] = SEGMENT_DELTA;
	struct segment s;
	segment_init(&s, COLUMNS_OF(most), flags, w->count);
	for (size_t i = 0; i < w->count; i++)
		put_row(w, &s, i);
	s.rows = w->count;
	key_bytes(w->rows[0].path, first);
	key_bytes(w->rows[w->count - 1].path, last);
	part_put(&w->part, &s, first, last);
	segment_fini(&s);
	w->count = 0;
	buf_clear(&w->sums);
}

void path_part_row(struct path_writer *w, const struct path_row *row)
{
	if (w->count == CHUNK_ROWS)
		seal_rows(w);
	w->rows[w->count++] = *row;
	buf_bytes(&w->sums, row->sums, row->sums_len);
}

int path_part_end(struct path_writer *w)
{
	if (w->count > 0)
		seal_rows(w);
	free(w->rows);
	buf_fini(&w->sums);
	return part_end(&w->part);
}

/* --- reading --- */
void path_stream_init(struct path_stream *stream, struct db *db,
    struct segment_codec *codec, const struct part_id *id)
{
	*stream = (struct path_stream){ 0 };
	part_stream_init(&stream->part, db, codec, id, KEY_LEN);
}

void path_stream_fini(struct path_stream *stream)
{
	part_stream_fini(&stream->part);
	histogram_fini(&stream->scratch);
}

static int fail_paths(struct path_stream *s, struct errmsg *msg)
{
	s->part.db->corrupt = true;
	return err_set(msg, ERR_CORRUPT,
	    "rollup.db: paths in segment %lld cannot be read",
	    (long long)s->part.row);
}

static int open_columns(struct path_stream *s, struct errmsg *msg)
{
	struct segment *segment = &s->part.segment;
	if (segment->columns < FIXED ||
	    (segment->columns - FIXED) % PER_HOP != 0)
		return fail_paths(s, msg);
	size_t columns = s->names_only ? NAME_COLUMNS : FIXED;
	for (size_t c = 0; c < columns; c++)
		if (!segment_column(segment, c))
			return fail_paths(s, msg);
	if (s->names_only)
		return ERR_OK;
	if (segment_open_tail(segment) < 0)
		return fail_paths(s, msg);
	s->tail_at = 0;
	return ERR_OK;
}

/* To the next row, of any path. */
static int step_row(struct path_stream *s, struct errmsg *msg)
{
	struct segment *segment = &s->part.segment;
	if (s->part.row && s->part.at < segment->rows) {
		if (!s->names_only)
			s->tail_at += (size_t)segment->values[TAIL][s->part.at];
		if (++s->part.at < segment->rows)
			return 1;
	}
	uint8_t key[KEY_LEN];
	const uint8_t *above = NULL;
	if (s->wanted) {
		key_bytes(s->wanted[s->wanted_at], key);
		if (memcmp(key, s->part.last, KEY_LEN) > 0)
			above = key;
	}
	int err = part_stream_chunk(&s->part, above, msg);
	if (err == 1 && open_columns(s, msg) < 0)
		return ERR_CORRUPT;
	return err;
}

int path_stream_next(struct path_stream *s, struct errmsg *msg)
{
	for (;;) {
		if (s->wanted && s->wanted_at >= s->wanted_count)
			return 0;
		int err = step_row(s, msg);
		if (err != 1)
			return err;
		uint64_t **values = s->part.segment.values;
		s->path = (uint32_t)values[PATH][s->part.at];
		s->bin = s->part.id.bin +
		    (int64_t)(values[MINUTE][s->part.at] * 60 +
			values[SECOND][s->part.at]);
		if (!s->wanted)
			return 1;
		while (s->wanted_at < s->wanted_count &&
		    s->wanted[s->wanted_at] < s->path)
			s->wanted_at++;
		if (s->wanted_at < s->wanted_count &&
		    s->wanted[s->wanted_at] == s->path)
			return 1;
	}
}

static bool add_hop(
    struct path_stream *s, struct path_hop *hop, size_t k, struct reader *tail)
{
	const uint64_t *column[PER_HOP];
	for (size_t c = 0; c < PER_HOP; c++) {
		column[c] = segment_column(&s->part.segment, COLUMNS_OF(k) + c);
		if (!column[c])
			return false;
	}
	size_t i = s->part.at;
	uint64_t lost = column[LOST][i] >> 1, probes = column[PROBES][i];
	uint64_t bucket = column[BUCKET][i], rest = column[REST][i];
	int64_t rtt = -1;
	hop->mpls |= column[LOST][i] & 1;
	hop->probes += probes;
	hop->replies += probes - lost;
	if (bucket == IN_TAIL) {
		rtt = (int64_t)varint_get(tail) - 1;
		histogram_read(&s->scratch, tail);
		histogram_merge(&hop->rtt, &s->scratch);
	} else if (bucket >= BUCKET_FIRST) {
		uint32_t index = (uint32_t)(bucket - BUCKET_FIRST);
		int64_t middle = histogram_bucket_middle(index);
		rtt = rest ? histogram_bucket_low(index) + (int64_t)rest - 1
			   : middle;
		histogram_add(&hop->rtt, middle, 1);
	}
	if (rtt >= 0 && (hop->rtt_min_ns < 0 || rtt < hop->rtt_min_ns))
		hop->rtt_min_ns = rtt;
	return tail->err == ERR_OK;
}

static void add_hops(struct path *path, size_t count)
{
	path->hops = xreallocarray(path->hops, count, sizeof(*path->hops));
	for (; path->hop_count < count; path->hop_count++)
		path->hops[path->hop_count] =
		    (struct path_hop){ .rtt_min_ns = -1 };
}

/* The fixed columns of the current row, and its part of the tail. */
static int take_fixed(struct path_stream *s, struct path_row *row, size_t *hops,
    struct reader *tail, struct errmsg *msg)
{
	uint64_t **values = s->part.segment.values;
	size_t i = s->part.at, tail_len = (size_t)values[TAIL][i];
	const struct buf *bytes = &s->part.segment.tail;
	*hops = (size_t)values[HOPS][i];
	if (*hops > PATH_MAX_HOPS ||
	    COLUMNS_OF(*hops) > s->part.segment.columns ||
	    tail_len > bytes->len || s->tail_at > bytes->len - tail_len)
		return fail_paths(s, msg);
	*tail = reader_init(bytes->data ? bytes->data + s->tail_at : NULL,
	    bytes->data ? tail_len : 0);
	*row = (struct path_row){
		.path = s->path,
		.bin = s->bin,
		.traces = values[TRACES][i],
		.reached = values[REACHED][i],
		.first_ns = s->bin * NS_PER_S +
		    (int64_t)(values[FIRST][i] * (uint64_t)NS_PER_MS +
			values[FIRST_REST][i]),
	};
	row->last_ns = row->first_ns +
	    (int64_t)(values[SPAN][i] * (uint64_t)NS_PER_MS +
		values[SPAN_REST][i]);
	return ERR_OK;
}

int path_stream_add(
    struct path_stream *s, struct path *path, struct errmsg *msg)
{
	struct path_row row = { 0 };
	struct reader tail = { 0 };
	size_t hops = 0;
	int err = take_fixed(s, &row, &hops, &tail, msg);
	if (err < 0)
		return err;
	if (path->hop_count < hops)
		add_hops(path, hops);
	for (size_t k = 0; k < hops; k++)
		if (!add_hop(s, &path->hops[k], k, &tail))
			return fail_paths(s, msg);
	if (path->traces == 0 || row.first_ns < path->first_ns)
		path->first_ns = row.first_ns;
	if (path->traces == 0 || row.last_ns > path->last_ns)
		path->last_ns = row.last_ns;
	path->traces += row.traces;
	path->reached += row.reached;
	return ERR_OK;
}

/* One hop's bytes, without making a histogram of them. */
static bool copy_hop(
    struct path_stream *s, size_t k, struct reader *tail, struct buf *to)
{
	const uint64_t *column[PER_HOP];
	for (size_t c = 0; c < PER_HOP; c++) {
		column[c] = segment_column(&s->part.segment, COLUMNS_OF(k) + c);
		if (!column[c])
			return false;
	}
	size_t i = s->part.at;
	uint64_t probes = column[PROBES][i], bucket = column[BUCKET][i];
	uint8_t bytes[7 * VARINT_MAX], *at = bytes;
	at = varint_write(at, column[LOST][i] & 1);
	at = varint_write(at, probes);
	at = varint_write(at, probes - (column[LOST][i] >> 1));
	if (bucket >= BUCKET_FIRST) {
		uint32_t index = (uint32_t)(bucket - BUCKET_FIRST);
		uint64_t rest = column[REST][i];
		int64_t rtt = rest
		    ? histogram_bucket_low(index) + (int64_t)rest - 1
		    : histogram_bucket_middle(index);
		at = varint_write(at, (uint64_t)rtt + 1);
		at = varint_write(at, 1);
		at = varint_write(at, index);
		at = varint_write(at, 1);
	} else if (bucket != IN_TAIL) {
		*at++ = 0; /* no round trip */
		*at++ = 0; /* no buckets */
	}
	buf_bytes(to, bytes, (size_t)(at - bytes));
	if (bucket != IN_TAIL)
		return true;
	const uint8_t *start = tail->pos;
	varint_get(tail);
	for (uint64_t n = varint_get(tail); n > 0 && tail->err == ERR_OK; n--) {
		varint_get(tail);
		varint_get(tail);
	}
	buf_bytes(to, start, (size_t)(tail->pos - start));
	return tail->err == ERR_OK;
}

int path_stream_row(struct path_stream *s, struct path_row *row, struct buf *to,
    struct errmsg *msg)
{
	struct reader tail = { 0 };
	size_t hops = 0, start = to->len;
	int err = take_fixed(s, row, &hops, &tail, msg);
	if (err < 0)
		return err;
	for (size_t k = 0; k < hops; k++)
		if (!copy_hop(s, k, &tail, to))
			return fail_paths(s, msg);
	row->sums_len = to->len - start;
	return ERR_OK;
}

void path_merge_part(struct path_merge *m, struct db *db,
    struct segment_codec *codec, const struct part_id *id,
    const uint32_t *wanted, size_t wanted_count)
{
	if (m->count == m->cap) {
		m->cap = m->cap ? m->cap * 2 : 8;
		m->streams =
		    xreallocarray(m->streams, m->cap, sizeof(*m->streams));
	}
	struct path_stream *stream = &m->streams[m->count++];
	path_stream_init(stream, db, codec, id);
	stream->wanted = wanted;
	stream->wanted_count = wanted_count;
}

void path_merge_fini(struct path_merge *m)
{
	for (size_t i = 0; i < m->count; i++)
		path_stream_fini(&m->streams[i]);
	free(m->streams);
	*m = (struct path_merge){ 0 };
}

static int pick_stream(struct path_merge *m)
{
	struct path_stream *best = NULL;
	for (size_t i = 0; i < m->count; i++) {
		struct path_stream *s = &m->streams[i];
		if (s->part.ended ||
		    (s->wanted && s->wanted_at >= s->wanted_count))
			continue;
		if (!best || s->path < best->path ||
		    (s->path == best->path && s->bin < best->bin))
			best = s;
	}
	m->current = best;
	return best != NULL;
}

int path_merge_start(struct path_merge *m, struct errmsg *msg)
{
	for (size_t i = 0; i < m->count; i++) {
		int err = path_stream_next(&m->streams[i], msg);
		if (err < 0)
			return err;
	}
	return pick_stream(m);
}

int path_merge_next(struct path_merge *m, struct errmsg *msg)
{
	if (!m->current)
		return 0;
	int err = path_stream_next(m->current, msg);
	return err < 0 ? err : pick_stream(m);
}
