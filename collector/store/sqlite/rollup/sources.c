/* SPDX-License-Identifier: ISC */
/* Rows of sources as segments, and streams of them. */
#include <stdlib.h>
#include <string.h>

#include "collector/store/sqlite/rollup/sources.h"
#include "lib/base/clock.h"
#include "lib/base/xalloc.h"
#include "lib/sketch/varint.h"

/* Columns; those up to PACKETS are the key's frame in parts of days. */
enum {
	FAMILY,
	HIGH,
	LOW,
	CLASS,
	PROTO,
	DPORT,
	AGENT,
	PACKETS,
	TARGETS,
	FIRST,
	SPAN,
	EXTRA, /* payload's place in the tail + 1, << 1 | spoofable */
	MINUTE,
	SECOND,
	FIRST_REST, /* of a millisecond, ns; hours that are exact */
	SPAN_REST,
	COLUMNS_BEFORE,         /* of segments that an earlier version wrote */
	PORTS = COLUMNS_BEFORE, /* << 1 | at least */
	ADDRESSES,
	ODDS,
	VICTIM_FAMILY,
	VICTIM_HIGH,
	VICTIM_LOW,
	CENSUS, /* its octets, eight a column, little-endian */
	COLUMNS = CENSUS + (CENSUS_MOST_BYTES + 7) / 8
};
_Static_assert(COLUMNS <= 32, "struct source_stream has so many");

/* What a column holds that a segment does not have. */
static const uint64_t no_values[SEGMENT_ROWS_MOST];

static const uint8_t hour_flags[COLUMNS] = {
	[HIGH] = SEGMENT_DELTA,
	[LOW] = SEGMENT_DELTA,
};
static const uint8_t day_flags[COLUMNS] = {
	[HIGH] = SEGMENT_DELTA | SEGMENT_JOINED,
	[LOW] = SEGMENT_DELTA | SEGMENT_JOINED,
	[CLASS] = SEGMENT_JOINED,
	[PROTO] = SEGMENT_JOINED,
	[DPORT] = SEGMENT_JOINED,
	[AGENT] = SEGMENT_JOINED,
	[PACKETS] = SEGMENT_JOINED,
	[FIRST] = SEGMENT_JOINED,
	[SPAN] = SEGMENT_JOINED,
	[EXTRA] = SEGMENT_JOINED,
};

#define PAYLOAD_LEN 16
#define PAYLOADS_LOOK 32 /* of the newest in a segment's tail */

static bool is_day(enum rollup_table table)
{
	return table == ROLLUP_HEAVY || table == ROLLUP_LIGHT;
}

static int64_t unit_ns(enum rollup_table table)
{
	return is_day(table) ? NS_PER_S : NS_PER_MS;
}

static uint64_t load_be64(const uint8_t *bytes)
{
	uint64_t v = 0;
	for (int i = 0; i < 8; i++)
		v = v << 8 | bytes[i];
	return v;
}

static void store_be64(uint8_t *bytes, uint64_t v)
{
	for (int i = 7; i >= 0; i--, v >>= 8)
		bytes[i] = (uint8_t)v;
}

void source_key_set_addr(struct source_key *key, const struct addr *addr)
{
	key->family = addr->family;
	key->hi = key->lo = 0;
	if (addr->family == 4) {
		key->lo = addr_v4_value(addr);
		return;
	}
	key->hi = load_be64(addr->bytes);
	key->lo = load_be64(addr->bytes + 8);
}

struct addr source_key_addr(const struct source_key *key)
{
	uint8_t bytes[16];
	if (key->family == 4)
		return addr_v4((uint32_t)key->lo);
	store_be64(bytes, key->hi);
	store_be64(bytes + 8, key->lo);
	return addr_from_bytes(bytes, sizeof(bytes));
}

