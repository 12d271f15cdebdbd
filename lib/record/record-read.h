/* SPDX-License-Identifier: ISC */
/* The quick way from bytes to a record, for lib/record/record.c alone. */
#pragma once

#include "lib/base/arena.h"
#include "lib/record/record.h"

/* A checked record in the arena's memory, the same that protobuf-c unpacks, or
 * NULL: the bytes are not as record_pack writes them, or they are wrong, or
 * nothing is known of them here; ask protobuf-c.  Octets point into `bytes`. */
Sonde__Record *record_read(
    struct arena *arena, const uint8_t *bytes, size_t len);
