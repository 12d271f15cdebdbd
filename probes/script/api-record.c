/* SPDX-License-Identifier: ISC */
/*
 * Records: what a script learned, as the bytes that the keeper or the command
 * line reads.  Traces and pings are made here from results, so that every
 * script's records say the same things in the same fields.
 */
#include <string.h>

#include "lib/base/hash.h"
#include "lib/base/reader.h"
#include "lib/record/record.h"
#include "probes/ipc/record-frame.h"
#include "probes/policy/policy.h"
#include "probes/script/script-api.h"
#include "probes/script/emit.h"
#include "probes/script/watch.h"

#define LOG_MAX_BYTES (256u << 10) /* of one script */

static void record_emit(lua_State *L, Sonde__Record *record)
{
	record_frame(L, record, 0);
}

static ProtobufCBinaryData octets(const void *data, size_t len)
{
	return (ProtobufCBinaryData){ len, (uint8_t *)data };
}

static ProtobufCBinaryData addr_octets(const struct addr *a)
{
	return octets(a->bytes, addr_len(a));
}

static void fill_mpls(
    lua_State *L, Sonde__IcmpExtension *to, const struct packet_extension *e)
{
	struct reader r = reader_init(e->data, e->len);
	size_t count = e->len / 4;
	Sonde__MplsEntry *entries = record_scratch(L, count * sizeof(*entries));
	to->mpls = record_scratch(L, count * sizeof(Sonde__MplsEntry *));
	for (size_t i = 0; i < count; i++) {
		uint32_t word = reader_be32(&r);
		sonde__mpls_entry__init(&entries[i]);
		entries[i].label = word >> 12;
		entries[i].traffic_class = word >> 9 & 7;
		entries[i].bottom = (word >> 8 & 1) != 0;
		entries[i].ttl = word & 0xff;
		to->mpls[i] = &entries[i];
	}
	to->n_mpls = count;
}

static void fill_extensions(
    lua_State *L, Sonde__Reply *to, const struct host_reply *r)
{
	struct packet_extension e;
	size_t offset = 0, count = 0;
	while (packet_next_extension(&r->packet, &offset, &e) == 0)
		count++;
	if (count == 0)
		return;
	Sonde__IcmpExtension *all = record_scratch(L, count * sizeof(*all));
	to->extensions =
	    record_scratch(L, count * sizeof(Sonde__IcmpExtension *));
	to->extensions_by_length = r->packet.extensions_by_length;
	offset = 0;
	for (size_t i = 0; i < count; i++) {
		packet_next_extension(&r->packet, &offset, &e);
		sonde__icmp_extension__init(&all[i]);
		all[i].class_num = e.class_num;
		all[i].c_type = e.c_type;
		all[i].data = octets(e.data, e.len);
		if (e.class_num == 1 && e.c_type == 1)
			fill_mpls(L, &all[i], &e);
		to->extensions[i] = &all[i];
	}
	to->n_extensions = count;
}

static void fill_reply(
    lua_State *L, Sonde__Reply *to, const struct host_reply *r)
{
	const struct packet *p = &r->packet;
	to->from = addr_octets(&p->src);
	to->rx_wall_ns = r->stamp.wall.ns;
	to->rx_clock = (Sonde__Clock)r->stamp.clock;
	to->rtt_ns = r->rtt_ns > 0 ? (uint64_t)r->rtt_ns : 0;
	to->reply_ttl = p->ttl;
	to->reply_size_bytes = p->ip_len;
	to->reply_ip_id = p->ip_id;
	to->duplicate = r->duplicate;
	if (p->proto == PACKET_TCP)
		to->tcp_flags = p->tcp_flags;
	if (p->proto == PACKET_ICMP || p->proto == PACKET_ICMP6) {
		to->icmp_type = p->icmp_type;
		to->icmp_code = p->icmp_code;
	}
	if (r->has_quote) {
		to->quoted_ttl = r->quoted.ttl;
		to->quoted_tos = r->quoted.tos;
	}
	fill_extensions(L, to, r);
}

/* The list of results at `probes`, turned into replies. */
struct list {
	int probes;         /* stack index of the table */
	size_t count, size; /* replies, and room for them */
	Sonde__Reply **replies;
	const struct probe *first; /* of the first result */
	struct addr src;           /* where its packet left from */
	uint32_t attempts[256];    /* so far, by TTL */
	uint32_t number;           /* of the result at hand, from 1 */
	uint32_t sent, received;
	uint64_t rtt_min_ns, rtt_max_ns, rtt_sum_ns;
};

