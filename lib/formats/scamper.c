/* SPDX-License-Identifier: ISC */
/*
 * Traces and pings as scamper prints them (sc_warts2json: trace 0.1, ping
 * 0.4), for programs that read those.  What our records do not know (wait,
 * probe sizes of a trace) is left out rather than made up; other records are
 * passed over, since scamper has no form for them.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/base/clock.h"
#include "lib/formats/json-line.h"
#include "lib/formats/reply-text.h"
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

/* When the first probe left; where the policy let none leave, when the record
 * was made: scamper's form has no measurement without a start. */
static int64_t start_of(
    int64_t record_wall_ns, Sonde__Reply *const *replies, size_t count)
{
	int64_t first = 0;
	for (size_t i = 0; i < count; i++)
		if (replies[i]->tx_wall_ns &&
		    (first == 0 || replies[i]->tx_wall_ns < first))
			first = replies[i]->tx_wall_ns;
	return first ? first : record_wall_ns;
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
		json_object_set_new(one, "mpls_labels", labels);
		json_array_append_new(list, one);
	}
	return list;
}

static void set_int(json_t *to, const char *name, uint64_t value)
{
	json_object_set_new(to, name, json_integer((json_int_t)value));
}

static json_t *put_hop(const Sonde__Reply *r, bool tcp)
{
	json_t *h = json_object();
	set_address(h, "addr", &r->from);
	set_int(h, "probe_ttl", r->probe_ttl);
	set_int(h, "probe_id", r->attempt);
	json_object_set_new(h, "tx", moment(r->tx_wall_ns));
	json_object_set_new(h, "rtt", scamper_ms(r->rtt_ns));
	set_int(h, "reply_ttl", r->reply_ttl);
	set_int(h, "reply_ipid", r->reply_ip_id);
	set_int(h, "reply_size", r->reply_size_bytes);
	if (tcp && r->tcp_flags) {
		set_int(h, "tcp_flags", r->tcp_flags);
		return h;
	}
	set_int(h, "icmp_type", r->icmp_type);
	set_int(h, "icmp_code", r->icmp_code);
	if (r->quoted_ttl) {
		set_int(h, "icmp_q_ttl", r->quoted_ttl);
		if (r->from.len == 4)
			set_int(h, "icmp_q_tos", r->quoted_tos);
	}
	if (r->n_extensions > 0)
		json_object_set_new(h, "icmpext", put_extensions(r));
	return h;
}

static const char *stop_reason(const char *reason)
{
	static const char *const names[][2] = { { "completed", "COMPLETED" },
		{ "gaplimit", "GAPLIMIT" }, { "unreachable", "UNREACH" },
		{ "loop", "LOOP" }, { "maxttl", "HOPLIMIT" },
		{ "denied", "ERROR" }, { "unsent", "ERROR" } };
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(names[i][0], reason) == 0)
			return names[i][1];
	return "NONE";
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
		if (r->from.len > 0)
			json_array_append_new(
			    hops, put_hop(r, strcmp(t->method, "tcp") == 0));
	}
	set_address(j, "src", &t->src);
	set_address(j, "dst", &t->dst);
	if (icmp) {
		set_int(j, "icmp_sum", t->dport);
	} else {
		set_int(j, "sport", t->sport);
		set_int(j, "dport", t->dport);
	}
	json_object_set_new(
	    j, "stop_reason", json_string(stop_reason(t->stop_reason)));
	set_int(j, "stop_data", 0);
	int64_t start_ns = start_of(record->wall_ns, t->replies, t->n_replies);
	json_object_set_new(j, "start", moment_with_text(start_ns));
	set_int(j, "hop_count", hop_count);
	set_int(j, "attempts", attempts);
	set_int(j, "hoplimit", t->max_ttl);
	set_int(j, "firsthop", t->first_ttl);
	set_int(j, "probe_count", sent);
	json_object_set_new(j, "hops", hops);
	return j;
}

static const char *reply_proto(const Sonde__Reply *r)
{
	return r->tcp_flags ? "tcp" : "icmp";
}

