/* SPDX-License-Identifier: ISC */
/*
 * Traces and pings as scamper's own files hold them, for sc_warts2json,
 * sc_wartsdump and programs that read those.
 *
 *	 2 magic 0x1205 | 2 type | 4 length | an object of that type
 *	object:		parameters, 2 count, count times parameters
 *			(a trace ends with 2 octets of zero)
 *	parameters:	flags, 2 length, the parameters whose flag is set
 *	flags:		7 in an octet, the lowest first; its highest bit says
 *			that another octet of flags follows
 *
 * A list and a cycle's start come before the first measurement, the cycle's end
 * behind the last one.  All in network order.  A parameter that our records do
 * not know has no flag; other records are passed over.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/xalloc.h"
#include "lib/formats/json-line.h"
#include "lib/formats/scamper-form.h"
#include "lib/formats/warts-params.h"
#include "lib/formats/format.h"

enum { MAGIC = 0x1205 };
enum warts_type {
	TYPE_LIST = 1,
	TYPE_CYCLE_START = 2,
	TYPE_CYCLE_STOP = 4,
	TYPE_TRACE = 6,
	TYPE_PING = 7
};
enum { LIST_ID = 1, CYCLE_ID = 1 }; /* of this file */
#define EXTENSIONS_MAX_BYTES 4096   /* of one reply; no packet has more */

/* Numbers of parameters, from 1. */
enum trace_param {
	TRACE_LIST = 1,
	TRACE_CYCLE,
	TRACE_START = 5,
	TRACE_STOP_REASON,
	TRACE_STOP_DATA,
	TRACE_FLAGS,
	TRACE_ATTEMPTS,
	TRACE_HOP_LIMIT,
	TRACE_TYPE,
	TRACE_PROBE_SIZE,
	TRACE_SPORT,
	TRACE_DPORT,
	TRACE_FIRST_HOP,
	TRACE_TOS,
	TRACE_WAIT,
	TRACE_HOP_COUNT = 19,
	TRACE_PROBE_COUNT = 23,
	TRACE_SRC = 26,
	TRACE_DST,
	TRACE_USER
};
enum hop_param {
	HOP_PROBE_TTL = 2,
	HOP_REPLY_TTL,
	HOP_FLAGS,
	HOP_PROBE_ID,
	HOP_RTT,
	HOP_ICMP,
	HOP_PROBE_SIZE,
	HOP_REPLY_SIZE,
	HOP_REPLY_IP_ID,
	HOP_REPLY_TOS,
	HOP_MTU,
	HOP_QUOTED_SIZE,
	HOP_QUOTED_TTL,
	HOP_TCP_FLAGS,
	HOP_QUOTED_TOS,
	HOP_EXTENSIONS,
	HOP_ADDRESS,
	HOP_SENT
};
enum ping_param {
	PING_LIST = 1,
	PING_CYCLE,
	PING_START = 5,
	PING_STOP_REASON,
	PING_STOP_DATA,
	PING_PROBE_COUNT = 10,
	PING_PROBE_SIZE,
	PING_INTERVAL,
	PING_TTL,
	PING_SENT = 15,
	PING_METHOD,
	PING_SPORT,
	PING_DPORT,
	PING_USER,
	PING_SRC,
	PING_DST,
	PING_TOS = 23,
	PING_TIMEOUT = 27,
	PING_INTERVAL_US
};
enum reply_param {
	REPLY_FLAGS = 2,
	REPLY_TTL,
	REPLY_SIZE,
	REPLY_ICMP,
	REPLY_RTT,
	REPLY_PROBE_ID,
	REPLY_IP_ID,
	REPLY_PROTO = 10,
	REPLY_TCP_FLAGS,
	REPLY_ADDRESS,
	REPLY_SENT = 16
};

/* --- a trace ----------------------------------------------------------- */

static void mpls_bytes(struct buf *to, const Sonde__IcmpExtension *e)
{
	for (size_t i = 0; i < e->n_mpls; i++)
		buf_be32(to,
		    (e->mpls[i]->label & 0xfffff) << 12 |
			(e->mpls[i]->traffic_class & 7) << 9 |
			(e->mpls[i]->bottom ? 1u << 8 : 0) |
			(e->mpls[i]->ttl & 0xff));
}

