/* SPDX-License-Identifier: ISC */
/* The HTTP face over real connections, with a collector of our own behind
 * it: what every answer carries, and what is refused before a handler runs. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/web/fake-collector.h"
#include "tests/web/http-client.h"
#include "web/api/collector-api.h"
#include "web/http/server.h"

#define TOKEN "Authorization: Bearer secret\r\n"
#define JSON "Content-Type: application/json\r\n"
#define BATCH "Content-Type: application/vnd.sonde.batch\r\n"

static const char *const listen_any[] = { "127.0.0.1:0" };
static struct api *api;
static struct server *server;
static const char *url;

static int start_server(const struct server_config *config, struct errmsg *msg)
{
	int err = api_open(&api, fake_collector(), msg);
	if (err < 0)
		return err;
	return server_start(&server, config, api_application(api), msg);
}

static int start(const struct server_config *with)
{
	struct errmsg msg;
	struct server_config config =
	    with ? *with : (struct server_config){ 0 };
	config.listen = listen_any;
	config.listen_count = 1;
	/* Refusals cost; these tests are refused all the time. */
	config.requests_per_second = 100000;
	fake_reset();
	if (start_server(&config, &msg) != 0)
		fail_msg("%s", msg.text);
	url = server_url(server, 0);
	return 0;
}

static int setup(void **state)
{
	(void)state;
	return start(NULL);
}

static int teardown(void **state)
{
	(void)state;
	api_stop(api);
	server_stop(server);
	api_close(api);
	return 0;
}

/* Asks and checks status and, if given, that the body holds some text. */
static void expect(const char *line, const char *lines, const char *body,
    int status, const char *holds)
{
	struct reply r = client_ask(url, line, lines, body);
	if (r.status != status || !r.whole || (holds && !strstr(r.body, holds)))
		fail_msg("%s: got %d '%s', expected %d '%s'", line, r.status,
		    r.body ? r.body : "", status, holds ? holds : "");
	reply_fini(&r);
}

static void every_answer_is_locked_down(void **state)
{
	static const char *const lines[] = { "GET /", "GET /metrics",
		"GET /api/v1/agents", "GET /api/v1/none", "POST /",
		"GET /api/v1/agents?x=1", "GET /api/openapi.json" };
	static const char *const headers[][2] = {
		{ "Content-Security-Policy",
		    "default-src 'none'; script-src 'self'; style-src 'self'; "
		    "img-src 'self' data:; connect-src 'self'; "
		    "worker-src 'self'; frame-ancestors 'none'; base-uri "
		    "'none'; "
		    "form-action 'self'" },
		{ "X-Content-Type-Options", "nosniff" },
		{ "Referrer-Policy", "no-referrer" },
		{ "Cross-Origin-Opener-Policy", "same-origin" },
		{ "Cross-Origin-Resource-Policy", "same-origin" },
	};
	char value[256];
	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		struct reply r = client_ask(url, lines[i], NULL, NULL);
		for (size_t h = 0; h < 5; h++)
			assert_string_equal(headers[h][1],
			    reply_header(&r, headers[h][0], value));
		reply_fini(&r);
	}
}

static void a_host_of_others_is_misdirected(void **state)
{
	(void)state;
	expect("GET /api/v1/agents", "Host: evil.example\r\n", NULL, 421,
	    "\"code\":\"misdirected\"");
	expect("GET /", "Host: evil.example\r\n", NULL, 421, NULL);
	expect("GET /", "Host: localhost:1\r\n", NULL, 200, NULL);
	struct reply r = client_ask(
	    url, "GET /", "Host: 127.0.0.1\r\nHost: evil.example\r\n", NULL);
	assert_int_equal(r.status, 400);
	reply_fini(&r);
}

static void methods_are_those_of_the_path(void **state)
{
	char value[256];
	(void)state;
	expect("DELETE /api/v1/agents", NULL, NULL, 405, "GET, HEAD");
	expect("PUT /api/v1/campaigns", NULL, NULL, 405, "POST");
	expect("OPTIONS /api/v1/ingest", NULL, NULL, 405, NULL);
	expect("POST /index.html", NULL, NULL, 405, NULL);
	expect("POST /api/v1/none", NULL, NULL, 404, "not-found");
	struct reply r = client_ask(url, "PATCH /api/v1/ingest", NULL, NULL);
	assert_string_equal(reply_header(&r, "Allow", value), "POST");
	reply_fini(&r);
	r = client_ask(url, "HEAD /api/v1/agents", NULL, NULL);
	assert_int_equal(r.status, 200);
	assert_true(r.whole);
	assert_string_equal(reply_header(&r, "Content-Length", value), "24");
	reply_fini(&r);
}

