/* SPDX-License-Identifier: ISC */
/* What the collector reports of itself, to machines that ask often: /healthz,
 * /metrics and the API document.  /metrics is OpenMetrics text to those who
 * accept it, Prometheus' older text (0.0.4) to all others.  They differ in the
 * family name of a counter, in units and in the end mark. */

#include <stddef.h>

#include "collector/core/stats.h"
#include "collector/ingest/ingest.h"
#include "web/api/api-private.h"
#include "web/api/body-cache.h"
#include "web/api/event-stream.h"
#include "web/api/handlers.h"
#include "web/api/long-poll.h"
#include "web/http/packed-body.h"
#include "web/http/response.h"
#include "web/http/server.h"

struct metrics_page {
	struct buf *to;
	bool open; /* OpenMetrics */
};

enum metric_type { COUNTER, GAUGE };

static void print_family(const struct metrics_page *page, const char *name,
    enum metric_type type, const char *unit, const char *help)
{
	const char *suffix = type == COUNTER && !page->open ? "_total" : "";
	buf_printf(page->to, "# HELP %s%s %s\n# TYPE %s%s %s\n", name, suffix,
	    help, name, suffix, type == COUNTER ? "counter" : "gauge");
	if (page->open && unit)
		buf_printf(page->to, "# UNIT %s %s\n", name, unit);
}

static void print_sample(const struct metrics_page *page, const char *name,
    enum metric_type type, const char *labels, double value)
{
	buf_printf(page->to, "%s%s%s %.17g\n", name,
	    type == COUNTER ? "_total" : "", labels, value);
}

/* A family of one sample that is a member of a struct of numbers. */
struct metric_row {
	const char *name;
	enum metric_type type;
	const char *unit, *help;
	size_t offset;
};

static void print_rows(const struct metrics_page *page,
    const struct metric_row *rows, size_t count, const void *numbers)
{
	for (size_t i = 0; i < count; i++) {
		const struct metric_row *row = &rows[i];
		const uint64_t *value =
		    (const void *)((const char *)numbers + row->offset);
		print_family(page, row->name, row->type, row->unit, row->help);
		print_sample(page, row->name, row->type, "", (double)*value);
	}
}

#define COLLECTOR(member) offsetof(struct collector_metrics, member)
static const struct metric_row collector_rows[] = {
	{ "sonde_batch_bytes", COUNTER, "bytes", "Bodies of batches received.",
	    COLLECTOR(batch_bytes) },
	{ "sonde_records_stored", COUNTER, NULL, "Records committed.",
	    COLLECTOR(records_stored) },
	{ "sonde_records_lost", COUNTER, NULL,
	    "Records that agents declared lost.", COLLECTOR(records_lost) },
	{ "sonde_records_expired", COUNTER, NULL,
	    "Raw records that retention deleted.", COLLECTOR(records_expired) },
	{ "sonde_rollups_bounded", COUNTER, NULL,
	    "What an agent sent above the bounds of rollups.",
	    COLLECTOR(rollups_bounded) },
	{ "sonde_commits", COUNTER, NULL, "Transactions committed.",
	    COLLECTOR(commits) },
	{ "sonde_commit_failures", COUNTER, NULL, "Transactions that failed.",
	    COLLECTOR(commit_failures) },
	{ "sonde_queries", COUNTER, NULL, "Queries of the store.",
	    COLLECTOR(queries) },
	{ "sonde_query_failures", COUNTER, NULL,
	    "Queries that the store could not answer.",
	    COLLECTOR(query_failures) },
	{ "sonde_events", COUNTER, NULL, "Events added to the event log.",
	    COLLECTOR(events) },
	{ "sonde_alarm_rounds", COUNTER, NULL,
	    "Times that the series were judged.", COLLECTOR(alarm_rounds) },
	{ "sonde_result_schemas_refused", COUNTER, NULL,
	    "Schemas of results above the bound of their agent.",
	    COLLECTOR(result_schemas_refused) },
	{ "sonde_queue_batches", GAUGE, NULL,
	    "Batches that wait for the writer.", COLLECTOR(queue_batches) },
	{ "sonde_queue_bytes", GAUGE, "bytes",
	    "Bytes that wait for the writer.", COLLECTOR(queue_bytes) },
	{ "sonde_database_bytes", GAUGE, "bytes",
	    "Size of the database on disk.", COLLECTOR(database_bytes) },
	{ "sonde_wal_bytes", GAUGE, "bytes",
	    "Size of the database's write-ahead log.", COLLECTOR(wal_bytes) },
	{ "sonde_alarm_subjects_unjudged", GAUGE, NULL,
	    "Series that were not judged, above the bound of their number.",
	    COLLECTOR(alarm_subjects_unjudged) },
	{ "sonde_alarms_open", GAUGE, NULL, "Alarms that have not ended.",
	    COLLECTOR(alarms_open) },
};
#define CLIENTS(member) offsetof(struct clients_stats, member)
static const struct metric_row clients_rows[] = {
	{ "sonde_http_connections", GAUGE, NULL, "Connections open.",
	    CLIENTS(connections) },
	{ "sonde_http_clients", GAUGE, NULL,
	    "Addresses and IPv6 /64 networks that are remembered.",
	    CLIENTS(clients) },
	{ "sonde_http_refused", COUNTER, NULL,
	    "Connections refused because their client had too many.",
	    CLIENTS(refused) },
	{ "sonde_http_limited", COUNTER, NULL,
	    "Requests refused because their client made too many.",
	    CLIENTS(limited) },
	{ "sonde_http_overdue", COUNTER, NULL, "Connections cut at a deadline.",
	    CLIENTS(overdue) },
};
#define EVENTS(member) offsetof(struct event_stream_stats, member)
static const struct metric_row event_rows[] = {
	{ "sonde_http_event_streams", GAUGE, NULL, "Event streams open.",
	    EVENTS(subscribers) },
	{ "sonde_http_event_streams_cut", COUNTER, NULL,
	    "Event streams cut because their client did not read.",
	    EVENTS(cut) },
};
#define MAPS(member) offsetof(struct body_cache_stats, member)
static const struct metric_row map_rows[] = {
	{ "sonde_http_maps", GAUGE, NULL, "Maps kept, compressed.",
	    MAPS(bodies) },
	{ "sonde_http_map_bytes", GAUGE, "bytes", "Memory of the maps kept.",
	    MAPS(bytes) },
	{ "sonde_http_maps_made", COUNTER, NULL,
	    "Maps made from the sums of paths.", MAPS(made) },
	{ "sonde_http_maps_shared", COUNTER, NULL,
	    "Maps answered from those kept.", MAPS(hits) },
};
#define COUNT(rows) (sizeof(rows) / sizeof(*(rows)))