static json_t *response(const Sonde__Reply *r)
{
	json_t *j = json_object();
	set_address(j, "from", &r->from);
	set_int(j, "seq", r->attempt - 1);
	set_int(j, "reply_size", r->reply_size_bytes);
	set_int(j, "reply_ttl", r->reply_ttl);
	json_object_set_new(j, "reply_proto", json_string(reply_proto(r)));
	json_object_set_new(j, "tx", moment(r->tx_wall_ns));
	json_object_set_new(j, "rx", moment(r->rx_wall_ns));
	json_object_set_new(j, "rtt", scamper_ms(r->rtt_ns));
	set_int(j, "reply_ipid", r->reply_ip_id);
	if (r->tcp_flags) {
		set_int(j, "tcp_flags", r->tcp_flags);
	} else {
		set_int(j, "icmp_type", r->icmp_type);
		set_int(j, "icmp_code", r->icmp_code);
	}
	return j;
}

/* 0, 1, or two digits between; none of nothing. */
static json_t *loss(const Sonde__Ping *p)
{
	if (p->sent == 0)
		return NULL;
	if (p->received >= p->sent)
		return json_integer(0);
	if (p->received == 0)
		return json_integer(1);
	char text[16];
	snprintf(text, sizeof(text), "%.2f",
	    (double)(p->sent - p->received) / p->sent);
	return json_real(strtod(text, NULL));
}

static json_t *statistics(const Sonde__Ping *p)
{
	double sum = 0, mean = (double)p->rtt_avg_ns;
	uint64_t duplicates = 0, errors = 0;
	for (size_t i = 0; i < p->n_replies; i++) {
		const Sonde__Reply *r = p->replies[i];
		double d = (double)r->rtt_ns - mean;
		if (r->from.len == 0)
			continue;
		if (r->duplicate)
			duplicates++;
		else if (reply_outcome(r, &p->dst, p->method) ==
		    SONDE__OUTCOME__OUTCOME_ANSWERED)
			sum += d * d;
		else
			errors++;
	}
	json_t *j = json_object();
	set_int(j, "replies", p->received);
	json_t *lost = loss(p);
	if (lost)
		json_object_set_new(j, "loss", lost);
	if (p->received > 0) {
		json_object_set_new(j, "min", scamper_ms(p->rtt_min_ns));
		json_object_set_new(j, "max", scamper_ms(p->rtt_max_ns));
		json_object_set_new(j, "avg", scamper_ms(p->rtt_avg_ns));
		json_object_set_new(
		    j, "stddev", scamper_ms((uint64_t)sqrt(sum / p->received)));
	}
	if (duplicates)
		set_int(j, "ndups", duplicates);
	if (errors)
		set_int(j, "nerrs", errors);
	return j;
}

static const char *ping_method(const char *method)
{
	return strcmp(method, "icmp") == 0 ? "icmp-echo"
	    : strcmp(method, "tcp") == 0   ? "tcp-syn"
					   : "udp";
}

static json_t *write_scamper_ping(const Sonde__Record *record)
{
	const Sonde__Ping *p = record->ping;
	json_t *j = json_pack("{s:s, s:s, s:s}", "type", "ping", "version",
	    "0.4", "method", ping_method(p->method));
	json_t *responses = json_array(), *none = json_array();
	for (size_t i = 0; i < p->n_replies; i++) {
		const Sonde__Reply *r = p->replies[i];
		if (r->from.len > 0)
			json_array_append_new(responses, response(r));
		else if (!reply_not_sent(r))
			json_array_append_new(none,
			    json_pack("{s:I, s:o}", "seq",
				(json_int_t)r->attempt - 1, "tx",
				moment(r->tx_wall_ns)));
	}
	set_address(j, "src", &p->src);
	set_address(j, "dst", &p->dst);
	json_object_set_new(j, "start",
	    moment(start_of(record->wall_ns, p->replies, p->n_replies)));
	set_int(j, "ping_sent", p->sent);
	set_int(j, "probe_size", p->size_bytes);
	set_int(j, "userid", 0);
	if (p->n_replies > 0)
		set_int(j, "ttl", p->replies[0]->probe_ttl);
	json_object_set_new(j, "responses", responses);
	if (json_array_size(none) > 0)
		json_object_set(j, "no_responses", none);
	json_decref(none);
	json_object_set_new(j, "statistics", statistics(p));
	return j;
}

static int scamper_record(
    void *ctx, const Sonde__Record *record, struct errmsg *msg)
{
	return json_line_measurement(
	    ctx, record, write_scamper_trace, write_scamper_ping, msg);
}

const struct format_ops format_scamper = {
	.name = "scamper",
	.help = "traces and pings as scamper's JSON",
	.media_type = "application/jsonl",
	.extension = "jsonl",
	.kinds = "trace,ping",
	.holds = "trace,ping",
	.open = json_line_open,
	.item = scamper_record,
	.close = json_line_close,
};
