/* SPDX-License-Identifier: ISC */
/*
 * Sightings: rows and counts by minute, hour and day.  An outbreak is
 * thousands of new sources, so a batch names a few of each signature and
 * counts the rest.  A sighting may be of several sources that the agent could
 * not keep apart: packets without a name.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "collector/core/agent-table.h"
#include "collector/core/event-log.h"
#include "collector/ingest/kinds/announce.h"
#include "collector/ingest/kinds/ingest-kind.h"
#include "lib/json/json-value.h"

#define NAME_MAX_LEN 64
#define NAMED_SOURCES 5
#define SIGNATURES_MOST 8

static bool sighting_is_useful(const Sonde__Sighting *sighting)
{
	return (sighting->src.len > 0 || sighting->sources > 0) &&
	    strlen(sighting->verdict) <= NAME_MAX_LEN &&
	    strlen(sighting->signature) <= NAME_MAX_LEN &&
	    sighting->packets <= INT32_MAX && sighting->proto <= 255 &&
	    sighting->dport <= 65535;
}

static int prepare_sighting(
    struct prepared_record *to, const Sonde__Record *record, struct errmsg *msg)
{
	const Sonde__Sighting *sighting = record->sighting;
	(void)msg;
	to->src = addr_from_bytes(sighting->src.data, sighting->src.len);
	return sighting_is_useful(sighting);
}

static int announce_source(const struct announcement *a,
    const Sonde__Sighting *sighting, struct errmsg *msg)
{
	char text[300], src[ADDR_TEXT_LEN] = "?";
	struct addr addr =
	    addr_from_bytes(sighting->src.data, sighting->src.len);
	addr_text(&addr, src);
	snprintf(text, sizeof(text), "%s: first %s from %s", a->agent->name,
	    sighting->signature, src);
	json_t *fields = announce_fields(a->agent);
	json_object_set_new(fields, "src", json_addr(&addr));
	json_object_set_new(fields, "verdict", json_text(sighting->verdict));
	json_object_set_new(
	    fields, "signature", json_text(sighting->signature));
	json_object_set_new(fields, "sources", json_integer(1));
	return event_log_add(a->collector, "sighting", text, fields, msg);
}

static int announce_more(const struct announcement *a,
    const Sonde__Sighting *like, uint32_t more, struct errmsg *msg)
{
	char text[300];
	snprintf(text, sizeof(text), "%s: %u more new sources of %s",
	    a->agent->name, more, like->signature);
	json_t *fields = announce_fields(a->agent);
	json_object_set_new(fields, "src", json_null());
	json_object_set_new(fields, "verdict", json_text(like->verdict));
	json_object_set_new(fields, "signature", json_text(like->signature));
	json_object_set_new(fields, "sources", json_integer(more));
	return event_log_add(a->collector, "sighting", text, fields, msg);
}

struct source_sum {
	const Sonde__Sighting *like;
	uint32_t count;
};

static struct source_sum *source_slot(
    struct source_sum *sums, size_t *count, const Sonde__Sighting *sighting)
{
	for (size_t i = 0; i < *count; i++)
		if (strcmp(sums[i].like->signature, sighting->signature) == 0)
			return &sums[i];
	if (*count == SIGNATURES_MOST)
		return NULL;
	sums[*count].like = sighting;
	return &sums[(*count)++];
}

static int announce_unnamed_one(const struct announcement *a,
    const Sonde__Sighting *sighting, struct errmsg *msg)
{
	char text[300];
	snprintf(text, sizeof(text),
	    "%s: %" PRIu64 " packets of %s from at least %u sources that are "
	    "not named",
	    a->agent->name, sighting->packets, sighting->signature,
	    sighting->sources);
	json_t *fields = announce_fields(a->agent);
	json_object_set_new(fields, "src", json_null());
	json_object_set_new(fields, "verdict", json_text(sighting->verdict));
	json_object_set_new(
	    fields, "signature", json_text(sighting->signature));
	json_object_set_new(fields, "sources", json_integer(sighting->sources));
	return event_log_add(a->collector, "sighting", text, fields, msg);
}

/* The agent sends one for each signature and port in an interval. */
static int announce_unnamed(const struct announcement *a, struct errmsg *msg)
{
	int most = SIGNATURES_MOST;
	for (uint32_t i = a->outcome->first_new;
	     i < a->batch->header.count && most > 0; i++) {
		const struct prepared_record *record = &a->batch->records[i];
		if (record->kind != SONDE__RECORD__BODY_SIGHTING ||
		    !record->record || record->src.family != 0 ||
		    record->record->sighting->signature[0] == '\0')
			continue;
		most--;
		int err =
		    announce_unnamed_one(a, record->record->sighting, msg);
		if (err < 0)
			return err;
	}
	return ERR_OK;
}

static int announce_sightings(const struct announcement *a, struct errmsg *msg)
{
	struct source_sum sums[SIGNATURES_MOST] = { 0 };
	size_t count = 0;
	int err;
	for (size_t i = 0; i < a->outcome->new_source_count; i++) {
		const Sonde__Sighting *sighting =
		    a->batch->records[a->outcome->new_sources[i]]
			.record->sighting;
		if (sighting->signature[0] == '\0')
			continue;
		struct source_sum *sum = source_slot(sums, &count, sighting);
		if (!sum || ++sum->count > NAMED_SOURCES)
			continue;
		err = announce_source(a, sighting, msg);
		if (err < 0)
			return err;
	}
	for (size_t i = 0; i < count; i++) {
		if (sums[i].count <= NAMED_SOURCES)
			continue;
		err = announce_more(
		    a, sums[i].like, sums[i].count - NAMED_SOURCES, msg);
		if (err < 0)
			return err;
	}
	return announce_unnamed(a, msg);
}

const struct ingest_kind ingest_sighting = {
	.prepare = prepare_sighting,
	.announce = announce_sightings,
};
