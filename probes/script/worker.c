/* SPDX-License-Identifier: ISC */
/*
 * The life of a worker: no descriptors but its own, the watch, the sandbox,
 * the guardian's clock, the script, the last records, the end.  Lua is never
 * closed: finalizers and allocator are of no more use.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "probes/ipc/precedence.h"
#include "probes/ipc/record-frame.h"
#include "probes/sandbox/sandbox.h"
#include "probes/script/script-api.h"
#include "probes/script/emit.h"
#include "probes/script/state.h"
#include "probes/script/watch.h"

#define STALL_NS (10 * NS_PER_S)

void worker_close_others(const int *fds, size_t count)
{
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = 0; null_fd >= 0 && fd < 3; fd++) {
		bool kept = fd == 2 && WORKER_KEEPS_STDERR;
		for (size_t i = 0; i < count; i++)
			kept = kept || fds[i] == fd;
		if (!kept)
			dup2(null_fd, fd);
	}
	/* From one kept descriptor to the next above it. */
	unsigned from = 3;
	for (;;) {
		unsigned next = UINT_MAX;
		for (size_t i = 0; i < count; i++)
			if (fds[i] >= (int)from && (unsigned)fds[i] < next)
				next = (unsigned)fds[i];
		if (next > from)
			close_range(
			    from, next == UINT_MAX ? next : next - 1, 0);
		if (next == UINT_MAX)
			return;
		from = next + 1;
	}
}

static void write_line(const struct worker_config *config, const char *text)
{
	char line[400];
	int len = snprintf(line, sizeof(line), "%s\n", text);
	if (config->log_fd >= 0 && len > 0)
		write_all(config->log_fd, line,
		    (size_t)len < sizeof(line) ? (size_t)len
					       : sizeof(line) - 1);
}

/* Who asked from afar must learn why there is no result: a record, not a log
 * line. */
static _Noreturn void fail_worker(
    const struct worker_config *config, int err, const struct errmsg *msg)
{
	const char *why = msg->text[0] ? msg->text : err_str(err);
	if (config->has_campaign)
		producer_log_run(config->record_fd, config->campaign,
		    config->run, 0, config->script->name, why);
	else
		write_line(config, why);
	_exit(err_exit_code(err));
}

static void enter_sandbox(const struct worker_config *config)
{
	struct errmsg msg = { "" }, loud;
	struct sandbox_report report;
	int err = sandbox_enter(SANDBOX_WORKER, NULL, &report, &msg);
	if (!err)
		return;
	if (!config->allow_weak_sandbox) {
		err_set(&loud, err,
		    "%.210s; --allow-weak-sandbox runs it "
		    "without",
		    msg.text);
		fail_worker(config, err, &loud);
	}
	for (int i = 0; i < SANDBOX_LAYERS; i++) {
		if (!report.wanted[i] || report.enforced[i])
			continue;
		err_set(&loud, err,
		    "WARNING: the script runs WITHOUT %s: "
		    "%.180s",
		    sandbox_layer_name((enum sandbox_layer)i),
		    report.why[i].text);
		write_line(config, loud.text);
	}
}

/* On a simulated network the clock, and so the chance, is always the same. */
static void seed_random(struct host *host)
{
	lua_State *L = host->L;
	lua_getglobal(L, "math");
	lua_getfield(L, -1, "randomseed");
	lua_pushinteger(L, host->client.wall.ns);
	if (host->config->has_campaign) {
		lua_Integer more;
		memcpy(&more, host->config->campaign, sizeof(more));
		lua_pushinteger(L, more);
	} else {
		lua_pushinteger(L, (lua_Integer)host->config->run);
	}
	lua_call(L, 2, 0);
	lua_pop(L, 1);
}

static int prepare_host(lua_State *L)
{
	seed_random(host_of(L));
	return api_result_announce(L);
}

static int run_script(struct host *host, struct errmsg *msg)
{
	const struct script *script = host->config->script;
	if (!host_state_new(host))
		return err_set(msg, ERR_LIMIT, "no memory for Lua");
	lua_pushcfunction(host->L, prepare_host);
	int err = host_call(host, 0, msg);
	if (err < 0)
		return err;
	err = host_run_script(host, script, msg);
	if (err < 0)
		return err;
	/* The header was a table with run; this time it may be anything. */
	if (!lua_istable(host->L, -1))
		return err_set(
		    msg, ERR_UNSUPPORTED, "the script returned no table");
	lua_pushliteral(host->L, "run");
	lua_rawget(host->L, -2);
	if (!lua_isfunction(host->L, -1))
		return err_set(
		    msg, ERR_UNSUPPORTED, "the script has no function run");
	err = host_push_arguments(host, msg);
	if (err < 0)
		return err;
	/* The parent has said why there is nothing to do. */
	if (script->options.operands_min > 0 && !operands_wait_first(host))
		return 0;
	return host_call(host, 1, msg);
}

_Noreturn void worker_main(const struct worker_config *config)
{
	struct errmsg msg = { "" };
	struct host host = { .config = config };
	host.records = (struct frame_batch){ record_write, &host, { 0 } };
	int fds[] = { config->guardian_fd, config->record_fd, config->log_fd,
		config->operand_fd };
	worker_close_others(fds, 4);
	if (config->has_campaign)
		precedence_last(0);
	if (config->deadline_ns > 0)
		host.deadline =
		    monotime_add(monotime_now(), config->deadline_ns);
	watch_start(config->log_fd, host.deadline, STALL_NS);
	enter_sandbox(config);
	int err = client_init(
	    &host.client, config->guardian_fd, config->record_fd, &msg);
	if (err)
		fail_worker(config, err, &msg);
	err = run_script(&host, &msg);
	int written = record_flush(&host);
	if (err)
		fail_worker(config, err, &msg);
	if (written)
		fail_worker(config, written, &msg);
	const uint8_t end[] = { WORKER_END, host.problem };
	if (config->says_end)
		write_all(config->log_fd, end, sizeof(end));
	_exit(host.problem ? 1 : 0);
}
