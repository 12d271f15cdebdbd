/* SPDX-License-Identifier: ISC */
/*
 * Arrays of the largest size, of which memory is taken only as it is touched,
 * joined by numbers instead of pointers: a hash with open addresses that grows
 * with the sources, a list of rows per source, and free lists.
 *
 * Who is evicted is found by a hand that goes round: a source that was seen
 * again since it last passed stays once more.  So a flood of sources that send
 * one packet each displaces itself and not who was here before, and no list
 * has to be kept in order for each packet.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/base/hash.h"
#include "lib/base/xalloc.h"
#include "lib/packet/octets.h"
#include "lib/sketch/registers.h"
#include "probes/sensor/table-private.h"

#define HUGE_LEAST_BYTES (4u << 20)
#define HUGE_AT_ONCE_BYTES ((size_t)32 << 20) /* of all tables */
#define FIRST_SLOTS 256
#define EVER_BITS 12
#define EVER_REGISTERS (1u << EVER_BITS)
#define CONTACT_AGE_S 3600
#define SLOT_BYTES_PER_SOURCE 8

/* Of a hundred parts of the memory; the rest is for sources and rows. */
enum { CONTACTS_SHARE = 18, TARGETS_SHARE = 3, MORE_SHARE = 3 };

/* Zeroed and untouched. */
static void *map_zeroed(size_t len)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		BUG("no room for a table of %zu bytes", len);
	return p;
}

/* What is large and used at random is cheaper in large pages. */
static void use_large_pages(void *memory, size_t len)
{
	if (len >= HUGE_LEAST_BYTES)
		madvise(memory, len, MADV_HUGEPAGE);
}

/* Small tables only once they are full of sources: those of a quiet network
 * would touch megabytes. */
static void use_large_tables(struct table *t)
{
	use_large_pages(t->sources, t->source_max * sizeof(*t->sources));
	use_large_pages(t->rows, t->row_max * sizeof(*t->rows));
}

static uint32_t clamp(size_t n, uint32_t least, uint32_t most)
{
	return n < least ? least : n > most ? most : (uint32_t)n;
}

static uint32_t slots_for(uint32_t sources)
{
	uint32_t slots = FIRST_SLOTS;
	while (slots < sources + sources / 2)
		slots *= 2;
	return slots;
}

/* Sources and rows take what the other tables leave: six rows for five
 * sources, unless fewer sources are asked for. */
static void plan(struct table *t)
{
	size_t memory = t->config.memory < TABLE_MEMORY_LEAST
	    ? TABLE_MEMORY_LEAST
	    : t->config.memory;
	size_t left =
	    memory / 100 * (100 - CONTACTS_SHARE - TARGETS_SHARE - MORE_SHARE);
	size_t each = sizeof(struct source) + SLOT_BYTES_PER_SOURCE;
	size_t fit = left / (each + sizeof(struct table_row) * 6 / 5);
	uint32_t most =
	    t->config.max_sources ? t->config.max_sources : TABLE_SOURCES_MAX;
	t->config.memory = memory;
	t->source_max = clamp(fit, 1, most);
	t->row_max =
	    clamp((left - t->source_max * each) / sizeof(struct table_row),
		2 * ROWS_PER_SOURCE_MAX,
		t->source_max * ROWS_PER_SOURCE_MAX + 2 * ROWS_PER_SOURCE_MAX);
	size_t more = memory / 100 * MORE_SHARE;
	t->port_map_max =
	    clamp(more / 2 / sizeof(*t->port_maps), 2, t->source_max + 1);
	t->more_max = clamp(more / 3 / sizeof(*t->more), 16, UINT32_MAX);
	t->hash_max = clamp(more / 6 / sizeof(*t->hashes), 16, UINT32_MAX);
}

