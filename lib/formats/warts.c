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
 * All in network order.  A parameter that our records do not know has no flag;
 * other records are passed over.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/formats/json-line.h"
#include "lib/formats/reply-text.h"
#include "lib/formats/format.h"

enum { MAGIC = 0x1205, TYPE_TRACE = 6, TYPE_PING = 7, FLAG_OCTETS = 5 };
#define EXTENSIONS_MAX_BYTES 4096 /* of one reply; no packet has more */

/* Numbers of parameters, from 1. */
enum trace_param {
	TRACE_START = 5,
	TRACE_STOP_REASON,
	TRACE_STOP_DATA,
	TRACE_FLAGS,
	TRACE_ATTEMPTS,
	TRACE_HOP_LIMIT,
	TRACE_TYPE,
	TRACE_SPORT = 13,
	TRACE_DPORT,
	TRACE_FIRST_HOP,
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
	HOP_REPLY_SIZE = 9,
	HOP_REPLY_IP_ID,
	HOP_QUOTED_TTL = 14,
	HOP_TCP_FLAGS,
	HOP_QUOTED_TOS,
	HOP_EXTENSIONS,
	HOP_ADDRESS,
	HOP_SENT
};
enum ping_param {
	PING_START = 5,
	PING_STOP_REASON,
	PING_STOP_DATA,
	PING_PROBE_COUNT = 10,
	PING_PROBE_SIZE,
	PING_TTL = 13,
	PING_SENT = 15,
	PING_METHOD,
	PING_USER = 19,
	PING_SRC,
	PING_DST
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

struct params {
	uint8_t flags[FLAG_OCTETS];
	struct buf body;
};

/* They come in the order of their numbers. */
static struct buf *param(struct params *p, unsigned number)
{
	p->flags[(number - 1) / 7] |= (uint8_t)(1u << (number - 1) % 7);
	return &p->body;
}

static void param_u8(struct params *p, unsigned number, uint32_t value)
{
	buf_u8(param(p, number), (uint8_t)(value < 255 ? value : 255));
}

static void param_u16(struct params *p, unsigned number, uint32_t value)
{
	buf_be16(param(p, number), (uint16_t)(value < 65535 ? value : 65535));
}

static void param_time(struct params *p, unsigned number, int64_t wall_ns)
{
	struct buf *b = param(p, number);
	buf_be32(b, (uint32_t)(wall_ns / NS_PER_S));
	buf_be32(b, (uint32_t)(wall_ns % NS_PER_S / NS_PER_US));
}

/* Spelled out each time, never as a reference to an earlier one. */
static void param_address(
    struct params *p, unsigned number, const ProtobufCBinaryData *address)
{
	if (address->len == 0)
		return;
	struct buf *b = param(p, number);
	buf_u8(b, (uint8_t)address->len);
	buf_u8(b, address->len == 16 ? 2 : 1);
	buf_bytes(b, address->data, address->len);
}

/* Where nothing was sent, from nowhere: readers cannot do without. */
static void param_source(struct params *p, unsigned number,
    const ProtobufCBinaryData *address, size_t len)
{
	uint8_t zero[16] = { 0 };
	ProtobufCBinaryData nowhere = { len, zero };
	param_address(p, number, address->len == len ? address : &nowhere);
}

static void param_rtt(struct params *p, unsigned number, uint64_t ns)
{
	uint64_t us = (ns + NS_PER_US / 2) / NS_PER_US;
	buf_be32(param(p, number), us < UINT32_MAX ? (uint32_t)us : UINT32_MAX);
}

static void params_end(struct params *p, struct buf *to)
{
	int last = FLAG_OCTETS - 1;
	while (last > 0 && p->flags[last] == 0)
		last--;
	for (int i = 0; i <= last; i++)
		buf_u8(to, (uint8_t)(p->flags[i] | (i < last ? 0x80 : 0)));
	if (p->flags[last]) {
		buf_be16(to, (uint16_t)p->body.len);
		buf_bytes(to, p->body.data, p->body.len);
	}
	buf_fini(&p->body);
}

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

static void param_extensions(struct params *p, const Sonde__Reply *r)
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
	struct buf *b = param(p, HOP_EXTENSIONS);
	buf_be16(b, (uint16_t)all.len);
	buf_bytes(b, all.data, all.len);
	buf_fini(&all);
}

