/* SPDX-License-Identifier: ISC */
/* What detectors know of their subjects, over restarts. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

struct registry;
struct registry_reader;

struct registry_detector_state {
	const char *detector, *verdict, *signature;
	int64_t agent_row;
	int64_t next_s, last_s; /* the bin it waits for; with something in it */
	const void *bytes;
	size_t len;
};

/* All states of bins of this width are replaced: first clear, then add. */
int registry_detector_clear(
    struct registry *registry, uint32_t bin_s, struct errmsg *msg);
int registry_detector_add(struct registry *registry, uint32_t bin_s,
    const struct registry_detector_state *state, struct errmsg *msg);

typedef int registry_detector_fn(
    void *ctx, const struct registry_detector_state *state);
int registry_read_detectors(struct registry_reader *reader, uint32_t bin_s,
    registry_detector_fn *fn, void *ctx);
