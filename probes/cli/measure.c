/* SPDX-License-Identifier: ISC */
/*
 * One measurement from the command line to the last record: open the network
 * while we may, resolve names, part into guardian and worker, then read
 * records and write them until both have ended.  Of several vantage points of
 * a simulated network each has a worker of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/arena.h"
#include "lib/base/reader.h"
#include "lib/base/vec.h"
#include "lib/base/xalloc.h"
#include "probes/ipc/record-frame.h"
#include "probes/cli/command.h"
#include "probes/cli/measure.h"
#include "probes/cli/output.h"
#include "probes/cli/vantage-run.h"
#include "probes/cli/measure-verbose.h"
#include "probes/net/live/live-feed.h"
#include "probes/policy/policy-file.h"
#include "probes/script/launch.h"
#include "lib/formats/format.h"

#define POLICY_PATH SONDE_SYSCONFDIR "/sonde/policy.conf"
#define COUNTED_MOST 256 /* targets that scripts are told the number of */
#define COUNT_WAIT_MS 200
#define KILL_AFTER_NS (NS_PER_S / 4) /* beyond the deadline */
#define YIELD_AFTER_NS (200 * NS_PER_MS)

struct word_list {
	char **words; /* owned */
	size_t count;
};

struct measure {
	const char *name; /* for messages */
	struct script *script;
	struct option_table *table;
	struct option_values *values;
	struct word_list arguments;
	struct vantage_runs runs;
	size_t shown;        /* whose records are written as they come */
	size_t target_count; /* 0: many, or not known */
	char *spec;          /* of the network, with the operator's wishes */
	int feed_fd;         /* asks for sockets of the network; -1: none */
	const struct format_ops *format;
	void *format_ctx;
	struct errmsg denied;        /* why only ICMP echo can be sent; or "" */
	struct monotime end;         /* kill then; 0: never */
	struct monotime interrupted; /* first */
	bool previews; /* one host, whose results are shown as they come */
	bool format_failed, too_late;
	struct verbose verbose;
	struct arena arena; /* one record at a time */
};

static void word_list_add(struct word_list *list, char *word_taken)
{
	VEC_ROOM(list->words, list->count);
	list->words[list->count++] = word_taken;
}

static void word_list_fini(struct word_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->words[i]);
	free(list->words);
}

#define SAME_INTERRUPT_NS (500 * NS_PER_MS)

static volatile sig_atomic_t interrupts;

static void on_interrupt(int signal)
{
	(void)signal;
	interrupts++;
}

/* --table, against the tables that the script has. */
static int check_table(const struct measure *m, struct errmsg *msg)
{
	const struct result_schema *results = m->script->results;
	const char *table = option_text(m->values, "table");
	if (!table)
		return 0;
	if (!results)
		return err_set(msg, ERR_USAGE,
		    "--table: the script %s has no tables", m->script->name);
	if (!m->format->select)
		return err_set(msg, ERR_USAGE,
		    "--table: the format %s has no tables", m->format->name);
	if (result_table_find(results, table) >= 0)
		return 0;
	err_set(msg, ERR_USAGE, "--table: expected one of");
	for (size_t i = 0; i < results->table_count; i++) {
		size_t len = strlen(msg->text);
		snprintf(msg->text + len, sizeof(msg->text) - len, "%s %s",
		    i ? "," : "", results->tables[i].name);
	}
	size_t len = strlen(msg->text);
	snprintf(
	    msg->text + len, sizeof(msg->text) - len, ", got '%.40s'", table);
	return ERR_USAGE;
}

/* A pipe that somebody else of its users made so that it does not wait would
 * lose what it has no room for. */
static void make_output_wait(void)
{
	int flags = fcntl(STDOUT_FILENO, F_GETFL);
	if (flags >= 0 && flags & O_NONBLOCK)
		fcntl(STDOUT_FILENO, F_SETFL, flags & ~O_NONBLOCK);
}

static int pick_format(struct measure *m, struct errmsg *msg)
{
	make_output_wait();
	int err = output_format(&m->format, m->values, msg);
	if (err < 0)
		return err;
	err = check_table(m, msg);
	if (err < 0)
		return err;
	const char *no_colour = getenv("NO_COLOR"), *term = getenv("TERM");
	bool colour = isatty(1) && !(no_colour && *no_colour) && term &&
	    strcmp(term, "dumb") != 0;
	err = m->format->open(&m->format_ctx, stdout, colour, msg);
	const char *table = option_text(m->values, "table");
	if (!err && table)
		m->format->select(m->format_ctx, table);
	return err;
}

