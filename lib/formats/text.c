/* SPDX-License-Identifier: ISC */
/*
 * For people: a trace as a column of hops (text-trace.c), a ping as its
 * replies and a summary (text-ping.c), a script's rows as tables
 * (text-result.c), everything else as one line.  Colour
 * only repeats the words.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/hex.h"
#include "lib/base/clock.h"
#include "lib/base/xalloc.h"
#include "lib/formats/text-result.h"
#include "lib/formats/text.h"
#include "lib/formats/format.h"

static void print_field(const struct text *t, const Sonde__Field *field)
{
	char a[ADDR_TEXT_LEN];
	fputs("  ", t->to);
	text_print(t, field->name);
	putc('=', t->to);
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
	case SONDE__FIELD__VALUE_TEXT: text_print(t, field->text); break;
	case SONDE__FIELD__VALUE_ADDRESS:
		fputs(reply_addr(&field->address, a), t->to);
		break;
	case SONDE__FIELD__VALUE_OCTETS:
		hex_print(t->to, field->octets.data, field->octets.len);
		break;
	case SONDE__FIELD__VALUE__NOT_SET:
	case _SONDE__FIELD__VALUE__CASE_IS_INT_SIZE: putc('-', t->to); break;
	}
}

static const char *proto_text(uint32_t proto, char to[static 16])
{
	const char *name = proto == 6 ? "tcp"
	    : proto == 17             ? "udp"
	    : proto == 1              ? "icmp"
	    : proto == 58             ? "icmp6"
				      : NULL;
	if (name)
		return name;
	snprintf(to, 16, "ip-%u", proto);
	return to;
}

/* Words from outside, padded, and a space. */
static void print_column(const struct text *t, const char *text, size_t width)
{
	text_print(t, text);
	for (size_t n = strlen(text); n < width; n++)
		putc(' ', t->to);
	putc(' ', t->to);
}

/* What the verdict stands on. */
static void print_verdict(const struct text *t, const Sonde__Sighting *s)
{
	char victim[ADDR_TEXT_LEN];
	reply_addr(&s->victim, victim);
	if (s->has_ports_case && s->ports > 1)
		fprintf(t->to, ", %s%u ports",
		    s->ports_at_least ? "at least " : "", s->ports);
	if (s->has_addresses_case)
		fprintf(t->to, ", from %u addresses", s->addresses);
	if (s->victim.len > 0 &&
	    (s->victim.len != s->src.len ||
		memcmp(s->victim.data, s->src.data, s->src.len) != 0))
		fprintf(t->to, ", victim %s", victim);
	if (s->has_odds_case && s->odds > 1)
		fprintf(
		    t->to, ", innocent once in %" PRIu64 " at most", s->odds);
}

static void write_sighting(const struct text *t, const Sonde__Sighting *s)
{
	char a[ADDR_TEXT_LEN], proto[16];
	text_stamp(t);
	if (s->src.len == 0 && s->sources > 0)
		snprintf(a, sizeof(a), "%u+ sources", s->sources);
	else
		reply_addr(&s->src, a);
	fprintf(t->to, "%s%-15s%s  ", text_on(t, TEXT_BOLD), a, text_off(t));
	print_column(t, s->verdict, 16);
	print_column(t, *s->signature ? s->signature : "-", 10);
	fputs(proto_text(s->proto, proto), t->to);
	if (s->proto == 1 || s->proto == 58) /* ICMP, of both families */
		fprintf(t->to, " type %u/%u", s->dport >> 8, s->dport & 0xff);
	else
		fprintf(t->to, " port %u", s->dport);
	fprintf(t->to, "  %" PRIu64 " packet%s to %u target%s", s->packets,
	    s->packets == 1 ? "" : "s", s->targets, s->targets == 1 ? "" : "s");
	print_verdict(t, s);
	putc('\n', t->to);
}

static void print_log(const struct text *t, const Sonde__Log *log)
{
	putc(' ', t->to);
	text_print(t, log->process);
	fputs(": ", t->to);
	text_print(t, log->text);
}

static void print_evidence(const struct text *t, const Sonde__Evidence *e)
{
	char src[ADDR_TEXT_LEN];
	reply_addr(&e->src, src);
	fprintf(t->to, " %s ", src);
	text_print(t, e->verdict);
	fputs(" by ", t->to);
	text_print(t, e->rule);
	fprintf(t->to, " %u: %u bytes, ", e->rule_version, e->size_bytes);
	hex_print(t->to, e->packet.data, e->packet.len);
}

