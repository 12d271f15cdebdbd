/* SPDX-License-Identifier: ISC */
/*
 * Per role, the system calls that are left.  Anything else kills the process:
 * a call that we did not think of is a bug or an intruder, and both must be
 * loud.  The few calls that libraries make on their own (looking for a file
 * that may be absent) are refused with an error instead and named so.
 *
 * libseccomp makes filters of them when the program is built (seccomp-pack).
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "probes/sandbox/seccomp-rules.h"

#define CALL(name) SCMP_SYS(name)
#define END INT32_MIN
#define API_LEVEL 3 /* of seccomp_api_get(3): Linux 4.14 has it all */

/* Every role: memory, time, descriptors that are open, an end.  glibc's qsort
 * asks sysinfo how much memory it may take for more than a kilobyte. */
static const int common[] = { CALL(read), CALL(write), CALL(close),
	CALL(munmap), CALL(mremap), CALL(brk), CALL(madvise), CALL(poll),
	CALL(ppoll), CALL(sendto), CALL(recvfrom), CALL(sendmsg), CALL(recvmsg),
	CALL(clock_gettime), CALL(clock_adjtime), CALL(restart_syscall),
	CALL(rt_sigreturn), CALL(exit_group), CALL(sysinfo), END };

static const int worker[] = { END };

static const int guardian[] = { CALL(bind), CALL(listen), CALL(sendmmsg),
	CALL(recvmmsg), CALL(epoll_wait), CALL(epoll_pwait), CALL(epoll_ctl),
	CALL(connect), CALL(getsockname), CALL(getsockopt), CALL(setsockopt),
	CALL(writev), CALL(clock_nanosleep), CALL(getrandom), CALL(fcntl),
	CALL(futex), CALL(gettimeofday), CALL(timerfd_settime), CALL(pread64),
	CALL(getrusage), END };

/* Interfaces come and go: fresh sockets are bound and get their rings here. */
static const int sensor[] = { CALL(bind), CALL(setsockopt), CALL(epoll_wait),
	CALL(epoll_pwait), CALL(epoll_ctl), CALL(getsockopt), CALL(writev),
	CALL(clock_nanosleep), CALL(getrandom), CALL(fcntl), CALL(futex),
	CALL(gettimeofday), CALL(lseek), CALL(timerfd_settime), END };

static const int keeper[] = { CALL(epoll_wait), CALL(epoll_pwait),
	CALL(epoll_ctl), CALL(writev), CALL(pread64), CALL(pwrite64),
	CALL(openat), CALL(fsync), CALL(fdatasync), CALL(ftruncate),
	CALL(fallocate), CALL(rename), CALL(renameat), CALL(renameat2),
	CALL(unlink), CALL(unlinkat), CALL(getdents64), CALL(lseek),
	CALL(flock), CALL(fcntl), CALL(newfstatat), CALL(fstat),
	CALL(getrandom), CALL(futex), CALL(clock_nanosleep),
	CALL(timerfd_settime), CALL(accept4), END };

static const int shipper[] = { CALL(epoll_wait), CALL(epoll_pwait),
	CALL(epoll_ctl), CALL(epoll_create1), CALL(writev), CALL(readv),
	CALL(pread64), CALL(openat), CALL(getdents64), CALL(lseek), CALL(fcntl),
	CALL(newfstatat), CALL(fstat), CALL(statx), CALL(access),
	CALL(readlink), CALL(connect), CALL(bind), CALL(getsockname),
	CALL(getpeername), CALL(getsockopt), CALL(setsockopt), CALL(sendmmsg),
	CALL(recvmmsg), CALL(socketpair), CALL(pipe2), CALL(eventfd2),
	CALL(ioctl), CALL(select), CALL(pselect6), CALL(getrandom), CALL(futex),
	CALL(mprotect), CALL(rt_sigaction), CALL(rt_sigprocmask), CALL(getpid),
	CALL(gettid), CALL(geteuid), CALL(getuid), CALL(getgid), CALL(getegid),
	CALL(uname), CALL(clock_nanosleep), CALL(clock_getres), CALL(alarm),
	CALL(timerfd_settime), CALL(gettimeofday), CALL(fadvise64), END };

static const int *const lists[SANDBOX_ROLES] = {
	[SANDBOX_GUARDIAN] = guardian,
	[SANDBOX_WORKER] = worker,
	[SANDBOX_SENSOR] = sensor,
	[SANDBOX_KEEPER] = keeper,
	[SANDBOX_SHIPPER] = shipper,
};

/* Refused with an error, not with death: libpcap looks for a counter below
 * /sys when it is asked for statistics, libcurl tries socket families. */
static const int refused[] = { CALL(openat), CALL(open), CALL(socket),
	CALL(ioctl), END };

