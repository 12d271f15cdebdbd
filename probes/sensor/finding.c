/* SPDX-License-Identifier: ISC */
/*
 * From the rows of a source to what is reported of it.  The verdict of a row
 * needs the whole source (one port of a scan looks like a stray packet), and so
 * does a tool's fingerprint.  That weighs where all packets of a row bear it,
 * and rows with it have most of what the source sends: its bits for each
 * address of such a row, so that a packet that is sent again weighs once.  A
 * row with many ports has none that would be told apart, and is left out; six
 * bits are for the choice of the rows among at most 64, if there are others.
 */
#include <string.h>

#include "lib/packet/octets.h"
#include "probes/sensor/table-private.h"

#define CHOICE_OF_ROWS_STEPS 6
#define SOURCES_A_DAY_LEAST 100

/* A source with what its rows have in common. */
struct summary {
	const struct table *table;
	const struct source *source;
	struct evidence evidence; /* what is the same for all rows */
	enum fingerprint tool;    /* that most of its packets bear */
	unsigned tool_steps;
};

struct group {
	struct judgement judgement;
	enum signature signature;
	const struct table_row *row;
	/* Of the first of those that are given together: it may be a part of a
	 * flood of this kind and (hashed) victim. */
	bool folds;
	enum flood_kind kind;
	uint32_t victim;
};

static enum packet_class class_of(const struct table_row *row)
{
	return (enum packet_class)(row->key >> 29);
}

static enum signature worm_of(const struct table_row *row)
{
	return (enum signature)(row->key >> 24 & (ROW_SIGNATURES - 1));
}

static uint8_t proto_of(const struct table_row *row)
{
	return row->key >> 16 & 0xff;
}

static uint16_t port_of(const struct table_row *row)
{
	return row->key & 0xffff;
}

static bool is_probe(const struct table_row *row)
{
	return class_of(row) == CLASS_PROBE;
}

/* Ports beyond those that have rows. */
static uint32_t mapped_ports(const struct table *t, const struct source *s)
{
	const struct source_more *m =
	    s->more == MORE_NONE ? NULL : &t->more[s->more];
	uint32_t count = 0;
	if (!m || m->ports == 0)
		return m && m->ports_lost;
	const uint64_t *map = t->port_maps[m->ports - 1];
	for (size_t i = 0; i < PORT_WORDS; i++)
		count += (uint32_t)__builtin_popcountll(map[i]);
	return count;
}

static bool are_ports_lost(const struct table *t, const struct source *s)
{
	return s->more != MORE_NONE && t->more[s->more].ports_lost;
}

/* Innocent sources a day whose accusation is put up with, over all that began
 * in a day: the odds from which on one is accused. */
static double accuse_at(const struct table *t)
{
	uint64_t sources = t->began_today > SOURCES_A_DAY_LEAST
	    ? t->began_today
	    : SOURCES_A_DAY_LEAST;
	return (double)sources / t->config.budget;
}

static void sum_probes(struct summary *sum, const struct table_row *row)
{
	struct evidence *e = &sum->evidence;
	e->ports += !(row->flags & ROW_FOLDED);
	e->probes += row->packets;
}

static enum fingerprint tool_of(const struct table_row *row)
{
	return is_probe(row) && row->packets + row->reported > 0 &&
		!(row->flags & ROW_TOOL_VARIES)
	    ? (enum fingerprint)row->tool
	    : FINGERPRINT_NONE;
}

static uint32_t addresses_of(const struct table *t, const struct table_row *row)
{
	const struct target_set *set = &row->targets;
	enum distinct_quality quality;
	uint32_t count = target_set_union(t->targets, &set, 1, &quality);
	return count < row->tool_seen ? count : (uint32_t)row->tool_seen;
}

