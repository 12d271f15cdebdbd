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
#include "probes/cli/sensor-warnings.h"
#include "probes/sensor/aggregate.h"
#include "lib/formats/csv-cell.h"

#define SCHEMA "sonde-sensor/1"
#define KEEP ((size_t)4096)
#define WRITE_BYTES 65536
/* Titles, names and values of a finding: each has a bound, and the sum of the
 * bounds is less. */
#define ROW_MOST 2048

struct tally {
	uint64_t findings, packets;
};

/* The text of a second, up to its fraction. */
struct second_text {
	int64_t second;
	char text[WALLTIME_TEXT_LEN];
};
#define SECONDS 64

struct report {
	int fd, talk_fd, err;
	enum output_form form;
	uint32_t rows;
	struct buf out;
	char *at;             /* in out, while a row is written */
	struct finding *kept; /* the table's; 2 * KEEP */
	size_t kept_count;
	bool begun;
	uint64_t left_out; /* of the table, for want of room */
	struct tally verdicts[VERDICTS], unlisted; /* since the last summary */
	uint64_t ever[VERDICTS];                   /* findings before */
	struct aggregates *aggregates;             /* of evicted sources */
	const struct known_scanners *scanners;
	struct second_text seconds[SECONDS];
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
	r->scanners = scanners;
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

static const char *proto_name(int proto, char to[static 8])
{
	switch (proto) {
	case PACKET_TCP: return "tcp";
	case PACKET_UDP: return "udp";
	case PACKET_ICMP: return "icmp";
	case PACKET_ICMP6: return "icmp6";
	default: snprintf(to, 8, "ip-%d", proto); return to;
	}
}

/* Plain octets instead of printf, and room for a row at a time: a large capture
 * has many findings. */
static void begin_row(struct report *r)
{
	r->at = (char *)buf_extend(&r->out, ROW_MOST);
}

static void end_row(struct report *r)
{
	r->out.len = (size_t)(r->at - (char *)r->out.data);
}

static void append_bytes(struct report *r, const char *bytes, size_t len)
{
	memcpy(r->at, bytes, len);
	r->at += len;
}

static void append_text(struct report *r, const char *text)
{
	r->at = stpcpy(r->at, text);
}

static void put_number(struct report *r, uint64_t n)
{
	char text[20];
	size_t at = sizeof(text);
	do
		text[--at] = (char)('0' + n % 10);
	while ((n /= 10) > 0);
	append_bytes(r, text + at, sizeof(text) - at);
}

/* A member of a JSON object (the name has the comma before it), or the cell
 * of a CSV row: nothing that a finding holds needs quotes there. */
static void key(struct report *r, const char *name)
{
	append_text(r, r->form == OUTPUT_CSV ? "," : name);
}

static void null(struct report *r)
{
	if (r->form == OUTPUT_JSON)
		append_text(r, "null");
}

static void quote(struct report *r)
{
	if (r->form == OUTPUT_JSON)
		append_text(r, "\"");
}

static void put_count(struct report *r, const char *name, uint64_t n)
{
	key(r, name);
	put_number(r, n);
}

static void put_optional(struct report *r, const char *name, int n)
{
	key(r, name);
	if (n == FINDING_NONE)
		null(r);
	else
		put_number(r, (uint64_t)n);
}

static void put_text(struct report *r, const char *name, const char *text)
{
	key(r, name);
	if (!text) {
		null(r);
		return;
	}
	quote(r);
	append_text(r, text);
	quote(r);
}

static void put_bool(struct report *r, const char *name, bool value)
{
	key(r, name);
	append_text(r, value ? "true" : "false");
}

/* Most findings lie in few seconds: only the fraction is formatted again. */
static const char *second_text(struct report *r, int64_t second)
{
	struct second_text *known = &r->seconds[(uint64_t)second % SECONDS];
	if (known->second != second || known->text[0] == '\0') {
		known->second = second;
		walltime_text(
		    (struct walltime){ second * NS_PER_S }, known->text);
	}
	return known->text;
}

static void put_time(struct report *r, const char *name, struct walltime t)
{
	const char *text = second_text(r, t.ns / NS_PER_S);
	uint32_t ns = (uint32_t)(t.ns % NS_PER_S);
	char fraction[10];
	for (int i = 9; i > 0; ns /= 10)
		fraction[i--] = (char)('0' + ns % 10);
	fraction[0] = '.';
	key(r, name);
	quote(r);
	append_bytes(r, text, 19);
	append_bytes(r, fraction, sizeof(fraction));
	append_text(r, "Z");
	quote(r);
}

/* What is not zero. */
static void put_some(struct report *r, const char *name, uint64_t n)
{
	key(r, name);
	if (n == 0)
		null(r);
	else
		put_number(r, n);
}

/* The /48 around an IPv6 source, as sites have it. */
static void put_net(struct report *r, const char *name, const struct finding *f)
{
	char text[PREFIX_TEXT_LEN];
	struct prefix net;
	if (f->src.family == 6)
		net = prefix_of(&f->src, 48);
	put_text(r, name, f->src.family == 6 ? prefix_text(&net, text) : NULL);
}

static const char *hash_text(
    const struct finding *f, char to[static HEX_TEXT_LEN(PAYLOAD_HASH_LEN)])
{
	return f->has_hash ? hex_text(f->hash, sizeof(f->hash), to) : NULL;
}

static const char *quality_name(enum distinct_quality quality)
{
	switch (quality) {
	case DISTINCT_IS_EXACT: return "exact";
	case DISTINCT_IS_ESTIMATE: return "estimate";
	case DISTINCT_IS_AT_LEAST: break;
	}
	return "at-least";
}

static const char csv_titles[] =
    "src,verdict,signature,proto,dport,packets,targets,first,last,"
    "payload_hash,targets_are,icmp_type,icmp_code,victim,size_bytes,ttl_min,"
    "ttl_max,spoofable,evicted,ports,ports_are,attempts,not_judged,odds,rule,"
    "rule_version,addresses,net,sources,scanner" CSV_END;

static void row_rest(struct report *r, const struct finding *f)
{
	char text[ADDR_TEXT_LEN];
	bool icmp = f->icmp != FINDING_NONE;
	put_text(r, ",\"targets_are\":", quality_name(f->targets_quality));
	put_optional(r, ",\"icmp_type\":", icmp ? f->icmp >> 8 : f->icmp);
	put_optional(r, ",\"icmp_code\":", icmp ? f->icmp & 255 : f->icmp);
	put_text(r, ",\"victim\":",
	    f->victim.family ? addr_text(&f->victim, text) : NULL);
	put_count(r, ",\"size_bytes\":", f->size_bytes);
	put_count(r, ",\"ttl_min\":", f->ttl_min);
	put_count(r, ",\"ttl_max\":", f->ttl_max);
	put_bool(r, ",\"spoofable\":", f->spoofable);
	put_bool(r, ",\"evicted\":", f->evicted);
	put_count(r, ",\"ports\":", f->ports);
	put_text(r, ",\"ports_are\":", quality_name(f->ports_quality));
	put_count(r, ",\"attempts\":", f->attempts);
	put_count(r, ",\"not_judged\":", f->not_judged);
	put_some(r, ",\"odds\":", f->odds);
	put_text(r, ",\"rule\":", f->rule);
	put_count(r, ",\"rule_version\":", f->rule_version);
	put_count(r, ",\"addresses\":", f->addresses);
	put_net(r, ",\"net\":", f);
	put_some(r, ",\"sources\":", f->sources);
	put_text(r, ",\"scanner\":", known_scanners_find(r->scanners, &f->src));
	append_text(r, r->form == OUTPUT_CSV ? CSV_END : "}\n");
}

/* Titles, also where no finding follows. */
static void csv_begin(struct report *r)
{
	if (r->form == OUTPUT_CSV && !r->begun)
		append_text(r, csv_titles);
	r->begun = true;
}

static void write_finding(struct report *r, const struct finding *f)
{
	char src[ADDR_TEXT_LEN], proto[8], hash[HEX_TEXT_LEN(PAYLOAD_HASH_LEN)];
	begin_row(r);
	csv_begin(r);
	const char *named = f->src.family ? addr_text(&f->src, src) : NULL;
	if (r->form != OUTPUT_CSV)
		put_text(r, "{\"schema\":\"" SCHEMA "\",\"src\":", named);
	else if (named)
		append_text(r, named);
	put_text(r, ",\"verdict\":", verdict_name(f->verdict));
	put_text(r, ",\"signature\":", signature_name(f->signature));
	put_text(r, ",\"proto\":",
	    f->proto == FINDING_NONE ? NULL : proto_name(f->proto, proto));
	put_optional(r, ",\"dport\":", f->dport);
	put_count(r, ",\"packets\":", f->packets);
	put_count(r, ",\"targets\":", f->targets);
	put_time(r, ",\"first\":", f->first);
	put_time(r, ",\"last\":", f->last);
	put_text(r, ",\"payload_hash\":", hash_text(f, hash));
	row_rest(r, f);
	end_row(r);
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

static void write_row(
    struct buf *b, const struct finding *f, const char *scanner)
{
	char src[ADDR_TEXT_LEN], proto[8], port[16] = "-";
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
	buf_printf(b,
	    "%-16s  %-9s  %-15s  %-5s  %7s  %9llu  %s%7u  %s  %s%s%s\n",
	    verdict_name(f->verdict), signature ? signature : "-", src,
	    f->proto == FINDING_NONE ? "-" : proto_name(f->proto, proto), port,
	    (unsigned long long)f->packets,
	    f->targets_quality == DISTINCT_IS_EXACT ? " " : "~", f->targets,
	    short_time(f->first, first), short_time(f->last, last),
	    scanner ? "  " : "", scanner ? scanner : "");
}

static void write_table(struct report *r)
{
	struct buf *b = &r->out;
	size_t shown = r->kept_count < r->rows ? r->kept_count : r->rows;
	if (r->kept_count == 0)
		return;
	qsort(r->kept, r->kept_count, sizeof(*r->kept), worse_first);
	buf_printf(b, "%-16s  %-9s  %-15s  %-5s  %7s  %9s  %8s  %-19s  %s\n",
	    "VERDICT", "SIGNATURE", "SOURCE", "PROTO", "PORT", "PACKETS",
	    "TARGETS", "FIRST (UTC)", "LAST (UTC)");
	for (size_t i = 0; i < shown; i++)
		write_row(b, &r->kept[i],
		    known_scanners_find(r->scanners, &r->kept[i].src));
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
	begin_row(r);
	csv_begin(r);
	end_row(r);
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
	buf_printf(b, "{\"schema\":\"" SCHEMA "\",\"summary\":{");
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
