/* SPDX-License-Identifier: ISC */
/* First packets of sources, the newest first: what verdicts can be looked into
 * by. */
#include "collector/core/agent-table.h"
#include "collector/core/private.h"
#include "collector/query/query-list.h"
#include "lib/json/json-value.h"
#include "lib/record/record.h"

static json_t *evidence_json(
    const struct store_record *row, const Sonde__Evidence *e)
{
	struct addr src = addr_from_bytes(e->src.data, e->src.len);
	json_t *json = json_pack("{s:o, s:o, s:o, s:o, s:o, s:I}", "agent",
	    json_hex(row->agent, sizeof(row->agent)), "src", json_addr(&src),
	    "verdict", json_text(e->verdict), "signature",
	    json_text(e->signature), "rule", json_text(e->rule), "rule_version",
	    (json_int_t)e->rule_version);
	json_t *packet = json_pack("{s:o, s:I, s:o}", "captured_at",
	    json_time(e->packet_wall_ns), "size_bytes",
	    (json_int_t)e->size_bytes, "hex",
	    json_hex(e->packet.data, e->packet.len));
	json_object_update(json, packet);
	json_decref(packet);
	return json;
}

static int take_evidence(void *ctx, const struct store_row *from)
{
	const struct store_record *row = from->record;
	struct query_list *list = ctx;
	Sonde__Record *record;
	if (query_list_is_full(list))
		return 1;
	if (record_unpack(&record, row->body.data, row->body.len, NULL) < 0)
		return 0;
	query_list_add(list, evidence_json(row, record->evidence), row->wall_ns,
	    (int64_t)row->row);
	record_free(record);
	return 0;
}

int query_evidence(
    const struct query_context *context, json_t **answer, struct errmsg *msg)
{
	struct query_list list;
	int err = query_list_begin(&list, context, msg);
	if (err < 0)
		return err;
	struct query *q = &list.query;
	list.filter.table = STORE_RECORDS;
	list.filter.kinds[list.filter.kind_count++] =
	    SONDE__RECORD__BODY_EVIDENCE;
	err = query_range(q, &query_param_from, &list.filter.range);
	if (err < 0)
		goto out;
	err = query_agent_row(q, &list.filter.agent_row);
	if (err < 0)
		goto out;
	err = query_addr(q, &query_param_src, &list.filter.src);
	if (err < 0)
		goto out;
	err =
	    q->c->ops->read(q->reader, &list.filter, take_evidence, &list, msg);
out:
	return query_list_end(&list, err, answer);
}
