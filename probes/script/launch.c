/* SPDX-License-Identifier: ISC */
/*
 * Guardian and worker as two children of the command line.  Each gets its end
 * of one socket pair and nothing of the other's; what they send goes through
 * datagram sockets, so that a message is never half a message.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/xalloc.h"
#include "probes/guardian/guardian.h"
#include "probes/ipc/precedence.h"
#include "probes/sandbox/sandbox.h"
#include "probes/script/launch.h"

/* Everything the children need, made before the first fork. */
struct launch_ends {
	int run[2], record[2], log[2]; /* [0] the reader's or guardian's */
	int operand[2];                /* [0] the writer's */
};

static int ends_open(struct launch_ends *e, struct errmsg *msg)
{
	int *pairs[] = { e->run, e->record, e->log, e->operand };
	memset(e, 0xff, sizeof(*e));
	for (int i = 0; i < 4; i++)
		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
			pairs[i]) != 0)
			return err_set(
			    msg, -errno, "socketpair: %s", strerror(errno));
	return 0;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void send_summary(int log_fd, const char *text)
{
	char line[400];
	int len = snprintf(line, sizeof(line), "%s\n", text);
	if (len > 0 && send(log_fd, line, (size_t)len, MSG_NOSIGNAL) < 0)
		return;
}

/* The worker is in empty rooms already, or makes them. */
static int guardian_sandbox(
    bool allow_weak, pid_t worker, int log_fd, struct errmsg *msg)
{
	struct errmsg loud;
	const struct sandbox_paths paths = { .room = worker };
	int err = sandbox_enter(SANDBOX_GUARDIAN, &paths, NULL, msg);
	if (!err || !allow_weak)
		return err;
	err_set(&loud, err, "WARNING: %.250s", msg->text);
	send_summary(log_fd, loud.text);
	return 0;
}

/* Signals of the terminal are for the parent, which decides.  While that is
 * suspended, what is in the air is still received and timed. */
static void ignore_terminal(void)
{
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGTSTP, SIG_IGN);
	signal(SIGTERM, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
}

/* Round and round.  One whose worker has not said that it waits keeps the
 * others here, and none is the worse for it: their time is one.  One whose
 * worker is gone is closed, and time does not wait for it. */
static void serve_together(struct guardian **guardians, size_t count)
{
	for (size_t left = count; left > 0; precedence_regain())
		for (size_t i = 0; i < count; i++) {
			if (!guardians[i] || guardian_step(guardians[i], -1))
				continue;
			guardian_free(guardians[i]);
			guardians[i] = NULL;
			left--;
		}
}

static _Noreturn void guardian_main(
    const struct launch *launches, const struct launch_network *n)
{
	const struct guardian_run run = { .who = POLICY_LOCAL };
	int log_fd = launches[0].guardian_ends[1], err = 0;
	struct errmsg msg = { "" };
	struct guardian **guardians =
	    xcalloc(n->count, sizeof(struct guardian *));
	ignore_terminal();
	if (!n->net->advance) /* real time */
		precedence_first();
	for (size_t i = 0; i < n->count && !err; i++) {
		guardians[i] = guardian_new(n->net, n->ctxs[i], n->policy);
		err = guardian_add_run(
		    guardians[i], launches[i].guardian_ends[0], &run);
	}
	if (err < 0)
		goto out;
	err = guardian_sandbox(
	    n->allow_weak_sandbox, launches[0].worker, log_fd, &msg);
	if (err < 0)
		goto out;
	/* The readers wait for the end of these, not for that of a process. */
	for (size_t i = 0; i < n->count; i++)
		close(launches[i].guardian_ends[1]);
	if (n->count == 1)
		guardian_serve(guardians[0], -1);
	else
		serve_together(guardians, n->count);
out:
	if (err < 0)
		send_summary(log_fd, msg.text[0] ? msg.text : err_str(err));
	_exit(err_exit_code(err));
}

