/* SPDX-License-Identifier: ISC */
/* Answers: filled by handlers, and as the server library's response with the
 * headers that every answer carries. */
#pragma once

#include <microhttpd.h>

#include "web/http/request.h"

struct exchange;
struct stream_host;

void response_fini(struct response *response);
/* Takes the reference. */
void response_json(struct response *response, unsigned status, json_t *body);

/* Takes what the answer owns; a GET whose ETag the client has becomes 304.
 * *size: bytes of the body, 0 for a stream.  NULL: no memory. */
struct MHD_Response *respond(struct request *request,
    const struct stream_host *host, struct exchange *exchange, uint64_t *size);
