/* SPDX-License-Identifier: ISC */
/* Which process runs first where there are fewer processors than work. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* The guardian: woken as exactly as the kernel can, and before all others.
 * Called before the sandbox; without the privilege timers are exact alone. */
void precedence_first(void);

/* One that works two seconds without a pause is like others then, until it has
 * rested: it calls this each time round its loop. */
void precedence_regain(void);

/* What a process has done up to a moment. */
struct precedence_work {
	int64_t at_ns, cpu_ns; /* monotonic; of its own */
	int64_t sleeps;        /* it gave the processor away, not lost it */
};
/* Has it rested in between?  Pure. */
bool precedence_has_rested(
    const struct precedence_work *then, const struct precedence_work *now);

/* A script (0: this process): it yields to whatever else there is to do, and
 * how busy it is changes no other run's times. */
void precedence_last(pid_t pid);
