/* SPDX-License-Identifier: ISC */
/* A collector that does what a test tells it, for tests of the HTTP face. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collector/ingest/ingest.h"

struct collector; /* what web_start gets: fake_collector() */
struct collector *fake_collector(void);
void fake_reset(void);

void fake_add_event(const char *type, const char *data); /* any thread */
void fake_drop_events_before(uint64_t id);
void fake_set_revision(uint64_t revision);
/* The next batch gets this answer, from another thread, when released. */
void fake_ingest_answer(enum ingest_result result, bool at_once);
void fake_ingest_release(void);
size_t fake_ingests_held(void);
/* What collector_fault says from now on; borrowed, NULL: none. */
void fake_set_fault(const char *fault);
/* /api/v1/agents waits until it is let go: a question that blocks. */
void fake_block_queries(bool block);
size_t fake_queries_blocked(void);
