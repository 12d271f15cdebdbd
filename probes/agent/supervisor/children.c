/* SPDX-License-Identifier: ISC */
/*
 * Forking.  Only the shipper is another program, for the sake of its TLS
 * library; the others are not executed, so pages that all need are shared.  A
 * child is sandboxed before it reads a byte from outside.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "probes/agent/supervisor/children.h"
#include "probes/ipc/process.h"

void child_begin(
    const struct supervisor *s, const char *name, int *fds, size_t count)
{
	char title[16] = "sonde-";
	strncat(title, name, sizeof(title) - strlen(title) - 1);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, title);
	if (getppid() != s->pid)
		_exit(0); /* it died before it could take us along */
	log_init(name, s->config.log_level);
	process_keep_fds(fds, count);
}

int child_enter(const struct supervisor *s, const struct child *self,
    const char *const *write, struct errmsg *msg)
{
	const struct sandbox_paths paths = {
		.write = write, .uid = s->config.uid, .gid = s->config.gid
	};
	return process_enter(
	    self->process->role, &paths, s->config.allow_weak_sandbox, msg);
}

static _Noreturn void child_main(struct supervisor *s, struct child *self)
{
	const struct process *process = self->process;
	int fds[2 * SUPERVISOR_MAX_RUNS + 8] = { 0 };
	struct errmsg msg = { "" };
	size_t count = process->channels(s, self, fds);
	child_begin(s, process->name, fds, count);
	if (!process->has_key)
		explicit_bzero(
		    s->identity.secret_key, sizeof(s->identity.secret_key));
	int err = chdir(s->config.state_dir) == 0
	    ? process->main(s, self, &msg)
	    : err_set(
		  &msg, -errno, "%s: %s", s->config.state_dir, strerror(errno));
	if (err)
		log_error("%s", msg.text[0] ? msg.text : err_str(err));
	_exit(err_exit_code(err));
}

int child_start(struct supervisor *s, struct child *child)
{
	pid_t pid = fork();
	if (pid == 0)
		child_main(s, child);
	if (pid < 0)
		return -1;
	child->pid = pid;
	child->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	child->since = monotime_now();
	child->asked = false;
	return 0;
}
