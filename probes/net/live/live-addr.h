/* SPDX-License-Identifier: ISC */
/*
 * This host's own addresses, kept up to date over a netlink socket that is
 * opened once: afterwards no file and no new socket is needed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/addr.h"
#include "lib/base/err.h"

struct live_addrs {
	int fd; /* becomes readable when addresses change */
	struct {
		struct addr addr;
		uint8_t len; /* of its network */
	} * list;
	size_t count;
	size_t global6; /* IPv6 ones that are not of a link alone */
};

int live_addrs_open(struct live_addrs *addrs, struct errmsg *msg);
void live_addrs_close(struct live_addrs *addrs);
/* Reads the kernel's news, if there is any, and asks for the whole list. */
void live_addrs_update(struct live_addrs *addrs);
bool live_addrs_own(const struct live_addrs *addrs, const struct addr *a);
/* The broadcast or network address of one of our IPv4 networks. */
bool live_addrs_broadcast(const struct live_addrs *addrs, const struct addr *a);
