/* SPDX-License-Identifier: ISC */
/*
 * Traces and pings as sc_warts2json prints them (trace 0.1, ping 0.4), for
 * programs that read that, between the lines of one cycle.  What our records
 * do not know (the host's name, what a reader can take for an older agent's
 * field) is left out rather than made up; other records are passed over, since
 * scamper has no form for them.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/base/clock.h"
#include "lib/base/xalloc.h"
#include "lib/formats/json-line.h"
#include "lib/formats/scamper-form.h"
#include "lib/formats/format.h"

static void set_address(
    json_t *to, const char *name, const ProtobufCBinaryData *bytes)
{
	char a[ADDR_TEXT_LEN];
	if (bytes->len > 0)
		json_object_set_new(
		    to, name, json_string(reply_addr(bytes, a)));
}

static json_t *moment(int64_t wall_ns)
{
	return json_pack("{s:I, s:I}", "sec", (json_int_t)(wall_ns / NS_PER_S),
	    "usec", (json_int_t)(wall_ns % NS_PER_S / NS_PER_US));
}

static json_t *moment_with_text(int64_t wall_ns)
{
	char text[32];
	time_t sec = (time_t)(wall_ns / NS_PER_S);
	struct tm tm;
	gmtime_r(&sec, &tm);
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
	json_t *start = moment(wall_ns);
	json_object_set_new(start, "ftime", json_string(text));
	return start;
}

static json_t *scamper_ms(uint64_t ns)
{
	return json_real(round((double)ns / NS_PER_US) / 1000);
}

static json_t *put_extensions(const Sonde__Reply *r)
{
	json_t *list = json_array();
	for (size_t i = 0; i < r->n_extensions; i++) {
		const Sonde__IcmpExtension *e = r->extensions[i];
		json_t *one =
		    json_pack("{s:i, s:i, s:i}", "ie_cn", (int)e->class_num,
			"ie_ct", (int)e->c_type, "ie_dl", (int)e->data.len);
		json_t *labels = json_array();
		for (size_t k = 0; k < e->n_mpls; k++)
			json_array_append_new(labels,
			    json_pack("{s:i, s:i, s:i, s:i}", "mpls_ttl",
				(int)e->mpls[k]->ttl, "mpls_s",
				(int)e->mpls[k]->bottom, "mpls_exp",
				(int)e->mpls[k]->traffic_class, "mpls_label",
				(int)e->mpls[k]->label));
		if (e->n_mpls > 0)
			json_object_set(one, "mpls_labels", labels);
		json_decref(labels);
		json_array_append_new(list, one);
	}
	return list;
}

static void set_int(json_t *to, const char *name, uint64_t value)
{
	json_object_set_new(to, name, json_integer((json_int_t)value));
}

/* What is not known is left out. */
static void set_known(
    json_t *to, const char *name, uint32_t known, uint64_t value)
{
	if (known)
		set_int(to, name, value);
}

static void put_icmp(json_t *h, const Sonde__Reply *r)
{
	set_int(h, "icmp_type", r->icmp_type);
	set_int(h, "icmp_code", r->icmp_code);
	set_known(h, "icmp_q_ttl", r->has_quoted_ttl_case, r->quoted_ttl);
	set_known(h, "icmp_q_ipl", r->has_quoted_size_bytes_case,
	    r->quoted_size_bytes);
	if (r->from.len == 4)
		set_known(
		    h, "icmp_q_tos", r->has_quoted_tos_case, r->quoted_tos);
	set_known(h, "icmp_nhmtu", r->has_mtu_case, r->mtu);
	if (r->n_extensions > 0)
		json_object_set_new(h, "icmpext", put_extensions(r));
}

