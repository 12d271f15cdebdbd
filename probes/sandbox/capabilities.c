/* SPDX-License-Identifier: ISC */
/*
 * No privilege left and none to be had again: another uid, no group, empty
 * capability sets, no_new_privs.  What was done is read back, because a set
 * that silently stayed is worse than an error.
 */
#include <cap-ng.h>
#include <errno.h>
#include <grp.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "probes/sandbox/layers.h"

#define NOBODY 65534

static void empty_bounds(void)
{
	capng_clear(CAPNG_SELECT_BOUNDS);
	capng_apply(CAPNG_SELECT_BOUNDS); /* checked by capabilities_drop */
}

/* setuid clears the signal that ends us with our parent; put it back. */
int capabilities_leave_root(uint32_t uid, uint32_t gid, struct errmsg *msg)
{
	int death = 0;
	if (geteuid() != 0)
		return 0;
	empty_bounds();
	uid = uid ? uid : NOBODY;
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
	for (unsigned long cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
		if (prctl(PR_CAPBSET_READ, cap) != 0)
			return false;
	return true;
}

int capabilities_drop(struct errmsg *msg)
{
	uid_t r, e, s;
	bool can_bound = capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP);
	empty_bounds();
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return err_set(msg, -errno, "capabilities: no_new_privs: %s",
		    strerror(errno));
	capng_clear(CAPNG_SELECT_CAPS);
	capng_apply(CAPNG_SELECT_CAPS);
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (capng_get_caps_process() != 0 ||
	    capng_have_capabilities(CAPNG_SELECT_CAPS) != CAPNG_NONE ||
	    getresuid(&r, &e, &s) != 0 || r == 0 || e == 0 || s == 0)
		return err_set(
		    msg, -EPERM, "capabilities: some are still there");
	/* No process without CAP_SETPCAP can empty the bounding set; under
	 * no_new_privs it is then of no use either. */
	if (can_bound && !bounds_are_empty())
		return err_set(
		    msg, -EPERM, "capabilities: the bounding set is not empty");
	return 0;
}
