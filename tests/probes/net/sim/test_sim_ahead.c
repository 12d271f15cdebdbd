/* SPDX-License-Identifier: ISC */
/*
 * What is passed in one go must not differ from what is passed hop by hop: in
 * generated worlds, the same probes at the same times once with packets that
 * run ahead and once with an event for each hop; every packet that comes back
 * and its time must be the same.  No two probes leave at one instant: which of
 * two packets is first that reach a router at the same nanosecond is not said.
 */
#include "lib/base/buf.h"
#include "lib/base/hash.h"
#include "lib/base/vec.h"
#include "lib/base/xalloc.h"
#include "tests/probes/net/sim/sim-lab.h"
#include "probes/net/sim/sim-move.h"

struct draw {
	uint64_t seed, count;
};

static uint64_t draw(struct draw *d, uint64_t below)
{
	return hash_mix(d->seed, ++d->count) % below;
}

static const char *const node_options[] = { "", "", "", "", "silent",
	"limit 20 burst 3", "limit linux", "limit 5 burst 2 limit-by interface",
	"limit 9 burst 1 limit-by destination limit-echo", "ip-id random",
	"ip-id per-address", "ip-id per-interface ip-id-rate 5..900", "hidden",
	"slow 3ms", "redirect 10.9.9.9", "quench", "ecmp per-packet",
	"ecmp src-dst", "ecmp first-4-octets", "ecmp 5-tuple+tos", "mpls 16,17",
	"interface-info", "deny udp", "drop tcp", "reject icmp reject-with 9",
	"reject udp reject-as-target", "inject-reset", "bleach dscp", "dscp 46",
	"quote 28" };
static const char *const host_options[] = { "", "", "down", "no-echo",
	"late 300ms late-share 0.4", "copies 2", "forge", "tcp 80",
	"limit 4 burst 2 limit-echo", "ip-id per-destination",
	"answer-from 10.9.9.8", "serve dns,ntp" };
static const char *const link_options[] = { "", "", "", "loss 0.1",
	"jitter 2ms", "duplicate 0.2", "cost 2" };

#define PICK(d, from) (from)[draw((d), sizeof(from) / sizeof((from)[0]))]

enum { ROUTERS = 24, HOSTS = 12 };

static char *make_world(struct draw *d)
{
	struct buf b = { 0 };
	buf_printf(&b, "seed %u\nvantage me 198.51.100.10 2001:db8::10\n",
	    (unsigned)draw(d, 1000));
	for (unsigned i = 0; i < ROUTERS; i++) {
		buf_printf(&b, "router r%u 10.1.0.%u 2001:db8:1::%x %s\n", i,
		    i + 1, i + 1, PICK(d, node_options));
		unsigned links = i == 0 ? 0 : 1 + (unsigned)draw(d, 3);
		for (unsigned k = 0; k < links; k++)
			buf_printf(&b, "link r%u r%u delay 1ms..9ms %s\n",
			    (unsigned)draw(d, i), i, PICK(d, link_options));
	}
	for (unsigned i = 0; i < HOSTS; i++)
		buf_printf(&b,
		    "host h%u 10.2.0.%u 2001:db8:2::%x %s\n"
		    "link r%u h%u delay 0.1ms..5ms\n",
		    i, i + 1, i + 1, PICK(d, host_options),
		    (unsigned)draw(d, ROUTERS), i);
	buf_printf(&b, "link me r0 delay 1ms..2ms\n");
	unsigned routed = 1 + (unsigned)draw(d, ROUTERS - 1);
	if (draw(d, 3) == 0)
		buf_printf(&b, "link r0 r%u\nroute r%u 10.2.0.0/28 via r0\n",
		    routed, routed);
	buf_printf(&b,
	    "generate mesh m at r%u count 60 degree %u hosts 1 addresses "
	    "10.3.0.0/16 2001:db8:3::/64 delay 1ms..20ms\n",
	    (unsigned)draw(d, ROUTERS), 1 + (unsigned)draw(d, 3));
	char *text = xstrndup((const char *)b.data, b.len);
	buf_fini(&b);
	return text;
}

