/* SPDX-License-Identifier: ISC */
/*
 * The description of a simulated internet: one statement a line, words with
 * blanks between, '#' starts a comment, a '\' at the end of a line goes on in
 * the next.  man/sonde-sim.5 explains every word; in short:
 *
 *   seed 7
 *   start 2026-01-01T00:00:00Z | now
 *   default router|host|link OPTION...
 *   vantage NAME ADDRESS[/LENGTH]... [NODE-OPTION...]
 *   router  NAME ADDRESS...          [NODE-OPTION...]
 *   host    NAME ADDRESS|PREFIX...   [NODE-OPTION...]
 *   link A B [addr A-SIDE B-SIDE]... [LINK-OPTION...] [back LINK-OPTION...]
 *   route NODE PREFIX via NODE[,NODE...] | unreachable | drop
 *   generate tree NAME at NODE fanout N depth N [hosts N]
 *       addresses PREFIX... [NODE-OPTION...] [LINK-OPTION...]
 *   generate mesh NAME at NODE count N degree N ...
 *   generate diamond NAME from NODE to NODE width N length N ...
 *
 *   converge TIME
 *   at TIME link|node|route ...
 *
 * Options of nodes are in sim-behaviour.c, those of links in sim-option.c.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/base/vec.h"
#include "probes/net/sim/sim-parse.h"
#include "probes/net/sim/sim-index.h"
#include "probes/net/sim/sim-world.h"

static int parse_seed(struct sim_words *words)
{
	int err = sim_words_integer(words, &words->world->seed, 0, UINT64_MAX);
	return err ? err : sim_words_end(words);
}

static int parse_start(struct sim_words *words)
{
	struct tm tm = { 0 };
	if (sim_words_take(words, "now")) {
		words->world->start_now = true;
		return sim_words_end(words);
	}
	const char *word = sim_words_next(words);
	const char *end =
	    word ? strptime(word, "%Y-%m-%dT%H:%M:%SZ", &tm) : NULL;
	if (!end || *end || tm.tm_year < 70 || tm.tm_year > 190)
		return sim_words_expected(
		    words, "'now' or a time such as 2026-01-01T00:00:00Z");
	words->world->start.ns = (int64_t)timegm(&tm) * NS_PER_S;
	return sim_words_end(words);
}

static int parse_default(struct sim_words *words)
{
	int err;
	if (sim_words_take(words, "router"))
		err = sim_words_behaviour(words, &words->router);
	else if (sim_words_take(words, "host"))
		err = sim_words_behaviour(words, &words->host);
	else if (sim_words_take(words, "link"))
		err = sim_words_link(words, &words->link);
	else {
		sim_words_next(words);
		err = sim_words_expected(words, "router, host or link");
	}
	return err ? err : sim_words_end(words);
}

static int own_address(
    struct sim_words *words, const struct addr *a, uint32_t node)
{
	if (sim_addr_add(words->world, a, node) != SIM_NONE)
		return 0;
	char text[ADDR_TEXT_LEN];
	return sim_words_error(words, "%s: address %s is taken by '%.40s'",
	    words->word[0], addr_text(a, text),
	    sim_node_name(words->world, sim_addr_owner(words->world, a)));
}

/* "198.51.100.10/24": an address and the length of its network. */
static int vantage_address(
    struct sim_words *words, struct addr *a, uint32_t node)
{
	struct sim_world *w = words->world;
	char text[PREFIX_TEXT_LEN] = "";
	const char *word = sim_words_next(words);
	size_t len = strcspn(word, "/");
	if (len < sizeof(text))
		memcpy(text, word, len);
	if (addr_parse(a, text) != 0)
		return sim_words_expected(words, "an address");
	unsigned long bits = addr_bits(a);
	char *end = NULL;
	if (word[len] == '/')
		bits = strtoul(word + len + 1, &end, 10);
	if ((end && (*end || end == word + len + 1)) || bits > addr_bits(a))
		return sim_words_expected(
		    words, "an address, or one with /LENGTH");
	w->nodes[node].network_len[a->family == 6] = (uint8_t)bits;
	return own_address(words, a, node);
}

