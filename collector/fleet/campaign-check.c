/* SPDX-License-Identifier: ISC */
/*
 * An agent has the last word on scripts and options, and its scripts may
 * differ from those that were built with us; so what we merely doubt is a
 * warning, and what no agent would ever do is an error.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/fleet/campaign-check.h"
#include "collector/core/agent-table.h"
#include "collector/fleet/campaign-json.h"
#include "lib/base/addr.h"
#include "lib/base/xalloc.h"
#include "lib/option/way.h"

static bool is_host(const struct addr *addr)
{
	static const struct addr none4 = { .family = 4 },
				 none6 = { .family = 6 };
	static const uint8_t all_ones[4] = { 255, 255, 255, 255 };
	if (addr_equal(addr, &none4) || addr_equal(addr, &none6))
		return false;
	if (addr->family == 6)
		return addr->bytes[0] != 0xff;
	return (addr->bytes[0] & 0xf0) != 0xe0 &&
	    memcmp(addr->bytes, all_ones, sizeof(all_ones)) != 0;
}

static int check_interface(const json_t *value, struct errmsg *msg)
{
	char device[ADDR_ZONE_LEN];
	const char *name = json_string_value(value);
	int err = name
	    ? way_read_device(device, name, msg)
	    : err_set(msg, ERR_USAGE, "expected the name of a device");
	return err < 0 ? err : way_check_device(device, msg);
}

static int check_mark(const json_t *value, struct errmsg *msg)
{
	uint32_t mark = 0;
	char number[32];
	const char *text = json_string_value(value);
	if (json_is_integer(value)) {
		snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT,
		    json_integer_value(value));
		text = number;
	}
	int err = text ? way_read_mark(&mark, text, msg)
		       : err_set(msg, ERR_USAGE, "expected 1 to 0xffffffff");
	return err < 0 ? err : way_check_mark(mark, msg);
}

static int check_source_text(
    struct addr sources[static 2], const char *text, struct errmsg *msg)
{
	for (; text; text = *text ? text + 1 : NULL) {
		size_t len = strcspn(text, ",");
		char *word = xstrndup(text, len);
		struct addr a = { 0 };
		int err = way_read_source(sources, word, msg);
		if (err == 0 && addr_parse(&a, word) == 0 && !is_host(&a))
			err = err_set(msg, ERR_USAGE,
			    "expected addresses of agents, got '%.60s'", word);
		free(word);
		if (err < 0)
			return err;
		text += len;
	}
	return ERR_OK;
}

static int check_source(const json_t *value, struct errmsg *msg)
{
	struct addr sources[2] = { 0 };
	size_t count = json_is_array(value) ? json_array_size(value) : 1;
	for (size_t i = 0; i < count; i++) {
		const char *text = json_string_value(
		    json_is_array(value) ? json_array_get(value, i) : value);
		int err = text ? check_source_text(sources, text, msg)
			       : err_set(msg, ERR_USAGE,
				     "expected an address or a list of them");
		if (err < 0)
			return err;
	}
	return ERR_OK;
}

/* Those of the way that probes leave by, as agents read them. */
static const struct way_option {
	const char *name;
	int (*check)(const json_t *value, struct errmsg *msg);
} way_options[] = {
	{ "interface", check_interface },
	{ "source", check_source },
	{ "mark", check_mark },
};

int campaign_check_option(
    const char *name, const json_t *value, struct errmsg *msg)
{
	static const char *const reserved[] = { "json", "csv", "format", "file",
		"ipv4", "ipv6", "both", "all", "net", "policy", "deadline",
		"allow-weak-sandbox", "verbose", "help", NULL };
	for (const char *const *word = reserved; *word; word++)
		if (strcmp(name, *word) == 0)
			return err_set(msg, ERR_USAGE,
			    "options.%s: expected an option of the script; "
			    "this one is the command's, and no agent takes it",
			    name);
	for (size_t i = 0; i < sizeof(way_options) / sizeof(*way_options);
	     i++) {
		if (strcmp(name, way_options[i].name) != 0)
			continue;
		int err = way_options[i].check(value, msg);
		if (err < 0)
			err_prefix(msg, "options.%s", name);
		return err;
	}
	return ERR_OK;
}

int campaign_check_target(const char *text, size_t number, struct errmsg *msg)
{
	struct addr addr;
	char zone[ADDR_ZONE_LEN];
	if (!text || addr_parse_zone(&addr, zone, text) < 0)
		return err_set(msg, ERR_USAGE,
		    "targets: number %zu: expected "
		    "a numeric address, got '%.60s'",
		    number, text ? text : "something that is no text");
	if (!is_host(&addr))
		return err_set(msg, ERR_USAGE,
		    "targets: number %zu: expected "
		    "the address of one host, got %.60s",
		    number, text);
	return ERR_OK;
}

static void warn(
    json_t *list, const char *before, const char *word, const char *after)
{
	char *text = xasprintf("%s%.64s%s", before, word, after);
	json_array_append_new(list, json_string(text));
	free(text);
}

static void warn_of_script(json_t *list, const char *script)
{
	for (const char *const *name = shipped_scripts; *name; name++)
		if (strcmp(*name, script) == 0)
			return;
	warn(list, "script: no script of this version is called '", script,
	    "'; agents without one of their own will fail");
}

static void warn_of_word(
    json_t *list, const char *word, const struct agent *agents, size_t count)
{
	json_t *only = json_pack("[s]", word);
	bool any = false;
	for (size_t i = 0; i < count; i++)
		any |= campaign_selects(only, &agents[i]);
	json_decref(only);
	if (any)
		return;
	if (strcmp(word, "all") == 0)
		warn(list, "on: no agent has enrolled yet", "", "");
	else
		warn(list, "on: no agent has the name or the tag '", word, "'");
}

static void warn_of_silence(
    json_t *list, const json_t *on, const struct agent *agents, size_t count)
{
	size_t selected = 0, heard = 0;
	for (size_t i = 0; i < count; i++) {
		bool ours = campaign_selects(on, &agents[i]);
		selected += ours;
		heard += ours &&
		    (agents[i].state == AGENT_UP ||
			agents[i].state == AGENT_NEW);
	}
	if (selected > 0 && heard == 0)
		warn(list, "on: none of these agents has been heard lately", "",
		    "");
}

json_t *campaign_warnings(
    struct collector *c, const char *script, const json_t *on)
{
	json_t *list = json_array();
	struct agent *agents;
	size_t count = agents_list(c, &agents);
	warn_of_script(list, script);
	for (size_t i = 0; i < json_array_size(on); i++)
		warn_of_word(list, json_string_value(json_array_get(on, i)),
		    agents, count);
	warn_of_silence(list, on, agents, count);
	free(agents);
	return list;
}
