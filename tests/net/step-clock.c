/* SPDX-License-Identifier: ISC */
/*
 * Preloaded by tests/net/clocks.sh: the wall clock of a program steps by
 * STEP_CLOCK_S seconds, STEP_CLOCK_AFTER_MS after it began.  With
 * STEP_CLOCK_NO_STAMPS the kernel's times of departure are not read, so a time
 * of departure is the program's clock and one of arrival the kernel's.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static long step_s, after_ms, no_stamps;
static struct timespec start;

static long number_of(const char *name)
{
	const char *text = getenv(name);
	return text ? strtol(text, NULL, 10) : 0;
}

__attribute__((constructor)) static void remember(void)
{
	step_s = number_of("STEP_CLOCK_S");
	after_ms = number_of("STEP_CLOCK_AFTER_MS");
	no_stamps = number_of("STEP_CLOCK_NO_STAMPS");
	syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &start);
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
	struct timespec mono;
	if (syscall(SYS_clock_gettime, clock, now) != 0)
		return -1;
	if (clock != CLOCK_REALTIME)
		return 0;
	syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &mono);
	if ((mono.tv_sec - start.tv_sec) * 1000 +
		(mono.tv_nsec - start.tv_nsec) / 1000000 >=
	    after_ms)
		now->tv_sec += step_s;
	return 0;
}

int recvmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags,
    struct timespec *wait)
{
	if (no_stamps && flags & MSG_ERRQUEUE) {
		errno = EAGAIN;
		return -1;
	}
	return (int)syscall(SYS_recvmmsg, fd, messages, count, flags, wait);
}
