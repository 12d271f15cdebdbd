/* SPDX-License-Identifier: ISC */
/*
 * The supervisor's loop.  It makes every channel before the first fork and
 * keeps both ends, so that any process can be replaced on its channels.  The
 * end comes in steps: who makes records first, then the shipper with what it
 * can still ship, then the keeper.
 */
#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/base/xalloc.h"
#include "probes/ipc/process.h"
#include "probes/net/live/live-feed.h"
#include "probes/sensor/packet-feed.h"
#include "probes/agent/shipper/shipper-start.h"
#include "probes/agent/supervisor/children.h"
#include "probes/agent/supervisor/host-addresses.h"
#include "probes/agent/supervisor/runs.h"
#include "probes/agent/supervisor/supervisor.h"

#define HOST_EVERY_NS (60 * NS_PER_S)
#define STEP_NS (7 * NS_PER_S)      /* for one step of the end */
#define SETTLE_NS (150 * NS_PER_MS) /* the keeper takes the last records */
#define IDLE_NS (3600 * NS_PER_S)

/* In the order in which they start.  As many as there are children: the
   compiler warns of one too many. */
static const struct process *const processes[SUPERVISOR_MAX_PROCESSES] = {
	&process_keeper, &process_guardian, &process_sensor, &process_shipper
};

/* A line to standard error and a log record. */
__attribute__((format(printf, 3, 4))) static void log_both(
    struct supervisor *s, enum log_level level, const char *format, ...)
{
	char text[400];
	va_list ap;
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	log_msg(level, "%s", text);
	producer_log(s->log_lines[THEIRS], (uint32_t)level, "supervisor", text);
}

static void count_child(
    struct supervisor *s, const char *what, const struct child *c)
{
	char name[COUNTERS_NAME_LEN];
	snprintf(name, sizeof(name), "%s.%s", what, c->process->name);
	supervisor_count(s, name, 1);
}

static void look_at_host(struct supervisor *s)
{
	s->host_at = monotime_add(monotime_now(), HOST_EVERY_NS);
	host_addresses_read(s->host);
}

/* --- children ---------------------------------------------------------- */

static void start_child(struct supervisor *s, struct child *c)
{
	if (child_start(s, c) != 0) {
		log_both(s, LOG_ERROR, "%s: fork: %s", c->process->name,
		    strerror(errno));
		c->at = monotime_add(monotime_now(), NS_PER_S);
	}
}

static void plan_restart(
    struct supervisor *s, struct child *c, const char *how, int number)
{
	struct monotime now = monotime_now();
	count_child(s, "restarts", c);
	if (restart_plan(&c->restart, c->since, now, &c->at)) {
		log_both(s, LOG_WARN, "%s %s %d; it starts again",
		    c->process->name, how, number);
		return;
	}
	c->wanted = false;
	count_child(s, "failed", c);
	log_both(s, LOG_ERROR,
	    "%s %s %d, too often: it is given up; the rest goes on",
	    c->process->name, how, number);
}

static void reap_child(struct supervisor *s, struct child *c, bool ending)
{
	int status;
	if (c->pid == 0 || waitpid(c->pid, &status, WNOHANG) != c->pid)
		return;
	close(c->pidfd);
	c->pid = 0;
	c->at = monotime_now();
	if (c->process->alive)
		counters_set(counters_cell(c->counters, c->process->alive), 0);
	if (ending || c->asked) /* the latter for a reload */
		return;
	if (c->process->may_finish && WIFEXITED(status) &&
	    WEXITSTATUS(status) == 0)
		c->wanted = false;
	else if (WIFEXITED(status))
		plan_restart(s, c, "ended with", WEXITSTATUS(status));
	else
		plan_restart(s, c,
		    WTERMSIG(status) == SIGSYS
			? "made a forbidden system call, signal"
			: "was killed by signal",
		    WTERMSIG(status));
}

static void end_child(struct child *c, int number)
{
	c->asked = true;
	if (c->pid)
		kill(c->pid, number);
}

