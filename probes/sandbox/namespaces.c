/* SPDX-License-Identifier: ISC */
/*
 * Empty rooms: a network without interfaces, a file tree without files, no
 * other process, no shared memory.  Who has CAP_SYS_ADMIN makes them with it
 * (so they work where user namespaces are refused to others) and adds the
 * user namespace after it became nobody; others, root in a container among
 * them, need the user namespace first.
 *
 * unshare puts only children into a new pid namespace.  A role that may not
 * make children gains from it that none could be made either way; signals
 * to others are seccomp's and Landlock's job.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "probes/sandbox/capability.h"
#include "probes/sandbox/layers.h"

/* What a file below /proc begins with; "": it is not there. */
static const char *read_start(const char *path, char *to, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, to, size - 1) : -1;
	if (fd >= 0)
		close(fd);
	to[n > 0 ? n : 0] = '\0';
	return to;
}

static bool has_value(const char *sysctl, const char *value)
{
	char text[32];
	read_start(sysctl, text, sizeof(text));
	text[strcspn(text, "\n")] = '\0';
	return strcmp(text, value) == 0;
}

static bool in_container(void)
{
	return access("/.dockerenv", F_OK) == 0 ||
	    access("/run/.containerenv", F_OK) == 0 ||
	    access("/run/systemd/container", F_OK) == 0 || getenv("container");
}

/* A filter of system calls that came before ours: a container's. */
static bool is_filtered(void)
{
	char text[4096];
	read_start("/proc/self/status", text, sizeof(text));
	const char *line = strstr(text, "\nSeccomp:");
	return line && strncmp(line, "\nSeccomp:\t2", 11) == 0;
}

/* Is the root folder not that of the mount namespace? */
static bool in_chroot(void)
{
	struct stat root, init;
	return stat("/", &root) == 0 && stat("/proc/1/root/.", &init) == 0 &&
	    (root.st_ino != init.st_ino || root.st_dev != init.st_dev);
}

const char *namespaces_cure(int err)
{
	if (err == -ENOSPC || err == -EUSERS)
		return has_value("/proc/sys/user/max_user_namespaces", "0")
		    ? "none are allowed: sysctl -w "
		      "user.max_user_namespaces=10000"
		    : "too many are in use, or nested too deep; see sysctl "
		      "user.max_user_namespaces and user.max_net_namespaces";
	if (err == -EINVAL)
		return "this kernel lacks some: it needs CONFIG_USER_NS, "
		       "CONFIG_NET_NS, CONFIG_PID_NS and CONFIG_IPC_NS";
	if (has_value("/proc/sys/user/max_user_namespaces", "0"))
		return "none are allowed: sysctl -w "
		       "user.max_user_namespaces=10000";
	if (has_value("/proc/sys/kernel/unprivileged_userns_clone", "0"))
		return "only root may: sysctl -w "
		       "kernel.unprivileged_userns_clone=1";
	if (has_value(
		"/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1"))
		return "AppArmor restricts them: sysctl -w "
		       "kernel.apparmor_restrict_unprivileged_userns=0";
	if (is_filtered() || in_container())
		return "the container's own filter forbids them: start it "
		       "with --cap-add SYS_ADMIN, or --security-opt "
		       "seccomp=unconfined --security-opt apparmor=unconfined";
	if (in_chroot())
		return "they cannot be made in a chroot: use a container, or "
		       "add CAP_SYS_ADMIN";
	return "a security module forbids them: give the process "
	       "CAP_SYS_ADMIN";
}

/* None is free: the folder itself is one, and the kernel keeps one. */
#define INODES "2"

/* An empty, read-only root: mounted over a folder that exists everywhere,
 * then made the root, then the old tree is let go. */
static int empty_root(struct errmsg *msg)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("none", "/proc", "tmpfs",
		MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC,
		"size=4k,nr_inodes=" INODES ",mode=555") != 0 ||
	    chdir("/proc") != 0 || syscall(SYS_pivot_root, ".", ".") != 0 ||
	    umount2(".", MNT_DETACH) != 0 || chdir("/") != 0)
		return err_set(msg, -errno,
		    "namespaces: cannot empty the file tree: %s%s",
		    strerror(errno),
		    in_container() ? "; the container forbids to mount: start "
				     "it with --security-opt "
				     "apparmor=unconfined"
				   : "");
	return 0;
}

/* A user namespace clears the signal that ends us with our parent, too. */
static int enter(int flags, struct errmsg *msg)
{
	int death = 0;
	prctl(PR_GET_PDEATHSIG, &death);
	if (unshare(flags) != 0) {
		int err = -errno;
		return err_set(msg, err, "namespaces: refused (%s); %s",
		    strerror(-err), namespaces_cure(err));
	}
	if (death)
		prctl(PR_SET_PDEATHSIG, death);
	return flags & CLONE_NEWNS ? empty_root(msg) : 0;
}

bool namespaces_by_privilege(void)
{
	return capability_has(CAP_SYS_ADMIN);
}

/* An empty network is as good as another, and dear to make: the one that a
 * process of ours has made for itself, if it is no longer in ours. */
static bool join_network(pid_t room)
{
	char path[64];
	struct stat ours, its;
	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)room);
	int fd = room > 0 ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (fd < 0)
		return false;
	bool joined = stat("/proc/self/ns/net", &ours) == 0 &&
	    fstat(fd, &its) == 0 && ours.st_ino != its.st_ino &&
	    setns(fd, CLONE_NEWNET) == 0;
	close(fd);
	return joined;
}

static bool root_is_empty(void)
{
	struct statfs root;
	return statfs("/", &root) == 0 && root.f_type == TMPFS_MAGIC &&
	    root.f_flags & ST_RDONLY &&
	    root.f_files == strtoul(INODES, NULL, 10);
}

/* Likewise its empty file tree, which nobody can write to.  From one that is
 * not yet empty we go back: while it is emptied, what we stand on may be taken
 * out of it. */
static bool join_files(pid_t room)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (int)room);
	int ours = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	int its = ours >= 0 ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	bool joined = its >= 0 && setns(its, CLONE_NEWNS) == 0;
	bool empty = joined && root_is_empty();
	if (joined && !empty)
		(void)!setns(ours, CLONE_NEWNS);
	if (ours >= 0)
		close(ours);
	if (its >= 0)
		close(its);
	return empty;
}

int namespaces_enter_first(int flags, pid_t room, struct errmsg *msg)
{
	flags &= ~CLONE_NEWUSER;
	if (flags & CLONE_NEWNET && join_network(room)) {
		flags &= ~CLONE_NEWNET;
		if (flags & CLONE_NEWNS && join_files(room))
			flags &= ~CLONE_NEWNS;
	}
	return flags ? enter(flags, msg) : 0;
}

int namespaces_enter_last(int flags, struct errmsg *msg)
{
	return flags ? enter(flags, msg) : 0;
}
