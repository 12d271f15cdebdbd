/* SPDX-License-Identifier: ISC */
/* `sonde agents`: who watches, and how they are. */
#include "lib/xalloc.h"
#include "probes/cmd/client.h"

static const struct option_row rows[] = {
	CLIENT_JSON_ROW,
	CLIENT_LIMIT_ROW,
	CLIENT_ROWS,
	CLIENT_END,
};

static const struct option_table options = {
	.program = "sonde agents",
	.synopsis = "[--json]",
	.summary = "list the agents of a collector and how they are",
	.examples = "sonde agents\n"
		    "sonde agents --collector https://sonde.example.net --json",
	.rows = rows,
};

static int run(int argc, char **argv)
{
	static const struct client_column columns[] = { { "NAME", "name", 16 },
		{ "STATE", "state", 6 }, { "TAGS", "tags", 16 },
		{ "STORED", "stored", 10 }, { "LOST", "lost", 8 },
		{ "LAST SEEN", "last_seen_at", 30 }, { "ID", "id", 0 },
		{ NULL, NULL, 0 } };
	struct option_values *values;
	int code;
	if (!client_options(&values, &command_agents, argc, argv, &code))
		return code;
	code = client_list_command(
	    &command_agents, values, xstrdup("/api/v1/agents"), columns);
	option_free(values);
	return code;
}

const struct command command_agents = {
	.name = "agents",
	.summary = "list the agents of a collector",
	.options = &options,
	.run = run,
};
