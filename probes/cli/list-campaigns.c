/* SPDX-License-Identifier: ISC */
/* `sonde campaigns`: what was submitted; --stop ends one. */
#include <stdlib.h>

#include "lib/base/xalloc.h"
#include "probes/cli/api-client.h"

static const struct option_row rows[] = {
	{ "stop", 0, OPTION_TEXT, "ID", NULL, 0, 0, NULL, "end this campaign" },
	OUTPUT_JSON_ROW,
	OUTPUT_CSV_ROW,
	CLIENT_LIMIT_ROW,
	CLIENT_ROWS,
	CLIENT_END,
};

static const struct option_table options = {
	.program = "sonde campaigns",
	.synopsis = "[--stop ID] [--json | --csv]",
	.summary = "list the campaigns of a collector, or end one",
	.examples = "sonde campaigns\n"
		    "sonde campaigns --stop 0123456789abcdef0123456789abcdef",
	.rows = rows,
};

static int stop(const struct option_values *values, const char *id)
{
	struct client *client = NULL;
	struct errmsg msg = { "" };
	json_t *answer = NULL;
	char *path = xasprintf("/api/v1/campaigns/%s", id);
	int err = client_open(&client, values, &msg);
	if (!err)
		err = client_ask(client, "DELETE", path, NULL, &answer, &msg);
	if (!err && option_flag(values, "json"))
		err = client_print_json("sonde-campaign/1", answer, &msg);
	else if (!err)
		printf("stopped %s\n", id);
	json_decref(answer);
	client_close(client);
	free(path);
	return err ? command_fail(command_campaigns.name, err, &msg) : 0;
}

static int run(int argc, char **argv)
{
	static const struct output_column columns[] = {
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
	struct option_values *values;
	int code;
	if (!client_options(&values, &command_campaigns, argc, argv, &code))
		return code;
	const char *id = option_text(values, "stop");
	code = id
	    ? stop(values, id)
	    : client_list_command(&command_campaigns, values,
		  xstrdup("/api/v1/campaigns"), "sonde-campaign/1", columns);
	option_free(values);
	return code;
}

const struct command command_campaigns = {
	.name = "campaigns",
	.summary = "list what was submitted, or end it",
	.options = &options,
	.run = run,
};
