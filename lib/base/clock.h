/* SPDX-License-Identifier: ISC */
/*
 * Kinds of time that never mix: struct monotime orders events and measures
 * intervals (never steps), struct walltime says when in UTC (steps when the
 * clock is set).  While the machine is suspended monotime stands still, so what
 * waits goes on where it was and nothing is missed; struct boottime goes on,
 * for what has its place in a day.  All count nanoseconds; being different
 * structs, adding one to the other does not compile.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "lib/base/err.h"

#define NS_PER_US INT64_C(1000)
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S INT64_C(1000000000)

struct monotime {
	int64_t ns;
};
struct boottime {
	int64_t ns;
};
struct walltime {
	int64_t ns; /* since 1970-01-01T00:00:00Z */
};

static inline struct monotime monotime_now(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (struct monotime){ (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec };
}

static inline struct monotime monotime_add(struct monotime t, int64_t ns)
{
	return (struct monotime){ t.ns + ns };
}

/* a - b in nanoseconds */
static inline int64_t monotime_diff(struct monotime a, struct monotime b)
{
	return a.ns - b.ns;
}

static inline bool monotime_before(struct monotime a, struct monotime b)
{
	return a.ns < b.ns;
}

static inline struct boottime boottime_now(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (struct boottime){ (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec };
}

static inline struct boottime boottime_add(struct boottime t, int64_t ns)
{
	return (struct boottime){ t.ns + ns };
}

static inline int64_t boottime_diff(struct boottime a, struct boottime b)
{
	return a.ns - b.ns;
}

static inline bool boottime_before(struct boottime a, struct boottime b)
{
	return a.ns < b.ns;
}

static inline struct walltime walltime_now(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_REALTIME, &ts);
	return (struct walltime){ (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec };
}

static inline struct walltime walltime_add(struct walltime t, int64_t ns)
{
	return (struct walltime){ t.ns + ns };
}

static inline int64_t walltime_diff(struct walltime a, struct walltime b)
{
	return a.ns - b.ns;
}

#define WALLTIME_TEXT_LEN 32 /* with the terminator */

/* "2026-11-22T01:59:05.123456789Z" into `to`, which it returns. */
const char *walltime_text(struct walltime t, char to[static WALLTIME_TEXT_LEN]);
/* RFC 3339 with 'T' or a space, any fraction of a second, and Z, +hh:mm or
 * nothing (UTC).  ERR_MALFORMED, or ERR_LIMIT outside 1678 to 2261. */
int walltime_parse(struct walltime *t, const char *text);