/* The rows that bear this tool, together. */
static void sum_tool(struct summary *sum, enum fingerprint tool)
{
	const struct table *t = sum->table;
	unsigned bits = fingerprint_fact(tool)->bits, steps = 0;
	uint64_t packets = 0, all = 0;
	for (uint32_t n = sum->source->rows; n != ROW_NONE;
	     n = t->rows[n].next) {
		const struct table_row *row = &t->rows[n];
		if (!is_probe(row))
			continue;
		all += row->packets + row->reported;
		if (tool_of(row) != tool)
			continue;
		packets += row->packets + row->reported;
		if (!(row->flags & ROW_FOLDED) && steps < ODDS_MOST_STEPS)
			steps += bits * addresses_of(t, row);
	}
	if (packets <= all / 2 && tool != FINGERPRINT_NMAP_OS)
		return;
	if (packets < all)
		steps -=
		    steps < CHOICE_OF_ROWS_STEPS ? steps : CHOICE_OF_ROWS_STEPS;
	sum->tool = tool;
	sum->tool_steps = steps < ODDS_MOST_STEPS ? steps : ODDS_MOST_STEPS;
}

/* More than half is one tool's at most. */
static void find_tool(struct summary *sum)
{
	const struct table *t = sum->table;
	for (uint32_t n = sum->source->rows;
	     n != ROW_NONE && sum->tool == FINGERPRINT_NONE;
	     n = t->rows[n].next)
		if (tool_of(&t->rows[n]) != FINGERPRINT_NONE)
			sum_tool(sum, tool_of(&t->rows[n]));
}

/* What is asked of several ports together: addresses, and how long. */
static void sum_targets(struct summary *sum)
{
	const struct target_set *sets[ROWS_PER_SOURCE_MAX];
	const struct table *t = sum->table;
	struct evidence *e = &sum->evidence;
	int64_t first_ns = INT64_MAX, last_ns = INT64_MIN;
	size_t count = 0;
	for (uint32_t n = sum->source->rows; n != ROW_NONE;
	     n = t->rows[n].next) {
		const struct table_row *row = &t->rows[n];
		if (!is_probe(row) || row->packets == 0)
			continue;
		sets[count++] = &row->targets;
		if (row->first_ns < first_ns)
			first_ns = row->first_ns;
		if (row->last_ns > last_ns)
			last_ns = row->last_ns;
	}
	if (count == 0)
		return;
	enum distinct_quality quality;
	e->destinations = target_set_union(t->targets, sets, count, &quality);
	e->several_targets = e->destinations > 1;
	e->probes_duration_ns = last_ns - first_ns;
}

/* Whom the source speaks to as one peer to another. */
static void sum_peers(struct summary *sum)
{
	const struct target_set *sets[ROWS_PER_SOURCE_MAX];
	const struct table *t = sum->table;
	size_t count = 0;
	for (uint32_t n = sum->source->rows; n != ROW_NONE; n = t->rows[n].next)
		if (class_of(&t->rows[n]) == CLASS_STRAY)
			sets[count++] = &t->rows[n].targets;
	enum distinct_quality quality;
	if (count > 0)
		sum->evidence.peers =
		    target_set_union(t->targets, sets, count, &quality);
}

static void sum_contacts(struct summary *sum)
{
	const struct table *t = sum->table;
	const struct source *s = sum->source;
	struct evidence *e = &sum->evidence;
	struct odds_walk walk = s->walk;
	/* Who never got an answer does not wait for one. */
	odds_settle(&walk, s->answered ? attempts_young(s, t->now_s) : 0);
	e->best = walk.best;
	e->failed = s->failed;
	e->answered = s->answered;
	e->unknown = s->unknown;
	e->repeats = s->repeats;
	e->unasked = s->unasked;
	e->replies = s->replies;
	e->is_own = s->flags & SOURCE_OWN;
	e->scope = s->scope;
	e->ttl_min = s->ttl_min;
	e->ttl_max = s->ttl_max;
	e->accuse_at = accuse_at(t);
	if (s->more == MORE_NONE)
		return;
	const struct source_more *m = &t->more[s->more];
	e->amplifying_packets = m->amplifying_packets;
	e->amplifying_contacts = m->amplifying_contacts;
}

