/* SPDX-License-Identifier: ISC */
/* Nodes by name and addresses by owner: open hashing into the world's arrays.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/hash.h"
#include "lib/base/vec.h"
#include "lib/base/xalloc.h"
#include "probes/net/sim/sim-index.h"

#define PERHAPS_BITS 8 /* for each cell */
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

/* Addresses of one /16 (/112) lie beside each other, in their order: a sweep
 * goes through few of them at a time, which a cache then holds. */
struct addr_place {
	size_t at;
	uint32_t tag;
};

static struct addr_place place_of(const struct addr *a)
{
	struct addr network = *a;
	uint8_t *last = &network.bytes[a->family == 4 ? 2 : 14];
	size_t low = (size_t)last[0] << 8 | last[1];
	last[0] = last[1] = 0;
	uint64_t hash = addr_hash(&network, HASH_KEY);
	return (struct addr_place){ hash + low,
		(uint32_t)(hash_finish(hash + low) >> 32) };
}

/* Where two networks meet in the table, the tag says how to step out. */
static struct sim_addr_cell *addr_cell(const struct sim_world *w,
    const struct addr *a, const struct addr_place *place)
{
	size_t mask = w->by_addr_size - 1, i = place->at & mask;
	while (w->by_addr[i].at != SIM_NONE &&
	    (w->by_addr[i].tag != place->tag ||
		!addr_equal(&w->owners[w->by_addr[i].at].addr, a)))
		i = (i + (place->tag | 1)) & mask;
	return &w->by_addr[i];
}

static void addr_insert(
    struct sim_world *w, const struct addr *addr, uint32_t at)
{
	struct addr_place place = place_of(addr);
	size_t bit = place.at & (w->perhaps_size - 1);
	w->perhaps[bit / 64] |= UINT64_C(1) << bit % 64;
	*addr_cell(w, addr, &place) = (struct sim_addr_cell){ at, place.tag };
}

/* Most addresses that a sweep asks for are not assigned; their bits fit into a
 * cache. */
static uint32_t addr_find(const struct sim_world *w, const struct addr *a)
{
	struct addr_place place = place_of(a);
	size_t bit = place.at & (w->perhaps_size - 1);
	if (!(w->perhaps[bit / 64] >> bit % 64 & 1))
		return SIM_NONE;
	return addr_cell(w, a, &place)->at;
}

/* An emptied table of twice the size when count fills half of it, in place of
 * the one that there was; or NULL. */
static void *table_grow(
    void *table, size_t *size, size_t count, size_t cell_size)
{
	if (count * 2 < *size)
		return NULL;
	*size = *size ? *size * 2 : 64;
	free(table);
	table = xreallocarray(NULL, *size, cell_size);
	return memset(table, 0xff, *size * cell_size);
}

void sim_name_insert(struct sim_world *w, uint32_t node)
{
	uint32_t *grown =
	    table_grow(w->by_name, &w->by_name_size, node + 1u, sizeof(*grown));
	if (grown)
		w->by_name = grown;
	if (grown)
		for (uint32_t i = 0; i < node; i++)
			w->by_name[name_cell(w, sim_node_name(w, i))] = i;
	w->by_name[name_cell(w, sim_node_name(w, node))] = node;
}

uint32_t sim_node_find(const struct sim_world *w, const char *name)
{
	return w->by_name_size ? w->by_name[name_cell(w, name)] : SIM_NONE;
}

/* The last addresses that were looked up, by their last octets: the same one
 * is asked for several times on a packet's way. */
#define RECENT 256
struct sim_recent {
	struct addr addr;
	uint32_t at;
};

static struct sim_recent *recent_of(
    const struct sim_world *w, const struct addr *a)
{
	return &w->recent[a->bytes[3] ^ a->bytes[15]];
}

uint32_t sim_addr_add(
    struct sim_world *w, const struct addr *addr, uint32_t node)
{
	if (!w->recent)
		w->recent = xcalloc(RECENT, sizeof(*w->recent));
	if (sim_addr_index(w, addr) != SIM_NONE)
		return SIM_NONE;
	VEC_ROOM(w->owners, w->owner_count);
	uint32_t at = w->owner_count++;
	w->owners[at] = (struct sim_owner){ *addr, node };
	recent_of(w, addr)->addr.family = 0;
	struct sim_addr_cell *grown = table_grow(
	    w->by_addr, &w->by_addr_size, w->owner_count, sizeof(*grown));
	if (grown) {
		w->by_addr = grown;
		w->perhaps_size = w->by_addr_size * PERHAPS_BITS;
		free(w->perhaps);
		w->perhaps = xcalloc(w->perhaps_size / 64, sizeof(*w->perhaps));
	}
	for (uint32_t i = grown ? 0 : at; i <= at; i++)
		addr_insert(w, &w->owners[i].addr, i);
	uint32_t *first = &w->nodes[node].addr[addr->family == 6];
	if (*first == SIM_NONE)
		*first = at;
	return at;
}

uint32_t sim_addr_index(const struct sim_world *w, const struct addr *a)
{
	if (!w->by_addr_size)
		return SIM_NONE;
	struct sim_recent *recent = recent_of(w, a);
	if (!addr_equal(&recent->addr, a))
		*recent = (struct sim_recent){ *a, addr_find(w, a) };
	return recent->at;
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
