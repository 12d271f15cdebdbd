/* SPDX-License-Identifier: ISC */
/*
 * What the results do not show by themselves, or only one by one: which probes
 * the policy kept back, and which clocks the times rest on.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "lib/base/buf.h"
#include "probes/cli/measure-verbose.h"
#include "lib/formats/reply-text.h"

void verbose_print(const struct verbose *verbose, const char *format, ...)
{
	va_list ap;
	if (!verbose->on)
		return;
	fprintf(stderr, "sonde %s: ", verbose->name);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	putc('\n', stderr);
}

static void count_clock(uint64_t *clocks, Sonde__Clock clock)
{
	clocks[(unsigned)clock < VERBOSE_CLOCKS ? clock : 0]++;
}

static void probe(struct verbose *v, const ProtobufCBinaryData *dst,
    const char *method, const Sonde__Reply *r)
{
	char to[ADDR_TEXT_LEN];
	const char *why = reply_not_sent(r);
	Sonde__Outcome outcome = reply_outcome(r, dst, method);
	if (!r->duplicate && (unsigned)outcome < VERBOSE_OUTCOMES)
		v->outcomes[outcome]++;
	if (why) {
		v->denied++;
		verbose_print(v, "to %s, ttl %u, attempt %u: %s%s",
		    reply_addr(dst, to), r->probe_ttl, r->attempt,
		    *r->denied ? "denied: " : "", why);
		return;
	}
	if (!r->duplicate) {
		v->sent++;
		count_clock(v->tx_clocks, r->tx_clock);
	}
	if (r->from.len == 0)
		return;
	v->answered++;
	count_clock(v->rx_clocks, r->rx_clock);
}

/* By which way probes left, or were to leave; nothing of a network that has
 * no devices. */
static void print_way(const struct verbose *v, const ProtobufCBinaryData *dst,
    const ProtobufCBinaryData *src, const char *device,
    const ProtobufCBinaryData *next_hop)
{
	char to[ADDR_TEXT_LEN], from[ADDR_TEXT_LEN], via[ADDR_TEXT_LEN];
	if (!*device)
		return;
	reply_addr(dst, to);
	if (src->len == 0)
		verbose_print(v, "to %s: device %s", to, device);
	else
		verbose_print(v, "to %s: device %s, from %s%s%s", to, device,
		    reply_addr(src, from), next_hop->len ? ", next hop " : "",
		    next_hop->len ? reply_addr(next_hop, via) : "");
}

void verbose_record(struct verbose *verbose, const Sonde__Record *record)
{
	const Sonde__Trace *t = record->trace;
	const Sonde__Ping *p = record->ping;
	verbose->records++;
	if (record->body_case == SONDE__RECORD__BODY_TRACE) {
		print_way(verbose, &t->dst, &t->src, t->device, &t->next_hop);
		for (size_t i = 0; i < t->n_replies; i++)
			probe(verbose, &t->dst, t->method, t->replies[i]);
	} else if (record->body_case == SONDE__RECORD__BODY_PING) {
		print_way(verbose, &p->dst, &p->src, p->device, &p->next_hop);
		for (size_t i = 0; i < p->n_replies; i++)
			probe(verbose, &p->dst, p->method, p->replies[i]);
	}
}

static void list_clocks(struct buf *b, const uint64_t *clocks)
{
	static const char *const names[VERBOSE_CLOCKS] = { "an unknown clock",
		"user space", "the kernel", "the network adapter",
		"virtual time" };
	const char *before = ", stamped by ";
	for (size_t i = 0; i < VERBOSE_CLOCKS; i++) {
		if (clocks[i] == 0)
			continue;
		buf_printf(
		    b, "%s%s (%" PRIu64 ")", before, names[i], clocks[i]);
		before = ", ";
	}
}

static void list_outcomes(struct buf *b, const uint64_t *outcomes)
{
	const char *before = "; outcomes: ";
	for (unsigned i = 0; i < VERBOSE_OUTCOMES; i++) {
		if (outcomes[i] == 0)
			continue;
		buf_printf(b, "%s%s (%" PRIu64 ")", before,
		    outcome_name((Sonde__Outcome)i), outcomes[i]);
		before = ", ";
	}
}

void verbose_end(const struct verbose *verbose)
{
	struct buf b = { 0 };
	buf_printf(&b, "records: %" PRIu64 "; probes sent: %" PRIu64,
	    verbose->records, verbose->sent);
	list_clocks(&b, verbose->tx_clocks);
	buf_printf(&b, "; replies: %" PRIu64, verbose->answered);
	list_clocks(&b, verbose->rx_clocks);
	buf_printf(&b, "; not sent: %" PRIu64, verbose->denied);
	list_outcomes(&b, verbose->outcomes);
	buf_u8(&b, 0);
	verbose_print(verbose, "%s", (const char *)b.data);
	buf_fini(&b);
}
