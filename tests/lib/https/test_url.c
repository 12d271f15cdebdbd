/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "lib/https/url.h"

static void plain_http_goes_to_this_machine_only(void **state)
{
	static const struct {
		const char *url;
		bool ok;
	} cases[] = { { "https://sonde.example.net", true },
		{ "https://192.0.2.1:8411/", true },
		{ "http://127.0.0.1:8411", true }, { "http://127.9.9.9", true },
		{ "http://[::1]:8411", true }, { "http://localhost:1", true },
		{ "HTTPS://example.net", true }, { "http://192.0.2.1", false },
		{ "http://128.0.0.1", false },
		{ "http://localhost.example.net", false },
		{ "http://127.0.0.1.example.net", false },
		{ "http://[::2]", false }, { "https://u@example.net", false },
		{ "https://example.net/path", false },
		{ "https://example.net?x=1", false },
		{ "https://example.net#x", false },
		{ "https://example.net:0", false },
		{ "https://example.net:65536", false },
		{ "https://example.net:", false },
		{ "https://example.net:80a", false }, { "https://[::1", false },
		{ "https://[127.0.0.1]", false }, { "https://[]", false },
		{ "https://:80", false }, { "https://a b", false },
		{ "https://a%2e", false }, { "https://a\\@b", false },
		{ "https://", false }, { " https://example.net", false },
		{ "example.net", false }, { "", false },
		{ "file:///etc/passwd", false } };
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		if ((url_check(cases[i].url, NULL) == 0) != cases[i].ok)
			fail_msg("%s", cases[i].url);
}

static void the_port_is_the_schemes_unless_given(void **state)
{
	(void)state;
	assert_int_equal(url_port("https://example.net"), 443);
	assert_int_equal(url_port("http://127.0.0.1"), 80);
	assert_int_equal(url_port("http://127.0.0.1:8411"), 8411);
	assert_int_equal(url_port("https://[2001:db8::1]:65535/"), 65535);
	assert_int_equal(url_port("nonsense"), 0);
}

static void a_host_may_be_253_bytes_long(void **state)
{
	char text[400];
	struct url url;
	(void)state;
	snprintf(text, sizeof(text), "https://%0253d:65535/", 1);
	assert_int_equal(url_split(&url, text), 0);
	assert_int_equal(strlen(url.host), 253);
	assert_true(strlen(text) < URL_MAX_LEN);
	snprintf(text, sizeof(text), "https://%0254d", 1);
	assert_int_equal(url_split(&url, text), ERR_MALFORMED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_http_goes_to_this_machine_only),
		cmocka_unit_test(the_port_is_the_schemes_unless_given),
		cmocka_unit_test(a_host_may_be_253_bytes_long),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
