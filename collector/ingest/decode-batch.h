/* SPDX-License-Identifier: ISC */
/* From the bytes that an agent sent to a prepared batch, in the caller's
 * thread. */
#pragma once

#include "collector/store/prepared-batch.h"
#include "lib/base/err.h"

/* ERR_SIGNATURE, ERR_LIMIT (a bomb: PREPARED_MAX_BYTES), or ERR_MALFORMED and
 * its like with the record and field in msg. */
int decode_batch(struct prepared_batch **batch,
    const struct batch_header *header, const void *body, size_t len,
    const uint8_t public_key[32], struct errmsg *msg);
