/* SPDX-License-Identifier: ISC */
/*
 * The shipper's loop: two exchanges at a time, one that posts batches and one
 * that waits for work (a long poll), and between them the keeper's marks and
 * the schedule.  What a batch is and what an answer means is in upload.c,
 * when runs start in schedule.c.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/hex.h"
#include "lib/base/log.h"
#include "lib/base/xalloc.h"
#include "probes/ipc/keeper-message.h"
#include "lib/base/backoff.h"
#include "probes/ipc/counters.h"
#include "lib/https/http.h"
#include "probes/ipc/process.h"
#include "probes/agent/scheduler/run-request.h"
#include "probes/agent/scheduler/schedule.h"
#include "probes/agent/shipper/shipper.h"
#include "probes/agent/shipper/upload.h"
#include "lib/https/url.h"

enum { INGEST, WORK };

#define INGEST_TIMEOUT_S 60L
#define WORK_TIMEOUT_S 50L /* the collector answers within 30 */
#define RUN_MOST_NS (600 * NS_PER_S)
/* Batches that come further apart keep no connection open between them: with
 * the system's certificates each one costs 5 MB. */
#define RARE_NS (4 * NS_PER_S)
#define TIDY_NS NS_PER_S /* after the last exchange began */
#define IDLE_NS (60 * NS_PER_S)

struct shipper {
	const struct shipper_start *config;
	struct http *http;
	struct shipping *shipping;
	struct schedule *schedule;
	struct worklist *work; /* NULL: none yet */
	struct buf body;
	struct backoff ship_backoff, work_backoff;
	struct monotime ship_at, work_at, end_at, shipped_at, tidy_at;
	int64_t clock_offset_ns; /* the collector's clock less ours */
	char trouble[sizeof(((struct errmsg *)0)->text)]; /* last logged */
	int signal_fd;
	bool draining, marked, shipped_all;
	uint64_t *batches, *bytes, *failures, *runs, *skipped;
};

/* The same trouble is logged once, not at every attempt. */
static void log_trouble(struct shipper *s, const char *text)
{
	if (strcmp(s->trouble, text) == 0)
		return;
	snprintf(s->trouble, sizeof(s->trouble), "%s", text);
	if (text[0])
		log_warn("%s", text);
}

static uint64_t random_u64(void)
{
	uint64_t r;
	randombytes_buf(&r, sizeof(r));
	return r;
}

static struct monotime after(int64_t ns)
{
	return monotime_add(monotime_now(), ns);
}

/* --- shipping ---------------------------------------------------------- */

