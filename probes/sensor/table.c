/* SPDX-License-Identifier: ISC */
/*
 * Arrays of the largest size, of which memory is taken only as it is touched,
 * joined by numbers instead of pointers: a hash with open addresses, a list by
 * last sight, a list of rows per source, and free lists.  Hash and list are
 * arrays of their own beside the sources', so that looking for one source
 * does not drag others into the cache.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/base/hash.h"
#include "lib/base/xalloc.h"
#include "lib/packet/octets.h"
#include "probes/sensor/table-private.h"

#define NONE UINT32_MAX
#define NEAR_ID 1024
#define HUGE_LEAST_BYTES (4u << 20)
#define HUGE_SOURCES 4096
#define LINE 64

/* Zeroed and untouched. */
static void *map_zeroed(size_t len)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		BUG("no room for a table of %zu bytes", len);
	return p;
}

static size_t in_lines(size_t len)
{
	return (len + LINE - 1) & ~(size_t)(LINE - 1);
}

static void lay_out(struct table *t, uint32_t sources, uint32_t slots)
{
	size_t rows_at = in_lines(sources * sizeof(*t->sources));
	size_t slots_at = rows_at + in_lines(t->row_max * sizeof(*t->rows));
	size_t links_at = slots_at + in_lines(slots * sizeof(*t->slots));
	t->memory_len = links_at + sources * sizeof(*t->links);
	t->memory = map_zeroed(t->memory_len);
	uint8_t *at = t->memory;
	t->sources = (struct source *)at;
	t->rows = (struct table_row *)(at + rows_at);
	t->slots = (struct table_slot *)(at + slots_at);
	t->links = (struct link *)(at + links_at);
}

struct table *table_new(const struct table_config *config)
{
	struct table *t = xcalloc(1, sizeof(*t));
	uint32_t max = config->max_sources;
	uint32_t slots = 64;
	while (slots < max * 2)
		slots *= 2;
	t->config = *config;
	t->row_max = max < 32 ? 64 : max * 2;
	t->slot_mask = slots - 1;
	lay_out(t, max, slots);
	t->targets = distinct_pool_new(config->max_counters);
	t->detection = detection_new();
	if (config->first_sights > 0)
		t->first_sight = first_sight_new(config->first_sights);
	t->newest = t->oldest = NONE;
	t->source_free = t->row_free = NONE;
	return t;
}

void table_free(struct table *t)
{
	if (!t)
		return;
	distinct_pool_free(t->targets);
	detection_free(t->detection);
	first_sight_free(t->first_sight);
	munmap(t->memory, t->memory_len);
	free(t);
}

struct table_stats table_stats(const struct table *t)
{
	return (struct table_stats){
		.sources = t->source_count,
		.sources_ever = t->sources_ever,
		.evicted = t->evicted,
		.first_sights_deferred = t->first_sights_deferred,
	};
}

static void fetch_lines(const void *p)
{
	__builtin_prefetch(p);
	__builtin_prefetch((const uint8_t *)p + LINE);
}

static void list_remove(struct table *t, uint32_t n)
{
	struct link l = t->links[n];
	if (l.prev == NONE)
		t->newest = l.next;
	else
		t->links[l.prev].next = l.next;
	if (l.next == NONE)
		t->oldest = l.prev;
	else
		t->links[l.next].prev = l.prev;
}

static void list_push(struct table *t, uint32_t n)
{
	t->links[n].prev = NONE;
	t->links[n].next = t->newest;
	if (t->newest == NONE)
		t->oldest = n;
	else
		t->links[t->newest].prev = n;
	t->newest = n;
}

static void free_rows(struct table *t, struct source *s)
{
	uint32_t n = s->rows;
	while (n != NONE) {
		uint32_t next = t->rows[n].next;
		distinct_clear(t->targets, &t->rows[n].targets);
		t->rows[n].next = t->row_free;
		t->row_free = n;
		n = next;
	}
	s->rows = NONE;
}

/* Whether the entry of a slot could as well be where `hole` is: its own place
 * is not between the two. */
static bool may_move(const struct table *t, uint32_t from, uint32_t hole)
{
	uint32_t way = (from - t->slots[from].hash) & t->slot_mask;
	return way >= ((from - hole) & t->slot_mask);
}

/* Takes a source out of the hash and closes the gap. */
static void unhash(struct table *t, uint32_t n)
{
	uint32_t hole = t->sources[n].hash & t->slot_mask;
	while (t->slots[hole].source != n + 1)
		hole = (hole + 1) & t->slot_mask;
	uint32_t at = (hole + 1) & t->slot_mask;
	for (; t->slots[at].source != 0; at = (at + 1) & t->slot_mask) {
		if (!may_move(t, at, hole))
			continue;
		t->slots[hole] = t->slots[at];
		hole = at;
	}
	t->slots[hole].source = 0;
}

