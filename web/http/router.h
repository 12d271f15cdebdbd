/* SPDX-License-Identifier: ISC */
/*
 * One table says what the API is: method, path, who may, what it costs, what
 * it takes.  openapi.json is tested against it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "collector/query/query.h"
#include "web/http/request.h"

enum route_auth {
	ROUTE_OPEN, /* everybody; the handler knows better if need be */
	ROUTE_READ, /* loopback, a token, or open-reads */
	ROUTE_WRITE /* a token */
};
enum route_body { ROUTE_NO_BODY, ROUTE_JSON, ROUTE_BATCH };
enum route_where {
	ROUTE_INLINE, /* never blocks */
	ROUTE_READS,  /* in a thread for questions */
	ROUTE_WRITES  /* in a thread for what changes something */
};

typedef void route_handler(struct request *request);

struct route {
	const char *method; /* GET answers HEAD too */
	const char *path;   /* "/api/v1/agents/{id}" */
	route_handler *handler;
	query_fn *query; /* when handler is route_query */
	enum route_auth auth;
	enum route_where where;
	enum route_body body;
	uint8_t cost;              /* tokens of the client's bucket */
	const char *const *params; /* ends with NULL; NULL: none */
};

/* The whole table, the collector's queries among it. */
size_t routes_count(void);
const struct route *routes_at(size_t index);

/* The handler of every route that is one of the collector's queries. */
void route_query(struct request *request);

/* Finds the route of method and path (path_len bytes of target) and puts the
 * path's variable parts into params.  ERR_NOT_FOUND: no such path;
 * ERR_UNSUPPORTED: not with this method, and *allow (owned by the caller)
 * says which; ERR_MALFORMED: a segment is not well encoded. */
int router_find(const struct route **route, const struct request *request,
    struct params *params, char **allow);
