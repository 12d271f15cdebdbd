/* SPDX-License-Identifier: ISC */
/*
 * One request and its answer over libmicrohttpd: header, checks, body,
 * handler, answer.  The callbacks here are what the server library calls.
 */
#pragma once

#include <microhttpd.h>

#include "web/http/http-private.h"

struct exchange;

void *exchange_start(
    void *listener, const char *uri, struct MHD_Connection *connection);
enum MHD_Result exchange_step(void *listener, struct MHD_Connection *connection,
    const char *url, const char *method, const char *version, const char *body,
    size_t *body_len, void **exchange);
void exchange_end(void *listener, struct MHD_Connection *connection,
    void **exchange, enum MHD_RequestTerminationCode why);

/* Its connection is closed.  The library forgets to end a request whose first
 * line has more parameters than it can hold. */
void exchange_abandon(struct exchange *exchange); /* may be NULL */