size_t source_key_bytes(enum rollup_table table, const struct source_key *key,
    uint8_t to[static PART_KEY_MOST])
{
	uint8_t *at = to;
	if (source_by_class(table)) {
		for (int shift = 24; shift >= 0; shift -= 8)
			*at++ = (uint8_t)(key->class >> shift);
	}
	*at++ = key->family;
	store_be64(at, key->hi);
	store_be64(at + 8, key->lo);
	return (size_t)(at + 16 - to);
}

static size_t key_len_of(enum rollup_table table)
{
	return source_by_class(table) ? 21 : 17;
}

void source_add(struct source_row *to, const struct source_row *from)
{
	to->packets += from->packets;
	if (from->targets > to->targets)
		to->targets = from->targets;
	if (from->first_ns < to->first_ns)
		to->first_ns = from->first_ns;
	if (from->last_ns > to->last_ns)
		to->last_ns = from->last_ns;
	/* The greatest, so that the order of adding does not matter. */
	if (from->has_payload &&
	    (!to->has_payload ||
		memcmp(from->payload, to->payload, PAYLOAD_LEN) > 0)) {
		memcpy(to->payload, from->payload, PAYLOAD_LEN);
		to->has_payload = true;
	}
	to->spoofable &= from->spoofable;
	to->ports_at_least |= from->ports_at_least;
	if (from->ports > to->ports)
		to->ports = from->ports;
	if (from->addresses > to->addresses)
		to->addresses = from->addresses;
	if (from->odds > to->odds)
		to->odds = from->odds;
	if (addr_cmp(&from->victim, &to->victim) > 0)
		to->victim = from->victim;
	census_join(&to->census, &from->census);
}

uint64_t source_targets(const struct source_row *row, bool *estimated)
{
	enum distinct_quality quality;
	uint64_t count = census_count(&row->census, &quality);
	*estimated = quality != DISTINCT_IS_EXACT;
	if (*estimated && count > row->packets)
		count = row->packets;
	/* Of records without a census, and of one that knew better. */
	return count > row->targets ? count : row->targets;
}

void source_part_begin(struct source_writer *writer, struct db *db,
    struct segment_codec *codec, const struct part_info *info, uint64_t rows,
    struct errmsg *msg)
{
	bool day = is_day(info->id.table);
	writer->exact = !day && rows <= SOURCE_EXACT_ROWS;
	const struct part_shape shape = {
		.columns = COLUMNS,
		.flags = day ? day_flags : hour_flags,
		.chunk_rows = info->id.table == ROLLUP_LIGHT
		    ? SOURCE_LIGHT_CHUNK
		    : day ? SOURCE_HEAVY_CHUNK
			  : SOURCE_HOUR_CHUNK,
		.key_len = key_len_of(info->id.table),
	};
	part_begin(&writer->part, db, codec, info, &shape, msg);
	writer->payloads = 0;
}

/* Its place + 1; one that is far back stands there twice. */
static uint64_t payload_place(
    struct source_writer *writer, const struct source_row *row)
{
	struct buf *tail = &writer->part.segment.tail;
	if (!row->has_payload)
		return 0;
	uint64_t count = writer->payloads;
	uint64_t least = count > PAYLOADS_LOOK ? count - PAYLOADS_LOOK : 0;
	for (uint64_t i = count; i-- > least;)
		if (memcmp(tail->data + i * PAYLOAD_LEN, row->payload,
			PAYLOAD_LEN) == 0)
			return i + 1;
	buf_bytes(tail, row->payload, PAYLOAD_LEN);
	return ++writer->payloads;
}

static void put_verdict(uint64_t **to, size_t i, const struct source_row *row)
{
	struct source_key victim = { 0 };
	if (row->victim.family)
		source_key_set_addr(&victim, &row->victim);
	to[PORTS][i] = (uint64_t)row->ports << 1 | row->ports_at_least;
	to[ADDRESSES][i] = row->addresses;
	to[ODDS][i] = row->odds;
	to[VICTIM_FAMILY][i] = victim.family;
	to[VICTIM_HIGH][i] = victim.hi;
	to[VICTIM_LOW][i] = victim.lo;
	size_t len = census_len(&row->census);
	for (size_t c = CENSUS, at = 0; c < COLUMNS; c++) {
		uint64_t word = 0;
		for (int shift = 0; shift < 64 && at < len; shift += 8)
			word |= (uint64_t)row->census.bytes[at++] << shift;
		to[c][i] = word;
	}
}

