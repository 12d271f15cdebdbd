/* SPDX-License-Identifier: ISC */
/*
 * A described internet under the guardian (man/sonde-sim.5).  Each packet is
 * a flight that goes from node to node; timers keep the flights by time, and
 * virtual time is the time of the one that was moved last.  All chance is a
 * function of the seed, the packet and the place, so a run is the same every
 * time, whatever the order of calls.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/timer.h"
#include "lib/base/xalloc.h"
#include "probes/net/net.h"
#include "probes/net/sim/sim.h"
#include "probes/net/sim/sim-index.h"
#include "probes/net/sim/sim-parse.h"
#include "probes/net/sim/sim-reply.h"
#include "probes/net/sim/sim-route.h"
#include "probes/net/sim/sim-world.h"

#define FILE_MAX (64u << 20)

struct sim_flight {
	struct timer timer; /* first */
	int64_t at_ns;
	uint64_t serial;     /* stands for the packet where chance decides */
	uint32_t node, edge; /* arrives where, over which; SIM_NONE: begins */
	uint32_t cookie;
	bool sent; /* in the inbox: a transmit stamp, not a packet */
	size_t len;
	uint8_t bytes[];
};

struct sim {
	struct sim_world *world;
	struct timers moving;      /* flights, owned */
	struct sim_flight **inbox; /* owned */
	size_t inbox_count, inbox_cap;
	int64_t now_ns;
	struct monotime began;
	uint64_t serials;
	struct net_counters counters;
};

static void move_later(struct sim *s, struct sim_flight *f)
{
	timer_set(&s->moving, &f->timer, (struct monotime){ f->at_ns });
}

/* The next flight that arrives somewhere by then, or NULL. */
static struct sim_flight *take_next(struct sim *s, int64_t until_ns)
{
	struct timer *timer = timer_first(&s->moving);
	if (!timer || timer->at.ns > until_ns)
		return NULL;
	timer_clear(&s->moving, timer);
	return (struct sim_flight *)timer;
}

static void inbox_add(struct sim *s, struct sim_flight *f)
{
	if (s->inbox_count == s->inbox_cap)
		s->inbox = xreallocarray(s->inbox,
		    s->inbox_cap = s->inbox_cap ? s->inbox_cap * 2 : 64,
		    sizeof(struct sim_flight *));
	s->inbox[s->inbox_count++] = f;
}

static struct sim_flight *flight_new(
    const void *bytes, size_t len, uint64_t serial, uint32_t node)
{
	struct sim_flight *f = xmalloc(sizeof(*f) + len);
	*f = (struct sim_flight){
		.serial = serial, .node = node, .edge = SIM_NONE, .len = len
	};
	if (len > 0)
		memcpy(f->bytes, bytes, len);
	return f;
}

/* How long the packet waits for its turn and is clocked out; negative: the
 * queue was full. */
static int64_t serialise(struct sim_edge *e, const struct sim_flight *f)
{
	if (e->how->rate_bps <= 0)
		return 0;
	int64_t start =
	    e->busy_until_ns > f->at_ns ? e->busy_until_ns : f->at_ns;
	double ns_per_byte = 8e9 / e->how->rate_bps;
	if ((double)(start - f->at_ns) >
	    (double)e->how->queue_bytes * ns_per_byte)
		return -1;
	e->busy_until_ns = start + (int64_t)((double)f->len * ns_per_byte);
	return e->busy_until_ns - f->at_ns;
}

/* Takes over the flight: it arrives at the edge's other end, or is lost. */
static void traverse(struct sim *s, struct sim_flight *f, uint32_t edge)
{
	struct sim_world *w = s->world;
	struct sim_edge *e = &w->edges[edge];
	int64_t wait_ns = serialise(e, f);
	uint64_t place = hash_mix(0x11ce, edge);
	if (wait_ns < 0 ||
	    (e->how->loss > 0 &&
		sim_draw(w, f->serial, place) < e->how->loss)) {
		free(f);
		return;
	}
	f->at_ns += wait_ns + e->delay_ns;
	if (e->how->jitter_ns > 0)
		f->at_ns += (int64_t)(sim_draw(w, f->serial, ~place) *
		    (double)e->how->jitter_ns);
	f->node = e->to;
	f->edge = edge;
	if (e->how->duplicate > 0 &&
	    sim_draw(w, f->serial ^ 0xd0b1e, place) < e->how->duplicate) {
		struct sim_flight *again = xmemdup(f, sizeof(*f) + f->len);
		again->serial = hash_mix(f->serial, 0xd0b1e);
		move_later(s, again);
	}
	move_later(s, f);
}

static void send_answer(struct sim *s, const struct sim_arrival *a,
    const uint8_t *bytes, size_t len)
{
	if (len == 0)
		return;
	struct sim_flight *f =
	    flight_new(bytes, len, hash_mix(a->serial, a->node), a->node);
	f->at_ns = a->now_ns + s->world->nodes[a->node].how->slow_ns;
	move_later(s, f);
}

