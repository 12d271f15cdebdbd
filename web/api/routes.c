/* SPDX-License-Identifier: ISC */
/* One row a route.  The document's operations are in this order. */

#include "web/api/routes.h"

#include "collector/query/query-params.h"
#include "web/api/answers.h"
#include "web/api/download.h"
#include "web/api/handlers.h"

#define PARAMS(...)                   \
	(const struct param *const[]) \
	{                             \
		__VA_ARGS__, NULL     \
	}

static void handle_query(struct request *request)
{
	answer_query(request, routes_of(request->route)->query);
}

static void handle_text_query(struct request *request)
{
	answer_text_query(request, routes_of(request->route)->text_query);
}

static const struct param agent_id = { "id", PARAM_ID,
	.help = "the agent's id" };
static const struct param campaign_id = { "id", PARAM_ID,
	.help = "the campaign's id" };
static const struct param link_id = { "id", PARAM_TEXT,
	.help = "the link's id, percent-encoded" };
static const struct param payload_hash = { "hash", PARAM_ID,
	.help = "as sightings name it" };

static const struct param last_event_id = { "Last-Event-ID", PARAM_INTEGER,
	.help = "the id of the last event that the client had; stronger than "
		"`last`",
	.max = INT64_MAX };
static const struct param sonde_agent = { "Sonde-Agent", PARAM_ID,
	.help = "its id" };
static const struct param sonde_time = { "Sonde-Time", PARAM_INTEGER,
	.help = "Unix time in nanoseconds, within 300 s of the collector's "
		"clock",
	.max = INT64_MAX };
static const struct param sonde_signature = { "Sonde-Signature", PARAM_HEX,
	.max = 128,
	.help = "Ed25519 over \"sonde-work\", NUL, the id's 16 "
		"bytes, NUL, the time's text, NUL, path and query as sent" };

static const struct api_media metrics_media[] = {
	{ "text/plain", NULL,
	    "# HELP sonde_commits_total Transactions committed.\n"
	    "# TYPE sonde_commits_total counter\n"
	    "sonde_commits_total 812\n" },
	{ "application/openmetrics-text", NULL, NULL },
	{ 0 },
};
static const struct api_media event_media[] = {
	{ "text/event-stream", NULL,
	    "id: 41\nevent: alarm\n"
	    "data: {\"at\":\"2026-11-22T01:59:05Z\",\"type\":\"alarm\","
	    "\"text\":\"slammer rises: 212 sources, expected 18\"}\n\n" },
	{ 0 },
};
static const struct api_media record_media[] = {
	{ "application/x-ndjson", "StoredRecord", NULL },
	{ "application/jsonl", NULL, NULL },
	{ "text/csv", NULL, NULL },
	{ "text/plain", NULL, NULL },
	{ "application/octet-stream", NULL, NULL },
	{ 0 },
};

static const struct api_media row_media[] = {
	{ "text/csv", NULL,
	    "agent,campaign,run,table,wall_ns,dst,loss\r\n"
	    "0f1e2d3c4b5a69788796a5b4c3d2e1f0,,0,summary,"
	    "1795312745000000000,192.0.2.1,0.25\r\n" },
	{ 0 },
};

/* clang-format off */
#define ROUTE(its_method, its_path, its_handler)            \
	.route.method = (its_method), .route.path = (its_path), \
	.route.handler = (its_handler)
#define READS(its_cost)                                        \
	.route.scope = SCOPE_READ, .route.where = ROUTE_READS, \
	.route.cost = (its_cost)
#define WRITES(its_scope, its_cost)                            \
	.route.scope = (its_scope), .route.where = ROUTE_WRITES, \
	.route.cost = (its_cost)
#define QUERY(its_path, its_query) \
	ROUTE("GET", its_path, handle_query), READS(2), .query = (its_query)
#define TEXT_QUERY(its_path, its_query)               \
	ROUTE("GET", its_path, handle_text_query), READS(2), \
	.text_query = (its_query)

