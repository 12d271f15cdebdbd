/* SPDX-License-Identifier: ISC */
/* The Lua that scripts get: what it has, what it lacks, what headers say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/xalloc.h"
#include "probes/script/header.h"
#include "probes/script/shipped.h"
#include "probes/script/state.h"

/* Runs Lua in a fresh state; "" or what went wrong. */
static const char *run(const char *source)
{
	static struct errmsg msg;
	struct host host = { .client = { .fd = -1 } };
	msg.text[0] = '\0';
	assert_non_null(host_state_new(&host));
	host_run_chunk(&host, source, strlen(source), "test.lua", &msg);
	lua_close(host.L);
	assert_int_equal(host.memory_bytes, 0);
	return msg.text;
}

static void assert_runs(const char *source)
{
	assert_string_equal(run(source), "");
}

static void assert_fails(const char *source, const char *why)
{
	const char *said = run(source);
	if (!strstr(said, why))
		fail_msg("expected '%s', got '%s'", why, said);
}

static void only_what_is_allowed_is_there(void **state)
{
	(void)state;
	assert_runs(
	    "local want = {'_G', '_VERSION', 'assert', 'coroutine', 'error',"
	    "  'ipairs', 'math', 'next', 'pairs', 'pcall', 'print',"
	    "  'rawequal', 'rawget', 'rawlen', 'rawset', 'select',"
	    "  'setmetatable', 'sonde', 'string', 'table', 'tonumber',"
	    "  'tostring', 'type', 'utf8', 'xpcall'}\n"
	    "local got = {}\n"
	    "for k in pairs(_G) do got[#got + 1] = k end\n"
	    "table.sort(got)\n"
	    "assert(table.concat(got, ' ') == table.concat(want, ' '),"
	    "  table.concat(got, ' '))\n"
	    "assert(not coroutine.close and not string.dump)\n"
	    "assert(not string.gsub and not string.match)\n"
	    "assert(not string.gmatch)");
	assert_fails("return io", "'io' is not there");
	assert_runs("assert(no_such_name == nil)");
}

static void find_and_split_take_plain_text(void **state)
{
	(void)state;
	assert_runs(
	    "local a, b = ('a.b.c'):find('.')\nassert(a == 2 and b == 2)\n"
	    "assert(('a.b.c'):find('.', 3) == 4)\n"
	    "assert(('a.b.c'):find('.', -2) == 4)\n"
	    "assert(('abc'):find('.') == nil)\n"
	    "assert(('abc'):find('') == 1 and ('abc'):find('', 4) == 4)\n"
	    "assert(('abc'):find('', 5) == nil)\n"
	    "assert(('abc'):find('a', math.mininteger) == 1)\n"
	    "local t = ('a,,b'):split(',')\n"
	    "assert(#t == 3 and t[1] == 'a' and t[2] == '' and t[3] == 'b')\n"
	    "assert(#(''):split(',') == 1)");
	assert_fails("return ('a'):split('')", "separator is empty");
}

static void replaced_functions_do_what_lua_does(void **state)
{
	(void)state;
	assert_runs(
	    "assert(('ab'):rep(3, '-') == 'ab-ab-ab')\n"
	    "assert(('x'):rep(0) == '' and ('x'):rep(-1) == '')\n"
	    "local t = table.move({1, 2, 3}, 1, 3, 2)\n"
	    "assert(t[1] == 1 and t[2] == 1 and t[3] == 2 and t[4] == 3)\n"
	    "t = table.move({1, 2, 3}, 2, 3, 1)\n"
	    "assert(t[1] == 2 and t[2] == 3 and t[3] == 3)\n"
	    "t = table.move({1, 2}, 1, 2, 1, {})\n"
	    "assert(#t == 2)");
}

