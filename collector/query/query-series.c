/* SPDX-License-Identifier: ISC */
/* Series with their baseline band and alarms, the alarms by themselves, and
 * the totals of every signature. */
#include <stdlib.h>
#include <string.h>

#include "collector/core/agent-table.h"
#include "collector/core/private.h"
#include "collector/detect/alarm-json.h"
#include "lib/json/json-buf.h"
#include "lib/json/json-value.h"
#include "collector/query/query-list.h"
#include "collector/detect/series.h"
#include "collector/registry/registry-alarms.h"
#include "lib/base/vec.h"
#include "lib/base/xalloc.h"

#define SERIES_MOST 200
#define POINTS_MOST 40000 /* of all series: a longest one fits twice */
#define HISTORY_BINS 300  /* read before the range, for the band to learn */

struct kind {
	int64_t row;
	uint64_t packets;
	char *verdict, *signature;
};
struct ask {
	struct query *q;
	struct store_range range; /* what is shown */
	struct store_plan filter;
	uint32_t bin_s;
	struct series_set set; /* one series at a time */
	struct kind *kinds;    /* owned */
	size_t kind_count;
	struct agent *agents; /* owned; by row */
	size_t agent_count;
	struct buf *to;
	size_t series, points; /* written */
};

static int take_class(void *ctx, const struct store_row *row)
{
	const struct store_class *kind = row->class;
	struct ask *ask = ctx;
	VEC_ROOM(ask->kinds, ask->kind_count);
	ask->kinds[ask->kind_count++] = (struct kind){ kind->row, kind->packets,
		xstrdup(kind->verdict), xstrdup(kind->signature) };
	return 0;
}

static int by_packets(const void *a, const void *b)
{
	const struct kind *x = a, *y = b;
	if (x->packets != y->packets)
		return x->packets > y->packets ? -1 : 1;
	return x->row < y->row ? -1 : x->row > y->row;
}

static void write_band_value(struct buf *to, bool known, double value)
{
	if (known)
		jsonbuf_real(to, value);
	else
		JSONBUF_PLAIN(to, "null");
}

/* While the test learns (the first `warm` bins), the band means nothing. */
static void write_point(const struct ask *ask, const struct series *series,
    size_t i, const struct spike_band *band, size_t warm)
{
	const struct spike_bin *bin = &series->bins[i];
	int64_t at_s = ask->set.first_s + (int64_t)i * ask->set.bin_s;
	struct buf *to = ask->to;
	bool known = i >= warm;
	JSONBUF_PLAIN(to, "{\"at\":");
	jsonbuf_time(to, at_s * NS_PER_S);
	JSONBUF_PLAIN(to, ",\"sources\":");
	jsonbuf_count(to, bin->missing ? -1 : (int64_t)bin->count);
	if (series->at_least[i])
		JSONBUF_PLAIN(to, ",\"sources_at_least\":true");
	else
		JSONBUF_PLAIN(to, ",\"sources_at_least\":false");
	JSONBUF_PLAIN(to, ",\"packets\":");
	jsonbuf_count(to, bin->missing ? -1 : (int64_t)series->packets[i]);
	JSONBUF_PLAIN(to, ",\"expected\":");
	write_band_value(to, known, band->expected);
	JSONBUF_PLAIN(to, ",\"low\":");
	write_band_value(to, known, band->low);
	JSONBUF_PLAIN(to, ",\"high\":");
	write_band_value(to, known, band->high);
	if (bin->missing)
		JSONBUF_PLAIN(to, ",\"missing\":true}");
	else
		JSONBUF_PLAIN(to, ",\"missing\":false}");
}

/* The first bin of the set that is shown. */
static size_t first_shown(const struct ask *ask)
{
	int64_t before_s = ask->range.from_ns / NS_PER_S - ask->set.first_s;
	return before_s > 0 ? (size_t)(before_s / ask->set.bin_s) : 0;
}

static void write_points(const struct ask *ask, const struct series *series)
{
	struct spike_config config = series_spikes(ask->q->c, ask->set.bin_s);
	struct spike_band *band = xcalloc(ask->set.bins + 1, sizeof(*band));
	struct spike_alarm *found = NULL;
	size_t warm = 0, seen = 0, learnt = spike_learnt_bins(&config);
	spikes_find(series->bins, ask->set.bins, &config, &found, band);
	free(found);
	/* The test has learned when so many bins were watched. */
	for (; warm < ask->set.bins && seen < learnt; warm++)
		seen += !series->bins[warm].missing;
	if (seen < learnt)
		warm = ask->set.bins;
	size_t first = first_shown(ask);
	for (size_t i = first; i < ask->set.bins; i++) {
		if (i > first)
			buf_u8(ask->to, ',');
		write_point(ask, series, i, &band[i], warm);
	}
	free(band);
}

