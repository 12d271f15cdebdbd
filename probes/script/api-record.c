/* SPDX-License-Identifier: ISC */
/*
 * Records: what a script learned, as the bytes that the keeper or the command
 * line reads.  Traces and pings are made here from results, so that every
 * script's records say the same things in the same fields.
 */
#include <string.h>

#include "lib/base/hash.h"
#include "lib/record/record.h"
#include "probes/ipc/record-frame.h"
#include "probes/script/record-fit.h"
#include "probes/script/reply-list.h"
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

static uint64_t wide_field(lua_State *L, const char *name)
{
	lua_getfield(L, 1, name);
	lua_Integer v = luaL_optinteger(L, -1, 0);
	lua_pop(L, 1);
	if (v < 0)
		luaL_error(L, "record: %s is negative", name);
	return (uint64_t)v;
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

/* The trace of the table at 1; mark as for record_frame. */
static void trace_frame(
    lua_State *L, const struct reply_list *l, const char *max, uint32_t mark)
{
	Sonde__Record record = SONDE__RECORD__INIT;
	Sonde__Trace trace = SONDE__TRACE__INIT;
	const struct probe *p = l->first;
	bool icmp = p->proto == PACKET_ICMP;
	trace.src = octets_of(&l->src);
	trace.dst = octets_of(&p->dst);
	trace.dst_name = text_field(L, "dst_name", "");
	trace.method = method_of(p);
	trace.sport = icmp ? p->icmp_id : p->sport;
	trace.dport = icmp ? p->checksum : p->dport;
	trace.flow_label = p->flow_label;
	trace.flow_id = flow_id(&trace, p, &l->src);
	trace.stop_reason = text_field(L, "stop_reason", "");
	trace.first_ttl = number_field(L, "first_ttl");
	trace.max_ttl = number_field(L, max);
	trace.tos = p->tos;
	trace.size_bytes = (uint32_t)probe_size_bytes(p);
	trace.wait_ns = wide_field(L, "wait_ns");
	trace.device = (char *)(l->device ? l->device : "");
	trace.next_hop = octets_of(&l->next_hop);
	trace.replies = l->replies;
	trace.n_replies = l->count;
	trace.remarks = l->remarks;
	trace.n_remarks = l->remark_count;
	if (l->left_out > 0)
		record_leave_out(&trace, l->left_out);
	record_fit_trace(&trace);
	record.body_case = SONDE__RECORD__BODY_TRACE;
	record.trace = &trace;
	record_frame(L, &record, mark);
}

static int api_record_trace(lua_State *L)
{
	struct reply_list l = { .shares = true };
	const uint8_t *mark = record_scratch_mark(L);
	watch_alive();
	luaL_checktype(L, 1, LUA_TTABLE);
	reply_list_read(L, &l);
	trace_frame(L, &l, "max_ttl", 0);
	record_scratch_reset(L, mark);
	return 0;
}

/* Hops of a trace that is not whole, where a user looks on. */
static int api_show_trace(lua_State *L)
{
	struct reply_list l = { .shares = true };
	const struct host *host = host_of(L);
	watch_alive();
	luaL_checktype(L, 1, LUA_TTABLE);
	if (!host->config || !host->config->previews)
		return 0;
	reply_list_read(L, &l);
	trace_frame(L, &l, "last_ttl", PRODUCER_PREVIEW);
	return 0;
}

/* What is there only where it is known. */
static void ping_extras(
    lua_State *L, Sonde__Ping *ping, const struct probe *first)
{
	bool icmp = first->proto == PACKET_ICMP;
	bool known = lua_getfield(L, 1, "interval_ns") != LUA_TNIL;
	lua_pop(L, 1);
	if (known)
		PING_SET(ping, INTERVAL_NS, interval_ns,
		    wide_field(L, "interval_ns"));
	PING_SET(ping, SPORT, sport, icmp ? first->icmp_id : first->sport);
	if (!icmp)
		PING_SET(ping, DPORT, dport, first->dport);
}

/* The ping of the table at 1; mark as for record_frame. */
static int ping_frame(lua_State *L, const struct reply_list *l, uint32_t mark)
{
	Sonde__Record record = SONDE__RECORD__INIT;
	Sonde__Ping ping = SONDE__PING__INIT;
	ping.src = octets_of(&l->src);
	ping.dst = octets_of(&l->first->dst);
	ping.dst_name = text_field(L, "dst_name", "");
	ping.method = method_of(l->first);
	ping.sent = l->sent;
	ping.received = l->received;
	ping.not_sent = l->not_sent;
	ping.denied = l->denied;
	ping.late = l->late;
	ping.rejected = l->rejected;
	ping.other_address = l->other_address;
	ping.ambiguous = l->ambiguous;
	ping.error = (char *)(l->error ? l->error : "");
	if (l->received > 0) {
		PING_SET(&ping, RTT_MIN_NS, rtt_min_ns, l->rtt_min_ns);
		PING_SET(&ping, RTT_MAX_NS, rtt_max_ns, l->rtt_max_ns);
		PING_SET(
		    &ping, RTT_AVG_NS, rtt_avg_ns, l->rtt_sum_ns / l->received);
	}
	ping.size_bytes = (uint32_t)probe_size_bytes(l->first);
	ping.tos = l->first->tos;
	ping.wait_ns = wide_field(L, "wait_ns");
	ping_extras(L, &ping, l->first);
	ping.device = (char *)(l->device ? l->device : "");
	ping.next_hop = octets_of(&l->next_hop);
	ping.replies = l->replies;
	ping.n_replies = l->count;
	ping.remarks = l->remarks;
	ping.n_remarks = l->remark_count;
	record_fit_ping(&ping);
	record.body_case = SONDE__RECORD__BODY_PING;
	record.ping = &ping;
	record_frame(L, &record, mark);
	return 0;
}

static int api_record_ping(lua_State *L)
{
	struct reply_list l = { 0 };
	const uint8_t *mark = record_scratch_mark(L);
	watch_alive();
	luaL_checktype(L, 1, LUA_TTABLE);
	reply_list_read(L, &l);
	ping_frame(L, &l, 0);
	record_scratch_reset(L, mark);
	return 0;
}

/* One result before its ping is whole, where a user looks on. */
static int api_show_ping(lua_State *L)
{
	struct reply_list l = { 0 };
	const struct host *host = host_of(L);
	watch_alive();
	luaL_checktype(L, 1, LUA_TTABLE);
	if (!host->config || !host->config->previews)
		return 0;
	reply_list_read(L, &l);
	for (size_t i = 0; i < l.count; i++)
		l.replies[i]->attempt = number_field(L, "number");
	return ping_frame(L, &l, PRODUCER_PREVIEW);
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
		to->address = octets_of(a);
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
		{ "show_ping", api_show_ping },
		{ "show_trace", api_show_trace }, { "log", api_log },
		{ "problem", api_problem }, { NULL, NULL } };
	luaL_setfuncs(L, functions, 0);
	lua_pushcfunction(L, api_log);
	lua_setglobal(L, "print");
}
