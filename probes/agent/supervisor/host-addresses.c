/* SPDX-License-Identifier: ISC */
/* In a file of its own because the supervisor reads nothing else of the
 * machine's network. */
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>

#include "probes/agent/supervisor/host-addresses.h"

static bool read_address(const struct ifaddrs *i, struct addr *a)
{
	if (!i->ifa_addr)
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
	return true;
}

static bool is_reported(const struct ifaddrs *i, struct addr *a)
{
	return !(i->ifa_flags & IFF_LOOPBACK) && i->ifa_flags & IFF_UP &&
	    read_address(i, a) && !(a->family == 6 && a->bytes[0] == 0xfe);
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

static bool has_address(const struct ifaddrs *list, const struct addr *wanted)
{
	struct addr a;
	for (const struct ifaddrs *i = list; i; i = i->ifa_next)
		if (read_address(i, &a) && addr_equal(&a, wanted))
			return true;
	return false;
}

int host_has_choice(const struct net_choice *choice, struct errmsg *msg)
{
	char text[ADDR_TEXT_LEN];
	struct ifaddrs *list;
	int err = 0;
	if (choice->device[0] && if_nametoindex(choice->device) == 0)
		return err_set(msg, ERR_USAGE,
		    "interface: this host has no '%s'", choice->device);
	if (!choice->source[0].family && !choice->source[1].family)
		return 0;
	if (getifaddrs(&list) != 0)
		return err_set(msg, -errno,
		    "source: addresses of this host: %s", strerror(errno));
	for (int i = 0; i < 2 && !err; i++)
		if (choice->source[i].family &&
		    !has_address(list, &choice->source[i]))
			err = err_set(msg, ERR_USAGE,
			    "source: %s is no address of this host",
			    addr_text(&choice->source[i], text));
	freeifaddrs(list);
	return err;
}
