/* SPDX-License-Identifier: ISC */
/*
 * Parameters of questions that come as text: a query string, a console.  One
 * row says what a value may be; the parser, its error and the API's document
 * are three readings of it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/addr.h"
#include "lib/base/err.h"

enum param_type {
	PARAM_TEXT,
	PARAM_INTEGER, /* min to max */
	PARAM_TIME,    /* RFC 3339, "now", or a distance back as "-1h" */
	PARAM_ADDRESS, /* IPv4 or IPv6, numeric */
	PARAM_ID,      /* 16 bytes as 32 hex digits */
	PARAM_HEX,     /* max hex digits */
	PARAM_WORD,    /* one of words */
	PARAM_WORDS,   /* some of words, separated by commas */
	PARAM_CURSOR   /* two numbers that a page of answers gave */
};

struct param {
	const char *name;
	enum param_type type;
	const char *help;
	int64_t min, max;         /* PARAM_INTEGER, PARAM_HEX */
	const char *const *words; /* PARAM_WORD, PARAM_WORDS; ends with NULL */
	const char *fallback;     /* what absence means, as text; may be NULL */
	const char *example;      /* may be NULL */
};

/* Each reads one type.  ERR_USAGE: "parameter 'limit': expected a whole number
 * from 1 to 1000, got 'x'". */
int param_integer(const struct param *param, const char *text, int64_t *value,
    struct errmsg *msg);
/* Nanoseconds of UTC, at least 0; now_ns is what "now" and "-1h" mean. */
int param_time(const struct param *param, const char *text, int64_t now_ns,
    int64_t *ns, struct errmsg *msg);
int param_addr(const struct param *param, const char *text, struct addr *addr,
    struct errmsg *msg);
int param_id(const struct param *param, const char *text, uint8_t id[16],
    struct errmsg *msg);
/* Bit i of *set: words[i] is there.  At most 64 words. */
int param_words(const struct param *param, const char *text, uint64_t *set,
    struct errmsg *msg);
/* row is at least 1. */
int param_cursor(const struct param *param, const char *text, int64_t *ns,
    int64_t *row, struct errmsg *msg);

/* Whether the text is a value of this parameter. */
int param_check(const struct param *param, const char *text, int64_t now_ns,
    struct errmsg *msg);