void source_part_row(struct source_writer *writer, const struct source_row *row)
{
	const struct source_key *key = &row->key;
	struct part_writer *part = &writer->part;
	uint8_t bytes[PART_KEY_MOST];
	int64_t unit = unit_ns(part->info.id.table);
	int64_t first = row->first_ns / unit;
	int64_t span =
	    row->last_ns - (writer->exact ? row->first_ns : first * unit);
	source_key_bytes(part->info.id.table, key, bytes);
	size_t i = part_row(part, bytes);
	if (i == 0)
		writer->payloads = 0;
	uint64_t **to = part->segment.values;
	uint64_t offset = (uint64_t)(key->bin - part->info.id.bin);
	to[FAMILY][i] = key->family;
	to[HIGH][i] = key->hi;
	to[LOW][i] = key->lo;
	to[CLASS][i] = key->class;
	to[PROTO][i] = key->proto;
	to[DPORT][i] = key->dport;
	to[AGENT][i] = key->agent;
	to[PACKETS][i] = row->packets;
	to[TARGETS][i] = row->targets;
	to[FIRST][i] = (uint64_t)(first - key->bin * (NS_PER_S / unit));
	to[SPAN][i] = (uint64_t)(span / unit);
	to[EXTRA][i] = payload_place(writer, row) << 1 | row->spoofable;
	to[MINUTE][i] = offset / 60;
	to[SECOND][i] = offset % 60;
	put_verdict(to, i, row);
	if (writer->exact) {
		to[FIRST_REST][i] = (uint64_t)(row->first_ns % unit);
		to[SPAN_REST][i] = (uint64_t)(span % unit);
	}
}

int source_part_end(struct source_writer *writer)
{
	return part_end(&writer->part);
}

void source_stream_init(struct source_stream *stream, struct db *db,
    struct segment_codec *codec, const struct part_id *id, bool details)
{
	*stream = (struct source_stream){ .details = details };
	part_stream_init(&stream->part, db, codec, id, key_len_of(id->table));
}

void source_stream_fini(struct source_stream *stream)
{
	part_stream_fini(&stream->part);
}

static int fail_sources(struct source_stream *s, struct errmsg *msg)
{
	s->part.db->corrupt = true;
	return err_set(msg, ERR_CORRUPT,
	    "rollup.db: sources in segment %lld cannot be read",
	    (long long)s->part.row);
}

static bool has_columns(const struct segment *segment)
{
	return segment->columns == COLUMNS ||
	    segment->columns == COLUMNS_BEFORE;
}

static int decode_columns(
    struct source_stream *s, bool details, struct errmsg *msg)
{
	struct segment *segment = &s->part.segment;
	if (!has_columns(segment))
		return fail_sources(s, msg);
	for (size_t c = 0; c < COLUMNS; c++) {
		bool wanted =
		    c <= PACKETS || c == MINUTE || c == SECOND || details;
		s->column[c] = !wanted     ? NULL
		    : c < segment->columns ? segment_column(segment, c)
					   : no_values;
		if (wanted && !s->column[c])
			return fail_sources(s, msg);
	}
	if (details && segment_open_tail(segment) < 0)
		return fail_sources(s, msg);
	s->payloads = segment->tail.data;
	s->payload_count = segment->tail.len / PAYLOAD_LEN;
	s->decoded = details;
	return ERR_OK;
}

