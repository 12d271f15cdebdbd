/* SPDX-License-Identifier: ISC */
/*
 * JSON and CSV go out as findings come, so memory does not grow with them; the
 * table has to know the worst, so it keeps the worst few thousand.  Sources
 * that were evicted are rows together, by what they did.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/hex.h"
#include "lib/base/xalloc.h"
#include "probes/cli/sensor-report.h"
#include "probes/cli/sensor-row.h"
#include "probes/cli/sensor-warnings.h"
#include "probes/sensor/aggregate.h"
#include "lib/formats/csv-cell.h"

#define KEEP ((size_t)4096)
#define WRITE_BYTES 65536

struct tally {
	uint64_t findings, packets;
};

struct report {
	int fd, talk_fd, err;
	enum output_form form;
	uint32_t rows;
	struct buf out;
	struct finding *kept; /* the table's; 2 * KEEP */
	size_t kept_count;
	bool begun;
	uint64_t left_out; /* of the table, for want of room */
	struct tally verdicts[VERDICTS], unlisted; /* since the last summary */
	uint64_t ever[VERDICTS];                   /* findings before */
	struct aggregates *aggregates;             /* of evicted sources */
	struct sensor_row row;
};

struct report *report_new(
    int fd, int talk_fd, enum output_form form, uint32_t rows)
{
	struct report *r = xcalloc(1, sizeof(*r));
	r->fd = fd;
	r->talk_fd = talk_fd;
	r->form = form;
	r->rows = rows && rows < KEEP ? rows : (uint32_t)KEEP;
	return r;
}

void report_name_scanners(
    struct report *r, const struct known_scanners *scanners)
{
	r->row.scanners = scanners;
}

void report_free(struct report *r)
{
	if (!r)
		return;
	buf_fini(&r->out);
	aggregates_free(r->aggregates);
	free(r->kept);
	free(r);
}

uint64_t report_count(const struct report *r, enum verdict verdict)
{
	return r->ever[verdict] + r->verdicts[verdict].findings;
}

static int write_out(struct report *r)
{
	size_t at = 0;
	while (r->err == 0 && at < r->out.len) {
		ssize_t n = write(r->fd, r->out.data + at, r->out.len - at);
		if (n > 0)
			at += (size_t)n;
		else if (n < 0 && errno != EINTR)
			r->err = -errno;
	}
	buf_clear(&r->out);
	return r->err;
}

/* Titles, also where no finding follows. */
static void csv_begin(struct report *r)
{
	if (r->form == OUTPUT_CSV && !r->begun)
		buf_bytes(
		    &r->out, sensor_row_titles, strlen(sensor_row_titles));
	r->begun = true;
}

static void write_finding(struct report *r, const struct finding *f)
{
	csv_begin(r);
	char *at = (char *)buf_extend(&r->out, SENSOR_ROW_MOST);
	char *end = r->form == OUTPUT_CSV ? sensor_row_csv(&r->row, at, f)
					  : sensor_row_json(&r->row, at, f);
	r->out.len = (size_t)(end - (char *)r->out.data);
	if (r->out.len >= WRITE_BYTES)
		write_out(r);
}

static int worse_first(const void *a, const void *b)
{
	const struct finding *f = a, *g = b;
	if (f->verdict != g->verdict)
		return f->verdict < g->verdict ? -1 : 1;
	if (f->packets != g->packets)
		return f->packets > g->packets ? -1 : 1;
	return addr_cmp(&f->src, &g->src);
}

static void keep_finding(struct report *r, const struct finding *f)
{
	if (!r->kept)
		r->kept = xcalloc(2 * KEEP, sizeof(*r->kept));
	if (r->kept_count == 2 * KEEP) {
		qsort(r->kept, r->kept_count, sizeof(*r->kept), worse_first);
		r->left_out += r->kept_count - KEEP;
		r->kept_count = KEEP;
	}
	r->kept[r->kept_count++] = *f;
}

static void list_finding(void *arg, const struct finding *f)
{
	struct report *r = arg;
	if (r->form != OUTPUT_TEXT)
		write_finding(r, f);
	else
		keep_finding(r, f);
}

void report_finding(void *arg, const struct finding *f)
{
	struct report *r = arg;
	struct tally *tally = &r->verdicts[f->verdict];
	tally->findings++;
	tally->packets += f->packets;
	if (!f->evicted) {
		list_finding(r, f);
		return;
	}
	if (!r->aggregates)
		r->aggregates = aggregates_new();
	aggregates_add(r->aggregates, f);
	r->unlisted.findings++;
	r->unlisted.packets += f->packets;
}

/* "2026-11-22 01:59:05", and without the day's zone: UTC throughout. */
static const char *short_time(struct walltime t, char to[static 20])
{
	char text[WALLTIME_TEXT_LEN];
	walltime_text(t, text);
	snprintf(to, 20, "%.10s %.8s", text, text + 11);
	return to;
}

