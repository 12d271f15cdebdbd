/* SPDX-License-Identifier: ISC */
/* Answers that wait: event streams, lines of records, agents' polls, batches
 * until their commit; and stopping in the middle of all of them. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/web/fake-collector.h"
#include "tests/web/http-client.h"
#include "web/api/api-private.h"
#include "web/api/event-stream.h"
#include "web/api/long-poll.h"
#include "web/api/collector-api.h"
#include "web/http/server.h"

#define BATCH "Content-Type: application/vnd.sonde.batch\r\n"

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

static int setup(void **state)
{
	static const char *const listen_any[] = { "127.0.0.1:0" };
	struct server_config config = { .listen = listen_any,
		.listen_count = 1,
		.requests_per_second = 100000 };
	struct errmsg msg;
	(void)state;
	fake_reset();
	if (start_server(&config, &msg) != 0)
		fail_msg("%s", msg.text);
	url = server_url(server, 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	api_stop(api);
	server_stop(server);
	api_close(api);
	return 0;
}

/* Sends a request whose answer is to be read later. */
static int begin(const char *request_line, const char *lines, const char *body)
{
	int fd = client_connect(url, NULL, 4096);
	struct buf out = { 0 };
	buf_printf(&out, "%s HTTP/1.1\r\nHost: 127.0.0.1\r\n%s", request_line,
	    lines ? lines : "");
	if (body)
		buf_printf(&out, "Content-Length: %zu\r\n", strlen(body));
	buf_printf(&out, "\r\n%s", body ? body : "");
	client_send(fd, (char *)out.data, out.len);
	buf_fini(&out);
	return fd;
}

static uint64_t subscribers(void)
{
	struct event_stream_stats stats;
	event_stream_stats(api->events, &stats);
	return stats.subscribers;
}

/* Reads on until `until` was there; fails when the stream ends before. */
static void expect(int fd, struct buf *in, const char *until)
{
	if (!client_read_until(fd, in, until))
		fail_msg(
		    "no '%s' in '%s'", until, in->data ? (char *)in->data : "");
}

static void events_come_as_they_happen(void **state)
{
	struct buf in = { 0 };
	(void)state;
	fake_add_event("agent", "{\"before\":1}");
	int fd = begin("GET /api/v1/events", NULL, NULL);
	expect(fd, &in, "retry: 3000\n\n");
	assert_non_null(strstr((char *)in.data, "text/event-stream"));
	fake_add_event("alarm", "{\"a\":1}");
	expect(fd, &in, "id: 2\nevent: alarm\ndata: {\"a\":1}\n\n");
	fake_add_event("run", "{\"b\":2}");
	expect(fd, &in, "id: 3\nevent: run\ndata: {\"b\":2}\n\n");
	assert_null(strstr((char *)in.data, "before"));
	close(fd);
	buf_fini(&in);
}

static void a_stream_goes_on_where_it_was(void **state)
{
	struct buf in = { 0 };
	(void)state;
	for (int i = 1; i <= 5; i++)
		fake_add_event("run", "{}");
	int fd = begin("GET /api/v1/events", "Last-Event-ID: 2\r\n", NULL);
	expect(fd, &in, "id: 5\n");
	assert_non_null(strstr((char *)in.data, "id: 3\n"));
	assert_null(strstr((char *)in.data, "id: 2\n"));
	close(fd);
	buf_fini(&in);
	fd = begin("GET /api/v1/events?last=1", NULL, NULL);
	expect(fd, &in, "id: 5\n");
	assert_null(strstr((char *)in.data, "id: 4\n"));
	close(fd);
	buf_fini(&in);
}

static void a_long_absence_misses_nothing(void **state)
{
	enum { MANY = 9000 };
	struct buf in = { 0 };
	char want[32];
	(void)state;
	int fd = begin("GET /api/v1/events", NULL, NULL);
	expect(fd, &in, "retry");
	close(fd);
	buf_fini(&in);
	for (int i = 0; i < MANY; i++)
		fake_add_event("run", "{}");
	fd = begin("GET /api/v1/events", "Last-Event-ID: 0\r\n", NULL);
	snprintf(want, sizeof(want), "id: %d\nevent: run\n", MANY);
	expect(fd, &in, want);
	close(fd);
	const char *p = (char *)in.data;
	for (int i = 1; i <= MANY; i++) {
		p = strstr(p, "id: ");
		assert_non_null(p);
		assert_int_equal(strtol(p + 4, NULL, 10), i);
		p++;
	}
	buf_fini(&in);
}

