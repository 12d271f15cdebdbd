/* SPDX-License-Identifier: ISC */
/*
 * Results of scripts at the door of the spool.  A collector refuses a batch
 * with a schema or a row that lies, and an agent cannot take a record back
 * that has a number; so both are checked before they get one, as strictly as
 * there.  A schema is stored once an epoch, and again after a day, for a
 * collector that was restored from a copy.
 */
#include "lib/base/log.h"
#include "probes/agent/keeper/keeper-results.h"
#include "lib/record/result-row.h"

#define ANNOUNCE_NS (86400 * NS_PER_S)

/* 1: it is in the spool already. */
static int take_schema(struct keeper_schemas *s, uint64_t epoch,
    const Sonde__ResultSchema *schema, struct errmsg *msg)
{
	int known = result_catalog_add(&s->catalog, schema, msg);
	if (known < 0)
		return known;
	size_t i = 0;
	const struct result_schema *found = result_catalog_find(
	    &s->catalog, schema->hash.data, schema->hash.len);
	while (i < s->catalog.count && s->catalog.schemas[i] != found)
		i++;
	if (i == s->catalog.count)
		return err_set(
		    msg, ERR_MALFORMED, "result schema: hash: expected one");
	struct monotime now = monotime_now();
	if (known && s->stored[i].epoch == epoch &&
	    monotime_diff(now, s->stored[i].at) < ANNOUNCE_NS)
		return 1;
	s->stored[i].epoch = epoch;
	s->stored[i].at = now;
	return 0;
}

int keeper_check_result(
    struct keeper *k, const Sonde__Record *record, struct errmsg *msg)
{
	struct keeper_schemas *s = &k->schemas;
	struct spool_stats stats;
	if (record->body_case == SONDE__RECORD__BODY_RESULT_SCHEMA) {
		spool_stats(k->spool, &stats);
		return take_schema(s, stats.epoch, record->result_schema, msg);
	}
	if (record->body_case != SONDE__RECORD__BODY_RESULT)
		return 0;
	const Sonde__Result *row = record->result;
	const struct result_schema *schema =
	    result_catalog_find(&s->catalog, row->hash.data, row->hash.len);
	if (schema)
		return result_check(schema, row, msg);
	/* Its script announced it to a keeper that has died since. */
	if (!s->dropped++)
		log_warn("results whose schema is not known are dropped until "
			 "their script runs again");
	return ERR_NOT_FOUND;
}