static void problems_say_what_and_where(void **state)
{
	char value[256];
	(void)state;
	struct reply r =
	    client_ask(url, "GET /api/v1/agents?limt=1", NULL, NULL);
	assert_int_equal(r.status, 400);
	assert_string_equal(reply_header(&r, "Content-Type", value),
	    "application/problem+json");
	assert_string_equal(r.body,
	    "{\"type\":\"urn:sonde:problem:bad-parameter\","
	    "\"title\":\"Bad parameter\",\"status\":400,"
	    "\"detail\":\"unknown parameter 'limt', expected limit, "
	    "cursor\",\"instance\":\"/api/v1/agents\","
	    "\"code\":\"bad-parameter\"}");
	reply_fini(&r);
	expect("GET /api/v1/agents?limit=0", NULL, NULL, 400,
	    "parameter 'limit': expected a whole number from 1 to 500, got "
	    "'0'");
	expect("GET /api/v1/agents/%00", NULL, NULL, 400, "bad-parameter");
	expect("GET /api/v1/agents/%c3", NULL, NULL, 400, "bad-parameter");
	expect("GET http://127.0.0.1/", NULL, NULL, 400, "path");
}

static void a_database_that_is_gone_is_no_reason_to_retry_soon(void **state)
{
	char wait[256];
	(void)state;
	fake_ingest_answer(INGEST_BUSY, true);
	expect("POST /api/v1/ingest", BATCH, "x", 503, "\"code\":\"busy\"");
	fake_set_fault("database: x was deleted");
	struct reply r = client_ask(url, "POST /api/v1/ingest", BATCH, "x");
	assert_int_equal(r.status, 503);
	assert_non_null(strstr(r.body, "\"code\":\"storage\""));
	assert_non_null(strstr(r.body, "database: x was deleted"));
	assert_string_equal(reply_header(&r, "Retry-After", wait), "30");
	reply_fini(&r);
}

static void a_slash_that_is_encoded_stays_in_its_segment(void **state)
{
	(void)state;
	expect("GET /api/v1/links/%3Fa~b~1%2F2%3Ec/series", NULL, NULL, 200,
	    "{\"id\":\"?a~b~1/2>c\"}");
	expect("GET /api/v1/links/a/b/series", NULL, NULL, 404, NULL);
	expect("GET /api/v1/agents/", NULL, NULL, 404, NULL);
	expect("GET /api/v1/agents/a+b", NULL, NULL, 200, "a+b");
}

static void writes_need_the_token(void **state)
{
	char value[256];
	(void)state;
	struct reply r =
	    client_ask(url, "POST /api/v1/campaigns", JSON, "{\"script\":1}");
	assert_int_equal(r.status, 401);
	assert_string_equal(
	    reply_header(&r, "WWW-Authenticate", value), "Bearer");
	reply_fini(&r);
	expect("POST /api/v1/campaigns", JSON "Authorization: Bearer x\r\n",
	    "{\"script\":1}", 401, "not the administrator's");
	expect("POST /api/v1/campaigns", JSON TOKEN, "{\"script\":1}", 201,
	    "script");
	expect("DELETE /api/v1/campaigns/1", NULL, NULL, 401, NULL);
	expect("DELETE /api/v1/campaigns/1", TOKEN, NULL, 200, "stopped");
	expect("DELETE /api/v1/campaigns/2", TOKEN, NULL, 404, NULL);
	expect("POST /api/v1/tokens", TOKEN, NULL, 201, "token");
}

static void pages_of_other_sites_may_not_write(void **state)
{
	(void)state;
	expect("POST /api/v1/campaigns",
	    JSON TOKEN "Origin: http://evil.example\r\n", "{}", 403,
	    "cross-origin");
	expect("POST /api/v1/campaigns",
	    JSON TOKEN "Sec-Fetch-Site: cross-site\r\n", "{}", 403, NULL);
	expect("POST /api/v1/campaigns",
	    JSON TOKEN "Origin: http://127.0.0.1\r\n", "{\"script\":1}", 201,
	    NULL);
}