static const struct api_route table[] = {
	{ QUERY("/api/v1/overview", query_overview), .id = "getOverview",
	    .tag = "see", .summary = "what happens now", .answer = "Overview" },
	{ ROUTE("GET", "/api/v1/events", handle_events), READS(4),
	    .id = "getEvents", .tag = "see",
	    .summary = "what happens, as it happens",
	    .description =
		"Server-sent events. Each event's data is an Event, "
		"its id grows. A client that sends Last-Event-ID gets all it "
		"missed; an event `gone` reports when some are no longer kept. A "
		"comment comes every 15 s; a client that does not read is cut.",
	    .route.params = PARAMS(&events_param_last),
	    .headers = PARAMS(&last_event_id), .media = event_media,
	    .streams = true },
	{ ROUTE("GET", "/api/v1/topology", handle_topology), READS(2), .id = "getTopology",
	    .tag = "map", .summary = "the map of a time range",
	    .description =
		"The range is widened to whole minutes. Made again when traces "
		"have come in, and at most a tenth of the time. Of more nodes, "
		"links or memory than a map may have, the paths with most "
		"traces are on it (of equals the one that was known first); "
		"`paths_left_out` counts the others.",
	    .answer = "Topology",
	    .route.params = PARAMS(
		&query_param_from, &query_param_to, &query_param_agent) },
	{ QUERY("/api/v1/links/{id}/series", query_link_series),
	    .id = "getLinkSeries", .tag = "map", .summary = "a link over time",
	    .answer = "LinkSeries", .segment = &link_id,
	    .route.params =
		PARAMS(&query_param_from, &query_param_to, &query_param_bin) },
	{ TEXT_QUERY("/api/v1/series", query_series), .id = "getSeries",
	    .tag = "outbreaks", .answer = "Series",
	    .summary = "sources and packets per bin, with baseline and alarms",
	    .description =
		"At most 200 series and 40000 points, of the classes with most "
		"packets ever; `classes_left_out` counts the others.",
	    .route.params = PARAMS(&query_param_signature, &query_param_verdict,
		&query_param_agent, &query_param_bin, &query_param_from,
		&query_param_to) },
	{ QUERY("/api/v1/alarms", query_alarms), .id = "listAlarms",
	    .tag = "outbreaks", .summary = "rises and falls, newest first",
	    .answer = "Alarm", .pages = true,
	    .route.params = PARAMS(&query_param_from_day, &query_param_to,
		&query_param_signature, &query_param_agent, &query_param_limit,
		&query_param_cursor) },
	{ QUERY("/api/v1/signatures", query_signatures), .id = "listSignatures",
	    .tag = "outbreaks",
	    .summary = "everything that the sensors ever saw, by signature",
	    .answer = "Signature", .pages = true,
	    .route.params = PARAMS(&query_param_limit, &query_param_cursor) },
	{ QUERY("/api/v1/sightings", query_sightings), .id = "listSightings",
	    .tag = "outbreaks",
	    .summary = "sources and what they did, over the range; most packets first",
	    .answer = "Sighting", .pages = true,
	    .route.params = PARAMS(&query_param_signature, &query_param_verdict,
		&query_param_src, &query_param_agent, &query_param_from,
		&query_param_to, &query_param_limit,
		&query_param_source_cursor) },
	{ QUERY("/api/v1/evidence", query_evidence), .id = "listEvidence",
	    .tag = "outbreaks",
	    .summary = "the first packet of each source and rule, the newest first",
	    .answer = "Evidence", .pages = true,
	    .route.params = PARAMS(&query_param_src, &query_param_agent,
		&query_param_from, &query_param_to, &query_param_limit,
		&query_param_cursor) },
	{ QUERY("/api/v1/payloads/{hash}", query_payload), .id = "getPayload",
	    .tag = "outbreaks", .summary = "the octets behind a hash",
	    .answer = "Payload", .segment = &payload_hash },
	{ QUERY("/api/v1/agents", query_agents), .id = "listAgents",
	    .tag = "agents", .summary = "all agents", .answer = "Agent",
	    .pages = true,
	    .route.params = PARAMS(&query_param_limit, &query_param_cursor) },
	{ QUERY("/api/v1/gaps", query_gaps), .id = "listGaps",
	    .tag = "agents",
	    .summary = "records that agents declared lost, the newest first",
	    .answer = "DeclaredGap", .pages = true,
	    .route.params =
		PARAMS(&query_param_from_day, &query_param_to,
		    &query_param_agent, &query_param_limit,
		    &query_param_cursor) },
	{ QUERY("/api/v1/agents/{id}", query_agent), .id = "getAgent",
	    .tag = "agents", .summary = "one agent", .answer = "Agent",
	    .segment = &agent_id },
	{ ROUTE("POST", "/api/v1/tokens", handle_tokens),
	    WRITES(SCOPE_WRITE, 4), .route.body = ROUTE_JSON,
	    .id = "createToken", .tag = "agents",
	    .summary = "a one-time token for an agent to enrol with",
	    .body = "TokenNew", .body_optional = true, .status = 201,
	    .answer = "Token", .answer_help = "made; shown only now" },
	{ QUERY("/api/v1/campaigns", query_campaigns), .id = "listCampaigns",
	    .tag = "campaigns", .summary = "all campaigns, newest first",
	    .answer = "Campaign", .pages = true,
	    .route.params = PARAMS(&query_param_limit, &query_param_cursor) },
	{ ROUTE("POST", "/api/v1/campaigns", handle_campaign_create),
	    WRITES(SCOPE_WRITE, 4), .route.body = ROUTE_JSON,
	    .id = "createCampaign", .tag = "campaigns",
	    .summary = "hand out work", .body = "CampaignNew", .status = 201,
	    .answer = "Campaign", .answer_help = "handed out" },
	{ QUERY("/api/v1/campaigns/{id}", query_campaign), .id = "getCampaign",
	    .tag = "campaigns", .summary = "one campaign", .answer = "Campaign",
	    .segment = &campaign_id },
	{ ROUTE("DELETE", "/api/v1/campaigns/{id}", handle_campaign_stop),
	    WRITES(SCOPE_WRITE, 4), .id = "stopCampaign", .tag = "campaigns",
	    .summary = "stop it; its results stay", .segment = &campaign_id,
	    .answer = "Campaign", .answer_help = "stopped, now or before" },
	{ QUERY("/api/v1/runs", query_runs), .id = "listRuns",
	    .tag = "campaigns",
	    .summary = "runs of campaigns by agents, newest first",
	    .answer = "Run", .pages = true,
	    .route.params = PARAMS(&query_param_campaign, &query_param_agent,
		&query_param_limit, &query_param_cursor) },
	{ ROUTE("GET", "/api/v1/records", handle_records), READS(2),
	    .id = "listRecords", .tag = "records", .summary = "raw records",
	    .description =
		"With `Accept: application/x-ndjson` all of them as "
		"lines, without pages; with `limit` too, one page of lines. "
		"A page ends after 512 KiB of records, packed, too. "
		"With `format` a file of it, of all records of the range or, "
		"with `limit`, of so many; its trailer fields are "
		"Sonde-Skipped, the number of records that have no form in "
		"this format, and Sonde-Next, the cursor where `limit` ended "
		"it.",
	    .answer = "StoredRecord", .pages = true, .media = record_media,
	    .route.params = PARAMS(&query_param_kind, &query_param_agent,
		&query_param_campaign, &query_param_run, &query_param_src,
		&query_param_dst, &query_param_from, &query_param_to,
		&query_param_limit, &query_param_cursor,
		&download_param_format) },

	{ QUERY("/api/v1/results", query_results), .id = "listResultSchemas",
	    .tag = "records",
	    .summary = "the tables that scripts record, newest first",
	    .description =
		"A script that changes its tables has a schema more; "
		"each is named by a hash of its content.",
	    .answer = "ResultSchema", .pages = true,
	    .route.params = PARAMS(&query_param_limit, &query_param_cursor) },
	{ ROUTE("GET", "/api/v1/results/rows", handle_result_rows), READS(2),
	    .id = "listResultRows", .tag = "records",
	    .summary = "rows of one table, newest first",
	    .description =
		"The columns are those of the newest schema of the "
		"script; rows of older ones have null where they have no such "
		"column. A page may have few items, or none, and a `next`: "
		"then so many records were looked at.",
	    .answer = "ResultRows", .media = row_media, .errors = API_404,
	    .route.params = PARAMS(&query_param_script, &query_param_table,
		&query_param_key, &query_param_agent, &query_param_campaign,
		&query_param_run, &query_param_from_day, &query_param_to,
		&query_param_row_format, &query_param_limit,
		&query_param_cursor) },

	/* Agents sign what they send; their handlers check it. */
	{ ROUTE("POST", "/api/v1/enrol", handle_enrol), WRITES(SCOPE_OPEN, 8),
	    .route.body = ROUTE_JSON, .id = "enrol", .tag = "for agents",
	    .summary = "become an agent",
	    .description = "The same key with the token that enrolled it gets "
			   "its first answer again.",
	    .body = "EnrolRequest", .status = 201, .answer = "Enrolled",
	    .answer_help = "enrolled", .errors = API_401 | API_403 | API_409 },
	{ ROUTE("POST", "/api/v1/ingest", handle_ingest), WRITES(SCOPE_OPEN, 0),
	    .route.body = ROUTE_BATCH, .id = "ingest", .tag = "for agents",
	    .summary = "hand in a batch",
	    .description =
		"Answered after the commit. A batch that is refused "
		"changes nothing. The batch carries the agent's signature.",
	    .body =
		"lib/record/batch.h: at most 1 MiB packed, 8 MiB raw, 65536 "
		"records",
	    .answer = "Stored",
	    .answer_help = "committed, now (stored) or before (duplicate)",
	    .errors = API_401 | API_403 | API_409 },
	{ ROUTE("GET", "/api/v1/work", handle_work), WRITES(SCOPE_OPEN, 1),
	    .id = "getWork", .tag = "for agents",
	    .summary = "this agent's campaigns",
	    .description =
		"Waits up to 30 s for a revision other than `after`, "
		"then answers with the whole list.",
	    .route.params = PARAMS(&work_param_after),
	    .headers = PARAMS(&sonde_agent, &sonde_time, &sonde_signature),
	    .headers_required = true, .answer = "Work",
	    .answer_help = "the whole list", .errors = API_401 },

	/* Not among the reads: heavy queries must not make us look dead. */
	{ ROUTE("GET", "/healthz", handle_health), WRITES(SCOPE_OPEN, 1),
	    .id = "getHealth", .tag = "self",
	    .summary = "whether the collector is healthy", .answer = "Health",
	    .answer_help = "every check passes" },
	{ ROUTE("GET", "/metrics", handle_metrics), WRITES(SCOPE_READ, 2),
	    .id = "getMetrics", .tag = "self",
	    .summary = "numbers about the collector",
	    .description = "OpenMetrics 1.0 to those whose Accept header names "
			   "it, else Prometheus' text format 0.0.4.",
	    .media = metrics_media },
	{ ROUTE("GET", "/api/openapi.json", handle_openapi),
	    .route.scope = SCOPE_OPEN, .route.where = ROUTE_READS,
	    .route.cost = 1, .id = "getOpenapi", .tag = "self",
	    .summary = "this document", .answer = "Document" },
};
/* clang-format on */

size_t routes_count(void)
{
	return sizeof(table) / sizeof(*table);
}

const struct route *routes_at(size_t index)
{
	return &table[index].route;
}
