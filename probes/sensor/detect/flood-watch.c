/* SPDX-License-Identifier: ISC */
/*
 * When is it a flood?
 *
 * Backscatter (the thresholds of Corsaro's dos plugin, after Moore, Voelker and
 * Savage, 2001): 25 packets or more over 60 s or more, of which 30 in some 60 s
 * (a window that slides by 10 s), to three other ends or more.  A server of
 * which a capture shows one direction alone also sends data to its clients;
 * the forged get none.  Over UDP, where that does not tell: 25 ends and more,
 * of at most two packets each.
 *
 * Direct: 1,000 packets in 10 s that became no conversation, with at least a
 * hundred sources: with a stack behind it, each would repeat itself within a
 * second or two (RFC 6298 section 2), so one packet each over three seconds
 * and more is forged.  Where they do repeat themselves (a crowd in front of a
 * dead server), or cannot (UDP), ten times as many.  From fewer sources:
 * questions alone, each with another number; for a stream of data in one
 * direction is what a capture of one direction shows of any call or download.
 * More than half as many conversations as packets: no flood, a crowd.
 *
 * Reflected: 1,000 answers in 10 s of 400 octets and more on average, from 20
 * sources or more.
 *
 * A cell counts in six windows of 10 s, a ring.  A cell that has 25 packets in
 * it gets an event, which counts sources, ports, octets.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/hash.h"
#include "lib/base/xalloc.h"
#include "probes/sensor/detect/flood-watch.h"

#define WINDOW_NS INT64_C(10000000000)
#define WINDOWS 6
#define IDLE_NS INT64_C(300000000000)
#define EVENT_LEAST 25 /* packets in the ring */
#define BACKSCATTER_LEAST_NS INT64_C(60000000000)
#define BACKSCATTER_PER_MINUTE 30
#define BACKSCATTER_ENDS 3
#define BACKSCATTER_ENDS_UDP 25
#define JUDGE_EVERY 64 /* packets */
#define DIRECT_LEAST 1000
#define DIRECT_SOURCES 100
#define DIRECT_TIMES 10 /* as many where sources may be true ones */
#define FORGED_LEAST_NS INT64_C(1500000000)
#define REFLECTED_SOURCES 20
#define REFLECTED_OCTETS 400
/* Of addresses drawn evenly from 2^32, 13 in 100 are no host's (0, 127, 224 and
 * above). */
#define UNROUTED_LEAST 0.05
#define PORTS_MOST 200
#define ADDRESSES_V4 4294967296.0

struct flood_cell {
	uint64_t key; /* with kind and protocol */
	int64_t first_ns;
	uint32_t window;
	uint32_t ring[WINDOWS]; /* packets; [window % WINDOWS] is the last */
	uint32_t completed;     /* of late: halved at each window */
	uint32_t event;         /* counted from 1; 0: none */
	uint32_t guard;         /* own packets less those of others */
} __attribute__((aligned(64)));
_Static_assert(sizeof(struct flood_cell) == 64, "a cell is a cache line");

struct flood_event {
	bool is_used, is_flood;
	uint32_t cell;
	uint64_t uncounted; /* packets that came before the event */
	struct flood flood;
	struct distinct sources;
	uint64_t ports[4]; /* linear counting (Whang and others, 1990) */
	uint64_t ids[4];
	uint64_t asked;
	uint32_t votes; /* for flood.port (Boyer and Moore, 1981) */
};

struct flood_watch {
	struct flood_watch_config config;
	struct flood_cell *cells;
	struct flood_event *events;
	struct distinct_pool *pool;
	uint32_t used;
	uint64_t displaced;
};

struct flood_watch *flood_watch_new(const struct flood_watch_config *config)
{
	struct flood_watch *w = xcalloc(1, sizeof(*w));
	w->config = *config;
	w->cells = aligned_alloc(64, config->cells * sizeof(*w->cells));
	if (!w->cells)
		BUG("no memory for %u cells", config->cells);
	memset(w->cells, 0, config->cells * sizeof(*w->cells));
	w->events = xcalloc(config->events, sizeof(*w->events));
	w->pool = distinct_pool_new(config->events);
	return w;
}

