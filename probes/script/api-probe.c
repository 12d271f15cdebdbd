/* SPDX-License-Identifier: ISC */
/*
 * Probes as a script makes them: sonde.icmp{...}, sonde.udp{...} and
 * sonde.tcp{...} check every field against one table and give a value that
 * never changes; probe:with{...} gives a changed copy.
 */
#include <string.h>

#include "probes/script/script-api.h"

/* Above the ports that Linux gives to sockets. */
#define SPORT_DEFAULT 61439

enum field_type {
	DST,
	U8,
	U16,
	U32,
	LABEL,
	CHECKSUM,
	PAYLOAD,
	SIZE,
	FLAGS,
	HOLD,
	ANSWER,
	PROTO,
	SIZE_BYTES,
	WITH
};
enum { FOR_ICMP = 1, FOR_UDP = 2, FOR_TCP = 4, FOR_ALL = 7, READ_ONLY = 8 };

#define AT(field) offsetof(struct probe, field)
static const struct probe_field {
	const char *name;
	enum field_type kind;
	int for_what;
	size_t at;
} fields[] = {
	{ "with", WITH, FOR_ALL | READ_ONLY, 0 },
	{ "dst", DST, FOR_ALL, 0 },
	{ "ttl", U8, FOR_ALL, AT(ttl) },
	{ "tos", U8, FOR_ALL, AT(tos) },
	{ "flow_label", LABEL, FOR_ALL, AT(flow_label) },
	{ "ip_id", U16, FOR_ALL, AT(ip_id) },
	{ "payload", PAYLOAD, FOR_ALL, 0 },
	{ "payload_bytes", SIZE, FOR_ALL, 0 },
	{ "checksum", CHECKSUM, FOR_ICMP | FOR_UDP, 0 },
	{ "id", U16, FOR_ICMP, AT(icmp_id) },
	{ "seq", U16, FOR_ICMP, AT(icmp_seq) },
	{ "sport", U16, FOR_UDP | FOR_TCP, AT(sport) },
	{ "dport", U16, FOR_UDP | FOR_TCP, AT(dport) },
	{ "seq", U32, FOR_TCP, AT(tcp_seq) },
	{ "ack", U32, FOR_TCP, AT(tcp_ack) },
	{ "window", U16, FOR_TCP, AT(tcp_window) },
	{ "flags", FLAGS, FOR_TCP, 0 },
	{ "hold", HOLD, FOR_TCP, 0 },
	{ "answer", ANSWER, FOR_UDP, 0 },
	{ "proto", PROTO, FOR_ALL | READ_ONLY, 0 },
	{ "size_bytes", SIZE_BYTES, FOR_ALL | READ_ONLY, 0 },
};
#undef AT
#define FIELD_COUNT (sizeof(fields) / sizeof(*fields))

static const char flag_letters[] = "FSRPAU";

static const char *const type_names[HOST_TYPES] = {
	[HOST_PROBE] = "probe", [HOST_RESULT] = "result", [HOST_REPLY] = "reply"
};
/* Registry keys, by address: the metatables. */
static char type_keys[HOST_TYPES];

void *api_object_new(lua_State *L, enum host_type type, size_t size, int values)
{
	struct host_object *o = lua_newuserdatauv(L, size, values);
	memset(o, 0, size);
	o->type = type;
	lua_rawgetp(L, LUA_REGISTRYINDEX, &type_keys[type]);
	lua_setmetatable(L, -2);
	return o;
}

/* Scripts have no userdata that is not ours. */
void *api_test(lua_State *L, int at, enum host_type type)
{
	struct host_object *o = lua_touserdata(L, at);
	return o && o->type == type ? o : NULL;
}

void *api_check(lua_State *L, int at, enum host_type type)
{
	void *o = api_test(L, at, type);
	if (o)
		return o;
	luaL_typeerror(L, at, type_names[type]);
	BUG("an argument error of Lua returned");
}

const struct host_probe *api_probe_check(lua_State *L, int at)
{
	return api_check(L, at, HOST_PROBE);
}

