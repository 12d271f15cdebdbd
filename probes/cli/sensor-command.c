/* SPDX-License-Identifier: ISC */
/*
 * `sonde sensor`: worm probes in a capture or on a wire.  This process opens
 * the capture; a child gives everything up, parses, and writes its result to
 * a pipe, which this process copies to standard output.  So a capture that
 * breaks the parser finds itself in an empty room.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <poll.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/xalloc.h"
#include "probes/cli/command.h"
#include "probes/cli/sensor-follow.h"
#include "probes/cli/sensor-report.h"
#include "probes/sandbox/sandbox.h"
#include "probes/sensor/capture-file.h"
#include "probes/sensor/capture-loop.h"
#include "probes/sensor/capture-replay.h"
#include "probes/sensor/packet-feed.h"
#include "probes/sensor/sensor.h"

#define NAME "sensor"
#define SNAPLEN 2048
#define BUFFER_BYTES (8u << 20)
#define BUFFER_MOST_BYTES (32u << 20)
#define PAYLOADS_MAX 4096
#define PAYLOAD_BYTES_MAX ((size_t)4 << 20)
#define HOMES_MAX 64
#define PIPE_BYTES (1 << 20)
#define MEMORY_LEAST (16 << 20)
#define MEMORY_BESIDE ((size_t)7 << 20) /* what is no table */
#define MEMORY_PER_SOURCE 200           /* with all that belongs to it */

static const struct option_row rows[] = {
	{ "read", 'r', OPTION_LIST, "FILE", NULL, 0, 0, NULL,
	    "read a capture file, pcap or pcapng; - is standard input" },
	{ "interface", 'i', OPTION_LIST, "IFACE", NULL, 0, 0, NULL,
	    "listen on an interface, or on any" },
	{ "follow", 0, OPTION_FLAG, NULL, NULL, 0, 0, NULL,
	    "go on with what is written to the files, also when they are "
	    "rotated" },
	{ "home", 0, OPTION_LIST, "PREFIX", NULL, 0, 0, NULL,
	    "a watched host or network: what it sends is not held against it" },
	{ "scanners", 0, OPTION_TEXT, "FILE", NULL, 0, 0, NULL,
	    "name the sources on this list: a prefix and a name a line" },
	{ "json", 0, OPTION_FLAG, NULL, NULL, 0, 0, NULL,
	    "one object per source and class, then a summary" },
	{ "csv", 0, OPTION_FLAG, NULL, NULL, 0, 0, NULL,
	    "a row per source and class; the summary goes to standard error" },
	{ "filter", 0, OPTION_TEXT, "EXPRESSION", NULL, 0, 0, NULL,
	    "only packets that match, in the language of pcap-filter(7)" },
	{ "count", 'c', OPTION_INTEGER, "PACKETS", NULL, 0, 0, NULL,
	    "stop after this many packets" },
	{ "for", 0, OPTION_DURATION, "TIME", NULL, 0, 0, NULL,
	    "stop after this time; with -r, the capture's" },
	{ "every", 0, OPTION_DURATION, "TIME", NULL, 0, 0, NULL,
	    "report what was found each time this has passed, and start from "
	    "zero; with -r, the capture's time" },
	{ "memory", 0, OPTION_SIZE, "SIZE", NULL, MEMORY_LEAST, 0, "64M",
	    "memory of the whole process; 64M hold some 300,000 sources" },
	{ "max-sources", 0, OPTION_INTEGER, "N", NULL, 1, TABLE_SOURCES_MAX,
	    NULL, "sources to remember, instead of as many as memory holds" },
	{ "budget", 0, OPTION_NUMBER, "N", NULL, 0, 1000000, "0.1",
	    "innocent sources a day whose accusation is put up with" },
	{ "rows", 0, OPTION_INTEGER, "N", NULL, 0, 4096, "50",
	    "rows of the table; 0 for as many as are kept" },
	{ "fail-on", 0, OPTION_CHOICE, "VERDICT",
	    "worm|flood|scan|probe|backscatter|misconfiguration|unrouted|other",
	    0, 0, NULL, "exit with 1 when there is a source of this verdict" },
	{ "promiscuous", 0, OPTION_FLAG, NULL, NULL, 0, 0, NULL,
	    "also take frames that are for other hosts of the link" },
	{ 0 },
};

