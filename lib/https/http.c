/* SPDX-License-Identifier: ISC */
/*
 * libcurl's multi interface behind a few verbs.  Names are resolved here, by
 * getaddrinfo, and given to libcurl as addresses: its own resolver would
 * start a thread, which the shipper's sandbox does not have.
 */
#include <curl/curl.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/xalloc.h"
#include "lib/https/http.h"
#include "lib/https/url.h"

#define USER_AGENT "sonde/" SONDE_VERSION
#define CONNECT_TIMEOUT_S 10L
#define MAX_FDS 8

struct http_slot {
	CURL *easy;
	struct curl_slist *headers;
	struct http_answer answer;
	char error[CURL_ERROR_SIZE];
	size_t answer_max;
	bool busy, ended;
};

struct http {
	CURLM *multi;
	struct url to;
	char *url, *ca_file;
	size_t answer_max;
	struct curl_slist *resolved;
	struct http_slot slots[HTTP_SLOTS];
};

/* --- one exchange ------------------------------------------------------ */

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
	struct http_slot *s = arg;
	size_t len = size * count;
	if (s->answer.body.len + len > s->answer_max)
		return 0;
	buf_bytes(&s->answer.body, data, len);
	return len;
}

static struct http_slot *slot_get(struct http *http, unsigned slot)
{
	struct http_slot *s = &http->slots[slot];
	if (slot >= HTTP_SLOTS)
		BUG("http: slot %u", slot);
	if (s->easy)
		return s;
	s->easy = curl_easy_init();
	if (!s->easy)
		BUG("http: libcurl gives no handle");
	return s;
}

static void options_common(struct http *http, struct http_slot *s)
{
	CURL *e = s->easy;
	curl_easy_reset(e);
	curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(e, CURLOPT_PROXY, "");
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT, CONNECT_TIMEOUT_S);
	curl_easy_setopt(e, CURLOPT_BUFFERSIZE, 4096L);
	curl_easy_setopt(e, CURLOPT_UPLOAD_BUFFERSIZE, 16384L);
	curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(e, CURLOPT_USERAGENT, USER_AGENT);
	curl_easy_setopt(e, CURLOPT_ERRORBUFFER, s->error);
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(e, CURLOPT_WRITEDATA, s);
	curl_easy_setopt(e, CURLOPT_PRIVATE, s);
	if (http->resolved)
		curl_easy_setopt(e, CURLOPT_RESOLVE, http->resolved);
	/* One file of certificates, never a folder of the same ones too: in
	 * memory each costs 30 KB. */
	curl_easy_setopt(e, CURLOPT_CAPATH, NULL);
	if (http->ca_file)
		curl_easy_setopt(e, CURLOPT_CAINFO, http->ca_file);
}

/* Resolves the collector's name afresh, so that a move is followed. */
static int resolve_host(struct http *http, struct errmsg *msg)
{
	struct addr literal;
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
		.ai_flags = AI_ADDRCONFIG };
	struct addrinfo *list, *a;
	struct buf line = { 0 };
	const char *host = http->to.host;
	if (url_address(&http->to, &literal) ||
	    strcasecmp(host, "localhost") == 0)
		return 0;
	int r = getaddrinfo(host, NULL, &hints, &list);
	if (r != 0)
		return err_set(
		    msg, ERR_UNAVAILABLE, "%.80s: %s", host, gai_strerror(r));
	buf_printf(&line, "+%s:%u:", host, http->to.port);
	for (a = list; a && line.len < 1024; a = a->ai_next) {
		char text[NI_MAXHOST];
		if (getnameinfo(a->ai_addr, a->ai_addrlen, text, sizeof(text),
			NULL, 0, NI_NUMERICHOST) == 0)
			buf_printf(&line,
			    a->ai_family == AF_INET6 ? "%s[%s]" : "%s%s",
			    a == list ? "" : ",", text);
	}
	buf_u8(&line, 0);
	freeaddrinfo(list);
	curl_slist_free_all(http->resolved);
	http->resolved = curl_slist_append(NULL, (const char *)line.data);
	buf_fini(&line);
	return 0;
}

int http_start(struct http *http, unsigned slot,
    const struct http_request *request, struct errmsg *msg)
{
	struct http_slot *s = slot_get(http, slot);
	int err = http->resolved ? 0 : resolve_host(http, msg);
	if (err)
		return err;
	options_common(http, s);
	char *url = xasprintf("%s%s", http->url, request->path);
	curl_easy_setopt(s->easy, CURLOPT_URL, url);
	free(url);
	curl_slist_free_all(s->headers);
	s->headers = NULL;
	for (size_t i = 0; request->headers && request->headers[i]; i++)
		s->headers = curl_slist_append(s->headers, request->headers[i]);
	if (request->body) {
		s->headers = curl_slist_append(s->headers, "Expect:");
		curl_easy_setopt(s->easy, CURLOPT_POST, 1L);
		curl_easy_setopt(s->easy, CURLOPT_POSTFIELDSIZE_LARGE,
		    (curl_off_t)request->body_len);
		curl_easy_setopt(s->easy, CURLOPT_POSTFIELDS, request->body);
	}
	curl_easy_setopt(s->easy, CURLOPT_HTTPHEADER, s->headers);
	curl_easy_setopt(s->easy, CURLOPT_TIMEOUT, request->timeout_s);
	curl_easy_setopt(
	    s->easy, CURLOPT_FORBID_REUSE, request->last ? 1L : 0L);
	buf_clear(&s->answer.body);
	s->answer.status = 0;
	s->answer.why.text[0] = s->error[0] = '\0';
	if (request->method)
		curl_easy_setopt(
		    s->easy, CURLOPT_CUSTOMREQUEST, request->method);
	s->answer_max = http->answer_max;
	s->busy = true;
	s->ended = false;
	curl_multi_add_handle(http->multi, s->easy);
	return 0;
}