static void param_extensions(struct warts_params *p, const Sonde__Reply *r)
{
	struct buf all = { 0 };
	for (size_t i = 0;
	     i < r->n_extensions && all.len + 4 <= EXTENSIONS_MAX_BYTES; i++) {
		const Sonde__IcmpExtension *e = r->extensions[i];
		size_t len = e->n_mpls ? e->n_mpls * 4 : e->data.len;
		if (len > EXTENSIONS_MAX_BYTES - 4 - all.len)
			break;
		buf_be16(&all, (uint16_t)len);
		buf_u8(&all, (uint8_t)e->class_num);
		buf_u8(&all, (uint8_t)e->c_type);
		if (e->n_mpls)
			mpls_bytes(&all, e);
		else
			buf_bytes(&all, e->data.data, len);
	}
	struct buf *b = warts_param(p, HOP_EXTENSIONS);
	buf_be16(b, (uint16_t)all.len);
	buf_bytes(b, all.data, all.len);
	buf_fini(&all);
}

static void hop_quote(struct warts_params *p, const Sonde__Reply *r)
{
	if (r->has_mtu_case)
		warts_u16(p, HOP_MTU, r->mtu);
	if (r->has_quoted_size_bytes_case)
		warts_u16(p, HOP_QUOTED_SIZE, r->quoted_size_bytes);
	if (r->has_quoted_ttl_case)
		warts_u8(p, HOP_QUOTED_TTL, r->quoted_ttl);
	if (r->has_tcp_flags_case)
		warts_u8(p, HOP_TCP_FLAGS, r->tcp_flags);
	if (r->has_quoted_tos_case)
		warts_u8(p, HOP_QUOTED_TOS, r->quoted_tos);
}

static void hop_record(
    struct buf *to, const Sonde__Trace *t, const Sonde__Reply *r)
{
	enum { HAS_REPLY_TTL = 0x10, IS_TCP = 0x20 };
	struct warts_params p = { 0 };
	warts_u8(&p, HOP_PROBE_TTL, r->probe_ttl);
	if (r->has_reply_ttl_case)
		warts_u8(&p, HOP_REPLY_TTL, r->reply_ttl);
	warts_u8(&p, HOP_FLAGS,
	    (r->has_reply_ttl_case ? HAS_REPLY_TTL : 0) |
		(r->has_tcp_flags_case ? IS_TCP : 0));
	warts_u8(&p, HOP_PROBE_ID, r->attempt - 1);
	if (r->has_rtt_ns_case)
		warts_rtt(&p, HOP_RTT, r->rtt_ns);
	if (r->has_icmp_type_case || strcmp(t->method, "icmp") == 0)
		warts_u16(&p, HOP_ICMP, r->icmp_type << 8 | r->icmp_code);
	if (t->size_bytes)
		warts_u16(&p, HOP_PROBE_SIZE, t->size_bytes);
	if (r->has_reply_size_bytes_case)
		warts_u16(&p, HOP_REPLY_SIZE, r->reply_size_bytes);
	if (r->has_reply_ip_id_case)
		warts_u16(&p, HOP_REPLY_IP_ID, r->reply_ip_id);
	if (r->has_reply_tos_case)
		warts_u8(&p, HOP_REPLY_TOS, r->reply_tos);
	hop_quote(&p, r);
	if (r->n_extensions > 0)
		param_extensions(&p, r);
	warts_address(&p, HOP_ADDRESS, &r->from);
	if (r->tx_wall_ns)
		warts_time(&p, HOP_SENT, r->tx_wall_ns);
	warts_end(&p, to);
}

static uint8_t trace_type(const char *method)
{
	return strcmp(method, "udp") == 0 ? 5
	    : strcmp(method, "icmp") == 0 ? 4
					  : 3;
}

/* Which replies have a place in a file: readers index by TTL or number, and
 * take one family. */
struct room {
	size_t address_len;
	uint32_t attempts;
};

static bool has_room(const Sonde__Reply *r, struct room room)
{
	return r->from.len == room.address_len &&
	    r->attempt - 1 < room.attempts && r->probe_ttl >= 1 &&
	    r->probe_ttl <= 255;
}

struct counts {
	uint32_t attempts, hops, sent;
};