static int load_policy(
    struct measure *m, struct policy *policy, struct errmsg *msg)
{
	const char *path = option_text(m->values, "policy");
	policy_init(policy);
	if (!path && access(POLICY_PATH, F_OK) == 0)
		path = POLICY_PATH;
	verbose_print(&m->verbose, "script %s, policy %s", m->script->path,
	    path ? path : "built in");
	int err = path ? policy_load(policy, path, msg) : 0;
	if (err < 0)
		err_prefix(msg, "policy");
	return err;
}

/* The script's own options, as words that its worker reads again. */
static void gather_options(struct measure *m)
{
	const struct option_row *row = m->script->options.rows;
	for (; row->name; row++) {
		const char *const *items;
		if (!option_given(m->values, row->name))
			continue;
		if (row->type == OPTION_FLAG) {
			if (option_flag(m->values, row->name))
				word_list_add(&m->arguments,
				    xasprintf("--%s", row->name));
			continue;
		}
		if (row->type != OPTION_LIST) {
			word_list_add(&m->arguments,
			    xasprintf("--%s=%s", row->name,
				option_written(m->values, row->name)));
			continue;
		}
		size_t count = option_list(m->values, row->name, &items);
		for (size_t i = 0; i < count; i++)
			word_list_add(&m->arguments,
			    xasprintf("--%s=%s", row->name, items[i]));
	}
	word_list_add(&m->arguments, xstrdup("--"));
}

/* Opens the list of a run's targets, which goes to the run alone. */
static int open_targets(struct measure *m, struct vantage_run *run,
    const struct net_ops *net, struct errmsg *msg)
{
	const char *const *operands;
	size_t count = option_operands(m->values, &operands);
	const char *path = option_text(m->values, "file");
	struct target_feed *feed = &run->feed;
	int err = target_list_open(&feed->list, operands, count, path, msg);
	if (err < 0)
		return err;
	feed->choice = (struct resolver_choice){
		.family = option_flag(m->values, "ipv4") ? 4
		    : option_flag(m->values, "ipv6")     ? 6
							 : 0,
		.both = option_flag(m->values, "both"),
		.all = option_flag(m->values, "all"),
	};
	if (feed->choice.both && feed->choice.family)
		return err_set(msg, ERR_USAGE,
		    "--both: expected no --ipv4 or --ipv6 besides");
	feed->program = run->name;
	feed->verbose = &m->verbose;
	feed->net = net;
	feed->spec = run->spec;
	return 0;
}

/* The operands of a script that takes words; hosts are fed to it. */
static int gather_operands(
    struct measure *m, const struct net_ops *net, struct errmsg *msg)
{
	const char *const *operands;
	size_t count = option_operands(m->values, &operands);
	if (!m->script->operands_are_hosts) {
		for (size_t i = 0; i < count; i++)
			word_list_add(&m->arguments, xstrdup(operands[i]));
		return 0;
	}
	const char *path = option_text(m->values, "file");
	if (count == 0 && !path)
		return err_set(msg, ERR_USAGE,
		    "expected a host, or --file with hosts; --help has "
		    "examples");
	if (m->runs.count > 1 && path && !vantage_runs_can_read(path))
		return err_set(msg, ERR_USAGE,
		    "--file: expected a file that each of several vantage "
		    "points can read, not a pipe");
	for (size_t i = 0; i < m->runs.count; i++) {
		int err = open_targets(m, &m->runs.all[i], net, msg);
		if (err < 0)
			return err;
	}
	struct target_feed *feed = &m->runs.all[0].feed;
	/* In virtual time nothing may depend on how fast a pipe is. */
	m->target_count = target_list_count(
	    &feed->list, COUNTED_MOST, net->advance ? -1 : COUNT_WAIT_MS);
	/* Of several hosts at once the lines would be mixed. */
	bool several =
	    feed->choice.both || feed->choice.all || m->runs.count > 1;
	m->previews = m->format->preview && m->target_count == 1 && !several;
	if (feed->choice.both)
		m->target_count *= 2; /* at most */
	if (feed->choice.all || m->target_count > COUNTED_MOST)
		m->target_count = 0;
	return 0;
}