struct alarm_list {
	struct buf *to;
	bool any;
};

static int write_alarm(void *ctx, const struct registry_alarm *alarm)
{
	struct alarm_list *list = ctx;
	json_t *json = alarm_to_json(alarm);
	if (list->any)
		buf_u8(list->to, ',');
	list->any = true;
	jsonbuf_tree(list->to, json);
	json_decref(json);
	return 0;
}

static int write_alarms(
    const struct ask *ask, const struct kind *kind, const struct series *series)
{
	struct alarm_list list = { ask->to, false };
	const struct registry_alarm_filter filter = {
		.from_ns = ask->range.from_ns,
		.to_ns = ask->range.to_ns,
		.agent_row = series->agent_row,
		.verdict = kind->verdict,
		.signature = kind->signature,
	};
	int err =
	    registry_read_alarms(ask->q->registry, &filter, write_alarm, &list);
	return err < 0 ? err : ERR_OK;
}

static int write_series(
    struct ask *ask, const struct kind *kind, const struct series *series)
{
	struct buf *to = ask->to;
	const struct agent *agent = NULL;
	for (size_t i = 0; i < ask->agent_count; i++)
		if (ask->agents[i].row == series->agent_row)
			agent = &ask->agents[i];
	if (ask->series++ > 0)
		buf_u8(to, ',');
	JSONBUF_PLAIN(to, "{\"signature\":");
	jsonbuf_text(to, kind->signature);
	JSONBUF_PLAIN(to, ",\"verdict\":");
	jsonbuf_text(to, kind->verdict);
	JSONBUF_PLAIN(to, ",\"agent\":");
	if (agent)
		jsonbuf_hex(to, agent->id, AGENT_ID_LEN);
	else
		JSONBUF_PLAIN(to, "null");
	JSONBUF_PLAIN(to, ",\"points\":[");
	write_points(ask, series);
	JSONBUF_PLAIN(to, "],\"alarms\":[");
	int err = write_alarms(ask, kind, series);
	if (err < 0)
		return err;
	JSONBUF_PLAIN(to, "]}");
	return ERR_OK;
}

static bool has_points(const struct ask *ask, const struct series *series)
{
	for (size_t i = first_shown(ask); i < ask->set.bins; i++)
		if (series->packets[i] > 0)
			return true;
	return false;
}

/* All classes in their order; where the answer may have no room for them, the
 * busiest first.  *left_out: those that were not looked at. */
static int write_all_series(struct ask *ask, size_t *left_out)
{
	struct query *q = ask->q;
	size_t shown = ask->set.bins - first_shown(ask), k = 0;
	if (ask->kind_count > SERIES_MOST ||
	    ask->kind_count * shown > POINTS_MOST)
		qsort(ask->kinds, ask->kind_count, sizeof(*ask->kinds),
		    by_packets);
	for (; k < ask->kind_count; k++) {
		if (ask->series == SERIES_MOST ||
		    ask->points + shown > POINTS_MOST)
			break;
		ask->filter.class_row = ask->kinds[k].row;
		int err = series_read_points(
		    q->c, q->reader, &ask->filter, &ask->set, q->msg);
		if (err < 0)
			return err;
		for (size_t i = 0; i < ask->set.count; i++) {
			const struct series *series = &ask->set.items[i];
			if (!has_points(ask, series))
				continue;
			err = write_series(ask, &ask->kinds[k], series);
			if (err < 0)
				return err;
			ask->points += shown;
		}
	}
	*left_out = ask->kind_count - k;
	return ERR_OK;
}

