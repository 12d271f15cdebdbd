/* SPDX-License-Identifier: ISC */
/* The API as its own files know it; nothing else includes this. */
#pragma once

#include "collector/collector.h"
#include "collector/core/principal.h"
#include "web/http/request.h"

struct api {
	struct collector *collector;
	struct event_stream *events;
	struct packed_body *openapi; /* the API document */
	struct body_cache *maps;
	struct long_polls *polls; /* agents that wait for work */
	struct application app;
};

static inline struct api *request_api(const struct request *request)
{
	return request->app->ctx;
}
