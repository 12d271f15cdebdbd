/* SPDX-License-Identifier: ISC */
/*
 * A trace as a column of hops: number, address, times, and after them only
 * what is out of the ordinary: refusals, labels, losses.  A hop with several
 * addresses takes a line for each.  Hops may be printed while the trace runs;
 * then its record brings what is missing: the last hops and the end.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/xalloc.h"
#include "lib/formats/text.h"

#define TIMES_MAX 4 /* more are summed up */

static const struct {
	const char *reason, *words;
} reasons[] = {
	{ "gaplimit", "too many silent hops in a row" },
	{ "echo-only", "it answers echo requests alone" },
	{ "limited", "its answers are limited, and others had them" },
	{ "unreachable", "it is rejected" },
	{ "maxttl", "the last hop that was asked for is not the end" },
	{ "loop", "the path goes round" },
	{ "denied", "the policy does not allow it" },
	{ "unsent", "this host has no way to send to it" },
	{ "deadline", "stopped before the end" },
};

static bool same_address(
    const ProtobufCBinaryData *a, const ProtobufCBinaryData *b)
{
	return a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}

static void print_ms(const struct text *t, uint64_t ns)
{
	fprintf(t->to, "%9.3f ms", (double)ns / NS_PER_MS);
}

static void print_mpls(const struct text *t, const Sonde__IcmpExtension *e)
{
	for (size_t i = 0; i < e->n_mpls; i++) {
		fprintf(t->to, "%s%u", i ? ", " : "  MPLS ", e->mpls[i]->label);
		if (e->mpls[i]->traffic_class)
			fprintf(t->to, " tc %u", e->mpls[i]->traffic_class);
		if (e->mpls[i]->ttl != 1)
			fprintf(t->to, " ttl %u", e->mpls[i]->ttl);
	}
}

/* "in" and the rest, and what best names it. */
static void print_interface(
    const struct text *t, const Sonde__InterfaceInfo *info)
{
	static const char *const words[][2] = { { "incoming", "in" },
		{ "sub-ip", "part of in" }, { "outgoing", "out" },
		{ "next-hop", "next hop" }, { "asked-for", "interface" } };
	char a[ADDR_TEXT_LEN];
	fputs("  ", t->to);
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strcmp(info->role, words[i][0]) == 0)
			fputs(words[i][1], t->to);
	if (info->has_name_case) {
		putc(' ', t->to);
		text_print(t, info->name);
	} else if (info->has_index_case) {
		fprintf(t->to, " %u", info->index);
	}
	if (info->has_address_case && info->address.len)
		fprintf(t->to, " %s", reply_addr(&info->address, a));
	if (info->has_mtu_case)
		fprintf(t->to, " mtu %u", info->mtu);
}

static void print_extensions(const struct text *t, const Sonde__Reply *reply)
{
	if (reply->n_extensions == 0)
		return;
	fputs(text_on(t, TEXT_DIM), t->to);
	for (size_t i = 0; i < reply->n_extensions; i++) {
		const Sonde__IcmpExtension *e = reply->extensions[i];
		if (e->n_mpls > 0)
			print_mpls(t, e);
		else if (e->interface)
			print_interface(t, e->interface);
		else
			fprintf(t->to, "  ext %u/%u", e->class_num, e->c_type);
	}
	fputs(text_off(t), t->to);
}

/* The replies of one hop, a run of the trace's. */
struct hop {
	const Sonde__Trace *trace;
	Sonde__Reply *const *replies;
	size_t count;
};

static Sonde__Outcome outcome_at(const struct hop *h, size_t at)
{
	return reply_outcome(h->replies[at], &h->trace->dst, h->trace->method);
}

static void print_summary(const struct text *t, uint64_t min, uint64_t sum,
    uint64_t max, size_t count)
{
	print_ms(t, min);
	fprintf(t->to, " min");
	print_ms(t, sum / count);
	fprintf(t->to, " avg");
	print_ms(t, max);
	fprintf(t->to, " max");
}

