/* SPDX-License-Identifier: ISC */
/*
 * What the collector wants this agent to do: the answer of GET /api/v1/work,
 * read with every value checked, because a collector may be hostile.  Targets
 * are numeric: an agent resolves no names for others.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/clock.h"
#include "lib/base/err.h"

#define WORKLIST_MAX_BYTES (1u << 20)
#define WORKLIST_MAX_CAMPAIGNS 256
#define WORKLIST_MAX_ARGUMENTS 320
#define WORKLIST_MAX_ARGUMENT_LEN 255
#define WORKLIST_MAX_ARGUMENT_BYTES 14000 /* all of one campaign */
#define WORKLIST_SCRIPT_LEN 33            /* with the terminator */

struct campaign {
	uint8_t id[16];
	char script[WORKLIST_SCRIPT_LEN];
	int64_t every_ns; /* 0: once */
	struct walltime started_at;
	struct walltime until; /* 0: no end */
	char **arguments;      /* owned: options, then targets */
	size_t argument_count;
};

struct worklist {
	uint64_t revision;
	struct walltime now;        /* the collector's, 0 when it gives none */
	struct campaign *campaigns; /* owned */
	size_t count;
	size_t refused;    /* campaigns that failed a check */
	struct errmsg why; /* of the last one refused */
};

/* A list that is not one at all is ERR_MALFORMED or ERR_LIMIT; a campaign
 * that fails a check is left out and counted. */
int worklist_parse(
    struct worklist **list, const void *json, size_t len, struct errmsg *msg);
void worklist_free(struct worklist *list);

/* Letters, digits and dashes: the name of a shipped script, never a path. */
bool worklist_script_is_valid(const char *name);
/* Printable ASCII of a bounded length. */
bool worklist_argument_is_valid(const char *argument);