static void forget_source(struct table *t, uint32_t n)
{
	unhash(t, n);
	list_remove(t, n);
	free_rows(t, &t->sources[n]);
	t->links[n].next = t->source_free;
	t->source_free = n;
	t->source_count--;
}

/* In a flood from forged sources this happens for every packet, so what the
 * next two will need is fetched while there is something else to do. */
static void evict_oldest(struct table *t)
{
	uint32_t n = t->oldest, next = t->links[n].prev;
	if (next != NONE) {
		uint32_t after = t->links[next].prev;
		const struct source *s = &t->sources[next];
		if (after != NONE)
			fetch_lines(&t->sources[after]);
		__builtin_prefetch(&t->slots[s->hash & t->slot_mask]);
		fetch_lines(&t->rows[s->rows]);
	}
	t->evicted++;
	table_give_findings(t, &t->sources[n], true);
	forget_source(t, n);
}

/* What is large and used at random is cheaper in large pages.  Not from the
 * start: a quiet network's few sources would touch megabytes. */
static uint32_t new_source(struct table *t)
{
	if (t->source_made == HUGE_SOURCES && t->memory_len >= HUGE_LEAST_BYTES)
		madvise(t->memory, t->memory_len, MADV_HUGEPAGE);
	return t->source_made++;
}

static uint32_t take_source(struct table *t)
{
	if (t->source_free == NONE && t->source_made == t->config.max_sources)
		evict_oldest(t);
	uint32_t n = t->source_free;
	if (n != NONE)
		t->source_free = t->links[n].next;
	else
		n = new_source(t);
	t->source_count++;
	return n;
}

static uint32_t find_source(
    const struct table *t, const struct addr *addr, uint32_t hash)
{
	uint32_t at = hash & t->slot_mask;
	for (; t->slots[at].source != 0; at = (at + 1) & t->slot_mask) {
		uint32_t n = t->slots[at].source - 1;
		if (t->slots[at].hash == hash &&
		    addr_equal(&t->sources[n].addr, addr))
			return n;
	}
	return NONE;
}

static uint32_t add_source(
    struct table *t, const struct packet *p, uint32_t hash, int64_t at_ns)
{
	uint32_t n = take_source(t);
	uint32_t at = hash & t->slot_mask;
	while (t->slots[at].source != 0)
		at = (at + 1) & t->slot_mask;
	t->slots[at] = (struct table_slot){ hash, n + 1 };
	struct source *s = &t->sources[n];
	octets_clear(s, sizeof(*s));
	s->addr = p->src;
	s->hash = hash;
	s->rows = NONE;
	s->ttl_min = s->ttl_max = p->ttl;
	s->last_ip_id = p->ip_id;
	s->first_ns = s->last_ns = at_ns;
	list_push(t, n);
	t->sources_ever++;
	return n;
}

/* Never evicts the source it is for: that one is the newest, and one source
 * alone cannot use all rows. */
static uint32_t take_row(struct table *t)
{
	while (t->row_free == NONE && t->row_made == t->row_max)
		evict_oldest(t);
	uint32_t n = t->row_free;
	if (n != NONE) {
		t->row_free = t->rows[n].next;
		return n;
	}
	return t->row_made++;
}

/* What distinguishes rows of a source, in one number: class, worm, folded,
 * protocol, port. */
static uint32_t key_of(const struct packet *p, const struct reading *r)
{
	uint32_t port = 0;
	if (p->fragment)
		port = 0;
	else if (p->proto == PACKET_ICMP || p->proto == PACKET_ICMP6)
		port = (uint32_t)p->icmp_type << 8 | p->icmp_code;
	else if (r->class == CLASS_BACKSCATTER)
		port = p->sport;
	else if (r->class != CLASS_OTHER)
		port = p->dport;
	return (uint32_t)r->class << 28 | (uint32_t)r->match.worm << 25 |
	    (uint32_t)p->proto << 16 | port;
}

static uint32_t folded(uint32_t key, const struct reading *r)
{
	uint32_t kept = r->class == CLASS_OTHER ? 0xfe000000 : 0xffff0000;
	return (key & kept) | ROW_KEY_FOLDED;
}

static uint64_t key_bit(uint32_t key)
{
	return UINT64_C(1) << (key * HASH_GOLDEN_32 >> 26);
}

/* Moves the row to the front of its source: it will be asked for again. */
static uint32_t find_row(struct table *t, struct source *s, uint32_t key)
{
	if (!(s->key_bits & key_bit(key)))
		return NONE;
	uint32_t before = NONE;
	for (uint32_t n = s->rows; n != NONE; n = t->rows[n].next) {
		if (t->rows[n].key != key) {
			before = n;
			continue;
		}
		if (before != NONE) {
			t->rows[before].next = t->rows[n].next;
			t->rows[n].next = s->rows;
			s->rows = n;
		}
		return n;
	}
	return NONE;
}

