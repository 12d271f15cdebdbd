/* SPDX-License-Identifier: ISC */
/* Paths are shortest paths with a flow's choice between equals; a reply's
 * time is the sum of its links' delays, there and back, and some jitter. */

#include "tests/web/seed-net.h"

#include <math.h>
#include <string.h>

#include "lib/base/clock.h"

enum {
	PROBES_PER_HOP = 2,
	PINGS = 5,
	HOPS_MAX = NET_ROUTERS + 2,
	SILENT_ROUTER = 11,
	MEAN_ROUTER = 13, /* answers some, forwards all */
	MPLS_ROUTER = 3,
	CONGESTED_FOR_S = 7200
};

/* In each provider: 0 edge, 1 and 2 side by side, 3 core, 4 border. */
static const struct link {
	uint8_t a, b;
	double ms, loss;
} links[] = {
	{ 0, 1, 0.4, 0 },
	{ 0, 2, 0.5, 0 },
	{ 1, 3, 1.1, 0 },
	{ 2, 3, 1.2, 0 },
	{ 3, 4, 2.0, 0 },
	{ 5, 6, 0.4, 0 },
	{ 5, 7, 0.6, 0 },
	{ 6, 8, 0.9, 0 },
	{ 7, 8, 1.0, 0 },
	{ 8, 9, 3.1, 0 },
	{ 10, 11, 0.3, 0 },
	{ 10, 12, 0.3, 0 },
	{ 11, 13, 1.4, 0 },
	{ 12, 13, 1.3, 0 },
	{ 13, 14, 2.2, 0 },
	{ 15, 16, 0.7, 0 },
	{ 15, 17, 0.5, 0 },
	{ 16, 18, 0.8, 0 },
	{ 17, 18, 0.9, 0 },
	{ 18, 19, 4.0, 0.05 }, /* lossy */
	{ 4, 9, 8.5, 0 },
	{ 9, 14, 6.0, 0 }, /* the second one: congested */
	{ 14, 19, 11.0, 0 },
	{ 19, 4, 14.0, 0 },
	{ 4, 14, 13.0, 0 },
};
enum { LINKS = sizeof(links) / sizeof(*links), CONGESTED_LINK = 21 };

static const struct {
	const char *name;
	uint8_t router;
} agents[NET_AGENTS] = { { "ams", 0 }, { "fra", 5 }, { "tyo", 10 },
	{ "nyc", 15 }, { "par", 7 } };

double dice_unit(struct dice *dice)
{
	dice->state += UINT64_C(0x9e3779b97f4a7c15);
	uint64_t z = dice->state;
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (double)((z ^ (z >> 31)) >> 11) / 9007199254740992.0;
}

double dice_exponential(struct dice *dice, double mean)
{
	return -mean * log(1 - dice_unit(dice));
}

uint32_t dice_poisson(struct dice *dice, double mean)
{
	/* By waiting times; means here are at most some hundreds. */
	uint32_t n = 0;
	for (double t = dice_exponential(dice, 1); t < mean; n++)
		t += dice_exponential(dice, 1);
	return n;
}

const char *net_agent_name(unsigned agent)
{
	return agents[agent].name;
}

void net_agent_addr(unsigned agent, uint8_t to[static 4])
{
	memcpy(to, (uint8_t[]){ 198, 19, (uint8_t)(agent + 1), 10 }, 4);
}

static void router_addr(unsigned router, uint8_t to[static 4])
{
	memcpy(to,
	    (uint8_t[]){
		198, 18, (uint8_t)(router / 5 + 1), (uint8_t)(router % 5 + 1) },
	    4);
}

static const struct link *link_between(unsigned a, unsigned b)
{
	for (size_t i = 0; i < LINKS; i++)
		if ((links[i].a == a && links[i].b == b) ||
		    (links[i].a == b && links[i].b == a))
			return &links[i];
	return NULL;
}

/* Hops from every router to the goal. */
static void distances(unsigned goal, unsigned to[static NET_ROUTERS])
{
	for (unsigned i = 0; i < NET_ROUTERS; i++)
		to[i] = i == goal ? 0 : NET_ROUTERS;
	for (unsigned round = 0; round < NET_ROUTERS; round++) {
		for (size_t i = 0; i < LINKS; i++) {
			unsigned a = links[i].a, b = links[i].b;
			if (to[a] + 1 < to[b])
				to[b] = to[a] + 1;
			if (to[b] + 1 < to[a])
				to[a] = to[b] + 1;
		}
	}
}