struct table *table_new(const struct table_config *config)
{
	struct table *t = xcalloc(1, sizeof(*t));
	t->config = *config;
	if (t->config.budget <= 0)
		t->config.budget = 0.1;
	plan(t);
	size_t memory = t->config.memory;
	t->slot_mask = FIRST_SLOTS - 1;
	t->sources = map_zeroed(t->source_max * sizeof(*t->sources));
	t->rows = map_zeroed(t->row_max * sizeof(*t->rows));
	t->slots = map_zeroed(slots_for(t->source_max) * sizeof(*t->slots));
	t->more = map_zeroed(t->more_max * sizeof(*t->more));
	t->port_maps = map_zeroed(t->port_map_max * sizeof(*t->port_maps));
	t->hashes = map_zeroed(t->hash_max * sizeof(*t->hashes));
	bool at_once = memory >= HUGE_AT_ONCE_BYTES;
	if (at_once)
		use_large_tables(t);
	t->contacts = contact_table_new(&(struct contact_config){
	    .max_bytes = memory / 100 * CONTACTS_SHARE,
	    .large_pages = at_once,
	    .evicted = table_contact_evicted,
	    .arg = t,
	});
	t->targets = target_arena_new(memory / 100 * TARGETS_SHARE);
	t->floods = flood_folds_new(config->key);
	t->ever = xcalloc(EVER_REGISTERS, 1);
	if (config->first_sights > 0)
		t->first_sight = first_sight_new(config->first_sights);
	t->source_free = t->row_free = t->more_free = t->port_map_free =
	    t->hash_free = ROW_NONE;
	return t;
}

void table_free(struct table *t)
{
	if (!t)
		return;
	contact_table_free(t->contacts);
	target_arena_free(t->targets);
	flood_folds_free(t->floods);
	first_sight_free(t->first_sight);
	munmap(t->sources, t->source_max * sizeof(*t->sources));
	munmap(t->rows, t->row_max * sizeof(*t->rows));
	munmap(t->slots, slots_for(t->source_max) * sizeof(*t->slots));
	munmap(t->more, t->more_max * sizeof(*t->more));
	munmap(t->port_maps, t->port_map_max * sizeof(*t->port_maps));
	munmap(t->hashes, t->hash_max * sizeof(*t->hashes));
	free(t->ever);
	free(t);
}

/* HyperLogLog (lib/sketch/registers.h) of 4096 registers, over all that the
 * table ever held. */
static void count_ever(struct table *t, uint32_t source)
{
	registers_put(t->ever, EVER_BITS, (uint32_t)hash_finish(source));
}

static uint64_t estimate_ever(const struct table *t)
{
	double e = registers_estimate(t->ever, EVER_REGISTERS);
	/* 32-bit hashes meet each other. */
	const double all = 4294967296.0;
	if (e > all / 30 && e < all)
		e = -all * log(1 - e / all);
	return (uint64_t)(e + 0.5);
}

struct table_stats table_stats(const struct table *t)
{
	struct contact_stats contacts = contact_table_stats(t->contacts);
	return (struct table_stats){
		.sources = t->source_count,
		.sources_ever = t->evicted ? estimate_ever(t) : t->sources_ever,
		.evicted = t->evicted,
		.contacts = contacts.count,
		.contacts_forgotten = contacts.evicted,
		.first_sights_deferred = t->first_sights_deferred,
	};
}

/* ---- sources ---- */

static uint32_t slot_hash(uint32_t hash)
{
	return hash >> 21;
}

/* Whether the entry of a slot could as well be where `hole` is: its own place
 * is not between the two. */
static bool may_move(const struct table *t, uint32_t from, uint32_t hole)
{
	uint32_t source = t->slots[from].source - 1;
	uint32_t hash = table_hash_unit(t, &t->sources[source].addr);
	uint32_t way = (from - hash) & t->slot_mask;
	return way >= ((from - hole) & t->slot_mask);
}