struct addr api_check_address(lua_State *L, int at)
{
	struct addr a;
	const char *text = luaL_checkstring(L, at);
	if (addr_parse(&a, text) != 0)
		luaL_error(L, "expected an address, got '%s'", text);
	return a;
}

void api_push_address(lua_State *L, const struct addr *a)
{
	char text[ADDR_TEXT_LEN];
	lua_pushstring(L, addr_text(a, text));
}

int api_field_number(lua_State *L, int name_at)
{
	lua_pushvalue(L, name_at);
	lua_rawget(L, lua_upvalueindex(1));
	int number = (int)lua_tointeger(L, -1);
	lua_pop(L, 1);
	return number;
}

void api_type_new(lua_State *L, enum host_type type, const char *const *names,
    lua_CFunction index)
{
	lua_createtable(L, 0, 3);
	lua_pushstring(L, type_names[type]);
	lua_setfield(L, -2, "__name");
	lua_newtable(L);
	for (int i = 0; names[i]; i++) {
		lua_pushinteger(L, i + 1);
		lua_setfield(L, -2, names[i]);
	}
	lua_pushcclosure(L, index, 1);
	lua_setfield(L, -2, "__index");
	lua_pushboolean(L, 0);
	lua_setfield(L, -2, "__metatable");
	lua_rawsetp(L, LUA_REGISTRYINDEX, &type_keys[type]);
}

static int for_proto(uint8_t proto)
{
	return proto == PACKET_UDP ? FOR_UDP
	    : proto == PACKET_TCP  ? FOR_TCP
				   : FOR_ICMP;
}

static const struct probe_field *field_find(const char *name, int for_what)
{
	for (size_t i = 0; i < FIELD_COUNT; i++)
		if ((fields[i].for_what & for_what) &&
		    *fields[i].name == *name &&
		    strcmp(fields[i].name, name) == 0)
			return &fields[i];
	return NULL;
}

