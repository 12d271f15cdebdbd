/* SPDX-License-Identifier: ISC */
/*
 * Large parts of a simulated internet from one statement.  Made nodes are
 * called NAME.1, NAME.2, ... in the order in which they are made; addresses
 * are handed out in the same order, from the first of each prefix on.
 */
#include <stdio.h>

#include "probes/net/sim/sim-parse.h"
#include "probes/net/sim/sim-index.h"
#include "probes/net/sim/sim-route.h"
#include "probes/net/sim/sim-world.h"

struct maker {
	struct sim_words *words;
	const char *name;
	uint64_t made;
	struct prefix prefixes[2]; /* len 0 and family 0: none */
	uint64_t given[2];
	const struct sim_behaviour *router, *host;
	const struct sim_link *link;
};

/* The nth address of a prefix, or false when it has fewer. */
static bool nth_address(const struct prefix *p, uint64_t n, struct addr *a)
{
	unsigned free_bits = addr_bits(&p->addr) - p->len;
	if (free_bits < 64 && n >> free_bits != 0)
		return false;
	*a = p->addr;
	for (size_t i = addr_len(a); n != 0 && i-- > 0; n >>= 8)
		a->bytes[i] |= (uint8_t)n;
	return true;
}

static int make_address(struct maker *m, int family, uint32_t node)
{
	struct addr a;
	char text[PREFIX_TEXT_LEN];
	/* Addresses that a node has are passed over. */
	for (;;) {
		if (!nth_address(&m->prefixes[family], ++m->given[family], &a))
			return sim_words_error(m->words,
			    "generate: %s has too few addresses",
			    prefix_text(&m->prefixes[family], text));
		if (sim_addr_add(m->words->world, &a, node) != SIM_NONE)
			return 0;
	}
}

static int make_node(
    struct maker *m, const struct sim_behaviour *how, bool host, uint32_t *to)
{
	char name[64];
	snprintf(name, sizeof(name), "%.40s.%llu", m->name,
	    (unsigned long long)++m->made);
	*to = sim_node_add(m->words->world, name, how, host);
	if (*to == SIM_NONE)
		return sim_words_error(m->words,
		    "generate: '%s' is there already, or there are more than "
		    "%u nodes",
		    name, m->words->world->max_nodes);
	for (int family = 0; family < 2; family++) {
		int err = m->prefixes[family].addr.family
		    ? make_address(m, family, *to)
		    : 0;
		if (err)
			return err;
	}
	return 0;
}

static int make_below(struct maker *m, uint32_t parent, bool host)
{
	uint32_t node;
	int err = make_node(m, host ? m->host : m->router, host, &node);
	if (err < 0)
		return err;
	sim_link_add(m->words->world, parent, node, m->link, m->link);
	return 0;
}

static int make_hosts(
    struct maker *m, uint32_t from, uint32_t to, uint64_t hosts)
{
	int err = 0;
	for (uint32_t router = from; router < to; router++)
		for (uint64_t i = 0; i < hosts && !err; i++)
			err = make_below(m, router, true);
	return err;
}

/* Reads "addresses PREFIX..." and the options, which end the statement. */
static int read_tail(struct maker *m)
{
	struct sim_words *words = m->words;
	if (!sim_words_take(words, "addresses")) {
		sim_words_next(words);
		return sim_words_expected(words, "addresses PREFIX");
	}
	int err;
	do {
		struct prefix p;
		err = sim_words_prefix(words, &p);
		if (err < 0)
			return err;
		m->prefixes[p.addr.family == 6] = p;
	} while (sim_words_has_address(words));
	struct sim_behaviour router = words->router;
	struct sim_link link = words->link;
	for (int at = -1; at != words->at;) {
		at = words->at;
		err = sim_words_behaviour(words, &router);
		if (err < 0)
			return err;
		err = sim_words_link(words, &link);
		if (err < 0)
			return err;
	}
	err = sim_words_end(words);
	if (err < 0)
		return err;
	m->router = sim_world_keep(words->world, &router, sizeof(router));
	m->host =
	    sim_world_keep(words->world, &words->host, sizeof(words->host));
	m->link = sim_world_keep(words->world, &link, sizeof(link));
	return 0;
}

static int read_number(
    struct maker *m, const char *word, uint64_t *to, uint64_t min)
{
	if (!sim_words_take(m->words, word)) {
		sim_words_next(m->words);
		return sim_words_expected(m->words, word);
	}
	return sim_words_integer(m->words, to, min, m->words->world->max_nodes);
}

