/* SPDX-License-Identifier: ISC */
/* The API from the command line: one exchange, one list, one way to fail. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/xalloc.h"
#include "lib/https/http.h"
#include "lib/https/url.h"
#include "probes/cli/api-client.h"

#define ANSWER_MAX (64u << 20)
#define TIMEOUT_S 60L
#define PAGE 100

struct api_client {
	struct http *http;
	char *authorization; /* a header line, or NULL */
	const char *url;     /* borrowed */
	bool verbose, is_default;
};

bool client_options(struct option_values **values,
    const struct command *command, int argc, char **argv, int *code)
{
	struct errmsg msg = { "" };
	int err = option_parse(values, command->options, argc, argv, &msg);
	if (err) {
		*code = command_fail(command->name, err, &msg);
		return false;
	}
	if (!option_help_asked(*values))
		return true;
	command_print_help(command->options);
	option_free(*values);
	*code = 0;
	return false;
}

/* --- opening ----------------------------------------------------------- */

static int token_read(char **token, const char *path, struct errmsg *msg)
{
	char line[512] = "";
	FILE *f = fopen(path, "re");
	if (!f)
		return err_set(
		    msg, -errno, "%.150s: %s", path, strerror(errno));
	char *got = fgets(line, sizeof(line), f);
	fclose(f);
	line[strcspn(line, "\r\n")] = '\0';
	if (!got || !line[0])
		return err_set(msg, ERR_CONFIG, "%.150s: no token", path);
	*token = xstrdup(line);
	return 0;
}

/* The file, else the environment, else none: reads need none. */
static int token_find(char **token, const char *path, struct errmsg *msg)
{
	const char *text = getenv("SONDE_TOKEN");
	*token = NULL;
	if (path)
		return token_read(token, path, msg);
	if (text && *text)
		*token = xstrdup(text);
	return 0;
}

/* The option, else the environment, else this machine; where it came from is
 * what an error begins with. */
static int url_find(
    const char **url, const struct option_values *values, struct errmsg *msg)
{
	static const char part[] = "collector: ";
	const char *option = option_text(values, "collector");
	const char *home = getenv("SONDE_COLLECTOR");
	*url = option ? option : home && *home ? home : CLIENT_DEFAULT_URL;
	if (url_check(*url, msg) == 0)
		return 0;
	if (strncmp(msg->text, part, sizeof(part) - 1) == 0)
		memmove(msg->text, msg->text + sizeof(part) - 1,
		    strlen(msg->text) - sizeof(part) + 2);
	err_prefix(msg, option ? "--collector" : "$SONDE_COLLECTOR");
	return option ? ERR_USAGE : ERR_CONFIG;
}

static bool is_https(const char *url)
{
	return strncasecmp(url, "https:", 6) == 0;
}

static int ca_file_check(const char *file, const char *url, struct errmsg *msg)
{
	if (file && access(file, R_OK) != 0)
		return err_set(msg, -errno, "--ca-file: %.150s: %s", file,
		    strerror(errno));
	if (file && !is_https(url))
		fprintf(stderr,
		    "sonde: --ca-file is not used: plain HTTP to %s has no "
		    "certificates\n",
		    url);
	return 0;
}

int client_open(struct api_client **client, const struct option_values *values,
    struct errmsg *msg)
{
	struct http_config config = { .answer_max = ANSWER_MAX,
		.ca_file = option_text(values, "ca-file") };
	char *token;
	int err = url_find(&config.url, values, msg);
	if (err < 0)
		return err;
	err = ca_file_check(config.ca_file, config.url, msg);
	if (err < 0)
		return err;
	err = token_find(&token, option_text(values, "token-file"), msg);
	if (err < 0)
		return err;
	struct api_client *c = xcalloc(1, sizeof(*c));
	c->url = config.url;
	c->is_default = strcmp(c->url, CLIENT_DEFAULT_URL) == 0;
	c->verbose = option_flag(values, "verbose");
	if (c->verbose)
		fprintf(stderr, "sonde: collector %s, %s%s, %s\n", c->url,
		    is_https(c->url) ? "vouched for by " : "not encrypted",
		    !is_https(c->url)    ? ""
			: config.ca_file ? config.ca_file
					 : "the system's certificates",
		    token ? "with a token" : "without a token");
	if (token)
		c->authorization = xasprintf("Authorization: Bearer %s", token);
	free(token);
	err = http_open(&c->http, &config, msg);
	if (err < 0) {
		client_close(c);
		return err;
	}
	*client = c;
	return 0;
}

void client_close(struct api_client *client)
{
	if (!client)
		return;
	http_close(client->http);
	free(client->authorization);
	free(client);
}

/* --- asking ------------------------------------------------------------ */

static int code_of(long status)
{
	switch (status) {
	case 401:
	case 403: return ERR_DENIED;
	case 404: return ERR_NOT_FOUND;
	case 429:
	case 502:
	case 503:
	case 504: return ERR_UNAVAILABLE;
	default: return status >= 500 ? ERR_UNSUPPORTED : ERR_USAGE;
	}
}

