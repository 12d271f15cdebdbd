/* SPDX-License-Identifier: ISC */
/* The rows of a pass over an hour or a day. */
#pragma once

#include "collector/store/sqlite/rollup/path-who.h"

/* Adds the stream's row to those of its path and bin. */
int path_sum_row(struct path_read *r, struct path_stream *from);
/* No more comes to the last one. */
int path_end_row(struct path_read *r);
/* All of the pass, in order.  Not 0: an error, or what the callback returned.
 */
int path_give_rows(struct path_read *r);