/* The routers between two agents, for a flow; returns how many. */
static unsigned find_path(unsigned from, unsigned to, unsigned flow,
    unsigned path[static NET_ROUTERS])
{
	unsigned left[NET_ROUTERS], n = 0;
	unsigned at = agents[from].router;
	distances(agents[to].router, left);
	for (path[n++] = at; left[at] > 0; path[n++] = at) {
		unsigned next[NET_ROUTERS] = { 0 }, choices = 0;
		for (unsigned i = 0; i < NET_ROUTERS; i++)
			if (left[i] + 1 == left[at] && link_between(at, i))
				next[choices++] = i;
		if (choices == 0)
			BUG("router %u leads nowhere", at);
		at = next[(flow + at / 5) % choices];
	}
	return n;
}

/* The round trip to the hops-th router of a path; negative: lost. */
static double round_trip_ms(const unsigned *path, unsigned hops,
    const struct net_when *when, struct dice *dice)
{
	double ms = 0.3 + dice_exponential(dice, 0.15);
	for (unsigned i = 0; i + 1 < hops; i++) {
		const struct link *link = link_between(path[i], path[i + 1]);
		ms += 2 * link->ms + dice_exponential(dice, 0.08);
		if (link == &links[CONGESTED_LINK] &&
		    when->before_end_s < CONGESTED_FOR_S)
			ms += 45 + dice_exponential(dice, 15);
		double both_ways = 1 - (1 - link->loss) * (1 - link->loss);
		if (dice_unit(dice) < both_ways)
			return -1;
	}
	return ms;
}

struct replies {
	Sonde__Reply items[HOPS_MAX * PROBES_PER_HOP];
	Sonde__Reply *list[HOPS_MAX * PROBES_PER_HOP];
	uint8_t from[HOPS_MAX * PROBES_PER_HOP][4];
	size_t count;
};

static Sonde__Reply *add_reply(struct replies *r, double ms, int64_t sent_ns)
{
	Sonde__Reply *reply = &r->items[r->count];
	sonde__reply__init(reply);
	r->list[r->count] = reply;
	reply->probe_id = (uint32_t)r->count + 1;
	reply->tx_wall_ns = sent_ns;
	reply->tx_clock = SONDE__CLOCK__CLOCK_KERNEL_SOFTWARE;
	if (ms >= 0) {
		reply->from = (ProtobufCBinaryData){ 4, r->from[r->count] };
		REPLY_SET(reply, RTT_NS, rtt_ns, (uint64_t)(ms * 1e6));
		reply->rx_wall_ns = sent_ns + (int64_t)reply->rtt_ns;
		reply->rx_clock = SONDE__CLOCK__CLOCK_KERNEL_SOFTWARE;
		REPLY_SET(reply, REPLY_SIZE_BYTES, reply_size_bytes, 56);
		REPLY_SET(reply, REPLY_TTL, reply_ttl, 64);
	}
	r->count++;
	return reply;
}

static bool answers(unsigned router, struct dice *dice)
{
	return router != SILENT_ROUTER &&
	    (router != MEAN_ROUTER || dice_unit(dice) < 0.6);
}

static int64_t sent_after(unsigned hop, unsigned attempt)
{
	return (INT64_C(20) * hop + INT64_C(3) * attempt) * NS_PER_MS;
}

static void probe_hop(struct replies *r, const unsigned *path, unsigned hop,
    const struct net_when *when, struct dice *dice)
{
	static Sonde__MplsEntry entry;
	static Sonde__IcmpExtension extension;
	static Sonde__MplsEntry *entries[] = { &entry };
	static Sonde__IcmpExtension *extensions[] = { &extension };
	for (unsigned attempt = 1; attempt <= PROBES_PER_HOP; attempt++) {
		double ms = round_trip_ms(path, hop + 1, when, dice);
		if (!answers(path[hop], dice))
			ms = -1;
		router_addr(path[hop], r->from[r->count]);
		Sonde__Reply *reply =
		    add_reply(r, ms, when->wall_ns + sent_after(hop, attempt));
		reply->probe_ttl = hop + 1;
		reply->attempt = attempt;
		if (ms >= 0)
			REPLY_SET(reply, ICMP_TYPE, icmp_type, 11);
		if (ms < 0 || path[hop] != MPLS_ROUTER)
			continue;
		sonde__mpls_entry__init(&entry);
		entry.label = 24017;
		entry.bottom = true;
		entry.ttl = 1;
		sonde__icmp_extension__init(&extension);
		extension.class_num = extension.c_type = 1;
		extension.n_mpls = 1;
		extension.mpls = entries;
		reply->n_extensions = 1;
		reply->extensions = extensions;
	}
}

