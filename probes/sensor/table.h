/* SPDX-License-Identifier: ISC */
/*
 * Everything the sensor remembers, in bounded memory: sources, what became of
 * their contacts, and for each source its packets by class, signature, protocol
 * and port.  A source is an IPv4 address or an IPv6 /64.  Takes memory as it
 * needs it, up to a stated size; then the source that matters least gives its
 * findings and is evicted.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/addr.h"
#include "lib/base/clock.h"
#include "probes/sensor/detect/detector.h"
#include "probes/sensor/finding.h"

struct contact;
struct payloads;

#define TABLE_SOURCES_MAX (1 << 20) /* SENSOR_SOURCES_MAX too */
#define TABLE_MEMORY_LEAST ((size_t)1 << 20)

struct table_config {
	uint32_t max_sources;      /* 1..TABLE_SOURCES_MAX; 0: what fits */
	size_t memory;             /* octets of all tables together */
	uint64_t key;              /* secret; hashes depend on it */
	double budget;             /* innocent sources accused a day; 0: 0.1 */
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
	bool from_home, to_home;
	uint32_t source, target; /* hashes: the source's unit, the address */
	uint64_t asked;          /* hash of the contact that it may begin */
	uint64_t answered;       /* ... or answer */
	uint32_t guess;          /* the table's own, from step to step, as */
	struct contact *found;   /* this one */
};
/* Fills the hashes. */
void table_prepare(const struct table *table, struct table_entry *entry);

/* Brings nearer, into the cache, what table_add will need: each step one link
 * further, when the one before has arrived. */
#define TABLE_STEPS 4
void table_fetch(
    const struct table *table, struct table_entry *entry, int step);
/* All steps, each for another packet: steps[n] takes step n. */
void table_fetch_all(const struct table *table,
    struct table_entry *const steps[static TABLE_STEPS]);

enum table_outcome {
	TABLE_COUNTED, /* for its source */
	TABLE_HOME,    /* sent by a monitored host: makes contacts only */
	TABLE_REPLY,   /* to what a monitored host sent */
	TABLE_OUTCOMES
};
/* Counts a packet in; may give findings of sources that are evicted. */
enum table_outcome table_add(
    struct table *table, const struct table_entry *entry);
/* Gives every finding and starts a new interval. */
void table_flush(struct table *table);
/* The same for some sources at a time, packets in between: a packet of a
 * source that had its turn counts for the new interval, of the others for the
 * old one.  True while there is more; then call it again. */
bool table_flush_some(struct table *table, uint32_t sources);
/* Forgets sources that were last seen before; right after a flush. */
void table_expire(struct table *table, struct walltime before);

struct table_stats {
	uint32_t sources;      /* now */
	uint64_t sources_ever; /* distinct; estimated once some were evicted
				  (standard error 1.6 %) */
	uint64_t evicted;
	uint64_t contacts;              /* now */
	uint64_t contacts_forgotten;    /* for want of room */
	uint64_t first_sights_deferred; /* to their interval's end */
};
struct table_stats table_stats(const struct table *table);
