/* SPDX-License-Identifier: ISC */
/*
 * One script from one vantage point, or from several of a simulated network at
 * once: "sim:FILE@a,b" names them.  Records of the first are written as they
 * come; those of the others are kept until the ones before have ended, so that
 * what is printed does not depend on which was faster.
 */
#pragma once

#include <stdio.h>

#include "lib/formats/format.h"
#include "probes/cli/target-feed.h"
#include "probes/script/launch.h"

#define VANTAGE_RUNS_MAX 32

struct vantage_run {
	char *name;    /* owned, for messages: "ping", or "ping@a" of several */
	char *vantage; /* owned; NULL: the network's own */
	char *spec;    /* owned, of the network with this one; may be NULL */
	struct target_feed feed;
	bool records, log; /* may still come */
	FILE *kept;        /* records that wait; NULL: none */
	bool titled;       /* it is one of several, */
	size_t number;     /* this one, from 0 */
};

struct vantage_runs {
	size_t count;
	struct vantage_run *all; /* owned */
	struct launch *launches; /* owned, of each */
};

/* The runs that a spec names; from zeros.  ERR_USAGE, ERR_LIMIT: the names are
 * wrong, or too many. */
int vantage_runs_open(struct vantage_runs *runs, const char *script,
    const struct net_ops *net, const char *spec, struct errmsg *msg);
void vantage_runs_fini(struct vantage_runs *runs);

/* Can each of several read the file of targets from its beginning? */
bool vantage_runs_can_read(const char *path);

/* What to wait for: of each run its records, its log, and TARGET_FEED_FDS.
 * False: nothing more comes. */
bool vantage_runs_wants(const struct vantage_runs *runs, struct pollfd *p);

/* Keeps a record, and gives all that were kept, in order. */
int vantage_run_keep(struct vantage_run *run, const uint8_t *bytes, size_t len,
    struct errmsg *msg);
typedef void vantage_record_fn(void *arg, const uint8_t *bytes, size_t len);
int vantage_run_replay(struct vantage_run *run, vantage_record_fn *fn,
    void *arg, struct errmsg *msg);
/* In text, a line that says whose the following is. */
void vantage_run_title(
    const struct vantage_run *run, const struct format_ops *format);