static void summarize(
    struct summary *sum, const struct table *t, const struct source *s)
{
	octets_clear(sum, sizeof(*sum));
	sum->table = t;
	sum->source = s;
	for (uint32_t n = s->rows; n != ROW_NONE; n = t->rows[n].next)
		if (is_probe(&t->rows[n]))
			sum_probes(sum, &t->rows[n]);
	if (s->row_count >= ROWS_WITH_PORT_MAX)
		sum->evidence.ports += mapped_ports(t, s);
	find_tool(sum);
	sum_targets(sum);
	sum_peers(sum);
	sum_contacts(sum);
}

/* What the tool's packets are called, if that is beyond chance. */
static enum signature tool_signature(
    const struct summary *sum, const struct table_row *row)
{
	return sum->tool != FINGERPRINT_NONE && tool_of(row) == sum->tool &&
		sum->tool_steps >= DETECT_TOOL_LEAST_STEPS
	    ? fingerprint_fact(sum->tool)->tool
	    : SIGNATURE_NONE;
}

static struct group judge_row(
    const struct summary *sum, const struct table_row *row)
{
	struct evidence e = sum->evidence;
	e.class = class_of(row);
	if (sum->tool != FINGERPRINT_NONE && tool_of(row) == sum->tool) {
		e.tool = fingerprint_fact(sum->tool);
		e.tool_steps = sum->tool_steps;
	}
	e.packets = row->packets;
	e.proto = proto_of(row);
	e.asks = row->flags & ROW_ASKS;
	e.duration_ns = row->last_ns - row->first_ns;
	e.one_target = row->targets.count == 1;
	e.is_answered = row->flags & ROW_ANSWERED;
	enum signature tool = tool_signature(sum, row);
	struct group group = {
		.judgement = detection_judge(&e),
		.signature = tool != SIGNATURE_NONE ? tool : worm_of(row),
		.row = row,
	};
	if (e.class == CLASS_WORM)
		group.judgement.odds = odds_of(signature_bits(worm_of(row)));
	return group;
}

static void add_to_finding(
    struct finding *f, const struct table_row *row, const struct table *t)
{
	f->packets += row->packets;
	f->size_bytes += row->size_bytes;
	if (row->first_ns < f->first.ns)
		f->first.ns = row->first_ns;
	if (row->last_ns > f->last.ns)
		f->last.ns = row->last_ns;
	if (row->ttl_min < f->ttl_min)
		f->ttl_min = row->ttl_min;
	if (row->ttl_max > f->ttl_max)
		f->ttl_max = row->ttl_max;
	if (!f->has_hash && row->payload > 0) {
		memcpy(f->hash, t->hashes[row->payload - 1], sizeof(f->hash));
		f->has_hash = true;
	}
}

/* The port of the row that has most packets speaks for the finding, unless it
 * is one of many that have as much to say. */
static void name_ports(
    struct finding *f, const struct table_row *row, size_t rows)
{
	uint8_t proto = proto_of(row);
	bool icmp = proto == PACKET_ICMP || proto == PACKET_ICMP6;
	bool is_one = !(row->flags & (ROW_FOLDED | ROW_DPORT_VARIES)) &&
	    (rows == 1 || row->packets > f->packets / 2);
	bool has_ports = proto == PACKET_TCP || proto == PACKET_UDP ||
	    proto == ROW_PROTO_SCTP;
	f->dport = has_ports && is_one ? row->dport : FINDING_NONE;
	f->icmp = icmp && is_one ? port_of(row) : FINDING_NONE;
	if (proto == ROW_PROTO_OTHER)
		f->proto = is_one ? port_of(row) : FINDING_NONE;
	else
		f->proto = proto == 0 ? FINDING_NONE : proto;
}

