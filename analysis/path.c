/* SPDX-License-Identifier: ISC */
/*
 * Traces of one path and their sums.  The hops (who answered at which
 * distance) are the path's identity and never change; the sums grow.  Both
 * are kept as bytes, apart, so that the identity is stored once.
 *
 *   hops: first ttl u8 | each: family u8, 0x80 set for the target, 0x40 for
 *         one that rejects | if so, ICMP type and code | address
 *   sums: each hop: flags (1 mpls) | probes | replies | rtt_min + 1 |
 *         histogram, all varints
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/path.h"
#include "lib/record/outcome.h"
#include "lib/sketch/varint.h"
#include "lib/base/xalloc.h"

#define HOP_TARGET 0x80
#define HOP_REJECTS 0x40
#define HOP_FAMILY 0x3f
#define SUM_MPLS 1
#define CANDIDATES 8 /* addresses at one distance that we choose from */

void path_fini(struct path *path)
{
	for (size_t i = 0; i < path->hop_count; i++)
		histogram_fini(&path->hops[i].rtt);
	free(path->hops);
	*path = (struct path){ 0 };
}

void path_copy(struct path *to, const struct path *from)
{
	*to = *from;
	to->hops = from->hop_count
	    ? xmemdup(from->hops, from->hop_count * sizeof(*from->hops))
	    : NULL;
	for (size_t i = 0; i < from->hop_count; i++)
		histogram_copy(&to->hops[i].rtt, &from->hops[i].rtt);
}

/* The replies by distance: chains through next, so that one pass does. */
struct by_ttl {
	int32_t head[PATH_MAX_HOPS + 1];
	int32_t *next;
	unsigned first, last; /* first > last: none */
};

static bool was_sent(const Sonde__Trace *trace, const Sonde__Reply *reply)
{
	return !reply->duplicate &&
	    outcome_was_sent(reply_outcome(reply, &trace->dst, trace->method));
}

static void sort_by_ttl(struct by_ttl *sorted, const Sonde__Trace *trace)
{
	memset(sorted->head, 0xff, sizeof(sorted->head));
	sorted->next = xcalloc(trace->n_replies + 1, sizeof(*sorted->next));
	sorted->first = PATH_MAX_HOPS + 1;
	sorted->last = 0;
	for (size_t i = trace->n_replies; i-- > 0;) {
		const Sonde__Reply *reply = trace->replies[i];
		uint32_t ttl = reply->probe_ttl;
		if (ttl < 1 || ttl > PATH_MAX_HOPS || !was_sent(trace, reply))
			continue;
		sorted->next[i] = sorted->head[ttl];
		sorted->head[ttl] = (int32_t)i;
		if (ttl < sorted->first)
			sorted->first = ttl;
		if (ttl > sorted->last)
			sorted->last = ttl;
	}
}

struct candidate {
	struct addr from;
	unsigned replies;
	int64_t rtt_ns;
	bool mpls, reached, answered;
	const Sonde__Reply *rejection; /* NULL: it let all pass */
};

static struct candidate *candidate_for(
    struct candidate *list, size_t *count, const struct addr *from)
{
	for (size_t i = 0; i < *count; i++)
		if (addr_equal(&list[i].from, from))
			return &list[i];
	if (*count == CANDIDATES)
		return NULL;
	list[*count] = (struct candidate){ .from = *from, .rtt_ns = -1 };
	return &list[(*count)++];
}

