/* SPDX-License-Identifier: ISC */
/* `sonde token`: a one-time token with which an agent enrols. */
#include <stdio.h>

#include "lib/base/clock.h"
#include "lib/base/xalloc.h"
#include "probes/cli/api-client.h"

static const struct option_row rows[] = {
	{ "name", 0, OPTION_TEXT, "NAME", NULL, 0, 0, NULL,
	    "the agent will have this name" },
	{ "tag", 0, OPTION_LIST, "TAG", NULL, 0, 0, NULL, "and this tag" },
	{ "for", 0, OPTION_DURATION, "TIME", NULL, 1e9, 7 * 86400e9, "15m",
	    "how long it may be used" },
	OUTPUT_JSON_ROW,
	CLIENT_ROWS,
	CLIENT_END,
};

static const struct option_table options = {
	.program = "sonde token",
	.synopsis = "[--name NAME] [--tag TAG]...",
	.summary = "make a one-time token with which an agent enrols",
	.examples = "sonde token --name left --tag europe "
		    "--token-file /var/lib/sonde-collector/admin.token\n"
		    "sonde-agent enrol --collector https://sonde.example.net "
		    "--token $(sonde token)",
	.rows = rows,
};

static json_t *request(const struct option_values *values)
{
	const char *const *tags;
	size_t count = option_list(values, "tag", &tags);
	const char *name = option_text(values, "name");
	json_t *list = json_array();
	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, json_string(tags[i]));
	json_t *body = json_pack("{s:o, s:I}", "tags", list, "ttl_s",
	    (json_int_t)(option_duration_ns(values, "for") / NS_PER_S));
	if (name)
		json_object_set_new(body, "name", json_string(name));
	return body;
}

static int print_token(json_t *answer, bool json, struct errmsg *msg)
{
	const char *token = json_string_value(json_object_get(answer, "token"));
	if (json)
		return client_print_json("sonde-token/1", answer, msg);
	if (!token)
		return err_set(msg, ERR_MALFORMED, "the answer has no token");
	puts(token);
	return 0;
}

static int run_token(int argc, char **argv)
{
	struct option_values *values;
	struct api_client *client = NULL;
	struct errmsg msg = { "" };
	json_t *answer = NULL;
	int code;
	if (!client_options(&values, &command_token, argc, argv, &code))
		return code;
	int err = client_open(&client, values, &msg);
	if (err < 0)
		goto out;
	err = client_ask(
	    client, "POST", "/api/v1/tokens", request(values), &answer, &msg);
	if (err < 0)
		goto out;
	err = print_token(answer, option_flag(values, "json"), &msg);
out:
	json_decref(answer);
	client_close(client);
	option_free(values);
	return err ? command_fail(command_token.name, err, &msg) : 0;
}

const struct command command_token = {
	.name = "token",
	.summary = "make a token with which an agent enrols",
	.options = &options,
	.run = run_token,
};
