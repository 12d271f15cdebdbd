/* SPDX-License-Identifier: ISC */
/*
 * An expression of pcap-filter(7) over frames of any link types.  By itself
 * such an expression sees no packet behind a VLAN tag; here it sees a tagged
 * frame as it is without its tags, unless it names tags itself.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

struct link_filter;
struct link_filter *link_filter_new(const char *expression);
void link_filter_free(struct link_filter *filter);

/* 1 or 0; ERR_USAGE with a message when the expression is wrong, or has no
 * meaning for this link type (libpcap's DLT_*). */
int link_filter_match(struct link_filter *filter, int dlt, const uint8_t *bytes,
    uint32_t caplen, uint32_t wirelen, struct errmsg *msg);

/* Does the expression name VLAN tags itself? */
bool link_filter_names_tags(const char *expression);
