/* SPDX-License-Identifier: ISC */
/* Series with their baseline band and alarms, the alarms by themselves, and
 * the totals of every signature. */
#include <stdlib.h>
#include <string.h>

#include "collector/core/agent-table.h"
#include "collector/core/private.h"
#include "collector/detect/alarm-json.h"
#include "lib/json/json-value.h"
#include "collector/query/query-list.h"
#include "collector/detect/series.h"
#include "collector/registry/registry-alarms.h"
#include "lib/base/xalloc.h"

#define SERIES_MOST 200
#define HISTORY_BINS 300 /* read before the range, for the band to learn */

struct kind {
	int64_t row;
	char *verdict, *signature;
};
struct ask {
	struct query *q;
	struct store_range range; /* what is shown */
	struct store_plan filter;
	struct kind *kinds;
	size_t kind_count;
	json_t *series, *alarms; /* alarms: of the series under way */
};

static int take_class(void *ctx, const struct store_row *row)
{
	const struct store_class *kind = row->class;
	struct ask *ask = ctx;
	if (ask->kind_count == SERIES_MOST)
		return 1;
	ask->kinds =
	    xreallocarray(ask->kinds, ask->kind_count + 1, sizeof(*ask->kinds));
	ask->kinds[ask->kind_count++] = (struct kind){ kind->row,
		xstrdup(kind->verdict), xstrdup(kind->signature) };
	return 0;
}

static int take_alarm(void *ctx, const struct registry_alarm *alarm)
{
	json_array_append_new(ctx, alarm_to_json(alarm));
	return 0;
}

static json_t *real_or_null(bool known, double value)
{
	return known ? json_real(value) : json_null();
}

static json_t *points_json(const struct ask *ask, const struct series_set *set,
    const struct series *series, const struct spike_band *band, size_t warm)
{
	json_t *points = json_array();
	for (size_t i = 0; i < set->bins; i++) {
		int64_t at_s = set->first_s + (int64_t)i * set->bin_s;
		if ((at_s + set->bin_s) * NS_PER_S <= ask->range.from_ns)
			continue;
		const struct spike_bin *bin = &series->bins[i];
		/* While it learns, the band means nothing. */
		bool known = i >= warm;
		json_array_append_new(points,
		    json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:b}", "at",
			json_time(at_s * NS_PER_S), "sources",
			bin->missing ? json_null()
				     : json_integer((json_int_t)bin->count),
			"packets",
			bin->missing
			    ? json_null()
			    : json_integer((json_int_t)series->packets[i]),
			"expected", real_or_null(known, band[i].expected),
			"low", real_or_null(known, band[i].low), "high",
			real_or_null(known, band[i].high), "missing",
			bin->missing));
	}
	return points;
}

/* The bins until the test has learned: so many that were watched. */
static size_t warm_bins(const struct series_set *set,
    const struct series *series, const struct spike_config *config)
{
	size_t i = 0, seen = 0;
	for (; i < set->bins && seen < config->warmup_bins; i++)
		seen += !series->bins[i].missing;
	return seen < config->warmup_bins ? set->bins : i;
}

static int add_series(struct ask *ask, const struct kind *kind,
    const struct series_set *set, const struct series *series)
{
	struct collector *c = ask->q->c;
	struct spike_config config = series_spikes(c, set->bin_s);
	struct spike_band *band = xcalloc(set->bins + 1, sizeof(*band));
	struct spike_alarm *found = NULL;
	spikes_find(series->bins, set->bins, &config, &found, band);
	free(found);
	struct registry_alarm_filter filter = {
		.from_ns = ask->range.from_ns,
		.to_ns = ask->range.to_ns,
		.agent_row = series->agent_row,
		.verdict = kind->verdict,
		.signature = kind->signature,
	};
	json_t *alarms = json_array();
	int err =
	    registry_read_alarms(ask->q->registry, &filter, take_alarm, alarms);
	struct agent *agents;
	size_t count = agents_list(c, &agents);
	json_t *agent = json_null();
	for (size_t i = 0; i < count; i++)
		if (agents[i].row == series->agent_row)
			agent = json_hex(agents[i].id, AGENT_ID_LEN);
	free(agents);
	json_array_append_new(ask->series,
	    json_pack("{s:o, s:o, s:o, s:o, s:o}", "signature",
		json_text(kind->signature), "verdict", json_text(kind->verdict),
		"agent", agent, "points",
		points_json(
		    ask, set, series, band, warm_bins(set, series, &config)),
		"alarms", alarms));
	free(band);
	return err < 0 ? err : ERR_OK;
}