/* Times of the replies from the same address as the one at `at`. */
static void print_times(const struct text *t, const struct hop *h, size_t at)
{
	uint64_t min = UINT64_MAX, max = 0, sum = 0;
	size_t count = 0;
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = at; i < h->count; i++) {
			const Sonde__Reply *r = h->replies[i];
			if (r->duplicate || !r->has_rtt_ns_case ||
			    !same_address(&r->from, &h->replies[at]->from))
				continue;
			if (pass == 1 && count <= TIMES_MAX)
				print_ms(t, r->rtt_ns);
			if (pass == 1)
				continue;
			count++;
			sum += r->rtt_ns;
			min = r->rtt_ns < min ? r->rtt_ns : min;
			max = r->rtt_ns > max ? r->rtt_ns : max;
		}
	if (count > TIMES_MAX)
		print_summary(t, min, sum, max, count);
}

/* What is out of the ordinary about a reply. */
static void print_remarks(
    const struct text *t, const Sonde__Reply *reply, Sonde__Outcome outcome)
{
	char words[40];
	const char *remark = "";
	if (outcome == SONDE__OUTCOME__OUTCOME_REJECTED)
		remark = reply_error(reply, words);
	if (outcome == SONDE__OUTCOME__OUTCOME_OTHER_ADDRESS)
		remark = "the target, from another address";
	if (outcome == SONDE__OUTCOME__OUTCOME_AMBIGUOUS)
		remark = "answers a probe to this or another hop";
	fputs(text_on(t, TEXT_WARN), t->to);
	if (*remark)
		fprintf(t->to, "  %s", remark);
	if (reply->has_mtu_case)
		fprintf(t->to, "  mtu %u", reply->mtu);
	if (reply->has_from_port_case)
		fprintf(t->to, "  port %u", reply->from_port);
	if (reply->late)
		fputs("  late", t->to);
	if (reply->perhaps_firewall)
		fputs("  perhaps of a firewall", t->to);
	fputs(text_off(t), t->to);
}

static bool is_unproved(const Sonde__Reply *r)
{
	return r->outcome == SONDE__OUTCOME__OUTCOME_AMBIGUOUS;
}

/* Of the replies from one address, one that is this hop's speaks for it. */
static void print_address(
    const struct text *t, const struct hop *h, size_t at, int width)
{
	char a[ADDR_TEXT_LEN];
	size_t own = at;
	while (own < h->count &&
	    (is_unproved(h->replies[own]) ||
		!same_address(&h->replies[own]->from, &h->replies[at]->from)))
		own++;
	size_t shown = own < h->count ? own : at;
	const Sonde__Reply *reply = h->replies[shown];
	fprintf(t->to, "  %-*s", width, reply_addr(&reply->from, a));
	print_times(t, h, at);
	print_remarks(t, reply, outcome_at(h, shown));
	print_extensions(t, reply);
}

static bool seen_before(const struct hop *h, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (same_address(&h->replies[i]->from, &h->replies[at]->from))
			return true;
	return false;
}

/* Probes of a hop, and how many were answered. */
struct share {
	size_t sent, answered;
};

static void share_add(struct share *share, const Sonde__Reply *r)
{
	if (r->duplicate || reply_not_sent(r) || is_unproved(r))
		return;
	share->sent++;
	share->answered += r->from.len > 0;
}

static bool is_less(const struct share *a, const struct share *b)
{
	return a->answered * b->sent < b->answered * a->sent;
}

/* What passes a router is not lost there: does a hop behind this one answer a
 * larger share? */
static bool is_passed(const struct hop *h, const struct share *share)
{
	const Sonde__Trace *trace = h->trace;
	Sonde__Reply *const *end = trace->replies + trace->n_replies;
	struct share behind = { 0, 0 };
	for (Sonde__Reply *const *r = h->replies + h->count; r < end; r++) {
		if (r > h->replies + h->count &&
		    r[0]->probe_ttl != r[-1]->probe_ttl)
			behind = (struct share){ 0, 0 };
		share_add(&behind, *r);
		bool whole = r + 1 == end || r[1]->probe_ttl != r[0]->probe_ttl;
		if (whole && is_less(share, &behind))
			return true;
	}
	return false;
}

