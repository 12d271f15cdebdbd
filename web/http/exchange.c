/* SPDX-License-Identifier: ISC */
/* One request from its first line to the end of its answer.  The server's
 * loop calls exchange_step: once with the header, then for each piece of the
 * body, then once more at its end.  A handler that may block gets the
 * connection suspended and a worker thread; resuming makes the loop call
 * exchange_step again, which then sends what the handler left in the answer. */

#include "web/http/exchange.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/record/batch.h"
#include "lib/base/xalloc.h"
#include "web/http/problem.h"
#include "web/http/response.h"
#include "web/http/router.h"
#include "web/http/static.h"
#include "web/http/stream.h"

enum {
	JSON_BODY_MAX = 256 * 1024,
	BATCH_BODY_MAX = BATCH_MAX_PACKED + 4096, /* and its header */
	DRAIN_MAX = 2 * BATCH_BODY_MAX,           /* of a body that we refuse */
	PARAMETERS_MAX = 200,
	QUEUE_MAX = 512, /* requests that wait for a thread */
	BODY_S = 30,
	ANSWER_S = 30,
	IDLE_S = 25,
	BYTES_PER_S = 16 * 1024, /* and this slow after the first seconds */
	REFUSAL_COST = 4
};

enum phase { PHASE_HEADER, PHASE_BODY, PHASE_DRAIN, PHASE_RUN, PHASE_ANSWER };

struct exchange {
	struct request request; /* first: a request is its exchange */
	struct server *server;
	struct MHD_Connection *connection;
	enum phase phase;
	bool held, entered;
	size_t body_max, drained;
	struct worker_job job;
};

static struct exchange *exchange_of(struct request *request)
{
	return (struct exchange *)request;
}

static void set_deadline(struct exchange *exchange, int64_t s, uint64_t bytes)
{
	s += (int64_t)(bytes / BYTES_PER_S);
	connection_set_deadline(exchange->request.connection,
	    monotime_add(monotime_now(), s * NS_PER_S));
}

static void extend_deadline(struct exchange *exchange)
{
	set_deadline(exchange, ANSWER_S, 0);
}

static bool suspend_connection(struct exchange *exchange)
{
	if (!in_flight_hold(&exchange->server->flight))
		return false;
	connection_set_deadline(
	    exchange->request.connection, (struct monotime){ INT64_MAX });
	exchange->held = true;
	MHD_suspend_connection(exchange->connection);
	return true;
}

static void resume_connection(struct exchange *exchange)
{
	struct server *server = exchange->server;
	exchange->held = false;
	extend_deadline(exchange);
	MHD_resume_connection(exchange->connection);
	/* From here on the exchange may be gone. */
	in_flight_release(&server->flight);
}

static void handler_is_done(struct request *request)
{
	struct exchange *exchange = exchange_of(request);
	if (exchange->held)
		resume_connection(exchange);
}

static struct worker_pool *pool_of(const struct exchange *exchange)
{
	const struct route *route = exchange->request.route;
	struct server *server = exchange->server;
	return route->where == ROUTE_READS ? server->reads : server->writes;
}

static void submit_job(struct exchange *exchange, struct worker_job *job)
{
	worker_pool_submit(pool_of(exchange), job);
}

static void submit_for_request(struct request *request, struct worker_job *job)
{
	submit_job(exchange_of(request), job);
}

static void count_sent(struct exchange *exchange, size_t bytes)
{
	atomic_fetch_add(&exchange->server->counters.body_bytes_out, bytes);
}

static const struct request_ops request_ops = { handler_is_done,
	submit_for_request };
static const struct stream_host stream_host = { suspend_connection,
	resume_connection, extend_deadline, submit_job, count_sent };

void exchange_abandon(struct exchange *exchange)
{
	if (!exchange)
		return;
	struct request *request = &exchange->request;
	response_fini(&request->response);
	params_fini(&request->params);
	buf_fini(&request->body);
	free((char *)(uintptr_t)request->target);
	free(exchange);
}

/* More than about 400 fill the library's memory for a connection; then it
 * neither answers nor ends the request. */
static bool has_too_many_parameters(const char *uri)
{
	unsigned count = 0;
	for (; *uri; uri++)
		count += *uri == '&';
	return count > PARAMETERS_MAX;
}

