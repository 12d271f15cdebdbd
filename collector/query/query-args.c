/* SPDX-License-Identifier: ISC */
/* Parameters of queries: each reader either gives a value within bounds or an
 * error that names the parameter. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "collector/core/reader-pool.h"
#include "collector/core/agent-table.h"
#include "collector/core/levels.h"
#include "collector/core/private.h"
#include "lib/json/json-value.h"
#include "collector/query/query-args.h"

static bool is_callers_fault(int err)
{
	return err == ERR_USAGE || err == ERR_NOT_FOUND;
}

/* What is the database's fault gets the database's words. */
static int run_with_readers(query_body *body,
    const struct query_context *context, void *arg, struct errmsg *msg)
{
	int err = body(context, arg, msg);
	if (err >= 0 || is_callers_fault(err))
		return err;
	struct collector *c = context->collector;
	const char *why = registry_reader_error(context->registry);
	c->counters.query_failures++;
	char text[sizeof(msg->text)];
	snprintf(text, sizeof(text), "%s", why ? why : msg->text);
	return err_set(msg, ERR_UNAVAILABLE, "database: %.200s", text);
}

static int get_readers(
    struct collector *c, struct query_context *own, struct errmsg *msg)
{
	if (!own->reader) {
		int err = reader_get(c, &own->reader, msg);
		if (err < 0)
			return err;
	}
	return own->registry ? ERR_OK : registry_get(c, &own->registry, msg);
}

int query_run_body(query_body *body, const struct query_context *context,
    void *arg, struct errmsg *msg)
{
	struct collector *c = context->collector;
	struct query_context own = *context;
	c->counters.queries++;
	int err = principal_check(context->principal, ROLE_READ, msg);
	if (err < 0)
		return err;
	err = get_readers(c, &own, msg);
	if (err == ERR_OK)
		err = run_with_readers(body, &own, arg, msg);
	else
		c->counters.query_failures++;
	if (own.registry && !context->registry)
		registry_put(c, own.registry);
	if (own.reader && !context->reader)
		reader_put(c, own.reader);
	return err;
}

struct json_query {
	query_fn *query;
	json_t **answer;
};

static int run_json_query(
    const struct query_context *context, void *arg, struct errmsg *msg)
{
	struct json_query *json = arg;
	return json->query(context, json->answer, msg);
}

int query_run(query_fn *query, const struct query_context *context,
    json_t **answer, struct errmsg *msg)
{
	struct json_query json = { query, answer };
	return query_run_body(run_json_query, context, &json, msg);
}

void query_begin(
    struct query *q, const struct query_context *context, struct errmsg *msg)
{
	*q = (struct query){
		.c = context->collector,
		.reader = context->reader,
		.registry = context->registry,
		.args = context->args,
		.msg = msg,
		.now_ns = collector_wall(context->collector).ns,
	};
}

int query_end(int err, json_t *json, json_t **answer)
{
	if (err < 0)
		json_decref(json);
	else
		*answer = json;
	return err;
}

const char *query_text(const struct query *q, const char *name)
{
	const char *text = q->args->get(q->args->ctx, name);
	return text && *text ? text : NULL;
}

int query_range(
    struct query *q, const struct param *param_from, struct store_range *range)
{
	const char *from = query_text(q, "from"), *to = query_text(q, "to");
	range->to_ns = q->now_ns;
	if (to) {
		int err = param_time(
		    &query_param_to, to, q->now_ns, &range->to_ns, q->msg);
		if (err < 0)
			return err;
	}
	/* The default is a distance from the range's end. */
	int err = param_time(param_from, from ? from : param_from->fallback,
	    from ? q->now_ns : range->to_ns, &range->from_ns, q->msg);
	if (err < 0 && !from) {
		range->from_ns = 0;
		err = ERR_OK;
	}
	if (err < 0)
		return err;
	if (range->from_ns >= range->to_ns)
		return err_set(q->msg, ERR_USAGE, "from: expected before to");
	return ERR_OK;
}

int query_integer(struct query *q, const struct param *param, int64_t *value)
{
	const char *text = query_text(q, param->name);
	return text ? param_integer(param, text, value, q->msg) : ERR_OK;
}

int query_limit(struct query *q, uint32_t *limit)
{
	int64_t value = QUERY_LIMIT_DEFAULT;
	int err = query_integer(q, &query_param_limit, &value);
	*limit = (uint32_t)value;
	return err;
}

int query_cursor(struct query *q, struct store_plan *filter)
{
	const char *text = query_text(q, "cursor");
	int64_t row = 0;
	int err = text ? param_cursor(&query_param_cursor, text,
			     &filter->cursor_ns, &row, q->msg)
		       : ERR_OK;
	filter->cursor_row = (uint64_t)row;
	return err;
}

json_t *query_next(int64_t ns, int64_t row)
{
	char text[48];
	snprintf(
	    text, sizeof(text), "%lld_%lld", (long long)ns, (long long)row);
	return json_string(text);
}

int query_addr(struct query *q, const struct param *param, struct addr *addr)
{
	const char *text = query_text(q, param->name);
	return text ? param_addr(param, text, addr, q->msg) : ERR_OK;
}

int query_id(
    struct query *q, const struct param *param, uint8_t id[16], bool *given)
{
	const char *text = query_text(q, param->name);
	*given = text != NULL;
	return text ? param_id(param, text, id, q->msg) : ERR_OK;
}

int query_agent_row(struct query *q, int64_t *row)
{
	const char *text = query_text(q, "agent");
	if (!text)
		return ERR_OK;
	struct agent *agents;
	uint8_t id[AGENT_ID_LEN];
	bool is_id = hex_parse(id, sizeof(id), text), found = false;
	size_t count = agents_list(q->c, &agents);
	for (size_t i = 0; !found && i < count; i++) {
		found = strcmp(agents[i].name, text) == 0 ||
		    (is_id && memcmp(agents[i].id, id, sizeof(id)) == 0);
		if (found)
			*row = agents[i].row;
	}
	free(agents);
	return found ? ERR_OK
		     : err_set(q->msg, ERR_NOT_FOUND, "agent: no such one");
}

/* The nearest by ratio: who asks for 10 s gets 5 s rather than a minute. */
static uint32_t nearest_level(const struct collector *c, int64_t bin_s)
{
	const uint32_t *levels = c->store_config.levels;
	uint32_t best = levels[0];
	double distance = INFINITY;
	for (int i = 0; i < STORE_LEVELS_MAX && levels[i]; i++) {
		double d = fabs(log((double)levels[i] / (double)bin_s));
		if (d < distance) {
			distance = d;
			best = levels[i];
		}
	}
	return best;
}

int query_bin(struct query *q, const struct store_range *range, unsigned bins,
    uint32_t *bin_s)
{
	int64_t value = 0;
	int err = query_integer(q, &query_param_bin, &value);
	if (err < 0)
		return err;
	*bin_s = value ? nearest_level(q->c, value)
		       : collector_level_for(q->c, range, bins);
	return ERR_OK;
}
