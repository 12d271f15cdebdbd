/* SPDX-License-Identifier: ISC */
/* What happened, one line each, with ids that only grow. */
#pragma once

#include <stdint.h>

#include "lib/base/err.h"

struct registry;
struct registry_reader;

struct registry_event {
	int64_t id, at_ns;
	const char *type, *data;
};

/* Sets event->id, above all before it. */
int registry_event_add(struct registry *registry, struct registry_event *event,
    struct errmsg *msg);

/* Oldest first, ids above `after`, up to limit. */
typedef int registry_event_fn(void *ctx, const struct registry_event *event);
int registry_read_events(struct registry_reader *reader, int64_t after,
    uint32_t limit, registry_event_fn *fn, void *ctx);
/* The oldest event kept and the newest made. */
int registry_event_range(
    struct registry_reader *reader, int64_t *oldest, int64_t *newest);
