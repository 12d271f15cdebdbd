/* SPDX-License-Identifier: ISC */
/* One row of a result, against its schema. */
#pragma once

#include "lib/record/result.h"

/* Does the row fit?  ERR_MALFORMED names script, table and column, what was
 * expected and what came; the hash is the caller's to compare. */
int result_check(const struct result_schema *schema, const Sonde__Result *row,
    struct errmsg *msg);
/* NULL: absent.  The row was checked; not for lists. */
const Sonde__Value *result_value(const Sonde__Result *row, size_t column);

/* What the row holds of a column's interval. */
struct result_interval {
	const Sonde__Value *low, *high, *probability; /* NULL: absent */
};
struct result_interval result_interval_of(
    const struct result_column *column, const Sonde__Result *row);
