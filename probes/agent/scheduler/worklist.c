/* SPDX-License-Identifier: ISC */
/*
 * The work list as JSON.  jansson parses, this file distrusts: every string
 * is bounded and of a known alphabet, so that what the supervisor later hands
 * to a script cannot be anything but options and addresses.
 */
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/hex.h"
#include "lib/base/addr.h"
#include "lib/base/vec.h"
#include "lib/base/xalloc.h"
#include "probes/agent/scheduler/worklist.h"

#define OPTION_NAME_LEN 32
#define EVERY_MIN_S 1
#define EVERY_MAX_S (366 * 86400)

bool worklist_script_is_valid(const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");
	return len > 0 && len < WORKLIST_SCRIPT_LEN && name[len] == '\0' &&
	    name[0] != '-';
}

bool worklist_argument_is_valid(const char *argument)
{
	size_t len = 0;
	for (; argument[len]; len++)
		if (argument[len] < 0x20 || argument[len] > 0x7e ||
		    len >= WORKLIST_MAX_ARGUMENT_LEN)
			return false;
	return len > 0;
}

static bool option_name_is_valid(const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");
	return len > 0 && len <= OPTION_NAME_LEN && name[len] == '\0' &&
	    name[0] != '-';
}

/* Takes the argument. */
static int add_argument(struct campaign *c, char *argument, struct errmsg *msg)
{
	size_t bytes = 0;
	for (size_t i = 0; i < c->argument_count; i++)
		bytes += strlen(c->arguments[i]);
	if (c->argument_count >= WORKLIST_MAX_ARGUMENTS ||
	    bytes + strlen(argument) > WORKLIST_MAX_ARGUMENT_BYTES) {
		free(argument);
		return err_set(msg, ERR_LIMIT, "too many arguments");
	}
	if (!worklist_argument_is_valid(argument)) {
		free(argument);
		return err_set(msg, ERR_MALFORMED,
		    "an argument is empty, "
		    "too long or not printable ASCII");
	}
	VEC_ROOM(c->arguments, c->argument_count);
	c->arguments[c->argument_count++] = argument;
	return 0;
}

static int add_scalar(
    struct campaign *c, const char *name, json_t *value, struct errmsg *msg)
{
	switch (json_typeof(value)) {
	case JSON_STRING:
		return add_argument(c,
		    xasprintf("--%s=%s", name, json_string_value(value)), msg);
	case JSON_INTEGER:
		return add_argument(c,
		    xasprintf("--%s=%lld", name,
			(long long)json_integer_value(value)),
		    msg);
	case JSON_REAL:
		return add_argument(c,
		    xasprintf("--%s=%.15g", name, json_real_value(value)), msg);
	case JSON_TRUE: return add_argument(c, xasprintf("--%s", name), msg);
	case JSON_FALSE:
	case JSON_NULL: return 0;
	case JSON_OBJECT:
	case JSON_ARRAY: break;
	}
	return err_set(
	    msg, ERR_MALFORMED, "option %s: expected a scalar", name);
}

static int add_options(struct campaign *c, json_t *options, struct errmsg *msg)
{
	const char *name;
	json_t *value, *item = NULL;
	size_t i = 0;
	int err = 0;
	if (options && !json_is_object(options) && !json_is_null(options))
		return err_set(msg, ERR_MALFORMED, "options: not an object");
	json_object_foreach(options, name, value)
	{
		if (err)
			break;
		if (!option_name_is_valid(name))
			err = err_set(msg, ERR_MALFORMED, "an option's name");
		else if (!json_is_array(value))
			err = add_scalar(c, name, value, msg);
		else
			json_array_foreach(value, i, item)
			{
				if (!err)
					err = add_scalar(c, name, item, msg);
			}
	}
	return err;
}

static int add_targets(struct campaign *c, json_t *targets, struct errmsg *msg)
{
	json_t *item = NULL;
	size_t i = 0;
	if (!json_is_array(targets) || json_array_size(targets) == 0)
		return err_set(msg, ERR_MALFORMED, "targets: expected some");
	json_array_foreach(targets, i, item)
	{
		struct addr a;
		char zone[ADDR_ZONE_LEN];
		const char *text = json_string_value(item);
		if (!text || addr_parse_zone(&a, zone, text) != 0)
			return err_set(msg, ERR_MALFORMED,
			    "targets: expected numeric addresses");
		int err = add_argument(c, xstrdup(text), msg);
		if (err < 0)
			return err;
	}
	return 0;
}

