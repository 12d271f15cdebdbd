/* SPDX-License-Identifier: ISC */
/*
 * A hostile child in each role: it enters the sandbox and then tries, one
 * process per attempt, what an intruder with native code would try.  An
 * attempt is refused when the call fails or kills its process.  A child in no
 * sandbox makes the attempts that ought to work there, so that a test whose
 * attempts cannot succeed at all does not pass for a wall.
 */
#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>
#include <cmocka.h>

#include "lib/base/clock.h"
#include "probes/sandbox/layers.h"
#include "probes/sandbox/seccomp-rules.h"

#define ROLE(x) (1u << SANDBOX_##x)
#define NONE 0u
#define A(x) ((long)(x))
#define REFUSED 42

struct attempt {
	const char *what;
	long call;
	long args[6];
	unsigned may; /* roles to which it is not forbidden */
	bool plain;   /* works without any sandbox and without root */
};

static char *const no_strings[] = { NULL };

static const struct attempt attempts[] = {
	{ "read the password file", SYS_openat,
	    { AT_FDCWD, A("/etc/passwd"), O_RDONLY }, NONE, true },
	{ "read it by open", SYS_open, { A("/etc/passwd"), O_RDONLY }, NONE,
	    true },
	{ "list the root folder", SYS_openat,
	    { AT_FDCWD, A("/"), O_RDONLY | O_DIRECTORY }, NONE, true },
	{ "make a file", SYS_openat,
	    { AT_FDCWD, A("/tmp/sonde-red-team"), O_WRONLY | O_CREAT, 0600 },
	    NONE, true },
	{ "open by handle", SYS_open_by_handle_at, { AT_FDCWD, 0, O_RDONLY },
	    NONE, false },
	{ "openat2", SYS_openat2, { AT_FDCWD, A("/etc/passwd"), 0, 24 }, NONE,
	    false },
	{ "look at memory", SYS_openat,
	    { AT_FDCWD, A("/proc/self/mem"), O_RDWR }, NONE, true },
	{ "run a program", SYS_execve,
	    { A("/bin/true"), A(no_strings), A(no_strings) }, NONE, false },
	{ "run a descriptor", SYS_execveat,
	    { 0, A(""), A(no_strings), A(no_strings), AT_EMPTY_PATH }, NONE,
	    false },
	{ "fork", SYS_fork, { 0 }, NONE, true },
	{ "clone", SYS_clone, { SIGCHLD }, NONE, true },
	{ "clone3", SYS_clone3, { 0, 64 }, NONE, false },
	{ "IPv4 socket", SYS_socket, { AF_INET, SOCK_DGRAM }, ROLE(SHIPPER),
	    true },
	{ "IPv6 socket", SYS_socket, { AF_INET6, SOCK_STREAM }, ROLE(SHIPPER),
	    true },
	{ "raw socket", SYS_socket, { AF_INET, SOCK_RAW, 1 }, NONE, false },
	{ "packet socket", SYS_socket, { AF_PACKET, SOCK_RAW, 0 }, NONE,
	    false },
	{ "local socket", SYS_socket, { AF_UNIX, SOCK_STREAM }, ROLE(SHIPPER),
	    true },
	{ "netlink socket", SYS_socket, { AF_NETLINK, SOCK_RAW }, ROLE(SHIPPER),
	    true },
	{ "vsock", SYS_socket, { AF_VSOCK, SOCK_STREAM }, NONE, false },
	{ "crypto socket", SYS_socket, { AF_ALG, SOCK_SEQPACKET }, NONE,
	    false },
	{ "trace the parent", SYS_ptrace, { PTRACE_SEIZE, -1 }, NONE, false },
	{ "be traced", SYS_ptrace, { PTRACE_TRACEME }, NONE, true },
	{ "signal the parent", SYS_kill, { -2, 0 }, NONE, true },
	{ "signal everybody", SYS_kill, { -1, 0 }, NONE, false },
	{ "queue a signal", SYS_rt_sigqueueinfo, { -2, SIGTERM, 0 }, NONE,
	    false },
	{ "get a pidfd", SYS_pidfd_open, { -2, 0 }, NONE, true },
	{ "take a descriptor", SYS_pidfd_getfd, { 0, 0, 0 }, NONE, false },
	{ "read another's memory", SYS_process_vm_readv, { -2 }, NONE, true },
	{ "write another's memory", SYS_process_vm_writev, { -2 }, NONE, true },
	{ "memory that runs", SYS_mmap,
	    { 0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 },
	    ROLE(SHIPPER), true },
	{ "new namespaces", SYS_unshare, { CLONE_NEWUSER }, NONE, true },
	{ "join a namespace", SYS_setns, { 0, 0 }, NONE, false },
	{ "mount", SYS_mount, { A("none"), A("/"), A("tmpfs"), 0, 0 }, NONE,
	    false },
	{ "unmount", SYS_umount2, { A("/"), 0 }, NONE, false },
	{ "pivot", SYS_pivot_root, { A("."), A(".") }, NONE, false },
	{ "new root", SYS_chroot, { A("/") }, NONE, false },
	{ "become root", SYS_setuid, { 0 }, NONE, false },
	{ "become root by setresuid", SYS_setresuid, { 0, 0, 0 }, NONE, false },
	{ "take capabilities", SYS_capset, { 0, 0 }, NONE, false },
	{ "io_uring", SYS_io_uring_setup, { 1, 0 }, NONE, false },
	{ "load bpf", SYS_bpf, { 0, 0, 0 }, NONE, false },
	{ "perf", SYS_perf_event_open, { 0, 0, -1, -1, 0 }, NONE, false },
	{ "userfaultfd", SYS_userfaultfd, { 1 }, NONE, false },
	{ "a file in memory", SYS_memfd_create, { A("x"), 0 }, NONE, true },
	{ "a key", SYS_add_key, { A("user"), A("x"), A("y"), 1, -2 }, NONE,
	    false },
	{ "keyctl", SYS_keyctl, { 0, -1, 0 }, NONE, false },
	{ "personality", SYS_personality, { 0x0400000 }, NONE, true },
	{ "prctl", SYS_prctl, { PR_SET_DUMPABLE, 1 }, NONE, true },
	{ "link", SYS_linkat,
	    { AT_FDCWD, A("/etc/passwd"), AT_FDCWD, A("/tmp/sonde-red-link"),
		0 },
	    NONE, false },
	{ "symbolic link", SYS_symlinkat,
	    { A("/etc/passwd"), AT_FDCWD, A("/tmp/sonde-red-link") }, NONE,
	    true },
	{ "device", SYS_mknodat,
	    { AT_FDCWD, A("/tmp/sonde-red-node"), 0020666, 0x103 }, NONE,
	    false },
	{ "folder", SYS_mkdirat, { AT_FDCWD, A("/tmp/sonde-red-dir"), 0700 },
	    NONE, true },
	{ "remove", SYS_unlinkat, { AT_FDCWD, A("/tmp/sonde-red-team"), 0 },
	    NONE, false },
	{ "change mode", SYS_fchmodat, { AT_FDCWD, A("/tmp"), 0777 }, NONE,
	    false },
	{ "stat a file", SYS_stat, { A("/etc/passwd"), 0 }, NONE, false },
	{ "listen", SYS_listen, { 0, 1 }, NONE, false },
	{ "accept", SYS_accept, { 0, 0, 0 }, NONE, false },
	{ "set the clock", SYS_clock_settime, { 0, 0 }, NONE, false },
	{ "host name", SYS_sethostname, { A("x"), 1 }, NONE, false },
	{ "reboot", SYS_reboot, { 0, 0, 0 }, NONE, false },
	{ "load a module", SYS_init_module, { 0, 0, A("") }, NONE, false },
	{ "kernel log", SYS_syslog, { 10, 0, 0 }, NONE, false },
	{ "raise a limit", SYS_prlimit64, { 0, 7, 0, 0 }, NONE, false },
	{ "shared memory", SYS_shmget, { 0, 4096, 01600 }, NONE, true },
	{ "message queue", SYS_mq_open, { A("/x"), O_CREAT | O_RDWR, 0600, 0 },
	    NONE, false },
	{ "inotify", SYS_inotify_init1, { 0 }, NONE, true },
	{ "fanotify", SYS_fanotify_init, { 0, 0 }, NONE, false },
	{ "seccomp filter of its own", SYS_seccomp, { 1, 0, 0 }, NONE, false },
	{ "landlock ruleset", SYS_landlock_create_ruleset, { 0, 0, 1 }, NONE,
	    false },
	{ "32-bit entry", -1, { 0 }, NONE, false },
};
#define ATTEMPTS (sizeof(attempts) / sizeof(*attempts))