void *exchange_start(
    void *arg, const char *uri, struct MHD_Connection *connection)
{
	struct listener *listener = arg;
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
	    connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct exchange *exchange = xcalloc(1, sizeof(*exchange));
	exchange->server = listener->server;
	exchange->connection = connection;
	struct request *request = &exchange->request;
	request->connection = info->socket_context;
	request->app = listener->server->app;
	request->server = listener->server;
	request->target = xstrdup(uri);
	request->path_len = strcspn(uri, "?");
	request->peer = *connection_addr(request->connection);
	request->tls = listener->tls;
	request->ops = &request_ops;
	exchange_abandon(connection_task(request->connection));
	connection_set_task(request->connection, exchange);
	if (has_too_many_parameters(uri))
		connection_cut(request->connection);
	return exchange;
}

struct header_scan {
	struct request *request;
	const char *twice;
};

static enum MHD_Result scan_header(
    void *arg, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct header_scan *scan = arg;
	(void)kind;
	for (int i = 0; i < HEADERS; i++) {
		if (strcasecmp(name, header_names[i]) != 0)
			continue;
		if (!scan->request->headers[i])
			scan->request->headers[i] = value;
		else if (i != HEADER_ACCEPT && i != HEADER_ACCEPT_ENCODING &&
		    i != HEADER_IF_NONE_MATCH)
			scan->twice = header_names[i];
	}
	return MHD_YES;
}

/* The header's own form; the fields about a body come later. */
static bool check_form(struct exchange *exchange)
{
	struct request *request = &exchange->request;
	struct header_scan scan = { .request = request };
	MHD_get_connection_values(
	    exchange->connection, MHD_HEADER_KIND, scan_header, &scan);
	if (scan.twice) {
		problem_answer(request, PROBLEM_BAD_REQUEST,
		    "header '%s' is given twice", scan.twice);
		return false;
	}
	if (request->target[0] != '/') {
		problem_answer(request, PROBLEM_BAD_REQUEST,
		    "expected a path that begins with '/'");
		return false;
	}
	if (request->headers[HEADER_TRANSFER_ENCODING] &&
	    request->headers[HEADER_CONTENT_LENGTH]) {
		problem_answer(request, PROBLEM_BAD_REQUEST,
		    "Content-Length and Transfer-Encoding exclude each other");
		return false;
	}
	if (!origin_check_host(
		&exchange->server->origins, request->headers[HEADER_HOST])) {
		problem_answer(request, PROBLEM_MISDIRECTED,
		    "Host: expected an address, localhost or a name that the "
		    "configuration lists as host-name");
		return false;
	}
	return true;
}

static bool is_write(const struct request *request)
{
	return strcmp(request->method, "GET") != 0 &&
	    strcmp(request->method, "HEAD") != 0;
}

static bool starts_with(const struct request *request, const char *prefix)
{
	size_t len = strlen(prefix);
	return request->path_len >= len &&
	    memcmp(request->target, prefix, len) == 0;
}

/* Finds the route; a path outside the API is a page. */
static bool find_route(struct request *request)
{
	char *allow;
	int err =
	    router_find(&request->route, request, &request->params, &allow);
	if (err == 0)
		return true;
	request->route = NULL;
	if (err == ERR_MALFORMED) {
		problem_answer(request, PROBLEM_BAD_PARAMETER,
		    "path: expected percent-encoded UTF-8 without control "
		    "characters");
		return false;
	}
	if (err == ERR_NOT_FOUND && !starts_with(request, "/api/")) {
		if (!is_write(request))
			return true;
		allow = xstrdup("GET, HEAD");
	}
	if (!allow) {
		problem_answer(request, PROBLEM_NOT_FOUND,
		    "no such path; /api/openapi.json lists them all");
		return false;
	}
	problem_answer(request, PROBLEM_METHOD, "this path takes %s", allow);
	request->response.allow = allow;
	return false;
}

