/* SPDX-License-Identifier: ISC */
/*
 * A real-time class for the guardian: by nice values alone a train still waits
 * for the end of a busy script's slice, milliseconds long.  It sleeps nearly
 * always; one that works for two seconds without a pause is no exact train any
 * more but a flood, and must not take a machine of one processor from its
 * owner: the kernel says so by SIGXCPU (RLIMIT_RTTIME), and it becomes a
 * process like others.
 *
 * By then it has no privilege left.  RLIMIT_RTPRIO, raised while it had, lets
 * it into the lowest real-time class again.  Little processor time alone is no
 * sign of rest: who floods beside a busy process gets little too, but does not
 * sleep.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "lib/base/clock.h"
#include "probes/ipc/precedence.h"

#define UNBROKEN_US (2 * NS_PER_S / NS_PER_US)
#define LOWEST 1 /* priority of SCHED_FIFO (sched(7)) */
#define LAST_NICE 5

static const struct sched_param no_priority = { 0 };
static const struct sched_param lowest = { .sched_priority = LOWEST };

static volatile sig_atomic_t gave_up;

static void give_up_precedence(int signal_number)
{
	int kept = errno;
	(void)signal_number;
	sched_setscheduler(0, SCHED_OTHER, &no_priority);
	gave_up = 1;
	errno = kept;
}

/* Again each time: the kernel raises it by a second when it signals. */
static int limit_work(void)
{
	const struct rlimit unbroken = { UNBROKEN_US, RLIM_INFINITY };
	return setrlimit(RLIMIT_RTTIME, &unbroken);
}

void precedence_first(void)
{
	const struct rlimit class = { LOWEST, LOWEST };
	const struct sigaction action = { .sa_handler = give_up_precedence,
		.sa_flags = SA_RESTART };
	/* By default a sleep may end 50 us late, so that wake-ups fall
	 * together. */
	prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
	if (sigaction(SIGXCPU, &action, NULL) != 0 || limit_work() != 0 ||
	    sched_setscheduler(0, SCHED_FIFO, &lowest) != 0)
		return;
	/* Without CAP_SYS_RESOURCE what is given up is not regained. */
	(void)setrlimit(RLIMIT_RTPRIO, &class);
}

static int64_t ns_of(const struct timeval *t)
{
	return (int64_t)t->tv_sec * NS_PER_S + t->tv_usec * NS_PER_US;
}

bool precedence_has_rested(
    const struct precedence_work *then, const struct precedence_work *now)
{
	int64_t passed_ns = now->at_ns - then->at_ns;
	return passed_ns >= NS_PER_S && now->sleeps > then->sleeps &&
	    now->cpu_ns - then->cpu_ns < passed_ns / 2;
}

void precedence_regain(void)
{
	static struct precedence_work then; /* at_ns 0: not looked since */
	struct rusage usage;
	if (!gave_up)
		return;
	struct precedence_work now = { .at_ns = monotime_now().ns };
	if ((then.at_ns != 0 && now.at_ns - then.at_ns < NS_PER_S) ||
	    getrusage(RUSAGE_SELF, &usage) != 0)
		return;
	now.cpu_ns = ns_of(&usage.ru_utime) + ns_of(&usage.ru_stime);
	now.sleeps = usage.ru_nvcsw;
	bool rested = then.at_ns != 0 && precedence_has_rested(&then, &now);
	then = now;
	if (!rested)
		return;
	then.at_ns = 0;
	gave_up = 0;
	if (limit_work() == 0)
		sched_setscheduler(0, SCHED_FIFO, &lowest);
}

void precedence_last(pid_t pid)
{
	sched_setscheduler(pid, SCHED_BATCH, &no_priority);
	setpriority(PRIO_PROCESS, (id_t)pid, LAST_NICE);
}
