/* SPDX-License-Identifier: ISC */
/*
 * Is a target being flooded from many (forged) sources?  No source of such a
 * flood shows it alone: each sends a packet or two.  So the sources that are
 * new are counted per target, protocol and port in windows of ten seconds,
 * in a small table where the busiest targets stay.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define METER_WINDOW_NS INT64_C(10000000000)
#define METER_FLOOD_SOURCES 1000 /* new ones in one window */

struct meter;
struct meter *meter_new(void);
void meter_free(struct meter *meter);

/* A number for a target, protocol and port; target is a hash. */
uint32_t meter_key(uint32_t target, uint8_t proto, uint16_t port);
/* A source that was not known has sent a probe there. */
void meter_note(struct meter *meter, uint32_t key, int64_t at_ns);
bool meter_is_flooded(const struct meter *meter, uint32_t key, int64_t at_ns);
