/* SPDX-License-Identifier: ISC */
/* sonde-agent: options, then either enrolment or the supervisor. */
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/stdio-fds.h"
#include "probes/agent/config/agent-config.h"
#include "probes/agent/config/enrolment.h"
#include "probes/agent/supervisor/supervisor.h"

static int report_error(int err, const struct errmsg *msg)
{
	fprintf(stderr, "sonde-agent: %s\n",
	    msg->text[0] ? msg->text : err_str(err));
	return err_exit_code(err);
}

static int print_help(const struct option_table *table)
{
	char *text = option_help_text(table);
	fputs(text, stdout);
	free(text);
	return 0;
}

static int run_enrol(struct agent_config *config, const struct option_values *v)
{
	struct enrolment request = { .url = option_text(v, "collector"),
		.token = option_text(v, "token"),
		.name = option_text(v, "name") };
	struct agent_identity identity;
	struct errmsg msg = { "" };
	request.url = request.url ? request.url : config->collector;
	int err = !request.url
	    ? err_set(&msg, ERR_USAGE, "enrol: --collector URL is missing")
	    : !request.token
	    ? err_set(&msg, ERR_USAGE, "enrol: --token TOKEN is missing")
	    : enrol(config, &request, &identity, &msg);
	if (err)
		return report_error(err, &msg);
	printf("enrolled as %s at %s\n", identity.name, identity.collector);
	explicit_bzero(&identity, sizeof(identity));
	return 0;
}

static int run_agent(
    struct agent_config *config, const struct option_values *v, bool enrolling)
{
	if (enrolling)
		return run_enrol(config, v);
	if (option_flag(v, "print-config")) {
		char *text = config_print(config->raw);
		fputs(text, stdout);
		free(text);
		return 0;
	}
	if (option_flag(v, "check-config"))
		return 0;
	return supervisor_run(config, option_text(v, "config"));
}

int main(int argc, char **argv)
{
	bool enrolling = argc > 1 && strcmp(argv[1], "enrol") == 0;
	const struct option_table *table =
	    enrolling ? &agent_enrol_options : &agent_options;
	struct option_values *v = NULL;
	struct agent_config config;
	struct errmsg msg = { "" };
	mallopt(M_ARENA_MAX, 1);
	if (standard_fds_open() != 0)
		return err_exit_code(-EIO);
	int err =
	    option_parse(&v, table, argc - enrolling, argv + enrolling, &msg);
	if (err)
		return report_error(err, &msg);
	int code = 0;
	if (option_help_asked(v))
		code = print_help(table);
	else if (option_flag(v, "version"))
		puts("sonde-agent " SONDE_VERSION);
	else if ((err = agent_config_load(
		      &config, option_text(v, "config"), &msg)) != 0)
		code = report_error(err, &msg);
	else
		code = run_agent(&config, v, enrolling);
	option_free(v);
	return code;
}
