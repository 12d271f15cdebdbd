/* SPDX-License-Identifier: ISC */
/*
 * CSV (RFC 4180): a row a probe for traces and pings, a row a source for
 * sightings, a row a record for users' scripts (csv-train.c, csv-result.c). The
 * first record decides the columns; a record that does not fit them is an
 * error, because a spreadsheet would not show it.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/hex.h"
#include "lib/base/xalloc.h"
#include "lib/formats/csv-cell.h"
#include "lib/formats/csv-result.h"
#include "lib/formats/csv-train.h"
#include "lib/formats/reply-text.h"
#include "lib/formats/format.h"

enum layout { NONE, PROBES, SIGHTINGS, TRAINS, RESULTS };

struct csv {
	FILE *to; /* borrowed */
	enum layout layout;
	struct csv_train *columns; /* of TRAINS; NULL before the first */
	struct csv_results results;
};

static void address_cell(FILE *to, const ProtobufCBinaryData *bytes)
{
	char a[ADDR_TEXT_LEN];
	if (bytes->len)
		fputs(reply_addr(bytes, a), to);
}

/* The columns that a trace and a ping share. */
struct measurement {
	const char *kind, *name, *method;
	const ProtobufCBinaryData *src, *dst;
	char flow_id[17]; /* in hex, as in JSON; a ping has none */
};

/* Empty when it is not known: 0 is a value. */
static void number_cell(FILE *to, bool known, uint64_t value)
{
	if (known)
		fprintf(to, "%" PRIu64, value);
	putc(',', to);
}

/* What came back; all cells empty when nothing did. */
static void reply_cells(FILE *to, const Sonde__Reply *r)
{
	bool any = r->from.len > 0;
	address_cell(to, &r->from);
	putc(',', to);
	number_cell(to, r->has_rtt_ns_case, r->rtt_ns);
	number_cell(to, r->has_reply_ttl_case, r->reply_ttl);
	number_cell(to, r->has_icmp_type_case, r->icmp_type);
	number_cell(to, r->has_icmp_code_case, r->icmp_code);
	number_cell(to, r->has_tcp_flags_case, r->tcp_flags);
	fprintf(to, "%s,", !any ? "" : r->duplicate ? "true" : "false");
}

static void probe_row(FILE *to, int64_t wall_ns, const struct measurement *m,
    const Sonde__Reply *r)
{
	fprintf(to, "%s,%" PRId64 ",", m->kind, wall_ns);
	address_cell(to, m->src);
	putc(',', to);
	address_cell(to, m->dst);
	putc(',', to);
	csv_cell(to, m->name);
	putc(',', to);
	csv_cell(to, m->method);
	fprintf(to, ",%s,%u,%u,", m->flow_id, r->probe_ttl, r->attempt);
	if (r->tx_wall_ns)
		fprintf(to, "%" PRId64, r->tx_wall_ns);
	putc(',', to);
	reply_cells(to, r);
	csv_cell(to, r->denied);
	fprintf(to, ",%s,%s,",
	    outcome_name(reply_outcome(r, m->dst, m->method)),
	    r->from.len == 0 ? ""
		: r->late    ? "true"
			     : "false");
	number_cell(to, r->has_quoted_ttl_case, r->quoted_ttl);
	number_cell(to, r->has_quoted_tos_case, r->quoted_tos);
	number_cell(to, r->has_mtu_case, r->mtu);
	csv_cell(to, r->error);
	fprintf(to, ",%s,",
	    !r->has_tcp_flags_case    ? ""
		: r->perhaps_firewall ? "true"
				      : "false");
	if (r->has_from_port_case)
		fprintf(to, "%u", r->from_port);
	fputs(CSV_END, to);
}

static void sighting_row(FILE *to, const Sonde__Sighting *s)
{
	address_cell(to, &s->src);
	putc(',', to);
	csv_cell(to, s->verdict);
	putc(',', to);
	csv_cell(to, s->signature);
	fprintf(to, ",%u,%u,%" PRIu64 ",%u,%" PRId64 ",%" PRId64 ",", s->proto,
	    s->dport, s->packets, s->targets, s->first_wall_ns,
	    s->last_wall_ns);
	hex_print(to, s->payload_hash.data, s->payload_hash.len);
	fputs(CSV_END, to);
}

static int csv_open(void **ctx, FILE *to, int colour, struct errmsg *msg)
{
	(void)colour;
	(void)msg;
	struct csv *csv = xcalloc(1, sizeof(*csv));
	csv->to = to;
	*ctx = csv;
	return 0;
}

