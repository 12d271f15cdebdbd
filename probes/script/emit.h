/* SPDX-License-Identifier: ISC */
/* Records on their way to the keeper. */
#pragma once

#include "probes/script/host-private.h"

/* Frames one record, or raises a Lua error.  mark: 0 or PRODUCER_PREVIEW. */
void record_frame(lua_State *L, Sonde__Record *record, uint32_t mark);
/* Writes what is gathered; the worker's last act too. */
int record_flush(struct host *host);
/* The frame_write_fn of a host's records. */
int record_write(void *host, const uint8_t *bytes, size_t len);
/* Memory for a record in the making, all zeros: good until the call from Lua
 * ends, and collected later.  A call that makes many records marks where it
 * begins, and resets to it when its record is packed: what it had is used again
 * then.  After an error nobody need reset. */
void *record_scratch(lua_State *L, size_t size);
const uint8_t *record_scratch_mark(lua_State *L);
void record_scratch_reset(lua_State *L, const uint8_t *mark);