static const struct option_table table = {
	.program = "sonde sensor",
	.synopsis = "-r FILE ... | -i IFACE ... [--json | --csv]",
	.summary = "find worm probes, scans and backscatter in packets",
	.examples = "sonde sensor -r capture.pcap\n"
		    "sonde sensor -r capture.pcap --json --home 192.0.2.0/24\n"
		    "sonde sensor -r monday.pcap.gz -r tuesday.pcap.gz "
		    "--every 1h\n"
		    "sonde sensor -i eth0 --for 10m --fail-on worm\n",
	.rows = rows,
};

struct sensor_job {
	const struct option_values *options;
	struct capture *captures[REPLAY_FILES_MOST + 1];
	size_t capture_count;
	bool replays; /* files, not interfaces */
	struct prefix homes[HOMES_MAX];
	size_t home_count;
	struct known_scanners *scanners;
	enum output_form form;
	int out_fd, error_fd; /* the child's ends */
	int successors_fd;    /* of files that are followed; -1 */
	int feed[2]; /* of sockets for interfaces: this one's, the child's */
	bool is_troubled; /* and that was reported */
	struct engine *engine;
	struct report *report;
	struct monotime start, interval_start;
	struct engine_counts reported; /* in earlier intervals */
	uint64_t dropped_reported, wrong_times_reported, filtered_reported;
	uint64_t summaries;
};

static volatile sig_atomic_t stop;
static pid_t child; /* 0 in the child */

static void on_signal(int signal)
{
	stop = 1;
	if (child > 0)
		kill(child, signal);
}

static int read_homes(struct sensor_job *job, struct errmsg *msg)
{
	const char *const *items;
	size_t n = option_list(job->options, "home", &items);
	if (n > HOMES_MAX)
		return err_set(msg, ERR_USAGE,
		    "--home: %zu prefixes, expected "
		    "at most %d",
		    n, HOMES_MAX);
	for (size_t i = 0; i < n; i++) {
		if (prefix_parse(&job->homes[i], items[i], msg) != 0) {
			err_prefix(msg, "--home");
			return ERR_USAGE;
		}
	}
	job->home_count = n;
	return 0;
}

static int read_scanners(struct sensor_job *job, struct errmsg *msg)
{
	const char *path = option_text(job->options, "scanners");
	if (!path)
		return 0;
	int err = known_scanners_read(&job->scanners, path, msg);
	if (err != 0)
		err_prefix(msg, "--scanners");
	return err;
}

