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

/* As agents read one (probes/net/live/live-spec.c), which have the last word.
 */
static int check_interface(const json_t *value, struct errmsg *msg)
{
	const char *name = json_string_value(value);
	size_t len = name ? strlen(name) : 0;
	if (len == 0 || len >= ADDR_ZONE_LEN || strpbrk(name, "/, ") ||
	    strcmp(name, "lo") == 0)
		return err_set(msg, ERR_USAGE,
		    "options.interface: expected the name of a device that "
		    "leads to other hosts, got '%.40s'",
		    name ? name : "something that is no text");
	return ERR_OK;
}

static int check_mark(const json_t *value, struct errmsg *msg)
{
	const char *text = json_string_value(value);
	json_int_t mark = json_integer_value(value);
	char *end = NULL;
	if (text && *text >= '0' && *text <= '9') {
		bool hex = strncmp(text, "0x", 2) == 0;
		unsigned long long number =
		    strtoull(hex ? text + 2 : text, &end, hex ? 16 : 10);
		mark = *end || number > UINT32_MAX ? 0 : (json_int_t)number;
	}
	if (mark < 1 || mark > UINT32_MAX)
		return err_set(msg, ERR_USAGE,
		    "options.mark: expected 1 to 0xffffffff%s%.40s",
		    text ? ", got " : "", text ? text : "");
	return ERR_OK;
}

struct sources {
	bool given[2]; /* IPv4, IPv6 */
};

static int check_source_text(
    struct sources *sources, const char *text, struct errmsg *msg)
{
	char word[ADDR_TEXT_LEN];
	struct addr a;
	for (; text; text = *text ? text + 1 : NULL) {
		size_t len = strcspn(text, ",");
		snprintf(word, sizeof(word), "%.*s",
		    len < sizeof(word) ? (int)len : 0, text);
		if (addr_parse(&a, word) < 0 || !is_host(&a))
			return err_set(msg, ERR_USAGE,
			    "options.source: expected addresses of agents, "
			    "got '%.60s'",
			    text);
		if (sources->given[a.family == 6])
			return err_set(msg, ERR_USAGE,
			    "options.source: expected one of IPv4 and one of "
			    "IPv6, got a second, %.60s",
			    word);
		sources->given[a.family == 6] = true;
		text += len;
	}
	return ERR_OK;
}

static int check_source(const json_t *value, struct errmsg *msg)
{
	struct sources sources = { 0 };
	size_t count = json_is_array(value) ? json_array_size(value) : 1;
	for (size_t i = 0; i < count; i++) {
		const char *text = json_string_value(
		    json_is_array(value) ? json_array_get(value, i) : value);
		if (!text)
			return err_set(msg, ERR_USAGE,
			    "options.source: expected an address or a list of "
			    "them");
		int err = check_source_text(&sources, text, msg);
		if (err < 0)
			return err;
	}
	return ERR_OK;
}

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
	if (strcmp(name, "interface") == 0)
		return check_interface(value, msg);
	if (strcmp(name, "source") == 0)
		return check_source(value, msg);
	if (strcmp(name, "mark") == 0)
		return check_mark(value, msg);
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
