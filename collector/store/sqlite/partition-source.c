/* SPDX-License-Identifier: ISC */
/*
 * The blocks of a view in the order of a plan.  One heap holds partitions,
 * runs and blocks by their newest record; what comes to its top is opened into
 * what it consists of, less what cannot hold what is wanted: by time, kinds,
 * agents, and by the keys of the run.  So a read touches what its answer is
 * made of, and the runs before it.
 */
#include "collector/store/sqlite/partition-source.h"

#include <stdlib.h>
#include <string.h>

#include "collector/store/select.h"
#include "collector/store/sqlite/postings.h"
#include "collector/store/sqlite/store-view.h"
#include "lib/base/vec.h"
#include "lib/base/xalloc.h"

#define GROUPS 4
#define GROUP_KEYS 2

enum node_type { NODE_PARTITION, NODE_RUN, NODE_BLOCK };
struct node {
	int64_t max_ns;
	uint64_t id; /* first block of what it is */
	uint64_t last;
	enum node_type type;
	size_t partition;
	int64_t agent_row, epoch, first_seq, received_ns;
};
/* Any key of a group; all groups. */
struct key_group {
	uint64_t keys[GROUP_KEYS];
	size_t count;
};
struct partition_source {
	struct store_view *view;
	struct store_plan plan;
	uint64_t kinds;
	struct key_group groups[GROUPS];
	size_t group_count;
	struct node *heap;
	size_t count, cap;
	sqlite3_stmt *body; /* what the last ref points into */
	struct partition_reader *body_of;
	struct agent_id {
		int64_t row;
		uint8_t id[16];
	} * agents;
	size_t agent_count;
};

struct partition_source *partition_source_new(struct store_view *view)
{
	struct partition_source *s = xcalloc(1, sizeof(*s));
	s->view = view;
	return s;
}

void partition_source_free(struct partition_source *s)
{
	if (s->body)
		db_reset(s->body);
	free(s->heap);
	free(s->agents);
	free(s);
}

static bool comes_first(const struct partition_source *s, const struct node *a,
    const struct node *b)
{
	if (s->plan.order == STORE_STORED)
		return a->id != b->id ? a->id < b->id : a->type < b->type;
	return a->max_ns != b->max_ns ? a->max_ns > b->max_ns : a->id > b->id;
}

static void push(struct partition_source *s, const struct node *node)
{
	if (s->count == s->cap) {
		s->cap = s->cap ? 2 * s->cap : 64;
		s->heap = xreallocarray(s->heap, s->cap, sizeof(*s->heap));
	}
	size_t at = s->count++;
	for (; at > 0 && comes_first(s, node, &s->heap[(at - 1) / 2]);
	     at = (at - 1) / 2)
		s->heap[at] = s->heap[(at - 1) / 2];
	s->heap[at] = *node;
}

static struct node pop(struct partition_source *s)
{
	struct node top = s->heap[0], last = s->heap[--s->count];
	size_t at = 0;
	for (;;) {
		size_t child = 2 * at + 1;
		if (child >= s->count)
			break;
		if (child + 1 < s->count &&
		    comes_first(s, &s->heap[child + 1], &s->heap[child]))
			child++;
		if (!comes_first(s, &s->heap[child], &last))
			break;
		s->heap[at] = s->heap[child];
		at = child;
	}
	s->heap[at] = last;
	return top;
}

static void add_group(
    struct partition_source *s, const uint64_t *keys, size_t count)
{
	struct key_group *group = &s->groups[s->group_count++];
	group->count = count;
	memcpy(group->keys, keys, count * sizeof(*keys));
}

static void make_groups(struct partition_source *s)
{
	const struct store_plan *p = &s->plan;
	uint64_t keys[GROUP_KEYS] = { 0 };
	s->group_count = 0;
	if (p->src.family) {
		bool roles[2] = { p->kind_count == 0, p->kind_count == 0 };
		size_t n = 0;
		for (size_t i = 0; i < p->kind_count; i++)
			roles[store_src_role(p->kinds[i])] = true;
		for (int role = KEY_SRC_ALONE; role <= KEY_SRC; role++)
			if (roles[role])
				keys[n++] = store_key((enum store_key_role)role,
				    p->src.bytes, addr_len(&p->src), 0);
		add_group(s, keys, n);
	}
	if (p->dst.family) {
		keys[0] =
		    store_key(KEY_DST, p->dst.bytes, addr_len(&p->dst), 0);
		add_group(s, keys, 1);
	}
	if (p->campaign || p->run) {
		enum store_key_role role = !p->campaign ? KEY_RUN
		    : p->run                            ? KEY_CAMPAIGN_RUN
							: KEY_CAMPAIGN;
		keys[0] =
		    store_key(role, p->campaign, p->campaign ? 16 : 0, p->run);
		add_group(s, keys, 1);
	}
}

