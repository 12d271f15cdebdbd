/* SPDX-License-Identifier: ISC */
/* Small values as JSON, and back. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/addr.h"
#include "lib/base/err.h"
#include "lib/base/hex.h"

json_t *json_hex(const void *bytes, size_t len);
/* RFC 3339; 0 is null. */
json_t *json_time(int64_t ns);
/* The address as text; none is null. */
json_t *json_addr(const struct addr *addr);
/* NULL and "" are null; bytes that are not UTF-8 become '?'. */
json_t *json_text(const char *text);
/* A list of what stands between commas; NULL: an empty one. */
json_t *json_words(const char *words);
/* Negative is null. */
json_t *json_count(int64_t n);

/* "a-z A-Z 0-9 . _ -", 1 to most characters: agents, tags, scripts. */
bool name_is_plain(const char *name, size_t most);

/* Refuses members that are not in the NULL-terminated list; body must be an
 * object.  ERR_USAGE names the member. */
int json_only(const json_t *body, const char *const *known, struct errmsg *msg);
/* A list of plain names, at most `most`; absent gives an empty list.  A new
 * reference. */
int json_names(json_t **names, const json_t *body, const char *member,
    size_t most, struct errmsg *msg);