/* Closes what is the reader's. */
static pid_t start_guardian(
    struct launch *launches, const struct launch_network *network)
{
	pid_t pid = fork();
	if (pid != 0)
		return pid;
	for (size_t i = 0; i < network->count; i++) {
		close_fd(&launches[i].record_fd);
		close_fd(&launches[i].log_fd);
		close_fd(&launches[i].operand_fd);
	}
	if (network->feed_fd >= 0)
		close(network->feed_fd);
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null_fd >= 0) {
		dup2(null_fd, 0);
		dup2(null_fd, 1);
	}
	guardian_main(launches, network);
}

static pid_t start_worker(
    struct launch_ends *e, const struct worker_config *worker)
{
	pid_t pid = fork();
	if (pid != 0)
		return pid;
	struct worker_config config = *worker;
	config.guardian_fd = e->run[1];
	config.record_fd = e->record[1];
	config.log_fd = e->log[1];
	config.says_end = true;
	config.operand_fd = worker->streams_operands ? e->operand[1] : -1;
	worker_main(&config);
}

int launch_worker(
    struct launch *l, const struct worker_config *worker, struct errmsg *msg)
{
	struct launch_ends e;
	*l = (struct launch){ .ended = -1 };
	int err = ends_open(&e, msg);
	if (!err) {
		l->worker = start_worker(&e, worker);
		if (l->worker < 0)
			err = err_set(msg, -errno, "fork: %s", strerror(errno));
	}
	close_fd(&e.run[1]);
	close_fd(&e.record[1]);
	close_fd(&e.operand[1]);
	l->operand_fd = e.operand[0];
	l->record_fd = e.record[0];
	l->log_fd = e.log[0];
	l->guardian_ends[0] = e.run[0];
	l->guardian_ends[1] = e.log[1];
	if (err < 0)
		launch_finish(l, NULL);
	return err;
}

int launch_guardian(struct launch *launches,
    const struct launch_network *network, struct errmsg *msg)
{
	int err = 0;
	launches[0].guardian = start_guardian(launches, network);
	if (launches[0].guardian < 0)
		err = err_set(msg, -errno, "fork: %s", strerror(errno));
	for (size_t i = 0; i < network->count; i++) {
		network->net->close(network->ctxs[i]);
		close_fd(&launches[i].guardian_ends[0]);
		close_fd(&launches[i].guardian_ends[1]);
	}
	if (err < 0)
		launch_abandon(launches, network->count);
	return err;
}

void launch_abandon(struct launch *launches, size_t count)
{
	for (size_t i = 0; i < count; i++)
		launch_kill(&launches[i]);
	while (count-- > 0)
		launch_finish(&launches[count], NULL);
}

void launch_yield(const struct launch *l)
{
	if (l->worker > 0)
		precedence_last(l->worker);
}

void launch_interrupt(const struct launch *l)
{
	if (l->worker > 0)
		kill(l->worker, SIGTERM);
}

void launch_kill(const struct launch *l)
{
	if (l->worker > 0)
		kill(l->worker, SIGKILL);
}

/* The exit code of a child; -1: none was started. */
static int wait_for(pid_t *pid, const char *what, struct errmsg *msg)
{
	int status;
	if (*pid <= 0)
		return -1;
	while (waitpid(*pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	*pid = 0;
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	err_set(msg, ERR_UNSUPPORTED, "the %s ended by signal %d (%s)", what,
	    WTERMSIG(status), strsignal(WTERMSIG(status)));
	return 70;
}

bool launch_is_end(struct launch *l, const uint8_t *bytes, size_t len)
{
	if (len != 2 || bytes[0] != WORKER_END || bytes[1] > 1)
		return false;
	l->ended = bytes[1];
	return true;
}

/* A worker comes to its end only when the guardian served it until then.  That
 * has closed, or is about to close, what it has open: nobody need wait. */
int launch_finish(struct launch *l, struct errmsg *msg)
{
	int worker = l->ended, guardian = 0;
	if (worker >= 0)
		launch_kill(l);
	else
		worker = wait_for(&l->worker, "script", msg);
	if (l->ended < 0 && worker != 0)
		guardian = wait_for(&l->guardian, "guardian", msg);
	close_fd(&l->record_fd);
	close_fd(&l->log_fd);
	close_fd(&l->operand_fd);
	close_fd(&l->guardian_ends[0]);
	close_fd(&l->guardian_ends[1]);
	return guardian > 0 ? guardian : worker < 0 ? 70 : worker;
}
