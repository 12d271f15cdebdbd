/* SPDX-License-Identifier: ISC */
/* The checks between other people's web pages and this server. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "web/http/origin-check.h"

static const char *const names[] = { "sonde.example" };
static const struct origin_rules origins = { names, 1, false };

static void hosts_of_ours_pass(void **state)
{
	static const char *const good[] = { "127.0.0.1", "127.0.0.1:8470",
		"192.0.2.1:80", "[::1]:8470", "[2001:db8::1]", "localhost",
		"LocalHost:1", "sonde.example", "Sonde.Example:443",
		"localhost:" };
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		if (!origin_check_host(&origins, good[i]))
			fail_msg("'%s' is refused", good[i]);
}

static void hosts_of_others_do_not(void **state)
{
	static const char *const bad[] = { "", "evil.example",
		"127.0.0.1.evil.example", "localhost.evil",
		"sonde.example.evil", "xsonde.example", "::1", "[::1",
		"[127.0.0.1]", "[localhost]", "127.0.0.1:80:80", "127.0.0.1:8x",
		"user@127.0.0.1", ":80", "[]:80", "127.0.0.1 ", "0x7f.1",
		"[::1]x" };
	(void)state;
	assert_false(origin_check_host(&origins, NULL));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (origin_check_host(&origins, bad[i]))
			fail_msg("'%s' passes", bad[i]);
}

static bool same(const char *site, const char *origin, bool tls)
{
	struct request request = { .tls = tls };
	request.headers[HEADER_HOST] = "127.0.0.1:8470";
	request.headers[HEADER_FETCH_SITE] = site;
	request.headers[HEADER_ORIGIN] = origin;
	return origin_check_same(&request);
}

static void pages_of_other_sites_may_not_write(void **state)
{
	(void)state;
	assert_true(same(NULL, NULL, false));
	assert_true(same("none", NULL, false));
	assert_true(same("same-origin", "http://127.0.0.1:8470", false));
	assert_true(same("same-origin", "https://127.0.0.1:8470", true));
	assert_false(same("cross-site", NULL, false));
	assert_false(same("same-site", NULL, false));
	assert_false(same(NULL, "null", false));
	assert_false(same(NULL, "http://127.0.0.1:84701", false));
	assert_false(same(NULL, "http://127.0.0.1:847", false));
	assert_false(same(NULL, "http://127.0.0.1:8471", false));
	assert_false(same(NULL, "https://127.0.0.1:8470", false));
	assert_false(same(NULL, "http://127.0.0.1:8470", true));
	assert_false(same(NULL, "http://evil.example", false));
}

static bool may_read(const char *peer, bool open)
{
	struct origin_rules g = { .open_reads = open };
	struct request request = { 0 };
	assert_int_equal(addr_parse(&request.peer, peer), 0);
	return origin_check_reader(&g, &request);
}

static void who_may_read_without_a_token(void **state)
{
	(void)state;
	assert_true(may_read("127.0.0.1", false));
	assert_true(may_read("127.8.8.8", false));
	assert_true(may_read("::1", false));
	assert_false(may_read("192.0.2.1", false));
	assert_false(may_read("::", false));
	assert_false(may_read("::ffff:127.0.0.1", false));
	assert_true(may_read("192.0.2.1", true));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts_of_ours_pass),
		cmocka_unit_test(hosts_of_others_do_not),
		cmocka_unit_test(pages_of_other_sites_may_not_write),
		cmocka_unit_test(who_may_read_without_a_token),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