static void candidate_add(
    struct candidate *c, const Sonde__Reply *reply, const Sonde__Trace *trace)
{
	c->replies++;
	Sonde__Outcome outcome =
	    reply_outcome(reply, &trace->dst, trace->method);
	c->reached |= reply_reached(reply, &trace->dst, trace->method);
	c->answered |= outcome == SONDE__OUTCOME__OUTCOME_ANSWERED ||
	    outcome == SONDE__OUTCOME__OUTCOME_LATE;
	/* By which error is what a rejection is shown as. */
	if (outcome == SONDE__OUTCOME__OUTCOME_REJECTED &&
	    reply->has_icmp_type_case)
		c->rejection = reply;
	if (reply->has_rtt_ns_case && reply->rtt_ns < INT64_MAX &&
	    (c->rtt_ns < 0 || (int64_t)reply->rtt_ns < c->rtt_ns))
		c->rtt_ns = (int64_t)reply->rtt_ns;
	for (size_t i = 0; i < reply->n_extensions; i++)
		if (reply->extensions[i]->n_mpls > 0)
			c->mpls = true;
}

/* Most replies; of equals the lower address, so that it stays the same. */
static bool candidate_better(
    const struct candidate *a, const struct candidate *b)
{
	if (a->replies != b->replies)
		return a->replies > b->replies;
	return addr_cmp(&a->from, &b->from) < 0;
}

static void hop_from_replies(struct path_hop *hop, const Sonde__Trace *trace,
    const struct by_ttl *sorted)
{
	/* Filled as they come: to clear all took 0.1 us a trace and more. */
	struct candidate list[CANDIDATES];
	size_t count = 0;
	hop->rtt_min_ns = -1;
	for (int32_t i = sorted->head[hop->ttl]; i >= 0; i = sorted->next[i]) {
		const Sonde__Reply *reply = trace->replies[i];
		hop->probes++;
		struct addr from =
		    addr_from_bytes(reply->from.data, reply->from.len);
		if (from.family == 0 ||
		    reply_outcome(reply, &trace->dst, trace->method) ==
			SONDE__OUTCOME__OUTCOME_AMBIGUOUS)
			continue;
		hop->replies++;
		struct candidate *c = candidate_for(list, &count, &from);
		if (c)
			candidate_add(c, reply, trace);
	}
	if (count == 0)
		return;
	struct candidate best = list[0];
	for (size_t i = 1; i < count; i++)
		if (candidate_better(&list[i], &best))
			best = list[i];
	hop->from = best.from;
	hop->mpls = best.mpls;
	hop->destination = best.reached;
	/* Also in the target's own name, which counts as reached, when it
	 * answered nothing of what it was asked. */
	if (best.rejection && !best.answered) {
		hop->rejects = true;
		hop->reject_type = (uint8_t)best.rejection->icmp_type;
		hop->reject_code = (uint8_t)best.rejection->icmp_code;
	}
	hop->rtt_min_ns = best.rtt_ns;
	if (best.rtt_ns >= 0)
		histogram_add(&hop->rtt, best.rtt_ns, 1);
}

void path_from_trace(
    struct path *path, const Sonde__Trace *trace, int64_t wall_ns)
{
	*path = (struct path){
		.src = addr_from_bytes(trace->src.data, trace->src.len),
		.dst = addr_from_bytes(trace->dst.data, trace->dst.len),
		.traces = 1,
		.first_ns = wall_ns,
		.last_ns = wall_ns,
	};
	struct by_ttl sorted;
	sort_by_ttl(&sorted, trace);
	if (sorted.first <= sorted.last)
		path->hops = xcalloc(
		    sorted.last - sorted.first + 1, sizeof(*path->hops));
	for (unsigned ttl = sorted.first; ttl <= sorted.last; ttl++) {
		struct path_hop *hop = &path->hops[path->hop_count++];
		hop->ttl = (uint8_t)ttl;
		hop_from_replies(hop, trace, &sorted);
		if (hop->destination) {
			path->reached = 1;
			break;
		}
	}
	free(sorted.next);
}

void path_write_hops(const struct path *path, struct buf *to)
{
	if (path->hop_count == 0)
		return;
	buf_u8(to, path->hops[0].ttl);
	for (size_t i = 0; i < path->hop_count; i++) {
		const struct path_hop *hop = &path->hops[i];
		buf_u8(to,
		    (uint8_t)(hop->from.family |
			(hop->destination ? HOP_TARGET : 0) |
			(hop->rejects ? HOP_REJECTS : 0)));
		if (hop->rejects) {
			buf_u8(to, hop->reject_type);
			buf_u8(to, hop->reject_code);
		}
		buf_bytes(to, hop->from.bytes, addr_len(&hop->from));
	}
}

