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

/* The sandbox kills who makes a call that is not foreseen. */
static void it_yields_in_its_sandbox_too(void **state)
{
	(void)state;
	int pair[2], status;
	char byte;
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
		while (recv(pair[1], &byte, 1, 0) > 0)
			;
		_exit(0);
	}
	close(pair[1]);
	bool entered = false;
	assert_int_equal(recv(pair[0], &entered, 1, 0), 1);
	kill(pid, SIGXCPU);
	send(pair[0], "x", 1, 0);
	close(pair[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!entered)
		skip(); /* a machine that cannot have it */
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
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
		cmocka_unit_test(it_yields_in_its_sandbox_too),
		cmocka_unit_test(a_script_is_behind),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
