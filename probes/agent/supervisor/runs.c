/* SPDX-License-Identifier: ISC */
/*
 * Script runs: each is a worker with a socket to the guardian, one to the
 * keeper for records and one for its log.  The supervisor holds on to the
 * keeper's ends until they are empty, so that a keeper which dies is replaced
 * without loss of what a worker had already sent.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/base/xalloc.h"
#include "probes/agent/keeper/keeper.h"
#include "probes/ipc/fd-pass.h"
#include "probes/ipc/process.h"
#include "probes/agent/supervisor/children.h"
#include "probes/agent/supervisor/host-addresses.h"
#include "probes/agent/supervisor/runs.h"
#include "probes/guardian/guardian.h"
#include "probes/script/worker.h"

#define LOOK_AGAIN_NS                                          \
	(200 * NS_PER_MS) /* at the ends of workers that ended \
			   */

#define GRACE_NS (5 * NS_PER_S) /* the worker ends itself; then we kill */

#define LAST_WORDS_NS (NS_PER_S) /* to record what it has */

/* The worker's ends of its channels. */
struct worker_ends {
	int guardian, records, log_lines;
};

static bool pair_make(int pair[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0;
}

static void ends_close(struct worker_ends *ends)
{
	if (ends->guardian >= 0)
		close(ends->guardian);
	if (ends->records >= 0)
		close(ends->records);
	if (ends->log_lines >= 0)
		close(ends->log_lines);
}

/* One channel to the keeper: its end becomes a producer, ours goes to *end. */
static int open_producer(struct supervisor *s, struct keeper_producer *p,
    const struct producer_grant *grant, int *end)
{
	int pair[2];
	if (!pair_make(pair))
		return -errno;
	p->fd = pair[0];
	p->grant = *grant;
	*end = pair[1];
	shutdown(pair[0], SHUT_WR);
	return pass_send(s->keeper_control[OURS], p->fd, grant, sizeof(*grant));
}

static int open_guardian(
    struct supervisor *s, const struct net_choice *choice, int *end)
{
	const struct guardian_run grant = { POLICY_REMOTE, *choice };
	int pair[2];
	if (!pair_make(pair))
		return -errno;
	*end = pair[1];
	int err = pass_send(
	    s->guardian_control[OURS], pair[0], &grant, sizeof(grant));
	close(pair[0]);
	return err;
}

static int channels_open(struct supervisor *s, struct run *run,
    const struct run_request *q, struct worker_ends *ends)
{
	struct producer_grant records = { .name = "script",
		.roles = RECORD_BY_SCRIPT,
		.flags = PRODUCER_BOUND,
		.run = q->run };
	struct producer_grant log_lines = { .roles = RECORD_BY_LOGGER,
		.flags = PRODUCER_LINES | PRODUCER_BOUND,
		.run = q->run };
	memcpy(records.campaign, q->campaign, sizeof(records.campaign));
	memcpy(log_lines.campaign, q->campaign, sizeof(log_lines.campaign));
	snprintf(log_lines.name, sizeof(log_lines.name), "%.31s", q->script);
	int err = open_guardian(s, &q->choice, &ends->guardian);
	if (err < 0)
		return err;
	err = open_producer(s, &run->producers[0], &records, &ends->records);
	if (err < 0)
		return err;
	return open_producer(
	    s, &run->producers[1], &log_lines, &ends->log_lines);
}

/* In the child.  The header of the script is read in a process of its own. */
static _Noreturn void worker(struct supervisor *s, const struct run_request *q,
    const struct worker_ends *ends)
{
	int fds[] = { ends->guardian, ends->records, ends->log_lines };
	struct script *script;
	struct errmsg msg;
	child_begin(s, "worker", fds, 3);
	explicit_bzero(s->identity.secret_key, sizeof(s->identity.secret_key));
	process_signals_end();
	int err =
	    script_load(&script, q->script, s->config.allow_weak_sandbox, &msg);
	if (err) {
		log_error("%s", msg.text);
		producer_log_run(
		    ends->records, q->campaign, q->run, 0, q->script, msg.text);
		_exit(err_exit_code(err));
	}
	struct worker_config config = { .script = script,
		.arguments = (const char *const *)q->arguments,
		.argument_count = q->argument_count,
		.operand_fd = -1,
		.guardian_fd = ends->guardian,
		.record_fd = ends->records,
		.log_fd = ends->log_lines,
		.has_campaign = true,
		.run = q->run,
		.deadline_ns = q->deadline_ns,
		.allow_weak_sandbox = s->config.allow_weak_sandbox };
	memcpy(config.campaign, q->campaign, sizeof(config.campaign));
	worker_main(&config);
}

static void run_free(struct run *run)
{
	for (int i = 0; i < 2; i++)
		if (run->producers[i].fd >= 0)
			close(run->producers[i].fd);
	free(run->producers);
	if (run->pid)
		close(run->pidfd);
	memset(run, 0, sizeof(*run));
}

/* Why it will not run now, or NULL; *slot is where it may. */
static const char *refusal(
    struct supervisor *s, const struct run_request *q, struct run **slot)
{
	unsigned active = 0;
	*slot = NULL;
	if (q->once && once_has(s->once, q->campaign))
		return "it has run";
	for (size_t i = 0; i < SUPERVISOR_MAX_RUNS; i++) {
		struct run *r = &s->runs[i];
		if (!r->used)
			*slot = r;
		active += r->used && r->pid;
		if (r->used && r->pid &&
		    memcmp(r->campaign, q->campaign, 16) == 0)
			return "its last run has not ended";
	}
	if (!*slot || active >= s->config.max_runs)
		return "too many scripts run";
	return NULL;
}

static int fork_worker(
    struct supervisor *s, struct run *run, const struct run_request *q)
{
	struct worker_ends ends = { -1, -1, -1 };
	int err = channels_open(s, run, q, &ends);
	if (!err) {
		run->pid = fork();
		if (run->pid == 0)
			worker(s, q, &ends);
		if (run->pid < 0) {
			run->pid = 0;
			err = -errno;
		}
	}
	ends_close(&ends);
	if (err < 0)
		return err;
	run->pidfd = (int)syscall(SYS_pidfd_open, run->pid, 0);
	return 0;
}

static void report_failure(
    struct supervisor *s, const struct run_request *q, const char *why)
{
	log_error("run %" PRIu64 " of %s: %s", q->run, q->script, why);
	supervisor_count(s, "runs_failed", 1);
	producer_log_run(
	    s->log_lines[THEIRS], q->campaign, q->run, 0, q->script, why);
}

/* The way that its probes are to leave by, if this agent lets it choose. */
static int choose_way(
    struct supervisor *s, struct run_request *q, struct errmsg *msg)
{
	int err = choice_take(&q->choice, &s->config.allowed, q->arguments,
	    &q->argument_count, msg);
	return err < 0 ? err : host_has_choice(&q->choice, msg);
}

void run_start(struct supervisor *s, struct run_request *request)
{
	struct run *run;
	struct errmsg msg;
	const char *no = refusal(s, request, &run);
	if (no) {
		supervisor_count(s, "runs_refused", 1);
		log_debug("run %" PRIu64 " of %s: %s", request->run,
		    request->script, no);
		return;
	}
	if (request->once && once_add(s->once, request->campaign, &msg) != 0) {
		report_failure(s, request, msg.text);
		return;
	}
	if (choose_way(s, request, &msg) < 0) {
		report_failure(s, request, msg.text);
		return;
	}
	memset(run, 0, sizeof(*run));
	run->used = true;
	run->producers = xcalloc(2, sizeof(*run->producers));
	run->producers[0].fd = run->producers[1].fd = -1;
	memcpy(run->campaign, request->campaign, sizeof(run->campaign));
	run->number = request->run;
	memcpy(run->script, request->script, sizeof(run->script));
	run->deadline =
	    monotime_add(monotime_now(), request->deadline_ns + GRACE_NS);
	int err = fork_worker(s, run, request);
	if (err) {
		report_failure(s, request, err_str(err));
		run_free(run);
		return;
	}
	supervisor_count(s, "runs", 1);
}

/* A worker reports itself why it fails, unless it was ended from outside. */
static void report_end(struct supervisor *s, const struct run *run, int status)
{
	char text[100];
	if (WIFSIGNALED(status))
		snprintf(text, sizeof(text),
		    "the script was killed by signal %d%s", WTERMSIG(status),
		    WTERMSIG(status) == SIGSYS ? ", for a forbidden system call"
					       : "");
	else if (WEXITSTATUS(status) == err_exit_code(-EAGAIN))
		snprintf(text, sizeof(text),
		    "the script was stopped: its time was over");
	else
		return;
	producer_log_run(s->log_lines[THEIRS], run->campaign, run->number, 0,
	    run->script, text);
}

static void note_end(struct supervisor *s, struct run *run, int status)
{
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	close(run->pidfd);
	run->pid = 0;
	if (code == 0 || code == 1)
		return;
	supervisor_count(s, "runs_failed", 1);
	log_warn("run %" PRIu64 " of %s ended with %s %d", run->number,
	    run->script, code < 0 ? "signal" : "code",
	    code < 0 ? WTERMSIG(status) : code);
	report_end(s, run, status);
}

/* Nothing is in the channel and no process can write to it any more. */
static bool is_empty(int fd)
{
	char c;
	return recv(fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

static void tend(struct supervisor *s, struct run *run)
{
	int status;
	if (run->pid) {
		if (!monotime_before(monotime_now(), run->deadline))
			kill(run->pid, SIGKILL);
		if (waitpid(run->pid, &status, WNOHANG) == run->pid)
			note_end(s, run, status);
	}
	if (!run->pid && is_empty(run->producers[0].fd) &&
	    is_empty(run->producers[1].fd))
		run_free(run);
}

void runs_tend(struct supervisor *s)
{
	for (size_t i = 0; i < SUPERVISOR_MAX_RUNS; i++)
		if (s->runs[i].used)
			tend(s, &s->runs[i]);
}

void runs_end(struct supervisor *s)
{
	for (size_t i = 0; i < SUPERVISOR_MAX_RUNS; i++) {
		struct run *r = &s->runs[i];
		if (!r->used || !r->pid)
			continue;
		kill(r->pid, SIGTERM);
		r->deadline = monotime_add(monotime_now(), LAST_WORDS_NS);
	}
}

bool runs_active(const struct supervisor *s)
{
	for (size_t i = 0; i < SUPERVISOR_MAX_RUNS; i++)
		if (s->runs[i].used && s->runs[i].pid)
			return true;
	return false;
}

struct monotime runs_next(const struct supervisor *s)
{
	struct monotime next = { INT64_MAX };
	for (size_t i = 0; i < SUPERVISOR_MAX_RUNS; i++) {
		const struct run *r = &s->runs[i];
		struct monotime t = r->pid
		    ? r->deadline
		    : monotime_add(monotime_now(), LOOK_AGAIN_NS);
		if (r->used && monotime_before(t, next))
			next = t;
	}
	return next;
}