void path_digest(const struct path *path, uint8_t digest[PATH_DIGEST_LEN])
{
	struct buf bytes = { 0 };
	buf_u8(&bytes, path->src.family);
	buf_bytes(&bytes, path->src.bytes, sizeof(path->src.bytes));
	buf_u8(&bytes, path->dst.family);
	buf_bytes(&bytes, path->dst.bytes, sizeof(path->dst.bytes));
	path_write_hops(path, &bytes);
	crypto_generichash(
	    digest, PATH_DIGEST_LEN, bytes.data, bytes.len, NULL, 0);
	buf_fini(&bytes);
}

static void write_counts(const struct path_hop *hop, struct buf *to)
{
	varint_put(to, hop->mpls ? SUM_MPLS : 0);
	varint_put(to, hop->probes);
	varint_put(to, hop->replies);
	varint_put(to, (uint64_t)(hop->rtt_min_ns + 1));
}

void path_write_sums(const struct path *path, struct buf *to)
{
	for (size_t i = 0; i < path->hop_count; i++) {
		write_counts(&path->hops[i], to);
		histogram_write(&path->hops[i].rtt, to);
	}
}

static void read_hops(struct path *path, struct reader *r)
{
	unsigned ttl = reader_u8(r);
	while (r->err == ERR_OK && reader_left(r) > 0) {
		uint8_t byte = reader_u8(r), family = byte & HOP_FAMILY;
		size_t len = family == 4 ? 4 : family == 6 ? 16 : 0;
		if (ttl < 1 || ttl > PATH_MAX_HOPS || (family && !len)) {
			reader_fail(r, ERR_MALFORMED);
			return;
		}
		struct path_hop *hop = &path->hops[path->hop_count];
		hop->rejects = byte & HOP_REJECTS;
		if (hop->rejects) {
			hop->reject_type = reader_u8(r);
			hop->reject_code = reader_u8(r);
		}
		const uint8_t *bytes = reader_bytes(r, len);
		if (len && bytes)
			hop->from = addr_from_bytes(bytes, len);
		hop->ttl = (uint8_t)ttl++;
		hop->destination = byte & HOP_TARGET;
		path->hop_count++;
	}
}

static void read_sums(struct path_hop *hop, struct reader *r)
{
	hop->mpls = varint_get(r) & SUM_MPLS;
	hop->probes = varint_get(r);
	hop->replies = varint_get(r);
	uint64_t rtt = varint_get(r);
	hop->rtt_min_ns = rtt <= INT64_MAX ? (int64_t)rtt - 1 : -1;
	histogram_read(&hop->rtt, r);
}

/* Counts alone; the histograms are for the caller. */
static void counts_merge(struct path_hop *to, const struct path_hop *from)
{
	to->probes += from->probes;
	to->replies += from->replies;
	to->mpls |= from->mpls;
	if (from->rtt_min_ns >= 0 &&
	    (to->rtt_min_ns < 0 || from->rtt_min_ns < to->rtt_min_ns))
		to->rtt_min_ns = from->rtt_min_ns;
}

int path_write_sums_with(
    const struct path *path, const void *held, size_t held_len, struct buf *to)
{
	struct reader r = reader_init(held, held_len);
	struct path_hop was = { 0 };
	for (size_t i = 0; i < path->hop_count; i++) {
		struct path_hop sum = path->hops[i];
		read_sums(&was, &r);
		counts_merge(&sum, &was);
		write_counts(&sum, to);
		histogram_write_sum(&was.rtt, &path->hops[i].rtt, to);
	}
	histogram_fini(&was.rtt);
	return r.err != ERR_OK || reader_left(&r) > 0 ? ERR_CORRUPT : ERR_OK;
}

