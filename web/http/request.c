/* SPDX-License-Identifier: ISC */
/* What handlers ask of a request. */

#include "web/http/request.h"

#include <string.h>
#include <strings.h>

#include "web/http/problem.h"

const char *const header_names[HEADERS] = {
	[HEADER_ACCEPT] = "Accept",
	[HEADER_ACCEPT_ENCODING] = "Accept-Encoding",
	[HEADER_AUTHORIZATION] = "Authorization",
	[HEADER_CONTENT_LENGTH] = "Content-Length",
	[HEADER_CONTENT_TYPE] = "Content-Type",
	[HEADER_FETCH_SITE] = "Sec-Fetch-Site",
	[HEADER_HOST] = "Host",
	[HEADER_IF_NONE_MATCH] = "If-None-Match",
	[HEADER_LAST_EVENT_ID] = "Last-Event-ID",
	[HEADER_ORIGIN] = "Origin",
	[HEADER_SONDE_AGENT] = "Sonde-Agent",
	[HEADER_SONDE_SIGNATURE] = "Sonde-Signature",
	[HEADER_SONDE_TIME] = "Sonde-Time",
	[HEADER_TRANSFER_ENCODING] = "Transfer-Encoding",
};

bool request_is_loopback(const struct request *request)
{
	static const uint8_t v6[16] = { [15] = 1 };
	const struct addr *peer = &request->peer;
	if (peer->family == 6)
		return memcmp(peer->bytes, v6, sizeof(v6)) == 0;
	return peer->family == 4 && peer->bytes[0] == 127;
}

const char *request_bearer(const struct request *request)
{
	const char *text = request->headers[HEADER_AUTHORIZATION];
	if (!text || strncasecmp(text, "Bearer ", 7) != 0)
		return NULL;
	return text + 7 + strspn(text + 7, " ");
}

bool request_accepts(const struct request *request, const char *type)
{
	const char *p = request->headers[HEADER_ACCEPT];
	size_t len = strlen(type);
	while (p && *p) {
		p += strspn(p, " \t,");
		if (strncasecmp(p, type, len) == 0 && strchr(" \t,;", p[len]))
			return true;
		p += strcspn(p, ",");
	}
	return false;
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
