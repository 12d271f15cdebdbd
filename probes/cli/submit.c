/* SPDX-License-Identifier: ISC */
/*
 * `sonde submit`: this script, these targets, these agents, this schedule.
 * Names of targets are resolved here, by the one who asks: an agent takes
 * addresses only.  What follows `--` is for the script.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/addr.h"
#include "lib/base/clock.h"
#include "lib/base/xalloc.h"
#include "probes/cli/api-client.h"
#include "probes/cli/name-resolver.h"
#include "probes/script/worker.h"

static const struct option_row rows[] = {
	{ "on", 0, OPTION_LIST, "AGENTS", NULL, 0, 0, "all",
	    "tags or names of agents, or all" },
	{ "every", 0, OPTION_DURATION, "TIME", NULL, 1e9, 366 * 86400e9, NULL,
	    "run again and again, so often; once if absent" },
	{ "until", 0, OPTION_TEXT, "TIME", NULL, 0, 0, NULL,
	    "the end, RFC 3339" },
	{ "ipv4", '4', OPTION_FLAG, NULL, NULL, 0, 0, NULL,
	    "only IPv4 addresses of names" },
	{ "ipv6", '6', OPTION_FLAG, NULL, NULL, 0, 0, NULL,
	    "only IPv6 addresses of names" },
	{ "both", 0, OPTION_FLAG, NULL, NULL, 0, 0, NULL,
	    "of each name an IPv4 and an IPv6 address" },
	{ "all", 0, OPTION_FLAG, NULL, NULL, 0, 0, NULL,
	    "all addresses of each name" },
	{ "interface", 0, OPTION_TEXT, "NAME", NULL, 0, 0, NULL,
	    "the agents' device that probes leave by, where they allow it" },
	{ "source", 0, OPTION_LIST, "ADDRESS", NULL, 0, 0, NULL,
	    "the agents' address that they leave from, likewise" },
	{ "mark", 0, OPTION_TEXT, "N", NULL, 0, 0, NULL,
	    "the mark that the agents' rules of routing see, likewise" },
	OUTPUT_JSON_ROW,
	CLIENT_ROWS,
	CLIENT_END,
};

static const struct option_table options = {
	.program = "sonde submit",
	.synopsis = "SCRIPT TARGET... [--on AGENTS] [--every TIME] "
		    "[-- SCRIPT OPTIONS]",
	.summary = "have agents of a collector run a script",
	.examples = "sonde submit trace 192.0.2.1 --on europe --every 60s\n"
		    "sonde submit ping example.net --on all -- --method=tcp",
	.rows = rows,
	.operands_min = 2,
	.operands_max = -1,
};

/* --- targets ----------------------------------------------------------- */

/* Names are asked for all at once, and answered in any order. */
static int take_answers(struct resolver *r, struct resolver_answer **answers,
    size_t left, struct errmsg *msg)
{
	while (left > 0) {
		struct resolver_answer *a = resolver_take(r);
		struct pollfd wait = { .fd = resolver_fd(r), .events = POLLIN };
		if (!a) {
			poll(&wait, 1, -1);
			continue;
		}
		answers[a->line] = a;
		left--;
		if (a->count == 0)
			return err_set(
			    msg, ERR_USAGE, "%.80s: %s", a->name, a->msg.text);
	}
	return 0;
}

/* The addresses of the names among the targets, by place; the caller frees
 * each, also after an error. */
static int resolve_names(struct resolver_answer **answers,
    const struct resolver_choice *choice, const char *const *names,
    size_t count, struct errmsg *msg)
{
	struct resolver *r = NULL;
	char zone[ADDR_ZONE_LEN];
	struct addr a;
	size_t asked = 0;
	int err = 0;
	for (size_t i = 0; i < count && !err; i++) {
		bool numeric = addr_parse_zone(&a, zone, names[i]) == 0;
		err = numeric ? resolver_check_family(&a, choice->family, msg)
			      : resolver_check_name(names[i], msg);
		if (err < 0)
			err_prefix(msg, "%.80s", names[i]);
		if (err < 0 || numeric)
			continue;
		if (!r)
			r = resolver_new(choice);
		if (!resolver_ask(r, names[i], i))
			err = err_set(msg, ERR_USAGE, "too many names");
		asked++;
	}
	if (!err)
		err = take_answers(r, answers, asked, msg);
	if (r)
		resolver_free(r);
	return err;
}

