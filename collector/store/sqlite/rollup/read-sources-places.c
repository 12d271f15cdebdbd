/* SPDX-License-Identifier: ISC */
/* The groups of a read of sources, and the first places among them. */
#include <stdlib.h>
#include <string.h>

#include "collector/store/sqlite/rollup/read-sources.h"
#include "lib/base/xalloc.h"

/* Of equal ones the lower address as bytes, then class, protocol, port. */
static bool is_before(const struct source_row *a, const struct source_row *b)
{
	if (a->packets != b->packets)
		return a->packets > b->packets;
	if (a->key.family != b->key.family) {
		struct addr x = source_key_addr(&a->key);
		struct addr y = source_key_addr(&b->key);
		int order = memcmp(x.bytes, y.bytes, sizeof(x.bytes));
		return order ? order < 0 : a->key.family < b->key.family;
	}
	return source_cmp_group(&a->key, &b->key, false) < 0;
}

static void sink(struct source_read *r, size_t i)
{
	for (;;) {
		size_t worst = i, left = 2 * i + 1, right = left + 1;
		if (left < r->top_count &&
		    is_before(&r->top[worst].sum, &r->top[left].sum))
			worst = left;
		if (right < r->top_count &&
		    is_before(&r->top[worst].sum, &r->top[right].sum))
			worst = right;
		if (worst == i)
			return;
		struct source_group t = r->top[i];
		r->top[i] = r->top[worst];
		r->top[worst] = t;
		i = worst;
	}
}

static void rise(struct source_read *r, size_t i)
{
	while (i > 0) {
		size_t up = (i - 1) / 2;
		if (!is_before(&r->top[up].sum, &r->top[i].sum))
			return;
		struct source_group t = r->top[i];
		r->top[i] = r->top[up];
		r->top[up] = t;
		i = up;
	}
}

bool source_read_ranks_behind(
    const struct source_read *r, const struct source_key *key, uint64_t packets)
{
	const struct source_row row = { .key = *key, .packets = packets };
	return !r->has_after || is_before(&r->after, &row);
}

static bool is_behind_cursor(
    const struct source_read *r, const struct source_row *sum)
{
	if (!source_read_ranks_behind(r, &sum->key, sum->packets))
		return false;
	return !r->has_group ||
	    source_cmp_group(&sum->key, &r->group, true) > 0;
}

/* What is left in g is to be used again. */
static void place_group(struct source_read *r, struct source_group *g)
{
	if (r->top_count < r->places) {
		if (r->top_count == r->top_cap) {
			r->top_cap = r->top_cap ? r->top_cap * 2 : 128;
			r->top =
			    xreallocarray(r->top, r->top_cap, sizeof(*r->top));
		}
		r->top[r->top_count++] = *g;
		if (!r->by_group)
			rise(r, r->top_count - 1);
		*g = (struct source_group){ 0 };
	} else if (!r->by_group && is_before(&g->sum, &r->top[0].sum)) {
		struct source_group out = r->top[0];
		r->top[0] = *g;
		sink(r, 0);
		*g = out;
	}
}

void source_read_end_group(struct source_read *r)
{
	struct source_group *g = &r->under_way;
	if (g->agent_count == 0)
		return;
	if (is_behind_cursor(r, &g->sum))
		place_group(r, g);
	g->agent_count = 0;
	r->is_full = r->by_group && r->top_count == r->places;
}

static void add_agent(struct source_group *g, int64_t agent)
{
	size_t at = g->agent_count;
	while (at > 0 && g->agents[at - 1] > agent)
		at--;
	if (at > 0 && g->agents[at - 1] == agent)
		return;
	/* Room for powers of two. */
	if ((g->agent_count & (g->agent_count - 1)) == 0)
		g->agents = xreallocarray(g->agents,
		    g->agent_count ? 2 * g->agent_count : 1,
		    sizeof(*g->agents));
	memmove(&g->agents[at + 1], &g->agents[at],
	    (g->agent_count - at) * sizeof(*g->agents));
	g->agents[at] = agent;
	g->agent_count++;
}

void source_read_add(struct source_read *r, const struct source_row *row)
{
	struct source_group *g = &r->under_way;
	if (g->agent_count > 0 && !source_same_group(&g->sum.key, &row->key))
		source_read_end_group(r);
	if (g->agent_count == 0)
		g->sum = *row;
	else
		source_add(&g->sum, row);
	add_agent(g, row->key.agent);
}

static int cmp_places(const void *a, const void *b)
{
	const struct source_group *x = a, *y = b;
	return is_before(&x->sum, &y->sum) ? -1 : is_before(&y->sum, &x->sum);
}

static struct store_source_group group_of(const struct source_key *key)
{
	return (struct store_source_group){
		.src = source_key_addr(key),
		.class_row = key->class,
		.proto = key->proto,
		.dport = key->dport,
	};
}

static struct store_source_cursor cursor_behind(
    const struct source_read *r, const struct source_row *sum)
{
	const struct source_row *last = r->by_group ? &r->after : sum;
	struct store_source_cursor cursor = {
		.packets = last->packets,
		.last = group_of(&last->key),
		.by_group = r->by_group,
	};
	if (r->by_group)
		cursor.group = group_of(&sum->key);
	return cursor;
}

int source_read_give(struct source_read *r, store_row_fn *fn, void *ctx)
{
	int err = ERR_OK;
	if (r->top_count > 1 && !r->by_group)
		qsort(r->top, r->top_count, sizeof(*r->top), cmp_places);
	for (size_t i = 0; err == ERR_OK && i < r->top_count; i++) {
		const struct source_group *g = &r->top[i];
		const struct source_row *sum = &g->sum;
		const struct class_info *class = &r->classes[sum->key.class];
		bool estimated;
		uint64_t targets = source_targets(sum, &estimated);
		const struct store_source source = {
			.src = source_key_addr(&sum->key),
			.verdict = class->verdict,
			.signature = class->signature,
			.proto = sum->key.proto,
			.dport = sum->key.dport,
			.packets = sum->packets,
			.targets = targets,
			.targets_estimated = estimated,
			.ports = sum->ports,
			.ports_at_least = sum->ports_at_least,
			.addresses = sum->addresses,
			.odds = sum->odds,
			.victim = sum->victim,
			.first_ns = sum->first_ns,
			.last_ns = sum->last_ns,
			.agents = g->agents,
			.agent_count = g->agent_count,
			.payload_hash = { sum->payload,
			    sum->has_payload ? sizeof(sum->payload) : 0 },
			.spoofable = sum->spoofable,
			.cursor = cursor_behind(r, sum),
		};
		const struct store_row out = { STORE_SOURCES,
			{ .source = &source } };
		err = fn(ctx, &out);
	}
	return err;
}
