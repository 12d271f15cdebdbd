/* SPDX-License-Identifier: ISC */
/* The API in one table. */
#pragma once

#include "collector/query/query.h"
#include "web/http/router.h"

struct api_route {
	struct route route; /* first: what the server knows of it */
	query_fn *query;    /* when the route is only a query */
};

size_t routes_count(void);
const struct route *routes_at(size_t index);
