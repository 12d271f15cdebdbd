/* SPDX-License-Identifier: ISC */
/* The outer face of every answer: security headers, caching, ETag. */

#include "web/http/respond.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/err.h"
#include "web/http/router.h"
#include "web/http/stream.h"

static const char *const headers_for_all[][2] = {
	{ "Content-Security-Policy",
	    "default-src 'none'; script-src 'self'; style-src 'self'; "
	    "img-src 'self' data:; connect-src 'self'; worker-src 'self'; "
	    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'" },
	{ "X-Content-Type-Options", "nosniff" },
	{ "Referrer-Policy", "no-referrer" },
	{ "Cross-Origin-Opener-Policy", "same-origin" },
	{ "Cross-Origin-Resource-Policy", "same-origin" },
};

static bool is_get(const struct request *request)
{
	return strcmp(request->method, "GET") == 0 ||
	    strcmp(request->method, "HEAD") == 0;
}

/* The tag of an answer that was computed: a hash of its bytes. */
static void tag_body(char to[static 40], const struct buf *body)
{
	unsigned char hash[16];
	char hex[33];
	crypto_generichash(hash, sizeof(hash), body->data, body->len, NULL, 0);
	sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash));
	snprintf(to, 40, "\"%s\"", hex);
}

/* If-None-Match: a list of tags, weak or not, or "*". */
static bool client_has(const struct request *request, const char *tag)
{
	const char *p = request->headers[HEADER_IF_NONE_MATCH];
	size_t len = strlen(tag);
	while (p && *p) {
		p += strspn(p, " \t,");
		if (*p == '*')
			return true;
		if (strncmp(p, "W/", 2) == 0)
			p += 2;
		if (strncmp(p, tag, len) == 0)
			return true;
		p += strcspn(p, ",");
	}
	return false;
}

static void add_number(
    struct MHD_Response *response, const char *name, uint32_t value)
{
	char text[16];
	snprintf(text, sizeof(text), "%u", value);
	MHD_add_response_header(response, name, text);
}

static void add(
    struct MHD_Response *response, const char *name, const char *value)
{
	if (value)
		MHD_add_response_header(response, name, value);
}

static void add_headers(struct MHD_Response *response,
    const struct request *request, const char *tag)
{
	const struct answer *answer = &request->answer;
	size_t count = sizeof(headers_for_all) / sizeof(*headers_for_all);
	for (size_t i = 0; i < count; i++)
		add(response, headers_for_all[i][0], headers_for_all[i][1]);
	if (request->tls)
		add(response, "Strict-Transport-Security", "max-age=31536000");
	if (answer->status != 304) {
		add(response, "Content-Type", answer->content_type);
		add(response, "Content-Encoding", answer->encoding);
	}
	add(response, "Cache-Control",
	    answer->cache_control ? answer->cache_control
		: tag             ? "no-cache"
				  : "no-store");
	if (answer->fixed)
		add(response, "Vary", "Accept-Encoding");
	else if (!request->route || request->route->auth != ROUTE_OPEN)
		add(response, "Vary", "Authorization, Accept");
	add(response, "ETag", tag);
	add(response, "Allow", answer->allow);
	add(response, "Location", answer->location);
	if (answer->status == 401)
		add(response, "WWW-Authenticate", "Bearer");
	if (answer->retry_after_s)
		add_number(response, "Retry-After", answer->retry_after_s);
}

/* The answer's body, whichever of the three it is. */
static struct MHD_Response *make(
    struct answer *answer, struct exchange *exchange, uint64_t *size)
{
	*size = 0;
	if (answer->stream) {
		struct stream *stream = answer->stream;
		answer->stream = NULL;
		return stream_respond(stream, exchange);
	}
	if (answer->fixed) {
		*size = answer->fixed_len;
		return MHD_create_response_from_buffer(answer->fixed_len,
		    (void *)(uintptr_t)answer->fixed, MHD_RESPMEM_PERSISTENT);
	}
	void *data = answer->body.data;
	*size = answer->body.len;
	memset(&answer->body, 0, sizeof(answer->body));
	return MHD_create_response_from_buffer(
	    *size, data, MHD_RESPMEM_MUST_FREE);
}

struct MHD_Response *respond(
    struct request *request, struct exchange *exchange, uint64_t *size)
{
	struct answer *answer = &request->answer;
	char computed[40];
	const char *tag = answer->etag;
	if (!tag && !answer->stream && is_get(request) &&
	    answer->status == 200 && answer->body.len > 0) {
		tag_body(computed, &answer->body);
		tag = computed;
	}
	if (tag && is_get(request) && client_has(request, tag)) {
		answer->status = 304;
		answer->fixed = NULL;
		buf_fini(&answer->body);
	}
	struct MHD_Response *response = make(answer, exchange, size);
	if (!response)
		BUG("no memory for a response");
	add_headers(response, request, tag);
	return response;
}
