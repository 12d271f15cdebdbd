/* SPDX-License-Identifier: ISC */
/*
 * What to ship next, and what the collector's answer means: the shipper
 * without its network.  Moves forward only by the collector's committed
 * watermark; never sends what the keeper has not synced.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/err.h"
#include "probes/ipc/keeper-message.h"

#define SHIPPING_RAW_BYTES (256u << 10) /* of records in one batch */
#define SHIPPING_COUNT 4096u
#define SHIPPING_GENERATION_LEN 65

struct shipping;

int shipping_new(struct shipping **shipping, const char *spool_dir,
    const uint8_t agent[static 16], const uint8_t secret_key[static 64],
    struct errmsg *msg);
void shipping_free(struct shipping *shipping);

/* How far the spool is synced, from the keeper. */
void shipping_mark(struct shipping *shipping, const struct ship_mark *mark);

/* Seals the next batch into body (cleared first).  ERR_EOF: nothing to ship
 * until the next mark. */
int shipping_seal(
    struct shipping *shipping, struct buf *body, struct errmsg *msg);

/* What the collector's answer to the last sealed batch asks for. */
enum shipping_next {
	SHIPPING_GO_ON, /* seal the next one */
	SHIPPING_RETRY, /* after a backoff */
	SHIPPING_WAIT   /* after retry_after_s, then a backoff */
};
struct shipping_outcome {
	enum shipping_next next;
	int64_t retry_after_s;
	struct ship_order orders[2]; /* for the keeper */
	size_t order_count;
	struct errmsg trouble; /* for the log; empty: none */
};
/* status 0: no answer at all.  retry_after_s: of the header, or -1. */
void shipping_answer(struct shipping *shipping, long status, const void *body,
    size_t len, int64_t retry_after_s, struct shipping_outcome *outcome);

/* The answer's JSON, read with distrust.  What is absent is 0 or empty. */
struct shipping_reply {
	char result[32], code[32], generation[SHIPPING_GENERATION_LEN];
	char server_time[WALLTIME_TEXT_LEN];
	uint64_t epoch, next, expected;
	bool has_next, has_expected;
};
int shipping_parse(struct shipping_reply *reply, const void *body, size_t len,
    struct errmsg *msg);