static uint32_t add_row(struct table *t, struct source *s, uint32_t key)
{
	uint32_t n = take_row(t);
	struct table_row *row = &t->rows[n];
	octets_clear(row, sizeof(*row));
	row->next = s->rows;
	row->key = key;
	row->class = key >> 28 & 7;
	row->worm = key >> 25 & 7;
	row->proto = key >> 16 & 0xff;
	row->port = key & 0xffff;
	row->flags = key & ROW_KEY_FOLDED ? ROW_FOLDED : 0;
	s->rows = n;
	s->row_count++;
	s->key_bits |= key_bit(key);
	return n;
}

static struct table_row *row_for(struct table *t, struct source *s,
    const struct packet *p, const struct reading *r)
{
	uint32_t key = key_of(p, r);
	uint32_t n = find_row(t, s, key);
	if (n == NONE && s->row_count >= ROWS_WITH_PORT_MAX) {
		key = folded(key, r);
		n = find_row(t, s, key);
	}
	return &t->rows[n != NONE ? n : add_row(t, s, key)];
}

static void count_id(struct source *s, const struct packet *p)
{
	if (s->packets > 0)
		s->near_ids += (uint16_t)(p->ip_id - s->last_ip_id) < NEAR_ID;
	s->last_ip_id = p->ip_id;
	s->packets += s->packets < UINT32_MAX;
}

static void count_source(struct source *s, const struct packet *p,
    const struct reading *r, int64_t at_ns)
{
	count_id(s, p);
	if (p->ttl < s->ttl_min)
		s->ttl_min = p->ttl;
	if (p->ttl > s->ttl_max)
		s->ttl_max = p->ttl;
	if (at_ns < s->first_ns)
		s->first_ns = at_ns;
	if (at_ns > s->last_ns)
		s->last_ns = at_ns;
	if (p->proto == PACKET_TCP && r->class == CLASS_PROBE && !r->suspicious)
		s->syns++;
	s->masscan += r->match.masscan;
	s->zmap += r->match.zmap;
}

static void count_probe(struct source *s, const struct table_row *row,
    const struct packet *p, uint32_t target)
{
	uint32_t port = ((uint32_t)row->proto << 16 ^ p->dport ^
			    (uint32_t)p->icmp_type << 8) *
	    HASH_GOLDEN_32;
	if (s->probes++ == 0)
		s->first_target = target;
	else if (s->first_target != target)
		s->several_targets = true;
	s->port_bits |= UINT64_C(1) << (port >> 26);
}

static void note_payload(
    struct table *t, struct table_row *row, const struct packet *p)
{
	if (row->flags & ROW_HAS_HASH || p->payload_len == 0 ||
	    row->class == CLASS_BACKSCATTER || row->class == CLASS_OTHER)
		return;
	payloads_note(t->config.payloads, p->payload, p->payload_len,
	    p->payload_wire_len, row->hash);
	row->flags |= ROW_HAS_HASH;
}

static void note_victim(struct source *s, const struct packet *p)
{
	struct packet quoted;
	if (s->victim.family == 0 && packet_is_icmp_error(p) &&
	    packet_decode_quote(&quoted, p) == 0)
		s->victim = quoted.dst;
}

static void start_row(
    struct table_row *row, const struct packet *p, int64_t at_ns)
{
	row->first_ns = row->last_ns = at_ns;
	row->ttl_min = row->ttl_max = p->ttl;
	row->dport = p->dport;
}

static void count_row(struct table_row *row, const struct packet *p,
    const struct reading *r, int64_t at_ns)
{
	if (row->packets++ == 0)
		start_row(row, p, at_ns);
	row->size_bytes += p->ip_len;
	row->seen += row->seen < UINT32_MAX;
	row->masscan += r->match.masscan;
	row->zmap += r->match.zmap;
	if (at_ns < row->first_ns)
		row->first_ns = at_ns;
	if (at_ns > row->last_ns)
		row->last_ns = at_ns;
	if (p->ttl < row->ttl_min)
		row->ttl_min = p->ttl;
	if (p->ttl > row->ttl_max)
		row->ttl_max = p->ttl;
	row->flags |= (r->suspicious ? 0 : ROW_NOT_SUSPICIOUS) |
	    (r->service ? 0 : ROW_NOT_SERVICE) |
	    (p->dport != row->dport ? ROW_DPORT_VARIES : 0);
}

void table_prepare(const struct table *t, struct table_entry *e)
{
	e->source = (uint32_t)addr_hash(&e->packet.src, t->config.key);
	e->target = (uint32_t)addr_hash(&e->packet.dst, t->config.key);
}