/* The rule, how seldom an innocent source does that, whom it was about, and
 * what is known of the source. */
static void write_reason(
    struct buf *b, const struct finding *f, const char *scanner)
{
	char victim[ADDR_TEXT_LEN];
	buf_printf(b, "%s", f->rule ? f->rule : "-");
	if (f->odds > 0)
		buf_printf(b, ", 1 in %.2g", (double)f->odds);
	if (f->victim.family)
		buf_printf(b, ", victim %s", addr_text(&f->victim, victim));
	if (f->src.family && !f->spoofable)
		buf_printf(b, ", address proven");
	if (scanner)
		buf_printf(b, ", known as %s", scanner);
}

static void write_row(
    struct buf *b, const struct finding *f, const char *scanner)
{
	char src[ADDR_TEXT_LEN], proto[8];
	char port[16] = "-";
	char first[20], last[20];
	const char *signature = signature_name(f->signature);
	if (f->src.family)
		addr_text(&f->src, src);
	else
		snprintf(src, sizeof(src), "(%u sources)", f->sources);
	if (f->dport != FINDING_NONE)
		snprintf(port, sizeof(port), "%d", f->dport);
	else if (f->icmp != FINDING_NONE)
		snprintf(
		    port, sizeof(port), "%d/%d", f->icmp >> 8, f->icmp & 0xff);
	else if (f->ports > 1)
		snprintf(port, sizeof(port), "many");
	buf_printf(b, "%-16s  %-9s  %-15s  %-5s  %7s  %9llu  %s%7u  %s  %s  ",
	    verdict_name(f->verdict), signature ? signature : "-", src,
	    f->proto == FINDING_NONE ? "-" : sensor_proto_name(f->proto, proto),
	    port, (unsigned long long)f->packets,
	    f->targets_quality == DISTINCT_IS_EXACT ? " " : "~", f->targets,
	    short_time(f->first, first), short_time(f->last, last));
	write_reason(b, f, scanner);
	buf_printf(b, "\n");
}

static void write_table(struct report *r)
{
	struct buf *b = &r->out;
	size_t shown = r->kept_count < r->rows ? r->kept_count : r->rows;
	if (r->kept_count == 0)
		return;
	qsort(r->kept, r->kept_count, sizeof(*r->kept), worse_first);
	buf_printf(b,
	    "%-16s  %-9s  %-15s  %-5s  %7s  %9s  %8s  %-19s  %-19s  %s\n",
	    "VERDICT", "SIGNATURE", "SOURCE", "PROTO", "PORT", "PACKETS",
	    "TARGETS", "FIRST (UTC)", "LAST (UTC)", "WHY");
	for (size_t i = 0; i < shown; i++)
		write_row(b, &r->kept[i],
		    known_scanners_find(r->row.scanners, &r->kept[i].src));
	uint64_t more = r->kept_count - shown + r->left_out;
	if (more > 0)
		buf_printf(b, "... and %llu more (--rows, --json)\n",
		    (unsigned long long)more);
	buf_printf(b, "\n");
	r->kept_count = 0;
	r->left_out = 0;
}

static int write_found(struct report *r)
{
	csv_begin(r);
	if (r->aggregates)
		aggregates_flush(r->aggregates, list_finding, r);
	if (r->form == OUTPUT_TEXT)
		write_table(r);
	return write_out(r);
}

static double rate_pps(const struct report_summary *s)
{
	double seconds = (double)s->elapsed_ns / (double)NS_PER_S;
	return seconds > 0 ? (double)s->counts.packets / seconds : 0;
}

/* Why frames gave no packet: the reasons that there were. */
static void write_json_reasons(struct buf *b, const struct engine_counts *c)
{
	const char *comma = "";
	buf_printf(b, "\"not_decoded\":{");
	for (int i = 0; i < PACKET_REASONS; i++) {
		if (c->reasons[i] == 0)
			continue;
		buf_printf(b, "%s\"%s\":%llu", comma,
		    packet_reason_name((enum packet_reason)i),
		    (unsigned long long)c->reasons[i]);
		comma = ",";
	}
	buf_printf(b, "},");
}

/* Lines become texts of an array, or lines that say what they are. */
static void write_warnings(struct report *r, const struct report_summary *s)
{
	struct buf lines = { 0 };
	bool json = r->form == OUTPUT_JSON;
	sensor_warnings_write(s, &lines);
	if (json)
		buf_printf(&r->out, "\"warnings\":[");
	for (size_t at = 0; at < lines.len;) {
		const char *line = (const char *)lines.data + at;
		size_t len =
		    (size_t)((const char *)memchr(line, '\n', lines.len - at) -
			line);
		buf_printf(&r->out, json ? "%s\"%.*s\"" : "%swarning: %.*s\n",
		    json && at > 0 ? "," : "", (int)len, line);
		at += len + 1;
	}
	if (json)
		buf_printf(&r->out, "],");
	buf_fini(&lines);
}

