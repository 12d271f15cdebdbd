/* SPDX-License-Identifier: ISC */
/*
 * Every source that was ever seen with a class.  What is new is known at once
 * by a filter in memory (a blocked Bloom filter: Putze, Sanders, Singler 2007;
 * seven bits in one line of 512): it never calls an old one new, and calls a
 * new one old in a case of a thousand at six million, which costs an event
 * and no count.  The counts come from sorted parts, in stripes by a hash of the
 * address so that one merge is short.
 */
#include <stdlib.h>
#include <string.h>

#include "collector/store/sqlite/rollup/rollup-db.h"
#include "collector/store/sqlite/rollup/seen.h"
#include "collector/store/sqlite/rollup/gather-private.h"
#include "lib/base/xalloc.h"

#define FILTER_LINES (1u << 17) /* of 64 bytes */
#define FILTER_BITS 7
#define STRIPES 16

static int64_t stripe_of(const struct source_key *key)
{
	uint64_t h = (key->hi ^ key->lo) * UINT64_C(0x9e3779b97f4a7c15);
	return (int64_t)(h >> 60) % STRIPES;
}

bool seen_before(struct gather *g, const struct source_key *key)
{
	uint64_t name[] = { key->hi, key->lo,
		(uint64_t)key->family << 32 | key->class };
	uint64_t h = index_hash(name, sizeof(name));
	uint64_t *line = &g->seen[h % FILTER_LINES * 8];
	bool all = true;
	h = (h >> 17) * UINT64_C(0xff51afd7ed558ccd);
	for (int i = 0; i < FILTER_BITS; i++, h >>= 9) {
		uint64_t bit = UINT64_C(1) << (h & 63);
		uint64_t *word = &line[h >> 6 & 7];
		all &= (*word & bit) != 0;
		*word |= bit;
	}
	return all;
}

int seen_load(struct gather *g, struct errmsg *msg)
{
	struct part_list list = { 0 };
	g->seen = xcalloc(FILTER_LINES * 8, sizeof(*g->seen));
	int err = part_list_read(&g->db, ROLLUP_SEEN, 0, STRIPES, &list, msg);
	for (size_t i = 0; err == 0 && i < list.count; i++) {
		struct source_stream stream;
		source_stream_init(
		    &stream, &g->db, g->codec, &list.items[i].id, false);
		while ((err = source_stream_next(&stream, msg)) == 1)
			seen_before(g, &stream.row.key);
		source_stream_fini(&stream);
	}
	part_list_fini(&list);
	return err;
}

static int by_stripe(const void *a, const void *b)
{
	const struct seen_key *x = a, *y = b;
	if (x->key.bin != y->key.bin)
		return x->key.bin < y->key.bin ? -1 : 1;
	return source_cmp(&x->key, &y->key, true);
}

static int is_kept(
    struct source_merge *held, const struct source_key *key, struct errmsg *msg)
{
	for (size_t i = 0; i < held->count; i++) {
		struct source_stream *stream = &held->streams[i];
		int err = source_stream_seek(stream, key, msg);
		if (err < 0)
			return err;
		if (err == 1 && source_same_group(&stream->row.key, key))
			return 1;
	}
	return 0;
}

/* Keys of one stripe, sorted, each once. */
static int flush_stripe(struct gather *g, const struct seen_key *keys,
    size_t count, struct errmsg *msg)
{
	struct part_list list = { 0 };
	struct source_merge held = { 0 };
	struct source_writer writer;
	int64_t stripe = keys[0].key.bin;
	const struct part_info info = {
		.id = { ROLLUP_SEEN, stripe, gather_new_part(g) },
		.made_ns = g->frozen->received_ns,
	};
	int err =
	    part_list_read(&g->db, ROLLUP_SEEN, stripe, stripe + 1, &list, msg);
	for (size_t i = 0; i < list.count; i++)
		source_merge_add(
		    &held, &g->db, g->codec, &list.items[i].id, false, 0);
	source_part_begin(&writer, &g->db, g->codec, &info, count, msg);
	for (size_t i = 0; err == 0 && i < count; i++) {
		const struct source_row row = {
			.key = keys[i].key,
			.packets = (uint64_t)keys[i].day,
			.first_ns = stripe * NS_PER_S,
			.last_ns = stripe * NS_PER_S,
		};
		err = is_kept(&held, &row.key, msg);
		if (err < 0)
			break;
		g->class_found[row.key.class - 1] += err == 0;
		source_part_row(&writer, &row);
		err = 0;
	}
	int ended = source_part_end(&writer);
	source_merge_fini(&held);
	part_list_fini(&list);
	return err < 0 ? err : ended;
}

int seen_flush(
    struct gather *g, struct seen_key *keys, size_t count, struct errmsg *msg)
{
	size_t kept = 0;
	int err = ERR_OK;
	for (size_t i = 0; i < count; i++)
		keys[i].key.bin = stripe_of(&keys[i].key);
	if (count > 1)
		qsort(keys, count, sizeof(*keys), by_stripe);
	for (size_t i = 0; i < count; i++) {
		if (kept > 0 && by_stripe(&keys[kept - 1], &keys[i]) == 0) {
			if (keys[i].day > keys[kept - 1].day)
				keys[kept - 1].day = keys[i].day;
		} else {
			keys[kept++] = keys[i];
		}
	}
	for (size_t i = 0; err == ERR_OK && i < kept;) {
		size_t end = i + 1;
		while (end < kept && keys[end].key.bin == keys[i].key.bin)
			end++;
		err = flush_stripe(g, keys + i, end - i, msg);
		i = end;
	}
	return err;
}