static void list_add(lua_State *L, struct list *l, const struct host_result *r,
    const struct probe *probe, const struct host_reply *reply)
{
	if (l->count == l->size)
		return; /* the list changed while it was read */
	Sonde__Reply *to = record_scratch(L, sizeof(*to));
	sonde__reply__init(to);
	to->probe_ttl = probe->ttl;
	to->attempt = l->attempts[probe->ttl];
	to->probe_id = l->number;
	if (r->sent) {
		to->tx_wall_ns = r->tx.wall.ns;
		to->tx_clock = (Sonde__Clock)r->tx.clock;
	}
	if (r->verdict)
		to->denied =
		    (char *)policy_reason_name((enum policy_verdict)r->verdict);
	if (reply)
		fill_reply(L, to, reply);
	l->replies[l->count++] = to;
}

/* Is this what the probe's destination says when it is there?  To UDP it says
 * that no program listens: code 3 in IPv4, 4 in IPv6. */
static bool is_answer(const struct probe *probe, const struct packet *p)
{
	bool six = p->src.family == 6;
	if (!packet_is_icmp_error(p))
		return true;
	return probe->proto == PACKET_UDP && p->icmp_type == (six ? 1 : 3) &&
	    p->icmp_code == (six ? 4 : 3);
}

static void list_count(struct list *l, const struct host_result *r,
    const struct probe *probe, const struct host_reply *reply)
{
	l->sent += r->sent;
	if (!reply || !is_answer(probe, &reply->packet))
		return;
	uint64_t rtt_ns = reply->rtt_ns > 0 ? (uint64_t)reply->rtt_ns : 0;
	if (l->received == 0 || rtt_ns < l->rtt_min_ns)
		l->rtt_min_ns = rtt_ns;
	if (rtt_ns > l->rtt_max_ns)
		l->rtt_max_ns = rtt_ns;
	l->rtt_sum_ns += rtt_ns;
	l->received++;
}

/* The result on top of the stack, with every reply it has. */
static void list_result(lua_State *L, struct list *l)
{
	int at = lua_gettop(L);
	const struct host_result *r = api_check(L, at, HOST_RESULT);
	lua_getiuservalue(L, at, RESULT_PROBE);
	const struct host_probe *p = api_probe_check(L, -1);
	lua_getiuservalue(L, at, RESULT_REPLY);
	const struct host_reply *reply = api_test(L, -1, HOST_REPLY);
	if (!l->first)
		l->first = &p->probe;
	if (r->sent && l->src.family == 0)
		l->src = r->src;
	l->attempts[p->probe.ttl]++;
	l->number++;
	list_add(L, l, r, &p->probe, reply);
	list_count(l, r, &p->probe, reply);
	if (lua_getiuservalue(L, at, RESULT_MORE) != LUA_TTABLE)
		return;
	int more = lua_gettop(L);
	for (lua_Integer i = 1; lua_rawgeti(L, more, i) != LUA_TNIL; i++) {
		reply = api_test(L, -1, HOST_REPLY);
		list_add(L, l, r, &p->probe, reply);
	}
}

/* How many replies the list will have: a silent probe is one too. */
static size_t list_size(lua_State *L, int at, lua_Integer count)
{
	size_t size = 0;
	for (lua_Integer i = 1; i <= count; i++) {
		lua_rawgeti(L, at, i);
		const struct host_result *r = api_check(L, -1, HOST_RESULT);
		size += r->replies > 0 ? r->replies : 1;
		lua_pop(L, 1);
		if (size > RECORD_MAX_REPLIES)
			luaL_error(L, "record: more than %d replies",
			    RECORD_MAX_REPLIES);
	}
	return size;
}

/* Reads `probes` of the table at 1.  Everything found stays on the stack of
 * the call, so that it lives until the record is packed. */
static bool list_read(lua_State *L, struct list *l)
{
	if (lua_getfield(L, 1, "probes") != LUA_TTABLE)
		luaL_error(L, "record: expected probes = a list of results");
	l->probes = lua_gettop(L);
	lua_Integer count = (lua_Integer)lua_rawlen(L, l->probes);
	l->size = list_size(L, l->probes, count);
	l->replies = record_scratch(L, l->size * sizeof(Sonde__Reply *));
	luaL_checkstack(L, (int)count * 32 + 64, "a shorter list of probes");
	for (lua_Integer i = 1; i <= count; i++) {
		lua_rawgeti(L, l->probes, i);
		list_result(L, l);
	}
	if (l->first)
		return true;
	luaL_error(L, "record: the list of probes is empty");
	return false;
}

/* A text field of the table at 1, which holds it. */
static char *text_field(lua_State *L, const char *name, const char *fallback)
{
	const char *text = fallback;
	if (lua_getfield(L, 1, name) == LUA_TSTRING)
		text = lua_tostring(L, -1);
	lua_pop(L, 1);
	return (char *)text;
}