static int host_block(struct sim_words *words, uint32_t node)
{
	struct sim_world *w = words->world;
	struct prefix p;
	int err = sim_words_prefix(words, &p);
	if (err)
		return err;
	if (w->block_count == 1024)
		return sim_words_error(words, "host: more than 1024 prefixes");
	VEC_ROOM(w->blocks, w->block_count);
	w->blocks[w->block_count++] = (struct sim_block){ p, node };
	return 0;
}

enum node_kind { ROUTER, HOST, VANTAGE };

static int node_addresses(
    struct sim_words *words, enum node_kind kind, uint32_t node)
{
	if (!sim_words_has_address(words)) {
		sim_words_next(words);
		return sim_words_expected(words, "an address");
	}
	int err = 0;
	while (!err && sim_words_has_address(words)) {
		struct addr a;
		if (kind == VANTAGE)
			err = vantage_address(words, &a, node);
		else if (kind == HOST && strchr(sim_words_peek(words), '/'))
			err = host_block(words, node);
		else if (!(err = sim_words_address(words, &a)))
			err = own_address(words, &a, node);
	}
	return err;
}

/* Options stand after the addresses, but the node must know them before. */
static int parse_node(struct sim_words *words, enum node_kind kind)
{
	struct sim_world *w = words->world;
	const char *name;
	int err = sim_words_name(words, &name);
	if (err)
		return err;
	int addresses_at = words->at;
	while (sim_words_has_address(words))
		words->at++;
	struct sim_behaviour how = kind == ROUTER ? words->router : words->host;
	err = sim_words_behaviour(words, &how);
	if (err < 0)
		return err;
	err = sim_words_end(words);
	if (err < 0)
		return err;
	uint32_t node = sim_node_add(
	    w, name, sim_world_keep(w, &how, sizeof(how)), kind != ROUTER);
	if (node == SIM_NONE)
		return sim_words_error(words,
		    "%s: '%.40s' is there already, or there are more than %u "
		    "nodes",
		    words->word[0], name, w->max_nodes);
	words->at = addresses_at;
	err = node_addresses(words, kind, node);
	/* What a translator makes of sources is its own address. */
	for (int six = 0; six < 2 && !err; six++)
		if (how.nat[six].family &&
		    sim_addr_owner(w, &how.nat[six]) != node)
			err = own_address(words, &how.nat[six], node);
	for (int six = 0; six < 2 && !err; six++)
		if (how.snat[six].family &&
		    sim_addr_owner(w, &how.snat[six]) != node)
			err = own_address(words, &how.snat[six], node);
	/* The first vantage is where probes leave unless another is asked. */
	if (kind == VANTAGE && w->vantage == SIM_NONE)
		w->vantage = node;
	return err;
}

static int parse_router(struct sim_words *words)
{
	return parse_node(words, ROUTER);
}
static int parse_host(struct sim_words *words)
{
	return parse_node(words, HOST);
}
static int parse_vantage(struct sim_words *words)
{
	return parse_node(words, VANTAGE);
}

/* "addr 192.0.2.1 192.0.2.2": the ends' own addresses on this link. */
static int link_addresses(
    struct sim_words *words, const uint32_t ends[2], uint32_t at[2][2])
{
	for (int end = 0; end < 2; end++) {
		struct addr a;
		int err = sim_words_address(words, &a);
		if (err)
			return err;
		uint32_t owner = sim_addr_owner(words->world, &a);
		if (owner == SIM_NONE || owner != ends[end])
			err = own_address(words, &a, ends[end]);
		if (err)
			return err;
		at[end][a.family == 6] = sim_addr_index(words->world, &a);
	}
	return 0;
}