static void what_is_no_longer_kept_is_reported(void **state)
{
	struct buf in = { 0 };
	(void)state;
	teardown(NULL);
	for (int i = 1; i <= 9; i++)
		fake_add_event("run", "{}");
	fake_drop_events_before(6);
	struct server_config config = { .listen_count = 0 };
	static const char *const listen_any[] = { "127.0.0.1:0" };
	struct errmsg msg;
	config.listen = listen_any;
	config.listen_count = 1;
	assert_int_equal(start_server(&config, &msg), 0);
	url = server_url(server, 0);
	int fd = begin("GET /api/v1/events", "Last-Event-ID: 2\r\n", NULL);
	expect(fd, &in, "id: 9\n");
	assert_non_null(
	    strstr((char *)in.data, "event: gone\ndata: {\"at\":\"20"));
	assert_non_null(strstr((char *)in.data,
	    "\"type\":\"gone\",\"text\":\"events 3 to 5 "
	    "are no longer kept\",\"from\":3,\"to\":5}\n\nid: 6\n"));
	close(fd);
	buf_fini(&in);
}

static void bad_starts_are_refused(void **state)
{
	(void)state;
	struct reply r =
	    client_ask(url, "GET /api/v1/events", "Last-Event-ID: x\r\n", NULL);
	assert_int_equal(r.status, 400);
	reply_fini(&r);
	r = client_ask(url, "GET /api/v1/events?last=1001", NULL, NULL);
	assert_int_equal(r.status, 400);
	reply_fini(&r);
	r = client_ask(url, "HEAD /api/v1/events", NULL, NULL);
	assert_int_equal(r.status, 200);
	reply_fini(&r);
}

/* One does not read while thousands come; the other has them all. */
static void who_does_not_read_is_cut(void **state)
{
	char big[1024], want[32];
	struct buf in = { 0 };
	struct event_stream_stats stats = { 0 };
	(void)state;
	int deaf = begin("GET /api/v1/events", NULL, NULL);
	int good = begin("GET /api/v1/events", NULL, NULL);
	expect(good, &in, "retry");
	while (subscribers() < 2)
		usleep(1000);
	snprintf(big, sizeof(big), "{\"x\":\"%0*d\"}", 1000, 0);
	int added = 0;
	for (; stats.cut == 0 && added < 8000; added++) {
		fake_add_event("run", big);
		if (added % 100 == 99) {
			snprintf(want, sizeof(want), "id: %d\n", added + 1);
			expect(good, &in, want);
			usleep(50000);
		}
		event_stream_stats(api->events, &stats);
	}
	assert_int_equal(stats.cut, 1);
	while (subscribers() > 1)
		usleep(1000);
	fake_add_event("alarm", "{\"last\":1}");
	expect(good, &in, "{\"last\":1}");
	/* It finds its stream ended, not whole; and may come back. */
	char block[65536];
	while (recv(deaf, block, sizeof(block), 0) > 0)
		;
	close(deaf);
	close(good);
	buf_fini(&in);
}

static void all_records_come_as_lines(void **state)
{
	char value[256];
	(void)state;
	struct reply r = client_ask(url, "GET /api/v1/records",
	    "Accept: application/x-ndjson\r\n", NULL);
	assert_int_equal(r.status, 200);
	assert_true(r.whole);
	assert_string_equal(
	    reply_header(&r, "Content-Type", value), "application/x-ndjson");
	const char *p = r.body;
	for (int i = 0; i < 25; i++) {
		char line[32];
		int n = snprintf(line, sizeof(line), "{\"seq\":%d}\n", i);
		assert_memory_equal(p, line, (size_t)n);
		p += n;
	}
	assert_string_equal(p, "");
	reply_fini(&r);
	r = client_ask(url, "GET /api/v1/records?limit=10&cursor=0_10",
	    "Accept: application/x-ndjson\r\n", NULL);
	assert_non_null(strstr(r.body, "{\"seq\":10}"));
	assert_null(strstr(r.body, "{\"seq\":20}"));
	reply_fini(&r);
	r = client_ask(url, "GET /api/v1/records", NULL, NULL);
	assert_non_null(strstr(r.body, "\"next\":\"0_10\""));
	reply_fini(&r);
}

