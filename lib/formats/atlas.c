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
	char a[ADDR_TEXT_LEN];
	json_object_set_new(
	    j, "from", json_string(src->len ? reply_addr(src, a) : ""));
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

/* Atlas counts what is behind the header of TCP, UDP or ICMP. */
static uint32_t atlas_size(uint32_t packet_bytes, bool six, bool tcp)
{
	uint32_t headers = (six ? 40u : 20u) + (tcp ? 20u : 8u);
	return packet_bytes > headers ? packet_bytes - headers : 0;
}

/* N, H, A, P, p, h or the number of the code; of what is no unreachability, the
 * words: a reader that looks for success must find the error. */
static json_t *error_of(const Sonde__Reply *r)
{
	bool six = r->from.len == 16;
	char words[40];
	static const char *const v4[] = { "N", "H", "P", "p" };
	static const char *const v6[] = { "N", "A", NULL, "H", "p" };
	if (r->has_tcp_flags_case)
		return NULL;
	if (r->icmp_type != (six ? 1u : 3u))
		return json_string(reply_error(r, words));
	const char *letter = NULL;
	if (six && r->icmp_code < 5)
		letter = v6[r->icmp_code];
	else if (!six && r->icmp_code < 4)
		letter = v4[r->icmp_code];
	else if (!six && r->icmp_code == 13)
		letter = "A";
	return letter ? json_string(letter) : json_integer(r->icmp_code);
}

/* No probe of theirs decodes it; named as in our own records. */
static json_t *write_interface(const Sonde__InterfaceInfo *info)
{
	json_t *j = json_pack("{s:s}", "role", info->role);
	if (info->has_index_case)
		set_int(j, "index", info->index);
	if (info->has_address_case)
		set_address(j, "address", &info->address);
	if (info->has_name_case)
		json_object_set_new(j, "name", json_string(info->name));
	if (info->has_mtu_case)
		set_int(j, "mtu", info->mtu);
	return j;
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
		if (e->interface)
			json_object_set_new(
			    one, "interface", write_interface(e->interface));
		json_array_append_new(objects, one);
	}
	return json_pack("{s:i, s:i, s:o}", "version", 2, "rfc4884",
	    (int)r->extensions_by_length, "obj", objects);
}

static json_t *tcp_flags(uint32_t flags)
{
	static const char letters[] = "FSRPAU";
	char text[sizeof(letters)], *end = text;
	for (unsigned i = 0; letters[i]; i++)
		if (flags >> i & 1)
			*end++ = letters[i];
	*end = '\0';
	return json_string(text);
}

static void set_quote(json_t *j, const Sonde__Trace *t, const Sonde__Reply *r)
{
	if (r->has_quoted_ttl_case && r->quoted_ttl != 1)
		set_int(j, "ittl", r->quoted_ttl);
	/* Also that it was bleached to 0. */
	if (r->has_quoted_tos_case && (r->quoted_tos || t->tos))
		set_int(j, "itos", r->quoted_tos);
}

