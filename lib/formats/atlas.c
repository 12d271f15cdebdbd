/* SPDX-License-Identifier: ISC */
/*
 * Traces and pings in the form of RIPE Atlas results, for programs that read
 * those (sagan, cousteau).  msm_id and prb_id are 0 and lts is -1: no Atlas
 * probe measured this; but readers know a form by its firmware and refuse what
 * has none, so fw is that of the form written here.  Other records are passed
 * over.
 */
#include <ctype.h>
#include <math.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/formats/json-line.h"
#include "lib/formats/reply-text.h"
#include "lib/formats/format.h"

#define FIRMWARE 5080

static void set_int(json_t *to, const char *name, uint64_t value)
{
	json_object_set_new(to, name, json_integer((json_int_t)value));
}

static void set_address(
    json_t *to, const char *name, const ProtobufCBinaryData *bytes)
{
	char a[ADDR_TEXT_LEN];
	if (bytes->len > 0)
		json_object_set_new(
		    to, name, json_string(reply_addr(bytes, a)));
}

static json_t *atlas_ms(uint64_t ns)
{
	return json_real(round((double)ns / NS_PER_US) / 1000);
}

/* What both kinds begin with. */
static json_t *write_head(const char *type, const ProtobufCBinaryData *src,
    const ProtobufCBinaryData *dst, const char *name, const char *method)
{
	bool ping = strcmp(type, "ping") == 0;
	json_t *j = json_pack("{s:s, s:s, s:i, s:i, s:i, s:i, s:i}", "type",
	    type, "msm_name", ping ? "Ping" : "Traceroute", "fw", FIRMWARE,
	    "msm_id", 0, "prb_id", 0, "lts", -1, "af", dst->len == 16 ? 6 : 4);
	char proto[8] = "";
	for (size_t i = 0; i + 1 < sizeof(proto) && method[i]; i++)
		proto[i] = (char)toupper((unsigned char)method[i]);
	set_address(j, "from", src);
	set_address(j, "src_addr", src);
	set_address(j, "dst_addr", dst);
	if (*name)
		json_object_set_new(j, "dst_name", json_string(name));
	else
		set_address(j, "dst_name", dst);
	json_object_set_new(j, "proto", json_string(proto));
	return j;
}

/* From the first probe to the last reply; where the policy let no probe
 * leave, the record's own time: Atlas has no result without a timestamp. */
static void set_times(json_t *j, int64_t record_wall_ns,
    Sonde__Reply *const *replies, size_t count, bool with_end)
{
	int64_t first = 0, last = 0;
	for (size_t i = 0; i < count; i++) {
		int64_t tx = replies[i]->tx_wall_ns;
		int64_t end =
		    replies[i]->rx_wall_ns > tx ? replies[i]->rx_wall_ns : tx;
		if (tx && (first == 0 || tx < first))
			first = tx;
		if (end > last)
			last = end;
	}
	if (first == 0)
		first = last = record_wall_ns;
	set_int(j, "timestamp", (uint64_t)(first / NS_PER_S));
	if (with_end)
		set_int(j, "endtime", (uint64_t)(last / NS_PER_S));
}

/* N, H, A, P, p, h or the number of the code. */
static json_t *error_of(const Sonde__Reply *r)
{
	bool six = r->from.len == 16;
	static const char *const v4[] = { "N", "H", "P", "p" };
	static const char *const v6[] = { "N", "A", NULL, "H", "p" };
	if (r->has_tcp_flags_case || r->icmp_type != (six ? 1u : 3u))
		return NULL;
	const char *letter = NULL;
	if (six && r->icmp_code < 5)
		letter = v6[r->icmp_code];
	else if (!six && r->icmp_code < 4)
		letter = v4[r->icmp_code];
	else if (!six && r->icmp_code == 13)
		letter = "A";
	return letter ? json_string(letter) : json_integer(r->icmp_code);
}

static json_t *write_extensions(const Sonde__Reply *r)
{
	json_t *objects = json_array();
	for (size_t i = 0; i < r->n_extensions; i++) {
		const Sonde__IcmpExtension *e = r->extensions[i];
		json_t *one = json_pack("{s:i, s:i}", "class",
		    (int)e->class_num, "type", (int)e->c_type);
		json_t *mpls = json_array();
		for (size_t k = 0; k < e->n_mpls; k++)
			json_array_append_new(mpls,
			    json_pack("{s:i, s:i, s:i, s:i}", "label",
				(int)e->mpls[k]->label, "exp",
				(int)e->mpls[k]->traffic_class, "s",
				(int)e->mpls[k]->bottom, "ttl",
				(int)e->mpls[k]->ttl));
		if (e->n_mpls > 0)
			json_object_set(one, "mpls", mpls);
		json_decref(mpls);
		json_array_append_new(objects, one);
	}
	return json_pack("{s:i, s:i, s:o}", "version", 2, "rfc4884",
	    (int)r->extensions_by_length, "obj", objects);
}

