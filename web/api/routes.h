/* SPDX-License-Identifier: ISC */
/*
 * The API in one table: what the server checks before a handler runs, and
 * what the API document says.
 */
#pragma once

#include "collector/query/query.h"
#include "web/http/router.h"

/* Statuses of problems that do not follow from the rest of a row. */
enum api_errors {
	API_401 = 1, /* a signature does not verify */
	API_403 = 2,
	API_404 = 4,
	API_409 = 8,
};

/* A body that is not JSON, or is beside it. */
struct api_media {
	const char *type;    /* "application/x-ndjson" */
	const char *schema;  /* of the body, or of a line; NULL: text */
	const char *example; /* may be NULL */
};

struct api_route {
	struct route route;        /* first: what the server knows of it */
	query_fn *query;           /* when the route is only a query */
	query_text_fn *text_query; /* the same, of a large answer */
	const char *id, *tag, *summary;
	const char *description;            /* may be NULL */
	const struct param *segment;        /* of the path; NULL: none */
	const struct param *const *headers; /* ends with NULL; NULL: none */
	bool headers_required;
	const char *body; /* schema of the request's; NULL: none */
	bool body_optional;
	unsigned status;         /* of a good answer; 0: 200 */
	const char *answer;      /* schema; NULL: only `media` */
	bool pages;              /* the answer is a page of a list of it */
	const char *answer_help; /* NULL: "as asked for" */
	const struct api_media *media; /* ends with a NULL type; NULL: none */
	bool streams;                  /* no ETag */
	unsigned errors;               /* of enum api_errors */
};

size_t routes_count(void);
/* A struct api_route, by its first member. */
const struct route *routes_at(size_t index);
static inline const struct api_route *routes_of(const struct route *route)
{
	return (const struct api_route *)route;
}
