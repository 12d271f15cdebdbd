/* SPDX-License-Identifier: ISC */
/* Where the server may listen, and the words when it may not. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "web/http/listen.h"

static void loopback_is_plain_and_all_else_is_tls(void **state)
{
	static const struct {
		const char *text, *url;
	} cases[] = {
		{ "127.0.0.1:8470", "http://127.0.0.1:8470" },
		{ "127.9.9.9:1", "http://127.9.9.9:1" },
		{ "http://[::1]:8470", "http://[::1]:8470" },
		{ "https://127.0.0.1:0", "https://127.0.0.1:0" },
		{ "192.0.2.1:443", "https://192.0.2.1:443" },
		{ "0.0.0.0:443", "https://0.0.0.0:443" },
		{ "[::]:65535", "https://[::]:65535" },
		{ "[2001:DB8::1]:443", "https://[2001:db8::1]:443" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct listen_at at;
		struct errmsg msg;
		char url[80];
		if (listen_parse(&at, cases[i].text, &msg) != 0)
			fail_msg("%s", msg.text);
		listen_url(&at, url);
		assert_string_equal(url, cases[i].url);
	}
}

static void the_rest_is_refused_with_words(void **state)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{ "http://192.0.2.1:80", "plain HTTP is for loopback" },
		{ "http://0.0.0.0:80", "plain HTTP is for loopback" },
		{ "http://[::]:80", "plain HTTP is for loopback" },
		{ "", "expected [http[s]://]ADDRESS:PORT" },
		{ "8470", "expected" },
		{ ":8470", "expected" },
		{ "127.0.0.1", "expected" },
		{ "127.0.0.1:", "expected" },
		{ "127.0.0.1:65536", "expected" },
		{ "127.0.0.1:-1", "expected" },
		{ "127.0.0.1:80x", "expected" },
		{ "localhost:80", "expected" },
		{ "::1:80", "expected" },
		{ "[::1]", "expected" },
		{ "[::1]80", "expected" },
		{ "[127.0.0.1]:80", "expected" },
		{ "ftp://127.0.0.1:80", "expected" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct listen_at at;
		struct errmsg msg = { "" };
		int err = listen_parse(&at, cases[i].text, &msg);
		if (err != ERR_CONFIG || !strstr(msg.text, cases[i].words))
			fail_msg(
			    "'%s' gave %d '%s'", cases[i].text, err, msg.text);
	}
}

static void a_port_in_use_is_named(void **state)
{
	struct listen_at at, again;
	struct errmsg msg;
	char url[80];
	int fd, other;
	(void)state;
	assert_int_equal(listen_parse(&at, "127.0.0.1:0", &msg), 0);
	assert_int_equal(listen_open(&fd, &at, &msg), 0);
	assert_int_not_equal(at.port, 0);
	again = at;
	assert_int_equal(listen_open(&other, &again, &msg), -EADDRINUSE);
	listen_url(&at, url);
	assert_non_null(strstr(msg.text, url));
	close(fd);
}

static void certificates_are_tried(void **state)
{
	char path[] = "/tmp/sonde-pem-XXXXXX";
	struct listen_tls tls;
	struct errmsg msg;
	(void)state;
	assert_int_equal(listen_load_tls(&tls, NULL, path, &msg), ERR_CONFIG);
	assert_non_null(strstr(msg.text, "both tls-cert and tls-key"));
	assert_int_equal(
	    listen_load_tls(&tls, "/nowhere.pem", path, &msg), ERR_CONFIG);
	assert_non_null(strstr(msg.text, "tls-cert '/nowhere.pem'"));
	int fd = mkstemp(path);
	assert_int_equal(write(fd, "no PEM", 6), 6);
	close(fd);
	assert_int_equal(listen_load_tls(&tls, path, path, &msg), ERR_CONFIG);
	assert_non_null(strstr(msg.text, "tls-cert and tls-key: "));
	assert_null(tls.cert);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loopback_is_plain_and_all_else_is_tls),
		cmocka_unit_test(the_rest_is_refused_with_words),
		cmocka_unit_test(a_port_in_use_is_named),
		cmocka_unit_test(certificates_are_tried),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
