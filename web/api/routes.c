/* SPDX-License-Identifier: ISC */
/* The API in one table.  The collector's queries follow the rows here, from
 * the collector's own table. */

#include "web/api/routes.h"

#include <pthread.h>

#include "lib/base/xalloc.h"
#include "web/api/answers.h"
#include "web/api/handlers.h"
#include "web/http/assets.h"
#include "web/http/static.h"

extern const struct asset assets_openapi[]; /* web/embed.sh writes it */

static const char *const after[] = { "after", NULL };
static const char *const last[] = { "last", NULL };

static void handle_openapi(struct request *request)
{
	static_asset(request, &assets_openapi[0]);
	request_done(request);
}

static void handle_query(struct request *request)
{
	const struct api_route *route =
	    (const struct api_route *)request->route;
	answer_query(request, route->query);
}

static const struct route own_routes[] = {
	/* Not among the reads: heavy questions must not make us look dead. */
	{ "GET", "/healthz", handle_health, .scope = SCOPE_OPEN,
	    .where = ROUTE_WRITES, .cost = 1 },
	{ "GET", "/metrics", handle_metrics, .scope = SCOPE_READ,
	    .where = ROUTE_WRITES, .cost = 2 },
	{ "GET", "/api/openapi.json", handle_openapi, .scope = SCOPE_OPEN,
	    .where = ROUTE_INLINE, .cost = 1 },
	{ "GET", "/api/v1/events", handle_events, .scope = SCOPE_READ,
	    .where = ROUTE_READS, .cost = 4, .params = last },
	{ "POST", "/api/v1/tokens", handle_tokens, .scope = SCOPE_WRITE,
	    .where = ROUTE_WRITES, .body = ROUTE_JSON, .cost = 4 },
	{ "POST", "/api/v1/campaigns", handle_campaign_create,
	    .scope = SCOPE_WRITE, .where = ROUTE_WRITES, .body = ROUTE_JSON,
	    .cost = 4 },
	{ "DELETE", "/api/v1/campaigns/{id}", handle_campaign_stop,
	    .scope = SCOPE_WRITE, .where = ROUTE_WRITES, .cost = 4 },
	/* Agents sign what they send; their handlers check it. */
	{ "POST", "/api/v1/enrol", handle_enrol, .scope = SCOPE_OPEN,
	    .where = ROUTE_WRITES, .body = ROUTE_JSON, .cost = 8 },
	{ "POST", "/api/v1/ingest", handle_ingest, .scope = SCOPE_OPEN,
	    .where = ROUTE_WRITES, .body = ROUTE_BATCH, .cost = 0 },
	{ "GET", "/api/v1/work", handle_work, .scope = SCOPE_OPEN,
	    .where = ROUTE_WRITES, .cost = 1, .params = after },
};
enum { OWN = sizeof(own_routes) / sizeof(*own_routes), TABLE_MAX = 64 };

static struct api_route table[TABLE_MAX];
static size_t table_count;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void fill_table(void)
{
	for (size_t i = 0; i < OWN; i++)
		table[table_count++].route = own_routes[i];
	for (const struct query_route *q = query_routes; q->path; q++) {
		if (table_count == TABLE_MAX)
			BUG("more than %d routes", TABLE_MAX);
		bool records = q->query == query_records;
		table[table_count++] = (struct api_route){
			.route = { .method = "GET",
			    .path = q->path,
			    .handler = records ? handle_records : handle_query,
			    .scope = SCOPE_READ,
			    .where = ROUTE_READS,
			    .cost = 2,
			    .params = q->params },
			.query = q->query,
		};
	}
}

size_t routes_count(void)
{
	pthread_once(&once, fill_table);
	return table_count;
}

const struct route *routes_at(size_t index)
{
	pthread_once(&once, fill_table);
	return &table[index].route;
}