/* The target itself; returns whether it answered. */
static bool probe_target(struct replies *r, const unsigned *path, unsigned hops,
    unsigned to, const struct net_when *when, struct dice *dice)
{
	bool reached = false;
	for (unsigned attempt = 1; attempt <= PROBES_PER_HOP; attempt++) {
		double ms = round_trip_ms(path, hops, when, dice);
		net_agent_addr(to, r->from[r->count]);
		Sonde__Reply *reply = add_reply(r, ms < 0 ? ms : ms + 0.1,
		    when->wall_ns + sent_after(hops, attempt));
		reply->probe_ttl = hops + 1;
		reply->attempt = attempt;
		if (ms >= 0) {
			REPLY_SET(reply, ICMP_TYPE, icmp_type, 3);
			REPLY_SET(reply, ICMP_CODE, icmp_code, 3);
		}
		reached |= ms >= 0;
	}
	return reached;
}

void net_trace(struct synth *by, unsigned from, unsigned to,
    const Sonde__Record *frame, const struct net_when *when, struct dice *dice)
{
	unsigned path[NET_ROUTERS];
	unsigned flow = (unsigned)(dice_unit(dice) * 8);
	unsigned hops = find_path(from, to, flow, path);
	uint8_t src[4], dst[4];
	struct replies r = { .count = 0 };
	for (unsigned hop = 0; hop < hops; hop++)
		probe_hop(&r, path, hop, when, dice);
	bool reached = probe_target(&r, path, hops, to, when, dice);
	net_agent_addr(from, src);
	net_agent_addr(to, dst);
	Sonde__Trace trace = SONDE__TRACE__INIT;
	trace.src = (ProtobufCBinaryData){ 4, src };
	trace.dst = (ProtobufCBinaryData){ 4, dst };
	trace.dst_name = (char *)(uintptr_t)agents[to].name;
	trace.method = (char *)(uintptr_t) "udp";
	trace.sport = 33000 + flow;
	trace.dport = 33434;
	trace.flow_id = ((uint64_t)from << 16 | to << 8 | flow) *
	    UINT64_C(0x9e3779b97f4a7c15);
	trace.stop_reason =
	    (char *)(uintptr_t)(reached ? "completed" : "gaplimit");
	trace.first_ttl = 1;
	trace.max_ttl = 32;
	trace.n_replies = r.count;
	trace.replies = r.list;
	Sonde__Record record = *frame;
	record.body_case = SONDE__RECORD__BODY_TRACE;
	record.trace = &trace;
	synth_add(by, &record);
}

void net_ping(struct synth *by, unsigned from, unsigned to,
    const Sonde__Record *frame, const struct net_when *when, struct dice *dice)
{
	unsigned path[NET_ROUTERS], hops = find_path(from, to, 0, path);
	uint8_t src[4], dst[4];
	struct replies r = { .count = 0 };
	Sonde__Ping ping = SONDE__PING__INIT;
	double least = 0, most = 0, sum = 0;
	for (unsigned i = 1; i <= PINGS; i++) {
		double ms = round_trip_ms(path, hops, when, dice);
		net_agent_addr(to, r.from[r.count]);
		Sonde__Reply *reply =
		    add_reply(&r, ms, when->wall_ns + i * INT64_C(200000000));
		reply->attempt = i;
		if (ms < 0)
			continue;
		least = ping.received == 0 || ms < least ? ms : least;
		most = ms > most ? ms : most;
		sum += ms;
		ping.received++;
	}
	net_agent_addr(from, src);
	net_agent_addr(to, dst);
	ping.src = (ProtobufCBinaryData){ 4, src };
	ping.dst = (ProtobufCBinaryData){ 4, dst };
	ping.dst_name = (char *)(uintptr_t)agents[to].name;
	ping.method = (char *)(uintptr_t) "icmp";
	ping.sent = PINGS;
	ping.size_bytes = 64;
	PING_SET(&ping, RTT_MIN_NS, rtt_min_ns, (uint64_t)(least * 1e6));
	PING_SET(&ping, RTT_MAX_NS, rtt_max_ns, (uint64_t)(most * 1e6));
	if (ping.received)
		PING_SET(&ping, RTT_AVG_NS, rtt_avg_ns,
		    (uint64_t)(sum * 1e6 / ping.received));
	ping.n_replies = r.count;
	ping.replies = r.list;
	Sonde__Record record = *frame;
	record.body_case = SONDE__RECORD__BODY_PING;
	record.ping = &ping;
	synth_add(by, &record);
}