static int field_unknown(lua_State *L, const char *name, int for_what)
{
	const char *names[FIELD_COUNT];
	size_t count = 0;
	for (size_t i = 0; i < FIELD_COUNT; i++)
		if ((fields[i].for_what & for_what) &&
		    !(fields[i].for_what & READ_ONLY))
			names[count++] = fields[i].name;
	const char *near = option_nearest(name, names, count);
	return luaL_error(L, "a probe has no field '%s'%s%s%s", name,
	    near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static lua_Integer number_in(
    lua_State *L, const struct probe_field *f, lua_Integer max)
{
	int is_integer;
	lua_Integer v = lua_tointegerx(L, -1, &is_integer);
	if (!is_integer || v < 0 || v > max)
		luaL_error(L, "%s: expected an integer from 0 to %I, got %s",
		    f->name, (LUAI_UACINT)max, luaL_tolstring(L, -1, NULL));
	return v;
}

/* "SA", or a number. */
static uint8_t check_flags(lua_State *L, const struct probe_field *f)
{
	if (lua_type(L, -1) != LUA_TSTRING)
		return (uint8_t)number_in(L, f, 0x3f);
	unsigned flags = 0;
	for (const char *c = lua_tostring(L, -1); *c; c++) {
		const char *at = strchr(flag_letters, *c);
		if (at)
			flags |= 1u << (at - flag_letters);
		else
			luaL_error(L,
			    "flags: expected letters of %s, got "
			    "'%s'",
			    flag_letters, lua_tostring(L, -1));
	}
	return (uint8_t)flags;
}

/* What a table of fields says, before the probe has its final size. */
struct draft {
	struct probe probe;
	const char *payload; /* a Lua string that the table holds */
};

static void check_dst(lua_State *L, struct probe *p)
{
	const char *text = luaL_checkstring(L, -1);
	if (addr_parse_zone(&p->dst, p->zone, text) != 0)
		luaL_error(L,
		    "expected an address, or ADDRESS%%DEVICE for a link-local "
		    "one, got '%s'",
		    text);
}

/* {offset = N, octets = "..."}: what the payload of the answer holds. */
static void check_answer(lua_State *L, struct probe *p)
{
	static const struct probe_field offset = { .name = "answer.offset" };
	size_t len = 0;
	if (!lua_istable(L, -1))
		luaL_error(L,
		    "answer: expected {offset = N, octets = TEXT}, got %s",
		    luaL_typename(L, -1));
	lua_getfield(L, -1, "octets");
	bool is_text = lua_type(L, -1) == LUA_TSTRING;
	const char *octets = is_text ? lua_tolstring(L, -1, &len) : "";
	if (len < 1 || len > PROBE_ANSWER_MAX)
		luaL_error(L,
		    "answer.octets: expected a string of 1 to %d octets",
		    PROBE_ANSWER_MAX);
	memset(p->answer, 0, sizeof(p->answer));
	memcpy(p->answer, octets, len);
	p->answer_len = (uint8_t)len;
	lua_pop(L, 1);
	lua_getfield(L, -1, "offset");
	p->answer_offset = (uint16_t)number_in(L, &offset, PROBE_PAYLOAD_MAX);
	lua_pop(L, 1);
}

static void push_answer(lua_State *L, const struct probe *p)
{
	lua_createtable(L, 0, 2);
	lua_pushinteger(L, p->answer_offset);
	lua_setfield(L, -2, "offset");
	lua_pushlstring(L, (const char *)p->answer, p->answer_len);
	lua_setfield(L, -2, "octets");
}

/* Takes the value on top of the stack. */
static void draft_set(
    lua_State *L, struct draft *d, const struct probe_field *f)
{
	struct probe *p = &d->probe;
	void *to = (char *)p + f->at;
	size_t len;
	switch (f->kind) {
	case DST: check_dst(L, p); break;
	case U8: *(uint8_t *)to = (uint8_t)number_in(L, f, UINT8_MAX); break;
	case U16:
		*(uint16_t *)to = (uint16_t)number_in(L, f, UINT16_MAX);
		break;
	case U32:
		*(uint32_t *)to = (uint32_t)number_in(L, f, UINT32_MAX);
		break;
	case LABEL: *(uint32_t *)to = (uint32_t)number_in(L, f, 0xfffff); break;
	case CHECKSUM:
		p->checksum = (uint16_t)number_in(L, f, UINT16_MAX);
		p->fix_checksum = true;
		break;
	case SIZE:
		d->payload = NULL;
		p->payload_len = (uint16_t)number_in(L, f, PROBE_PAYLOAD_MAX);
		break;
	case PAYLOAD:
		d->payload = luaL_checklstring(L, -1, &len);
		if (len > PROBE_PAYLOAD_MAX)
			luaL_error(L,
			    "payload: expected at most %d octets, "
			    "got %d",
			    PROBE_PAYLOAD_MAX, (int)len);
		p->payload_len = (uint16_t)len;
		break;
	case FLAGS: p->tcp_flags = check_flags(L, f); break;
	case HOLD:
		luaL_checktype(L, -1, LUA_TBOOLEAN);
		p->hold = lua_toboolean(L, -1);
		break;
	case ANSWER: check_answer(L, p); break;
	case PROTO:
	case SIZE_BYTES:
	case WITH: break;
	}
}

/* Reads the table at `at` into the draft. */
static void draft_read(lua_State *L, int at, struct draft *d)
{
	int for_what = for_proto(d->probe.proto);
	luaL_checktype(L, at, LUA_TTABLE);
	lua_pushnil(L);
	while (lua_next(L, at)) {
		if (lua_type(L, -2) != LUA_TSTRING)
			luaL_error(L, "a probe's fields have names");
		const char *name = lua_tostring(L, -2);
		const struct probe_field *f = field_find(name, for_what);
		if (!f || (f->for_what & READ_ONLY))
			field_unknown(L, name, for_what);
		else
			draft_set(L, d, f);
		lua_pop(L, 1);
	}
	if (d->probe.dst.family == 0)
		luaL_error(L, "a probe needs dst, an address");
	if (d->probe.proto != PACKET_ICMP && d->probe.dport == 0)
		luaL_error(L, "a probe needs dport, a port");
	if (d->probe.fix_checksum && d->probe.payload_len < 2)
		luaL_error(L,
		    "checksum: expected a payload of at least two "
		    "octets, which make it come out right");
	if (d->probe.fix_checksum && d->probe.checksum == 0 &&
	    d->probe.proto == PACKET_UDP)
		luaL_error(L, "checksum: 0 means none in UDP");
}

static int draft_push(lua_State *L, const struct draft *d)
{
	size_t len = d->payload ? d->probe.payload_len : 0;
	struct host_probe *p =
	    api_object_new(L, HOST_PROBE, sizeof(*p) + len, 0);
	p->probe = d->probe;
	p->probe.payload = NULL;
	if (len > 0) {
		memcpy(p->payload, d->payload, len);
		p->probe.payload = p->payload;
	}
	return 1;
}

static int probe_new(lua_State *L, uint8_t proto)
{
	struct draft d = { .probe = { .proto = proto, .ttl = 64 } };
	if (proto != PACKET_ICMP)
		d.probe.sport = SPORT_DEFAULT;
	if (proto == PACKET_TCP) {
		d.probe.tcp_flags = PACKET_TCP_SYN;
		d.probe.tcp_window = 65535;
	}
	draft_read(L, 1, &d);
	return draft_push(L, &d);
}

static int api_icmp(lua_State *L)
{
	return probe_new(L, PACKET_ICMP);
}

static int api_udp(lua_State *L)
{
	return probe_new(L, PACKET_UDP);
}

static int api_tcp(lua_State *L)
{
	return probe_new(L, PACKET_TCP);
}

static int probe_with(lua_State *L)
{
	const struct host_probe *p = api_probe_check(L, 1);
	struct draft d = { p->probe, (const char *)p->probe.payload };
	draft_read(L, 2, &d);
	return draft_push(L, &d);
}

static void push_flags(lua_State *L, uint8_t flags)
{
	char text[sizeof(flag_letters)];
	size_t len = 0;
	for (size_t i = 0; flag_letters[i]; i++)
		if (flags & 1u << i)
			text[len++] = flag_letters[i];
	lua_pushlstring(L, text, len);
}

static void push_field(
    lua_State *L, const struct host_probe *hp, const struct probe_field *f)
{
	const struct probe *p = &hp->probe;
	const void *at = (const char *)p + f->at;
	switch (f->kind) {
	case DST: api_push_address(L, &p->dst); break;
	case U8: lua_pushinteger(L, *(const uint8_t *)at); break;
	case U16: lua_pushinteger(L, *(const uint16_t *)at); break;
	case U32:
	case LABEL: lua_pushinteger(L, *(const uint32_t *)at); break;
	case CHECKSUM:
		if (p->fix_checksum)
			lua_pushinteger(L, p->checksum);
		else
			lua_pushnil(L);
		break;
	case SIZE: lua_pushinteger(L, p->payload_len); break;
	case PAYLOAD:
		lua_pushlstring(L, p->payload ? (const char *)p->payload : "",
		    p->payload ? p->payload_len : 0);
		break;
	case FLAGS: push_flags(L, p->tcp_flags); break;
	case HOLD: lua_pushboolean(L, p->hold); break;
	case ANSWER:
		if (p->answer_len > 0)
			push_answer(L, p);
		else
			lua_pushnil(L);
		break;
	case PROTO:
		lua_pushstring(L,
		    p->proto == PACKET_UDP       ? "udp"
			: p->proto == PACKET_TCP ? "tcp"
						 : "icmp");
		break;
	case SIZE_BYTES:
		lua_pushinteger(L, (lua_Integer)probe_size_bytes(p));
		break;
	case WITH: lua_pushcfunction(L, probe_with); break;
	}
}

static int probe_index(lua_State *L)
{
	const struct host_probe *p = api_probe_check(L, 1);
	const char *name =
	    lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
	const struct probe_field *f =
	    field_find(name, for_proto(p->probe.proto));
	if (!f)
		return 0;
	push_field(L, p, f);
	return 1;
}

void api_probe_open(lua_State *L)
{
	static const luaL_Reg functions[] = { { "icmp", api_icmp },
		{ "udp", api_udp }, { "tcp", api_tcp }, { NULL, NULL } };
	static const char *const none[] = { NULL };
	luaL_setfuncs(L, functions, 0);
	api_type_new(L, HOST_PROBE, none, probe_index);
}