static uint32_t count_addresses(const struct table *t, const struct source *s)
{
	enum distinct_quality quality;
	if (!(s->flags & SOURCE_ADDRESSES))
		return 1;
	if (s->more == MORE_NONE)
		return 2; /* at least */
	const struct target_set *set = &t->more[s->more].addresses;
	return target_set_union(t->targets, &set, 1, &quality);
}

static void start_finding(struct finding *f, const struct table *t,
    const struct source *s, const struct group *first)
{
	const struct judgement *j = &first->judgement;
	octets_clear(f, sizeof(*f));
	f->src = s->addr;
	if (s->flags & SOURCE_ADDRESSES)
		memset(f->src.bytes + 8, 0, 8);
	f->addresses = count_addresses(t, s);
	f->verdict = j->verdict;
	f->odds = j->odds;
	f->rule = j->rule;
	f->rule_version = j->rule_version;
	f->signature = first->signature;
	f->first.ns = INT64_MAX;
	f->last.ns = INT64_MIN;
	f->ttl_min = UINT8_MAX;
	f->spoofable = !(s->flags & SOURCE_PROVEN);
	f->attempts =
	    (uint64_t)s->failed + s->answered + s->unknown + s->repeats;
	f->not_judged = s->unknown;
	if (j->of_victim)
		f->victim = f->src;
	if (j->verdict == VERDICT_BACKSCATTER) {
		bool named =
		    s->more != MORE_NONE && t->more[s->more].victim.family != 0;
		f->victim = named ? t->more[s->more].victim : f->src;
		if (named)
			f->quote = t->more[s->more].quote;
	}
}

enum why { AT_FLUSH, EVICTED, FIRST };

static void count_ports(struct finding *f, const struct table *t,
    const struct source *s, const struct group *groups, size_t count)
{
	f->ports_quality = DISTINCT_IS_EXACT;
	for (size_t i = 0; i < count; i++) {
		const struct table_row *row = groups[i].row;
		if (!(row->flags & ROW_FOLDED)) {
			f->ports++;
		} else if (is_probe(row)) {
			f->ports += mapped_ports(t, s);
			if (are_ports_lost(t, s))
				f->ports_quality = DISTINCT_IS_AT_LEAST;
		} else {
			f->ports++;
			f->ports_quality = DISTINCT_IS_AT_LEAST;
		}
	}
}

static void give(struct table *t, const struct source *s,
    const struct group *groups, size_t count, enum why why)
{
	const struct target_set *sets[ROWS_PER_SOURCE_MAX];
	const struct table_row *most = groups[0].row;
	uint64_t packets = 0; /* of the interval, reported or not */
	struct finding f;
	start_finding(&f, t, s, &groups[0]);
	f.evicted = why == EVICTED;
	f.is_first = why == FIRST;
	for (size_t i = 0; i < count; i++) {
		const struct table_row *row = groups[i].row;
		add_to_finding(&f, row, t);
		packets += row->packets + row->reported;
		sets[i] = &row->targets;
		bool better =
		    row->packets > most->packets || (most->flags & ROW_FOLDED);
		if (better && !(row->flags & ROW_FOLDED))
			most = row;
	}
	count_ports(&f, t, s, groups, count);
	name_ports(&f, most, count);
	f.targets =
	    target_set_union(t->targets, sets, count, &f.targets_quality);
	target_set_census(t->targets, sets, count, &f.census);
	if (f.targets > packets) /* an estimate may be; the truth is not */
		f.targets = (uint32_t)packets;
	if (groups[0].folds &&
	    flood_folds_take(t, &f, groups[0].kind, groups[0].victim))
		return;
	t->config.finding(t->config.arg, &f);
}

static bool is_to_one(const struct group *groups, size_t count)
{
	const struct target_set *first = &groups[0].row->targets;
	for (size_t i = 0; i < count; i++) {
		const struct target_set *set = &groups[i].row->targets;
		if (set->count != 1 || set->values[0] != first->values[0])
			return false;
	}
	return true;
}

/* Nothing shows that an answer reached it: there was none, or a SYN+ACK that it
 * did not acknowledge, as one that was forged cannot. */