static struct counts count_records(Sonde__Reply *const *replies, size_t n)
{
	struct counts c = { 0 };
	for (size_t i = 0; i < n; i++) {
		const Sonde__Reply *r = replies[i];
		if (r->attempt > c.attempts)
			c.attempts = r->attempt;
		if (reply_not_sent(r))
			continue;
		if (r->probe_ttl > c.hops && r->probe_ttl <= 255)
			c.hops = r->probe_ttl;
		c.sent += !r->duplicate;
	}
	return c;
}

static bool hop_is_listed(const Sonde__Trace *t, const Sonde__Reply *r)
{
	struct room room = { t->dst.len, 255 };
	return has_room(r, room) && scamper_has_hop(t, r);
}

static void write_warts_trace(struct buf *to, const Sonde__Record *record)
{
	const Sonde__Trace *t = record->trace;
	struct counts c = count_records(t->replies, t->n_replies);
	struct warts_params p = { 0 };
	uint16_t listed = 0;
	for (size_t i = 0; i < t->n_replies; i++)
		listed += hop_is_listed(t, t->replies[i]);
	warts_u32(&p, TRACE_LIST, LIST_ID);
	warts_u32(&p, TRACE_CYCLE, CYCLE_ID);
	warts_time(&p, TRACE_START, scamper_record_times(record).start_ns);
	warts_u8(&p, TRACE_STOP_REASON, scamper_stop_of(t->stop_reason).number);
	warts_u8(&p, TRACE_STOP_DATA, scamper_stop_data(t));
	/* The destination port holds the checksum. */
	warts_u8(&p, TRACE_FLAGS, strcmp(t->method, "icmp") == 0 ? 0x20 : 0);
	warts_u8(&p, TRACE_ATTEMPTS, c.attempts);
	warts_u8(&p, TRACE_HOP_LIMIT, t->max_ttl);
	warts_u8(&p, TRACE_TYPE, trace_type(t->method));
	warts_u16(&p, TRACE_PROBE_SIZE, t->size_bytes);
	warts_u16(&p, TRACE_SPORT, t->sport);
	warts_u16(&p, TRACE_DPORT, t->dport);
	warts_u8(&p, TRACE_FIRST_HOP, t->first_ttl);
	warts_u8(&p, TRACE_TOS, t->tos);
	warts_u8(&p, TRACE_WAIT, scamper_seconds(t->wait_ns));
	warts_u16(&p, TRACE_HOP_COUNT, c.hops);
	warts_u16(&p, TRACE_PROBE_COUNT, c.sent);
	warts_source(&p, TRACE_SRC, &t->src, t->dst.len);
	warts_address(&p, TRACE_DST, &t->dst);
	warts_u32(&p, TRACE_USER, 0);
	warts_end(&p, to);
	buf_be16(to, listed);
	for (size_t i = 0; i < t->n_replies; i++)
		if (hop_is_listed(t, t->replies[i]))
			hop_record(to, t, t->replies[i]);
	buf_be16(to, 0); /* no attributes follow */
}

/* --- a ping ------------------------------------------------------------ */

static uint8_t reply_proto(const Sonde__Ping *g, const Sonde__Reply *r)
{
	enum { ICMP = 1, TCP = 6, UDP = 17, ICMP6 = 58 };
	if (r->has_tcp_flags_case)
		return TCP;
	if (!r->has_icmp_type_case && strcmp(g->method, "icmp") != 0)
		return UDP;
	return g->dst.len == 16 ? ICMP6 : ICMP;
}

