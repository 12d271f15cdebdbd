/* SPDX-License-Identifier: ISC */
/* What a kernel says of routes and devices: each message ends where the next
 * begins, and what is read of it is in range. */
#include <stdlib.h>
#include <string.h>

#include "probes/net/live/netlink.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct netlink_message m;
	size_t at = 0, before = 0;
	while (netlink_next(data, size, &at, &m)) {
		if (at <= before)
			abort();
		before = at;
		if (m.kind == NETLINK_IS_LINK &&
		    (m.link.index == 0 || m.link.name[0] == 0 ||
			strnlen(m.link.name, sizeof(m.link.name)) ==
			    sizeof(m.link.name)))
			abort();
		if (m.kind == NETLINK_IS_ROUTE &&
		    (m.route.err > 0 || addr_len(&m.route.next_hop) > 16))
			abort();
		if (m.kind == NETLINK_IS_ERROR && m.err > 0)
			abort();
	}
	return 0;
}
