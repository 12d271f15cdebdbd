/* SPDX-License-Identifier: ISC */
/* `sonde doctor`: what is missing on this machine, and the line that fixes
 * it. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "probes/cli/command.h"
#include "probes/cli/doctor-checks.h"
#include "probes/cli/output.h"

static const struct option_row rows[] = {
	{ "config", 'c', OPTION_TEXT, "FILE", NULL, 0, 0, NULL,
	    "of the agent; " AGENT_CONFIG_DEFAULT " if it is there" },
	{ "collector", 0, OPTION_TEXT, "URL", NULL, 0, 0, NULL,
	    "try to reach it; the config's if absent" },
	OUTPUT_JSON_ROW,
	OUTPUT_CSV_ROW,
	{ NULL, 0, OPTION_FLAG, NULL, NULL, 0, 0, NULL, NULL },
};

static const struct option_table options = {
	.program = "sonde doctor",
	.synopsis = "[-c FILE] [--json | --csv]",
	.summary = "what is missing on this machine, and the line that "
		   "fixes it",
	.examples = "sonde doctor\nsonde doctor -c /etc/sonde/agent.conf",
	.rows = rows,
};

static const char *const states[] = { "ok", "warn", "lack" };

/* What was found so far. */
struct findings {
	struct output output;
	unsigned count[3];
};

static const struct output_column columns[] = {
	{ .key = "area" },
	{ .key = "what" },
	{ .key = "state" },
	{ .key = "detail" },
	{ .key = "fix" },
	{ .key = NULL },
};

static void print_row(struct findings *findings, const struct check_result *f)
{
	json_t *object = json_pack("{s:s, s:s, s:s, s:s, s:s?}", "area",
	    f->area, "what", f->what, "state", states[f->state], "detail",
	    f->detail, "fix", f->fix[0] ? f->fix : NULL);
	output_row(&findings->output, object, NULL); /* main looks at stdout */
	json_decref(object);
}

static void print_results(void *arg, const struct check_result *f)
{
	struct findings *findings = arg;
	findings->count[f->state]++;
	if (findings->output.form != OUTPUT_TEXT) {
		print_row(findings, f);
		return;
	}
	printf("%-5s %-10s %-24s %s\n", states[f->state], f->area, f->what,
	    f->detail);
	if (f->fix[0])
		printf("      fix it:    %s\n", f->fix);
}

static void examine(struct doctor *doctor)
{
	doctor_check_sandbox(doctor);
	doctor_check_rights(doctor);
	doctor_check_programs(doctor);
	doctor_check_clock(doctor);
	doctor_check_interfaces(doctor);
	doctor_check_disk(doctor);
	doctor_check_collector(doctor);
}

/* The config that was named, or the usual one if it is there. */
static int find_config(struct agent_config *config, const char *path,
    bool *have, struct errmsg *msg)
{
	*have = path || access(AGENT_CONFIG_DEFAULT, R_OK) == 0;
	return *have
	    ? agent_config_load(config, path ? path : AGENT_CONFIG_DEFAULT, msg)
	    : 0;
}

static int run_doctor(int argc, char **argv)
{
	struct option_values *values = NULL;
	struct agent_config config;
	struct errmsg msg = { "" };
	bool have;
	int err = option_parse(&values, &options, argc, argv, &msg);
	if (err)
		return command_fail(command_doctor.name, err, &msg);
	if (option_help_asked(values)) {
		command_print_help(&options);
		option_free(values);
		return 0;
	}
	struct findings findings = { .count = { 0 } };
	err = output_init(
	    &findings.output, values, "sonde-doctor/1", columns, &msg);
	if (!err)
		err = find_config(
		    &config, option_text(values, "config"), &have, &msg);
	if (err) {
		option_free(values);
		return command_fail(command_doctor.name, err, &msg);
	}
	const char *url = option_text(values, "collector");
	struct doctor doctor = { .config = have ? &config : NULL,
		.collector = url ? url
		    : have       ? config.collector
				 : NULL,
		.ca_file = have ? config.ca_file : NULL,
		.report = print_results,
		.arg = &findings };
	examine(&doctor);
	if (findings.output.form == OUTPUT_TEXT)
		printf("%u fine, %u to look at, %u missing\n",
		    findings.count[FINDING_OK], findings.count[FINDING_WARN],
		    findings.count[FINDING_LACK]);
	if (have)
		agent_config_fini(&config);
	option_free(values);
	return findings.count[FINDING_LACK] ? 1 : 0;
}

const struct command command_doctor = {
	.name = "doctor",
	.summary = "what is missing here and how to fix it",
	.options = &options,
	.run = run_doctor,
};