static void reply(struct buf *to, const Sonde__Ping *g, const Sonde__Reply *r)
{
	enum { HAS_TTL = 1, HAS_IP_ID = 2 };
	struct warts_params p = { 0 };
	warts_u8(&p, REPLY_FLAGS,
	    (r->has_reply_ttl_case ? HAS_TTL : 0) |
		(r->has_reply_ip_id_case ? HAS_IP_ID : 0));
	if (r->has_reply_ttl_case)
		warts_u8(&p, REPLY_TTL, r->reply_ttl);
	if (r->has_reply_size_bytes_case)
		warts_u16(&p, REPLY_SIZE, r->reply_size_bytes);
	if (r->has_icmp_type_case || strcmp(g->method, "icmp") == 0)
		warts_u16(&p, REPLY_ICMP, r->icmp_type << 8 | r->icmp_code);
	if (r->has_rtt_ns_case)
		warts_rtt(&p, REPLY_RTT, r->rtt_ns);
	warts_u16(&p, REPLY_PROBE_ID, r->attempt - 1);
	if (r->has_reply_ip_id_case)
		warts_u16(&p, REPLY_IP_ID, r->reply_ip_id);
	warts_u8(&p, REPLY_PROTO, reply_proto(g, r));
	if (r->has_tcp_flags_case)
		warts_u8(&p, REPLY_TCP_FLAGS, r->tcp_flags);
	warts_address(&p, REPLY_ADDRESS, &r->from);
	if (r->tx_wall_ns)
		warts_time(&p, REPLY_SENT, r->tx_wall_ns);
	warts_end(&p, to);
}

static uint8_t ping_method(const char *method)
{
	return strcmp(method, "icmp") == 0 ? 0
	    : strcmp(method, "tcp") == 0   ? 6
					   : 3;
}

static bool reply_is_listed(const Sonde__Ping *g, const Sonde__Reply *r)
{
	struct room room = { g->dst.len, 65535 };
	return has_room(r, room) && scamper_has_reply(g, r);
}

static void ping_params(struct warts_params *p, const Sonde__Record *record,
    uint32_t attempts, uint32_t sent)
{
	enum { COMPLETED = 1, ERROR = 2 };
	const Sonde__Ping *g = record->ping;
	bool icmp = strcmp(g->method, "icmp") == 0;
	warts_u32(p, PING_LIST, LIST_ID);
	warts_u32(p, PING_CYCLE, CYCLE_ID);
	warts_time(p, PING_START, scamper_record_times(record).start_ns);
	warts_u8(p, PING_STOP_REASON, g->sent ? COMPLETED : ERROR);
	warts_u8(p, PING_STOP_DATA, 0);
	warts_u16(p, PING_PROBE_COUNT, attempts);
	warts_u16(p, PING_PROBE_SIZE, g->size_bytes);
	if (g->has_interval_ns_case)
		warts_u8(p, PING_INTERVAL,
		    (uint32_t)(g->interval_ns / NS_PER_S > 255
			    ? 255
			    : g->interval_ns / NS_PER_S));
	if (g->n_replies > 0)
		warts_u8(p, PING_TTL, g->replies[0]->probe_ttl);
	warts_u16(p, PING_SENT, sent);
	warts_u8(p, PING_METHOD, ping_method(g->method));
	if (g->has_sport_case && !icmp)
		warts_u16(p, PING_SPORT, g->sport);
	if (g->has_dport_case && !icmp)
		warts_u16(p, PING_DPORT, g->dport);
	warts_u32(p, PING_USER, 0);
	warts_source(p, PING_SRC, &g->src, g->dst.len);
	warts_address(p, PING_DST, &g->dst);
	warts_u8(p, PING_TOS, g->tos);
	warts_u8(p, PING_TIMEOUT, scamper_seconds(g->wait_ns));
	if (g->has_interval_ns_case)
		warts_u32(p, PING_INTERVAL_US,
		    (uint32_t)(g->interval_ns % NS_PER_S / NS_PER_US));
}

static void write_warts_ping(struct buf *to, const Sonde__Record *record)
{
	const Sonde__Ping *g = record->ping;
	struct counts c = count_records(g->replies, g->n_replies);
	struct warts_params p = { 0 };
	uint32_t listed = 0, last = 0;
	for (size_t i = 0; i < g->n_replies; i++) {
		const Sonde__Reply *r = g->replies[i];
		if (!reply_is_listed(g, r))
			continue;
		listed++;
		last = r->attempt > last ? r->attempt : last;
	}
	/* One that was denied has a number too, and may lie between; a reader
	 * takes for lost what was sent and is not listed. */
	uint32_t sent = g->replies_left_out ? c.sent : g->sent;
	ping_params(&p, record, c.attempts, sent > last ? sent : last);
	warts_end(&p, to);
	buf_be16(to, (uint16_t)listed);
	for (size_t i = 0; i < g->n_replies; i++)
		if (reply_is_listed(g, g->replies[i]))
			reply(to, g, g->replies[i]);
}

/* --- the format -------------------------------------------------------- */