static void lines_that_break_off_are_seen_to(void **state)
{
	(void)state;
	struct reply r = client_ask(url, "GET /api/v1/records?kind=gap",
	    "Accept: application/x-ndjson\r\n", NULL);
	assert_int_equal(r.status, 200);
	assert_false(r.whole);
	reply_fini(&r);
}

static void a_download_is_pages_in_a_row(void **state)
{
	char value[256];
	(void)state;
	struct reply r = client_ask(
	    url, "GET /api/v1/records?format=json&kind=log", NULL, NULL);
	assert_int_equal(r.status, 200);
	assert_true(r.whole);
	assert_string_equal(
	    reply_header(&r, "Content-Type", value), "application/jsonl");
	assert_non_null(
	    strstr(reply_header(&r, "Content-Disposition", value), ".jsonl"));
	const char *p = r.body;
	for (int i = 0; i < 25; i++) {
		char text[32];
		snprintf(text, sizeof(text), "\"text\":\"%d\"}}\n", i);
		p = strstr(p, text);
		assert_non_null(p);
	}
	reply_fini(&r);
	/* Logs have no form there; who asks for them alone is told. */
	r = client_ask(
	    url, "GET /api/v1/records?format=warts&kind=log", NULL, NULL);
	assert_int_equal(r.status, 400);
	reply_fini(&r);
	/* The third page fails: the file must not look whole. */
	r = client_ask(
	    url, "GET /api/v1/records?format=json&kind=gap", NULL, NULL);
	assert_int_equal(r.status, 200);
	assert_false(r.whole);
	reply_fini(&r);
}

static void a_batch_is_answered_after_its_commit(void **state)
{
	struct buf in = { 0 };
	char byte;
	(void)state;
	fake_ingest_answer(INGEST_STORED, false);
	int fd = begin("POST /api/v1/ingest", BATCH, "bytes");
	while (fake_ingests_held() == 0)
		usleep(1000);
	assert_int_equal(recv(fd, &byte, 1, MSG_DONTWAIT), -1);
	fake_ingest_release();
	expect(fd, &in, "\"next\":41}");
	assert_non_null(strstr((char *)in.data, "HTTP/1.1 200"));
	assert_non_null(strstr((char *)in.data,
	    "{\"result\":\"stored\","
	    "\"generation\":\"00112233445566778899aabbccddeeff\","
	    "\"epoch\":3,\"next\":41}"));
	buf_fini(&in);
	close(fd);
}

static void each_result_has_its_answer(void **state)
{
	char want[64], value[256];
	(void)state;
	for (int i = 0; i < INGEST_RESULTS; i++) {
		enum ingest_result result = (enum ingest_result)i;
		fake_ingest_answer(result, true);
		struct reply r =
		    client_ask(url, "POST /api/v1/ingest", BATCH, "bytes");
		assert_int_equal(r.status, ingest_result_status(result));
		snprintf(want, sizeof(want), "\"%s\":\"%s\"",
		    r.status == 200 ? "result" : "code",
		    ingest_result_name(result));
		if (!strstr(r.body, want))
			fail_msg("no %s in %s", want, r.body);
		if (result == INGEST_GAP)
			assert_non_null(strstr(r.body, "\"expected\":41"));
		if (result == INGEST_BUSY)
			assert_string_equal(
			    reply_header(&r, "Retry-After", value), "1");
		reply_fini(&r);
	}
}

