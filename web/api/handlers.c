/* SPDX-License-Identifier: ISC */
/* The routes that ask the collector one question or tell it one thing: their
 * work is to carry arguments in and errors out. */

#include <errno.h>
#include <stdlib.h>

#include "collector/core/generation.h"
#include "collector/fleet/campaign.h"
#include "collector/fleet/enrol.h"
#include "collector/ingest/ingest.h"
#include "lib/base/xalloc.h"
#include "web/api/handlers.h"
#include "web/http/problem.h"
#include "web/http/http-private.h"

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

void route_query(struct request *request)
{
	const struct query_args args = { request_arg, request };
	json_t *json = NULL;
	struct errmsg msg = { 0 };
	const struct query_context context = { request->web->collector,
		request->principal, &args, NULL };
	int err = query_run(request->route->query, &context, &json, &msg);
	if (err == 0)
		answer_json(&request->answer, 200, json);
	else
		answer_error(request, err, &msg);
	request_done(request);
}

typedef int command_fn(struct collector *collector,
    const struct principal *principal, const json_t *body, json_t **answer,
    struct errmsg *msg);

/* Gives the body to one of the collector's functions; 201 with its answer. */
static void run_command(struct request *request, command_fn *fn)
{
	json_t *body = request_json(request);
	if (!body)
		return;
	json_t *json = NULL;
	struct errmsg msg = { 0 };
	int err =
	    fn(request->web->collector, request->principal, body, &json, &msg);
	json_decref(body);
	if (err == 0)
		answer_json(&request->answer, 201, json);
	else
		answer_error(request, err, &msg);
}

void handle_tokens(struct request *request)
{
	/* Everything in it is optional, and so is all of it. */
	if (request->body.len == 0)
		buf_printf(&request->body, "{}");
	run_command(request, enrol_token_new);
	request_done(request);
}

/* The one-time token in the body says who may; any principal may present
 * it. */
static int enrol_with_token(struct collector *collector,
    const struct principal *principal, const json_t *body, json_t **answer,
    struct errmsg *msg)
{
	(void)principal;
	return enrol_agent(collector, body, answer, msg);
}

void handle_enrol(struct request *request)
{
	run_command(request, enrol_with_token);
	request_done(request);
}

void handle_campaign_create(struct request *request)
{
	run_command(request, campaign_create);
	request_done(request);
}

void handle_campaign_stop(struct request *request)
{
	json_t *json = NULL;
	struct errmsg msg = { 0 };
	int err = campaign_stop(request->web->collector, request->principal,
	    params_get(&request->params, "id"), &json, &msg);
	if (err == 0)
		answer_json(&request->answer, 200, json);
	else
		answer_error(request, err, &msg);
	request_done(request);
}

static enum problem ingest_problem(enum ingest_result result)
{
	switch (result) {
	case INGEST_GAP: return PROBLEM_GAP;
	case INGEST_FORKED: return PROBLEM_FORKED;
	case INGEST_MALFORMED: return PROBLEM_MALFORMED;
	case INGEST_TOO_BIG: return PROBLEM_TOO_BIG;
	case INGEST_BOMB: return PROBLEM_BOMB;
	case INGEST_UNKNOWN_AGENT: return PROBLEM_UNKNOWN_AGENT;
	case INGEST_SIGNATURE: return PROBLEM_SIGNATURE;
	case INGEST_BUSY: return PROBLEM_BUSY;
	case INGEST_STORED:
	case INGEST_DUPLICATE:
	case INGEST_RESULTS: break;
	}
	return PROBLEM_INTERNAL;
}

static void refuse_batch(
    struct request *request, const struct ingest_answer *answer)
{
	json_t *extra = NULL;
	if (answer->result == INGEST_GAP)
		extra =
		    json_pack("{s:I,s:I}", "epoch", (json_int_t)answer->epoch,
			"expected", (json_int_t)answer->next);
	request->answer.retry_after_s = answer->retry_after_s;
	problem_answer_with(request, ingest_problem(answer->result),
	    answer->detail.text, extra);
}

/* In the writer's thread, after COMMIT, or in ours for what is refused. */
static void batch_is_done(void *ctx, const struct ingest_answer *answer)
{
	struct request *request = ctx;
	if (answer->result == INGEST_STORED ||
	    answer->result == INGEST_DUPLICATE)
		answer_json(&request->answer, 200,
		    json_pack("{s:s,s:s,s:I,s:I}", "result",
			ingest_result_name(answer->result), "generation",
			collector_generation(request->web->collector), "epoch",
			(json_int_t)answer->epoch, "next",
			(json_int_t)answer->next));
	else
		refuse_batch(request, answer);
	request_done(request);
}

void handle_ingest(struct request *request)
{
	collector_ingest(request->web->collector, request->body.data,
	    request->body.len, batch_is_done, request);
}
