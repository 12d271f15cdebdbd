/* SPDX-License-Identifier: ISC */
/*
 * A described internet under the guardian (man/sonde-sim.5).  A queue keeps the
 * packets in flight by time, and virtual time is the time of the one that was
 * moved last.  All chance is a
 * function of the seed, the packet and the place, so a run is the same every
 * time, whatever the order of calls.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/vec.h"
#include "lib/base/xalloc.h"
#include "probes/net/sim/sim-ahead.h"
#include "probes/net/sim/sim-change.h"
#include "probes/net/sim/sim-index.h"
#include "probes/net/sim/sim-move.h"
#include "probes/net/sim/sim-parse.h"
#include "probes/net/sim/sim-route.h"
#include "probes/net/sim/sim-state.h"
#include "probes/net/sim/sim-world.h"

#define FILE_MAX (64u << 20)
#define INSTANT_MOST 1024 /* packets that arrive together */

static int read_file(const char *path, char **text, struct errmsg *msg)
{
	FILE *f = fopen(path, "re");
	if (!f)
		return err_set(
		    msg, -errno, "%.180s: %s", path, strerror(errno));
	size_t len = 0, cap = 65536, n;
	char *t = xmalloc(cap);
	while ((n = fread(t + len, 1, cap - 1 - len, f)) > 0) {
		len += n;
		if (len == cap - 1)
			t = xreallocarray(t, cap *= 2, 1);
		if (len > FILE_MAX)
			break;
	}
	int err = ferror(f) ? -EIO : len > FILE_MAX ? ERR_LIMIT : 0;
	fclose(f);
	t[len] = '\0';
	if (!err && strlen(t) != len)
		err = ERR_MALFORMED;
	if (err) {
		free(t);
		return err_set(msg, err, "%.180s: %s", path, err_str(err));
	}
	*text = t;
	return 0;
}

/* What decides whether an address is a broadcast is asked for every probe. */
static void gather_own(struct sim_station *t)
{
	const struct sim_world *w = t->sim->world;
	for (uint32_t i = 0; i < w->owner_count; i++) {
		const struct sim_owner *o = &w->owners[i];
		if (o->node != t->node || o->addr.family != 4)
			continue;
		VEC_ROOM(t->own, t->own_count);
		t->own[t->own_count++] = i;
	}
}

static struct sim_station *station_new(struct sim *s, uint32_t node)
{
	const struct sim_world *w = s->world;
	struct sim_station *t = xcalloc(1, sizeof(*t));
	t->sim = s;
	t->node = node;
	t->number = s->station_count++;
	s->stations[t->number] = t;
	s->stations_open++;
	gather_own(t);
	t->guarded = w->change_count > 0;
	for (uint32_t i = 0; i < w->edge_count; i++) {
		const struct sim_edge *e = &w->edges[i];
		if (e->from != node)
			continue;
		t->uplinks++;
		t->guarded |= e->how->down || e->how->mtu_bytes > 0;
	}
	return t;
}

int sim_open_text(void **ctx, char *text, const char *name, const char *vantage,
    uint32_t max_nodes, struct errmsg *msg)
{
	struct sim *s = xcalloc(1, sizeof(*s));
	s->world = sim_world_new();
	s->world->max_nodes = max_nodes;
	int err = sim_parse(s->world, text, name, msg);
	if (err < 0)
		goto out;
	err = sim_world_finish(s->world, vantage, msg);
	if (err < 0)
		err_prefix(msg, "%.100s", name);
out:
	if (err) {
		sim_world_free(s->world);
		free(s);
		return err;
	}
	s->moving.fetch = sim_fetch_back;
	s->moving.fetch_arg = s->world;
	s->now_ns = NET_VIRTUAL_NS;
	s->began = monotime_now();
	if (s->world->start_now)
		s->world->start = walltime_now();
	*ctx = station_new(s, s->world->vantage);
	return 0;
}

static int sim_open(void **ctx, const char *spec, struct errmsg *msg)
{
	if (!spec || !*spec)
		return err_set(msg, ERR_USAGE,
		    "--net sim: expected sim:FILE or sim:FILE@VANTAGE");
	char *path = xstrdup(spec), *text = NULL;
	char *vantage = strrchr(path, '@');
	if (vantage)
		*vantage++ = '\0';
	int err = read_file(path, &text, msg);
	if (!err)
		err =
		    sim_open_text(ctx, text, path, vantage, SIM_MAX_NODES, msg);
	free(text);
	free(path);
	return err;
}