/* Takes a source out of the hash and closes the gap. */
static void unhash(struct table *t, uint32_t n)
{
	uint32_t hash = table_hash_unit(t, &t->sources[n].addr);
	uint32_t hole = hash & t->slot_mask;
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

static void put_slot(struct table *t, uint32_t n, uint32_t hash)
{
	uint32_t at = hash & t->slot_mask;
	while (t->slots[at].source != 0)
		at = (at + 1) & t->slot_mask;
	t->slots[at].source = (n + 1) & 0x1fffff;
	t->slots[at].hash = slot_hash(hash) & 0x7ff;
}

static void grow_slots(struct table *t)
{
	memset(t->slots, 0, (t->slot_mask + 1) * sizeof(*t->slots));
	t->slot_mask = t->slot_mask * 2 + 1;
	for (uint32_t n = 0; n < t->source_made; n++)
		if (t->sources[n].flags & SOURCE_USED)
			put_slot(t, n, table_hash_unit(t, &t->sources[n].addr));
}

static uint32_t find_source(
    const struct table *t, const struct addr *addr, uint32_t hash)
{
	uint32_t at = hash & t->slot_mask;
	for (; t->slots[at].source != 0; at = (at + 1) & t->slot_mask) {
		uint32_t n = t->slots[at].source - 1;
		if (t->slots[at].hash == slot_hash(hash) &&
		    table_same_unit(&t->sources[n].addr, addr))
			return n;
	}
	return SOURCE_NONE;
}

static void forget_source(struct table *t, uint32_t n)
{
	struct source *s = &t->sources[n];
	unhash(t, n);
	rows_free(t, s);
	rows_free_more(t, s);
	s->flags = 0;
	s->last_s = t->source_free;
	t->source_free = n;
	t->source_count--;
}

/* keep: a source that stays in any case. */
static void evict_one(struct table *t, uint32_t keep)
{
	for (;; t->hand++) {
		if (t->hand >= t->source_made)
			t->hand = 0;
		struct source *s = &t->sources[t->hand];
		if (!(s->flags & SOURCE_USED) || t->hand == keep)
			continue;
		if (!(s->flags & SOURCE_SEEN_AGAIN))
			break;
		s->flags &= (uint8_t)~SOURCE_SEEN_AGAIN;
	}
	t->evicted++;
	table_give_findings(t, &t->sources[t->hand], true);
	forget_source(t, t->hand);
}

static uint32_t take_source(struct table *t)
{
	if (t->source_free == SOURCE_NONE && t->source_made == t->source_max)
		evict_one(t, SOURCE_NONE);
	uint32_t n = t->source_free;
	if (n != SOURCE_NONE) {
		t->source_free = t->sources[n].last_s;
	} else {
		n = t->source_made++;
		if (n == HUGE_LEAST_BYTES / sizeof(*t->sources))
			use_large_tables(t);
	}
	t->source_count++;
	return n;
}

static void count_began(struct table *t, int64_t at_ns)
{
	int64_t hour = at_ns / (3600 * NS_PER_S);
	if (hour > t->hour) {
		int64_t first =
		    hour - t->hour < HOURS ? t->hour + 1 : hour - HOURS + 1;
		for (int64_t h = first; h <= hour; h++) {
			t->began_today -= t->began[h % HOURS];
			t->began[h % HOURS] = 0;
		}
		t->hour = hour;
	}
	t->began[t->hour % HOURS]++;
	t->began_today++;
	t->sources_ever++;
}

static uint32_t add_source(struct table *t, const struct table_entry *e)
{
	const struct packet *p = &e->packet;
	uint32_t n = take_source(t);
	if (t->source_count > (t->slot_mask + 1) / 3 * 2)
		grow_slots(t);
	put_slot(t, n, e->source);
	struct source *s = &t->sources[n];
	octets_clear(s, sizeof(*s));
	s->addr = p->src;
	s->flags = SOURCE_USED;
	s->scope = e->reading.message.source_scope;
	s->rows = ROW_NONE;
	s->more = MORE_NONE;
	s->ttl_min = s->ttl_max = p->ttl;
	s->last_s = t->now_s;
	count_began(t, e->at.ns);
	count_ever(t, e->source);
	return n;
}

/* ---- counting ---- */

static void count_source(
    struct table *t, struct source *s, const struct table_entry *e)
{
	const struct packet *p = &e->packet;
	if (p->ttl < s->ttl_min)
		s->ttl_min = p->ttl;
	if (p->ttl > s->ttl_max)
		s->ttl_max = p->ttl;
	if (e->reading.message.source_scope > s->scope)
		s->scope = e->reading.message.source_scope;
	if (p->link_cast == PACKET_CAST_OUTGOING)
		s->flags |= SOURCE_OWN;
	if (p->src.family != 6 ||
	    (!(s->flags & SOURCE_ADDRESSES) && addr_equal(&p->src, &s->addr)))
		return;
	s->flags |= SOURCE_ADDRESSES;
	struct source_more *m = rows_more(t, s);
	if (!m)
		return;
	if (m->addresses.count == 0)
		target_set_add(
		    t->targets, &m->addresses, table_hash_address(t, &s->addr));
	target_set_add(
	    t->targets, &m->addresses, table_hash_address(t, &p->src));
}

static bool keeps_payload(enum packet_class class)
{
	return class == CLASS_WORM || class == CLASS_PROBE ||
	    class == CLASS_STRAY;
}

static void note_victim(
    struct table *t, struct source *s, const struct packet *p)
{
	struct packet quoted;
	if (!packet_is_icmp_error(p) || packet_decode_quote(&quoted, p) != 0)
		return;
	struct source_more *m = rows_more(t, s);
	if (!m || m->victim.family != 0)
		return;
	m->victim = quoted.dst;
	m->quote = (struct finding_quote){ true, quoted.proto, quoted.sport,
		quoted.dport };
}

/* What an attack asks in a victim's name is one question for all whom it asks,
 * but for the two octets that are a transaction's number in DNS.  A client that
 * walks, or asks one server again, is no such thing. */
#define QUESTION_MOST 64 /* octets */

static bool is_spread_question(
    struct source_more *m, const struct packet *p, uint32_t target)
{
	size_t len = p->payload_len < 2 ? 0 : p->payload_len - 2u;
	uint32_t question = (uint32_t)hash_fnv(HASH_FNV_START, p->payload + 2,
	    len < QUESTION_MOST ? len : QUESTION_MOST);
	if (m->question != question) {
		m->question = question;
		m->question_to = target;
		m->question_spread = false;
	}
	m->question_spread |= m->question_to != target;
	return m->question_spread;
}

static void note_amplifying(struct table *t, struct source *s,
    const struct table_entry *e, const struct target_set *targets)
{
	struct source_more *m = rows_more(t, s);
	if (!m || table_is_copy(&m->amplifying, e) ||
	    !is_spread_question(m, &e->packet, e->target))
		return;
	enum distinct_quality quality;
	m->amplifying_packets++;
	m->amplifying_contacts =
	    target_set_union(t->targets, &targets, 1, &quality);
}

/* What the packet looks like; one that does not look like the row's others
 * spoils the row, unless one is proof alone.  A datagram has to be hashed for
 * that. */
static void count_tool(struct table_row *row, const struct table_entry *e)
{
	enum fingerprint tool = e->reading.fingerprint;
	if (tool == FINGERPRINT_NMAP_OS && row->tool != FINGERPRINT_NMAP_OS) {
		row->tool = FINGERPRINT_NMAP_OS;
		row->tool_seen = 0;
		row->flags &= ~(unsigned)ROW_TOOL_VARIES;
	}
	if (row->flags & ROW_TOOL_VARIES ||
	    (row->tool == FINGERPRINT_NMAP_OS && tool != FINGERPRINT_NMAP_OS))
		return;
	if (e->packet.proto == PACKET_UDP)
		tool = tools_match(&e->packet, &e->reading.message);
	if (row->packets == 1 && row->tool_seen == 0)
		row->tool = (uint64_t)tool & 0xff;
	if (row->tool != (uint64_t)tool)
		row->flags |= ROW_TOOL_VARIES;
	else
		row->tool_seen += row->tool_seen < UINT8_MAX;
}

static void count_row(struct table_row *row, const struct table_entry *e)
{
	const struct packet *p = &e->packet;
	int64_t at_ns = e->at.ns;
	if (row->packets++ == 0) {
		row->first_ns = row->last_ns = at_ns;
		row->ttl_min = row->ttl_max = p->ttl;
		row->dport = e->reading.message.dport;
	}
	row->size_bytes += p->ip_len;
	if (at_ns < row->first_ns)
		row->first_ns = at_ns;
	if (at_ns > row->last_ns)
		row->last_ns = at_ns;
	if (p->ttl < row->ttl_min)
		row->ttl_min = p->ttl;
	if (p->ttl > row->ttl_max)
		row->ttl_max = p->ttl;
	if (e->reading.message.dport != row->dport)
		row->flags |= ROW_DPORT_VARIES;
	if (e->reading.message.role == MESSAGE_QUESTION)
		row->flags |= ROW_ASKS;
}

/* ---- the way in ---- */

/* The source that probably is the one: its address is not looked at. */
static uint32_t guess(const struct table *t, uint32_t hash)
{
	uint32_t at = hash & t->slot_mask;
	for (; t->slots[at].source != 0; at = (at + 1) & t->slot_mask)
		if (t->slots[at].hash == slot_hash(hash))
			return t->slots[at].source - 1;
	return SOURCE_NONE;
}

static bool may_ask(enum message_role role)
{
	return role == MESSAGE_QUESTION || role == MESSAGE_EITHER ||
	    role == MESSAGE_STRAY;
}

static bool may_answer(enum message_role role)
{
	return role == MESSAGE_ANSWER || role == MESSAGE_EITHER ||
	    role == MESSAGE_STRAY;
}

/* GCC 12 takes a function that only prefetches for one without effect, and
 * leaves out its calls. */
#define ALWAYS_INLINE inline __attribute__((always_inline))

static ALWAYS_INLINE void fetch_slots(
    const struct table *t, const struct table_entry *e)
{
	enum message_role role = e->reading.message.role;
	__builtin_prefetch(&t->slots[e->source & t->slot_mask]);
	if (may_ask(role))
		contact_fetch(t->contacts, e->asked);
	if (may_answer(role))
		contact_fetch(t->contacts, e->answered);
}

/* And who asked what the packet answers. */
static ALWAYS_INLINE void fetch_sources(
    const struct table *t, struct table_entry *e)
{
	e->guess = guess(t, e->source);
	if (e->guess != SOURCE_NONE)
		__builtin_prefetch(&t->sources[e->guess]);
	e->found = may_answer(e->reading.message.role)
	    ? contact_find(t->contacts, e->answered)
	    : NULL;
	if (e->found && e->found->state <= CONTACT_FAILED)
		__builtin_prefetch(&t->sources[e->found->owner]);
}

/* The row of whoever asked what the packet is the first to answer. */
static ALWAYS_INLINE void fetch_asker(
    const struct table *t, const struct table_entry *e)
{
	uint32_t owner = e->found ? e->found->owner : SOURCE_NONE;
	if (owner >= t->source_made || e->found->state > CONTACT_FAILED)
		return;
	uint32_t n = t->sources[owner].rows;
	if (t->sources[owner].flags & SOURCE_USED && n != ROW_NONE)
		__builtin_prefetch(&t->rows[n]);
}

static ALWAYS_INLINE void fetch_row(
    const struct table *t, const struct table_entry *e)
{
	fetch_asker(t, e);
	if (e->guess == SOURCE_NONE)
		return;
	uint32_t n = t->sources[e->guess].rows;
	if (n != ROW_NONE)
		__builtin_prefetch(&t->rows[n]);
}

static ALWAYS_INLINE void fetch_targets(
    const struct table *t, const struct table_entry *e)
{
	flood_folds_fetch(t, e);
	if (e->guess == SOURCE_NONE)
		return;
	uint32_t n = t->sources[e->guess].rows;
	if (n != ROW_NONE && t->rows[n].targets.count > TARGETS_INLINE)
		target_set_fetch(t->targets, &t->rows[n].targets, e->target);
}

void table_fetch(const struct table *t, struct table_entry *e, int step)
{
	switch (step) {
	case 0: fetch_slots(t, e); return;
	case 1: fetch_sources(t, e); return;
	case 2: fetch_row(t, e); return;
	default: fetch_targets(t, e); return;
	}
}

void table_fetch_all(
    const struct table *t, struct table_entry *const steps[static TABLE_STEPS])
{
	fetch_slots(t, steps[0]);
	fetch_sources(t, steps[1]);
	fetch_row(t, steps[2]);
	fetch_targets(t, steps[3]);
}

/* A source's first packet with a signature is reported at once. */
static void look_for_first(
    struct table *t, struct source *s, struct table_row *row, int64_t at_ns)
{
	enum signature signature = table_proven_signature(t, s, row);
	if (signature == SIGNATURE_NONE)
		return;
	uint64_t key =
	    addr_hash(&s->addr, t->config.key) ^ signature * HASH_GOLDEN;
	switch (first_sight_ask(t->first_sight, key, at_ns)) {
	case FIRST_SIGHT_REPORT: table_give_first(t, s, row); break;
	case FIRST_SIGHT_DEFER: t->first_sights_deferred++; break;
	case FIRST_SIGHT_KNOWN: break;
	}
}

static void count_for_source(
    struct table *t, const struct table_entry *e, uint32_t n, bool is_new)
{
	const struct packet *p = &e->packet;
	const struct reading *r = &e->reading;
	struct source *s = &t->sources[n];
	if (!is_new)
		s->flags |= SOURCE_SEEN_AGAIN;
	count_source(t, s, e);
	enum packet_class class = attempts_count(t, e, s);
	if (r->class == CLASS_WORM)
		class = CLASS_WORM;
	while (t->row_free == ROW_NONE && t->row_made == t->row_max)
		evict_one(t, n);
	struct table_row *row = rows_find(t, s, e, class);
	count_row(row, e);
	if (class == CLASS_PROBE)
		count_tool(row, e);
	target_set_add(t->targets, &row->targets, e->target);
	if (row->payload == 0 && p->payload_len > 0 && keeps_payload(class))
		rows_note_payload(t, row, p);
	if (class == CLASS_BACKSCATTER)
		note_victim(t, s, p);
	if (r->message.amplifies && class == CLASS_PROBE)
		note_amplifying(t, s, e, &row->targets);
	flood_folds_note(t, e, class, row);
	if (t->first_sight &&
	    (r->match.worm != SIGNATURE_NONE || row->tool != FINGERPRINT_NONE))
		look_for_first(t, s, row, e->at.ns);
}

/* Now and then, and never for a packet each: stamps may jump. */
static void expire_contacts(struct table *t)
{
	t->since_expiry++;
	if (t->now_s - t->expired_s < CONTACT_AGE_S ||
	    t->since_expiry < contact_table_stats(t->contacts).count)
		return;
	contact_expire(t->contacts, (uint16_t)t->now_s, CONTACT_AGE_S);
	t->expired_s = t->now_s;
	t->since_expiry = 0;
}

/* The guess, unless the source was evicted or came since. */
static uint32_t source_of(const struct table *t, const struct table_entry *e)
{
	if (e->guess != SOURCE_NONE &&
	    t->sources[e->guess].flags & SOURCE_USED &&
	    table_same_unit(&t->sources[e->guess].addr, &e->packet.src))
		return e->guess;
	return find_source(t, &e->packet.src, e->source);
}

enum table_outcome table_add(struct table *t, const struct table_entry *e)
{
	uint32_t now_s = (uint32_t)(e->at.ns / NS_PER_S);
	t->now_s = now_s;
	expire_contacts(t);
	if (e->from_home) {
		attempts_count(t, e, NULL);
		return TABLE_HOME;
	}
	if (e->to_home && e->reading.class != CLASS_WORM &&
	    attempts_is_reply(t, e)) {
		return TABLE_REPLY;
	}
	uint32_t n = source_of(t, e);
	bool is_new = n == SOURCE_NONE;
	if (is_new)
		n = add_source(t, e);
	count_for_source(t, e, n, is_new);
	return TABLE_COUNTED;
}

/* ---- intervals ---- */

static void flush_source(struct table *t, struct source *s)
{
	if (!(s->flags & SOURCE_USED))
		return;
	table_give_findings(t, s, false);
	for (uint32_t i = s->rows; i != ROW_NONE; i = t->rows[i].next) {
		struct table_row *row = &t->rows[i];
		target_set_clear(t->targets, &row->targets);
		rows_free_payload(t, row);
		row->packets = row->size_bytes = 0;
		row->reported = 0;
		row->flags &= (uint8_t)~ROW_DPORT_VARIES;
	}
}

/* In the order of the array, which packets do not change. */
bool table_flush_some(struct table *t, uint32_t sources)
{
	uint32_t left = t->source_made - t->flush_at;
	uint32_t end = t->flush_at + (left < sources ? left : sources);
	for (; t->flush_at < end; t->flush_at++)
		flush_source(t, &t->sources[t->flush_at]);
	if (t->flush_at < t->source_made)
		return true;
	flood_folds_give(t);
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
	uint32_t before_s = (uint32_t)(before.ns / NS_PER_S);
	for (uint32_t n = 0; n < t->source_made; n++) {
		const struct source *s = &t->sources[n];
		if (s->flags & SOURCE_USED && s->last_s < before_s)
			forget_source(t, n);
	}
}
