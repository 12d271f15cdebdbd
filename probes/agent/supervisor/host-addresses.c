/* SPDX-License-Identifier: ISC */
/* In a file of its own because the supervisor reads nothing else of the
 * machine's network. */
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include "probes/agent/supervisor/host-addresses.h"

static bool is_reported(const struct ifaddrs *i, struct addr *a)
{
	if (!i->ifa_addr || i->ifa_flags & IFF_LOOPBACK ||
	    !(i->ifa_flags & IFF_UP))
		return false;
	if (i->ifa_addr->sa_family == AF_INET)
		*a = addr_from_bytes(
		    &((struct sockaddr_in *)(void *)i->ifa_addr)->sin_addr, 4);
	else if (i->ifa_addr->sa_family == AF_INET6)
		*a = addr_from_bytes(
		    &((struct sockaddr_in6 *)(void *)i->ifa_addr)->sin6_addr,
		    16);
	else
		return false;
	return !(a->family == 6 && a->bytes[0] == 0xfe);
}

void host_addresses_read(struct heartbeat_host *host)
{
	struct ifaddrs *list, *i;
	struct addr a;
	uint32_t count = 0;
	if (getifaddrs(&list) != 0)
		return;
	for (i = list; i && count < HEARTBEAT_MAX_ADDRESSES; i = i->ifa_next)
		if (is_reported(i, &a))
			host->addresses[count++] = a;
	host->count = count;
	freeifaddrs(list);
}
