/* SPDX-License-Identifier: ISC */
/* The words of a simulated internet's description. */
#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/vec.h"
#include "probes/net/sim/sim-index.h"
#include "probes/net/sim/sim-parse.h"
#include "probes/net/sim/sim-world.h"

#define DELAY_MAX_NS (600 * NS_PER_S)

int sim_words_error(struct sim_words *words, const char *format, ...)
{
	char text[200];
	va_list ap;
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	return err_set(words->msg, ERR_CONFIG, "%.80s:%d: %s", words->file,
	    words->line, text);
}

int sim_words_expected(struct sim_words *words, const char *expected)
{
	const char *got = words->at > 0 && words->at <= words->count
	    ? words->word[words->at - 1]
	    : NULL;
	return sim_words_error(words, "%.30s: expected %s, got %s%.40s%s",
	    words->word[0], expected, got ? "'" : "",
	    got ? got : "the end of the line", got ? "'" : "");
}

const char *sim_words_peek(const struct sim_words *words)
{
	return words->at < words->count ? words->word[words->at] : NULL;
}

const char *sim_words_next(struct sim_words *words)
{
	const char *word = sim_words_peek(words);
	words->at++;
	return word;
}

bool sim_words_take(struct sim_words *words, const char *word)
{
	const char *next = sim_words_peek(words);
	if (!next || strcmp(next, word) != 0)
		return false;
	words->at++;
	return true;
}

int sim_words_integer(
    struct sim_words *words, uint64_t *to, uint64_t min, uint64_t max)
{
	const char *word = sim_words_next(words);
	char *end = NULL, expected[64];
	unsigned long long value = 0;
	if (word && isdigit((unsigned char)*word))
		value = strtoull(word, &end, 10);
	*to = value;
	if (end && *end == '\0' && value >= min && value <= max)
		return 0;
	snprintf(expected, sizeof(expected), "a number from %llu to %llu",
	    (unsigned long long)min, (unsigned long long)max);
	return sim_words_expected(words, expected);
}

bool sim_words_scaled(const char *word, const char *const units[],
    const double scales[], double *to, const char **rest)
{
	char *end;
	if (!word || !(isdigit((unsigned char)*word) || *word == '.'))
		return false;
	double value = strtod(word, &end);
	for (size_t i = 0; units[i]; i++) {
		size_t len = strlen(units[i]);
		if (strncmp(end, units[i], len) != 0 ||
		    isalnum((unsigned char)end[len]))
			continue;
		*to = value * scales[i];
		*rest = end + len;
		return isfinite(*to);
	}
	return false;
}

const char *sim_read_duration(const char *word, int64_t *ns)
{
	static const char *const units[] = { "ns", "us", "ms", "s", NULL };
	static const double scales[] = { 1, 1e3, 1e6, 1e9 };
	const char *rest;
	double value;
	if (!sim_words_scaled(word, units, scales, &value, &rest) ||
	    value > (double)DELAY_MAX_NS)
		return NULL;
	*ns = (int64_t)(value + 0.5);
	return rest;
}

int sim_words_duration(struct sim_words *words, int64_t *ns)
{
	const char *rest = sim_read_duration(sim_words_next(words), ns);
	if (!rest || *rest)
		return sim_words_expected(
		    words, "a time such as 250us, 5ms or 1s, at most 600s");
	return 0;
}

int sim_words_address(struct sim_words *words, struct addr *to)
{
	const char *word = sim_words_next(words);
	if (!word || addr_parse(to, word) != 0)
		return sim_words_expected(words, "an address");
	return 0;
}

int sim_words_prefix(struct sim_words *words, struct prefix *to)
{
	const char *word = sim_words_next(words);
	if (!word || prefix_parse(to, word, NULL) != 0)
		return sim_words_expected(
		    words, "a prefix such as 192.0.2.0/24 without host bits");
	return 0;
}

int sim_words_node(struct sim_words *words, uint32_t *node)
{
	const char *word = sim_words_next(words);
	*node = word ? sim_node_find(words->world, word) : SIM_NONE;
	if (*node == SIM_NONE)
		return sim_words_expected(
		    words, "the name of a node that is above");
	return 0;
}

int sim_words_ends(struct sim_words *words, uint32_t ends[static 2])
{
	int err = sim_words_node(words, &ends[0]);
	return err ? err : sim_words_node(words, &ends[1]);
}

int sim_words_name(struct sim_words *words, const char **name)
{
	*name = sim_words_next(words);
	const char *c = *name;
	bool good = c && isalpha((unsigned char)*c) && strlen(c) <= 63;
	for (; good && *c; c++)
		good = isalnum((unsigned char)*c) || strchr("._-", *c);
	if (!good)
		return sim_words_expected(words,
		    "a name: a letter, then letters, digits, '.', '_', '-'");
	return 0;
}

bool sim_words_has_address(const struct sim_words *words)
{
	const char *word = sim_words_peek(words);
	return word && (isdigit((unsigned char)*word) || strchr(word, ':'));
}

int sim_words_end(struct sim_words *words)
{
	if (!sim_words_next(words))
		return 0;
	return sim_words_expected(words, "an option or the end of the line");
}

static int route_via(struct sim_words *words, struct sim_route *route)
{
	struct sim_world *w = words->world;
	char *list = words->at < words->count ? words->word[words->at] : NULL;
	sim_words_next(words);
	if (!list)
		return sim_words_expected(words, "the next node");
	for (char *name, *rest = list; (name = strsep(&rest, ","));) {
		uint32_t to = sim_node_find(w, name);
		uint32_t edge = to == SIM_NONE
		    ? SIM_NONE
		    : sim_edge_between(w, route->node, to);
		if (edge == SIM_NONE)
			return sim_words_error(words,
			    "route: expected a neighbour of '%.40s', got "
			    "'%.40s'",
			    sim_node_name(w, route->node), name);
		VEC_ROOM(route->edges, route->edge_count);
		route->edges[route->edge_count++] = edge;
	}
	return 0;
}

int sim_words_route(
    struct sim_words *words, struct sim_route *route, bool *none)
{
	int err = sim_words_node(words, &route->node);
	if (err < 0)
		return err;
	err = sim_words_prefix(words, &route->prefix);
	if (err < 0)
		return err;
	if (sim_words_take(words, "via"))
		err = route_via(words, route);
	else if (sim_words_take(words, "drop"))
		route->drop = true;
	else if (none && sim_words_take(words, "none"))
		*none = true;
	else if (!sim_words_take(words, "unreachable")) {
		sim_words_next(words);
		err = sim_words_expected(words,
		    none ? "via, unreachable, drop or none"
			 : "via, unreachable or drop");
	}
	return err < 0 ? err : sim_words_end(words);
}
