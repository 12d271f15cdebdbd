/* SPDX-License-Identifier: ISC */
/*
 * Several scripts under one guardian, as an agent runs them: the first is
 * measured by whoever captures its packets, and ends the others when it ends.
 *
 *   shared-guardian POLICY SCRIPT [WORD...] [-- SCRIPT [WORD...]]...
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "probes/guardian/guardian.h"
#include "probes/ipc/fd-pass.h"
#include "probes/ipc/precedence.h"
#include "probes/net/live/live-receive.h"
#include "probes/policy/policy-file.h"
#include "probes/sandbox/sandbox.h"
#include "probes/script/worker.h"

#define RUNS_MAX 16

static _Noreturn void die(const char *what, const struct errmsg *msg)
{
	fprintf(stderr, "shared-guardian: %s: %s\n", what, msg->text);
	exit(1);
}

static _Noreturn void run_guardian(const char *policy_path, int control)
{
	struct errmsg msg = { "" };
	struct sandbox_paths paths = { 0 };
	struct sandbox_report report;
	struct policy policy;
	void *ctx;
	policy_init(&policy);
	precedence_first();
	live_receive_by(&live_ring);
	if (policy_load(&policy, policy_path, &msg) < 0)
		die("policy", &msg);
	if (net_live.open(&ctx, NULL, &msg) < 0)
		die("network", &msg);
	struct guardian *g = guardian_new(&net_live, ctx, &policy);
	if (sandbox_enter(SANDBOX_GUARDIAN, &paths, &report, &msg) < 0)
		die("sandbox", &msg);
	guardian_serve(g, control);
	exit(0);
}

static pid_t start_run(int control, char **words, size_t count)
{
	struct errmsg msg = { "" };
	struct script *script;
	int pair[2];
	const struct guardian_run local = { .who = POLICY_LOCAL };
	if (script_load(&script, words[0], true, &msg) < 0)
		die(words[0], &msg);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		exit(1);
	pass_send(control, pair[0], &local, sizeof(local));
	close(pair[0]);
	pid_t pid = fork();
	if (pid == 0) {
		struct worker_config config = { .script = script,
			.arguments = (const char *const *)words + 1,
			.argument_count = count - 1,
			.operand_fd = -1,
			.guardian_fd = pair[1],
			.record_fd = open("/dev/null", O_WRONLY | O_CLOEXEC),
			.log_fd = open("/dev/null", O_WRONLY | O_CLOEXEC),
			.has_campaign = true,
			.allow_weak_sandbox = true };
		worker_main(&config);
	}
	close(pair[1]);
	return pid;
}

int main(int argc, char **argv)
{
	static const struct timespec settle = { 0, 500000000 };
	char **starts[RUNS_MAX];
	size_t counts[RUNS_MAX], runs = 0;
	pid_t pids[RUNS_MAX];
	int control[2], status;
	if (argc < 3) {
		fprintf(stderr,
		    "shared-guardian POLICY SCRIPT [WORD...] "
		    "[-- SCRIPT [WORD...]]...\n");
		return 2;
	}
	for (int at = 2; at < argc && runs < RUNS_MAX; at++, runs++) {
		starts[runs] = argv + at;
		for (counts[runs] = 0; at < argc && strcmp(argv[at], "--") != 0;
		     at++)
			counts[runs]++;
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) != 0)
		return 1;
	pid_t guardian = fork();
	if (guardian == 0) {
		close(control[0]);
		run_guardian(argv[1], control[1]);
	}
	close(control[1]);
	for (size_t i = 1; i < runs; i++)
		pids[i] = start_run(control[0], starts[i], counts[i]);
	nanosleep(&settle, NULL);
	pids[0] = start_run(control[0], starts[0], counts[0]);
	waitpid(pids[0], &status, 0);
	for (size_t i = 1; i < runs; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
	close(control[0]);
	waitpid(guardian, NULL, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
