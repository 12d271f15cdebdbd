/* SPDX-License-Identifier: ISC */
/*
 * Both ends of starting sonde-shipper.  One message is one datagram of a
 * socket pair; it is sent before the program runs, so neither side waits.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/xalloc.h"
#include "probes/ipc/process.h"
#include "probes/agent/shipper/shipper-start.h"

#define PROGRAM "sonde-shipper"

int shipper_start_init(struct shipper_start *start, const char *url,
    const char *ca_file, struct errmsg *msg)
{
	memset(start, 0, sizeof(*start));
	snprintf(start->version, sizeof(start->version), "%s", SONDE_VERSION);
	start->parent = getpid();
	start->keeper_fd = start->supervisor_fd = start->counters_fd = -1;
	if (strlen(url) >= sizeof(start->url) ||
	    (ca_file && strlen(ca_file) >= sizeof(start->ca_file)))
		return err_set(
		    msg, ERR_LIMIT, "shipper: collector or ca-file: too long");
	memcpy(start->url, url, strlen(url) + 1);
	if (ca_file)
		memcpy(start->ca_file, ca_file, strlen(ca_file) + 1);
	return 0;
}

int shipper_find(char **program, struct errmsg *msg)
{
	return process_find(program, PROGRAM, msg);
}

/* --- starting it ------------------------------------------------------- */

static int set_errno(struct errmsg *msg, const char *what)
{
	int err = -errno;
	return err_set(msg, err, "%.200s: %s", what, strerror(-err));
}

static bool send_all(int fd, const void *message, size_t len)
{
	return send(fd, message, len, MSG_NOSIGNAL) == (ssize_t)len;
}

static int inherit(int fd)
{
	return fd < 0 || fcntl(fd, F_SETFD, 0) == 0 ? 0 : -1;
}

/* Becomes the program; channel is its standard input. */
static int become(const char *program, int channel,
    const struct shipper_start *start, struct errmsg *msg)
{
	char *const argv[] = { (char *)PROGRAM, NULL };
	int fds[] = { start->keeper_fd, start->supervisor_fd,
		start->counters_fd };
	if (dup2(channel, STDIN_FILENO) < 0 || inherit(fds[0]) ||
	    inherit(fds[1]) || inherit(fds[2]))
		return set_errno(msg, program);
	process_keep_fds(fds, sizeof(fds) / sizeof(*fds));
	/* Whatever the file's owner put on it, it gains us nothing. */
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	unsetenv("SONDE_TOKEN"); /* the administrator's, not the agent's */
	execv(program, argv);
	return set_errno(msg, program);
}

int shipper_exec(
    const char *program, const struct shipper_start *start, struct errmsg *msg)
{
	int channel[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel) != 0)
		return set_errno(msg, "socket");
	int err = send_all(channel[0], start, sizeof(*start))
	    ? 0
	    : set_errno(msg, "shipper");
	close(channel[0]);
	return err ? err : become(program, channel[1], start, msg);
}

int shipper_receive(struct shipper_start *start, struct errmsg *msg)
{
	ssize_t n = recv(STDIN_FILENO, start, sizeof(*start), MSG_TRUNC);
	if (n < 0)
		return err_set(msg, ERR_USAGE,
		    "this is started by sonde-agent(8), not by hand");
	start->version[sizeof(start->version) - 1] = '\0';
	if (n != (ssize_t)sizeof(*start) ||
	    strcmp(start->version, SONDE_VERSION) != 0)
		return err_set(msg, ERR_CONFIG,
		    "this is " SONDE_VERSION ", the sonde-agent that runs is "
		    "another: restart it");
	start->url[sizeof(start->url) - 1] = '\0';
	start->ca_file[sizeof(start->ca_file) - 1] = '\0';
	start->path[sizeof(start->path) - 1] = '\0';
	start->body[sizeof(start->body) - 1] = '\0';
	return 0;
}

/* --- asking it --------------------------------------------------------- */

static _Noreturn void ask_in_child(
    const char *program, int channel, const struct shipper_start *start)
{
	static struct shipper_answer answer;
	answer.err = become(program, channel, start, &answer.why);
	_exit(!send_all(STDIN_FILENO, &answer, sizeof(answer)));
}

static int await(int channel, struct shipper_answer *answer, struct errmsg *msg)
{
	ssize_t n;
	do
		n = recv(channel, answer, sizeof(*answer), MSG_TRUNC);
	while (n < 0 && errno == EINTR);
	if (n != (ssize_t)sizeof(*answer) ||
	    answer->body_len > sizeof(answer->body))
		return err_set(
		    msg, ERR_UNAVAILABLE, "shipper: it died without an answer");
	answer->why.text[sizeof(answer->why.text) - 1] = '\0';
	if (answer->err)
		return err_set(msg, answer->err, "%s", answer->why.text);
	return 0;
}

int shipper_ask(const struct shipper_start *start,
    struct shipper_answer *answer, struct errmsg *msg)
{
	char *program;
	int channel[2];
	int err = shipper_find(&program, msg);
	if (err)
		return err;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel) !=
		0 ||
	    !send_all(channel[0], start, sizeof(*start)))
		BUG("shipper: no socket: %s", strerror(errno));
	pid_t pid = fork();
	if (pid == 0)
		ask_in_child(program, channel[1], start);
	close(channel[1]);
	err = pid < 0 ? set_errno(msg, "fork") : await(channel[0], answer, msg);
	close(channel[0]);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	free(program);
	return err;
}
