/* SPDX-License-Identifier: ISC */
/*
 * A body that many requests get: compressed once (gzip, RFC 1952), tagged
 * once, shared by those who send it.  Only the compressed bytes are kept; a
 * client without gzip gets them unpacked for itself.
 */
#pragma once

#include "lib/base/buf.h"
#include "web/http/request.h"

struct packed_body;

/* Empties text.  content_type is static.  The caller has one reference. */
struct packed_body *packed_body_new(struct buf *text, const char *content_type);
struct packed_body *packed_body_ref(struct packed_body *body);
void packed_body_unref(struct packed_body *body); /* NULL is fine */

size_t packed_body_size(const struct packed_body *body); /* memory, bytes */

/* Answers 200 with it, or 304 when the client has it. */
void packed_body_answer(struct packed_body *body, struct request *request);

/* For response.c. */
const void *packed_body_data(const struct packed_body *body, size_t *len);
