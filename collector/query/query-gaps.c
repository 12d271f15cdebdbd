/* SPDX-License-Identifier: ISC */
/* Gaps that agents declared: what is missing, and why. */
#include <string.h>

#include "collector/core/agent-table.h"
#include "collector/core/private.h"
#include "collector/query/query-list.h"
#include "lib/json/json-value.h"

static json_t *seq_json(uint64_t seq)
{
	return seq ? json_integer((json_int_t)seq) : json_null();
}

static int list_gap(void *ctx, const struct store_row *row)
{
	const struct store_gap *gap = row->gap;
	struct query_list *list = ctx;
	struct agent agent = { .row = 0 };
	if (query_list_is_full(list))
		return 1;
	/* A registry that was put back alone may not know it. */
	bool known = agents_find_row(list->query.c, gap->agent_row, &agent);
	query_list_add(list,
	    json_pack("{s:o, s:o, s:I, s:o, s:o, s:I, s:s}", "agent",
		known ? json_hex(agent.id, sizeof(agent.id)) : json_null(),
		"at", json_time(gap->wall_ns), "epoch", (json_int_t)gap->epoch,
		"from_seq", seq_json(gap->from_seq), "to_seq",
		seq_json(gap->from_seq ? gap->to_seq : 0), "records",
		(json_int_t)gap->records, "reason", gap->reason),
	    0, (int64_t)gap->row);
	return 0;
}

int query_gaps(
    const struct query_context *context, json_t **answer, struct errmsg *msg)
{
	struct query_list list;
	int err = query_list_begin(&list, context, msg);
	if (err < 0)
		return err;
	struct query *q = &list.query;
	list.filter.table = STORE_GAPS;
	err = query_range(q, &query_param_from_day, &list.filter.range);
	if (err < 0)
		goto out;
	err = query_agent_row(q, &list.filter.agent_row);
	if (err < 0)
		goto out;
	err = q->c->ops->read(q->reader, &list.filter, list_gap, &list, msg);
out:
	return query_list_end(&list, err, answer);
}
