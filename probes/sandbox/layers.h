/* SPDX-License-Identifier: ISC */
/*
 * The layers behind probes/sandbox/sandbox.h, one file each.  Private to the
 * folder.  Each returns 0 or a negative errno with the reason and the fix in
 * msg; the order in which sandbox_enter calls them is in sandbox.c.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>

#include "lib/base/err.h"
#include "probes/sandbox/sandbox.h"

#if defined(__SANITIZE_ADDRESS__)
#define SANDBOX_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANDBOX_SANITIZED 1
#endif
#endif
#ifndef SANDBOX_SANITIZED
#define SANDBOX_SANITIZED 0
#endif

/* When we are root: empties the bounding set, unless a user namespace follows
 * (which begins with a full one), and becomes uid:gid (0: nobody).  The death
 * signal of prctl stays.  Otherwise nothing. */
int capabilities_leave_root(
    uint32_t uid, uint32_t gid, bool room_follows, struct errmsg *msg);
/* Drops every capability, sets no_new_privs, checks that all this is so. */
int capabilities_drop(struct errmsg *msg);

/* Is CAP_* among the effective ones? */
bool capabilities_has(unsigned cap);

/* May this process make namespaces without a user namespace around them? */
bool namespaces_by_privilege(void);
/* flags: CLONE_NEW*.  namespaces_enter_first is for who may, while it may, and
 * joins the empty network of the process `room` if there is one;
 * namespaces_enter_last for what is left.  A mount namespace ends up with an
 * empty root folder. */
int namespaces_enter_first(int flags, pid_t room, struct errmsg *msg);
int namespaces_enter_last(int flags, struct errmsg *msg);
/* What allows them on this machine, after unshare failed with err. */
const char *namespaces_cure(int err);

/* Only reading below paths->read, reading and writing below paths->write, and
 * TCP connections to one port, as far as the kernel's Landlock goes.  tcp_bind:
 * TCP sockets that are there may take ports. */
int landlock_enter(
    const struct sandbox_paths *paths, bool tcp_bind, struct errmsg *msg);
/* The kernel's ABI version, 0 when it has none. */
int landlock_abi(void);

struct rlimits_row {
	int resource; /* RLIMIT_* */
	rlim_t most;
};
/* rows end with resource -1. */
int rlimits_enter(const struct rlimits_row *rows, struct errmsg *msg);

/* The role's list; everything else kills the process. */
int seccomp_enter(enum sandbox_role role, struct errmsg *msg);
/* How many system calls the role may make: kept small, and tested. */
unsigned seccomp_count(enum sandbox_role role);
