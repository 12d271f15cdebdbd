/* SPDX-License-Identifier: ISC */
/* Loads the filter of a role, which the build made of probes/sandbox/
 * seccomp-rules.c. */
#include <errno.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "probes/sandbox/layers.h"

int seccomp_enter(enum sandbox_role role, struct errmsg *msg)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0,
		&seccomp_filters[role]) == 0)
		return 0;
	int err = -errno;
	return err_set(msg, err,
	    "seccomp: %s; the kernel needs CONFIG_SECCOMP_FILTER",
	    strerror(-err));
}