static uint32_t number_field(lua_State *L, const char *name)
{
	lua_getfield(L, 1, name);
	lua_Integer v = luaL_optinteger(L, -1, 0);
	lua_pop(L, 1);
	if (v < 0 || v > UINT32_MAX)
		luaL_error(L, "record: %s is out of range", name);
	return (uint32_t)v;
}

static char *method_of(const struct probe *p)
{
	static char udp[] = "udp", tcp[] = "tcp", icmp[] = "icmp";
	if (p->proto == PACKET_ICMP)
		return icmp;
	return p->proto == PACKET_UDP ? udp : tcp;
}

/* FNV-1a over what balancers look at. */
static uint64_t flow_id(
    const Sonde__Trace *t, const struct probe *p, const struct addr *src)
{
	/* Of ICMP they see the checksum (dport), not the id. */
	uint64_t sport = p->proto == PACKET_ICMP ? 0 : t->sport;
	uint64_t words[4] = { sport << 16 | t->dport, t->flow_label, p->proto,
		p->tos };
	uint64_t h = hash_fnv(HASH_FNV_START, src->bytes, sizeof(src->bytes));
	h = hash_fnv(h, p->dst.bytes, sizeof(p->dst.bytes));
	return hash_fnv(h, words, sizeof(words));
}

static int api_record_trace(lua_State *L)
{
	struct list l = { 0 };
	watch_alive();
	luaL_checktype(L, 1, LUA_TTABLE);
	if (!list_read(L, &l))
		return 0;
	Sonde__Record record = SONDE__RECORD__INIT;
	Sonde__Trace trace = SONDE__TRACE__INIT;
	const struct probe *p = l.first;
	bool icmp = p->proto == PACKET_ICMP;
	trace.src = addr_octets(&l.src);
	trace.dst = addr_octets(&p->dst);
	trace.dst_name = text_field(L, "dst_name", "");
	trace.method = method_of(p);
	trace.sport = icmp ? p->icmp_id : p->sport;
	trace.dport = icmp ? p->checksum : p->dport;
	trace.flow_label = p->flow_label;
	trace.flow_id = flow_id(&trace, p, &l.src);
	trace.stop_reason = text_field(L, "stop_reason", "");
	trace.first_ttl = number_field(L, "first_ttl");
	trace.max_ttl = number_field(L, "max_ttl");
	trace.replies = l.replies;
	trace.n_replies = l.count;
	record.body_case = SONDE__RECORD__BODY_TRACE;
	record.trace = &trace;
	record_emit(L, &record);
	return 0;
}

/* The ping of the table at 1; mark as for record_frame. */
static int ping_frame(lua_State *L, struct list l, uint32_t mark)
{
	Sonde__Record record = SONDE__RECORD__INIT;
	Sonde__Ping ping = SONDE__PING__INIT;
	ping.src = addr_octets(&l.src);
	ping.dst = addr_octets(&l.first->dst);
	ping.dst_name = text_field(L, "dst_name", "");
	ping.method = method_of(l.first);
	ping.sent = l.sent;
	ping.received = l.received;
	ping.rtt_min_ns = l.rtt_min_ns;
	ping.rtt_max_ns = l.rtt_max_ns;
	if (l.received > 0)
		ping.rtt_avg_ns = l.rtt_sum_ns / l.received;
	ping.size_bytes = (uint32_t)probe_size_bytes(l.first);
	ping.replies = l.replies;
	ping.n_replies = l.count;
	record.body_case = SONDE__RECORD__BODY_PING;
	record.ping = &ping;
	record_frame(L, &record, mark);
	return 0;
}

static int api_record_ping(lua_State *L)
{
	struct list l = { 0 };
	watch_alive();
	luaL_checktype(L, 1, LUA_TTABLE);
	return list_read(L, &l) ? ping_frame(L, l, 0) : 0;
}

/* One result before its ping is whole, where a user looks on. */
static int api_show_ping(lua_State *L)
{
	struct list l = { 0 };
	const struct host *host = host_of(L);
	watch_alive();
	luaL_checktype(L, 1, LUA_TTABLE);
	if (!host->config || !host->config->previews || !list_read(L, &l))
		return 0;
	for (size_t i = 0; i < l.count; i++)
		l.replies[i]->attempt = number_field(L, "number");
	return ping_frame(L, l, PRODUCER_PREVIEW);
}

