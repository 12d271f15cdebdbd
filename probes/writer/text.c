/* SPDX-License-Identifier: ISC */
/*
 * For people: a trace as a column of hops, a ping as its replies and a
 * summary, everything else as one line.  Colour only repeats what the words
 * say.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/xalloc.h"
#include "probes/writer/reply.h"
#include "probes/writer/writer.h"


enum style { PLAIN, DIM, BOLD, GOOD, WARN, BAD };

struct text {
	FILE *to; /* borrowed */
	int colour;
};

static const char *style_on(const struct text *t, enum style style)
{
	static const char *const codes[] = {
	    "", "\033[2m", "\033[1m", "\033[32m", "\033[33m", "\033[31m"};
	return t->colour ? codes[style] : "";
}

static const char *style_off(const struct text *t)
{
	return t->colour ? "\033[0m" : "";
}

static void print_ms(const struct text *t, uint64_t ns)
{
	double ms = (double)ns / NS_PER_MS;
	fprintf(t->to, "  %7.*f ms", ms < 10 ? 3 : ms < 100 ? 2 : 1, ms);
}

static void print_target(const struct text *t, const ProtobufCBinaryData *dst,
    const char *name)
{
	char a[ADDR_TEXT_LEN];
	if (name && *name)
		fprintf(t->to, "%s (%s)", name, reply_addr(dst, a));
	else
		fputs(reply_addr(dst, a), t->to);
}

static void print_extensions(const struct text *t, const Sonde__Reply *reply)
{
	for (size_t i = 0; i < reply->n_extensions; i++) {
		const Sonde__IcmpExtension *e = reply->extensions[i];
		fputs(style_on(t, DIM), t->to);
		for (size_t j = 0; j < e->n_mpls; j++)
			fprintf(t->to, "  MPLS %u tc %u ttl %u",
			    e->mpls[j]->label, e->mpls[j]->traffic_class,
			    e->mpls[j]->ttl);
		if (e->n_mpls == 0)
			fprintf(t->to, "  ext %u/%u (%zu octets)",
			    e->class_num, e->c_type, e->data.len);
		fputs(style_off(t), t->to);
	}
}

/* One probe's fate; the address only where it differs from the one before. */
static void print_reply(const struct text *t, const Sonde__Reply *reply,
    const Sonde__Reply *before)
{
	char a[ADDR_TEXT_LEN];
	if (reply->denied && *reply->denied) {
		fprintf(t->to, "  %sdenied: %s%s", style_on(t, BAD),
		    reply->denied, style_off(t));
		return;
	}
	if (reply->from.len == 0) {
		fprintf(t->to, "  %s%7s   %s", style_on(t, DIM), "*",
		    style_off(t));
		return;
	}
	bool same = before && before->from.len == reply->from.len &&
	    memcmp(before->from.data, reply->from.data, reply->from.len) == 0;
	if (!same)
		fprintf(t->to, "%s%-15s",
		    before ? "\n      " : "  ", reply_addr(&reply->from, a));
	print_ms(t, reply->rtt_ns);
	const char *mark = reply_mark(reply, reply->from.len == 16);
	if (*mark)
		fprintf(t->to, " %s%s%s", style_on(t, WARN), mark,
		    style_off(t));
	if (!same)
		print_extensions(t, reply);
}

static const Sonde__Reply *last_answered(
    const Sonde__Trace *trace, size_t first, size_t end)
{
	while (end > first)
		if (trace->replies[--end]->from.len)
			return trace->replies[end];
	return NULL;
}

static uint32_t print_hops(const struct text *t, const Sonde__Trace *trace)
{
	uint32_t hops = 0;
	size_t first = 0;
	for (size_t i = 0; i < trace->n_replies; i++) {
		const Sonde__Reply *reply = trace->replies[i];
		bool starts = i == 0 ||
		    trace->replies[i - 1]->probe_ttl != reply->probe_ttl;
		if (starts) {
			first = i;
			hops = reply->probe_ttl;
			fprintf(t->to, "%s%4u", i ? "\n" : "", hops);
		}
		print_reply(t, reply, last_answered(trace, first, i));
	}
	if (trace->n_replies)
		putc('\n', t->to);
	return hops;
}

