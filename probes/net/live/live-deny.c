/* SPDX-License-Identifier: ISC */
#include "probes/net/live/live-deny.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <unistd.h>

#include "probes/sandbox/capability.h"

int live_deny(int err, const char *what, struct errmsg *msg)
{
	char program[128];
	if (err != -EPERM && err != -EACCES)
		return err_set(msg, err, "%s: %s", what, strerror(-err));
	/* It may, but not here: the network is not its user namespace's. */
	if (capability_has(CAP_NET_RAW))
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
