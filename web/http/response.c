/* SPDX-License-Identifier: ISC */
/* Bodies of answers, and what surrounds them: security headers, caching,
 * ETag. */

#include "web/http/response.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "web/http/packed-body.h"
#include "web/http/router.h"
#include "web/http/stream.h"

void response_fini(struct response *response)
{
	buf_fini(&response->body);
	packed_body_unref(response->packed);
	if (response->stream)
		stream_free(response->stream);
	free(response->allow);
	free(response->location);
	free(response->disposition);
	memset(response, 0, sizeof(*response));
}

static int append_text(const char *text, size_t len, void *to)
{
	buf_bytes(to, text, len);
	return 0;
}

void response_json(struct response *response, unsigned status, json_t *body)
{
	buf_clear(&response->body);
	if (json_dump_callback(body, append_text, &response->body,
		JSON_COMPACT | JSON_ENCODE_ANY) != 0)
		BUG("an answer that is not JSON");
	json_decref(body);
	response->status = status;
	response->content_type = "application/json";
}

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

static void add_number_header(
    struct MHD_Response *mhd, const char *name, uint32_t value)
{
	char text[16];
	snprintf(text, sizeof(text), "%u", value);
	MHD_add_response_header(mhd, name, text);
}

static void add_header(
    struct MHD_Response *mhd, const char *name, const char *value)
{
	if (value)
		MHD_add_response_header(mhd, name, value);
}

static void add_headers(
    struct MHD_Response *mhd, const struct request *request, const char *tag)
{
	const struct response *response = &request->response;
	size_t count = sizeof(headers_for_all) / sizeof(*headers_for_all);
	for (size_t i = 0; i < count; i++)
		add_header(mhd, headers_for_all[i][0], headers_for_all[i][1]);
	if (request->tls)
		add_header(
		    mhd, "Strict-Transport-Security", "max-age=31536000");
	if (response->status != 304) {
		add_header(mhd, "Content-Type", response->content_type);
		add_header(mhd, "Content-Encoding", response->encoding);
	}
	add_header(mhd, "Cache-Control",
	    response->cache_control ? response->cache_control
		: tag               ? "no-cache"
				    : "no-store");
	if (response->varies_by_encoding)
		add_header(mhd, "Vary", "Accept-Encoding");
	if (request->route && request->route->scope != SCOPE_OPEN)
		add_header(mhd, "Vary", "Authorization, Accept");
	add_header(mhd, "ETag", tag);
	add_header(mhd, "Allow", response->allow);
	add_header(mhd, "Location", response->location);
	if (response->status == 200) {
		add_header(mhd, "Content-Disposition", response->disposition);
		add_header(mhd, "Trailer", response->trailer);
	}
	if (response->status == 401)
		add_header(mhd, "WWW-Authenticate", "Bearer");
	if (response->retry_after_s)
		add_number_header(mhd, "Retry-After", response->retry_after_s);
}

static void release_packed(void *arg)
{
	packed_body_unref(arg);
}

/* The library keeps a reference for as long as it sends. */
static struct MHD_Response *share_packed(
    struct packed_body *packed, uint64_t *size)
{
	size_t len;
	const void *data = packed_body_data(packed, &len);
	struct MHD_Response *mhd =
	    MHD_create_response_from_buffer_with_free_callback_cls(len,
		(void *)(uintptr_t)data, release_packed,
		packed_body_ref(packed));
	if (!mhd)
		packed_body_unref(packed);
	*size = len;
	return mhd;
}

/* The answer's body, whichever of the four it is. */
static struct MHD_Response *make_response(struct response *response,
    const struct stream_host *host, struct exchange *exchange, uint64_t *size)
{
	*size = 0;
	if (response->stream) {
		struct stream *stream = response->stream;
		response->stream = NULL;
		return stream_respond(stream, host, exchange);
	}
	if (response->fixed) {
		*size = response->fixed_len;
		return MHD_create_response_from_buffer(response->fixed_len,
		    (void *)(uintptr_t)response->fixed, MHD_RESPMEM_PERSISTENT);
	}
	if (response->packed)
		return share_packed(response->packed, size);
	void *data = response->body.data;
	*size = response->body.len;
	memset(&response->body, 0, sizeof(response->body));
	struct MHD_Response *mhd =
	    MHD_create_response_from_buffer(*size, data, MHD_RESPMEM_MUST_FREE);
	if (!mhd)
		free(data);
	return mhd;
}

struct MHD_Response *respond(struct request *request,
    const struct stream_host *host, struct exchange *exchange, uint64_t *size)
{
	struct response *response = &request->response;
	struct packed_body *packed = NULL;
	struct stream *unsent = NULL;
	char computed[40];
	const char *tag = response->etag;
	if (!tag && !response->stream && is_get(request) &&
	    response->status == 200 && response->body.len > 0) {
		tag_body(computed, &response->body);
		tag = computed;
	}
	if (tag && is_get(request) && client_has(request, tag)) {
		response->status = 304;
		response->fixed = NULL;
		packed = response->packed; /* the tag is in it, */
		response->packed = NULL;
		unsent = response->stream; /* or in what this holds */
		response->stream = NULL;
		buf_fini(&response->body);
	}
	struct MHD_Response *mhd =
	    make_response(response, host, exchange, size);
	if (mhd)
		add_headers(mhd, request, tag);
	packed_body_unref(packed);
	stream_free(unsent);
	return mhd;
}
