/* SPDX-License-Identifier: ISC */
/* One statement of a simulated internet as words, with typed reads that report
 * "file:line: what, expected, got" when a word is wrong. */
#pragma once

#include "probes/net/sim/sim.h"

#define SIM_WORDS_MAX 128

struct sim_words {
	struct sim_world *world;
	const char *file;
	int line;
	char *word[SIM_WORDS_MAX]; /* borrowed from the line */
	int count, at;
	struct errmsg *msg;
	struct sim_behaviour router, host; /* defaults, as stated so far */
	struct sim_link link;
	int64_t converge_ns; /* from a change to other paths */
};

/* ERR_CONFIG with "file:line: " before the text. */
int sim_words_error(struct sim_words *words, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* ... expected E, got the word that was read last. */
int sim_words_expected(struct sim_words *words, const char *expected);

/* The next word, or NULL at the end. */
const char *sim_words_next(struct sim_words *words);
const char *sim_words_peek(const struct sim_words *words);
/* Takes the next word if it is this one. */
bool sim_words_take(struct sim_words *words, const char *word);

/* A name that no address can be taken for. */
int sim_words_name(struct sim_words *words, const char **name);
int sim_words_integer(
    struct sim_words *words, uint64_t *to, uint64_t min, uint64_t max);
int sim_words_duration(struct sim_words *words, int64_t *ns);
int sim_words_address(struct sim_words *words, struct addr *to);
int sim_words_prefix(struct sim_words *words, struct prefix *to);
int sim_words_node(struct sim_words *words, uint32_t *node);
int sim_words_ends(struct sim_words *words, uint32_t ends[static 2]);

/* A number and its unit, one of units (ended by NULL), into *to by its scale;
 * *rest is what follows.  False when it is not one of them. */
bool sim_words_scaled(const char *word, const char *const units[],
    const double scales[], double *to, const char **rest);
/* A time such as 5ms; what follows it, or NULL when it is none. */
const char *sim_read_duration(const char *word, int64_t *ns);

/* Is the next word the start of an address? */
bool sim_words_has_address(const struct sim_words *words);

/* Reads the options of a node or link up to the end or up to a word that is
 * none of them; the caller says whether that is an error. */
int sim_words_behaviour(struct sim_words *words, struct sim_behaviour *how);
int sim_words_link(struct sim_words *words, struct sim_link *how);
/* Options of a link's two directions, to the end of the line: those before
 * "back" are added to both. */
int sim_words_ways(
    struct sim_words *words, struct sim_link *there, struct sim_link *back);
int sim_words_end(struct sim_words *words);

/* A whole description, and what one of its lines makes (sim-file.c,
 * sim-generate.c). */
int sim_parse(
    struct sim_world *world, char *text, const char *name, struct errmsg *msg);
int sim_generate(struct sim_words *words);
int sim_parse_at(struct sim_words *words);
int sim_parse_converge(struct sim_words *words);
/* NODE PREFIX via NODE... | unreachable | drop, up to the end of the line, or,
 * where none is not NULL, none.  route->edges is the caller's, also after an
 * error. */
int sim_words_route(
    struct sim_words *words, struct sim_route *route, bool *none);
