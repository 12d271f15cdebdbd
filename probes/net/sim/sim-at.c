/* SPDX-License-Identifier: ISC */
/*
 * Statements of what happens at a time:
 *
 *   converge TIME
 *   at TIME link A B LINK-OPTION... [back LINK-OPTION...]
 *   at TIME node NAME NODE-OPTION...
 *   at TIME route NODE PREFIX via NODE[,NODE...] | unreachable | drop | none
 */
#include <stdlib.h>

#include "probes/net/sim/sim-change.h"
#include "probes/net/sim/sim-index.h"
#include "probes/net/sim/sim-parse.h"
#include "probes/net/sim/sim-world.h"

int sim_parse_converge(struct sim_words *words)
{
	int err = sim_words_duration(words, &words->converge_ns);
	return err ? err : sim_words_end(words);
}

static int add_change(struct sim_words *words, const struct sim_change *change)
{
	if (sim_change_add(words->world, change))
		return 0;
	return sim_words_error(words, "at: more than 10000 changes");
}

static int at_link(struct sim_words *words, struct sim_change *c)
{
	struct sim_world *w = words->world;
	uint32_t ends[2];
	int err = sim_words_ends(words, ends);
	if (err < 0)
		return err;
	c->edge = sim_edge_between(w, ends[0], ends[1]);
	if (c->edge == SIM_NONE)
		return sim_words_expected(words, "a neighbour of the first");
	struct sim_link there = *sim_stated_link(w, c->edge);
	struct sim_link back = *sim_stated_link(w, c->edge ^ 1);
	err = sim_words_ways(words, &there, &back);
	if (err < 0)
		return err;
	c->kind = SIM_CHANGE_LINK;
	c->how = sim_world_keep(w, &there, sizeof(there));
	c->back = sim_world_keep(w, &back, sizeof(back));
	return add_change(words, c);
}

static int at_node(struct sim_words *words, struct sim_change *c)
{
	struct sim_world *w = words->world;
	int err = sim_words_node(words, &c->node);
	if (err < 0)
		return err;
	struct sim_behaviour how = *sim_stated_node(w, c->node);
	if (sim_words_take(words, "plain"))
		how = w->nodes[c->node].host ? words->host : words->router;
	err = sim_words_behaviour(words, &how);
	if (err < 0)
		return err;
	err = sim_words_end(words);
	if (err < 0)
		return err;
	c->kind = SIM_CHANGE_NODE;
	c->how = sim_world_keep(w, &how, sizeof(how));
	return add_change(words, c);
}

static int at_route(struct sim_words *words, struct sim_change *c)
{
	int err = sim_words_route(words, &c->route, &c->forget);
	c->kind = SIM_CHANGE_ROUTE;
	if (!err)
		err = add_change(words, c);
	if (err < 0)
		free(c->route.edges);
	return err;
}

int sim_parse_at(struct sim_words *words)
{
	struct sim_change c = { 0 };
	int err = sim_words_duration(words, &c.at_ns);
	if (err < 0)
		return err;
	if (sim_words_take(words, "node"))
		return at_node(words, &c);
	if (sim_words_take(words, "link"))
		err = at_link(words, &c);
	else if (sim_words_take(words, "route"))
		err = at_route(words, &c);
	else {
		sim_words_next(words);
		return sim_words_expected(words, "link, node or route");
	}
	if (err < 0)
		return err;
	struct sim_change paths = { .kind = SIM_CHANGE_PATHS,
		.at_ns = c.at_ns + words->converge_ns };
	return add_change(words, &paths);
}
