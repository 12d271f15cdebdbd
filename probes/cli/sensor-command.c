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
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/xalloc.h"
#include "probes/cli/command.h"
#include "probes/cli/sensor-report.h"
#include "probes/sandbox/sandbox.h"
#include "probes/sensor/capture-loop.h"

#define NAME "sensor"
#define SNAPLEN 2048
#define BUFFER_BYTES (8u << 20)
#define PAYLOADS_MAX 4096
#define PAYLOAD_BYTES_MAX ((size_t)4 << 20)
#define HOMES_MAX 64
#define PIPE_BYTES (1 << 20)

static const struct option_row rows[] = {
	{ "read", 'r', OPTION_TEXT, "FILE", NULL, 0, 0, NULL,
	    "read a capture file, pcap or pcapng; - is standard input" },
	{ "interface", 'i', OPTION_TEXT, "IFACE", NULL, 0, 0, NULL,
	    "listen on an interface, or on any" },
	{ "home", 0, OPTION_LIST, "PREFIX", NULL, 0, 0, NULL,
	    "a watched host or network: what it sends is not held against it" },
	{ "json", 0, OPTION_FLAG, NULL, NULL, 0, 0, NULL,
	    "one object per source and class, then a summary" },
	{ "csv", 0, OPTION_FLAG, NULL, NULL, 0, 0, NULL,
	    "a row per source and class; the summary goes to standard error" },
	{ "filter", 0, OPTION_TEXT, "EXPRESSION", NULL, 0, 0, NULL,
	    "only packets that match, in the language of pcap-filter(7)" },
	{ "count", 'c', OPTION_INTEGER, "PACKETS", NULL, 0, 0, NULL,
	    "stop after this many packets" },
	{ "for", 0, OPTION_DURATION, "TIME", NULL, 0, 0, NULL,
	    "stop after this time" },
	{ "every", 0, OPTION_DURATION, "TIME", NULL, 0, 0, NULL,
	    "report what was found each time this has passed, and start from "
	    "zero" },
	{ "max-sources", 0, OPTION_INTEGER, "N", NULL, 1, TABLE_SOURCES_MAX,
	    "65536", "sources to remember; the one silent longest is evicted" },
	{ "rows", 0, OPTION_INTEGER, "N", NULL, 0, 4096, "50",
	    "rows of the table; 0 for as many as are kept" },
	{ "fail-on", 0, OPTION_CHOICE, "VERDICT",
	    "worm|flood|scan|backscatter|misconfiguration|other", 0, 0, NULL,
	    "exit with 1 when there is a source of this verdict" },
	{ "promiscuous", 0, OPTION_FLAG, NULL, NULL, 0, 0, NULL,
	    "also take frames that are for other hosts of the link" },
	{ 0 },
};

static const struct option_table table = {
	.program = "sonde sensor",
	.synopsis = "-r FILE | -i IFACE [--json | --csv]",
	.summary = "find worm probes, scans and backscatter in packets",
	.examples = "sonde sensor -r capture.pcap\n"
		    "sonde sensor -r capture.pcap --json --home 192.0.2.0/24\n"
		    "sonde sensor -i eth0 --for 10m --fail-on worm\n",
	.rows = rows,
};