static json_t *put_hop(const Sonde__Trace *t, const Sonde__Reply *r)
{
	json_t *h = json_object();
	set_address(h, "addr", &r->from);
	set_int(h, "probe_ttl", r->probe_ttl);
	set_int(h, "probe_id", r->attempt);
	set_known(h, "probe_size", t->size_bytes, t->size_bytes);
	json_object_set_new(h, "tx", moment(r->tx_wall_ns));
	if (r->has_rtt_ns_case)
		json_object_set_new(h, "rtt", scamper_ms(r->rtt_ns));
	set_known(h, "reply_ttl", r->has_reply_ttl_case, r->reply_ttl);
	set_known(h, "reply_tos", r->has_reply_tos_case, r->reply_tos);
	set_known(h, "reply_ipid", r->has_reply_ip_id_case, r->reply_ip_id);
	set_known(
	    h, "reply_size", r->has_reply_size_bytes_case, r->reply_size_bytes);
	if (r->has_tcp_flags_case)
		set_int(h, "tcp_flags", r->tcp_flags);
	else if (r->has_icmp_type_case || strcmp(t->method, "icmp") == 0)
		put_icmp(h, r);
	return h;
}

static const char *trace_method(const char *method)
{
	return strcmp(method, "udp") == 0 ? "udp-paris"
	    : strcmp(method, "icmp") == 0 ? "icmp-echo-paris"
					  : "tcp";
}

static json_t *write_scamper_trace(const Sonde__Record *record)
{
	const Sonde__Trace *t = record->trace;
	json_t *j = json_pack("{s:s, s:s, s:i, s:s}", "type", "trace",
	    "version", "0.1", "userid", 0, "method", trace_method(t->method));
	bool icmp = strcmp(t->method, "icmp") == 0;
	json_t *hops = json_array();
	uint32_t attempts = 0, hop_count = 0, sent = 0;
	for (size_t i = 0; i < t->n_replies; i++) {
		const Sonde__Reply *r = t->replies[i];
		attempts = r->attempt > attempts ? r->attempt : attempts;
		if (reply_not_sent(r))
			continue;
		if (r->probe_ttl > hop_count)
			hop_count = r->probe_ttl;
		sent += !r->duplicate;
		if (scamper_has_hop(t, r))
			json_array_append_new(hops, put_hop(t, r));
	}
	set_address(j, "src", &t->src);
	set_address(j, "dst", &t->dst);
	if (icmp) {
		set_int(j, "icmp_sum", t->dport);
	} else {
		set_int(j, "sport", t->sport);
		set_int(j, "dport", t->dport);
	}
	json_object_set_new(j, "stop_reason",
	    json_string(scamper_stop_of(t->stop_reason).name));
	set_int(j, "stop_data", scamper_stop_data(t));
	json_object_set_new(j, "start",
	    moment_with_text(scamper_record_times(record).start_ns));
	set_int(j, "hop_count", hop_count);
	set_int(j, "attempts", attempts);
	set_int(j, "hoplimit", t->max_ttl);
	set_int(j, "firsthop", t->first_ttl);
	set_int(j, "wait", scamper_seconds(t->wait_ns));
	set_int(j, "wait_probe", 0);
	set_int(j, "tos", t->tos);
	set_int(j, "probe_size", t->size_bytes);
	set_int(j, "probe_count", sent);
	json_object_set_new(j, "hops", hops);
	return j;
}

static const char *reply_proto(const Sonde__Ping *p, const Sonde__Reply *r)
{
	if (r->has_tcp_flags_case)
		return "tcp";
	return r->has_icmp_type_case || strcmp(p->method, "icmp") == 0 ? "icmp"
								       : "udp";
}

static json_t *response(const Sonde__Ping *p, const Sonde__Reply *r)
{
	json_t *j = json_object();
	set_address(j, "from", &r->from);
	set_int(j, "seq", r->attempt - 1);
	set_known(
	    j, "reply_size", r->has_reply_size_bytes_case, r->reply_size_bytes);
	set_known(j, "reply_ttl", r->has_reply_ttl_case, r->reply_ttl);
	json_object_set_new(j, "reply_proto", json_string(reply_proto(p, r)));
	json_object_set_new(j, "tx", moment(r->tx_wall_ns));
	json_object_set_new(j, "rx", moment(r->rx_wall_ns));
	if (r->has_rtt_ns_case)
		json_object_set_new(j, "rtt", scamper_ms(r->rtt_ns));
	set_known(j, "reply_ipid", r->has_reply_ip_id_case, r->reply_ip_id);
	if (r->has_tcp_flags_case) {
		set_int(j, "tcp_flags", r->tcp_flags);
	} else if (r->has_icmp_type_case) {
		set_int(j, "icmp_type", r->icmp_type);
		set_int(j, "icmp_code", r->icmp_code);
	}
	return j;
}

