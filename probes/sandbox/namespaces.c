/* SPDX-License-Identifier: ISC */
/*
 * Empty rooms: a network without interfaces, a file tree without files, no
 * other process, no shared memory.  Root makes them as root (so they work
 * where user namespaces are refused to others) and adds the user namespace
 * after it became nobody; others need the user namespace first.
 *
 * unshare puts only children into a new pid namespace.  A role that may not
 * make children gains from it that none could be made either way; signals
 * to others are seccomp's and Landlock's job.
 */
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "probes/sandbox/layers.h"

/* An empty, read-only root: mounted over a folder that exists everywhere,
 * then made the root, then the old tree is let go. */
static int empty_root(struct errmsg *msg)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("none", "/proc", "tmpfs",
		MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC,
		"size=4k,nr_inodes=2,mode=555") != 0 ||
	    chdir("/proc") != 0 || syscall(SYS_pivot_root, ".", ".") != 0 ||
	    umount2(".", MNT_DETACH) != 0 || chdir("/") != 0)
		return err_set(msg, -errno,
		    "namespaces: cannot empty the file tree: %s",
		    strerror(errno));
	return 0;
}

static int enter(int flags, struct errmsg *msg)
{
	if (unshare(flags) != 0)
		return err_set(msg, -errno,
		    "namespaces: refused (%s); allow "
		    "them: sysctl -w user.max_user_namespaces=10000 "
		    "kernel.apparmor_restrict_unprivileged_userns=0",
		    strerror(errno));
	return flags & CLONE_NEWNS ? empty_root(msg) : 0;
}

int namespaces_enter_first(int flags, struct errmsg *msg)
{
	flags &= ~CLONE_NEWUSER;
	return geteuid() == 0 && flags ? enter(flags, msg) : 0;
}

int namespaces_enter_last(int flags, struct errmsg *msg)
{
	return flags ? enter(flags, msg) : 0;
}
