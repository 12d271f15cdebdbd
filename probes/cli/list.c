/* SPDX-License-Identifier: ISC */
/* The commands that list what a collector has: one row each, with the options
 * that go into the question and the columns that come back. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "probes/cli/api-client.h"
#include "probes/cli/campaign-stop.h"

static const struct option_row plain_rows[] = {
	OUTPUT_JSON_ROW,
	OUTPUT_CSV_ROW,
	CLIENT_LIMIT_ROW,
	CLIENT_ROWS,
	CLIENT_END,
};

static const struct option_row campaign_rows[] = {
	{ "stop", 0, OPTION_TEXT, "ID", NULL, 0, 0, NULL, "end this campaign" },
	OUTPUT_JSON_ROW,
	OUTPUT_CSV_ROW,
	CLIENT_LIMIT_ROW,
	CLIENT_ROWS,
	CLIENT_END,
};

static const struct option_row run_rows[] = {
	{ "campaign", 0, OPTION_TEXT, "ID", NULL, 0, 0, NULL,
	    "of this campaign only" },
	{ "agent", 0, OPTION_TEXT, "ID", NULL, 0, 0, NULL,
	    "of this agent only" },
	OUTPUT_JSON_ROW,
	OUTPUT_CSV_ROW,
	CLIENT_LIMIT_ROW,
	CLIENT_ROWS,
	CLIENT_END,
};

static const struct option_table agent_options_table = {
	.program = "sonde agents",
	.synopsis = "[--json | --csv]",
	.summary = "list the agents of a collector and how they are",
	.examples = "sonde agents\n"
		    "sonde agents --collector https://sonde.example.net --json",
	.rows = plain_rows,
};

static const struct option_table campaign_options_table = {
	.program = "sonde campaigns",
	.synopsis = "[--stop ID] [--json | --csv]",
	.summary = "list the campaigns of a collector, or end one",
	.examples = "sonde campaigns\n"
		    "sonde campaigns --stop 0123456789abcdef0123456789abcdef",
	.rows = campaign_rows,
};

static const struct option_table run_options_table = {
	.program = "sonde runs",
	.synopsis = "[--campaign ID] [--agent ID] [--json | --csv]",
	.summary = "list runs of campaigns and the records that came of them",
	.examples = "sonde runs\n"
		    "sonde runs --campaign 0123456789abcdef0123456789abcdef",
	.rows = run_rows,
};

static const struct output_column agent_columns[] = {
	{ "NAME", "name", 16, NULL, NULL },
	{ "STATE", "state", 6, NULL, NULL },
	{ "WATCH", "watch", 5, NULL, NULL },
	{ "TAGS", "tags", 16, NULL, NULL },
	{ "STORED", "stored", 10, NULL, NULL },
	{ "LOST", "lost", 8, NULL, NULL },
	{ "LAST SEEN", "last_seen_at", 20, NULL, NULL },
	{ "ID", "id", 0, NULL, NULL },
	{ NULL, "version", 0, NULL, NULL },
	{ NULL, "enrolled_at", 0, NULL, NULL },
	{ NULL, "addresses", 0, NULL, NULL },
	{ NULL, "interfaces", 0, NULL, NULL },
	{ NULL, "epoch", 0, NULL, NULL },
	{ NULL, "produced", 0, NULL, NULL },
	{ NULL, "sent", 0, NULL, NULL },
	{ NULL, "captured", 0, NULL, NULL },
	{ NULL, "capture_dropped", 0, NULL, NULL },
	{ NULL, "spool_bytes", 0, NULL, NULL },
	{ 0 },
};

static const struct output_column campaign_columns[] = {
	{ "STATE", "state", 8, NULL, NULL },
	{ "FAILED", "failed_runs", 6, NULL, NULL },
	{ "SCRIPT", "script", 10, NULL, NULL },
	{ "EVERY", "every_s", 7, "s", "once" },
	{ "ON", "on", 20, NULL, NULL },
	{ "TARGETS", "targets", 40, NULL, NULL },
	{ "ID", "id", 32, NULL, NULL },
	{ "LAST ERROR", "last_error", 0, NULL, NULL },
	{ NULL, "created_at", 0, NULL, NULL },
	{ NULL, "until", 0, NULL, NULL },
	{ NULL, "options", 0, NULL, NULL },
	{ 0 },
};

static const struct output_column run_columns[] = {
	{ "SCRIPT", "script", 10, NULL, NULL },
	{ "RUN", "run", 6, NULL, NULL },
	{ "RECORDS", "records", 8, NULL, NULL },
	{ "LAST", "last_at", 20, NULL, NULL },
	{ "AGENT", "agent", 32, NULL, NULL },
	{ "CAMPAIGN", "campaign", 32, NULL, NULL },
	{ "ERROR", "error", 0, NULL, NULL },
	{ NULL, "first_at", 0, NULL, NULL },
	{ 0 },
};

static const struct list_row {
	const struct command *command;
	const char *path, *schema;
	const char *filters[3]; /* options that become parameters */
	const struct output_column *columns;
} lists[] = {
	{ &command_agents, "/api/v1/agents", "sonde-agent/1", { NULL },
	    agent_columns },
	{ &command_campaigns, "/api/v1/campaigns", "sonde-campaign/1", { NULL },
	    campaign_columns },
	{ &command_runs, "/api/v1/runs", "sonde-run/1",
	    { "campaign", "agent", NULL }, run_columns },
};

static const struct list_row *find_list(const char *name)
{
	size_t i = 0;
	while (strcmp(lists[i].command->name, name) != 0)
		i++;
	return &lists[i];
}

static int list_main(int argc, char **argv)
{
	const struct list_row *list = find_list(argv[0]);
	struct option_values *values;
	int code;
	if (!client_options(&values, list->command, argc, argv, &code))
		return code;
	const char *stop = list->command == &command_campaigns
	    ? option_text(values, "stop")
	    : NULL;
	if (stop) {
		code = campaigns_end_one(values, stop);
	} else {
		char *path = xstrdup(list->path);
		for (size_t i = 0; list->filters[i]; i++)
			client_query(&path, list->filters[i],
			    option_text(values, list->filters[i]));
		code = client_list_command(
		    list->command, values, path, list->schema, list->columns);
	}
	option_free(values);
	return code;
}

const struct command command_agents = {
	.name = "agents",
	.summary = "list the agents of a collector",
	.options = &agent_options_table,
	.run = list_main,
};
const struct command command_campaigns = {
	.name = "campaigns",
	.summary = "list what was submitted, or end it",
	.options = &campaign_options_table,
	.run = list_main,
};
const struct command command_runs = {
	.name = "runs",
	.summary = "list runs of campaigns",
	.options = &run_options_table,
	.run = list_main,
};
