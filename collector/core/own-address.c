/* SPDX-License-Identifier: ISC */
/* A socket can only be bound to an address of this machine.  That needs no
 * netlink, which a sandbox may forbid. */
#include "collector/core/own-address.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int bind_to(int fd, const struct addr *addr)
{
	if (addr->family == 4) {
		struct sockaddr_in to = { .sin_family = AF_INET };
		memcpy(&to.sin_addr, addr->bytes, 4);
		return bind(fd, (struct sockaddr *)&to, sizeof(to));
	}
	struct sockaddr_in6 to = { .sin6_family = AF_INET6 };
	memcpy(&to.sin6_addr, addr->bytes, 16);
	return bind(fd, (struct sockaddr *)&to, sizeof(to));
}

bool address_is_own(const struct addr *addr)
{
	int family = addr->family == 4 ? AF_INET : AF_INET6;
	if (addr->family == 0)
		return true;
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return true;
	bool foreign = bind_to(fd, addr) < 0 && errno == EADDRNOTAVAIL;
	close(fd);
	return !foreign;
}