static void worker_config_fill(
    const struct measure *m, size_t number, struct worker_config *config)
{
	*config = (struct worker_config){
		.script = m->script,
		.vantage = m->runs.all[number].vantage,
		.run = number,
		.arguments = (const char *const *)m->arguments.words,
		.argument_count = m->arguments.count,
		.deadline_ns = option_duration_ns(m->values, "deadline"),
		.operand_count = m->target_count,
		.streams_operands = m->script->operands_are_hosts,
		.previews = m->previews,
		.allow_weak_sandbox =
		    option_flag(m->values, "allow-weak-sandbox"),
	};
}

static void print_network(
    const struct measure *m, const struct net_ops *net, void *net_ctx)
{
	char words[256] = "";
	if (net->describe)
		net->describe(net_ctx, words, sizeof(words));
	verbose_print(&m->verbose, "network %s: %s", net->name, words);
}

/* What the operator wants of every packet.  A script may have options of these
 * names; they are its own, and have no say. */
static int join_spec(struct measure *m, const struct net_ops *net,
    const char *given, struct errmsg *msg)
{
	struct net_wish wish = { 0 };
	if (measure_row_is_common(m->script, "interface"))
		wish.interface = option_text(m->values, "interface");
	if (measure_row_is_common(m->script, "mark"))
		wish.mark = option_text(m->values, "mark");
	if (measure_row_is_common(m->script, "source"))
		wish.source_count =
		    option_list(m->values, "source", &wish.sources);
	return net_spec_join(&m->spec, net, given, &wish, msg);
}

/* What the network needs few of at first can be asked for later. */
static int make_feed(struct measure *m, struct errmsg *msg)
{
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return err_set(msg, -errno, "socketpair: %s", strerror(errno));
	m->feed_fd = pair[0];
	live_feed_by(pair[1]);
	return 0;
}

static void serve_feed(struct measure *m)
{
	if (live_feed_serve(m->feed_fd))
		return;
	close(m->feed_fd);
	m->feed_fd = -1;
}

/* Where no raw socket can be had, ICMP echo may be all the same. */
static int open_network(struct measure *m, const struct net_ops **net,
    void **net_ctx, const char *spec, struct errmsg *msg)
{
	struct errmsg why;
	int err = *net == &net_live ? make_feed(m, msg) : 0;
	if (err < 0)
		return err;
	err = (*net)->open(net_ctx, spec, msg);
	if (err != -EPERM || *net != &net_live)
		return err;
	if (net_echo.open(net_ctx, spec, &why) != 0)
		return err;
	verbose_print(&m->verbose, "network live: %s", msg->text);
	m->denied = *msg;
	*net = &net_echo;
	return 0;
}

/* Opens the network, for each vantage point, and has guardians serve the
 * workers with it. */
static int start_guardians(struct measure *m, const struct net_ops *net,
    const struct policy *policy, struct errmsg *msg)
{
	struct vantage_runs *runs = &m->runs;
	void *ctxs[VANTAGE_RUNS_MAX] = { NULL };
	struct launch_network network = { .ctxs = ctxs,
		.policy = policy,
		.allow_weak_sandbox =
		    option_flag(m->values, "allow-weak-sandbox") };
	int err = open_network(m, &net, &ctxs[0], runs->all[0].spec, msg);
	network.count = err < 0 ? 0 : 1;
	while (!err && network.count < runs->count) {
		err = net->join(&ctxs[network.count], ctxs[0],
		    runs->all[network.count].vantage, msg);
		network.count += err == 0;
	}
	if (err < 0) {
		while (network.count > 0)
			net->close(ctxs[--network.count]);
		launch_abandon(runs->launches, runs->count);
		return err;
	}
	network.net = net;
	network.feed_fd = m->feed_fd;
	for (size_t i = 0; i < runs->count; i++)
		print_network(m, net, ctxs[i]);
	fflush(NULL);
	return launch_guardian(runs->launches, &network, msg);
}

static int start_workers(struct measure *m, struct errmsg *msg)
{
	struct worker_config config;
	fflush(NULL);
	for (size_t i = 0; i < m->runs.count; i++) {
		worker_config_fill(m, i, &config);
		int err = launch_worker(&m->runs.launches[i], &config, msg);
		if (err < 0) {
			launch_abandon(m->runs.launches, i);
			return err;
		}
	}
	return 0;
}

