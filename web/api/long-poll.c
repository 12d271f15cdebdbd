/* SPDX-License-Identifier: ISC */
/* A list of suspended requests.  What takes a poll off the list, under the
 * lock, submits its answer; so each is answered once. */

#include "web/api/long-poll.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "collector/fleet/campaign.h"
#include "collector/fleet/enrol.h"
#include "lib/base/xalloc.h"
#include "web/api/answers.h"
#include "web/api/api-private.h"
#include "web/api/handlers.h"
#include "web/http/problem.h"
#include "web/http/response.h"
#include "web/http/worker-pool.h"

enum { WAIT_S = 30 };

struct long_poll {
	struct long_poll *next;
	struct request *request;
	uint8_t agent[AGENT_ID_LEN];
	uint64_t after;
	struct monotime until;
	struct worker_job job;
};

struct long_polls {
	pthread_mutex_t lock;
	struct long_poll *waiting;
	uint64_t count;
	uint64_t revision; /* the newest that we know */
	bool stopping;
};

struct long_polls *long_polls_new(struct collector *collector)
{
	struct long_polls *polls = xcalloc(1, sizeof(*polls));
	polls->revision = campaign_revision(collector);
	pthread_mutex_init(&polls->lock, NULL);
	return polls;
}

void long_polls_free(struct long_polls *polls)
{
	if (!polls)
		return;
	pthread_mutex_destroy(&polls->lock);
	free(polls);
}

static void answer_poll(void *arg)
{
	struct long_poll *poll = arg;
	struct request *request = poll->request;
	json_t *json = NULL;
	struct errmsg msg = { 0 };
	int err = campaign_work(
	    request_api(request)->collector, poll->agent, &json, &msg);
	if (err == 0)
		response_json(&request->response, 200, json);
	else
		answer_error(request, err, &msg);
	free(poll);
	request_done(request);
}

/* What makes a poll's wait end. */
static bool is_due(const struct long_polls *polls, const struct long_poll *poll,
    struct monotime now)
{
	return polls->stopping || poll->after != polls->revision ||
	    !monotime_before(now, poll->until);
}

/* Submits the answers of all that are due. */
static void release_due(struct long_polls *polls, struct monotime now)
{
	for (struct long_poll **at = &polls->waiting; *at;) {
		struct long_poll *poll = *at;
		if (!is_due(polls, poll, now)) {
			at = &poll->next;
			continue;
		}
		*at = poll->next;
		polls->count--;
		poll->job = (struct worker_job){ answer_poll, poll, NULL };
		poll->request->ops->submit(poll->request, &poll->job);
	}
}

void long_polls_revision(struct long_polls *polls, uint64_t revision)
{
	pthread_mutex_lock(&polls->lock);
	if (revision > polls->revision)
		polls->revision = revision;
	release_due(polls, monotime_now());
	pthread_mutex_unlock(&polls->lock);
}

void long_polls_tick(struct long_polls *polls, struct monotime now)
{
	pthread_mutex_lock(&polls->lock);
	release_due(polls, now);
	pthread_mutex_unlock(&polls->lock);
}

void long_polls_stop(struct long_polls *polls)
{
	pthread_mutex_lock(&polls->lock);
	polls->stopping = true;
	release_due(polls, monotime_now());
	pthread_mutex_unlock(&polls->lock);
}

uint64_t long_polls_waiting(struct long_polls *polls)
{
	pthread_mutex_lock(&polls->lock);
	uint64_t count = polls->count;
	pthread_mutex_unlock(&polls->lock);
	return count;
}

/* The clock's problem carries the collector's time, so that the agent sees by
 * how much it is off. */
static void refuse_poll(
    struct request *request, int err, const struct errmsg *msg)
{
	if (err != -ETIME) {
		answer_error(request, err, msg);
		return;
	}
	char text[WALLTIME_TEXT_LEN];
	problem_answer_with(request, PROBLEM_CLOCK, msg->text,
	    json_pack(
		"{s:s}", "server_time", walltime_text(walltime_now(), text)));
}

const struct param work_param_after = { "after", PARAM_INTEGER,
	.help = "the revision that the agent has", .max = INT64_MAX,
	.fallback = "0" };

/* Waits or, if there is nothing to wait for, answers. */
static void wait_or_answer(struct long_polls *polls, struct long_poll *poll)
{
	struct monotime now = monotime_now();
	poll->until = monotime_add(now, WAIT_S * NS_PER_S);
	pthread_mutex_lock(&polls->lock);
	bool due = is_due(polls, poll, now);
	if (!due) {
		poll->next = polls->waiting;
		polls->waiting = poll;
		polls->count++;
	}
	pthread_mutex_unlock(&polls->lock);
	if (due)
		answer_poll(poll);
}

void handle_work(struct request *request)
{
	const struct enrol_request check = {
		.agent = request->headers[HEADER_SONDE_AGENT],
		.time = request->headers[HEADER_SONDE_TIME],
		.signature = request->headers[HEADER_SONDE_SIGNATURE],
		.target = request->target,
	};
	struct long_poll *poll = xcalloc(1, sizeof(*poll));
	poll->request = request;
	struct errmsg msg = { 0 };
	const char *after = params_get(&request->params, "after");
	poll->after = after ? strtoull(after, NULL, 10) : 0; /* checked */
	int err = enrol_check_request(
	    request_api(request)->collector, &check, poll->agent, &msg);
	if (err == 0) {
		wait_or_answer(request_api(request)->polls, poll);
		return;
	}
	refuse_poll(request, err, &msg);
	free(poll);
	request_done(request);
}
