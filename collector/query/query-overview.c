/* SPDX-License-Identifier: ISC */
/*
 * The first page: who is up, which links are worst, what is wrong now.  Every
 * open browser asks for it every few seconds, so the map behind the links is
 * made once in a while and kept.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/link-score.h"
#include "collector/core/agent-table.h"
#include "collector/core/private.h"
#include "collector/detect/alarm-json.h"
#include "collector/detect/blind.h"
#include "lib/json/json-value.h"
#include "collector/query/path-graph.h"
#include "collector/query/overview.h"
#include "collector/registry/registry-alarms.h"
#include "lib/base/xalloc.h"

#define WORST_LINKS 10
#define ALARMS_MOST 20
#define ALARMS_FEW 5 /* below: also some that are over */
#define PAST_NS (7 * 86400 * NS_PER_S)
#define PAST_ROWS_MOST 200
#define RANGE_NS (3600 * NS_PER_S)
#define KEPT_NS (5 * NS_PER_S)

struct overview {
	pthread_mutex_t lock;
	json_t *worst; /* owned; NULL: none yet */
	struct monotime made;
};

static int overview_open(struct collector *c, struct errmsg *msg)
{
	(void)msg;
	c->overview = xcalloc(1, sizeof(*c->overview));
	pthread_mutex_init(&c->overview->lock, NULL);
	return ERR_OK;
}

static void overview_close(struct collector *c)
{
	if (!c->overview)
		return;
	json_decref(c->overview->worst);
	pthread_mutex_destroy(&c->overview->lock);
	free(c->overview);
	c->overview = NULL;
}

const struct part overview_part = {
	.name = "overview",
	.open = overview_open,
	.close = overview_close,
};

static const char *why_of(double slow, double lossy)
{
	if (slow >= LINK_SCORE_LEAST && lossy >= LINK_SCORE_LEAST)
		return "slow and lossy";
	return slow > lossy ? "slow" : "lossy";
}

struct scored {
	const struct topology_link *link;
	double score;
	const char *why;
};

static int by_score(const void *a, const void *b)
{
	const struct scored *x = a, *y = b;
	return (x->score < y->score) - (x->score > y->score);
}

static json_t *worst_of(struct path_set *map)
{
	const struct topology_node *nodes;
	const struct topology_link *links;
	topology_nodes(map->topology, &nodes);
	size_t count = topology_links(map->topology, &links), n = 0;
	double usual = link_usual_delay(links, count);
	struct scored *scored = xcalloc(count + 1, sizeof(*scored));
	for (size_t i = 0; i < count; i++) {
		double slow = link_score_slow(&links[i], usual);
		double lossy = link_score_lossy(&links[i]);
		double score = fmax(slow, lossy);
		if (score >= LINK_SCORE_LEAST)
			scored[n++] = (struct scored){ &links[i], score,
				why_of(slow, lossy) };
	}
	qsort(scored, n, sizeof(*scored), by_score);
	json_t *list = json_array();
	for (size_t i = 0; i < n && i < WORST_LINKS; i++) {
		json_t *json = map_link_json(nodes, scored[i].link);
		json_object_set_new(json, "score", json_real(scored[i].score));
		json_object_set_new(json, "why", json_string(scored[i].why));
		json_array_append_new(list, json);
	}
	free(scored);
	return list;
}

/* A new reference to what was made a moment ago; NULL: it has to be made. */
static json_t *kept_worst(struct overview *overview, struct monotime now)
{
	pthread_mutex_lock(&overview->lock);
	bool fresh =
	    overview->worst && monotime_diff(now, overview->made) < KEPT_NS;
	json_t *worst = fresh ? json_deep_copy(overview->worst) : NULL;
	pthread_mutex_unlock(&overview->lock);
	return worst;
}

/* A new reference, made now or a moment ago. */
static int worst_links(struct query *q, json_t **worst)
{
	struct overview *overview = q->c->overview;
	struct store_range range = {
		q->now_ns > RANGE_NS ? q->now_ns - RANGE_NS : 0, q->now_ns
	};
	struct path_set map;
	int err = ERR_OK;
	*worst = kept_worst(overview, collector_mono(q->c));
	if (*worst)
		return ERR_OK;
	map_begin(&map);
	/* Another thread may have made it while this one waited. */
	*worst = kept_worst(overview, collector_mono(q->c));
	if (*worst)
		goto out;
	err = map_read(q, &range, 0, &map);
	if (err < 0)
		goto out;
	*worst = worst_of(&map);
	pthread_mutex_lock(&overview->lock);
	json_decref(overview->worst);
	overview->worst = json_deep_copy(*worst);
	overview->made = collector_mono(q->c);
	pthread_mutex_unlock(&overview->lock);
out:
	map_end(&map);
	return err;
}