static int read_ask(struct ask *ask)
{
	struct query *q = ask->q;
	const struct store_plan classes = {
		.table = STORE_CLASSES,
		.signature = query_text(q, "signature"),
		.verdict = query_text(q, "verdict"),
	};
	ask->filter.agent_row = STORE_FLEET;
	int err = query_range(q, &query_param_from, &ask->range);
	if (err < 0)
		return err;
	err = query_bin(q, &ask->range, 60, &ask->bin_s);
	if (err < 0)
		return err;
	err = query_agent_row(q, &ask->filter.agent_row);
	if (err < 0)
		return err;
	err = q->c->ops->read(q->reader, &classes, take_class, ask, q->msg);
	if (err < 0)
		return err;
	ask->filter.bin_s = ask->bin_s;
	ask->filter.range = ask->range;
	int64_t history_ns = HISTORY_BINS * (ask->bin_s * NS_PER_S);
	ask->filter.range.from_ns -=
	    ask->range.from_ns < history_ns ? ask->range.from_ns : history_ns;
	err =
	    series_read_watch(q->c, q->reader, &ask->filter, &ask->set, q->msg);
	if (err == ERR_LIMIT)
		return err_set(
		    q->msg, ERR_USAGE, "bin: too fine for this range");
	if (err < 0)
		return err;
	ask->agent_count = agents_list(q->c, &ask->agents);
	return ERR_OK;
}

static int make_series(
    const struct query_context *context, void *arg, struct errmsg *msg)
{
	struct query q;
	struct ask ask = { .q = &q, .to = arg };
	size_t left_out = 0;
	query_begin(&q, context, msg);
	int err = read_ask(&ask);
	if (err < 0)
		goto out;
	JSONBUF_PLAIN(ask.to, "{\"bin_s\":");
	jsonbuf_integer(ask.to, ask.bin_s);
	JSONBUF_PLAIN(ask.to, ",\"series\":[");
	err = write_all_series(&ask, &left_out);
	if (err < 0)
		goto out;
	JSONBUF_PLAIN(ask.to, "],\"classes_left_out\":");
	jsonbuf_integer(ask.to, (int64_t)left_out);
	buf_u8(ask.to, '}');
out:
	series_fini(&ask.set);
	for (size_t i = 0; i < ask.kind_count; i++) {
		free(ask.kinds[i].verdict);
		free(ask.kinds[i].signature);
	}
	free(ask.kinds);
	free(ask.agents);
	return err;
}

int query_series(
    const struct query_context *context, struct buf *text, struct errmsg *msg)
{
	return query_run_body(make_series, context, text, msg);
}

static int list_alarm(void *ctx, const struct registry_alarm *alarm)
{
	struct query_list *list = ctx;
	if (query_list_is_full(list))
		return 1;
	query_list_add(list, alarm_to_json(alarm), alarm->onset_ns, alarm->row);
	return 0;
}

int query_alarms(
    const struct query_context *context, json_t **answer, struct errmsg *msg)
{
	struct query_list list;
	int err = query_list_begin(&list, context, msg);
	if (err < 0)
		return err;
	struct query *q = &list.query;
	struct registry_alarm_filter filter = {
		.agent_row = -1,
		.signature = query_text(q, "signature"),
		.cursor_ns = list.filter.cursor_ns,
		.cursor_row = (int64_t)list.filter.cursor_row,
		.limit = list.filter.limit,
	};
	struct store_range range;
	err = query_range(q, &query_param_from_day, &range);
	if (err < 0)
		goto out;
	err = query_agent_row(q, &filter.agent_row);
	if (err < 0)
		goto out;
	filter.from_ns = range.from_ns;
	filter.to_ns = range.to_ns;
	err = registry_read_alarms(q->registry, &filter, list_alarm, &list);
out:
	return query_list_end(&list, err, answer);
}

/* In the order of their rows, so the cursor is the last row shown. */
static int list_class(void *ctx, const struct store_row *row)
{
	const struct store_class *kind = row->class;
	struct query_list *list = ctx;
	if (kind->row <= list->last_row)
		return 0;
	if (query_list_is_full(list))
		return 1;
	query_list_add(list,
	    json_pack("{s:o, s:o, s:I, s:b, s:I, s:o, s:o}", "signature",
		json_text(kind->signature), "verdict", json_text(kind->verdict),
		"sources", (json_int_t)kind->sources, "sources_at_least",
		kind->sources_at_least, "packets", (json_int_t)kind->packets,
		"first_at", json_time(kind->first_ns), "last_at",
		json_time(kind->last_ns)),
	    0, kind->row);
	return 0;
}

int query_signatures(
    const struct query_context *context, json_t **answer, struct errmsg *msg)
{
	struct query_list list;
	const struct store_plan all = { .table = STORE_CLASSES };
	int err = query_list_begin(&list, context, msg);
	if (err < 0)
		return err;
	err = list.query.c->ops->read(
	    list.query.reader, &all, list_class, &list, msg);
	return query_list_end(&list, err, answer);
}
