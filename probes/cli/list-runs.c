/* SPDX-License-Identifier: ISC */
/* `sonde runs`: what ran where, and when its records came. */
#include "lib/base/xalloc.h"
#include "probes/cli/api-client.h"

static const struct option_row rows[] = {
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

static const struct option_table options = {
	.program = "sonde runs",
	.synopsis = "[--campaign ID] [--agent ID] [--json | --csv]",
	.summary = "list runs of campaigns and the records that came of them",
	.examples = "sonde runs\n"
		    "sonde runs --campaign 0123456789abcdef0123456789abcdef",
	.rows = rows,
};

static int run(int argc, char **argv)
{
	static const struct output_column columns[] = {
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
	struct option_values *values;
	int code;
	if (!client_options(&values, &command_runs, argc, argv, &code))
		return code;
	char *path = xstrdup("/api/v1/runs");
	client_query(&path, "campaign", option_text(values, "campaign"));
	client_query(&path, "agent", option_text(values, "agent"));
	code = client_list_command(
	    &command_runs, values, path, "sonde-run/1", columns);
	option_free(values);
	return code;
}

const struct command command_runs = {
	.name = "runs",
	.summary = "list runs of campaigns",
	.options = &options,
	.run = run,
};