/* ICMP errors are what hosts and routers limit; from the end of a path nothing
 * tells a limit from a loss. */
static bool answers_by_errors(const struct hop *h)
{
	for (size_t i = 0; i < h->count; i++) {
		const Sonde__Reply *r = h->replies[i];
		if (r->from.len == 0 || r->duplicate)
			continue;
		uint32_t echo_reply = r->from.len == 4 ? 0 : 129;
		if (!r->has_icmp_type_case || r->icmp_type == echo_reply)
			return false;
	}
	return true;
}

static void print_lost(const struct text *t, const struct hop *h)
{
	struct share share = { 0, 0 };
	for (size_t i = 0; i < h->count; i++)
		share_add(&share, h->replies[i]);
	if (share.answered == share.sent)
		return;
	if (share.answered == 0)
		fprintf(t->to, "  %s*%s", text_on(t, TEXT_DIM), text_off(t));
	else if (is_passed(h, &share))
		fprintf(t->to, "  %sanswers %zu of %zu%s", text_on(t, TEXT_DIM),
		    share.answered, share.sent, text_off(t));
	else
		fprintf(t->to, "  %s%zu of %zu lost%s%s", text_on(t, TEXT_WARN),
		    share.sent - share.answered, share.sent,
		    answers_by_errors(h) ? " or limited" : "", text_off(t));
}

static void print_hop(const struct text *t, const struct hop *h, int width)
{
	size_t lines = 0, unsent = 0;
	fprintf(t->to, "%4u", h->replies[0]->probe_ttl);
	for (size_t i = 0; i < h->count; i++) {
		const Sonde__Reply *r = h->replies[i];
		if (reply_not_sent(r)) {
			if (unsent++ == 0)
				text_not_sent(t, r);
			continue;
		}
		if (r->from.len == 0 || seen_before(h, i))
			continue;
		fputs(lines++ + unsent ? "\n    " : "", t->to);
		print_address(t, h, i, width);
	}
	print_lost(t, h);
	putc('\n', t->to);
}

static int address_width(const Sonde__Trace *trace)
{
	char a[ADDR_TEXT_LEN];
	size_t width = 15;
	for (size_t i = 0; i < trace->n_replies; i++) {
		size_t len = strlen(reply_addr(&trace->replies[i]->from, a));
		if (len > width)
			width = len;
	}
	return (int)width;
}

static uint8_t count_answers(const struct hop *h)
{
	uint8_t count = 0;
	for (size_t i = 0; i < h->count; i++)
		count += h->replies[i]->from.len > 0 &&
		    !h->replies[i]->duplicate && count < UINT8_MAX;
	return count;
}

/* Those that were not shown yet, up to this TTL, and those of which more came
 * since, which was late. */
static void print_hops(
    struct text *t, const Sonde__Trace *trace, uint32_t up_to)
{
	int width = address_width(trace);
	for (size_t i = 0; i < trace->n_replies;) {
		struct hop h = { trace, &trace->replies[i], 1 };
		uint32_t ttl = h.replies[0]->probe_ttl;
		while (i + h.count < trace->n_replies &&
		    h.replies[h.count]->probe_ttl == ttl)
			h.count++;
		uint8_t answers = count_answers(&h);
		uint8_t *shown = &t->shown_answers[ttl & UINT8_MAX];
		if (ttl > t->shown_ttl ? ttl <= up_to : answers > *shown) {
			print_hop(t, &h, width);
			*shown = answers;
		}
		i += h.count;
	}
}

static void print_head(struct text *t, const Sonde__Trace *trace)
{
	char src[ADDR_TEXT_LEN];
	text_apart(t);
	text_stamp(t);
	fprintf(t->to, "%strace to ", text_on(t, TEXT_BOLD));
	text_target(t, &trace->dst, trace->dst_name);
	fputs(text_off(t), t->to);
	if (trace->src.len > 0)
		fprintf(t->to, " from %s", reply_addr(&trace->src, src));
	fputs(", ", t->to);
	text_print(t, trace->method);
	if (strcmp(trace->method, "icmp") == 0)
		fprintf(t->to, " id %u checksum 0x%04x\n", trace->sport,
		    trace->dport);
	else
		fprintf(t->to, " %u > %u\n", trace->sport, trace->dport);
}