static void metatables_are_copied_and_sealed(void **state)
{
	(void)state;
	assert_runs(
	    "local class = {name = function(self) return self.n end}\n"
	    "class.__index = class\n"
	    "local o = setmetatable({n = 'x'}, class)\n"
	    "assert(o:name() == 'x')\n"
	    "local sum = {__add = function(a, b) return a.v + b.v end}\n"
	    "assert(setmetatable({v = 1}, sum) + setmetatable({v = 2}, sum)"
	    " == 3)\n"
	    "assert(#setmetatable({1, 2}, {__len = function() return 9 end})"
	    " == 2)");
	assert_fails("setmetatable(setmetatable({}, {}), {})", "only once");
}

static void probes_check_their_fields(void **state)
{
	(void)state;
	assert_runs(
	    "local p = sonde.udp{dst = '192.0.2.1', ttl = 3, dport = 9,"
	    "  payload = 'abc'}\n"
	    "assert(p.dst == '192.0.2.1' and p.ttl == 3 and p.proto == 'udp')\n"
	    "assert(p.payload == 'abc' and p.size_bytes == 31)\n"
	    "local q = p:with{ttl = 4, checksum = 7}\n"
	    "assert(p.ttl == 3 and q.ttl == 4 and q.payload == 'abc')\n"
	    "assert(p.checksum == nil and q.checksum == 7)\n"
	    "assert(sonde.tcp{dst = '::1', dport = 1}.flags == 'S')\n"
	    "assert(sonde.tcp{dst = '::1', dport = 1, flags = 'SA'}.flags"
	    " == 'SA')\n"
	    "assert(sonde.icmp{dst = '::1', seq = 65535}.seq == 65535)\n"
	    "assert(p.nonsense == nil)");
	assert_fails("sonde.udp{}", "needs dst");
	assert_fails("sonde.tcp{dst = '::1'}", "needs dport");
	assert_fails("sonde.udp{dst = 'www'}", "expected an address");
	assert_fails("sonde.udp{dst = '::1', dprot = 1}",
	    "no field 'dprot'; did you mean 'dport'?");
	assert_fails("sonde.icmp{dst = '::1', sport = 1}", "no field 'sport'");
	assert_fails("sonde.udp{dst = '::1', sport = 65536}",
	    "sport: expected an integer from 0 to 65535, got 65536");
	assert_fails("sonde.udp{dst = '::1', ttl = 1.5}", "got 1.5");
	assert_fails(
	    "sonde.udp{dst = '::1', dport = 1, checksum = 5}", "two octets");
	assert_fails("sonde.udp{dst = '::1', dport = 1, checksum = 0,"
		     "  payload_bytes = 2}",
	    "0 means none");
	assert_fails("sonde.tcp{dst = '::1', flags = 'X'}", "letters of");
	assert_fails("sonde.send(sonde.icmp{dst = '::1'})", "only run()");
	assert_fails("sonde.next()", "only run()");
	assert_fails("sonde.record{}", "only run()");
}

/* What header_write makes of a source, read back. */
static int header(const char *source, struct script **to, struct errmsg *msg)
{
	struct host host = { .client = { .fd = -1 } };
	struct buf b = { 0 };
	assert_non_null(host_state_new(&host));
	assert_int_equal(
	    host_run_chunk(&host, source, strlen(source), "test.lua", msg), 0);
	int err = header_write(host.L, &b, msg);
	*to = xcalloc(1, sizeof(**to));
	if (!err)
		err = header_read(*to, b.data, b.len, msg);
	buf_fini(&b);
	lua_close(host.L);
	return err;
}