static void start_due(struct supervisor *s)
{
	struct monotime now = monotime_now();
	for (size_t i = 0; i < s->child_count; i++) {
		struct child *c = &s->children[i];
		if (c->wanted && c->pid == 0 && !monotime_before(now, c->at))
			start_child(s, c);
	}
}

/* As the configuration wants it. */
static void plan_child(struct supervisor *s, struct child *c)
{
	c->wanted = !c->process->wanted || c->process->wanted(s);
	c->restart.crashes = 0;
	c->restart.least_ns = s->config.restart_least_ns;
	c->restart.budget = s->config.crash_budget;
}

/* --- the loop ---------------------------------------------------------- */

static void take_run(struct supervisor *s)
{
	static uint8_t message[RUN_REQUEST_MAX_BYTES];
	struct run_request request;
	ssize_t n = recv(s->runs_asked[OURS], message, sizeof(message),
	    MSG_DONTWAIT | MSG_TRUNC);
	if (n <= 0)
		return;
	int err = n > (ssize_t)sizeof(message)
	    ? ERR_LIMIT
	    : run_request_unpack(&request, message, (size_t)n);
	if (err) {
		supervisor_count(s, "runs_malformed", 1);
		log_both(s, LOG_ERROR, "the shipper asks for a run that is %s",
		    err_str(err));
		return;
	}
	if (!s->ending)
		run_start(s, &request);
	run_request_fini(&request);
}

static struct monotime next_event(const struct supervisor *s)
{
	struct monotime t = s->host_at;
	struct monotime runs = runs_next(s);
	if (monotime_before(runs, t))
		t = runs;
	for (size_t i = 0; i < s->child_count; i++) {
		const struct child *c = &s->children[i];
		if (c->wanted && c->pid == 0 && monotime_before(c->at, t))
			t = c->at;
	}
	return t;
}

/* Sleeps until something happens; true when a signal came. */
static bool wait_event(
    struct supervisor *s, struct monotime until, struct signalfd_siginfo *info)
{
	struct pollfd fds[4 + SUPERVISOR_MAX_PROCESSES + SUPERVISOR_MAX_RUNS];
	nfds_t count = 4;
	fds[0] = (struct pollfd){ s->signal_fd, POLLIN, 0 };
	fds[1] = (struct pollfd){ s->runs_asked[OURS], POLLIN, 0 };
	fds[2] = (struct pollfd){ s->guardian_feed[OURS], POLLIN, 0 };
	fds[3] = (struct pollfd){ s->sensor_feed[OURS], POLLIN, 0 };
	for (size_t i = 0; i < s->child_count; i++)
		if (s->children[i].pid)
			fds[count++] =
			    (struct pollfd){ s->children[i].pidfd, POLLIN, 0 };
	for (int i = 0; i < SUPERVISOR_MAX_RUNS; i++)
		if (s->runs[i].pid)
			fds[count++] =
			    (struct pollfd){ s->runs[i].pidfd, POLLIN, 0 };
	int64_t ns = monotime_diff(until, monotime_now());
	int ms = ns < 0    ? 0
	    : ns > IDLE_NS ? 3600000
			   : (int)(ns / NS_PER_MS) + 1;
	if (poll(fds, count, ms) <= 0)
		return false;
	if (fds[2].revents & POLLIN)
		live_feed_serve(s->guardian_feed[OURS]);
	if (fds[3].revents & POLLIN)
		packet_feed_serve(s->sensor_feed[OURS]);
	if (fds[1].revents & POLLIN)
		take_run(s);
	return read(s->signal_fd, info, sizeof(*info)) == sizeof(*info);
}

static void reload(struct supervisor *s)
{
	struct agent_config fresh;
	struct errmsg msg;
	int err = agent_config_load(&fresh, s->path, &msg);
	if (!err && strcmp(fresh.state_dir, s->config.state_dir) != 0)
		err = err_set(
		    &msg, ERR_CONFIG, "state-dir: changes only at a restart");
	if (err) {
		log_both(s, LOG_ERROR, "the old config stays: %s", msg.text);
		return;
	}
	agent_config_fini(&s->config);
	s->config = fresh;
	log_both(s, LOG_INFO, "config read again");
	runs_end(s);
	for (size_t i = 0; i < s->child_count; i++) {
		plan_child(s, &s->children[i]);
		end_child(&s->children[i], SIGTERM);
	}
}