/* 0, 1, or two digits between; none of nothing.  As everywhere, what may have
 * been answered is not lost. */
static json_t *loss(const Sonde__Ping *p)
{
	uint32_t answered = p->received + p->other_address + p->ambiguous;
	if (p->sent == 0)
		return NULL;
	if (answered >= p->sent)
		return json_integer(0);
	if (answered == 0)
		return json_integer(1);
	char text[16];
	snprintf(
	    text, sizeof(text), "%.2f", (double)(p->sent - answered) / p->sent);
	return json_real(strtod(text, NULL));
}

/* Round trips in whole microseconds, as scamper has them. */
struct round_trips {
	uint64_t count, duplicates, errors;
	uint64_t min_us, max_us;
	double sum_us, squares;
};

static struct round_trips summed_up(const Sonde__Ping *p)
{
	uint64_t avg_us = p->rtt_avg_ns / NS_PER_US;
	return (struct round_trips){ .count = p->received,
		.errors = p->rejected,
		.min_us = p->rtt_min_ns / NS_PER_US,
		.max_us = p->rtt_max_ns / NS_PER_US,
		.sum_us = (double)avg_us * p->received,
		.squares = -1 }; /* not known */
}

static struct round_trips round_trips_of(const Sonde__Ping *p)
{
	struct round_trips t = { .min_us = UINT64_MAX };
	/* The sums are of all, those listed only a part. */
	if (p->replies_left_out > 0)
		return summed_up(p);
	for (size_t i = 0; i < p->n_replies; i++) {
		const Sonde__Reply *r = p->replies[i];
		if (!scamper_has_reply(p, r))
			continue;
		if (r->duplicate) {
			t.duplicates++;
		} else if (!scamper_is_answer(p, r)) {
			t.errors++;
		} else {
			uint64_t us = (r->rtt_ns + NS_PER_US / 2) / NS_PER_US;
			t.count++;
			t.min_us = us < t.min_us ? us : t.min_us;
			t.max_us = us > t.max_us ? us : t.max_us;
			t.sum_us += (double)us;
			t.squares += (double)us * (double)us;
		}
	}
	return t;
}

/* What is below a microsecond is cut off, as scamper does. */
static json_t *us_as_ms(double us)
{
	return json_real(floor(us) / 1000);
}

static json_t *statistics(const Sonde__Ping *p)
{
	struct round_trips t = round_trips_of(p);
	json_t *j = json_object();
	set_int(j, "replies", t.count);
	json_t *lost = loss(p);
	if (lost)
		json_object_set_new(j, "loss", lost);
	if (t.count > 0) {
		double n = (double)t.count, mean = t.sum_us / n;
		double variance = t.squares / n - mean * mean;
		json_object_set_new(j, "min", us_as_ms((double)t.min_us));
		json_object_set_new(j, "max", us_as_ms((double)t.max_us));
		json_object_set_new(j, "avg", us_as_ms(mean));
		if (t.squares >= 0)
			json_object_set_new(j, "stddev",
			    us_as_ms(variance > 0 ? sqrt(variance) : 0));
	}
	if (t.duplicates)
		set_int(j, "ndups", t.duplicates);
	if (t.errors)
		set_int(j, "nerrs", t.errors);
	return j;
}

static const char *ping_method(const char *method)
{
	return strcmp(method, "icmp") == 0 ? "icmp-echo"
	    : strcmp(method, "tcp") == 0   ? "tcp-syn"
					   : "udp";
}

/* Seconds, and what is beyond them. */
static void put_interval(json_t *to, uint64_t ns)
{
	uint64_t us = ns % NS_PER_S / NS_PER_US;
	set_int(to, "wait", ns / NS_PER_S);
	if (us)
		set_int(to, "wait_us", us);
}