static void bodies_are_json_objects(void **state)
{
	static const char *const bad[] = { "", "{", "[]", "1", "nul",
		"{\"a\":1,\"a\":2}", "{\"a\":1}x", "{\"a\":\"\\u0000\"}",
		"{\"a\":\"\xff\"}" };
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		expect("POST /api/v1/campaigns", JSON TOKEN, bad[i], 400,
		    "bad-request");
	expect("POST /api/v1/campaigns", JSON TOKEN, "{}", 400,
	    "script: expected a name");
	expect("POST /api/v1/campaigns", TOKEN, "{}", 415, NULL);
	expect("POST /api/v1/campaigns", TOKEN "Content-Type: text/plain\r\n",
	    "{}", 415, "unsupported-media-type");
	expect("POST /api/v1/campaigns",
	    TOKEN "Content-Type: application/json; charset=utf-8\r\n",
	    "{\"script\":1}", 201, NULL);
}

static char *repeat(const char *text, size_t times)
{
	struct buf b = { 0 };
	for (size_t i = 0; i < times; i++)
		buf_bytes(&b, text, strlen(text));
	buf_u8(&b, 0);
	return (char *)b.data;
}

static void deep_json_is_refused(void **state)
{
	(void)state;
	char *deep = repeat("[", 100000);
	expect("POST /api/v1/campaigns", JSON TOKEN, deep, 400, NULL);
	free(deep);
}

static void big_bodies_are_refused(void **state)
{
	(void)state;
	char *big = repeat("0123456789abcdef", 300 * 1024 / 16);
	expect("POST /api/v1/campaigns", JSON TOKEN, big, 413, "too-big");
	expect("GET /api/v1/agents", NULL, big, 413, NULL);
	/* The same without saying so at first. */
	char *chunked = repeat("4000\r\n", 1);
	struct buf out = { 0 };
	buf_printf(&out,
	    "POST /api/v1/campaigns HTTP/1.1\r\n"
	    "Host: 127.0.0.1\r\n" JSON TOKEN
	    "Transfer-Encoding: chunked\r\n\r\n");
	for (int i = 0; i < 18; i++)
		buf_printf(&out, "4000\r\n%.16384s\r\n", big);
	buf_printf(&out, "0\r\n\r\n");
	int fd = client_connect(url, NULL, 0);
	client_send(fd, (char *)out.data, out.len);
	struct reply r = client_reply(fd, false);
	assert_int_equal(r.status, 413);
	reply_fini(&r);
	close(fd);
	buf_fini(&out);
	free(chunked);
	free(big);
}

static void who_waits_for_leave_gets_it_at_once(void **state)
{
	(void)state;
	static const char ask[] =
	    "POST /api/v1/ingest HTTP/1.1\r\n"
	    "Host: 127.0.0.1\r\n" BATCH "Content-Length: 100000000\r\n"
	    "Expect: 100-continue\r\n\r\n";
	int fd = client_connect(url, NULL, 0);
	client_send(fd, ask, sizeof(ask) - 1);
	struct reply r = client_reply(fd, false);
	assert_int_equal(r.status, 413);
	reply_fini(&r);
	close(fd);
}

static void two_lengths_are_refused(void **state)
{
	(void)state;
	expect("POST /api/v1/enrol", JSON "Transfer-Encoding: chunked\r\n",
	    "0\r\n\r\n", 400, NULL);
	struct reply r = client_ask(
	    url, "POST /api/v1/enrol", JSON "Content-Length: 3\r\n", "{}");
	assert_int_equal(r.status, 400);
	reply_fini(&r);
}

static void a_connection_serves_many_requests(void **state)
{
	(void)state;
	int fd = client_connect(url, NULL, 0);
	for (int i = 0; i < 50; i++) {
		static const char ask[] =
		    "GET /api/v1/agents HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
		client_send(fd, ask, sizeof(ask) - 1);
		struct reply r = client_reply(fd, false);
		assert_int_equal(r.status, 200);
		reply_fini(&r);
	}
	close(fd);
}

static void etags_save_bodies(void **state)
{
	char tag[256], line[300];
	static const char *const paths[] = { "GET /", "GET /api/v1/agents",
		"GET /api/openapi.json" };
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct reply r = client_ask(url, paths[i], NULL, NULL);
		assert_int_equal(r.status, 200);
		reply_header(&r, "ETag", tag);
		assert_int_equal(tag[0], '"');
		reply_fini(&r);
		snprintf(
		    line, sizeof(line), "If-None-Match: \"x\", W/%s\r\n", tag);
		r = client_ask(url, paths[i], line, NULL);
		assert_int_equal(r.status, 304);
		reply_fini(&r);
		expect(paths[i], "If-None-Match: \"x\"\r\n", NULL, 200, NULL);
	}
}