static void run_until_told(struct supervisor *s)
{
	struct signalfd_siginfo info;
	start_due(s);
	process_rest();
	for (;;) {
		start_due(s);
		if (wait_event(s, next_event(s), &info)) {
			if (info.ssi_signo != SIGHUP)
				return;
			reload(s);
		}
		for (size_t i = 0; i < s->child_count; i++)
			reap_child(s, &s->children[i], false);
		runs_tend(s);
		if (!monotime_before(monotime_now(), s->host_at)) {
			look_at_host(s);
			process_rest();
		}
	}
}

/* --- the end ----------------------------------------------------------- */

static bool any_alive(const struct supervisor *s, enum end_step step)
{
	for (size_t i = 0; i < s->child_count; i++)
		if (s->children[i].process->end_step == step &&
		    s->children[i].pid)
			return true;
	return false;
}

static void end_children(struct supervisor *s, enum end_step step, int number)
{
	for (size_t i = 0; i < s->child_count; i++)
		if (s->children[i].process->end_step == step)
			end_child(&s->children[i], number);
}

/* Asks those of this step to end and waits; a second signal, or too long,
 * kills. */
static void end_step(struct supervisor *s, enum end_step step)
{
	struct monotime until = monotime_add(monotime_now(), STEP_NS);
	struct signalfd_siginfo info;
	end_children(s, step, SIGTERM);
	while (any_alive(s, step)) {
		bool again =
		    wait_event(s, until, &info) && info.ssi_signo != SIGHUP;
		for (size_t i = 0; i < s->child_count; i++)
			reap_child(s, &s->children[i], true);
		if (again || !monotime_before(monotime_now(), until))
			end_children(s, step, SIGKILL);
	}
}

static void end_runs(struct supervisor *s)
{
	struct signalfd_siginfo info;
	s->ending = true;
	runs_end(s);
	while (runs_active(s)) {
		wait_event(s, runs_next(s), &info);
		runs_tend(s);
	}
}

static void end_all(struct supervisor *s)
{
	struct timespec settle = { 0, SETTLE_NS };
	log_both(s, LOG_INFO, "ends");
	end_runs(s);
	end_step(s, END_MAKERS);
	runs_tend(s);
	nanosleep(&settle, NULL);
	end_step(s, END_SHIPPER);
	end_step(s, END_KEEPER);
}

/* --- the beginning ----------------------------------------------------- */

static int channels_make(struct supervisor *s, struct errmsg *msg)
{
	int *const pairs[] = { s->guardian_control, s->guardian_feed,
		s->sensor_feed, s->keeper_control, s->ship, s->runs_asked,
		s->sensor_records, s->log_lines };
	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++)
		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
			pairs[i]) != 0)
			return err_set(
			    msg, -errno, "socket: %s", strerror(errno));
	/* Log lines are dropped rather than waited for. */
	struct timeval soon = { 0, 1000 };
	setsockopt(
	    s->log_lines[THEIRS], SOL_SOCKET, SO_SNDTIMEO, &soon, sizeof(soon));
	return 0;
}

static int feed_open(struct supervisor *s, struct errmsg *msg)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	s->feed_fd = -1;
	if (!s->config.feed)
		return 0;
	if (strlen(s->config.feed) >= sizeof(at.sun_path))
		return err_set(msg, ERR_CONFIG, "feed: the path is too long");
	memcpy(at.sun_path, s->config.feed, strlen(s->config.feed) + 1);
	unlink(at.sun_path);
	s->feed_fd =
	    socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mode_t old = umask(0177);
	int r = bind(s->feed_fd, (struct sockaddr *)&at, sizeof(at));
	umask(old);
	if (r != 0 || listen(s->feed_fd, 16) != 0)
		return err_set(msg, -errno, "feed: %.100s: %s", s->config.feed,
		    strerror(errno));
	return 0;
}

