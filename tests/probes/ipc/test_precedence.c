/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "probes/ipc/precedence.h"
#include "probes/sandbox/sandbox.h"

/* What the function says of a process of its own; it ends with 0 if well. */
static int in_child(int (*fn)(void))
{
	int status;
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(fn());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int is_exact(void)
{
	precedence_first();
	return prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0) <= 1 ? 0 : 1;
}

static int is_real_time(void)
{
	precedence_first();
	return sched_getscheduler(0) == SCHED_FIFO ? 0 : 1;
}

static int yields_when_it_works_on(void)
{
	precedence_first();
	raise(SIGXCPU);
	return sched_getscheduler(0) == SCHED_OTHER ? 0 : 1;
}

/* Sleeps for longer than a rest takes.  Without privilege, if what is to stand
 * in for it could be had. */
static int is_first_again(void)
{
	const struct timespec rest = { 1, 200000000 };
	struct rlimit class = { 0, 0 }, work;
	precedence_first();
	raise(SIGXCPU);
	getrlimit(RLIMIT_RTPRIO, &class);
	if (class.rlim_cur > 0 && setresuid(65534, 65534, 65534) != 0)
		return 5;
	precedence_regain();
	if (sched_getscheduler(0) != SCHED_OTHER)
		return 1;
	nanosleep(&rest, NULL);
	precedence_regain();
	if (sched_getscheduler(0) != SCHED_FIFO)
		return 2;
	if (getrlimit(RLIMIT_RTTIME, &work) != 0 || work.rlim_cur != 2000000)
		return 3;
	raise(SIGXCPU);
	return sched_getscheduler(0) == SCHED_OTHER ? 0 : 4;
}

static int is_behind(void)
{
	precedence_last(0);
	return sched_getscheduler(0) == SCHED_BATCH &&
		getpriority(PRIO_PROCESS, 0) > 0
	    ? 0
	    : 1;
}

static bool may_be_first(void)
{
	struct sched_param lowest = { .sched_priority = 1 };
	bool may = sched_setscheduler(0, SCHED_FIFO, &lowest) == 0;
	lowest.sched_priority = 0;
	sched_setscheduler(0, SCHED_OTHER, &lowest);
	return may;
}

static void the_guardian_wakes_exactly_and_first(void **state)
{
	(void)state;
	assert_int_equal(in_child(is_exact), 0);
	if (!may_be_first())
		skip();
	assert_int_equal(in_child(is_real_time), 0);
}

static void a_guardian_that_never_rests_is_first_no_longer(void **state)
{
	(void)state;
	if (!may_be_first())
		skip();
	assert_int_equal(in_child(yields_when_it_works_on), 0);
}

static void one_that_has_rested_is_first_again(void **state)
{
	(void)state;
	if (!may_be_first())
		skip();
	assert_int_equal(in_child(is_first_again), 0);
}

/* Who floods beside a busy process has little of the processor as well. */
static void rest_is_sleep_and_little_work(void **state)
{
	(void)state;
	const int64_t s = 1000000000;
	const struct precedence_work then = { 100 * s, 7 * s, 50 };
	static const struct {
		int64_t at, cpu, sleeps; /* later, tenths of a second */
		bool rested;
	} cases[] = { { 10, 0, 1, true }, { 10, 4, 3, true },
		{ 9, 0, 1, false }, { 10, 0, 0, false }, { 10, 2, 0, false },
		{ 10, 5, 9, false }, { 10, 10, 1, false },
		{ 600, 20, 1, true } };
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct precedence_work now = { then.at_ns +
			    cases[i].at * s / 10,
			then.cpu_ns + cases[i].cpu * s / 10,
			then.sleeps + cases[i].sleeps };
		if (precedence_has_rested(&then, &now) != cases[i].rested)
			fail_msg("case %zu", i);
	}
}

/* The sandbox kills who makes a call that is not foreseen. */
static void it_yields_in_its_sandbox_too(void **state)
{
	(void)state;
	int pair[2], status;
	char byte;
	bool may = may_be_first();
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct errmsg msg;
		close(pair[0]);
		precedence_first();
		bool entered =
		    sandbox_enter(SANDBOX_GUARDIAN, NULL, NULL, &msg) == 0;
		send(pair[1], &entered, 1, 0);
		while (recv(pair[1], &byte, 1, 0) > 0) {
			precedence_regain();
			send(pair[1], "", 1, 0);
		}
		_exit(0);
	}
	close(pair[1]);
	bool entered = false;
	assert_int_equal(recv(pair[0], &entered, 1, 0), 1);
	kill(pid, SIGXCPU);
	const struct timespec rest = { 1, 200000000 };
	for (int i = 0; i < 2; i++) {
		send(pair[0], "x", 1, 0);
		if (recv(pair[0], &byte, 1, 0) == 1 && i == 0)
			nanosleep(&rest, NULL);
	}
	struct rlimit class = { 0, 0 };
	prlimit(pid, RLIMIT_RTPRIO, NULL, &class);
	int scheduler = sched_getscheduler(pid);
	close(pair[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!entered)
		skip(); /* a machine that cannot have it */
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	if (may && class.rlim_cur > 0)
		assert_int_equal(scheduler, SCHED_FIFO);
}

static void a_script_is_behind(void **state)
{
	(void)state;
	assert_int_equal(in_child(is_behind), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_guardian_wakes_exactly_and_first),
		cmocka_unit_test(
		    a_guardian_that_never_rests_is_first_no_longer),
		cmocka_unit_test(one_that_has_rested_is_first_again),
		cmocka_unit_test(rest_is_sleep_and_little_work),
		cmocka_unit_test(it_yields_in_its_sandbox_too),
		cmocka_unit_test(a_script_is_behind),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
