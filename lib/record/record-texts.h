/* SPDX-License-Identifier: ISC */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <protobuf-c/protobuf-c.h>

#include "lib/base/err.h"

/* ERR_MALFORMED when a text of a packed message, which unpacks, has a NUL in
 * it; msg names the field. */
int record_texts_check(const ProtobufCMessageDescriptor *message,
    const uint8_t *bytes, size_t len, struct errmsg *msg);
