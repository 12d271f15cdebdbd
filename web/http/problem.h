/* SPDX-License-Identifier: ISC */
/*
 * Errors as RFC 9457 problem details.  Every error that the API can give has
 * a row here with a stable code; openapi.json lists the same codes.
 */
#pragma once

#include <jansson.h>

#include "web/http/request.h"

enum problem {
	PROBLEM_BAD_REQUEST,
	PROBLEM_BAD_PARAMETER,
	PROBLEM_MALFORMED,
	PROBLEM_IMPLAUSIBLE,
	PROBLEM_UNAUTHORIZED,
	PROBLEM_UNKNOWN_AGENT,
	PROBLEM_SIGNATURE,
	PROBLEM_CLOCK,
	PROBLEM_FORBIDDEN,
	PROBLEM_TOKEN,
	PROBLEM_CROSS_ORIGIN,
	PROBLEM_NOT_FOUND,
	PROBLEM_METHOD,
	PROBLEM_TAKEN,
	PROBLEM_GAP,
	PROBLEM_FORKED,
	PROBLEM_TOO_BIG,
	PROBLEM_BOMB,
	PROBLEM_MEDIA_TYPE,
	PROBLEM_MISDIRECTED,
	PROBLEM_TOO_MANY,
	PROBLEM_INTERNAL,
	PROBLEM_BUSY,
	PROBLEM_STORAGE,
	PROBLEMS
};

const char *problem_code(enum problem problem);
unsigned problem_status(enum problem problem);

/* Makes the answer this problem; detail is one human line. */
void problem_answer(struct request *request, enum problem problem,
    const char *detail, ...) __attribute__((format(printf, 3, 4)));
/* The same with members of our own beside the standard ones; takes extra. */
void problem_answer_with(struct request *request, enum problem problem,
    const char *detail, json_t *extra);