static enum layout layout_of(const Sonde__Record *record)
{
	if (record->body_case == SONDE__RECORD__BODY_TRACE ||
	    record->body_case == SONDE__RECORD__BODY_PING)
		return PROBES;
	if (record->body_case == SONDE__RECORD__BODY_SIGHTING)
		return SIGHTINGS;
	if (record->body_case == SONDE__RECORD__BODY_TRAIN)
		return TRAINS;
	if (record->body_case == SONDE__RECORD__BODY_RESULT)
		return RESULTS;
	return NONE;
}

static void header_row(struct csv *csv, enum layout layout)
{
	csv->layout = layout;
	if (layout == TRAINS || layout == RESULTS)
		return; /* only its record knows */
	fputs(layout == PROBES
		? "kind,wall_ns,src,dst,dst_name,method,flow_id,probe_ttl,"
		  "attempt,"
		  "tx_wall_ns,from,rtt_ns,reply_ttl,icmp_type,icmp_code,tcp_"
		  "flags,"
		  "duplicate,denied,outcome,late,quoted_ttl,quoted_tos,mtu,"
		  "error,perhaps_firewall,from_port" CSV_END
		: "src,verdict,signature,proto,dport,packets,targets,"
		  "first_wall_ns,last_wall_ns,payload_hash" CSV_END,
	    csv->to);
}

static void trace_rows(FILE *to, const Sonde__Record *record)
{
	const Sonde__Trace *t = record->trace;
	struct measurement m = { "trace", t->dst_name, t->method, &t->src,
		&t->dst, "" };
	snprintf(m.flow_id, sizeof(m.flow_id), "%016" PRIx64, t->flow_id);
	for (size_t i = 0; i < t->n_replies; i++)
		probe_row(to, record->wall_ns, &m, t->replies[i]);
}

static void ping_rows(FILE *to, const Sonde__Record *record)
{
	const Sonde__Ping *p = record->ping;
	struct measurement m = { "ping", p->dst_name, p->method, &p->src,
		&p->dst, "" };
	for (size_t i = 0; i < p->n_replies; i++)
		probe_row(to, record->wall_ns, &m, p->replies[i]);
}

static int csv_record(
    void *ctx, const Sonde__Record *record, struct errmsg *msg)
{
	struct csv *csv = ctx;
	if (record->body_case == SONDE__RECORD__BODY_RESULT_SCHEMA)
		return csv_result(&csv->results, csv->to, record, msg);
	enum layout layout = layout_of(record);
	const char *kind = record_kind_name(record->body_case);
	if (layout == NONE || (csv->layout != NONE && csv->layout != layout))
		return err_set(msg, ERR_UNSUPPORTED,
		    "csv: no columns for a "
		    "record of kind %s here; --json has them",
		    kind ? kind : "none");
	if (csv->layout == NONE)
		header_row(csv, layout);
	int err = 0;
	if (layout == TRAINS)
		err = csv_train_row(&csv->columns, csv->to, record, msg);
	else if (layout == RESULTS)
		err = csv_result(&csv->results, csv->to, record, msg);
	else if (record->body_case == SONDE__RECORD__BODY_TRACE)
		trace_rows(csv->to, record);
	else if (record->body_case == SONDE__RECORD__BODY_PING)
		ping_rows(csv->to, record);
	else
		sighting_row(csv->to, record->sighting);
	if (ferror(csv->to))
		return err_set(msg, -EIO, "output: cannot write");
	return err;
}

static void csv_select(void *ctx, const char *table)
{
	struct csv *csv = ctx;
	result_stream_select(&csv->results.stream, table);
}

static int csv_close(void *ctx, struct errmsg *msg)
{
	struct csv *csv = ctx;
	csv_results_flush(&csv->results, csv->to);
	int failed = fflush(csv->to);
	csv_results_fini(&csv->results);
	csv_train_free(csv->columns);
	free(csv);
	return failed ? err_set(msg, -errno, "output: %s", strerror(errno)) : 0;
}

const struct format_ops format_csv = {
	.name = "csv",
	.help = "a row a probe, a source, or a record of a script",
	.media_type = "text/csv; charset=utf-8; header=present",
	.extension = "csv",
	.kinds = "trace,ping",
	.holds = "trace,ping,sighting,train,result",
	.open = csv_open,
	.item = csv_record,
	.select = csv_select,
	.close = csv_close,
};