/* Records from min_ns to max_ns may be in the range and below the cursor. */
static bool may_hold(
    const struct partition_source *s, int64_t min_ns, int64_t max_ns)
{
	const struct store_plan *p = &s->plan;
	if (max_ns < p->range.from_ns ||
	    (p->range.to_ns && min_ns >= p->range.to_ns))
		return false;
	return p->order == STORE_STORED || p->cursor_row == 0 ||
	    min_ns <= p->cursor_ns;
}

static bool is_behind_cursor(const struct partition_source *s, uint64_t last)
{
	return s->plan.order == STORE_STORED && last < s->plan.cursor_row >> 16;
}

int partition_source_start(
    void *ctx, const struct store_plan *plan, struct errmsg *msg)
{
	struct partition_source *s = ctx;
	struct store_view *view = s->view;
	(void)msg;
	s->plan = *plan;
	s->count = 0;
	s->kinds = plan->kind_count ? 0 : UINT64_MAX;
	for (size_t i = 0; i < plan->kind_count; i++)
		s->kinds |= UINT64_C(1) << (plan->kinds[i] & 63);
	make_groups(s);
	for (size_t i = 0; i < view->count; i++) {
		const struct partition *p = view->partitions[i];
		bool closed = i + 1 < view->count;
		struct node node = { .max_ns = closed ? p->max_ns : INT64_MAX,
			.id = p->first_block,
			.type = NODE_PARTITION,
			.partition = i };
		if (closed &&
		    (!may_hold(s, p->min_ns, p->max_ns) ||
			is_behind_cursor(s, p->last_block)))
			continue;
		push(s, &node);
	}
	return ERR_OK;
}

static int open_partition(
    struct partition_source *s, const struct node *node, struct errmsg *msg)
{
	struct partition_reader *reader;
	const struct partition *p = s->view->partitions[node->partition];
	int err = view_reader(s->view, node->partition, &reader, msg);
	if (err < 0 || !reader)
		return err;
	uint64_t after = p->first_block - 1;
	sqlite3_stmt *row = db_query(&reader->db,
	    "SELECT first, last, min_ns, max_ns, kinds, agents FROM runs"
	    " ORDER BY first",
	    "");
	while ((err = db_step(&reader->db, row, msg)) == 1) {
		struct node run = { .max_ns = sqlite3_column_int64(row, 3),
			.id = (uint64_t)sqlite3_column_int64(row, 0),
			.last = (uint64_t)sqlite3_column_int64(row, 1),
			.type = NODE_RUN,
			.partition = node->partition };
		uint64_t agents = (uint64_t)sqlite3_column_int64(row, 5);
		after = run.last;
		if (!may_hold(s, sqlite3_column_int64(row, 2), run.max_ns) ||
		    is_behind_cursor(s, run.last) ||
		    !(s->kinds & (uint64_t)sqlite3_column_int64(row, 4)) ||
		    (s->plan.agent_row &&
			!(agents >> (s->plan.agent_row & 63) & 1)))
			continue;
		push(s, &run);
	}
	db_reset(row);
	/* The blocks behind the last run have no keys yet. */
	struct node rest = { .max_ns = INT64_MAX,
		.id = after + 1,
		.type = NODE_RUN,
		.partition = node->partition };
	if (err == 0)
		push(s, &rest);
	return err;
}

/* The blocks of a run that have all that is asked for. */
static int look_up(struct partition_source *s, struct db *db,
    const struct node *run, uint64_t bits[RUN_BLOCKS / 64], struct errmsg *msg)
{
	const struct partition *p = s->view->partitions[run->partition];
	memset(bits, 0xff, RUN_BLOCKS / 8);
	for (size_t g = 0; g < s->group_count; g++) {
		uint64_t any[RUN_BLOCKS / 64] = { 0 }, all = 0;
		for (size_t k = 0; k < s->groups[g].count; k++) {
			int err = run_look_up(db, run->id,
			    run_key(s->groups[g].keys[k], p->salt), any, msg);
			if (err < 0)
				return err;
		}
		for (size_t i = 0; i < RUN_BLOCKS / 64; i++)
			all |= bits[i] &= any[i];
		if (all == 0)
			return 0;
	}
	return 1;
}