struct outbreaks {
	json_t *list;
	bool over;   /* take those, else the open ones */
	size_t most; /* in the list */
};

/* An outbreak once: not the parts that single agents see of it. */
static int take_outbreak(void *ctx, const struct registry_alarm *alarm)
{
	struct outbreaks *found = ctx;
	if (alarm->within_row == 0 && (alarm->ended_ns != 0) == found->over)
		json_array_append_new(found->list, alarm_to_json(alarm));
	return json_array_size(found->list) >= found->most;
}

/* The open ones; where they are few, what was last beside them. */
static int read_outbreaks(struct query *q, json_t *list)
{
	struct outbreaks found = { list, false, ALARMS_MOST };
	struct registry_alarm_filter open = {
		.from_ns = q->now_ns,
		.to_ns = q->now_ns + 1,
		.agent_row = -1,
	};
	struct registry_alarm_filter past = {
		.from_ns = q->now_ns - PAST_NS,
		.to_ns = q->now_ns,
		.agent_row = -1,
		.limit = PAST_ROWS_MOST,
	};
	int err =
	    registry_read_alarms(q->registry, &open, take_outbreak, &found);
	if (err < 0 || json_array_size(list) >= ALARMS_FEW)
		return err;
	found.over = true;
	found.most = ALARMS_FEW;
	return registry_read_alarms(q->registry, &past, take_outbreak, &found);
}

struct blind_count {
	const struct query *q;
	int64_t last_row; /* of the agent that was counted last */
	json_int_t agents;
};

static int count_blind(void *ctx, const struct registry_coverage *row)
{
	struct blind_count *count = ctx;
	struct agent agent;
	if (row->agent_row == count->last_row ||
	    !agents_find_row(count->q->c, row->agent_row, &agent) ||
	    agent.state != AGENT_UP ||
	    !blindness_of(row, &agent, count->q->now_ns).is_blind)
		return 0;
	count->last_row = row->agent_row;
	count->agents++;
	return 0;
}

static json_t *agent_counts(struct collector *c, json_int_t blind)
{
	struct agent *agents;
	size_t count = agents_list(c, &agents), by_state[AGENT_STATES] = { 0 };
	for (size_t i = 0; i < count; i++)
		by_state[agents[i].state]++;
	free(agents);
	return json_pack("{s:I, s:I, s:I, s:I}", "up",
	    (json_int_t)by_state[AGENT_UP], "late",
	    (json_int_t)by_state[AGENT_LATE], "blind", blind, "total",
	    (json_int_t)count);
}

static int take_totals(void *ctx, const struct store_row *row)
{
	*(struct store_totals *)ctx = *row->totals;
	return 0;
}

int query_overview(
    const struct query_context *context, json_t **answer, struct errmsg *msg)
{
	struct query q;
	json_t *worst = NULL, *alarms;
	struct store_totals totals = { 0 };
	const struct store_plan plan = { .table = STORE_TOTALS };
	query_begin(&q, context, msg);
	alarms = json_array();
	int err = worst_links(&q, &worst);
	if (err < 0)
		goto out;
	err = q.c->ops->read(q.reader, &plan, take_totals, &totals, msg);
	if (err < 0)
		goto out;
	err = read_outbreaks(&q, alarms);
	if (err < 0)
		goto out;
	struct blind_count blind = { .q = &q };
	err = registry_read_coverage(q.registry, 0, count_blind, &blind);
	if (err < 0)
		goto out;
	*answer = json_pack("{s:o, s:o, s:O, s:O, s:{s:I, s:I, s:f}}", "now",
	    json_time(q.now_ns), "agents", agent_counts(q.c, blind.agents),
	    "worst_links", worst, "alarms", alarms, "records", "stored",
	    (json_int_t)totals.stored, "lost", (json_int_t)totals.lost,
	    "per_second",
	    (double)q.c->counters.records_per_second_milli / 1000);
out:
	json_decref(worst);
	json_decref(alarms);
	return err < 0 ? err : ERR_OK;
}