/* An absent or null time is 0. */
static int time_member(
    struct walltime *t, json_t *object, const char *key, struct errmsg *msg)
{
	json_t *value = json_object_get(object, key);
	t->ns = 0;
	if (!value || json_is_null(value))
		return 0;
	if (!json_is_string(value) ||
	    walltime_parse(t, json_string_value(value)) != 0)
		return err_set(msg, ERR_MALFORMED,
		    "%s: expected an RFC 3339 time or null", key);
	return 0;
}

static int every_member(int64_t *every_ns, json_t *object, struct errmsg *msg)
{
	json_t *value = json_object_get(object, "every_s");
	*every_ns = 0;
	if (!value || json_is_null(value))
		return 0;
	double s = json_number_value(value);
	if (!json_is_number(value) || !(s >= EVERY_MIN_S && s <= EVERY_MAX_S))
		return err_set(msg, ERR_MALFORMED,
		    "every_s: expected %d to %d seconds or null", EVERY_MIN_S,
		    EVERY_MAX_S);
	*every_ns = (int64_t)(s * (double)NS_PER_S);
	return 0;
}

static int read_campaign(struct campaign *c, json_t *object, struct errmsg *msg)
{
	const char *script =
	    json_string_value(json_object_get(object, "script"));
	if (!hex_parse_strict(c->id, sizeof(c->id),
		json_string_value(json_object_get(object, "id"))))
		return err_set(
		    msg, ERR_MALFORMED, "id: expected 32 hex digits");
	if (!script || !worklist_script_is_valid(script))
		return err_set(msg, ERR_MALFORMED,
		    "script: expected a shipped one's name");
	snprintf(c->script, sizeof(c->script), "%s", script);
	int err = every_member(&c->every_ns, object, msg);
	if (err < 0)
		return err;
	err = time_member(&c->started_at, object, "started_at", msg);
	if (err < 0)
		return err;
	err = time_member(&c->until, object, "until", msg);
	if (err < 0)
		return err;
	err = add_options(c, json_object_get(object, "options"), msg);
	if (err < 0)
		return err;
	return add_targets(c, json_object_get(object, "targets"), msg);
}

static void campaign_fini(struct campaign *c)
{
	for (size_t i = 0; i < c->argument_count; i++)
		free(c->arguments[i]);
	free(c->arguments);
	memset(c, 0, sizeof(*c));
}

static int read_list(struct worklist *list, json_t *root, struct errmsg *msg)
{
	json_t *revision = json_object_get(root, "revision");
	json_t *campaigns = json_object_get(root, "campaigns"), *item = NULL;
	size_t i;
	if (!json_is_integer(revision) || json_integer_value(revision) < 0 ||
	    !json_is_array(campaigns))
		return err_set(msg, ERR_MALFORMED,
		    "work list: expected revision and campaigns");
	if (json_array_size(campaigns) > WORKLIST_MAX_CAMPAIGNS)
		return err_set(msg, ERR_LIMIT, "work list: %zu campaigns",
		    json_array_size(campaigns));
	list->revision = (uint64_t)json_integer_value(revision);
	list->campaigns =
	    xcalloc(json_array_size(campaigns) + 1, sizeof(*list->campaigns));
	json_array_foreach(campaigns, i, item)
	{
		struct campaign *c = &list->campaigns[list->count];
		if (read_campaign(c, item, &list->why) == 0) {
			list->count++;
		} else {
			campaign_fini(c);
			list->refused++;
		}
	}
	return time_member(&list->now, root, "now", msg);
}

int worklist_parse(
    struct worklist **list, const void *json, size_t len, struct errmsg *msg)
{
	json_error_t error;
	*list = NULL;
	if (len > WORKLIST_MAX_BYTES)
		return err_set(msg, ERR_LIMIT, "work list: %zu bytes", len);
	json_t *root =
	    json_loadb(json ? json : "", len, JSON_REJECT_DUPLICATES, &error);
	if (!root)
		return err_set(msg, ERR_MALFORMED, "work list: line %d: %s",
		    error.line, error.text);
	struct worklist *l = xcalloc(1, sizeof(*l));
	int err = read_list(l, root, msg);
	json_decref(root);
	if (err) {
		worklist_free(l);
		return err;
	}
	*list = l;
	return 0;
}

void worklist_free(struct worklist *list)
{
	if (!list)
		return;
	for (size_t i = 0; i < list->count; i++)
		campaign_fini(&list->campaigns[i]);
	free(list->campaigns);
	free(list);
}
