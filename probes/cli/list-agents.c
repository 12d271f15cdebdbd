/* SPDX-License-Identifier: ISC */
/* `sonde agents`: who watches, and how they are. */
#include "lib/base/xalloc.h"
#include "probes/cli/api-client.h"

static const struct option_row rows[] = {
	OUTPUT_JSON_ROW,
	OUTPUT_CSV_ROW,
	CLIENT_LIMIT_ROW,
	CLIENT_ROWS,
	CLIENT_END,
};

static const struct option_table options = {
	.program = "sonde agents",
	.synopsis = "[--json | --csv]",
	.summary = "list the agents of a collector and how they are",
	.examples = "sonde agents\n"
		    "sonde agents --collector https://sonde.example.net --json",
	.rows = rows,
};

static int run(int argc, char **argv)
{
	static const struct output_column columns[] = {
		{ "NAME", "name", 16, NULL, NULL },
		{ "STATE", "state", 6, NULL, NULL },
		{ "TAGS", "tags", 16, NULL, NULL },
		{ "STORED", "stored", 10, NULL, NULL },
		{ "LOST", "lost", 8, NULL, NULL },
		{ "LAST SEEN", "last_seen_at", 20, NULL, NULL },
		{ "ID", "id", 0, NULL, NULL },
		{ NULL, "version", 0, NULL, NULL },
		{ NULL, "enrolled_at", 0, NULL, NULL },
		{ NULL, "addresses", 0, NULL, NULL },
		{ NULL, "epoch", 0, NULL, NULL },
		{ NULL, "produced", 0, NULL, NULL },
		{ NULL, "sent", 0, NULL, NULL },
		{ NULL, "captured", 0, NULL, NULL },
		{ NULL, "capture_dropped", 0, NULL, NULL },
		{ NULL, "spool_bytes", 0, NULL, NULL },
		{ 0 },
	};
	struct option_values *values;
	int code;
	if (!client_options(&values, &command_agents, argc, argv, &code))
		return code;
	code = client_list_command(&command_agents, values,
	    xstrdup("/api/v1/agents"), "sonde-agent/1", columns);
	option_free(values);
	return code;
}

const struct command command_agents = {
	.name = "agents",
	.summary = "list the agents of a collector",
	.options = &options,
	.run = run,
};
