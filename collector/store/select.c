/* SPDX-License-Identifier: ISC */
/*
 * The newest n of what is wanted, by blocks whose newest record is known: a
 * heap keeps the n best so far, its smallest on top, and a block that cannot
 * beat it ends the search.  Where blocks overlap in time most of what enters
 * the heap leaves it again: of a block that gives many only their times enter,
 * and those that stayed are read, block by block, when all are known.  A read
 * without a limit goes page by page, each below the last record of the one
 * before.
 */
#include "collector/store/select.h"

#include <stdlib.h>
#include <string.h>

#include "collector/store/block.h"
#include "lib/base/xalloc.h"

#define PAGE_FIRST 1024u
#define PAGE_MOST 16000u
#define PAGE_MOST_BYTES (4u << 20)
#define READ_AT_ONCE 16 /* of a block: not worth opening it again */

struct found {
	struct store_record record;
	uint8_t *body; /* owned; NULL: not read yet */
};
struct record_candidate {
	int64_t wall_ns;
	uint32_t place;
};
struct selection {
	const struct block_source *source;
	const struct store_plan *plan;
	store_row_fn *fn;
	void *ctx;
	struct block *block;
	struct block_want want;
	struct record_candidate *candidates;
	size_t candidate_cap;
	uint32_t *unread; /* places in the page */
	/* the page */
	struct found *heap;
	size_t count, room, cap;
	size_t bytes;
	int64_t cursor_ns;
	uint64_t cursor_row; /* 0: from the top */
	uint64_t given;
};

static bool is_older(int64_t a_ns, uint64_t a_row, int64_t b_ns, uint64_t b_row)
{
	return a_ns != b_ns ? a_ns < b_ns : a_row < b_row;
}

static bool found_is_older(const struct found *a, const struct found *b)
{
	return is_older(
	    a->record.wall_ns, a->record.row, b->record.wall_ns, b->record.row);
}

static void heap_swap(struct found *heap, size_t a, size_t b)
{
	struct found t = heap[a];
	heap[a] = heap[b];
	heap[b] = t;
}

static void heap_sink(struct selection *s, size_t at)
{
	for (;;) {
		size_t least = at, child = 2 * at + 1;
		for (size_t i = child; i < child + 2 && i < s->count; i++)
			if (found_is_older(&s->heap[i], &s->heap[least]))
				least = i;
		if (least == at)
			return;
		heap_swap(s->heap, at, least);
		at = least;
	}
}

static void heap_pop(struct selection *s)
{
	s->bytes -= s->heap[0].record.body.len;
	free(s->heap[0].body);
	s->heap[0] = s->heap[--s->count];
	heap_sink(s, 0);
}

/* Over the page's bytes, the oldest go to the next page. */
static void heap_push(struct selection *s, const struct found *found)
{
	if (s->count == s->cap) {
		s->cap = s->cap ? 2 * s->cap : 64;
		s->heap = xreallocarray(s->heap, s->cap, sizeof(*s->heap));
	}
	size_t at = s->count++;
	s->heap[at] = *found;
	s->bytes += found->record.body.len;
	while (at > 0 && found_is_older(&s->heap[at], &s->heap[(at - 1) / 2])) {
		heap_swap(s->heap, at, (at - 1) / 2);
		at = (at - 1) / 2;
	}
	if (s->count > s->room)
		heap_pop(s);
	while (s->bytes > PAGE_MOST_BYTES && s->count > 1) {
		heap_pop(s);
		s->room = s->count;
	}
}

static bool can_enter(const struct selection *s, int64_t wall_ns, uint64_t row)
{
	if (s->cursor_row &&
	    !is_older(wall_ns, row, s->cursor_ns, s->cursor_row))
		return false;
	return s->count < s->room ||
	    !is_older(
		wall_ns, row, s->heap[0].record.wall_ns, s->heap[0].record.row);
}

static int newest_first(const void *a, const void *b)
{
	const struct record_candidate *x = a, *y = b;
	if (x->wall_ns != y->wall_ns)
		return x->wall_ns < y->wall_ns ? 1 : -1;
	return x->place < y->place ? 1 : x->place > y->place ? -1 : 0;
}

static int by_place(const void *a, const void *b)
{
	const struct record_candidate *x = a, *y = b;
	return x->place < y->place ? -1 : x->place > y->place;
}

/* All but kind and body. */
static void fill_record(struct store_record *to, const struct block_ref *ref,
    uint32_t place, int64_t wall_ns)
{
	*to = (struct store_record){
		.row = RECORD_ROW(ref->id, place),
		.agent_row = ref->agent_row,
		.epoch = ref->epoch,
		.seq = ref->first_seq + place,
		.wall_ns = wall_ns,
		.received_ns = ref->received_ns,
	};
	memcpy(to->agent, ref->agent, sizeof(to->agent));
}