static void take_key(struct source_stream *s, size_t i)
{
	s->row.key = (struct source_key){
		.hi = s->column[HIGH][i],
		.lo = s->column[LOW][i],
		.bin = s->part.id.bin +
		    (int64_t)(s->column[MINUTE][i] * 60 + s->column[SECOND][i]),
		.class = (uint32_t)s->column[CLASS][i],
		.agent = (uint32_t)s->column[AGENT][i],
		.dport = (uint16_t)s->column[DPORT][i],
		.family = (uint8_t)s->column[FAMILY][i],
		.proto = (uint8_t)s->column[PROTO][i],
	};
	s->row.packets = s->column[PACKETS][i];
}

static void take_verdict(struct source_stream *s, size_t i)
{
	struct source_row *row = &s->row;
	uint8_t bytes[8 * (COLUMNS - CENSUS)] = { 0 };
	struct source_key victim = { .family =
					 (uint8_t)s->column[VICTIM_FAMILY][i],
		.hi = s->column[VICTIM_HIGH][i],
		.lo = s->column[VICTIM_LOW][i] };
	row->ports = (uint32_t)(s->column[PORTS][i] >> 1);
	row->ports_at_least = s->column[PORTS][i] & 1;
	row->addresses = (uint32_t)s->column[ADDRESSES][i];
	row->odds = s->column[ODDS][i];
	row->victim =
	    victim.family ? source_key_addr(&victim) : (struct addr){ 0 };
	for (size_t at = 0; at < sizeof(bytes); at++)
		bytes[at] =
		    (uint8_t)(s->column[CENSUS + at / 8][i] >> at % 8 * 8);
	memcpy(row->census.bytes, bytes, sizeof(row->census.bytes));
	if (!census_read(&row->census, bytes, census_len(&row->census)))
		row->census = (struct census){ { 0 } };
}

static void take_details(struct source_stream *s, size_t i)
{
	struct source_row *row = &s->row;
	int64_t unit = unit_ns(s->part.id.table);
	uint64_t extra = s->column[EXTRA][i], place = extra >> 1;
	uint64_t first = s->column[FIRST][i] +
	    (uint64_t)row->key.bin * (uint64_t)(NS_PER_S / unit);
	row->targets = s->column[TARGETS][i];
	row->first_ns =
	    (int64_t)(first * (uint64_t)unit + s->column[FIRST_REST][i]);
	row->last_ns = (int64_t)((uint64_t)row->first_ns +
	    s->column[SPAN][i] * (uint64_t)unit + s->column[SPAN_REST][i]);
	row->spoofable = extra & 1;
	take_verdict(s, i);
	row->has_payload = place > 0 && place <= s->payload_count;
	if (row->has_payload)
		memcpy(row->payload, s->payloads + (place - 1) * PAYLOAD_LEN,
		    PAYLOAD_LEN);
}

static int take_row(struct source_stream *s)
{
	take_key(s, s->part.at);
	if (s->details)
		take_details(s, s->part.at);
	return 1;
}

int source_stream_detail(struct source_stream *s, struct errmsg *msg)
{
	if (s->array || s->details)
		return ERR_OK;
	if (!s->decoded && decode_columns(s, true, msg) < 0)
		return ERR_CORRUPT;
	take_details(s, s->part.at);
	return ERR_OK;
}

/* Whether the open segment has rows of the agent that is asked for. */
static int has_agent(struct source_stream *s, struct errmsg *msg)
{
	if (s->only_agent == 0)
		return 1;
	if (!has_columns(&s->part.segment))
		return fail_sources(s, msg);
	const uint64_t *agents = segment_column(&s->part.segment, AGENT);
	if (!agents)
		return fail_sources(s, msg);
	for (size_t i = 0; i < s->part.segment.rows; i++)
		if (agents[i] == s->only_agent)
			return 1;
	return 0;
}

static int next_segment(
    struct source_stream *s, const uint8_t *key, struct errmsg *msg)
{
	int err = part_stream_chunk(&s->part, key, msg);
	while (err == 1) {
		err = has_agent(s, msg);
		if (err != 0)
			break;
		err = part_stream_chunk(&s->part, NULL, msg);
	}
	if (err == 1 && decode_columns(s, s->details, msg) < 0)
		return ERR_CORRUPT;
	return err;
}