static void send_orders(
    struct shipper *s, const struct ship_order *orders, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (send(s->config->keeper_fd, &orders[i], sizeof(orders[i]),
			MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
			log_warn("keeper: %s", strerror(errno));
}

static void take_marks(struct shipper *s)
{
	struct ship_mark mark;
	while (recv(s->config->keeper_fd, &mark, sizeof(mark), MSG_DONTWAIT) ==
	    (ssize_t)sizeof(mark)) {
		shipping_mark(s->shipping, &mark);
		s->marked = true;
		s->shipped_all = false;
	}
}

static void fail_ingest(struct shipper *s, const char *why)
{
	counters_add(s->failures, 1);
	log_trouble(s, why);
	s->ship_at = after(backoff_next_ns(&s->ship_backoff, random_u64()));
	s->shipped_all = s->draining; /* no second attempt when we must go */
}

/* Nothing left: give the buffer back until there is. */
static void rest(struct shipper *s)
{
	if (!s->shipped_all)
		buf_fini(&s->body);
	s->shipped_all = true;
}

static void start_ingest(struct shipper *s)
{
	static const char *const headers[] = {
		"Content-Type: application/vnd.sonde.batch", NULL
	};
	struct errmsg msg = { "" };
	int err = shipping_seal(s->shipping, &s->body, &msg);
	if (err == ERR_EOF) {
		rest(s);
		return;
	}
	struct http_request request = { .path = "/api/v1/ingest",
		.headers = headers,
		.body = s->body.data,
		.body_len = s->body.len,
		.timeout_s = INGEST_TIMEOUT_S,
		.last =
		    monotime_diff(monotime_now(), s->shipped_at) > RARE_NS };
	if (!err)
		err = http_start(s->http, INGEST, &request, &msg);
	s->tidy_at = after(TIDY_NS);
	if (err)
		fail_ingest(s, msg.text);
}

static void end_ingest(struct shipper *s, const struct http_answer *answer)
{
	struct shipping_outcome outcome;
	shipping_answer(s->shipping, answer->status, answer->body.data,
	    answer->body.len, answer->retry_after_s, &outcome);
	send_orders(s, outcome.orders, outcome.order_count);
	if (answer->status == 0)
		outcome.trouble = answer->why;
	switch (outcome.next) {
	case SHIPPING_GO_ON:
		s->shipped_at = monotime_now();
		backoff_reset(&s->ship_backoff);
		counters_add(s->batches, 1);
		counters_add(s->bytes, s->body.len);
		log_trouble(s, outcome.trouble.text);
		break;
	case SHIPPING_RETRY: fail_ingest(s, outcome.trouble.text); break;
	case SHIPPING_WAIT:
		fail_ingest(s, outcome.trouble.text);
		s->ship_at =
		    monotime_add(s->ship_at, outcome.retry_after_s * NS_PER_S);
		break;
	}
}

/* --- work -------------------------------------------------------------- */

static void sign_work(const struct shipper *s, const char *path,
    const char *time, char hex[static HEX_TEXT_LEN(crypto_sign_BYTES)])
{
	static const char tag[] = "sonde-work";
	uint8_t signature[crypto_sign_BYTES];
	struct buf text = { 0 };
	buf_bytes(&text, tag, sizeof(tag));
	buf_bytes(&text, s->config->agent, sizeof(s->config->agent));
	buf_u8(&text, 0);
	buf_bytes(&text, time, strlen(time) + 1);
	buf_bytes(&text, path, strlen(path));
	crypto_sign_detached(
	    signature, NULL, text.data, text.len, s->config->secret_key);
	hex_text(signature, sizeof(signature), hex);
	buf_fini(&text);
}

static void start_work(struct shipper *s)
{
	char path[64], time[24], id[33], hex[HEX_TEXT_LEN(crypto_sign_BYTES)];
	char agent_line[64], time_line[64], sign_line[200];
	const char *headers[] = { agent_line, time_line, sign_line, NULL };
	struct errmsg msg;
	snprintf(path, sizeof(path), "/api/v1/work?after=%" PRIu64,
	    s->work ? s->work->revision : 0);
	snprintf(time, sizeof(time), "%" PRId64,
	    walltime_now().ns + s->clock_offset_ns);
	hex_text(s->config->agent, 16, id);
	sign_work(s, path, time, hex);
	snprintf(agent_line, sizeof(agent_line), "Sonde-Agent: %s", id);
	snprintf(time_line, sizeof(time_line), "Sonde-Time: %s", time);
	snprintf(sign_line, sizeof(sign_line), "Sonde-Signature: %s", hex);
	struct http_request request = {
		.path = path, .headers = headers, .timeout_s = WORK_TIMEOUT_S
	};
	s->tidy_at = after(TIDY_NS);
	if (http_start(s->http, WORK, &request, &msg) != 0) {
		log_trouble(s, msg.text);
		s->work_at =
		    after(backoff_next_ns(&s->work_backoff, random_u64()));
	}
}

static void take_work(struct shipper *s, struct worklist *list)
{
	if (list->refused)
		log_trouble(s, list->why.text);
	schedule_update(s->schedule, list, boottime_now(),
	    list->now.ns ? list->now : walltime_now());
	worklist_free(s->work);
	s->work = list;
}

/* Our clock is too far from the collector's for a signed question: from now
 * on we ask by its clock.  True when that is its time. */
static bool take_clock(struct shipper *s, const struct http_answer *answer)
{
	struct shipping_reply reply;
	struct walltime theirs;
	if (answer->status != 401 ||
	    shipping_parse(&reply, answer->body.data, answer->body.len, NULL) !=
		0 ||
	    strcmp(reply.code, "clock") != 0 ||
	    walltime_parse(&theirs, reply.server_time) != 0)
		return false;
	s->clock_offset_ns = walltime_diff(theirs, walltime_now());
	log_trouble(s, "our clock is far from the collector's");
	return true;
}

static void end_work(struct shipper *s, const struct http_answer *answer)
{
	struct worklist *list = NULL;
	struct errmsg msg = answer->why;
	if (answer->status == 200 &&
	    worklist_parse(&list, answer->body.data, answer->body.len, &msg) ==
		0) {
		backoff_reset(&s->work_backoff);
		/* An answer at once, for ever, must not make us spin. */
		bool same = s->work && s->work->revision == list->revision;
		s->work_at = after(same ? NS_PER_S / 4 : 0);
		take_work(s, list);
		return;
	}
	counters_add(s->failures, 1);
	if (answer->status != 200 && answer->status != 0)
		err_set(&msg, ERR_UNAVAILABLE,
		    "the collector answers %ld to the question for work",
		    answer->status);
	if (!take_clock(s, answer))
		log_trouble(s, msg.text);
	s->work_at = after(backoff_next_ns(&s->work_backoff, random_u64()) +
	    (answer->retry_after_s > 0 ? answer->retry_after_s : 0) * NS_PER_S);
}

static const struct campaign *find_campaign(
    const struct shipper *s, const uint8_t id[16])
{
	for (size_t i = 0; s->work && i < s->work->count; i++)
		if (memcmp(s->work->campaigns[i].id, id, 16) == 0)
			return &s->work->campaigns[i];
	return NULL;
}

static void ask_for_run(
    struct shipper *s, const struct campaign *c, uint64_t run)
{
	struct run_request request = { .run = run,
		.once = c->every_ns == 0,
		.deadline_ns = c->every_ns && c->every_ns < RUN_MOST_NS
		    ? c->every_ns
		    : RUN_MOST_NS,
		.arguments = c->arguments,
		.argument_count = c->argument_count };
	struct buf packed = { 0 };
	memcpy(request.campaign, c->id, sizeof(request.campaign));
	memcpy(request.script, c->script, sizeof(request.script));
	run_request_pack(&packed, &request);
	if (send(s->config->supervisor_fd, packed.data, packed.len,
		MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		counters_add(s->skipped, 1);
	else
		counters_add(s->runs, 1);
	buf_fini(&packed);
}

static void run_schedule(struct shipper *s)
{
	uint8_t id[16];
	uint64_t run;
	while (schedule_take(s->schedule, boottime_now(), id, &run)) {
		const struct campaign *c = find_campaign(s, id);
		if (c)
			ask_for_run(s, c, run);
	}
}

/* --- the loop ---------------------------------------------------------- */

static void drain_spool(struct shipper *s)
{
	struct ship_order hello = { .kind = SHIP_HELLO };
	s->draining = true;
	s->marked = s->shipped_all = false;
	s->end_at = after(SHIPPER_DRAIN_NS);
	s->ship_at = monotime_now();
	send_orders(s, &hello, 1);
}

static void sooner(struct monotime *t, struct monotime other)
{
	if (monotime_before(other, *t))
		*t = other;
}

/* After a suspend a start may be due that poll(2) does not count to: it is seen
 * after IDLE_NS at most. */
static struct monotime next_start(const struct shipper *s)
{
	struct boottime now = boottime_now();
	return after(boottime_diff(schedule_next(s->schedule), now));
}

static int wait_ms(const struct shipper *s)
{
	struct monotime until = after(IDLE_NS);
	sooner(&until, s->tidy_at);
	if (!http_busy(s->http, INGEST) && !s->shipped_all)
		sooner(&until, s->ship_at);
	if (!http_busy(s->http, WORK) && !s->draining)
		sooner(&until, s->work_at);
	if (s->draining)
		sooner(&until, s->end_at);
	else
		sooner(&until, next_start(s));
	int64_t ns = monotime_diff(until, monotime_now());
	return ns < 0 ? 0 : (int)(ns / NS_PER_MS) + 1;
}

/* An exchange leaves megabytes behind: certificates, freed but kept, and the
 * library's pages. */
static void tidy(struct shipper *s, struct monotime now)
{
	if (monotime_before(now, s->tidy_at))
		return;
	process_rest();
	s->tidy_at = (struct monotime){ INT64_MAX };
}

static void start_what_is_due(struct shipper *s)
{
	struct monotime now = monotime_now();
	tidy(s, now);
	if (!http_busy(s->http, INGEST) && !s->shipped_all &&
	    !monotime_before(now, s->ship_at))
		start_ingest(s);
	if (s->draining)
		return;
	if (!http_busy(s->http, WORK) && !monotime_before(now, s->work_at))
		start_work(s);
	run_schedule(s);
}

static bool is_done(const struct shipper *s)
{
	if (!s->draining)
		return false;
	return (s->marked && s->shipped_all && !http_busy(s->http, INGEST)) ||
	    !monotime_before(monotime_now(), s->end_at);
}

static int loop(struct shipper *s, struct errmsg *msg)
{
	const int fds[] = { s->config->keeper_fd, s->signal_fd };
	struct signalfd_siginfo info;
	int err = 0;
	while (!err && !is_done(s)) {
		const struct http_answer *answer;
		start_what_is_due(s);
		err = http_wait(
		    s->http, fds, s->draining ? 1 : 2, wait_ms(s), msg);
		take_marks(s);
		if ((answer = http_take(s->http, INGEST)) != NULL)
			end_ingest(s, answer);
		if ((answer = http_take(s->http, WORK)) != NULL)
			end_work(s, answer);
		if (!s->draining && read(s->signal_fd, &info, sizeof(info)) > 0)
			drain_spool(s);
	}
	return err;
}

static int term_fd(void)
{
	sigset_t term;
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	return signalfd(-1, &term, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void count_event(struct shipper *s)
{
	struct counters *own = counters_open(s->config->counters_fd);
	s->batches = counters_cell(own, "batches");
	s->bytes = counters_cell(own, "bytes");
	s->failures = counters_cell(own, "failures");
	s->runs = counters_cell(own, "runs_asked");
	s->skipped = counters_cell(own, "runs_skipped");
}

static const char *ca_file(const struct shipper_start *start)
{
	return start->ca_file[0] ? start->ca_file : NULL;
}

int shipper_enter_sandbox(const struct shipper_start *start,
    const char *spool_dir, struct errmsg *msg)
{
	const char *read_paths[] = { "/etc", "/usr/share/ca-certificates",
		"/usr/lib", "/lib", "/run/systemd", "/usr/share/zoneinfo", NULL,
		NULL, NULL };
	struct sandbox_paths paths = { .read = read_paths,
		.tcp_connect_port = url_port(start->url),
		.uid = start->uid,
		.gid = start->gid };
	size_t count = 0;
	while (read_paths[count])
		count++;
	if (spool_dir)
		read_paths[count++] = spool_dir;
	read_paths[count] = ca_file(start);
	return process_enter(
	    SANDBOX_SHIPPER, &paths, start->allow_weak_sandbox, msg);
}

/* Its first mark says that there is a spool to read. */
static void wait_for_keeper(struct shipper *s)
{
	struct ship_order hello = { .kind = SHIP_HELLO };
	struct pollfd fds[] = { { s->config->keeper_fd, POLLIN, 0 },
		{ s->signal_fd, POLLIN, 0 } };
	send_orders(s, &hello, 1);
	while (poll(fds, 2, -1) < 0 && errno == EINTR)
		;
}

static int start_exchange(struct shipper *s, struct errmsg *msg)
{
	const struct shipper_start *c = s->config;
	struct http_config http = { .url = c->url, .ca_file = ca_file(c) };
	int err = sodium_init() < 0
	    ? err_set(msg, ERR_UNSUPPORTED, "libsodium does not start")
	    : shipper_enter_sandbox(c, AGENT_SPOOL, msg);
	if (err < 0)
		return err;
	err = http_open(&s->http, &http, msg);
	if (err < 0)
		return err;
	wait_for_keeper(s);
	err = shipping_new(
	    &s->shipping, AGENT_SPOOL, c->agent, c->secret_key, msg);
	if (err < 0)
		return err;
	s->schedule = schedule_new(c->agent);
	s->ship_at = s->work_at = monotime_now();
	s->tidy_at = (struct monotime){ INT64_MAX };
	return 0;
}

int shipper_main(const struct shipper_start *start_message)
{
	struct shipper s = { .config = start_message };
	struct errmsg msg;
	process_signals();
	s.signal_fd = term_fd();
	s.ship_backoff = s.work_backoff =
	    (struct backoff){ s.config->retry_least_ns, s.config->retry_most_ns,
		    0 };
	count_event(&s);
	int err = start_exchange(&s, &msg);
	if (!err)
		err = loop(&s, &msg);
	if (err)
		log_error("%s", msg.text);
	http_close(s.http);
	shipping_free(s.shipping);
	schedule_free(s.schedule);
	worklist_free(s.work);
	buf_fini(&s.body);
	return err_exit_code(err);
}
