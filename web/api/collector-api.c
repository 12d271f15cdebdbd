/* SPDX-License-Identifier: ISC */
/* The API's parts, and how the server calls them. */

#include "web/api/collector-api.h"

#include <stdlib.h>

#include "collector/core/fault.h"
#include "collector/fleet/campaign.h"
#include "collector/fleet/enrol.h"
#include "lib/base/xalloc.h"
#include "web/api/api-private.h"
#include "web/api/body-cache.h"
#include "web/api/event-stream.h"
#include "web/api/long-poll.h"
#include "web/api/openapi.h"
#include "web/api/routes.h"
#include "web/http/assets.h"
#include "web/http/packed-body.h"

/* A map of 10,000 nodes takes 0.6 MB. */
enum { MAPS_MOST = 16, MAPS_MOST_BYTES = 16 << 20 };

extern const struct asset assets_ui[]; /* web/embed.sh writes it */

/* One token, and readers without one: three principals. */
static struct caller identify_caller(
    void *ctx, const struct request *request, bool is_reader)
{
	static const struct principal admin = { .account = "administrator",
		.roles = ROLE_READ | ROLE_OPERATE | ROLE_ADMIN },
				      reader = { .account = "reader",
					      .roles = ROLE_READ },
				      stranger = { .account = "stranger" };
	const struct api *api = ctx;
	const char *token = request_bearer(request);
	if (token && admin_token_matches(api->collector, token))
		return (struct caller){ &admin, SCOPE_WRITE };
	if (is_reader)
		return (struct caller){ &reader, SCOPE_READ };
	return (struct caller){ &stranger, SCOPE_OPEN };
}

static bool has_fault(void *ctx, struct errmsg *why)
{
	const struct api *api = ctx;
	return collector_fault(api->collector, why);
}

static void tick(void *ctx, struct monotime now)
{
	const struct api *api = ctx;
	long_polls_tick(api->polls, now);
}

static void work_changed(void *ctx, uint64_t revision)
{
	const struct api *api = ctx;
	long_polls_revision(api->polls, revision);
}

static void event_added(void *ctx, uint64_t last_id)
{
	const struct api *api = ctx;
	(void)last_id;
	event_stream_notify(api->events);
}

int api_open(
    struct api **result, struct collector *collector, struct errmsg *msg)
{
	struct api *api = xcalloc(1, sizeof(*api));
	api->collector = collector;
	int err = event_stream_open(&api->events, collector, msg);
	if (err < 0) {
		free(api);
		return err;
	}
	api->polls = long_polls_new(collector);
	api->app = (struct application){
		.ctx = api,
		.route_count = routes_count(),
		.route_at = routes_at,
		.pages = assets_ui,
		.identify = identify_caller,
		.fault = has_fault,
		.tick = tick,
	};
	api->maps = body_cache_new(MAPS_MOST, MAPS_MOST_BYTES);
	api->openapi = openapi_body(&api->app);
	const struct collector_listener listener = { work_changed, event_added,
		api };
	collector_listen(collector, &listener);
	/* What changed between asking and listening. */
	long_polls_revision(api->polls, campaign_revision(collector));
	event_stream_notify(api->events);
	*result = api;
	return 0;
}

const struct application *api_application(const struct api *api)
{
	return &api->app;
}

void api_stop(struct api *api)
{
	collector_listen(api->collector, NULL);
	event_stream_stop(api->events);
	long_polls_stop(api->polls);
}

void api_close(struct api *api)
{
	if (!api)
		return;
	body_cache_free(api->maps);
	packed_body_unref(api->openapi);
	long_polls_free(api->polls);
	event_stream_free(api->events);
	free(api);
}
