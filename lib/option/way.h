/* SPDX-License-Identifier: ISC */
/*
 * The way that probes leave by, as it is chosen in text: a device, a source, a
 * mark.  Collector and agent both parse it here, so that a collector accepts
 * what agents do.  Messages say what was expected and got, not of which option.
 */
#pragma once

#include <stdint.h>

#include "lib/base/addr.h"
#include "lib/base/err.h"

/* A name that a device can have; whether there is one is the host's to know. */
int way_read_device(
    char to[static ADDR_ZONE_LEN], const char *text, struct errmsg *msg);
/* An address into its place, IPv4 or IPv6; one of a family (0: none yet). */
int way_read_source(
    struct addr sources[static 2], const char *text, struct errmsg *msg);
/* Decimal, or hexadecimal behind 0x as `ip rule` prints it; 0: none. */
int way_read_mark(uint32_t *mark, const char *text, struct errmsg *msg);

/* What a campaign may choose of that: a device that leads to other hosts, a
 * mark that is one. */
int way_check_device(const char *device, struct errmsg *msg);
int way_check_mark(uint32_t mark, struct errmsg *msg);
