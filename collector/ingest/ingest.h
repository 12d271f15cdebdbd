/* SPDX-License-Identifier: ISC */
/*
 * Batches in, exactly once.  The caller's thread checks form, key, signature
 * and every record; the writer's thread inserts, many batches in one
 * transaction, and answers after COMMIT.  A batch that is refused changes
 * nothing.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "collector/core/stats.h"
#include "lib/base/addr.h"
#include "lib/base/err.h"

struct ingest_answer {
	enum ingest_result result;
	uint64_t epoch, next;   /* stored, duplicate, gap: the watermark */
	uint32_t retry_after_s; /* busy */
	struct errmsg detail;   /* one human line when refused */
};

/* "stored", "gap", "too-big", ...: the `result` or `code` of the answer. */
const char *ingest_result_name(enum ingest_result result);
/* 200, 400, 401, 409, 413 or 503. */
int ingest_result_status(enum ingest_result result);

/* body is borrowed for the call.  done is called exactly once: before this
 * returns when the batch is refused here, else from the writer's thread. */
typedef void ingest_done(void *ctx, const struct ingest_answer *answer);
void collector_ingest(struct collector *collector, const void *body, size_t len,
    ingest_done *done, void *ctx);
/* The same, from an agent at this address. */
void collector_ingest_from(struct collector *collector, const struct addr *peer,
    const void *body, size_t len, ingest_done *done, void *ctx);

/* For struct store_config's `replayed`; ctx: the collector, whose registry is
 * open. */
struct prepared_batch;
struct store_outcome;
void ingest_replayed(void *ctx, const struct prepared_batch *batch,
    const struct store_outcome *outcome);