/* The places of a block that can still enter the page, ascending. */
static size_t choose(struct selection *s, const struct block_ref *ref,
    const uint32_t *places, size_t count)
{
	size_t n = 0;
	if (count > s->candidate_cap) {
		s->candidate_cap = count;
		s->candidates =
		    xreallocarray(s->candidates, count, sizeof(*s->candidates));
	}
	for (size_t i = 0; i < count; i++) {
		int64_t wall_ns = block_wall_ns(s->block, places[i]);
		if (can_enter(s, wall_ns, RECORD_ROW(ref->id, places[i])))
			s->candidates[n++] =
			    (struct record_candidate){ wall_ns, places[i] };
	}
	if (n > s->room) {
		qsort(s->candidates, n, sizeof(*s->candidates), newest_first);
		n = s->room;
		qsort(s->candidates, n, sizeof(*s->candidates), by_place);
	}
	return n;
}

static int read_found(struct selection *s, struct found *found, uint32_t place,
    struct errmsg *msg)
{
	struct block_record record;
	int err = block_read(s->block, place, &record, msg);
	if (err < 0)
		return err;
	found->body = xmemdup(record.body, record.len);
	found->record.body = (struct store_bytes){ found->body, record.len };
	found->record.kind = record.kind;
	return ERR_OK;
}

static int take_block(
    struct selection *s, const struct block_ref *ref, struct errmsg *msg)
{
	const uint32_t *places;
	size_t count;
	int err = block_find(s->block, &s->want, &places, &count, msg);
	if (err < 0)
		return err;
	size_t n = choose(s, ref, places, count);
	for (size_t i = 0; i < n; i++) {
		const struct record_candidate *c = &s->candidates[i];
		struct found found = { .body = NULL };
		if (!can_enter(s, c->wall_ns, RECORD_ROW(ref->id, c->place)))
			continue;
		fill_record(&found.record, ref, c->place, c->wall_ns);
		if (n <= READ_AT_ONCE) {
			err = read_found(s, &found, c->place, msg);
			if (err < 0)
				return err;
		}
		heap_push(s, &found);
	}
	return ERR_OK;
}

static int open_ref(
    struct selection *s, const struct block_ref *ref, struct errmsg *msg)
{
	int err = block_open(s->block, ref->body, ref->len, msg);
	if (err < 0)
		err_prefix(msg, "block %llu", (unsigned long long)ref->id);
	return err;
}

static int fill_page(struct selection *s, struct errmsg *msg)
{
	struct block_ref ref;
	struct store_plan plan = *s->plan;
	plan.cursor_ns = s->cursor_ns;
	plan.cursor_row = s->cursor_row;
	s->want.to_ns = plan.range.to_ns;
	if (s->cursor_row && s->cursor_ns < INT64_MAX &&
	    (plan.range.to_ns == 0 || s->cursor_ns + 1 < plan.range.to_ns))
		s->want.to_ns = s->cursor_ns + 1;
	int err = s->source->start(s->source->ctx, &plan, msg);
	if (err < 0)
		return err;
	for (;;) {
		int64_t floor_ns =
		    s->count == s->room ? s->heap[0].record.wall_ns : INT64_MIN;
		err = s->source->next(s->source->ctx, floor_ns, &ref, msg);
		if (err <= 0 || ref.max_ns < floor_ns)
			return err < 0 ? err : ERR_OK;
		err = open_ref(s, &ref, msg);
		if (err < 0)
			return err;
		err = take_block(s, &ref, msg);
		if (err < 0)
			return err;
	}
}

static int give_record(struct selection *s, const struct store_record *record)
{
	struct store_row row = { .table = STORE_RECORDS, .record = record };
	s->given++;
	return s->fn(s->ctx, &row);
}

static int found_newest_first(const void *a, const void *b)
{
	return found_is_older(a, b) ? 1 : -1;
}

static int by_row(const void *a, const void *b, void *heap)
{
	const struct found *x = &((struct found *)heap)[*(const uint32_t *)a];
	const struct found *y = &((struct found *)heap)[*(const uint32_t *)b];
	return x->record.row < y->record.row ? -1
					     : x->record.row > y->record.row;
}

/* Those of one block, which the page does not have yet. */
static int read_rest(
    struct selection *s, const uint32_t *rest, size_t count, struct errmsg *msg)
{
	struct block_ref ref;
	uint64_t id = s->heap[rest[0]].record.row >> 16;
	int err = s->source->get(s->source->ctx, id, &ref, msg);
	if (err <= 0)
		return err;
	err = open_ref(s, &ref, msg);
	for (size_t i = 0; err == ERR_OK && i < count; i++) {
		struct found *found = &s->heap[rest[i]];
		if (rest[i] >= s->count)
			continue; /* to the next page */
		err = read_found(s, found, found->record.row & 0xffff, msg);
		if (err < 0)
			return err;
		s->bytes += found->record.body.len;
		while (s->bytes > PAGE_MOST_BYTES && s->count > 1) {
			s->bytes -= s->heap[--s->count].record.body.len;
			free(s->heap[s->count].body);
			s->room = s->count;
		}
	}
	return err;
}