struct warts_format {
	FILE *to; /* borrowed */
	bool begun;
	int64_t stop_ns; /* of the last measurement so far */
};

static int warts_open(void **ctx, FILE *to, int colour, struct errmsg *msg)
{
	(void)colour;
	if (fileno(to) >= 0 && isatty(fileno(to)))
		return err_set(msg, ERR_USAGE,
		    "warts is not for a terminal: "
		    "write it to a file or to `sc_warts2json`");
	struct warts_format *f = xcalloc(1, sizeof(*f));
	f->to = to;
	*ctx = f;
	return 0;
}

/* Appends it with its head, and empties it. */
static void add_object(struct buf *to, enum warts_type type, struct buf *object)
{
	buf_be16(to, MAGIC);
	buf_be16(to, (uint16_t)type);
	buf_be32(to, (uint32_t)object->len);
	buf_bytes(to, object->data, object->len);
	buf_fini(object);
	*object = (struct buf){ 0 };
}

/* The list and the cycle have no parameters: an octet without flags. */
static void add_start(struct buf *to, int64_t wall_ns)
{
	struct buf o = { 0 };
	buf_be32(&o, LIST_ID);
	buf_be32(&o, 0); /* the number that a person gave it */
	buf_bytes(&o, SCAMPER_LIST_NAME, sizeof(SCAMPER_LIST_NAME));
	buf_u8(&o, 0);
	add_object(to, TYPE_LIST, &o);
	buf_be32(&o, CYCLE_ID);
	buf_be32(&o, LIST_ID);
	buf_be32(&o, 0);
	buf_be32(&o, (uint32_t)(wall_ns / NS_PER_S));
	buf_u8(&o, 0);
	add_object(to, TYPE_CYCLE_START, &o);
}

static void add_stop(struct buf *to, int64_t wall_ns)
{
	struct buf o = { 0 };
	buf_be32(&o, CYCLE_ID);
	buf_be32(&o, (uint32_t)(wall_ns / NS_PER_S));
	buf_u8(&o, 0);
	add_object(to, TYPE_CYCLE_STOP, &o);
}

/* Ends the buffer. */
static int write_out(FILE *to, struct buf *octets, struct errmsg *msg)
{
	errno = 0;
	bool bad = fwrite(octets->data, octets->len, 1, to) != 1;
	int err = errno ? -errno : -EIO;
	buf_fini(octets);
	return bad ? err_set(msg, err, "output: %s", strerror(-err)) : 0;
}

static int warts_record(
    void *ctx, const Sonde__Record *record, struct errmsg *msg)
{
	struct warts_format *f = ctx;
	struct buf object = { 0 }, octets = { 0 };
	struct scamper_times times = scamper_record_times(record);
	bool is_trace = record->body_case == SONDE__RECORD__BODY_TRACE;
	bool is_ping = record->body_case == SONDE__RECORD__BODY_PING;
	/* Without a destination a reader takes none of the file. */
	if (is_trace && record->trace->dst.len)
		write_warts_trace(&object, record);
	else if (is_ping && record->ping->dst.len)
		write_warts_ping(&object, record);
	else
		return FORMAT_SKIPPED;
	if (!f->begun)
		add_start(&octets, times.start_ns);
	f->begun = true;
	f->stop_ns = times.end_ns > f->stop_ns ? times.end_ns : f->stop_ns;
	add_object(&octets, is_trace ? TYPE_TRACE : TYPE_PING, &object);
	return write_out(f->to, &octets, msg);
}

static int warts_close(void *ctx, struct errmsg *msg)
{
	struct warts_format *f = ctx;
	FILE *to = f->to;
	struct buf octets = { 0 };
	int err = 0;
	if (f->begun) {
		add_stop(&octets, f->stop_ns);
		err = write_out(to, &octets, msg);
	}
	free(f);
	int closed = json_line_close(to, err < 0 ? NULL : msg);
	return err < 0 ? err : closed;
}

const struct format_ops format_warts = {
	.name = "warts",
	.help = "traces and pings as scamper's files, binary",
	.media_type = "application/octet-stream",
	.extension = "warts",
	.kinds = "trace,ping",
	.holds = "trace,ping",
	.open = warts_open,
	.item = warts_record,
	.close = warts_close,
};
