/* SPDX-License-Identifier: ISC */
/* The API document (OpenAPI 3.1), made from the tables of routes, parameters,
 * schemas and problems. */
#pragma once

#include <jansson.h>

#include "web/http/application.h"

struct packed_body;

/* Of an application whose routes are struct api_route.  A new reference. */
json_t *openapi_document(const struct application *app);
/* The document's text.  A new reference. */
struct packed_body *openapi_body(const struct application *app);