static void hop_record(struct buf *to, const Sonde__Reply *r)
{
	enum { HAS_REPLY_TTL = 0x10, IS_TCP = 0x20 };
	struct params p = { 0 };
	param_u8(&p, HOP_PROBE_TTL, r->probe_ttl);
	param_u8(&p, HOP_REPLY_TTL, r->reply_ttl);
	param_u8(&p, HOP_FLAGS, HAS_REPLY_TTL | (r->tcp_flags ? IS_TCP : 0));
	param_u8(&p, HOP_PROBE_ID, r->attempt - 1);
	param_rtt(&p, HOP_RTT, r->rtt_ns);
	if (!r->tcp_flags)
		param_u16(&p, HOP_ICMP, r->icmp_type << 8 | r->icmp_code);
	param_u16(&p, HOP_REPLY_SIZE, r->reply_size_bytes);
	param_u16(&p, HOP_REPLY_IP_ID, r->reply_ip_id);
	if (r->quoted_ttl)
		param_u8(&p, HOP_QUOTED_TTL, r->quoted_ttl);
	if (r->tcp_flags)
		param_u8(&p, HOP_TCP_FLAGS, r->tcp_flags);
	if (r->quoted_ttl)
		param_u8(&p, HOP_QUOTED_TOS, r->quoted_tos);
	if (r->n_extensions > 0)
		param_extensions(&p, r);
	param_address(&p, HOP_ADDRESS, &r->from);
	if (r->tx_wall_ns)
		param_time(&p, HOP_SENT, r->tx_wall_ns);
	params_end(&p, to);
}

static uint8_t stop_number(const char *reason)
{
	static const char *const names[] = { "", "completed", "unreachable", "",
		"loop", "gaplimit", "denied", "maxttl" };
	if (strcmp(reason, "unsent") == 0)
		reason = "denied";
	for (size_t i = 1; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(names[i], reason) == 0)
			return (uint8_t)i;
	return 0;
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

static bool is_listed(const Sonde__Reply *r, struct room room)
{
	return r->from.len == room.address_len && !reply_not_sent(r) &&
	    r->attempt - 1 < room.attempts && r->probe_ttl >= 1 &&
	    r->probe_ttl <= 255;
}

struct counts {
	uint32_t attempts, hops, sent, answers, answered;
	int64_t start_ns;
};

static struct counts count_records(Sonde__Reply *const *replies, size_t n,
    int64_t record_wall_ns, struct room room)
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
		if (r->tx_wall_ns &&
		    (!c.start_ns || r->tx_wall_ns < c.start_ns))
			c.start_ns = r->tx_wall_ns;
		c.sent += !r->duplicate;
		if (is_listed(r, room) && r->attempt > c.answered)
			c.answered = r->attempt;
		c.answers += is_listed(r, room);
	}
	if (!c.start_ns)
		c.start_ns = record_wall_ns;
	return c;
}

static void write_warts_trace(struct buf *to, const Sonde__Record *record)
{
	const Sonde__Trace *t = record->trace;
	struct room room = { t->dst.len, 255 };
	struct counts c =
	    count_records(t->replies, t->n_replies, record->wall_ns, room);
	struct params p = { 0 };
	param_time(&p, TRACE_START, c.start_ns);
	param_u8(&p, TRACE_STOP_REASON, stop_number(t->stop_reason));
	param_u8(&p, TRACE_STOP_DATA, 0);
	/* The destination port holds the checksum. */
	param_u8(&p, TRACE_FLAGS, strcmp(t->method, "icmp") == 0 ? 0x20 : 0);
	param_u8(&p, TRACE_ATTEMPTS, c.attempts);
	param_u8(&p, TRACE_HOP_LIMIT, t->max_ttl);
	param_u8(&p, TRACE_TYPE, trace_type(t->method));
	param_u16(&p, TRACE_SPORT, t->sport);
	param_u16(&p, TRACE_DPORT, t->dport);
	param_u8(&p, TRACE_FIRST_HOP, t->first_ttl);
	param_u16(&p, TRACE_HOP_COUNT, c.hops);
	param_u16(&p, TRACE_PROBE_COUNT, c.sent);
	param_source(&p, TRACE_SRC, &t->src, t->dst.len);
	param_address(&p, TRACE_DST, &t->dst);
	buf_be32(param(&p, TRACE_USER), 0);
	params_end(&p, to);
	buf_be16(to, (uint16_t)c.answers);
	for (size_t i = 0; i < t->n_replies; i++)
		if (is_listed(t->replies[i], room))
			hop_record(to, t->replies[i]);
	buf_be16(to, 0); /* no attributes follow */
}

/* --- a ping ------------------------------------------------------------ */

