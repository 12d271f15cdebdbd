/* SPDX-License-Identifier: ISC */
/*
 * What an address is for by IANA's registries, reduced to what a prober must
 * know.
 */
#pragma once

#include "lib/base/addr.h"

enum special {
	SPECIAL_NONE,  /* global unicast */
	SPECIAL_NEVER, /* no packet may have it as its destination */
	SPECIAL_MULTICAST,
	SPECIAL_BROADCAST,
	SPECIAL_LOOPBACK,
	SPECIAL_PRIVATE, /* unicast within a site or a link */
	SPECIAL_OTHER,   /* unicast, not for the Internet: documentation,
			    benchmarking, unallocated, ... */
	SPECIAL_MAPPED   /* IPv4 written as IPv6; never on a wire */
};

enum special special_of(const struct addr *a);

/* The IPv4 addresses inside an IPv6 address that some relay or tunnel may
 * turn it into. */
#define SPECIAL_EMBEDDED 5
size_t special_embedded(
    const struct addr *a, struct addr embedded[static SPECIAL_EMBEDDED]);
