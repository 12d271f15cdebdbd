/* SPDX-License-Identifier: ISC */
/* What detectors found. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

struct registry;
struct registry_reader;

enum alarm_direction { ALARM_RISE, ALARM_FALL };

struct registry_alarm {
	int64_t row; /* 0: a new one */
	const char *detector;
	const char *verdict, *signature; /* of the series; "": none */
	int64_t agent_row;               /* 0: all agents together */
	uint8_t agent[16];               /* filled when read; row 0: zeros */
	uint32_t bin_s;
	enum alarm_direction direction;
	int64_t onset_ns, detected_ns, ended_ns; /* ended 0: still on */
	double observed, expected, run_length;
	const char *test;
	/* Filled when read: the fleet's alarm that an agent's is a part of
	 * (0: none), and the hex ids of the agents whose alarms are parts of
	 * this one, commas between (NULL: none). */
	int64_t within_row;
	const char *agents;
};

/* Adds (row 0, set) or updates. */
int registry_alarm_put(struct registry *registry, struct registry_alarm *alarm,
    struct errmsg *msg);

/* Those that were on at some time of a range.  agent_row -1: any; texts NULL:
 * any; the newest onset first, below the cursor (row 0: from the top), up to
 * limit (0: all). */
struct registry_alarm_filter {
	int64_t from_ns, to_ns;
	int64_t agent_row;
	const char *verdict, *signature;
	int64_t cursor_ns, cursor_row;
	uint32_t limit;
};
typedef int registry_alarm_fn(void *ctx, const struct registry_alarm *alarm);
int registry_read_alarms(struct registry_reader *reader,
    const struct registry_alarm_filter *filter, registry_alarm_fn *fn,
    void *ctx);
