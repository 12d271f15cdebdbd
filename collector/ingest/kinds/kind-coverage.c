/* SPDX-License-Identifier: ISC */
/* Coverage: when a sensor watched, for the series; and what it says of each
 * interface now, for who asks whether it is awake. */
#include <string.h>

#include "collector/core/agent-table.h"
#include "collector/core/private.h"
#include "collector/ingest/kinds/ingest-kind.h"
#include "collector/registry/registry-coverage.h"

#define NAME_MAX_LEN 64
#define WHY_MAX_LEN 120
/* Twice the longest span, and a little more. */
#define FORGET_NS (180 * NS_PER_S)

static bool is_printable(const char *text, size_t most)
{
	size_t len = strlen(text);
	for (size_t i = 0; i < len; i++)
		if (text[i] < ' ' || text[i] > '~')
			return false;
	return len <= most;
}

static int prepare_coverage(
    struct prepared_record *to, const Sonde__Record *record, struct errmsg *msg)
{
	const Sonde__Coverage *c = record->coverage;
	(void)to;
	(void)msg;
	return c->interface[0] && is_printable(c->interface, NAME_MAX_LEN) &&
	    is_printable(c->state, NAME_MAX_LEN) &&
	    is_printable(c->why, WHY_MAX_LEN) && c->first_wall_ns >= 0 &&
	    c->first_wall_ns <= c->last_wall_ns;
}

static int keep_coverage(const struct announcement *a,
    const Sonde__Coverage *span, struct errmsg *msg)
{
	struct registry *registry = a->collector->registry;
	const struct registry_coverage coverage = {
		.agent_row = a->agent->row,
		.interface = span->interface,
		.state = span->state,
		.why = span->why,
		.since_ns = span->since_wall_ns,
		.last_ns = span->last_wall_ns,
		.heard_ns = collector_wall(a->collector).ns,
		.ring_bytes = span->ring_bytes,
	};
	if (strcmp(span->state, "ended") == 0)
		return registry_coverage_remove(
		    registry, a->agent->row, span->interface, msg);
	return registry_coverage_put(registry, &coverage, FORGET_NS, msg);
}

/* Of each interface the newest span of the batch is enough. */
static bool is_newest(const struct announcement *a, uint32_t index)
{
	const struct prepared_record *records = a->batch->records;
	const char *interface = records[index].record->coverage->interface;
	for (uint32_t i = index + 1; i < a->batch->header.count; i++)
		if (records[i].kind == SONDE__RECORD__BODY_COVERAGE &&
		    records[i].record &&
		    strcmp(records[i].record->coverage->interface, interface) ==
			0)
			return false;
	return true;
}

static int announce_coverage(const struct announcement *a, struct errmsg *msg)
{
	agents_report_coverage(a->collector, a->agent->id);
	for (uint32_t i = a->outcome->first_new; i < a->batch->header.count;
	     i++) {
		const struct prepared_record *record = &a->batch->records[i];
		if (record->kind != SONDE__RECORD__BODY_COVERAGE ||
		    !record->record || !is_newest(a, i))
			continue;
		int err = keep_coverage(a, record->record->coverage, msg);
		if (err < 0)
			return err;
	}
	return ERR_OK;
}

const struct ingest_kind ingest_coverage = {
	.prepare = prepare_coverage,
	.announce = announce_coverage,
};
