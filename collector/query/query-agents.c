/* SPDX-License-Identifier: ISC */
/*
 * Agents as the API shows them: the row, what memory knows of the last
 * contact, and the newest heartbeat with its counters by name.
 */
#include <stdlib.h>
#include <string.h>

#include "collector/core/agent-table.h"
#include "collector/core/private.h"
#include "collector/detect/blind.h"
#include "lib/json/json-value.h"
#include "collector/query/agent-unsent.h"
#include "collector/query/query-list.h"
#include "collector/registry/registry-agents.h"
#include "lib/record/record.h"

/* Counters that the API shows by a name of its own. */
struct heartbeat_view {
	json_t *counters, *denied, *addresses;
	int64_t captured, dropped, sent, spool_bytes; /* -1: not reported */
	const char *clock_state;
	int64_t clock_error_ns;
};

static void add_to(int64_t *sum, uint64_t value)
{
	*sum = (*sum < 0 ? 0 : *sum) + (int64_t)(value & INT64_MAX);
}

static void view_counter(
    struct heartbeat_view *view, const Sonde__Counter *counter)
{
	static const char denied[] = "guardian.denied.";
	const char *name = counter->name;
	json_int_t value = (json_int_t)(counter->value & INT64_MAX);
	json_object_set_new(view->counters, name, json_integer(value));
	if (strncmp(name, denied, sizeof(denied) - 1) == 0)
		json_object_set_new(view->denied, name + sizeof(denied) - 1,
		    json_integer(value));
	else if (strcmp(name, "sensor.captured") == 0)
		add_to(&view->captured, counter->value);
	else if (strcmp(name, "sensor.dropped") == 0)
		add_to(&view->dropped, counter->value);
	else if (strcmp(name, "guardian.sent") == 0)
		add_to(&view->sent, counter->value);
	else if (strcmp(name, "spool.bytes") == 0)
		add_to(&view->spool_bytes, counter->value);
}

static const char *clock_state_name(Sonde__ClockState state)
{
	switch (state) {
	case SONDE__CLOCK_STATE__CLOCK_STATE_SYNCHRONISED:
		return "synchronised";
	case SONDE__CLOCK_STATE__CLOCK_STATE_UNSYNCHRONISED:
		return "unsynchronised";
	case SONDE__CLOCK_STATE__CLOCK_STATE_UNKNOWN:
	case _SONDE__CLOCK_STATE_IS_INT_SIZE: break;
	}
	return "unknown";
}

static void view_heartbeat(
    struct heartbeat_view *view, const struct store_agent *agent)
{
	*view = (struct heartbeat_view){ json_object(), json_object(),
		json_array(), -1, -1, -1, -1, "unknown", -1 };
	Sonde__Record *record = NULL;
	if (agent->heartbeat.len == 0 ||
	    record_unpack(
		&record, agent->heartbeat.data, agent->heartbeat.len, NULL) < 0)
		return;
	if (record->body_case == SONDE__RECORD__BODY_HEARTBEAT) {
		const Sonde__Heartbeat *beat = record->heartbeat;
		for (size_t i = 0; i < beat->n_counters; i++)
			view_counter(view, beat->counters[i]);
		for (size_t i = 0; i < beat->n_addresses; i++) {
			struct addr addr = addr_from_bytes(
			    beat->addresses[i].data, beat->addresses[i].len);
			json_array_append_new(
			    view->addresses, json_addr(&addr));
		}
		view->clock_state = clock_state_name(record->clock_state);
		if (record->clock_state ==
		    SONDE__CLOCK_STATE__CLOCK_STATE_SYNCHRONISED)
			view->clock_error_ns =
			    (int64_t)(record->clock_error_ns & INT64_MAX);
	}
	record_free(record);
}

/* What telemetry knows of an agent, into the object of what the registry
 * knows. */
struct joined {
	json_t *json;
	const char *version; /* at its enrolment; the heartbeat's is newer */
	bool known;
};

static int join_telemetry(void *ctx, const struct store_row *from)
{
	const struct store_agent *row = from->agent;
	struct joined *joined = ctx;
	struct heartbeat_view view;
	joined->known = true;
	view_heartbeat(&view, row);
	json_t *sums = json_pack("{s:s, s:o, s:I, s:I, s:I, s:I}", "version",
	    row->version[0] ? row->version : joined->version, "addresses",
	    view.addresses, "epoch", (json_int_t)row->epoch, "produced",
	    (json_int_t)(row->stored + row->lost), "stored",
	    (json_int_t)row->stored, "lost", (json_int_t)row->lost);
	json_t *more = json_pack("{s:o, s:o, s:o, s:o, s:{s:s, s:o}, s:o, s:o}",
	    "captured", json_count(view.captured), "capture_dropped",
	    json_count(view.dropped), "sent", json_count(view.sent), "denied",
	    view.denied, "clock", "state", view.clock_state, "error_ns",
	    json_count(view.clock_error_ns), "spool_bytes",
	    json_count(view.spool_bytes), "counters", view.counters);
	json_object_update(joined->json, sums);
	json_object_update(joined->json, more);
	json_decref(sums);
	json_decref(more);
	return 0;
}