static void reply(struct buf *to, const Sonde__Reply *r, bool ipv6)
{
	enum { HAS_TTL = 1, HAS_IP_ID = 2 };
	struct params p = { 0 };
	param_u8(&p, REPLY_FLAGS, HAS_TTL | HAS_IP_ID);
	param_u8(&p, REPLY_TTL, r->reply_ttl);
	param_u16(&p, REPLY_SIZE, r->reply_size_bytes);
	if (!r->tcp_flags)
		param_u16(&p, REPLY_ICMP, r->icmp_type << 8 | r->icmp_code);
	param_rtt(&p, REPLY_RTT, r->rtt_ns);
	param_u16(&p, REPLY_PROBE_ID, r->attempt - 1);
	param_u16(&p, REPLY_IP_ID, r->reply_ip_id);
	param_u8(&p, REPLY_PROTO, r->tcp_flags ? 6 : ipv6 ? 58 : 1);
	if (r->tcp_flags)
		param_u8(&p, REPLY_TCP_FLAGS, r->tcp_flags);
	param_address(&p, REPLY_ADDRESS, &r->from);
	if (r->tx_wall_ns)
		param_time(&p, REPLY_SENT, r->tx_wall_ns);
	params_end(&p, to);
}

static uint8_t ping_method(const char *method)
{
	return strcmp(method, "icmp") == 0 ? 0
	    : strcmp(method, "tcp") == 0   ? 6
					   : 3;
}

static void write_warts_ping(struct buf *to, const Sonde__Record *record)
{
	enum { COMPLETED = 1, ERROR = 2 };
	const Sonde__Ping *g = record->ping;
	struct room room = { g->dst.len, 65535 };
	struct counts c =
	    count_records(g->replies, g->n_replies, record->wall_ns, room);
	struct params p = { 0 };
	param_time(&p, PING_START, c.start_ns);
	param_u8(&p, PING_STOP_REASON, g->sent ? COMPLETED : ERROR);
	param_u8(&p, PING_STOP_DATA, 0);
	param_u16(&p, PING_PROBE_COUNT, c.attempts);
	param_u16(&p, PING_PROBE_SIZE, g->size_bytes);
	if (g->n_replies > 0)
		param_u8(&p, PING_TTL, g->replies[0]->probe_ttl);
	/* One that was denied has a number too, and may lie between. */
	param_u16(&p, PING_SENT, g->sent > c.answered ? g->sent : c.answered);
	param_u8(&p, PING_METHOD, ping_method(g->method));
	buf_be32(param(&p, PING_USER), 0);
	param_source(&p, PING_SRC, &g->src, g->dst.len);
	param_address(&p, PING_DST, &g->dst);
	params_end(&p, to);
	buf_be16(to, (uint16_t)c.answers);
	for (size_t i = 0; i < g->n_replies; i++)
		if (is_listed(g->replies[i], room))
			reply(to, g->replies[i], g->dst.len == 16);
}

/* --- the format -------------------------------------------------------- */

static int warts_open(void **ctx, FILE *to, int colour, struct errmsg *msg)
{
	(void)colour;
	if (fileno(to) >= 0 && isatty(fileno(to)))
		return err_set(msg, ERR_USAGE,
		    "warts is not for a terminal: "
		    "write it to a file or to `sc_warts2json`");
	*ctx = to;
	return 0;
}

static int warts_record(
    void *ctx, const Sonde__Record *record, struct errmsg *msg)
{
	struct buf object = { 0 }, head = { 0 };
	bool is_trace = record->body_case == SONDE__RECORD__BODY_TRACE;
	bool is_ping = record->body_case == SONDE__RECORD__BODY_PING;
	/* Without a destination a reader takes none of the file. */
	if (is_trace && record->trace->dst.len)
		write_warts_trace(&object, record);
	else if (is_ping && record->ping->dst.len)
		write_warts_ping(&object, record);
	else
		return FORMAT_SKIPPED;
	buf_be16(&head, MAGIC);
	buf_be16(&head, is_trace ? TYPE_TRACE : TYPE_PING);
	buf_be32(&head, (uint32_t)object.len);
	errno = 0;
	bool bad = fwrite(head.data, head.len, 1, ctx) != 1 ||
	    fwrite(object.data, object.len, 1, ctx) != 1;
	int err = errno ? -errno : -EIO;
	buf_fini(&head);
	buf_fini(&object);
	return bad ? err_set(msg, err, "output: %s", strerror(-err)) : 0;
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
	.close = json_line_close,
};