static int open_run(
    struct partition_source *s, const struct node *run, struct errmsg *msg)
{
	struct partition_reader *reader;
	uint64_t bits[RUN_BLOCKS / 64];
	int err = view_reader(s->view, run->partition, &reader, msg);
	if (err < 0 || !reader)
		return err;
	if (run->last) {
		err = look_up(s, &reader->db, run, bits, msg);
		if (err <= 0)
			return err;
	}
	sqlite3_stmt *row = db_query(&reader->db,
	    "SELECT id, agent, epoch, first_seq, min_ns, max_ns, received_ns,"
	    " kinds FROM blocks WHERE id >= ?1 AND id <= ?2",
	    "ii", (int64_t)run->id, run->last ? (int64_t)run->last : INT64_MAX);
	while ((err = db_step(&reader->db, row, msg)) == 1) {
		struct node block = { .max_ns = sqlite3_column_int64(row, 5),
			.id = (uint64_t)sqlite3_column_int64(row, 0),
			.type = NODE_BLOCK,
			.partition = run->partition,
			.agent_row = sqlite3_column_int64(row, 1),
			.epoch = sqlite3_column_int64(row, 2),
			.first_seq = sqlite3_column_int64(row, 3),
			.received_ns = sqlite3_column_int64(row, 6) };
		uint64_t at = block.id - run->id;
		if ((run->last && !(bits[at / 64 % 4] >> at % 64 & 1)) ||
		    !may_hold(s, sqlite3_column_int64(row, 4), block.max_ns) ||
		    is_behind_cursor(s, block.id) ||
		    !(s->kinds & (uint64_t)sqlite3_column_int64(row, 7)) ||
		    (s->plan.agent_row && s->plan.agent_row != block.agent_row))
			continue;
		push(s, &block);
	}
	db_reset(row);
	return err;
}

static int find_agent(struct partition_source *s, struct db *db, int64_t row_id,
    uint8_t id[16], struct errmsg *msg)
{
	for (size_t i = 0; i < s->agent_count; i++)
		if (s->agents[i].row == row_id) {
			memcpy(id, s->agents[i].id, 16);
			return ERR_OK;
		}
	sqlite3_stmt *row =
	    db_query(db, "SELECT id FROM agents WHERE agent = ?1", "i", row_id);
	int err = db_step(db, row, msg);
	memset(id, 0, 16);
	if (err == 1)
		db_column_copy(row, 0, id, 16);
	db_reset(row);
	if (err < 0)
		return err;
	VEC_ROOM(s->agents, s->agent_count);
	s->agents[s->agent_count].row = row_id;
	memcpy(s->agents[s->agent_count++].id, id, 16);
	return ERR_OK;
}

static int open_block(struct partition_source *s, const struct node *node,
    struct block_ref *ref, struct errmsg *msg)
{
	struct partition_reader *reader;
	int err = view_reader(s->view, node->partition, &reader, msg);
	if (err < 0 || !reader)
		return err;
	*ref = (struct block_ref){ .id = node->id,
		.agent_row = node->agent_row,
		.epoch = (uint64_t)node->epoch,
		.first_seq = (uint64_t)node->first_seq,
		.max_ns = node->max_ns,
		.received_ns = node->received_ns };
	err = find_agent(s, &reader->db, node->agent_row, ref->agent, msg);
	if (err < 0)
		return err;
	s->body = db_query(&reader->db, "SELECT body FROM bodies WHERE id = ?1",
	    "i", (int64_t)node->id);
	err = db_step(&reader->db, s->body, msg);
	if (err == 0)
		err = err_set(msg, ERR_CORRUPT, "block %llu: has no body",
		    (unsigned long long)node->id);
	if (err < 0)
		return err;
	ref->body = sqlite3_column_blob(s->body, 0);
	ref->len = (size_t)sqlite3_column_bytes(s->body, 0);
	return 1;
}

int partition_source_next(
    void *ctx, int64_t floor_ns, struct block_ref *ref, struct errmsg *msg)
{
	struct partition_source *s = ctx;
	if (s->body)
		db_reset(s->body);
	s->body = NULL;
	while (s->count > 0) {
		int err = ERR_OK;
		if (s->plan.order != STORE_STORED &&
		    s->heap[0].max_ns < floor_ns)
			return 0;
		struct node node = pop(s);
		if (node.type == NODE_PARTITION)
			err = open_partition(s, &node, msg);
		else if (node.type == NODE_RUN)
			err = open_run(s, &node, msg);
		else
			err = open_block(s, &node, ref, msg);
		if (err != 0)
			return err;
	}
	return 0;
}

int partition_source_get(
    void *ctx, uint64_t id, struct block_ref *ref, struct errmsg *msg)
{
	struct partition_source *s = ctx;
	struct partition_reader *reader;
	struct node node = { .id = id, .type = NODE_BLOCK };
	if (s->body)
		db_reset(s->body);
	s->body = NULL;
	for (size_t i = 1; i < s->view->count; i++)
		if (s->view->partitions[i]->first_block <= id)
			node.partition = i;
	int err = view_reader(s->view, node.partition, &reader, msg);
	if (err < 0 || !reader)
		return err;
	sqlite3_stmt *row = db_query(&reader->db,
	    "SELECT agent, epoch, first_seq, max_ns, received_ns FROM blocks"
	    " WHERE id = ?1",
	    "i", (int64_t)id);
	err = db_step(&reader->db, row, msg);
	node.agent_row = sqlite3_column_int64(row, 0);
	node.epoch = sqlite3_column_int64(row, 1);
	node.first_seq = sqlite3_column_int64(row, 2);
	node.max_ns = sqlite3_column_int64(row, 3);
	node.received_ns = sqlite3_column_int64(row, 4);
	db_reset(row);
	return err == 1 ? open_block(s, &node, ref, msg) : err;
}
