/* SPDX-License-Identifier: ISC */
/*
 * From the rows of a source to what is reported of it.  The verdict of a row
 * needs the whole source (one port of a scan looks like a stray packet), and
 * so does a scan tool's fingerprint: at least two packets of the source carry
 * it, most of its packets do, and in this row all.
 */
#include <math.h>
#include <string.h>

#include "lib/packet/octets.h"
#include "probes/sensor/table-private.h"

#define TOOL_LEAST_PACKETS 2
#define PORT_BITS 64
#define PORTS_UNTOLD 65536
#define PROVEN_LEAST_PACKETS 3
#define PROVEN_LEAST_NS (60 * NS_PER_S)

struct group {
	enum verdict verdict;
	enum signature signature;
	const struct table_row *row;
};

static enum signature tool_of(
    const struct source *s, const struct table_row *row)
{
	if (row->class != CLASS_PROBE)
		return SIGNATURE_NONE;
	if (row->masscan == row->seen && s->masscan >= TOOL_LEAST_PACKETS &&
	    s->masscan > s->syns / 2)
		return SIGNATURE_MASSCAN;
	if (row->zmap == row->seen && s->zmap >= TOOL_LEAST_PACKETS &&
	    s->zmap > s->probes / 2)
		return SIGNATURE_ZMAP;
	return SIGNATURE_NONE;
}

/* Distinct ports that were probed: rows, or from the bits once rows are
 * folded. */
static uint32_t probed_ports(const struct table *t, const struct source *s)
{
	uint32_t rows = 0;
	for (uint32_t n = s->rows; n != ROW_NONE; n = t->rows[n].next) {
		if (t->rows[n].class != CLASS_PROBE)
			continue;
		if (t->rows[n].flags & ROW_FOLDED) {
			int set = __builtin_popcountll(s->port_bits);
			if (set == PORT_BITS)
				return PORTS_UNTOLD;
			return (uint32_t)(-PORT_BITS *
			    log(1 - set / (double)PORT_BITS));
		}
		rows++;
	}
	return rows;
}

static enum verdict verdict_of(const struct table *t, const struct source *s,
    const struct table_row *row, uint32_t ports)
{
	struct evidence e = {
		.class = (enum packet_class)row->class,
		.packets = row->packets,
		.duration_ns = row->last_ns - row->first_ns,
		.seen = row->seen,
		.one_target = distinct_is_one(&row->targets),
		.all_suspicious = !(row->flags & ROW_NOT_SUSPICIOUS),
		.all_service = !(row->flags & ROW_NOT_SERVICE),
		.probes = s->probes,
		.probes_duration_ns = s->last_ns - s->first_ns,
		.ports = ports,
		.several_targets = s->several_targets,
		.answered = s->answered,
	};
	e.first = (struct sight){ e.one_target ? row->targets.values[0] : 0,
		row->proto, row->port, row->first_ns };
	return detection_judge(t->detection, &e);
}

/* A forged source has no memory: the same TTL and a running IP id for more
 * than a minute come from one machine. */
static bool is_spoofable(const struct source *s)
{
	return s->packets < PROVEN_LEAST_PACKETS || s->ttl_min != s->ttl_max ||
	    s->near_ids + 1 < s->packets ||
	    s->last_ns - s->first_ns <= PROVEN_LEAST_NS;
}

static void add_to_finding(struct finding *f, const struct table_row *row)
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
	if (!f->has_hash && row->flags & ROW_HAS_HASH) {
		memcpy(f->hash, row->hash, sizeof(f->hash));
		f->has_hash = true;
	}
}

static bool has_ports(const struct table_row *row)
{
	return row->proto == PACKET_TCP || row->proto == PACKET_UDP;
}

/* The port of the row that has most packets speaks for the finding. */
static void name_ports(struct finding *f, const struct table_row *row)
{
	bool icmp = row->proto == PACKET_ICMP || row->proto == PACKET_ICMP6;
	bool is_one = !(row->flags & (ROW_FOLDED | ROW_DPORT_VARIES));
	f->dport = has_ports(row) && is_one ? row->dport : FINDING_NONE;
	f->icmp = icmp && is_one ? row->port : FINDING_NONE;
	f->proto = row->flags & ROW_FOLDED && row->class == CLASS_OTHER
	    ? FINDING_NONE
	    : row->proto;
}

