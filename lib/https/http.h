/* SPDX-License-Identifier: ISC */
/*
 * The agent's HTTP: a few requests at once over libcurl, waited for together
 * with other descriptors.  Plain HTTP goes to loopback only, nothing is
 * redirected, no proxy is asked, answers are bounded.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"

#define HTTP_ANSWER_MAX_BYTES (1u << 20)
#define HTTP_MAX_HEADERS 6

struct http;

struct http_config {
	const char *url;     /* "https://host[:port]", borrowed for the call */
	const char *ca_file; /* NULL: the system's */
	size_t answer_max;   /* 0: HTTP_ANSWER_MAX_BYTES */
};

int http_open(
    struct http **http, const struct http_config *config, struct errmsg *msg);
void http_close(struct http *http);

struct http_request {
	const char *method;         /* NULL: GET, or POST with a body */
	const char *path;           /* "/api/v1/work?after=3" */
	const char *const *headers; /* NULL-terminated, or NULL */
	const void *body;           /* or NULL; must live on */
	size_t body_len;
	long timeout_s;
	bool last; /* close the connection after: none follows soon */
};

/* A proxy's longer wait is cut to it: else we would look dead. */
#define HTTP_RETRY_MOST_S 3600

/* One exchange at a time per slot; the slot is made on first use. */
struct http_answer {
	long status;           /* 0: none came; see why */
	struct buf body;       /* the slot's; until its next request */
	int64_t retry_after_s; /* at most HTTP_RETRY_MOST_S; -1: not given */
	struct errmsg why;
};
#define HTTP_SLOTS 2
int http_start(struct http *http, unsigned slot,
    const struct http_request *request, struct errmsg *msg);
bool http_busy(const struct http *http, unsigned slot);
/* The answer of a slot whose request has ended since it was last asked. */
const struct http_answer *http_take(struct http *http, unsigned slot);

/* Waits for any exchange or descriptor (readable), at most timeout_ms. */
int http_wait(struct http *http, const int *fds, size_t count, int timeout_ms,
    struct errmsg *msg);

/* One request from start to end: for programs that do nothing else. */
int http_exchange(struct http *http, const struct http_request *request,
    const struct http_answer **answer, struct errmsg *msg);