static int start_measuring(struct measure *m, struct errmsg *msg)
{
	const char *given;
	struct policy policy;
	const struct net_ops *net =
	    net_find(option_text(m->values, "net"), &given, msg);
	if (!net)
		return ERR_USAGE;
	int err = join_spec(m, net, given, msg);
	if (err < 0)
		return err;
	err = vantage_runs_open(&m->runs, m->name, net, m->spec, msg);
	if (err < 0)
		return err;
	err = load_policy(m, &policy, msg);
	if (err < 0)
		goto out;
	gather_options(m);
	err = gather_operands(m, net, msg);
	if (err < 0)
		goto out;
	err = start_workers(m, msg);
	if (err < 0)
		goto out;
	err = start_guardians(m, net, &policy, msg);
	if (err < 0)
		goto out;
	for (size_t i = 0; i < m->runs.count; i++) {
		struct launch *launch = &m->runs.launches[i];
		target_feed_start(&m->runs.all[i].feed, launch->operand_fd);
		launch->operand_fd = -1;
	}
	int64_t deadline_ns = option_duration_ns(m->values, "deadline");
	if (deadline_ns)
		m->end =
		    monotime_add(monotime_now(), deadline_ns + KILL_AFTER_NS);
out:
	policy_fini(&policy);
	return err;
}

static void interrupt_all(const struct measure *m, bool kill)
{
	for (size_t i = 0; i < m->runs.count; i++) {
		if (kill)
			launch_kill(&m->runs.launches[i]);
		else
			launch_interrupt(&m->runs.launches[i]);
	}
}

static void write_record(
    struct measure *m, const uint8_t *bytes, size_t len, bool whole)
{
	struct errmsg msg = { "" };
	Sonde__Record *record;
	if (m->format_failed)
		return;
	struct arena_mark mark = arena_mark(&m->arena);
	int err = record_unpack_in(&m->arena, &record, bytes, len, &msg);
	if (!err) {
		if (whole)
			verbose_record(&m->verbose, record);
		err = whole ? m->format->item(m->format_ctx, record, &msg)
			    : m->format->preview(m->format_ctx, record, &msg);
		m->format_failed = err < 0;
	}
	arena_reset(&m->arena, mark);
	if (err < 0)
		fprintf(stderr, "sonde %s: %s\n", m->name, msg.text);
	if (m->format_failed)
		interrupt_all(m, false);
}

static void write_whole(void *measure, const uint8_t *bytes, size_t len)
{
	write_record(measure, bytes, len, true);
}

/* What comes from the vantage points behind the one that is shown waits. */
static void take_record(
    struct measure *m, size_t number, const uint8_t *bytes, size_t len)
{
	struct errmsg msg = { "" };
	if (number == m->shown) {
		write_record(m, bytes, len, true);
		return;
	}
	if (m->format_failed ||
	    vantage_run_keep(&m->runs.all[number], bytes, len, &msg) == 0)
		return;
	fprintf(stderr, "sonde %s: %s\n", m->name, msg.text);
	m->format_failed = true;
	interrupt_all(m, false);
}

/* The one that is shown has ended: the next one's turn. */
static void show_next(struct measure *m)
{
	struct errmsg msg = { "" };
	while (m->shown < m->runs.count && !m->runs.all[m->shown].records) {
		if (++m->shown == m->runs.count)
			return;
		struct vantage_run *run = &m->runs.all[m->shown];
		vantage_run_title(run, m->format);
		if (vantage_run_replay(run, write_whole, m, &msg) == 0)
			continue;
		fprintf(stderr, "sonde %s: %s\n", m->name, msg.text);
		m->format_failed = true;
	}
}

/* One datagram of whole frames.  false: the other end is gone. */
static bool read_records(
    struct measure *m, size_t number, uint8_t *bytes, size_t size)
{
	ssize_t n =
	    recv(m->runs.launches[number].record_fd, bytes, size, MSG_DONTWAIT);
	if (n <= 0)
		return n < 0 && (errno == EAGAIN || errno == EINTR);
	struct reader r = reader_init(bytes, (size_t)n);
	const uint8_t *record;
	size_t len;
	for (;;) {
		if (m->previews &&
		    producer_next_preview(&r, &record, &len) == 0)
			write_record(m, record, len, false);
		else if (producer_next_frame(&r, &record, &len) == 0)
			take_record(m, number, record, len);
		else
			return true;
	}
}