/* Whether the open segment has a row from `at` on that is asked for: then it is
 * the one at `at`. */
static bool find_wanted(struct source_stream *s)
{
	size_t rows = s->part.segment.rows;
	while (s->only_agent != 0 && s->part.at < rows &&
	    s->column[AGENT][s->part.at] != s->only_agent)
		s->part.at++;
	return s->part.at < rows;
}

static int next_of_array(struct source_stream *s)
{
	if (s->array_at >= s->array_len)
		return 0;
	s->row = *s->array[s->array_at++];
	return 1;
}

int source_stream_next(struct source_stream *s, struct errmsg *msg)
{
	int err = 1;
	if (s->array)
		return next_of_array(s);
	if (s->part.row)
		s->part.at++;
	else
		err = next_segment(s, NULL, msg);
	for (; err == 1; err = next_segment(s, NULL, msg))
		if (find_wanted(s))
			return take_row(s);
	return err;
}

/* The first row of the segment, from `at` on, at or above the group. */
static size_t find_group(struct source_stream *s, const struct source_key *key)
{
	bool by_class = source_by_class(s->part.id.table);
	size_t low = s->part.at, high = low, rows = s->part.segment.rows;
	/* Who seeks goes forward, mostly a little: reach twice as far each
	 * time, then halve. */
	for (size_t reach = 1; high < rows; reach *= 2) {
		take_key(s, high);
		if (source_cmp_group(&s->row.key, key, by_class) >= 0)
			break;
		low = high + 1;
		high += reach;
	}
	if (high > rows)
		high = rows;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		take_key(s, middle);
		if (source_cmp_group(&s->row.key, key, by_class) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int seek_in_array(struct source_stream *s, const struct source_key *key)
{
	size_t low = s->array_at ? s->array_at - 1 : 0, high = s->array_len;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (source_cmp_group(&s->array[middle]->key, key, true) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	s->array_at = low;
	return next_of_array(s);
}

int source_stream_seek(
    struct source_stream *s, const struct source_key *key, struct errmsg *msg)
{
	uint8_t bytes[PART_KEY_MOST];
	int err = 1;
	if (s->array)
		return seek_in_array(s, key);
	if (s->part.ended)
		return 0;
	source_key_bytes(s->part.id.table, key, bytes);
	if (!s->part.row || memcmp(bytes, s->part.last, s->part.key_len) > 0)
		err = next_segment(s, bytes, msg);
	for (; err == 1; err = next_segment(s, NULL, msg)) {
		s->part.at = find_group(s, key);
		if (find_wanted(s))
			return take_row(s);
	}
	return err;
}

static uint64_t group_hash(const struct source_key *key)
{
	uint64_t h = key->hi * UINT64_C(0x9e3779b97f4a7c15) ^
	    key->lo * UINT64_C(0xc2b2ae3d27d4eb4f);
	h ^= ((uint64_t)key->class << 32 | (uint64_t)key->family << 24 |
		 (uint64_t)key->proto << 16 | key->dport) *
	    UINT64_C(0x165667b19e3779f9);
	h = (h ^ h >> 33) * UINT64_C(0xff51afd7ed558ccd);
	h = (h ^ h >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
	return h ^ h >> 33;
}

#define LINE_WORDS 8
#define GROUP_BITS 4

void group_filter_init(struct group_filter *filter, uint64_t groups)
{
	filter->line_count = (size_t)(groups / 64 + 1);
	filter->lines =
	    xcalloc(filter->line_count * LINE_WORDS, sizeof(*filter->lines));
}

void group_filter_add(struct group_filter *filter, const struct source_key *key)
{
	uint64_t h = group_hash(key);
	uint64_t *line =
	    &filter->lines[(h >> 36) % filter->line_count * LINE_WORDS];
	for (int i = 0; i < GROUP_BITS; i++, h >>= 9)
		line[h >> 6 & 7] |= UINT64_C(1) << (h & 63);
}

bool group_filter_has(
    const struct group_filter *filter, const struct source_key *key)
{
	uint64_t h = group_hash(key);
	const uint64_t *line =
	    &filter->lines[(h >> 36) % filter->line_count * LINE_WORDS];
	for (int i = 0; i < GROUP_BITS; i++, h >>= 9)
		if (!(line[h >> 6 & 7] & UINT64_C(1) << (h & 63)))
			return false;
	return true;
}

static struct source_stream *add_stream(struct source_merge *merge)
{
	if (merge->count == merge->cap) {
		merge->cap = merge->cap ? merge->cap * 2 : 16;
		merge->streams = xreallocarray(
		    merge->streams, merge->cap, sizeof(*merge->streams));
	}
	return &merge->streams[merge->count++];
}

void source_merge_add(struct source_merge *merge, struct db *db,
    struct segment_codec *codec, const struct part_id *id, bool details,
    int tag)
{
	struct source_stream *stream = add_stream(merge);
	source_stream_init(stream, db, codec, id, details);
	stream->tag = tag;
	merge->by_class = source_by_class(id->table);
}

void source_merge_add_array(struct source_merge *merge,
    const struct source_row *const *array, size_t len, int tag)
{
	*add_stream(merge) = (struct source_stream){
		.tag = tag, .array = array, .array_len = len
	};
	merge->by_class = true;
}

void source_merge_fini(struct source_merge *merge)
{
	for (size_t i = 0; i < merge->count; i++)
		source_stream_fini(&merge->streams[i]);
	free(merge->streams);
	free(merge->heap);
	*merge = (struct source_merge){ 0 };
}

static bool heap_before(const struct source_merge *m, size_t a, size_t b)
{
	int order = source_cmp(&m->streams[m->heap[a]].row.key,
	    &m->streams[m->heap[b]].row.key, m->by_class);
	return order < 0 || (order == 0 && m->heap[a] < m->heap[b]);
}

static void sift_down(struct source_merge *m, size_t i)
{
	for (;;) {
		size_t least = i, left = 2 * i + 1, right = left + 1;
		if (left < m->heap_len && heap_before(m, left, least))
			least = left;
		if (right < m->heap_len && heap_before(m, right, least))
			least = right;
		if (least == i)
			return;
		size_t t = m->heap[i];
		m->heap[i] = m->heap[least];
		m->heap[least] = t;
		i = least;
	}
}

static int merge_top(struct source_merge *m)
{
	if (m->heap_len == 0) {
		m->row = NULL;
		return 0;
	}
	m->row = &m->streams[m->heap[0]].row;
	m->tag = m->streams[m->heap[0]].tag;
	return 1;
}

int source_merge_start(
    struct source_merge *m, const struct source_key *from, struct errmsg *msg)
{
	m->heap = xreallocarray(m->heap, m->count + 1, sizeof(*m->heap));
	m->heap_len = 0;
	for (size_t i = 0; i < m->count; i++) {
		int err = from ? source_stream_seek(&m->streams[i], from, msg)
			       : source_stream_next(&m->streams[i], msg);
		if (err < 0)
			return err;
		if (err == 1)
			m->heap[m->heap_len++] = i;
	}
	for (size_t i = m->heap_len; i-- > 0;)
		sift_down(m, i);
	return merge_top(m);
}

int source_merge_next(struct source_merge *m, struct errmsg *msg)
{
	if (m->heap_len == 0)
		return 0;
	int err = source_stream_next(&m->streams[m->heap[0]], msg);
	if (err < 0)
		return err;
	if (err == 0)
		m->heap[0] = m->heap[--m->heap_len];
	if (m->heap_len > 0)
		sift_down(m, 0);
	return merge_top(m);
}
