/* SPDX-License-Identifier: ISC */
/*
 * Files and TCP by Landlock.  The constants are ours: the C library's header
 * stops at ABI 2, the kernel is asked at run time what it knows, and rights
 * that it does not know are left out (they are then allowed, as before it).
 * Landlock says nothing about UDP or raw sockets: those are seccomp's.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "probes/sandbox/layers.h"

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif

#define CREATE_VERSION 1u /* flag: only ask for the ABI */
#define RULE_PATH 1
#define RULE_PORT 2

#define FS_EXECUTE (1ull << 0)
#define FS_WRITE_FILE (1ull << 1)
#define FS_READ_FILE (1ull << 2)
#define FS_READ_DIR (1ull << 3)
#define FS_REMOVE_FILE (1ull << 5)
#define FS_MAKE_REG (1ull << 8)
#define FS_TRUNCATE (1ull << 14)
#define FS_ABI1 ((1ull << 13) - 1)
#define FS_REFER (1ull << 13)     /* ABI 2 */
#define FS_IOCTL_DEV (1ull << 15) /* ABI 5 */
#define NET_BIND_TCP 1ull         /* ABI 4 */
#define NET_CONNECT_TCP 2ull
#define SCOPE_ABSTRACT_UNIX 1ull /* ABI 6 */
#define SCOPE_SIGNAL 2ull

#define RIGHTS_READ (FS_READ_FILE | FS_READ_DIR)
#define RIGHTS_WRITE                                                  \
	(RIGHTS_READ | FS_WRITE_FILE | FS_REMOVE_FILE | FS_MAKE_REG | \
	    FS_TRUNCATE)
#define RIGHTS_FILE (FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE)

struct ruleset_attr {
	uint64_t fs, net, scoped;
};
struct path_attr {
	uint64_t allowed;
	int32_t fd;
} __attribute__((packed));
struct port_attr {
	uint64_t allowed, port;
};

int landlock_abi(void)
{
	long abi =
	    syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_VERSION);
	return abi < 0 ? 0 : (int)abi;
}

static struct ruleset_attr handled_by(int abi, size_t *size)
{
	struct ruleset_attr attr = { .fs = FS_ABI1 };
	*size = sizeof(attr.fs);
	if (abi >= 2)
		attr.fs |= FS_REFER;
	if (abi >= 3)
		attr.fs |= FS_TRUNCATE;
	if (abi >= 4) {
		attr.net = NET_BIND_TCP | NET_CONNECT_TCP;
		*size = 2 * sizeof(uint64_t);
	}
	if (abi >= 5)
		attr.fs |= FS_IOCTL_DEV;
	if (abi >= 6) {
		attr.scoped = SCOPE_ABSTRACT_UNIX | SCOPE_SIGNAL;
		*size = sizeof(attr);
	}
	return attr;
}

/* A path that is not there cannot be reached anyway. */
static int add_path(
    int ruleset, const char *path, uint64_t allowed, struct errmsg *msg)
{
	struct path_attr rule = { .fd = open(path, O_PATH | O_CLOEXEC) };
	struct stat st;
	if (rule.fd < 0 || fstat(rule.fd, &st) != 0) {
		if (rule.fd >= 0)
			close(rule.fd);
		return 0;
	}
	rule.allowed = S_ISDIR(st.st_mode) ? allowed : allowed & RIGHTS_FILE;
	long r = syscall(SYS_landlock_add_rule, ruleset, RULE_PATH, &rule, 0);
	int err = r == 0 ? 0 : -errno;
	close(rule.fd);
	return err ? err_set(msg, err, "landlock: %s: %s", path, strerror(-err))
		   : 0;
}

static int add_paths(
    int ruleset, const char *const *paths, uint64_t allowed, struct errmsg *msg)
{
	int err = 0;
	for (; paths && *paths && !err; paths++)
		err = add_path(ruleset, *paths, allowed, msg);
	return err;
}

static int add_rules(int ruleset, const struct ruleset_attr *handled,
    const struct sandbox_paths *paths, struct errmsg *msg)
{
	int err =
	    add_paths(ruleset, paths->read, RIGHTS_READ & handled->fs, msg);
	if (err < 0)
		return err;
	err = add_paths(ruleset, paths->write, RIGHTS_WRITE & handled->fs, msg);
	if (err < 0)
		return err;
	struct port_attr port = { NET_CONNECT_TCP, paths->tcp_connect_port };
	if (paths->tcp_connect_port && handled->net &&
	    syscall(SYS_landlock_add_rule, ruleset, RULE_PORT, &port, 0) != 0)
		return err_set(
		    msg, -errno, "landlock: port: %s", strerror(errno));
	return 0;
}

int landlock_enter(
    const struct sandbox_paths *paths, bool tcp_bind, struct errmsg *msg)
{
	static const struct sandbox_paths nothing;
	int abi = landlock_abi();
	if (abi == 0)
		return err_set(msg, -ENOSYS,
		    "landlock: this kernel has none; "
		    "boot a kernel from 5.13 on with lsm=landlock,...");
	size_t size;
	struct ruleset_attr handled = handled_by(abi, &size);
	if (tcp_bind)
		handled.net &= ~NET_BIND_TCP;
	int ruleset =
	    (int)syscall(SYS_landlock_create_ruleset, &handled, size, 0);
	if (ruleset < 0)
		return err_set(
		    msg, -errno, "landlock: ruleset: %s", strerror(errno));
	int err = add_rules(ruleset, &handled, paths ? paths : &nothing, msg);
	if (!err && syscall(SYS_landlock_restrict_self, ruleset, 0) != 0)
		err = err_set(
		    msg, -errno, "landlock: restrict: %s", strerror(errno));
	close(ruleset);
	return err;
}
