/* SPDX-License-Identifier: ISC */
/*
 * The roles as rows and the order in which the layers close.  Each step needs
 * what the next one takes away: namespaces while root, then another uid, then
 * the user namespace, then no capability, Landlock, limits, and seccomp last,
 * because it forbids the calls that set up the others.
 */
#include <errno.h>
#include <sched.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/xalloc.h"
#include "probes/sandbox/layers.h"

#define MIB ((rlim_t)1 << 20)
#define NEW_ROOM (CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWPID)

/* Only a worker may write to no file at all: the others' standard error may be
 * one.  Sockets and capture handles stay in the network they were opened in, so
 * even the guardian can live in an empty one. */
static const struct profile {
	const char *name;
	int namespaces;
	struct rlimits_row limits[8];
} roles[SANDBOX_ROLES] = {
	[SANDBOX_GUARDIAN] = { "guardian", NEW_ROOM | CLONE_NEWNS,
	    { { RLIMIT_CORE, 0 }, { RLIMIT_NPROC, 0 }, { RLIMIT_NOFILE, 1024 },
		{ RLIMIT_AS, 1024 * MIB }, { -1, 0 } } },
	[SANDBOX_WORKER] = { "worker", NEW_ROOM | CLONE_NEWNS,
	    { { RLIMIT_CORE, 0 }, { RLIMIT_NPROC, 0 }, { RLIMIT_FSIZE, 0 },
		{ RLIMIT_NOFILE, 4 }, { RLIMIT_AS, 256 * MIB },
		{ RLIMIT_CPU, 600 }, { -1, 0 } } },
	[SANDBOX_SENSOR] = { "sensor", NEW_ROOM | CLONE_NEWNS,
	    { { RLIMIT_CORE, 0 }, { RLIMIT_NPROC, 0 }, { RLIMIT_NOFILE, 64 },
		{ RLIMIT_AS, 1024 * MIB }, { -1, 0 } } },
	[SANDBOX_KEEPER] = { "keeper", NEW_ROOM,
	    { { RLIMIT_CORE, 0 }, { RLIMIT_NPROC, 0 }, { RLIMIT_NOFILE, 1024 },
		{ RLIMIT_AS, 1024 * MIB }, { -1, 0 } } },
	[SANDBOX_SHIPPER] = { "shipper", CLONE_NEWIPC | CLONE_NEWPID,
	    { { RLIMIT_CORE, 0 }, { RLIMIT_NPROC, 0 }, { RLIMIT_NOFILE, 256 },
		{ RLIMIT_AS, 1024 * MIB }, { -1, 0 } } },
};

static const char *const layer_names[SANDBOX_LAYERS] = {
	[SANDBOX_CAPABILITIES] = "capabilities",
	[SANDBOX_SECCOMP] = "seccomp",
	[SANDBOX_LANDLOCK] = "landlock",
	[SANDBOX_NAMESPACES] = "namespaces",
	[SANDBOX_RLIMITS] = "rlimits",
};

const char *sandbox_role_name(enum sandbox_role role)
{
	return roles[role].name;
}

const char *sandbox_layer_name(enum sandbox_layer layer)
{
	return layer_names[layer];
}

/* What can be made by privilege is; a user namespace comes after it is given
 * up, or where privilege is to become nobody by it: root of a user namespace
 * that maps one user.  Without privilege the others need a user namespace,
 * whoever we are. */
static int enter_namespaces(const struct profile *role,
    const struct sandbox_paths *paths, struct sandbox_report *report)
{
	struct errmsg *why = report->why;
	int flags = role->namespaces, err = 0;
	bool privileged = namespaces_by_privilege();
	bool alone = geteuid() == 0 && !capabilities_can_become(paths->uid);
	if (privileged)
		err = namespaces_enter_first(
		    flags, paths->room, &why[SANDBOX_NAMESPACES]);
	int left = capabilities_leave_root(paths->uid, paths->gid,
	    !err && flags & CLONE_NEWUSER, &why[SANDBOX_CAPABILITIES]);
	if (privileged)
		flags &= CLONE_NEWUSER;
	else if (flags)
		flags |= CLONE_NEWUSER;
	if (!err && (!left || !privileged || alone))
		err = namespaces_enter_last(flags, &why[SANDBOX_NAMESPACES]);
	/* Root that may not become another is nobody in a user namespace. */
	if (left && !err && geteuid() != 0)
		left = 0;
	if (left && alone)
		err_set(&why[SANDBOX_CAPABILITIES], left,
		    "capabilities: root cannot become another user: this user "
		    "namespace maps no such user; start it outside, or in one "
		    "that maps more (unshare --map-auto)");
	report->enforced[SANDBOX_NAMESPACES] = err == 0 && left == 0;
	return left;
}

uint32_t sandbox_user(uint32_t uid)
{
	bool leaves = geteuid() == 0 && capabilities_can_become(uid);
	return leaves ? capabilities_user(uid) : geteuid();
}

static int first_missing(const struct sandbox_report *report,
    enum sandbox_role role, struct errmsg *msg)
{
	for (int i = 0; i < SANDBOX_LAYERS; i++)
		if (report->wanted[i] && !report->enforced[i])
			return err_set(msg, ERR_SANDBOX, "%s: %s",
			    roles[role].name, report->why[i].text);
	return 0;
}

int sandbox_enter(enum sandbox_role role, const struct sandbox_paths *paths,
    struct sandbox_report *report, struct errmsg *msg)
{
	static const struct sandbox_paths no_paths;
	struct sandbox_report own = { 0 };
	report = report ? report : &own;
	paths = paths ? paths : &no_paths;
	memset(report, 0, sizeof(*report));
	memset(report->wanted, true, sizeof(report->wanted));
	bool *done = report->enforced;
	xalloc_note_limits(); /* before ours */
	struct errmsg *why = report->why;

	int left = enter_namespaces(&roles[role], paths, report);
	done[SANDBOX_CAPABILITIES] =
	    /* Why root could not become another says more. */
	    capabilities_drop(left ? NULL : &why[SANDBOX_CAPABILITIES]) == 0 &&
	    left == 0;
	done[SANDBOX_LANDLOCK] = landlock_enter(paths, role == SANDBOX_GUARDIAN,
				     &why[SANDBOX_LANDLOCK]) == 0;
	done[SANDBOX_RLIMITS] =
	    rlimits_enter(roles[role].limits, &why[SANDBOX_RLIMITS]) == 0;
	done[SANDBOX_SECCOMP] = seccomp_enter(role, &why[SANDBOX_SECCOMP]) == 0;
	return first_missing(report, role, msg);
}

int sandbox_probe(enum sandbox_role role, struct sandbox_report *report)
{
	int ends[2], status;
	memset(report, 0, sizeof(*report));
	if (pipe(ends) != 0)
		return -errno;
	pid_t pid = fork();
	if (pid == 0) {
		struct sandbox_report found;
		close(ends[0]);
		sandbox_enter(role, NULL, &found, NULL);
		_exit(write(ends[1], &found, sizeof(found)) !=
		    (ssize_t)sizeof(found));
	}
	close(ends[1]);
	ssize_t n = pid < 0 ? -1 : read(ends[0], report, sizeof(*report));
	int err = n == (ssize_t)sizeof(*report) ? 0 : ERR_SANDBOX;
	close(ends[0]);
	if (pid > 0)
		waitpid(pid, &status, 0);
	return err;
}
