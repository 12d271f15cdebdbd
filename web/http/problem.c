/* SPDX-License-Identifier: ISC */
/* RFC 9457: one table of what can go wrong, one function that answers it. */

#include "web/http/problem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "web/http/response.h"

enum { STORAGE_RETRY_S = 30 };

static const struct {
	unsigned status;
	const char *code, *title;
} problems[PROBLEMS] = {
	[PROBLEM_BAD_REQUEST] = { 400, "bad-request", "Bad request" },
	[PROBLEM_BAD_PARAMETER] = { 400, "bad-parameter", "Bad parameter" },
	[PROBLEM_MALFORMED] = { 400, "malformed", "Malformed batch" },
	[PROBLEM_IMPLAUSIBLE] = { 400, "implausible", "Implausible numbers" },
	[PROBLEM_UNAUTHORIZED] = { 401, "unauthorized", "A token is needed" },
	[PROBLEM_UNKNOWN_AGENT] = { 401, "unknown-agent", "Unknown agent" },
	[PROBLEM_SIGNATURE] = { 401, "signature",
	    "The signature does not verify" },
	[PROBLEM_CLOCK] = { 401, "clock", "The agent's clock is off" },
	[PROBLEM_FORBIDDEN] = { 403, "forbidden", "Forbidden" },
	[PROBLEM_TOKEN] = { 403, "token", "The enrolment token is not valid" },
	[PROBLEM_CROSS_ORIGIN] = { 403, "cross-origin",
	    "Another site's page may not write here" },
	[PROBLEM_NOT_FOUND] = { 404, "not-found", "Not found" },
	[PROBLEM_METHOD] = { 405, "method-not-allowed", "Method not allowed" },
	[PROBLEM_TAKEN] = { 409, "taken", "The name or the key is taken" },
	[PROBLEM_GAP] = { 409, "gap", "Records are missing before this batch" },
	[PROBLEM_FORKED] = { 409, "forked",
	    "The same sequence numbers came with other bytes" },
	[PROBLEM_TOO_BIG] = { 413, "too-big", "Larger than the limit" },
	[PROBLEM_BOMB] = { 413, "bomb", "Unpacks to more than the limit" },
	[PROBLEM_MEDIA_TYPE] = { 415, "unsupported-media-type",
	    "Unsupported media type" },
	[PROBLEM_MISDIRECTED] = { 421, "misdirected",
	    "This server does not go by that name" },
	[PROBLEM_TOO_MANY] = { 429, "too-many-requests", "Too many requests" },
	[PROBLEM_INTERNAL] = { 500, "internal", "Internal error" },
	[PROBLEM_BUSY] = { 503, "busy", "Try again later" },
	[PROBLEM_STORAGE] = { 503, "storage", "The database cannot be used" },
};

const char *problem_code(enum problem problem)
{
	return problems[problem].code;
}

unsigned problem_status(enum problem problem)
{
	return problems[problem].status;
}

/* The path as the problem's instance: only what a URI may hold, as sent. */
static json_t *instance(const struct request *request)
{
	char path[256];
	size_t len = request->path_len;
	if (len >= sizeof(path))
		len = sizeof(path) - 1;
	for (size_t i = 0; i < len; i++) {
		char c = request->target[i];
		path[i] = '?';
		if (c > ' ' && c <= '~')
			path[i] = c;
	}
	path[len] = 0;
	return json_string(path);
}

void problem_answer_with(struct request *request, enum problem problem,
    const char *detail, json_t *extra)
{
	char type[64];
	struct errmsg fault;
	/* Waiting does not help then: an operator has to act. */
	if (problem == PROBLEM_BUSY &&
	    request->app->fault(request->app->ctx, &fault)) {
		problem = PROBLEM_STORAGE;
		detail = fault.text;
		request->response.retry_after_s = STORAGE_RETRY_S;
	}
	snprintf(
	    type, sizeof(type), "urn:sonde:problem:%s", problems[problem].code);
	json_t *body = json_pack("{s:s,s:s,s:i,s:s,s:o,s:s}", "type", type,
	    "title", problems[problem].title, "status",
	    (int)problems[problem].status, "detail", detail, "instance",
	    instance(request), "code", problems[problem].code);
	if (!body)
		BUG("problem %s: detail is not UTF-8", problems[problem].code);
	if (extra)
		json_object_update_missing(body, extra);
	json_decref(extra);
	response_json(&request->response, problems[problem].status, body);
	request->response.content_type = "application/problem+json";
	if (problem == PROBLEM_BUSY || problem == PROBLEM_TOO_MANY)
		if (request->response.retry_after_s == 0)
			request->response.retry_after_s = 1;
}

void problem_answer(
    struct request *request, enum problem problem, const char *detail, ...)
{
	char text[512];
	va_list args;
	va_start(args, detail);
	vsnprintf(text, sizeof(text), detail, args);
	va_end(args);
	/* A message cut at 255 bytes may end inside a character. */
	size_t len = strlen(text);
	while (len > 0 && !utf8_is_valid(text, len))
		text[--len] = 0;
	problem_answer_with(request, problem, text, NULL);
}
