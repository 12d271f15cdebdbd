/* SPDX-License-Identifier: ISC */
/* Read-only connections: each used by one thread at a time, each with its own
 * snapshot from begin to end. */
#pragma once

#include "lib/base/err.h"

struct registry_reader;

int registry_reader_open(
    struct registry_reader **reader, const char *dir, struct errmsg *msg);
void registry_reader_close(struct registry_reader *reader);
int registry_reader_begin(struct registry_reader *reader, struct errmsg *msg);
void registry_reader_end(struct registry_reader *reader);
/* What the last read since begin failed of; NULL: none did. */
const char *registry_reader_error(const struct registry_reader *reader);
/* ERR_CORRUPT: it met damage. */
int registry_reader_fault(struct registry_reader *reader, struct errmsg *msg);