struct sensor_job {
	const struct option_values *options;
	struct capture *capture;
	struct prefix homes[HOMES_MAX];
	size_t home_count;
	enum output_form form;
	int out_fd, error_fd; /* the child's ends */
	struct engine *engine;
	struct report *report;
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

static int open_capture(struct sensor_job *job, struct errmsg *msg)
{
	const struct option_values *o = job->options;
	const char *file = option_text(o, "read");
	const char *interface = option_text(o, "interface");
	const struct capture_config config = {
		.filter = option_text(o, "filter"),
		.snaplen = SNAPLEN,
		.buffer_bytes = BUFFER_BYTES,
		.promiscuous = option_flag(o, "promiscuous"),
	};
	if (option_given(o, "count") && option_integer(o, "count") <= 0)
		return err_set(msg, ERR_USAGE, "--count: expected at least 1");
	if (!file == !interface)
		return err_set(msg, ERR_USAGE,
		    "expected one of -r FILE and "
		    "-i IFACE");
	if (file)
		return capture_open_file(&job->capture, file, &config, msg);
	return capture_open_live(&job->capture, interface, &config, msg);
}

/* ---- the child ---- */

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

static int on_interval(void *arg, struct errmsg *msg)
{
	struct sensor_job *job = arg;
	engine_flush(job->engine);
	int err = report_flush(job->report);
	return err ? err_set(msg, err, "output: %s", err_str(err)) : 0;
}

static int64_t duration_of(const struct sensor_job *job, const char *name)
{
	return option_given(job->options, name)
	    ? option_duration_ns(job->options, name)
	    : 0;
}

static int listen_and_report(struct sensor_job *job, struct errmsg *msg)
{
	struct monotime start = monotime_now();
	struct loop loop = {
		.captures = &job->capture,
		.capture_count = 1,
		.engine = job->engine,
		.interval_ns = duration_of(job, "every"),
		.for_ns = duration_of(job, "for"),
		.out_fd = job->out_fd,
		.stop = &stop,
		.interval = on_interval,
		.arg = job,
	};
	if (option_given(job->options, "count"))
		loop.max_packets =
		    (uint64_t)option_integer(job->options, "count");
	int err = loop_run(&loop, msg);
	struct report_summary summary = {
		.counts = *engine_counts(job->engine),
		.table = engine_table_stats(job->engine),
		.dropped = capture_dropped(job->capture),
		.elapsed_ns = monotime_diff(monotime_now(), start),
	};
	engine_flush(job->engine);
	/* A capture that gives nothing has no summary, only an error. */
	if (err && summary.counts.packets == 0)
		return err;
	int last = report_end(job->report, &summary);
	if (last && !err)
		return err_set(msg, last, "output: %s", err_str(last));
	return err;
}

static int exit_code_of(const struct sensor_job *job)
{
	const char *verdict = option_text(job->options, "fail-on");
	for (int v = 0; verdict && v < VERDICTS; v++)
		if (strcmp(verdict, verdict_name((enum verdict)v)) == 0)
			return report_count(job->report, (enum verdict)v) > 0;
	return 0;
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
	uint32_t sources =
	    (uint32_t)option_integer(job->options, "max-sources");
	job->engine = engine_new(&(struct engine_config){
	    .max_sources = sources,
	    .max_counters = sources,
	    .max_payloads = PAYLOADS_MAX,
	    .max_payload_bytes = PAYLOAD_BYTES_MAX,
	    .homes = job->homes,
	    .home_count = job->home_count,
	    .finding = report_finding,
	    .arg = job->report,
	});
	int err = listen_and_report(job, &msg);
	int code = err ? err_exit_code(err) : exit_code_of(job);
	if (err && err != -EPIPE)
		report_trouble(job, "", msg.text[0] ? msg.text : err_str(err));
	engine_free(job->engine);
	report_free(job->report);
	return code;
}

/* ---- the parent ---- */

static int copy(int from, int to)
{
	char block[65536];
	ssize_t n;
	while ((n = read(from, block, sizeof(block))) != 0) {
		if (n < 0 && errno != EINTR)
			return -errno;
		for (ssize_t at = 0; at < n;) {
			ssize_t m = write(to, block + at, (size_t)(n - at));
			if (m < 0 && errno != EINTR)
				return -errno;
			at += m > 0 ? m : 0;
		}
	}
	return 0;
}

static int collect_finding(int out, int error)
{
	int status = 0;
	int err = copy(out, STDOUT_FILENO);
	close(out);
	copy(error, STDERR_FILENO);
	close(error);
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

static int run_job(struct sensor_job *job)
{
	int out[2], error[2];
	if (pipe(out) != 0 || pipe(error) != 0)
		return command_fail(NAME, -errno, NULL);
	fcntl(out[1], F_SETPIPE_SZ, PIPE_BYTES); /* or as large as it is */
	catch_signals();
	child = fork();
	if (child < 0)
		return command_fail(NAME, -errno, NULL);
	if (child == 0) {
		close(out[0]);
		close(error[0]);
		job->out_fd = out[1];
		job->error_fd = error[1];
		_exit(run_child(job));
	}
	close(out[1]);
	close(error[1]);
	return collect_finding(out[0], error[0]);
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
	struct sensor_job job = { .options = options };
	struct output output;
	err = output_init(&output, options, NULL, NULL, &msg);
	job.form = output.form;
	if (!err)
		err = read_homes(&job, &msg);
	if (!err)
		err = open_capture(&job, &msg);
	int code = err ? command_fail(NAME, err, &msg) : run_job(&job);
	capture_close(job.capture);
	option_free(options);
	return code;
}

const struct command command_sensor = {
	.name = NAME,
	.summary = "find worm probes, scans and backscatter in packets",
	.options = &table,
	.run = run_sensor,
};
