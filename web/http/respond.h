/* SPDX-License-Identifier: ISC */
/* An answer as the server library's response, with the headers that every
 * answer carries. */
#pragma once

#include <microhttpd.h>

#include "web/http/request.h"

struct exchange;

/* Takes what the answer owns; a GET whose ETag the client has becomes 304.
 * *size: bytes of the body, 0 for a stream. */
struct MHD_Response *respond(
    struct request *request, struct exchange *exchange, uint64_t *size);