static int read_place(struct maker *m, const char *word, uint32_t *node)
{
	if (!sim_words_take(m->words, word)) {
		sim_words_next(m->words);
		return sim_words_expected(m->words, word);
	}
	return sim_words_node(m->words, node);
}

static int read_hosts(struct maker *m, uint64_t *hosts)
{
	*hosts = 0;
	const char *word = sim_words_peek(m->words);
	return word && strcmp(word, "hosts") == 0
	    ? read_number(m, "hosts", hosts, 0)
	    : 0;
}

static int generate_tree(struct maker *m)
{
	struct sim_world *w = m->words->world;
	uint32_t root = 0;
	uint64_t fanout = 0, depth = 0, hosts = 0;
	int err = read_place(m, "at", &root);
	if (err < 0)
		return err;
	err = read_number(m, "fanout", &fanout, 1);
	if (err < 0)
		return err;
	err = read_number(m, "depth", &depth, 1);
	if (err < 0)
		return err;
	err = read_hosts(m, &hosts);
	if (err < 0)
		return err;
	err = read_tail(m);
	if (err < 0)
		return err;
	uint32_t from = root, to = root + 1;
	for (uint64_t level = 0; level < depth; level++) {
		uint32_t next = w->node_count;
		for (uint64_t i = 0; i < (to - from) * fanout; i++) {
			err =
			    make_below(m, from + (uint32_t)(i / fanout), false);
			if (err < 0)
				return err;
		}
		from = next;
		to = w->node_count;
	}
	return make_hosts(m, from, to, hosts);
}

/* Each router hangs on an earlier one, so that all are reached, and has
 * degree - 1 more links to routers drawn at random. */
static int generate_mesh(struct maker *m)
{
	struct sim_world *w = m->words->world;
	uint32_t root = 0;
	uint64_t count = 0, degree = 0, hosts = 0;
	int err = read_place(m, "at", &root);
	if (err < 0)
		return err;
	err = read_number(m, "count", &count, 1);
	if (err < 0)
		return err;
	err = read_number(m, "degree", &degree, 1);
	if (err < 0)
		return err;
	if (degree > 16)
		return sim_words_expected(m->words, "a degree of at most 16");
	err = read_hosts(m, &hosts);
	if (err < 0)
		return err;
	err = read_tail(m);
	if (err < 0)
		return err;
	uint32_t first = w->node_count;
	for (uint64_t i = 0; i < count; i++) {
		uint32_t node = w->node_count;
		err = make_node(m, m->router, false, &node);
		if (err < 0)
			return err;
		for (uint64_t k = 0; k < degree; k++) {
			uint32_t other = first +
			    (uint32_t)(sim_draw(w, node, k) * (double)i);
			if (i == 0)
				other = root;
			if (k == 0 || (i > 0 && other != node))
				sim_link_add(w, other, node, m->link, m->link);
		}
	}
	return make_hosts(m, first, first + (uint32_t)count, hosts);
}

static int generate_diamond(struct maker *m)
{
	struct sim_world *w = m->words->world;
	uint32_t from = 0, to = 0;
	uint64_t width = 0, length = 0;
	int err = read_place(m, "from", &from);
	if (err < 0)
		return err;
	err = read_place(m, "to", &to);
	if (err < 0)
		return err;
	err = read_number(m, "width", &width, 1);
	if (err < 0)
		return err;
	err = read_number(m, "length", &length, 1);
	if (err < 0)
		return err;
	err = read_tail(m);
	if (err < 0)
		return err;
	for (uint64_t i = 0; i < width; i++) {
		uint32_t last = from;
		for (uint64_t k = 0; k < length; k++) {
			uint32_t at = w->node_count;
			err = make_below(m, last, false);
			if (err < 0)
				return err;
			last = at;
		}
		sim_link_add(w, last, to, m->link, m->link);
	}
	return 0;
}

int sim_generate(struct sim_words *words)
{
	static const struct {
		const char *name;
		int (*make)(struct maker *m);
	} shapes[] = {
		{ "tree", generate_tree },
		{ "mesh", generate_mesh },
		{ "diamond", generate_diamond },
	};
	const char *shape = sim_words_next(words);
	for (size_t i = 0; shape && i < 3; i++) {
		if (strcmp(shape, shapes[i].name) != 0)
			continue;
		struct maker m = { .words = words };
		int err = sim_words_name(words, &m.name);
		return err ? err : shapes[i].make(&m);
	}
	return sim_words_expected(words, "tree, mesh or diamond");
}
