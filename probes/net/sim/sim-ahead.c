/* SPDX-License-Identifier: ISC */
/*
 * Most routers of a large world do nothing but forward, over links that only
 * take their time.  What they do to a packet follows from the packet alone, so
 * many of them are passed at once: the delays add up, the TTL falls, and the
 * checksum is made again at the end.  What it reads lies close together: a
 * world of 100,000 routers is larger than a processor's cache.
 */
#include <stdlib.h>

#include "lib/base/xalloc.h"
#include "probes/net/sim/sim-ahead.h"
#include "probes/net/sim/sim-reply.h"
#include "probes/net/sim/sim-route.h"

static bool is_plain_link(const struct sim_link *how)
{
	return how->jitter_ns == 0 && how->loss == 0 && how->duplicate == 0 &&
	    how->rate_bps == 0 && how->mtu_bytes == 0 && !how->down;
}

static bool is_plain_router(const struct sim_node *node)
{
	const struct sim_behaviour *how = node->how;
	return !node->host && !node->routed && !how->hidden &&
	    !how->deny_protos && !how->drop_protos && !how->reject_protos &&
	    !how->inject_reset && !how->redirect && !how->quench &&
	    !how->tos_clear && !how->tos_set && !how->nat[0].family &&
	    !how->nat[1].family && how->stateful_ns <= 0;
}

void sim_note_plain(struct sim_world *w)
{
	w->plain = xcalloc(w->node_count + (size_t)1, sizeof(*w->plain));
	w->ways = xcalloc(w->edge_count + (size_t)1, sizeof(*w->ways));
	for (uint32_t i = 0; i < w->node_count; i++)
		w->plain[i] = is_plain_router(&w->nodes[i]);
	for (uint32_t i = 0; i < w->edge_count; i++) {
		const struct sim_edge *e = &w->edges[i];
		bool plain =
		    is_plain_link(e->how) && !w->nodes[e->to].how->down;
		w->ways[i] =
		    (struct sim_way){ plain ? e->delay_ns : -1, e->to };
	}
}

static void lower_ttl(struct sim_flight *f, uint8_t by)
{
	if (f->bytes[0] >> 4 == 6) {
		f->bytes[7] = (uint8_t)(f->bytes[7] - by);
		return;
	}
	f->bytes[8] = (uint8_t)(f->bytes[8] - by);
	sim_ip_checksum(f->bytes);
}

void sim_pass_plain(struct sim_world *w, struct sim_flight *f,
    const struct packet *packet, uint32_t owner)
{
	uint8_t ttl = f->bytes[f->bytes[0] >> 4 == 6 ? 7 : 8], hops = 0;
	uint32_t node = f->node;
	while (node != owner && w->plain[node] && ttl - hops > 1) {
		uint32_t edge =
		    sim_plain_edge(w, node, packet, owner, f->serial);
		if (edge == SIM_NONE || w->ways[edge].delay_ns < 0)
			break;
		f->at_ns += w->ways[edge].delay_ns;
		f->edge = edge;
		node = w->ways[edge].to;
		hops++;
	}
	f->node = node;
	if (hops > 0)
		lower_ttl(f, hops);
}
