/* SPDX-License-Identifier: ISC */
#include "probes/net/live/live-deny.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* It may, but not here: the network is not its user namespace's. */
static bool is_foreign_network(void)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct sets[2] = { 0 };
	return syscall(SYS_capget, &head, sets) == 0 &&
	    sets[0].effective & 1u << CAP_NET_RAW;
}

int live_deny(int err, const char *what, struct errmsg *msg)
{
	char program[128];
	if (err != -EPERM && err != -EACCES)
		return err_set(msg, err, "%s: %s", what, strerror(-err));
	if (is_foreign_network())
		return err_set(msg, err,
		    "%s: %s; this network belongs to another user namespace: "
		    "start it outside of this one, or in a network of its own "
		    "(unshare -rn)",
		    what, strerror(-err));
	ssize_t n = readlink("/proc/self/exe", program, sizeof(program));
	return err_set(msg, err,
	    "%s: %s; run as root, or once: "
	    "sudo setcap cap_net_raw+ep %.*s; in a container: --cap-add "
	    "NET_RAW",
	    what, strerror(-err), n > 0 ? (int)n : 7,
	    n > 0 ? program : "PROGRAM");
}
