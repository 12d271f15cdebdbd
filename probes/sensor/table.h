/* SPDX-License-Identifier: ISC */
/*
 * Everything the sensor remembers, in bounded memory: sources, and for each
 * its packets by class, signature, protocol and port.  Takes memory as it
 * needs it, up to max_sources; then the source that was silent longest gives
 * its findings and is evicted.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/addr.h"
#include "lib/base/clock.h"
#include "probes/sensor/detect/detector.h"
#include "probes/sensor/finding.h"

struct payloads;

#define TABLE_SOURCES_MAX (1 << 20) /* SENSOR_SOURCES_MAX too */

struct table_config {
	uint32_t max_sources;      /* 1..TABLE_SOURCES_MAX */
	uint32_t max_counters;     /* sources with more than a few targets */
	uint64_t key;              /* secret; hashes depend on it */
	bool per_port;             /* a finding per port, not per class */
	uint32_t first_sights;     /* a second; 0: all wait for the flush */
	struct payloads *payloads; /* borrowed */
	finding_fn *finding;       /* gets each finding */
	void *arg;
};

struct table;
struct table *table_new(const struct table_config *config);
void table_free(struct table *table);

/* One packet, with what is worked out before the table is looked at. */
struct table_entry {
	struct packet packet;
	struct reading reading;
	struct walltime at;
	uint32_t source, target; /* hashes of its addresses */
	uint32_t guess;          /* the table's own, from step to step */
};
/* Fills the hashes. */
void table_prepare(const struct table *table, struct table_entry *entry);

/* Brings nearer, into the cache, what table_add will need: each step one link
 * further. */
#define TABLE_STEPS 4
void table_fetch(
    const struct table *table, struct table_entry *entry, int step);

/* Counts a packet in; may give findings of sources that are evicted. */
void table_add(struct table *table, const struct table_entry *entry);
/* A host that is watched has answered this source, if it is known. */
void table_answered(struct table *table, const struct addr *src);
/* Gives every finding and starts a new interval. */
void table_flush(struct table *table);
/* The same for some sources at a time, packets in between: a packet of a
 * source that had its turn counts for the new interval, of the others for the
 * old one.  True while there is more; then call it again. */
bool table_flush_some(struct table *table, uint32_t sources);
/* Forgets sources that were last seen before; right after a flush. */
void table_expire(struct table *table, struct walltime before);

struct table_stats {
	uint32_t sources; /* now */
	uint64_t
	    sources_ever; /* one that was evicted and came back counts twice */
	uint64_t evicted;
	uint64_t first_sights_deferred; /* to their interval's end */
};
struct table_stats table_stats(const struct table *table);