static json_t *write_scamper_ping(const Sonde__Record *record)
{
	const Sonde__Ping *p = record->ping;
	json_t *j = json_pack("{s:s, s:s, s:s}", "type", "ping", "version",
	    "0.4", "method", ping_method(p->method));
	json_t *responses = json_array(), *none = json_array();
	for (size_t i = 0; i < p->n_replies; i++) {
		const Sonde__Reply *r = p->replies[i];
		if (scamper_has_reply(p, r))
			json_array_append_new(responses, response(p, r));
		else if (!reply_not_sent(r) && !r->duplicate)
			json_array_append_new(none,
			    json_pack("{s:I, s:o}", "seq",
				(json_int_t)r->attempt - 1, "tx",
				moment(r->tx_wall_ns)));
	}
	set_address(j, "src", &p->src);
	set_address(j, "dst", &p->dst);
	json_object_set_new(
	    j, "start", moment(scamper_record_times(record).start_ns));
	set_int(j, "ping_sent", p->sent);
	set_int(j, "probe_size", p->size_bytes);
	set_int(j, "userid", 0);
	if (p->n_replies > 0)
		set_int(j, "ttl", p->replies[0]->probe_ttl);
	if (p->has_interval_ns_case)
		put_interval(j, p->interval_ns);
	set_int(j, "timeout", scamper_seconds(p->wait_ns));
	if (strcmp(p->method, "icmp") != 0) {
		set_known(j, "sport", p->has_sport_case, p->sport);
		set_known(j, "dport", p->has_dport_case, p->dport);
	}
	json_object_set_new(j, "responses", responses);
	if (json_array_size(none) > 0)
		json_object_set(j, "no_responses", none);
	json_decref(none);
	json_object_set_new(j, "statistics", statistics(p));
	return j;
}

struct scamper_format {
	FILE *to; /* borrowed */
	bool begun;
	int64_t stop_ns; /* of the last measurement so far */
};

static int scamper_open(void **ctx, FILE *to, int colour, struct errmsg *msg)
{
	(void)colour;
	(void)msg;
	struct scamper_format *f = xcalloc(1, sizeof(*f));
	f->to = to;
	*ctx = f;
	return 0;
}

static int write_cycle(struct scamper_format *f, const char *type,
    const char *when, int64_t wall_ns, struct errmsg *msg)
{
	json_t *line = json_pack("{s:s, s:s, s:i, s:I}", "type", type,
	    "list_name", SCAMPER_LIST_NAME, "id", 0, when,
	    (json_int_t)(wall_ns / NS_PER_S));
	return json_line_write(f->to, line, 0, msg);
}

static int scamper_record(
    void *ctx, const Sonde__Record *record, struct errmsg *msg)
{
	struct scamper_format *f = ctx;
	struct scamper_times times = scamper_record_times(record);
	int err;
	if (record->body_case != SONDE__RECORD__BODY_TRACE &&
	    record->body_case != SONDE__RECORD__BODY_PING)
		return FORMAT_SKIPPED;
	if (!f->begun) {
		err = write_cycle(
		    f, "cycle-start", "start_time", times.start_ns, msg);
		if (err < 0)
			return err;
	}
	f->begun = true;
	f->stop_ns = times.end_ns > f->stop_ns ? times.end_ns : f->stop_ns;
	return json_line_measurement(
	    f->to, record, write_scamper_trace, write_scamper_ping, msg);
}

static int scamper_close(void *ctx, struct errmsg *msg)
{
	struct scamper_format *f = ctx;
	FILE *to = f->to;
	int err = 0;
	if (f->begun)
		err =
		    write_cycle(f, "cycle-stop", "stop_time", f->stop_ns, msg);
	free(f);
	int closed = json_line_close(to, err < 0 ? NULL : msg);
	return err < 0 ? err : closed;
}

const struct format_ops format_scamper = {
	.name = "scamper",
	.help = "traces and pings as scamper's JSON",
	.media_type = "application/jsonl",
	.extension = "jsonl",
	.kinds = "trace,ping",
	.holds = "trace,ping",
	.open = scamper_open,
	.item = scamper_record,
	.close = scamper_close,
};
