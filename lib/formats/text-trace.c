/* SPDX-License-Identifier: ISC */
/*
 * A trace as a column of hops: number, address, times, and after them only
 * what is out of the ordinary: refusals, labels, losses.  A hop with several
 * addresses takes a line for each.
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
	{ "unreachable", "a router reports it" },
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

static void print_extensions(const struct text *t, const Sonde__Reply *reply)
{
	if (reply->n_extensions == 0)
		return;
	fputs(text_on(t, TEXT_DIM), t->to);
	for (size_t i = 0; i < reply->n_extensions; i++) {
		const Sonde__IcmpExtension *e = reply->extensions[i];
		if (e->n_mpls > 0)
			print_mpls(t, e);
		else
			fprintf(t->to, "  ext %u/%u", e->class_num, e->c_type);
	}
	fputs(text_off(t), t->to);
}

/* The replies of one hop, a run of the trace's. */
struct hop {
	Sonde__Reply *const *replies;
	size_t count;
};

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
			if (r->duplicate ||
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

static void print_address(
    const struct text *t, const struct hop *h, size_t at, int width)
{
	char a[ADDR_TEXT_LEN];
	const Sonde__Reply *reply = h->replies[at];
	fprintf(t->to, "  %-*s", width, reply_addr(&reply->from, a));
	print_times(t, h, at);
	const char *mark = reply_mark(reply, reply->from.len == 16);
	if (*mark)
		fprintf(
		    t->to, " %s%s%s", text_on(t, TEXT_WARN), mark, text_off(t));
	print_extensions(t, reply);
}

static bool seen_before(const struct hop *h, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (same_address(&h->replies[i]->from, &h->replies[at]->from))
			return true;
	return false;
}

static void print_lost(const struct text *t, size_t lost, size_t sent)
{
	if (lost > 0 && lost < sent)
		fprintf(t->to, "  %s%zu of %zu lost%s", text_on(t, TEXT_WARN),
		    lost, sent, text_off(t));
	else if (lost > 0)
		fprintf(t->to, "  %s*%s", text_on(t, TEXT_DIM), text_off(t));
}

static void print_hop(const struct text *t, const struct hop *h, int width)
{
	size_t lines = 0, lost = 0, sent = 0;
	fprintf(t->to, "%4u", h->replies[0]->probe_ttl);
	for (size_t i = 0; i < h->count; i++) {
		const Sonde__Reply *r = h->replies[i];
		if (reply_not_sent(r)) {
			text_not_sent(t, r);
			lines++;
			continue;
		}
		sent += !r->duplicate;
		lost += r->from.len == 0;
		if (r->from.len == 0 || seen_before(h, i))
			continue;
		fputs(lines++ ? "\n    " : "", t->to);
		print_address(t, h, i, width);
	}
	print_lost(t, lost, sent);
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

static uint32_t print_hops(const struct text *t, const Sonde__Trace *trace)
{
	int width = address_width(trace);
	uint32_t last = 0;
	for (size_t i = 0; i < trace->n_replies;) {
		struct hop h = { &trace->replies[i], 1 };
		last = h.replies[0]->probe_ttl;
		while (i + h.count < trace->n_replies &&
		    h.replies[h.count]->probe_ttl == last)
			h.count++;
		print_hop(t, &h, width);
		i += h.count;
	}
	return last;
}

static void print_head(struct text *t, const Sonde__Trace *trace)
{
	char src[ADDR_TEXT_LEN];
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

static void print_not_reached(const struct text *t, const char *reason)
{
	fprintf(t->to, "%snot reached: ", text_on(t, TEXT_WARN));
	const char *words = reason;
	for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++)
		if (strcmp(reasons[i].reason, reason) == 0)
			words = reasons[i].words;
	text_print(t, words);
	fputs(text_off(t), t->to);
}

void text_trace(struct text *t, const Sonde__Trace *trace)
{
	text_apart(t);
	print_head(t, trace);
	uint32_t hops = print_hops(t, trace);
	size_t probes = 0;
	for (size_t i = 0; i < trace->n_replies; i++)
		probes += !trace->replies[i]->duplicate &&
		    !reply_not_sent(trace->replies[i]);
	if (strcmp(trace->stop_reason, "completed") == 0)
		fprintf(t->to, "%sreached in %u hop%s%s", text_on(t, TEXT_GOOD),
		    hops, hops == 1 ? "" : "s", text_off(t));
	else
		print_not_reached(t, trace->stop_reason);
	fprintf(t->to, ", %zu probe%s\n", probes, probes == 1 ? "" : "s");
}