static void add_addresses(
    json_t *targets, const char *name, const struct resolver_answer *answer)
{
	char text[ADDR_TEXT_LEN];
	if (!answer)
		json_array_append_new(targets, json_string(name));
	for (size_t i = 0; answer && i < answer->count; i++)
		json_array_append_new(targets,
		    json_string(addr_text(&answer->addresses[i], text)));
}

static int add_targets(json_t *body, const struct option_values *values,
    const char *const *names, size_t count, struct errmsg *msg)
{
	const struct resolver_choice choice = {
		.family = option_flag(values, "ipv4") ? 4
		    : option_flag(values, "ipv6")     ? 6
						      : 0,
		.both = option_flag(values, "both"),
		.all = option_flag(values, "all"),
	};
	json_t *targets = json_array();
	json_object_set_new(body, "targets", targets);
	if (choice.both && choice.family)
		return err_set(msg, ERR_USAGE,
		    "--both: expected no --ipv4 or --ipv6 besides");
	struct resolver_answer **answers = xcalloc(count, sizeof(void *));
	int err = resolve_names(answers, &choice, names, count, msg);
	for (size_t i = 0; i < count; i++) {
		if (!err)
			add_addresses(targets, names[i], answers[i]);
		free(answers[i]);
	}
	free(answers);
	return err;
}

/* --- the script's options ---------------------------------------------- */

/* "--name=value", "--name value" or "--flag". */
static int add_option(json_t *to, char **words, int *used, struct errmsg *msg)
{
	char *word = words[0];
	*used = 1;
	if (strncmp(word, "--", 2) != 0 || !word[2])
		return err_set(msg, ERR_USAGE,
		    "after --: expected --OPTION, got '%.80s'", word);
	char *equals = strchr(word, '=');
	char *name = equals ? xstrndup(word + 2, (size_t)(equals - word) - 2)
			    : xstrdup(word + 2);
	json_t *value;
	if (equals) {
		value = json_string(equals + 1);
	} else if (words[1] && words[1][0] != '-') {
		value = json_string(words[1]);
		*used = 2;
	} else {
		value = json_true();
	}
	int r = json_object_set_new(to, name, value);
	free(name);
	return r == 0 ? 0
		      : err_set(msg, ERR_USAGE, "'%.80s' is not UTF-8", word);
}

static int add_options(json_t *body, char **words, struct errmsg *msg)
{
	json_t *to = json_object();
	int err = 0, used;
	json_object_set_new(body, "options", to);
	for (; *words && !err; words += used)
		err = add_option(to, words, &used, msg);
	return err;
}

/* They travel among the script's options, as agents read them. */
static int add_way(
    json_t *body, const struct option_values *values, struct errmsg *msg)
{
	static const char *const texts[] = { "interface", "mark" };
	json_t *to = json_object_get(body, "options");
	const char *const *sources;
	size_t count = option_list(values, "source", &sources);
	json_t *list = json_array();
	int r = 0;
	for (size_t i = 0; i < 2; i++) {
		const char *text = option_text(values, texts[i]);
		if (text)
			r |= json_object_set_new(
			    to, texts[i], json_string(text));
	}
	for (size_t i = 0; i < count; i++)
		r |= json_array_append_new(list, json_string(sources[i]));
	if (count > 0)
		r |= json_object_set(to, "source", list);
	json_decref(list);
	return r == 0 ? 0
		      : err_set(msg, ERR_USAGE,
			    "--interface, --source, --mark: expected UTF-8");
}

/* --- what this machine knows of the script ----------------------------- */

static void warn_of_name(const char *name, char **known, size_t count)
{
	const char *near =
	    option_nearest(name, (const char *const *)known, count);
	if (near) /* whether agents have it is for the collector to judge */
		fprintf(stderr,
		    "sonde submit: warning: '%.60s': did you mean '%s'?\n",
		    name, near);
}