static bool has_points(const struct ask *ask, const struct series_set *set,
    const struct series *series)
{
	for (size_t i = 0; i < set->bins; i++)
		if (series->packets[i] > 0 &&
		    (set->first_s + (int64_t)(i + 1) * set->bin_s) * NS_PER_S >
			ask->range.from_ns)
			return true;
	return false;
}

static int read_all_series(struct ask *ask)
{
	struct collector *c = ask->q->c;
	int err = ERR_OK;
	for (size_t k = 0; err == ERR_OK && k < ask->kind_count; k++) {
		struct series_set set;
		ask->filter.class_row = ask->kinds[k].row;
		err = series_read(
		    c, ask->q->reader, &ask->filter, &set, ask->q->msg);
		if (err == ERR_LIMIT)
			err = err_set(ask->q->msg, ERR_USAGE,
			    "bin: too fine for this range");
		for (size_t s = 0; err == ERR_OK && s < set.count; s++)
			if (has_points(ask, &set, &set.items[s]))
				err = add_series(
				    ask, &ask->kinds[k], &set, &set.items[s]);
		series_fini(&set);
	}
	return err;
}

static int read_ask(struct ask *ask, uint32_t *bin_s)
{
	struct query *q = ask->q;
	struct store_plan classes = {
		.table = STORE_CLASSES,
		.signature = query_text(q, "signature"),
		.verdict = query_text(q, "verdict"),
	};
	ask->filter.agent_row = STORE_FLEET;
	int err = query_range(q, &query_param_from, &ask->range);
	if (err == ERR_OK)
		err = query_bin(q, &ask->range, 60, bin_s);
	if (err == ERR_OK)
		err = query_agent_row(q, &ask->filter.agent_row);
	if (err == ERR_OK)
		err = q->c->ops->read(
		    q->reader, &classes, take_class, ask, q->msg);
	if (err < 0)
		return err;
	ask->filter.bin_s = *bin_s;
	ask->filter.range = ask->range;
	int64_t history_ns = HISTORY_BINS * (*bin_s * NS_PER_S);
	ask->filter.range.from_ns -=
	    ask->range.from_ns < history_ns ? ask->range.from_ns : history_ns;
	return ERR_OK;
}

int query_series(
    const struct query_context *context, json_t **answer, struct errmsg *msg)
{
	struct query q;
	struct ask ask = { .q = &q };
	uint32_t bin_s = 0;
	query_begin(&q, context, msg);
	ask.series = json_array();
	int err = read_ask(&ask, &bin_s);
	if (err == ERR_OK)
		err = read_all_series(&ask);
	for (size_t i = 0; i < ask.kind_count; i++) {
		free(ask.kinds[i].verdict);
		free(ask.kinds[i].signature);
	}
	free(ask.kinds);
	return query_end(err,
	    json_pack(
		"{s:I, s:o}", "bin_s", (json_int_t)bin_s, "series", ask.series),
	    answer);
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
	if (err == ERR_OK)
		err = query_agent_row(q, &filter.agent_row);
	if (err == ERR_OK) {
		filter.from_ns = range.from_ns;
		filter.to_ns = range.to_ns;
		err = registry_read_alarms(
		    q->registry, &filter, list_alarm, &list);
	}
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
	    json_pack("{s:o, s:o, s:I, s:I, s:o, s:o}", "signature",
		json_text(kind->signature), "verdict", json_text(kind->verdict),
		"sources", (json_int_t)kind->sources, "packets",
		(json_int_t)kind->packets, "first_at",
		json_time(kind->first_ns), "last_at", json_time(kind->last_ns)),
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