static bool check_rights(struct exchange *exchange)
{
	struct request *request = &exchange->request;
	const struct server *server = exchange->server;
	enum scope scope = request->route ? request->route->scope : SCOPE_OPEN;
	if (is_write(request) && !origin_check_same(request)) {
		problem_answer(request, PROBLEM_CROSS_ORIGIN,
		    "Origin or Sec-Fetch-Site names another site");
		return false;
	}
	const struct application *app = server->app;
	request->caller = app->identify(
	    app->ctx, request, origin_check_reader(&server->origins, request));
	if (request->caller.scope >= scope)
		return true;
	problem_answer(request, PROBLEM_UNAUTHORIZED,
	    request_bearer(request)
		? "this token is not the administrator's"
		: "expected 'Authorization: Bearer TOKEN' with the token of "
		  "the collector's admin.token");
	return false;
}

static bool check_rate(struct exchange *exchange)
{
	const struct route *route = exchange->request.route;
	if (clients_charge(exchange->server->clients,
		exchange->request.connection, route ? route->cost : 1,
		monotime_now()))
		return true;
	problem_answer(&exchange->request, PROBLEM_TOO_MANY,
	    "this address asks too often; slow down");
	return false;
}

static bool has_body(const struct request *request)
{
	const char *length = request->headers[HEADER_CONTENT_LENGTH];
	return request->headers[HEADER_TRANSFER_ENCODING] ||
	    (length && strcmp(length, "0") != 0);
}

static bool is_media_type(const char *header, const char *type)
{
	size_t len = strlen(type);
	return header && strncasecmp(header, type, len) == 0 &&
	    strchr(" \t;", header[len]);
}

static bool check_body_type(struct exchange *exchange)
{
	struct request *request = &exchange->request;
	enum route_body body =
	    request->route ? request->route->body : ROUTE_NO_BODY;
	const char *type = body == ROUTE_BATCH ? "application/vnd.sonde.batch"
					       : "application/json";
	exchange->body_max = body == ROUTE_BATCH ? BATCH_BODY_MAX
	    : body == ROUTE_JSON                 ? JSON_BODY_MAX
						 : 0;
	if (body != ROUTE_NO_BODY && has_body(request) &&
	    !is_media_type(request->headers[HEADER_CONTENT_TYPE], type)) {
		problem_answer(request, PROBLEM_MEDIA_TYPE,
		    "Content-Type: expected %s", type);
		return false;
	}
	const char *length = request->headers[HEADER_CONTENT_LENGTH];
	if (length && strtoull(length, NULL, 10) > exchange->body_max) {
		problem_answer(request, PROBLEM_TOO_BIG,
		    "body: expected at most %zu bytes", exchange->body_max);
		return false;
	}
	return true;
}

static bool check_params(struct request *request)
{
	struct errmsg msg;
	const char *query = request->target + request->path_len;
	if (!request->route)
		return true; /* a page's query is for its script */
	if (params_parse(&request->params, request->route->params,
		*query ? query + 1 : NULL, &msg) == 0)
		return true;
	problem_answer(request, PROBLEM_BAD_PARAMETER, "%s", msg.text);
	return false;
}

/* Every check that needs no body.  False: the answer is there. */
static bool check_request(struct exchange *exchange)
{
	return find_route(&exchange->request) && check_rate(exchange) &&
	    check_rights(exchange) && check_body_type(exchange) &&
	    check_params(&exchange->request);
}

static enum MHD_Result send_answer(struct exchange *exchange)
{
	struct request *request = &exchange->request;
	struct response *response = &request->response;
	exchange->phase = PHASE_ANSWER;
	if (response->status == 0)
		BUG("%s %s: no answer", request->method, request->target);
	if (response->status >= 400 && response->status <= 413)
		clients_charge(exchange->server->clients,
		    exchange->request.connection, REFUSAL_COST, monotime_now());
	atomic_fetch_add(
	    &exchange->server->counters.answers[response->status / 100 % 6], 1);
	uint64_t size;
	struct MHD_Response *mhd =
	    respond(request, &stream_host, exchange, &size);
	if (!mhd)
		return MHD_NO; /* no memory: the connection is closed */
	set_deadline(exchange, ANSWER_S, size);
	enum MHD_Result result =
	    MHD_queue_response(exchange->connection, response->status, mhd);
	MHD_destroy_response(mhd);
	return result;
}

