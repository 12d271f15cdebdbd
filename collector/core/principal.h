/* SPDX-License-Identifier: ISC */
/*
 * Who asks or acts.  The HTTP door decides it from the request; every query
 * and every function that changes something takes it, so that a right is
 * checked where the data is, not only where the request came in.
 */
#pragma once

#include <errno.h>
#include <stddef.h>

#include "lib/base/addr.h"
#include "lib/base/err.h"

enum account_role {
	ROLE_READ = 1,    /* ask */
	ROLE_OPERATE = 2, /* start and stop campaigns */
	ROLE_ADMIN = 4    /* let agents in */
};

struct principal {
	const char *account; /* for log lines; never NULL */
	unsigned roles;      /* bits of enum account_role */
	/* What it may see; 0: everything.  No answer can be narrowed yet, so
	 * principal_check refuses who is restricted. */
	const struct prefix *networks;
	size_t network_count;
};

/* 0, or -EACCES with a message for the caller. */
static inline int principal_check(const struct principal *principal,
    enum account_role role, struct errmsg *msg)
{
	if (!(principal->roles & role))
		return err_set(msg, -EACCES, "%s: has no right to do this",
		    principal->account);
	if (principal->network_count > 0)
		return err_set(msg, -EACCES,
		    "%s: is restricted to networks, and this answer is not",
		    principal->account);
	return ERR_OK;
}