static json_t *trace_reply(const Sonde__Trace *t, const Sonde__Reply *r)
{
	Sonde__Outcome outcome = reply_outcome(r, &t->dst, t->method);
	const char *not_sent = reply_not_sent(r);
	if (not_sent)
		return json_pack("{s:s}", "error", not_sent);
	if (r->from.len == 0)
		return json_pack("{s:s}", "x", "*");
	json_t *j = json_object();
	set_address(j, "from", &r->from);
	/* Who takes medians must not find the time of what came too late. */
	if (r->late)
		set_int(j, "late", 1);
	else if (r->has_rtt_ns_case)
		json_object_set_new(j, "rtt", atlas_ms(r->rtt_ns));
	if (r->has_reply_size_bytes_case)
		set_int(j, "size", r->reply_size_bytes);
	if (r->has_reply_ttl_case)
		set_int(j, "ttl", r->reply_ttl);
	if (r->has_quoted_ttl_case && r->quoted_ttl != 1)
		set_int(j, "ittl", r->quoted_ttl);
	if (r->quoted_tos)
		set_int(j, "itos", r->quoted_tos);
	/* That the target's port is closed is how it answers, and no error. */
	json_t *error =
	    outcome == SONDE__OUTCOME__OUTCOME_REJECTED ? error_of(r) : NULL;
	if (error)
		json_object_set_new(j, "err", error);
	if (r->has_mtu_case)
		set_int(j, "mtu", r->mtu);
	if (r->duplicate)
		json_object_set_new(j, "dup", json_true());
	if (r->n_extensions > 0)
		json_object_set_new(j, "icmpext", write_extensions(r));
	return j;
}

/* The replies from *at on that are of one hop. */
static json_t *trace_hop(const Sonde__Trace *t, size_t *at)
{
	uint32_t ttl = t->replies[*at]->probe_ttl;
	json_t *results = json_array();
	for (; *at < t->n_replies && t->replies[*at]->probe_ttl == ttl; ++*at)
		json_array_append_new(results, trace_reply(t, t->replies[*at]));
	return json_pack("{s:i, s:o}", "hop", (int)ttl, "result", results);
}

static json_t *write_atlas_trace(const Sonde__Record *record)
{
	const Sonde__Trace *t = record->trace;
	json_t *j =
	    write_head("traceroute", &t->src, &t->dst, t->dst_name, t->method);
	json_t *hops = json_array();
	set_int(j, "paris_id", t->flow_id % 65536);
	if (t->size_bytes)
		set_int(j, "size", t->size_bytes);
	set_times(j, record->wall_ns, t->replies, t->n_replies, true);
	for (size_t i = 0; i < t->n_replies;)
		json_array_append_new(hops, trace_hop(t, &i));
	json_object_set_new(j, "result", hops);
	return j;
}

/* An error has no round trip of the target. */
static json_t *ping_error(const Sonde__Reply *r)
{
	char a[ADDR_TEXT_LEN], words[40];
	json_t *j = json_pack("{s:o}", "error",
	    json_sprintf("%s (from %s)", reply_error(r, words),
		reply_addr(&r->from, a)));
	if (r->has_mtu_case)
		set_int(j, "mtu", r->mtu);
	return j;
}

static json_t *ping_reply(const Sonde__Ping *p, const Sonde__Reply *r)
{
	json_t *j;
	switch (reply_outcome(r, &p->dst, p->method)) {
	case SONDE__OUTCOME__OUTCOME_NOT_SENT:
	case SONDE__OUTCOME__OUTCOME_DENIED:
		return json_pack("{s:s}", "error", reply_not_sent(r));
	case SONDE__OUTCOME__OUTCOME_HOP:
	case SONDE__OUTCOME__OUTCOME_REJECTED: return ping_error(r);
	case SONDE__OUTCOME__OUTCOME_ANSWERED: break;
	case SONDE__OUTCOME__OUTCOME_OTHER_ADDRESS:
		if (r->has_rtt_ns_case)
			break;
		return json_pack("{s:s}", "x", "*");
	default: return json_pack("{s:s}", "x", "*");
	}
	j = json_pack("{s:o}", "rtt", atlas_ms(r->rtt_ns));
	if (r->has_reply_ttl_case)
		set_int(j, "ttl", r->reply_ttl);
	if (r->outcome == SONDE__OUTCOME__OUTCOME_OTHER_ADDRESS)
		set_address(j, "src_addr", &r->from);
	if (r->duplicate)
		json_object_set_new(j, "dup", json_integer(1));
	return j;
}

static void set_rtt(json_t *j, const char *name, bool any, uint64_t ns)
{
	json_object_set_new(j, name, any ? atlas_ms(ns) : json_integer(-1));
}

static json_t *write_atlas_ping(const Sonde__Record *record)
{
	const Sonde__Ping *p = record->ping;
	json_t *j =
	    write_head("ping", &p->src, &p->dst, p->dst_name, p->method);
	json_t *result = json_array();
	uint64_t duplicates = 0;
	size_t headers = p->dst.len == 16 ? 48 : 28;
	for (size_t i = 0; i < p->n_replies; i++) {
		duplicates += (uint64_t)(p->replies[i]->duplicate != 0);
		json_array_append_new(result, ping_reply(p, p->replies[i]));
	}
	set_times(j, record->wall_ns, p->replies, p->n_replies, false);
	if (p->n_replies > 0 && p->replies[0]->from.len > 0)
		set_int(j, "ttl", p->replies[0]->reply_ttl);
	set_int(
	    j, "size", p->size_bytes > headers ? p->size_bytes - headers : 0);
	set_int(j, "sent", p->sent);
	set_int(j, "rcvd", p->received);
	set_int(j, "dup", duplicates);
	set_rtt(j, "min", p->received > 0, p->rtt_min_ns);
	set_rtt(j, "avg", p->received > 0, p->rtt_avg_ns);
	set_rtt(j, "max", p->received > 0, p->rtt_max_ns);
	json_object_set_new(j, "result", result);
	return j;
}

static int atlas_record(
    void *ctx, const Sonde__Record *record, struct errmsg *msg)
{
	return json_line_measurement(
	    ctx, record, write_atlas_trace, write_atlas_ping, msg);
}

const struct format_ops format_atlas = {
	.name = "atlas",
	.help = "traces and pings as RIPE Atlas results",
	.media_type = "application/jsonl",
	.extension = "jsonl",
	.kinds = "trace,ping",
	.holds = "trace,ping",
	.open = json_line_open,
	.item = atlas_record,
	.close = json_line_close,
};