static void answer_error(struct sim *s, const struct sim_arrival *a,
    enum sim_error error, uint32_t mtu_bytes)
{
	uint8_t reply[SIM_PACKET_MAX];
	send_answer(s, a, reply, sim_reply_error(a, error, mtu_bytes, reply));
}

static unsigned proto_bit(uint8_t proto)
{
	switch (proto) {
	case PACKET_ICMP:
	case PACKET_ICMP6: return SIM_PROTO_ICMP;
	case PACKET_UDP: return SIM_PROTO_UDP;
	case PACKET_TCP: return SIM_PROTO_TCP;
	}
	return 0;
}

static void ttl_decrement(struct sim_flight *f)
{
	if (f->bytes[0] >> 4 == 6) {
		f->bytes[7]--;
		return;
	}
	f->bytes[8]--;
	f->bytes[10] = f->bytes[11] = 0;
	uint16_t sum = packet_fold(packet_sum(0, f->bytes, 20));
	f->bytes[10] = (uint8_t)(sum >> 8);
	f->bytes[11] = (uint8_t)sum;
}

/* What a router has against passing the packet on: an enum sim_error, or -1
 * for nothing, or -2 for throwing it away.  What goes back to the vantage
 * belongs to a conversation and passes filters. */
static int objection(const struct sim_arrival *a, bool back)
{
	const struct sim_behaviour *how = a->world->nodes[a->node].how;
	unsigned bit = back ? 0 : proto_bit(a->packet->proto);
	if (how->drop_protos & bit)
		return -2;
	if (how->deny_protos & bit)
		return SIM_PROHIBITED;
	if (a->packet->ttl <= 1 && !how->hidden)
		return SIM_TIME_EXCEEDED;
	return -1;
}

/* Takes over the flight and sends it on over the right edge. */
static void forward(struct sim *s, struct sim_flight *f, struct sim_arrival *a)
{
	struct sim_world *w = s->world;
	bool drop;
	uint32_t edge = sim_next_edge(w, f->node, a->packet, f->serial, &drop);
	bool begins = f->edge == SIM_NONE;
	if (edge == SIM_NONE) {
		if (!drop && !begins)
			answer_error(s, a, SIM_NET_UNREACHABLE, 0);
		free(f);
		return;
	}
	const struct sim_edge *e = &w->edges[edge];
	if (e->how->mtu_bytes && f->len > e->how->mtu_bytes) {
		answer_error(s, a, SIM_TOO_BIG, e->how->mtu_bytes);
		free(f);
		return;
	}
	if (w->nodes[e->to].how->down) {
		answer_error(s, a, SIM_HOST_UNREACHABLE, 0);
		free(f);
		return;
	}
	if (!begins && !w->nodes[f->node].how->hidden)
		ttl_decrement(f);
	traverse(s, f, edge);
}

/* Takes over the flight, which is at its node now. */
static void arrive(struct sim *s, struct sim_flight *f)
{
	struct sim_world *w = s->world;
	struct packet packet;
	int err = packet_decode_ip(&packet, f->bytes, f->len, f->len);
	uint32_t owner = err ? SIM_NONE : sim_addr_owner(w, &packet.dst);
	struct sim_arrival a = { w, f->node, f->edge, f->at_ns, f->serial,
		&packet, f->bytes, f->len };
	if (f->edge != SIM_NONE && owner == f->node) {
		if (f->node == w->vantage) {
			s->counters.received++;
			inbox_add(s, f);
			return;
		}
		uint8_t reply[SIM_PACKET_MAX];
		send_answer(s, &a, reply, sim_reply_host(&a, reply));
	} else if (!err && f->edge == SIM_NONE) {
		forward(s, f, &a);
		return;
	} else if (!err && !w->nodes[f->node].host) {
		int error = objection(&a, owner == w->vantage);
		if (error == -1) {
			forward(s, f, &a);
			return;
		}
		if (error >= 0)
			answer_error(s, &a, (enum sim_error)error, 0);
	}
	free(f);
}

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

static int sim_open(void **ctx, const char *spec, struct errmsg *msg)
{
	if (!spec || !*spec)
		return err_set(msg, ERR_USAGE,
		    "--net sim: expected sim:FILE or sim:FILE@VANTAGE");
	char *path = xstrdup(spec), *text = NULL;
	char *vantage = strrchr(path, '@');
	if (vantage)
		*vantage++ = '\0';
	struct sim *s = xcalloc(1, sizeof(*s));
	s->world = sim_world_new();
	int err = read_file(path, &text, msg);
	if (err < 0)
		goto out;
	err = sim_parse(s->world, text, path, msg);
	if (err < 0)
		goto out;
	err = sim_world_finish(s->world, vantage, msg);
	if (err < 0)
		err_prefix(msg, "%.100s", path);
out:
	free(text);
	free(path);
	if (err) {
		sim_world_free(s->world);
		free(s);
		return err;
	}
	s->now_ns = NET_VIRTUAL_NS;
	s->began = monotime_now();
	if (s->world->start_now)
		s->world->start = walltime_now();
	*ctx = s;
	return 0;
}

