/* SPDX-License-Identifier: ISC */
/*
 * The random id of this database's history.  The file `generation` beside it
 * remembers which history, and how far in it, we last answered from: a
 * database that is older, or from another place, gets a new generation, by
 * which agents see that they must not believe our old answers.
 */
#pragma once

#include <stdbool.h>

#include "collector/core/part.h"

const char *collector_generation(const struct collector *collector);

/* True when a database of this folder has been answered from. */
bool generation_has_past(const struct collector *collector);

extern const struct part generation_part;
