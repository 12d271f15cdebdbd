/* SPDX-License-Identifier: ISC */
/* One exchange for whoever has no TLS: enrolment.  In the same sandbox as
 * shipping, so what a stranger answers is read in a closed room. */
#include <string.h>

#include "lib/https/http.h"
#include "probes/agent/shipper/shipper.h"

#define TIMEOUT_S 30L

static int post(const struct shipper_start *start,
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
		.timeout_s = TIMEOUT_S,
		.last = true };
	const struct http_answer *got = NULL;
	struct http *http = NULL;
	int err = shipper_enter_sandbox(start, NULL, msg);
	if (!err)
		err = http_open(&http, &to, msg);
	if (!err)
		err = http_exchange(http, &request, &got, msg);
	if (!err) {
		answer->status = got->status;
		answer->body_len = (uint32_t)got->body.len;
		memcpy(answer->body, got->body.data, got->body.len);
	}
	http_close(http);
	return err;
}

void shipper_post(
    const struct shipper_start *start, struct shipper_answer *answer)
{
	memset(answer, 0, sizeof(*answer));
	answer->err = post(start, answer, &answer->why);
}