static bool read_log(
    struct measure *m, size_t number, uint8_t *bytes, size_t size)
{
	struct launch *launch = &m->runs.launches[number];
	ssize_t n = recv(launch->log_fd, bytes, size - 1, MSG_DONTWAIT);
	if (n <= 0)
		return n < 0 && (errno == EAGAIN || errno == EINTR);
	if (launch_is_end(launch, bytes, (size_t)n))
		return false;
	/* A script may be hostile to terminals. */
	for (ssize_t i = 0; i < n; i++)
		if (bytes[i] < 0x20 || bytes[i] == 0x7f)
			bytes[i] = bytes[i] == '\n' ? '\n' : ' ';
	bytes[n] = '\0';
	fprintf(stderr, "sonde %s: %s%s", m->runs.all[number].name,
	    (char *)bytes, bytes[n - 1] == '\n' ? "" : "\n");
	return true;
}

/* What a worker that said its end has left behind. */
static void drain_records(
    struct measure *m, size_t number, uint8_t *bytes, size_t size)
{
	struct pollfd p = { m->runs.launches[number].record_fd, POLLIN, 0 };
	for (;;) {
		int n = poll(&p, 1, 0);
		if (n == 0 || (n > 0 && !read_records(m, number, bytes, size)))
			return;
	}
}

/* The first asks the scripts to end, a later one ends them.  timeout(1) sends
 * one to the command and one to its group: that is one. */
static void heed_interrupts(struct measure *m, int *heeded)
{
	if (interrupts > *heeded) {
		struct monotime now = monotime_now();
		if (*heeded == 0)
			m->interrupted = now;
		interrupt_all(
		    m, monotime_diff(now, m->interrupted) > SAME_INTERRUPT_NS);
		*heeded = interrupts;
		/* A script that does not heed it has a second. */
		struct monotime soon = monotime_add(now, NS_PER_S);
		if (!m->end.ns || monotime_before(soon, m->end))
			m->end = soon;
	}
	if (m->end.ns && !monotime_before(monotime_now(), m->end)) {
		interrupt_all(m, true);
		m->end.ns = 0;
		m->too_late = interrupts == 0;
	}
}

/* What poll found of one run. */
static void read_run(struct measure *m, size_t number,
    const struct pollfd p[static 2], uint8_t *bytes)
{
	struct vantage_run *run = &m->runs.all[number];
	struct launch *launch = &m->runs.launches[number];
	const size_t size = PRODUCER_DATAGRAM_BYTES + 1;
	if (!run->records && !run->log)
		return;
	target_feed_step(&run->feed);
	/* What was logged before a record is shown before it. */
	if (p[1].revents)
		run->log = read_log(m, number, bytes, size);
	if (launch->ended >= 0) {
		drain_records(m, number, bytes, size);
		run->records = run->log = false;
		/* Its part of the network must not wait for its last breath. */
		if (m->runs.count > 1)
			launch_kill(launch);
		return;
	}
	if (p[0].revents)
		run->records = read_records(m, number, bytes, size);
	else
		fflush(stdout);
}

static void read_until_end(struct measure *m)
{
	enum { EACH = 2 + TARGET_FEED_FDS };
	size_t count = m->runs.count;
	uint8_t *bytes = xmalloc(PRODUCER_DATAGRAM_BYTES + 1);
	struct pollfd *p = xcalloc(count * EACH + 1, sizeof(*p));
	struct pollfd *feed = &p[count * EACH];
	bool yields = false;
	int heeded = 0;
	struct monotime long_run = monotime_add(monotime_now(), YIELD_AFTER_NS);
	arena_alloc(&m->arena, 1); /* a chunk that stays */
	vantage_run_title(&m->runs.all[0], m->format);
	while (vantage_runs_wants(&m->runs, p)) {
		heed_interrupts(m, &heeded);
		if (!yields && !monotime_before(monotime_now(), long_run)) {
			for (size_t i = 0; i < count; i++)
				launch_yield(&m->runs.launches[i]);
			yields = true;
		}
		*feed = (struct pollfd){ m->feed_fd, POLLIN, 0 };
		if (poll(p, (nfds_t)count * EACH + 1, 100) < 0)
			continue;
		if (feed->revents)
			serve_feed(m);
		for (size_t i = 0; i < count; i++)
			read_run(m, i, p + i * EACH, bytes);
		show_next(m);
	}
	arena_fini(&m->arena);
	free(p);
	free(bytes);
}