struct agent_watch {
	const struct agent *agent;
	int64_t now_ns;
	json_t *interfaces;
	size_t count, watched;
};

static int take_interface(void *ctx, const struct registry_coverage *row)
{
	struct agent_watch *watch = ctx;
	struct blindness b = blindness_of(row, watch->agent, watch->now_ns);
	watch->count++;
	watch->watched += !b.is_blind;
	json_array_append_new(watch->interfaces,
	    json_pack("{s:o, s:b, s:o, s:o, s:I}", "name",
		json_text(row->interface), "watched", !b.is_blind, "why",
		json_text(b.why), "since", json_time(b.since_ns), "ring_bytes",
		(json_int_t)row->ring_bytes));
	return 0;
}

static int join_watch(
    const struct query *q, const struct agent *agent, json_t *json)
{
	struct agent_watch watch = {
		.agent = agent, .now_ns = q->now_ns, .interfaces = json_array()
	};
	int err = registry_read_coverage(
	    q->registry, agent->row, take_interface, &watch);
	const char *word = watch.count == 0 ? NULL
	    : watch.watched == 0            ? "none"
	    : watch.watched == watch.count  ? "all"
					    : "some";
	json_object_set_new(
	    json, "watch", word ? json_string(word) : json_null());
	json_object_set_new(json, "interfaces", watch.interfaces);
	return err;
}

/* A new object, or NULL when telemetry cannot be read. */
static json_t *agent_to_json(
    const struct query *q, const struct registry_agent *row)
{
	struct agent known = { .seen_wall_ns = row->seen_ns };
	const struct store_plan plan = { .table = STORE_AGENTS,
		.agent_row = row->row };
	const struct store_agent silent = { .version = "" };
	const struct store_row none = { .table = STORE_AGENTS,
		.agent = &silent };
	agents_find(q->c, row->id, &known);
	json_t *tags = json_loads(row->tags, 0, NULL);
	struct joined joined = {
		.json = json_pack("{s:o, s:s, s:o, s:s, s:o, s:o}", "id",
		    json_hex(row->id, sizeof(row->id)), "name", row->name,
		    "tags", tags ? tags : json_array(), "state",
		    agent_state_name(known.state), "enrolled_at",
		    json_time(row->enrolled_ns), "last_seen_at",
		    json_time(known.seen_wall_ns)),
		.version = row->version,
	};
	json_t *unsent;
	int err =
	    q->c->ops->read(q->reader, &plan, join_telemetry, &joined, q->msg);
	if (err >= 0) {
		err = agent_unsent_json(q, row->row, &unsent);
		json_object_set_new(joined.json, "unsent", unsent);
	}
	known.row = row->row;
	if (err >= 0)
		err = join_watch(q, &known, joined.json);
	if (err < 0) {
		json_decref(joined.json);
		return NULL;
	}
	if (!joined.known) /* it has sent nothing yet */
		join_telemetry(&joined, &none);
	return joined.json;
}

/* In the order of their rows, so the cursor is the last row shown. */
static int list_agent(void *ctx, const struct registry_agent *row)
{
	struct query_list *list = ctx;
	if (row->row <= list->last_row)
		return 0;
	if (query_list_is_full(list))
		return 1;
	json_t *json = agent_to_json(&list->query, row);
	if (!json)
		return ERR_UNAVAILABLE;
	query_list_add(list, json, 0, row->row);
	return 0;
}

int query_agents(
    const struct query_context *context, json_t **answer, struct errmsg *msg)
{
	struct query_list list;
	int err = query_list_begin(&list, context, msg);
	if (err < 0)
		return err;
	err = registry_read_agents(list.query.registry, 0, list_agent, &list);
	return query_list_end(&list, err, answer);
}

struct one_agent {
	const struct query *q;
	json_t *json;
};

static int take_agent(void *ctx, const struct registry_agent *row)
{
	struct one_agent *one = ctx;
	one->json = agent_to_json(one->q, row);
	return one->json ? 1 : ERR_UNAVAILABLE;
}

int query_agent(
    const struct query_context *context, json_t **answer, struct errmsg *msg)
{
	struct query q;
	struct one_agent one = { .q = &q };
	struct agent known;
	uint8_t id[AGENT_ID_LEN];
	query_begin(&q, context, msg);
	if (!hex_parse(id, sizeof(id), query_text(&q, "id")) ||
	    !agents_find(q.c, id, &known))
		return err_set(msg, ERR_NOT_FOUND, "agent: no such one");
	int err = registry_read_agents(q.registry, known.row, take_agent, &one);
	return query_end(err < 0 ? err : ERR_OK, one.json, answer);
}