static void print_by_label(
    const struct metrics_page *page, const struct collector_metrics *m)
{
	char labels[64];
	print_family(page, "sonde_batches", COUNTER, NULL,
	    "Batches received, by result.");
	for (int i = 0; i < INGEST_RESULTS; i++) {
		snprintf(labels, sizeof(labels), "{result=\"%s\"}",
		    ingest_result_name((enum ingest_result)i));
		print_sample(page, "sonde_batches", COUNTER, labels,
		    (double)m->batches[i]);
	}
	print_family(
	    page, "sonde_agents", GAUGE, NULL, "Agents enrolled, by state.");
	for (int i = 0; i < AGENT_STATES; i++) {
		snprintf(labels, sizeof(labels), "{state=\"%s\"}",
		    agent_state_name((enum agent_state)i));
		print_sample(
		    page, "sonde_agents", GAUGE, labels, (double)m->agents[i]);
	}
}

static void print_http(
    const struct metrics_page *page, const struct server_stats *stats)
{
	static const char *const classes[] = { "cut", "1xx", "2xx", "3xx",
		"4xx", "5xx" };
	char labels[64];
	print_family(page, "sonde_http_requests", COUNTER, NULL,
	    "Requests, by the class of their answer's status; cut: ended "
	    "before the answer did.");
	for (size_t i = 0; i < COUNT(classes); i++) {
		if (i == 1)
			continue;
		snprintf(labels, sizeof(labels), "{class=\"%s\"}", classes[i]);
		print_sample(page, "sonde_http_requests", COUNTER, labels,
		    (double)stats->answers[i]);
	}
	print_family(page, "sonde_http_received_bytes", COUNTER, "bytes",
	    "Request bodies.");
	print_sample(page, "sonde_http_received_bytes", COUNTER, "",
	    (double)stats->body_bytes_in);
	print_family(
	    page, "sonde_http_sent_bytes", COUNTER, "bytes", "Answer bodies.");
	print_sample(page, "sonde_http_sent_bytes", COUNTER, "",
	    (double)stats->body_bytes_out);
}

static void print_page(
    const struct metrics_page *page, const struct request *request)
{
	const struct api *api = request_api(request);
	struct collector_metrics m = { 0 };
	struct server_stats server;
	struct event_stream_stats events;
	struct body_cache_stats maps;
	collector_metrics(api->collector, &m);
	server_stats(request->server, &server);
	event_stream_stats(api->events, &events);
	body_cache_stats(api->maps, &maps);
	print_family(page, "sonde_build_info", GAUGE, NULL,
	    "1, with the version as a label.");
	print_sample(page, "sonde_build_info", GAUGE,
	    "{version=\"" SONDE_VERSION "\"}", 1);
	print_family(page, "process_start_time_seconds", GAUGE, "seconds",
	    "When this process started, Unix time.");
	print_sample(
	    page, "process_start_time_seconds", GAUGE, "", m.start_time_s);
	print_family(page, "sonde_commit_seconds", COUNTER, "seconds",
	    "Time spent in COMMIT.");
	print_sample(
	    page, "sonde_commit_seconds", COUNTER, "", m.commit_seconds);
	print_by_label(page, &m);
	print_rows(page, collector_rows, COUNT(collector_rows), &m);
	print_rows(page, clients_rows, COUNT(clients_rows), &server.clients);
	print_rows(page, event_rows, COUNT(event_rows), &events);
	print_rows(page, map_rows, COUNT(map_rows), &maps);
	print_http(page, &server);
	print_family(page, "sonde_http_work_polls", GAUGE, NULL,
	    "Agents that wait for work.");
	print_sample(page, "sonde_http_work_polls", GAUGE, "",
	    (double)long_polls_waiting(api->polls));
	if (page->open)
		buf_printf(page->to, "# EOF\n");
}

void handle_metrics(struct request *request)
{
	struct metrics_page page = {
		.to = &request->response.body,
		.open =
		    request_accepts(request, "application/openmetrics-text"),
	};
	print_page(&page, request);
	request->response.status = 200;
	request->response.cache_control = "no-store";
	request->response.content_type = page.open
	    ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
	    : "text/plain; version=0.0.4; charset=utf-8";
	request_done(request);
}

void handle_health(struct request *request)
{
	json_t *checks = NULL;
	bool well = collector_health(request_api(request)->collector, &checks);
	response_json(&request->response, well ? 200 : 503,
	    json_pack("{s:s,s:o}", "status", well ? "ok" : "degraded", "checks",
		checks ? checks : json_object()));
	request->response.cache_control = "no-store";
	request_done(request);
}

void handle_openapi(struct request *request)
{
	packed_body_answer(request_api(request)->openapi, request);
	request_done(request);
}
