/* SPDX-License-Identifier: ISC */
/* Nodes by name and addresses by owner: open hashing into the world's arrays.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/hash.h"
#include "lib/base/vec.h"
#include "lib/base/xalloc.h"
#include "probes/net/sim/sim-index.h"

#define HASH_KEY UINT64_C(0x536f6e64652d7369)

const char *sim_node_name(const struct sim_world *w, uint32_t node)
{
	return w->names + w->nodes[node].name;
}

/* The cell of a name: where it is, or the empty one where it would go. */
static size_t name_cell(const struct sim_world *w, const char *name)
{
	size_t mask = w->by_name_size - 1,
	       i = hash_finish(hash_fnv_text(HASH_KEY, name)) & mask;
	while (w->by_name[i] != SIM_NONE &&
	    strcmp(sim_node_name(w, w->by_name[i]), name) != 0)
		i = (i + 1) & mask;
	return i;
}

static size_t addr_cell(const struct sim_world *w, const struct addr *a)
{
	size_t mask = w->by_addr_size - 1, i = addr_hash(a, HASH_KEY) & mask;
	while (w->by_addr[i] != SIM_NONE &&
	    !addr_equal(&w->owners[w->by_addr[i]].addr, a))
		i = (i + 1) & mask;
	return i;
}

/* An emptied table of twice the size when count fills half of it. */
static bool table_grow(uint32_t **table, size_t *size, size_t count)
{
	if (count * 2 < *size)
		return false;
	*size = *size ? *size * 2 : 64;
	*table = xreallocarray(*table, *size, sizeof(**table));
	memset(*table, 0xff, *size * sizeof(**table));
	return true;
}

void sim_name_insert(struct sim_world *w, uint32_t node)
{
	if (table_grow(&w->by_name, &w->by_name_size, node + 1u))
		for (uint32_t i = 0; i < node; i++)
			w->by_name[name_cell(w, sim_node_name(w, i))] = i;
	w->by_name[name_cell(w, sim_node_name(w, node))] = node;
}

uint32_t sim_node_find(const struct sim_world *w, const char *name)
{
	return w->by_name_size ? w->by_name[name_cell(w, name)] : SIM_NONE;
}

uint32_t sim_addr_add(
    struct sim_world *w, const struct addr *addr, uint32_t node)
{
	if (w->by_addr_size && w->by_addr[addr_cell(w, addr)] != SIM_NONE)
		return SIM_NONE;
	VEC_ROOM(w->owners, w->owner_count);
	uint32_t at = w->owner_count++;
	w->owners[at] = (struct sim_owner){ *addr, node };
	if (table_grow(&w->by_addr, &w->by_addr_size, w->owner_count))
		for (uint32_t i = 0; i < at; i++)
			w->by_addr[addr_cell(w, &w->owners[i].addr)] = i;
	w->by_addr[addr_cell(w, addr)] = at;
	uint32_t *first = &w->nodes[node].addr[addr->family == 6];
	if (*first == SIM_NONE)
		*first = at;
	return at;
}

uint32_t sim_addr_index(const struct sim_world *w, const struct addr *a)
{
	return w->by_addr_size ? w->by_addr[addr_cell(w, a)] : SIM_NONE;
}

uint32_t sim_addr_owner(const struct sim_world *w, const struct addr *a)
{
	uint32_t at = sim_addr_index(w, a);
	if (at != SIM_NONE)
		return w->owners[at].node;
	uint32_t best = SIM_NONE;
	for (uint32_t i = 0; i < w->block_count; i++)
		if (prefix_has(&w->blocks[i].prefix, a) &&
		    (best == SIM_NONE ||
			w->blocks[i].prefix.len > w->blocks[best].prefix.len))
			best = i;
	return best == SIM_NONE ? SIM_NONE : w->blocks[best].node;
}