static bool is_unheard(const struct summary *sum, const struct table_row *row)
{
	return !(row->flags & ROW_ANSWERED) ||
	    (proto_of(row) == PACKET_TCP &&
		!(sum->source->flags & SOURCE_PROVEN));
}

/* What a source did to one address alone may be its part of a flood; and what a
 * victim answers to many is what shows its own. */
static void look_for_flood(
    const struct summary *sum, struct group *groups, size_t count)
{
	const struct table_row *row = groups[0].row;
	enum verdict verdict = groups[0].judgement.verdict;
	bool one = is_to_one(groups, count);
	if (is_probe(row)) {
		groups[0].folds = one && sum->evidence.destinations == 1 &&
		    !sum->evidence.is_own && is_unheard(sum, row) &&
		    verdict != VERDICT_WORM && verdict != VERDICT_SCAN;
		groups[0].kind = FLOOD_DIRECT;
		groups[0].victim = row->targets.values[0];
	} else if (verdict == VERDICT_BACKSCATTER) {
		bool reflects = one && proto_of(row) == PACKET_UDP;
		groups[0].folds = true;
		groups[0].kind = reflects ? FLOOD_REFLECTED : FLOOD_BACKSCATTER;
		groups[0].victim = reflects
		    ? row->targets.values[0]
		    : table_hash_target(&sum->source->addr);
	}
}

static bool same_class(const struct group *a, const struct group *b)
{
	return a->judgement.verdict == b->judgement.verdict &&
	    a->signature == b->signature &&
	    proto_of(a->row) == proto_of(b->row);
}

/* Moves the groups of the first one's class to the front; returns how many. */
static size_t gather_class(struct group *groups, size_t count)
{
	size_t same = 1;
	for (size_t i = 1; i < count; i++) {
		if (!same_class(&groups[0], &groups[i]))
			continue;
		struct group swap = groups[same];
		groups[same++] = groups[i];
		groups[i] = swap;
	}
	return same;
}

/* A worm's payload proves it.  A tool's fingerprint, once its source has
 * asked several targets: that is a scan and stays one. */
enum signature table_proven_signature(
    const struct table *t, const struct source *s, const struct table_row *row)
{
	if (worm_of(row) != SIGNATURE_NONE)
		return worm_of(row);
	if (tool_of(row) == FINGERPRINT_NONE || row->targets.count < 2)
		return SIGNATURE_NONE;
	struct summary sum;
	summarize(&sum, t, s);
	return tool_signature(&sum, row);
}

void table_give_first(
    struct table *t, const struct source *s, struct table_row *row)
{
	struct summary sum;
	summarize(&sum, t, s);
	struct group group = judge_row(&sum, row);
	give(t, s, &group, 1, FIRST);
	uint64_t reported = row->reported + row->packets;
	row->reported = reported < UINT16_MAX ? reported : UINT16_MAX;
	row->packets = row->size_bytes = 0;
}

void table_give_findings(struct table *t, const struct source *s, bool evicted)
{
	struct group groups[ROWS_PER_SOURCE_MAX];
	struct summary sum;
	size_t count = 0;
	summarize(&sum, t, s);
	uint32_t n = s->rows;
	for (; n != ROW_NONE && count < ROWS_PER_SOURCE_MAX;
	     n = t->rows[n].next)
		if (t->rows[n].packets > 0)
			groups[count++] = judge_row(&sum, &t->rows[n]);
	if (n != ROW_NONE && count == ROWS_PER_SOURCE_MAX &&
	    t->rows[n].packets > 0)
		BUG("a source with more than %d rows", ROWS_PER_SOURCE_MAX);
	for (size_t at = 0; at < count;) {
		size_t same = t->config.per_port
		    ? 1
		    : gather_class(groups + at, count - at);
		look_for_flood(&sum, groups + at, same);
		give(t, s, groups + at, same, evicted ? EVICTED : AT_FLUSH);
		at += same;
	}
}
