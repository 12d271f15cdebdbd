/* SPDX-License-Identifier: ISC */
/* What each of the agent's children does first. */
#pragma once

#include <signal.h>
#include <stdbool.h>

#include "probes/sandbox/sandbox.h"

/* SIGTERM only raises a flag; blocked except while waiting with the mask that
 * this returns (for ppoll).  SIGPIPE and SIGHUP are ignored, SIGINT too (the
 * supervisor hears it for all). */
const sigset_t *process_signals(void);
bool process_asked_to_end(void);
/* The same without the mask: the flag alone, for a loop that looks at it. */
const volatile sig_atomic_t *process_signals_flag(void);
/* SIGTERM simply ends the process. */
void process_signals_end(void);

/* sandbox_enter; a layer that is missing is logged, and is an error unless
 * weak is allowed. */
int process_enter(enum sandbox_role role, const struct sandbox_paths *paths,
    bool allow_weak, struct errmsg *msg);

/* Gives memory back that is not needed while nothing happens: free heap, and
 * pages of programs and libraries, which come from their files again when
 * they are. */
void process_rest(void);

/* Closes every descriptor but 0, 1, 2 and these (sorted here; -1 ignored). */
void process_keep_fds(int *fds, size_t count);

/* Where another program of ours is: beside this one, as in a build, or in the
 * libexec (from there: bin) folder of where this one was moved to, or was
 * installed.  The path is the caller's; -ENOENT, NULL and what to do. */
int process_find(char **path, const char *program, struct errmsg *msg);