static int sim_join(
    void **ctx, void *first, const char *vantage, struct errmsg *msg)
{
	struct sim *s = ((struct sim_station *)first)->sim;
	int node = sim_world_join(s->world, vantage, msg);
	if (node < 0)
		return node;
	*ctx = station_new(s, (uint32_t)node);
	return 0;
}

static void close_world(struct sim *s)
{
	struct sim_flight *f;
	while ((f = sim_queue_drain(&s->moving)))
		free(f);
	for (f = s->spare; f; f = s->spare) {
		s->spare = f->next_spare;
		free(f);
	}
	sim_queue_fini(&s->moving);
	sim_world_free(s->world);
	free(s);
}

static void sim_close(void *ctx)
{
	struct sim_station *t = ctx;
	struct sim *s = t->sim;
	for (size_t i = 0; i < t->inbox_count; i++)
		free(t->inbox[i].flight);
	for (size_t i = 0; i < t->leaving_count; i++)
		free(t->leaving[i]);
	free(t->inbox);
	free(t->leaving);
	free(t->own);
	s->stations[t->number] = NULL;
	free(t);
	if (--s->stations_open == 0)
		close_world(s);
}

/* The link that a flow would leave by, SIM_NONE where it has none. */
static uint32_t uplink_of(
    const struct sim_station *t, const struct net_flow *flow)
{
	struct packet p = { .dst = flow->dst,
		.proto = flow->proto,
		.tos = flow->tos,
		.sport = flow->sport,
		.dport = flow->dport,
		.flow_label = flow->flow_label };
	struct sim_world *w = t->sim->world;
	bool drop;
	p.src.family = flow->dst.family;
	return sim_next_edge(
	    w, t->node, &p, sim_addr_owner(w, &flow->dst), 0, &drop);
}

/* A link of the vantage is called after the node behind it. */
static void name_device(
    const struct sim_world *w, uint32_t edge, struct net_route *route)
{
	snprintf(route->device, sizeof(route->device), "to-%.11s",
	    sim_node_name(w, w->edges[edge].to));
}

static int sim_route(
    void *ctx, const struct net_flow *flow, struct net_route *route)
{
	const struct sim_station *t = ctx;
	struct sim_world *w = t->sim->world;
	int six = flow->dst.family == 6;
	uint32_t at = w->nodes[t->node].addr[six];
	*route = (struct net_route){ 0 };
	if (at == SIM_NONE)
		return -ENETUNREACH;
	route->src = w->owners[at].addr;
	if (!t->guarded && t->uplinks < 2)
		return 0;
	sim_changes_until(w, t->sim->now_ns - NET_VIRTUAL_NS);
	uint32_t edge = uplink_of(t, flow);
	if (edge == SIM_NONE && t->uplinks == 0)
		return -ENETUNREACH;
	if (edge == SIM_NONE) { /* all are down: the first is why */
		name_device(w, w->adjacency[w->nodes[t->node].edges_at], route);
		return -ENETDOWN;
	}
	const struct sim_edge *e = &w->edges[edge];
	if (e->addr[six] != SIM_NONE)
		route->src = w->owners[e->addr[six]].addr;
	route->mtu = e->how->mtu_bytes;
	if (t->uplinks < 2)
		return 0;
	uint32_t next = w->edges[edge ^ 1].addr[six];
	if (next == SIM_NONE)
		next = w->nodes[e->to].addr[six];
	if (next != SIM_NONE)
		route->next_hop = w->owners[next].addr;
	name_device(w, edge, route);
	return 0;
}

static bool sim_is_own(void *ctx, const struct addr *a)
{
	const struct sim_station *t = ctx;
	const struct sim_world *w = t->sim->world;
	uint32_t owner = sim_addr_owner(w, a);
	sim_fetch_plain(w, owner);
	return owner == t->node;
}

static bool sim_is_broadcast(void *ctx, const struct addr *a)
{
	const struct sim_station *t = ctx;
	const struct sim_world *w = t->sim->world;
	const struct sim_node *v = &w->nodes[t->node];
	unsigned len = v->network_len[0];
	if (a->family != 4 || len == 0 || len > 30)
		return false;
	for (uint32_t i = 0; i < t->own_count; i++) {
		const struct sim_owner *o = &w->owners[t->own[i]];
		uint32_t mask = UINT32_MAX << (32 - len);
		uint32_t value = addr_v4_value(a);
		if ((value & mask) == (addr_v4_value(&o->addr) & mask) &&
		    ((value & ~mask) == ~mask || (value & ~mask) == 0))
			return true;
	}
	return false;
}