/* exit(2) through the 32-bit gate: another table of calls. */
static long call_32bit(void)
{
	long r;
	__asm__ volatile("int $0x80" : "=a"(r) : "a"(20L) : "memory");
	return r;
}

static long make_attempt(const struct attempt *a)
{
	long args[6];
	for (int i = 0; i < 6; i++)
		args[i] = a->args[i] == -2 ? getppid() : a->args[i];
	if (a->call < 0)
		return call_32bit();
	return syscall(
	    a->call, args[0], args[1], args[2], args[3], args[4], args[5]);
}

/* True when the attempt was refused. */
static bool try_in_child(int role, const struct attempt *a)
{
	int status;
	pid_t pid = fork();
	if (pid == 0) {
		/* getppid() is itself forbidden inside. */
		struct attempt now = *a;
		for (int i = 0; i < 6; i++)
			if (now.args[i] == -2)
				now.args[i] = getppid();
		if (role >= 0)
			sandbox_enter(
			    (enum sandbox_role)role, NULL, NULL, NULL);
		long r = make_attempt(&now);
		if (r == 0 && (a->call == SYS_fork || a->call == SYS_clone))
			_exit(0);
		_exit(r < 0 ? REFUSED : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) || WEXITSTATUS(status) == REFUSED;
}

static void clean_up(void)
{
	unlink("/tmp/sonde-red-team");
	unlink("/tmp/sonde-red-link");
	rmdir("/tmp/sonde-red-dir");
}

static void attack(enum sandbox_role role)
{
	unsigned held = 0;
	for (size_t i = 0; i < ATTEMPTS; i++) {
		if (attempts[i].may & (1u << role))
			continue;
		if (!try_in_child((int)role, &attempts[i]))
			fail_msg("the %s could: %s", sandbox_role_name(role),
			    attempts[i].what);
		held++;
	}
	print_message(
	    "# %s: %u attempts refused\n", sandbox_role_name(role), held);
}

static void attempts_work_outside(void **state)
{
	(void)state;
	for (size_t i = 0; i < ATTEMPTS; i++) {
		if (attempts[i].plain && try_in_child(-1, &attempts[i]))
			fail_msg("without a sandbox, too, failed: %s",
			    attempts[i].what);
		clean_up();
	}
}

static void guardian_is_held(void **state)
{
	(void)state;
	attack(SANDBOX_GUARDIAN);
}
static void worker_is_held(void **state)
{
	(void)state;
	attack(SANDBOX_WORKER);
}
static void sensor_is_held(void **state)
{
	(void)state;
	attack(SANDBOX_SENSOR);
}
static void keeper_is_held(void **state)
{
	(void)state;
	attack(SANDBOX_KEEPER);
}
static void shipper_is_held(void **state)
{
	(void)state;
	attack(SANDBOX_SHIPPER);
}

static void every_layer_is_enforced_for_root(void **state)
{
	struct sandbox_report report;
	(void)state;
	if (geteuid() != 0)
		skip();
	for (int role = 0; role < SANDBOX_ROLES; role++) {
		assert_int_equal(
		    sandbox_probe((enum sandbox_role)role, &report), 0);
		for (int i = 0; i < SANDBOX_LAYERS; i++) {
			if (report.wanted[i] && !report.enforced[i])
				fail_msg("%s: %s",
				    sandbox_layer_name((enum sandbox_layer)i),
				    report.why[i].text);
		}
	}
}

static void worker_makes_at_most_20_calls(void **state)
{
	(void)state;
	assert_in_range(seccomp_count(SANDBOX_WORKER), 1, 20);
}

static void filters_of_the_build_are_those_of_the_lists(void **state)
{
	(void)state;
	for (int role = 0; role < SANDBOX_ROLES; role++) {
		static char made[65536];
		const struct sock_fprog *built = &seccomp_filters[role];
		int ends[2];
		assert_int_equal(pipe(ends), 0);
		assert_int_equal(seccomp_rules_write(role, ends[1]), 0);
		ssize_t n = read(ends[0], made, sizeof(made));
		assert_true(n > 0);
		assert_int_equal(n, built->len * sizeof(*built->filter));
		assert_memory_equal(made, built->filter, (size_t)n);
		close(ends[0]);
		close(ends[1]);
	}
}

/* What the roles need works inside: otherwise a wall of zeros would pass. */
static void open_descriptors_still_work(void **state)
{
	(void)state;
	for (int role = 0; role < SANDBOX_ROLES; role++) {
		int ends[2], status;
		char got[4] = "";
		assert_int_equal(pipe(ends), 0);
		pid_t pid = fork();
		if (pid == 0) {
			sandbox_enter(
			    (enum sandbox_role)role, NULL, NULL, NULL);
			void *p = malloc(1 << 20);
			_exit(p && write(ends[1], "yes", 3) == 3 ? 0 : 1);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
		assert_int_equal(read(ends[0], got, 3), 3);
		assert_string_equal(got, "yes");
		close(ends[0]);
		close(ends[1]);
	}
}

/* Standard error is often a file. */
static void all_but_the_worker_may_log_to_a_file(void **state)
{
	(void)state;
	for (int role = 0; role < SANDBOX_ROLES; role++) {
		int status;
		FILE *file = tmpfile();
		assert_non_null(file);
		pid_t pid = fork();
		if (pid == 0) {
			sandbox_enter(
			    (enum sandbox_role)role, NULL, NULL, NULL);
			_exit(write(fileno(file), "x", 1) == 1 ? 0 : 1);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		fclose(file);
		assert_int_equal(status == 0, role != SANDBOX_WORKER);
	}
}

/* The folders that a keeper is given, and no others. */
static int by_value(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* qsort asks how much memory there is before it takes some: who finds many
 * segments or losses in a spool sorts that much. */
static void the_keeper_may_sort_many(void **state)
{
	static int many[65536];
	int status;
	(void)state;
	pid_t pid = fork();
	if (pid == 0) {
		for (int i = 0; i < 65536; i++)
			many[i] = 65536 - i;
		sandbox_enter(SANDBOX_KEEPER, NULL, NULL, NULL);
		qsort(many, 65536, sizeof(*many), by_value);
		_exit(many[0] == 1 ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* What all roles do, with more than they ever have: sorted tables of each size
 * up to 8 MiB, memory that grows and goes, numbers and times as text. */
static bool compute_largest(void)
{
	char text[512], stamp[WALLTIME_TEXT_LEN];
	for (size_t count = 16; count <= 2u << 20; count *= 8) {
		int *values = malloc(count * sizeof(*values));
		for (size_t i = 0; values && i < count; i++)
			values[i] = (int)(i * 7919 % count);
		if (!values)
			return false;
		qsort(values, count, sizeof(*values), by_value);
		for (size_t i = 1; i < count; i++)
			if (values[i - 1] > values[i])
				return false;
		free(values);
	}
	uint8_t *grown = NULL;
	for (size_t size = 64; size <= 16u << 20; size *= 2) {
		uint8_t *more = realloc(grown, size);
		if (!more)
			return false;
		grown = more;
		memset(grown, 1, size);
	}
	free(grown);
	snprintf(text, sizeof(text), "%.17g %.3f %s", 1.7976931348623157e308,
	    1e300, walltime_text(walltime_now(), stamp));
	return strtod(text, NULL) > 1e308;
}

static void each_role_computes_the_largest(void **state)
{
	(void)state;
	for (int role = 0; role < SANDBOX_ROLES; role++) {
		int status;
		pid_t pid = fork();
		if (pid == 0) {
			sandbox_enter(
			    (enum sandbox_role)role, NULL, NULL, NULL);
			_exit(compute_largest() ? 0 : 1);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
	}
}

static void paths_given_are_open_and_others_shut(void **state)
{
	char dir[] = "/tmp/sonde-sandbox-XXXXXX", file[64];
	const char *const write_paths[] = { dir, NULL };
	struct sandbox_paths paths = { .write = write_paths };
	int status;
	(void)state;
	if (landlock_abi() == 0)
		skip();
	assert_non_null(mkdtemp(dir));
	assert_int_equal(
	    chown(dir, geteuid() == 0 ? 65534 : geteuid(), (gid_t)-1), 0);
	snprintf(file, sizeof(file), "%s/x", dir);
	pid_t pid = fork();
	if (pid == 0) {
		sandbox_enter(SANDBOX_KEEPER, &paths, NULL, NULL);
		int in = open(file, O_RDWR | O_CREAT, 0600);
		int out = open("/etc/passwd", O_RDONLY);
		_exit(in >= 0 && out < 0 && unlink(file) == 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	rmdir(dir);
	assert_int_equal(status, 0);
}

static void death_signal_survives_the_change_of_user(void **state)
{
	int status, signal_number = 0;
	struct errmsg msg;
	(void)state;
	pid_t pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		capabilities_leave_root(0, 0, false, &msg);
		capabilities_drop(&msg);
		prctl(PR_GET_PDEATHSIG, &signal_number);
		_exit(signal_number == SIGKILL ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* The sandbox of a role, entered by root that has these capabilities only;
 * report is shared with the caller. */
static void probe_with(
    const int *capabilities, size_t count, struct sandbox_report *shared)
{
	int status;
	pid_t pid = fork();
	if (pid == 0) {
		capng_clear(CAPNG_SELECT_BOTH);
		for (size_t i = 0; i < count; i++)
			capng_update(CAPNG_ADD,
			    CAPNG_EFFECTIVE | CAPNG_PERMITTED,
			    (unsigned)capabilities[i]);
		if (capng_apply(CAPNG_SELECT_CAPS) != 0)
			_exit(1);
		_exit(sandbox_probe(SANDBOX_WORKER, shared) != 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static struct sandbox_report *shared_report(void)
{
	void *p = mmap(NULL, sizeof(struct sandbox_report),
	    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(p, MAP_FAILED);
	return p;
}

static bool user_namespaces_are_allowed(void)
{
	int status;
	pid_t pid = fork();
	if (pid == 0)
		_exit(setuid(65534) != 0 || unshare(CLONE_NEWUSER) != 0);
	waitpid(pid, &status, 0);
	return status == 0;
}

static void roots_of_containers_are_held(void **state)
{
	static const int usual[] = { CAP_NET_RAW, CAP_SETUID, CAP_SETGID,
		CAP_SETPCAP, CAP_CHOWN },
			 raw_only[] = { CAP_NET_RAW };
	(void)state;
	if (geteuid() != 0 || !user_namespaces_are_allowed())
		skip();
	struct sandbox_report *report = shared_report();
	for (int i = 0; i < 2; i++) {
		probe_with(i ? raw_only : usual, i ? 1 : 5, report);
		for (int layer = 0; layer < SANDBOX_LAYERS; layer++)
			if (report->wanted[layer] && !report->enforced[layer])
				fail_msg("%s: %s",
				    sandbox_layer_name(
					(enum sandbox_layer)layer),
				    report->why[layer].text);
	}
	munmap(report, sizeof(*report));
}

/* In a mount namespace of its own, what /proc/sys says is what the test
 * wants. */
static void cures_name_what_forbids(void **state)
{
	static const struct {
		const char *file, *value, *cure;
	} cases[] = { { "user/max_user_namespaces", "0",
			  "user.max_user_namespaces=10000" },
		{ "kernel/unprivileged_userns_clone", "0",
		    "kernel.unprivileged_userns_clone=1" },
		{ "kernel/apparmor_restrict_unprivileged_userns", "1",
		    "kernel.apparmor_restrict_unprivileged_userns=0" } };
	int status;
	(void)state;
	if (geteuid() != 0)
		skip();
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		pid_t pid = fork();
		if (pid == 0) {
			char path[128];
			if (unshare(CLONE_NEWNS) != 0 ||
			    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
			    mount("none", "/proc/sys", "tmpfs", 0, NULL) ||
			    mkdir("/proc/sys/user", 0755) ||
			    mkdir("/proc/sys/kernel", 0755))
				_exit(77);
			snprintf(
			    path, sizeof(path), "/proc/sys/%s", cases[i].file);
			FILE *f = fopen(path, "w");
			if (!f || fprintf(f, "%s\n", cases[i].value) < 0 ||
			    fclose(f) != 0)
				_exit(77);
			_exit(!strstr(namespaces_cure(-EPERM), cases[i].cure));
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
			skip();
		if (status != 0)
			fail_msg("%s is not named", cases[i].cure);
	}
	assert_non_null(strstr(namespaces_cure(-EINVAL), "CONFIG_USER_NS"));
}

/* Root that may become nobody else, where no user namespace is allowed. */
static void root_without_any_way_is_told_which(void **state)
{
	int status;
	(void)state;
	if (geteuid() != 0)
		skip();
	pid_t pid = fork();
	if (pid == 0) {
		struct sandbox_report report;
		if (unshare(CLONE_NEWUSER) != 0)
			_exit(77);
		FILE *map = fopen("/proc/self/uid_map", "w");
		if (!map || fputs("0 0 1\n", map) < 0 || fclose(map) != 0)
			_exit(77);
		FILE *most = fopen("/proc/sys/user/max_user_namespaces", "w");
		if (!most || fputs("0\n", most) < 0 || fclose(most) != 0)
			_exit(77);
		if (sandbox_probe(SANDBOX_WORKER, &report) != 0)
			_exit(1);
		bool told = strstr(report.why[SANDBOX_CAPABILITIES].text,
				"maps no such user") != NULL;
		_exit(report.enforced[SANDBOX_CAPABILITIES] || !told);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(status, 0);
}

/* As `unshare -rn` starts it: may all in its namespaces, be nobody in none. */
static void the_only_user_of_a_namespace_is_held(void **state)
{
	int status;
	(void)state;
	if (geteuid() != 0 || !user_namespaces_are_allowed())
		skip();
	struct sandbox_report *report = shared_report();
	pid_t pid = fork();
	if (pid == 0) {
		if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
			_exit(77);
		FILE *map = fopen("/proc/self/uid_map", "w");
		if (!map || fputs("0 0 1\n", map) < 0 || fclose(map) != 0)
			_exit(77);
		FILE *deny = fopen("/proc/self/setgroups", "w");
		if (!deny || fputs("deny", deny) < 0 || fclose(deny) != 0)
			_exit(77);
		map = fopen("/proc/self/gid_map", "w");
		if (!map || fputs("0 0 1\n", map) < 0 || fclose(map) != 0)
			_exit(77);
		_exit(sandbox_probe(SANDBOX_WORKER, report) != 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(status, 0);
	for (int layer = 0; layer < SANDBOX_LAYERS; layer++)
		if (report->wanted[layer] && !report->enforced[layer])
			fail_msg("%s: %s",
			    sandbox_layer_name((enum sandbox_layer)layer),
			    report->why[layer].text);
	munmap(report, sizeof(*report));
}

static void death_signal_survives_a_user_namespace(void **state)
{
	int status, signal_number = 0;
	struct errmsg msg;
	(void)state;
	if (!user_namespaces_are_allowed())
		skip();
	pid_t pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (namespaces_enter_last(CLONE_NEWUSER, &msg) != 0)
			_exit(2);
		prctl(PR_GET_PDEATHSIG, &signal_number);
		_exit(signal_number == SIGKILL ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* A child in the rooms that namespaces_enter_first gives; it stays.  One that
 * empties no file tree is in a copy of ours. */
static pid_t enter_rooms(int flags, bool empties, pid_t room)
{
	int ends[2];
	char done = 0;
	assert_int_equal(pipe(ends), 0);
	pid_t pid = fork();
	if (pid == 0) {
		struct errmsg msg;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		int err = empties ? namespaces_enter_first(flags, room, &msg)
				  : unshare(flags);
		bool sees = access("/etc", F_OK) == 0;
		if (err == 0 && sees == !(empties && flags & CLONE_NEWNS) &&
		    write(ends[1], "d", 1) == 1)
			pause();
		_exit(1);
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &done, 1), 1);
	close(ends[0]);
	return pid;
}

static ino_t room_of(pid_t pid, const char *kind)
{
	char path[64];
	struct stat st;
	snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, kind);
	assert_int_equal(stat(path, &st), 0);
	return st.st_ino;
}

static void end_all(const pid_t *pids, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
}

static void an_empty_network_is_shared_but_never_ours(void **state)
{
	(void)state;
	if (!namespaces_by_privilege())
		skip();
	pid_t first = enter_rooms(CLONE_NEWNET, true, 0);
	pid_t second = enter_rooms(CLONE_NEWNET, true, first);
	pid_t third = enter_rooms(CLONE_NEWNET, true, getpid()); /* has none */
	ino_t ours = room_of(getpid(), "net");
	assert_true(room_of(first, "net") != ours);
	assert_true(room_of(second, "net") == room_of(first, "net"));
	assert_true(room_of(third, "net") != ours);
	end_all((pid_t[]){ first, second, third }, 3);
}

static void a_file_tree_is_shared_only_when_it_is_empty(void **state)
{
	const int rooms = CLONE_NEWNET | CLONE_NEWNS;
	(void)state;
	if (!namespaces_by_privilege())
		skip();
	pid_t empty = enter_rooms(rooms, true, 0);
	pid_t full = enter_rooms(rooms, false, 0);
	pid_t with_empty = enter_rooms(rooms, true, empty);
	pid_t with_full = enter_rooms(rooms, true, full);
	assert_true(room_of(with_empty, "mnt") == room_of(empty, "mnt"));
	assert_true(room_of(with_full, "net") == room_of(full, "net"));
	assert_true(room_of(with_full, "mnt") != room_of(full, "mnt"));
	assert_true(room_of(with_full, "mnt") != room_of(getpid(), "mnt"));
	end_all((pid_t[]){ empty, full, with_empty, with_full }, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(attempts_work_outside),
		cmocka_unit_test(guardian_is_held),
		cmocka_unit_test(worker_is_held),
		cmocka_unit_test(sensor_is_held),
		cmocka_unit_test(keeper_is_held),
		cmocka_unit_test(shipper_is_held),
		cmocka_unit_test(every_layer_is_enforced_for_root),
		cmocka_unit_test(worker_makes_at_most_20_calls),
		cmocka_unit_test(filters_of_the_build_are_those_of_the_lists),
		cmocka_unit_test(open_descriptors_still_work),
		cmocka_unit_test(all_but_the_worker_may_log_to_a_file),
		cmocka_unit_test(the_keeper_may_sort_many),
		cmocka_unit_test(each_role_computes_the_largest),
		cmocka_unit_test(paths_given_are_open_and_others_shut),
		cmocka_unit_test(death_signal_survives_the_change_of_user),
		cmocka_unit_test(death_signal_survives_a_user_namespace),
		cmocka_unit_test(roots_of_containers_are_held),
		cmocka_unit_test(cures_name_what_forbids),
		cmocka_unit_test(root_without_any_way_is_told_which),
		cmocka_unit_test(the_only_user_of_a_namespace_is_held),
		cmocka_unit_test(an_empty_network_is_shared_but_never_ours),
		cmocka_unit_test(a_file_tree_is_shared_only_when_it_is_empty),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
