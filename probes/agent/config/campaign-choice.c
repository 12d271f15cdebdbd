/* SPDX-License-Identifier: ISC */
#include "probes/agent/config/campaign-choice.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "lib/option/way.h"
#include "probes/net/live/live-spec.h"

/* One value as the network reads it. */
static int read_choice(
    struct net_choice *choice, const struct net_wish *wish, struct errmsg *msg)
{
	struct live_spec spec;
	char *joined;
	int err = net_spec_join(&joined, &net_live, NULL, wish, msg);
	if (err < 0)
		return err;
	err = live_spec_read(&spec, joined, msg);
	free(joined);
	*choice = spec.wish;
	if (err < 0)
		return err;
	err = way_check_device(choice->device, msg);
	if (err < 0) {
		err_prefix(msg, "interface");
		return err;
	}
	err = wish->mark ? way_check_mark(choice->mark, msg) : 0;
	if (err < 0)
		err_prefix(msg, "mark");
	return err;
}

/* --- what the operator allows ------------------------------------------- */

static bool has_device(const struct choice_allowed *allowed, const char *name)
{
	for (size_t i = 0; i < allowed->device_count; i++)
		if (strcmp(allowed->devices[i], name) == 0)
			return true;
	return false;
}

static bool has_source(
    const struct choice_allowed *allowed, const struct addr *source)
{
	for (size_t i = 0; i < allowed->source_count; i++)
		if (addr_equal(&allowed->sources[i], source))
			return true;
	return false;
}

static bool has_mark(const struct choice_allowed *allowed, uint32_t mark)
{
	for (size_t i = 0; i < allowed->mark_count; i++)
		if (allowed->marks[i] == mark)
			return true;
	return false;
}

static int add_device(
    struct choice_allowed *allowed, const char *value, struct errmsg *msg)
{
	const struct net_wish wish = { .interface = value };
	struct net_choice choice;
	int err = read_choice(&choice, &wish, msg);
	if (err == 0)
		memcpy(allowed->devices[allowed->device_count++], choice.device,
		    NET_DEVICE_LEN);
	return err;
}

static int add_source(
    struct choice_allowed *allowed, const char *value, struct errmsg *msg)
{
	const struct net_wish wish = { .sources = &value, .source_count = 1 };
	struct net_choice choice;
	int err = read_choice(&choice, &wish, msg);
	if (err == 0)
		allowed->sources[allowed->source_count++] =
		    choice.source[choice.source[1].family != 0];
	return err;
}

static int add_mark(
    struct choice_allowed *allowed, const char *value, struct errmsg *msg)
{
	const struct net_wish wish = { .mark = value };
	struct net_choice choice;
	int err = read_choice(&choice, &wish, msg);
	if (err == 0)
		allowed->marks[allowed->mark_count++] = choice.mark;
	return err;
}

int choice_allowed_read(struct choice_allowed *allowed,
    const struct config *config, struct errmsg *msg)
{
	static const struct {
		const char *key;
		size_t most;
		int (*add)(
		    struct choice_allowed *, const char *, struct errmsg *);
	} keys[] = {
		{ "campaign-interfaces", CHOICE_DEVICES_MAX, add_device },
		{ "campaign-sources", CHOICE_SOURCES_MAX, add_source },
		{ "campaign-marks", NET_RUN_MARKS_MAX, add_mark },
	};
	*allowed = (struct choice_allowed){ 0 };
	for (size_t k = 0; k < sizeof(keys) / sizeof(*keys); k++) {
		const char *const *values;
		size_t count = config_list(config, keys[k].key, &values);
		if (count > keys[k].most)
			return err_set(msg, ERR_CONFIG,
			    "%s: expected at most %zu, got %zu", keys[k].key,
			    keys[k].most, count);
		for (size_t i = 0; i < count; i++) {
			if (keys[k].add(allowed, values[i], msg) == 0)
				continue;
			err_prefix(msg, "%s", keys[k].key);
			return ERR_CONFIG;
		}
	}
	return 0;
}

bool choice_allowed_any(const struct choice_allowed *allowed)
{
	return allowed->device_count > 0 || allowed->source_count > 0 ||
	    allowed->mark_count > 0;
}

/* --- what a campaign chooses --------------------------------------------- */

#define SOURCES_MOST 8 /* more are an error in any case */

/* The options of a run, as words that it owns. */
struct choice_words {
	char *interface, *mark, *sources[SOURCES_MOST];
	size_t source_count;
};

static void free_words(struct choice_words *words)
{
	free(words->interface);
	free(words->mark);
	for (size_t i = 0; i < words->source_count; i++)
		free(words->sources[i]);
}