static void pages_make(struct supervisor *s)
{
	for (size_t i = 0; i < s->child_count; i++) {
		struct child *c = &s->children[i];
		c->counters_fd = -1;
		c->counters = c->process->is_program
		    ? counters_new_fd(&c->counters_fd)
		    : counters_new();
	}
	s->own_page = counters_new();
	s->spool_page = counters_new();
	s->host = mmap(NULL, sizeof(*s->host), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (s->host == MAP_FAILED)
		BUG("supervisor: no memory for a shared page");
	look_at_host(s);
}

static int signals_open(struct supervisor *s, struct errmsg *msg)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	s->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return s->signal_fd < 0
	    ? err_set(msg, -errno, "signalfd: %s", strerror(errno))
	    : 0;
}

static int identify(struct supervisor *s, struct errmsg *msg)
{
	int err = agent_identity_load(&s->identity, s->config.state_dir, msg);
	s->enrolled = err == 0;
	if (err == ERR_NOT_FOUND) {
		log_warn("not enrolled: records stay here; sonde-agent enrol");
		return 0;
	}
	return err;
}

static void children_plan(struct supervisor *s)
{
	for (size_t i = 0; i < SUPERVISOR_MAX_PROCESSES && processes[i]; i++) {
		struct child *c = &s->children[s->child_count++];
		c->process = processes[i];
		c->at = monotime_now();
		plan_child(s, c);
	}
}

/* What starting children takes, and no more: to become others, to let them
 * open sockets and make namespaces, to signal them, to read their folder. */
static void rights_keep(void)
{
	if (geteuid() != 0)
		return;
	capng_clear(CAPNG_SELECT_BOTH);
	capng_updatev(CAPNG_ADD,
	    CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_BOUNDING_SET, CAP_SETUID,
	    CAP_SETGID, CAP_SETPCAP, CAP_NET_RAW, CAP_NET_ADMIN, CAP_SYS_ADMIN,
	    CAP_KILL, CAP_DAC_READ_SEARCH, -1);
	if (capng_apply(CAPNG_SELECT_BOTH) != 0)
		log_warn("supervisor: cannot give up capabilities");
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

static int open_all(struct supervisor *s, struct errmsg *msg)
{
	char *once = xasprintf("%s/once", s->config.state_dir);
	int err = agent_folders_make(&s->config, msg);
	err = err < 0 ? err : once_open(&s->once, once, msg);
	free(once);
	if (err < 0)
		return err;
	char *places = xasprintf("%s/sensor-files", s->config.state_dir);
	s->places_fd =
	    open(places, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (s->places_fd < 0)
		err = err_set(msg, -errno, "%s: %s", places, strerror(errno));
	free(places);
	if (err < 0)
		return err;
	err = identify(s, msg);
	if (err < 0)
		return err;
	if (s->enrolled)
		err = shipper_find(&s->shipper, msg);
	if (err < 0)
		return err;
	err = channels_make(s, msg);
	if (err < 0)
		return err;
	err = feed_open(s, msg);
	if (err < 0)
		return err;
	return signals_open(s, msg);
}

int supervisor_run(struct agent_config *config, const char *path)
{
	static struct supervisor s; /* zero; its children share its pages */
	struct errmsg msg;
	s.config = *config;
	s.path = path;
	s.pid = getpid();
	s.started = monotime_now();
	log_init("sonde-agent", s.config.log_level);
	int err = open_all(&s, &msg);
	if (!err) {
		rights_keep();
		children_plan(&s);
		pages_make(&s);
		run_until_told(&s);
		end_all(&s);
	} else
		log_error("%s", msg.text);
	if (s.config.feed && s.feed_fd >= 0)
		unlink(s.config.feed);
	once_close(s.once);
	free(s.shipper);
	agent_config_fini(&s.config);
	return err_exit_code(err);
}
