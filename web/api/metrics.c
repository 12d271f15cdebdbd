/* SPDX-License-Identifier: ISC */
/* /metrics: OpenMetrics text to those who accept it, Prometheus' older text
 * (0.0.4) to all others.  They differ in the family name of a counter, in
 * units and in the end mark. */

#include <stddef.h>

#include "collector/core/stats.h"
#include "collector/ingest/ingest.h"
#include "web/api/event-stream.h"
#include "web/api/handlers.h"
#include "web/api/long-poll.h"
#include "web/http/http-private.h"

struct page {
	struct buf *to;
	bool open; /* OpenMetrics */
};

enum kind { COUNTER, GAUGE };

static void print_family(const struct page *page, const char *name,
    enum kind kind, const char *unit, const char *help)
{
	const char *suffix = kind == COUNTER && !page->open ? "_total" : "";
	buf_printf(page->to, "# HELP %s%s %s\n# TYPE %s%s %s\n", name, suffix,
	    help, name, suffix, kind == COUNTER ? "counter" : "gauge");
	if (page->open && unit)
		buf_printf(page->to, "# UNIT %s %s\n", name, unit);
}

static void print_sample(const struct page *page, const char *name,
    enum kind kind, const char *labels, double value)
{
	buf_printf(page->to, "%s%s%s %.17g\n", name,
	    kind == COUNTER ? "_total" : "", labels, value);
}

/* A family of one sample that is a member of a struct of numbers. */
struct row {
	const char *name;
	enum kind kind;
	const char *unit, *help;
	size_t offset;
};

static void print_rows(const struct page *page, const struct row *rows,
    size_t count, const void *numbers)
{
	for (size_t i = 0; i < count; i++) {
		const struct row *row = &rows[i];
		const uint64_t *value =
		    (const void *)((const char *)numbers + row->offset);
		print_family(page, row->name, row->kind, row->unit, row->help);
		print_sample(page, row->name, row->kind, "", (double)*value);
	}
}

#define COLLECTOR(member) offsetof(struct collector_metrics, member)
static const struct row collector_rows[] = {
	{ "sonde_batch_bytes", COUNTER, "bytes", "Bodies of batches received.",
	    COLLECTOR(batch_bytes) },
	{ "sonde_records_stored", COUNTER, NULL, "Records committed.",
	    COLLECTOR(records_stored) },
	{ "sonde_records_expired", COUNTER, NULL,
	    "Raw records that retention let go.", COLLECTOR(records_expired) },
	{ "sonde_commits", COUNTER, NULL, "Transactions committed.",
	    COLLECTOR(commits) },
	{ "sonde_commit_failures", COUNTER, NULL, "Transactions that failed.",
	    COLLECTOR(commit_failures) },
	{ "sonde_queries", COUNTER, NULL, "Questions asked of the store.",
	    COLLECTOR(queries) },
	{ "sonde_query_failures", COUNTER, NULL,
	    "Questions that the store could not answer.",
	    COLLECTOR(query_failures) },
	{ "sonde_events", COUNTER, NULL, "Events put into the feed.",
	    COLLECTOR(events) },
	{ "sonde_alarm_rounds", COUNTER, NULL,
	    "Times that the series were judged.", COLLECTOR(alarm_rounds) },
	{ "sonde_queue_batches", GAUGE, NULL,
	    "Batches that wait for the writer.", COLLECTOR(queue_batches) },
	{ "sonde_queue_bytes", GAUGE, "bytes",
	    "Bytes that wait for the writer.", COLLECTOR(queue_bytes) },
	{ "sonde_database_bytes", GAUGE, "bytes",
	    "Size of the database on disk.", COLLECTOR(database_bytes) },
	{ "sonde_wal_bytes", GAUGE, "bytes",
	    "Size of the database's write-ahead log.", COLLECTOR(wal_bytes) },
	{ "sonde_alarms_open", GAUGE, NULL, "Alarms that have not ended.",
	    COLLECTOR(alarms_open) },
};
#define CLIENTS(member) offsetof(struct clients_stats, member)
static const struct row clients_rows[] = {
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
#define FEED(member) offsetof(struct feed_stats, member)
static const struct row feed_rows[] = {
	{ "sonde_http_event_streams", GAUGE, NULL, "Event streams open.",
	    FEED(subscribers) },
	{ "sonde_http_event_streams_cut", COUNTER, NULL,
	    "Event streams cut because their client did not read.", FEED(cut) },
};
#define COUNT(rows) (sizeof(rows) / sizeof(*(rows)))

static void print_by_label(
    const struct page *page, const struct collector_metrics *m)
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

static void print_http(const struct page *page, struct web *web)
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
		    (double)atomic_load(&web->counters.answers[i]));
	}
	print_family(page, "sonde_http_received_bytes", COUNTER, "bytes",
	    "Request bodies.");
	print_sample(page, "sonde_http_received_bytes", COUNTER, "",
	    (double)atomic_load(&web->counters.body_bytes_in));
	print_family(
	    page, "sonde_http_sent_bytes", COUNTER, "bytes", "Answer bodies.");
	print_sample(page, "sonde_http_sent_bytes", COUNTER, "",
	    (double)atomic_load(&web->counters.body_bytes_out));
	print_family(page, "sonde_http_work_polls", GAUGE, NULL,
	    "Agents that wait for work.");
	print_sample(page, "sonde_http_work_polls", GAUGE, "",
	    (double)polls_waiting(web->polls));
}

static void print_page(const struct page *page, struct web *web)
{
	struct collector_metrics m = { 0 };
	struct clients_stats clients;
	struct feed_stats feed;
	collector_metrics(web->collector, &m);
	clients_stats(web->clients, &clients);
	feed_stats(web->feed, &feed);
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
	print_rows(page, clients_rows, COUNT(clients_rows), &clients);
	print_rows(page, feed_rows, COUNT(feed_rows), &feed);
	print_http(page, web);
	if (page->open)
		buf_printf(page->to, "# EOF\n");
}

void handle_metrics(struct request *request)
{
	struct page page = {
		.to = &request->answer.body,
		.open =
		    request_accepts(request, "application/openmetrics-text"),
	};
	print_page(&page, request->web);
	request->answer.status = 200;
	request->answer.cache_control = "no-store";
	request->answer.content_type = page.open
	    ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
	    : "text/plain; version=0.0.4; charset=utf-8";
	request_done(request);
}
