/* SPDX-License-Identifier: ISC */
/* sonde-collector: configuration, the collector, its API, a signal.  It starts
 * the program, so it alone here includes web/. */
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "collector/core/database.h"
#include "collector/collector.h"
#include "collector/core/config.h"
#include "lib/base/log.h"
#include "lib/base/stdio-fds.h"
#include "web/api/collector-api.h"
#include "web/http/server.h"

static const struct option_row options[] = {
	{ .name = "config",
	    .letter = 'c',
	    .type = OPTION_TEXT,
	    .argument = "FILE",
	    .fallback = SONDE_SYSCONFDIR "/sonde/collector.conf",
	    .help = "configuration file" },
	{ .name = "check",
	    .type = OPTION_FLAG,
	    .help =
		"check the configuration, print it as it is understood, and "
		"exit" },
	{ .name = "new-database",
	    .type = OPTION_FLAG,
	    .help = "begin a new database where the old one is gone" },
	{ .name = "rebuild-rollups",
	    .type = OPTION_FLAG,
	    .help = "make all sums again, of the records that are held" },
	{ .name = "trust-clock",
	    .type = OPTION_FLAG,
	    .help =
		"delete by age by this machine's clock, though it is far ahead "
		"of what is sure" },
	{ .name = "check-db",
	    .type = OPTION_FLAG,
	    .help =
		"read the whole database, print what is damaged, and exit" },
	{ 0 },
};
static const struct option_table table = {
	.program = "sonde-collector",
	.synopsis = "[--check | --check-db | --new-database | "
		    "--rebuild-rollups | --trust-clock] [-c FILE]",
	.summary = "take records in, store and analyse them, show them",
	.examples = "sonde-collector -c collector.conf\n",
	.rows = options,
};
static const struct option_row keys[] = {
	COLLECTOR_OPTION_ROWS,
	SERVER_OPTION_ROWS,
	{ 0 },
};

static int print_and_free(char *text)
{
	fputs(text, stdout);
	free(text);
	return 0;
}

/* Exit code 1 when something is damaged. */
static int check_database(const struct config *config, struct errmsg *msg)
{
	char *findings;
	int err =
	    collector_inspect(config_text(config, "state-dir"), &findings, msg);
	if (err < 0)
		return err;
	int code = *findings != '\0';
	fputs(code ? "" : "ok\n", stdout);
	print_and_free(findings);
	return code;
}

/* Signals blocked in every thread from the start: only sigwait sees them. */
static void set_process(sigset_t *signals)
{
	umask(077); /* only our own user may read what we keep */
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(signals);
	sigaddset(signals, SIGTERM);
	sigaddset(signals, SIGINT);
	pthread_sigmask(SIG_BLOCK, signals, NULL);
}

/* Serves the collector until SIGTERM or SIGINT. */
static int serve_api(struct api *api, const struct config *config,
    const sigset_t *signals, struct errmsg *msg)
{
	struct server_config settings;
	struct server *server;
	int number;
	server_config_read(&settings, config);
	int err = server_start(&server, &settings, api_application(api), msg);
	if (err < 0) {
		api_stop(api);
		return err;
	}
	for (size_t i = 0; server_url(server, i); i++)
		log_info("serving %s", server_url(server, i));
	sigwait(signals, &number);
	log_info("stopping: signal %d", number);
	api_stop(api);
	server_stop(server);
	return ERR_OK;
}

static int run_collector(const struct option_values *values,
    const struct config *config, struct errmsg *msg)
{
	struct collector_config settings;
	struct collector *collector;
	struct api *api;
	sigset_t signals;
	collector_config_read(&settings, config);
	settings.new_database = option_flag(values, "new-database");
	settings.rebuild_rollups = option_flag(values, "rebuild-rollups");
	settings.trust_clock = option_flag(values, "trust-clock");
	set_process(&signals);
	int err = collector_open(&collector, &settings, msg);
	if (err < 0)
		return err;
	err = api_open(&api, collector, msg);
	if (err >= 0) {
		err = serve_api(api, config, &signals, msg);
		api_close(api);
	}
	collector_close(collector);
	return err;
}

static int run(const struct option_values *values, const struct config *config,
    struct errmsg *msg)
{
	if (option_flag(values, "check-db"))
		return check_database(config, msg);
	if (option_flag(values, "check"))
		print_and_free(config_print(config));
	int err = collector_config_check(config, msg);
	if (err >= 0)
		err = server_config_check(config, msg);
	if (err < 0 || option_flag(values, "check"))
		return err;
	return run_collector(values, config, msg);
}

int main(int argc, char **argv)
{
	struct option_values *values = NULL;
	struct config *config = NULL;
	struct errmsg msg = { "" };
	if (standard_fds_open() != 0)
		return err_exit_code(-EIO);
	/* Each arena keeps what one of a dozen threads needed once. */
	mallopt(M_ARENA_MAX, 2);
	/* Fixed: it would rise to what was freed last, 32 MiB at most, and
	 * large buffers of answers would then leave holes in the arenas. */
	mallopt(M_MMAP_THRESHOLD, 512 << 10);
	mallopt(M_TRIM_THRESHOLD, 4 << 20);
	log_init("sonde-collector", LOG_INFO);
	int err = option_parse(&values, &table, argc, argv, &msg);
	if (err < 0)
		goto out;
	if (option_help_asked(values))
		return print_and_free(option_help_text(&table));
	err = (option_given(values, "config") ? config_load
					      : config_load_default)(
	    &config, keys, option_text(values, "config"), &msg);
	if (err < 0)
		goto out;
	err = run(values, config, &msg);
out:
	if (err < 0)
		log_error("%s", msg.text);
	config_free(config);
	option_free(values);
	return err > 0 ? err : err_exit_code(err);
}