/* Virtual time; in a world that starts now it never lags behind real time. */
static struct monotime sim_now(void *ctx)
{
	struct sim *s = ((struct sim_station *)ctx)->sim;
	if (s->world->start_now) {
		int64_t real =
		    NET_VIRTUAL_NS + monotime_diff(monotime_now(), s->began);
		if (real > s->now_ns)
			s->now_ns = real;
	}
	return (struct monotime){ s->now_ns };
}

static struct walltime wall_at(const struct sim_station *t, int64_t ns)
{
	return sim_clock(t->sim->world, t->node, ns);
}

static struct walltime sim_wall(void *ctx)
{
	return wall_at(ctx, sim_now(ctx).ns);
}

/* The number that stands for a station's packet. */
static uint64_t serial_of(const struct sim_station *t, uint64_t count)
{
	return ((uint64_t)t->number << 48) + count;
}

/* Why a packet cannot leave this host; 0: it can. */
static int send_error(
    struct sim_station *t, const struct net_send *p, uint32_t *mtu_bytes)
{
	struct sim_world *w = t->sim->world;
	struct packet packet;
	bool drop;
	if (!t->guarded ||
	    packet_decode_ip(&packet, p->bytes, p->len, p->len) != 0)
		return 0;
	sim_changes_until(w, t->sim->now_ns - NET_VIRTUAL_NS);
	uint32_t edge =
	    sim_next_edge(w, t->node, &packet, sim_addr_owner(w, &packet.dst),
		serial_of(t, t->serials + 1), &drop);
	if (edge == SIM_NONE)
		return -ENETDOWN;
	*mtu_bytes = w->edges[edge].how->mtu_bytes;
	if (*mtu_bytes > 0 && p->len > *mtu_bytes)
		return -EMSGSIZE;
	return 0;
}

/* Takes over the flight. */
static void leave_station(struct sim_station *t, struct sim_flight *f)
{
	if (t->sim->station_count == 1) {
		sim_begin(t->sim, f);
		return;
	}
	if (t->leaving_count == t->leaving_room) {
		t->leaving_room = t->leaving_room ? t->leaving_room * 2 : 64;
		t->leaving = xreallocarray(
		    t->leaving, t->leaving_room, sizeof(struct sim_flight *));
	}
	t->leaving[t->leaving_count++] = f;
}

static void fetch_ways(
    const struct sim_world *w, const struct net_send *packets, size_t count)
{
	uint32_t owners[NET_BATCH];
	for (size_t i = 0; i < count && i < NET_BATCH; i++) {
		const uint8_t *bytes = packets[i].bytes;
		bool six = bytes[0] >> 4 == 6;
		struct addr dst =
		    addr_from_bytes(bytes + (six ? 24 : 16), six ? 16 : 4);
		owners[i] = sim_addr_owner(w, &dst);
	}
	sim_fetch_ways(w, owners, count < NET_BATCH ? count : NET_BATCH);
}

static size_t sim_send(void *ctx, const struct net_send *packets, size_t count)
{
	struct sim_station *t = ctx;
	int64_t now_ns = sim_now(t).ns;
	size_t sent = 0;
	if (!t->sim->world->in_order)
		fetch_ways(t->sim->world, packets, count);
	for (size_t i = 0; i < count; i++) {
		const struct net_send *p = &packets[i];
		struct sim_notice stamp = { .at_ns = now_ns,
			.cookie = p->cookie };
		stamp.err = send_error(t, p, &stamp.mtu);
		if (stamp.err < 0 || !p->swept)
			sim_inbox_add(t, &stamp);
		if (stamp.err < 0)
			continue;
		struct sim_flight *f = sim_flight_new(t->sim, p->bytes, p->len,
		    serial_of(t, ++t->serials), t->node);
		f->at_ns = now_ns;
		leave_station(t, f);
		sent++;
	}
	t->counters.sent += sent;
	t->counters.send_failed += count - sent;
	return sent;
}

