/* SPDX-License-Identifier: ISC */
/*
 * Asks this network's iptables, as it was before nftables, for its table
 * "filter": the kernel makes it then, with chains that let all pass.  2: it has
 * no such iptables.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
/* Behind the above, which it would define again. */
#include <linux/netfilter_ipv4/ip_tables.h>

int main(void)
{
	struct ipt_getinfo info = { .name = "filter" };
	socklen_t len = sizeof(info);
	int fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
	if (fd >= 0 &&
	    getsockopt(fd, IPPROTO_IP, IPT_SO_GET_INFO, &info, &len) == 0)
		return 0;
	fprintf(stderr, "legacy-table: %s\n", strerror(errno));
	return errno == ENOPROTOOPT || errno == ENOENT ? 2 : 1;
}
