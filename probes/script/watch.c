/* SPDX-License-Identifier: ISC */
/*
 * The watch over a script, on a timer signal.  A Lua hook cannot bound Lua: it
 * is off in finalizers, is caught by pcall and never runs inside a C function.
 * A signal handler that ends the process has none of these holes; the parent's
 * SIGKILL stands behind it for a worker that is no longer itself.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "probes/script/watch.h"

#define TICK_NS (50 * NS_PER_MS)
#define GRACE_MAX_NS NS_PER_S /* before the deadline: time to record */

static struct {
	int log_fd;
	struct monotime deadline, soft;
	int64_t stall_ns;
	volatile int64_t alive_ns;
	volatile int asked; /* since the last tick */
	volatile int waits;
	volatile int stop;
} watch;

int write_all(int fd, const void *bytes, size_t len)
{
	const uint8_t *p = bytes;
	while (len > 0) {
		ssize_t n = write(fd, p, len);
		if (n > 0) {
			p += n;
			len -= (size_t)n;
		} else if (n < 0 && errno == EAGAIN) {
			struct pollfd w = { .fd = fd, .events = POLLOUT };
			poll(&w, 1, -1);
		} else if (n == 0 || errno != EINTR) {
			return n == 0 ? -EIO : -errno;
		}
	}
	return 0;
}

static _Noreturn void watch_end(const char *why)
{
	size_t len = strlen(why);
	/* A reader that is behind must not keep us here: the exit code shows
	 * enough. */
	if (watch.log_fd >= 0 &&
	    send(watch.log_fd, why, len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 &&
	    errno == ENOTSOCK)
		write_all(watch.log_fd, why, len);
	_exit(err_exit_code(-EAGAIN));
}

static void on_tick(int signal)
{
	(void)signal;
	int saved = errno;
	struct monotime now = monotime_now();
	if (watch.deadline.ns && !monotime_before(now, watch.deadline))
		watch_end("the script did not end by its deadline and was "
			  "stopped\n");
	if (watch.waits || watch.asked) {
		watch.asked = false;
		watch.alive_ns = now.ns;
	} else if (now.ns - watch.alive_ns > watch.stall_ns) {
		watch_end("the script computed for too long without asking "
			  "the network and was stopped\n");
	}
	if (watch.soft.ns && !watch.stop && !monotime_before(now, watch.soft))
		watch.stop = WATCH_DEADLINE;
	errno = saved;
}

static void on_interrupt(int signal)
{
	(void)signal;
	if (!watch.stop)
		watch.stop = WATCH_INTERRUPTED;
}

void watch_start(int log_fd, struct monotime deadline, int64_t stall_ns)
{
	struct monotime now = monotime_now();
	watch.log_fd = log_fd;
	watch.deadline = deadline;
	watch.stall_ns = stall_ns;
	watch.alive_ns = now.ns;
	if (deadline.ns) {
		int64_t grace_ns = monotime_diff(deadline, now) / 4;
		if (grace_ns > GRACE_MAX_NS)
			grace_ns = GRACE_MAX_NS;
		watch.soft = monotime_add(deadline, -grace_ns);
	}
	struct sigaction tick = { .sa_handler = on_tick,
		.sa_flags = SA_RESTART };
	struct sigaction interrupt = { .sa_handler = on_interrupt };
	sigaction(SIGALRM, &tick, NULL);
	sigaction(SIGTERM, &interrupt, NULL);
	signal(SIGINT, SIG_IGN); /* the parent passes it on as SIGTERM */
	signal(SIGHUP, SIG_IGN);
	signal(SIGTSTP, SIG_IGN); /* what is in the air comes all the same */
	signal(SIGPIPE, SIG_IGN);
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	struct itimerval every = { { 0, TICK_NS / 1000 },
		{ 0, TICK_NS / 1000 } };
	setitimer(ITIMER_REAL, &every, NULL);
}

/* Called for almost all that a script does: the next tick reads the clock. */
void watch_alive(void)
{
	watch.asked = true;
}

void watch_waits(bool waits)
{
	watch.asked = true;
	watch.waits = waits;
}

const volatile int *watch_stop(void)
{
	return &watch.stop;
}