void flood_watch_free(struct flood_watch *w)
{
	if (!w)
		return;
	distinct_pool_free(w->pool);
	free(w->events);
	free(w->cells);
	free(w);
}

static void fill_sight(struct flood_sight *to, const struct packet *p,
    const struct message *m, enum flood_kind kind)
{
	*to = (struct flood_sight){
		.kind = kind,
		.victim = kind == FLOOD_BACKSCATTER ? p->src : p->dst,
		.proto = p->proto,
		.port = kind == FLOOD_BACKSCATTER ? m->sport : m->dport,
		.asks = m->role == MESSAGE_QUESTION,
		.unrouted = kind != FLOOD_BACKSCATTER &&
		    m->source_scope == SCOPE_IMPOSSIBLE,
		.id = m->id,
		.octets = p->ip_len,
	};
}

size_t flood_sights_of(struct flood_sight to[static 2], const struct packet *p,
    const struct message *m, const struct packet *quoted)
{
	switch (m->role) {
	case MESSAGE_QUESTION:
	case MESSAGE_EITHER: fill_sight(&to[0], p, m, FLOOD_DIRECT); return 1;
	case MESSAGE_ANSWER:
		fill_sight(&to[0], p, m, FLOOD_BACKSCATTER);
		if (m->kind != KIND_UDP)
			return 1;
		fill_sight(&to[1], p, m, FLOOD_REFLECTED);
		return 2;
	case MESSAGE_ERROR:
		if (!quoted)
			return 0;
		fill_sight(&to[0], p, m, FLOOD_BACKSCATTER);
		to[0].victim = quoted->dst;
		to[0].proto = quoted->proto;
		to[0].port = quoted->dport;
		return 1;
	default: return 0;
	}
}

static uint64_t cell_key(const struct flood_watch *w, uint64_t key,
    enum flood_kind kind, uint8_t proto)
{
	uint64_t secret = w->config.secret;
	return hash_mix(key ^ secret, secret + ((uint64_t)kind << 8 | proto));
}

static struct flood_cell *cell_at(const struct flood_watch *w, uint64_t key)
{
	return &w->cells[key & (w->config.cells - 1)];
}

void flood_watch_fetch(const struct flood_watch *w, uint64_t key,
    enum flood_kind kind, uint8_t proto)
{
	__builtin_prefetch(cell_at(w, cell_key(w, key, kind, proto)));
}

static uint32_t window_of(int64_t at_ns)
{
	return (uint32_t)(at_ns / WINDOW_NS);
}

/* Windows only go forward: a packet from before counts in the last. */
static void advance_cell(struct flood_cell *c, uint32_t window)
{
	uint32_t passed = window - c->window;
	if ((int32_t)passed <= 0)
		return;
	for (uint32_t i = 1; i <= passed && i <= WINDOWS; i++)
		c->ring[(c->window + i) % WINDOWS] = 0;
	c->completed = passed < 32 ? c->completed >> passed : 0;
	c->window = window;
}

static uint32_t cell_minute(const struct flood_cell *c)
{
	uint32_t sum = 0;
	for (size_t i = 0; i < WINDOWS; i++)
		sum += c->ring[i];
	return sum;
}

/* Of the last 10 s, about: what the window before had is taken as even. */
static uint32_t cell_recent(const struct flood_cell *c, int64_t at_ns)
{
	uint32_t before = c->ring[(c->window + WINDOWS - 1) % WINDOWS];
	int64_t left = WINDOW_NS - at_ns % WINDOW_NS;
	if (window_of(at_ns) != c->window || left > WINDOW_NS)
		left = 0;
	return c->ring[c->window % WINDOWS] +
	    (uint32_t)((uint64_t)before * (uint64_t)(left / 1000) /
		(uint64_t)(WINDOW_NS / 1000));
}