static void a_header_comes_through(void **state)
{
	(void)state;
	struct errmsg msg = { "" };
	struct script *s;
	assert_int_equal(
	    header(
		"return {summary = 'what\\27 it does', examples = {'a', 'b'},"
		"operands = {type = 'host', name = 'TARGET', min = 1},"
		"options = {{name = 'count', letter = 'c', type = 'integer',"
		"  min = 1, max = 9, default = 4, argument = 'N', help = "
		"'many'},"
		"  {name = 'wait', type = 'duration', default = '1s'},"
		"  {name = 'fast', type = 'flag'}},"
		"fields = {{name = 'rtt_ns', type = 'integer', help = 'time'}},"
		"run = print}",
		&s, &msg),
	    0);
	const struct option_table *t = &s->options;
	assert_string_equal(t->summary, "what  it does");
	assert_string_equal(t->examples, "a\nb\n");
	assert_string_equal(t->synopsis, "[OPTION...] TARGET...");
	assert_int_equal(t->operands_min, 1);
	assert_int_equal(t->operands_max, -1);
	assert_true(s->operands_are_hosts);
	assert_string_equal(t->rows[0].name, "count");
	assert_int_equal(t->rows[0].letter, 'c');
	assert_int_equal(t->rows[0].type, OPTION_INTEGER);
	assert_true(t->rows[0].min == 1 && t->rows[0].max == 9);
	assert_string_equal(t->rows[0].fallback, "4");
	assert_string_equal(t->rows[1].fallback, "1s");
	assert_null(t->rows[2].fallback);
	assert_null(t->rows[3].name);
	assert_int_equal(s->field_count, 1);
	assert_string_equal(s->fields[0].name, "rtt_ns");
	script_free(s);
}