bool http_busy(const struct http *http, unsigned slot)
{
	return http->slots[slot].busy;
}

static void on_end(struct http *http, struct http_slot *s, CURLcode result)
{
	curl_off_t after = 0;
	curl_multi_remove_handle(http->multi, s->easy);
	s->busy = false;
	s->ended = true;
	s->answer.retry_after_s = -1;
	curl_easy_getinfo(s->easy, CURLINFO_RESPONSE_CODE, &s->answer.status);
	if (curl_easy_getinfo(s->easy, CURLINFO_RETRY_AFTER, &after) ==
		CURLE_OK &&
	    after > 0)
		s->answer.retry_after_s =
		    after < HTTP_RETRY_MOST_S ? after : HTTP_RETRY_MOST_S;
	if (result == CURLE_OK)
		return;
	s->answer.status = 0;
	err_set(&s->answer.why, ERR_UNAVAILABLE, "%.180s",
	    s->error[0] ? s->error : curl_easy_strerror(result));
	/* The name may have moved. */
	curl_slist_free_all(http->resolved);
	http->resolved = NULL;
}

static void collect_answer(struct http *http)
{
	CURLMsg *m;
	int left;
	while ((m = curl_multi_info_read(http->multi, &left)) != NULL) {
		struct http_slot *s = NULL;
		if (m->msg != CURLMSG_DONE)
			continue;
		CURLcode result = m->data.result;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &s);
		on_end(http, s, result);
	}
}

const struct http_answer *http_take(struct http *http, unsigned slot)
{
	struct http_slot *s = &http->slots[slot];
	if (!s->ended)
		return NULL;
	s->ended = false;
	return &s->answer;
}

int http_wait(struct http *http, const int *fds, size_t count, int timeout_ms,
    struct errmsg *msg)
{
	struct curl_waitfd extra[MAX_FDS];
	int running;
	for (size_t i = 0; i < count && i < MAX_FDS; i++)
		extra[i] = (struct curl_waitfd){ fds[i], CURL_WAIT_POLLIN, 0 };
	CURLMcode r = curl_multi_perform(http->multi, &running);
	collect_answer(http);
	for (unsigned i = 0; i < HTTP_SLOTS; i++)
		if (http->slots[i].ended)
			return 0;
	if (r == CURLM_OK)
		r = curl_multi_poll(http->multi, extra,
		    (unsigned)(count < MAX_FDS ? count : MAX_FDS), timeout_ms,
		    NULL);
	if (r == CURLM_OK)
		r = curl_multi_perform(http->multi, &running);
	collect_answer(http);
	return r == CURLM_OK
	    ? 0
	    : err_set(msg, ERR_UNAVAILABLE, "http: %s", curl_multi_strerror(r));
}

int http_exchange(struct http *http, const struct http_request *request,
    const struct http_answer **answer, struct errmsg *msg)
{
	int err = http_start(http, 0, request, msg);
	*answer = NULL;
	while (!err && !(*answer = http_take(http, 0)))
		err = http_wait(http, NULL, 0, 1000, msg);
	if (!err && (*answer)->status == 0)
		err = err_set(msg, ERR_UNAVAILABLE, "%s%s: %s", http->url,
		    request->path, (*answer)->why.text);
	return err;
}

int http_open(
    struct http **http, const struct http_config *config, struct errmsg *msg)
{
	int err = url_check(config->url, msg);
	if (err)
		return err;
	if (curl_global_init(CURL_GLOBAL_SSL) != CURLE_OK)
		return err_set(msg, ERR_UNSUPPORTED, "libcurl does not start");
	struct http *h = xcalloc(1, sizeof(*h));
	url_split(&h->to, config->url);
	h->url = xstrdup(config->url);
	for (size_t n = strlen(h->url); n && h->url[n - 1] == '/'; n--)
		h->url[n - 1] = '\0';
	h->ca_file = config->ca_file ? xstrdup(config->ca_file) : NULL;
	h->answer_max =
	    config->answer_max ? config->answer_max : HTTP_ANSWER_MAX_BYTES;
	h->multi = curl_multi_init();
	if (!h->multi)
		BUG("http: libcurl gives no handle");
	curl_multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, 2L);
	*http = h;
	return 0;
}

void http_close(struct http *http)
{
	if (!http)
		return;
	for (unsigned i = 0; i < HTTP_SLOTS; i++) {
		struct http_slot *s = &http->slots[i];
		if (s->busy)
			curl_multi_remove_handle(http->multi, s->easy);
		curl_easy_cleanup(s->easy);
		curl_slist_free_all(s->headers);
		buf_fini(&s->answer.body);
	}
	curl_multi_cleanup(http->multi);
	curl_slist_free_all(http->resolved);
	free(http->url);
	free(http->ca_file);
	free(http);
}