/* The name of the page's script, from index.html. */
static void find_script(char to[static 256])
{
	struct reply r = client_ask(url, "GET /", NULL, NULL);
	const char *main = strstr(r.body, "main-");
	assert_non_null(main);
	snprintf(to, 256, "GET /%.*s", (int)strcspn(main, "\""), main);
	reply_fini(&r);
}

static void pages_are_cached_and_packed(void **state)
{
	char line[256], value[256];
	(void)state;
	find_script(line);
	struct reply plain = client_ask(url, line, NULL, NULL);
	assert_int_equal(plain.status, 200);
	assert_non_null(
	    strstr(reply_header(&plain, "Cache-Control", value), "immutable"));
	struct reply packed =
	    client_ask(url, line, "Accept-Encoding: br, gzip\r\n", NULL);
	assert_string_equal(
	    reply_header(&packed, "Content-Encoding", value), "gzip");
	assert_true(packed.body_len < plain.body_len / 2);
	reply_fini(&packed);
	packed = client_ask(url, line, "Accept-Encoding: gzip;q=0\r\n", NULL);
	assert_string_equal(
	    reply_header(&packed, "Content-Encoding", value), "");
	reply_fini(&packed);
	reply_fini(&plain);
	plain = client_ask(url, "GET /", NULL, NULL);
	assert_string_equal(
	    reply_header(&plain, "Cache-Control", value), "no-cache");
	reply_fini(&plain);
}

static void permalinks_get_the_page(void **state)
{
	(void)state;
	expect("GET /map?from=-1h&node=192.0.2.1", NULL, NULL, 200, "main-");
	expect("GET /outbreaks/slammer", NULL, NULL, 200, "main-");
	expect("GET /none.js", NULL, NULL, 404, NULL);
	expect("GET /api/none", NULL, NULL, 404, NULL);
	expect("GET /api/v2/agents", NULL, NULL, 404, NULL);
}

static void no_path_leads_out_of_the_folder(void **state)
{
	char root[] = "/tmp/sonde-web-XXXXXX", path[64], command[256];
	static const char *const bad[] = { "GET /../etc/passwd",
		"GET /..%2f..%2fetc%2fpasswd", "GET //etc/passwd",
		"GET /%2e%2e/%2e%2e/etc/passwd", "GET /link/passwd",
		"GET /.hidden.txt", "GET /a/.hidden.txt", "GET /fifo.txt",
		"GET /a%00.txt", "GET /etc/passwd.txt", "GET /.git" };
	(void)state;
	assert_non_null(mkdtemp(root));
	snprintf(command, sizeof(command),
	    "cd %s && echo good >a.txt && echo bad >.hidden.txt && ln -s /etc "
	    "link && mkfifo fifo.txt && mkdir a && echo page >index.html",
	    root);
	assert_int_equal(system(command), 0);
	api_stop(api);
	server_stop(server);
	api_close(api);
	start(&(struct server_config){ .web_root = root });
	expect("GET /a.txt", NULL, NULL, 200, "good");
	expect("GET /somewhere", NULL, NULL, 200, "page");
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct reply r = client_ask(url, bad[i], NULL, NULL);
		if (r.status == 200 && strcmp(r.body, "page\n") != 0)
			fail_msg("%s: '%s'", bad[i], r.body);
		reply_fini(&r);
	}
	snprintf(path, sizeof(path), "rm -rf %s", root);
	assert_int_equal(system(path), 0);
}

static void slow_connections_do_not_keep_others_out(void **state)
{
	int slow[30];
	char from[32];
	(void)state;
	for (int i = 0; i < 30; i++) {
		snprintf(from, sizeof(from), "127.0.0.%d", 2 + i % 10);
		slow[i] = client_connect(url, from, 0);
		client_send(slow[i], "GET / HTTP/1.1\r\nHost: 1", 23);
	}
	expect("GET /api/v1/agents", NULL, NULL, 200, NULL);
	for (int i = 0; i < 30; i++)
		close(slow[i]);
}

/* The library gives up on them without an answer; LeakSanitizer sees what it
 * forgets. */