static uint32_t count_bits(const uint64_t map[static 4])
{
	int bits = 0;
	for (size_t i = 0; i < 4; i++)
		bits += __builtin_popcountll(map[i]);
	return (uint32_t)bits;
}

static void set_bit(uint64_t map[static 4], uint32_t hash)
{
	map[hash >> 30] |= UINT64_C(1) << (hash >> 24 & 63);
}

/* Of 256 bits in which so many are set, about: sums of 256 / (256 - i). */
static uint32_t linear_count(uint32_t set)
{
	double sum = 0;
	for (uint32_t i = 0; i < set && i < 256; i++)
		sum += 256.0 / (256 - i);
	return sum < PORTS_MOST ? (uint32_t)(sum + 0.5) : PORTS_MOST;
}

/* ---- events ---- */

static void free_event(struct flood_watch *w, struct flood_event *e)
{
	w->cells[e->cell].event = 0;
	distinct_clear(w->pool, &e->sources);
	memset(e, 0, sizeof(*e));
	w->used--;
}

/* One that is free; else the one that is no flood and has been silent
 * longest. */
static struct flood_event *find_room(struct flood_watch *w)
{
	struct flood_event *oldest = NULL;
	for (uint32_t i = 0; i < w->config.events; i++) {
		struct flood_event *e = &w->events[i];
		if (!e->is_used)
			return e;
		if (!e->is_flood &&
		    (!oldest || e->flood.last_ns < oldest->flood.last_ns))
			oldest = e;
	}
	w->displaced++;
	if (oldest)
		free_event(w, oldest);
	return oldest;
}

static void start_event(struct flood_watch *w, struct flood_cell *c,
    const struct flood_sight *s, uint32_t packets)
{
	/* Looking for room costs: not for every packet when there is none. */
	bool is_full = w->used == w->config.events;
	if (is_full && packets % EVENT_LEAST != 0)
		return;
	struct flood_event *e = find_room(w);
	if (!e)
		return;
	e->is_used = true;
	e->cell = (uint32_t)(c - w->cells);
	e->flood = (struct flood){ .kind = s->kind,
		.victim = s->victim,
		.key = s->key,
		.proto = s->proto,
		.port = s->port,
		.first_ns = c->first_ns,
		.last_ns = s->at_ns };
	/* What made the cell busy came before its event. */
	e->uncounted = packets - 1;
	e->flood.packets = e->flood.fresh_packets = packets - 1;
	c->event = (uint32_t)(e - w->events) + 1;
	w->used++;
}

static void vote_port(struct flood_event *e, uint16_t port)
{
	if (e->flood.port == port)
		e->votes++;
	else if (e->votes > 0)
		e->votes--;
	else
		e->flood.port = port;
}

static void count_in_event(
    struct flood_watch *w, struct flood_event *e, const struct flood_sight *s)
{
	struct flood *f = &e->flood;
	f->packets++;
	f->fresh_packets++;
	f->octets += s->octets;
	f->unrouted += s->unrouted;
	e->asked += s->asks;
	if (s->at_ns < f->first_ns)
		f->first_ns = s->at_ns;
	if (s->at_ns > f->last_ns)
		f->last_ns = s->at_ns;
	vote_port(e, s->port);
	set_bit(e->ports, s->port * HASH_GOLDEN_32);
	set_bit(e->ids, s->id * HASH_GOLDEN_32);
	distinct_add(w->pool, &e->sources, s->source);
}

static uint32_t event_sources(const struct flood_watch *w,
    const struct flood_event *e, enum distinct_quality *quality)
{
	return distinct_count(w->pool, &e->sources, quality);
}

