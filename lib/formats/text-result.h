/* SPDX-License-Identifier: ISC */
/*
 * Results for people: each table under its name, with columns as wide as what
 * is in them.  So rows wait until the last one, or until there are many.
 */
#pragma once

#include "lib/formats/result-stream.h"
#include "lib/formats/text.h"

struct text_section;
struct text_results { /* zero: empty */
	struct result_stream stream;
	struct text_section *sections; /* owned */
	size_t section_count, bytes;
};
int text_result(struct text_results *results, struct text *t,
    const Sonde__Record *record, struct errmsg *msg);
/* Prints what waits. */
void text_results_flush(struct text_results *results, struct text *t);
void text_results_fini(struct text_results *results);