static void warn_of_options(const char *name, char **words)
{
	struct script *script;
	struct errmsg msg = { "" };
	int count = 0;
	if (script_load(&script, name, false, NULL) != 0)
		return;
	while (words[count])
		count++;
	char **argv = xcalloc((size_t)count + 2, sizeof(*argv));
	argv[0] = (char *)name;
	memcpy(argv + 1, words, (size_t)count * sizeof(*argv));
	struct option_table only = script->options;
	struct option_values *values;
	only.operands_min = 0;
	if (option_parse(&values, &only, count + 1, argv, &msg) == 0)
		option_free(values);
	else
		fprintf(stderr,
		    "sonde submit: warning: %s: %s; it would not run here\n",
		    name, msg.text);
	free(argv);
	script_free(script);
}

/* Agents decide, but a slip of the keyboard shows before they are asked. */
static void warn_of_script(const char *name, char **words)
{
	char **known;
	size_t count;
	bool found = false;
	if (script_list(&known, &count, NULL) != 0)
		return;
	for (size_t i = 0; i < count; i++)
		found = found || strcmp(known[i], name) == 0;
	if (found)
		warn_of_options(name, words);
	else
		warn_of_name(name, known, count);
	for (size_t i = 0; i < count; i++)
		free(known[i]);
	free(known);
}

/* --- all of it --------------------------------------------------------- */

static void add_schedule(json_t *body, const struct option_values *values)
{
	const char *const *on;
	size_t count = option_list(values, "on", &on);
	const char *until = option_text(values, "until");
	json_t *list = json_array(), *every = json_null();
	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, json_string(on[i]));
	if (option_given(values, "every"))
		every = json_integer(
		    option_duration_ns(values, "every") / NS_PER_S);
	json_object_set_new(body, "on", list);
	json_object_set_new(body, "every_s", every);
	json_object_set_new(
	    body, "until", until ? json_string(until) : json_null());
}

static void print_warnings(const json_t *warnings)
{
	for (size_t i = 0; i < json_array_size(warnings); i++)
		fprintf(stderr, "sonde submit: warning: %s\n",
		    json_string_value(json_array_get(warnings, i)));
}

static int submit(const struct option_values *values, char **script_words)
{
	const char *const *operands;
	size_t count = option_operands(values, &operands);
	struct api_client *client = NULL;
	struct errmsg msg = { "" };
	json_t *body = json_pack("{s:s}", "script", operands[0]);
	json_t *answer = NULL;
	const char *id;
	int err = add_targets(body, values, operands + 1, count - 1, &msg);
	if (err < 0)
		goto out;
	err = add_options(body, script_words, &msg);
	if (err < 0)
		goto out;
	err = add_way(body, values, &msg);
	if (err < 0)
		goto out;
	add_schedule(body, values);
	warn_of_script(operands[0], script_words);
	err = client_open(&client, values, &msg);
	if (err < 0)
		goto out;
	err = client_ask(client, "POST", "/api/v1/campaigns", json_incref(body),
	    &answer, &msg);
	if (err < 0)
		goto out;
	print_warnings(json_object_get(answer, "warnings"));
	id = json_string_value(json_object_get(answer, "id"));
	if (option_flag(values, "json"))
		err = client_print_json("sonde-campaign/1", answer, &msg);
	else
		puts(id ? id : "submitted");
out:
	json_decref(answer);
	json_decref(body);
	client_close(client);
	return err ? command_fail(command_submit.name, err, &msg) : 0;
}

static int run_submit(int argc, char **argv)
{
	struct option_values *values;
	int code, ours = 1;
	while (ours < argc && strcmp(argv[ours], "--") != 0)
		ours++;
	if (!client_options(&values, &command_submit, ours, argv, &code))
		return code;
	code = submit(values, ours < argc ? argv + ours + 1 : argv + argc);
	option_free(values);
	return code;
}

const struct command command_submit = {
	.name = "submit",
	.summary = "have agents run a script",
	.options = &options,
	.run = run_submit,
};
