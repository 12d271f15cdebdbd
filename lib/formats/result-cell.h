/* SPDX-License-Identifier: ISC */
/* Cells of results as text. */
#pragma once

#include <stdio.h>

#include "lib/record/result.h"

/* For people: 12.3 ms, an address, "-" for what is absent; with its interval
 * and probability where the column has one: "0.2 [0.1, 0.4] 95%". */
void result_cell_text(struct buf *to, const struct result_table *table,
    size_t column, const Sonde__Result *row);
/* "rtt", "loss (%)", "speed (probes/s)". */
void result_title_text(struct buf *to, const struct result_column *column);
/* Are its values numbers, which stand at the right? */
bool result_column_is_numeric(const struct result_column *column);

/* Without rounding and units: what is equal says the same. */
void result_cell_exact(struct buf *to, const Sonde__Cell *cell);
/* The same for CSV, lists with ';' between; empty when absent. */
void result_cell_csv(
    FILE *to, const struct result_column *column, const Sonde__Cell *cell);
