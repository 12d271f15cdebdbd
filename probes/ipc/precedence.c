/* SPDX-License-Identifier: ISC */
/*
 * A real-time class for the guardian: by nice values alone a train still waits
 * for the end of a busy script's slice, milliseconds long.  It sleeps nearly
 * always; one that works for two seconds without a pause is no exact train any
 * more but a flood, and must not take a machine of one processor from its
 * owner: the kernel says so by SIGXCPU (RLIMIT_RTTIME), and it becomes a
 * process like others.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "lib/base/clock.h"
#include "probes/ipc/precedence.h"

#define UNBROKEN_US (2 * NS_PER_S / NS_PER_US)
#define LAST_NICE 5

static const struct sched_param no_priority = { 0 };

static void give_up_precedence(int signal_number)
{
	int kept = errno;
	(void)signal_number;
	sched_setscheduler(0, SCHED_OTHER, &no_priority);
	errno = kept;
}

void precedence_first(void)
{
	const struct sched_param lowest = {
		.sched_priority = sched_get_priority_min(SCHED_FIFO)
	};
	const struct rlimit unbroken = { UNBROKEN_US, RLIM_INFINITY };
	const struct sigaction action = { .sa_handler = give_up_precedence,
		.sa_flags = SA_RESTART };
	/* By default a sleep may end 50 us late, so that wake-ups fall
	 * together. */
	prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
	if (sigaction(SIGXCPU, &action, NULL) == 0 &&
	    setrlimit(RLIMIT_RTTIME, &unbroken) == 0)
		sched_setscheduler(0, SCHED_FIFO, &lowest);
}

void precedence_last(pid_t pid)
{
	sched_setscheduler(pid, SCHED_BATCH, &no_priority);
	setpriority(PRIO_PROCESS, (id_t)pid, LAST_NICE);
}