/* The source that probably is the one: its address is not looked at. */
static uint32_t guess(const struct table *t, uint32_t hash)
{
	uint32_t at = hash & t->slot_mask;
	for (; t->slots[at].source != 0; at = (at + 1) & t->slot_mask)
		if (t->slots[at].hash == hash)
			return t->slots[at].source - 1;
	return NONE;
}

void table_fetch(const struct table *t, struct table_entry *e, int step)
{
	if (step == 0)
		__builtin_prefetch(&t->slots[e->source & t->slot_mask]);
	if (step == 1) {
		e->guess = guess(t, e->source);
		if (e->guess == NONE)
			return;
		fetch_lines(&t->sources[e->guess]);
		__builtin_prefetch(&t->links[e->guess]);
	}
	if (step < 2 || e->guess == NONE)
		return;
	const struct table_row *row = &t->rows[t->sources[e->guess].rows];
	if (step == 2)
		fetch_lines(row);
	else
		distinct_fetch(t->targets, &row->targets, e->target);
}

/* A source's first packet with a signature is reported at once. */
static void look_for_first(
    struct table *t, struct source *s, struct table_row *row, int64_t at_ns)
{
	enum signature signature = table_proven_signature(s, row);
	uint32_t bit = UINT32_C(1) << signature;
	if (signature == SIGNATURE_NONE || s->first_sights & bit)
		return;
	s->first_sights |= bit;
	uint64_t key =
	    addr_hash(&s->addr, t->config.key) ^ signature * HASH_GOLDEN;
	switch (first_sight_ask(t->first_sight, key, at_ns)) {
	case FIRST_SIGHT_REPORT: table_give_first(t, s, row); break;
	case FIRST_SIGHT_DEFER: t->first_sights_deferred++; break;
	case FIRST_SIGHT_KNOWN: break;
	}
}

static void count_as_probe(struct table *t, struct source *s,
    struct table_row *row, const struct table_entry *e, bool is_new)
{
	count_probe(s, row, &e->packet, e->target);
	if (is_new)
		detection_source(t->detection,
		    &(struct sight){
			e->target, row->proto, row->port, e->at.ns });
}

void table_add(struct table *t, const struct table_entry *e)
{
	const struct packet *p = &e->packet;
	const struct reading *r = &e->reading;
	uint32_t n = find_source(t, &p->src, e->source);
	bool is_new = n == NONE;
	if (is_new) {
		n = add_source(t, p, e->source, e->at.ns);
	} else if (n != t->newest) {
		list_remove(t, n);
		list_push(t, n);
	}
	struct source *s = &t->sources[n];
	struct table_row *row = row_for(t, s, p, r);
	count_source(s, p, r, e->at.ns);
	count_row(row, p, r, e->at.ns);
	distinct_add(t->targets, &row->targets, e->target);
	note_payload(t, row, p);
	if (r->class == CLASS_BACKSCATTER)
		note_victim(s, p);
	if (r->class == CLASS_PROBE)
		count_as_probe(t, s, row, e, is_new);
	bool has_signature = r->match.worm != SIGNATURE_NONE ||
	    r->match.masscan || r->match.zmap;
	if (has_signature && t->first_sight)
		look_for_first(t, s, row, e->at.ns);
}

void table_answered(struct table *t, const struct addr *src)
{
	uint32_t hash = (uint32_t)addr_hash(src, t->config.key);
	uint32_t n = find_source(t, src, hash);
	if (n != NONE)
		t->sources[n].answered = true;
}

static void flush_source(struct table *t, struct source *s)
{
	table_give_findings(t, s, false);
	for (uint32_t i = s->rows; i != ROW_NONE; i = t->rows[i].next) {
		struct table_row *row = &t->rows[i];
		distinct_clear(t->targets, &row->targets);
		row->packets = row->size_bytes = 0;
		row->reported = 0;
		row->flags &= (uint8_t) ~(ROW_HAS_HASH | ROW_DPORT_VARIES);
	}
}

/* In the order of the array, which packets do not change; a free place has
 * no rows. */
bool table_flush_some(struct table *t, uint32_t sources)
{
	uint32_t left = t->source_made - t->flush_at;
	uint32_t end = t->flush_at + (left < sources ? left : sources);
	for (; t->flush_at < end; t->flush_at++)
		flush_source(t, &t->sources[t->flush_at]);
	if (t->flush_at < t->source_made)
		return true;
	t->flush_at = 0;
	return false;
}

void table_flush(struct table *t)
{
	t->flush_at = 0;
	table_flush_some(t, UINT32_MAX);
}

void table_expire(struct table *t, struct walltime before)
{
	while (t->oldest != NONE && t->sources[t->oldest].last_ns < before.ns)
		forget_source(t, t->oldest);
}