/* Each file of a rotated capture is a descriptor. */
static void raise_file_limit(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static int check_files(const struct sensor_job *job, const char *const *names,
    size_t count, struct errmsg *msg)
{
	size_t inputs = 0;
	bool follows = option_flag(job->options, "follow");
	size_t most = follows ? REPLAY_AT_ONCE_MOST : REPLAY_FILES_MOST;
	for (size_t i = 0; i < count; i++)
		inputs += strcmp(names[i], "-") == 0;
	if (count > most)
		return err_set(msg, ERR_USAGE,
		    "-r: %zu files, expected at most %zu%s", count, most,
		    follows ? " with --follow" : "");
	if (inputs > 1)
		return err_set(msg, ERR_USAGE,
		    "-r: standard input is given %zu times", inputs);
	if (inputs > 0 && follows)
		return err_set(msg, ERR_USAGE,
		    "--follow: standard input ends with its writer, expected "
		    "files");
	return 0;
}

static void report_trouble(
    const struct sensor_job *job, const char *what, const char *text)
{
	char line[512];
	int n =
	    snprintf(line, sizeof(line), "sonde " NAME ": %s%s\n", what, text);
	if (n > 0 &&
	    write(job->error_fd, line,
		(size_t)n < sizeof(line) ? (size_t)n : sizeof(line) - 1) < 0)
		return; /* no reader is left */
}

/* What happens to an interface is news at once. */
static void on_notice(void *arg, const char *text)
{
	report_trouble(arg, "", text);
}

static int open_captures(struct sensor_job *job, struct errmsg *msg)
{
	const struct option_values *o = job->options;
	const char *const *files, *const *interfaces;
	size_t file_count = option_list(o, "read", &files);
	size_t interface_count = option_list(o, "interface", &interfaces);
	const struct capture_config config = {
		.filter = option_text(o, "filter"),
		.snaplen = SNAPLEN,
		.buffer_bytes = BUFFER_BYTES,
		.buffer_most_bytes = BUFFER_MOST_BYTES,
		.promiscuous = option_flag(o, "promiscuous"),
		.follow = option_flag(o, "follow"),
		.feed_fd = job->feed[1],
		.notice = on_notice,
		.notice_arg = job,
	};
	if (option_given(o, "count") && option_integer(o, "count") <= 0)
		return err_set(msg, ERR_USAGE, "--count: expected at least 1");
	if ((file_count == 0) == (interface_count == 0))
		return err_set(msg, ERR_USAGE,
		    "expected one of -r FILE and "
		    "-i IFACE");
	if (interface_count > SENSOR_INTERFACES_MAX)
		return err_set(msg, ERR_USAGE,
		    "-i: %zu interfaces, expected at most %d", interface_count,
		    SENSOR_INTERFACES_MAX);
	if (config.follow && file_count == 0)
		return err_set(msg, ERR_USAGE, "--follow: expected -r FILE");
	int err = check_files(job, files, file_count, msg);
	if (err)
		return err;
	raise_file_limit();
	job->replays = file_count > 0;
	/* All interfaces are one. */
	if (!job->replays)
		err = capture_open_live(&job->captures[0], interfaces,
		    interface_count, &config, msg);
	for (size_t i = 0; i < file_count && err == 0; i++)
		err = capture_open_file(
		    &job->captures[i], files[i], &config, msg);
	for (; job->captures[job->capture_count]; job->capture_count++)
		;
	return err;
}

/* ---- the child ---- */

static void on_trouble(void *arg, const struct errmsg *msg)
{
	struct sensor_job *job = arg;
	job->is_troubled = true;
	report_trouble(job, "", msg->text);
}

/* What was counted since the last summary: sums of the engine's are members of
 * one type. */
static void counts_since(
    struct engine_counts *now, struct engine_counts *before)
{
	struct engine_counts all = *now;
	uint64_t *n = (uint64_t *)now, *b = (uint64_t *)before;
	_Static_assert(sizeof(all) % sizeof(*n) == 0, "counts are uint64_t");
	for (size_t i = 0; i < sizeof(all) / sizeof(*n); i++)
		n[i] -= b[i];
	*before = all;
}

static uint64_t since_last(uint64_t now, uint64_t *before)
{
	uint64_t n = now - *before;
	*before = now;
	return n;
}

static struct report_summary summary_of(
    struct sensor_job *job, const struct replay_span *span)
{
	struct monotime now = monotime_now();
	struct report_summary s = {
		.counts = *engine_counts(job->engine),
		.table = engine_table_stats(job->engine),
		.elapsed_ns = monotime_diff(now, job->interval_start),
		.since = span->since,
		.until = span->until,
		.is_interval = option_given(job->options, "every"),
	};
	for (size_t i = 0; i < job->capture_count; i++) {
		s.dropped += capture_dropped(job->captures[i]);
		if (!job->replays)
			continue;
		s.wrong_times += capture_file_wrong_times(job->captures[i]);
		s.filtered += capture_file_rejected(job->captures[i]);
	}
	counts_since(&s.counts, &job->reported);
	s.dropped = since_last(s.dropped, &job->dropped_reported);
	s.wrong_times = since_last(s.wrong_times, &job->wrong_times_reported);
	s.filtered = since_last(s.filtered, &job->filtered_reported);
	job->interval_start = now;
	job->summaries++;
	return s;
}

static int report_span(
    void *arg, const struct replay_span *span, struct errmsg *msg)
{
	struct sensor_job *job = arg;
	engine_flush(job->engine);
	struct report_summary summary = summary_of(job, span);
	int err = report_summarize(job->report, &summary);
	return err ? err_set(msg, err, "output: %s", err_str(err)) : 0;
}

/* Of the wall clock, that ends now. */
static struct replay_span span_until_now(
    const struct sensor_job *job, int64_t interval_ns)
{
	struct walltime now = walltime_now();
	int64_t ns = monotime_diff(monotime_now(), job->interval_start);
	if (interval_ns > 0 && ns > interval_ns / 2)
		now.ns -= now.ns % interval_ns;
	return (struct replay_span){ walltime_add(now, -ns), now };
}

static int64_t duration_of(const struct sensor_job *job, const char *name)
{
	return option_given(job->options, name)
	    ? option_duration_ns(job->options, name)
	    : 0;
}

static int on_interval(void *arg, struct errmsg *msg)
{
	struct sensor_job *job = arg;
	struct replay_span span =
	    span_until_now(job, duration_of(job, "every"));
	return report_span(job, &span, msg);
}

static uint64_t most_packets(const struct sensor_job *job)
{
	return option_given(job->options, "count")
	    ? (uint64_t)option_integer(job->options, "count")
	    : 0;
}

static int listen_live(
    struct sensor_job *job, struct replay_span *span, struct errmsg *msg)
{
	struct loop loop = {
		.captures = job->captures,
		.capture_count = job->capture_count,
		.engine = job->engine,
		.interval_ns = duration_of(job, "every"),
		.for_ns = duration_of(job, "for"),
		.max_packets = most_packets(job),
		.out_fd = job->out_fd,
		.stop = &stop,
		.interval = on_interval,
		.arg = job,
	};
	int err = loop_run(&loop, msg);
	*span = span_until_now(job, 0);
	return err;
}

static int replay(
    struct sensor_job *job, struct replay_span *span, struct errmsg *msg)
{
	struct replay files = {
		.files = job->captures,
		.file_count = job->capture_count,
		.engine = job->engine,
		.interval_ns = duration_of(job, "every"),
		.for_ns = duration_of(job, "for"),
		.max_packets = most_packets(job),
		.out_fd = job->out_fd,
		.successors_fd = job->successors_fd,
		.stop = &stop,
		.interval = report_span,
		.trouble = on_trouble,
		.arg = job,
	};
	return replay_run(&files, span, msg);
}

static int read_and_report(struct sensor_job *job, struct errmsg *msg)
{
	struct replay_span span = { { 0 }, { 0 } };
	job->start = job->interval_start = monotime_now();
	int err = job->replays ? replay(job, &span, msg)
			       : listen_live(job, &span, msg);
	/* A capture that gives nothing has no summary, only an error. */
	uint64_t packets = engine_counts(job->engine)->packets;
	if (err && packets == 0)
		return err;
	if (job->summaries > 0 && packets == job->reported.packets)
		return err; /* all are in intervals that have ended */
	struct errmsg why = { "" };
	int last = report_span(job, &span, &why);
	if (last && !err)
		*msg = why;
	return err ? err : last;
}

static int exit_code_of(const struct sensor_job *job)
{
	const char *verdict = option_text(job->options, "fail-on");
	for (int v = 0; verdict && v < VERDICTS; v++)
		if (strcmp(verdict, verdict_name((enum verdict)v)) == 0)
			return report_count(job->report, (enum verdict)v) > 0;
	return 0;
}

/* Of the tables.  Who names a number of sources gets room for them. */
static size_t table_memory(const struct sensor_job *job)
{
	size_t memory =
	    (size_t)option_size(job->options, "memory") - MEMORY_BESIDE;
	if (option_given(job->options, "memory") ||
	    !option_given(job->options, "max-sources"))
		return memory;
	size_t needed = (size_t)option_integer(job->options, "max-sources") *
	    MEMORY_PER_SOURCE;
	return needed > memory ? needed : memory;
}

static uint32_t max_sources(const struct sensor_job *job)
{
	return option_given(job->options, "max-sources")
	    ? (uint32_t)option_integer(job->options, "max-sources")
	    : 0;
}

static int run_child(struct sensor_job *job)
{
	struct errmsg msg = { "" };
	if (sandbox_enter(SANDBOX_SENSOR, NULL, NULL, &msg) != 0)
		report_trouble(
		    job, "warning: the sandbox is incomplete: ", msg.text);
	msg.text[0] = '\0';
	job->report = report_new(job->out_fd, job->error_fd, job->form,
	    (uint32_t)option_integer(job->options, "rows"));
	report_name_scanners(job->report, job->scanners);
	job->engine = engine_new(&(struct engine_config){
	    .max_sources = max_sources(job),
	    .memory = table_memory(job),
	    .budget = option_number(job->options, "budget"),
	    .max_payloads = PAYLOADS_MAX,
	    .max_payload_bytes = PAYLOAD_BYTES_MAX,
	    .homes = job->homes,
	    .home_count = job->home_count,
	    .finding = report_finding,
	    .arg = job->report,
	});
	int err = read_and_report(job, &msg);
	int code = err ? err_exit_code(err) : exit_code_of(job);
	if (err && err != -EPIPE && (msg.text[0] || !job->is_troubled))
		report_trouble(job, "", msg.text[0] ? msg.text : err_str(err));
	engine_free(job->engine);
	report_free(job->report);
	return code;
}

/* ---- the parent ---- */

static int write_all(int to, const char *block, size_t len)
{
	for (size_t at = 0; at < len;) {
		ssize_t n = write(to, block + at, len - at);
		if (n < 0 && errno != EINTR)
			return -errno;
		at += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

/* What the child has written so far; closes its pipe, as -1, at the end or when
 * nobody takes it: the child sees that. */
static int copy_some(struct pollfd *from, int to)
{
	char block[65536];
	ssize_t n = read(from->fd, block, sizeof(block));
	if (n < 0 && errno == EINTR)
		return 0;
	int err = n < 0 ? -errno : write_all(to, block, (size_t)n);
	if (n > 0 && !err)
		return 0;
	close(from->fd);
	from->fd = -1;
	return err;
}

/* Copies what the child writes, and hands it the files and sockets that it
 * cannot open. */
static int serve_child(
    int out, int error, int feed, struct sensor_follow *follow, int to)
{
	struct pollfd fds[] = { { out, POLLIN, 0 }, { error, POLLIN, 0 },
		{ feed, POLLIN, 0 } };
	int err = 0;
	while (fds[0].fd >= 0 || fds[1].fd >= 0) {
		int n = poll(fds, 3, follow ? FOLLOW_LOOK_MS : -1);
		if (n > 0 && fds[2].revents && !packet_feed_serve(feed))
			fds[2].fd = -1;
		if (n > 0 && fds[0].fd >= 0 && fds[0].revents) {
			int e = copy_some(&fds[0], STDOUT_FILENO);
			err = err ? err : e;
		}
		if (n > 0 && fds[1].fd >= 0 && fds[1].revents)
			copy_some(&fds[1], STDERR_FILENO);
		if (follow)
			sensor_follow_look(follow, to);
	}
	return err;
}

static int wait_for_child(int err)
{
	int status = 0;
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFSIGNALED(status)) {
		fprintf(stderr,
		    "sonde " NAME ": the parser was killed by "
		    "signal %d (%s)\n",
		    WTERMSIG(status), strsignal(WTERMSIG(status)));
		return 70;
	}
	if (err && err != -EPIPE) {
		fprintf(stderr, "sonde " NAME ": output: %s\n", err_str(err));
		return 74;
	}
	return WEXITSTATUS(status);
}

static void catch_signals(void)
{
	struct sigaction action = { .sa_handler = on_signal };
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static void close_captures(struct sensor_job *job)
{
	while (job->capture_count > 0)
		capture_close(job->captures[--job->capture_count]);
}

static int run_job(struct sensor_job *job)
{
	int out[2], error[2], successors[2] = { -1, -1 };
	bool follows = option_flag(job->options, "follow");
	if (pipe(out) != 0 || pipe(error) != 0 ||
	    (follows &&
		socketpair(AF_UNIX, SOCK_SEQPACKET, 0, successors) != 0))
		return command_fail(NAME, -errno, NULL);
	fcntl(out[1], F_SETPIPE_SZ, PIPE_BYTES); /* or as large as it is */
	catch_signals();
	child = fork();
	if (child < 0)
		return command_fail(NAME, -errno, NULL);
	if (child == 0) {
		close(out[0]);
		close(error[0]);
		close(job->feed[0]);
		job->out_fd = out[1];
		job->error_fd = error[1];
		job->successors_fd = successors[1];
		_exit(run_child(job));
	}
	close(out[1]);
	close(error[1]);
	close(job->feed[1]);
	if (!job->replays) /* the child's */
		close_captures(job);
	struct sensor_follow *follow = follows
	    ? sensor_follow_new(job->captures, job->capture_count)
	    : NULL;
	int err =
	    serve_child(out[0], error[0], job->feed[0], follow, successors[0]);
	sensor_follow_free(follow);
	return wait_for_child(err);
}

static int run_sensor(int argc, char **argv)
{
	struct errmsg msg = { "" };
	struct option_values *options;
	int err = option_parse(&options, &table, argc, argv, &msg);
	if (err)
		return command_fail(NAME, err, &msg);
	if (option_help_asked(options)) {
		command_print_help(&table);
		option_free(options);
		return 0;
	}
	struct sensor_job job = { .options = options,
		.error_fd = STDERR_FILENO };
	struct output output;
	err = output_init(&output, options, NULL, NULL, &msg);
	job.form = output.form;
	if (!err)
		err = read_homes(&job, &msg);
	if (!err)
		err = read_scanners(&job, &msg);
	if (!err &&
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, job.feed) !=
		0)
		err = err_set(&msg, -errno, "socket: %s", strerror(errno));
	if (!err)
		err = open_captures(&job, &msg);
	int code = err ? command_fail(NAME, err, &msg) : run_job(&job);
	close_captures(&job);
	known_scanners_free(job.scanners);
	option_free(options);
	return code;
}

const struct command command_sensor = {
	.name = NAME,
	.summary = "find worm probes, scans and backscatter in packets",
	.options = &table,
	.run = run_sensor,
};
