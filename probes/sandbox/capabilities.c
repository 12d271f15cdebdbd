/* SPDX-License-Identifier: ISC */
/*
 * No privilege left and none to be had again: another uid, no group, empty
 * capability sets, no_new_privs.  What was done is read back, because a set
 * that silently stayed is worse than an error.
 */
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "probes/sandbox/capability.h"
#include "probes/sandbox/layers.h"

#define NOBODY 65534

/* libcap-ng would ask for every bit of every set first, 400 system calls for
 * each process that a measurement starts.  Checked by capabilities_drop. */
static void empty_bounds(void)
{
	unsigned long cap = 0;
	while (prctl(PR_CAPBSET_DROP, cap) == 0)
		cap++;
}

/* A line of the map: the first user, who that is outside, how many from there.
 * One that lacks a number has none (0). */
static bool line_maps(const char *line, uint32_t uid)
{
	char *at;
	unsigned long first = strtoul(line, &at, 10);
	strtoul(at, &at, 10);
	unsigned long count = strtoul(at, &at, 10);
	return uid >= first && uid - first < count;
}

uint32_t capabilities_user(uint32_t uid)
{
	return uid ? uid : NOBODY;
}

bool capabilities_can_become(uint32_t uid)
{
	char line[128];
	FILE *f = fopen("/proc/self/uid_map", "re");
	bool found = !f; /* what cannot be read forbids nothing */
	uid = capabilities_user(uid);
	while (f && fgets(line, sizeof(line), f))
		found |= line_maps(line, uid);
	if (f)
		fclose(f);
	return found;
}

/* setuid clears the signal that ends us with our parent; put it back.  A user
 * namespace begins with a full bounding set, so emptying it before one that
 * follows would be for nothing. */
int capabilities_leave_root(
    uint32_t uid, uint32_t gid, bool room_follows, struct errmsg *msg)
{
	int death = 0;
	if (geteuid() != 0)
		return 0;
	if (!room_follows)
		empty_bounds();
	uid = capabilities_user(uid);
	gid = gid ? gid : NOBODY;
	prctl(PR_GET_PDEATHSIG, &death);
	if (setgroups(0, NULL) != 0 || setresgid(gid, gid, gid) != 0 ||
	    setresuid(uid, uid, uid) != 0)
		return err_set(msg, -errno,
		    "capabilities: root cannot become user %u: %s; give it "
		    "CAP_SETUID and CAP_SETGID (--cap-add of a container), "
		    "or start as another user",
		    uid, strerror(errno));
	if (death)
		prctl(PR_SET_PDEATHSIG, death);
	return 0;
}

static bool bounds_are_empty(void)
{
	int has = 0;
	for (unsigned long cap = 0; has == 0; cap++)
		has = prctl(PR_CAPBSET_READ, cap);
	return has < 0; /* there is no such capability */
}

/* The sets of this process become empty, and are read back. */
static int sets_empty(void)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct none[2] = { 0 }, left[2];
	if (syscall(SYS_capset, &head, none) != 0 ||
	    syscall(SYS_capget, &head, left) != 0)
		return -errno;
	return memcmp(none, left, sizeof(none)) == 0 ? 0 : -EPERM;
}

int capabilities_drop(struct errmsg *msg)
{
	uid_t r, e, s;
	bool can_bound = capability_has(CAP_SETPCAP);
	empty_bounds();
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return err_set(msg, -errno, "capabilities: no_new_privs: %s",
		    strerror(errno));
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (sets_empty() != 0 || getresuid(&r, &e, &s) != 0 || r == 0 ||
	    e == 0 || s == 0)
		return err_set(
		    msg, -EPERM, "capabilities: some are still there");
	/* No process without CAP_SETPCAP can empty the bounding set; under
	 * no_new_privs it is then of no use either. */
	if (can_bound && !bounds_are_empty())
		return err_set(
		    msg, -EPERM, "capabilities: the bounding set is not empty");
	return 0;
}
