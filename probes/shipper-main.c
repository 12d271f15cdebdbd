/* SPDX-License-Identifier: ISC */
/* sonde-shipper: what sonde-agent starts when TLS is needed. */
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/https/http.h"
#include "probes/agent/shipper/shipper.h"

#define POST_TIMEOUT_S 30L

/* One exchange for a process that has no TLS: enrolment.  In the same sandbox
 * as shipping, because what the peer answers is hostile. */
static int exchange_once(const struct shipper_start *start,
    struct shipper_answer *answer, struct errmsg *msg)
{
	static const char *const headers[] = { "Content-Type: application/json",
		NULL };
	struct http_config to = { .url = start->url,
		.ca_file = start->ca_file[0] ? start->ca_file : NULL,
		.answer_max = sizeof(answer->body) };
	struct http_request request = { .path = start->path,
		.headers = headers,
		.body = start->body,
		.body_len = strlen(start->body),
		.timeout_s = POST_TIMEOUT_S,
		.last = true };
	const struct http_answer *got = NULL;
	struct http *http = NULL;
	int err = shipper_enter_sandbox(start, NULL, msg);
	if (err < 0)
		goto out;
	err = http_open(&http, &to, msg);
	if (err < 0)
		goto out;
	err = http_exchange(http, &request, &got, msg);
	if (err < 0)
		goto out;
	answer->status = got->status;
	answer->body_len = (uint32_t)got->body.len;
	memcpy(answer->body, got->body.data, got->body.len);
out:
	http_close(http);
	return err;
}

static int post_once(const struct shipper_start *start)
{
	static struct shipper_answer answer;
	answer.err = exchange_once(start, &answer, &answer.why);
	return send(STDIN_FILENO, &answer, sizeof(answer), MSG_NOSIGNAL) !=
	    (ssize_t)sizeof(answer);
}

int main(void)
{
	static struct shipper_start start;
	struct errmsg msg;
	mallopt(M_ARENA_MAX, 1);
	int err = shipper_receive(&start, &msg);
	if (err) {
		fprintf(stderr, "sonde-shipper: %s\n", msg.text);
		return err_exit_code(err);
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != start.parent)
		return 0; /* it died before it could take us along */
	log_init("shipper", (enum log_level)start.log_level);
	int code = start.job == SHIPPER_POST ? post_once(&start)
					     : shipper_main(&start);
	explicit_bzero(&start, sizeof(start));
	return code;
}