static struct probe make_probe(struct draw *d)
{
	static const uint8_t protos[] = { PACKET_ICMP, PACKET_UDP, PACKET_TCP };
	char dst[64];
	bool six = draw(d, 3) == 0;
	unsigned net = 1 + (unsigned)draw(d, 3);
	unsigned at = 1 +
	    (unsigned)draw(d,
		net == 1       ? ROUTERS
		    : net == 2 ? HOSTS
			       : 125);
	snprintf(
	    dst, sizeof(dst), six ? "2001:db8:%u::%x" : "10.%u.0.%u", net, at);
	return (struct probe){
		.dst = addr(dst),
		.proto = PICK(d, protos),
		.ttl = (uint8_t)(draw(d, 2) ? 64 : 1 + draw(d, 12)),
		.tos = (uint8_t)(draw(d, 2) * 0xb8),
		.flow_label = (uint32_t)draw(d, 9),
		.ip_id = (uint16_t)(1 + draw(d, 60000)),
		.sport = (uint16_t)(40000 + draw(d, 9)),
		.dport = draw(d, 2) ? 53 : 80,
		.icmp_id = 7,
		.icmp_seq = (uint16_t)draw(d, 9),
		.tcp_flags = PACKET_TCP_SYN,
		.payload_len = (uint16_t)draw(d, 40),
	};
}

/* A packet that came, as a hash of its time and its octets. */
struct heard {
	uint64_t *hashes;
	size_t count;
};

static void hear(void *arg, const struct net_event *event)
{
	struct heard *heard = arg;
	uint64_t h = hash_fnv(HASH_FNV_START, &event->stamp.wall.ns,
	    sizeof(event->stamp.wall.ns));
	if (event->kind != NET_RECEIVED)
		return;
	VEC_ROOM(heard->hashes, heard->count);
	heard->hashes[heard->count++] =
	    hash_fnv(h, event->bytes, event->caplen);
}

static int by_hash(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

static struct heard listen_to(
    const char *text, struct draw d, bool each_hop, size_t probes)
{
	struct heard heard = { 0 };
	struct lab lab;
	lab_open(&lab, text);
	struct sim *s = ((struct sim_station *)lab.net)->sim;
	assert_false(s->world->in_order);
	s->world->in_order = each_hop;
	for (size_t i = 0; i < probes; i++) {
		struct probe p = make_probe(&d);
		lab_send(&lab, &p);
		struct monotime until = monotime_add(net_sim.now(lab.net),
		    1 + (int64_t)(draw(&d, 4) * draw(&d, 900001)));
		while (monotime_before(net_sim.now(lab.net), until)) {
			net_sim.advance(lab.net, until);
			net_sim.poll(lab.net, hear, &heard);
		}
	}
	struct monotime end = monotime_add(net_sim.now(lab.net), NS_PER_S * 5);
	while (monotime_before(net_sim.now(lab.net), end)) {
		net_sim.advance(lab.net, end);
		net_sim.poll(lab.net, hear, &heard);
	}
	lab_close(&lab);
	/* Two may come at one instant, in either order. */
	if (heard.count > 0)
		qsort(heard.hashes, heard.count, sizeof(uint64_t), by_hash);
	return heard;
}

static void running_ahead_changes_nothing(void **state)
{
	(void)state;
	size_t all = 0;
	for (uint64_t round = 0; round < 300; round++) {
		struct draw d = { round, 0 };
		char *text = make_world(&d);
		struct heard fast = listen_to(text, d, false, 300);
		struct heard slow = listen_to(text, d, true, 300);
		bool same = fast.count == slow.count &&
		    (fast.count == 0 ||
			memcmp(fast.hashes, slow.hashes,
			    fast.count * sizeof(uint64_t)) == 0);
		if (!same)
			fail_msg("round %u: %zu packets running ahead, %zu hop "
				 "by hop, in\n%s",
			    (unsigned)round, fast.count, slow.count, text);
		all += fast.count;
		free(fast.hashes);
		free(slow.hashes);
		free(text);
	}
	assert_true(all > 5000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(running_ahead_changes_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