/* The first that says no to all that goes on. */
static const Sonde__Reply *rejection(const Sonde__Trace *trace)
{
	for (size_t i = 0; i < trace->n_replies; i++)
		if (reply_outcome(trace->replies[i], &trace->dst,
			trace->method) == SONDE__OUTCOME__OUTCOME_REJECTED)
			return trace->replies[i];
	return NULL;
}

static void print_not_reached(const struct text *t, const Sonde__Trace *trace)
{
	char a[ADDR_TEXT_LEN], error[40];
	const Sonde__Reply *no = rejection(trace);
	fprintf(t->to, "%snot reached: ", text_on(t, TEXT_WARN));
	const char *words = trace->stop_reason;
	for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++)
		if (strcmp(reasons[i].reason, trace->stop_reason) == 0)
			words = reasons[i].words;
	if (no && strcmp(trace->stop_reason, "unreachable") == 0)
		fprintf(t->to, "%s, says %s", reply_error(no, error),
		    reply_addr(&no->from, a));
	else
		text_print(t, words);
	fputs(text_off(t), t->to);
}

/* The lowest TTL that the target answered, or UINT32_MAX. */
static uint32_t reached_ttl(const Sonde__Trace *trace)
{
	uint32_t hops = UINT32_MAX;
	for (size_t i = 0; i < trace->n_replies; i++) {
		const Sonde__Reply *r = trace->replies[i];
		if (r->probe_ttl < hops &&
		    reply_reached(r, &trace->dst, trace->method))
			hops = r->probe_ttl;
	}
	return hops;
}

/* The first distance that was asked for bounds the length from above only; so
 * does an answer of a target that is known to be nearer, and silent there. */
static void print_reached(
    const struct text *t, const Sonde__Trace *trace, uint32_t hops)
{
	bool bound = hops > 1 &&
	    (hops == trace->first_ttl ||
		strcmp(trace->stop_reason, "limited") == 0);
	if (hops == UINT32_MAX)
		fprintf(
		    t->to, "%sreached%s", text_on(t, TEXT_GOOD), text_off(t));
	else
		fprintf(t->to, "%sreached in %s%u hop%s%s",
		    text_on(t, TEXT_GOOD), bound ? "at most " : "", hops,
		    hops == 1 ? "" : "s", text_off(t));
}

void text_trace_preview(struct text *t, const Sonde__Trace *part)
{
	if (!t->shown_head)
		print_head(t, part);
	t->shown_head = true;
	print_hops(t, part, part->max_ttl);
	if (part->max_ttl > t->shown_ttl)
		t->shown_ttl = part->max_ttl;
	fflush(t->to);
}

void text_trace(struct text *t, const Sonde__Trace *trace)
{
	if (!t->shown_head)
		print_head(t, trace);
	print_hops(t, trace, UINT32_MAX);
	t->shown_head = false;
	t->shown_ttl = 0;
	size_t probes = 0;
	for (size_t i = 0; i < trace->n_replies; i++)
		probes += !trace->replies[i]->duplicate &&
		    !reply_not_sent(trace->replies[i]);
	uint32_t hops = reached_ttl(trace);
	if (strcmp(trace->stop_reason, "completed") == 0 ||
	    (strcmp(trace->stop_reason, "limited") == 0 && hops < UINT32_MAX))
		print_reached(t, trace, hops);
	else
		print_not_reached(t, trace);
	fprintf(t->to, ", %zu probe%s", probes, probes == 1 ? "" : "s");
	if (trace->has_replies_left_out_case)
		fprintf(
		    t->to, ", %u not in the record", trace->replies_left_out);
	putc('\n', t->to);
}