static void start_finding(
    struct finding *f, const struct source *s, const struct group *first)
{
	octets_clear(f, sizeof(*f));
	f->src = s->addr;
	f->verdict = first->verdict;
	f->signature = first->signature;
	f->first.ns = INT64_MAX;
	f->last.ns = INT64_MIN;
	f->ttl_min = UINT8_MAX;
	f->spoofable = is_spoofable(s);
	if (first->row->class == CLASS_BACKSCATTER)
		f->victim = s->victim;
}

enum why { AT_FLUSH, EVICTED, FIRST };

static void give(struct table *t, const struct source *s,
    const struct group *groups, size_t count, enum why why)
{
	const struct distinct *sets[ROWS_PER_SOURCE_MAX];
	const struct table_row *most = groups[0].row;
	uint64_t packets = 0; /* of the interval, reported or not */
	struct finding f;
	start_finding(&f, s, &groups[0]);
	f.evicted = why == EVICTED;
	f.is_first = why == FIRST;
	f.ports = (uint32_t)count;
	for (size_t i = 0; i < count; i++) {
		const struct table_row *row = groups[i].row;
		add_to_finding(&f, row);
		packets += row->packets + row->reported;
		sets[i] = &row->targets;
		bool better =
		    row->packets > most->packets || (most->flags & ROW_FOLDED);
		if (better && !(row->flags & ROW_FOLDED))
			most = row;
		if (row->flags & (ROW_FOLDED | ROW_DPORT_VARIES))
			f.ports = PORTS_UNTOLD;
	}
	name_ports(&f, most);
	f.targets = distinct_union(t->targets, sets, count, &f.targets_quality);
	if (f.targets > packets) /* an estimate may be; the truth is not */
		f.targets = (uint32_t)packets;
	t->config.finding(t->config.arg, &f);
}

static bool same_class(const struct group *a, const struct group *b)
{
	return a->verdict == b->verdict && a->signature == b->signature &&
	    a->row->proto == b->row->proto;
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
    const struct source *s, const struct table_row *row)
{
	if (row->worm != SIGNATURE_NONE)
		return (enum signature)row->worm;
	if (row->masscan + row->zmap == 0 || !s->several_targets ||
	    distinct_is_one(&row->targets))
		return SIGNATURE_NONE;
	return tool_of(s, row);
}

void table_give_first(
    struct table *t, const struct source *s, struct table_row *row)
{
	enum signature signature = table_proven_signature(s, row);
	const struct group group = {
		.verdict = verdict_of(t, s, row, probed_ports(t, s)),
		.signature = signature,
		.row = row,
	};
	give(t, s, &group, 1, FIRST);
	uint64_t reported = row->reported + row->packets;
	row->reported = reported < UINT16_MAX ? (uint16_t)reported : UINT16_MAX;
	row->packets = row->size_bytes = 0;
}

void table_give_findings(struct table *t, const struct source *s, bool evicted)
{
	struct group groups[ROWS_PER_SOURCE_MAX];
	size_t count = 0;
	uint32_t ports = probed_ports(t, s);
	for (uint32_t n = s->rows; n != ROW_NONE; n = t->rows[n].next) {
		const struct table_row *row = &t->rows[n];
		if (row->packets == 0)
			continue;
		if (count == ROWS_PER_SOURCE_MAX)
			BUG("a source with more than %zu rows", count);
		enum signature tool = tool_of(s, row);
		groups[count++] = (struct group){
			.verdict = verdict_of(t, s, row, ports),
			.signature = tool ? tool : (enum signature)row->worm,
			.row = row,
		};
	}
	for (size_t at = 0; at < count;) {
		size_t same = t->config.per_port
		    ? 1
		    : gather_class(groups + at, count - at);
		give(t, s, groups + at, same, evicted ? EVICTED : AT_FLUSH);
		at += same;
	}
}
