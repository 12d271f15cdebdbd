/* SPDX-License-Identifier: ISC */
/*
 * What a process gives up, in one call, once it has opened what it needs.
 * Each role is a row: capabilities, seccomp, landlock, namespaces, rlimits.
 * What could not be enforced is reported, layer by layer, so that the caller
 * can refuse (a script worker does) or warn.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/base/err.h"

enum sandbox_role {
	SANDBOX_GUARDIAN,
	SANDBOX_WORKER,
	SANDBOX_SENSOR,
	SANDBOX_KEEPER,
	SANDBOX_SHIPPER,
	SANDBOX_ROLES
};

enum sandbox_layer {
	SANDBOX_CAPABILITIES, /* none left, bounding set empty, no_new_privs */
	SANDBOX_SECCOMP,
	SANDBOX_LANDLOCK,
	SANDBOX_NAMESPACES,
	SANDBOX_RLIMITS,
	SANDBOX_LAYERS
};

struct sandbox_report {
	bool wanted[SANDBOX_LAYERS]; /* this role has the layer */
	bool enforced[SANDBOX_LAYERS];
	struct errmsg why[SANDBOX_LAYERS]; /* why not enforced, and the fix */
};

struct sandbox_paths {
	const char *const *read; /* NULL-terminated; may be NULL */
	const char *const *write;
	uint16_t tcp_connect_port; /* shipper; 0: none */
	uint32_t uid, gid;         /* whom to become when started as root;
				      0: nobody */
	pid_t room; /* a child of our parent that has made, or makes, an empty
		       network and file tree, to be shared where we may; 0:
		       none */
};

const char *sandbox_role_name(enum sandbox_role role);
const char *sandbox_layer_name(enum sandbox_layer layer);

/* Gives up everything that role has not.  Returns ERR_SANDBOX when a wanted
 * layer is missing; report (may be NULL) has which.  There is no way back.
 *
 * Afterwards: no stdio on a stream that was not used before, end by _exit
 * only.  A worker may poll at most 4 descriptors, and its write to a regular
 * file is SIGXFSZ: give it sockets.  The lists of system calls are in
 * probes/sandbox/seccomp-rules.c. */
int sandbox_enter(enum sandbox_role role, const struct sandbox_paths *paths,
    struct sandbox_report *report, struct errmsg *msg);

/* Whom sandbox_enter makes of this process, told that uid: itself, if it is not
 * root or may not become another. */
uint32_t sandbox_user(uint32_t uid);

/* Tries the role in a child that exits: what `sonde doctor` prints. */
int sandbox_probe(enum sandbox_role role, struct sandbox_report *report);
