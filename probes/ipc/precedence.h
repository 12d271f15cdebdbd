/* SPDX-License-Identifier: ISC */
/* Which process runs first where there are fewer processors than work. */
#pragma once

#include <sys/types.h>

/* The guardian: woken as exactly as the kernel can, and before all others.
 * Called before the sandbox; without the privilege timers are exact alone. */
void precedence_first(void);

/* A script (0: this process): it yields to whatever else there is to do, and
 * how busy it is changes no other run's times. */
void precedence_last(pid_t pid);
