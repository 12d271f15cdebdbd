/* SPDX-License-Identifier: ISC */
/* Agents in memory: who they are and when we heard of them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <jansson.h>

#include "collector/core/part.h"

#define AGENT_ID_LEN 16
#define AGENT_NAME_MAX 64
#define AGENT_TAGS_MAX 32

enum agent_state { AGENT_NEW, AGENT_UP, AGENT_LATE, AGENT_GONE, AGENT_STATES };
const char *agent_state_name(enum agent_state state); /* "up", ... */

struct agent {
	int64_t row;
	uint8_t id[AGENT_ID_LEN], key[32];
	char name[AGENT_NAME_MAX + 1];
	const json_t *tags; /* borrowed, never changes */
	enum agent_state state;
	int64_t enrolled_ns;
	int64_t seen_wall_ns;  /* 0: never */
	bool reports_coverage; /* its sensor says itself when it is blind */
};
/* tags is consumed. */
void agents_add(
    struct collector *collector, const struct agent *agent, json_t *tags);
bool agents_find(
    struct collector *collector, const uint8_t *id, struct agent *agent);
/* By the registry's number. */
bool agents_find_row(
    struct collector *collector, int64_t row, struct agent *agent);
/* A copy of all of them, by row; the caller frees. */
size_t agents_list(struct collector *collector, struct agent **agents);
void agents_contact(struct collector *collector, const uint8_t *id);
/* It has sent records of coverage. */
void agents_report_coverage(struct collector *collector, const uint8_t *id);
/* True when no trouble of this agent was announced in the last ten minutes;
 * then it counts as announced. */
bool agents_trouble_is_news(struct collector *collector, const uint8_t *id);
/* The next agent whose state is not what it was; it is from then on. */
bool agents_next_change(struct collector *collector, struct agent *agent);
/* The next agent whose last contact is not in the store; it is from then
 * on. */
bool agents_next_unsaved(struct collector *collector, struct agent *agent);

extern const struct part agents_part;