static void write_trace(const struct text *t, const Sonde__Trace *trace)
{
	char src[ADDR_TEXT_LEN];
	fprintf(t->to, "%strace to ", style_on(t, BOLD));
	print_target(t, &trace->dst, trace->dst_name);
	fprintf(t->to, "%s from %s, %s", style_off(t),
	    reply_addr(&trace->src, src), trace->method);
	if (strcmp(trace->method, "icmp") == 0)
		fprintf(t->to, " id %u checksum 0x%04x", trace->sport,
		    trace->dport);
	else
		fprintf(t->to, " %u > %u", trace->sport, trace->dport);
	putc('\n', t->to);
	uint32_t hops = print_hops(t, trace);
	bool completed = strcmp(trace->stop_reason, "completed") == 0;
	if (completed)
		fprintf(t->to, "%sreached in %u hop%s%s", style_on(t, GOOD),
		    hops, hops == 1 ? "" : "s", style_off(t));
	else
		fprintf(t->to, "%snot reached: %s%s", style_on(t, WARN),
		    trace->stop_reason, style_off(t));
	fprintf(t->to, ", %zu probe%s\n", trace->n_replies,
	    trace->n_replies == 1 ? "" : "s");
}

static void write_ping_reply(const struct text *t, const Sonde__Reply *reply)
{
	char a[ADDR_TEXT_LEN];
	if (reply->denied && *reply->denied)
		fprintf(t->to, "  %sdenied: %s%s", style_on(t, BAD),
		    reply->denied, style_off(t));
	else if (reply->from.len == 0)
		fprintf(t->to, "  %sno reply%s", style_on(t, WARN),
		    style_off(t));
	else {
		fprintf(t->to, "  %s", reply_addr(&reply->from, a));
		print_ms(t, reply->rtt_ns);
		fprintf(t->to, "  ttl %u", reply->reply_ttl);
		const char *mark = reply_mark(reply, reply->from.len == 16);
		if (*mark)
			fprintf(t->to, "  %s%s%s", style_on(t, WARN), mark,
			    style_off(t));
		if (reply->duplicate)
			fputs("  duplicate", t->to);
		if (reply->late)
			fputs("  late", t->to);
	}
}

static void write_ping(const struct text *t, const Sonde__Ping *ping)
{
	fprintf(t->to, "%sping ", style_on(t, BOLD));
	print_target(t, &ping->dst, ping->dst_name);
	fputs(style_off(t), t->to);
	if (ping->n_replies == 1) {
		write_ping_reply(t, ping->replies[0]);
		putc('\n', t->to);
		return;
	}
	putc('\n', t->to);
	for (size_t i = 0; i < ping->n_replies; i++) {
		fprintf(t->to, "%4u", ping->replies[i]->attempt);
		write_ping_reply(t, ping->replies[i]);
		putc('\n', t->to);
	}
	double lost = ping->sent && ping->received < ping->sent
	    ? 100.0 * (ping->sent - ping->received) / ping->sent : 0;
	fprintf(t->to, "%u sent, %u received, %s%.0f %% lost%s", ping->sent,
	    ping->received, style_on(t, lost > 0 ? WARN : GOOD), lost,
	    style_off(t));
	if (ping->received)
		fprintf(t->to, ", rtt %.3f / %.3f / %.3f ms (min / avg / max)",
		    (double)ping->rtt_min_ns / NS_PER_MS,
		    (double)ping->rtt_avg_ns / NS_PER_MS,
		    (double)ping->rtt_max_ns / NS_PER_MS);
	putc('\n', t->to);
}