static int parse_link(struct sim_words *words)
{
	struct sim_world *w = words->world;
	uint32_t ends[2],
	    at[2][2] = { { SIM_NONE, SIM_NONE }, { SIM_NONE, SIM_NONE } };
	int err = sim_words_ends(words, ends);
	if (err < 0)
		return err;
	if (ends[0] == ends[1])
		return sim_words_expected(words, "another node");
	while (sim_words_take(words, "addr")) {
		err = link_addresses(words, ends, at);
		if (err < 0)
			return err;
	}
	struct sim_link there = words->link, back = words->link;
	err = sim_words_ways(words, &there, &back);
	if (err < 0)
		return err;
	uint32_t edge = sim_link_add(w, ends[0], ends[1],
	    sim_world_keep(w, &there, sizeof(there)),
	    sim_world_keep(w, &back, sizeof(back)));
	memcpy(w->edges[edge].addr, at[0], sizeof(at[0]));
	memcpy(w->edges[edge + 1].addr, at[1], sizeof(at[1]));
	return 0;
}

static int parse_route(struct sim_words *words)
{
	struct sim_world *w = words->world;
	struct sim_route route = { 0 };
	int err = sim_words_route(words, &route, NULL);
	if (!err && w->route_count == 4096)
		err = sim_words_error(words, "route: more than 4096 routes");
	if (err < 0) {
		free(route.edges);
		return err;
	}
	VEC_ROOM(w->routes, w->route_count);
	w->routes[w->route_count++] = route;
	w->nodes[route.node].routed = true;
	return 0;
}

static const struct {
	const char *name;
	int (*parse)(struct sim_words *words);
} statements[] = {
	{ "seed", parse_seed },
	{ "start", parse_start },
	{ "default", parse_default },
	{ "vantage", parse_vantage },
	{ "router", parse_router },
	{ "host", parse_host },
	{ "link", parse_link },
	{ "route", parse_route },
	{ "generate", sim_generate },
	{ "converge", sim_parse_converge },
	{ "at", sim_parse_at },
};

static int parse_statement(struct sim_words *words)
{
	words->at = 1;
	for (size_t i = 0; i < sizeof(statements) / sizeof(*statements); i++)
		if (strcmp(words->word[0], statements[i].name) == 0)
			return statements[i].parse(words);
	return sim_words_error(words,
	    "expected seed, start, default, vantage, router, host, link, "
	    "route, generate, converge or at, got '%.40s'",
	    words->word[0]);
}

/* Cuts one line into words; false when it has too many. */
static bool split_line(struct sim_words *words, char *line)
{
	line[strcspn(line, "#")] = '\0';
	words->count = 0;
	for (char *word; (word = strsep(&line, " \t\r"));) {
		if (*word == '\0')
			continue;
		if (words->count == SIM_WORDS_MAX)
			return false;
		words->word[words->count++] = word;
	}
	return true;
}

/* The next line, with those that a '\' at its end joins to it. */
static char *next_line(char **text, int *lines)
{
	char *line = *text;
	if (!line)
		return NULL;
	for (char *end = line; (end = strchr(end, '\n')); end++) {
		++*lines;
		if (end > line && end[-1] == '\\') {
			end[-1] = end[0] = ' ';
			continue;
		}
		*end = '\0';
		*text = end + 1;
		return line;
	}
	*text = NULL;
	return line;
}

int sim_parse(
    struct sim_world *world, char *text, const char *name, struct errmsg *msg)
{
	struct sim_words words = {
		.world = world,
		.file = name,
		.msg = msg,
		.router = { .ttl = 255, .reject_code = { 3, 4 } },
		.host = { .ttl = 64, .reject_code = { 3, 4 } },
		.link = { .delay_lo_ns = NS_PER_MS,
		    .delay_hi_ns = NS_PER_MS,
		    .queue_bytes = 150000,
		    .cost = 1 },
	};
	int lines = 0;
	for (char *line;
	     (words.line = lines + 1, line = next_line(&text, &lines));) {
		if (!split_line(&words, line)) {
			words.word[0] = line;
			return sim_words_error(
			    &words, "expected at most %d words", SIM_WORDS_MAX);
		}
		int err = words.count ? parse_statement(&words) : 0;
		if (err)
			return err;
	}
	return 0;
}
