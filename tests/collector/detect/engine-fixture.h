/* SPDX-License-Identifier: ISC */
/* A collector with one agent whose series are judged by the minute. */
#pragma once

#include "tests/collector/fixture.h"

#define ENGINE_BIN_NS (60 * NS_PER_S)

extern struct synth engine_agent;
extern int64_t engine_started_ns; /* the agent */

int engine_setup(void **state);
int engine_teardown(void **state);
/* One minute: so many sources are seen, the clock goes on. */
void engine_minute(struct fixture *f, unsigned sources, bool heartbeat);
void engine_judge(struct fixture *f);
/* Minutes of noise. */
void engine_calm(struct fixture *f, int minutes);
int64_t engine_count_alarms(struct fixture *f, const char *where);