static void write_json_summary(struct report *r, const struct report_summary *s)
{
	struct buf *b = &r->out;
	const struct engine_counts *c = &s->counts;
	char since[WALLTIME_TEXT_LEN], until[WALLTIME_TEXT_LEN];
	const struct {
		const char *name;
		uint64_t value;
	} fields[] = {
		{ "packets", c->packets },
		{ "decoded", c->decoded },
		{ "truncated", c->truncated },
		{ "malformed", c->malformed },
		{ "not_ip", c->unsupported },
		{ "dropped", s->dropped },
		{ "fragments", c->fragments },
		{ "cut", c->cut },
		{ "undecided", c->undecided },
		{ "damaged", c->damaged },
		{ "home", c->home },
		{ "replies", c->replies },
		{ "sources", s->table.sources_ever },
		{ "evicted", s->table.evicted },
		{ "contacts_forgotten", s->table.contacts_forgotten },
		{ "unlisted", r->unlisted.findings },
		{ "unlisted_packets", r->unlisted.packets },
		{ "wrong_times", s->wrong_times },
		{ "filtered", s->filtered },
	};
	buf_printf(b, "{\"schema\":\"" SENSOR_SCHEMA "\",\"summary\":{");
	write_warnings(r, s);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		buf_printf(b, "\"%s\":%llu,", fields[i].name,
		    (unsigned long long)fields[i].value);
	write_json_reasons(b, c);
	buf_printf(b, "\"verdicts\":{");
	for (int v = 0; v < VERDICTS; v++)
		buf_printf(b, "%s\"%s\":{\"findings\":%llu,\"packets\":%llu}",
		    v ? "," : "", verdict_name((enum verdict)v),
		    (unsigned long long)r->verdicts[v].findings,
		    (unsigned long long)r->verdicts[v].packets);
	buf_printf(b, "},");
	if (s->until.ns != 0)
		buf_printf(b, "\"since\":\"%s\",\"until\":\"%s\",",
		    walltime_text(s->since, since),
		    walltime_text(s->until, until));
	buf_printf(b, "\"elapsed_s\":%.6f,\"rate_pps\":%.0f}}\n",
	    (double)s->elapsed_ns / (double)NS_PER_S, rate_pps(s));
}

/* What is zero is not worth a word. */
static void add_count(struct buf *b, uint64_t n, const char *what)
{
	if (n > 0)
		buf_printf(b, ", %llu %s", (unsigned long long)n, what);
}

static void write_text_summary(struct report *r, const struct report_summary *s)
{
	struct buf *b = &r->out;
	const struct engine_counts *c = &s->counts;
	char since[20], until[20];
	write_warnings(r, s);
	if (s->is_interval)
		buf_printf(b, "%s to %s: ", short_time(s->since, since),
		    short_time(s->until, until));
	buf_printf(b, "%llu packets, %llu decoded",
	    (unsigned long long)c->packets, (unsigned long long)c->decoded);
	add_count(b, c->truncated, "truncated");
	add_count(b, c->malformed, "malformed");
	add_count(b, c->unsupported, "not IP");
	add_count(b, s->dropped, "dropped");
	add_count(b, s->wrong_times, "with a wrong time");
	add_count(b, c->fragments, "fragments");
	add_count(b, c->undecided, "undecided for want of payload");
	add_count(b, c->damaged, "damaged");
	add_count(b, c->home, "from home");
	add_count(b, c->replies, "replies to home");
	buf_printf(
	    b, "; %llu sources", (unsigned long long)s->table.sources_ever);
	add_count(b, s->table.evicted, "evicted");
	add_count(b, r->unlisted.findings, "not listed");
	buf_printf(b, "; %.3f s, %.0f packets/s\n",
	    (double)s->elapsed_ns / (double)NS_PER_S, rate_pps(s));
}

/* The next interval counts from zero. */
static void add_tallies(struct report *r)
{
	for (int v = 0; v < VERDICTS; v++) {
		r->ever[v] += r->verdicts[v].findings;
		r->verdicts[v] = (struct tally){ 0 };
	}
	r->unlisted = (struct tally){ 0 };
}

int report_summarize(struct report *r, const struct report_summary *summary)
{
	int fd = r->fd;
	int err = write_found(r);
	if (r->form == OUTPUT_CSV)
		r->fd = r->talk_fd; /* it is no row */
	if (r->form == OUTPUT_JSON)
		write_json_summary(r, summary);
	else
		write_text_summary(r, summary);
	err = err ? err : write_out(r);
	r->fd = fd;
	add_tallies(r);
	return err;
}