static void a_wrong_header_says_what(void **state)
{
	(void)state;
	static const struct {
		const char *source, *why;
	} cases[] = {
		{ "return 5", "returns a table, got number" },
		{ "return {}", "run: expected a function" },
		{ "return {run = print, summary = {}}",
		    "summary: expected text" },
		{ "return {run = print, options = {{name = 'n'}}}", "type" },
		{ "return {run = print, options = {{name = 'N',"
		  "type = 'flag'}}}",
		    "name: expected lower-case" },
		{ "return {run = print, options = {{name = 'n', letter = 'ab',"
		  "type = 'flag'}}}",
		    "letter: expected one letter" },
		{ "return {run = print, options = {{name = 'n', type = 'flag'},"
		  "{name = 'n', type = 'flag'}}}",
		    "there twice" },
		{ "return {run = print, options = {{name = 'help',"
		  "type = 'flag'}}}",
		    "there twice" },
		{ "return {run = print, options = {{name = 'n',"
		  "type = 'choice'}}}",
		    "needs choices" },
		{ "return {run = print, options = {{name = 'n', type = "
		  "'integer',"
		  "min = 5, max = 9, default = 1}}}",
		    "--n: default" },
		{ "return {run = print, options = 5}",
		    "options: expected a list" },
		{ "return {run = print, fields = {{name = 'n', type = 'x'}}}",
		    "fields: expected" },
		{ "return {run = print, operands = {type = 'x'}}",
		    "expected host or text" },
		{ "return {run = print, operands = {min = 3, max = 2}}",
		    "min, max" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct errmsg msg = { "" };
		struct script *s;
		assert_true(header(cases[i].source, &s, &msg) < 0);
		if (!strstr(msg.text, cases[i].why))
			fail_msg(
			    "expected '%s', got '%s'", cases[i].why, msg.text);
		script_free(s);
	}
}

static void write_script(const char *path, const char *source)
{
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(source, f);
	fclose(f);
}

static void assert_summary(const char *path, const char *summary)
{
	struct script *script;
	struct errmsg msg = { "" };
	if (script_load(&script, path, true, &msg) != 0)
		fail_msg("%s", msg.text);
	assert_string_equal(script->options.summary, summary);
	script_free(script);
}

/* The header that is known says something else than the script would, so it
 * shows which of them was read. */
static void only_the_same_octets_have_the_header_of_the_build(void **state)
{
	(void)state;
	static const char source[] =
	    "return {summary = 'as it runs', run = function() end}";
	struct host host = { .client = { .fd = -1 } };
	struct errmsg msg = { "" };
	struct buf b = { 0 };
	char path[64];
	assert_non_null(host_state_new(&host));
	host_run_chunk(&host,
	    "return {summary = 'as built', run = function() end}", 51, "x.lua",
	    &msg);
	assert_int_equal(header_write(host.L, &b, &msg), 0);
	lua_close(host.L);
	struct shipped_header known = { .bytes = b.data, .len = b.len };
	shipped_digest(known.digest, source, strlen(source));
	snprintf(path, sizeof(path), "/tmp/sonde-test-%d.lua", (int)getpid());
	write_script(path, source);
	assert_summary(path, "as it runs");
	shipped_use(&known, 1, NULL);
	assert_summary(path, "as built");
	write_script(
	    path, "return {summary = 'as it runs', run = function() end}\n");
	assert_summary(path, "as it runs");
	shipped_use(NULL, 0, NULL);
	unlink(path);
	buf_fini(&b);
}

static int add_octets(lua_State *L, const void *bytes, size_t len, void *to)
{
	(void)L;
	buf_bytes(to, bytes, len);
	return 0;
}

/* A script whose code says something else than its text shows which was run. */
static void assert_runs_as(const struct script *script, const char *says)
{
	struct host host = { .client = { .fd = -1 } };
	struct errmsg msg = { "" };
	assert_non_null(host_state_new(&host));
	if (host_run_script(&host, script, &msg) == 0)
		err_set(&msg, 0, "%s", lua_tostring(host.L, -1));
	assert_string_equal(msg.text, says);
	lua_close(host.L);
}

static void code_of_the_build_is_run_where_lua_takes_it(void **state)
{
	(void)state;
	static char text[] = "return 'text'", path[] = "/somewhere/x.lua";
	static const char built[] = "local is = 'code'\nreturn is\n",
			  fails[] = "\n\nerror('why')";
	const char *const sources[] = { built, fails };
	struct buf b[2] = { { 0 }, { 0 } };
	struct host host = { .client = { .fd = -1 } };
	struct script script = {
		.source = text, .source_len = strlen(text), .path = path
	};
	assert_non_null(host_state_new(&host));
	for (int i = 0; i < 2; i++) {
		assert_int_equal(luaL_loadbufferx(host.L, sources[i],
				     strlen(sources[i]), "=x.lua", "t"),
		    LUA_OK);
		lua_dump(host.L, add_octets, &b[i], 0);
	}
	lua_close(host.L);
	assert_runs_as(&script, "text");
	script.code = b[0].data;
	script.code_len = b[0].len;
	assert_runs_as(&script, "code");
	b[0].data[4] ^= 1; /* of another Lua */
	assert_runs_as(&script, "text");
	script.code = b[1].data;
	script.code_len = b[1].len;
	assert_runs_as(&script, "x.lua:3: why");
	/* Nobody's text is taken for code. */
	script.code = NULL;
	script.source = (char *)b[1].data;
	script.source_len = b[1].len;
	assert_runs_as(&script, "attempt to load a binary chunk (mode is 't')");
	buf_fini(&b[0]);
	buf_fini(&b[1]);
}

static void the_library_is_loaded_once_and_by_name(void **state)
{
	(void)state;
	assert_runs("local targets = sonde.use('targets')\n"
		    "assert(targets == sonde.use('targets'))\n"
		    "local list = targets.new(3)\n"
		    "local a, b, c = {}, {}, {}\n"
		    "list:add(a) list:add(b) list:add(c)\n"
		    "list:remove(a)\n"
		    "assert(list[1] == c and c.place == 1 and list[2] == b)\n"
		    "assert(list.count == 2 and list[3] == nil)\n"
		    "list:remove(b) list:remove(c)\n"
		    "assert(list.count == 0 and #list == 0)\n"
		    "list.all_known = true\n"
		    "assert(list:is_over())");
	assert_fails("sonde.use('no-such')", "no library is called 'no-such'");
	assert_fails("sonde.use('../scripts/ping')", "no library is called");
	assert_fails("sonde.use()", "string expected");
}

/* The library's code says something else than its text, so it shows which of
 * them was run. */
static void the_library_is_code_where_the_script_is(void **state)
{
	(void)state;
	static const char built[] = "return 'code'";
	static char text[] = "return type(sonde.use('targets'))",
		    path[] = "x.lua";
	struct shipped_code codes[64] = { { 0 } };
	struct buf b[2] = { { 0 }, { 0 } };
	struct script script = {
		.source = text, .source_len = strlen(text), .path = path
	};
	struct worker_config config = { .script = &script };
	struct errmsg msg = { "" };
	const char *const sources[] = { built, text };
	struct host host = { .client = { .fd = -1 } };
	assert_non_null(host_state_new(&host));
	for (int i = 0; i < 2; i++) {
		assert_int_equal(luaL_loadbufferx(host.L, sources[i],
				     strlen(sources[i]), "=x.lua", "t"),
		    LUA_OK);
		lua_dump(host.L, add_octets, &b[i], 0);
	}
	lua_close(host.L);
	assert_true(shipped_library_count < 64);
	codes[shipped_library_find("targets") - shipped_libraries] =
	    (struct shipped_code){ b[0].data, b[0].len };
	shipped_use(NULL, 0, codes);
	for (int is_code = 0; is_code < 2; is_code++) {
		struct host other = { .client = { .fd = -1 },
			.config = &config };
		script.code = is_code ? b[1].data : NULL;
		script.code_len = b[1].len;
		assert_non_null(host_state_new(&other));
		assert_int_equal(host_run_script(&other, &script, &msg), 0);
		assert_string_equal(
		    lua_tostring(other.L, -1), is_code ? "string" : "table");
		lua_close(other.L);
	}
	shipped_use(NULL, 0, NULL);
	buf_fini(&b[0]);
	buf_fini(&b[1]);
}

/* Errors say the name of the file, so under another name there is the text. */
static void code_goes_with_octets_and_name(void **state)
{
	(void)state;
	static const char source[] =
	    "return {summary = 'a', run = function() end}";
	struct shipped_header known = { .name = "known.lua",
		.code = (const uint8_t *)"code",
		.code_len = 4 };
	struct host host = { .client = { .fd = -1 } };
	struct errmsg msg = { "" };
	struct buf b = { 0 };
	struct script *script;
	char folder[] = "/tmp/sonde-test-XXXXXX", path[64];
	assert_non_null(host_state_new(&host));
	host_run_chunk(&host, source, strlen(source), "known.lua", &msg);
	assert_int_equal(header_write(host.L, &b, &msg), 0);
	lua_close(host.L);
	known.bytes = b.data;
	known.len = b.len;
	shipped_digest(known.digest, source, strlen(source));
	shipped_use(&known, 1, NULL);
	assert_non_null(mkdtemp(folder));
	for (int same = 0; same < 2; same++) {
		snprintf(path, sizeof(path), "%s/%s.lua", folder,
		    same ? "known" : "copy");
		write_script(path, source);
		assert_int_equal(script_load(&script, path, false, &msg), 0);
		assert_true((script->code != NULL) == same);
		script_free(script);
		unlink(path);
	}
	rmdir(folder);
	shipped_use(NULL, 0, NULL);
	buf_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_is_allowed_is_there),
		cmocka_unit_test(code_of_the_build_is_run_where_lua_takes_it),
		cmocka_unit_test(code_goes_with_octets_and_name),
		cmocka_unit_test(the_library_is_loaded_once_and_by_name),
		cmocka_unit_test(the_library_is_code_where_the_script_is),
		cmocka_unit_test(find_and_split_take_plain_text),
		cmocka_unit_test(replaced_functions_do_what_lua_does),
		cmocka_unit_test(metatables_are_copied_and_sealed),
		cmocka_unit_test(probes_check_their_fields),
		cmocka_unit_test(a_header_comes_through),
		cmocka_unit_test(a_wrong_header_says_what),
		cmocka_unit_test(
		    only_the_same_octets_have_the_header_of_the_build),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
