/* SPDX-License-Identifier: ISC */
/* How a trace or ping of one target ended. */
#pragma once

#include <stddef.h>

#include "lib/record/outcome.h"

/* The reply that says most of it. */
struct target_end {
	const Sonde__Reply *reply; /* the record's; NULL: none */
	Sonde__Outcome outcome;
};

/* UNKNOWN of what is no trace or ping, and of routers alone. */
struct target_end target_end_of(const Sonde__Record *record);
/* Has it a probe that did not leave its host, or was denied? */
bool target_has_unsent(const Sonde__Record *record);
/* ": rejected by 192.0.2.1, host prohibited"; "" when there is no more to
 * say. */
void target_end_words(const struct target_end *end, char *text, size_t len);
