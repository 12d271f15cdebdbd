/* SPDX-License-Identifier: ISC */
/* The routes that change something: their work is to carry arguments in and
 * errors out. */

#include <errno.h>
#include <stdlib.h>

#include "collector/core/generation.h"
#include "collector/fleet/campaign.h"
#include "collector/fleet/enrol.h"
#include "collector/ingest/ingest.h"
#include "lib/base/xalloc.h"
#include "web/api/answers.h"
#include "web/api/api-private.h"
#include "web/api/handlers.h"
#include "web/http/problem.h"
#include "web/http/response.h"

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
	int err = fn(request_api(request)->collector, request->caller.principal,
	    body, &json, &msg);
	json_decref(body);
	if (err == 0)
		response_json(&request->response, 201, json);
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

/* The one-time token in the body grants the right; any principal may present
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
	int err = campaign_stop(request_api(request)->collector,
	    request->caller.principal, params_get(&request->params, "id"),
	    &json, &msg);
	if (err == 0)
		response_json(&request->response, 200, json);
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
	case INGEST_IMPLAUSIBLE: return PROBLEM_IMPLAUSIBLE;
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
	request->response.retry_after_s = answer->retry_after_s;
	problem_answer_with(request, ingest_problem(answer->result),
	    answer->detail.text, extra);
}

/* In the writer's thread, after COMMIT, or in ours for what is refused. */
static void batch_is_done(void *ctx, const struct ingest_answer *answer)
{
	struct request *request = ctx;
	if (answer->result == INGEST_STORED ||
	    answer->result == INGEST_DUPLICATE)
		response_json(&request->response, 200,
		    json_pack("{s:s,s:s,s:I,s:I}", "result",
			ingest_result_name(answer->result), "generation",
			collector_generation(request_api(request)->collector),
			"epoch", (json_int_t)answer->epoch, "next",
			(json_int_t)answer->next));
	else
		refuse_batch(request, answer);
	request_done(request);
}

void handle_ingest(struct request *request)
{
	collector_ingest_from(request_api(request)->collector, &request->peer,
	    request->body.data, request->body.len, batch_is_done, request);
}
