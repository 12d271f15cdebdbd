/* SPDX-License-Identifier: ISC */
/* JSON in, JSON out: bodies of requests and of answers. */

#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "web/http/problem.h"
#include "web/http/request.h"
#include "web/http/stream.h"

void answer_fini(struct answer *answer)
{
	buf_fini(&answer->body);
	if (answer->stream)
		stream_free(answer->stream);
	free(answer->allow);
	free(answer->location);
	memset(answer, 0, sizeof(*answer));
}

static int append(const char *text, size_t len, void *to)
{
	buf_bytes(to, text, len);
	return 0;
}

void answer_json(struct answer *answer, unsigned status, json_t *body)
{
	buf_clear(&answer->body);
	if (json_dump_callback(body, append, &answer->body,
		JSON_COMPACT | JSON_ENCODE_ANY) != 0)
		BUG("an answer that is not JSON");
	json_decref(body);
	answer->status = status;
	answer->content_type = "application/json";
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
