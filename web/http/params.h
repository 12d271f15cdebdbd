/* SPDX-License-Identifier: ISC */
/*
 * A request's parameters, from its query string and its path.  Strict: a name
 * that the route does not take and a name given twice are errors, because a
 * filter that is silently ignored answers another question than was asked.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/err.h"
#include "lib/option/param.h"

#define PARAMS_MAX 16
#define PARAMS_VALUE_MAX 1024 /* bytes of one value, decoded */
#define PARAMS_QUOTE_LEN 48

struct request_params {
	size_t count;
	char *names[PARAMS_MAX];  /* owned */
	char *values[PARAMS_MAX]; /* owned; UTF-8, no control characters */
};

/* text: what follows '?', or NULL.  known: ends with NULL; NULL for none.
 * Each value is one of its row, an empty one is as good as absent.  ERR_USAGE
 * says what was expected.  The caller calls params_fini. */
int params_parse(struct request_params *params,
    const struct param *const *known, const char *text, struct errmsg *msg);

/* One path segment as the value of the template's variable name. */
int params_add_segment(struct request_params *params, const char *name,
    size_t name_len, const char *segment, size_t segment_len);

const char *params_get(const struct request_params *params, const char *name);
void params_fini(struct request_params *params);

/* Text of a client, fit to be quoted in an error: printable and short. */
const char *params_quote(char to[static PARAMS_QUOTE_LEN], const char *text);

/* Decodes %XX, and '+' as a space if plus, into size bytes with the
 * terminator.  ERR_MALFORMED: a bad escape or an encoded NUL; ERR_LIMIT: it
 * does not fit. */
int percent_decode(
    char *to, size_t size, const char *text, size_t len, bool plus);

bool utf8_is_valid(const char *text, size_t len);
