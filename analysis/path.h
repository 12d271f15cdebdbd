/* SPDX-License-Identifier: ISC */
/*
 * Traces of one path, summed up.  The path is who, to whom, and which
 * addresses answered at which distance; a minute, an hour or a day of traces
 * along it is a few counts and a histogram a hop.  So a map is drawn from
 * some thousand rows, not from millions of traces, and by the same code
 * (analysis/topology.h).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analysis/topology.h"
#include "lib/sketch/histogram.h"
#include "lib/base/addr.h"
#include "lib/base/buf.h"
#include "lib/record/record.pb-c.h"

#define PATH_DIGEST_LEN 16
#define PATH_MAX_HOPS 255

struct path_hop {
	struct addr from; /* family 0: no answer */
	uint8_t ttl;
	bool destination, mpls;
	bool rejects;                     /* it says no for the target: */
	uint8_t reject_type, reject_code; /* ICMP, of the target's family */
	uint64_t probes, replies;
	int64_t rtt_min_ns;   /* -1: none */
	struct histogram rtt; /* of the smallest of each trace */
};

struct path {
	struct addr src, dst;
	struct path_hop *hops; /* owned; ttl ascending without holes */
	size_t hop_count;
	uint64_t traces, reached;
	int64_t first_ns, last_ns;
};

/* One trace.  Attempts are summed by distance; of several that answered there
 * the one with most replies stands for the hop.  Hops beyond the target are
 * left out. */
void path_from_trace(
    struct path *path, const Sonde__Trace *trace, int64_t wall_ns);
void path_fini(struct path *path);
void path_copy(struct path *to, const struct path *from);

/* What makes it this path, as bytes, and their hash with src and dst. */
void path_write_hops(const struct path *path, struct buf *to);
void path_digest(const struct path *path, uint8_t digest[PATH_DIGEST_LEN]);
/* The sums, as bytes. */
void path_write_sums(const struct path *path, struct buf *to);
/* The same with the sums in `held` (of the same hops) added, which are not
 * unpacked on the way.  ERR_CORRUPT: they cannot be read. */
int path_write_sums_with(
    const struct path *path, const void *held, size_t held_len, struct buf *to);

/* From both; path must be empty but for src, dst, traces, reached and the
 * times, which the store keeps beside.  ERR_CORRUPT. */
int path_read(struct path *path, const void *hops, size_t hops_len,
    const void *sums, size_t sums_len);

/* The hops alone, without sums.  ERR_CORRUPT. */
int path_read_hops(struct path *path, const void *hops, size_t hops_len);

/* Gives sums that came without their hops what the hops are: addresses,
 * distances, targets.  Of more hops on one side, the rest is as it was. */
void path_take_hops(struct path *path, const struct path *hops);

/* Adds the sums of another one with the same hops. */
void path_merge(struct path *to, const struct path *from);
/* Adds `from` to `to` when it is the same path with some hops silent (their
 * answers were lost): then the lost probes count where they were lost. */
bool path_absorb(struct path *to, const struct path *from);

/* What a topology takes; hops has room for hop_count.  Borrows both. */
void path_as_trace(const struct path *path, struct topology_hop *hops,
    struct topology_trace *trace);