static void too_many_parameters_leave_nothing_behind(void **state)
{
	struct buf ask = { 0 };
	(void)state;
	buf_printf(&ask, "GET /api/v1/agents?");
	for (int i = 0; i < 5000; i++)
		buf_printf(&ask, "a=b&");
	buf_printf(&ask, " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
	for (int i = 0; i < 10; i++) {
		int fd = client_connect(url, NULL, 0);
		client_send(fd, (const char *)ask.data, ask.len);
		shutdown(fd, SHUT_WR);
		struct buf answer = { 0 };
		assert_false(client_read_until(fd, &answer, "\r\n\r\n"));
		buf_fini(&answer);
		close(fd);
	}
	buf_fini(&ask);
	expect("GET /api/v1/agents", NULL, NULL, 200, NULL);
}

/* The library is in the middle of refusing them. */
static void stopping_while_requests_are_given_up_is_safe(void **state)
{
	enum { ROUNDS = 40, AT_ONCE = 8 };
	struct buf ask = { 0 };
	int fds[AT_ONCE];
	buf_printf(&ask, "GET /api/v1/agents?");
	for (int i = 0; i < 5000; i++)
		buf_printf(&ask, "a=b&");
	buf_printf(&ask, " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < AT_ONCE; i++) {
			fds[i] = client_connect(url, NULL, 0);
			client_send(fds[i], (const char *)ask.data, ask.len);
		}
		teardown(state);
		for (int i = 0; i < AT_ONCE; i++)
			close(fds[i]);
		assert_int_equal(setup(state), 0);
	}
	buf_fini(&ask);
}

static int count_closed(const int *fds, int count)
{
	int closed = 0;
	char byte;
	for (int i = 0; i < count; i++)
		closed += recv(fds[i], &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 0;
	return closed;
}

static void a_client_has_its_share_of_connections(void **state)
{
	int mine[65], closed = 0;
	(void)state;
	for (int i = 0; i < 65; i++)
		mine[i] = client_connect(url, "127.0.0.9", 0);
	/* One is closed, whichever came last to the server; the others stay
	 * open and wait. */
	while (closed == 0) {
		usleep(1000);
		closed = count_closed(mine, 65);
	}
	assert_int_equal(closed, 1);
	expect("GET /api/v1/agents", NULL, NULL, 200, NULL);
	for (int i = 0; i < 65; i++)
		close(mine[i]);
}

static void a_client_that_asks_too_often_is_refused(void **state)
{
	struct errmsg msg;
	(void)state;
	api_stop(api);
	server_stop(server);
	api_close(api);
	struct server_config config = { .listen = listen_any,
		.listen_count = 1,
		.requests_per_second = 1 };
	assert_int_equal(start_server(&config, &msg), 0);
	url = server_url(server, 0);
	char value[256];
	int status = 200;
	/* On a busy machine the bucket fills while we ask. */
	while (status == 200) {
		struct reply r =
		    client_ask(url, "GET /api/v1/agents", NULL, NULL);
		status = r.status;
		if (status == 429)
			assert_string_equal(
			    reply_header(&r, "Retry-After", value), "1");
		reply_fini(&r);
	}
	assert_int_equal(status, 429);
}

static void a_server_that_cannot_start_says_why(void **state)
{
	static const char *const plain[] = { "127.0.0.1:0",
		"http://192.0.2.1:0" };
	const struct server_config cases[] = {
		{ .listen = plain, .listen_count = 2 },
		{ .listen = listen_any,
		    .listen_count = 1,
		    .web_root = "/nowhere" },
	};
	static const char *const words[] = { "plain HTTP is for loopback",
		"web-root '/nowhere'" };
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct errmsg msg = { "" };
		struct server *other = NULL;
		assert_int_equal(
		    server_start(&other, &cases[i], api_application(api), &msg),
		    ERR_CONFIG);
		assert_null(other);
		assert_non_null(strstr(msg.text, words[i]));
	}
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(every_answer_is_locked_down),
		TEST(a_host_of_others_is_misdirected),
		TEST(methods_are_those_of_the_path),
		TEST(problems_say_what_and_where),
		TEST(a_database_that_is_gone_is_no_reason_to_retry_soon),
		TEST(a_slash_that_is_encoded_stays_in_its_segment),
		TEST(writes_need_the_token),
		TEST(pages_of_other_sites_may_not_write),
		TEST(bodies_are_json_objects),
		TEST(deep_json_is_refused),
		TEST(big_bodies_are_refused),
		TEST(who_waits_for_leave_gets_it_at_once),
		TEST(two_lengths_are_refused),
		TEST(a_connection_serves_many_requests),
		TEST(etags_save_bodies),
		TEST(pages_are_cached_and_packed),
		TEST(permalinks_get_the_page),
		TEST(no_path_leads_out_of_the_folder),
		TEST(slow_connections_do_not_keep_others_out),
		TEST(too_many_parameters_leave_nothing_behind),
		TEST(stopping_while_requests_are_given_up_is_safe),
		TEST(a_client_has_its_share_of_connections),
		TEST(a_client_that_asks_too_often_is_refused),
		TEST(a_server_that_cannot_start_says_why),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
