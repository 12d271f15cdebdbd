/* SPDX-License-Identifier: ISC */
/* Options as rows of a table, each with how it reads its value. */
#pragma once

#include <stddef.h>

#include "probes/net/sim/sim-parse.h"

/* How an option reads its value into the field at an offset. */
struct sim_option;
typedef int sim_read_fn(
    struct sim_words *words, const struct sim_option *row, void *to);
struct sim_option {
	const char *name;
	sim_read_fn *read;
	size_t field;
	uint64_t min, max;
	const char *choices; /* of read_choice: words with ',' between */
};

#define SIM_FIELD(type, to, row) ((type *)(void *)((char *)(to) + (row)->field))

/* Readers of one value into the row's field of `to`. */
sim_read_fn sim_read_flag, sim_read_no_flag, sim_read_integer, sim_read_u16,
    sim_read_u8, sim_read_number, sim_read_share, sim_read_rate, sim_read_size,
    sim_read_time, sim_read_choice;

/* Options up to the end or a word that is none of them. */
int sim_read_options(
    struct sim_words *words, const struct sim_option *rows, void *to);
