/* SPDX-License-Identifier: ISC */
/* This host's devices, by what the kernel says of them.  Pure. */
#pragma once

#include <stddef.h>

#include "probes/net/live/netlink.h"

struct live_links {
	struct netlink_link *list; /* by index; owned */
	size_t count;
};

/* Adds, changes or, of one that is gone, removes. */
void live_links_keep(struct live_links *links, const struct netlink_link *link);
/* Borrowed until the next change; NULL: there is none. */
const struct netlink_link *live_links_find(
    const struct live_links *links, uint32_t index);
const struct netlink_link *live_links_named(
    const struct live_links *links, const char *name);
/* A zone is a device's name or, as RFC 4007 section 11.2 asks for, number. */
const struct netlink_link *live_links_zone(
    const struct live_links *links, const char *zone);
/* In all that is said of them? */
bool live_links_equal(const struct live_links *a, const struct live_links *b);
void live_links_clear(struct live_links *links);