static void print_field(const struct text *t, const Sonde__Field *field)
{
	char a[ADDR_TEXT_LEN];
	fprintf(t->to, "  %s=", field->name);
	switch (field->value_case) {
	case SONDE__FIELD__VALUE_INTEGER:
		fprintf(t->to, "%" PRId64, field->integer);
		break;
	case SONDE__FIELD__VALUE_NUMBER:
		fprintf(t->to, "%g", field->number);
		break;
	case SONDE__FIELD__VALUE_BOOLEAN:
		fputs(field->boolean ? "true" : "false", t->to);
		break;
	case SONDE__FIELD__VALUE_TEXT:
		for (const char *c = field->text; *c; c++)
			putc((unsigned char)*c < 0x20 || *c == 0x7f ? '?' : *c,
			    t->to);
		break;
	case SONDE__FIELD__VALUE_ADDRESS:
		fputs(reply_addr(&field->address, a), t->to);
		break;
	case SONDE__FIELD__VALUE_OCTETS:
		for (size_t i = 0; i < field->octets.len; i++)
			fprintf(t->to, "%02x", field->octets.data[i]);
		break;
	case SONDE__FIELD__VALUE__NOT_SET:
	case _SONDE__FIELD__VALUE__CASE_IS_INT_SIZE: putc('-', t->to); break;
	}
}

static void write_sighting(const struct text *t, const Sonde__Sighting *s)
{
	char a[ADDR_TEXT_LEN];
	fprintf(t->to, "%s%-15s%s  %-12s %-10s proto %u port %u  %" PRIu64
	    " packets to %u targets\n", style_on(t, BOLD),
	    reply_addr(&s->src, a), style_off(t), s->verdict,
	    *s->signature ? s->signature : "-", s->proto, s->dport, s->packets,
	    s->targets);
}

/* What has no layout of its own is its kind and what matters most. */
static void write_other(const struct text *t, const Sonde__Record *record)
{
	const char *kind = record_kind_name(record->body_case);
	fprintf(t->to, "%s", kind ? kind : "empty record");
	if (record->body_case == SONDE__RECORD__BODY_TRAIN) {
		fprintf(t->to, " %s", record->train->script);
		for (size_t i = 0; i < record->train->n_fields; i++)
			print_field(t, record->train->fields[i]);
	} else if (record->body_case == SONDE__RECORD__BODY_LOSS)
		fprintf(t->to, " %" PRIu64 " to %" PRIu64 ": %s",
		    record->loss->from_seq, record->loss->to_seq,
		    record->loss->reason);
	else if (record->body_case == SONDE__RECORD__BODY_LOG)
		fprintf(t->to, " %s: %s", record->log->process,
		    record->log->text);
	else if (record->body_case == SONDE__RECORD__BODY_HEARTBEAT)
		fprintf(t->to, " %zu counters", record->heartbeat->n_counters);
	putc('\n', t->to);
}

static int text_open(void **ctx, FILE *to, int colour, struct errmsg *msg)
{
	(void)msg;
	struct text *t = xcalloc(1, sizeof(*t));
	*t = (struct text){to, colour};
	*ctx = t;
	return 0;
}

static int text_record(
    void *ctx, const Sonde__Record *record, struct errmsg *msg)
{
	const struct text *t = ctx;
	if (record->body_case == SONDE__RECORD__BODY_TRACE)
		write_trace(t, record->trace);
	else if (record->body_case == SONDE__RECORD__BODY_PING)
		write_ping(t, record->ping);
	else if (record->body_case == SONDE__RECORD__BODY_SIGHTING)
		write_sighting(t, record->sighting);
	else
		write_other(t, record);
	if (ferror(t->to))
		return err_set(msg, -EIO, "output: cannot write");
	return 0;
}

static int text_close(void *ctx, struct errmsg *msg)
{
	struct text *t = ctx;
	int failed = fflush(t->to);
	free(t);
	return failed ? err_set(msg, -errno, "output: %s", strerror(errno)) : 0;
}

const struct writer_ops writer_text = {
    .name = "text",
    .help = "for people",
    .open = text_open,
    .record = text_record,
    .close = text_close,
};