/* problem+json (RFC 9457), or whatever came instead. */
static int explain_problem(const struct api_client *client, long status,
    json_t *problem, struct errmsg *msg)
{
	if (status == 401)
		return err_set(msg, ERR_DENIED, "%s",
		    client->authorization
			? "the collector does not know this token"
			: "this needs the administrator's token, which the "
			  "collector keeps in "
			  "/var/lib/sonde-collector/admin.token if its "
			  "state-dir is no other: --token-file FILE or "
			  "$SONDE_TOKEN");
	const char *title =
	    json_string_value(json_object_get(problem, "title"));
	const char *detail =
	    json_string_value(json_object_get(problem, "detail"));
	int err = code_of(status);
	/* Its parameters are our options: "parameter 'from': expected ..." */
	char name[40];
	int rest = 0;
	if (detail && title && strcmp(title, "Bad parameter") == 0 &&
	    sscanf(detail, "parameter '%39[^']'%n", name, &rest) == 1 &&
	    rest > 0)
		return err_set(msg, err, "--%s%.200s", name, detail + rest);
	if (detail || title)
		return err_set(msg, err, "%.80s%s%.150s", title ? title : "",
		    title && detail ? ": " : "", detail ? detail : "");
	return err_set(msg, err, "the collector answers %ld", status);
}

int client_ask(struct api_client *client, const char *method, const char *path,
    json_t *body, json_t **answer, struct errmsg *msg)
{
	const char *headers[] = { "Content-Type: application/json",
		client->authorization, NULL };
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	struct http_request request = { .method = method,
		.path = path,
		.headers = headers,
		.body = text,
		.body_len = text ? strlen(text) : 0,
		.timeout_s = TIMEOUT_S };
	const struct http_answer *got;
	json_decref(body);
	*answer = NULL;
	struct monotime start = monotime_now();
	int err = http_exchange(client->http, &request, &got, msg);
	free(text);
	if (err && client->is_default)
		err_prefix(msg,
		    "no collector answers on this machine "
		    "(--collector or $SONDE_COLLECTOR names another)");
	if (!err && client->verbose)
		fprintf(stderr, "sonde: %s %s%s: %ld, %zu bytes, %.1f ms\n",
		    method, client->url, path, got->status, got->body.len,
		    (double)monotime_diff(monotime_now(), start) / NS_PER_MS);
	if (err)
		return err;
	json_t *json =
	    json_loadb((const char *)got->body.data, got->body.len, 0, NULL);
	if (got->status < 200 || got->status > 299) {
		err = explain_problem(client, got->status, json, msg);
		json_decref(json);
		return err;
	}
	if (!json && got->status != 204)
		return err_set(
		    msg, ERR_MALFORMED, "the collector's answer is not JSON");
	*answer = json;
	return 0;
}

/* --- lists ------------------------------------------------------------- */

void client_query(char **text, const char *name, const char *value)
{
	static const char hex[] = "0123456789ABCDEF";
	struct buf b = { 0 };
	if (!value)
		return;
	for (const unsigned char *p = (const unsigned char *)value; *p; p++) {
		bool plain = (*p >= '0' && *p <= '9') ||
		    (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
		    strchr("-._~,:", *p);
		if (plain)
			buf_u8(&b, *p);
		else
			buf_printf(&b, "%%%c%c", hex[*p >> 4], hex[*p & 15]);
	}
	buf_u8(&b, 0);
	char *longer = xasprintf("%s%c%s=%s", *text,
	    strchr(*text, '?') ? '&' : '?', name, (const char *)b.data);
	free(*text);
	*text = longer;
	buf_fini(&b);
}

static int page(struct api_client *client, const char *path, const char *cursor,
    int64_t limit, json_t **answer, struct errmsg *msg)
{
	char *with = xstrdup(path), count[24];
	snprintf(count, sizeof(count), "%lld",
	    (long long)(limit < PAGE ? limit : PAGE));
	client_query(&with, "limit", count);
	client_query(&with, "cursor", cursor);
	int err = client_ask(client, "GET", with, NULL, answer, msg);
	free(with);
	return err;
}

int client_list(struct api_client *client, const char *path, int64_t limit,
    client_item_fn *item, void *arg, struct errmsg *msg)
{
	char *cursor = NULL;
	int err = 0;
	do {
		json_t *answer, *one = NULL;
		size_t i = 0;
		err = page(client, path, cursor, limit, &answer, msg);
		if (err)
			break;
		json_array_foreach(json_object_get(answer, "items"), i,
		    one) if (!err && limit-- > 0) err = item(arg, one, msg);
		const char *next =
		    json_string_value(json_object_get(answer, "next"));
		free(cursor);
		cursor = next ? xstrdup(next) : NULL;
		json_decref(answer);
	} while (!err && cursor && limit > 0);
	free(cursor);
	return err;
}

/* --- showing ----------------------------------------------------------- */

static int show_item(void *output, json_t *item, struct errmsg *msg)
{
	return output_row(output, item, msg);
}

int client_list_command(const struct command *command,
    const struct option_values *values, char *path, const char *schema,
    const struct output_column *columns)
{
	struct output output;
	struct api_client *client = NULL;
	struct errmsg msg = { "" };
	int err = output_init(&output, values, schema, columns, &msg);
	if (err < 0)
		goto out;
	err = client_open(&client, values, &msg);
	if (err < 0)
		goto out;
	err = client_list(client, path, option_integer(values, "limit"),
	    show_item, &output, &msg);
	if (err < 0)
		goto out;
	output_end(&output);
out:
	client_close(client);
	free(path);
	return err ? command_fail(command->name, err, &msg) : 0;
}

int client_print_json(const char *schema, json_t *answer, struct errmsg *msg)
{
	struct output output = {
		.form = OUTPUT_JSON, .schema = schema, .to = stdout
	};
	return output_row(&output, answer, msg);
}