static void print_gap(const struct text *t, const Sonde__Gap *gap)
{
	fprintf(
	    t->to, " %" PRIu64 " to %" PRIu64 ": ", gap->from_seq, gap->to_seq);
	text_print(t, gap->reason);
}

/* What has no layout of its own is its kind and what matters most; what a
 * script recorded is a result, with a schema or without. */
static void write_other(const struct text *t, const Sonde__Record *record)
{
	bool is_train = record->body_case == SONDE__RECORD__BODY_TRAIN;
	const char *kind =
	    is_train ? "result" : record_kind_name(record->body_case);
	text_stamp(t);
	fprintf(t->to, "%s", kind ? kind : "empty record");
	if (is_train) {
		putc(' ', t->to);
		text_print(t, record->train->script);
		for (size_t i = 0; i < record->train->n_fields; i++)
			print_field(t, record->train->fields[i]);
	} else if (record->body_case == SONDE__RECORD__BODY_GAP)
		print_gap(t, record->gap);
	else if (record->body_case == SONDE__RECORD__BODY_LOG)
		print_log(t, record->log);
	else if (record->body_case == SONDE__RECORD__BODY_EVIDENCE)
		print_evidence(t, record->evidence);
	else if (record->body_case == SONDE__RECORD__BODY_RESULT)
		fprintf(t->to, " of table %u of a schema that is not known",
		    record->result->table);
	else if (record->body_case == SONDE__RECORD__BODY_HEARTBEAT)
		fprintf(t->to, " %zu counters", record->heartbeat->n_counters);
	putc('\n', t->to);
}

struct text_format {
	struct text text;
	struct text_results results;
};

static int text_open(void **ctx, FILE *to, int colour, struct errmsg *msg)
{
	(void)msg;
	struct text_format *format = xcalloc(1, sizeof(*format));
	format->text = (struct text){ .to = to, .colour = colour };
	*ctx = format;
	return 0;
}

static int text_record(
    void *ctx, const Sonde__Record *record, struct errmsg *msg)
{
	struct text_format *format = ctx;
	struct text *t = &format->text;
	const struct record_kind *kind = record_kind_of(record->body_case);
	bool by_hand =
	    record->campaign.len == 0 && kind && kind->class == SPOOL_RESULTS;
	int err = 0;
	t->wall_ns = by_hand ? 0 : record->wall_ns;
	if (record->body_case == SONDE__RECORD__BODY_TRACE)
		text_trace(t, record->trace);
	else if (record->body_case == SONDE__RECORD__BODY_PING)
		text_ping(t, record->ping);
	else if (record->body_case == SONDE__RECORD__BODY_SIGHTING)
		write_sighting(t, record->sighting);
	else if (record->body_case == SONDE__RECORD__BODY_RESULT_SCHEMA ||
	    record->body_case == SONDE__RECORD__BODY_RESULT)
		err = text_result(&format->results, t, record, msg);
	else
		write_other(t, record);
	if (err == ERR_NOT_FOUND) { /* a row whose columns are not known */
		write_other(t, record);
		err = 0;
	}
	if (ferror(t->to))
		return err_set(msg, -EIO, "output: cannot write");
	return err;
}

static void text_select(void *ctx, const char *table)
{
	struct text_format *format = ctx;
	result_stream_select(&format->results.stream, table);
}

static int text_preview(
    void *ctx, const Sonde__Record *part, struct errmsg *msg)
{
	struct text_format *format = ctx;
	struct text *t = &format->text;
	if (part->body_case == SONDE__RECORD__BODY_PING)
		text_ping_preview(t, part->ping);
	if (part->body_case == SONDE__RECORD__BODY_TRACE)
		text_trace_preview(t, part->trace);
	return ferror(t->to) ? err_set(msg, -EIO, "output: cannot write") : 0;
}

static int text_close(void *ctx, struct errmsg *msg)
{
	struct text_format *format = ctx;
	text_results_flush(&format->results, &format->text);
	int failed = fflush(format->text.to);
	text_results_fini(&format->results);
	free(format);
	return failed ? err_set(msg, -errno, "output: %s", strerror(errno)) : 0;
}

const struct format_ops format_text = {
	.name = "text",
	.help = "for people",
	.media_type = "text/plain; charset=utf-8",
	.extension = "txt",
	.open = text_open,
	.item = text_record,
	.preview = text_preview,
	.select = text_select,
	.close = text_close,
};
