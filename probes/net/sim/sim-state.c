/* SPDX-License-Identifier: ISC */
/*
 * Limits of ICMP errors and IPv4 identifications.
 *
 *   Linux (net/ipv4/icmp.c, net/ipv6/icmp.c, documented in
 *   Documentation/networking/ip-sysctl.rst): one error in icmp_ratelimit
 *   (1000 ms) to a destination, from a bucket of 6, whatever the interface;
 *   before it one global bucket, icmp_msgs_per_sec 1000 and icmp_msgs_burst
 *   50.  In IPv6 the time is that of the route's prefix: 62 ms behind a
 *   default route.  Echo replies are in neither mask.
 */
#include <stdlib.h>

#include "lib/base/xalloc.h"
#include "probes/net/net.h"
#include "probes/net/sim/sim-route.h"
#include "probes/net/sim/sim-state.h"

#define CELLS_MAX ((size_t)1 << 20)
#define GLOBAL_RATE 1000
#define GLOBAL_BURST 50

static struct sim_cell *find_cell(const struct sim_world *w, uint64_t key)
{
	size_t mask = w->cells_size - 1, i = hash_finish(key) & mask;
	while (w->cells[i].key != 0 && w->cells[i].key != key)
		i = (i + 1) & mask;
	return &w->cells[i];
}

static void grow_cells(struct sim_world *w)
{
	struct sim_cell *old = w->cells;
	size_t size = w->cells_size;
	bool forget = size >= CELLS_MAX;
	w->cells_size = forget ? size : size ? size * 2 : 64;
	w->cells = xcalloc(w->cells_size, sizeof(*w->cells));
	w->cell_count = 0;
	for (size_t i = 0; i < size && !forget; i++)
		if (old[i].key != 0) {
			*find_cell(w, old[i].key) = old[i];
			w->cell_count++;
		}
	free(old);
}

static uint64_t cell_key(const struct sim_world *w, enum sim_purpose purpose,
    uint32_t node, uint64_t key)
{
	return hash_mix(hash_mix(w->seed ^ purpose, node), key) | 1;
}

struct sim_cell *sim_cell_get(struct sim_world *w, enum sim_purpose purpose,
    uint32_t node, uint64_t key, bool *fresh)
{
	key = cell_key(w, purpose, node, key);
	if (w->cell_count * 2 >= w->cells_size)
		grow_cells(w);
	struct sim_cell *cell = find_cell(w, key);
	*fresh = cell->key == 0;
	if (*fresh)
		w->cell_count++;
	cell->key = key;
	return cell;
}

static bool take_token(
    struct sim_cell *bucket, int64_t now_ns, double rate, double burst)
{
	bucket->amount += (double)(now_ns - bucket->ns) / 1e9 * rate;
	bucket->ns = now_ns;
	if (bucket->amount > burst)
		bucket->amount = burst;
	/* What a division of time loses is no token. */
	if (bucket->amount < 1 - 1e-9)
		return false;
	bucket->amount--;
	return true;
}

static struct sim_cell *bucket_get(const struct sim_arrival *a,
    enum sim_purpose purpose, uint64_t key, double burst)
{
	bool fresh;
	struct sim_cell *bucket =
	    sim_cell_get(a->world, purpose, a->node, key, &fresh);
	if (fresh)
		*bucket = (struct sim_cell){ bucket->key, a->now_ns, burst };
	return bucket;
}

static uint64_t scope_key(const struct sim_arrival *a)
{
	switch (a->world->nodes[a->node].how->limit_scope) {
	case SIM_LIMIT_INTERFACE: return a->edge;
	case SIM_LIMIT_DESTINATION:
	case SIM_LIMIT_LINUX: return addr_hash(&a->packet->src, 1);
	case SIM_LIMIT_NODE: break;
	}
	return 0;
}

bool sim_limit_take(const struct sim_arrival *a, bool echo)
{
	const struct sim_behaviour *how = a->world->nodes[a->node].how;
	double rate = how->limit_rate;
	if (rate <= 0 || (echo && !how->limit_echo))
		return true;
	bool six = a->packet->src.family == 6;
	if (six && how->limit_v6_ns > 0)
		rate = 1e9 / (double)how->limit_v6_ns;
	/* One bucket for both families, unless they have their own times. */
	uint64_t key =
	    hash_mix(scope_key(a), six && how->limit_v6_ns > 0 ? 6 : 4);
	if (!take_token(bucket_get(a, SIM_CELL_LIMIT, key, how->limit_burst),
		a->now_ns, rate, how->limit_burst))
		return false;
	return how->limit_scope != SIM_LIMIT_LINUX ||
	    take_token(bucket_get(a, SIM_CELL_LIMIT_GLOBAL, 0, GLOBAL_BURST),
		a->now_ns, GLOBAL_RATE, GLOBAL_BURST);
}

/* What has a counter of its own. */
static uint64_t counter_key(const struct sim_arrival *a, const struct addr *src)
{
	switch (a->world->nodes[a->node].how->ip_id) {
	case SIM_IP_ID_ADDRESS: return addr_hash(src, 2);
	case SIM_IP_ID_INTERFACE: return hash_mix(3, a->edge);
	case SIM_IP_ID_DESTINATION: return addr_hash(&a->packet->src, 4);
	default: return 0;
	}
}

/* Most nodes have one counter, which lies close to its neighbours'. */
static uint16_t count_next(const struct sim_arrival *a, const struct addr *src)
{
	struct sim_world *w = a->world;
	const struct sim_node *node = &w->nodes[a->node];
	const struct sim_behaviour *how = node->how;
	uint64_t key = counter_key(a, src), begin = node->ip_id_salt, own;
	bool fresh;
	if (key) {
		begin = hash_mix(begin, key);
		own = (uint64_t)sim_cell_get(
		    w, SIM_CELL_IP_ID, a->node, key, &fresh)
			  ->amount++;
	} else {
		own = w->ids_given[a->node]++;
	}
	double rate = how->ip_id_rate_lo;
	if (how->ip_id_rate_hi > rate)
		rate += (how->ip_id_rate_hi - rate) *
		    sim_draw(
			w, cell_key(w, SIM_CELL_IP_ID, a->node, key), 0x1d);
	uint64_t others = (uint64_t)((double)a->now_ns / 1e9 * rate);
	return (uint16_t)(begin + others + own);
}

uint16_t sim_ip_id_next(const struct sim_arrival *a, const struct addr *src)
{
	const struct sim_behaviour *how = a->world->nodes[a->node].how;
	if (how->ip_id == SIM_IP_ID_ZERO)
		return 0;
	if (how->ip_id == SIM_IP_ID_RANDOM)
		return (uint16_t)hash_mix(
		    a->world->seed, hash_mix(a->serial, a->node));
	uint16_t id = count_next(a, src);
	return how->ip_id_swapped ? (uint16_t)(id << 8 | id >> 8) : id;
}

struct walltime sim_clock(
    const struct sim_world *w, uint32_t node, int64_t now_ns)
{
	const struct sim_behaviour *how = w->nodes[node].how;
	int64_t passed = now_ns - NET_VIRTUAL_NS;
	return walltime_add(w->start,
	    passed + how->clock_offset_ns +
		(int64_t)((double)passed * how->clock_skew_ppm / 1e6));
}