static int keep_once(
    char **to, const char *key, const char *value, struct errmsg *msg)
{
	if (*to)
		return err_set(
		    msg, ERR_USAGE, "%s: expected one, got several", key);
	*to = xstrdup(value);
	return 0;
}

static int keep_sources(
    struct choice_words *words, const char *value, struct errmsg *msg)
{
	for (;;) {
		size_t len = strcspn(value, ",");
		if (words->source_count == SOURCES_MOST)
			return err_set(msg, ERR_USAGE,
			    "source: expected one of IPv4 and one of IPv6");
		words->sources[words->source_count++] = xstrndup(value, len);
		if (value[len] == '\0')
			return 0;
		value += len + 1;
	}
}

/* 1: it was one of ours. */
static int keep_word(
    struct choice_words *words, const char *argument, struct errmsg *msg)
{
	static const char interface[] = "--interface=", source[] = "--source=",
			  mark[] = "--mark=";
	int err;
	if (strncmp(argument, interface, sizeof(interface) - 1) == 0)
		err = keep_once(&words->interface, "interface",
		    argument + sizeof(interface) - 1, msg);
	else if (strncmp(argument, mark, sizeof(mark) - 1) == 0)
		err = keep_once(
		    &words->mark, "mark", argument + sizeof(mark) - 1, msg);
	else if (strncmp(argument, source, sizeof(source) - 1) == 0)
		err = keep_sources(words, argument + sizeof(source) - 1, msg);
	else
		return 0;
	return err < 0 ? err : 1;
}

static int take_words(struct choice_words *words, char **arguments,
    size_t *count, struct errmsg *msg)
{
	size_t kept = 0;
	int err = 0;
	for (size_t i = 0; i < *count; i++) {
		int ours = err < 0 ? 0 : keep_word(words, arguments[i], msg);
		if (ours < 0)
			err = ours;
		if (ours > 0)
			free(arguments[i]);
		else
			arguments[kept++] = arguments[i];
	}
	*count = kept;
	return err;
}

/* A zone is a device that the run leaves by, and it leaves by one. */
static int join_zones(struct net_choice *choice, char *const *arguments,
    size_t count, struct errmsg *msg)
{
	for (size_t i = 0; i < count; i++) {
		char zone[ADDR_ZONE_LEN];
		struct addr a;
		if (arguments[i][0] == '-' ||
		    addr_parse_zone(&a, zone, arguments[i]) != 0 || !zone[0])
			continue;
		if (choice->device[0] && strcmp(choice->device, zone) != 0)
			return err_set(msg, ERR_USAGE,
			    "interface: expected one for all targets, got '%s' "
			    "and '%s'",
			    choice->device, zone);
		memcpy(choice->device, zone, sizeof(choice->device));
	}
	return 0;
}

static int check_allowed(const struct choice_allowed *allowed,
    const struct net_choice *choice, struct errmsg *msg)
{
	char text[ADDR_TEXT_LEN];
	if (choice->device[0] && !has_device(allowed, choice->device))
		return err_set(msg, ERR_USAGE,
		    "interface: campaigns may not choose '%s' here "
		    "(campaign-interfaces in agent.conf)",
		    choice->device);
	for (int i = 0; i < 2; i++)
		if (choice->source[i].family &&
		    !has_source(allowed, &choice->source[i]))
			return err_set(msg, ERR_USAGE,
			    "source: campaigns may not choose %s here "
			    "(campaign-sources in agent.conf)",
			    addr_text(&choice->source[i], text));
	if (choice->mark && !has_mark(allowed, choice->mark))
		return err_set(msg, ERR_USAGE,
		    "mark: campaigns may not choose 0x%x here "
		    "(campaign-marks in agent.conf)",
		    choice->mark);
	return 0;
}

int choice_take(struct net_choice *choice, const struct choice_allowed *allowed,
    char **arguments, size_t *count, struct errmsg *msg)
{
	struct choice_words words = { 0 };
	*choice = (struct net_choice){ 0 };
	int err = take_words(&words, arguments, count, msg);
	if (err < 0)
		goto out;
	const struct net_wish wish = { .interface = words.interface,
		.mark = words.mark,
		.sources = (const char *const *)words.sources,
		.source_count = words.source_count };
	err = read_choice(choice, &wish, msg);
	if (err < 0)
		goto out;
	err = join_zones(choice, arguments, *count, msg);
	if (err < 0)
		goto out;
	err = check_allowed(allowed, choice, msg);
	choice->no_zones = true;
out:
	free_words(&words);
	return err;
}