int path_read_hops(struct path *path, const void *hops, size_t hops_len)
{
	if (hops_len == 0)
		return ERR_CORRUPT;
	/* A hop is a byte at least. */
	size_t most = hops_len < PATH_MAX_HOPS ? hops_len : PATH_MAX_HOPS;
	path->hops = xcalloc(most, sizeof(*path->hops));
	struct reader r = reader_init(hops, hops_len);
	read_hops(path, &r);
	/* Most hops are five bytes or seventeen: a map holds many paths. */
	if (path->hop_count > 0)
		path->hops = xreallocarray(
		    path->hops, path->hop_count, sizeof(*path->hops));
	return r.err != ERR_OK ? ERR_CORRUPT : ERR_OK;
}

int path_read(struct path *path, const void *hops, size_t hops_len,
    const void *sums, size_t sums_len)
{
	int err = path_read_hops(path, hops, hops_len);
	if (err < 0)
		return err;
	struct reader s = reader_init(sums, sums_len);
	for (size_t i = 0; i < path->hop_count; i++)
		read_sums(&path->hops[i], &s);
	return s.err != ERR_OK || reader_left(&s) > 0 ? ERR_CORRUPT : ERR_OK;
}

void path_take_hops(struct path *path, const struct path *hops)
{
	for (size_t i = 0; i < path->hop_count && i < hops->hop_count; i++) {
		path->hops[i].from = hops->hops[i].from;
		path->hops[i].ttl = hops->hops[i].ttl;
		path->hops[i].destination = hops->hops[i].destination;
	}
}

static void hop_merge(struct path_hop *to, const struct path_hop *from)
{
	counts_merge(to, from);
	histogram_merge(&to->rtt, &from->rtt);
}

void path_merge(struct path *to, const struct path *from)
{
	to->traces += from->traces;
	to->reached += from->reached;
	if (from->first_ns < to->first_ns)
		to->first_ns = from->first_ns;
	if (from->last_ns > to->last_ns)
		to->last_ns = from->last_ns;
	size_t count =
	    from->hop_count < to->hop_count ? from->hop_count : to->hop_count;
	for (size_t i = 0; i < count; i++)
		hop_merge(&to->hops[i], &from->hops[i]);
}

bool path_absorb(struct path *to, const struct path *from)
{
	if (to->hop_count == 0 || from->hop_count == 0 ||
	    to->hops[0].ttl != from->hops[0].ttl ||
	    !addr_equal(&to->src, &from->src) ||
	    !addr_equal(&to->dst, &from->dst))
		return false;
	for (size_t i = 0; i < from->hop_count; i++) {
		if (from->hops[i].from.family == 0)
			continue;
		if (i >= to->hop_count ||
		    !addr_equal(&to->hops[i].from, &from->hops[i].from))
			return false;
	}
	path_merge(to, from);
	return true;
}

void path_as_trace(const struct path *path, struct topology_hop *hops,
    struct topology_trace *trace)
{
	/* Silence at the end bounds nothing and would only be drawn. */
	size_t count = path->hop_count;
	while (count > 0 && path->hops[count - 1].from.family == 0)
		count--;
	for (size_t i = 0; i < count; i++) {
		const struct path_hop *hop = &path->hops[i];
		hops[i] = (struct topology_hop){
			.from = hop->from,
			.ttl = hop->ttl,
			.probes = (uint32_t)hop->probes,
			.replies = (uint32_t)hop->replies,
			.rtt_ns = histogram_median(&hop->rtt),
			.mpls = hop->mpls,
			.destination = hop->destination,
			.rejects = hop->rejects,
			.reject_type = hop->reject_type,
			.reject_code = hop->reject_code,
		};
	}
	*trace = (struct topology_trace){
		.src = path->src,
		.dst = path->dst,
		.when = { path->first_ns },
		.last = { path->last_ns },
		.hops = hops,
		.hop_count = count,
		.reached = path->reached > 0,
		.count = (uint32_t)path->traces,
	};
}