static void agents_wait_for_new_work(void **state)
{
	struct buf in = { 0 };
	(void)state;
	fake_set_revision(7);
	int fd = begin("GET /api/v1/work?after=7", "Sonde-Agent: a\r\n", NULL);
	while (long_polls_waiting(api->polls) == 0)
		usleep(1000);
	fake_set_revision(8);
	expect(fd, &in, "{\"revision\":8,\"campaigns\":[]}");
	buf_fini(&in);
	close(fd);
	/* Older or from another life of the database: at once. */
	static const char *const at_once[] = { "GET /api/v1/work",
		"GET /api/v1/work?after=7", "GET /api/v1/work?after=9000" };
	for (size_t i = 0; i < 3; i++) {
		struct reply r =
		    client_ask(url, at_once[i], "Sonde-Agent: a\r\n", NULL);
		assert_int_equal(r.status, 200);
		assert_non_null(strstr(r.body, "\"revision\":8"));
		reply_fini(&r);
	}
}

static void an_agent_that_may_not_have_work_is_refused(void **state)
{
	static const struct {
		const char *line, *lines;
		int status;
		const char *holds;
	} cases[] = {
		{ "GET /api/v1/work", NULL, 401, "\"unknown-agent\"" },
		{ "GET /api/v1/work", "Sonde-Agent: a\r\nSonde-Time: 0\r\n",
		    401, "\"server_time\":\"20" },
		{ "GET /api/v1/work?after=-1", "Sonde-Agent: a\r\n", 400,
		    "after" },
	};
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct reply r =
		    client_ask(url, cases[i].line, cases[i].lines, NULL);
		assert_int_equal(r.status, cases[i].status);
		assert_non_null(strstr(r.body, cases[i].holds));
		reply_fini(&r);
	}
}

static void heavy_questions_do_not_stop_batches(void **state)
{
	int fds[6];
	(void)state;
	fake_block_queries(true);
	for (int i = 0; i < 6; i++)
		fds[i] = begin("GET /api/v1/agents", NULL, NULL);
	while (fake_queries_blocked() < 3)
		usleep(1000);
	fake_ingest_answer(INGEST_STORED, true);
	static const char *const others[] = { "POST /api/v1/ingest",
		"GET /healthz", "GET /", "GET /metrics" };
	for (size_t i = 0; i < 4; i++) {
		struct reply r = client_ask(
		    url, others[i], i ? NULL : BATCH, i ? NULL : "x");
		assert_int_equal(r.status, 200);
		reply_fini(&r);
	}
	fake_block_queries(false);
	for (int i = 0; i < 6; i++) {
		struct reply r = client_reply(fds[i], false);
		assert_int_equal(r.status, 200);
		reply_fini(&r);
		close(fds[i]);
	}
}

static void *release_soon(void *arg)
{
	usleep(100000);
	fake_ingest_release();
	return arg;
}

static void stopping_ends_whatever_waits(void **state)
{
	struct buf in = { 0 };
	pthread_t thread;
	(void)state;
	fake_ingest_answer(INGEST_STORED, false);
	int batch = begin("POST /api/v1/ingest", BATCH, "bytes");
	int events = begin("GET /api/v1/events", NULL, NULL);
	int poll =
	    begin("GET /api/v1/work?after=0", "Sonde-Agent: a\r\n", NULL);
	while (fake_ingests_held() == 0 || subscribers() == 0 ||
	    long_polls_waiting(api->polls) == 0)
		usleep(1000);
	pthread_create(&thread, NULL, release_soon, NULL);
	api_stop(api);
	server_stop(server);
	api_close(api);
	pthread_join(thread, NULL);
	/* The poll got its list; a batch was committed, answered or not. */
	assert_false(client_read_until(events, &in, "never"));
	assert_non_null(strstr((char *)in.data, "retry"));
	buf_fini(&in);
	close(batch);
	close(events);
	close(poll);
	setup(NULL);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(events_come_as_they_happen),
		TEST(a_stream_goes_on_where_it_was),
		TEST(a_long_absence_misses_nothing),
		TEST(what_is_no_longer_kept_is_reported),
		TEST(bad_starts_are_refused),
		TEST(who_does_not_read_is_cut),
		TEST(all_records_come_as_lines),
		TEST(lines_that_break_off_are_seen_to),
		TEST(a_download_is_pages_in_a_row),
		TEST(a_batch_is_answered_after_its_commit),
		TEST(each_result_has_its_answer),
		TEST(agents_wait_for_new_work),
		TEST(an_agent_that_may_not_have_work_is_refused),
		TEST(heavy_questions_do_not_stop_batches),
		TEST(stopping_ends_whatever_waits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