static json_t *trace_reply(
    const Sonde__Trace *t, const Sonde__Reply *r, Sonde__Outcome outcome)
{
	json_t *j = json_object();
	bool tcp = r->has_tcp_flags_case;
	set_address(j, "from", &r->from);
	/* One that was late has no time: readers that take medians skip it.
	 */
	if (r->late)
		set_int(j, "late", 1);
	else if (r->has_rtt_ns_case)
		json_object_set_new(j, "rtt", atlas_ms(r->rtt_ns));
	if (r->has_reply_size_bytes_case)
		set_int(j, "size",
		    atlas_size(r->reply_size_bytes, r->from.len == 16, tcp));
	if (r->has_reply_ttl_case)
		set_int(j, "ttl", r->reply_ttl);
	if (tcp)
		json_object_set_new(j, "flags", tcp_flags(r->tcp_flags));
	set_quote(j, t, r);
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

static json_t *silence(void)
{
	return json_pack("{s:s}", "x", "*");
}

/* To Atlas a probe whose reply is late is silent first; nothing is said of a
 * reply that may be another probe's. */
static void add_reply(json_t *to, const Sonde__Trace *t, const Sonde__Reply *r)
{
	Sonde__Outcome outcome = reply_outcome(r, &t->dst, t->method);
	const char *not_sent = reply_not_sent(r);
	bool told = r->from.len && outcome != SONDE__OUTCOME__OUTCOME_AMBIGUOUS;
	if (not_sent)
		json_array_append_new(
		    to, json_pack("{s:s}", "error", not_sent));
	else if (!told || (r->late && !r->duplicate))
		json_array_append_new(to, silence());
	if (!not_sent && told)
		json_array_append_new(to, trace_reply(t, r, outcome));
}

/* The replies from *at on that are of one hop. */
static json_t *trace_hop(const Sonde__Trace *t, size_t *at)
{
	uint32_t ttl = t->replies[*at]->probe_ttl;
	json_t *results = json_array();
	for (; *at < t->n_replies && t->replies[*at]->probe_ttl == ttl; ++*at)
		add_reply(results, t, t->replies[*at]);
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
		set_int(j, "size",
		    atlas_size(t->size_bytes, t->dst.len == 16,
			strcmp(t->method, "tcp") == 0));
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

/* From the target, though perhaps not from the address that was asked. */
static bool is_atlas_reply(const Sonde__Ping *p, const Sonde__Reply *r)
{
	Sonde__Outcome outcome = reply_outcome(r, &p->dst, p->method);
	return r->has_rtt_ns_case &&
	    (outcome == SONDE__OUTCOME__OUTCOME_ANSWERED ||
		outcome == SONDE__OUTCOME__OUTCOME_OTHER_ADDRESS);
}

static json_t *ping_reply(const Sonde__Ping *p, const Sonde__Reply *r)
{
	Sonde__Outcome outcome = reply_outcome(r, &p->dst, p->method);
	if (!outcome_was_sent(outcome))
		return json_pack("{s:s}", "error", reply_not_sent(r));
	if (outcome == SONDE__OUTCOME__OUTCOME_HOP ||
	    outcome == SONDE__OUTCOME__OUTCOME_REJECTED)
		return ping_error(r);
	if (!is_atlas_reply(p, r))
		return silence();
	json_t *j = json_pack("{s:o}", "rtt", atlas_ms(r->rtt_ns));
	if (r->has_reply_ttl_case)
		set_int(j, "ttl", r->reply_ttl);
	if (outcome == SONDE__OUTCOME__OUTCOME_OTHER_ADDRESS)
		set_address(j, "src_addr", &r->from);
	if (r->duplicate)
		json_object_set_new(j, "dup", json_integer(1));
	return j;
}

static void set_rtts(json_t *j, const Sonde__Ping *p)
{
	uint64_t count = 0, sum_ns = 0, min_ns = UINT64_MAX, max_ns = 0;
	for (size_t i = 0; i < p->n_replies; i++) {
		const Sonde__Reply *r = p->replies[i];
		if (r->duplicate || !is_atlas_reply(p, r))
			continue;
		if (count++ == 0 && r->has_reply_ttl_case)
			set_int(j, "ttl", r->reply_ttl);
		sum_ns += r->rtt_ns;
		min_ns = r->rtt_ns < min_ns ? r->rtt_ns : min_ns;
		max_ns = r->rtt_ns > max_ns ? r->rtt_ns : max_ns;
	}
	/* The sums are of all, those listed only a part. */
	if (p->replies_left_out > 0 && p->received > 0 &&
	    p->has_rtt_avg_ns_case) {
		count = p->received;
		sum_ns = p->rtt_avg_ns * count;
		min_ns = p->rtt_min_ns;
		max_ns = p->rtt_max_ns;
	}
	set_int(j, "rcvd", count);
	if (count == 0) {
		json_object_update_new(j,
		    json_pack(
			"{s:i, s:i, s:i}", "min", -1, "avg", -1, "max", -1));
		return;
	}
	json_object_set_new(j, "min", atlas_ms(min_ns));
	json_object_set_new(j, "avg", atlas_ms(sum_ns / count));
	json_object_set_new(j, "max", atlas_ms(max_ns));
}

static json_t *write_atlas_ping(const Sonde__Record *record)
{
	const Sonde__Ping *p = record->ping;
	json_t *j =
	    write_head("ping", &p->src, &p->dst, p->dst_name, p->method);
	json_t *result = json_array();
	uint64_t duplicates = 0;
	for (size_t i = 0; i < p->n_replies; i++) {
		duplicates += (uint64_t)(p->replies[i]->duplicate != 0);
		json_array_append_new(result, ping_reply(p, p->replies[i]));
	}
	set_times(j, record->wall_ns, p->replies, p->n_replies, false);
	set_int(j, "size",
	    atlas_size(p->size_bytes, p->dst.len == 16,
		strcmp(p->method, "tcp") == 0));
	set_int(j, "sent", p->sent);
	set_int(j, "dup", duplicates);
	set_rtts(j, p);
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
