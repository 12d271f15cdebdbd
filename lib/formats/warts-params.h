/* SPDX-License-Identifier: ISC */
/*
 * The parameters of an object in a warts file: flags, two octets of length, and
 * the parameters whose flag is set, in the order of their numbers (from 1).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/record/record.h"

enum { WARTS_FLAG_OCTETS = 5 };

struct warts_params {
	uint8_t flags[WARTS_FLAG_OCTETS];
	struct buf body;
};

/* Each appends the parameter of that number, higher than the last one's; values
 * beyond the field are its largest.  warts_param: what the caller writes into
 * the buffer. */
struct buf *warts_param(struct warts_params *p, unsigned number);
void warts_u8(struct warts_params *p, unsigned number, uint32_t value);
void warts_u16(struct warts_params *p, unsigned number, uint32_t value);
void warts_u32(struct warts_params *p, unsigned number, uint32_t value);
void warts_time(struct warts_params *p, unsigned number, int64_t wall_ns);
void warts_rtt(struct warts_params *p, unsigned number, uint64_t ns);
/* Spelled out each time, never as a reference to an earlier one. */
void warts_address(struct warts_params *p, unsigned number,
    const ProtobufCBinaryData *address);
/* Where nothing was sent, from nowhere: readers cannot do without. */
void warts_source(struct warts_params *p, unsigned number,
    const ProtobufCBinaryData *address, size_t len);
/* Appends all to `to` and ends them. */
void warts_end(struct warts_params *p, struct buf *to);