/* The worst code of all runs, what was given to them, and of that failed. */
static int finish_runs(
    struct measure *m, struct errmsg *msg, bool *none, bool *failed)
{
	int code = 0;
	*none = m->script->operands_are_hosts;
	*failed = false;
	for (size_t i = m->runs.count; i-- > 0;) {
		struct errmsg why = { "" };
		const struct target_feed *feed = &m->runs.all[i].feed;
		int one = launch_finish(&m->runs.launches[i], &why);
		if (one > code)
			code = one;
		if (why.text[0])
			*msg = why;
		*none &= feed->given == 0;
		*failed |= feed->failed > 0;
	}
	return code;
}

static int finish_measuring(struct measure *m)
{
	struct errmsg msg = { "" };
	bool none, failed;
	int code = finish_runs(m, &msg, &none, &failed);
	if (m->too_late)
		code = err_exit_code(err_set(&msg, -EAGAIN,
		    "the script did not end by its deadline and was killed"));
	if (msg.text[0])
		fprintf(stderr, "sonde %s: %s\n", m->name, msg.text);
	if (code != 0 && m->denied.text[0])
		fprintf(stderr, "sonde %s: only ICMP echo could be sent: %s\n",
		    m->name, m->denied.text);
	verbose_end(&m->verbose);
	msg.text[0] = '\0';
	int err = m->format->close(m->format_ctx, &msg);
	if (err && !m->format_failed)
		return command_fail(m->name, err, &msg);
	if (m->format_failed) {
		/* It has been said, and what is left cannot be written. */
		__fpurge(stdout);
		clearerr(stdout);
		return err_exit_code(-EIO);
	}
	if (interrupts && code == 0)
		return 1;
	if (code == 0 && none) {
		if (failed)
			return 1; /* each was reported */
		err_set(&msg, ERR_USAGE, "the file has no hosts");
		return command_fail(m->name, ERR_USAGE, &msg);
	}
	return code == 0 && failed ? 1 : code;
}

static void catch_interrupts(void)
{
	struct sigaction action = { .sa_handler = on_interrupt };
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	/* A terminal that closes: what was measured may go to a file. */
	struct sigaction before;
	if (sigaction(SIGHUP, NULL, &before) == 0 &&
	    before.sa_handler != SIG_IGN)
		sigaction(SIGHUP, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static int measure_run(struct measure *m)
{
	struct errmsg msg = { "" };
	int err = pick_format(m, &msg);
	if (err)
		return command_fail(m->name, err, &msg);
	catch_interrupts();
	err = start_measuring(m, &msg);
	if (err) {
		m->format->close(m->format_ctx, NULL);
		return command_fail(m->name, err, &msg);
	}
	read_until_end(m);
	return finish_measuring(m);
}

static bool has_word(int argc, char **argv, const char *word)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], word) == 0)
			return true;
	return false;
}

int measure_main(const char *name_or_path, int argc, char **argv)
{
	struct errmsg msg = { "" };
	struct measure m = { .name = name_or_path, .feed_fd = -1 };
	int err = script_load(&m.script, name_or_path,
	    has_word(argc, argv, "--allow-weak-sandbox"), &msg);
	if (err)
		return command_fail(
		    strchr(name_or_path, '/') ? "run" : name_or_path, err,
		    &msg);
	m.name = m.script->name;
	m.table = measure_table(m.script);
	if (m.script->operands_are_hosts)
		m.table->operands_min = 0; /* they may be in --file */
	err = option_parse(&m.values, m.table, argc, argv, &msg);
	int code;
	if (err) {
		code = command_fail(m.name, err, &msg);
	} else if (option_help_asked(m.values)) {
		command_print_help(m.table);
		code = 0;
	} else {
		m.verbose.on = option_flag(m.values, "verbose");
		m.verbose.name = m.name;
		code = measure_run(&m);
	}
	option_free(m.values);
	vantage_runs_fini(&m.runs);
	word_list_fini(&m.arguments);
	if (m.feed_fd >= 0)
		close(m.feed_fd);
	free(m.spec);
	measure_table_free(m.table);
	script_free(m.script);
	return code;
}