static void sim_close(void *ctx)
{
	struct sim *s = ctx;
	for (size_t i = 0; i < s->moving.count; i++)
		free((struct sim_flight *)s->moving.heap[i]);
	for (size_t i = 0; i < s->inbox_count; i++)
		free(s->inbox[i]);
	timers_fini(&s->moving);
	free(s->inbox);
	sim_world_free(s->world);
	free(s);
}

static int sim_source(void *ctx, const struct addr *dst, struct addr *src)
{
	const struct sim_world *w = ((struct sim *)ctx)->world;
	uint32_t at = w->nodes[w->vantage].addr[dst->family == 6];
	if (at == SIM_NONE)
		return -ENETUNREACH;
	*src = w->owners[at].addr;
	return 0;
}

static bool sim_is_own(void *ctx, const struct addr *a)
{
	const struct sim_world *w = ((struct sim *)ctx)->world;
	return sim_addr_owner(w, a) == w->vantage;
}

static bool sim_is_broadcast(void *ctx, const struct addr *a)
{
	const struct sim_world *w = ((struct sim *)ctx)->world;
	const struct sim_node *v = &w->nodes[w->vantage];
	unsigned len = v->network_len[0];
	if (a->family != 4 || len == 0 || len > 30)
		return false;
	for (uint32_t i = 0; i < w->owner_count; i++) {
		const struct sim_owner *o = &w->owners[i];
		if (o->node != w->vantage || o->addr.family != 4)
			continue;
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
	struct sim *s = ctx;
	if (s->world->start_now) {
		int64_t real =
		    NET_VIRTUAL_NS + monotime_diff(monotime_now(), s->began);
		if (real > s->now_ns)
			s->now_ns = real;
	}
	return (struct monotime){ s->now_ns };
}

static struct walltime wall_at(const struct sim *s, int64_t ns)
{
	return walltime_add(s->world->start, ns - NET_VIRTUAL_NS);
}

static struct walltime sim_wall(void *ctx)
{
	return wall_at(ctx, sim_now(ctx).ns);
}

static size_t sim_send(void *ctx, const struct net_send *packets, size_t count)
{
	struct sim *s = ctx;
	int64_t now_ns = sim_now(s).ns;
	for (size_t i = 0; i < count; i++) {
		const struct net_send *p = &packets[i];
		struct sim_flight *f = flight_new(
		    p->bytes, p->len, ++s->serials, s->world->vantage);
		struct sim_flight *stamp = flight_new(NULL, 0, 0, f->node);
		f->at_ns = stamp->at_ns = now_ns;
		stamp->sent = true;
		stamp->cookie = p->cookie;
		inbox_add(s, stamp);
		move_later(s, f);
	}
	s->counters.sent += count;
	return count;
}

static void sim_poll(void *ctx, net_event_fn *fn, void *arg)
{
	struct sim *s = ctx;
	for (size_t i = 0; i < s->inbox_count; i++) {
		struct sim_flight *f = s->inbox[i];
		struct net_event event = {
			.kind = f->sent ? NET_SENT : NET_RECEIVED,
			.stamp = { wall_at(s, f->at_ns), NET_CLOCK_SIMULATED },
			.cookie = f->cookie,
			.bytes = f->bytes,
			.caplen = f->len,
			.wirelen = f->len,
		};
		fn(arg, &event);
		free(f);
	}
	s->inbox_count = 0;
}

static size_t sim_fds(void *ctx, int *fds, size_t size)
{
	(void)ctx;
	(void)fds;
	(void)size;
	return 0;
}

static void sim_advance(void *ctx, struct monotime until)
{
	struct sim *s = ctx;
	struct sim_flight *f;
	while (s->inbox_count == 0 && (f = take_next(s, until.ns))) {
		if (f->at_ns > s->now_ns)
			s->now_ns = f->at_ns;
		arrive(s, f);
	}
	/* What comes at the same instant comes together. */
	while (s->inbox_count > 0 && (f = take_next(s, s->now_ns)))
		arrive(s, f);
	if (s->inbox_count == 0 && until.ns > s->now_ns &&
	    until.ns != INT64_MAX)
		s->now_ns = until.ns;
}

static void sim_counters(void *ctx, struct net_counters *counters)
{
	*counters = ((struct sim *)ctx)->counters;
}

static int sim_resolve(
    void *ctx, const char *name, int family, struct addr *addr)
{
	const struct sim_world *w = ((struct sim *)ctx)->world;
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
	const struct sim_world *w = ((struct sim *)ctx)->world;
	snprintf(to, size,
	    "simulated: %u nodes, %u links, seen from %.80s; virtual time",
	    w->node_count, w->edge_count / 2, sim_node_name(w, w->vantage));
}

const struct net_ops net_sim = {
	.name = "sim",
	.help = "an internet described in a file, in virtual time: "
		"sim:FILE[@VANTAGE]",
	.open = sim_open,
	.close = sim_close,
	.source = sim_source,
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