/* What AddressSanitizer's run time needs for itself; only in its builds. */
static const int sanitizer[] = { CALL(mprotect), CALL(futex), CALL(gettid),
	CALL(getpid), CALL(sigaltstack), CALL(rt_sigprocmask),
	CALL(rt_sigaction), CALL(sched_yield), CALL(tgkill), CALL(getrandom),
	CALL(clock_nanosleep), END };

static bool list_has(const int *list, int call)
{
	for (; *list != END; list++)
		if (*list == call)
			return true;
	return false;
}

static int allow_list(scmp_filter_ctx filter, const int *list)
{
	int err = 0;
	for (; *list != END && !err; list++)
		err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, *list, 0);
	return err;
}

/* Memory may be had, but never memory that runs. */
static int allow_plain_mmap(scmp_filter_ctx filter)
{
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(mmap), 1,
	    SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
}

/* The shipper resolves names, which may load modules; its files are bounded
 * by Landlock. */
static int allow_shipper(scmp_filter_ctx filter)
{
	static const struct {
		int family, type;
	} sockets[] = { { AF_INET, SOCK_STREAM }, { AF_INET, SOCK_DGRAM },
		{ AF_INET6, SOCK_STREAM }, { AF_INET6, SOCK_DGRAM },
		{ AF_UNIX, SOCK_STREAM }, { AF_UNIX, SOCK_DGRAM },
		{ AF_NETLINK, SOCK_RAW } };
	int err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(mmap), 0);
	for (size_t i = 0; i < sizeof(sockets) / sizeof(*sockets); i++)
		if (!err)
			err = seccomp_rule_add(filter, SCMP_ACT_ALLOW,
			    CALL(socket), 2,
			    SCMP_A0(
				SCMP_CMP_EQ, (scmp_datum_t)sockets[i].family),
			    SCMP_A1(SCMP_CMP_MASKED_EQ, 0xf,
				(scmp_datum_t)sockets[i].type));
	return err;
}

/* What becomes of a real-time class that it has (probes/ipc/precedence.c): what
 * class it may have is RLIMIT_RTPRIO's to say, which it cannot change. */
static int allow_precedence(scmp_filter_ctx filter)
{
	static const int classes[] = { SCHED_OTHER, SCHED_FIFO };
	int err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(prlimit64), 2,
	    SCMP_A0(SCMP_CMP_EQ, 0), SCMP_A1(SCMP_CMP_EQ, RLIMIT_RTTIME));
	for (int i = 0; i < 2 && !err; i++)
		err = seccomp_rule_add(filter, SCMP_ACT_ALLOW,
		    CALL(sched_setscheduler), 1,
		    SCMP_A1(SCMP_CMP_EQ, (scmp_datum_t)classes[i]));
	return err;
}

static int refuse_calls(scmp_filter_ctx filter, enum sandbox_role role)
{
	int err = 0;
	for (const int *c = refused; *c != END && !err; c++)
		if (!list_has(lists[role], *c) &&
		    !(role == SANDBOX_SHIPPER && *c == CALL(socket)))
			err = seccomp_rule_add(
			    filter, SCMP_ACT_ERRNO(EACCES), *c, 0);
	return err;
}

static int fill(scmp_filter_ctx filter, enum sandbox_role role)
{
	int err = allow_list(filter, common);
	if (err < 0)
		return err;
	err = allow_list(filter, lists[role]);
	if (err < 0)
		return err;
	if (SANDBOX_SANITIZED)
		err = allow_list(filter, sanitizer);
	if (err < 0)
		return err;
	err = role == SANDBOX_SHIPPER ? allow_shipper(filter)
				      : allow_plain_mmap(filter);
	if (err < 0)
		return err;
	if (role == SANDBOX_GUARDIAN)
		err = allow_precedence(filter);
	if (err < 0)
		return err;
	if (role != SANDBOX_WORKER)
		err = refuse_calls(filter, role);
	if (err < 0)
		return err;
	return seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
}

int seccomp_rules_write(enum sandbox_role role, int fd)
{
	/* What is loaded is not of this machine: nothing to ask of it. */
	seccomp_api_set(API_LEVEL);
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int err = filter ? fill(filter, role) : -ENOMEM;
	if (!err)
		err = seccomp_export_bpf(filter, fd);
	seccomp_release(filter);
	return err;
}

unsigned seccomp_count(enum sandbox_role role)
{
	unsigned count = 1; /* mmap */
	if (role == SANDBOX_GUARDIAN)
		count += 2; /* sched_setscheduler, prlimit64 */
	for (const int *c = common; *c != END; c++)
		count++;
	for (const int *c = lists[role]; *c != END; c++)
		count++;
	return count;
}