/* Packets and sources are compared over what the event itself counted. */
static enum flood_forged judge_sources(
    const struct flood_watch *w, const struct flood_event *e)
{
	const struct flood *f = &e->flood;
	enum distinct_quality quality;
	uint32_t sources = event_sources(w, e, &quality);
	uint64_t counted = f->packets - e->uncounted;
	if (f->kind == FLOOD_BACKSCATTER)
		return FLOOD_FORGED; /* or nothing would have come back here */
	if (f->kind == FLOOD_REFLECTED)
		return FLOOD_TRUE_SOURCES;
	if (f->completed * 2 > counted)
		return FLOOD_TRUE_SOURCES;
	if (sources < DIRECT_SOURCES || f->packets < EVENT_LEAST)
		return FLOOD_CANNOT_TELL;
	if ((double)f->unrouted > UNROUTED_LEAST * (double)f->packets)
		return FLOOD_FORGED;
	bool once = (double)counted < 1.3 * sources;
	if (f->proto == PACKET_TCP && once && e->asked * 2 > counted &&
	    f->last_ns - f->first_ns >= FORGED_LEAST_NS)
		return FLOOD_FORGED;
	return FLOOD_CANNOT_TELL;
}

static bool is_direct_flood(const struct flood_watch *w,
    const struct flood_event *e, const struct flood_cell *c, uint32_t now)
{
	enum distinct_quality quality;
	if (now < DIRECT_LEAST || (uint64_t)c->completed * 2 > now)
		return false;
	if (event_sources(w, e, &quality) < DIRECT_SOURCES)
		return e->asked * 10 > e->flood.packets * 9 &&
		    count_bits(e->ids) > 200;
	return judge_sources(w, e) == FLOOD_FORGED ||
	    now >= DIRECT_LEAST * DIRECT_TIMES;
}

static bool is_backscatter_flood(
    const struct flood_watch *w, const struct flood_event *e)
{
	const struct flood *f = &e->flood;
	enum distinct_quality quality;
	uint32_t ends = event_sources(w, e, &quality);
	if (f->last_ns - f->first_ns < BACKSCATTER_LEAST_NS ||
	    f->peak_packets == 0 || f->completed * 2 > f->packets)
		return false;
	if (f->proto == PACKET_UDP)
		return ends >= BACKSCATTER_ENDS_UDP &&
		    ends * UINT64_C(2) >= f->packets - e->uncounted;
	return ends >= BACKSCATTER_ENDS;
}

static bool is_flood(const struct flood_watch *w, const struct flood_event *e)
{
	const struct flood *f = &e->flood;
	const struct flood_cell *c = &w->cells[e->cell];
	uint32_t now = cell_recent(c, f->last_ns);
	enum distinct_quality quality;
	switch (f->kind) {
	case FLOOD_DIRECT: return is_direct_flood(w, e, c, now);
	case FLOOD_REFLECTED:
		return now >= DIRECT_LEAST &&
		    f->octets >
		    (f->packets - e->uncounted) * REFLECTED_OCTETS &&
		    event_sources(w, e, &quality) >= REFLECTED_SOURCES;
	case FLOOD_BACKSCATTER: return is_backscatter_flood(w, e);
	}
	return false;
}

/* The fullest 10 s; of backscatter only once a minute was full enough. */
static void note_peak(struct flood_event *e, const struct flood_cell *c)
{
	uint32_t now = cell_recent(c, e->flood.last_ns);
	bool counts = e->flood.kind != FLOOD_BACKSCATTER ||
	    cell_minute(c) >= BACKSCATTER_PER_MINUTE;
	if (counts && now > e->flood.peak_packets)
		e->flood.peak_packets = now;
}

/* ---- packets ---- */

/* The cell of this victim, or NULL: another's is busier. */
static struct flood_cell *take_cell(
    struct flood_watch *w, uint64_t key, uint32_t window)
{
	struct flood_cell *c = cell_at(w, key);
	if (c->key == key) {
		advance_cell(c, window);
		c->guard += c->guard < UINT32_MAX;
		return c;
	}
	bool idle = (int32_t)(window - c->window) >= WINDOWS;
	if (c->event != 0 || (c->guard > 0 && !idle)) {
		c->guard -= c->guard > 0;
		w->displaced += c->event != 0;
		return NULL;
	}
	memset(c, 0, sizeof(*c));
	c->key = key;
	c->window = window;
	c->guard = 1;
	return c;
}

