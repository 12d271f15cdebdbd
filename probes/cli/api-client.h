/* SPDX-License-Identifier: ISC */
/* What the commands that ask a collector share. */
#pragma once

#include <jansson.h>
#include <stdio.h>

#include "lib/option/option.h"
#include "probes/cli/command.h"
#include "probes/cli/output.h"

#define CLIENT_DEFAULT_URL "http://127.0.0.1:8470"

/* Rows for the command's option table. */
#define CLIENT_ROWS                                                      \
	{ "collector", 0, OPTION_TEXT, "URL", NULL, 0, 0, NULL,          \
		"the collector; else $SONDE_COLLECTOR, "                 \
		"else " CLIENT_DEFAULT_URL },                            \
	    { "ca-file", 0, OPTION_TEXT, "FILE", NULL, 0, 0, NULL,       \
		    "certificates that may vouch for it" },              \
	    { "verbose", 'v', OPTION_FLAG, NULL, NULL, 0, 0, NULL,       \
		    "print what is asked of the collector" },            \
	{                                                                \
		"token-file", 0, OPTION_TEXT, "FILE", NULL, 0, 0, NULL,  \
		    "holds the administrator's token; else $SONDE_TOKEN" \
	}
#define CLIENT_LIMIT_ROW                                                    \
	{                                                                   \
		"limit", 'n', OPTION_INTEGER, "COUNT", NULL, 1, 1e9, "100", \
		    "at most so many"                                       \
	}
#define CLIENT_END                                                 \
	{                                                          \
		NULL, 0, OPTION_FLAG, NULL, NULL, 0, 0, NULL, NULL \
	}

/* Parses and serves --help.  False: *code is the exit code, end with it. */
bool client_options(struct option_values **values,
    const struct command *command, int argc, char **argv, int *code);

struct api_client;
int client_open(struct api_client **client, const struct option_values *values,
    struct errmsg *msg);
void client_close(struct api_client *client);

/* One exchange; body is consumed (NULL: none).  *answer is the JSON of a 2xx
 * answer (NULL for 204), the caller's.  Else an error with the collector's
 * detail: ERR_UNAVAILABLE, ERR_DENIED, ERR_NOT_FOUND, ERR_USAGE. */
int client_ask(struct api_client *client, const char *method, const char *path,
    json_t *body, json_t **answer, struct errmsg *msg);

/* Walks a list resource, page by page, at most `limit` items.  path may have
 * a query.  Stops when item returns an error, and returns that. */
typedef int client_item_fn(void *arg, json_t *item, struct errmsg *msg);
int client_list(struct api_client *client, const char *path, int64_t limit,
    client_item_fn *item, void *arg, struct errmsg *msg);

/* Grows a query: "?a=b&c=d", values percent-encoded; NULL values are left
 * out.  The text is the caller's; *text starts as an xmalloc'd path. */
void client_query(char **text, const char *name, const char *value);

/* Runs a command that lists: each item in the form of --json, --csv or neither.
 * path is consumed. */
int client_list_command(const struct command *command,
    const struct option_values *values, char *path, const char *schema,
    const struct output_column *columns);
/* One answer as a line of JSON. */
int client_print_json(const char *schema, json_t *answer, struct errmsg *msg);
