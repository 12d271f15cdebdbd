/* SPDX-License-Identifier: ISC */
/* What handlers share: queries answered, errors of the collector as problems.
 */

#include "web/api/answers.h"

#include <errno.h>

#include "web/api/api-private.h"
#include "web/http/problem.h"
#include "web/http/response.h"
#include "web/http/router.h"

const char *request_arg(void *ctx, const char *name)
{
	const struct request *request = ctx;
	return params_get(&request->params, name);
}

void answer_error(struct request *request, int err, const struct errmsg *msg)
{
	static const struct {
		int err;
		enum problem problem;
	} rows[] = {
		{ ERR_NOT_FOUND, PROBLEM_NOT_FOUND },
		{ ERR_UNAVAILABLE, PROBLEM_BUSY },
		{ ERR_DENIED, PROBLEM_TOKEN },
		{ ERR_SIGNATURE, PROBLEM_SIGNATURE },
		{ ERR_UNKNOWN_AGENT, PROBLEM_UNKNOWN_AGENT },
		{ -EACCES, PROBLEM_FORBIDDEN },
		{ -EEXIST, PROBLEM_TAKEN },
		{ -ETIME, PROBLEM_CLOCK },
	};
	enum problem problem = PROBLEM_INTERNAL;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (rows[i].err == err)
			problem = rows[i].problem;
	if (err == ERR_USAGE)
		problem = request->route->body == ROUTE_JSON
		    ? PROBLEM_BAD_REQUEST
		    : PROBLEM_BAD_PARAMETER;
	problem_answer(
	    request, problem, "%s", msg->text[0] ? msg->text : err_str(err));
}

void answer_query(struct request *request, query_fn *query)
{
	const struct query_args args = { request_arg, request };
	json_t *json = NULL;
	struct errmsg msg = { 0 };
	const struct query_context context = { request_api(request)->collector,
		request->caller.principal, &args, NULL, NULL };
	int err = query_run(query, &context, &json, &msg);
	if (err >= 0)
		response_json(&request->response, 200, json);
	else
		answer_error(request, err, &msg);
	request_done(request);
}

void answer_text_query(struct request *request, query_text_fn *query)
{
	const struct query_args args = { request_arg, request };
	struct buf text = { 0 };
	struct errmsg msg = { 0 };
	const struct query_context context = { request_api(request)->collector,
		request->caller.principal, &args, NULL, NULL };
	int err = query(&context, &text, &msg);
	if (err >= 0) {
		request->response.status = 200;
		request->response.content_type = "application/json";
		request->response.body = text;
	} else {
		buf_fini(&text);
		answer_error(request, err, &msg);
	}
	request_done(request);
}

json_t *request_json(struct request *request)
{
	const char *text = (const char *)request->body.data;
	size_t len = request->body.len;
	json_error_t error;
	json_t *json =
	    json_loadb(len ? text : "", len, JSON_REJECT_DUPLICATES, &error);
	if (!json) {
		char quoted[PARAMS_QUOTE_LEN];
		problem_answer(request, PROBLEM_BAD_REQUEST,
		    "body: line %d column %d: %s", error.line, error.column,
		    params_quote(quoted, error.text));
		return NULL;
	}
	if (!json_is_object(json)) {
		problem_answer(request, PROBLEM_BAD_REQUEST,
		    "body: expected a JSON object");
		json_decref(json);
		return NULL;
	}
	return json;
}
