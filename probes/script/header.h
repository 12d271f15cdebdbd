/* SPDX-License-Identifier: ISC */
/* A script's header on its way out of the process that ran it. */
#pragma once

#include "probes/script/host-private.h"

/* In the child: the table on top of the stack as bytes. */
int header_write(lua_State *L, struct buf *to, struct errmsg *msg);
/* In the parent, from bytes that a script may have made up. */
int header_read(struct script *script, const uint8_t *bytes, size_t len,
    struct errmsg *msg);
