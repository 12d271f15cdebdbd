/* SPDX-License-Identifier: ISC */
/*
 * The prefixes of all tables and rules are one set: whatever table a packet is
 * looked up in, no prefix lies between the longest of the set that has its
 * destination and that destination, so all tables and rules treat what is in
 * there alike.
 */
#include "probes/net/live/live-tables.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/vec.h"

void live_tables_clear(struct live_tables *tables)
{
	free(tables->entries);
	*tables = (struct live_tables){ 0 };
}

static void add_prefix(
    struct live_tables *tables, const struct prefix *prefix, bool balanced)
{
	if (tables->count == LIVE_TABLES_MAX) {
		tables->overflow = true;
		return;
	}
	VEC_ROOM(tables->entries, tables->count);
	tables->entries[tables->count++] =
	    (struct live_tables_entry){ *prefix, balanced };
}

void live_tables_add(
    struct live_tables *tables, const struct netlink_message *message)
{
	if (message->kind == NETLINK_IS_ROUTE) {
		add_prefix(tables, &message->route.to, message->route.balanced);
		tables->flow_matters |= message->route.by_class;
	} else if (message->kind == NETLINK_IS_RULE) {
		tables->flow_matters |= message->rule.by_flow;
		if (message->rule.to.addr.family)
			add_prefix(tables, &message->rule.to, false);
	}
}

static int compare_entries(const void *left, const void *right)
{
	const struct live_tables_entry *a = left, *b = right;
	if (a->prefix.len != b->prefix.len)
		return a->prefix.len < b->prefix.len ? 1 : -1;
	return addr_cmp(&a->prefix.addr, &b->prefix.addr);
}

void live_tables_finish(struct live_tables *tables)
{
	size_t kept = 0;
	if (tables->count == 0)
		return;
	qsort(tables->entries, tables->count, sizeof(*tables->entries),
	    compare_entries);
	for (size_t i = 1; i < tables->count; i++) {
		struct live_tables_entry *e = &tables->entries[i];
		if (compare_entries(&tables->entries[kept], e) == 0)
			tables->entries[kept].balanced |= e->balanced;
		else
			tables->entries[++kept] = *e;
	}
	tables->count = kept + 1;
}

/* Of the entries of one length, which begin at *at and which it passes. */
static const struct live_tables_entry *find_among(
    const struct live_tables *tables, size_t *at, const struct addr *dst)
{
	uint8_t len = tables->entries[*at].prefix.len;
	struct live_tables_entry key = { .prefix = prefix_of(dst, len) };
	size_t low = *at, high = tables->count;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (compare_entries(&tables->entries[mid], &key) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	const struct live_tables_entry *found = low < tables->count &&
		compare_entries(&tables->entries[low], &key) == 0
	    ? &tables->entries[low]
	    : NULL;
	while (*at < tables->count && tables->entries[*at].prefix.len == len)
		++*at;
	return found;
}

unsigned live_tables_reduce(
    const struct live_tables *tables, struct net_flow *flow, unsigned least)
{
	const struct live_tables_entry *longest = NULL;
	unsigned len = addr_bits(&flow->dst);
	if (tables->overflow || tables->count == 0)
		return len;
	for (size_t at = 0; at < tables->count;) {
		const struct live_tables_entry *e =
		    find_among(tables, &at, &flow->dst);
		if (e && e->balanced)
			return len;
		if (!longest)
			longest = e;
	}
	if (longest) {
		len = longest->prefix.len > least ? longest->prefix.len : least;
		flow->dst = prefix_of(&flow->dst, len).addr;
	}
	if (!tables->flow_matters) {
		flow->proto = flow->tos = 0;
		flow->sport = flow->dport = 0;
		flow->flow_label = 0;
	}
	return len;
}