void flood_watch_packet(struct flood_watch *w, const struct flood_sight *s)
{
	uint64_t key = cell_key(w, s->key, s->kind, s->proto);
	struct flood_cell *c = take_cell(w, key, window_of(s->at_ns));
	if (!c)
		return;
	if (c->event == 0 && cell_minute(c) == 0)
		c->first_ns = s->at_ns;
	c->ring[c->window % WINDOWS]++;
	if (c->event == 0) {
		uint32_t packets = cell_minute(c);
		if (packets >= EVENT_LEAST)
			start_event(w, c, s, packets);
		if (c->event == 0)
			return;
	}
	struct flood_event *e = &w->events[c->event - 1];
	count_in_event(w, e, s);
	note_peak(e, c);
	/* A verdict looks at sketches: not at every packet. */
	if (!e->is_flood && e->flood.packets % JUDGE_EVERY == 0)
		e->is_flood = is_flood(w, e);
}

void flood_watch_completed(struct flood_watch *w, uint64_t key, int64_t at_ns)
{
	static const struct {
		enum flood_kind kind;
		uint8_t proto;
	} cells[] = { { FLOOD_DIRECT, PACKET_TCP },
		{ FLOOD_DIRECT, PACKET_UDP },
		{ FLOOD_BACKSCATTER, PACKET_TCP } };
	for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++) {
		uint64_t of = cell_key(w, key, cells[i].kind, cells[i].proto);
		struct flood_cell *c = cell_at(w, of);
		if (c->key != of)
			continue;
		advance_cell(c, window_of(at_ns));
		c->completed++;
		if (c->event != 0)
			w->events[c->event - 1].flood.completed++;
	}
}

static double scale_of(const struct flood_watch *w, const struct flood *f)
{
	if (f->kind != FLOOD_BACKSCATTER)
		return 1;
	return f->victim.family == 4 && w->config.watched > 0
	    ? ADDRESSES_V4 / w->config.watched
	    : 0;
}

static struct flood describe(
    const struct flood_watch *w, const struct flood_event *e)
{
	struct flood f = e->flood;
	f.sources = event_sources(w, e, &f.sources_quality);
	if (f.sources > f.packets) /* an estimate may be; the truth is not */
		f.sources = (uint32_t)f.packets;
	f.ports = linear_count(count_bits(e->ports));
	if (e->votes <= f.packets / 4 ||
	    (f.proto != PACKET_TCP && f.proto != PACKET_UDP))
		f.port = -1;
	f.forged = judge_sources(w, e);
	f.scale = scale_of(w, &f);
	return f;
}

bool flood_watch_find(const struct flood_watch *w, enum flood_kind kind,
    uint64_t key, int64_t at_ns, struct flood *flood)
{
	for (uint32_t i = 0; i < w->config.events; i++) {
		const struct flood_event *e = &w->events[i];
		const struct flood *f = &e->flood;
		if (!e->is_flood || f->key != key || f->kind != kind ||
		    at_ns < f->first_ns - WINDOW_NS ||
		    at_ns > f->last_ns + WINDOW_NS)
			continue;
		if (flood)
			*flood = describe(w, e);
		return true;
	}
	return false;
}

void flood_watch_give(
    struct flood_watch *w, int64_t now_ns, flood_fn *give, void *arg)
{
	for (uint32_t i = 0; i < w->config.events; i++) {
		struct flood_event *e = &w->events[i];
		if (!e->is_used)
			continue;
		if (!e->is_flood)
			e->is_flood = is_flood(w, e);
		e->flood.has_ended = now_ns - e->flood.last_ns >= IDLE_NS;
		if (e->is_flood && e->flood.fresh_packets > 0) {
			struct flood f = describe(w, e);
			give(arg, &f);
			e->flood.fresh_packets = 0;
		}
		if (e->flood.has_ended)
			free_event(w, e);
	}
}

struct flood_watch_stats flood_watch_stats(const struct flood_watch *w)
{
	return (struct flood_watch_stats){ w->displaced, w->used };
}