/* The value on top of the stack as the header declares it. */
static void fill_field(
    lua_State *L, Sonde__Field *to, const struct script_field *declared)
{
	const char *type = declared->type;
	size_t len;
	if (strcmp(type, "integer") == 0) {
		to->value_case = SONDE__FIELD__VALUE_INTEGER;
		to->integer = luaL_checkinteger(L, -1);
	} else if (strcmp(type, "number") == 0) {
		to->value_case = SONDE__FIELD__VALUE_NUMBER;
		to->number = luaL_checknumber(L, -1);
	} else if (strcmp(type, "boolean") == 0) {
		to->value_case = SONDE__FIELD__VALUE_BOOLEAN;
		to->boolean = lua_toboolean(L, -1);
	} else if (strcmp(type, "address") == 0) {
		struct addr *a = record_scratch(L, sizeof(*a));
		lua_pushvalue(L, -2);
		*a = api_check_address(L, -1);
		to->value_case = SONDE__FIELD__VALUE_ADDRESS;
		to->address = addr_octets(a);
	} else if (strcmp(type, "octets") == 0) {
		const char *data = luaL_checklstring(L, -1, &len);
		to->value_case = SONDE__FIELD__VALUE_OCTETS;
		to->octets = octets(data, len);
	} else {
		to->value_case = SONDE__FIELD__VALUE_TEXT;
		to->text = (char *)luaL_checkstring(L, -1);
	}
}

/* A field that is given but not declared is a mistake to hear about. */
static void check_declared(lua_State *L, const struct script *script)
{
	lua_pushnil(L);
	while (lua_next(L, 1)) {
		const char *name =
		    lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";
		size_t i = 0;
		while (i < script->field_count &&
		    strcmp(script->fields[i].name, name) != 0)
			i++;
		if (i == script->field_count)
			luaL_error(L,
			    "record: field '%s' is not declared in "
			    "the script's header",
			    name);
		lua_pop(L, 1);
	}
}

static int api_record(lua_State *L)
{
	struct host *host = host_of(L);
	watch_alive();
	if (!host->config)
		return luaL_error(L, "only run() may record");
	const struct script *script = host->config->script;
	if (script->results)
		return api_record_row(L);
	luaL_checktype(L, 1, LUA_TTABLE);
	check_declared(L, script);
	size_t count = script->field_count;
	luaL_checkstack(L, (int)count * 4 + 16, NULL);
	Sonde__Field *fields = record_scratch(L, count * sizeof(*fields));
	Sonde__Field **list = record_scratch(L, count * sizeof(Sonde__Field *));
	Sonde__Record record = SONDE__RECORD__INIT;
	Sonde__Train train = SONDE__TRAIN__INIT;
	for (size_t i = 0; i < count; i++) {
		if (lua_getfield(L, 1, script->fields[i].name) == LUA_TNIL)
			continue;
		Sonde__Field *to = &fields[train.n_fields];
		sonde__field__init(to);
		to->name = script->fields[i].name;
		fill_field(L, to, &script->fields[i]);
		list[train.n_fields++] = to;
	}
	train.script = script->name;
	train.fields = list;
	record.body_case = SONDE__RECORD__BODY_TRAIN;
	record.train = &train;
	record_emit(L, &record);
	return 0;
}

/* One log line: control characters gone, bounded in line and in sum. */
static void log_line(struct host *host, const char *text, size_t len)
{
	char line[HOST_LOG_LINE_MAX + 2];
	if (len > HOST_LOG_LINE_MAX)
		len = HOST_LOG_LINE_MAX;
	for (size_t i = 0; i < len; i++)
		line[i] = text[i];
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = ' ';
	line[len++] = '\n';
	host->log_bytes += len;
	if (host->log_bytes > LOG_MAX_BYTES)
		return;
	if (host->config && host->config->log_fd >= 0) {
		watch_waits(true);
		write_all(host->config->log_fd, line, len);
		watch_waits(false);
	}
}

static int api_log(lua_State *L)
{
	luaL_Buffer b;
	int count = lua_gettop(L);
	watch_alive();
	luaL_buffinit(L, &b);
	for (int i = 1; i <= count; i++) {
		if (i > 1)
			luaL_addchar(&b, ' ');
		luaL_tolstring(L, i, NULL);
		luaL_addvalue(&b);
	}
	luaL_pushresult(&b);
	size_t len;
	const char *text = lua_tolstring(L, -1, &len);
	log_line(host_of(L), text, len);
	return 0;
}

/* The script found a problem: the exit code shows it. */
static int api_problem(lua_State *L)
{
	host_of(L)->problem = true;
	return 0;
}

void api_record_open(lua_State *L)
{
	static const luaL_Reg functions[] = { { "record", api_record },
		{ "record_trace", api_record_trace },
		{ "record_ping", api_record_ping },
		{ "show_ping", api_show_ping }, { "log", api_log },
		{ "problem", api_problem }, { NULL, NULL } };
	luaL_setfuncs(L, functions, 0);
	lua_pushcfunction(L, api_log);
	lua_setglobal(L, "print");
}
