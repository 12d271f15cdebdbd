/* SPDX-License-Identifier: ISC */
/*
 * Tells the flood watch what the table counts, and folds what a source did in a
 * flood, and nothing else, into the flood's one finding.  The packets of a
 * flood's finding are those of the rows that were folded, so that every packet
 * is in one finding.
 */
#include <stdlib.h>

#include "lib/base/hash.h"
#include "lib/base/xalloc.h"
#include "probes/sensor/table-private.h"

#define CELLS 4096 /* 256 KiB */
#define EVENTS 64
#define FOLDS 64

/* What was folded for one victim since the last flush. */
struct flood_fold {
	struct flood flood;
	uint64_t packets, size_bytes, attempts;
	uint32_t sources;
	uint8_t ttl_min, ttl_max;
};

struct flood_folds {
	struct flood_watch *watch;
	struct last_packet last;
	struct flood_fold folds[FOLDS];
	size_t count;
};

struct flood_folds *flood_folds_new(uint64_t secret)
{
	struct flood_folds *f = xcalloc(1, sizeof(*f));
	f->watch = flood_watch_new(&(struct flood_watch_config){
	    .cells = CELLS, .events = EVENTS, .secret = secret });
	return f;
}

void flood_folds_free(struct flood_folds *f)
{
	if (!f)
		return;
	flood_watch_free(f->watch);
	free(f);
}

/* Reflected answers, which are few, are not worth the second one. */
void flood_folds_fetch(const struct table *t, const struct table_entry *e)
{
	enum message_role role = e->reading.message.role;
	uint8_t proto = e->packet.proto;
	if (role == MESSAGE_QUESTION || role == MESSAGE_EITHER)
		flood_watch_fetch(
		    t->floods->watch, e->target, FLOOD_DIRECT, proto);
	else if (role == MESSAGE_ANSWER)
		flood_watch_fetch(t->floods->watch,
		    table_hash_target(&e->packet.src), FLOOD_BACKSCATTER,
		    proto);
}

void flood_folds_completed(struct table *t, uint32_t victim, int64_t at_ns)
{
	flood_watch_completed(t->floods->watch, victim, at_ns);
}

/* What a source sends after it was answered is of a conversation. */
void flood_folds_note(struct table *t, const struct table_entry *e,
    enum packet_class class, const struct table_row *row)
{
	const struct packet *p = &e->packet;
	const struct message *m = &e->reading.message;
	struct flood_sight sights[2];
	bool probes = class == CLASS_PROBE && !(row->flags & ROW_ANSWERED);
	if (!probes && class != CLASS_BACKSCATTER)
		return;
	if (table_is_copy(&t->floods->last, e))
		return; /* a source that repeats itself would be a true one */
	if (m->kind == KIND_TCP_DATA)
		flood_folds_completed(t, table_hash_target(&p->src), e->at.ns);
	size_t count = flood_sights_of(sights, p, m, NULL);
	for (size_t i = 0; i < count; i++) {
		struct flood_sight *s = &sights[i];
		bool back = s->kind == FLOOD_BACKSCATTER;
		s->key = back ? table_hash_target(&p->src) : e->target;
		s->source = (uint32_t)hash_finish(back ? e->target : e->source);
		s->at_ns = e->at.ns;
		flood_watch_packet(t->floods->watch, s);
	}
}

static struct flood_fold *find_fold(
    struct flood_folds *f, enum flood_kind kind, uint32_t victim)
{
	for (size_t i = 0; i < f->count; i++) {
		const struct flood *flood = &f->folds[i].flood;
		if (flood->kind == kind && flood->key == victim)
			return &f->folds[i];
	}
	return NULL;
}

bool flood_folds_take(struct table *t, const struct finding *finding,
    enum flood_kind kind, uint32_t victim)
{
	struct flood_folds *f = t->floods;
	struct flood_fold *fold = find_fold(f, kind, victim);
	struct flood flood;
	if (!flood_watch_find(
		f->watch, kind, victim, finding->last.ns, fold ? NULL : &flood))
		return false;
	if (!fold && f->count == FOLDS)
		return false;
	if (!fold) {
		fold = &f->folds[f->count++];
		*fold =
		    (struct flood_fold){ .flood = flood, .ttl_min = UINT8_MAX };
	}
	fold->packets += finding->packets;
	fold->size_bytes += finding->size_bytes;
	fold->attempts += finding->attempts;
	fold->sources++;
	if (finding->ttl_min < fold->ttl_min)
		fold->ttl_min = finding->ttl_min;
	if (finding->ttl_max > fold->ttl_max)
		fold->ttl_max = finding->ttl_max;
	return true;
}

/* How it stands now. */
static void note_flood(void *arg, const struct flood *flood)
{
	struct flood_fold *fold =
	    find_fold(arg, flood->kind, (uint32_t)flood->key);
	if (fold)
		fold->flood = *flood;
}

static const char *const rules[] = {
	[FLOOD_DIRECT] = "flood",
	[FLOOD_REFLECTED] = "flood-reflected",
	[FLOOD_BACKSCATTER] = "flood-backscatter",
};

/* Backscatter comes from the victim alone: its sources are whom it answers. */
static void give_fold(struct table *t, const struct flood_fold *fold)
{
	const struct flood *flood = &fold->flood;
	bool back = flood->kind == FLOOD_BACKSCATTER;
	bool more = !back && fold->sources > flood->sources;
	struct finding f = { .sources = more ? fold->sources : flood->sources,
		.addresses = 1,
		.victim = flood->victim,
		.verdict = VERDICT_FLOOD,
		.rule = rules[flood->kind],
		.rule_version = 1,
		.proto = flood->proto,
		.dport = flood->port >= 0 ? flood->port : FINDING_NONE,
		.icmp = FINDING_NONE,
		.ports = flood->ports,
		.ports_quality = DISTINCT_IS_ESTIMATE,
		.packets = fold->packets,
		.size_bytes = fold->size_bytes,
		.attempts = fold->attempts,
		.targets = back ? flood->sources : 1,
		.targets_quality =
		    back ? flood->sources_quality : DISTINCT_IS_EXACT,
		.first.ns = flood->first_ns,
		.last.ns = flood->last_ns,
		.ttl_min = fold->ttl_min,
		.ttl_max = fold->ttl_max,
		.spoofable = true,
		.flood_peak = flood->peak_packets,
		.flood_forged = flood->forged,
		.flood_scale = flood->scale };
	if (!back)
		census_add(
		    &f.census, (uint32_t)hash_finish((uint32_t)flood->key));
	t->config.finding(t->config.arg, &f);
}

void flood_folds_give(struct table *t)
{
	struct flood_folds *f = t->floods;
	flood_watch_give(
	    f->watch, (int64_t)t->now_s * INT64_C(1000000000), note_flood, f);
	for (size_t i = 0; i < f->count; i++)
		give_fold(t, &f->folds[i]);
	f->count = 0;
}
