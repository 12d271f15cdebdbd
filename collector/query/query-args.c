/* SPDX-License-Identifier: ISC */
/* Parameters of queries: each reader either gives a value within bounds or an
 * error that names the parameter. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "collector/core/reader-pool.h"
#include "collector/core/agent-table.h"
#include "collector/core/levels.h"
#include "collector/core/private.h"
#include "lib/json/json-value.h"
#include "collector/query/query-args.h"
#include "lib/option/option.h"

static bool is_callers_fault(int err)
{
	return err == ERR_USAGE || err == ERR_NOT_FOUND;
}

/* With a reader: what is the store's fault gets the store's words. */
static int run_with_reader(query_fn *query, const struct query_context *context,
    json_t **answer, struct errmsg *msg)
{
	int err = query(context, answer, msg);
	if (err >= 0 || is_callers_fault(err))
		return err;
	context->collector->counters.query_failures++;
	return err_set(msg, ERR_UNAVAILABLE, "database: %s",
	    context->collector->ops->reader_error(context->reader));
}

int query_run(query_fn *query, const struct query_context *context,
    json_t **answer, struct errmsg *msg)
{
	struct collector *c = context->collector;
	struct query_context own = *context;
	c->counters.queries++;
	int err = principal_check(context->principal, ROLE_READ, msg);
	if (err < 0)
		return err;
	if (context->reader)
		return run_with_reader(query, context, answer, msg);
	err = reader_get(c, &own.reader, msg);
	if (err < 0) {
		c->counters.query_failures++;
		return err;
	}
	err = run_with_reader(query, &own, answer, msg);
	reader_put(c, own.reader);
	return err;
}

void query_begin(
    struct query *q, const struct query_context *context, struct errmsg *msg)
{
	*q = (struct query){
		.c = context->collector,
		.reader = context->reader,
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

static int parse_time(
    struct query *q, const char *name, const char *text, int64_t *ns)
{
	struct walltime t;
	int64_t ago;
	if (strcmp(text, "now") == 0) {
		*ns = q->now_ns;
	} else if (*text == '-') {
		if (option_parse_duration(&ago, text + 1, NULL) < 0 ||
		    ago < 0 || ago > q->now_ns)
			return err_set(q->msg, ERR_USAGE,
			    "%s: expected a duration as in \"-1h\"", name);
		*ns = q->now_ns - ago;
	} else {
		if (walltime_parse(&t, text) < 0 || t.ns < 0)
			return err_set(q->msg, ERR_USAGE,
			    "%s: expected a time (RFC 3339) or \"-1h\"", name);
		*ns = t.ns;
	}
	return ERR_OK;
}

int query_range(struct query *q, int64_t width_ns, struct store_range *range)
{
	const char *from = query_text(q, "from"), *to = query_text(q, "to");
	range->to_ns = q->now_ns;
	int err = to ? parse_time(q, "to", to, &range->to_ns) : ERR_OK;
	range->from_ns = range->to_ns > width_ns ? range->to_ns - width_ns : 0;
	if (err == ERR_OK && from)
		err = parse_time(q, "from", from, &range->from_ns);
	if (err == ERR_OK && range->from_ns >= range->to_ns)
		err = err_set(q->msg, ERR_USAGE, "from: expected before to");
	return err;
}

int query_integer(
    struct query *q, const char *name, int64_t most, int64_t *value)
{
	const char *text = query_text(q, name);
	if (!text)
		return ERR_OK;
	char *end;
	errno = 0;
	long long n = strtoll(text, &end, 10);
	if (errno || *end || *text < '0' || *text > '9' || n > most)
		return err_set(q->msg, ERR_USAGE,
		    "%s: expected a number up to %lld", name, (long long)most);
	*value = n;
	return ERR_OK;
}

int query_limit(struct query *q, uint32_t *limit)
{
	int64_t value = QUERY_LIMIT_DEFAULT;
	int err = query_integer(q, "limit", QUERY_LIMIT_MAX, &value);
	if (err == ERR_OK && value == 0)
		err = err_set(q->msg, ERR_USAGE, "limit: expected 1 to %d",
		    QUERY_LIMIT_MAX);
	*limit = (uint32_t)value;
	return err;
}

/* Cursors are ours to read, nobody else's: two numbers. */
int query_cursor(struct query *q, struct store_filter *filter)
{
	const char *text = query_text(q, "cursor");
	if (!text)
		return ERR_OK;
	char *end;
	errno = 0;
	long long ns = strtoll(text, &end, 10), row = 0;
	if (*end == '_')
		row = strtoll(end + 1, &end, 10);
	if (errno || *end || row < 1)
		return err_set(q->msg, ERR_USAGE,
		    "cursor: expected one that a page gave as next");
	filter->cursor_ns = ns;
	filter->cursor_row = row;
	return ERR_OK;
}

json_t *query_next(int64_t ns, int64_t row)
{
	char text[48];
	snprintf(
	    text, sizeof(text), "%lld_%lld", (long long)ns, (long long)row);
	return json_string(text);
}

int query_addr(struct query *q, const char *name, struct addr *addr)
{
	const char *text = query_text(q, name);
	if (text && addr_parse(addr, text) < 0)
		return err_set(
		    q->msg, ERR_USAGE, "%s: expected an address", name);
	return ERR_OK;
}

int query_id(struct query *q, const char *name, uint8_t id[16], bool *given)
{
	const char *text = query_text(q, name);
	*given = text != NULL;
	if (text && !hex_parse(id, 16, text))
		return err_set(
		    q->msg, ERR_USAGE, "%s: expected 32 hex digits", name);
	return ERR_OK;
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
	int err = query_integer(q, "bin", 86400, &value);
	if (err < 0)
		return err;
	*bin_s = value ? nearest_level(q->c, value)
		       : collector_level_for(q->c, range, bins);
	return ERR_OK;
}
