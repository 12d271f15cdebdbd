/* SPDX-License-Identifier: ISC */
/* sonde-collector: configuration, the collector, its HTTP face, a signal.  It
 * starts the program, so it alone here includes web/. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "collector/settings.h"
#include "collector/store.h"
#include "lib/log.h"
#include "web/server.h"

static const struct option_row options[] = {
    {.name = "config", .letter = 'c', .type = OPTION_TEXT, .argument = "FILE",
	.fallback = SONDE_SYSCONFDIR "/sonde/collector.conf",
	.help = "configuration file"},
    {.name = "check", .type = OPTION_FLAG,
	.help = "print the configuration as it is understood, and exit"},
    {.name = "new-database", .type = OPTION_FLAG,
	.help = "begin a new database where the old one is gone"},
    {.name = "check-db", .type = OPTION_FLAG,
	.help = "read the whole database, print what is damaged, and exit"},
    {0},
};
static const struct option_table table = {
    .program = "sonde-collector",
    .synopsis = "[--check | --check-db | --new-database] [-c FILE]",
    .summary = "take records in, store and analyse them, show them",
    .examples = "sonde-collector -c collector.conf\n",
    .rows = options,
};
static const struct option_row keys[] = {
    COLLECTOR_OPTION_ROWS,
    WEB_OPTION_ROWS,
    {0},
};

static int print_and_free(char *text)
{
	fputs(text, stdout);
	free(text);
	return 0;
}

/* Signals blocked in every thread from the start: only sigwait sees them. */
static void set_process(sigset_t *set)
{
	umask(077); /* what we keep is nobody else's to read */
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
	pthread_sigmask(SIG_BLOCK, set, NULL);
}

static void print_finding(void *ctx, const char *text)
{
	int *findings = ctx;
	++*findings;
	printf("%s\n", text);
}

/* Exit code 1 when something is damaged. */
static int check_database(const struct config *config, struct errmsg *msg)
{
	struct store_config where = {.dir = config_text(config, "state-dir")};
	int findings = 0;
	int err = store_sqlite.inspect(
	    &where, print_finding, &findings, msg);
	if (err == ERR_OK && findings == 0)
		printf("ok\n");
	return err < 0 ? err : findings > 0;
}

static int serve(const struct config *config, bool anew, struct errmsg *msg)
{
	struct collector_config settings;
	struct web_config face;
	struct collector *collector;
	struct web *web;
	sigset_t signals;
	int number;
	collector_config_read(&settings, config);
	settings.new_database = anew;
	web_config_read(&face, config);
	set_process(&signals);
	int err = collector_open(&collector, &settings, msg);
	if (err < 0)
		return err;
	err = web_start(&web, &face, collector, msg);
	if (err == ERR_OK) {
		for (size_t i = 0; web_url(web, i); i++)
			log_info("serving %s", web_url(web, i));
		sigwait(&signals, &number);
		log_info("stopping: signal %d", number);
		web_stop(web);
	}
	collector_close(collector);
	return err;
}

static int run(const struct option_values *values,
    const struct config *config, struct errmsg *msg)
{
	if (option_flag(values, "check"))
		return print_and_free(config_print(config));
	if (option_flag(values, "check-db"))
		return check_database(config, msg);
	return serve(config, option_flag(values, "new-database"), msg);
}

int main(int argc, char **argv)
{
	struct option_values *values = NULL;
	struct config *config = NULL;
	struct errmsg msg = {""};
	log_init("sonde-collector", LOG_INFO);
	int err = option_parse(&values, &table, argc, argv, &msg);
	if (err == ERR_OK && option_help_asked(values))
		return print_and_free(option_help_text(&table));
	if (err == ERR_OK)
		err = (option_given(values, "config") ? config_load
		    : config_load_default)(&config, keys,
		    option_text(values, "config"), &msg);
	if (err == ERR_OK)
		err = run(values, config, &msg);
	if (err < 0)
		log_error("%s", msg.text);
	config_free(config);
	option_free(values);
	return err > 0 ? err : err_exit_code(err);
}
