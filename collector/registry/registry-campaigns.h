/* SPDX-License-Identifier: ISC */
/* What agents are asked to do. */
#pragma once

#include <stdint.h>

#include "lib/base/err.h"

struct registry;
struct registry_reader;

struct registry_campaign {
	int64_t row;
	uint8_t id[16];
	const char *script, *targets, *options, *on; /* the last three: JSON */
	int64_t every_s;                             /* 0: once */
	int64_t until_ns, created_ns, stopped_ns;    /* 0: none */
};

int registry_campaign_add(struct registry *registry,
    const struct registry_campaign *campaign, struct errmsg *msg);
/* ERR_NOT_FOUND; a stopped one stays as it is. */
int registry_campaign_stop(struct registry *registry, const uint8_t id[16],
    int64_t stopped_ns, struct errmsg *msg);

/* The newest first, below a row (0: from the top), up to limit (0: all); id
 * (NULL: any): only this one. */
typedef int registry_campaign_fn(
    void *ctx, const struct registry_campaign *campaign);
int registry_read_campaigns(struct registry_reader *reader,
    const uint8_t id[16], int64_t below_row, uint32_t limit,
    registry_campaign_fn *fn, void *ctx);
/* The revision of all work. */
int registry_read_revision(struct registry_reader *reader, uint64_t *revision);