static void run_handler(void *arg)
{
	struct exchange *exchange = arg;
	exchange->request.route->handler(&exchange->request);
}

static enum MHD_Result run_route(struct exchange *exchange)
{
	struct request *request = &exchange->request;
	const struct route *route = request->route;
	struct server *server = exchange->server;
	exchange->phase = PHASE_RUN;
	exchange->entered = true;
	in_flight_enter(&server->flight);
	if (!route) {
		static_answer(request, server->pages);
		return send_answer(exchange);
	}
	if (route->where == ROUTE_INLINE) {
		route->handler(request);
		return send_answer(exchange);
	}
	struct worker_pool *pool = pool_of(exchange);
	if (worker_pool_waiting(pool) >= QUEUE_MAX ||
	    !suspend_connection(exchange)) {
		problem_answer(request, PROBLEM_BUSY, "too much to do now");
		return send_answer(exchange);
	}
	exchange->job = (struct worker_job){ run_handler, exchange, NULL };
	worker_pool_submit(pool, &exchange->job);
	return MHD_YES;
}

static enum MHD_Result take_header(
    struct exchange *exchange, const char *method)
{
	struct request *request = &exchange->request;
	request->method = method;
	/* Where the form is wrong, so may be the body's length. */
	if (!check_form(exchange))
		return send_answer(exchange);
	if (check_request(exchange)) {
		exchange->phase = PHASE_BODY;
		set_deadline(exchange, BODY_S, exchange->body_max);
		return MHD_YES;
	}
	/* A client that already sends its body reads no answer before its
	 * end: let it finish, if that is bearable. */
	const char *length = request->headers[HEADER_CONTENT_LENGTH];
	bool waits = MHD_lookup_connection_value(exchange->connection,
			 MHD_HEADER_KIND, "Expect") != NULL;
	if (!has_body(request) || waits ||
	    (length && strtoull(length, NULL, 10) > DRAIN_MAX))
		return send_answer(exchange);
	exchange->phase = PHASE_DRAIN;
	set_deadline(exchange, BODY_S, 0);
	return MHD_YES;
}

static enum MHD_Result take_body(
    struct exchange *exchange, const char *body, size_t len)
{
	struct buf *to = &exchange->request.body;
	atomic_fetch_add(&exchange->server->counters.body_bytes_in, len);
	if (exchange->phase == PHASE_BODY &&
	    len <= exchange->body_max - to->len) {
		buf_bytes(to, body, len);
		return MHD_YES;
	}
	if (exchange->phase == PHASE_BODY) {
		buf_fini(to);
		problem_answer(&exchange->request, PROBLEM_TOO_BIG,
		    "body: expected at most %zu bytes", exchange->body_max);
		exchange->phase = PHASE_DRAIN;
	}
	exchange->drained += len;
	return exchange->drained <= DRAIN_MAX ? MHD_YES : MHD_NO;
}

/* NOLINTNEXTLINE(readability-function-size): the library's signature */
enum MHD_Result exchange_step(void *listener, struct MHD_Connection *connection,
    const char *url, const char *method, const char *version, const char *body,
    size_t *body_len, void **context)
{
	struct exchange *exchange = *context;
	(void)listener, (void)connection, (void)url, (void)version;
	if (exchange->phase == PHASE_HEADER)
		return take_header(exchange, method);
	if (*body_len > 0) {
		size_t len = *body_len;
		*body_len = 0;
		return take_body(exchange, body, len);
	}
	if (exchange->phase == PHASE_BODY)
		return run_route(exchange);
	return send_answer(exchange);
}

void exchange_end(void *arg, struct MHD_Connection *connection, void **context,
    enum MHD_RequestTerminationCode why)
{
	struct exchange *exchange = *context;
	(void)arg, (void)connection;
	if (!exchange)
		return;
	if (why != MHD_REQUEST_TERMINATED_COMPLETED_OK)
		atomic_fetch_add(&exchange->server->counters.answers[0], 1);
	if (exchange->entered)
		in_flight_leave(&exchange->server->flight);
	set_deadline(exchange, IDLE_S, 0);
	connection_set_task(exchange->request.connection, NULL);
	exchange_abandon(exchange);
	*context = NULL;
}
