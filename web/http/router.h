/* SPDX-License-Identifier: ISC */
/* Routes: method, path, who may, what it costs, what it takes. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "web/http/request.h"

enum route_body { ROUTE_NO_BODY, ROUTE_JSON, ROUTE_BATCH };
enum route_where {
	ROUTE_INLINE, /* never blocks */
	ROUTE_READS,  /* in a thread for queries */
	ROUTE_WRITES  /* in a thread for what changes something */
};

typedef void route_handler(struct request *request);

struct route {
	const char *method; /* GET answers HEAD too */
	const char *path;   /* "/api/v1/agents/{id}" */
	route_handler *handler;
	enum scope scope;
	enum route_where where;
	enum route_body body;
	uint8_t cost;                      /* tokens of the client's bucket */
	const struct param *const *params; /* ends with NULL; NULL: none */
};

/* Finds the application's route of method and path (path_len bytes of target)
 * and puts the path's variable parts into params.  ERR_NOT_FOUND: no such
 * path; ERR_UNSUPPORTED: not with this method, and *allow (owned by the
 * caller) says which; ERR_MALFORMED: a segment is not well encoded. */
int router_find(const struct route **route, const struct request *request,
    struct request_params *params, char **allow);