/* Sorts the page and reads what was only found. */
static int finish_page(struct selection *s, struct errmsg *msg)
{
	size_t n = 0;
	if (s->count > 1)
		qsort(s->heap, s->count, sizeof(*s->heap), found_newest_first);
	s->unread = xreallocarray(s->unread, s->count + 1, sizeof(*s->unread));
	for (size_t i = 0; i < s->count; i++)
		if (!s->heap[i].body)
			s->unread[n++] = (uint32_t)i;
	if (n > 1)
		qsort_r(s->unread, n, sizeof(*s->unread), by_row, s->heap);
	for (size_t i = 0; i < n;) {
		size_t end = i + 1;
		uint64_t id = s->heap[s->unread[i]].record.row >> 16;
		while (
		    end < n && s->heap[s->unread[end]].record.row >> 16 == id)
			end++;
		int err = read_rest(s, s->unread + i, end - i, msg);
		if (err < 0)
			return err;
		i = end;
	}
	return ERR_OK;
}

static int give_page(struct selection *s)
{
	for (size_t i = 0; i < s->count; i++) {
		if (!s->heap[i].body)
			continue; /* its block was dropped meanwhile */
		int err = give_record(s, &s->heap[i].record);
		if (err != 0)
			return err;
	}
	return ERR_OK;
}

static void clear_page(struct selection *s)
{
	for (size_t i = 0; i < s->count; i++)
		free(s->heap[i].body);
	s->count = s->bytes = 0;
}

static int select_newest(struct selection *s, struct errmsg *msg)
{
	uint32_t limit = s->plan->limit, page = PAGE_FIRST;
	if (s->plan->at_once)
		page = s->plan->at_once;
	if (page > PAGE_MOST)
		page = PAGE_MOST;
	s->cursor_ns = s->plan->cursor_ns;
	s->cursor_row = s->plan->cursor_row;
	for (;; page = page * 2 > PAGE_MOST ? PAGE_MOST : page * 2) {
		s->room = page;
		if (limit && limit - s->given < s->room)
			s->room = limit - s->given;
		int err = fill_page(s, msg);
		if (err < 0)
			return err;
		err = finish_page(s, msg);
		if (err < 0)
			return err;
		bool full = s->count == s->room;
		err = give_page(s);
		if (s->count > 0) {
			s->cursor_ns = s->heap[s->count - 1].record.wall_ns;
			s->cursor_row = s->heap[s->count - 1].record.row;
		}
		clear_page(s);
		if (err != 0 || !full || (limit && s->given >= limit))
			return err;
	}
}

static int give_block(
    struct selection *s, const struct block_ref *ref, struct errmsg *msg)
{
	const uint32_t *places;
	size_t count;
	uint32_t limit = s->plan->limit;
	int err = block_find(s->block, &s->want, &places, &count, msg);
	if (err < 0)
		return err;
	for (size_t i = 0; i < count; i++) {
		struct block_record record;
		struct store_record row;
		if (RECORD_ROW(ref->id, places[i]) <= s->plan->cursor_row)
			continue;
		if (limit && s->given >= limit)
			return ERR_OK;
		err = block_read(s->block, places[i], &record, msg);
		if (err < 0)
			return err;
		fill_record(&row, ref, places[i], record.wall_ns);
		row.kind = record.kind;
		row.body = (struct store_bytes){ record.body, record.len };
		err = give_record(s, &row);
		if (err != 0)
			return err;
	}
	return ERR_OK;
}

static int select_stored(struct selection *s, struct errmsg *msg)
{
	struct block_ref ref;
	int err = s->source->start(s->source->ctx, s->plan, msg);
	if (err < 0)
		return err;
	while (s->plan->limit == 0 || s->given < s->plan->limit) {
		err = s->source->next(s->source->ctx, INT64_MIN, &ref, msg);
		if (err <= 0)
			return err;
		err = open_ref(s, &ref, msg);
		if (err < 0)
			return err;
		err = give_block(s, &ref, msg);
		if (err != 0)
			return err;
	}
	return ERR_OK;
}

int select_records(const struct block_source *source,
    const struct store_plan *plan, store_row_fn *fn, void *ctx,
    struct errmsg *msg)
{
	struct selection s = {
		.source = source,
		.plan = plan,
		.fn = fn,
		.ctx = ctx,
		.block = block_new(),
		.want = {
			.from_ns = plan->range.from_ns,
			.to_ns = plan->range.to_ns,
			.kinds = plan->kinds,
			.kind_count = plan->kind_count,
			.campaign = plan->campaign,
			.run = plan->run,
			.src = plan->src,
			.dst = plan->dst,
		},
	};
	int err = plan->order == STORE_STORED ? select_stored(&s, msg)
					      : select_newest(&s, msg);
	clear_page(&s);
	free(s.heap);
	free(s.candidates);
	free(s.unread);
	block_free(s.block);
	return err;
}