static void sim_poll(void *ctx, net_event_fn *fn, void *arg)
{
	struct sim_station *t = ctx;
	for (size_t i = 0; i < t->inbox_count; i++) {
		struct sim_notice n = t->inbox[i];
		const struct sim_flight *f = n.flight;
		struct net_event event = {
			.kind = n.err < 0 ? NET_SEND_FAILED
			    : f           ? NET_RECEIVED
					  : NET_SENT,
			.err = n.err,
			.mtu = n.mtu,
			.stamp = { wall_at(t, n.at_ns), NET_CLOCK_SIMULATED },
			.cookie = n.cookie,
			.bytes = f ? f->bytes : NULL,
			.caplen = f ? f->len : 0,
			.wirelen = f ? f->len : 0,
		};
		fn(arg, &event);
		sim_flight_free(t->sim, n.flight);
	}
	t->inbox_count = 0;
}

static size_t sim_fds(void *ctx, int *fds, size_t size)
{
	(void)ctx;
	(void)fds;
	(void)size;
	return 0;
}

static size_t notices(const struct sim *s)
{
	size_t count = 0;
	for (uint32_t i = 0; i < s->station_count; i++)
		if (s->stations[i])
			count += s->stations[i]->inbox_count;
	return count;
}

/* Moves time to where the first station is told something, or to until_ns. */
static void move_time(struct sim *s, int64_t until_ns)
{
	struct sim_flight *f;
	size_t count = notices(s);
	while (count == 0 && (f = sim_take_next(s, until_ns))) {
		if (f->at_ns > s->now_ns)
			s->now_ns = f->at_ns;
		sim_arrive(s, f);
		count = notices(s);
	}
	/* What comes at the same instant comes together, unless there is more
	 * than the caller has room for. */
	while (count > 0 && count < INSTANT_MOST &&
	    (f = sim_take_next(s, s->now_ns))) {
		sim_arrive(s, f);
		count = notices(s);
	}
	if (count == 0 && until_ns > s->now_ns && until_ns != INT64_MAX)
		s->now_ns = until_ns;
}

/* Do all stations wait?  Until when, at most. */
static bool all_wait(const struct sim *s, int64_t *until_ns)
{
	*until_ns = INT64_MAX;
	for (uint32_t i = 0; i < s->station_count; i++) {
		const struct sim_station *t = s->stations[i];
		if (t && !t->waits)
			return false;
		if (t && t->until_ns < *until_ns)
			*until_ns = t->until_ns;
	}
	return true;
}

static void sim_advance(void *ctx, struct monotime until)
{
	struct sim_station *t = ctx;
	struct sim *s = t->sim;
	int64_t until_ns;
	t->waits = t->inbox_count == 0;
	t->until_ns = until.ns;
	if (!t->waits || !all_wait(s, &until_ns))
		return;
	for (uint32_t i = 0; i < s->station_count; i++) {
		struct sim_station *one = s->stations[i];
		if (!one)
			continue;
		one->waits = false;
		for (size_t j = 0; j < one->leaving_count; j++)
			sim_begin(s, one->leaving[j]);
		one->leaving_count = 0;
	}
	move_time(s, until_ns);
}

static void sim_counters(void *ctx, struct net_counters *counters)
{
	const struct sim_station *t = ctx;
	*counters = t->counters;
	counters->dropped = t->sim->dropped;
}

static int sim_resolve(
    void *ctx, const char *name, int family, struct addr *addr)
{
	const struct sim_world *w = ((struct sim_station *)ctx)->sim->world;
	uint32_t node = sim_node_find(w, name);
	for (int six = family == 6; node != SIM_NONE && six < 2; six++) {
		uint32_t at = w->nodes[node].addr[six];
		if (at != SIM_NONE && (family == 0 || six == (family == 6))) {
			*addr = w->owners[at].addr;
			return 0;
		}
	}
	return ERR_NOT_FOUND;
}

static void sim_describe(void *ctx, char *to, size_t size)
{
	const struct sim_station *t = ctx;
	const struct sim_world *w = t->sim->world;
	snprintf(to, size,
	    "simulated: %u nodes, %u links, seen from %.80s; virtual time",
	    w->node_count, w->edge_count / 2, sim_node_name(w, t->node));
}

const struct net_ops net_sim = {
	.name = "sim",
	.help = "an internet described in a file, in virtual time: "
		"sim:FILE[@VANTAGE,...]",
	.open = sim_open,
	.join = sim_join,
	.close = sim_close,
	.route = sim_route,
	.is_own = sim_is_own,
	.is_broadcast = sim_is_broadcast,
	.now = sim_now,
	.wall = sim_wall,
	.send = sim_send,
	.poll = sim_poll,
	.fds = sim_fds,
	.advance = sim_advance,
	.counters = sim_counters,
	.describe = sim_describe,
	.resolve = sim_resolve,
};
